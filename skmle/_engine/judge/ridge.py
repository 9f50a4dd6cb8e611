"""Ridges: ways on which the likelihood rises for ever, and which bend.

A law may tend to another one as two of its parameters run off together: a normal law between two
ends becomes an exponential one where location and squared scale run off in proportion. No row's
numbers show that along a straight direction. So the fit is led outwards, and at each distance,
twice the last one, all else is where the likelihood is highest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr

from skmle._engine.evaluation import Array, Solution, value_at_end
from skmle._engine.judge.growth import looks_at
from skmle._engine.judge.limits import UNTOLD
from skmle._engine.judge.loose import units_of
from skmle._engine.judge.separation import Span
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Separated
from skmle._engine.solvers.newton import newton

# Coefficients up to which a ridge is looked for, doublings of the distance, and steps of Newton's
# method at each. 40 doublings lead to 1e12 units. Chosen for the time it takes.
_MOST, _DOUBLINGS, _STEPS = 100, 40, 15
# Distance to a maximum, in standard errors, from which a fit has only begun. Chosen, not measured.
_BEGUN = 10.0
# Gain in nats of a doubling below which another one may show nothing but rounding: far out
# differences of large numbers lose their digits. Chosen, not measured.
_LITTLE = 1e-3
# Share of the largest change of a coefficient below which a change is not told. Chosen, not
# measured.
_UNTOLD_SHARE = 1e-3
# Rounding of the value of a row, a thousand times that of one. Chosen, not measured.
_ROUNDING = 2e-13
# Change of a coefficient in a doubling, in units of its column, from which it runs off: a log scale
# changes by 0.35 where its location doubles. Chosen between, not measured.
_MOVES = 1e-2


class Ridge(NamedTuple):
    """A way on which the likelihood rises as far as it can be told."""

    change: Array
    """The change of the coefficients in the last doubling, zero for those that do not run off."""
    gains: tuple[float, ...]
    """The gain of each doubling, in nats."""

    @property
    def bounded(self) -> bool:
        """Whether the likelihood comes to a finite supremum there."""
        return self.gains[-1] <= UNTOLD or len(self.gains) < _DOUBLINGS


def ridge(likelihood: Likelihood, solution: Solution) -> Ridge | None:
    """Return the ridge on which a fit without a maximum has stopped; None if there is none."""
    objective, step = likelihood.objective, solution.step
    begun = np.isfinite(solution.distance) and solution.distance > _BEGUN
    if objective.lasso is not None or len(step) > _MOST or begun:
        return None
    quiet = replace(objective, watch=None, alarm=None)
    unit = units_of(quiet)
    looks = looks_at(likelihood.family, quiet, solution.coef)
    for s, term, size in zip(quiet.design.slices, quiet.design.terms, looks.units, strict=True):
        unit[s.start : s.stop + term.intercept] /= size
    size = float(np.linalg.norm(step * unit))
    if not (size > 0.0 and np.isfinite(size)):
        return None
    way = step * unit / size
    across = qr(way[:, None])[0][:, 1:] / unit[:, None]
    so_far = max(1.0, abs(float(way @ (solution.coef * unit))))
    value = quiet(solution.coef, 0).value
    gains: list[float] = []
    coef, change = solution.coef, np.zeros_like(step)
    place = ahead = np.zeros(len(step) - 1)
    rounding = _ROUNDING * (1.0 + abs(value)) * quiet.size
    for k in range(_DOUBLINGS):
        span = Span(quiet, across, solution.coef + so_far * 2.0**k * way / unit)
        found = newton(span, ahead, max_iter=_STEPS)
        gain = (value - value_at_end(span, found)) * quiet.size
        if not gain >= -max(rounding, UNTOLD):
            shrunk = len(gains) > 1 and gains[-1] < min(_LITTLE, gains[-2])
            return _of(change, unit, gains) if shrunk else None
        # All else goes on by as much as in the doubling before, as logarithms do.
        ahead = found.coef + (found.coef - place if k > 0 else 0.0)
        place, there = found.coef, span.origin + across @ found.coef
        change, coef = there - coef, there
        value = value_at_end(span, found)
        gains.append(gain)
        if gain <= UNTOLD:
            break
    return _of(change, unit, gains)


def _of(change: Array, unit: Array, gains: list[float]) -> Ridge:
    return Ridge(np.where(np.abs(change) * unit > _MOVES, change, 0.0), tuple(gains))


def in_words(likelihood: Likelihood, found: Ridge) -> str:
    """Return where the parameters run to, and whether the likelihood has a bound there."""
    bound = "towards a finite supremum" if found.bounded else "without bound"
    return f"the likelihood rises {bound} as {ends_of(likelihood, found.change)}"


def ends_of(likelihood: Likelihood, change: Array) -> str:
    """Return to which ends of their ranges a change of the coefficients moves the parameters."""
    family, design, ends = likelihood.family, likelihood.design, []
    change = _without_little(change)
    for j, (param, s, term) in enumerate(
        zip(family.parameters, design.slices, design.terms, strict=True)
    ):
        if change[s].any():
            ends.append(f"the coefficients of {param.name} run off")
        elif term.intercept and change[s.stop]:
            with np.errstate(all="ignore"):
                end = float(family.link(j).theta(np.asarray(np.copysign(np.inf, change[s.stop]))))
            ends.append(f"{param.name} tends to {end:g}")
    return " and ".join(ends)


def _without_little(change: Array) -> Array:
    return np.where(np.abs(change) > _UNTOLD_SHARE * np.abs(change).max(initial=0.0), change, 0.0)


def columns_of(likelihood: Likelihood, found: Ridge) -> Separated | None:
    """Return the record of what runs off in the user's terms; None of a density."""
    if not likelihood.design.modelled:
        return None
    here, there = likelihood.raw(np.zeros_like(found.change)), likelihood.raw(found.change)
    pairs = zip(here, there, strict=True)
    way = tuple((to - slopes, up - start) for (slopes, start), (to, up) in pairs)
    loose = tuple((slopes != 0.0, bool(start)) for slopes, start in way)
    return Separated(way=way, loose=loose, rows=np.zeros(0, np.intp), apart=False)
