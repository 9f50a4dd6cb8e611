"""The log-likelihood of a density as a function of two of its parameters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.unwrap import unwrap
from skmle.distribution import MLEDistribution
from skmle.exceptions import FitWarning
from skmle.families import Distribution
from skmle.plotting._display import Display, shares_between
from skmle.plotting._style import BLUE, VERMILION, ink

__all__ = ["LikelihoodContourDisplay"]

Array = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.95)


class LikelihoodContourDisplay(Display):
    """Contours of the log-likelihood in two parameters of a law, all others at their best.

    The contours are the joint confidence regions of a likelihood-ratio test. Dashed is the ellipse
    that Wald's test has at the last level, on the scale of the links.

    Parameters
    ----------
    names : tuple of str
        The two parameters.
    first, second : ndarray of shape (m,)
        Their values.
    deviances : ndarray of shape (m, m)
        Twice the fall of the log-likelihood, at [i, j] of first[i] and second[j].
    estimates : tuple of float
    ellipse : ndarray of shape (k, 2)
        Points of Wald's region.
    levels : sequence of float

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> from skmle.plotting import LikelihoodContourDisplay
    >>> x = np.random.default_rng(0).weibull(1.5, size=(30, 1))
    >>> model = MLEDistribution("weibull").fit(x)
    >>> display = LikelihoodContourDisplay.from_estimator(model, x, points=21)
    >>> display.names
    ('scale', 'shape')
    """

    def __init__(
        self,
        names: tuple[str, str],
        first: Array,
        second: Array,
        deviances: Array,
        estimates: tuple[float, float],
        ellipse: Array,
        *,
        levels: Sequence[float] = LEVELS,
    ) -> None:
        self.names = names
        self.first = first
        self.second = second
        self.deviances = deviances
        self.estimates = estimates
        self.ellipse = ellipse
        self.levels = levels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        names: tuple[str, str] | None = None,
        sample_weight: ArrayLike | None = None,
        levels: float | Sequence[float] = LEVELS,
        points: int = 25,
        ax: Any = None,
    ) -> LikelihoodContourDisplay:
        """Compute the likelihood around the estimates, and draw.

        Parameters
        ----------
        estimator : fitted MLEDistribution, or what holds one
        X : array-like
            The rows of the fit.
        names : tuple of two str, optional
            Parameters; by default the first two. Others than these are fitted anew at each point.
        sample_weight : array-like of shape (n,), optional
        levels : float or sequence of float, default=(0.5, 0.8, 0.95)
            Of the regions.
        points : int, default=25
            Values of each parameter; the square of it is the number of fits.
        ax : matplotlib Axes, optional

        Returns
        -------
        LikelihoodContourDisplay

        Raises
        ------
        ValueError
            If the law has not two parameters of one number each with standard errors, or these
            are not the rows of the fit.
        """
        levels = shares_between("LikelihoodContourDisplay", "levels", levels, LEVELS)
        model, seen = unwrap(estimator, X)
        check_is_fitted(model)
        free = _free(model)
        if names is None and len(free) >= 2:
            names = free[0], free[1]
        if names is None or len(names) != 2 or not {*names} <= {*free}:
            raise ValueError(
                f"LikelihoodContourDisplay: names={names!r} are not two free parameters of this "
                f"fit. Allowed: two of {', '.join(map(repr, free)) or 'none'}. Give two."
            )
        law = model.distribution_
        places = [law.family.names.index(name) for name in names]
        links = [law.family.link(j) for j in places]
        estimates = [float(law.params[name]) for name in names]
        result = model.inference(seen, sample_weight=sample_weight)
        lines = [list(result.terms).index(name) for name in names]
        errors = np.asarray(result.eta_errors, float)[lines]
        if not np.isfinite(errors).all():
            raise ValueError(
                f"LikelihoodContourDisplay: {' or '.join(names)} has no standard error, so no "
                "region is known around it. Allowed: parameters with one. Choose others."
            )
        reach = 1.35 * np.sqrt(chdtri(2, 1.0 - max(levels)))
        steps = np.linspace(-reach, reach, points)
        centre = [float(link.eta(np.asarray(t))) for link, t in zip(links, estimates, strict=True)]

        def theta(moves: Sequence[Array] | Array) -> list[Array]:
            """Return values of both parameters so many standard errors away, on their links."""
            each = zip(links, centre, errors, moves, strict=True)
            return [np.asarray(link.theta(eta + s * move), float) for link, eta, s, move in each]

        grids = theta([steps, steps])
        deviances = _deviances(model, seen, sample_weight, names, grids)
        one, two = lines
        correlation = result.covariance[one, two] / np.prod(result.standard_errors[lines])
        # A link that falls turns the direction of its parameter around.
        correlation *= np.prod([np.sign(grid[-1] - grid[0]) for grid in grids])
        ellipse = np.stack(theta(_ellipse(float(correlation), max(levels)).T), axis=1)
        display = cls(
            (names[0], names[1]),
            grids[0],
            grids[1],
            deviances,
            (estimates[0], estimates[1]),
            ellipse,
            levels=levels,
        )
        return display.plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        heights = [float(chdtri(2, 1.0 - level)) for level in sorted(self.levels)]
        drawn = ax.contour(self.first, self.second, self.deviances.T, levels=heights, colors=BLUE)
        labels = {h: f"{100 * p:g} %" for h, p in zip(heights, sorted(self.levels), strict=True)}
        ax.clabel(drawn, fmt=labels)
        ax.plot([], [], color=BLUE, label="likelihood-ratio regions")
        last = f"Wald's region of {100 * max(self.levels):g} %"
        ax.plot(*self.ellipse.T, "--", color=ink(), linewidth=1, label=last)
        ax.plot(*self.estimates, "o", color=VERMILION, label="estimate")
        ax.set(xlabel=self.names[0], ylabel=self.names[1])
        ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _free(model: Any) -> list[str]:
    """Return the names of parameters of one number that the fit has chosen."""
    law = getattr(model, "distribution_", None)
    if not isinstance(model, MLEDistribution) or not isinstance(law, Distribution):
        return []
    held = model.fixed or {}
    return [name for name, value in law.params.items() if np.ndim(value) == 0 and name not in held]


def _ellipse(correlation: float, level: float) -> Array:
    """Return points of the region of two normal numbers of variance 1, (k, 2)."""
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    first, other = np.sqrt(chdtri(2, 1.0 - level)) * np.stack([np.cos(angle), np.sin(angle)])
    second = correlation * first + np.sqrt(1.0 - correlation**2) * other
    return np.stack([first, second], axis=1)


def _deviances(
    model: MLEDistribution,
    X: Any,
    sample_weight: ArrayLike | None,
    names: Sequence[str],
    grids: Sequence[Array],
) -> Array:
    """Return twice the fall of the log-likelihood at each pair of values, (m, m)."""
    result = np.full([len(grid) for grid in grids], np.nan)
    for i, one in enumerate(grids[0]):
        for j, two in enumerate(grids[1]):
            held = {**(model.fixed or {}), names[0]: float(one), names[1]: float(two)}
            with warnings.catch_warnings():
                # A fit that is at no maximum of the others leaves a gap in the picture.
                warnings.simplefilter("ignore", FitWarning)
                fit = clone(model).set_params(fixed=held).fit(X, sample_weight=sample_weight)
            if fit.converged_:
                result[i, j] = 2.0 * (model.log_likelihood_ - fit.log_likelihood_)
    return result
