"""A path of penalties is its fits, one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

import skmle
from skmle import CrossEntropyClassifier, MLERegressor, families
from skmle.exceptions import FitWarning, SettingWarning
from tests.engine.elastic import N, P, labels, response, table

PATHS = {
    "binary": (CrossEntropyClassifier(l1_ratio=1.0), 2),
    "probit": (CrossEntropyClassifier(link="probit", l1_ratio=0.5), 2),
    "multinomial": (CrossEntropyClassifier(l1_ratio=0.7), 3),
    "poisson": (MLERegressor("poisson", l1_ratio=0.9), None),
    "normal": (MLERegressor("normal", l1_ratio=0.5, features={"scale": "all"}), None),
    "student": (MLERegressor("student_t", l1_ratio=1.0), None),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_its_fits(name):
    estimator, k = PATHS[name]
    X = table()
    y = response(families.get_family(estimator.family).__class__, X) if k is None else labels(X, k)
    found = skmle.path(estimator, X, y, n_alphas=6, eps=0.02)
    assert found.alphas.shape == (6,) and found.alphas[-1] == pytest.approx(0.02 * found.alphas[0])
    assert found.statuses == ["interior"] * 6 and (found.distances <= 1e-6).all()
    assert not found.coefs[0].any() and found.coefs[-1].any()
    assert (np.diff(found.log_likelihoods) > -1e-9).all()
    for i in (0, 2, 5):
        alone = clone(estimator).set_params(alpha=found.alphas[i]).fit(X, y)
        again = found.estimator(i)
        assert (
            again.get_params() == alone.get_params() and again.n_parameters_ == alone.n_parameters_
        )
        np.testing.assert_allclose(found.coefs[i], alone.coef_, rtol=0, atol=2e-6)
        np.testing.assert_allclose(found.intercepts[i], alone.intercept_, rtol=0, atol=2e-6)
        assert found.log_likelihoods[i] == pytest.approx(alone.log_likelihood_, rel=1e-8)
        assert again.score(X, y) == pytest.approx(alone.score(X, y), rel=1e-8)


@pytest.mark.parametrize("name", PATHS)
def test_the_greatest_penalty(name):
    estimator, k = PATHS[name]
    X = table()
    y = response(families.get_family(estimator.family).__class__, X) if k is None else labels(X, k)
    greatest = skmle.path(estimator, X, y, n_alphas=1).alphas[0]
    for factor, slopes in ((1.001, False), (0.98, True)):
        model = clone(estimator).set_params(alpha=greatest * factor).fit(X, y)
        coefs = [model.coef_] if k else list(model.coefs_.values())
        assert any(c.any() for c in coefs) == slopes


def test_a_path_of_given_penalties():
    X = table()
    y = labels(X, 2)
    for ratio in (0.0, 0.5):
        found = skmle.path(
            CrossEntropyClassifier(l1_ratio=ratio),
            X,
            y,
            alphas=[0.01, 0.1],
            sample_weight=np.ones(N),
        )
        assert found.alphas.tolist() == [0.1, 0.01]
        alone = CrossEntropyClassifier(alpha=0.01, l1_ratio=ratio).fit(X, y)
        np.testing.assert_allclose(found.coefs[1], alone.coef_, atol=1e-7)


def test_a_path_takes_offsets_and_names():
    pd = pytest.importorskip("pandas")
    X = table()
    y = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, 0]))
    offset = np.random.default_rng(1).normal(size=N)
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(P)])
    found = skmle.path(
        MLERegressor("poisson", l1_ratio=1.0), frame, y, n_alphas=3, eps=0.1, offset=offset
    )
    alone = MLERegressor("poisson", l1_ratio=1.0, alpha=found.alphas[2]).fit(
        frame, y, offset=offset
    )
    np.testing.assert_allclose(found.coefs[2], alone.coef_, atol=1e-7)
    assert list(found.estimator(2).feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"n_alphas": 0}, "n_alphas=0 is not allowed; give"),
        ({"eps": 1.0}, "eps=1.0 is not allowed; give"),
        ({"alphas": [0.1, 0.0]}, "alphas holds 0.0. Allowed: "),
        ({"alphas": []}, "alphas holds none. Allowed: "),
    ],
)
def test_paths_that_mean_nothing_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        skmle.path(CrossEntropyClassifier(l1_ratio=1.0), table(), labels(table(), 2), **arguments)


def test_estimators_without_a_path_are_refused():
    X, y = table(), labels(table(), 2)
    with pytest.raises(TypeError, match="MLEDistribution has no penalty. Allowed: "):
        skmle.path(skmle.MLEDistribution(), X, y)
    with pytest.raises(
        ValueError, match="under l1_ratio=0 no alpha makes all slopes zero. Allowed: "
    ):
        skmle.path(CrossEntropyClassifier(), X, y)
    with (
        pytest.raises(ValueError, match="no parameter depends on a column of X. Allowed: "),
        pytest.warns(SettingWarning, match="the penalty has no effect"),
    ):
        skmle.path(MLERegressor(features={"loc": "none"}, l1_ratio=1.0), X, y)


def test_a_path_warns_once():
    X = table()
    with pytest.warns(
        FitWarning,
        match="path: . of 3 fits are not at an interior maximum: not_converged at alpha = ",
    ) as caught:
        skmle.path(
            CrossEntropyClassifier(l1_ratio=1.0, max_iter=1, tol=1e-12), X, labels(X, 2), n_alphas=3
        )
    assert len(caught) == 1
