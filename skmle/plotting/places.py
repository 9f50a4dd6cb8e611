"""Where rows lie in their laws: histogram of places, P-P, Q-Q and worm plots with envelopes."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from skmle._any_model.unwrap import unwrap
from skmle._engine.problem import Coefs, Problem
from skmle._goodness_of_fit import fit_of_rows
from skmle._shared.redrawn import Observing, Places, redrawn
from skmle.distribution import MLEDistribution
from skmle.families import Distribution
from skmle.families.tools.generators import generator_of
from skmle.ordinal import OrdinalClassifier
from skmle.pipeline import augment
from skmle.plotting._display import Display
from skmle.plotting._style import BLUE, FAINT, VERMILION, ink
from skmle.regressor import MLERegressor

__all__ = ["PITDisplay"]

Array = NDArray[np.float64]

KINDS = ("qq", "pp", "worm", "histogram")
# Places are drawn this far inside of 0 and 1 where quantiles are asked for.
_INSIDE = 1e-12
_OTHER_ROWS = ", or simulations=0 for the envelope of rows that the model was not fitted to"


class PITDisplay(Display):
    """Where rows lie in the laws that a model has for them, beside where they should.

    The place of a row is P(Y <= y) under its law, its probability integral transform. If the model
    holds, places are uniform. That of a count, a rounded or a censored value is drawn between the
    ends that are known (Dunn & Smyth, 1996).

    The envelope holds, of each point, the middle 95 % of what samples from the fitted model have
    there, to each of which the model is fitted anew. So it is right though the parameters were
    estimated, which the usual bands are not. Of each twenty points about one lies outside.

    Parameters
    ----------
    places : ndarray of shape (n,)
        In rising order.
    low, high : ndarray of shape (n,)
        The envelope of each.
    simulated : int
        From how many samples it is; 0: it is that of a model that is known, by the beta laws of
        ordered uniform numbers.
    quantile : callable, optional
        From places to values of the law of all rows; by default normal quantiles.
    name : str
        Of the model.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    skmle.goodness_of_fit : The test that goes with it.

    References
    ----------
    Dunn & Smyth (1996), Randomized quantile residuals, J. Computational and Graphical Statistics 5.
    Atkinson (1985), Plots, Transformations and Regression.
    van Buuren & Fredriks (2001), Worm plot, Statistics in Medicine 20.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skmle import MLEDistribution
    >>> from skmle.plotting import PITDisplay
    >>> area = load_breast_cancer(as_frame=True).data[["mean area"]]
    >>> model = MLEDistribution("lognormal").fit(area)
    >>> display = PITDisplay.from_estimator(model, area, kind="qq")
    >>> display.places.shape
    (569,)
    """

    def __init__(
        self,
        places: Array,
        low: Array,
        high: Array,
        *,
        simulated: int = 0,
        quantile: Callable[[Array], Array] | None = None,
        name: str = "",
    ) -> None:
        self.places = places
        self.low = low
        self.high = high
        self.simulated = simulated
        self.quantile = quantile
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        kind: str = "qq",
        simulations: int = 199,
        random_state: Any = 0,
        ax: Any = None,
        **offset_or_exposure: Any,
    ) -> PITDisplay:
        """Compute and draw the places of rows under a fitted model.

        Parameters
        ----------
        estimator : fitted model
            MLEDistribution or MLERegressor, alone or in a Pipeline, fitted to these rows; or any
            model that tells its law (see `skmle.predict_dist`), for any rows.
        X : array-like
        y : array-like of shape (n,), optional
            Of a regression.
        kind : {"qq", "pp", "worm", "histogram"}, default="qq"
            "qq" has the observations beside the quantiles of their law (normal ones of the
            residuals where each row has a law of its own), "pp" the places beside uniform ones,
            "worm" the residuals less what they should be, "histogram" how many rows are where.
        simulations : int, default=199
            Number of samples that are drawn and fitted for the envelope. 0: the envelope of a model
            that was not fitted to these rows, as of held-out ones.
        random_state : int, Generator or None, default=0
        ax : matplotlib Axes, optional
        **offset_or_exposure : array-like of shape (n,)
            As of the fit.

        Returns
        -------
        PITDisplay

        Raises
        ------
        ValueError
            If `kind` or `simulations` is not allowed, or there are simulations and these are not
            the rows of the fit, or samples cannot be drawn and fitted.
        TypeError
            If the model tells no law, or one of three or more labels without an order.
        """
        if isinstance(simulations, bool) or not isinstance(simulations, Integral):
            simulations = -1
        if simulations < 0:
            raise ValueError(
                f"PITDisplay: simulations={simulations!r} is not allowed. Allowed: a number of "
                "samples, or 0. Give for example 199."
            )
        inner, _ = unwrap(estimator, X)
        name, quantile = type(inner).__name__, None
        ours = isinstance(inner, (MLEDistribution, MLERegressor))
        if ours and simulations:
            problem, fit = fit_of_rows(
                "PITDisplay", estimator, X, y, None, offset_or_exposure, _OTHER_ROWS
            )
            name = fit.family.title
            rng = generator_of(random_state)
            found = redrawn(problem, fit, _places_of, int(simulations), rng, "PITDisplay")
            if not len(found.samples):
                raise ValueError(
                    f"PITDisplay: none of {simulations} samples from the law has a fit. Allowed: "
                    "laws that can be fitted to as many rows. Give simulations=0."
                )
            low, high = np.quantile(found.samples, [0.025, 0.975], axis=0)
            places, count = found.rows, len(found.samples)
        else:
            name += _order_of_labels(inner)
            rows = augment(estimator, X, y, random_state=random_state, **offset_or_exposure)
            places, count = np.sort(np.asarray(rows["pit"], float)), 0
            order = np.arange(1.0, len(places) + 1.0)
            low, high = (betaincinv(order, order[::-1], level) for level in (0.025, 0.975))
        law = getattr(inner, "distribution_", None)
        if isinstance(law, Distribution) and not law.discrete:
            quantile = law.ppf
        display = cls(places, low, high, simulated=count, quantile=quantile, name=name)
        return display.plot(kind=kind, ax=ax)

    def plot(self, *, kind: str = "qq", ax: Any = None, bins: int | None = None) -> PITDisplay:
        """Draw.

        Parameters
        ----------
        kind : {"qq", "pp", "worm", "histogram"}, default="qq"
        ax : matplotlib Axes, optional
        bins : int, optional
            Of the histogram; by default about the square root of the number of rows, 20 at most.

        Returns
        -------
        PITDisplay
        """
        if kind not in KINDS:
            raise ValueError(
                f"PITDisplay: kind={kind!r} is not allowed. Allowed: "
                f"{', '.join(map(repr, KINDS))}. Give one of them."
            )
        return self._on(ax, lambda ax: self._draw(ax, kind, bins))

    def _draw(self, ax: Any, kind: str = "qq", bins: int | None = None) -> None:
        if kind == "histogram":
            self._histogram(ax, bins)
        else:
            self._points(ax, kind)
        ax.set_title(self.name)

    def _points(self, ax: Any, kind: str) -> None:
        n = len(self.places)
        expected = (np.arange(n) + 0.5) / n
        scale: Callable[[Array], Array] = ndtri
        labels = "normal quantile", "quantile residual"
        if kind == "pp":
            scale, labels = np.asarray, ("uniform place", "place of the row, P(Y ≤ y)")
        elif kind == "qq" and self.quantile is not None:
            scale, labels = self.quantile, ("quantile of the law", "observation")
        inside = np.clip(self.places, _INSIDE, 1.0 - _INSIDE)
        x, at, low, high = (
            np.asarray(scale(u), float) for u in (expected, inside, self.low, self.high)
        )
        line = x
        if kind == "worm":
            at, low, high, line = at - x, low - x, high - x, np.zeros(n)
            labels = labels[0], "quantile residual, less the normal one"
        ax.fill_between(x, low, high, color=BLUE, alpha=FAINT, linewidth=0, label=self._envelope)
        ax.plot(x, line, color=ink(), linewidth=1)
        outside = (at < low) | (at > high)
        ax.plot(x[~outside], at[~outside], "o", color=BLUE, markersize=3)
        if outside.any():
            ax.plot(x[outside], at[outside], "o", color=VERMILION, markersize=3, label="outside")
        ax.set(xlabel=labels[0], ylabel=labels[1])
        ax.legend(frameon=False)

    def _histogram(self, ax: Any, bins: int | None) -> None:
        """Draw how many rows have their place where, in units of what is expected."""
        n = len(self.places)
        bins = min(20, max(5, round(np.sqrt(n)))) if bins is None else bins
        edges = np.linspace(0.0, 1.0, bins + 1)
        height = np.histogram(self.places, edges)[0] * bins / n
        # Each bin by itself has a binomial number of rows.
        spread = 1.96 * np.sqrt((bins - 1.0) / n)
        ax.bar(edges[:-1], height, 1.0 / bins, align="edge", color=BLUE, alpha=0.7)
        ax.axhline(1.0, color=ink(), linewidth=1)
        for end, label in ((1.0 - spread, "95 % of bins, if the law holds"), (1.0 + spread, None)):
            if end > 0.0:
                ax.axhline(end, color=VERMILION, linestyle="--", linewidth=1, label=label)
        ax.set(
            xlabel="place of the row, P(Y ≤ y)",
            ylabel="rows / rows expected",
            xlim=(0.0, 1.0),
            ylim=(0.0, 1.25 * max(float(height.max()), 1.0 + spread)),
        )
        ax.legend(frameon=False, loc="upper center")

    @property
    def _envelope(self) -> str:
        if not self.simulated:
            return "95 % of each point, if the law holds"
        return f"95 % of each point in {self.simulated} samples"


def _places_of(problem: Problem, coefs: Coefs, observing: Observing) -> Places:
    return Places.of(problem, observing)


def _order_of_labels(model: Any) -> str:
    """Return, for the title, the order in which two labels have their places; "" of numbers.

    Raises
    ------
    TypeError
        If there are more than two, of which no order is known.
    """
    labels = getattr(model, "classes_", None)
    if labels is None or isinstance(model, OrdinalClassifier):
        return ""
    if len(labels) > 2:
        raise TypeError(
            f"PITDisplay: {type(model).__name__} has a law of {len(labels)} labels, which have no "
            "order and so no places. Allowed: laws of numbers, of two labels, and those of an "
            "OrdinalClassifier. Use ReliabilityDisplay."
        )
    return f", {' below '.join(map(str, labels))}"
