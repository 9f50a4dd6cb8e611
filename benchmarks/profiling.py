"""Where the time of a fit by skmle goes."""

from __future__ import annotations

import cProfile
import os
import pstats
import time
import warnings

from .problems import get
from .worker import counted_passes

_LINES = 30  # functions that are printed, in each order


def profile(name: str, scale: str = "full") -> None:
    """Print the time, the passes and a profile of skmle's fit on a problem."""
    problem = get(name)
    data = problem.make(**problem.sizes(scale))
    warnings.simplefilter("ignore")
    job = problem.candidates[0].prepare(data)
    for number in range(2):  # the first fit warms up
        with counted_passes() as passes:
            start = time.perf_counter()
            job.fit()
            print(
                f"{problem.title}: fit {number + 1}: {time.perf_counter() - start:.4f} s, passes "
                f"{passes()}"
            )
    os.environ["OMP_NUM_THREADS"] = "1"  # a profiler sees only the thread that it runs in
    profiler = cProfile.Profile()
    profiler.runcall(job.fit)
    statistics = pstats.Stats(profiler).strip_dirs()
    for order in ("tottime", "cumtime"):
        statistics.sort_stats(order).print_stats(_LINES)
