"""Jeffreys' penalty: subjects are laws and links, properties are those of a maximum under it.

The oracle is written out: the log-likelihood and half the log-determinant of the sum of w x x', or
of its blocks for classes, where w is what textbooks say.
"""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, log_expit, logsumexp, ndtr
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.families import Censored, Poisson

RNG = np.random.default_rng(0)
N = 40
X = RNG.normal(size=(N, 2))
WITH_ONE = np.column_stack([X, np.ones(N)])
APART = (X[:, 0] > 0.0).astype(int)
COUNTS = RNG.poisson(np.exp(0.3 + 0.5 * X[:, 0]))
THREE = np.where(X[:, 0] > 0.8, 2, RNG.integers(0, 3, N))


def half_log_det(columns, weight):
    return 0.5 * np.linalg.slogdet((columns * weight[:, None]).T @ columns)[1]


def of_counts(y, mean, slope):
    """Poisson; `mean` and `slope` of the linear predictor."""

    def value(b):
        eta = WITH_ONE @ b
        mu = mean(eta)
        return (y * np.log(mu) - mu).sum() + half_log_det(WITH_ONE, slope(eta) ** 2 / mu)

    return value


def of_trials(y, log_p, log_q, slope):
    """Bernoulli, by log-probabilities and the slope of the probability."""

    def value(b):
        eta = WITH_ONE @ b
        weight = slope(eta) ** 2 * np.exp(-log_p(eta) - log_q(eta))
        return np.where(y == 1, log_p(eta), log_q(eta)).sum() + half_log_det(WITH_ONE, weight)

    return value


def of_classes(y, k):
    def value(b):
        eta = np.column_stack([WITH_ONE @ b.reshape(k, -1).T, np.zeros(N)])
        logs = eta - logsumexp(eta, axis=1, keepdims=True)
        p = np.exp(logs[:, :k])
        metric = np.einsum("ia,ab->iab", p, np.eye(k)) - np.einsum("ia,ib->iab", p, p)
        total = np.einsum("iab,ir,is->arbs", metric, WITH_ONE, WITH_ONE, optimize=True)
        half = 0.5 * np.linalg.slogdet(total.reshape(2 * [k * WITH_ONE.shape[1]]))[1]
        return logs[np.arange(N), y].sum() + half

    return value


def of_law(y, log_prob, weight):
    """Any law of one parameter, by its log-probability and information at eta."""

    def value(b):
        eta = WITH_ONE @ b
        return log_prob(y, eta).sum() + half_log_det(WITH_ONE, weight(eta))

    return value


def log_negative_binomial(y, eta):
    mu = np.exp(eta)
    return y * eta - (y + 2.0) * np.log1p(mu / 2.0)


def normal_slope(eta):
    return np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)


def firth(**settings):
    return CrossEntropyClassifier(penalty="jeffreys", tol=1e-9, **settings)


def counts(family="poisson", **settings):
    return MLERegressor(family, penalty="jeffreys", tol=1e-9, **settings)


LOGIT = (log_expit, lambda e: log_expit(-e), lambda e: expit(e) * expit(-e))
PROBIT = (lambda e: np.log(ndtr(e)), lambda e: np.log(ndtr(-e)), normal_slope)
CLOGLOG = (
    lambda e: np.log(-np.expm1(-np.exp(e))),
    lambda e: -np.exp(e),
    lambda e: np.exp(e - np.exp(e)),
)
BY_IDENTITY = Poisson(links={"mean": "identity"})
FEW = (np.abs(WITH_ONE @ [1.0, 0.3, 3.0]) + COUNTS).round()

ONES = 0.0 * COUNTS + 1.0

# name: (model, y, the penalised log-likelihood)
LAWS = {
    "logit": (firth(), THREE > 0, of_trials(THREE > 0, *LOGIT)),
    "logit of outcomes apart": (firth(), APART, of_trials(APART, *LOGIT)),
    "probit": (firth(link="probit"), THREE > 0, of_trials(THREE > 0, *PROBIT)),
    "probit of outcomes apart": (firth(link="probit"), APART, of_trials(APART, *PROBIT)),
    "cloglog": (firth(link="cloglog"), THREE > 0, of_trials(THREE > 0, *CLOGLOG)),
    "classes": (firth(), THREE, of_classes(THREE, 2)),
    "poisson": (counts(), COUNTS, of_counts(COUNTS, np.exp, np.exp)),
    "poisson of zeros": (counts(), 0 * COUNTS, of_counts(0 * COUNTS, np.exp, np.exp)),
    "poisson by identity": (counts(BY_IDENTITY), FEW, of_counts(FEW, lambda e: e, np.ones_like)),
    "geometric": (
        counts("geometric"),
        COUNTS + 1.0,
        of_law(COUNTS, lambda y, e: log_expit(e) + y * log_expit(-e), lambda e: expit(-e)),
    ),
    "geometric of ones": (
        counts("geometric"),
        ONES,
        of_law(ONES, lambda y, e: log_expit(e), lambda e: expit(-e)),
    ),
    "exponential": (
        counts("exponential"),
        COUNTS + 1.0,
        of_law(COUNTS + 1.0, lambda y, e: -e - y * np.exp(-e), np.ones_like),
    ),
    "negative binomial of known dispersion": (
        counts("negative_binomial", fixed={"dispersion": 0.5}),
        COUNTS,
        of_law(COUNTS, log_negative_binomial, lambda e: 1.0 / (np.exp(-e) + 0.5)),
    ),
}


def coefficients(model):
    """Against the last class, one class after the other, intercepts last."""
    both = np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])
    return (both - both[-1])[:-1].ravel() if len(both) > 1 else both.ravel()


def derivative(function, at, step=2e-3):
    """By central differences of sixth order, the step being in each coordinate."""
    result = []
    for e in np.eye(len(at)):
        up = [function(at + m * step * e) - function(at - m * step * e) for m in (1, 2, 3)]
        result.append((45 * up[0] - 9 * up[1] + up[2]) / (60 * step))
    return np.array(result)


@pytest.mark.parametrize("name", LAWS)
def test_the_maximum_is_that_of_the_penalised_likelihood(name):
    """The oracle's own Newton step from there is rounding."""
    model, y, value = LAWS[name]
    fitted = clone(model).fit(X, y)
    assert fitted.status_ == "interior"
    b = coefficients(fitted)
    hessian = derivative(lambda c: derivative(value, c), b)
    step = np.linalg.solve(hessian, derivative(value, b))
    np.testing.assert_allclose(step, 0.0, atol=1e-8)
    assert np.linalg.eigvalsh(hessian).max() < 0.0


@pytest.mark.parametrize("name", [n for n in LAWS if n != "classes"])
def test_observed_errors_are_of_the_penalised_likelihood(name):
    model, y, value = LAWS[name]
    fitted = clone(model).fit(X, y)
    b = coefficients(fitted)
    covariance = np.linalg.inv(-derivative(lambda c: derivative(value, c), b))
    errors = fitted.inference().standard_errors
    np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-5)


# ---------------------------------------------------------------- R's logistf


def sex2():
    path = Path(__file__).parents[1] / "reference" / "sex2_firth.json"
    case = json.loads(path.read_text())
    columns = case["data"]["columns"]
    names = case["model"]["parameters"]["p"]["terms"][1:]
    return case, names, np.column_stack([columns[n] for n in names]), np.array(columns["case"])


@pytest.mark.parametrize(
    ("covariance", "key"),
    [
        ("observed", "bse_observed"),
        ("expected", "bse_fisher"),
        ("augmented", "bse_fisher_augmented"),
    ],
)
def test_estimates_and_errors_of_logistf(covariance, key):
    case, names, X, y = sex2()
    model = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
    polished = case["polished"]
    found = np.append(model.coef_, model.intercept_)
    known = [polished["params"][f"p:{n}"] for n in [*names, "const"]]
    np.testing.assert_allclose(found, known, atol=1e-9)
    np.testing.assert_allclose(model.log_likelihood_, polished["loglik"], rtol=1e-12)
    errors = model.inference(X, y, covariance=covariance).standard_errors
    known = [polished[key][f"p:{n}"] for n in [*names, "const"]]
    np.testing.assert_allclose(errors, known, rtol=1e-6)


def test_the_penalised_log_likelihood_of_logistf():
    """The model's own log-likelihood has no penalty; the information gives that."""
    case, _, X, y = sex2()
    model = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
    covariance = model.inference(X, y, covariance="expected").covariance
    penalised = model.log_likelihood_ - 0.5 * np.linalg.slogdet(covariance)[1]
    assert penalised == pytest.approx(case["polished"]["penalized_loglik"], rel=1e-11)
    assert model.score(X, y) * len(y) == pytest.approx(case["polished"]["loglik"], rel=1e-11)


# ---------------------------------------------------------------- as an estimator


def test_clone_pickle_and_grid():
    model = firth().fit(X, APART)
    assert clone(model).penalty == "jeffreys"
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.coef_, model.coef_)
    grid = GridSearchCV(CrossEntropyClassifier(), {"penalty": [None, "jeffreys"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without a penalty there is no maximum
        grid.fit(X, APART)
    assert grid.best_params_ == {"penalty": "jeffreys"}


@pytest.mark.parametrize("name", ["logit", "classes", "poisson"])
def test_a_weight_is_a_repeated_row(name):
    model, y, _ = LAWS[name]
    weight = np.arange(N) % 3
    one = clone(model).fit(X, y, weight)
    other = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(coefficients(one), coefficients(other), rtol=1e-9)
    for kind in ("observed", "expected"):
        errors = one.inference(X, y, weight, covariance=kind).standard_errors
        known = other.inference(
            np.repeat(X, weight, axis=0), np.repeat(y, weight), covariance=kind
        ).standard_errors
        np.testing.assert_allclose(errors, known, rtol=1e-8)


@pytest.mark.parametrize("name", ["logit of outcomes apart", "poisson"])
def test_units_of_columns_do_not_matter(name):
    model, y, _ = LAWS[name]
    moved = X * [1e5, 1e-4] + [3.0, 7.0]
    one, other = clone(model).fit(X, y), clone(model).fit(moved, y)
    np.testing.assert_allclose(other.coef_ * [1e5, 1e-4], one.coef_, rtol=1e-8)


def test_a_column_that_depends_on_others_is_left_out():
    model = firth().fit(np.column_stack([X, X.sum(axis=1)]), APART)
    assert model.status_ == "interior"
    assert list(model.aliased_) == ["x0", "x1", "x2"]
    probabilities = model.predict_proba(np.column_stack([X, X.sum(axis=1)]))
    np.testing.assert_allclose(probabilities, firth().fit(X, APART).predict_proba(X), rtol=1e-8)


def test_an_intercept_alone_gains_half_a_count():
    model = MLERegressor("poisson", features={"mean": "none"}, penalty="jeffreys", tol=1e-10)
    model.fit(X, COUNTS)
    mean = model.predict(X)[0]
    assert mean == pytest.approx((COUNTS.sum() + 0.5) / N, rel=1e-10)


@pytest.mark.parametrize("fixed", [{"shape": 2.0}])
def test_laws_whose_other_parameters_are_known(fixed):
    """The information on the mean of a gamma law with log link does not depend on the mean."""
    plain = MLERegressor("gamma", fixed=fixed, tol=1e-9).fit(X, COUNTS + 1.0)
    model = MLERegressor("gamma", fixed=fixed, penalty="jeffreys", tol=1e-9)
    np.testing.assert_allclose(model.fit(X, COUNTS + 1.0).coef_, plain.coef_, rtol=1e-9)


def test_one_class_with_weight_is_certain():
    model = firth().fit(X, APART, APART.astype(float))
    np.testing.assert_array_equal(model.predict_proba(X)[:, 1], 1.0)


REFUSED = {
    "a second penalty": (firth(alpha=0.1), APART, "two penalties"),
    "an absolute penalty": (firth(alpha=0.1, l1_ratio=1.0), APART, "two penalties"),
    "a scale": (MLERegressor(penalty="jeffreys"), COUNTS, "one free parameter"),
    "cusps": (
        MLERegressor("laplace", fixed={"scale": 1.0}, penalty="jeffreys"),
        COUNTS,
        "expected information",
    ),
    "censored rows": (
        MLERegressor(Censored("exponential"), penalty="jeffreys"),
        np.column_stack([COUNTS + 1.0, COUNTS + 2.0]),
        "expected information",
    ),
    "an unknown name": (CrossEntropyClassifier(penalty="firth"), APART, "'jeffreys'"),
    "many columns": (firth(), np.tile(APART, 10), "few coefficients"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_with_it_is_refused(name):
    model, y, words = REFUSED[name]
    columns = np.zeros((len(y), 301)) if len(y) > N else X
    with pytest.raises(ValueError, match=words):
        clone(model).fit(columns, y)


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), firth()], ids=["none", "classes"])
def test_augmented_errors_need_the_penalty_and_two_classes(model):
    model.fit(X, THREE)
    with pytest.raises(ValueError, match="Allowed: that penalty"):
        model.inference(X, THREE, covariance="augmented")
