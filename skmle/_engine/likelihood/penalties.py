"""Negative log priors, which turn the maximum-likelihood estimate into a maximum a posteriori."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation


@dataclass(frozen=True)
class Ridge:
    """A normal prior on the coefficients, per row of data: sum of strength * coef^2 / 2, added to the mean of -log q.

    Parameters
    ----------
    strength : ndarray of shape (d,)
        Non-negative; 0 for unpenalised coefficients (intercepts).
    classes : int
        0, or K if the coefficients are those of K - 1 classes against a reference class, one class after the other. Then
        the sum runs over all K classes' coefficients once they are centred, which treats the classes alike whichever is
        the reference: the metric between the K - 1 is I - 11'/K.
    """

    strength: Array
    classes: int = 0

    def restrict(self, index: NDArray[np.intp]) -> Ridge:
        """Return the prior of some coefficients, the others being zero."""
        return Ridge(self.strength[index])

    def pull(self, coef: Array) -> Array:
        """Return the gradient, which is the hessian's product with `coef`."""
        if not self.classes:
            return self.strength * coef
        table = coef.reshape(self.classes - 1, -1)
        return self.strength * (table - table.sum(axis=0) / self.classes).ravel()

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        return 0.5 * float(coef @ self.pull(coef))

    def add(self, evaluation: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and hessian in place."""
        pull = self.pull(coef)
        evaluation.value += 0.5 * float(coef @ pull)
        if evaluation.gradient is not None:
            evaluation.gradient += pull
        if evaluation.hessian is not None:
            evaluation.hessian[np.diag_indices(len(coef))] += self.strength
            if self.classes:
                k = self.classes - 1
                blocks = evaluation.hessian.reshape(k, len(coef) // k, k, len(coef) // k)
                np.einsum("aibi->abi", blocks)[...] -= (
                    self.strength[: len(coef) // k] / self.classes
                )
        return evaluation


@dataclass(frozen=True)
class Lasso:
    """A double exponential prior on the coefficients, per row of data: sum of strength * abs(coef).

    It has a cusp where a coefficient is zero, so it is no part of an evaluation: `skmle._engine.solvers.proximal` knows it.

    Parameters
    ----------
    strength : ndarray of shape (d,)
        Non-negative; 0 for unpenalised coefficients (intercepts), and for no others; inf for those held at zero.
    """

    strength: Array

    def restrict(self, index: NDArray[np.intp]) -> Lasso:
        """Return the prior of some coefficients, the others being zero."""
        return Lasso(self.strength[index])

    def value(self, coef: Array) -> float:
        """Return the penalty."""
        on = coef != 0.0  # where an infinite strength holds, there is nothing to pay
        return float(self.strength[on] @ np.abs(coef[on]))
