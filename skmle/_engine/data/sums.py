"""Blocks of rows, and THE sum over rows.

Every pass over data is ``total(block, n, ...)``: it cuts the rows into blocks that fit the cache
and adds up what is found in each, on threads where that pays. The cut and the order of addition
depend on the shape of the data alone, so results are bit-equal for any number of threads.

Times in this file were measured on 2 cores with 2 MB of second-level cache each.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from skmle._engine.evaluation import Evaluation

Item = TypeVar("Item")
Result = TypeVar("Result")

# A thread sums a chunk, that is, several blocks, by itself. One task a block instead makes threads
# fight for the interpreter: 123 ms against 93 for a Hessian of 50 columns and a million rows.
# Chunks into which all rows are divided: several for each thread of usual machines. Chosen, not
# measured.
_CHUNKS = 16
# Memory that the sums of all chunks may take, at most. Chosen, not measured.
_CHUNK_BYTES = 2 << 30
# Bytes of a block, and the least and largest number of its rows. Gradient and Hessian
# of a million rows took, in ms: with 5 columns 22 and 44 in blocks of 1,024 rows, 11 and 26 of
# 8,192, 10 and 25 of 32,768; with 50 columns 45 and 139, 37 and 145, 44 and 181. Too small costs
# more than too large.
_BLOCK_BYTES = 4 << 20
_BLOCK_ROWS = (4096, 32768)
# The number of blocks is a multiple of the first, as that of threads often divides it: with three
# blocks and a short one, two threads had the work of two blocks and of one. Blocks have a multiple
# of the second, so that each begins with a cache line of 64 bytes where a row has one number.
_SHARED, _LINE = 4, 8
# Sums of fewer numbers (entries of X, or rows times what they are summed to) are left to one
# thread, of ours and of BLAS; chosen as the order at which a pass takes as long as to start
# threads, some ms.
_SHORT = 1_000_000


def block_size(p: int) -> int:
    """Return the number of rows of a block of p columns: about 4 MiB, a multiple of 1024."""
    fewest, most = _BLOCK_ROWS
    return min(max(_BLOCK_BYTES // (8 * max(p, 1)), fewest), most) // 1024 * 1024


def cuts(n: int, p: int) -> list[tuple[int, int]]:
    """Return the blocks (low, high) of n rows of p columns, nearly equal in size."""
    count = max(-(-n // block_size(p)), 1)
    if count > 2:
        count = -(-count // _SHARED) * _SHARED
    size = -(-n // (_LINE * count)) * _LINE
    return [(low, min(low + size, n)) for low in range(0, n, max(size, 1))]


def chunks(n: int, p: int, size: int) -> list[list[tuple[int, int]]]:
    """Return the blocks (low, high) of n rows, grouped into chunks that one thread sums each.

    Parameters
    ----------
    n, p : int
        Rows and columns.
    size : int
        Numbers to which a chunk is summed; there are fewer chunks if these take much memory.
    """
    blocks = cuts(n, p)
    count = max(1, min(len(blocks), _CHUNKS, _CHUNK_BYTES // max(16 * size, 1)))
    return [[blocks[i] for i in part] for part in np.array_split(np.arange(len(blocks)), count)]


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that `n_jobs` asks for.

    None asks for all cores that this process may use, but for at most OMP_NUM_THREADS, which
    joblib's workers set. -1 asks for all of these cores.
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


def one_blas_thread(needed: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which BLAS takes one thread, if that is needed.

    Threads of BLAS inside threads of ours fight for the cores: 63 s against 1.9 s were seen. When
    other processes use the cores, threads of BLAS wait for each other even outside of ours: 138 ms
    were seen for the Cholesky factor of 140 coefficients, which takes 0.3. Numpy and scipy each
    have a BLAS of their own, whose threads wait for work by spinning; where products alternate with
    factorisations the two fight for the cores, too: 86 s against 18 s were seen.
    """
    return _ONE_THREAD if needed else nullcontext()


@lru_cache(maxsize=1)
def _blas() -> list[Any]:
    """Return the controllers of the libraries of BLAS that are loaded."""
    from threadpoolctl import ThreadpoolController

    # Made once: it takes 4 ms to look through the loaded libraries.
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


class _OneThread:
    """BLAS at one thread for as long as any fit of this process wants it.

    The number of threads belongs to the whole process. If each fit saved and restored it by
    itself, the second of two fits at once would save one thread, and if it ended last, restore it
    for good. So the users are counted: the first saves the numbers, the last restores them.
    """

    def __init__(self) -> None:
        self._before: list[int] = []
        """Threads of each library before; empty while there is nothing to restore."""
        self._forget_users()
        # A fork copies locks and the count, but not the threads that would release them. BLAS has
        # a lock of its own while its threads are set, so a fork waits until none are.
        if os.name == "posix":
            os.register_at_fork(
                before=lambda: self._lock.acquire(),
                after_in_parent=lambda: self._lock.release(),
                after_in_child=self._forget_users,
            )

    def _forget_users(self) -> None:
        self._lock, self._users = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            # In the child of a fork, what the parent has saved is still to be restored.
            if self._users == 1 and not self._before:
                threads = [library.num_threads for library in _blas()]
                if any(count > 1 for count in threads):
                    self._before = threads
                    _set_threads([1] * len(threads))

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._before:
                _set_threads(self._before)
                self._before = []


def _set_threads(counts: list[int]) -> None:
    for library, count in zip(_blas(), counts, strict=True):
        # From threadpoolctl 3.8 on only the thread that has set a number of OpenBLAS may change it
        # again, until it is cleared; but the first and the last user may be different threads.
        clear = getattr(library, "clear_controlling_thread", lambda force: None)
        clear(force=True)
        library.set_num_threads(count)
        clear(force=True)


_ONE_THREAD = _OneThread()


def is_long(n: int, p: int) -> bool:
    """Return whether n rows of p columns are more than one block."""
    return p > 0 and n > block_size(p)


def blas_threads_harm(n: int, p: int) -> bool:
    """Return whether BLAS should take one thread in a fit of n rows of p columns.

    It should where rows are summed on threads of ours, and where products are so short that threads
    of BLAS would take longer to meet than to multiply.
    """
    return is_long(n, p) or n * p <= _SHORT


def in_order(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return ``work(item)`` for each item, in the order of the items for any number of threads."""
    threads = min(threads, len(items))
    if threads <= 1:
        return [work(item) for item in items]
    todo, results = deque(enumerate(items)), {}

    def take() -> None:
        while todo:
            try:
                i, item = todo.popleft()
            except IndexError:  # another thread has taken the last item
                return
            results[i] = work(item)

    # The calling thread works, too, because it takes time until another one has woken it again.
    pool = _helpers()
    helpers = [pool.submit(take) for _ in range(threads - 1)]
    try:
        take()
    finally:
        todo.clear()  # after an error or an interrupt, the helpers must end
        # A helper that has not begun, because other fits use all threads, is not waited for.
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()
    return [results[i] for i in range(len(items))]


@lru_cache(maxsize=1)
def _helpers() -> ThreadPoolExecutor:
    """Return the threads of all fits, which wait between them for work, without using a core.

    To start a thread for each pass over the rows took a millisecond, a tenth of a pass over 10^5
    rows of 10 columns.
    """
    return ThreadPoolExecutor(os.cpu_count() or 1)


if os.name == "posix":
    os.register_at_fork(after_in_child=_helpers.cache_clear)  # a fork copies no threads


@lru_cache(maxsize=1)
def keep_heap() -> None:
    """Let the allocator keep the memory that it frees. Call it before work on long arrays.

    glibc gives the top of the heap back to the system after each block, so that each block faults
    the pages of its temporary arrays in again: 66 ms instead of 8 for a density of Student t. To
    free one allocation of just below 32 MiB raises glibc's thresholds for good. The allocation is
    never touched, so that it costs no memory.
    """
    np.empty(2**22 - 4096)


def total(
    block: Callable[[int, int], Evaluation], n: int, p: int, size: int, threads: int = 1
) -> Evaluation:
    """Return the sum of ``block(low, high)`` over all blocks of n rows.

    Parameters
    ----------
    block : callable
        (low, high) -> Evaluation of these rows. It is called from several threads.
    n, p, size : int
        Rows, columns, and how many numbers a block is summed to. They decide the cut.
    threads : int
        How many threads may be used. The result does not depend on it.
    """
    if n <= block_size(p):
        return block(0, n)
    keep_heap()
    parts = chunks(n, p, size)

    def chunk(part: list[tuple[int, int]]) -> Evaluation:
        # Every thread starts with numpy's default, which warns. Values that are not finite need no
        # warning: the solver rejects a step that leads to them.
        with np.errstate(all="ignore"):
            result = block(*part[0])
            for bounds in part[1:]:
                result += block(*bounds)
        return result

    # Short calls make threads fight for the interpreter; without columns all calls are short.
    threads = threads if p > 0 and n * max(p, size) >= _SHORT else 1
    with one_blas_thread(is_long(n, p)):
        results = in_order(chunk, parts, threads)
    result = results[0]
    for other in results[1:]:
        result += other
    return result


def strata(n: int, m: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return m increasing row numbers out of n: a random one from each of m equal stretches.

    So the sample represents all rows even if they are sorted or periodic.
    """
    rng = np.random.default_rng(seed)
    return np.minimum(((np.arange(m) + rng.random(m)) * (n / m)).astype(np.intp), n - 1)
