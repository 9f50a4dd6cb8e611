"""Jeffreys' prior as a penalty: half the log-determinant of the expected information.

With A the expected information of all rows and M their total weight, the penalty is
-log det A / 2M. It depends on the rows, so it carries them. It tends to infinity wherever rows
become certain, because certain rows have no information: a logistic regression has a maximum under
it even where outcomes separate. In the canonical link of a family of one parameter it removes the
bias of order 1/n.

With C the expected curvature of a row in its etas, V = J A^-1 J' with J = d eta / d coef, and
A_q = dA / d coef_q,

    d log det A / d coef_q            = tr A^-1 A_q = sum over rows of d (V : C) / d coef_q
    d^2 log det A / d coef_q d coef_r = sum over rows of d^2 (V : C) - tr A^-1 A_q A^-1 A_r,

where V is held fixed in the derivatives of V : C. So all but the last term are sums over rows of a
function of eta, as the likelihood's own derivatives are.

References
----------
Firth (1993), Bias reduction of maximum likelihood estimates, Biometrika 80.
Kosmidis & Firth (2021), Jeffreys-prior penalty, finiteness and shrinkage in binomial-response
generalized linear models, Biometrika 108.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.leverage import columns_of, reach_of
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Family, Rows, triangle
from skmle.families.tools.expected import expected_rows, expected_with_derivatives


@dataclass(frozen=True)
class Jeffreys:
    """The penalty on the solver's coefficients; it is a `Penalty`.

    Parameters
    ----------
    family : Family
        Whose expected curvature is known.
    information : Objective
        On the rows, without penalties; its Hessian is the expected one.
    kept : ndarray of int, optional
        Which coefficients there are, the others being zero. By default all.
    """

    family: Family
    information: Objective
    kept: NDArray[np.intp] | None = None

    @classmethod
    def of(cls, family: Family, objective: Objective) -> Jeffreys:
        """Return the penalty for the rows of an objective."""
        plain = replace(objective, penalties=(), lasso=None, watch=None, alarm=None)
        return cls(family, replace(plain, rows=expected_rows(family)))

    def restrict(self, index: NDArray[np.intp]) -> Jeffreys:
        """Return the penalty of some coefficients, the others being zero."""
        return replace(self, kept=index if self.kept is None else self.kept[index])

    def value(self, coef: Array) -> float:
        """Return the penalty; inf where the information is singular."""
        return self._evaluate(coef, 0).value

    def product(self, coef: Array, vector: Array) -> Array:
        """Return the Hessian times a vector."""
        hessian = self._evaluate(coef, 2).hessian
        assert hessian is not None
        return np.asarray(hessian @ vector)

    def curvature(self, coef: Array) -> Array:
        """Return zeros: the penalty tells no columns apart that are combinations of others."""
        return np.zeros(len(coef))

    def add(self, at: Evaluation, coef: Array) -> Evaluation:
        """Add value, gradient and Hessian in place."""
        order = 2 if at.hessian is not None else 1 if at.gradient is not None else 0
        at += self._evaluate(coef, order)
        return at

    # ---------------------------------------------------------------- how it is computed

    def _evaluate(self, coef: Array, order: int) -> Evaluation:
        """Return value, gradient (order 1) and Hessian (order 2) in the coefficients kept."""
        if self.kept is None:
            return self._of_all(coef, order)
        whole = np.zeros(self.information.design.d)
        whole[self.kept] = coef
        at = self._of_all(whole, order)
        gradient = None if at.gradient is None else at.gradient[self.kept]
        hessian = None if at.hessian is None else at.hessian[np.ix_(self.kept, self.kept)]
        return Evaluation(at.value, gradient, hessian)

    def _of_all(self, coef: Array, order: int) -> Evaluation:
        total = self.information(coef).hessian
        assert total is not None
        d, mass = len(coef), self.information.mass
        diagonal = total.diagonal()
        root = np.sqrt(np.where(diagonal > 0.0, diagonal, np.nan))
        try:
            # Of a unit diagonal, so that units of columns do not matter.
            factor = np.linalg.cholesky(total / np.outer(root, root))
        except np.linalg.LinAlgError:
            return _infinite(d, order)
        # The mean over rows has the determinant of their sum but for a factor.
        value = -(np.log(factor.diagonal()).sum() + np.log(root).sum() + 0.5 * d * np.log(mass))
        if not np.isfinite(value):
            return _infinite(d, order)
        if order < 1:
            return Evaluation(value / mass)
        white = np.linalg.inv(factor) / root  # white A white' = 1
        result, slopes = self._over_rows(coef, white.T @ white, order)
        result /= mass
        if order == 2:
            whitened = (white @ slopes @ white.T).reshape(d, -1)
            assert result.hessian is not None
            result.hessian += 0.5 * (whitened @ whitened.T)
        result /= mass
        result.value = value / mass
        return result

    def _over_rows(self, coef: Array, inverse: Array, order: int) -> tuple[Evaluation, Array]:
        """Return the sums over rows of -V : C / 2 with its derivatives, and the A_q, (d, d, d).

        `inverse` is that of the mean information; V and the A_q are those of the mean, too.
        """
        info = self.information
        design, d, k = info.design, info.design.d, len(info.design.terms)
        result = Evaluation(0.0, np.zeros(d), np.zeros((d, d)) if order == 2 else None)
        slopes = np.zeros((d, d, d) if order == 2 else (0, 0, 0))
        pairs = triangle(k)
        # A packed entry off the diagonal stands for two.
        count = np.array([1.0 if a == b else 2.0 for a, b in pairs])
        for low, high in cuts(design.n, design.width + k * k):
            n, block, weights = high - low, design.block(low, high), info.weights(low, high)
            statistics = tuple(s[low:high] if len(s) == design.n else s for s in info.statistics)
            eta = tuple(design.eta(block, low, high, coef))
            entries = expected_with_derivatives(self.family, statistics, eta, n, order)
            columns = columns_of(design, block, n)
            reach = reach_of(columns, inverse)
            share = -0.5 * count[:, None] * np.array([reach[:, a, b] for a, b in pairs])
            assert entries.gradient is not None
            gradient = tuple((share * g).sum(axis=0) for g in entries.gradient)
            if order < 2:
                result += design.pull(block, Rows(np.zeros(n), gradient), weights, order)
                continue
            assert entries.curvature is not None
            curvature = tuple((share * np.asarray(c)).sum(axis=0) for c in entries.curvature)
            result += design.pull(block, Rows(np.zeros(n), gradient, curvature), weights, order)
            own = zip(entries.gradient, columns, strict=True)
            for q, (g, x) in enumerate((g, x) for g, part in own for x in part.T):
                rows = Rows(np.zeros(n), gradient, tuple(g * x))  # the gradient is not used
                of_q = design.pull(block, rows, weights, 2).hessian
                assert of_q is not None
                slopes[q] += of_q / info.mass
        return result, slopes


def _infinite(d: int, order: int) -> Evaluation:
    """Return the evaluation of a point at which the penalty is infinite."""
    gradient = np.zeros(d) if order > 0 else None
    return Evaluation(np.inf, gradient, np.zeros((d, d)) if order > 1 else None)
