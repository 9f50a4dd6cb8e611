"""A way to the maximum of any likelihood of few constants, from the values of its rows alone.

Newton's method by differences takes about 40 evaluations a step for three parameters. This way
takes 7: the products of the rows' gradients stand for the curvature. It is for starts, from which
one or two of Newton's steps remain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skmle.families.records import Array

Eta = tuple[float, ...]
Value = Callable[[Eta], Array]
"""-log q of the rows at eta; inf where it has none."""

_MOVE = 1e-4  # by which an eta is moved for a derivative: the cube root of eps, and some room
_LONGEST = 3.0  # longest step in any eta: a factor of 20 of a scale or a gap; chosen
_DAMPING, _MORE, _LARGEST = 1e-3, 8.0, 1e6  # Levenberg and Marquardt's, as usual
_NEAR = 0.02  # standard errors from the maximum at which a climb ends: Newton's steps go on
_FAR = 40.0  # absolute eta beyond which nothing is looked for; chosen
_LITTLE, _PATIENCE = 1e-3, 3  # nats in total that so many steps on end have to gain; chosen
_SIMPLEX = 60  # evaluations for each parameter that a simplex may take, where derivatives mislead
# A compass: the factor between its steps, turns of the axes that have to fail before it, and
# evaluations for each parameter. Near a corner, few directions lead down: of a scale beside a
# median, it came to 5e-4 standard errors by turns at random, to 1e-6 with the coordinates too.
_SHRINK, _TURNS, _LOOKS = 0.25, 3, 1000


class Climb(NamedTuple):
    """Where a climb has ended."""

    eta: Eta
    value: float
    """The mean of -log q."""
    distance: float
    """From the maximum, in standard errors, as the products of gradients tell it."""


def mean_of(values: Array, weight: Array | None) -> float:
    """Return the mean of the rows; inf if some are."""
    with np.errstate(invalid="ignore"):
        mean = float(np.average(values, weights=weight))
    return mean if not np.isnan(mean) else np.inf


def climb(
    value: Value,
    start: Eta,
    weight: Array | None,
    steps: int,
    until: float = np.inf,
    near: float = _NEAR,
    both_sides: bool = True,
) -> Climb:
    """Lower the mean of -log q from a start by steps of Berndt, Hall, Hall and Hausman.

    Parameters
    ----------
    value : callable
    start : tuple of float
    weight : ndarray of shape (n,), optional
    steps : int
        Most steps.
    until : float
        The processor time, of `time.thread_time`, at which it ends at the latest. No step begins
        that would take longer.
    near : float
        Standard errors from the maximum at which it ends.
    both_sides : bool
        Whether differences look at both sides. One takes half the time, and leads as near.
    """
    begun = time.thread_time()
    eta, rows = np.array(start, float), value(start)
    lasts = (len(eta) * (1 + both_sides) + 1) * (time.thread_time() - begun)  # a step, about
    best, damping, distance = mean_of(rows, weight), _DAMPING, np.inf
    mass, idle = len(rows) if weight is None else float(weight.sum()), 0
    for _ in range(steps if len(eta) and np.isfinite(best) else 0):
        if time.thread_time() + lasts > until:
            break
        slopes = _slopes(value, eta, rows, both_sides)
        gradient = np.array([mean_of(slope, weight) for slope in slopes])
        outer = _mean_products(slopes, weight)
        if not (np.isfinite(gradient).all() and np.isfinite(outer).all()):
            break
        unit = np.sqrt(np.maximum(outer.diagonal(), 1e-300))
        scaled, pull = outer / np.outer(unit, unit), gradient / unit
        floor = 1e-10 * np.eye(len(eta))
        distance = float(
            np.sqrt(mass * max(float(pull @ np.linalg.solve(scaled + floor, pull)), 0.0))
        )
        if distance < near:
            break
        before = best
        while damping < _LARGEST and time.thread_time() < until:
            step = -np.linalg.solve(scaled + damping * np.eye(len(eta)), pull) / unit
            step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-300))
            there = np.clip(eta + step, -_FAR, _FAR)
            moved = value(tuple(there))
            if (mean := mean_of(moved, weight)) < best:
                eta, rows, best = there, moved, mean
                damping = damping / _MORE
                break
            damping = max(damping, _DAMPING / _MORE) * _MORE
        idle = 0 if mass * (before - best) > _LITTLE else idle + 1
        if not best < before or idle >= _PATIENCE:
            break
    return Climb(tuple(map(float, eta)), best, distance)


def _mean_products(slopes: Array, weight: Array | None) -> Array:
    """Return the mean of the products of the rows' slopes, (k, k)."""
    share = 1.0 / slopes.shape[1] if weight is None else weight / weight.sum()
    return np.asarray((slopes * share) @ slopes.T)


def outer_products(value: Value, eta: Eta, weight: Array | None) -> tuple[Array, float]:
    """Return the mean product of the rows' gradients, which stands for the curvature, and n."""
    rows = value(eta)
    mass = len(rows) if weight is None else float(weight.sum())
    return _mean_products(_slopes(value, np.array(eta), rows), weight), mass


def _slopes(value: Value, eta: Array, rows: Array, both_sides: bool = True) -> Array:
    """Return the rows' derivatives in each eta, (k, n), one-sided where the other side has none."""
    if not both_sides:
        there = [value(tuple(eta + _MOVE * unit)) for unit in np.eye(len(eta))]
        return (np.array(there) - rows) / _MOVE
    found = np.empty((len(eta), len(rows)))
    for j in range(len(eta)):
        move = np.zeros(len(eta))
        move[j] = _MOVE
        ahead, behind = value(tuple(eta + move)), value(tuple(eta - move))
        with np.errstate(invalid="ignore"):
            found[j] = np.where(
                np.isfinite(ahead),
                np.where(np.isfinite(behind), 0.5 * (ahead - behind), ahead - rows),
                rows - behind,
            )
    return found / _MOVE


def simplex(value: Value, start: Climb, weight: Array | None, until: float) -> Climb:
    """Lower the mean of -log q by Nelder and Mead's simplex, which needs no derivatives."""
    best = start

    def mean(eta: Array) -> float:
        nonlocal best
        if time.thread_time() > until:
            return np.inf
        found = mean_of(value(tuple(map(float, eta))), weight)
        if found < best.value:
            best = Climb(tuple(map(float, eta)), found, np.inf)
        return found

    k = len(start.eta)
    corners = np.array(start.eta) + np.vstack([np.zeros(k), 0.1 * np.eye(k)])
    options = {"initial_simplex": corners, "xatol": 1e-6, "fatol": 1e-10, "maxfev": _SIMPLEX * k}
    with np.errstate(all="ignore"):
        minimize(mean, start.eta, method="Nelder-Mead", options=options)
    return best


def errors_alone(value: Value, eta: Eta, weight: Array | None) -> Array:
    """Return the standard error of each eta if the others were known, from the rows' slopes."""
    outer, mass = outer_products(value, eta, weight)
    squares = outer.diagonal() * mass
    return np.where(np.isfinite(squares) & (squares > 0.0), squares, mass) ** -0.5


def compass(
    value: Value, start: Climb, weight: Array | None, until: float, steps: tuple[float, float]
) -> Climb:
    """Lower the mean of -log q where it has corners, along axes that turn, by ever finer steps.

    It has arrived where no direction of the last, finest steps lowers the mean: its distance is
    then theirs, and else infinite.

    Parameters
    ----------
    value, start, weight, until
        As of `climb`.
    steps : (float, float)
        The first and the last, in standard errors that the other parameters leave.

    References
    ----------
    Audet and Dennis (2006), Mesh adaptive direct search algorithms, SIAM J. Optim. 17.
    """
    best, k, rng = start, len(start.eta), np.random.default_rng(0)
    unit = errors_alone(value, start.eta, weight)
    (step, fine), looks, failed = steps, 0, 0
    while step > fine:
        # Along a corner it may be one coordinate that leads down.
        axes = np.linalg.qr(rng.normal(size=(k, k)))[0] if failed else np.eye(k)
        lower = False
        for way in np.concatenate([axes, -axes]):
            if looks > _LOOKS * k or time.thread_time() > until:
                return best._replace(distance=np.inf)
            length = step
            while True:  # twice as far as long as it gains
                there = tuple(map(float, np.array(best.eta) + length * way * unit))
                looks += 1
                if not (mean := mean_of(value(there), weight)) < best.value:
                    break
                best, lower, length = Climb(there, mean, np.inf), True, 2.0 * length
        failed = 0 if lower else failed + 1
        if failed == _TURNS:
            step, failed = _SHRINK * step, 0
    return best._replace(distance=step)
