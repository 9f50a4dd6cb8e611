"""A law of one number as weighted observations, under which averages are exact to many digits.

The nodes are those of the rules by which `expectation` sums and integrates: its coordinates, its
panels, and its halving until the halves agree with the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from skmle.families.tools.expectation import Array, rule_of_counts
from skmle.families.tools.sides import Index, Sides, first_panels, sides_of
from skmle.information.laws import Line

# The halves of a panel differ from the whole by less than this share of the sum of absolute values;
# the halves, which are kept, are better than that by orders of magnitude.
_AGREEMENT = 1e-11
_FLOOR = 1e-5  # as in `expectation`: below it no digits of a sum are looked for
_HALVINGS = 60  # a double has 53 binary digits
# Share of an average that no digit of a double shows, by a margin.
_LEAST = 1e-20
# A mass that is more than the rounding error of the sum of all others.
_SHOWS = 1e-13
_CROWD = 512  # open panels whose differences must be rounding errors, which no halving cures
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)

Functions = Callable[[Array], Array]
"""From points (n,) to the values there of m functions, (m, n)."""


class Nodes(NamedTuple):
    """Points of a law and their probabilities."""

    y: Array
    weight: Array
    at_ends: float = 0.0
    """The mass next to the ends of the support, too near for floats to tell it from there."""


def nodes_of(
    p: Line,
    functions: Functions,
    q: Line | None = None,
    *,
    cuts: Sequence[float] = (),
    least: float = _LEAST,
) -> Nodes:
    """Return nodes under which the averages of some functions are those under the law.

    Parameters
    ----------
    p : Line
        A single law.
    functions : callable
    q : Line, optional
        A law near whose quantiles the functions may bend.
    cuts : sequence of float
        Where panels shall end, as a rule does not see what is next to the end of its panel.
    least : float
        The share of each average below which a node is left out.
    """
    with np.errstate(all="ignore"):  # the law is asked far out in its tails
        averaged = _with_one(functions)
        sides = sides_of(p, (-1.0, 1.0))
        panels = first_panels(sides, p, p if q is None else q)
        for cut in cuts:
            panels = _cut(sides, *panels, cut)
        rule = _Rule(p, sides, averaged)
        parts = _settled(rule, *panels)
        if atoms := p.atoms():
            parts.append((np.array(atoms), np.exp(p.log_prob_at(np.array(atoms)).ravel())))
        y, weight = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        ends, masses = _next_to_ends(p, sides, y, weight)
        y, weight = np.append(y, ends), np.append(weight, masses)
        terms = np.where(weight > 0.0, weight * np.abs(averaged(y)), 0.0)
        counts = (terms > least * terms.sum(axis=1, keepdims=True)).any(axis=0)
    return Nodes(y[counts], weight[counts], float(masses.sum()))


def _next_to_ends(p: Line, sides: Sides, y: Array, weight: Array) -> tuple[Array, Array]:
    """Return the last points before finite ends of the support, and the mass beyond them."""
    side = np.arange(len(sides.row))
    last = sides.place(side, sides.last[:, None])[0][:, 0]
    above = y > sides.centre[0]
    found = np.array([weight[above == (sign > 0.0)].sum() for sign in sides.sign])
    whole = np.array([p.tail(sides.centre[:1], upper=sign > 0.0)[0] for sign in sides.sign])
    missed = whole - found
    shows = np.isfinite(sides.end) & (missed > _SHOWS) & (not sides.lattice)
    return last[shows], missed[shows]


def _with_one(functions: Functions) -> Functions:
    """Return the functions and the number one, whose average is the mass."""
    return lambda y: np.concatenate([np.ones((1, len(y))), functions(y)])


def _cut(
    sides: Sides, side: Index, low: Array, high: Array, at: float
) -> tuple[Index, Array, Array]:
    """Return panels of which none reaches across a point."""
    t = sides.locate(np.full((1, 1), at))[side, 0]
    across = (low < t) & (t < high)  # not where the point is on the other side
    middle = t[across]
    return (
        np.concatenate([side, side[across]]),
        np.concatenate([low, middle]),
        np.concatenate([np.where(across, t, high), high[across]]),
    )


class _Panels(NamedTuple):
    y: Array
    """(panels, nodes)"""
    weight: Array
    sums: Array
    """Of each function, (m, panels)."""
    sizes: Array
    """The same of absolute values."""


class _Rule:
    """Gauss's rule, or that of whole numbers, for panels on the sides of a law."""

    def __init__(self, p: Line, sides: Sides, functions: Functions) -> None:
        self.p, self.sides, self.functions = p, sides, functions

    def __call__(self, side: Index, low: Array, high: Array) -> _Panels:
        if self.sides.lattice:
            t, lengths = rule_of_counts(low, high)
        else:
            half = 0.5 * (high - low)[:, None]
            t, lengths = low[:, None] + half * (1.0 + _NODES), half * _WEIGHTS
        y, log_slope = self.sides.place(side, t)
        log_p = self.p.take(np.zeros(y.size, int)).log_prob(y.ravel()).reshape(y.shape)
        weight = np.exp(log_p + log_slope) * lengths
        weight = np.where(weight > 0.0, weight, 0.0)  # of a density that is no number, none
        values = self.functions(y.ravel()).reshape(-1, *y.shape)
        terms = np.where(weight > 0.0, weight * values, 0.0)
        return _Panels(y, weight, terms.sum(axis=-1), np.abs(terms).sum(axis=-1))


def _settled(rule: _Rule, side: Index, low: Array, high: Array) -> list[tuple[Array, Array]]:
    """Return (points, weights) of panels that were halved until their halves tell nothing new."""
    kept: list[tuple[Array, Array]] = []
    whole, size = rule(side, low, high).sums, 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        middle = np.floor(middle) if rule.sides.lattice else middle
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        side = np.tile(side, 2)
        half = rule(side, low, high)
        count = len(side) // 2
        both = half.sums[:, :count] + half.sums[:, count:]
        # What is settled keeps its size in the scale, though it is not halved any more.
        scale = size + half.sizes.sum(axis=1, keepdims=True)
        # Where both are infinite their difference is nan, and the panel is settled.
        open_ = (np.abs(both - whole) > _AGREEMENT * (scale + _FLOOR)).any(axis=0)
        done = np.tile(~open_, 2)
        kept.append((half.y[done].ravel(), half.weight[done].ravel()))
        size = size + half.sizes[:, done].sum(axis=1, keepdims=True)
        side, low, high, whole = side[~done], low[~done], high[~done], half.sums[:, ~done]
        if not len(side) or len(side) > _CROWD:
            break
    if len(side):
        last = rule(side, low, high)
        kept.append((last.y.ravel(), last.weight.ravel()))
    return kept
