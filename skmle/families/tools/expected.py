"""The expected curvature of -log q under the law itself, by quadrature, where no formula is known.

It is E[g g'], g being the gradient of -log q in eta, which needs no second derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skmle.families.chain_rules import through_links
from skmle.families.differences import differences
from skmle.families.links import Jet, transition
from skmle.families.records import Array, Arrays, Rows, Softmax, triangle
from skmle.families.tools.atoms import atoms_of

if TYPE_CHECKING:
    from skmle.families.base import Family

# A density is integrated over t, y being its quantile at Phi(t): the trapezoidal rule then
# converges like that of a normal density, whose tail beyond 8.3 is less than 1e-16.
_NODES = np.linspace(-8.3, 8.3, 167)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.sqrt(2.0 * np.pi) * (_NODES[1] - _NODES[0])
# A mass is summed over every s-th whole number, s being the standard deviation over this number,
# but at least 1: the rule is that of a density, whose values are 16 to a standard deviation.
_TO_A_DEVIATION = 16.0
_TAIL = 1e-17  # probability beyond the sums of masses
# Strides of a sum from which it is one of panels, whose ends are these quantiles and lie twice as
# far out, each, than the one before: so it is where the law has long tails.
_STRIDES = 1000.0
_LEVELS = np.array([1e-12, 1e-8, 1e-4, 0.01, 0.1, 0.25, 0.5])
_SHORTEST = 64.0  # numbers in the first of the panels
_LAWS = 1024  # laws that are integrated at once: their nodes take some MB


Nodes = Callable[["Family", Arrays], tuple[Array, Array]]
"""(family, theta) -> values of y and their weights, (laws, nodes) each."""


def expected_curvature(
    family: Family, eta: Arrays, nodes: Nodes | None = None
) -> tuple[Array, ...]:
    """Return E[g_a g_b] for all pairs a <= b of parameters, in the order of `triangle`.

    Parameters
    ----------
    family : Family
        Of one column of numbers.
    eta : tuple of ndarray, each (n,) or 0-d
        Chart eta.
    nodes : callable, optional
        Where y is looked at; by default, between its quantiles.

    Returns
    -------
    tuple of ndarray, each (n,), or 0-d if all eta are
    """
    nodes = nodes or (_masses if family.support.discrete else _densities)
    shape = np.broadcast_shapes(*(np.shape(e) for e in eta))
    if family.stretch is not None:  # A law in another unit has the same expectations.
        per_unit = family.stretch.moves
        unit = np.asarray(eta[0]) / per_unit[0]
        eta = tuple(e - move * unit for e, move in zip(eta, per_unit, strict=True))
    table = np.stack([np.broadcast_to(e, shape).ravel() for e in eta])
    laws, place = np.unique(table, axis=1, return_inverse=True)
    parts = [
        _expected(family, tuple(laws[:, low : low + _LAWS]), nodes)
        for low in range(0, laws.shape[1], _LAWS)
    ]
    whole = np.concatenate(parts, axis=1)[:, place.ravel()]
    return tuple(entry.reshape(shape) for entry in whole)


def _expected(family: Family, eta: Arrays, nodes: Nodes) -> Array:
    """Return the expectations of different laws, (pairs, laws)."""
    theta = family.natural(family.linked(eta))
    with np.errstate(all="ignore"):
        y, weights = nodes(family, theta)
        repeated = tuple(np.repeat(e, y.shape[1]) for e in eta)
        gradient = family.evaluate(family.statistics(y.ravel()), repeated, 1).gradient
    assert gradient is not None
    g = [np.broadcast_to(part, y.size).reshape(y.shape) for part in gradient]
    inside = ~(weights <= 0.0)  # nan stays
    return np.array(
        [np.where(inside, g[a] * g[b] * weights, 0.0).sum(axis=1) for a, b in triangle(len(g))]
    )


def _densities(family: Family, theta: Arrays) -> tuple[Array, Array]:
    """Return nodes and weights for each law, (laws, nodes)."""
    columns = tuple(np.reshape(part, (-1, 1)) for part in theta)
    below, above = _NODES[_NODES <= 0.0], _NODES[_NODES > 0.0]
    low = family.dense.quantile(ndtr(below)[None, :], columns)
    high = family.dense.upper_quantile(ndtr(-above)[None, :], columns)
    y = np.concatenate([low, high], axis=1)
    weights = np.broadcast_to(_WEIGHTS, y.shape)
    for atom in atoms_of(family):
        mass = np.exp(family.log_prob(np.full(1, atom), family.eta(columns)))
        y = np.concatenate([y, np.full_like(mass, atom)], axis=1)
        weights = np.concatenate([weights * (1.0 - mass), mass], axis=1)
    return y, weights


def _masses(family: Family, theta: Arrays, deviation: Array | None = None) -> tuple[Array, Array]:
    """Return whole numbers and the masses that they stand for, (laws, numbers)."""
    if deviation is None:
        deviation = np.sqrt(family.variance(theta))
    tail = np.asarray(_TAIL)
    low, high = family.quantile(tail, theta), family.upper_quantile(tail, theta)
    stride = np.maximum(np.floor(deviation / _TO_A_DEVIATION), 1.0)
    # Far out, a solver asks for laws whose deviation is beyond the numbers: theirs is nan.
    beyond = ~np.isfinite(low + high + stride)
    piled = (stride > 1.0) & (low <= family.support.low)  # masses change fast at the least numbers
    if ((piled | ((high - low) / stride > _STRIDES)) & ~beyond).any():
        return _panels(family, theta, low, high, beyond)
    low, high = np.where(beyond, 0.0, low), np.where(beyond, 0.0, high)
    stride = np.where(beyond, 1.0, stride)
    count = int(np.ceil(((high - low) / stride).max())) + 1
    y = low[:, None] + stride[:, None] * np.arange(count)
    repeated = tuple(np.repeat(part, count) for part in theta)
    mass = np.exp(family.log_prob(y.ravel(), family.eta(repeated))).reshape(y.shape)
    mass *= stride[:, None]
    mass[beyond] = np.nan
    return y, mass


def _panels(
    family: Family, theta: Arrays, low: Array, high: Array, beyond: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return what `_masses` does, by rules for panels that grow with the distance from the least.

    Laws that are `beyond` the numbers have no mass that is a number.
    """
    from skmle.families.tools.expectation import rule_of_counts  # it imports all of the quadrature

    low, high = np.where(beyond, 0.0, low), np.where(beyond, 1.0, high)
    columns = tuple(part[:, None] for part in theta)
    inner = family.quantile(_LEVELS, columns), family.upper_quantile(_LEVELS[:-1], columns)
    reach = _SHORTEST * 2.0 ** np.arange(np.ceil(np.log2((high - low).max() / _SHORTEST + 2.0)) + 1)
    top = inner[1][:, -1:]
    marks = np.hstack([*inner, low[:, None] + reach, top + reach, high[:, None] + 1.0])
    edges = np.sort(np.hstack([low[:, None], np.clip(marks, low[:, None], high[:, None] + 1.0)]))
    y, weights = rule_of_counts(edges[:, :-1].ravel(), edges[:, 1:].ravel())
    used = (weights != 0.0).any(axis=0)
    y, weights = (part[:, used].reshape(len(low), -1) for part in (y, weights))
    repeated = tuple(np.repeat(part, y.shape[1]) for part in theta)
    mass = weights * np.exp(family.log_prob(y.ravel(), family.eta(repeated))).reshape(y.shape)
    mass[beyond] = np.nan
    return y, mass


def variance_of_counts(family: Family, theta: Arrays) -> Array:
    """Return the variance of laws of whole numbers, (n,), quickly where they are narrow.

    There it is summed over all numbers but for tails of probability 1e-17, which `Law.variance`
    does not leave out.
    """
    low, high = (family.quantile(np.asarray(q), theta) for q in (ndtr(-1.0), ndtr(1.0)))
    wide = 0.5 * (high - low) >= 2.0 * _TO_A_DEVIATION
    result = np.empty(wide.shape)
    if wide.any():
        from skmle.families.tools.numerical import variance

        result[wide] = variance(family, tuple(part[wide] for part in theta))
    if not wide.all():
        narrow = tuple(part[~wide] for part in theta)
        y, mass = _masses(family, narrow, np.ones(len(narrow[0])))
        mean = (y * mass).sum(axis=1, keepdims=True)
        result[~wide] = ((y - mean) ** 2 * mass).sum(axis=1)
    return result


def knows_curvature(family: Family) -> bool:
    """Return whether the curvature of `family.rows` is the expected one already."""
    return family.knows_curvature and not family.relinked


def expected_rows(family: Family) -> Callable[[Arrays, Arrays, int], Rows]:
    """Return `family.rows` with the expected curvature; with its own, if no other is known."""
    if knows_curvature(family):
        return family.rows

    def rows(statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        result = family.rows(statistics, eta, order)
        if order < 2:
            return result
        expected = _linked(family, statistics, family.chart(eta), eta)
        return result if expected is None else result._replace(curvature=expected)

    return rows


def expected_with_derivatives(
    family: Family, statistics: Arrays, eta: Arrays, n: int, order: int
) -> Rows:
    """Return the expected curvature of n rows, a number for each pair of parameters, as `Rows`.

    Its value is (pairs, n), and so are the entries of its gradient and curvature in linked `eta`.
    They are found by differences, whose steps are those of the charts, as these are pure numbers:
    a linked eta may have a unit, and an end next to it.
    """
    jets = jets_of_charts(family, eta)
    units = [None if jet is None else 1.0 / np.abs(jet[1]) for jet in jets]

    def entries(moves: Arrays) -> Array:
        at = tuple(
            e + (move if unit is None else move * unit)
            for e, move, unit in zip(eta, moves, units, strict=True)
        )
        expected = _linked(family, statistics, family.chart(at), at)
        assert expected is not None, "asked for before"
        packed = expected.packed() if isinstance(expected, Softmax) else expected
        return np.stack([np.broadcast_to(0.0 if e is None else e, n) for e in packed])

    still = np.zeros(())
    scaled = [None if unit is None else (still, 1.0 / unit, still) for unit in units]
    with np.errstate(all="ignore"):
        return through_links(differences(entries, (still,) * len(eta), order), scaled)


def _linked(family: Family, statistics: Arrays, chart: Arrays, eta: Arrays) -> Any:
    """Return the expected curvature in linked eta, in the form of `evaluate`; None: not known."""
    expected = family.expected_curvature(statistics, chart)
    if expected is None or not family.relinked:
        return expected
    slopes = [1.0 if jet is None else jet[1] for jet in jets_of_charts(family, eta)]
    return tuple(
        None if entry is None else entry * slopes[a] * slopes[b]
        for (a, b), entry in zip(triangle(len(eta)), expected, strict=True)
    )


def jets_of_charts(family: Family, eta: Arrays) -> list[Jet | None]:
    """Return each chart eta as a function of its linked eta; None where they are the same."""
    return [
        None if family.link(j) is p.chart else transition(family.link(j), p.chart)(eta[j])
        for j, p in enumerate(family.parameters)
    ]
