"""Whether the probabilities of a classifier hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle._decomposition import probabilities, recalibrated
from skmle.families.tools.generators import generator_of
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, FAINT, VERMILION, ink

__all__ = ["ReliabilityDisplay"]

Array = NDArray[np.float64]


class ReliabilityDisplay(Display):
    """How often a class occurs beside the probability that was told for it.

    The curve is the most likely rising function of the probability, which needs no bins. The band
    holds, at each probability, 95 % of such curves of labels drawn from the probabilities
    themselves: outside of it they do not hold.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        In rising order.
    frequency : ndarray of shape (n,)
        The curve.
    low, high : ndarray of shape (n,)
        The band.
    label : object
        The class.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    skmle.metrics.cross_entropy_decomposition : What miscalibration costs, in nats.

    References
    ----------
    Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic
    classifiers, PNAS 118.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmle.plotting import ReliabilityDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> display = ReliabilityDisplay.from_estimator(GaussianNB().fit(X, y), X, y)
    >>> print(display.label)
    1
    """

    def __init__(
        self, probability: Array, frequency: Array, low: Array, high: Array, *, label: Any = 1
    ) -> None:
        self.probability = probability
        self.frequency = frequency
        self.low = low
        self.high = high
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        label: Any = None,
        simulations: int = 199,
        random_state: Any = 0,
        ax: Any = None,
    ) -> ReliabilityDisplay:
        """Compare probabilities with labels, and draw.

        Parameters
        ----------
        estimator : fitted classifier
            Any with `predict_proba`, in a pipeline or not.
        X : array-like of shape (n, p)
        y : array-like of shape (n,)
        label : object, optional
            Of which class; by default the last.
        simulations : int, default=199
            Sets of labels for the band.
        random_state : int, Generator or None, default=0
        ax : matplotlib Axes, optional

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        TypeError
            If the estimator has no `predict_proba`.
        ValueError
            If a label is unknown.
        """
        proba, codes = probabilities(estimator, X, y, "ReliabilityDisplay")
        classes = np.asarray(estimator.classes_).tolist()
        label = classes[-1] if label is None else label
        if label not in classes:
            raise ValueError(
                f"ReliabilityDisplay: label={label!r} is no class. Allowed: "
                f"{', '.join(map(repr, classes[:8]))}. Give one of them."
            )
        place = classes.index(label)
        order = np.argsort(proba[:, place], kind="stable")
        probability, is_label = proba[order, place], (codes == place)[order].astype(np.intp)
        ones = np.ones(len(order))
        frequency = recalibrated(probability, is_label, ones)
        rng = generator_of(random_state)
        curves = [
            recalibrated(probability, (rng.random(len(order)) < probability).astype(np.intp), ones)
            for _ in range(simulations)
        ]
        low, high = np.quantile(curves, [0.025, 0.975], axis=0)
        return cls(probability, frequency, low, high, label=label).plot(ax=ax)

    @property
    def _size(self) -> tuple[float, float]:
        return 4.8, 5.3

    def _draw(self, ax: Any) -> None:
        p = self.probability
        band = "95 % of curves, if the probabilities hold"
        ax.fill_between(p, self.low, self.high, color=BLUE, alpha=FAINT, linewidth=0, label=band)
        ax.plot([0.0, 1.0], [0.0, 1.0], color=ink(), linewidth=1)
        ax.plot(p, self.frequency, color=VERMILION, drawstyle="steps-mid", label="frequency")
        counts, edges = np.histogram(p, np.linspace(0.0, 1.0, 31))
        ax.stairs(0.15 * counts / counts.max(), edges, fill=True, color="0.6", alpha=0.6)
        ax.set(
            xlabel=f"probability of {self.label}",
            ylabel=f"frequency of {self.label}",
            xlim=(0.0, 1.0),
            ylim=(0.0, 1.0),
            aspect="equal",
        )
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
