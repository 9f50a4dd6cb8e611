"""Blocks of rows, and THE sum over rows.

Every pass over data is ``total(block, n, ...)``: cache-sized blocks, summed in a fixed order, on threads where that pays.
The cut and the order of addition depend on the data's shape alone, so results are bit-equal for any number of threads.
The constants were measured on 2 cores with 2 MB of second-level cache each (a block too small costs more than one too large).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from skmle._engine.evaluation import Evaluation

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNKS = 16
_CHUNK_BYTES = 2 << 30
_SMALL = 1_000_000  # entries of X, or products of rows with what they are summed to


def block_size(p: int) -> int:
    """Return the number of rows of a block of p columns: about 4 MiB, a multiple of 1024."""
    return min(max((4 << 20) // (8 * max(p, 1)), 4096), 32768) // 1024 * 1024


def cuts(n: int, p: int) -> list[tuple[int, int]]:
    """Return the blocks (low, high) of n rows of p columns."""
    size = block_size(p)
    return [(low, min(low + size, n)) for low in range(0, n, size)]


def chunks(n: int, p: int, size: int) -> list[list[tuple[int, int]]]:
    """Return the blocks (low, high) of n rows, grouped into the chunks that one thread sums serially, `size` numbers each."""
    blocks = cuts(n, p)
    count = max(1, min(len(blocks), _CHUNKS, _CHUNK_BYTES // max(16 * size, 1)))
    return [[blocks[i] for i in part] for part in np.array_split(np.arange(len(blocks)), count)]


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that `n_jobs` asks for.

    None: the cores this process may use, at most OMP_NUM_THREADS (which joblib's workers set); -1: all of these cores.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if n_jobs is None:
        limit = os.environ.get("OMP_NUM_THREADS", "")
        return min(cores, int(limit)) if limit.isdigit() and int(limit) > 0 else cores
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 is not allowed; give None, a positive number of threads, or -1 for all cores."
        )
    return n_jobs if n_jobs > 0 else max(1, cores + 1 + n_jobs)


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return (
        ThreadpoolController()
    )  # 4 ms: looks through the loaded libraries, so made once and only for long data


def one_blas_thread(needed: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which BLAS takes one thread, where that is needed.

    Threads of BLAS inside threads of ours fight for the cores: 63 s against 1.9 s were seen. Where others use the cores they
    wait for each other even beside ours: 138 ms for the Cholesky factor of 140 coefficients, which takes 0.3. And so do those
    of numpy's BLAS and scipy's, which wait for work by spinning, where products alternate with factorisations: 86 s against 18 s.
    """
    return _controller().limit(limits=1, user_api="blas") if needed else nullcontext()


def is_long(n: int, p: int) -> bool:
    """Return whether n rows of p columns are more than one block."""
    return p > 0 and n > block_size(p)


def blas_threads_harm(n: int, p: int) -> bool:
    """Return whether rows are summed on threads of ours, or products with them end before threads of BLAS would have met."""
    return is_long(n, p) or n * p <= _SMALL


def in_order(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return ``work`` of each item, in their order whatever the number of threads."""
    threads = min(threads, len(items))
    if threads <= 1:
        return [work(item) for item in items]
    todo, results = deque(enumerate(items)), {}

    def take() -> None:
        while todo:
            try:
                i, item = todo.popleft()
            except IndexError:  # another thread took the last
                return
            results[i] = work(item)

    # The calling thread works too: to start a thread takes a millisecond, to be woken by one more.
    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(take) for _ in range(threads - 1)]
        try:
            take()
        finally:
            todo.clear()  # after an error or an interrupt
        for helper in helpers:
            helper.result()
    return [results[i] for i in range(len(items))]


@lru_cache(maxsize=1)
def keep_heap() -> None:
    """Let the allocator keep what it frees: call it before work on long arrays."""
    # glibc hands the top of the heap back after each block, and every block then faults its temporaries in again (8x slower).
    # Freeing one allocation just below 32 MiB raises its mmap and trim thresholds for good; it is never touched, so costs no memory.
    np.empty(2**22 - 4096)


def total(
    block: Callable[[int, int], Evaluation], n: int, p: int, size: int, threads: int = 1
) -> Evaluation:
    """Return the sum of ``block(low, high)`` over all blocks of n rows.

    Parameters
    ----------
    block : callable
        (low, high) -> Evaluation of these rows; called from several threads.
    n, p, size : int
        Rows, columns, and numbers that a block is summed to: they fix the cut.
    threads : int
        How many threads may be used; the result does not depend on it.
    """
    if n <= block_size(p):
        return block(0, n)
    keep_heap()
    parts = chunks(n, p, size)

    def chunk(part: list[tuple[int, int]]) -> Evaluation:
        with np.errstate(
            all="ignore"
        ):  # a thread starts with numpy's default; non-finite values reject the step
            result = block(*part[0])
            for bounds in part[1:]:
                result += block(*bounds)
        return result

    with one_blas_thread(is_long(n, p)):
        # Short calls, such as all are without columns, make two threads fight for the interpreter.
        results = in_order(chunk, parts, threads if p > 0 and n * max(p, size) >= _SMALL else 1)
    result = results[0]
    for other in results[1:]:
        result += other
    return result


def strata(n: int, m: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return m increasing row numbers out of n, one at random from each of m equal stretches: safe for sorted rows."""
    rng = np.random.default_rng(seed)
    return np.minimum(((np.arange(m) + rng.random(m)) * (n / m)).astype(np.intp), n - 1)
