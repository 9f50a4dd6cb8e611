"""The profile likelihood of an estimate, and the interval that it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from skmle.inference.profile import place_of, profile_curve
from skmle.pipeline import infer
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, VERMILION, ink

__all__ = ["ProfileDisplay"]

Array = NDArray[np.float64]

# How often a curve that ends before its interval is drawn half as far again, at most.
_WIDER = 4


class ProfileDisplay(Display):
    """How much the log-likelihood falls as one estimate is held away from its maximum.

    Where twice the fall reaches the quantile of chi-square, the profile interval ends. A parabola,
    on the scale of the estimate's link, is what Wald's interval takes for it: where both agree, so
    do the intervals.

    Parameters
    ----------
    term : str
    values : ndarray of shape (m,)
        Where the estimate was held.
    deviances : ndarray of shape (m,)
        Twice the fall of the log-likelihood, all others fitted again; nan where fits found no
        maximum.
    wald : ndarray of shape (m,)
        What the parabola has there.
    interval : tuple of float
        The profile interval.
    confidence_level : float, default=0.95

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    skmle.inference.Inference.profile : The intervals as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import CrossEntropyClassifier
    >>> from skmle.plotting import ProfileDisplay
    >>> X, y = np.arange(8.0)[:, None], np.array([0, 0, 0, 1, 0, 1, 1, 1])
    >>> model = CrossEntropyClassifier().fit(X, y)
    >>> display = ProfileDisplay.from_estimator(model, X, y, term="x0")
    >>> print(np.round(display.interval, 2))
    [0.19 4.19]
    """

    def __init__(
        self,
        term: str,
        values: Array,
        deviances: Array,
        wald: Array,
        interval: tuple[float, float],
        *,
        confidence_level: float = 0.95,
    ) -> None:
        self.term = term
        self.values = values
        self.deviances = deviances
        self.wald = wald
        self.interval = interval
        self.confidence_level = confidence_level

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        term: str,
        sample_weight: ArrayLike | None = None,
        reach: float = 3.0,
        points: int = 31,
        confidence_level: float = 0.95,
        ax: Any = None,
        **settings: Any,
    ) -> ProfileDisplay:
        """Fit with the estimate held at values around its maximum, and draw.

        Parameters
        ----------
        estimator : fitted model
            One of skmle's, alone or in what holds it.
        X, y : array-like
            The rows of the fit.
        term : str
            An estimate of `skmle.summary(estimator)`: "bmi", or "scale:bmi" where several
            parameters depend on it.
        sample_weight : array-like of shape (n,), optional
            As of the fit.
        reach : float, default=3.0
            How far the values go, in standard errors to both sides; farther, if the interval does.
        points : int, default=31
        confidence_level : float, default=0.95
        ax : matplotlib Axes, optional
        **settings
            Of `skmle.infer`, such as `exposure`.

        Returns
        -------
        ProfileDisplay

        Raises
        ------
        ValueError
            If the term is the name of no estimate or of several, or the estimate has no standard
            error or no profile.
        """
        result = infer(estimator, X, y, sample_weight, **settings)
        place = place_of(result, term)
        ((low, high),) = result.profile(term, confidence_level=confidence_level).intervals
        for _ in range(_WIDER):
            steps = np.linspace(-reach, reach, points)
            values, deviances = profile_curve(result, place, steps)
            if values.min() <= _finite(low, values) and _finite(high, values) <= values.max():
                break
            reach *= 1.5
        display = cls(
            term,
            values,
            deviances,
            steps**2,
            (float(low), float(high)),
            confidence_level=confidence_level,
        )
        return display.plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        level = float(ndtri(0.5 + 0.5 * self.confidence_level)) ** 2
        top = max(level * 1.6, 1.0)
        ax.plot(self.values, self.wald, "--", color=ink(), linewidth=1, label="Wald's parabola")
        ax.plot(self.values, self.deviances, color=BLUE, label="profile")
        ax.axhline(level, color=VERMILION, linewidth=1)
        for end in self.interval:
            if np.isfinite(end):
                ax.plot([end, end], [0.0, level], color=VERMILION, linewidth=1)
        percent = f"{100 * self.confidence_level:g} % interval"
        low, high = (f"{end:.4g}" for end in self.interval)
        ax.plot([], [], color=VERMILION, linewidth=1, label=f"{percent}: {low} to {high}")
        ax.set(
            xlabel=self.term,
            ylabel="deviance, 2 (log L max − log L)",
            ylim=(0.0, top),
        )
        ax.legend(frameon=False, loc="upper center")


def _finite(end: float, values: Array) -> float:
    """Return an end of an interval; one at infinity, or unknown, asks for no more values."""
    return float(end) if np.isfinite(end) else float(values[0])
