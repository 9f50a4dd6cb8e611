"""The estimates are those of other programs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.exceptions import NonRegularWarning
from tests.estimators.data import labels

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


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
    # Without a penalty, adding the same to all classes changes nothing: scikit-learn leaves that
    # open, ours sum to zero.
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
