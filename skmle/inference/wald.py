"""Wald inference: from a covariance to standard errors, intervals and tests."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

# Least excess in width of intervals by t of which a table speaks. Chosen, not measured.
_HARDLY = 0.05

Array = NDArray[np.float64]
Inverse = Callable[[Array], Array]


def standard_errors(covariance: Array) -> Array:
    """Return the square roots of the diagonal; nan where the data do not determine a parameter."""
    # Variances of columns in extreme units have more bits than doubles; their roots are doubles.
    with np.errstate(over="ignore"):  # or infinite
        return np.sqrt(np.diag(covariance)).astype(np.float64)


def delta_method(covariance: Array, jacobian: Array) -> Array:
    """Return the covariance of smooth functions of the estimates, J C J'."""
    with np.errstate(over="ignore", invalid="ignore"):  # variances beyond the numbers
        result = jacobian @ covariance @ jacobian.T
    return 0.5 * (result + result.T)  # rounding makes the triangles differ


def checked_level(level: float, name: str = "confidence_level") -> float:
    """Return a confidence level; raise ValueError if it is not between 0 and 1."""
    if not isinstance(level, numbers.Real) or not 0.0 < level < 1.0:
        raise ValueError(
            f"{name}={level!r} is not allowed. Allowed: numbers between 0 and 1. Give one, such "
            "as 0.95."
        )
    return level


def interval(
    estimate: Array, error: Array, level: float, dof: float = np.inf
) -> tuple[Array, Array]:
    """Return estimate -+ z error, the interval whose asymptotic coverage is `level`.

    With degrees of freedom `dof`, t takes the place of z.
    """
    q = 0.5 + 0.5 * checked_level(level)
    reach = float(ndtri(q) if dof == np.inf else stdtrit(dof, q)) * error
    with np.errstate(invalid="ignore"):  # an estimate that is infinite has no interval
        return estimate - reach, estimate + reach


def linked_interval(
    eta: Array,
    error: Array,
    inverses: Sequence[Inverse | None],
    level: float,
    dof: float = np.inf,
) -> tuple[Array, Array]:
    """Return intervals that are symmetric in eta, each carried to its parameter's own scale.

    They stay in the range of the parameter, as the links map onto it.

    Parameters
    ----------
    eta, error : ndarray of shape (m,)
        Estimates on the scale of the links, and their standard errors.
    inverses : sequence of (callable or None)
        For each, the monotone map from eta to the parameter; None where eta is the parameter.
    level : float
        Asymptotic coverage.
    dof : float
        Degrees of freedom of t; inf: the normal.
    """
    ends = interval(eta, error, level, dof)

    def carried(end: Array) -> Array:
        pairs = zip(inverses, end, strict=True)
        return np.array([e if f is None else float(f(np.asarray(e))) for f, e in pairs])

    with np.errstate(over="ignore"):
        low, high = map(carried, ends)
    return np.minimum(low, high), np.maximum(low, high)


def wald_test(estimate: Array, error: Array, dof: float = np.inf) -> tuple[Array, Array]:
    """Return (z, p): estimates in standard errors, and their two-sided p-values against zero.

    With degrees of freedom `dof` they are those of t. Both are nan of an estimate without spread,
    which no test is about.
    """
    with np.errstate(invalid="ignore"):
        z = estimate / np.where(error == 0.0, np.nan, error)
    return z, 2.0 * (ndtr(-np.abs(z)) if dof == np.inf else stdtr(dof, -np.abs(z)))


def note_of_few_rows(n: float, k: int) -> str:
    """Return how much wider the intervals of least squares are than those by z; "" if hardly.

    Least squares of n rows and k columns takes t with n - k degrees of freedom, and divides the
    residual sum of squares by n - k, where the most likely scale divides it by n.
    """
    rest = n - k
    if rest < 1:
        return ""
    wider = float(stdtrit(rest, 0.975) / ndtri(0.975) * np.sqrt(n / rest)) - 1.0
    if wider < _HARDLY:
        return ""
    return (
        f"z and the maximum-likelihood scale (divisor n = {n:g}): by t and the divisor n - {k}, as "
        f"in least squares, 95 % intervals would be {100 * wider:.0f} % wider. Those are of "
        "inference given the rows, distribution='t' and correction='n/(n-k)'."
    )
