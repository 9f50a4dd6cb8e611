"""Equal rows are merged where it pays, and nothing changes but the time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._engine.data.observed import observe
from skmle._engine.likelihood.design import Term
from skmle._engine.prepare import merging
from skmle._engine.prepare.merging import merge_rows
from skmle._engine.problem import Problem
from skmle.exceptions import NoMaximumWarning
from skmle.families import Bernoulli
from tests.engine.tables import one_hot_columns

pytestmark = pytest.mark.filterwarnings("error")


def few_distinct(n: int = 60_000) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.column_stack([one_hot_columns(rng, n, (4, 3, 2)), rng.integers(0, 3, n)])


REPEATED = {
    "dense": few_distinct,
    "Fortran order": lambda: np.asfortranarray(few_distinct()),
    "float32": lambda: few_distinct().astype(np.float32),
    "CSR": lambda: sp.csr_array(few_distinct()),
}


@pytest.mark.parametrize("kind", REPEATED)
@pytest.mark.parametrize("weighted", [False, True])
def test_equal_rows_are_merged(kind, weighted, monkeypatch):
    """Far fewer rows, the same answer, log-likelihood, weights and standard errors."""
    X = REPEATED[kind]()
    rng = np.random.default_rng(6)
    n = X.shape[0]
    outcomes = {
        "poisson": rng.poisson(2.0, n),
        "negative_binomial": rng.poisson(rng.gamma(2.0, 1.0, n)),
        "bernoulli": rng.integers(0, 2, n),
    }
    weight = rng.integers(1, 4, n) * 0.01 if weighted else None
    offset = rng.integers(0, 3, n) * 0.1
    seen = []
    monkeypatch.setattr(
        "skmle._engine.fit.merge_rows", lambda problem: seen.append(merge_rows(problem)) or seen[-1]
    )
    for family, y in outcomes.items():
        model = MLERegressor(family).fit(X, y.astype(float), sample_weight=weight, offset=offset)
        with monkeypatch.context() as patch:
            patch.setattr("skmle._engine.fit.merge_rows", lambda problem: problem)
            plain = MLERegressor(family).fit(
                X, y.astype(float), sample_weight=weight, offset=offset
            )
        assert (
            seen[-1].observed.n < n / 4 and seen[-1].n == n and seen[-1].observed.copies.min() >= 1
        )
        assert model.status_ == plain.status_ == "interior" and model.weight_sum_ == pytest.approx(
            plain.weight_sum_, rel=1e-12
        )
        assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-9)
        a, b = model.inference(), plain.inference()
        assert np.abs((a.estimates - b.estimates) / b.standard_errors).max() <= 2e-6
        np.testing.assert_allclose(a.standard_errors, b.standard_errors, rtol=2e-6)
        assert str(a.summary()).splitlines()[1] == str(b.summary()).splitlines()[1]


def test_merged_fits_are_bit_equal_on_threads():
    X, y = few_distinct(), np.random.default_rng(6).integers(0, 3, 60_000)
    fits = [CrossEntropyClassifier(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3)]
    for other in fits[1:]:
        np.testing.assert_array_equal(other.coef_, fits[0].coef_)
        assert other.log_likelihood_ == fits[0].log_likelihood_


@pytest.mark.parametrize("what", ["y", "X", "offset"])
def test_rows_that_differ_are_left_alone(what):
    X, rng = few_distinct(), np.random.default_rng(0)
    n = len(X)
    y, offset = rng.integers(0, 2, n).astype(float), None
    if what == "y":
        y = rng.normal(size=n)
    if what == "X":
        X = np.column_stack([X, rng.normal(size=n)])
    if what == "offset":
        offset = rng.normal(size=n)
    problem = Problem(
        Bernoulli(),
        observe(Bernoulli(), y, None),
        (Term(slice(None), X.shape[1]),),
        X,
        offset=offset,
    )
    assert merge_rows(problem) is problem


def test_few_rows_are_not_looked_through(monkeypatch):
    """Neither for equal rows, nor those of a density, whose rows are condensed."""

    def asked(problem):
        raise AssertionError

    monkeypatch.setattr("skmle._engine.fit.merge_rows", asked)
    X, y = few_distinct(), np.random.default_rng(6).integers(0, 3, 60_000).astype(float)
    few = merging.FEWEST_ROWS - 1
    assert MLERegressor("poisson").fit(X[:few], y[:few]).converged_
    assert MLEDistribution("poisson").fit(y[:, None]).converged_
    with pytest.raises(AssertionError):
        MLERegressor("poisson").fit(X, y)


def test_rows_of_equal_hash_are_compared(monkeypatch):
    X, y = few_distinct(), np.zeros(60_000)
    problem = Problem(
        Bernoulli(), observe(Bernoulli(), y, None), (Term(slice(None), X.shape[1]),), X
    )
    assert merge_rows(problem).observed.n == len(np.unique(X, axis=0))
    monkeypatch.setattr(merging, "_hashes", lambda parts: np.zeros(parts[0].shape[0], np.uint64))
    assert merge_rows(problem) is problem


def test_how_many_rows_are_distinct():
    rng = np.random.default_rng(0)
    for cells in (5, 500, 20_000):
        assert 0.5 * cells < merging._distinct(rng.integers(0, cells, 4096)) < 2.0 * cells


def test_a_vanishing_scale_counts_the_users_rows():
    """All y equal in one group of many equal rows: the scale there runs to zero, at all of them."""
    n = 40_000
    x = (np.arange(n) < n // 4).astype(float)[:, None]
    y = np.where(x[:, 0] == 1.0, 0.0, np.arange(n) % 7 - 3.0)
    with pytest.warns(NoMaximumWarning, match=f"at {n // 4} of {n} rows"):
        MLERegressor("normal", features={"loc": "all", "scale": "all"}).fit(x, y)
