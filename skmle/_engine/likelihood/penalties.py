"""Negative log priors, which turn the maximum-likelihood estimate into a maximum a posteriori.

A penalty is stated in the user's terms: a function of the modelled slopes, term by term, each in
its column's and y's own units, that is added to the mean of -log q over the rows. `OnSlopes`
carries it to the solver's coefficients, which may be those of a standardised y and of fewer
columns; that is the only place that knows both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.slopes import Slopes


@runtime_checkable
class Penalty(Protocol):
    """A smooth penalty on m coefficients, per row of data.

    One class with these five methods is all that a new penalty takes.
    """

    def value(self, coef: Array) -> float:
        """Return the penalty."""

    def add(self, at: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and Hessian to `at`, in place, and return it.

        What `at` does not have, because it was not asked for, is left out.
        """

    def product(self, coef: Array, vector: Array) -> Array:
        """Return the penalty's Hessian at `coef` times a vector."""

    def curvature(self, coef: Array) -> Array:
        """Return the diagonal of the Hessian at `coef`, (m,), or what preconditions as well.

        Where it is positive at zero, the penalty holds a slope: of columns that are combinations of
        others, whose slopes are all held, none is left out of the fit, because the penalty tells
        them apart.
        """

    def restrict(self, index: NDArray[np.intp]) -> Self:
        """Return the penalty of some of the coefficients, the others being zero."""


@dataclass(frozen=True)
class Ridge:
    """A normal prior: sum of strength * coef^2 / 2.

    Parameters
    ----------
    strength : float or ndarray of shape (m,)
        Non-negative, of all coefficients or of each.
    classes : int
        0, or K if the coefficients are those of K - 1 classes against a reference class, one class
        after the other. Then the sum runs over all K classes' coefficients once they are centred,
        which treats the classes alike whichever is the reference: the metric between the K - 1 is I
        - 11'/K.
    """

    strength: float | Array
    classes: int = 0

    def restrict(self, index: NDArray[np.intp]) -> Ridge:
        """Return the prior of some coefficients, the others being zero."""
        assert not self.classes, "some coefficients of a class are no classes"
        each = np.ndim(self.strength) > 0
        return Ridge(np.asarray(self.strength)[index] if each else self.strength)

    def product(self, coef: Array, vector: Array) -> Array:
        """Return the Hessian times a vector."""
        if not self.classes:
            return self.strength * vector
        table = vector.reshape(self.classes - 1, -1)
        return self.strength * (table - table.sum(axis=0) / self.classes).ravel()

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        return 0.5 * float(coef @ self.product(coef, coef))

    def curvature(self, coef: Array) -> Array:
        """Return the strength of each coefficient.

        For classes it is the diagonal as the ridge on all K of them has it.
        """
        return np.broadcast_to(self.strength, coef.shape)

    def add(self, at: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and Hessian in place."""
        pull = self.product(coef, coef)
        at.value += 0.5 * float(coef @ pull)
        if at.gradient is not None:
            at.gradient += pull
        if at.hessian is not None:
            at.hessian[np.diag_indices(len(coef))] += self.strength
            if self.classes:
                k = self.classes - 1
                strength = np.broadcast_to(self.strength, coef.shape)[: len(coef) // k]
                blocks = at.hessian.reshape(k, len(coef) // k, k, len(coef) // k)
                np.einsum("aibi->abi", blocks)[...] -= strength / self.classes
        return at


@dataclass(frozen=True)
class Centred:
    """A penalty on the centred coefficients of all K classes, as one on those of K - 1.

    The last class is the reference.

    Parameters
    ----------
    penalty : Penalty
        On K m coefficients, one class after the other, whose sum over classes is zero.
    classes : int
        K.
    """

    penalty: Penalty
    classes: int

    def restrict(self, index: NDArray[np.intp]) -> Centred:
        """Raise an error: some coefficients of a class are no classes."""
        raise NotImplementedError("some coefficients of a class are no classes")

    def _centred(self, coef: Array) -> Array:
        table = np.vstack([coef.reshape(self.classes - 1, -1), np.zeros((1, self._columns(coef)))])
        return (table - table.mean(axis=0)).ravel()

    def _columns(self, coef: Array) -> int:
        return len(coef) // (self.classes - 1)

    def _pull(self, gradient: Array) -> Array:
        table = gradient.reshape(self.classes, -1)
        return (table - table.mean(axis=0))[:-1].ravel()

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        return self.penalty.value(self._centred(coef))

    def product(self, coef: Array, vector: Array) -> Array:
        """Return the Hessian times a vector."""
        return self._pull(self.penalty.product(self._centred(coef), self._centred(vector)))

    def curvature(self, coef: Array) -> Array:
        """Return the diagonal as the penalty on all K classes has it."""
        return self.penalty.curvature(self._centred(coef))[: len(coef)]

    def add(self, at: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and Hessian in place."""
        inner = self.penalty.add(
            _blank(at, self.classes * self._columns(coef)), self._centred(coef)
        )
        at.value += inner.value
        if at.gradient is not None and inner.gradient is not None:
            at.gradient += self._pull(inner.gradient)
        if at.hessian is not None and inner.hessian is not None:
            half = np.array([self._pull(row) for row in inner.hessian])
            at.hessian += np.array([self._pull(row) for row in half.T])
        return at


@dataclass(frozen=True)
class OnSlopes:
    """A penalty on the user's slopes as one on the solver's coefficients.

    It is the chain rule of a linear map.

    Parameters
    ----------
    penalty : Penalty
    slopes : Slopes
    """

    penalty: Penalty
    slopes: Slopes

    def restrict(self, index: NDArray[np.intp]) -> OnSlopes:
        """Return the penalty of some of the solver's coefficients, the others being zero."""
        slopes, kept = self.slopes.restrict(index)
        return OnSlopes(self.penalty if kept is None else self.penalty.restrict(kept), slopes)

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        return self.penalty.value(self.slopes.of(coef))

    def product(self, coef: Array, vector: Array) -> Array:
        """Return the Hessian times a vector."""
        inner = self.penalty.product(self.slopes.of(coef), self.slopes.of(vector))
        return self._spread(self.slopes.pull(inner), coef)

    def curvature(self, coef: Array) -> Array:
        """Return the diagonal of the Hessian; 0 for constants."""
        inner = self.penalty.curvature(self.slopes.of(coef))
        return self._spread(self.slopes.pull_diagonal(inner), coef)

    def _spread(self, part: Array, coef: Array) -> Array:
        result = np.zeros(len(coef))
        result[self.slopes.index] = part
        return result

    def add(self, at: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and Hessian in place."""
        stated, index = self.slopes.of(coef), self.slopes.index
        inner = self.penalty.add(_blank(at, len(stated)), stated)
        at.value += inner.value
        if at.gradient is not None and inner.gradient is not None:
            at.gradient[index] += self.slopes.pull(inner.gradient)
        if at.hessian is not None and inner.hessian is not None:
            at.hessian[np.ix_(index, index)] += self.slopes.pull_hessian(inner.hessian)
        return at


def _blank(at: Evaluation, m: int) -> Evaluation:
    """Return zeros of m coefficients, with the derivatives that `at` has."""
    return Evaluation(
        0.0,
        None if at.gradient is None else np.zeros(m),
        None if at.hessian is None else np.zeros((m, m)),
    )


@dataclass(frozen=True)
class Lasso:
    """A double exponential prior: sum of strength * abs(coef).

    It has a cusp where a coefficient is zero, so it is no `Penalty` and no part of an evaluation.
    `skmle._engine.solvers.proximal` minimises under it.

    Parameters
    ----------
    strength : ndarray of shape (d,)
        Non-negative; 0 for unpenalised coefficients (intercepts), and for no others; inf for those
        held at zero.
    """

    strength: Array

    @classmethod
    def on_slopes(cls, strength: float, slopes: Slopes, d: int) -> Lasso:
        """Return the prior of the solver's d coefficients.

        Its strength is that of each of the user's slopes.
        """
        assert slopes.expand is None, "an absolute penalty holds all slopes, so that all are fitted"
        result = np.zeros(d)
        result[slopes.index] = strength * slopes.units
        return cls(result)

    def restrict(self, index: NDArray[np.intp]) -> Lasso:
        """Return the prior of some coefficients, the others being zero."""
        return Lasso(self.strength[index])

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        on = coef != 0.0  # an infinite strength times zero is zero
        return float(self.strength[on] @ np.abs(coef[on]))


def elastic_net(
    alpha: float, l1_ratio: float, classes: int = 0
) -> tuple[tuple[Penalty, ...], float]:
    """Return the smooth penalty, a ridge or nothing, and the strength of the absolute one.

    Parameters
    ----------
    alpha : float
        Per row of data.
    l1_ratio : float
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso).
    classes : int
        As of `Ridge`.
    """
    ridge = alpha * (1.0 - l1_ratio)
    return (Ridge(ridge, classes),) if ridge > 0.0 else (), alpha * l1_ratio


def total_curvature(penalties: Iterable[Penalty], coef: Array) -> Array:
    """Return the sum of the penalties' curvatures at `coef`, (d,).

    Where the curvature of one of them is negative, it counts as zero.
    """
    return sum((np.maximum(p.curvature(coef), 0.0) for p in penalties), np.zeros(len(coef)))
