"""Rows in blocks and their sum: order, threads to the last bit, memory, strata."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skmle import CrossEntropyClassifier
from skmle._engine.data.sums import block_size, chunks, cuts, strata, thread_count, total
from skmle._engine.evaluation import Evaluation
from tests.engine.objectives import LONG, WIDE, long_objectives

pytestmark = pytest.mark.filterwarnings("error")


# ---------------------------------------------------------------- blocks and their sum


@pytest.mark.parametrize(
    ("n", "p", "size"),
    [
        (1, 0, 1),
        (4096, 5, 6),
        (100_000, 1, 2),
        (123_457, 40, 41),
        (3_000_000, 500, 501**2),
        (50_000, 10, 20_000**2),
    ],
)
def test_blocks_cover_the_rows_in_order(n, p, size):
    parts = chunks(n, p, size)
    bounds = [b for part in parts for b in part]
    assert bounds[0][0] == 0 and bounds[-1][1] == n
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))
    assert all(0 < high - low <= block_size(p) for low, high in bounds)
    assert 1 <= len(parts) <= 16 and all(parts)


@pytest.mark.parametrize("n", [70_000, 100_000, 170_000, 1_000_000])
@pytest.mark.parametrize("p", [3, 10, 100])
def test_threads_get_equal_shares(n, p):
    sizes = [high - low for low, high in cuts(n, p)]
    assert len(sizes) % 4 == 0
    assert max(sizes) - min(sizes) <= 8 * len(sizes)


@pytest.mark.parametrize("p", [0, 1, 20, 100, 10_000])
def test_blocks_fit_the_cache(p):
    rows = block_size(p)
    assert rows % 1024 == 0 and 4096 <= rows <= 32768
    assert rows == 4096 or rows * p * 8 <= 4 << 20


@pytest.mark.parametrize(("n", "p"), [(10, 3), (70_000, 3), (70_000, 40)])
def test_total_is_the_sum_over_all_rows(n, p):
    values = np.random.default_rng(0).normal(size=n)

    def block(low: int, high: int) -> Evaluation:
        part = values[low:high]
        return Evaluation(part.sum(), np.array([part.sum(), len(part)]), np.array([[part @ part]]))

    for threads in (1, 2, 3):
        result = total(block, n, p, 2, threads)
        np.testing.assert_allclose(result.value, values.sum(), rtol=1e-12)
        np.testing.assert_allclose(result.gradient, [values.sum(), n], rtol=1e-12)
        np.testing.assert_allclose(result.hessian, [[values @ values]], rtol=1e-12)


def test_errors_in_a_block_are_raised():
    def block(low: int, high: int) -> Evaluation:
        raise RuntimeError("in a block")

    for threads in (1, 3):
        with pytest.raises(RuntimeError, match="in a block"):
            total(block, 200_000, 40, 1, threads)


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_sums_are_bit_equal_for_any_number_of_threads(sparse):
    n = 2 * LONG if sparse else LONG  # sparse blocks are longer
    for name, objective in long_objectives(sparse, n).items():
        assert (
            len(
                [
                    b
                    for part in chunks(n, objective.design.width, objective.design.d**2)
                    for b in part
                ]
            )
            >= 4
        )
        coef = np.random.default_rng(1).normal(size=objective.design.d) * 0.05
        results = []
        for objective.threads in (1, 2, 2, 3):
            results.append(objective(coef))
        for other in results[1:]:
            assert other.value == results[0].value, name
            np.testing.assert_array_equal(other.gradient, results[0].gradient, err_msg=name)
            np.testing.assert_array_equal(other.hessian, results[0].hessian, err_msg=name)


def test_fits_are_bit_equal_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(LONG, WIDE))
    y = (rng.random(LONG) < 1.0 / (1.0 + np.exp(-0.3 * X[:, 0]))).astype(int)
    fits = [CrossEntropyClassifier(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3, -1)]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.coef_, fits[0].coef_)
        np.testing.assert_array_equal(fit.inference().covariance, fits[0].inference().covariance)
        assert fit.log_likelihood_ == fits[0].log_likelihood_


def test_thread_count(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = thread_count(None)
    assert (
        cores >= 1
        and thread_count(-1) == cores
        and thread_count(3) == 3
        and thread_count(-1000) == 1
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count(None) == 1
    with pytest.raises(ValueError, match="n_jobs=0"):
        thread_count(0)


PAGE_FAULTS = """
import resource
import numpy as np
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.families import Beta, StudentT

rng = np.random.default_rng(0)
n, y = 60_000, rng.random(60_000)
for p in (0, 3, 20):
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    for family in (StudentT(), Beta()):
        terms = tuple(Term(slice(None), p) if p else Term(None, 0) for _ in family.parameters)
        objective = Objective(family.rows, family.statistics(y), Design(terms, n, X if p else None))
        coef = np.full(objective.design.d, 0.01)
        for order in (1, 2):
            for _ in range(2):
                objective(coef, order)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(2):
                objective(coef, order)
            print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 2)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="counts what glibc's allocator does"
)
def test_page_faults():
    """Temporaries of a pass stay in the heap.

    Given back after each block they fault in again, 400 to 6,000 pages a pass.
    """
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "NUMPY_MADVISE_HUGEPAGE": "0",
    }
    run = subprocess.run(
        [sys.executable, "-c", PAGE_FAULTS],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    faults = [float(line) for line in run.stdout.split()]
    assert len(faults) == 12 and max(faults) <= 50


# ---------------------------------------------------------------- strata


@pytest.mark.parametrize(("n", "m"), [(10, 10), (1000, 7), (12_345, 4096), (10**6, 999_999)])
def test_strata(n, m):
    index = strata(n, m)
    assert len(index) == m and index[0] >= 0 and index[-1] < n
    assert (np.diff(index) >= 0).all()
    assert (np.abs(index - np.arange(m) * (n / m)) <= n / m + 1).all()  # one of each stretch
    np.testing.assert_array_equal(index, strata(n, m))
    assert (strata(n, m, seed=1) != index).any() or n == m
