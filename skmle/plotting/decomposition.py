"""Cross-entropies of classifiers in their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmle._decomposition import CrossEntropyDecomposition, cross_entropy_decomposition
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, VERMILION, ink

__all__ = ["CrossEntropyDecompositionDisplay"]


class CrossEntropyDecompositionDisplay(Display):
    """Cross-entropies as uncertainty - resolution + calibration, a bar a classifier.

    A bar ends at the cross-entropy. Its last part is what is lost because probabilities are not
    calibrated; from its beginning to the line of the uncertainty is the resolution.

    Parameters
    ----------
    parts : dict of str to CrossEntropyDecomposition

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmle.plotting import CrossEntropyDecompositionDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> models = {
    ...     "naive Bayes": GaussianNB().fit(X[::2], y[::2]),
    ...     "tree": DecisionTreeClassifier(max_depth=2, random_state=0).fit(X[::2], y[::2]),
    ... }
    >>> display = CrossEntropyDecompositionDisplay.from_estimator(models, X[1::2], y[1::2])
    >>> print([round(part.uncertainty, 3) for part in display.parts.values()])
    [0.668, 0.668]
    """

    def __init__(self, parts: Mapping[str, CrossEntropyDecomposition]) -> None:
        self.parts = parts

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        method: str = "auto",
        ax: Any = None,
    ) -> CrossEntropyDecompositionDisplay:
        """Decompose the cross-entropy of a classifier, or of several by their names, and draw.

        Parameters
        ----------
        estimator : fitted classifier, or dict of str to classifiers
        X, y, sample_weight, method
            As `skmle.metrics.cross_entropy_decomposition` takes them.
        ax : matplotlib Axes, optional

        Returns
        -------
        CrossEntropyDecompositionDisplay

        Raises
        ------
        TypeError, ValueError
            As `skmle.metrics.cross_entropy_decomposition`.
        """
        one = {type(estimator).__name__: estimator}
        named = estimator if isinstance(estimator, Mapping) else one
        parts = {
            str(name): cross_entropy_decomposition(model, X, y, sample_weight, method=method)
            for name, model in named.items()
        }
        return cls(parts).plot(ax=ax)

    @property
    def _size(self) -> tuple[float, float]:
        return 6.4, 1.9 + 0.5 * len(self.parts)

    def _draw(self, ax: Any) -> None:
        every = list(self.parts.values())
        place = np.arange(len(every))
        left = np.array([part.uncertainty - part.resolution for part in every])
        lost = np.array([part.calibration for part in every])
        finite = np.isfinite(lost)
        ax.barh(place, left, 0.6, color=BLUE, label="uncertainty − resolution")
        # Where it is infinite, there is no bar for it, but the legend needs one.
        last = np.where(finite, lost, 0.0)
        label = "+ calibration = cross-entropy"
        ax.barh(place, last, 0.6, left=left, color=VERMILION, label=label)
        for y in place[~finite]:
            ax.text(left[y], y, " ∞", va="center")
        uncertainty = every[0].uncertainty
        ax.axvline(uncertainty, color=ink(), linestyle="--", linewidth=1, label="uncertainty")
        ax.set_yticks(place, list(self.parts))
        ax.invert_yaxis()
        ax.set_xlabel("nats per row")
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
