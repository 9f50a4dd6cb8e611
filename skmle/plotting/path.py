"""Coefficients as a penalty falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._path import Path
from skmle.plotting._display import Display
from skmle.plotting._style import COLOURS, ink

__all__ = ["PathDisplay"]

Array = NDArray[np.float64]

_NAMED = 12  # coefficients that have their name beside their end, at most


class PathDisplay(Display):
    """The coefficients of `skmle.path` against the strength of the penalty.

    Parameters
    ----------
    alphas : ndarray of shape (m,)
    coefs : ndarray of shape (m, p)
    names : sequence of str of length p

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from skmle.plotting import PathDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> path = skmle.path(skmle.MLERegressor(l1_ratio=1.0), X, y, n_alphas=20)
    >>> PathDisplay.from_path(path).coefs.shape
    (20, 10)
    """

    def __init__(self, alphas: Array, coefs: Array, names: Sequence[str]) -> None:
        self.alphas = alphas
        self.coefs = coefs
        self.names = names

    @classmethod
    def from_path(
        cls, path: Path, *, names: Sequence[str] | None = None, label: int = 0, ax: Any = None
    ) -> PathDisplay:
        """Draw a path.

        Parameters
        ----------
        path : result of `skmle.path`
        names : sequence of str, optional
            Of the columns; by default those of the fit.
        label : int, default=0
            Which row of `coef_`, of several classes.
        ax : matplotlib Axes, optional

        Returns
        -------
        PathDisplay

        Raises
        ------
        TypeError
            If it is not what `skmle.path` returns.
        ValueError
            If there is not one name a column, or no such row.
        """
        if not isinstance(path, Path):
            raise TypeError(
                f"PathDisplay: {type(path).__name__} is no path. Allowed: what skmle.path returns. "
                "Give skmle.path(model, X, y)."
            )
        coefs = np.asarray(path.coefs, float)
        if coefs.ndim == 3:
            if label not in range(coefs.shape[1]):
                raise ValueError(
                    f"PathDisplay: label={label!r} is no row of coef_. Allowed: 0 to "
                    f"{coefs.shape[1] - 1}, in the order of classes_. Give one of them."
                )
            coefs = coefs[:, label]
        if names is None:
            known = getattr(path.estimator(-1), "feature_names_in_", None)
            names = [f"x{j}" for j in range(coefs.shape[1])] if known is None else list(known)
        if len(names) != coefs.shape[1]:
            raise ValueError(
                f"PathDisplay: {len(names)} names were given for {coefs.shape[1]} columns. "
                "Allowed: one a column. Give as many, or leave names out."
            )
        return cls(path.alphas, coefs, list(names)).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        positive = self.alphas > 0.0
        alphas, coefs = self.alphas[positive], self.coefs[positive]
        last = coefs[-1]
        shown = np.argsort(-np.abs(last))[:_NAMED]
        shown = shown[last[shown] != 0.0]
        ax.axhline(0.0, color=ink(), linewidth=0.8)
        for j in range(coefs.shape[1]):
            ax.plot(alphas, coefs[:, j], color=COLOURS[j % len(COLOURS)], linewidth=1.2)
        ax.set_xscale("log")
        ax.invert_xaxis()
        for j, height in zip(shown, _apart(last[shown], coefs), strict=True):
            ax.annotate(
                str(self.names[j]),
                (alphas[-1], height),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=COLOURS[j % len(COLOURS)],
                fontsize="small",
            )
        ax.set(xlabel="alpha, the strength of the penalty per row", ylabel="coefficient")


def _apart(heights: Array, coefs: Array) -> Array:
    """Return heights moved so far apart that names there do not lie on each other."""
    room = 0.045 * float(np.ptp(coefs))
    order = np.argsort(heights)
    result = heights[order].copy()
    for i in range(1, len(result)):
        result[i] = max(result[i], result[i - 1] + room)
    result += float(np.mean(heights) - np.mean(result)) if len(result) else 0.0
    moved = np.empty_like(result)
    moved[order] = result
    return moved
