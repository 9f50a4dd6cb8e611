"""Seconds that scikit-learn's checks of each estimator take, the slowest first.

The checks fit an estimator some hundred times on small, awkward data: what a fit costs beside its
passes over rows. None should take more than five seconds of the processor on one thread.

    python -m benchmarks.estimator_checks                  every subject of the tests
    python -m benchmarks.estimator_checks 'Cross*'         those whose name matches
"""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import suppress
from fnmatch import fnmatch
from unittest import SkipTest

from threadpoolctl import threadpool_limits

from tests.estimators.test_estimators import SUBJECTS, checks_of, shown_as

BAR = 5.0  # seconds of the processor


def seconds_of_checks(subject: object) -> float:
    """Return the seconds of processor time of all checks of an estimator."""
    start = time.process_time()
    for parameters in checks_of(subject):
        estimator, check = parameters.values
        with suppress(SkipTest):  # the tests say which checks must run
            check(estimator)
    return time.process_time() - start


def main() -> None:
    """Measure the subjects whose name matches, and print them."""
    pattern = sys.argv[1] if len(sys.argv) > 1 else "*"
    chosen = [subject for subject in SUBJECTS if fnmatch(shown_as(subject), pattern)]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = {shown_as(subject): seconds_of_checks(subject) for subject in chosen}
    for name, taken in sorted(seconds.items(), key=lambda pair: -pair[1]):
        print(f"{taken:6.2f}  {'over the bar' if taken > BAR else '':12s}  {name}")


if __name__ == "__main__":
    main()
