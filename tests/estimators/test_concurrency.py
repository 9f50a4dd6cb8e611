"""Fits at the same time, on threads and in processes: the same results, and nothing left behind."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_info, threadpool_limits

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._engine.data.sums import one_blas_thread

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2000, 5))
LABELS = (X[:, 0] + RNG.logistic(size=2000) > 0).astype(int)
COUNTS = RNG.negative_binomial(2, 1.0 / (1.0 + 0.5 * np.exp(0.5 * X[:, 0]))).astype(float)
FITS = {
    "classifier": (CrossEntropyClassifier(), (X, LABELS)),
    "lasso": (CrossEntropyClassifier(alpha=0.01, l1_ratio=1.0), (X, LABELS)),
    "regressor": (MLERegressor("negative_binomial"), (X, COUNTS)),
    "density": (MLEDistribution("gamma"), (np.exp(X[:, :1]),)),
}


def fitted(model: BaseEstimator, data: tuple) -> float:
    return clone(model).fit(*data).log_likelihood_


def blas_threads() -> list[int]:
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


@pytest.mark.parametrize("kind", FITS)
def test_fits_in_threads_are_those_in_turn(kind):
    expected = fitted(*FITS[kind])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fitted(*FITS[kind]), range(20)))
    assert set(found) == {expected}


@pytest.mark.slow
def test_fits_in_threads_leave_blas_its_threads():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        assert max(before) == 2
        for _ in range(3):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda kind: fitted(*FITS[kind]), list(FITS) * 5))
            assert blas_threads() == before


def test_blas_has_one_thread_until_the_last_user_is_done():
    """Also where the first to come is the first to go, and another thread is the last."""
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
        seen = {}

        def first() -> None:
            with one_blas_thread():
                first_is_in.set()
                assert second_is_in.wait(10)
            seen["first is out"] = blas_threads()
            first_is_out.set()

        thread = threading.Thread(target=first)
        thread.start()
        assert first_is_in.wait(10)
        with one_blas_thread():
            second_is_in.set()
            assert first_is_out.wait(10)
            seen["second is in"] = blas_threads()
        thread.join()
        assert {n for threads in seen.values() for n in threads} == {1}
        assert blas_threads() == before


def test_an_error_inside_restores_the_threads():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        with pytest.raises(KeyError), one_blas_thread():
            assert set(blas_threads()) == {1}
            with one_blas_thread():
                raise KeyError
        assert blas_threads() == before


def test_who_has_one_thread_keeps_one():
    with threadpool_limits(1, "blas"):
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_fits_by_joblib(backend):
    kinds = [*FITS, *FITS]
    expected = [fitted(*FITS[kind]) for kind in kinds]
    found = Parallel(n_jobs=2, backend=backend)(delayed(fitted)(*FITS[kind]) for kind in kinds)
    assert found == expected


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_amid_fits_on_threads_fits_as_well():
    """The child has the parent's locks, but none of the threads that would release them."""
    expected = fitted(*FITS["classifier"])
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            fitted(*FITS["classifier"])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        for _ in range(4):
            child = context.Process(
                target=lambda: queue.put((fitted(*FITS["classifier"]), blas_threads()))
            )
            child.start()
            found, _ = queue.get(timeout=60)
            child.join(60)
            assert child.exitcode == 0 and found == expected
    finally:
        stop.set()
        for thread in threads:
            thread.join()
