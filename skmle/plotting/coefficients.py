"""Estimates with their intervals, of one model or several."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.inference import Inference
from skmle.inference.assemble import CONSTANT
from skmle.inference.hypotheses import check_one
from skmle.inference.ratios import ratios_of
from skmle.inference.show import offered
from skmle.pipeline import summary
from skmle.plotting._display import Display
from skmle.plotting._style import COLOURS, ink, log_ticks

__all__ = ["CoefficientDisplay"]

Array = NDArray[np.float64]

# Inches of a line, of one of many, and how many are many; letters of a line of a note. By eye.
_LINE, _DENSE, _MANY, _WIDE = 0.28, 0.21, 25, 72


class _Line(NamedTuple):
    """A line of a table."""

    part: str
    """The parameter or class that it belongs to, if the table has several; else ""."""
    estimate: float
    low: float
    high: float
    slope: bool


class CoefficientDisplay(Display):
    """Estimates with their confidence intervals, a line each (a forest plot).

    Parameters
    ----------
    terms : list of str
        From the top to the bottom. Where a model has slopes of several parameters or classes, each
        has the name of its own in front, as "shape: bmi".
    estimates : dict of str to ndarray of shape (m,)
        By model; nan where a model has not a term. One that is infinite, as where columns separate
        rows, is an arrow.
    intervals : dict of str to ndarray of shape (m, 2)
        nan where there is none: the estimate is a hollow mark.
    label : str, default="estimate"
    ratios : bool, default=False
        Whether these are ratios, beside which 1 is nothing: the axis is logarithmic.
    parts : sequence of str of length m, optional
        The parameter or class of each term, which are headings; "" for none.
    note : str, default=""
        Why intervals are missing.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmle import MLERegressor
    >>> from skmle.plotting import CoefficientDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = MLERegressor("gamma").fit(X, y)
    >>> display = CoefficientDisplay.from_estimator(model, terms=["bmi", "bp", "s5"])
    >>> display.terms
    ['bmi', 'bp', 's5']
    """

    def __init__(
        self,
        terms: list[str],
        estimates: Mapping[str, Array],
        intervals: Mapping[str, Array],
        *,
        label: str = "estimate",
        ratios: bool = False,
        parts: Sequence[str] | None = None,
        note: str = "",
    ) -> None:
        self.terms = terms
        self.estimates = estimates
        self.intervals = intervals
        self.label = label
        self.ratios = ratios
        self.parts = [""] * len(terms) if parts is None else list(parts)
        self.note = note

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        terms: Sequence[str] | None = None,
        ratios: bool = False,
        confidence_level: float = 0.95,
        ax: Any = None,
    ) -> CoefficientDisplay:
        """Draw the estimates of a fitted model, or of several by their names.

        Parameters
        ----------
        estimator : fitted model, `skmle.inference.Inference`, or dict of str to these
            Of a model, the errors are those of `skmle.summary`; an Inference has its own, such as
            robust ones.
        terms : sequence of str, optional
            Which, from the top to the bottom; by default all slopes, or all if there are none.
        ratios : bool, default=False
            Whether exp of the estimates is shown: odds ratios under a logit, ratios of means under
            a logarithm. Estimates that are no logarithm of a ratio are left out.
        confidence_level : float, default=0.95
        ax : matplotlib Axes, optional

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        ValueError
            If a term is unknown to all models, or the name of several estimates, or ratios are
            asked for and a model has none.
        """
        named = estimator if isinstance(estimator, Mapping) else {"": estimator}
        results = {
            name: model if isinstance(model, Inference) else summary(model).inference
            for name, model in named.items()
        }
        if ratios:
            for result in results.values():
                ratios_of(result)  # which refuses those that have none
        parted = any(_has_parts(result) for result in results.values())
        tables = {
            name: _table(result, confidence_level, parted, ratios)
            for name, result in results.items()
        }
        known = {term: line for table in tables.values() for term, line in table.items()}
        if terms is None:
            slopes = [term for term, line in known.items() if line.slope]
            terms = slopes or list(known)
        else:
            terms = [_known_as(term, known) for term in terms]
        none = _Line("", np.nan, np.nan, np.nan, False)
        lines = {
            name: np.array([table.get(term, none)[1:4] for term in terms], float).reshape(-1, 3)
            for name, table in tables.items()
        }
        bare = [
            not np.isfinite(each[:, 1:][~np.isnan(each[:, 0])]).all() for each in lines.values()
        ]
        reasons = [r.reason for r, is_bare in zip(results.values(), bare, strict=True) if is_bare]
        display = cls(
            terms,
            {name: each[:, 0] for name, each in lines.items()},
            {name: each[:, 1:] for name, each in lines.items()},
            label=f"{'ratio' if ratios else 'estimate'}, {100 * confidence_level:g} % interval",
            ratios=ratios,
            parts=[known[term].part for term in terms],
            note=next(filter(None, reasons), "").partition(". ")[0],
        )
        return display.plot(ax=ax)

    @property
    def _size(self) -> tuple[float, float]:
        count = len(self.terms) + len(self._headings())
        height = (_LINE if count <= _MANY else _DENSE) * count
        return 6.4, 1.2 + height * max(1.0, 0.7 * len(self.estimates))

    def _headings(self) -> dict[int, str]:
        """Return the parts by the places of their first terms."""
        before = ["", *self.parts]
        return {i: part for i, part in enumerate(self.parts) if part and part != before[i]}

    def _draw(self, ax: Any) -> None:
        ax.axvline(1.0 if self.ratios else 0.0, color=ink(), linewidth=0.8)
        headings = self._headings()
        above = np.cumsum([i in headings for i in range(len(self.terms))])
        place = np.arange(len(self.terms), dtype=float) + above
        shifts = 0.6 * ((np.arange(len(self.estimates)) + 0.5) / len(self.estimates) - 0.5)
        for k, (name, shift) in enumerate(zip(self.estimates, shifts, strict=True)):
            self._draw_model(ax, k, name, place + shift)
        if self.ratios:
            log_ticks(ax)
        self._draw_infinite(ax, place, shifts)
        shown = [
            term.removeprefix(f"{part}: ")
            for term, part in zip(self.terms, self.parts, strict=True)
        ]
        titles = [place[i] - 1.0 for i in headings]
        ax.set_yticks([*place, *titles], [*shown, *headings.values()])
        for label in ax.get_yticklabels()[len(place) :]:
            label.set_fontweight("bold")
        if headings:
            ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(self.terms) + len(headings) - 0.5, -0.5)
        ax.set_xlabel("\n".join([self.label, *self._notes()]))
        if any(self.estimates):
            ax.legend(frameon=False)

    def _draw_model(self, ax: Any, k: int, name: str, at: Array) -> None:
        """Draw the estimates of a model at some heights, hollow ones where no interval is known."""
        colour, marker = COLOURS[k % len(COLOURS)], "osD^v"[k % 5]
        low, high = self.intervals[name].T
        ax.hlines(at, low, high, color=colour, linewidth=1.5)
        value = np.where(self._runs_off(name), np.nan, self.estimates[name])
        hollow = np.isnan(low) | np.isnan(high)
        ax.plot(value[~hollow], at[~hollow], marker, color=colour, markersize=5, label=name)
        if (hollow & ~np.isnan(value)).any():
            face = ax.get_facecolor()
            ax.plot(value[hollow], at[hollow], marker, color=colour, markersize=5, mfc=face)

    def _draw_infinite(self, ax: Any, place: Array, shifts: Array) -> None:
        """Draw an arrow at the side to which an estimate runs."""
        sides = ax.get_yaxis_transform()  # across in shares of the width
        for k, (name, shift) in enumerate(zip(self.estimates, shifts, strict=True)):
            runs, colour = self._runs_off(name), COLOURS[k % len(COLOURS)]
            for up, side, arrow in ((False, 0.015, "<"), (True, 0.985, ">")):
                at = (place + shift)[runs & ((self.estimates[name] > 1.0) == up)]
                ax.plot(np.full(len(at), side), at, arrow, color=colour, transform=sides)

    def _runs_off(self, name: str) -> NDArray[np.bool_]:
        """Return which estimates of a model are infinite, or the ratios of such."""
        value = self.estimates[name]
        return np.isinf(value) | ((value == 0.0) if self.ratios else np.zeros(len(value), bool))

    def _notes(self) -> list[str]:
        """Return what is said below: what the marks without intervals are."""
        notes = []
        if any(self._runs_off(name).any() for name in self.estimates):
            notes.append("arrow: the estimate runs to infinity")
        for name, value in self.estimates.items():
            bare = np.isnan(self.intervals[name]).any(axis=1) & ~np.isnan(value)
            if (bare & ~self._runs_off(name)).any():
                why = self.note or "the data do not determine it (see the table)"
                notes += textwrap.wrap(f"hollow: no interval, as {why}", _WIDE)
                break
        return notes


def _has_parts(result: Inference) -> bool:
    """Return whether slopes, or estimates without slopes, are of several parameters or classes."""
    slopes = {
        part
        for part, term in zip(result.components, result.terms, strict=True)
        if _is_slope(part, term)
    }
    return len(slopes or {*result.components}) > 1


def _is_slope(part: object, term: object) -> bool:
    return str(term) != "intercept" and part != CONSTANT


def _table(result: Inference, level: float, parted: bool, ratios: bool) -> dict[str, _Line]:
    """Return each line of a table by its name, with that of its part in front if asked."""
    ends = result.confidence_intervals(level)
    table = {}
    for i, (component, term) in enumerate(zip(result.components, result.terms, strict=True)):
        if ratios and not result.ratio_names[i]:
            continue
        part = str(component).partition(" (")[0] if parted and component != CONSTANT else ""
        name = f"{part}: {term}" if part else str(term)
        values = np.array([result.estimates[i], ends[i][0], ends[i][1]], float)
        if ratios:
            with np.errstate(over="ignore"):  # of an estimate that runs to infinity
                values = np.exp(values)
        estimate, low, high = values.tolist()
        table[name] = _Line(part, estimate, low, high, _is_slope(component, term))
    return table


def _known_as(term: str, known: Mapping[str, _Line]) -> str:
    """Return the name of the estimate that is meant: "shape: bmi", "shape:bmi", or "bmi" alone.

    Raises
    ------
    ValueError
        If there is none, or several.
    """
    places: dict[str, list[int]] = {}
    for i, (name, line) in enumerate(known.items()):
        bare = name.removeprefix(f"{line.part}: ")
        for own in dict.fromkeys([name, f"{line.part}:{bare}" if line.part else bare, bare]):
            places.setdefault(own, []).append(i)
    if term not in places:
        raise ValueError(
            f"CoefficientDisplay: no estimate is called {term!r}. Allowed: "
            f"{offered(str(term), list(known))}"
        )
    check_one(term, places, "CoefficientDisplay")
    return list(known)[places[term][0]]
