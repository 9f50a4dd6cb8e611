"""Coordinates of a law of scipy that keep its support around the data.

A law on [a, b], moved to [loc + a scale, loc + b scale], has no density outside, so that loc, scale
and shapes cannot move freely. The logarithms of the gaps between the ends of the support and the
extreme observations can. So wherever an end is finite, its gap takes the place of one parameter: of
the shape that is this end, if there is one, and else of the location or the scale.

A gap may be held at zero: the end then stands at the extreme observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmle.families.links import IDENTITY, LOG, Link
from skmle.families.records import Array
from skmle.families.tools.cached import cached_property
from skmle.families.tools.quantiles import centre_and_spread
from skmle.families.tools.scipy_laws import (
    FIXED,
    Ends,
    Place,
    ends_of,
    log_density,
    log_mass,
    shapes_of,
    standard_ends,
)

_NUDGES = 64  # roundings that are tried until the extreme observations are inside


@dataclass(frozen=True)
class Frame:
    """A law of scipy, what is known of its parameters, and the data's ends.

    Parameters
    ----------
    law : rv_continuous or rv_discrete
    known : dict of str to float
        Parameters that are held, by scipy's names.
    origin, unit : float
        In which the observations, and loc and scale inside, are measured.
    least, largest : float
        The extreme observations, so measured.
    held : frozenset of str
        Which ends of the support, "low" and "high", stand at the extreme observations.
    branch : (bool, bool)
        Whether an end that is not always finite is taken to be.
    """

    law: Any
    known: dict[str, float]
    origin: float
    unit: float
    least: float
    largest: float
    held: frozenset[str] = frozenset()
    branch: tuple[bool, bool] = (False, False)
    extremes: tuple[float, float] = (np.nan, np.nan)
    """The extreme observations as the user measures them."""

    @classmethod
    def around(cls, law: Any, known: Mapping[str, float], y: Array, weight: Array | None) -> Frame:
        """Return the frame of observations y."""
        whole = getattr(law, "logpdf", None) is None
        origin, unit = (0.0, 1.0) if whole else centre_and_spread(y, weight)
        ends = float(y.min()), float(y.max())
        least, largest = ((end - origin) / unit for end in ends)
        return cls(law, dict(known), origin, unit, least, largest, extremes=ends)

    def measured(self, y: Array) -> Array:
        """Return observations in the frame's unit."""
        return (y - self.origin) / self.unit

    def arguments(self, at: Place) -> dict[str, float]:
        """Return all of scipy's arguments at a place, in the user's unit.

        They are rounded so that the extreme observations are not outside.
        """
        loc, scale = self.origin + self.unit * at.loc, self.unit * at.scale
        loc, scale = self.known.get("loc", loc), self.known.get("scale", scale)
        (low, high), (least, largest) = at.standard, self.extremes
        own = {k: e for k, e in zip(self.ends, self.extremes, strict=True) if k in at.shapes}
        for _ in range(_NUDGES):
            if "low" in self.gaps and self.ends[0] not in own and (least - loc) / scale < low:
                if "loc" not in self.known:
                    loc = float(np.nextafter(loc, -np.inf))
                else:
                    scale = float(np.nextafter(scale, np.inf if low < 0.0 else 0.0))
            if "high" in self.gaps and self.ends[1] not in own and (largest - loc) / scale > high:
                if "scale" not in self.known:
                    scale = float(np.nextafter(scale, np.inf))
                else:
                    loc = float(np.nextafter(loc, np.inf))
        shapes = dict(at.shapes)
        for side, (name, end) in zip(("low", "high"), own.items(), strict=False):
            if side in self.held:
                shapes[name] = (end - loc) / scale
        return {**shapes, "loc": loc, "scale": scale}

    def place_of(self, arguments: Mapping[str, float]) -> Place:
        """Return the place of scipy's arguments in the user's unit."""
        shapes = {name: float(arguments[name]) for name, *_ in shapes_of(self.law)}
        loc, scale = arguments.get("loc", 0.0), arguments.get("scale", 1.0)
        standard = (np.nan, np.nan) if self.discrete else standard_ends(self.law, shapes)
        if self.discrete:
            return Place(float(loc), 1.0, shapes, standard)
        return Place((loc - self.origin) / self.unit, scale / self.unit, shapes, standard)

    def holding(self, *ends: str) -> Frame:
        """Return the frame with these ends of the support at the data's ends."""
        return replace(self, held=frozenset(ends))

    def branching(self, low: bool, high: bool) -> Frame:
        """Return the frame in which these ends are taken to be finite for all shapes."""
        return replace(self, branch=(low, high))

    def knowing(self, values: Mapping[str, float]) -> Frame:
        """Return the frame with more parameters held."""
        return replace(self, known={**self.known, **values})

    # ---------------------------------------------------------------- coordinates

    @cached_property
    def discrete(self) -> bool:
        """Whether the law is one of whole numbers, which has no scale."""
        return getattr(self.law, "logpdf", None) is None

    @cached_property
    def free_shapes(self) -> list[tuple[str, Link]]:
        """Shapes to be fitted that are real numbers, with their charts."""
        return [
            (name, chart)
            for name, chart, whole in shapes_of(self.law)
            if name not in self.known and not whole
        ]

    @cached_property
    def wholes(self) -> list[str]:
        """Parameters to be found that are whole numbers."""
        found = [n for n, _, whole in shapes_of(self.law) if whole and n not in self.known]
        return found + (["loc"] if self.discrete and "loc" not in self.known else [])

    @cached_property
    def _looked_at(self) -> Ends:
        shapes = {name for name, *_ in shapes_of(self.law)}
        known = tuple(sorted((n, v) for n, v in self.known.items() if n in shapes))
        return ends_of(self.law, known)

    @cached_property
    def ends(self) -> tuple[str, str]:
        """Kinds of the two ends: a shape's name, "fixed", or "" if it is not (always) finite."""
        if self.discrete:
            return "", ""
        pairs = zip(self._looked_at.kinds, self.branch, strict=True)
        low, high = (kind or (FIXED if taken else "") for kind, taken in pairs)
        return low, high

    def standard_ends(self, shapes: Mapping[str, float]) -> tuple[float, float]:
        """Return the ends of the standard law; nan where the shapes are none of it."""
        low, high = self._looked_at.numbers
        if low is None or high is None:
            return standard_ends(self.law, shapes)
        return low, high

    @cached_property
    def _places(self) -> tuple[bool, bool, list[str]]:
        """Whether loc and scale are unknown, and by which fixed ends they are found."""
        loc, scale = ("loc" not in self.known), ("scale" not in self.known and not self.discrete)
        sides = [s for s, kind in zip(("low", "high"), self.ends, strict=True) if kind == FIXED]
        if loc and scale:
            return loc, scale, sides
        if loc:
            return loc, scale, [s for s in sides if s in self.held][:1] or sides[:1]
        if scale:
            # The scale follows from an end away from the location.
            numbers = self._looked_at.numbers
            sides = [s for s in sides if numbers[s == "high"] != 0.0]
            return loc, scale, [s for s in sides if s in self.held][:1] or sides[-1:]
        return loc, scale, []

    @cached_property
    def gaps(self) -> list[str]:
        """Ends whose gap takes the place of a parameter, held or not."""
        own = [s for s, k in zip(("low", "high"), self.ends, strict=True) if k not in ("", FIXED)]
        return [*self._places[2], *own]

    @cached_property
    def coordinates(self) -> list[tuple[str, Link]]:
        """Names and charts of what is fitted."""
        loc, scale, sides = self._places
        found: list[tuple[str, Link]] = [
            (f"gap of the {side} end", LOG) for side in self.gaps if side not in self.held
        ]
        unknown = loc + scale - len(sides)
        if loc and not sides:
            found.append(("loc", IDENTITY))
            unknown -= 1
        if unknown > 0:
            found.append(("scale", LOG))
        return found + [(n, chart) for n, chart in self.free_shapes if n not in self.ends]

    def place(self, eta: tuple[float, ...]) -> Place | None:
        """Return where the law is; None if its ends contradict each other there."""
        values = {
            name: float(chart.theta(np.asarray(e)))
            for (name, chart), e in zip(self.coordinates, eta, strict=True)
        }
        shapes = {
            name: self.known.get(name, values.get(name, np.nan)) for name, *_ in shapes_of(self.law)
        }
        if self.discrete:
            return Place(self.known.get("loc", 0.0), 1.0, shapes, (np.nan, np.nan))
        low, high = ends = self._low_and_high(values)
        own = {k: e for k, e in zip(self.ends, ends, strict=True) if k not in ("", FIXED)}
        # Ends that are shapes do not move the others, so that any numbers may stand for them.
        probe = shapes | {kind: 1.0 + (kind == self.ends[1]) for kind in own}
        standard = self.standard_ends(probe) if FIXED in self.ends else ends
        loc, scale = self._loc_and_scale(values, ends, standard)
        if not (scale > 0.0 and np.isfinite(scale) and np.isfinite(loc)):
            return None
        for name, end in own.items():
            shapes[name] = (end - loc) / scale
        standard = self.standard_ends(shapes)
        return (
            None if np.isnan(standard).any() else Place(loc, scale, shapes, standard, (low, high))
        )

    def _low_and_high(self, values: dict[str, float]) -> tuple[float, float]:
        """Return the ends of the support that gaps give; nan without a gap."""
        gap = {side: values.get(f"gap of the {side} end", 0.0) for side in self.gaps}
        low = self.least - gap["low"] if "low" in gap else np.nan
        high = self.largest + gap["high"] if "high" in gap else np.nan
        return low, high

    def _loc_and_scale(
        self, values: dict[str, float], ends: tuple[float, float], standard: tuple[float, float]
    ) -> tuple[float, float]:
        """Return loc and scale, as far as fixed ends tell them from those."""
        loc_free, scale_free, sides = self._places
        loc = (self.known.get("loc", 0.0) - self.origin) / self.unit
        scale = self.known.get("scale", 1.0) / self.unit
        if not sides:
            return (
                values["loc"] if loc_free else loc,
                values["scale"] if scale_free else scale,
            )
        side = ("low", "high").index(sides[0])
        end, own = ends[side], standard[side]
        if loc_free and scale_free:
            both = len(sides) == 2
            length = standard[1] - standard[0]
            scale = (ends[1] - ends[0]) / length if both else values["scale"]
        elif scale_free:
            return loc, (end - loc) / own if own else np.nan
        return end - own * scale, scale

    def eta_at(self, arguments: Mapping[str, float]) -> tuple[float, ...] | None:
        """Return the coordinates of scipy's arguments in the user's unit."""
        return self.eta_of(self.place_of(arguments), 0.0)

    def eta_of(self, place: Place, room: float) -> tuple[float, ...] | None:
        """Return the coordinates of a place, moved so that gaps are at least `room`."""
        ends = (place.loc + place.scale * end for end in place.standard)
        low, high = np.fmin(next(ends), self.least - room), np.fmax(next(ends), self.largest + room)
        values = {
            "gap of the low end": self.least - low,
            "gap of the high end": high - self.largest,
            "loc": place.loc,
            "scale": place.scale,
            **place.shapes,
        }
        with np.errstate(all="ignore"):
            found = tuple(
                float(chart.forward(np.asarray(values[name]))) for name, chart in self.coordinates
            )
        return found if np.isfinite(found).all() else None

    # ---------------------------------------------------------------- the law

    def value(self, y: Array, eta: tuple[float, ...]) -> Array:
        """Return -log q of observations measured in the frame's unit, per unit of the user's."""
        at = self.place(eta)
        if at is None:
            return np.full(len(y), np.inf)
        with np.errstate(all="ignore"):
            if self.discrete:
                found = -log_mass(self.law, y, **at.shapes, loc=at.loc)
            else:
                z = (y - at.loc) / at.scale
                low, high = at.ends  # An observation at an end may be outside through rounding.
                if not np.isnan(low):
                    z = np.where(y >= low, np.maximum(z, at.standard[0]), z)
                if not np.isnan(high):
                    z = np.where(y <= high, np.minimum(z, at.standard[1]), z)
                found = np.log(at.scale * self.unit) - log_density(self.law, z, at)
        return np.where(np.isnan(found), np.inf, found)
