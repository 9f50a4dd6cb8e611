"""Rows drawn from a fitted model, and the same model fitted to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import _num_samples

from skmle._engine.prepare.evidence import Evidence
from skmle._engine.verdict import BOUNDARY, INTERIOR

Array = NDArray[np.float64]
Redrawn = Callable[[np.random.Generator], Sequence[Evidence] | None]
Draw = Callable[[np.random.Generator], tuple[Any, Any]]


def redrawn(model: Any, X: Any, y: Any, sample_weight: Any, beside: dict[str, Any]) -> Redrawn:
    """Return a function from random numbers to the evidences of a fit to rows drawn from a model.

    It returns None where these rows have no regular maximum.
    """
    draws: list[Draw] = []  # made at the first call

    def again(rng: np.random.Generator) -> Sequence[Evidence] | None:
        if not draws:
            draws.append(_draw(model, X, y, beside))
        rows = draws[0](rng)
        try:
            fitted = clone(model).fit(*rows, sample_weight, **beside)
            if fitted.status_ not in (INTERIOR, BOUNDARY):
                return None
            every, _ = fitted._evidences(*rows, sample_weight, "repeats", beside)
        except ValueError:  # as of labels that are all alike
            return None
        return list(every)

    return again


def _draw(model: Any, X: Any, y: Any, beside: dict[str, Any]) -> Draw:
    """Return a function from random numbers to an X and a y in place of those given.

    Raises
    ------
    ValueError
        If the law that can be drawn from is not that of what is observed.
    """
    if is_classifier(model):
        if np.ndim(y) == 1:
            shares = np.cumsum(np.asarray(model.predict_proba(X), float), axis=1)
            return lambda rng: (X, model.classes_[_codes(shares, rng)])
    elif hasattr(model, "predict_dist"):
        law = model.predict_dist(X, **beside)
        if _same(law.log_prob, y, model.log_prob(X, y, **beside)):
            return lambda rng: (X, law.rvs(random_state=rng))
    elif _same(model.distribution_.log_prob, X, model.score_samples(X)):
        return lambda rng: (model.sample(_num_samples(X), rng), None)
    raise ValueError(
        f"information_matrix_test: {type(model).__name__} observes less than the values of its "
        "law, as under censoring, or soft labels, so that no rows like these are drawn from it. "
        "Allowed: laws of what is observed. Use replications=0, whose p is rough."
    )


def _codes(shares: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the numbers of labels drawn by cumulative probabilities, (n, K)."""
    below = rng.uniform(size=(len(shares), 1)) * shares[:, -1:] >= shares
    return np.asarray(below[:, :-1].sum(axis=1), np.intp)


def _same(log_prob: Callable[[Any], Any], observed: Any, known: Any) -> bool:
    """Return whether a law has the log-probabilities of a fit for what it was fitted to."""
    try:
        found = np.asarray(log_prob(np.asarray(observed)), float)
    except (TypeError, ValueError):  # of rows that are no values of the law
        return False
    known = np.asarray(known, float)
    found = found.reshape(len(known), -1).sum(axis=1) if found.size >= known.size else found
    return found.shape == known.shape and bool(np.allclose(found, known, rtol=1e-6, atol=1e-6))
