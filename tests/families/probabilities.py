"""Probabilities of intervals from the density alone: an oracle for tails and differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from skmle.families import Family
from tests.families.laws import coordinate, natural

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
HALVES = 0.5 ** np.arange(2.0, 46.0)
NOTHING = 60.0  # nats below the largest density, from where on nothing counts
FARTHEST = 300.0  # in the coordinate of `coordinate`, from where on it overflows


def quartiles_of(family: Family, eta) -> list[float]:
    return [float(family.quantile(q, natural(family, eta))) for q in (0.25, 0.5, 0.75)]


def log_probability(family: Family, eta, low: float, high: float, quartiles=None) -> float:
    """Return log P(low < Y <= high) at chart eta; of counts both ends belong to the interval.

    `quartiles` are about those of the law, which say where the density is to be looked at.
    """
    linked = family.linked(eta)
    support = family.support
    if support.discrete:
        first, last = np.ceil(max(low, support.low)), np.floor(min(high, support.high))
        if np.isinf(last):
            least = (
                quartiles[2] if quartiles else family.upper_quantile(1e-30, natural(family, eta))
            )
            last = max(first, float(least)) + 2000.0
        return float(logsumexp(family.log_prob(np.arange(first, last + 1.0), linked)))
    quartiles = quartiles or quartiles_of(family, eta)
    to, back, slope = coordinate(support, quartiles[1], quartiles[2] - quartiles[0])
    if np.isfinite(low) and high - low < 1e-2 * abs(quartiles[2] - quartiles[0]):
        # Narrow: as it is, for another coordinate would round its length.
        y, weight = panels(np.linspace(low, high, 5))
        return float(logsumexp(family.log_prob(y, linked) + np.log(weight)))

    def log_density(t):
        with np.errstate(all="ignore"):
            value = family.log_prob(back(t), linked) + np.log(slope(t))
        return np.where(np.isnan(value), -np.inf, value)

    start = to(low) if low > support.low else -np.inf
    end = to(high) if high < support.high else np.inf
    knots = [float(to(q)) for q in quartiles if start < to(q) < end]
    knots = knots or [float(start if to(quartiles[1]) < start else end)]
    start = start if np.isfinite(start) else outermost(log_density, knots[0], -1.0)
    end = end if np.isfinite(end) else outermost(log_density, knots[-1], 1.0)
    knots = sorted({float(start), *knots, float(end)})
    edges = [np.array(knots)]
    for a, b in pairwise(knots):  # ever finer towards both ends
        edges += [np.linspace(a, b, 9), a + (b - a) * HALVES, b - (b - a) * HALVES]
    t, weight = panels(np.unique(np.concatenate(edges)))
    return float(logsumexp(log_density(t) + np.log(weight)))


def panels(edges):
    """Return Gauss and Legendre's points and weights between neighbouring edges."""
    half = 0.5 * np.diff(edges)[:, None]
    return (0.5 * (edges[1:] + edges[:-1])[:, None] + half * NODES).ravel(), (
        half * WEIGHTS
    ).ravel()


def outermost(log_density, edge: float, sign: float) -> float:
    """Return where, on one side of an edge, nothing is left of the density."""
    step, top = 1e-3, log_density(np.array([edge]))[0]
    while abs(edge + sign * step) < FARTHEST:
        if log_density(np.array([edge + sign * step]))[0] < top - NOTHING:
            break
        step *= 1.5
    return edge + sign * step
