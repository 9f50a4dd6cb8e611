"""Displays that cannot be drawn: each error says what is wrong, what is allowed and what to do."""

from __future__ import annotations

import warnings

import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import skmle
from skmle import (
    CrossEntropyClassifier,
    DistributionSearch,
    MLEDistribution,
    MLERegressor,
    plotting,
)
from tests.plotting.drawn import AREA, CANCER, DIABETES, lognormal, naive, of_places, regression

IRIS = load_iris(return_X_y=True)


def of_column(column):
    X = DIABETES[0][["bmi", "bp"]].set_axis(["a", "b"], axis=1)
    return plotting.DensityDisplay.from_estimator(MLEDistribution().fit(X), X, column=column)


REFUSED = {
    "kind": (lambda: of_places("box")(None), "kind='box' is not allowed"),
    "simulations": (
        lambda: plotting.PITDisplay.from_estimator(lognormal(), AREA, simulations=-1),
        "simulations=-1 is not allowed",
    ),
    "no density": (
        lambda: plotting.DensityDisplay.from_estimator(regression(), DIABETES[0]),
        "MLERegressor has no law of single numbers",
    ),
    "a law of many rows": (
        lambda: plotting.DensityDisplay.from_estimator(
            regression().predict_dist(DIABETES[0]), DIABETES[1]
        ),
        "Distribution has no law of single numbers",
    ),
    "column by place": (
        lambda: of_column(2),
        "DensityDisplay: X has no column 2. Allowed: 0 to 1",
    ),
    "column by name": (
        lambda: of_column("c"),
        "DensityDisplay: X has no column 'c'. Allowed: a, b",
    ),
    "text": (
        lambda: plotting.DensityDisplay.from_estimator(lognormal(), ["a", "b"]),
        "DensityDisplay: X holds text",
    ),
    "rows that the law forbids": (
        lambda: plotting.DensityDisplay.from_estimator(lognormal(), -AREA),
        "none of 569 rows .* is possible under the fitted law, Lognormal",
    ),
    "no such term": (
        lambda: plotting.CoefficientDisplay.from_estimator(regression(), terms=["bmj"]),
        "no estimate is called 'bmj'",
    ),
    "a term in two parameters": (
        lambda: plotting.CoefficientDisplay.from_estimator(regression(), terms=["bmi"]),
        "'bmi' is the name of 2 estimates. Allowed: 'mean:bmi', 'shape:bmi'",
    ),
    "a profile of a term in two parameters": (
        lambda: plotting.ProfileDisplay.from_estimator(regression(), *DIABETES, term="bmi"),
        "'bmi' is the name of 2 estimates. Allowed: 'mean:bmi', 'shape:bmi'",
    ),
    "a profile of no term": (
        lambda: plotting.ProfileDisplay.from_estimator(regression(), *DIABETES, term="s55"),
        "no estimate is called 's55'. Allowed: 'age', .*Did you mean 's5'",
    ),
    "ratios of an identity": (
        lambda: plotting.CoefficientDisplay.from_estimator(
            MLERegressor().fit(*DIABETES), ratios=True
        ),
        "no coefficient of these results is the logarithm of a ratio",
    ),
    "a contour of other rows": (
        lambda: plotting.LikelihoodContourDisplay.from_estimator(lognormal(), AREA[:60]),
        "X and y are not the rows of the fit",
    ),
    "places of other rows": (
        lambda: plotting.PITDisplay.from_estimator(lognormal(), AREA[:60]),
        "PITDisplay: X and y are not the rows of the fit, .* or simulations=0",
    ),
    "levels": (
        lambda: plotting.LikelihoodContourDisplay.from_estimator(lognormal(), AREA, levels=95),
        "levels=95 are not allowed",
    ),
    "coverage in words": (
        lambda: plotting.FanDisplay.from_estimator(
            regression(), *DIABETES, feature="bmi", coverages="90 %"
        ),
        "coverages='90 %' are not allowed",
    ),
    "a path of no such class": (
        lambda: plotting.PathDisplay.from_path(
            skmle.path(CrossEntropyClassifier(l1_ratio=1.0), *IRIS, n_alphas=3), label=3
        ),
        "label=3 is no row of coef_. Allowed: 0 to 2",
    ),
    "no such parameter": (
        lambda: plotting.LikelihoodContourDisplay.from_estimator(
            lognormal(), AREA, names=("loc", "shape")
        ),
        "are not two free parameters",
    ),
    "coverage": (
        lambda: plotting.FanDisplay.from_estimator(
            regression(), *DIABETES, feature="bmi", coverages=[95]
        ),
        "coverages=",
    ),
    "no such feature": (
        lambda: plotting.FanDisplay.from_estimator(regression(), *DIABETES, feature="bmj"),
        "X has no column 'bmj'. Allowed: 'age', .*'bmi', .* Did you mean 'bmi'?",
    ),
    "no such class": (
        lambda: plotting.ReliabilityDisplay.from_estimator(naive(), *CANCER, label=2),
        "label=2 is no class",
    ),
    "names": (
        lambda: plotting.PathDisplay.from_path(
            skmle.path(MLERegressor(l1_ratio=1.0), *DIABETES, n_alphas=3), names=["a"]
        ),
        "1 names were given for 10 columns",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_allowed_is_named(name):
    call, text = REFUSED[name]
    with warnings.catch_warnings(), pytest.raises(ValueError, match=text) as caught:
        call()
    assert "Allowed" in str(caught.value)


OTHERS = {
    "a model for a search": (
        lambda: plotting.ComparisonDisplay.from_search(lognormal()),
        "MLEDistribution is no DistributionSearch",
    ),
    "a model for a comparison": (
        lambda: plotting.ComparisonDisplay.from_comparison(lognormal()),
        "MLEDistribution is no comparison",
    ),
    "a model for a path": (
        lambda: plotting.PathDisplay.from_path(lognormal()),
        "MLEDistribution is no path",
    ),
    "places of three labels": (
        lambda: plotting.PITDisplay.from_estimator(CrossEntropyClassifier().fit(*IRIS), *IRIS),
        "law of 3 labels, which have no order",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_something_else_is_named(name):
    call, text = OTHERS[name]
    with warnings.catch_warnings(), pytest.raises(TypeError, match=text) as caught:
        warnings.simplefilter("ignore")
        call()
    assert "Allowed" in str(caught.value)


X, Y = DIABETES
NOT_FITTED = {
    "coefficients": lambda: plotting.CoefficientDisplay.from_estimator(MLERegressor()),
    "contour": lambda: plotting.LikelihoodContourDisplay.from_estimator(MLEDistribution(), AREA),
    "decomposition": lambda: plotting.CrossEntropyDecompositionDisplay.from_estimator(
        CrossEntropyClassifier(), *CANCER
    ),
    "density": lambda: plotting.DensityDisplay.from_estimator(MLEDistribution(), AREA),
    "density of a search": lambda: plotting.DensityDisplay.from_estimator(
        DistributionSearch(), AREA
    ),
    "fan": lambda: plotting.FanDisplay.from_estimator(MLERegressor(), X, Y, feature="bmi"),
    "places": lambda: plotting.PITDisplay.from_estimator(MLEDistribution(), AREA),
    "places alone": lambda: plotting.PITDisplay.from_estimator(MLERegressor(), X, Y, simulations=0),
    "profile": lambda: plotting.ProfileDisplay.from_estimator(MLERegressor(), X, Y, term="bmi"),
    "reliability": lambda: plotting.ReliabilityDisplay.from_estimator(
        CrossEntropyClassifier(), *CANCER
    ),
    "search": lambda: plotting.ComparisonDisplay.from_search(DistributionSearch()),
}


@pytest.mark.parametrize("name", NOT_FITTED)
def test_what_is_not_fitted_is_told_as_scikit_learn_does(name):
    with pytest.raises(NotFittedError, match=r"is not fitted yet\. Call 'fit'"):
        NOT_FITTED[name]()
