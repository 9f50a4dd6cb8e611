"""Moments of logarithms, by which laws of positive numbers with two shapes start."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, average


def mean_variance_skewness(values: Array, weight: Array | None) -> tuple[float, float, float]:
    """Return these moments of a sample; the skewness is 0 where all values are equal.

    Parameters
    ----------
    values : ndarray of shape (n,)
    weight : ndarray of shape (n,), optional
    """
    mean = average(values, weight)
    away = values - mean
    variance = np.float64(average(away * away, weight))
    with np.errstate(divide="ignore", invalid="ignore"):  # all values are equal
        skewness = float(average(away**3, weight) / variance**1.5)
    return mean, variance, skewness if np.isfinite(skewness) else 0.0
