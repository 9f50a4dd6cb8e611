"""Long, wide and many-class data.

Whichever solver a fit takes, the answer is that of Newton's method on all rows.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import skmle._engine.fit as fit_module
import skmle._engine.prepare.likelihood as likelihood_module
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._engine import solvers
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.row_space import reduce_columns
from skmle._engine.solvers import first_sample
from skmle.exceptions import SeparationWarning
from skmle.families import Gamma, Poisson
from tests.subjects import every_class, is_smooth, respond

pytestmark = pytest.mark.numerics

N = 40_000


def rows(cls, seed=0):
    """Return (X, y) of the family, sorted by y, with columns in mixed units."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    y = respond(cls, X @ [0.3, -0.2, 0.0], rng)
    order = np.argsort(y, kind="stable")
    return X[order] * [1.0, 1e4, 1e-4], y[order]


def plainly(monkeypatch):
    """Make every fit take Newton's method on all rows."""

    for name in ("growing", "sampled"):
        monkeypatch.setitem(solvers.SOLVERS, name, solvers.SOLVERS["newton"])
    monkeypatch.setattr(likelihood_module, "first_sample", lambda n, d: None)


@every_class(is_smooth)
def test_samples_do_not_move_the_answer(cls, monkeypatch):
    X, y = rows(cls)
    assert first_sample(N, 4 + 2) is not None
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N)
    sampled = MLERegressor(cls).fit(X, y, sample_weight=weight)
    plainly(monkeypatch)
    plain = MLERegressor(cls).fit(X, y, sample_weight=weight)
    assert sampled.status_ == plain.status_ == "interior" and sampled.distance_ <= 1e-6
    a, b = sampled.inference(), plain.inference()
    assert np.abs((a.estimates - b.estimates) / b.standard_errors).max() <= 1e-6
    np.testing.assert_allclose(a.standard_errors, b.standard_errors, rtol=1e-5)
    assert sampled.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.995])
@pytest.mark.parametrize("mean", [0.0, 9.0])
def test_rounded_hessians_keep_five_digits(correlation, mean, monkeypatch):
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(N, 1)), rng.normal(size=(N, 36))
    X = np.round(np.sqrt(correlation) * shared + np.sqrt(1.0 - correlation) * own + mean, 1)
    y = (X[:, :4].sum(axis=1) - 4.0 * mean + rng.logistic(size=N) > 0).astype(int)
    sampled = CrossEntropyClassifier().fit(X, y)
    plainly(monkeypatch)
    plain = CrossEntropyClassifier().fit(X, y)
    a, b = sampled.inference(), plain.inference()
    assert not np.array_equal(a.standard_errors, b.standard_errors)  # another solver indeed
    assert np.abs((a.estimates - b.estimates) / b.standard_errors).max() <= 1e-6
    np.testing.assert_allclose(a.standard_errors, b.standard_errors, rtol=1e-5)


FAR_OUT = {
    "t with 3 degrees of freedom": lambda z: z[0] / np.sqrt(sum(z[1:4] ** 2) / 3.0),
    "lognormal": lambda z: np.exp(1.5 * z[0]),
    "squares": lambda z: z[0] ** 2,
}


@pytest.mark.parametrize("columns", FAR_OUT)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("seed", range(4))
def test_errors_keep_five_digits_where_few_rows_lie_far_out(columns, weighted, seed, monkeypatch):
    """A sample of the rows has few of these, and cannot tell how the Hessian changes."""
    rng = np.random.default_rng(seed)
    X = FAR_OUT[columns](rng.normal(size=(4, N, 10)))
    eta = (X - X.mean(axis=0)) @ (rng.normal(size=10) / np.sqrt(10.0) / X.std(axis=0))
    y = (eta - 1.0 + rng.logistic(size=N) > 0.0).astype(int)
    weight = rng.gamma(0.5, 2.0, N) if weighted else None
    sampled = CrossEntropyClassifier().fit(X, y, sample_weight=weight).inference()
    plainly(monkeypatch)
    plain = CrossEntropyClassifier().fit(X, y, sample_weight=weight).inference()
    np.testing.assert_allclose(sampled.standard_errors, plain.standard_errors, rtol=1e-5)


@pytest.mark.parametrize("family", ["student_t", "weibull", "logistic"])
def test_samples_do_not_move_a_density(family, monkeypatch):
    x = np.sort(np.abs(np.random.default_rng(0).standard_t(4.0, size=N)) + 0.1)[:, None]
    sampled = MLEDistribution(family).fit(x)
    plainly(monkeypatch)
    plain = MLEDistribution(family).fit(x)
    gap = np.array(list(sampled.params_.values())) - np.array(list(plain.params_.values()))
    assert np.abs(gap / plain.inference().standard_errors).max() <= 1e-6


def test_no_information_no_closing_step():
    X, y = rows(Poisson, seed=1)  # of seed 0 both happen to take eight iterations
    full, lean = (
        MLERegressor("poisson", store_information=store).fit(X, y) for store in (True, False)
    )
    assert np.abs((full.coef_ - lean.coef_) / full.inference().standard_errors[:3]).max() <= 1e-6
    assert lean.distance_ <= 1e-6 and lean.n_iter_ != full.n_iter_


COLUMNS = {
    "independent": lambda X: X,
    "correlated": lambda X: X.cumsum(axis=1),
    "heavy tails": lambda X: X**3,
}


@pytest.mark.parametrize(
    ("columns", "classes", "scale"),
    [
        *((name, 2, 1.0) for name in COLUMNS),
        ("independent", 3, 1.0),
        ("independent", 8, 1.0),
        ("independent", 8, 0.2),
    ],
)
def test_samples_spare_the_hessian(columns, classes, scale, monkeypatch):
    """Where no covariance is asked for, the last sample's curvature is good enough to arrive by
    gradients alone.
    """
    orders, call = [], Objective.__call__

    def noted(self, coef, order=2):
        orders.extend([order] if self.n == N else [])
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", noted)
    rng = np.random.default_rng(0)
    X = COLUMNS[columns](rng.normal(size=(N, 20)))
    eta = X @ rng.normal(size=(20, classes))
    y = (scale * eta / eta.std() + rng.gumbel(size=eta.shape)).argmax(axis=1)
    assert CrossEntropyClassifier(store_information=False).fit(X, y).distance_ <= 1e-6
    assert set(orders) == {1} and len(orders) <= 16


def test_rare_columns_are_safe_in_samples():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(N, 2)), np.zeros(N)])
    X[rng.choice(N, 30, replace=False), 2] = 1.0  # about three in the first sample
    y = (X @ [0.5, -0.5, 1.0] + rng.logistic(size=N) > 0).astype(int)
    model = CrossEntropyClassifier().fit(X, y)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    assert np.abs(model.coef_ - MLERegressor("bernoulli").fit(X, y).coef_).max() <= 1e-9


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_many_classes_without_a_hessian(alpha, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 8))
    y = (X @ rng.normal(size=(8, 12)) / 3 + rng.gumbel(size=(3000, 12))).argmax(axis=1)
    plain = CrossEntropyClassifier(alpha=alpha).fit(X, y)
    monkeypatch.setattr(solvers, "_MATRIX", 10)
    # Under a penalty the likelihood has a slope at the fit: 1e-6 standard errors would show in its
    # eleventh digit.
    free = CrossEntropyClassifier(alpha=alpha, tol=1e-8 if alpha else 1e-6).fit(X, y)
    assert free.converged_ and free.distance_ <= 1e-6
    np.testing.assert_allclose(free.predict_proba(X), plain.predict_proba(X), rtol=1e-7, atol=1e-9)
    assert free.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)


@pytest.mark.slow
def test_many_classes_and_columns_under_a_ridge(monkeypatch):
    """From some hundred coefficients of several classes on, products with the hessian take the
    place of the hessian.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 60))
    y = (X @ rng.normal(size=(60, 10)) / 5 + rng.gumbel(size=(1500, 10))).argmax(axis=1)
    free = CrossEntropyClassifier(alpha=1e-2).fit(X, y)
    monkeypatch.setattr(solvers, "_PRODUCTS", 10_000)
    plain = CrossEntropyClassifier(alpha=1e-2).fit(X, y)
    assert free.status_ == plain.status_ == "interior" and free.distance_ <= 1e-6
    assert not np.array_equal(free.coef_, plain.coef_)  # another solver indeed
    np.testing.assert_allclose(free.coef_, plain.coef_, rtol=0, atol=1e-6)
    assert free.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-9)


@pytest.mark.slow
def test_a_wide_sparse_table():
    rng = np.random.default_rng(0)
    X = sp.random(4000, 3000, 0.005, format="csr", random_state=0)
    y = (X @ rng.normal(size=3000) * 2 + rng.logistic(size=4000) > 0).astype(int)
    model = CrossEntropyClassifier(alpha=1e-3).fit(X, y)
    assert model.converged_ and model.distance_ <= 1e-6
    residual = model.predict_proba(X)[:, 1] - y
    np.testing.assert_allclose(X.T @ residual / 4000 + 1e-3 * model.coef_[0], 0.0, atol=1e-8)


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "normal"])
def test_more_columns_than_rows_under_a_ridge(family, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 150))
    counts = rng.poisson(np.exp(X[:, 0] / 2))
    y = {"bernoulli": X[:, 0] > 0, "poisson": counts, "normal": X[:, 0] + rng.normal(size=60)}[
        family
    ].astype(float)
    model = MLERegressor(
        family, alpha=1.0, fixed={"scale": 1.0} if family == "normal" else None
    ).fit(X, y)
    monkeypatch.setattr(fit_module, "reduce_columns", lambda problem: None)
    plain = MLERegressor(
        family, alpha=1.0, fixed={"scale": 1.0} if family == "normal" else None
    ).fit(X, y)
    assert (
        reduce_columns is not fit_module.reduce_columns
        and model.status_ == plain.status_ == "interior"
    )
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=0, atol=1e-9)
    assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", ["complete", "rare level", "none"])
def test_no_maximum_is_found_without_a_hessian(kind, classes, monkeypatch):
    """Products with the hessian show no flat direction.

    The coefficients, or the columns they do not determine, certify it.
    """
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(120, 6))
    y = rng.integers(0, classes, 120)
    if kind == "complete":
        y = np.digitize(X[:, 0], np.quantile(X[:, 0], np.arange(1, classes) / classes))
    if kind == "rare level":
        X[:, 3] = (np.arange(120) < 6) & (y == 1)
    monkeypatch.setattr(solvers, "_MATRIX", 5)
    if kind == "none":
        assert CrossEntropyClassifier().fit(X, y).status_ == "interior"
        return
    with pytest.warns(
        SeparationWarning, match="'x3' separates" if kind == "rare level" else "separate"
    ):
        assert CrossEntropyClassifier().fit(X, y).status_ == "no_maximum"


def test_few_rows_take_the_plain_path():
    X, y = rows(Gamma)
    assert first_sample(len(y[::40]), 5) is None
    assert MLERegressor("gamma").fit(X[::40], y[::40]).distance_ <= 1e-6
