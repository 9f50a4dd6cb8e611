"""The records that the engine passes around: a value with its derivatives, and a solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import WithoutValue as WithoutValue  # an order that solvers ask for
from skmle.families.tools.cached import cached_property

Array = NDArray[np.float64]

# Distance up to which the quadratic model tells the value at the end of the last step. In nats the
# model is off by about the cube of the distance over sqrt(n): by less than 1e-12.
_MODELLED = 1e-4
# Variance from which a covariance has a wider type: what is made of it may be larger still.
_LARGEST_VARIANCE = 1e300


@dataclass
class Evaluation:
    """An objective's value with its gradient (d,) and Hessian (d, d) in one point.

    What was not asked for is None.
    """

    value: float
    gradient: Array | None = None
    hessian: Array | None = None
    end: Array | None = None
    """Where the last step from this point ends the search, without another evaluation."""
    ahead: Array | None = None
    """Newton's step from this point, if steps shrink so slowly that it may lead to infinity."""

    @cached_property
    def inverse(self) -> Array:
        """The inverse Hessian, computed on a unit diagonal, so that units do not matter.

        It raises LinAlgError if the Hessian is singular.
        """
        assert self.hessian is not None
        diagonal = np.abs(self.hessian.diagonal())
        root = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        units = np.outer(root, root)
        return np.linalg.inv(self.hessian / units) / units

    def __iadd__(self, other: Evaluation) -> Evaluation:
        """Add in place: d x d sums are never copied."""
        self.value += other.value
        if self.gradient is not None and other.gradient is not None:
            self.gradient += other.gradient
        if self.hessian is not None and other.hessian is not None:
            self.hessian += other.hessian
        return self

    def __imul__(self, factor: float) -> Evaluation:
        """Multiply in place."""
        self.value *= factor
        if self.gradient is not None:
            self.gradient *= factor
        if self.hessian is not None:
            self.hessian *= factor
        return self

    def __itruediv__(self, divisor: float) -> Evaluation:
        """Divide in place."""
        self.value /= divisor
        if self.gradient is not None:
            self.gradient /= divisor
        if self.hessian is not None:
            self.hessian /= divisor
        return self


class Looks(NamedTuple):
    """From where, and in which units, the judge looks at where rows run to."""

    origin: tuple[float, ...]
    """Constant linked eta of ordinary size."""
    units: tuple[float, ...]
    """For each eta, a change of it that counts as one."""

    def at(self, eta: Sequence[Array]) -> tuple[Array, ...]:
        """Return eta that are measured from the origin in the units."""
        triples = zip(self.origin, self.units, eta, strict=True)
        return tuple(o + u * e for o, u, e in triples)

    def scaled(self, delta: Sequence[Array]) -> tuple[Array, ...]:
        """Return a change of eta in the units."""
        return tuple(e / u for e, u in zip(delta, self.units, strict=True))


class Solution(NamedTuple):
    """Where a solver stopped, and what the verdict needs to judge it."""

    coef: Array
    evaluation: Evaluation
    """At the point from which the last step was computed; its Hessian serves the covariance."""
    step: Array
    """The last Newton step.

    At a maximum it is as small as the distance; on the way to infinity its size stays one.
    """
    distance: float
    """Newton decrement in standard errors before the last step.

    It is inf if the Hessian was not positive definite.
    """
    n_iter: int
    converged: bool
    """Whether the distance reached the tolerance: necessary, but not sufficient, for a maximum."""
    rough: bool = False
    """Whether the step was solved only roughly.

    Then it need not show where the objective is flat.
    """
    least_pivot: float = 1.0
    """The smallest squared pivot of the last Hessian on a unit diagonal; 0 if there was none.

    Near zero, the Hessian has lost its digits. It is 1 where it is not known.
    """
    working: Any = None
    """The working set of `proximal`, with which a fit under another penalty may go on; or None."""


def value_at_end(objective: Callable[[Array, int], Evaluation], solution: Solution) -> float:
    """Return the objective's value at the end of the last step of a solution.

    At the usual tolerances the quadratic model tells it, which costs nothing.
    """
    at = solution.evaluation
    if at.end is None:
        return at.value
    if solution.distance <= _MODELLED:
        assert at.gradient is not None
        return at.value + 0.5 * float(at.gradient @ solution.step)
    return objective(at.end, 0).value


def covariance(inverse: Array, mass: float, meat: Array | None = None) -> Array:
    """Return the covariance of the coefficients at a minimum of a mean of -log q.

    Parameters
    ----------
    inverse : ndarray of shape (d, d)
        Inverse Hessian of the mean.
    mass : float
        Total weight: a weight counts as that many rows.
    meat : ndarray of shape (d, d), optional
        Covariance of the summed gradients. With it, the covariance is the sandwich, which holds for
        any law of the data. Without it, it is the inverse information, which holds if the data
        follow the law that is fitted.

    References
    ----------
    White (1982), Maximum likelihood estimation of misspecified models, Econometrica 50.
    """
    with np.errstate(over="ignore"):
        bread = inverse / mass
    if np.abs(bread).max(initial=0.0) > _LARGEST_VARIANCE:
        # At a weight of 1e-308 in all, variances are beyond the doubles, though errors are not.
        bread = inverse.astype(np.longdouble) / mass  # type: ignore[assignment]
    return bread if meat is None else bread @ meat @ bread
