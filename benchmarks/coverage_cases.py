"""The models and laws whose intervals `benchmarks.coverage` counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit
from scipy.stats import gamma

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.families import REGISTRY, Family, all_families

Array = np.ndarray
Sample = tuple[Array, ...]
"""What `fit` takes: (X,) or (X, y)."""
Draw = Callable[[np.random.Generator, int], Sample]
Settings = Mapping[str, Any]

WIDTH = 2  # columns of a family of any number of columns
TRIALS = 6  # whatever a constructor's whole number counts
LABELS = np.array([0, 1, 2])

# The ways to an interval, by the settings of `inference` that they need.
WALD = {"Wald": MappingProxyType({})}
BY_T = {"t": MappingProxyType({"distribution": "t"})}
PROFILE = {"profile": MappingProxyType({})}
BOOTSTRAP = {"bootstrap": MappingProxyType({})}
SANDWICHES = {kind: MappingProxyType({"covariance": kind}) for kind in ("HC1", "HC3")}


class Case(NamedTuple):
    model: Any
    draw: Draw
    truth: Callable[[Sample], dict[str, float]]
    """The true estimates of the table, by their names. Those of no interest are left out."""
    kinds: Mapping[str, Settings]


# ---------------------------------------------------------------- densities


def blank(cls: type[Family]) -> Family:
    """Return a family that has learnt nothing from data."""
    counts = [name for name, value in cls().get_params().items() if type(value) is int]
    return cls(**dict.fromkeys(counts, TRIALS))


def learnt(family: Family) -> Family:
    """Return a family that has learnt from some data what it has to."""
    if not family.observation.numeric:
        return family.adapt(np.repeat(LABELS, 4))
    if family.observation.columns is None:
        return family.adapt(np.random.default_rng(0).normal(size=(12, WIDTH)))
    if family.observation.columns == 1 and family.support.discrete:
        return family.adapt(np.arange(1.0, TRIALS + 1.0))
    return family


def typical(cls: type[Family]) -> tuple[Family, tuple[Array, ...]]:
    """Return a family, and the parameters of a law of it.

    Their eta are 0.2, 0.7, 1.2 and so on: different from each other, none of them special.
    """
    family = learnt(blank(cls))
    eta = [np.asarray(0.2 + 0.5 * j) for j in range(len(family.parameters))]
    return family, family.natural(tuple(eta))


def of_law(cls: type[Family]) -> Case:
    """Return the case of a family's typical law."""
    family, theta = typical(cls)
    arrays = [np.asarray(t) for t in theta]
    flat = [t.ravel() if t.ndim < 2 else t[np.tril_indices(len(t))] for t in arrays]
    truth = dict(zip(family.natural_labels(None), np.concatenate(flat).tolist(), strict=True))

    def draw(rng: np.random.Generator, n: int) -> Sample:
        y = family.sample(theta, (n,), rng)
        return (y[:, None] if y.ndim == 1 else y,)

    model = MLEDistribution(blank(cls), n_jobs=1)
    return Case(model, draw, lambda sample: truth, WALD | PROFILE | BOOTSTRAP)


def densities() -> Iterator[tuple[str, Case]]:
    """Return all native families by the names that estimators know them by."""
    for cls in all_families():
        yield REGISTRY[cls.__name__][1][0], of_law(cls)


# ---------------------------------------------------------------- regressions

SLOPES = {"x0": 0.5, "x1": -0.5, "intercept": 0.5}


def eta_of(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    X = rng.normal(size=(n, 2))
    return X, X @ [SLOPES["x0"], SLOPES["x1"]] + SLOPES["intercept"]


def responses(given: Callable[[np.random.Generator, Array], Array]) -> Draw:
    """Return samples whose y is drawn given a linear predictor."""

    def draw(rng: np.random.Generator, n: int) -> Sample:
        X, eta = eta_of(rng, n)
        return X, given(rng, eta)

    return draw


def regression(
    family: str,
    given: Callable[[np.random.Generator, Array], Array],
    kinds: Mapping[str, Settings],
    **others: float,
) -> Case:
    """Return the case of a regression; `others` are its true parameters beside the slopes."""
    truth = SLOPES | others
    model = MLERegressor(family, n_jobs=1)
    return Case(model, responses(given), lambda sample: truth, kinds)


def ones(rng: np.random.Generator, eta: Array) -> Array:
    return (rng.random(len(eta)) < expit(eta)).astype(int)


def gammas(rng: np.random.Generator, eta: Array) -> Array:
    return rng.gamma(2.0, np.exp(eta) / 2.0)


def normals(rng: np.random.Generator, eta: Array) -> Array:
    return rng.normal(eta, 2.0)


def counts(rng: np.random.Generator, eta: Array) -> Array:
    return rng.poisson(np.exp(eta)).astype(float)


def regressions() -> Iterator[tuple[str, Case]]:
    kinds = WALD | PROFILE | BOOTSTRAP
    classifier = CrossEntropyClassifier(n_jobs=1)
    yield "logistic regression", Case(classifier, responses(ones), lambda sample: SLOPES, kinds)
    yield "Poisson regression", regression("poisson", counts, kinds)
    yield "gamma regression", regression("gamma", gammas, kinds, shape=2.0)
    yield "normal regression", regression("normal", normals, kinds | BY_T, scale=2.0)


# ---------------------------------------------------------------- where errors are sandwiches


def balanced(intercept: float) -> Case:
    """Return a logistic regression under balanced class weights.

    The weights move the intercept alone, by the logarithm of their ratio.
    """

    def draw(rng: np.random.Generator, n: int) -> Sample:
        X = rng.normal(size=(n, 1))
        return X, ones(rng, X[:, 0] + intercept)

    def truth(sample: Sample) -> dict[str, float]:
        some = float(np.mean(sample[1]))
        with np.errstate(divide="ignore"):
            return {"x0": 1.0, "intercept": intercept + float(np.log1p(-some) - np.log(some))}

    model = CrossEntropyClassifier(class_weight="balanced", n_jobs=1)
    return Case(model, draw, truth, WALD | SANDWICHES)


def median(errors: Callable[[np.random.Generator, int], Array]) -> Case:
    """Return a regression of medians, whose errors have the median zero."""

    def given(rng: np.random.Generator, eta: Array) -> Array:
        return eta + errors(rng, len(eta))

    return regression("laplace", given, WALD)


def normal_errors(rng: np.random.Generator, n: int) -> Array:
    return rng.normal(size=n)


def laplace_errors(rng: np.random.Generator, n: int) -> Array:
    return rng.laplace(size=n)


def gamma_errors(rng: np.random.Generator, n: int) -> Array:
    return rng.gamma(2.0, size=n) - gamma.median(2.0)


def spread_wider(size: float, rng: np.random.Generator, eta: Array) -> Array:
    """Draw counts of variance mean + mean^2 / size."""
    return rng.poisson(rng.gamma(size, np.exp(eta) / size)).astype(float)


def sandwiches() -> Iterator[tuple[str, Case]]:
    yield "balanced class weights, 3 % ones", balanced(-4.0)
    yield "balanced class weights, 20 % ones", balanced(-1.65)
    yield "medians, normal errors", median(normal_errors)
    yield "medians, gamma errors", median(gamma_errors)
    yield "medians, Laplace errors", median(laplace_errors)
    for name, size in {"wider counts": 3.0, "far wider counts": 1.0}.items():
        case = regression("poisson", partial(spread_wider, size), WALD | SANDWICHES)
        yield f"Poisson regression, {name}", case


# The sections of the page, each with its columns.
SECTIONS: dict[str, Callable[[], Iterator[tuple[str, Case]]]] = {
    "Densities": densities,
    "Regressions": regressions,
    "Where errors are sandwiches": sandwiches,
}


def every_case() -> dict[str, Case]:
    return {name: case for section in SECTIONS.values() for name, case in section()}
