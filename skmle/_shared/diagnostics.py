"""What each row says of the law that was fitted to it: its residuals, and its place in the law.

The probability integral transform (PIT) of a row is P(Y <= y). If the law holds it is uniform, and
its normal quantile, the quantile residual, is normal. Of a mass it is a number between P(Y < y) and
P(Y <= y): drawn from there, which keeps it uniform, or the middle.

References
----------
Dunn & Smyth (1996), Randomized quantile residuals, J. Computational and Graphical Statistics 5.
McCullagh & Nelder (1989), Generalized Linear Models, ch. 2.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri_exp, rel_entr

from skmle.families import Distribution, Family
from skmle.families.tools.saturated import half_deviance

Array = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


def of_numbers(
    law: Family, y: NDArray[Any], eta: tuple[Array, ...], log_prob: Array, share: Array
) -> Columns:
    """Return the residuals of rows under a law that may differ from row to row, (n,) each.

    Parameters
    ----------
    law : Family
        Of what is observed.
    y : ndarray of shape (n,) or (n, m)
    eta : tuple of ndarray of shape (n,)
        Linked eta.
    log_prob : ndarray of shape (n,)
    share : ndarray of shape (n,)
        Where between its ends the PIT of a mass is, from 0 to 1.
    """
    n = len(y)
    eta = tuple(np.broadcast_to(np.asarray(e, float), (n,)) for e in eta)
    with np.errstate(all="ignore"):  # of parameters at an end of their range
        whole = law.predicted(law.natural(eta))
        columns: Columns = {"fitted": _centre(whole), "log_prob": log_prob}
        told = numbers_of(law, whole, y)
        sign, away = None, np.zeros(())
        if told is not None:
            family, numbers = told
            away = numbers - family.mean(whole.theta)
            sign = np.sign(away)
            columns |= _places(Distribution.of(family, whole.theta), whole, y, numbers, share)
            spread = family.std(whole.theta)
            columns["pearson_residual"] = np.where(away == 0.0, 0.0, away / spread)
        found = half_deviance(law, y, law.chart(eta)) if law.observation.numeric else None
        if found is not None:
            height, way = found
            # A law without a mean has no residual from it.
            sign = way if sign is None else np.where(np.isfinite(away), sign, way)
            columns["deviance_residual"] = np.where(sign < 0.0, -1.0, 1.0) * np.sqrt(2.0 * height)
    return columns


def numbers_of(
    law: Family, whole: Distribution, y: NDArray[Any]
) -> tuple[Any, NDArray[np.float64]] | None:
    """Return the law of the numbers that tell observations, and these; None if there are none.

    `law` is that of what is observed, `whole` that which predictions speak of: a censored row is
    none of its numbers.
    """
    if law.observation.columns != whole.family.observation.columns:
        return None
    return whole.family.numbers_of(y)


def _centre(law: Distribution) -> Array:
    """Return the mean of each row; the median, where a law has no mean."""
    mean = np.asarray(law.mean(), float)
    return np.where(np.isnan(mean), law.median(), mean) if np.isnan(mean).any() else mean


def _places(
    law: Distribution, whole: Distribution, y: NDArray[Any], numbers: Array, share: Array
) -> Columns:
    """Return the PIT and the quantile residual of each row."""
    family = whole.family
    masses = family.densities(family.statistics(y)) == 0.0
    mass = np.where(masses, whole.log_prob(y), -np.inf)
    columns = places(law.logcdf(numbers), law.logsf(numbers), mass, share)
    if family.support.whole:  # A rate has no place in a law of counts.
        rate = numbers != np.floor(numbers)
        columns = {name: np.where(rate, np.nan, column) for name, column in columns.items()}
    return columns


def places(below: Array, above: Array, mass: Array, share: Array) -> Columns:
    """Return PIT and quantile residual, from log P(Y <= y), log P(Y > y) and log P(Y = y)."""
    with np.errstate(all="ignore"):  # of probabilities that are zero
        rest = np.log1p(-share) + mass
        lower = np.where(mass == -np.inf, below, below + np.log1p(-np.exp(rest - below)))
        upper = np.where(mass == -np.inf, above, np.logaddexp(above, rest))
        left = lower < upper
        return {
            "pit": np.where(left, np.exp(lower), -np.expm1(upper)),
            "quantile_residual": np.where(left, ndtri_exp(lower), -ndtri_exp(upper)),
        }


def of_classes(
    log_proba: Array, shares: Array, labels: NDArray[Any], log_prob: Array, ordered: bool, v: Array
) -> Columns:
    """Return the residuals of rows with a label or shares of labels, (n,) each.

    Parameters
    ----------
    log_proba : ndarray of shape (n, K)
    shares : ndarray of shape (n, K)
        One for the label of a row, or its soft labels.
    labels : ndarray of shape (n,)
        The most probable ones.
    log_prob : ndarray of shape (n,)
    ordered : bool
        Whether the classes have an order, and the labels a place in the law.
    v : ndarray of shape (n,)
        As `share` in `of_numbers`.
    """
    proba, two = np.exp(log_proba), log_proba.shape[1] == 2
    with np.errstate(all="ignore"):  # of labels of probability zero
        away = shares - proba
        deviance = np.sqrt(2.0 * np.maximum(rel_entr(shares, proba).sum(axis=1), 0.0))
        pearson = np.sqrt(np.where(away == 0.0, 0.0, away * away / proba).sum(axis=1))
        columns: Columns = {"fitted": proba[:, 1] if two else labels, "log_prob": log_prob}
        sign = np.ones(len(proba))
        if two:
            sign = np.where(away[:, 1] < 0.0, -1.0, 1.0)
        if ordered:
            code = shares.argmax(axis=1)[:, None]
            every = np.arange(proba.shape[1])
            below = np.log(np.where(every <= code, proba, 0.0).sum(axis=1))
            above = np.log(np.where(every > code, proba, 0.0).sum(axis=1))
            mass = np.take_along_axis(log_proba, code, axis=1)[:, 0]
            found = places(np.minimum(below, 0.0), np.minimum(above, 0.0), mass, v)
            hard = shares.max(axis=1) == 1.0
            columns |= {name: np.where(hard, column, np.nan) for name, column in found.items()}
            if not two:
                sign = np.where(columns["quantile_residual"] < 0.0, -1.0, 1.0)
    columns["pearson_residual"] = sign * pearson
    columns["deviance_residual"] = sign * deviance
    return columns
