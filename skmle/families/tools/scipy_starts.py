"""Starts of laws of scipy: quantiles matched over a grid of shapes."""

from __future__ import annotations

import time
import warnings
from itertools import product
from typing import Any

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.climbing import Eta, mean_of
from skmle.families.tools.scipy_frame import Frame
from skmle.families.tools.scipy_laws import Place, shapes_of, trials_of_shape

_ENOUGH = 100  # order statistics on which starts are compared, at the middles of equal shares
_LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # at which quantiles are matched
_TRIED = 60  # sets of shapes that are tried at most
# How many times longer a set of shapes takes than a place that is known: its quantiles come from
# its densities on the grid below.
_LONGER = 5
_ROOMS = (1e-3, 0.1)  # gaps, in the unit of the frame, at which ends of the support start; chosen
_GRID = np.concatenate([-np.logspace(4.0, -4.0, 160), [0.0], np.logspace(-4.0, 4.0, 160)])


def ranked_starts(
    frame: Frame, y: Array, weight: Array | None, seconds: float, guess: Place | None = None
) -> list[tuple[float, Eta]]:
    """Return (mean of -log q, eta) of starts, the best first."""
    begun = time.thread_time()
    few = min(_ENOUGH, len(y))
    chosen = np.argsort(y)[((np.arange(few) + 0.5) * len(y) / few).astype(int)]
    rows, share = y[chosen], None if weight is None else weight[chosen]
    free = [(n, c) for n, c, whole in shapes_of(frame.law) if n not in frame.known and not whole]
    sets = list(product(*(trials_of_shape(chart) for _, chart in free)))
    if len(sets) > _TRIED:
        rng = np.random.default_rng(0)
        sets = [sets[i] for i in rng.choice(len(sets), _TRIED, replace=False)]
    places = [place for place in (guess, _scipys(frame, rows)) if place is not None]
    names = {name for name, *_ in shapes_of(frame.law)}
    known = {name: value for name, value in frame.known.items() if name in names}
    ours = np.quantile(rows, _LEVELS) if weight is None else _quantiles(rows, share)
    found: dict[Eta, float] = {}

    def try_(place: Place) -> None:
        for room in _ROOMS if frame.gaps else _ROOMS[:1]:
            eta = frame.eta_of(place, room)
            if eta is not None and eta not in found:
                found[eta] = mean_of(frame.value(rows, eta), share)

    for place in places:
        try_(place)
    lasts = _LONGER * (time.thread_time() - begun) / max(len(places), 1)
    for shapes in sets:
        if shapes and time.thread_time() + lasts > begun + seconds and found:
            break
        own = {n: float(c.theta(np.asarray(e))) for (n, c), e in zip(free, shapes, strict=True)}
        for place in _matched(frame, known | own, ours):
            try_(place)
    pairs = ((value, eta) for eta, value in found.items() if np.isfinite(value))
    return sorted(pairs, key=lambda pair: pair[0])


def _quantiles(y: Array, weight: Array | None) -> Array:
    order = np.argsort(y)
    share = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    return y[order][np.searchsorted(share, _LEVELS * share[-1])]


def _scipys(frame: Frame, y: Array) -> Place | None:
    """Return where scipy's own fit would start."""
    from scipy.stats import rv_continuous

    # The general guess takes moments by quadrature, which may last for seconds.
    if frame.discrete or type(frame.law)._fitstart is rv_continuous._fitstart:
        return None
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a guess need not be a good one
            *shapes, loc, scale = (float(value) for value in frame.law._fitstart(y))
        own = dict(zip((name for name, *_ in shapes_of(frame.law)), shapes, strict=True))
        return Place(loc, scale, own, frame.standard_ends(own))
    except Exception:
        return None  # A guess that fails is none.


def standard_quantiles(law: Any, shapes: dict[str, float]) -> Array:
    """Return quantiles of the standard law: scipy's if it has a formula, or from its density."""
    from scipy.stats import rv_continuous

    with np.errstate(all="ignore"):
        if type(law)._ppf is not rv_continuous._ppf:
            return np.asarray(law.ppf(_LEVELS, **shapes), float)
        low, high = law.support(**shapes)
        if np.isnan(low) or np.isnan(high):
            return np.full(len(_LEVELS), np.nan)
        if np.isfinite(low) and np.isfinite(high):
            # Fine next to both ends.
            grid = low + (high - low) * 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, 201)))
        else:
            grid = _GRID[(_GRID > low) & (_GRID < high)]
        mass = np.nan_to_num(law.pdf(grid, **shapes), posinf=0.0) * np.gradient(grid)
    share = np.cumsum(mass)
    if not share[-1] > 0.0:
        return np.full(len(_LEVELS), np.nan)
    return np.interp(_LEVELS * share[-1], share, grid)


def _matched(frame: Frame, shapes: dict[str, float], ours: Array) -> list[Place]:
    """Return where the law with these shapes matches the data's quantiles."""
    if frame.discrete:
        return [Place(frame.known.get("loc", 0.0), 1.0, shapes, (np.nan, np.nan))]
    standard = frame.standard_ends(shapes)
    if np.isnan(standard).any():
        return []
    loc, scale = frame.known.get("loc"), frame.known.get("scale")
    loc = None if loc is None else (loc - frame.origin) / frame.unit
    scale = None if scale is None else scale / frame.unit
    if loc is None or scale is None:
        theirs = standard_quantiles(frame.law, shapes)
        if not np.isfinite(theirs).all():
            return []
        if scale is None and loc is None:
            away, spread = theirs - theirs.mean(), ours - ours.mean()
            scale = float((away @ spread) / (away @ away))
        elif scale is None:
            assert loc is not None
            scale = float(np.median(ours - loc) / theirs[2]) if theirs[2] else 1.0
        loc = float(ours.mean() - scale * theirs.mean()) if loc is None else loc
    if not (np.isfinite(scale) and scale > 0.0 and np.isfinite(loc)):
        return []
    return [Place(loc, scale, shapes, standard)]
