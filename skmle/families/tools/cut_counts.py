"""The variance of counts of which the least are not seen."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family
from skmle.families.law import Law
from skmle.families.tools.expected import variance_of_counts

_CUT = 16.0  # values that are cut off and summed, at most; chosen
_LEFT = 1e-2  # of a second moment that the variance is, at least, to have fourteen digits of it


def variance_above(law: Family, inner: Family, theta: Arrays) -> Array:
    """Return the variance of counts of which the least are not seen, from that of all of them.

    It is summed where that has no formula, and where the difference of the moments has lost digits.
    Of other laws it is integrated.

    Parameters
    ----------
    law : Family
        Of the counts that are seen.
    inner : Family
        Of all.
    theta : tuple of ndarray
        Natural parameters of both.
    """
    if not law.support.discrete:
        return Law.variance(law, theta)
    values = np.broadcast_arrays(*(np.asarray(value, float) for value in theta))
    flat = tuple(value.ravel() for value in values)
    least = law.support.low
    cut = np.arange(inner.support.low, least) if least <= inner.support.low + _CUT else None
    known = type(inner).variance is not Law.variance and law.support.high == inner.support.high
    if cut is None or not known:
        return variance_of_counts(law, flat).reshape(values[0].shape)
    with np.errstate(all="ignore"):  # of parameters at an end of their range
        mass = np.exp([inner.log_prob(np.full(flat[0].shape, y), inner.eta(flat)) for y in cut])
        seen, mean = inner.sf(np.asarray(least - 1.0), flat), inner.mean(flat)
        first = (mean - cut @ mass) / seen
        second = (inner.variance(flat) + mean**2 - cut**2 @ mass) / seen
        result = second - first**2
    lost = ~(result > _LEFT * second) | ~np.isfinite(result)
    if lost.any():
        result[lost] = variance_of_counts(law, tuple(value[lost] for value in flat))
    return result.reshape(values[0].shape)
