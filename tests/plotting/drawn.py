"""Every display that is tested, by what it shows: functions of axes."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.naive_bayes import GaussianNB

import skmle
from skmle import (
    CrossEntropyClassifier,
    DistributionSearch,
    MLEDistribution,
    MLERegressor,
    families,
    plotting,
)

AREA = load_breast_cancer(as_frame=True).data[["mean area"]]
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
COUNTS = np.random.default_rng(0).poisson(3.0, size=(80, 1)).astype(float)


@cache
def survival():
    rng = np.random.default_rng(1)
    time, end = 10.0 * rng.weibull(1.5, 90), rng.exponential(12.0, 90)
    return skmle.censored(np.minimum(time, end), event=time <= end)


@cache
def lognormal():
    return MLEDistribution("lognormal").fit(AREA)


@cache
def regression():
    X, y = DIABETES
    return MLERegressor("gamma", features={"mean": "all", "shape": ["bmi"]}).fit(X, y)


@cache
def naive():
    X, y = CANCER
    return GaussianNB().fit(X[::2], y[::2])


def of_density(ax):
    return plotting.DensityDisplay.from_estimator(lognormal(), AREA, ax=ax)


def of_counts(ax):
    return plotting.DensityDisplay.from_estimator(
        MLEDistribution("poisson").fit(COUNTS), COUNTS, ax=ax
    )


def of_censored_rows(ax):
    rows = survival()
    model = MLEDistribution(families.Censored("weibull")).fit(rows)
    return plotting.DensityDisplay.from_estimator(model, rows, ax=ax)


def of_places(kind):
    def draw(ax):
        return plotting.PITDisplay.from_estimator(
            lognormal(), AREA, kind=kind, simulations=20, ax=ax
        )

    return draw


def of_residuals(ax):
    X, y = DIABETES
    return plotting.PITDisplay.from_estimator(
        regression(), X, y, kind="worm", simulations=20, ax=ax
    )


def of_profile(ax):
    X, y = np.arange(8.0)[:, None], np.array([0, 0, 0, 1, 0, 1, 1, 1])
    model = CrossEntropyClassifier().fit(X, y)
    return plotting.ProfileDisplay.from_estimator(model, X, y, term="x0", ax=ax)


def of_contour(ax):
    x = np.random.default_rng(0).weibull(1.5, size=(30, 1))
    model = MLEDistribution("weibull").fit(x)
    return plotting.LikelihoodContourDisplay.from_estimator(model, x, points=9, ax=ax)


def of_coefficients(ax):
    return plotting.CoefficientDisplay.from_estimator(regression(), ax=ax)


def of_fan(ax):
    return plotting.FanDisplay.from_estimator(regression(), *DIABETES, feature="bmi", ax=ax)


def of_mass_at_zero(ax):
    rng = np.random.default_rng(2)
    x = np.where(rng.random(200) < 0.25, 0.0, rng.gamma(2.0, 3.0, 200))
    model = MLEDistribution(families.Hurdle("gamma")).fit(x)
    return plotting.DensityDisplay.from_estimator(model, x, ax=ax)


def of_infinite_density(ax):
    x = np.random.default_rng(1).beta(0.3, 0.3, 200).clip(1e-6, 1.0 - 1e-6)
    return plotting.DensityDisplay.from_estimator(MLEDistribution("beta").fit(x), x, ax=ax)


def of_classes(ax):
    X, y = load_iris(return_X_y=True, as_frame=True)
    return plotting.CoefficientDisplay.from_estimator(
        CrossEntropyClassifier(alpha=0.01).fit(X, y), ax=ax
    )


@cache
def separated():
    """Return fits of which some estimates have no interval: all, one, and two that are aliased."""
    X = DIABETES[0][["age", "bmi"]]
    high = DIABETES[1] > 140
    flag = X.assign(flag=(high & (X["age"] > 50)).astype(float))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "all run off": CrossEntropyClassifier().fit(X, X["bmi"] > 26),
            "one runs off": CrossEntropyClassifier().fit(flag, high),
            "two are aliased": CrossEntropyClassifier().fit(X.assign(twice=2 * X["age"]), high),
        }


def of_separated(name, ratios=False):
    def draw(ax):
        model = separated()[name]
        return plotting.CoefficientDisplay.from_estimator(model, ratios=ratios, ax=ax)

    return draw


def of_reliability(ax):
    X, y = CANCER
    return plotting.ReliabilityDisplay.from_estimator(
        naive(), X[1::2], y[1::2], simulations=20, ax=ax
    )


def of_decomposition(ax):
    X, y = CANCER
    return plotting.CrossEntropyDecompositionDisplay.from_estimator(
        {"naive Bayes": naive()}, X[1::2], y[1::2], ax=ax
    )


def of_long_names(ax):
    X, y = CANCER
    models = {"a classifier with a name that is long": naive(), "naive Bayes": naive()}
    return plotting.CrossEntropyDecompositionDisplay.from_estimator(models, X[1::2], y[1::2], ax=ax)


def of_search(ax):
    search = DistributionSearch(["gamma", "lognormal", "weibull"]).fit(AREA)
    return plotting.ComparisonDisplay.from_search(search, ax=ax)


def of_comparison(ax):
    X, y = DIABETES
    found = skmle.compare({"gamma": MLERegressor("gamma"), "normal": MLERegressor()}, X, y)
    return plotting.ComparisonDisplay.from_comparison(found, ax=ax)


def of_path(ax):
    return plotting.PathDisplay.from_path(
        skmle.path(MLERegressor(l1_ratio=1.0), *DIABETES, n_alphas=8), ax=ax
    )


DRAWN = {
    "density": of_density,
    "counts": of_counts,
    "censored rows": of_censored_rows,
    **{kind: of_places(kind) for kind in ("qq", "pp", "worm", "histogram")},
    "residuals": of_residuals,
    "profile": of_profile,
    "contour": of_contour,
    "coefficients": of_coefficients,
    "mass at zero": of_mass_at_zero,
    "infinite density": of_infinite_density,
    "coefficients of classes": of_classes,
    **{f"coefficients, {name}": of_separated(name) for name in separated()},
    "ratio that runs off": of_separated("one runs off", ratios=True),
    "fan": of_fan,
    "reliability": of_reliability,
    "decomposition": of_decomposition,
    "decomposition of long names": of_long_names,
    "search": of_search,
    "comparison": of_comparison,
    "path": of_path,
}
