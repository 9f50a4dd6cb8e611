"""Models or families beside the best, in nats per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.unwrap import last_step
from skmle.distribution_search import DistributionSearch
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, ink
from skmle.selection import Comparison

__all__ = ["ComparisonDisplay"]

Array = NDArray[np.float64]


class ComparisonDisplay(Display):
    """By how much models are worse than the best, with the error of the difference.

    Parameters
    ----------
    names : sequence of str
        The best first.
    differences : ndarray of shape (m,)
        Nats per row that are lost by each; 0 for the best.
    errors : ndarray of shape (m,), optional
        Standard errors of the differences; nan where they are not known.
    label : str
        What was compared.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skmle import DistributionSearch
    >>> from skmle.plotting import ComparisonDisplay
    >>> area = load_breast_cancer(as_frame=True).data[["mean area"]]
    >>> search = DistributionSearch(["gamma", "lognormal", "weibull", "normal"]).fit(area)
    >>> ComparisonDisplay.from_search(search).names
    ['lognormal', 'gamma', 'weibull', 'normal']
    """

    def __init__(
        self,
        names: Sequence[str],
        differences: Array,
        errors: Array | None = None,
        *,
        label: str = "nats per row that are lost",
    ) -> None:
        self.names = names
        self.differences = differences
        self.errors = errors
        self.label = label

    @classmethod
    def from_search(
        cls, search: DistributionSearch, *, most: int = 15, ax: Any = None
    ) -> ComparisonDisplay:
        """Draw the ranked candidates of a fitted `DistributionSearch`, in its order.

        Parameters
        ----------
        search : fitted DistributionSearch, alone or at the end of a Pipeline
        most : int, default=15
            How many are shown, the best first.
        ax : matplotlib Axes, optional

        Returns
        -------
        ComparisonDisplay

        Raises
        ------
        TypeError
            If it is no such search.
        """
        search = last_step(search)
        if not isinstance(search, DistributionSearch):
            raise TypeError(
                f"ComparisonDisplay.from_search: {type(search).__name__} is no DistributionSearch. "
                "Allowed: a fitted DistributionSearch. Of models, give what skmle.compare returns "
                "to from_comparison."
            )
        check_is_fitted(search)
        table = search.results_
        ranked = np.flatnonzero(np.isfinite(np.asarray(table["weight"], float)))[:most]
        names, differences, errors = (
            np.asarray(table[column])[ranked] for column in ("family", "difference", "std_error")
        )
        held_out = search.criterion == "held_out" or search.cv is not None
        display = cls(
            [str(name) for name in names],
            differences.astype(float),
            errors.astype(float),
            label="nats per row that are lost" + (", held out" if held_out else ""),
        )
        return display.plot(ax=ax)

    @classmethod
    def from_comparison(cls, comparison: Comparison, *, ax: Any = None) -> ComparisonDisplay:
        """Draw what `skmle.compare` has found.

        Parameters
        ----------
        comparison : skmle.selection.Comparison
        ax : matplotlib Axes, optional

        Returns
        -------
        ComparisonDisplay

        Raises
        ------
        TypeError
            If it is not what `skmle.compare` returns.
        """
        if not isinstance(comparison, Comparison):
            raise TypeError(
                f"ComparisonDisplay.from_comparison: {type(comparison).__name__} is no comparison. "
                "Allowed: what skmle.compare returns. Give compare({'one': model, 'other': "
                "model}, X, y)."
            )
        display = cls(
            list(comparison.names),
            comparison.differences,
            comparison.standard_errors,
            label="nats per row that are lost, held out",
        )
        return display.plot(ax=ax)

    @property
    def _size(self) -> tuple[float, float]:
        return 6.4, 1.2 + 0.28 * len(self.names)

    def _draw(self, ax: Any) -> None:
        place = np.arange(len(self.names))
        ax.axvline(0.0, color=ink(), linewidth=0.8)
        if self.errors is not None:
            reach = 1.96 * np.nan_to_num(self.errors)
            ax.hlines(place, self.differences - reach, self.differences + reach, color=BLUE)
        ax.plot(self.differences, place, "o", color=BLUE, markersize=5)
        ax.set_yticks(place, self.names)
        ax.set_ylim(len(self.names) - 0.5, -0.5)
        ax.set_xlabel(self.label)
