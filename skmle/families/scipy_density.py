"""A density of scipy's laws, in coordinates that keep its support around the data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Density, Family, Param, Rows, Support
from skmle.families.differences import differences
from skmle.families.links import Link
from skmle.families.tools.corners import best_at_corner, moving_corner
from skmle.families.tools.scipy_frame import Frame
from skmle.families.tools.scipy_sample import interpolated, seconds_of
from skmle.families.tools.scipy_search import Found, search

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution

_MOVE = 1e-4  # by which an eta is moved for the derivatives of scipy's parameters
_UNBOUNDED = (
    "the density grows without bound as the {} end of its support comes to the {} observation. "
    "Hold loc (or scale) with fixed=..., or a shape at which the density is bounded"
)
_SLOW = (
    "scipy takes so long for its density, that the {:.0f} s of Newton's steps are left out: the "
    "parameters are near the maximum, as it is seen between some observations, and have no errors"
)
_TOO_SLOW = (
    "scipy takes {:.0f} s for the density of all observations: it is taken between some of them, "
    "and so is the log-likelihood. The search was short, and the parameters have no errors"
)
_UNBOUNDED_INSIDE = (
    "the density grows without bound at a place inside the support, as it comes to an observation. "
    "Hold loc with fixed=..., or a shape at which the density is bounded"
)
_RUNS_OFF = (
    "it rises along a ridge on which parameters run off together, as far as numbers tell: the law "
    "tends to a simpler one with fewer parameters"
)
_LEVEL = "it is level where {} change together or alone, so that no value of theirs is best"
_CORNER = "the density has a corner, which moves with the parameters and meets observations"
_CORNER_LEFT = f"{_CORNER}, and the search along turning axes was not over in time"
_CUT = "time was over before all whole numbers next to these had been tried"
_SECONDS = 4.0  # of the processor that a fit may take, at whose end one step may be under way
# Seconds of one evaluation of all observations that leave time for the search, of about two.
# Of 1000 of them, levy_stable takes 1.8, and kstwo of a hundred 3.7.
_EVALUATION = 2.5
_AT_THE_END = "the {} end of the support is at the {} observation"
_EXTREMES = {"low": "least", "high": "largest"}


class ScipyDensity(Family):
    """The law of a `ScipyFamily` for a density, as the engine fits it.

    Its coordinates are those of a `Frame`, in which no step leads out of the support, whose ends
    may stand at those of the data. Its natural parameters are those of the family.

    Parameters
    ----------
    plain : ScipyFamily
        The family, whose parameters those of the law are.
    frame : Frame
    start : tuple of float
        The best place known, in the frame's coordinates.
    held : dict of str to float
        Those of its parameters that are held.
    between : bool
        Whether the density is so slow that it is taken between some of the observations.
    """

    finer_eta = True

    def __init__(
        self,
        plain: Family,
        frame: Frame,
        start: tuple[float, ...],
        held: Mapping[str, float],
        between: bool = False,
    ) -> None:
        super().__init__()
        self.plain = plain
        self.frame = frame
        self.start = start
        self.held = held
        self.between = between

    @property
    def title(self) -> str:
        return self.plain.title

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        # Their names differ from those of scipy's parameters, which are others also where they have
        # the same name: those are measured in the user's unit.
        return tuple(Param(f"{name} (inside)", chart) for name, chart in self.frame.coordinates)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return self.plain.support

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return self.plain.contains(y)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [self.start]

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y = self.frame.measured(statistics[0])
        of_frame = interpolated if self.between else Frame.value

        def value(moved: Arrays) -> Array:
            if all(e.size == 1 for e in moved):
                return of_frame(self.frame, y, tuple(e.item() for e in moved))
            # The verdict moves rows apart, all by one change or by few.
            each = np.stack([np.broadcast_to(e, y.shape) for e in moved], axis=1)
            etas, which = np.unique(each, axis=0, return_inverse=True)
            found = np.empty(y.shape)
            for i, eta in enumerate(etas):
                rows = which.ravel() == i
                found[rows] = self.frame.value(y[rows], tuple(map(float, eta)))
            return found

        entries = tuple(np.asarray(e, float) for e in eta)
        with np.errstate(all="ignore"):  # some values are beyond the floating-point numbers
            return differences(value, entries, order)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        """Return that every change of eta makes rows less likely.

        The search for the start has looked far out, where each look may take long.
        """
        return np.full(len(statistics[0]), np.inf)

    # ---------------------------------------------------------------- natural parameters

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in self.plain.names if name not in self.held)

    @property
    def predicted_names(self) -> tuple[str, ...]:
        return self.plain.names

    def natural(self, eta: Arrays) -> Arrays:
        at = self.frame.place(tuple(float(e) for e in eta))
        if at is None:
            return tuple(np.asarray(np.nan) for _ in self.names)
        arguments = self.frame.arguments(at)
        return tuple(np.asarray(arguments[name]) for name in self.names)

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        """Return derivatives by differences; nan for parameters that no error is known of."""
        found = np.empty((len(self.names), len(eta)))
        for j in range(len(eta)):
            ahead, behind = (
                np.array(self.natural(tuple(e + s * _MOVE * (i == j) for i, e in enumerate(eta))))
                for s in (1.0, -1.0)
            )
            found[:, j] = (ahead - behind) / (2.0 * _MOVE)
        found[~found.any(axis=1)] = np.nan
        return found

    def natural_charts(self) -> tuple[Link, ...]:
        charts = zip(self.plain.names, self.plain.natural_charts(), strict=True)
        return tuple(chart for name, chart in charts if name not in self.held)

    def eta(self, theta: Arrays) -> Arrays:
        """Return the coordinates of natural parameters; nan if an end contradicts the data's."""
        values = dict(zip(self.names, (float(t) for t in theta), strict=True))
        eta = self.frame.eta_at(self.frame.known | values)
        return tuple(np.asarray(e) for e in eta or (np.nan,) * len(self.parameters))

    # ---------------------------------------------------------------- the law

    def predicted(self, theta: Arrays) -> Distribution:
        return self.plain.predicted(self._all(theta))

    def to_scipy(self, theta: Arrays) -> Any:
        return self.plain.to_scipy(self._all(theta))

    def _all(self, theta: Arrays) -> Arrays:
        """Return all parameters: those fitted and those held."""
        values = dict(zip(self.names, theta, strict=True))
        values |= {name: np.asarray(value) for name, value in self.held.items()}
        return tuple(values[name] for name in self.plain.names)


def density_of(
    plain: Family,
    known: Mapping[str, float],
    y: Array,
    weight: Array | None,
    guess: Mapping[str, float] | None,
) -> Density | None:
    """Return the law to fit as a density, near its maximum; None if no start has density.

    Parameters
    ----------
    plain : ScipyFamily
    known : mapping of str to float
        Parameters that are held, by scipy's names.
    y, weight : ndarray of shape (n,)
    guess : mapping of str to float, optional
        All of scipy's arguments, to be tried first.
    """
    begun = time.thread_time()
    frame = Frame.around(plain.law, known, y, weight)  # type: ignore[attr-defined]
    place = None if guess is None else frame.place_of(guess)
    found = search(frame, frame.measured(y), weight, place)
    if found is None:
        return None
    held = {name: known[name] for name in plain.names if name in known}
    one = seconds_of(found.frame, frame.measured(y), found.eta)
    slow = one > _EVALUATION
    law = ScipyDensity(plain, found.frame, found.eta, held, between=slow)
    if found.unbounded:
        reason = _UNBOUNDED.format(found.unbounded, _EXTREMES[found.unbounded])
        return Density(law, reason, unbounded=True)
    if found.level:
        level = _LEVEL.format(", ".join(found.level))
        return Density(law, level, unbounded=True, found_apart=len(frame.wholes))
    if found.runs_off:
        return Density(law, _RUNS_OFF, unbounded=True, found_apart=len(frame.wholes))
    if slow:
        return Density(law, stopped=_TOO_SLOW.format(one), found_apart=len(frame.wholes))
    if (seconds := one * _evaluations_ahead(len(found.eta))) > _SECONDS:
        stopped = _SLOW.format(seconds)
        return Density(law, stopped=stopped, found_apart=len(frame.wholes))
    if found.cut:
        return Density(law, stopped=_CUT, found_apart=len(frame.wholes))
    if (at_corner := _at_a_corner(plain, found, frame.measured(y), weight, held)) is not None:
        return at_corner
    ends = sorted(found.frame.held, key=("low", "high").index)
    reason = " and ".join(_AT_THE_END.format(side, _EXTREMES[side]) for side in ends)
    found_apart = len(ends) + len(frame.wholes)
    return Density(law, reason, until=begun + _SECONDS, found_apart=found_apart)


def _at_a_corner(
    plain: Family, found: Found, y: Array, weight: Array | None, held: Mapping[str, float]
) -> Density | None:
    """Return the law at its maximum if its density has a corner that parameters move."""
    frame, apart = found.frame, len(found.frame.held) + len(found.frame.wholes)
    corner = None if frame.discrete or not found.eta else moving_corner(frame, y, found.eta)
    if corner is None:
        return None
    until = time.thread_time() + _SECONDS / 2.0
    best = best_at_corner(frame, y, weight, found.eta, corner, until)
    law = ScipyDensity(plain, frame, best.eta, held)
    if corner.power < 0.0:
        return Density(law, _UNBOUNDED_INSIDE, unbounded=True)
    if not np.isfinite(best.distance):
        return Density(law, stopped=_CORNER_LEFT, found_apart=apart)
    return Density(law, irregular=_CORNER, found_apart=apart)


def _evaluations_ahead(parameters: int) -> float:
    """Return about how many evaluations Newton's method will take from here."""
    # Three steps by differences: 85 evaluations for two parameters, 130 for three, 220 for four.
    return (30.0 + 12.0 * parameters**2) * bool(parameters)
