"""A fitted law over its data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle._any_model.unwrap import unwrap
from skmle.families import Distribution
from skmle.inference.distances import survival
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, VERMILION

__all__ = ["DensityDisplay"]

Array = NDArray[np.float64]

# Points of a curve. Chosen for smoothness.
_POINTS = 512
# Distances of the quartiles beyond which a window ends, so that one far row does not hide the rest.
_REACH = 4.0
# Ticks of a rug, at most; more are a random part.
_RUG = 500
# Values of counts that have a bar each, at most.
_BARS = 200


class Rows(NamedTuple):
    """Data as they are drawn: in steps, and as ticks."""

    edges: Array
    """(m + 1,): ends of the steps."""
    heights: Array
    """(m,): shares, or shares per unit of x."""
    ticks: Array
    """Values of single rows."""
    beyond: int
    """How many rows lie outside of the picture."""


class DensityDisplay(Display):
    """The density of a fitted law over a histogram of the data; masses over bars of shares.

    Of right-censored rows the steps have the shares that Kaplan and Meier's estimate gives to those
    that were seen. Other censored rows are ticks alone.

    Parameters
    ----------
    law : Distribution
    edges : ndarray of shape (m + 1,)
        Ends of the steps, empty if there are none.
    heights : ndarray of shape (m,)
        Their heights: shares of rows by unit of x; of counts, shares.
    ticks : ndarray
        Rows that have a tick below.
    beyond : int, default=0
        How many rows lie outside of the picture.
    label : str, default=""
        What x is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skmle import MLEDistribution
    >>> from skmle.plotting import DensityDisplay
    >>> area = load_breast_cancer(as_frame=True).data[["mean area"]]
    >>> model = MLEDistribution("lognormal").fit(area)
    >>> display = DensityDisplay.from_estimator(model, area)
    >>> display.ax_.get_xlabel()
    'mean area'
    """

    def __init__(
        self,
        law: Distribution,
        edges: Array,
        heights: Array,
        ticks: Array,
        *,
        beyond: int = 0,
        label: str = "",
    ) -> None:
        self.law = law
        self.edges = edges
        self.heights = heights
        self.ticks = ticks
        self.beyond = beyond
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        column: int = 0,
        sample_weight: ArrayLike | None = None,
        bins: Any = "auto",
        ax: Any = None,
    ) -> DensityDisplay:
        """Draw the law of a fitted density over its rows.

        Parameters
        ----------
        estimator : fitted MLEDistribution, DistributionSearch, or what holds one
        X : array-like of shape (n, p), or (n, 2) if censored
        column : int, default=0
            Which of independent columns.
        sample_weight : array-like of shape (n,), optional
        bins : int, str or sequence, default="auto"
            As of `numpy.histogram_bin_edges`.
        ax : matplotlib Axes, optional

        Returns
        -------
        DensityDisplay

        Raises
        ------
        ValueError
            If the law is not one of a single number.
        """
        model, seen = unwrap(estimator, X)
        law = getattr(model, "distribution_", None)
        observed: Array = np.asarray(seen, float)
        if observed.ndim == 1:
            observed = observed[:, None]
        several = getattr(law, "laws", None)
        if several is not None:
            law, observed = several[column], observed[:, [column]]
        if not isinstance(law, Distribution) or not law.family.univariate:
            raise ValueError(
                f"DensityDisplay: {type(model).__name__} has no law of single numbers. Allowed: a "
                "fitted MLEDistribution of such a law. Give one."
            )
        names = [str(name) for name in getattr(X, "columns", [])]
        label = names[column] if len(names) > column and observed.shape[1] == 1 else "x"
        weight = np.ones(len(observed)) if sample_weight is None else np.asarray(sample_weight)
        rows = _rows_of(law, observed, weight.astype(float), bins)
        display = cls(law, rows.edges, rows.heights, rows.ticks, beyond=rows.beyond, label=label)
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None, rug: bool = True, color: str = BLUE) -> DensityDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        rug : bool, default=True
            Whether rows have a tick each, as far as they are not counts.
        color : str
            Of the law.

        Returns
        -------
        DensityDisplay
        """
        return self._on(ax, lambda ax: self._draw(ax, rug, color))

    def _draw(self, ax: Any, rug: bool = True, color: str = BLUE) -> None:
        low, high = self._ends()
        if len(self.heights):
            ax.stairs(self.heights, self.edges, fill=True, color="0.6", alpha=0.5, label="data")
        name = self.law.family.title
        if self.law.discrete:
            x = np.arange(np.ceil(low), np.floor(high) + 1.0)
            ax.plot(x, self.law.pmf(x), "o-", color=color, linewidth=0.8, markersize=4, label=name)
            ax.set_ylabel("probability")
        else:
            x = np.linspace(low, high, _POINTS)
            density = np.asarray(self.law.pdf(x), float)
            ax.plot(x, np.where(np.isfinite(density), density, np.nan), color=color, label=name)
            ax.set_ylabel("density, per unit of x" if self.label == "x" else "density")
            if rug:
                self._rug(ax)
        ax.set_ylim(bottom=0.0)
        ax.set_xlabel(self.label)
        ax.legend(frameon=False, title=f"{self.beyond} rows beyond" if self.beyond else None)

    def _ends(self) -> tuple[float, float]:
        """Return the ends of the picture: those of the data, else most of the law."""
        if len(self.edges):
            return float(self.edges[0]), float(self.edges[-1])
        low, high = self.law.interval(0.99)
        return float(low), float(high)

    def _rug(self, ax: Any) -> None:
        ticks = self.ticks
        if len(ticks) > _RUG:
            ticks = np.random.default_rng(0).choice(ticks, _RUG, replace=False)
        ax.plot(
            ticks,
            np.zeros(len(ticks)),
            "|",
            color=VERMILION,
            alpha=0.5,
            markersize=8,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
        )


def _rows_of(law: Distribution, observed: Array, weight: Array, bins: Any) -> Rows:
    """Return data as they are drawn, of a column of values or of censored rows."""
    values, mass = observed[:, 0], weight / weight.sum()
    ticks = values
    if observed.shape[1] > 1:
        ends = observed[:, 1]
        seen, right = values == ends, np.isposinf(ends)
        # A row of which an interval is known has its ticks where that begins and ends.
        ticks = np.concatenate([values[~right], ends[np.isfinite(ends) & ~seen]])
        ticks = ticks[np.isfinite(ticks)]
        if not (seen | right).all() or observed.shape[1] > 2:
            return Rows(np.empty(0), np.empty(0), ticks, 0)
        mass = _kaplan_meier(values, seen, weight)
        values, mass = values[seen], mass[seen]
    low, high = _window(values)
    inside = (values >= low) & (values <= high)
    beyond = int(np.count_nonzero(~inside))
    values, mass = values[inside], mass[inside]
    if law.discrete and high - low <= _BARS:
        edges = np.arange(np.floor(low), np.ceil(high) + 2.0) - 0.5
    else:
        edges = np.histogram_bin_edges(values, bins)
    shares = np.histogram(values, edges, weights=mass)[0]
    shown = (ticks >= edges[0]) & (ticks <= edges[-1])
    return Rows(edges, shares / np.diff(edges), ticks[shown], beyond)


def _window(values: Array) -> tuple[float, float]:
    """Return from where to where most rows lie."""
    first, third = np.quantile(values, [0.25, 0.75])
    reach = _REACH * (third - first)
    low, high = values.min(), values.max()
    if not reach > 0.0:
        return float(low), float(high)
    return float(max(low, first - reach)), float(min(high, third + reach))


def _kaplan_meier(time: Array, seen: NDArray[np.bool_], weight: Array) -> Array:
    """Return the share of all rows that each row that was seen stands for, (n,).

    What is beyond the last row, if that was not seen, belongs to none.
    """
    order = np.lexsort((~seen, time))
    result = np.empty(len(time))
    result[order] = -np.diff(survival(seen[order], weight[order]), prepend=1.0)
    return result
