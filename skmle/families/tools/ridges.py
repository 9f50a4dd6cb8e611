"""Bent ridges of a likelihood: the maximum along them, or that there is none.

Where two parameters stand for each other, as a shape and a scale, the likelihood is highest along a
line that bends, on which steps of Newton's method are short. So one parameter is led along it, by
steps that double, and at each place the others are where the likelihood is highest, which lies near
the line through the last two places. If the likelihood rises as far out as numbers tell anything,
the law tends to a simpler one, and there is no maximum.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.climbing import Climb, Eta, Value, climb, outer_products

# The least eigenvalue of the products of gradients, scaled to a unit diagonal, from which there is
# a ridge: fits of more took Newton's method less than ten steps. Measured on the laws of scipy.
_NARROW = 2e-4
# Where it is rounding, parameters stand for each other exactly: differences of rows have an error
# of 1e-9. And the root mean square of a row's slope in an eta on which nothing depends.
_LEVEL, _UNUSED = 1e-12, 1e-8
_FIRST, _SHORTEST, _LONGEST = (
    0.25,
    0.05,
    2.0,
)  # steps of the parameter that is led, on its chart; chosen
_PLACES, _CLOSER = 24, 5  # places along a ridge, and to its top, at most
# Steps of a climb in the others, how near it comes to their best place, in standard errors, and how
# far it is where it has lost the way; chosen.
_STEPS, _NEAR, _LOST = 12, 1e-3, 0.1
# Nats in total that tell one place from another; and how far out, on a chart, the law is a simpler
# one: exp(14) is a million.
_GAIN, _OUT = 1e-5, 14.0
# Nats in total that a place nearer by may lack, from which one farther out is no better: of laws
# next to the simpler one 1e-3 at most were seen, for 1000 rows. And how far out it is.
_SAME, _NEARER = 1e-2, 13.0


class Followed(NamedTuple):
    """Where the way along a ridge has ended."""

    best: Climb
    runs_off: bool = False
    """Whether the likelihood was still rising, or level, far out."""
    level: Array | None = None
    """A change of eta that changes no row's likelihood; None if there is none."""


def _tells(start: Climb, logs: Sequence[int]) -> bool:
    """Return whether a climb has ended at a place that tells of ridges, not far out."""
    eta = np.array(start.eta)
    near = bool(np.abs(eta[list(logs)]).max(initial=0.0) <= _OUT)
    return len(eta) > 1 and bool(np.isfinite(start.value)) and near


def _level_far_out(
    value: Value, start: Climb, weight: Array | None, until: float, logs: Sequence[int]
) -> bool:
    """Return whether a climb has ended far out where a place much nearer by is as likely.

    The law then tends to a simpler one: the data do not tell the parameter that is farthest out.
    """
    eta = np.array(start.eta)
    if len(eta) < 2 or not np.isfinite(start.value):
        return False
    nearer = np.array(eta)
    nearer[list(logs)] = np.clip(eta[list(logs)], -_NEARER, _NEARER)
    j = max(logs, key=lambda i: abs(eta[i]))

    def others(rest: Eta) -> Array:
        return value((*rest[:j], float(nearer[j]), *rest[j:]))

    rest = tuple(map(float, np.delete(nearer, j)))
    run = climb(others, rest, weight, _STEPS, until, _NEAR)
    mass = len(value(start.eta)) if weight is None else float(weight.sum())
    return bool(abs(run.value - start.value) * mass < _SAME)


def followed(
    value: Value, start: Climb, weight: Array | None, until: float, logs: Sequence[int]
) -> Followed:
    """Return the highest place along the ridge on which a climb has ended; itself, if on none.

    Parameters
    ----------
    value : callable
    start : Climb
    weight : ndarray of shape (n,), optional
    until : float
        The processor time, of `time.thread_time`, at which it ends at the latest.
    logs : sequence of int
        The eta that are logarithms, of which one is led; if there is none, any is.
    """
    eta = np.array(start.eta)
    if not _tells(start, logs):
        return Followed(start, runs_off=_level_far_out(value, start, weight, until, logs))
    outer, mass = outer_products(value, start.eta, weight)
    unit = np.sqrt(np.maximum(outer.diagonal(), 1e-300))
    if not np.isfinite(outer).all():
        return Followed(start)
    if (unused := np.flatnonzero(unit < _UNUSED)).size:
        return Followed(start, level=np.eye(len(eta))[unused[0]])
    least, axes = np.linalg.eigh(outer / np.outer(unit, unit))
    way = axes[:, 0] / unit
    if least[0] < _LEVEL:
        return Followed(start, level=way)
    if least[0] > _NARROW:
        return Followed(start)
    j = max(logs or range(len(eta)), key=lambda i: abs(way[i]))
    way = way / way[j]

    def at(place: float, guess: Array) -> Climb:
        """Return the best place with parameter j there."""

        def others(rest: Eta) -> Array:
            return value((*rest[:j], place, *rest[j:]))

        run = climb(others, tuple(np.delete(guess, j)), weight, _STEPS, until, _NEAR)
        full = (*run.eta[:j], place, *run.eta[j:])
        # What is left to gain is half of the squared distance.
        left = min(run.distance, 1.0) ** 2 / (2.0 * mass)
        return Climb(full, run.value - left, run.distance)

    gain = _GAIN / mass
    here = at(float(eta[j]), eta)
    sides = [at(float(eta[j] + s * _FIRST), eta + s * _FIRST * way) for s in (1.0, -1.0)]
    ahead = min(sides, key=lambda run: run.value)
    if not ahead.value < here.value - gain:
        return Followed(_top(at, [sides[0], here, sides[1]], j, until))
    step, longer = ahead.eta[j] - here.eta[j], 2.0
    for _ in range(_PLACES):
        if abs(ahead.eta[j]) > _OUT:
            return Followed(ahead, runs_off=True)
        if time.thread_time() > until:
            break
        slope = (np.array(ahead.eta) - here.eta) / (ahead.eta[j] - here.eta[j])
        step, longer = float(np.clip(longer * step, -_LONGEST, _LONGEST)), 2.0
        beyond = at(ahead.eta[j] + step, np.array(ahead.eta) + step * slope)
        while beyond.distance > _LOST and abs(step) > _SHORTEST:  # the ridge has bent away
            step, longer = 0.5 * step, 1.0
            beyond = at(ahead.eta[j] + step, np.array(ahead.eta) + step * slope)
        if beyond.distance > _LOST:
            break
        if not beyond.value < ahead.value + gain:
            return Followed(_top(at, [here, ahead, beyond], j, until))
        here, ahead = ahead, beyond
    return Followed(ahead)


def _top(at: object, places: list[Climb], j: int, until: float) -> Climb:
    """Return the best place between three, of which the middle one is the best, by parabolas."""
    places = sorted(places, key=lambda run: run.eta[j])
    for _ in range(_CLOSER):
        x, f = np.array([p.eta[j] for p in places]), np.array([p.value for p in places])
        bend = np.polyfit(x - x[1], f - f[1], 2) if np.isfinite(f).all() else np.zeros(3)
        if not bend[0] > 0.0 or time.thread_time() > until:
            break
        there = float(np.clip(x[1] - 0.5 * bend[1] / bend[0], x[0], x[2]))
        near = min(places, key=lambda run: abs(run.eta[j] - there))
        if abs(near.eta[j] - there) < 1e-2 * (x[2] - x[0]):
            break
        etas = np.array([p.eta for p in places])
        guess = np.array([np.interp(there, x, column) for column in etas.T])
        new = at(there, guess)  # type: ignore[operator]
        places = sorted([*places, new], key=lambda run: run.eta[j])
        k = int(np.clip(np.argmin([p.value for p in places]), 1, 2))
        places = places[k - 1 : k + 2]
    return min(places, key=lambda run: run.value)
