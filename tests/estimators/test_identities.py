"""What maximum likelihood is equal to, and what it must not depend on: every estimator and every family of the registry."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import entr, expit, rel_entr
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning, ScoreWarning
from skmle.families import REGISTRY, Distribution, Family, Gamma, Poisson, all_families

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)

# ---------------------------------------------------------------- the subjects


def typical(cls: type[Family]) -> tuple[Family, tuple[np.ndarray, ...]]:
    """Return a family (with six trials, three labels or two dimensions where it counts any) and natural parameters of it."""
    family = cls(**{name: 6 for name, value in cls().get_params().items() if type(value) is int})
    family = family.adapt(
        np.array([1.0, 2.0, 4.0])
        if family.columns == 1
        else np.random.default_rng(0).normal(size=(9, family.columns or 2))
    )
    eta = [np.asarray(0.2 + 0.5 * j) for j in range(len(family.parameters))]
    return family, family.natural(tuple(eta))


def observations(cls: type[Family], n: int = 200) -> np.ndarray:
    """Draw from the typical law."""
    family, theta = typical(cls)
    return family.sample(theta, (n,) if family.columns is not None else n, np.random.default_rng(3))


def as_columns(y: np.ndarray) -> np.ndarray:
    return y[:, None] if y.ndim == 1 else y


def own_name(cls: type[Family]) -> str:
    return REGISTRY[cls.__name__][1][0]


ALL = list(all_families())
CONDITIONAL = [cls for cls in ALL if cls.regular and cls.columns is not None]
every_family = pytest.mark.parametrize("cls", ALL, ids=own_name)
every_conditional = pytest.mark.parametrize("cls", CONDITIONAL, ids=own_name)


def features(n: int, p: int = 3, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, p))


def conditional_data(cls: type[Family], n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return X and draws of laws whose first parameter depends on it."""
    family, _ = typical(cls)
    X = features(n)
    eta = [np.full(n, 0.2 + 0.5 * j) for j in range(len(family.parameters))]
    eta[0] = eta[0] + X @ [0.3, -0.2, 0.0]
    return X, family.sample(family.natural(tuple(eta)), (n,), np.random.default_rng(4))


def labels(n: int, classes: int, seed: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return X and noisy labels, far from separable."""
    rng = np.random.default_rng(seed)
    X = features(n, 4, seed)
    eta = X @ rng.normal(scale=0.7, size=(4, classes)) + rng.gumbel(size=(n, classes))
    return X, eta.argmax(axis=1)


def parameters(model: Any) -> np.ndarray:
    """Return all estimates of a fit as one vector."""
    if isinstance(model, CrossEntropyClassifier):
        return np.r_[model.coef_.ravel(), model.intercept_]
    parts = [
        *getattr(model, "coefs_", {}).values(),
        *getattr(model, "intercepts_", {}).values(),
        *model.params_.values(),
    ]
    return np.concatenate([np.ravel(part) for part in parts])


def assert_same_fit(a: Any, b: Any, rtol: float = 1e-9) -> None:
    """The same law by the same likelihood; parameters near zero are compared with the largest."""
    assert a.log_likelihood_ == pytest.approx(b.log_likelihood_, rel=rtol)
    theta = parameters(a)
    np.testing.assert_allclose(parameters(b), theta, rtol=rtol, atol=rtol * np.abs(theta).max())
    assert a.status_ == b.status_


# ---------------------------------------------------------------- the score is a cross-entropy


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_score_is_minus_log_loss(link, weighted):
    X, y = labels(300, 2)
    weight = np.random.default_rng(0).integers(0, 4, 300) if weighted else None
    model = CrossEntropyClassifier(link=link).fit(X, y, sample_weight=weight)
    assert model.score(X, y, weight) == pytest.approx(
        -log_loss(y, model.predict_proba(X), sample_weight=weight), rel=1e-12
    )


@pytest.mark.parametrize("classes", [3, 5, 8])
@pytest.mark.parametrize("weighted", [False, True])
def test_multinomial_score_is_minus_log_loss(classes, weighted):
    X, codes = labels(400, classes)
    y = np.array(list("abcdefgh"))[codes]
    weight = np.random.default_rng(0).random(400) if weighted else None
    model = CrossEntropyClassifier().fit(X, y, sample_weight=weight)
    assert model.score(X, y, weight) == pytest.approx(
        -log_loss(y, model.predict_proba(X), sample_weight=weight), rel=1e-12
    )


def test_score_is_minus_the_empirical_cross_entropy_of_a_classifier():
    from skmle.information import empirical_cross_entropy

    X, y = load_iris(return_X_y=True)
    model = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    assert model.score(X, y) == pytest.approx(-empirical_cross_entropy(model, X, y), rel=1e-12)
    assert model.score(X, y) == pytest.approx(-log_loss(y, model.predict_proba(X)), rel=1e-12)


@every_family
def test_score_is_minus_the_empirical_cross_entropy_of_a_density(cls):
    from skmle.information import empirical_cross_entropy

    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert model.score(X) == pytest.approx(-empirical_cross_entropy(model, X), rel=1e-12)


@every_conditional
def test_score_is_minus_the_empirical_cross_entropy_of_a_regressor(cls):
    from skmle.information import empirical_cross_entropy

    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    weight = np.random.default_rng(0).random(len(X))
    assert model.score(X, y) == pytest.approx(-empirical_cross_entropy(model, X, y), rel=1e-12)
    assert model.score(X, y, weight) == pytest.approx(
        -empirical_cross_entropy(model, X, y, sample_weight=weight), rel=1e-12
    )


@every_family
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_fit(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert model.score(X) * len(X) == pytest.approx(model.log_likelihood_, rel=1e-10)
    assert model.score_samples(X).sum() == pytest.approx(model.log_likelihood_, rel=1e-10)


@every_conditional
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_regression(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    assert model.score(X, y) * len(X) == pytest.approx(model.log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_classifier(classes):
    X, y = labels(300, classes)
    model = CrossEntropyClassifier(alpha=0.1).fit(X, y)
    assert model.score(X, y) * 300 == pytest.approx(model.log_likelihood_, rel=1e-12)


# ---------------------------------------------------------------- other programs' estimates


@pytest.mark.parametrize("classes", [2, 3, 5, 8])
@pytest.mark.parametrize("alpha", [0.0, 0.02])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learns_newton_cholesky(classes, alpha, fit_intercept, weighted):
    X, y = labels(600, classes)
    weight = (
        np.random.default_rng(1).integers(1, 5, 600).astype(float) if weighted else np.ones(600)
    )
    ours = CrossEntropyClassifier(alpha=alpha, fit_intercept=fit_intercept).fit(
        X, y, sample_weight=weight
    )
    C = 1.0 / (alpha * weight.sum()) if alpha else np.inf
    theirs = LogisticRegression(
        solver="newton-cholesky", C=C, tol=1e-10, max_iter=1000, fit_intercept=fit_intercept
    )
    theirs.fit(X, y, sample_weight=weight)
    # Without a penalty, adding the same to all classes changes nothing: scikit-learn leaves that open, ours sum to zero.
    centre = 0.0 if classes == 2 else 1.0
    coef = theirs.coef_ - centre * theirs.coef_.mean(axis=0)
    intercept = theirs.intercept_ - centre * theirs.intercept_.mean()
    errors = ours.inference().standard_errors.reshape(len(ours.coef_), -1)
    assert np.abs((ours.coef_ - coef) / errors[:, :4]).max() < 1e-6
    if fit_intercept:
        assert np.abs((ours.intercept_ - intercept) / errors[:, 4]).max() < 1e-6


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_equals_scikit_learns_newton_cholesky_on_real_data(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    ours = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    theirs = LogisticRegression(solver="newton-cholesky", C=1.0 / (0.01 * len(X)), tol=1e-10).fit(
        X, y
    )
    errors = ours.inference().standard_errors.reshape(len(ours.coef_), -1)
    assert np.abs((ours.coef_ - theirs.coef_) / errors[:, :-1]).max() < 1e-6


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_is_the_normal_maximum_likelihood_estimate(weighted, fit_intercept):
    X, y = load_diabetes(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y)) if weighted else np.ones(len(y))
    model = MLERegressor("normal", fit_intercept=fit_intercept).fit(X, y, sample_weight=weight)
    design = np.column_stack([X, np.ones(len(y))]) if fit_intercept else X
    root = np.sqrt(weight)
    coef = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    ours = np.r_[model.coef_, model.intercept_] if fit_intercept else model.coef_
    np.testing.assert_allclose(ours, coef, rtol=1e-9)
    residual = y - design @ coef
    assert model.params_["scale"] == pytest.approx(
        np.sqrt(np.average(residual**2, weights=weight)), rel=1e-9
    )


# ---------------------------------------------------------------- one objective


@every_conditional
def test_a_density_is_a_regression_without_features(cls):
    y = observations(cls)
    density = MLEDistribution(cls).fit(as_columns(y))
    constant = {name: "none" for name in typical(cls)[0].modelled}
    regression = MLERegressor(cls, features=constant).fit(features(len(y)), y)
    assert regression.log_likelihood_ == pytest.approx(density.log_likelihood_, rel=1e-12)
    assert regression.n_parameters_ == density.n_parameters_
    assert all(len(slopes) == 0 for slopes in regression.coefs_.values())
    for name, value in regression.predict_dist(features(2)).params.items():
        np.testing.assert_allclose(value[0], density.params_[name], rtol=1e-9)
    np.testing.assert_allclose(
        np.sqrt(regression._covariance[0, 0]), _eta_error(density), rtol=1e-6
    )


def _eta_error(density: MLEDistribution) -> float:
    return float(np.sqrt(density._covariances[0][0, 0]))


@every_family
def test_weights_are_repeated_rows_of_a_density(cls):
    X = as_columns(observations(cls))
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = MLEDistribution(cls).fit(X, sample_weight=weight)
    repeated = MLEDistribution(cls).fit(np.repeat(X, weight, axis=0))
    assert_same_fit(weighted, repeated)
    assert weighted.bic() == pytest.approx(repeated.bic(), rel=1e-9)


@every_conditional
def test_weights_are_repeated_rows_of_a_regression(cls):
    X, y = conditional_data(cls)
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = MLERegressor(cls).fit(X, y, sample_weight=weight)
    repeated = MLERegressor(cls).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    assert_same_fit(weighted, repeated)
    np.testing.assert_allclose(
        weighted.inference().standard_errors, repeated.inference().standard_errors, rtol=1e-8
    )


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_weights_are_repeated_rows_of_a_classifier(classes, alpha):
    X, y = labels(400, classes)
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = CrossEntropyClassifier(alpha=alpha).fit(X, y, sample_weight=weight)
    repeated = CrossEntropyClassifier(alpha=alpha).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    assert_same_fit(weighted, repeated)


@pytest.mark.parametrize(
    "cls", [cls for cls in ALL if cls.support.discrete and cls.columns == 1], ids=own_name
)
def test_minimal_divergence_from_the_empirical_distribution_is_maximum_likelihood(cls):
    """KL(empirical || model), minimised by another program over the parameters, is smallest at the fit."""
    y = observations(cls)
    model = MLEDistribution(cls).fit(y[:, None])
    values, counts = np.unique(y, return_counts=True)
    empirical = counts / counts.sum()
    family = model.distribution_.family

    def divergence(eta: np.ndarray) -> float:
        return float(rel_entr(empirical, np.exp(family.log_prob(values, tuple(eta)))).sum())

    fitted = np.array(family.eta(model.distribution_.theta))
    best = optimize.minimize(
        divergence,
        np.full(len(fitted), 0.1),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 4000},
    )
    np.testing.assert_allclose(fitted, best.x, atol=1e-6)
    assert divergence(fitted) <= best.fun + 1e-14
    # and D(p || q) = H(p, q) - H(p)
    assert divergence(fitted) == pytest.approx(
        -model.score(y[:, None]) - entr(empirical).sum(), abs=1e-12
    )


def test_information_measures_the_divergence_that_the_fit_minimised():
    from skmle.information import cross_entropy, entropy, kl_divergence

    y = np.array(list("aabbbc"))[:, None]
    model = MLEDistribution("categorical").fit(y)
    empirical = np.array([2, 3, 1]) / 6
    assert kl_divergence(empirical, model.params_["probabilities"]) == pytest.approx(0.0, abs=1e-12)
    assert -model.score(y) == pytest.approx(
        cross_entropy(empirical, model.params_["probabilities"]), rel=1e-12
    )
    assert -model.score(y) == pytest.approx(entropy(empirical), rel=1e-12)


@every_family
def test_the_fit_is_where_product_sum_and_mean_are_largest(cls):
    """Neither the logarithm nor 1/n moves the argmax: no nearby law has a larger product, sum or mean of logs."""
    X = as_columns(observations(cls, n=41))  # odd: the median of the Laplace law is a single point
    model = MLEDistribution(cls).fit(X)
    law = model.distribution_
    y = X[:, 0] if law.family.columns == 1 else X
    eta = law.family.eta(law.theta)
    here = law.family.log_prob(y, eta)
    assert np.prod(np.exp(here)) > 0.0
    for j in range(len(eta)):
        for step in (-0.05, 0.05):
            there = law.family.log_prob(y, (*eta[:j], eta[j] + step, *eta[j + 1 :]))
            assert np.prod(np.exp(there)) < np.prod(np.exp(here))
            assert there.sum() < here.sum()
            assert there.mean() < here.mean()


@every_family
def test_weighing_each_row_by_one_over_n_does_not_move_the_argmax(cls):
    X = as_columns(observations(cls))
    total = MLEDistribution(cls).fit(X)
    mean = MLEDistribution(cls).fit(X, sample_weight=np.full(len(X), 1.0 / len(X)))
    np.testing.assert_allclose(parameters(mean), parameters(total), rtol=1e-9)
    assert mean.log_likelihood_ * len(X) == pytest.approx(total.log_likelihood_, rel=1e-9)


def test_the_product_underflows_where_the_sum_of_logs_does_not():
    y = np.random.default_rng(0).normal(size=(2000, 1))
    model = MLEDistribution().fit(y)
    assert np.prod(model.predict(y[:100])) > 0.0
    assert np.prod(model.predict(y)) == 0.0
    assert model.score_samples(y).sum() == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert -3000.0 < model.log_likelihood_ < -2000.0


# Laws p and q with Var_p[log q(X)], by hand: equation (3) of docs/from_likelihood_to_cross_entropy.md.
LIMITS = {
    "gamma, exponential": (stats.gamma(2.0, scale=3.0), stats.expon(scale=6.0), 18.0 / 36.0),
    "normal, normal": (stats.norm(0.0, 1.0), stats.norm(1.0, 2.0), 6.0 / 64.0),
    "bernoulli, bernoulli": (stats.bernoulli(0.3), stats.bernoulli(0.6), 0.21 * np.log(1.5) ** 2),
    "poisson, geometric": (stats.poisson(4.0), stats.geom(0.2, loc=-1), 4.0 * np.log(0.8) ** 2),
}


@pytest.mark.parametrize(("p", "q", "variance"), LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("n", [100, 10_000])
def test_the_empirical_cross_entropy_tends_to_the_cross_entropy(p, q, variance, n):
    """Its error is that of a mean of n independent terms: of variance 1/n times that of one, so of rate 1/sqrt(n)."""
    from skmle.information import cross_entropy, empirical_cross_entropy

    samples = p.rvs(size=(200, n), random_state=0)
    z = np.array(
        [empirical_cross_entropy(q, sample) - cross_entropy(p, q) for sample in samples]
    ) / np.sqrt(variance / n)
    assert np.abs(z).max() < 5.0
    assert abs(z.mean()) < 5.0 / np.sqrt(len(z))
    assert abs((z**2).mean() - 1.0) < 5.0 * np.sqrt(2.0 / len(z))


# Equations (7)-(9): a world of three x and two y in which all is known, and laws of x that a model of y given x may be joined with.
P_X, P_Y1 = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.8])
P_XY = P_X[:, None] * np.column_stack([1.0 - P_Y1, P_Y1])
FIXED_LAWS = {"true": P_X, "uniform": np.full(3, 1.0 / 3.0), "another": np.array([0.01, 0.19, 0.8])}


def joint_law(theta: np.ndarray, law_of_x: np.ndarray) -> np.ndarray:
    """Return q(x, y) = q(x) q(y|x), (3, 2), of logistic regression with slope and intercept theta."""
    one = expit(theta[0] * np.arange(3) + theta[1])
    return law_of_x[:, None] * np.column_stack([1.0 - one, one])


@pytest.mark.parametrize("law_of_x", FIXED_LAWS.values(), ids=FIXED_LAWS)
def test_a_fixed_law_of_the_features_does_not_move_the_argmin(law_of_x):
    """With -log p(x) added, the conditional objective is the empirical cross-entropy of the joint law; its argmin stays."""
    from skmle.families import Categorical
    from skmle.information import cross_entropy, empirical_cross_entropy

    x, y = np.divmod(np.random.default_rng(3).choice(6, size=2000, p=P_XY.ravel()), 2)
    model = CrossEntropyClassifier().fit(x[:, None], y)

    def of_pairs(theta: np.ndarray) -> float:
        law = Distribution(Categorical(6), {"probabilities": joint_law(theta, law_of_x).ravel()})
        return empirical_cross_entropy(law, 2 * x + y)

    def conditional(theta: np.ndarray) -> float:
        eta = theta[0] * x + theta[1]
        return float(np.mean(np.logaddexp(0.0, eta) - y * eta))

    of_x = empirical_cross_entropy(Distribution(Categorical(3), {"probabilities": law_of_x}), x)
    fitted = np.array([model.coef_[0, 0], model.intercept_[0]])
    for theta in (fitted, np.zeros(2), np.array([1.0, -3.0])):
        assert of_pairs(theta) == pytest.approx(conditional(theta) + of_x, rel=1e-12)
    assert of_pairs(fitted) == pytest.approx(
        empirical_cross_entropy(model, x[:, None], y) + of_x, rel=1e-12
    )
    empirical = np.bincount(2 * x + y, minlength=6) / len(x)
    assert of_pairs(fitted) == pytest.approx(
        cross_entropy(empirical, joint_law(fitted, law_of_x).ravel()), rel=1e-12
    )
    best = optimize.minimize(
        of_pairs, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}
    )
    np.testing.assert_allclose(best.x, fitted, atol=1e-6)


def test_the_limit_of_a_conditional_fit_minimises_the_cross_entropy_of_the_joint_laws():
    from skmle.information import cross_entropy, entropy

    def of_laws(theta: np.ndarray) -> float:
        return cross_entropy(P_XY.ravel(), joint_law(theta, P_X).ravel())

    limit = optimize.minimize(
        of_laws, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}
    ).x
    x, y = np.divmod(np.arange(6), 2)
    exact = CrossEntropyClassifier().fit(
        x[:, None], y, sample_weight=P_XY.ravel()
    )  # infinitely many rows
    np.testing.assert_allclose([exact.coef_[0, 0], exact.intercept_[0]], limit, atol=1e-6)
    assert of_laws(limit) - entropy(P_X) == pytest.approx(
        -exact.score(x[:, None], y, P_XY.ravel()), rel=1e-9
    )
    for n in (1000, 100_000):
        x, y = np.divmod(np.random.default_rng(4).choice(6, size=n, p=P_XY.ravel()), 2)
        model = CrossEntropyClassifier().fit(x[:, None], y)
        error = np.array([model.coef_[0, 0], model.intercept_[0]]) - limit
        assert (np.abs(error) < 5.0 * model.inference().standard_errors).all()


# ---------------------------------------------------------------- what a fit does not depend on


@every_family
def test_a_density_does_not_depend_on_the_order_of_rows_nor_on_the_scale_of_weights(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert_same_fit(
        model, MLEDistribution(cls).fit(X[np.random.default_rng(0).permutation(len(X))])
    )
    for scale in (1e-6, 1e6):
        other = MLEDistribution(cls).fit(X, sample_weight=np.full(len(X), scale))
        np.testing.assert_allclose(parameters(other), parameters(model), rtol=1e-9)
        assert other.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)


def changes_of_units(cls: type[Family]) -> bool:
    support = cls.support
    return (
        cls.numeric
        and not support.discrete
        and support.low in (-np.inf, 0.0)
        and support.high == np.inf
    )


@pytest.mark.parametrize("cls", [cls for cls in ALL if changes_of_units(cls)], ids=own_name)
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_density_does_not_depend_on_the_unit_of_measurement(cls, unit):
    X = as_columns(observations(cls))
    model, other = MLEDistribution(cls).fit(X), MLEDistribution(cls).fit(X * unit)
    assert other.log_likelihood_ + X.size * np.log(unit) == pytest.approx(
        model.log_likelihood_, rel=1e-9
    )
    assert other.status_ == model.status_


@every_conditional
def test_a_regression_does_not_depend_on_rows_weights_or_units(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert_same_fit(model, MLERegressor(cls).fit(X[order], y[order]))
    columns = np.array([2, 0, 1])
    moved = MLERegressor(cls).fit(X[:, columns], y)
    assert moved.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    np.testing.assert_allclose(moved.coef_, model.coef_[columns], rtol=1e-8)
    for scale in (1e-6, 1e6):
        weighted = MLERegressor(cls).fit(X, y, sample_weight=np.full(len(X), scale))
        assert weighted.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)
        for j in range(3):
            units = np.where(np.arange(3) == j, scale, 1.0)
            other = MLERegressor(cls).fit(X * units, y)
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
            np.testing.assert_allclose(other.coef_ * units, model.coef_, rtol=1e-8)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_does_not_depend_on_rows_classes_weights_or_units(classes):
    X, y = labels(400, classes)
    model = CrossEntropyClassifier().fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert_same_fit(model, CrossEntropyClassifier().fit(X[order], y[order]))
    names = np.array(["d", "a", "c", "b"])[:classes]
    renamed = CrossEntropyClassifier().fit(X, names[y])
    assert renamed.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    probability = renamed.predict_proba(X)[:, np.searchsorted(renamed.classes_, names)]
    np.testing.assert_allclose(probability, model.predict_proba(X), rtol=1e-9)
    for scale in (1e-6, 1e6):
        weighted = CrossEntropyClassifier().fit(X, y, sample_weight=np.full(len(X), scale))
        assert weighted.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)
        for j in range(4):
            units = np.where(np.arange(4) == j, scale, 1.0)
            other = CrossEntropyClassifier().fit(X * units, y)
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)


def test_the_verdict_does_not_depend_on_units():
    X, y = features(200, 2), np.random.default_rng(0).normal(size=200)
    for unit in (1e-6, 1e6):
        known = MLEDistribution(fixed={"scale": unit}).fit(y[:, None] * unit)
        assert known.status_ == "interior"
        assert known.params_["loc"] == pytest.approx(y.mean() * unit, rel=1e-9)
        assert MLERegressor(fixed={"scale": unit}).fit(X, y * unit).status_ == "interior"
        assert MLERegressor(fit_intercept=False).fit(X, y * unit).status_ == "interior"
        assert MLERegressor(warm_start=True).fit(X, y * unit).fit(X, y * unit).status_ == "interior"
        assert MLEDistribution("multivariate_normal").fit(X * [unit, 1.0]).status_ == "interior"
    many = np.random.default_rng(0).poisson(1e9, size=(50, 1))
    assert MLEDistribution(Poisson(links={"mean": "identity"})).fit(many).status_ == "interior"


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    shift=st.floats(-1e6, 1e6), exponent=st.integers(-6, 6), column=st.integers(0, 2), seed=st.integers(0, 2**16),
    family=st.sampled_from(["normal", "poisson", "gamma", "bernoulli", "student_t"]),
)  # fmt: skip
def test_moving_and_stretching_a_column_does_not_change_the_likelihood(
    shift, exponent, column, seed, family
):
    cls = next(cls for cls in CONDITIONAL if own_name(cls) == family)
    X, y = conditional_data(cls)
    y = y[np.random.default_rng(seed).permutation(len(y))]
    model = MLERegressor(family).fit(X, y)
    X = X.copy()
    X[:, column] = X[:, column] * 10.0**exponent + shift * 10.0**exponent
    assert MLERegressor(family).fit(X, y).log_likelihood_ == pytest.approx(
        model.log_likelihood_, rel=1e-9
    )


LONG = 50_000, 40  # long and wide enough for the pool of threads to be used


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        MLERegressor("normal"),
        MLERegressor("poisson"),
        MLERegressor("normal", features={"scale": slice(0, 3)}),
    ],
    ids=repr,
)
def test_the_result_does_not_depend_on_the_number_of_threads_to_the_last_bit(model):
    X = features(*LONG)
    y = np.random.default_rng(0).poisson(np.exp(0.1 * X[:, 0]))
    y = np.minimum(y, 2) if isinstance(model, CrossEntropyClassifier) else y
    fits = [clone(model).set_params(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3)]
    for other in fits[1:]:
        assert other.log_likelihood_ == fits[0].log_likelihood_
        assert other.distance_ == fits[0].distance_
        if isinstance(model, CrossEntropyClassifier):
            np.testing.assert_array_equal(other.coef_, fits[0].coef_)
            np.testing.assert_array_equal(other.intercept_, fits[0].intercept_)
        else:
            np.testing.assert_array_equal(parameters(other), parameters(fits[0]))
        np.testing.assert_array_equal(other.inference().covariance, fits[0].inference().covariance)


def layouts(X: np.ndarray, folder: Any) -> dict[str, Any]:
    """Return the same numbers, stored in every way."""
    path = folder / "x.npy"
    np.save(path, X)
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "float32": X.astype(np.float32),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "csr": sp.csr_array(X),
        "csc": sp.csc_array(X),
        "csr matrix": sp.csr_matrix(X),
        "read-only memmap": np.load(path, mmap_mode="r"),
        "list": X.tolist(),
        "pandas": pd.DataFrame(X, columns=["a", "b", "c", "d"]),
        "polars": pl.DataFrame(X, schema=["a", "b", "c", "d"]),
    }


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        MLERegressor("poisson"),
        MLERegressor("normal", features={"scale": [1, 3]}),
    ],
    ids=repr,
)
def test_storage_does_not_change_the_likelihood(model, tmp_path):
    X, y = labels(500, 3)
    X = (
        np.where(np.abs(X) < 1.0, 0.0, X).astype(np.float32).astype(np.float64)
    )  # sparse, and exact in single precision
    reference = clone(model).fit(X, y)
    for name, stored in layouts(X, tmp_path).items():
        fit = clone(model).fit(stored, y)
        assert fit.log_likelihood_ == pytest.approx(reference.log_likelihood_, rel=1e-9), name
        assert fit.score(stored, y) == pytest.approx(reference.score(X, y), rel=1e-9), name


def test_storage_does_not_change_the_likelihood_of_a_density(tmp_path):
    X = np.random.default_rng(0).standard_t(3.0, (300, 4)).astype(np.float32).astype(np.float64)
    reference = MLEDistribution("student_t").fit(X)
    for name, stored in layouts(X, tmp_path).items():
        if not sp.issparse(stored):
            assert MLEDistribution("student_t").fit(stored).log_likelihood_ == pytest.approx(
                reference.log_likelihood_, rel=1e-9
            ), name
    column = pd.Series(X[:, 0], name="x")
    assert MLEDistribution().fit(column).feature_names_in_.tolist() == ["x"]
    assert (
        MLEDistribution().fit(pl.Series("x", X[:, 0])).params_
        == MLEDistribution().fit(X[:, :1]).params_
    )


# ---------------------------------------------------------------- one law, many questions


@every_conditional
def test_the_predicted_law_answers_as_the_estimator_does(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    law = model.predict_dist(X)
    np.testing.assert_allclose(model.log_prob(X, y), law.log_prob(y), rtol=1e-9)
    assert model.score(X, y) == pytest.approx(model.log_prob(X, y).mean(), rel=1e-12)
    np.testing.assert_array_equal(model.predict(X), law.mean())
    assert model.sample(X, random_state=0).shape[0] == len(X)
    np.testing.assert_array_equal(model.sample(X, random_state=0), model.sample(X, random_state=0))
    if cls.columns != 1:
        return
    low, high = model.predict_interval(X, coverage=0.8)
    np.testing.assert_allclose(
        model.predict_quantile(X, [0.1, 0.9]), np.column_stack([low, high]), rtol=1e-12
    )
    np.testing.assert_allclose(model.predict_quantile(X, 0.5), law.median())
    if not cls.support.discrete:
        np.testing.assert_allclose(law.cdf(low), 0.1, rtol=1e-9)
        np.testing.assert_allclose(law.sf(high), 0.1, rtol=1e-9)


@every_conditional
def test_samples_come_from_the_predicted_law(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(typical(cls)[0] if cls.numeric else cls).fit(X, y)
    X, size = X[:3], 20_000
    draws = model.sample(X, n_samples=size, random_state=0).astype(float)
    draws = draws[..., 0] if cls.columns == 2 else draws
    law = model.predict_dist(X)
    assert draws.shape == (size, 3)
    if np.isfinite(law.var()).all():
        assert (np.abs(draws.mean(axis=0) - law.mean()) < 5.0 * np.sqrt(law.var() / size)).all()
    else:
        inside = (draws <= law.median()).mean(axis=0)
        assert (np.abs(inside - 0.5) < 5.0 * 0.5 / np.sqrt(size)).all()


@every_family
def test_the_density_answers_as_its_law_does(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    y = X[:, 0] if model.distribution_.family.columns == 1 else X
    np.testing.assert_allclose(model.score_samples(X), model.distribution_.log_prob(y), rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), np.exp(model.score_samples(X)), rtol=1e-12)
    assert model.aic() == pytest.approx(2 * model.n_parameters_ - 2 * model.log_likelihood_)
    assert model.aic(X) == pytest.approx(model.aic(), rel=1e-9)
    assert model.bic(X) == pytest.approx(model.bic(), rel=1e-9)
    assert model.sample(5, random_state=0).shape == (5, X.shape[1])
    np.testing.assert_array_equal(model.sample(5, random_state=0), model.sample(5, random_state=0))


def test_columns_are_independent_unless_the_family_says_otherwise():
    X = features(200, 3)
    together = MLEDistribution("logistic").fit(X)
    apart = [MLEDistribution("logistic").fit(X[:, [j]]) for j in range(3)]
    assert together.log_likelihood_ == pytest.approx(
        sum(m.log_likelihood_ for m in apart), rel=1e-12
    )
    np.testing.assert_array_equal(together.params_["loc"], [m.params_["loc"] for m in apart])
    np.testing.assert_allclose(
        together.score_samples(X),
        sum(m.score_samples(X[:, [j]]) for j, m in enumerate(apart)),
        rtol=1e-12,
    )


# ---------------------------------------------------------------- offset and exposure


def counts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X, time = features(400, 2), rng.uniform(0.5, 20.0, 400)
    return X, time, rng.poisson(time * np.exp(0.3 + X @ [0.2, -0.4]))


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "gamma"])
def test_exposure_as_a_column_as_an_argument_and_by_hand(family):
    X, time, y = counts()
    y = y + 0.5 if family == "gamma" else y
    by_hand = MLERegressor(family).fit(X, y, offset=np.log(time))
    argument = MLERegressor(family).fit(X, y, exposure=time)
    beside = np.column_stack([X, time])
    column = MLERegressor(family, exposure=2).fit(beside, y)
    frame = pd.DataFrame(beside, columns=["a", "b", "time"])
    named = MLERegressor(family, exposure="time").fit(frame, y)
    logs = MLERegressor(family, offset=2).fit(np.column_stack([X, np.log(time)]), y)
    sparse = MLERegressor(family, exposure=2).fit(sp.csr_array(beside), y)
    expected = by_hand.predict(X, offset=np.log(time))
    for other in (argument, column, named, logs, sparse):
        assert_same_fit(by_hand, other)
        assert other.coef_.shape == (2,)
    np.testing.assert_allclose(argument.predict(X, exposure=time), expected, rtol=1e-9)
    np.testing.assert_allclose(column.predict(beside), expected, rtol=1e-9)
    np.testing.assert_allclose(named.predict(frame), expected, rtol=1e-9)
    np.testing.assert_allclose(argument.predict(X) * time, expected, rtol=1e-9)
    assert column.score(beside, y) == pytest.approx(argument.score(X, y, exposure=time), rel=1e-12)
    assert column.score(beside, y) * len(y) == pytest.approx(column.log_likelihood_, rel=1e-9)
    np.testing.assert_array_equal(column.predict_dist(beside).mean(), column.predict(beside))
    np.testing.assert_allclose(
        column.sample(beside, random_state=1),
        argument.sample(X, exposure=time, random_state=1),
        rtol=1e-9,
    )


def test_a_poisson_model_of_counts_with_exposure_is_one_of_rates_with_weights():
    X, time, y = counts()
    exposed = MLERegressor("poisson").fit(X, y, exposure=time)
    rates = MLERegressor("poisson").fit(X, y / time, sample_weight=time)
    np.testing.assert_allclose(rates.coef_, exposed.coef_, rtol=1e-9)
    assert rates.intercept_ == pytest.approx(exposed.intercept_, rel=1e-9)


def test_score_warns_if_fit_saw_an_exposure_and_it_does_not():
    X, time, y = counts()
    model = MLERegressor("poisson").fit(X, y, exposure=time)
    with pytest.warns(ScoreWarning, match="fit was given exposure=, score was not"):
        model.score(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score(X, y, exposure=time)


# ---------------------------------------------------------------- starts, columns, grids, pickles


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        CrossEntropyClassifier(alpha=0.1),
        MLERegressor("poisson"),
        MLERegressor("student_t"),
        MLERegressor("normal", alpha=0.1),
    ],
    ids=repr,
)
def test_a_warm_start_at_the_optimum_ends_there_at_once(model):
    X, y = labels(300, 3)
    y = (
        y + np.random.default_rng(0).standard_t(3.0, 300)
        if getattr(model, "family", "") == "student_t"
        else y
    )
    cold = clone(model).fit(X, y)
    assert cold.n_iter_ > 1
    warm = clone(model).set_params(warm_start=True).fit(X, y)
    first = warm.n_iter_
    warm.fit(X, y)
    assert first == cold.n_iter_ and warm.n_iter_ == 1
    assert_same_fit(cold, warm)
    # Other data of other width start afresh.
    warm.fit(X[:, :2], y)
    assert_same_fit(clone(model).fit(X[:, :2], y), warm)


SPECS = {
    "names": ["b", "d"],
    "indices": [1, 3],
    "negative indices": [1, -1],
    "slice": slice(1, 4, 2),
    "mask": [False, True, False, True],
    "array mask": np.array([False, True, False, True]),
    "selector": make_column_selector(pattern="b|d"),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_columns_of_a_parameter_may_be_named_in_many_ways(spec):
    X, y = labels(300, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    expected = MLERegressor("normal").fit(X[:, [1, 3]], y)
    model = MLERegressor("normal", features={"loc": spec}).fit(frame, y)
    assert_same_fit(expected, model)
    np.testing.assert_allclose(model.predict(frame), expected.predict(X[:, [1, 3]]), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict_dist(frame).std(), expected.predict_dist(X[:, [1, 3]]).std(), rtol=1e-12
    )


def test_columns_of_a_parameter_may_be_one_all_or_none():
    X, y = labels(300, 3)
    frame = pl.DataFrame(X, schema=["a", "b", "c", "d"])
    one = MLERegressor("normal", features={"loc": "c"}).fit(frame, y)
    assert_same_fit(one, MLERegressor("normal", features={"loc": 2}).fit(X, y))
    assert one.coefs_["loc"].shape == (1,)
    both = MLERegressor("normal", features={"loc": "all", "scale": "all"}).fit(frame, y)
    assert both.coefs_["scale"].shape == (4,)
    scale = MLERegressor("normal", features={"loc": "none", "scale": ["a"]}).fit(frame, y)
    assert scale.coefs_["loc"].shape == (0,) and scale.coef_.shape == (0,)
    assert scale.params_.keys() == {"loc"}
    assert both.log_likelihood_ > max(one.log_likelihood_, scale.log_likelihood_)


def test_families_are_compared_by_a_grid_in_one_line():
    y = np.random.default_rng(0).gamma(3.0, 2.0, size=(400, 1))
    search = GridSearchCV(
        MLEDistribution(), {"family": ["normal", "gamma", "exponential", "weibull", "lognormal"]}
    ).fit(y)
    assert search.best_params_ == {"family": "gamma"}
    assert search.best_score_ == pytest.approx(max(search.cv_results_["mean_test_score"]))
    assert search.score(y) == pytest.approx(MLEDistribution("gamma").fit(y).score(y))


def test_a_grid_over_families_and_ridge_runs_through_a_pipeline_with_weights():
    X, time, y = counts()
    pipe = make_pipeline(StandardScaler(), MLERegressor())
    grid = {
        "mleregressor__family": ["normal", "poisson", "negative_binomial"],
        "mleregressor__alpha": [0.0, 0.1],
    }
    search = GridSearchCV(pipe, grid, cv=3).fit(X, y + 0.0, mleregressor__sample_weight=time)
    assert search.best_params_["mleregressor__family"] == "negative_binomial"
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def fitted() -> dict[str, Any]:
    X, y = labels(20_000, 3)
    rng = np.random.default_rng(0)
    time = rng.uniform(1.0, 5.0, len(X))
    return {
        "density": MLEDistribution("logistic").fit(X),
        "multivariate": MLEDistribution("multivariate_normal").fit(X),
        "categorical": MLEDistribution("categorical").fit(np.array(["a", "b", "c"])[y][:, None]),
        "classifier": CrossEntropyClassifier().fit(X, np.array(["a", "b", "c"])[y]),
        "binary": CrossEntropyClassifier(link="probit").fit(X, y > 0),
        "regressor": MLERegressor("gamma", features={"shape": [0]}, exposure=3).fit(
            np.column_stack([X[:, :3], time]), rng.gamma(2.0, time)
        ),
    }


def test_a_pickled_model_is_small_and_answers_as_before():
    X, _ = labels(20_000, 3)
    for name, model in fitted().items():
        stored = pickle.dumps(model)
        assert len(stored) < 20_000, name
        loaded = pickle.loads(stored)
        inputs = np.array([["a"], ["c"]]) if name == "categorical" else np.abs(X[:50])
        np.testing.assert_array_equal(loaded.predict(inputs), model.predict(inputs))
        assert str(loaded.summary()) == str(model.summary())


def test_a_clone_has_the_parameters_and_nothing_fitted():
    for model in fitted().values():
        copy = clone(model)
        assert copy.get_params().keys() == model.get_params().keys()
        assert not [name for name in vars(copy) if name.endswith("_")]
        assert repr(copy) == repr(model)


def test_nested_parameters_of_a_family_are_in_the_grid():
    X, _, y = counts()
    search = GridSearchCV(
        MLERegressor(Gamma()), {"family__links": [None, {"mean": "softplus"}]}, cv=3
    ).fit(X, y + 1.0)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_a_law_by_parameters_equals_the_fitted_one():
    y = as_columns(observations(next(iter(ALL))))
    model = MLEDistribution(ALL[0]).fit(y)
    law = Distribution(ALL[0](), model.params_)
    np.testing.assert_array_equal(law.log_prob(y[:, 0]), model.score_samples(y))
