"""Penalties: their derivatives, the change of coordinates, and a stranger's own penalty."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.data.observed import observe
from skmle._engine.evaluation import Evaluation
from skmle._engine.fit import fit
from skmle._engine.likelihood import penalties as module
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Centred, OnSlopes, Penalty, Ridge
from skmle._engine.likelihood.slopes import Slopes
from skmle._engine.problem import Problem
from skmle.families import Bernoulli, Poisson

pytestmark = pytest.mark.filterwarnings("error")

M = 6


@dataclass(frozen=True)
class Cauchy:
    """A stranger's penalty, in one class: weight * sum of log(1 + (coef/scale)^2)."""

    scale: float | np.ndarray = 1.0
    weight: float = 0.02

    def value(self, coef):
        return self.weight * float(np.log1p((coef / self.scale) ** 2).sum())

    def curvature(self, coef):
        square = coef**2
        return 2 * self.weight * (self.scale**2 - square) / (self.scale**2 + square) ** 2

    def product(self, coef, vector):
        return self.curvature(coef) * vector

    def add(self, at, coef):
        at.value += self.value(coef)
        if at.gradient is not None:
            at.gradient += 2 * self.weight * coef / (self.scale**2 + coef**2)
        if at.hessian is not None:
            at.hessian += np.diag(self.curvature(coef))
        return at

    def restrict(self, index):
        return Cauchy(self.scale if np.ndim(self.scale) == 0 else self.scale[index], self.weight)


@dataclass(frozen=True)
class Partial:
    """A ridge on some of the slopes, given by a mask."""

    on: np.ndarray

    def value(self, coef):
        return 0.05 * float((coef[self.on] ** 2).sum())

    def curvature(self, coef):
        return 0.1 * self.on

    def product(self, coef, vector):
        return 0.1 * self.on * vector

    def add(self, at, coef):
        return Ridge(0.1 * self.on).add(at, coef)

    def restrict(self, index):
        return Partial(self.on[index])


RNG = np.random.default_rng(0)
SUBJECTS = {
    "ridge": Ridge(0.3),
    "ridge of each": Ridge(RNG.uniform(0.1, 1.0, M)),
    "ridge of classes": Ridge(0.3, 4),
    "cauchy": Cauchy(),
    "centred": Centred(Cauchy(), 3),
    "on slopes": OnSlopes(Cauchy(), Slopes(np.array([0, 1, 3, 4]), np.array([1.0, 2.0, 1.0, 5.0]))),
    "expanded": OnSlopes(
        Cauchy(), Slopes(np.array([1, 2, 4]), np.full(3, 2.0), RNG.normal(size=(5, 3)))
    ),
}


def every(table):
    return pytest.mark.parametrize("penalty", table.values(), ids=table)


def test_all_penalties_are_subjects():
    """Whatever in the module has a penalty's methods is tried here."""
    classes = {
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and item is not Penalty
    }
    smooth = {item for item in classes if hasattr(item, "product")}
    assert smooth <= {type(penalty) for penalty in SUBJECTS.values()}
    assert all(isinstance(penalty, Penalty) for penalty in SUBJECTS.values())


@every(SUBJECTS)
def test_derivatives(penalty):
    coef, vector = RNG.normal(size=(2, M))
    at = penalty.add(Evaluation(1.0, np.ones(M), np.ones((M, M))), coef)
    assert at.value - 1.0 == pytest.approx(penalty.value(coef), rel=1e-12)
    h = 1e-5
    steps = h * np.eye(M)
    slope = [(penalty.value(coef + e) - penalty.value(coef - e)) / (2 * h) for e in steps]
    np.testing.assert_allclose(at.gradient - 1.0, slope, rtol=1e-7, atol=1e-9)

    def gradient(c):
        return penalty.add(Evaluation(0.0, np.zeros(M)), c).gradient

    bend = [(gradient(coef + e) - gradient(coef - e)) / (2 * h) for e in steps]
    np.testing.assert_allclose(at.hessian - 1.0, bend, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        penalty.product(coef, vector), (at.hessian - 1.0) @ vector, rtol=1e-10, atol=1e-12
    )
    assert penalty.add(Evaluation(0.0), coef).gradient is None


@every(
    {name: SUBJECTS[name] for name in ("ridge", "ridge of each", "cauchy", "on slopes", "expanded")}
)
def test_a_part_is_the_whole_with_zeros(penalty):
    index = np.array([1, 3, 4])
    part, coef = penalty.restrict(index), RNG.normal(size=3)
    whole = np.zeros(M)
    whole[index] = coef
    assert part.value(coef) == pytest.approx(penalty.value(whole), rel=1e-12)
    np.testing.assert_allclose(part.curvature(coef), penalty.curvature(whole)[index], rtol=1e-12)
    np.testing.assert_allclose(
        part.product(coef, coef), penalty.product(whole, whole)[index], rtol=1e-12
    )


def test_a_centred_ridge_is_the_ridge_of_classes():
    coef, vector = RNG.normal(size=(2, M))
    ours, plain = Centred(Ridge(0.3), 4), Ridge(0.3, 4)
    assert ours.value(coef) == pytest.approx(plain.value(coef), rel=1e-12)
    np.testing.assert_allclose(ours.product(coef, vector), plain.product(coef, vector), rtol=1e-12)
    np.testing.assert_allclose(ours.curvature(coef), plain.curvature(coef))


# ---------------------------------------------------------------- a stranger's penalty in a fit


def optimum(value, start):
    """Return the minimiser by a general method, from many digits of the function alone."""
    found = minimize(value, start, method="BFGS", options={"gtol": 1e-10})
    return minimize(value, found.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 0}).x


def counts(X, seed=1):
    rng = np.random.default_rng(seed)
    return rng.poisson(np.exp(0.3 + X[:, 0] - 0.4 * X[:, 1])).astype(float)


def total(X, y, penalty):
    """Mean of -log q of a Poisson law, less the terms of y alone, plus the penalty."""

    def value(c):
        eta = X @ c[:-1] + c[-1]
        return np.mean(np.exp(eta) - y * eta) + penalty.value(c[:-1])

    return value


def test_a_prior_tells_equal_columns_apart():
    """No column is left out: of a column that is there twice, both slopes are penalised."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    X = np.column_stack([X, X[:, 0]])
    y, prior = counts(X), Cauchy(0.5, 1 / 60)
    problem = Problem(
        family=Poisson(),
        observed=observe(Poisson(), y, None),
        terms=(Term(slice(None), 4),),
        X=X,
        penalties=(prior,),
    )
    found = fit(problem)
    coef = np.r_[found.coefs[0][0], found.coefs[0][1]]
    assert found.estimable is None and found.verdict.status == "interior"
    np.testing.assert_allclose(coef, optimum(total(X, y, prior), np.zeros(5)), rtol=0, atol=1e-6)
    once = MLERegressor("poisson", penalty=prior).fit(X[:, :3], y).coef_[0]
    assert abs(coef[0] + coef[3] - once) > 1e-3
    model = MLERegressor("poisson", penalty=prior).fit(X, y)
    np.testing.assert_allclose(model.coef_, coef[:4], rtol=1e-12)


@pytest.mark.parametrize("held", [[0, 3], [0], [1, 2], [1]])
def test_what_no_penalty_holds_is_of_least_norm(held):
    """Of columns that are copies, only those that no penalty tells apart are shared out."""
    X = np.random.default_rng(0).normal(size=(80, 3))
    X = np.column_stack([X, X[:, 0], X[:, 2]])
    y = counts(X)
    penalty = Partial(np.isin(np.arange(5), held))
    model = MLERegressor("poisson", penalty=penalty).fit(X, y)
    coef = np.r_[model.coef_, model.intercept_]
    value = total(X, y, penalty)
    assert value(coef) <= value(optimum(value, coef)) + 1e-12
    copies = [(0, 3), (2, 4)]
    free = [pair for pair in copies if not set(pair) & set(held)]
    assert all(model.coef_[i] == pytest.approx(model.coef_[j], rel=1e-9) for i, j in free)
    assert set(model.aliased_) == {f"x{i}" for pair in free for i in pair}


@pytest.mark.parametrize("unit", [1.0, 1e4])
def test_a_penalty_is_in_the_users_units(unit):
    """The location of a normal law is fitted to a standardised y.

    The penalty is on the slopes as they are returned.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3)) + 5.0
    y = unit * (X @ [1.0, -0.5, 0.0] + rng.normal(size=100))
    prior = Cauchy(0.3 * unit)
    model = MLERegressor("normal", penalty=prior).fit(X, y)
    assert model.status_ == "interior"
    residual = y - X @ model.coef_ - model.intercept_
    scale = model.params_["scale"]
    pull = prior.add(Evaluation(0.0, np.zeros(3)), model.coef_).gradient
    np.testing.assert_allclose(X.T @ residual / scale**2 / 100, pull, rtol=1e-6, atol=1e-9 / unit)
    plain = MLERegressor("normal", alpha=0.1 / unit**2).fit(X, y)
    own = MLERegressor("normal", penalty=Ridge(0.1 / unit**2)).fit(X, y)
    np.testing.assert_array_equal(plain.coef_, own.coef_)
    assert "the penalty is a prior" in str(model.summary())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("columns", [3, 80])
def test_a_classifiers_penalty_is_on_its_coefficients(classes, columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, columns))
    y = np.digitize(X[:, 0] + rng.logistic(size=60), [0.0, 1.0][: classes - 1])
    prior = Cauchy(1.0, 0.1)
    model = CrossEntropyClassifier(penalty=prior).fit(X, y)
    assert model.status_ == "interior"
    residual = model.predict_proba(X) - np.eye(classes)[y]
    residual = residual if classes > 2 else residual[:, 1:]
    gradient = (residual.T @ X / 60).ravel()
    pull = prior.add(Evaluation(0.0, np.zeros(gradient.size)), model.coef_.ravel()).gradient
    if classes > 2:  # coefficients that sum to zero over classes: only differences are free
        pull = (pull.reshape(classes, -1) - pull.reshape(classes, -1).mean(axis=0)).ravel()
    np.testing.assert_allclose(gradient + pull, 0.0, atol=1e-8)


def test_a_penalty_beside_an_elastic_net():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 8))
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=200) > 0).astype(int)
    prior = Cauchy(1.0, 0.01)
    model = CrossEntropyClassifier(alpha=0.03, l1_ratio=0.5, penalty=prior).fit(X, y)
    coef = model.coef_[0]
    gradient = (model.predict_proba(X)[:, 1] - y) @ X / 200 + 0.015 * coef
    gradient += prior.add(Evaluation(0.0, np.zeros(8)), coef).gradient
    assert 0 < (coef == 0.0).sum() < 8
    np.testing.assert_allclose(gradient[coef != 0], -0.015 * np.sign(coef[coef != 0]), atol=1e-8)
    assert (np.abs(gradient[coef == 0]) <= 0.015 + 1e-8).all()


def test_without_a_hessian(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8))
    y = (X[:, 0] + rng.logistic(size=300) > 0).astype(float)
    plain = MLERegressor("bernoulli", penalty=Cauchy()).fit(X, y)
    monkeypatch.setattr("skmle._engine.solvers._MATRIX", 5)
    free = MLERegressor("bernoulli", penalty=Cauchy()).fit(X, y)
    assert free.converged_
    np.testing.assert_allclose(free.coef_, plain.coef_, rtol=1e-6)


def test_a_prior_ends_separation():
    X = np.linspace(-1.0, 1.0, 40)[:, None]
    y = (X[:, 0] > 0).astype(int)
    model = CrossEntropyClassifier(penalty=Cauchy(1.0, 1 / 40)).fit(X, y)
    assert model.status_ == "interior" and np.isfinite(model.coef_).all()
    assert model.inference().standard_errors.shape == (2,)


def test_a_penalty_is_an_argument_like_any_other():
    model = clone(MLERegressor("poisson", penalty=Cauchy()))
    assert model.get_params()["penalty"] == Cauchy()
    with pytest.raises(
        ValueError, match="penalty='l2' is not allowed; give None, 'jeffreys', or an"
    ):
        MLERegressor(penalty="l2").fit(np.eye(4), np.arange(4.0))


def test_penalised_is_asked_in_one_place():
    X = np.eye(4)
    problem = Problem(
        Bernoulli(), observe(Bernoulli(), np.ones(4), None), (Term(slice(None), 4),), X
    )
    assert not problem.penalised and not problem.all_held
    ridge = Problem(problem.family, problem.observed, problem.terms, X, penalties=(Ridge(1.0),))
    assert ridge.penalised and ridge.all_held and not ridge.selects
    lasso = Problem(problem.family, problem.observed, problem.terms, X, lasso=0.1)
    assert lasso.penalised and lasso.all_held and lasso.selects
    empty = Problem(problem.family, problem.observed, (Term(None, 0),), lasso=0.1)
    assert not empty.penalised and not empty.selects
