"""The predicted law of y as one feature moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import _safe_indexing

from skmle.pipeline import predict_quantile
from skmle.plotting._style import BLUE, FAINT, axes_for, ink

__all__ = ["FanDisplay"]

Array = NDArray[np.float64]

COVERAGES = (0.5, 0.8, 0.95)
_POINTS = 101
_MOST = 2000  # rows that are drawn as points


class FanDisplay:
    """The median of the predicted law and intervals around it, as one feature moves.

    All other features stay at their medians, or at their most frequent value where they are no
    numbers.

    Parameters
    ----------
    feature : str
        Its name.
    values : ndarray of shape (m,)
        Of the feature.
    quantiles : ndarray of shape (m, 2 k + 1)
        Of the law of y there, in rising order; the middle one is the median.
    coverages : sequence of float of length k
        Of the intervals, in rising order.
    rows : tuple of two ndarray of shape (n,), optional
        Feature and y of rows that are drawn as points.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmle import MLERegressor
    >>> from skmle.plotting import FanDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> model = MLERegressor("gamma", features={"mean": "all", "shape": ["bmi"]}).fit(X, y)
    >>> display = FanDisplay.from_estimator(model, X, y, feature="bmi")
    >>> display.quantiles.shape
    (101, 7)
    """

    def __init__(
        self,
        feature: str,
        values: Array,
        quantiles: Array,
        *,
        coverages: Sequence[float] = COVERAGES,
        rows: tuple[Array, Array] | None = None,
    ) -> None:
        self.feature = feature
        self.values = values
        self.quantiles = quantiles
        self.coverages = coverages
        self.rows = rows

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        feature: str | int,
        at: Any = None,
        coverages: Sequence[float] = COVERAGES,
        ax: Any = None,
    ) -> FanDisplay:
        """Predict along a feature, and draw.

        Parameters
        ----------
        estimator : fitted model
            Any that tells quantiles of y (see `skmle.predict_quantile`).
        X : array-like of shape (n, p)
            A DataFrame, if columns have names.
        y : array-like of shape (n,), optional
            Drawn as points beside.
        feature : str or int
            Name or place of the column that moves, between the least and the largest of X.
        at : int, optional
            A row of X whose other features are taken, in place of medians.
        coverages : sequence of float, default=(0.5, 0.8, 0.95)
        ax : matplotlib Axes, optional

        Returns
        -------
        FanDisplay

        Raises
        ------
        ValueError
            If the column is unknown or has no numbers, or a coverage is not between 0 and 1.
        """
        coverages = sorted(float(c) for c in coverages)
        if not coverages or not all(0.0 < c < 1.0 for c in coverages):
            raise ValueError(
                f"FanDisplay: coverages={coverages!r} are not allowed. Allowed: numbers between 0 "
                "and 1. Give for example (0.5, 0.8, 0.95)."
            )
        column = np.asarray(_safe_indexing(X, feature, axis=1))
        if column.dtype.kind not in "iufb":
            raise ValueError(
                f"FanDisplay: the feature {feature!r} has no numbers. Allowed: columns of numbers. "
                "Choose another."
            )
        column = column.astype(float)
        values = np.linspace(np.nanmin(column), np.nanmax(column), _POINTS)
        moved, name = _moved(X, at, feature, values)
        sides = [0.5 - 0.5 * c for c in reversed(coverages)]
        levels = [*sides, 0.5, *(1.0 - level for level in reversed(sides))]
        quantiles = np.asarray(predict_quantile(estimator, moved, levels), float)
        rows = None if y is None else (column, np.asarray(y, float))
        display = cls(str(name), values, quantiles, coverages=coverages, rows=rows)
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> FanDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        FanDisplay
        """
        ax = axes_for("FanDisplay", ax)
        if self.rows is not None:
            x, y = self.rows
            if len(x) > _MOST:
                chosen = np.random.default_rng(0).choice(len(x), _MOST, replace=False)
                x, y = x[chosen], y[chosen]
            ax.plot(x, y, ".", color=ink(), alpha=0.35, markersize=3)
        k = len(self.coverages)
        for i, coverage in enumerate(reversed(self.coverages)):
            low, high = self.quantiles[:, i], self.quantiles[:, 2 * k - i]
            share = f"{100 * coverage:g} %"
            ax.fill_between(
                self.values, low, high, color=BLUE, alpha=FAINT, linewidth=0, label=share
            )
        ax.plot(self.values, self.quantiles[:, k], color=BLUE, label="median")
        ax.set(xlabel=self.feature, ylabel="y")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _moved(X: Any, at: int | None, feature: str | int, values: Array) -> tuple[Any, Any]:
    """Return rows that differ in a feature alone, of the kind that X is, and its name."""
    rows = _safe_indexing(X, np.full(len(values), 0 if at is None else at))
    if not hasattr(rows, "columns"):
        moved = np.array(rows, float)
        if at is None:
            moved[:] = np.median(np.asarray(X, float), axis=0)
        moved[:, int(feature)] = values
        return moved, f"x{feature}"
    names = list(rows.columns)
    name = feature if isinstance(feature, str) else names[feature]
    columns = {} if at is not None else {other: _typical(X[other]) for other in names}
    columns = {other: np.full(len(values), value) for other, value in columns.items()}
    columns[name] = values
    if hasattr(rows, "with_columns"):
        import polars

        return rows.with_columns(polars.Series(key, each) for key, each in columns.items()), name
    return rows.assign(**columns), name


def _typical(column: Any) -> Any:
    """Return the median of numbers, or the most frequent of other values."""
    values = np.asarray(column)
    if values.dtype.kind in "iuf":
        return np.nanmedian(values)
    found, counts = np.unique(values.astype(str), return_counts=True)
    return values[values.astype(str) == found[counts.argmax()]][0]
