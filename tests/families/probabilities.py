"""Probabilities of intervals from the density alone: an oracle for tails and differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from skmle import families
from skmle.families import Family, Support
from skmle.families.links import get_link
from skmle.families.wrappers.base import Wrapper
from skmle.families.wrappers.parts import SeveralParts
from tests.families.laws import coordinate, natural
from tests.families.whole_numbers import LAST_NUMBER, LONGEST, all_of

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
HALVES = 0.5 ** np.arange(2.0, 46.0)
NOTHING = 60.0  # nats below the largest density, from where on nothing counts
FARTHEST = 300.0  # in the coordinate of `coordinate`, from where on it overflows


def edges_of(family: Family, theta) -> list[float]:
    """Return where the density of a law is not smooth, as its definition says.

    These are the ends of its support and of those of the laws inside, thresholds and cusps.
    """
    found = [family.support.low, family.support.high]
    if not family.support.fixed:
        found += [float(end) for end in family.ends(theta)]
    if isinstance(family, SeveralParts):
        pairs = zip(family.parts, family.split(theta)[0], strict=True)
        found += [edge for part, own in pairs for edge in edges_of(part, own)]
    elif isinstance(family, Wrapper):
        inside = np.array(edges_of(family.inner, theta[: len(family.inner.parameters)]))
        if isinstance(family, families.Transformed):
            with np.errstate(all="ignore"):
                inside = get_link(family.transform).theta(inside)
        if isinstance(family, families.Shifted):
            inside = inside + theta[-1]
        found += [*inside, *(-inside if isinstance(family, families.Folded) else ())]
    elif family.cusps:
        found.append(float(theta[0]))
    return sorted({float(edge) for edge in found if np.isfinite(edge)})


def place_of_atom(family: Family) -> float:
    """Return where a law has a mass, if it has one beside a density."""
    if isinstance(family, families.Transformed):
        link = families.get_link(family.transform)
        return float(link.theta(np.asarray(place_of_atom(family.inner))))
    return 0.0


def atom_of(family: Family, eta) -> float:
    """Return the mass of a point of a law that is continuous elsewhere; 0 if it has none."""
    point = np.array([place_of_atom(family)])
    if family.support.discrete or not family.contains(point).all():
        return 0.0
    if family.densities(family.statistics(point)).any():
        return 0.0
    return float(np.exp(family.log_prob(point, family.linked(eta)))[0])


def quartiles_of(family: Family, eta) -> list[float]:
    """Return the quartiles, of a law with an atom those of what lies beside it."""
    theta = natural(family, eta)
    if not atom_of(family, eta):
        return [float(family.quantile(q, theta)) for q in (0.25, 0.5, 0.75)]
    values = family.quantile(np.linspace(0.01, 0.99, 49), theta)
    return [
        float(q) for q in np.quantile(values[values != place_of_atom(family)], (0.25, 0.5, 0.75))
    ]


def log_probability(family: Family, eta, low: float, high: float, quartiles=None) -> float:
    """Return log P(low < Y <= high) at chart eta; of counts both ends belong to the interval.

    `quartiles` are about those of the law, which say where the density is to be looked at.
    """
    linked = family.linked(eta)
    support = family.support
    if support.discrete:
        first, last = np.ceil(max(low, support.low)), np.floor(min(high, support.high))
        least = quartiles[2] if quartiles else family.upper_quantile(0.25, natural(family, eta))
        if first == -np.inf:  # there is no least one
            first = min(last, float(least)) - LONGEST
        end = min(last, max(first, float(least)) + LONGEST)
        y = np.arange(first, end + 1.0)
        log_mass, weight = family.log_prob(y, linked), np.ones(len(y))
        if end < last and log_mass[-1] > log_mass.max() - NOTHING:  # its tail is long
            y, weight = all_of(y, min(last, LAST_NUMBER))
            log_mass = family.log_prob(y, linked)
        return float(logsumexp(log_mass, b=weight))
    _, log_mass = masses(family, eta, low, high, quartiles)
    return float(logsumexp(log_mass))


def masses(family: Family, eta, low: float, high: float, quartiles=None):
    """Return points of (low, high], and the logarithms of the mass that each stands for."""
    y, log_mass = _masses_beside_atoms(family, eta, low, high, quartiles)
    place = place_of_atom(family)
    if low < place <= high and (atom := atom_of(family, eta)):
        return np.append(y, place), np.append(log_mass, np.log(atom))
    return y, log_mass


def _masses_beside_atoms(family: Family, eta, low: float, high: float, quartiles):
    linked, support = family.linked(eta), family.support
    quartiles = quartiles or quartiles_of(family, eta)
    edges = edges_of(family, natural(family, eta))
    ends = max(low, support.low), min(high, support.high)
    inside = [edge for edge in edges if ends[0] < edge < ends[1]]
    plain = (support.low, support.high) in ((0.0, np.inf), (0.0, 1.0))
    place = coordinate(support if plain else Support(), quartiles[1], quartiles[2] - quartiles[0])
    to, back, slope = place
    size = max(abs(quartiles[2] - quartiles[0]), abs(low - quartiles[1]))
    # Next to an edge the density may rise without bound, or fall to zero.
    size = min([size, *(10.0 * abs(low - edge) for edge in edges)])
    if np.isfinite(low) and high - low < 1e-2 * size and not inside:
        # Narrow: as it is, for another coordinate would round its length.
        y, weight = panels(np.linspace(low, high, 5))
        return y, family.log_prob(y, linked) + np.log(weight)

    def log_density(t):
        with np.errstate(all="ignore"):
            value = family.log_prob(back(t), linked) + np.log(slope(t))
        return np.where(np.isnan(value), -np.inf, value)

    with np.errstate(all="ignore"):  # at the ends of the support
        start, end = (float(to(end)) for end in ends)
    knots = [float(to(q)) for q in [*quartiles, *inside] if start < to(q) < end]
    knots = knots or [float(start if to(quartiles[1]) < start else end)]
    first, last = min(knots), max(knots)
    start = start if np.isfinite(start) else outermost(log_density, first, -1.0)
    end = end if np.isfinite(end) else outermost(log_density, last, 1.0)
    knots = sorted({float(start), *knots, float(end)})
    edges = [np.array(knots)]
    for a, b in pairwise(knots):  # ever finer towards both ends
        edges += [np.linspace(a, b, 9), a + (b - a) * HALVES, b - (b - a) * HALVES]
    t, weight = panels(np.unique(np.concatenate(edges)))
    return back(t), log_density(t) + np.log(weight)


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
