"""What a candidate is, and skmle's estimators as candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .data import Data
from .distance import Array, Penalty, Solution


class Job(NamedTuple):
    """One fit.

    `fit` is timed. `read` turns what it returned into coefficients; for a path it gives a list,
    with one solution for each penalty.
    """

    fit: Callable[[], Any]
    read: Callable[[Any], Solution | list[Solution]]


@dataclass(frozen=True)
class Candidate:
    """A program that solves a problem, at one setting.

    `prepare` brings the data into the form that the program likes best, which is not timed.
    """

    name: str
    prepare: Callable[[Data], Job]
    setting: str = ""

    @property
    def label(self) -> str:
        """Name and setting."""
        return f"{self.name}, {self.setting}" if self.setting else self.name

    @property
    def package(self) -> str:
        """The package, which is the first word of the name."""
        return self.name.split()[0]


def one(slopes: Any, intercept: Any) -> Solution:
    """Return the solution of a model with one linear predictor."""
    return Solution((np.ravel(slopes).astype(float),), (float(np.ravel(intercept)[0]),))


def constants(*values: float) -> Solution:
    """Return the solution of a model without features."""
    return Solution(tuple(np.zeros(0) for _ in values), tuple(map(float, values)))


def per_class(slopes: Array, intercepts: Array) -> Solution:
    """Return the solution of a softmax model, as log-odds against the last class.

    `slopes` has one line of coefficients for each class.
    """
    slopes, intercepts = slopes[:-1] - slopes[-1], intercepts[:-1] - intercepts[-1]
    return Solution(tuple(slopes), tuple(map(float, intercepts)))


# ---------------------------------------------------------------- skmle


def _classify(data: Data, as_sparse: bool = False, **settings: Any) -> Job:
    from skmle import CrossEntropyClassifier

    X = sp.csr_matrix(data.X) if as_sparse else data.X
    model = CrossEntropyClassifier(**settings)
    y = data.y.astype(int)

    def read(fitted: Any) -> Solution:
        w, b = fitted.coef_, fitted.intercept_
        return one(w, b) if len(w) == 1 else per_class(w, b)

    return Job(lambda: model.fit(X, y), read)


def _regress(data: Data, family: str, **settings: Any) -> Job:
    from skmle import MLERegressor

    model = MLERegressor(family, **settings)

    def read(fitted: Any) -> Solution:
        names = list(fitted.intercepts_)
        return Solution(
            tuple(np.asarray(fitted.coefs_.get(name, np.zeros(0)), float) for name in names),
            tuple(float(fitted.intercepts_[name]) for name in names),
        )

    return Job(lambda: model.fit(data.X, data.y), read)


def _describe(data: Data, family: str, scales: str) -> Job:
    from skmle import MLEDistribution

    model = MLEDistribution(family)
    X = data.y[:, None]

    def read(fitted: Any) -> Solution:
        pairs = zip(scales, fitted.params_.values(), strict=True)
        return constants(*(_SCALES[scale](value) for scale, value in pairs))

    return Job(lambda: model.fit(X), read)


_SCALES: dict[str, Callable[[float], float]] = {
    "i": float,
    "l": np.log,
    "o": lambda v: np.log(v / (1.0 - v)),
}


def _path(data: Data, penalties: tuple[Penalty, ...]) -> Job:
    from skmle import CrossEntropyClassifier, path

    estimator = CrossEntropyClassifier(l1_ratio=penalties[0].l1_ratio)
    alphas = np.array([penalty.alpha for penalty in penalties])
    y = data.y.astype(int)

    def read(fitted: Any) -> list[Solution]:
        return [one(w, b) for w, b in zip(fitted.coefs, fitted.intercepts, strict=True)]

    return Job(lambda: path(estimator, data.X, y, alphas=alphas), read)


def skmle_classifier(name: str = "skmle", **settings: Any) -> Candidate:
    """Return CrossEntropyClassifier as a candidate."""
    return Candidate(name, partial(_classify, **settings))


def skmle_regressor(family: str, name: str = "skmle", **settings: Any) -> Candidate:
    """Return MLERegressor as a candidate."""
    return Candidate(name, partial(_regress, family=family, **settings))


def skmle_distribution(family: str, scales: str) -> Candidate:
    """Return MLEDistribution as a candidate.

    `scales` has a letter for each parameter, for its scale in `laws`: identity, log or log-odds.
    """
    return Candidate("skmle", partial(_describe, family=family, scales=scales))


def skmle_path(penalties: tuple[Penalty, ...]) -> Candidate:
    """Return the elastic-net path as a candidate."""
    return Candidate("skmle", partial(_path, penalties=penalties))
