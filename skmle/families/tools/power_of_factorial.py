"""Sums over counts of masses lambda^y / (y!)^nu, of laws that are told by their mean and nu.

Next to the mean there is a whole number k >= 1. With the *tilt* c = log lambda - nu log k, the mass
of y over that of k is exp(c (y - k) - nu o(y)), where

    o(y) = log y! - log k! - (y - k) log k = bregman(y, k) + stirling(y) - stirling(k)

is small near k, and 0 at k and k - 1: nothing large cancels, however large the counts are. The tilt
is the root of mean(c) = mean, by Newton's method. Masses are told over that of the one of k - 1 and
k which is nearer to the mean, the *origin*: of a mean near zero it is zero.

A sum of few counts is taken one by one. Of many, the first ones are, and the rest is an integral
with Gregory's correction at its begin, in panels of Gauss's rule: they double in length from the
first counts on, and are then a tenth of the whole, so that a panel is at most two standard
deviations long and at most as long as it is far from -1, where y! has its pole.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import binom

from skmle.families.records import Array
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.special import LOG_2PI, binet

Places = NDArray[np.intp]

# Nats by which a mass is below that of k from where on it does not matter, and nats that the masses
# at the ends of a sum are at least below the largest, else the sum is taken again.
_NEGLIGIBLE, _ENOUGH = 48.0, 38.0
_ONE_BY_ONE = (32, 64, 128, 256)  # how many counts are summed one by one, at most
# Beyond them: counts before the first panel, at least and less than; the number of differences of
# Gregory's correction, and of panels of full length.
_FIRST, _BEFORE, _DIFFERENCES, _FULL = 16, 32, 16, 9
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(12))
_ENTRIES = 2**19  # terms that are summed at once
_STEPS, _AGAIN = 200, 4  # of the search for a root, and of the search for where a sum ends, at most
# The root's error in standard deviations, which a linear step then takes away; and in roundings.
_CLOSE, _ROUNDED = 1e-12, 1e-15
_LEAST_NU, _LARGEST_NU = 1e-290, 1e290


class Sums(NamedTuple):
    """What sums over the counts tell of laws: averages of D = y - mean, and of the residual R.

    R = o(y) - E o - slope D is what o differs by from its regression on y.
    """

    near: Array
    """The whole number k."""
    origin: Array
    tilt: Array
    log_total: Array
    """log of the sum of the masses over that of the origin."""
    offset: Array
    """E o."""
    slope: Array
    """Cov(o, y)/Var(y)."""
    dd: Array
    rr: Array
    ddd: Array
    ddr: Array
    drr: Array


def offset(d: Array, near: Array) -> Array:
    """Return o(k + d) of counts beside the whole numbers k = near; o(0) is k log k - log k!."""
    y = near + d
    some = np.where(y > 0.0, y, 1.0)
    here, there = binet(some, 0)[0], binet(near, 0)[0]
    value = some * gap_beside(-d / some, near / some) + 0.5 * np.log1p(d / near) + here - there
    value = np.where(y > 0.0, value, near - 0.5 * (LOG_2PI + np.log(near)) - there)
    return np.where(d == -1.0, 0.0, value)


def sums(mean: Array, nu: Array) -> Sums:
    """Return the sums of laws with these means and nu, 0 < mean < inf; equal ones once."""
    mean, nu = np.broadcast_arrays(np.asarray(mean, float), np.asarray(nu, float))
    nu = np.clip(nu, _LEAST_NU, _LARGEST_NU)
    if mean.size == 1:
        return Sums(*_one(float(mean.item()), float(nu.item())).reshape(-1, *mean.shape))
    cases, place = np.unique(mean.ravel() + 1j * nu.ravel(), return_inverse=True)
    return Sums(*_all(cases.real, cases.imag)[:, place.ravel()].reshape(-1, *mean.shape))


@lru_cache(maxsize=64)  # a fit asks for the masses of a law and for their tails
def _one(mean: float, nu: float) -> Array:
    return _all(np.array([mean]), np.array([nu]))


def _all(mean: Array, nu: Array) -> Array:
    """Return the sums of each law, one below the other."""
    found = np.full((len(Sums._fields), len(mean)), np.nan)
    with np.errstate(all="ignore"):  # far out
        near = np.maximum(np.ceil(mean), 1.0)
        tilt = _first_tilt(mean, nu, near)
        todo = np.flatnonzero(np.isfinite(tilt) & (mean > 0.0))
        for _ in range(_AGAIN):
            edge = np.zeros(len(mean), bool)
            for part, grid in _grids(tilt, nu, near, todo):
                solved, edge[part] = _solved(mean[part], nu[part], near[part], tilt[part], grid)
                found[:, part] = np.stack(solved)
                tilt[part] = solved.tilt
            todo = np.flatnonzero(edge)
            if not len(todo):
                break
    return found


class _Grid(NamedTuple):
    """Counts less k, and the weights of their masses in sums: (laws, counts)."""

    d: Array
    weight: Array
    o: Array


def _first_tilt(mean: Array, nu: Array, near: Array) -> Array:
    """Return about the root.

    E y^nu = lambda, so that lambda is less than mean^nu if nu < 1; and then it is more than that of
    the geometric law, mean/(1 + mean). Where two neighbours have nearly all mass, c is the logit of
    that of the larger one, and no more than where the next neighbour comes in.
    """
    ratio = mean / near
    above = nu * np.where(ratio > 0.5, np.log1p((mean - near) / near), np.log(ratio))
    if np.all(nu == 1.0):
        return above
    by_normal = nu * np.log1p((mean + 0.5 * (nu - 1.0) / nu - near) / near)
    geometric = -np.log1p(1.0 / mean) - nu * np.log(near)
    wide = np.where(nu * mean > 1.0, by_normal, nu * above + (1.0 - nu) * geometric)
    wide = np.clip(wide, geometric, above)
    share = mean - (near - 1.0)
    pair = np.clip(
        np.log(share) - np.log1p(-share),
        np.where(near > 1.0, 0.5 * nu * np.log1p(-1.0 / near), -np.inf),
        0.5 * nu * np.log1p(1.0 / near),
    )
    narrow = nu > 4.0 * mean
    return np.where(nu < 1.0, wide, np.where(narrow, pair, by_normal))


def _grids(
    tilt: Array, nu: Array, near: Array, todo: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], _Grid]]:
    """Yield laws of sums of the same length, and where these sums look."""
    tilt, nu, near = tilt[todo], nu[todo], near[todo]
    # By bounds of bregman(y, k), of x = (y - k)/k: x^2/2 below k, x^2/(2 + 2 x/3) above; and of
    # stirling(y) - stirling(k) below k: 0.7 x if x > -1/2, and -log(k)/2 - 1/12.
    curve, line = nu * near, tilt * near
    down = _root(curve, line - 0.7 * nu, _NEGLIGIBLE)
    far = _root(curve, line, _NEGLIGIBLE + nu * (0.5 * np.log(near) + 1.0 / 12.0))
    down = np.where(down < 0.5, down, far)
    down = np.nan_to_num(np.minimum(np.ceil(near * down), near))
    up = _root(curve - line / 1.5, -line - _NEGLIGIBLE / 3.0, _NEGLIGIBLE)
    length = np.nan_to_num(down + np.ceil(near * up) + 1.0)
    doublings = np.ceil(np.log2(length / (10.0 * _BEFORE)))
    kind = np.where(length > _ONE_BY_ONE[-1], 1e3 + np.maximum(doublings, 0.0), 0.0)
    kind = np.where(kind > 0.0, kind, np.searchsorted(_ONE_BY_ONE, length))
    for one in np.unique(kind):
        chosen = np.flatnonzero(kind == one)
        columns = 256 if one < 1e3 else 512
        step = max(_ENTRIES // columns, 1)
        for first in range(0, len(chosen), step):
            part = chosen[first : first + step]
            own = near[part, None], down[part, None]
            yield (
                todo[part],
                _each(*own, _ONE_BY_ONE[int(one)])
                if one < 1e3
                else _panels(*own, length[part, None], int(one - 1e3)),
            )


def _root(a: Array, b: Array, c: Array | float) -> Array:
    """Return the positive root of a x^2/2 + b x = c."""
    size = np.hypot(b, np.sqrt(2.0 * a * c))
    return np.where(b > 0.0, 2.0 * c / (size + b), (size - b) / a)


def _each(near: Array, down: Array, length: int) -> _Grid:
    """Return counts one by one, from k - down on."""
    d = np.arange(float(length)) - down
    o = np.log1p(d / near)
    o[:, 0] = 0.0
    np.cumsum(o, axis=1, out=o)  # o(y) - o(y - 1) = log(y/k)
    o -= np.take_along_axis(o, down.astype(np.intp), axis=1)
    return _Grid(d, np.ones((1, length)), o)


def _panels(near: Array, down: Array, length: Array, doublings: int) -> _Grid:
    """Return the first counts, and nodes of the panels beyond."""
    before = np.clip(np.ceil(length / (10.0 * 2.0**doublings)), _FIRST, _BEFORE)
    first = np.arange(float(_BEFORE + _DIFFERENCES))
    place = first - before
    gregory = np.take(_GREGORY, np.clip(place, 0, _DIFFERENCES - 1).astype(int))
    inside = place < _DIFFERENCES
    weight = np.where(place < 0.0, 1.0, np.where(inside, gregory, 0.0))
    ends = np.concatenate([2.0 ** np.arange(doublings + 1.0), 2.0**doublings * np.arange(2, 11)])
    ends = before[:, :, None] * ends
    width = np.diff(ends)[..., None]
    nodes = (0.5 * (ends[..., 1:] + ends[..., :-1]))[..., None] + width * _NODES
    steps = np.concatenate([first + 0.0 * before, nodes.reshape(len(near), -1)], axis=1)
    rest = (width * _WEIGHTS).reshape(len(near), -1)
    d = steps - down
    return _Grid(d, np.concatenate([weight, rest], axis=1), offset(d, near))


def _gregory() -> Array:
    """Return the weights of values at 0, 1, ... that a sum over them has beside its integral.

    They are those of 1/log(1 + Delta) - 1/Delta, Delta being the difference of neighbours.
    """
    n = _DIFFERENCES
    logs = (-1.0) ** np.arange(n + 1) / np.arange(1.0, n + 2.0)
    inverse = np.zeros(n + 1)
    inverse[0] = 1.0
    for j in range(1, n + 1):
        inverse[j] = -logs[1 : j + 1] @ inverse[j - 1 :: -1][:j]
    order, place = np.arange(n)[:, None], np.arange(n)[None]
    signs = np.where(order >= place, (-1.0) ** (order - place), 0.0) * binom(order, place)
    return inverse[1:] @ signs


_GREGORY = _gregory()


def _solved(mean: Array, nu: Array, near: Array, tilt: Array, grid: _Grid) -> tuple[Sums, Array]:
    """Return the sums at the root, and which sums have left out masses that matter."""
    origin = np.where(mean - near < -0.5, near - 1.0, near)
    d, weight, o = grid
    d = d + (near - origin)[:, None]
    fall = nu[:, None] * o
    away = mean - origin
    low, high = np.full(len(mean), -np.inf), np.full(len(mean), np.inf)
    for i in range(_STEPS):
        log_mass = tilt[:, None] * d - fall
        top = log_mass.max(axis=1)
        mass = np.exp(log_mass - top[:, None]) * weight
        total = mass.sum(axis=1)
        share = mass / total[:, None]
        found = np.einsum("ij,ij->i", share, d)
        apart = d - found[:, None]
        variance = np.einsum("ij,ij,ij->i", share, apart, apart)
        gap = found - away
        size = np.einsum("ij,ij->i", np.abs(share), np.abs(d))
        done = np.abs(gap) <= _CLOSE * np.sqrt(variance) + _ROUNDED * size
        done |= high - low <= _ROUNDED * np.abs(tilt)
        if done.all() or i == _STEPS - 1:
            break
        low, high = np.where(gap < 0.0, tilt, low), np.where(gap > 0.0, tilt, high)
        new = tilt + _step(mean, origin + found, near, variance, gap)
        middle = np.where(
            np.isfinite(low) & np.isfinite(high),
            0.5 * (low + high),
            np.where(gap > 0.0, tilt - 1.0 - np.abs(tilt), tilt + 1.0 + np.abs(tilt)),
        )
        tilt = np.where(done, tilt, np.where((new > low) & (new < high), new, middle))
    # Where nearly all is at the origin, the sum of the other masses has the digits.
    others = np.log1p(np.where(d != 0.0, mass, 0.0).sum(axis=1))
    log_total = np.where((top == 0.0) & (total < 2.0), others, np.log(total) + top)
    step = np.where(variance > 0.0, gap / variance, 0.0)
    step = np.where(np.abs(step) * np.sqrt(variance) <= 1e-6, step, 0.0)
    expected = np.einsum("ij,ij->i", share, o)
    residual, square = o - expected[:, None], apart * apart
    slope = np.einsum("ij,ij,ij->i", share, residual, apart) / variance
    residual = residual - slope[:, None] * apart
    edges = np.where(origin + d[:, 0] > 0.0, log_mass[:, 0], -np.inf)
    edges = np.maximum(edges, log_mass[:, -1])
    return Sums(
        near,
        origin,
        tilt - step,
        log_total - step * found,
        expected,
        slope,
        variance,
        np.einsum("ij,ij,ij->i", share, residual, residual),
        np.einsum("ij,ij,ij->i", share, square, apart),
        np.einsum("ij,ij,ij->i", share, square, residual),
        np.einsum("ij,ij,ij->i", share, apart, residual * residual),
    ), edges > top - _ENOUGH


def _step(mean: Array, here: Array, near: Array, variance: Array, gap: Array) -> Array:
    """Return Newton's step on a scale on which the mean is a line in the tilt, about.

    The scale is exact if the variance is mean + a mean^2, as of Poisson and geometric laws, or a
    multiple of the mean; or if two neighbours have all mass.
    """
    share, wanted = here - (near - 1.0), mean - (near - 1.0)
    spread = share * (1.0 - share)
    pair = np.log(wanted) - np.log(share) - np.log1p(-wanted) + np.log1p(-share)
    relative = np.log1p(-gap / here)
    excess = np.maximum(variance - here, 0.0) / here
    tilted = relative - np.log1p(-gap / here * excess / (1.0 + excess))
    step = np.where(variance >= here, tilted, here / variance * relative)
    two = (spread > 0.0) & (variance < 1.5 * spread) & np.isfinite(pair)
    return np.where(two, pair * spread / variance, step)
