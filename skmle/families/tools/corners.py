"""Corners of a density: places inside its support at which its logarithm has no derivative.

Where the parameters move such a corner, the likelihood has one wherever an observation meets it, so
that no Newton step arrives at its maximum, and its curvature there tells no standard errors.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.climbing import Climb, Eta, compass, errors_alone, mean_of
from skmle.families.tools.scipy_frame import Frame

# Numbers between the extreme observations at which a corner is looked for, places that are looked
# at closely, how many times, and the numbers there. The interval between two numbers shrinks from
# about 0.02 of the data's spread to 3e-7, where rounding changes a slope by 1e-8; chosen.
_POINTS, _PLACES, _LEVELS, _CLOSE = 257, 5, 4, 33
# The least change of slope, per unit of the frame, that is looked at: that of Laplace's law with a
# scale of 40. And the power of the interval by which it may shrink with it: it is 0 at a corner, 1
# where the logarithm has two derivatives, 0.3 where it is as |z|^1.3; chosen between.
_LEAST, _POWER = 0.05, 0.15
_MOVES = (1e-2, 1e-3)  # of an eta, by which is seen whether a corner moves with it; chosen
# Standard errors around a place in which maxima are looked for, places there, and those from which
# a compass leads on; chosen.
_AROUND, _SCANNED, _FOLLOWED = 4.0, 161, 3
# Steps of a compass in standard errors: the first, the last of each place, and of the best; chosen.
_STEPS = (0.5, 1e-2, 1e-6)
_SHRINKS = 1 / 30  # change of the second difference: 1/10 at a corner, else 1/100


class Corner(NamedTuple):
    """A place inside the support where the density's logarithm has no derivative."""

    y: float
    power: float
    """p if the density is as |y - place|^p there; 0 at a corner of finite slopes.

    From 1 on, the information is finite, as without a corner.
    """
    moved_by: tuple[int, ...] = ()
    """The coordinates that move it."""


def moving_corner(frame: Frame, y: Array, eta: Eta) -> Corner | None:
    """Return a corner of the law between the observations that some parameter moves; None if none.

    Parameters
    ----------
    frame : Frame
    y : ndarray of shape (n,)
        Observations in the frame's unit.
    eta : tuple of float
        The law's parameters, in the frame's coordinates.
    """
    low, high = np.arcsinh(y.min()), np.arcsinh(y.max())
    grid = np.sinh(np.linspace(low, high, _POINTS))
    jumps = _jumps(frame, grid, eta)
    around = np.maximum(np.append(jumps[1:], 0.0), np.append(0.0, jumps[:-1]))
    peaks = np.flatnonzero((jumps >= around) & (jumps > _LEAST))
    for at in peaks[np.argsort(-jumps[peaks])][:_PLACES]:
        corner = _closer(frame, eta, grid[at], grid[at + 2])
        if corner is not None and corner.power < 1.0:
            if moved_by := _moved_by(frame, corner.y, eta):
                return corner._replace(moved_by=moved_by)
    return None


def _jumps(frame: Frame, grid: Array, eta: Eta) -> Array:
    """Return the absolute changes of the slope of -log q at the inner points of a grid."""
    with np.errstate(invalid="ignore"):
        slopes = np.diff(frame.value(grid, eta)) / np.diff(grid)
        return np.nan_to_num(np.abs(np.diff(slopes)), nan=0.0, posinf=0.0)


def _closer(frame: Frame, eta: Eta, low: float, high: float) -> Corner | None:
    """Return the corner in an interval, in which slopes change however short it becomes."""
    changes, widths = [], []
    for _ in range(_LEVELS):
        grid = np.linspace(low, high, _CLOSE)
        jumps = _jumps(frame, grid, eta)
        at = int(np.argmax(jumps))
        changes.append(jumps[at])
        widths.append(grid[1] - grid[0])
        low, high = grid[at], grid[at + 2]
    if not changes[-1] > 0.0:
        return None
    power = np.log(changes[-1] / changes[0]) / np.log(widths[-1] / widths[0])
    if power > _POWER:
        return None
    middle = 0.5 * (low + high)
    if power > -0.5:
        return Corner(middle, 0.0)
    near, far = frame.value(middle + (high - low) * np.array([8.0, 64.0]), eta)
    return Corner(middle, float((near - far) / np.log(8.0)))


def _moved_by(frame: Frame, y: float, eta: Eta) -> tuple[int, ...]:
    """Return the eta with which a corner at y moves, so that an observation there meets it."""
    here = np.array([y])

    def bend(j: int, move: float) -> float:
        there = [tuple(e + s * move * (i == j) for i, e in enumerate(eta)) for s in (1, -1, 0)]
        ahead, behind, middle = (float(frame.value(here, e)[0]) for e in there)
        return abs(ahead + behind - 2.0 * middle)

    wide, close = _MOVES
    return tuple(j for j in range(len(eta)) if bend(j, close) > _SHRINKS * bend(j, wide))


def best_at_corner(
    frame: Frame, y: Array, weight: Array | None, eta: Eta, corner: Corner, until: float
) -> Climb:
    """Return the maximum near eta of a likelihood with a corner wherever an observation meets one.

    It has many local maxima, about as far apart as the observations. So places along the
    coordinates that move the corner are compared, and a compass leads on from the best of them.
    """

    def value(at: Eta) -> Array:
        return frame.value(y, at)

    start = Climb(eta, mean_of(value(eta), weight), np.inf)
    unit = errors_alone(value, eta, weight)
    places = [start]
    for j in corner.moved_by:
        for step in np.linspace(-_AROUND, _AROUND, _SCANNED) * unit[j]:
            there = tuple(e + step * (i == j) for i, e in enumerate(eta))
            places.append(Climb(there, mean_of(value(there), weight), np.inf))
    places.sort(key=lambda run: run.value)
    runs: list[Climb] = []
    for place in places:
        near = [run for run in runs if np.all(np.abs(np.subtract(run.eta, place.eta)) < unit / 4)]
        if len(runs) < _FOLLOWED and (not runs or (not near and time.thread_time() < until)):
            runs.append(compass(value, place, weight, until, _STEPS[:2]))
    best = min(runs, key=lambda run: run.value)
    return compass(value, best, weight, until, _STEPS[1:])
