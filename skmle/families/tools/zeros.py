"""Zeros beside a law: the law of zeros alone, and where a law with more zeros than its own ends."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family, Limit, Rows, Support


class ZerosAlone(Family):
    """The law of a number that is always zero, which has no parameters."""

    parameters = ()
    support = Support(0.0, 0.0, closed=(True, True), discrete=True, whole=True)
    title = "that of zeros alone"

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return Rows(np.zeros(len(statistics[0])), (), ()).upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [()]

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.where(np.asarray(y) >= 0.0, 1.0, 0.0)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return np.where((np.asarray(q) >= 0.0) & (np.asarray(q) <= 1.0), 0.0, np.nan)

    upper_quantile = quantile

    def mean(self, theta: Arrays) -> Array:
        return np.zeros(())

    variance = mean
    known_entropy = mean

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.zeros(size)


# ---------------------------------------------------------------- verdicts


def limits_of_zeros(inner: Family, mass: bool) -> tuple[Limit, ...]:
    """Return the limit laws of `inner` with a share of zeros that tends to one, or to none.

    Without a `mass` at zero in the law inside, no share of none allows a zero.
    """
    none = _all_but_zeros if mass else _without_zeros
    return Limit("zeros", 1.0, ZerosAlone(), _zeros_alone), Limit("zeros", 0.0, inner, none)


def _zeros_alone(statistics: Arrays) -> Arrays | None:
    return (np.zeros_like(statistics[-1]),) if statistics[-1].all() else None


def _all_but_zeros(statistics: Arrays) -> Arrays:
    return statistics[:-1]


def _without_zeros(statistics: Arrays) -> Arrays | None:
    return None if statistics[-1].any() else statistics[:-1]


def recession_of_zeros(inner: Family, mass: bool, statistics: Arrays, delta: Arrays) -> Array:
    """Return the `recession` of `inner` with a share of zeros, whose logit is z.

    With s(z) = log(1 + exp(z)), f = s(-z) at a zero, and f = f_inside + s(z) elsewhere. If the law
    inside has a `mass` exp(-g) at zero, f = -log(exp(-s(-z)) + exp(-g - s(z))) at a zero. It falls
    to nothing, the least that it can be, as z rises or g falls to nothing. Where z falls alone it
    rises to the limit g.
    """
    *own, zero = statistics
    *changes, change = delta
    moves = np.any(
        [zero != zero, *(np.broadcast_to(e != 0.0, zero.shape) for e in changes)], axis=0
    )
    inside = inner.recession(tuple(own), tuple(changes))
    inside = np.where(moves, np.nan if inside is None else inside, 0.0)
    at_zero = np.maximum(-change, 0.0)
    if mass:
        certain = (change > 0.0) | (moves & (inside <= 0.0))
        rises = np.where(np.isnan(inside), np.nan, np.inf)
        at_zero = np.where(certain | ((change == 0.0) & ~moves), 0.0, rises)
    return np.where(zero > 0.0, at_zero, inside + np.maximum(change, 0.0))
