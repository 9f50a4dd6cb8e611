"""Rows that have run off to infinity, and the likelihood that is left there.

Along a direction of recession some rows tend to a limit: an outcome becomes certain, a class
impossible. A large constant shift of their eta puts them there, and the likelihood that is left
does not change along the direction any more. Of what is left, further rows may run off.

References
----------
Geyer (2009), Likelihood inference in exponential families and directions of recession, Electronic
Journal of Statistics 3.
Correia, Guimaraes & Zylkin (2019), Verifying the existence of maximum likelihood estimates for
generalized linear models, arXiv:1903.01633.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family, Rows

# Share of the largest entry below which two changes of eta are equal but for rounding. It is the
# margin of the proofs of separation.
_EQUAL = 1e-9
# Shifts of eta that are tried, the smallest first. exp(-40) is the rounding of one, so that most
# laws have come to their limit there; Cauchy's tails need 1e17.
_FIRST, _FACTOR, _MOST = 40.0, 8.0, 20
# Relative difference of two values of -log q that counts as rounding.
_ROUNDING = 1e-15


class Behind(NamedTuple):
    """Which rows have run off, and along which change of their eta."""

    delta: Arrays
    """The change of each eta, (n,) each, zero in all rows that have not run off.

    In each row the smallest difference of two changes, or of a change and zero, is one.
    """

    @classmethod
    def of(cls, delta: Arrays) -> Behind:
        """Return the rows that a cleaned direction moves."""
        return cls(_with_unit_gaps(delta, _rounding(delta)))

    @property
    def moved(self) -> NDArray[np.bool_]:
        """The rows that have run off in some eta."""
        return np.any([e != 0.0 for e in self.delta], axis=0)

    def then(self, delta: Arrays) -> Arrays:
        """Return the change that goes along this one infinitely far, and then along `delta`."""
        size = np.max([np.abs(e) for e in delta], axis=0)
        # The differences are at least one here, and at most twice the size there. Where nothing
        # moves there, they are as large as elsewhere, or they would pass for rounding.
        far = 16.0 * np.where(size > 0.0, size, size.max(initial=0.0) or 1.0)
        return tuple(far * old + new for old, new in zip(self.delta, delta, strict=True))

    def further(self, delta: Arrays) -> Behind:
        """Return these rows and those that run off along `delta` afterwards."""
        return Behind(_with_unit_gaps(self.then(delta), _rounding(delta)))

    def limit(self, objective: Objective) -> Objective:
        """Return the objective that is left where these rows have run off."""
        shifted = [j for j, e in enumerate(self.delta) if e.any()]
        sizes = _sizes(objective, self)
        shifts = tuple(self.delta[j] * sizes for j in shifted)
        original, m = objective.rows, len(objective.statistics)

        def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
            moved = list(eta)
            for j, shift in zip(shifted, statistics[m:], strict=True):
                moved[j] = moved[j] + shift
            return original(statistics[:m], tuple(moved), order)

        return replace(objective, rows=rows, statistics=(*objective.statistics, *shifts))


def of_charts(family: Family, delta: Arrays) -> Arrays:
    """Return a change of linked eta as a change in the family's own coordinates.

    Links may fall where the parameter rises. Beyond the end of a link's domain there is no law: a
    change that leads there is nan, so that it proves nothing.
    """
    if not family.relinked:
        return delta
    result = []
    for j, (param, change) in enumerate(zip(family.parameters, delta, strict=True)):
        link = family.link(j)
        if link is param.chart:
            result.append(change)
            continue
        with np.errstate(all="ignore"):
            ends = [float(link.forward(np.asarray(e, float))) for e in param.chart.domain]
        up = 1.0 if ends[1] == np.inf else -1.0 if ends[0] == np.inf else np.nan
        down = -1.0 if ends[0] == -np.inf else 1.0 if ends[1] == -np.inf else np.nan
        sign = np.where(change > 0.0, up, np.where(change < 0.0, -down, 0.0))
        result.append(np.where(change == 0.0, 0.0, sign * change))
    return tuple(result)


def _rounding(delta: Arrays) -> float:
    """Return up to which size a change of eta is rounding of those in other rows."""
    return _EQUAL * max((float(np.abs(e).max(initial=0.0)) for e in delta), default=0.0)


def _with_unit_gaps(delta: Arrays, rounding: float) -> Arrays:
    """Return changes whose smallest difference within a row is one; zero is one of the changes."""
    moved = np.flatnonzero(np.any([e != 0.0 for e in delta], axis=0))
    entries = np.stack([np.zeros(len(moved)), *(e[moved] for e in delta)])
    order = np.argsort(entries, axis=0, kind="stable")
    ranked = np.take_along_axis(entries, order, axis=0)
    steps = np.diff(ranked, axis=0)
    steps[steps <= np.maximum(_EQUAL * np.abs(ranked).max(axis=0), rounding)] = 0.0
    least = np.min(np.where(steps > 0.0, steps, np.inf), axis=0)
    steps /= np.where(np.isfinite(least), least, 1.0)
    heights = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    gaps = np.empty_like(entries)
    np.put_along_axis(gaps, order, heights, axis=0)
    result = np.zeros((len(delta), len(delta[0])))
    result[:, moved] = gaps[1:] - gaps[0]
    return tuple(result)


def _sizes(objective: Objective, behind: Behind) -> Array:
    """Return by how many units of its change each row is shifted to be at its limit."""
    n, moved = objective.design.n, np.flatnonzero(behind.moved)
    sizes = np.zeros(n)
    if not len(moved):
        return sizes
    statistics = objective.statistics_of(moved)
    delta = [e[moved] for e in behind.delta]
    offset = objective.design.offset
    centre = np.zeros(len(moved)) if offset is None else offset[moved]

    def value(size: float) -> Array:
        eta = [np.asarray(size * e) for e in delta]
        eta[0] = eta[0] + centre
        with np.errstate(all="ignore"):
            found = objective.rows(statistics, tuple(eta), 0).value
        return np.broadcast_to(np.asarray(found, float), (len(moved),))

    chosen = np.full(len(moved), _FIRST)
    settled = np.zeros(len(moved), bool)
    size, here = _FIRST, value(_FIRST)
    for _ in range(_MOST):
        there = value(_FACTOR * size)
        with np.errstate(invalid="ignore"):
            same = np.abs(there - here) <= _ROUNDING * (1.0 + np.abs(here))
        # A larger shift leaves room for the other coefficients to move.
        chosen[~settled & np.isfinite(there)] = _FACTOR * size
        settled |= same | ~np.isfinite(there)
        if settled.all():
            break
        size, here = _FACTOR * size, there
    sizes[moved] = chosen
    return sizes
