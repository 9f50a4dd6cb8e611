"""The predicted law of y as one feature moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.inference.frames import checked_frame, column_names, column_of, rows_of, with_column
from skmle.inference.show import offered
from skmle.pipeline import predict_quantile
from skmle.plotting._display import Display, shares_between
from skmle.plotting._style import BLUE, FAINT, ink

__all__ = ["FanDisplay"]

Array = NDArray[np.float64]

COVERAGES = (0.5, 0.8, 0.95)
_POINTS = 101
_MOST = 2000  # rows that are drawn as points


class FanDisplay(Display):
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
        coverages: float | Sequence[float] = COVERAGES,
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
        coverages : float or sequence of float, default=(0.5, 0.8, 0.95)
        ax : matplotlib Axes, optional

        Returns
        -------
        FanDisplay

        Raises
        ------
        ValueError
            If the column is unknown or has no numbers, or a coverage is not between 0 and 1.
        """
        coverages = shares_between("FanDisplay", "coverages", coverages, COVERAGES)
        X = checked_frame(X, "FanDisplay")
        names = column_names(X)
        place = names.index(feature) if feature in names else feature
        if not isinstance(place, int) or not -len(names) <= place < len(names):
            raise ValueError(
                f"FanDisplay: X has no column {feature!r}. Allowed: "
                f"{offered(str(feature), list(map(str, names)))}"
            )
        name = names[place]
        column = np.asarray(column_of(X, name))
        if column.dtype.kind not in "iufb":
            raise ValueError(
                f"FanDisplay: the feature {feature!r} has no numbers. Allowed: columns of numbers. "
                "Choose another."
            )
        column = column.astype(float)
        values = np.linspace(np.nanmin(column), np.nanmax(column), _POINTS)
        rows = rows_of(X, np.full(_POINTS, 0 if at is None else at, np.intp))
        if at is None:
            for other in names:
                typical = _typical(column_of(X, other))
                rows = with_column(rows, other, np.full(_POINTS, typical))
        moved = with_column(rows, name, values)
        sides = [0.5 - 0.5 * c for c in reversed(coverages)]
        levels = [*sides, 0.5, *(1.0 - level for level in reversed(sides))]
        quantiles = np.asarray(predict_quantile(estimator, moved, levels), float)
        shown = None if y is None else (column, np.asarray(y, float))
        label = name if isinstance(name, str) else f"x{name}"
        display = cls(label, values, quantiles, coverages=coverages, rows=shown)
        return display.plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.patches import Patch

        if self.rows is not None:
            x, y = self.rows
            if len(x) > _MOST:
                chosen = np.random.default_rng(0).choice(len(x), _MOST, replace=False)
                x, y = x[chosen], y[chosen]
            ax.plot(x, y, ".", color=ink(), alpha=0.35, markersize=3)
        k, entries = len(self.coverages), []
        for i, coverage in enumerate(reversed(self.coverages)):
            low, high = self.quantiles[:, i], self.quantiles[:, 2 * k - i]
            ax.fill_between(self.values, low, high, color=BLUE, alpha=FAINT, linewidth=0)
            # The intervals lie over one another, and the legend shows what comes of it.
            covered = 1.0 - (1.0 - FAINT) ** (i + 1)
            entries.append(Patch(color=BLUE, alpha=covered, label=f"{100 * coverage:g} %"))
        entries += ax.plot(self.values, self.quantiles[:, k], color=BLUE, label="median")
        ax.set(xlabel=self.feature, ylabel="y")
        ax.legend(handles=entries, frameon=False)


def _typical(column: Any) -> Any:
    """Return the median of numbers, or the most frequent of other values."""
    values = np.asarray(column)
    if values.dtype.kind in "iuf":
        return np.nanmedian(values)
    found, counts = np.unique(values.astype(str), return_counts=True)
    return values[values.astype(str) == found[counts.argmax()]][0]
