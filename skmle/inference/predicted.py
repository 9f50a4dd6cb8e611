"""Intervals of what is predicted: of a mean, and of an observation under an uncertain law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.estimates import Model, check_determined, directions, value_and_root
from skmle.inference.quantities import check_regression, quantity_of
from skmle.inference.wald import interval

Array = NDArray[np.float64]

# Gauss's rule of three points under a normal law: at the middle, weight 2/3, and sqrt(3) standard
# deviations to each side, weight 1/6.
_AWAY, _SIDE = np.sqrt(3.0), 1.0 / 6.0
# Each round leaves a share of order 1/n of the error; four leave nothing that is seen at n = 10.
_ROUNDS = 4


def interval_of_quantity(
    model: Model, X: Any, of: Any, coverage: float, dof: float, beside: Mapping[str, Any]
) -> tuple[Array, Array]:
    """Return (low, high) of a quantity of each row, (n,) each; (n, k) if it has k values.

    Ends are symmetric on a scale that maps the range of the quantity onto the whole line: a
    logarithm above an end, log-odds between two.
    """
    quantity = quantity_of(model.at(model.coefs), of, "predict_interval", "interval")
    arrived = model.arriving(X)
    whole, value, root = value_and_root(
        lambda at: quantity.ask(at, arrived, beside), model, "predict_interval"
    )
    low, high = quantity.range
    if of in (None, "mean", "median") or (isinstance(of, tuple) and of[0] == "quantile"):
        law = getattr(model.at(model.coefs), "predict_dist", None)
        support = None if law is None else law(arrived, **beside).family.support
        if support is not None:
            low, high = float(np.max(support.low)), float(np.min(support.high))
    error = np.sqrt((root**2).sum(axis=1))
    ends = _carried(value, error, low, high, coverage, dof)
    shape = (len(whole),) if whole.shape[1] == 1 else whole.shape
    return ends[0].reshape(shape), ends[1].reshape(shape)


def _carried(
    value: Array, error: Array, low: float, high: float, coverage: float, dof: float
) -> tuple[Array, Array]:
    """Return Wald's ends on the scale that maps (low, high) onto the line."""
    with np.errstate(all="ignore"):  # a value may stand at an end of its range, without error
        if np.isfinite(low) and np.isfinite(high):
            scale, slope = np.log((value - low) / (high - value)), 1.0 / (value - low)
            ends = interval(scale, error * (slope + 1.0 / (high - value)), coverage, dof)
            first, second = (low + (high - low) / (1.0 + np.exp(-end)) for end in ends)
        elif np.isfinite(low):
            ends = interval(np.log(value - low), error / (value - low), coverage, dof)
            first, second = (low + np.exp(end) for end in ends)
        elif np.isfinite(high):
            ends = interval(np.log(high - value), error / (high - value), coverage, dof)
            second, first = (high - np.exp(end) for end in ends)
        else:
            first, second = interval(value, error, coverage, dof)
    certain = error == 0.0
    return np.where(certain, value, first), np.where(certain, value, second)


def interval_of_observation(
    model: Model, X: Any, coverage: float, beside: Mapping[str, Any]
) -> tuple[Array, Array]:
    """Return (low, high), (n,) each, that hold y with a probability averaged over the coefficients.

    The coefficients are taken as normal about their estimates. The mean of a distribution function
    over them is, by Gauss's rule along each column l of a root of their covariance,

        F + sum_l (F[+sqrt(3) l] - 2 F + F[-sqrt(3) l]) / 6,

    which leaves out terms of order 1/n^2. Its quantile is found by rounds: at level q less what the
    mean adds at the quantile of before.
    """
    check_regression(model.at(model.coefs), "predict_interval")
    interval(np.zeros(1), np.zeros(1), coverage)  # which refuses a level outside (0, 1)
    arrived = model.arriving(X)
    root = directions(model)

    def law_at(coefs: Array) -> Any:
        return model.at(coefs).predict_dist(arrived, **beside)

    law = law_at(model.coefs)
    steps = [sign * _AWAY * line for line in root.T for sign in (1.0, -1.0)]
    others = [law_at(model.coefs + step) for step in steps]

    def end(q: float) -> Array:
        y = np.asarray(law.ppf(q), float)
        check_determined(
            lambda at: at.predict_dist(arrived, **beside).cdf(y),
            model,
            law.cdf(y),
            "predict_interval",
        )
        for _ in range(_ROUNDS):
            middle = law.cdf(y)
            lift = _SIDE * sum((other.cdf(y) - middle for other in others), np.zeros_like(y))
            y = np.asarray(law.ppf(np.clip(q - lift, 0.0, 1.0)), float)
        return y

    return end(0.5 - 0.5 * coverage), end(0.5 + 0.5 * coverage)
