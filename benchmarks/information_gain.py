"""How often the interval of `information_gain` holds the mutual information, where that is known.

Run ``python -m benchmarks.information_gain`` for the table of docs/information.md, of `REPEATS`
samples of each law and size.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.integrate import quad
from scipy.special import entr, expit
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.tree import DecisionTreeClassifier

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.information import information_gain

SIZES, REPEATS = (200, 1000), 400

Sample = tuple[np.ndarray, np.ndarray]


class Case(NamedTuple):
    draw: Callable[[np.random.Generator, int], Sample]
    information: float
    """I(X; Y), or I(X; Y | given), in nats."""
    model: Any
    settings: Mapping[str, Any] = MappingProxyType({})


def normal_pair(rho: float) -> Callable[[np.random.Generator, int], Sample]:
    def draw(rng: np.random.Generator, n: int) -> Sample:
        x = rng.normal(size=(n, 1))
        return x, rho * x[:, 0] + np.sqrt(1.0 - rho * rho) * rng.normal(size=n)

    return draw


def of_correlation(rho: float) -> float:
    return -0.5 * np.log1p(-rho * rho)


def lognormal_pair(rng: np.random.Generator, n: int) -> Sample:
    x, y = normal_pair(0.6)(rng, n)
    return x, np.exp(y)


def five_normals(rng: np.random.Generator, n: int) -> Sample:
    X = rng.normal(size=(n, 5))
    return X, X.sum(axis=1) + np.sqrt(5.0) * rng.normal(size=n)


def two_of_one_root(rng: np.random.Generator, n: int) -> Sample:
    root = rng.normal(size=n)
    X = root[:, None] + rng.normal(size=(n, 2))
    return X, X.sum(axis=1) + rng.normal(size=n)


def logit(rng: np.random.Generator, n: int) -> Sample:
    x = rng.normal(size=(n, 1))
    return x, (rng.random(n) < expit(1.5 * x[:, 0] - 1.0)).astype(int)


def binary_entropy(p: Any) -> Any:
    return entr(p) + entr(1.0 - p)


def of_logit() -> float:
    def mean(f: Callable[[float], float]) -> float:
        return quad(lambda x: stats.norm.pdf(x) * f(expit(1.5 * x - 1.0)), -12.0, 12.0)[0]

    return binary_entropy(mean(lambda p: p)) - mean(binary_entropy)


def nothing(rng: np.random.Generator, n: int) -> Sample:
    return rng.normal(size=(n, 3)), (rng.random(n) < 0.3).astype(int)


PLACES = np.array([-1.5, 0.0, 1.5])


def three_classes(rng: np.random.Generator, n: int) -> Sample:
    y = rng.integers(3, size=n)
    return (PLACES[y] + rng.normal(size=n))[:, None], y


def of_three_classes() -> float:
    """I(X; Y) = h(X) - h(X | Y), where X is a mixture of three normal laws."""
    density = lambda x: stats.norm.pdf(x - PLACES).mean()  # noqa: E731
    return quad(lambda x: entr(density(x)), -12.0, 12.0, limit=200)[0] - stats.norm.entropy()


def channel(rng: np.random.Generator, n: int) -> Sample:
    x = rng.integers(2, size=n)
    return x[:, None].astype(float), x ^ (rng.random(n) < 0.1)


def counts(rng: np.random.Generator, n: int) -> Sample:
    rate = rng.gamma(2.0, 1.5, size=n)
    return np.log(rate)[:, None], rng.poisson(rate).astype(float)


def of_counts() -> float:
    """I(X; Y) where Y is Poisson given a gamma rate, so that its own law is negative binomial."""
    y = np.arange(400.0)
    own = entr(stats.nbinom(2.0, 1.0 / 2.5).pmf(y)).sum()
    rate = stats.gamma(2.0, scale=1.5)
    given = quad(lambda r: rate.pdf(r) * entr(stats.poisson.pmf(y, r)).sum(), 0.0, 80.0, limit=200)
    return own - given[0]


def two_modes(rng: np.random.Generator, n: int) -> Sample:
    x = rng.integers(2, size=n)
    return x[:, None].astype(float), 3.0 * x + np.where(x, 0.5, 1.0) * rng.normal(size=n)


def of_two_modes() -> float:
    parts = stats.norm([0.0, 3.0], [1.0, 0.5])
    whole = quad(lambda y: entr(parts.pdf(y).mean()), -12.0, 12.0, points=[0.0, 3.0], limit=200)[0]
    return whole - parts.entropy().mean()


NORMAL, CLASSES = MLERegressor("normal"), CrossEntropyClassifier()
BY_FEATURES = MLERegressor("normal", features={"loc": "all", "scale": "all"})

CASES = {
    "normal, ρ = 0": Case(normal_pair(0.0), 0.0, NORMAL),
    "normal, ρ = 0.3": Case(normal_pair(0.3), of_correlation(0.3), NORMAL),
    "normal, ρ = 0.9": Case(normal_pair(0.9), of_correlation(0.9), NORMAL),
    "normal, five features": Case(five_normals, 0.5 * np.log(2.0), NORMAL),
    # Var(Y | X0) = Var(X1 | X0) + 1 = 2 - 1/2 + 1.
    "normal, X1 given X0": Case(two_of_one_root, 0.5 * np.log(2.5), NORMAL, {"given": 0}),
    "lognormal, ρ = 0.6": Case(lognormal_pair, of_correlation(0.6), MLERegressor("lognormal")),
    "two classes, logit": Case(logit, of_logit(), CLASSES),
    "two classes, nothing": Case(nothing, 0.0, CLASSES),
    "three classes": Case(three_classes, of_three_classes(), LinearDiscriminantAnalysis()),
    "binary channel": Case(
        channel, np.log(2.0) - binary_entropy(0.1), DecisionTreeClassifier(max_depth=1)
    ),
    "Poisson of a gamma rate": Case(
        counts,
        of_counts(),
        MLERegressor("poisson"),
        {"baseline": MLEDistribution("negative_binomial")},
    ),
    "normal, two modes": Case(
        two_modes, of_two_modes(), BY_FEATURES, {"baseline": GaussianMixture(2, random_state=0)}
    ),
}


class Coverage(NamedTuple):
    gain: float
    interval: float
    """The share of samples whose 95 % interval holds I(X; Y)."""
    bound: float
    """The share whose lower bound of 95 % is below I(X; Y)."""


def coverage(case: Case, n: int, repeats: int, seed: int = 0) -> Coverage:
    """Return what the samples of a case have shown."""
    found = np.empty((repeats, 3))
    for i in range(repeats):
        X, y = case.draw(np.random.default_rng([seed, n, i]), n)
        gain = information_gain(case.model, X, y, **case.settings)
        ((low, high),) = gain.confidence_intervals()
        holds = low <= case.information <= high
        found[i] = float(gain), holds, gain.lower_bounds()[0] <= case.information
    return Coverage(*found.mean(axis=0))


def main() -> None:
    head = ["law", "I(X; Y)", *(f"n = {n}: mean gain | interval | bound" for n in SIZES)]
    print("| " + " | ".join(head) + " |")
    print("| --- " * (2 + 3 * len(SIZES)) + "|")
    for name, case in CASES.items():
        cells = [name, f"{case.information:.4f}"]
        for n in SIZES:
            gain, interval, bound = coverage(case, n, REPEATS)
            cells += [f"{gain:.4f}", f"{100 * interval:.1f} %", f"{100 * bound:.1f} %"]
        print("| " + " | ".join(cells) + " |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
