"""A fitted law over its data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.unwrap import unwrap
from skmle._shared.columns import resolve_column
from skmle._shared.kinds import as_numbers
from skmle.families import Distribution
from skmle.families.tools.scipy_laws import is_frozen
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
# How far a curve goes on beyond the rows, over their range, if its law does. Chosen by eye.
_FARTHER = 0.15
# Densities may be infinite, and a peak may press the data flat: one that is so many times as high
# as the tallest bar is cut off, at another height, or where so much of the curve is seen. By eye.
_PEAK, _TALLER, _SHOWN = 3.0, 1.3, 0.97
# Values that occur more than once among which a mass is looked for, at most.
_REPEATED = 20


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
    masses: Array
    """(k, 3): values that have a mass beside a density, the masses, and the shares of rows."""


class DensityDisplay(Display):
    """The density of a fitted law over a histogram of the data; masses over bars of shares.

    A value that has a mass beside a density, as the zero of a hurdle model, is told in the legend:
    there is no height for it. A narrow peak more than three times as high as the tallest step, as
    of a density that is infinite at an end, is cut off.

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
    masses : ndarray of shape (k, 3), optional
        Values that have a mass beside a density, the masses, and the shares of rows there.

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
        masses: Array | None = None,
    ) -> None:
        self.law = law
        self.edges = edges
        self.heights = heights
        self.ticks = ticks
        self.beyond = beyond
        self.label = label
        self.masses = np.empty((0, 3)) if masses is None else masses

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        column: int | str = 0,
        sample_weight: ArrayLike | None = None,
        bins: Any = "auto",
        ax: Any = None,
    ) -> DensityDisplay:
        """Draw the law of a fitted density over its rows.

        Parameters
        ----------
        estimator : fitted MLEDistribution, DistributionSearch, what holds one, or a law
            A `Distribution`, or a frozen law of ``scipy.stats``.
        X : array-like of shape (n, p), or (n, 2) if censored
        column : int or str, default=0
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
            If the law is not one of a single number, X has no such column or no numbers, or the
            law allows none of the rows.
        """
        model, seen = unwrap(estimator, X)
        law = _law_of(model)
        observed = as_numbers(seen, "DensityDisplay: X")
        if observed.ndim == 1:
            observed = observed[:, None]
        names = [str(name) for name in getattr(X, "columns", [])]
        several = getattr(law, "laws", None)
        single = several is None and observed.shape[1] > 1
        count = 1 if single else observed.shape[1]
        known = names if len(names) == count else None
        place = resolve_column(column, "DensityDisplay", known, count)
        if several is not None:
            law, observed = several[place], observed[:, [place]]
        if not isinstance(law, Distribution) or not law.family.univariate or law.shape:
            raise ValueError(
                f"DensityDisplay: {type(model).__name__} has no law of single numbers. Allowed: a "
                "fitted MLEDistribution of such a law, or a single Distribution. Give one."
            )
        _check_allowed(law, observed)
        label = "x" if known is None else known[place]
        weight = np.ones(len(observed)) if sample_weight is None else np.asarray(sample_weight)
        rows = _rows_of(law, observed, weight.astype(float), bins)
        display = cls(
            law,
            rows.edges,
            rows.heights,
            rows.ticks,
            beyond=rows.beyond,
            label=label,
            masses=rows.masses,
        )
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
        from matplotlib.ticker import MaxNLocator

        low, high = self._ends()
        if len(self.heights):
            ax.stairs(self.heights, self.edges, fill=True, color="0.6", alpha=0.5, label="data")
        name, top = self.law.family.title, None
        if self.law.discrete:
            x = np.arange(np.ceil(low), np.floor(high) + 1.0)
            ax.plot(x, self.law.pmf(x), "o-", color=color, linewidth=0.8, markersize=4, label=name)
            ax.set_ylabel("probability")
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        else:
            x = np.linspace(low, high, _POINTS)
            # Beside a value that has a mass, not at it.
            x = np.where(np.isin(x, self.masses[:, 0]), np.nextafter(x, np.inf), x)
            density = np.asarray(self.law.pdf(x), float)
            density[~np.isfinite(density)] = np.nan
            ax.plot(x, density, color=color, label=name)
            top = self._top(density)
            ax.set_ylabel("density, per unit of x" if self.label == "x" else "density")
            if rug:
                self._rug(ax)
        for value, mass, share in self.masses:
            said = f"P({self.label} = {value:g}): {mass:.3g}, of the data {share:.3g}"
            ax.plot([], [], " ", label=said)
        ax.set_ylim(0.0, top)
        ax.set_xlabel(self.label)
        ax.legend(frameon=False, title=f"{self.beyond} rows beyond" if self.beyond else None)

    def _ends(self) -> tuple[float, float]:
        """Return the ends of the picture: those of the data, or where the law ends near by."""
        most = [float(end) for end in self.law.interval(0.99 if not len(self.edges) else 0.999)]
        if not len(self.edges):
            return most[0], most[1]
        low, high = float(self.edges[0]), float(self.edges[-1])
        if self.law.discrete:
            return low, high
        farthest = low - _FARTHER * (high - low), high + _FARTHER * (high - low)
        ends = [float(end) for end in self.law.support()]
        near = [
            end if farthest[0] <= end <= farthest[1] else float(np.clip(other, *farthest))
            for end, other in zip(ends, most, strict=True)
        ]
        return min(low, near[0]), max(high, near[1])

    def _top(self, density: Array) -> float | None:
        """Return the height of the picture; None: as high as what is drawn."""
        known = density[~np.isnan(density)]
        if not len(self.heights) or not len(known):
            return None
        tallest, peak = float(self.heights.max()), float(known.max())
        if peak > _PEAK * tallest:
            peak = max(_TALLER * tallest, float(np.quantile(known, _SHOWN)))
        return 1.05 * max(tallest, peak) or None

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


def _law_of(model: Any) -> Any:
    """Return the law that a model has fitted, or a law itself, or scipy's; None if it has none.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    """
    if isinstance(model, Distribution):
        return model
    if is_frozen(model):
        return Distribution.from_scipy(model)
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    return getattr(model, "distribution_", None)


def _check_allowed(law: Distribution, observed: Array) -> None:
    """Raise ValueError if a law allows none of the rows, so that nothing of it would be seen."""
    values = observed[:, 0]
    if observed.shape[1] == 1 and len(values) and not np.isfinite(law.log_prob(values)).any():
        low, high = law.support()
        raise ValueError(
            f"DensityDisplay: none of {len(values)} rows (row 0: {values[0]:g}) is possible under "
            f"the fitted law, {law.family.title}. Allowed: numbers from {low:g} to {high:g}. Give "
            "rows like those of the fit."
        )


def _masses(law: Distribution, values: Array, mass: Array) -> Array:
    """Return values of the rows that have a mass beside a density, with it and their share."""
    found, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_REPEATED]
    order = order[counts[order] > 1]
    below = np.asarray(law.cdf(np.nextafter(found[order], -np.inf)), float)
    jump = np.asarray(law.cdf(found[order]), float) - below
    shares = np.bincount(index, mass, minlength=len(found))[order]
    # The cdf of an infinite density may jump as well, but there the density is no probability.
    at = np.asarray(law.pdf(found[order]), float)
    lines = np.stack([found[order], jump, shares], axis=1)[(jump > 0.0) & np.isclose(at, jump)]
    return lines[np.argsort(lines[:, 0])]


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
            return Rows(np.empty(0), np.empty(0), ticks, 0, np.empty((0, 3)))
        mass = _kaplan_meier(values, seen, weight)
        values, mass = values[seen], mass[seen]
    masses = np.empty((0, 3)) if law.discrete else _masses(law, values, mass)
    if len(masses):
        smooth = ~np.isin(values, masses[:, 0])
        values, mass = values[smooth], mass[smooth]
        ticks = ticks[~np.isin(ticks, masses[:, 0])]
        if not len(values):
            return Rows(np.empty(0), np.empty(0), ticks, 0, masses)
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
    return Rows(edges, shares / np.diff(edges), ticks[shown], beyond, masses)


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
