"""Intervals by the profile of a likelihood: where it has fallen by half a chi-square quantile.

The signed root of the deviance, r(t), is nearly a line, and a line exactly where the likelihood is
a parabola. So its crossings of -z and z are found in few steps of Halley's method, from the slope
and the curvature that each fit gives.

References
----------
Venzon & Moolgavkar (1988), A method for computing profile-likelihood-based confidence intervals,
Applied Statistics 37.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmle.inference.hypotheses import check_one
from skmle.inference.interval_table import IntervalTable
from skmle.inference.show import offered
from skmle.inference.wald import checked_level

if TYPE_CHECKING:
    from skmle.inference.tested import Tested

Array = NDArray[np.float64]

_AT_EDGE = "at an end of its range"
# Rest of r - z at which an end is found; the deviance is then off by 4e-10 at most. Chosen.
_ARRIVED = 1e-10
# The same where rounding lets no step come nearer, and the width of a bracket that is rounding.
# Chosen, not measured.
_NEARLY, _ROUNDING = 1e-6, 1e-14
# Fits for one end, at most; three or four were seen where the deviance is finite.
_MOST = 40
# Fits that may find no maximum, after each of which the next is nearer by. Chosen, not measured.
_LOST = 6
# Times that an end may be farther from the estimate than the first try, before it counts as
# infinite. Chosen, not measured.
_FAR = 1e4
# Root of the deviance that is none, and times the first try up to which there is none if there
# never will be: other columns can take the place of this one. Chosen, not measured.
_FLAT, _NEVER = 1e-4, 8.0
# Factor by which a step may lead farther from the estimate, at most. Chosen, not measured.
_GROWS = 3.0


class PointLike(Protocol):
    """A profile where its parameter has moved from the estimate."""

    @property
    def deviance(self) -> float:
        """2 (l_max - l); inf: impossible; nan: not found."""

    @property
    def slope(self) -> float:
        """Its derivative in the move."""

    @property
    def curvature(self) -> float:
        """Its second derivative; nan: not known."""


def profile_end(
    profile: Callable[[float], PointLike], first: float, sign: float, z: float
) -> float:
    """Return the move from the estimate to one end, where the deviance is z^2.

    It is infinite if the deviance does not come so far, and nan if fits find no maximum.

    Parameters
    ----------
    profile : callable
        From a move to the profile there.
    first : float
        How far away the first try is.
    sign : float
        -1.0 for the lower end, 1.0 for the upper one.
    z : float
    """
    near, far, size, lost = 0.0, np.inf, first, 0
    for _ in range(_MOST):
        at = profile(sign * size)
        if np.isnan(at.deviance):
            # From nearer by, the next fit starts closer to its maximum.
            size, lost = 0.5 * (near + size), lost + 1
            if lost > _LOST:
                return np.nan
            continue
        root = float(np.sqrt(max(at.deviance, 0.0)))
        rest = z - root
        if abs(rest) <= _ARRIVED:
            return sign * size
        if rest > 0.0:
            near = size
        else:
            far = size
        if near > _FAR * first or (root <= _FLAT and near > _NEVER * first):
            return sign * np.inf
        proposed = size + _step(at, sign, root, rest)
        if not near < proposed < far:
            proposed = 0.5 * (near + far) if np.isfinite(far) else _GROWS * size
        proposed = min(proposed, _GROWS * size)
        if proposed == size or far <= near + _ROUNDING * size:
            return sign * size if abs(rest) <= _NEARLY else np.nan
        size = proposed
    return np.nan


def _step(at: PointLike, sign: float, root: float, rest: float) -> float:
    """Return Halley's step of the root of the deviance to z; Newton's without a curvature."""
    if not (np.isfinite(root) and root > 0.0):
        return np.nan
    slope = sign * at.slope / (2.0 * root)
    if not slope > 0.0:
        return np.nan
    newton = rest / slope
    bend = (0.5 * at.curvature - slope**2) / root
    halley = 1.0 + 0.5 * newton * bend / slope
    return newton / halley if np.isfinite(halley) and halley > 0.5 else newton


class Profiled(NamedTuple):
    """The interval of one estimate."""

    low: float
    high: float
    fits: int
    """How many fits it took."""


class EdgeLike(Protocol):
    """A parameter at an end of its range."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def estimate(self) -> float:
        """The end."""


class Profiler(Protocol):
    """What knows the rows of a fit: the interval of each of its estimates."""

    @property
    def edges(self) -> Sequence[EdgeLike]:
        """The parameters that stand at an end of their range, which follow the estimates."""

    def interval(self, i: int, z: float) -> Profiled:
        """Return the interval of estimate i that ends where the deviance is z^2."""

    def of_function(self, function: Callable[[Array], float], z: float) -> Profiled:
        """Return that of a function of all coefficients, which is nan where it has no value."""

    def curve(self, i: int, steps: Array) -> tuple[Array, Array]:
        """Return values of estimate i so many standard errors away, and the deviances there."""


@dataclass(frozen=True, eq=False, repr=False)
class ProfileIntervals(IntervalTable):
    """Profile-likelihood intervals of some estimates of a fit.

    Parameters
    ----------
    components, terms : sequence of str
        As of the `Inference`.
    estimates : ndarray of shape (m,)
    intervals : ndarray of shape (m, 2)
        Infinite where the likelihood does not fall so far, as where classes separate; nan where
        fits on the way found no maximum.
    fits : ndarray of int of shape (m,)
        How many fits each interval took.
    confidence_level : float
    """

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    intervals: Array
    fits: NDArray[np.intp] = field(repr=False)
    confidence_level: float = 0.95

    def tidy(self) -> Any:
        """Return the table as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: component, term, estimate, conf_low, conf_high.
        """
        return self._frame()

    @property
    def _title(self) -> str:
        return "Profile-likelihood intervals"

    def _numbers(self) -> Mapping[str, Array]:
        return {"estimate": self.estimates}

    def _notes(self) -> list[str]:
        notes = []
        if np.isnan(self.intervals).any():
            notes.append("nan: fits on the way found no maximum.")
        if np.isinf(self.intervals).any():
            notes.append("inf: the likelihood never falls so far on that side.")
        return notes


def z_of(confidence_level: float) -> float:
    """Return the root of the chi-square quantile of one degree of freedom."""
    return float(ndtri(0.5 + 0.5 * checked_level(confidence_level)))


def places_of(names: Sequence[str], places: Mapping[str, Sequence[int]]) -> list[int]:
    """Return the places of the estimates that are named: all of a name, in the order given.

    Raises
    ------
    ValueError
        If a name is that of no estimate.
    """
    if not isinstance(names, Iterable) or not (names := list(names)):
        raise ValueError(
            f"profile: terms={names!r} names no estimate. Allowed: a name, or a list of names. "
            "Give one, or leave terms out for all estimates."
        )
    result: dict[int, None] = {}
    for name in names:
        if name not in places:
            raise ValueError(
                f"profile: no estimate is called {name!r}. Allowed: "
                f"{offered(str(name), list(places))}"
            )
        result |= dict.fromkeys(places[name])
    return list(result)


def profiler_of_rows(result: Tested) -> Profiler:
    """Return what profiles the rows of a fit.

    Raises
    ------
    ValueError
        If results do not know their rows, or have no likelihood to profile.
    """
    profiler = None if result.rows is None else result.rows.profiler
    if profiler is None:
        raise ValueError(
            "profile: these results do not know the rows of the fit, or their errors are those "
            "of a sandwich, under which the likelihood has no chi-square. Allowed: results of "
            "a model's inference(X, y) with covariance='observed', 'expected', 'augmented' or "
            "'outer'. Ask that."
        )
    return profiler


def place_of(result: Tested, term: str) -> int:
    """Return the place of the one estimate that is named.

    Raises
    ------
    ValueError
        If the term is the name of no estimate, or of several.
    """
    places, term = result._places(), str(term)
    (first, *_) = places_of([term], places)
    check_one(term, places, "profile")
    return first


def profile_curve(result: Tested, place: int, steps: Array) -> tuple[Array, Array]:
    """Return values of an estimate around its maximum and the deviance at each, (m,) both.

    `steps` are the distances from the maximum, in standard errors on the scale of the link.
    """
    return profiler_of_rows(result).curve(place, steps)


def profiled(result: Tested, terms: str | Sequence[str] | None, level: float) -> ProfileIntervals:
    """Return the profile intervals of the estimates that are named, or of all."""
    profiler = profiler_of_rows(result)
    z, places, edges = z_of(level), result._places(), profiler.edges
    for i, edge in enumerate(edges):
        places.setdefault(edge.name, []).append(len(result.terms) + i)
    components = [*result.components, *([_AT_EDGE] * len(edges))]
    every = [*result.terms, *(edge.name for edge in edges)]
    estimates = np.append(result.estimates, [edge.estimate for edge in edges])
    names = [terms] if isinstance(terms, str) else terms
    index = [*range(len(every))] if names is None else places_of(names, places)
    found = [profiler.interval(i, z) for i in index]
    return ProfileIntervals(
        components=[components[i] for i in index],
        terms=[every[i] for i in index],
        estimates=estimates[index],
        intervals=np.array([[one.low, one.high] for one in found]).reshape(-1, 2),
        fits=np.array([one.fits for one in found], np.intp),
        confidence_level=level,
    )
