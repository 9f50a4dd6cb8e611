"""Where the likelihood of a law of scipy is largest: inside, or at the ends of the data."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.climbing import Climb, Eta, Value, simplex
from skmle.families.tools.ridges import followed
from skmle.families.tools.scipy_frame import Frame
from skmle.families.tools.scipy_laws import Place
from skmle.families.tools.scipy_sample import Sample
from skmle.families.tools.scipy_starts import ranked_starts
from skmle.families.tools.scipy_wholes import best_wholes

_TRIED, _KEPT = 8, 2  # starts that are climbed from for a few steps, and to the end
_FEW, _STEPS = 6, 60  # steps of either
_FIRST, _SECONDS = 1.5, 2.2  # that a search may take, without a second one and with it: half a fit
# Seconds that two evaluations of all observations may take, that of the log-likelihood and a user's
# own. What they take more is taken from the search of a slow law, up to the second.
_AFTER, _LESS = 3.2, 0.7
_CLOSE = 0.2  # gap, in the unit of the frame, below which an end is tried at the data's end
# Standard errors from the maximum from which a climb has not arrived, as at a cusp.
_ARRIVED = 0.5
_ROUNDS, _GAINED = 5, 0.05  # rounds from there, and nats that one has to gain for another
# Nats that a climb at the data's ends may lack, in squares of its distance: half of one, and room.
_ROOM = 4.0
_VANISHED = -9.0  # log of a gap, in the unit of the frame, that runs to nothing; chosen
_TOLD = 1e-4  # relative change of a parameter that moves where an eta changes by 0.2; chosen
_TIE = 1e-9  # nats a row by which an end at the data's end may be less likely


class Found(NamedTuple):
    """The best place that a search has found."""

    frame: Frame
    eta: tuple[float, ...]
    value: float
    unbounded: str = ""
    """The end of the support at which the density grows without bound; "" if none does."""
    runs_off: bool = False
    """Whether the likelihood rises along a ridge as far out as numbers tell."""
    level: tuple[str, ...] = ()
    """Parameters that stand for each other exactly, by scipy's names."""
    cut: bool = False
    """Whether time was over before all neighbouring whole numbers were tried."""


def search(
    frame: Frame, y: Array, weight: Array | None, guess: Place | None = None
) -> Found | None:
    """Return the best place for observations in the frame's unit; None if no start has density."""
    begun, cut = time.thread_time(), False
    sample = Sample.of(y, weight, frame.discrete)
    if frame.wholes:
        shapes = None if guess is None else guess.shapes
        others = [name for name, _ in frame.coordinates if name not in frame.wholes]
        best = best_wholes(frame, sample, begun + (_FIRST if others else _SECONDS), shapes)
        if best is None:
            return None
        frame, cut, sample = frame.knowing(best.known), best.cut, best.sample
        if not frame.coordinates:
            return Found(frame, (), best.value, cut=cut)
        guess = frame.place(best.eta)
    found = _within(frame, sample, guess, begun + (_SECONDS if cut else _FIRST))
    found = None if found is None else found._replace(cut=cut)
    at = None if found is None else found.frame.place(found.eta)
    if found is None or at is None or (other := _ended(frame, at)) is None:
        return found
    again = _within(other, sample, at, begun + _SECONDS)
    return found if again is None or again.value > found.value + _TIE else again


def _ended(frame: Frame, at: Place) -> Frame | None:
    """Return the frame in which ends close to the data's are ends for all shapes; None if none is.

    Some laws have such an end for some of their shapes alone, as tukeylambda.
    """
    low, high = (at.loc + at.scale * end for end in at.standard)
    gaps = zip(frame.ends, (frame.least - low, high - frame.largest), strict=True)
    branch = tuple(not kind and gap < _CLOSE for kind, gap in gaps)
    return frame.branching(*branch) if any(branch) and not frame.discrete else None


def _within(frame: Frame, sample: Sample, guess: Place | None, until: float) -> Found | None:
    """Return the best place among those of a frame."""
    starts = ranked_starts(frame, sample.y, sample.weight, 0.25 * _SECONDS, guess)
    if not starts:
        return None

    sample = sample.quickened(frame, starts[0][1])
    until -= min(max(2.0 * sample.seconds - _AFTER, 0.0), _LESS)
    value = sample.value(frame)
    near = _few_steps(sample, value, [eta for _, eta in starts[:_TRIED]], until)
    arrived = min(
        (sample.climb(value, run.eta, _STEPS, until) for run in near), key=lambda run: run.value
    )
    arrived = _finished(frame, sample, arrived, until)
    found = Found(frame, arrived.eta, arrived.value)
    return _along_a_ridge(_at_the_ends(found, sample, until), sample, until)


def _along_a_ridge(found: Found, sample: Sample, until: float) -> Found:
    """Return the highest place along the ridge on which a search has ended, if it is on one."""
    start = Climb(found.eta, found.value, np.inf)
    if found.unbounded or found.frame.discrete or found.value == -np.inf:
        return found
    if sample.nodes is not None:
        return found  # what is interpolated tells no such small gains
    charts = [chart.name.split(" ")[0] for _, chart in found.frame.coordinates]
    logs = [j for j, name in enumerate(charts) if name == "log"]
    best, runs_off, level = followed(sample.value(found.frame), start, sample.weight, until, logs)
    if level is not None:
        return found._replace(level=_moving(found.frame, np.array(found.eta), level))
    if best is start:
        return found._replace(runs_off=runs_off)
    value = sample.mean(found.frame, best.eta)
    if not value < found.value - _TIE:
        return found
    return found._replace(eta=best.eta, value=value, runs_off=runs_off)


def _moving(frame: Frame, eta: Array, change: Array) -> tuple[str, ...]:
    """Return the names of scipy's parameters that move along a change of the coordinates."""
    step = 0.1 * change / np.abs(change).max()
    here, there = (frame.place(tuple(map(float, eta + s * step))) for s in (-1.0, 1.0))
    if here is None or there is None:
        return ("some parameters",)
    one, other = frame.arguments(here), frame.arguments(there)
    # A change of the scale's size is one of a location.
    size = {name: max(abs(value), one["scale"] * (name == "loc")) for name, value in one.items()}
    return tuple(n for n in one if abs(other[n] - one[n]) > _TOLD * size[n])


def _few_steps(sample: Sample, value: Value, starts: list[Eta], until: float) -> list[Climb]:
    """Return the best runs of a few steps from the starts: one, if two have come to one place."""
    tried: list[Climb] = []
    for eta in starts:
        if tried and time.thread_time() > until:
            break
        tried.append(sample.climb(value, eta, _FEW, until))
        tried.sort(key=lambda run: run.value)
        first, second = tried[0], tried[min(1, len(tried) - 1)]
        if len(tried) > 1 and max(first.distance, second.distance) < _ARRIVED:
            # A run that is d standard errors away is d^2 / 2 nats below the maximum.
            if second.value - first.value < 0.5 * _ARRIVED**2 / sample.mass:
                return [first]
    return tried[:_KEPT]


def _finished(frame: Frame, sample: Sample, best: Climb, until: float) -> Climb:
    """Go on from a climb that has not arrived, as at a cusp or on a bent ridge."""
    value = sample.value(frame)
    for _ in range(_ROUNDS):
        if best.distance < _ARRIVED or not best.eta or time.thread_time() > until:
            break
        before = best.value
        best = simplex(value, best, sample.weight, until)
        best = sample.climb(value, best.eta, _STEPS, until)
        if before - best.value < _GAINED / sample.mass:
            break
    return best


def _may_reach(run: Climb, value: float, mass: float) -> bool:
    """Return whether a climb may come to a value, if it lacks so much as its distance says."""
    return mass * (run.value - value) < _ROOM * max(run.distance**2, 1.0)


def _at_the_ends(found: Found, sample: Sample, until: float) -> Found:
    """Return the same place, or one with ends of the support at those of the data."""
    frame, best = found.frame, found
    at = frame.place(found.eta)
    names = [name for name, _ in frame.coordinates]
    gaps = {}
    for side in frame.gaps:
        log_gap = found.eta[names.index(f"gap of the {side} end")]
        if np.exp(log_gap) < _CLOSE:
            gaps[side] = log_gap
    if at is None or not gaps:
        return found
    subsets = [(side,) for side in gaps] + ([tuple(gaps)] if len(gaps) == 2 else [])
    for sides in subsets:
        held = frame.holding(*sides)
        eta = held.eta_of(at, 1e-3)
        if eta is None:
            continue

        if sample.mean(held, eta) == -np.inf:
            if all(gaps[side] < _VANISHED for side in sides):
                return found._replace(unbounded=sides[0])
            continue
        # Beside ends that are held, the maximum may be at other shapes.
        others = ranked_starts(held, sample.y, sample.weight, 0.05 * _SECONDS)[: _KEPT + 1]
        bounded = [e for _, e in others if sample.mean(held, e) > -np.inf]
        near = _few_steps(sample, sample.value(held), [eta, *bounded], until)
        if not np.isfinite(near[0].value):
            continue  # no law with such ends has density
        run = sample.climb(sample.value(held), near[0].eta, _STEPS, until)
        if _may_reach(run, best.value, sample.mass):
            run = _finished(held, sample, run, until)
        if -np.inf < run.value <= best.value + _TIE:
            best = Found(held, run.eta, run.value)
    return best
