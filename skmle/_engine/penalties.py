"""Negative log priors, which turn the maximum-likelihood estimate into a maximum a posteriori."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skmle._engine.evaluation import Array, Evaluation


@dataclass(frozen=True)
class Ridge:
    """The penalty c' matrix c / 2 on the coefficients: a normal prior, per row of data (added to the mean of -log q).

    Parameters
    ----------
    matrix : ndarray of shape (d, d)
        Symmetric, positive semidefinite; rows of unpenalised coefficients (intercepts) are zero.
    """

    matrix: Array

    def add(self, evaluation: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and hessian in place."""
        pull = self.matrix @ coef
        evaluation.value += 0.5 * float(coef @ pull)
        if evaluation.gradient is not None:
            evaluation.gradient += pull
        if evaluation.hessian is not None:
            evaluation.hessian += self.matrix
        return evaluation


def ridge_metric(k: int, symmetric: bool) -> Array:
    """Return the (k, k) metric between the terms' slopes.

    The identity; or, for K - 1 = k logits against a reference class, I - 11'/K: the sum of squares of all K classes'
    slopes once they are centred, which treats the classes alike whichever is the reference.
    """
    return np.eye(k) - np.ones((k, k)) / (k + 1) if symmetric else np.eye(k)
