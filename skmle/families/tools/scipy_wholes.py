"""Parameters of scipy's laws that are whole numbers: found by trying, as no derivative can."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.climbing import Eta
from skmle.families.tools.scipy_frame import Frame
from skmle.families.tools.scipy_sample import Sample
from skmle.families.tools.scipy_starts import ranked_starts

# Whole numbers that are tried first, roughly by a factor of 1.6, as steps then go on from there.
_FIRST = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100, 300, 1000)
_ROWS = 64  # order statistics on which the first are compared
_CLIMBED = (3, 16)  # sets from which steps are taken, of one whole number and of several
_STEPS = 15  # of a climb in the other parameters, at each set
_LENGTHS = (1, 2, 3, 5, 10, 30, 100, 1000, 10000)  # of steps; chosen
_FACTORS = (0.5, 2 / 3, 0.75, 0.8, 1.25, 4 / 3, 1.5, 2.0)
LARGEST = 10**6  # whole number beyond which nothing is looked for; chosen
_TIE = 1e-9  # nats a row by which a step has to gain

Wholes = tuple[int, ...]


class BestWholes(NamedTuple):
    """The most likely whole numbers that were found."""

    known: dict[str, float]
    eta: Eta
    """The other parameters there."""
    value: float
    """The mean of -log q there."""
    cut: bool
    """Whether time was over."""
    sample: Sample
    """The observations on which the search has looked, quickened for a slow law."""


def best_wholes(
    frame: Frame, sample: Sample, until: float, guess: Mapping[str, float] | None
) -> BestWholes | None:
    """Return the most likely whole numbers; None if no set has density.

    From the best of some sets, steps of several lengths lead to a set that none of those so many
    steps away, in one or several of the numbers, exceeds.
    """
    known: dict[Wholes, tuple[float, Eta]] = {}

    def at(wholes: Wholes, start: Eta) -> tuple[float, Eta]:
        if wholes not in known:
            value = quick.value(frame.knowing(_named(frame, wholes)))
            run = quick.climb(value, start, _STEPS, until)
            known[wholes] = run.value, run.eta
        return known[wholes]

    first = _ranked(frame, sample.y, sample.weight, until, guess)
    if not first:
        return None
    _, wholes, eta = first[0]
    quick = sample.quickened(frame.knowing(_named(frame, wholes)), eta)
    ends = [
        _walked(at, wholes, eta, until)
        for rank, (_, wholes, eta) in enumerate(first[: _CLIMBED[len(wholes) > 1]])
        if not rank or time.thread_time() < until
    ]
    best = min(ends, key=lambda wholes: known[wholes][0])
    value, eta = known[best]
    if not np.isfinite(value):
        return None
    cut = time.thread_time() > until
    return BestWholes(_named(frame, best), eta, value, cut, quick)


def _named(frame: Frame, wholes: Wholes) -> dict[str, float]:
    return dict(zip(frame.wholes, map(float, wholes), strict=True))


def _candidates(frame: Frame, name: str, y: Array, guess: Mapping[str, float] | None) -> list[int]:
    """Return whole numbers that are worth a try."""
    tried = {int(guess[name])} if guess is not None and name in guess else set()
    domains = {info.name: info.domain for info in frame.law._shape_info()}
    low, high = domains.get(name, (-np.inf, np.inf))
    if frame.discrete:
        # Numbers of trials and ends of the support are next to the data's ends.
        ends = (int(np.floor(y.min())), int(np.ceil(y.max())))
        tried |= {end + more for end in ends for more in (0, 1)} | {2 * ends[1], 3 * ends[1]}
    if name != "loc":
        # All sets of three numbers are to be tried in a short time.
        tried |= set(_FIRST if len(frame.wholes) < 3 else _FIRST[1::2])
    return sorted(whole for whole in tried if low <= whole <= high and abs(whole) <= LARGEST)


def _ranked(
    frame: Frame, y: Array, weight: Array | None, until: float, guess: Mapping[str, float] | None
) -> list[tuple[float, Wholes, Eta]]:
    """Return (mean of -log q, whole numbers, other parameters), the best first."""
    rows, share = y, weight
    if len(y) > _ROWS:
        chosen = np.argsort(y)[np.linspace(0, len(y) - 1, _ROWS).astype(int)]
        rows, share = y[chosen], None if weight is None else weight[chosen]
    sets = list(product(*(_candidates(frame, name, y, guess) for name in frame.wholes)))
    np.random.default_rng(0).shuffle(sets)
    now = time.thread_time()
    half, found = now + 0.4 * (until - now), []
    for wholes in sets:
        named = _named(frame, wholes)
        starts = ranked_starts(frame.knowing(named), rows, share, half - time.thread_time())
        found += [(value, tuple(map(int, wholes)), eta) for value, eta in starts[:1]]
        if time.thread_time() > half:
            break
    return sorted(found)


def _walked(at: Any, wholes: Wholes, eta: Eta, until: float) -> Wholes:
    """Return where no step gains any more."""
    value, eta = at(wholes, eta)
    gained = True
    while gained and time.thread_time() < until:
        gained = False
        for step in _steps(len(wholes)):
            there = tuple(
                round(whole * factor) + more
                for whole, (factor, more) in zip(wholes, step, strict=True)
            )
            if max(map(abs, there)) > LARGEST or time.thread_time() > until:
                continue
            moved, moved_eta = at(there, eta)
            if moved < value - _TIE:
                wholes, value, eta, gained = there, moved, moved_eta, True
    return wholes


@lru_cache
def _steps(k: int) -> list[tuple[tuple[float, int], ...]]:
    """Return steps in k whole numbers, as factors and terms.

    Ratios of them, as of a hypergeometric law, are kept by common factors.
    """
    ways = [way for way in product((-1, 0, 1), repeat=k) if any(way)]
    found = [tuple((1.0, length * d) for d in way) for length in _LENGTHS for way in ways]
    subsets = [chosen for chosen in product((False, True), repeat=k) if sum(chosen) > 1]
    for factor, chosen in product(_FACTORS, subsets):
        found.append(tuple((factor if c else 1.0, 0) for c in chosen))
    return found
