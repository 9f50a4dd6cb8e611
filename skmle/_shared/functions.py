"""A fitted model as a function of its coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Coefs, Fit
from skmle.inference.estimates import Model
from skmle.inference.robust import Errors

Array = NDArray[np.float64]


class AsFunction:
    """The base of estimators that can be asked what they would say with other coefficients."""

    _fits: tuple[Fit, ...]
    """What inference needs of each fit."""
    _terms: tuple[tuple[Term, ...], ...]
    """Of each fit, the terms."""
    _set: Callable[..., None]
    """(fits, X) -> None: store the coefficients of fits, in the precision of X."""

    def _as_function(self, errors: Errors) -> Model:
        """Return this model as a function of its coefficients."""
        wholes = [np.zeros((0, 0)), *(c for c in errors.wholes if c is not None)]
        zeros = [np.zeros(len(c)) for c in wholes[1:]]
        pairs = zip(self._fits, zeros, strict=True)
        idle = [np.zeros(0), *(zero if fit.idle is None else fit.idle for fit, zero in pairs)]
        covariance: Array = block_diag(*wholes)  # may have variances beyond the doubles
        parts = [term for own in self._terms for term in own]
        moving = getattr(self, "_moving", None)
        whole = Model(self._vector(), covariance, self._at, np.concatenate(idle), parts)
        known = (getattr(self, name, None) for name in ("offset", "exposure"))
        straight = all(column is None for column in known)
        return whole._replace(moving=moving, straight=straight)

    def _vector(self) -> Array:
        """Return all coefficients of the fits, in the order of their covariances."""
        pairs = zip(self._fits, self._terms, strict=True)
        return np.concatenate([np.zeros(0), *(flat(fit.coefs, own) for fit, own in pairs)])

    def _at(self, vector: Array) -> Any:
        """Return a copy of this model with other coefficients."""
        fits, low = [], 0
        for fit, own in zip(self._fits, self._terms, strict=True):
            high = low + sum(term.length for term in own)
            fits.append(replace(fit, coefs=by_term(vector[low:high], own, fit.coefs)))
            low = high
        model = copy(self)
        model._fits = tuple(fits)
        model._set(fits, getattr(self, "coef_", None))
        return model


def flat(coefs: Coefs, terms: Sequence[Term]) -> Array:
    """Return coefficients one after the other: of each term the slopes, then the intercept."""
    pairs = zip(coefs, terms, strict=True)
    parts = [np.append(slopes, [b] * term.intercept) for (slopes, b), term in pairs]
    return np.concatenate([np.zeros(0), *parts])


def by_term(vector: Array, terms: Sequence[Term], known: Coefs) -> Coefs:
    """Return such coefficients term by term; a constant that is no intercept stays as known."""
    result, low = [], 0
    for term, (_, constant) in zip(terms, known, strict=True):
        high = low + term.size
        result.append((vector[low:high], vector[high] if term.intercept else constant))
        low = high + term.intercept
    return tuple(result)
