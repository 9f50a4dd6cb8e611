"""How far a small fit travels: which functions and files of skmle it enters.

``python -m benchmarks.trip`` prints one line a fit, and with ``--all`` each function with the
number of its calls. A fit is counted when it is warm. Comprehensions and lambdas count as calls,
but not as functions of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor

PACKAGE = Path(skmle.__file__).parent


class Trip(NamedTuple):
    """What a fit enters."""

    functions: Counter[tuple[str, str]]
    """(file, function) of skmle with the number of calls."""
    calls: int
    """All Python calls, those of other packages included."""

    @property
    def files(self) -> set[str]:
        return {file for file, _ in self.functions}


def trip(fit: Callable[[], Any]) -> Trip:
    """Return the trip of a warm fit."""
    for _ in range(2):
        fit()
    functions: Counter[tuple[str, str]] = Counter()
    calls = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal calls
        if event != "call":
            return
        calls += 1
        code = frame.f_code
        if code.co_filename.startswith(str(PACKAGE)) and not code.co_name.startswith("<"):
            file = Path(code.co_filename).relative_to(PACKAGE).as_posix()
            functions[file, code.co_qualname] += 1

    sys.setprofile(note)
    try:
        fit()
    finally:
        sys.setprofile(None)
    return Trip(functions, calls)


def fits() -> dict[str, Callable[[], Any]]:
    """Return small fits by name."""
    rng = np.random.default_rng(0)
    X, long = rng.normal(size=(50, 3)), rng.normal(size=(1000, 10))
    counts = rng.poisson(np.exp(0.3 * X[:, 0] + 0.5)).astype(float)
    labels = (rng.random(1000) < 1.0 / (1.0 + np.exp(-long[:, 0]))).astype(int)
    return {
        "Poisson regression, 50 x 3": lambda: MLERegressor("poisson").fit(X, counts),
        "logistic regression, 1000 x 10": lambda: CrossEntropyClassifier().fit(long, labels),
        "gamma density, 50": lambda: MLEDistribution("gamma").fit(np.exp(X[:, :1])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="print each function, too")
    everything = parser.parse_args().all
    for name, fit in fits().items():
        found = trip(fit)
        functions, files = len(found.functions), len(found.files)
        print(f"{name}: {functions} functions in {files} files, {found.calls} Python calls")
        for (file, function), count in sorted(found.functions.items()) if everything else ():
            print(f"    {count:4d} {file} {function}")


if __name__ == "__main__":
    main()
