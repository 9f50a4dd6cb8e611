"""The process that fits: one candidate on one problem, timed when the parent process asks."""

from __future__ import annotations

import gc
import pickle
import re
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from .candidates import Job
from .data import Data
from .problems import get

_WARM_UP_ROWS = 2000  # of the fit that is not timed
_SHORT = 0.05  # seconds; a shorter fit is repeated within a round
_ROUND = 0.25  # seconds of repeated short fits in a round


def serve(connection: Any, problem: str, index: int, path: str) -> None:
    """Load the data and warm up; then answer each message with the measurements of one round.

    The process ends when the parent closes the connection.
    """
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *_, **__: None  # some programs reset the filters
    candidate = get(problem).candidates[index]
    with open(path, "rb") as file:
        data: Data = pickle.load(file)
    try:
        _warm_up(candidate.prepare, data)
        job = candidate.prepare(data)
        gc.collect()
        connection.send("ready")
        first = True
        while connection.recv() == "fit":
            ours = candidate.package == "skmle"
            connection.send(_first(job, ours) if first else {"times": _times(job)})
            first = False
    except EOFError:
        pass
    except Exception as error:  # a peer that fails is a result, too
        # Without the path of the package on this machine.
        text = re.sub(r" \(/.*?\)", "", (str(error).splitlines() or [""])[0])
        connection.send(f"{type(error).__name__}: {text[:120]}")


def _warm_up(prepare: Any, data: Data) -> None:
    """Fit a few rows, so that lazy imports, compilers and thread pools are not timed."""
    try:
        prepare(data.head(_WARM_UP_ROWS)).fit()
    except Exception:  # few rows may be separated; an error that matters comes up on all rows
        pass


def _times(job: Job) -> list[float]:
    times: list[float] = []
    while not times or (times[-1] < _SHORT and sum(times) < _ROUND):
        start = time.perf_counter()
        job.fit()
        times.append(time.perf_counter() - start)
    return times


def _first(job: Job, ours: bool) -> dict[str, Any]:
    """Return what is measured in the first round: times, coefficients, passes and peak memory."""
    before = _reset_peak()
    # The passes of peers are not counted, so that they need not import skmle.
    with counted_passes() if ours else nullcontext(dict) as passes:
        start = time.perf_counter()
        fitted = job.fit()
        seconds = time.perf_counter() - start
    peak = _peak()
    memory = None if before is None or peak is None else max(peak - before, 0.0)
    solution = job.read(fitted)
    del fitted
    times = [seconds] if seconds >= _SHORT else _times(job)
    return {
        "times": times,
        "solution": solution,
        "memory": memory,
        "passes": passes(),
        "status": None,
    }


# ---------------------------------------------------------------- passes


@contextmanager
def counted_passes() -> Iterator[Any]:
    """Count evaluations of skmle's objective, and products with its hessian, on all rows.

    Samples are not counted: all rows are the most rows that were seen.
    """
    from skmle._engine.likelihood.curvature import RowCurvature
    from skmle._engine.likelihood.objective import Objective

    counts: Counter[tuple[int, str]] = Counter()
    evaluate, product, start = Objective.__call__, RowCurvature.product, RowCurvature.__init__

    def counted_evaluate(self: Any, coef: Any, order: int = 2) -> Any:
        counts[self.n, ("value", "gradient", "hessian")[order]] += 1
        return evaluate(self, coef, order)

    def counted_start(self: Any, objective: Any, coef: Any, known: Any = None) -> None:
        counts[objective.n, "curvature"] += known is None  # else it takes no pass
        start(self, objective, coef, known)

    def counted_product(self: Any, vector: Any) -> Any:
        counts[self.objective.n, "product"] += 1
        return product(self, vector)

    def result() -> dict[str, int]:
        most = max((n for n, _ in counts), default=0)
        return {kind: count for (n, kind), count in counts.items() if n == most}

    Objective.__call__, RowCurvature.product, RowCurvature.__init__ = (
        counted_evaluate,
        counted_product,
        counted_start,
    )  # type: ignore
    try:
        yield result
    finally:
        Objective.__call__, RowCurvature.product, RowCurvature.__init__ = (
            evaluate,
            product,
            start,
        )  # type: ignore


# ---------------------------------------------------------------- memory


def _status(field: str) -> float | None:
    """Return a field of /proc/self/status in MB, if the system has it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(
        (int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field + ":")), None
    )


def _reset_peak() -> float | None:
    """Set the peak of the resident set back to what is resident now, and return that in MB.

    Where the system offers no reset, loading and warming up may have had a higher peak than the
    fit. The rise of the peak, which is measured, is then a lower bound.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return _peak()
    return _status("VmRSS")


def _peak() -> float | None:
    """Return the peak of the resident set in MB."""
    peak = _status("VmHWM")
    if peak is None:  # ru_maxrss is in bytes on macOS, in KiB elsewhere
        unit = 1.0 if sys.platform == "darwin" else 1024.0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return peak
