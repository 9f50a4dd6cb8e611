"""Estimates with their intervals, of one model or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference import Inference
from skmle.inference.assemble import CONSTANT
from skmle.pipeline import summary
from skmle.plotting._display import Display
from skmle.plotting._style import COLOURS, ink, log_ticks

__all__ = ["CoefficientDisplay"]

Array = NDArray[np.float64]


class CoefficientDisplay(Display):
    """Estimates with their confidence intervals, a line each (a forest plot).

    Parameters
    ----------
    terms : list of str
        From the top to the bottom.
    estimates : dict of str to ndarray of shape (m,)
        By model; nan where a model has not a term.
    intervals : dict of str to ndarray of shape (m, 2)
    label : str, default="estimate"
    ratios : bool, default=False
        Whether these are ratios, beside which 1 is nothing: the axis is logarithmic.

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
    ) -> None:
        self.terms = terms
        self.estimates = estimates
        self.intervals = intervals
        self.label = label
        self.ratios = ratios

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
            a logarithm.
        confidence_level : float, default=0.95
        ax : matplotlib Axes, optional

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        ValueError
            If a term is unknown to all models.
        """
        named = estimator if isinstance(estimator, Mapping) else {"": estimator}
        tables = {name: _table(model, confidence_level) for name, model in named.items()}
        known = list(dict.fromkeys(term for table in tables.values() for term in table))
        if terms is None:
            slopes = {term for table in tables.values() for term, line in table.items() if line[3]}
            terms = [term for term in known if term in slopes or not slopes]
        unknown = [term for term in terms if term not in known]
        if unknown:
            raise ValueError(
                f"CoefficientDisplay: no estimate is called {unknown[0]!r}. Allowed: "
                f"{', '.join(map(repr, known))}. Mend the name."
            )
        none = (np.nan, np.nan, np.nan, False)
        lines = {
            name: np.array([table.get(term, none)[:3] for term in terms], float).reshape(-1, 3)
            for name, table in tables.items()
        }
        if ratios:
            lines = {name: np.exp(each) for name, each in lines.items()}
        display = cls(
            list(terms),
            {name: each[:, 0] for name, each in lines.items()},
            {name: each[:, 1:] for name, each in lines.items()},
            label=f"{'ratio' if ratios else 'estimate'}, {100 * confidence_level:g} % interval",
            ratios=ratios,
        )
        return display.plot(ax=ax)

    @property
    def _size(self) -> tuple[float, float]:
        return 6.4, 1.2 + 0.28 * len(self.terms) * max(1.0, 0.7 * len(self.estimates))

    def _draw(self, ax: Any) -> None:
        ax.axvline(1.0 if self.ratios else 0.0, color=ink(), linewidth=0.8)
        place = np.arange(len(self.terms), dtype=float)
        shifts = 0.6 * ((np.arange(len(self.estimates)) + 0.5) / len(self.estimates) - 0.5)
        for k, (name, shift) in enumerate(zip(self.estimates, shifts, strict=True)):
            colour = COLOURS[k % len(COLOURS)]
            at = place + shift
            low, high = self.intervals[name].T
            ax.hlines(at, low, high, color=colour, linewidth=1.5)
            marker = "osD^v"[k % 5]
            ax.plot(self.estimates[name], at, marker, color=colour, markersize=5, label=name)
        if self.ratios:
            log_ticks(ax)
        ax.set_yticks(place, self.terms)
        ax.set_ylim(len(self.terms) - 0.5, -0.5)
        ax.set_xlabel(self.label)
        if any(self.estimates):
            ax.legend(frameon=False)


def _table(model: Any, level: float) -> dict[str, tuple[float, float, float, bool]]:
    """Return each line of a table by its name: estimate, interval, and whether it is a slope."""
    result = model if isinstance(model, Inference) else summary(model, level).inference
    ends = result.confidence_intervals(level)
    terms = [str(term) for term in result.terms]
    table = {}
    for part, term, estimate, (low, high) in zip(
        result.components, terms, result.estimates, ends, strict=True
    ):
        # A name that stands in two parts of a table is told by its part.
        name = f"{part.partition(' (')[0]}: {term}" if terms.count(term) > 1 else term
        slope = term != "intercept" and part != CONSTANT
        table[name] = float(estimate), float(low), float(high), slope
    return table
