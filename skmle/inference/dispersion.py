"""The Pearson dispersion of counts: whether they spread as wide as the law that was fitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Standard errors, and distance, from one beyond which a table says that the dispersion is far from
# it. At three standard errors one table in 400 says so wrongly; a dispersion of 1.1 changes
# standard errors by 5 %. Chosen, not measured.
_ERRORS, _HARDLY = 3.0, 0.1


class Dispersion(NamedTuple):
    """Pearson's statistic over its degrees of freedom, of all rows or of a sample of them."""

    value: float
    error: float
    """Its standard error if the law holds and counts are not small: sqrt(2/(n - k))."""
    spread: float
    """Its standard error by the rows themselves, which is larger where most counts are zero."""

    @property
    def far(self) -> bool:
        """Whether it is far from one, beyond chance."""
        away = abs(self.value - 1.0)
        return away > max(_ERRORS * self.error, _ERRORS * self.spread, _HARDLY)


def dispersion_of(squares: Array, weight: Array | None, mass: float, k: int) -> Dispersion | None:
    """Return the dispersion; None if there are no degrees of freedom, or it is no number.

    Parameters
    ----------
    squares : ndarray of shape (m,)
        Squares of Pearson residuals: of all rows, or of a representative sample of them.
    weight : ndarray of shape (m,), optional
        How many rows each of them is.
    mass : float
        Total weight of all rows.
    k : int
        Coefficients of the fit to all rows.
    """
    weights = np.ones(len(squares)) if weight is None else weight
    own = float(weights.sum())
    if not (mass > k and own > k and np.isfinite(squares).all()):
        return None
    # Sums, not products: BLAS would wake its threads for them, which takes longer.
    mean = float((weights * squares).sum()) / own
    spread = np.sqrt(float((weights * (squares - mean) ** 2).sum()) / own / (own - k))
    return Dispersion(mean * mass / (mass - k), float(np.sqrt(2.0 / (own - k))), float(spread))


def notes_of_dispersion(
    found: Dispersion, title: str, trusted: bool, wider_law: str = ""
) -> list[str]:
    """Return the lines below a table that tell the dispersion, and what to do if it is far from 1.

    Parameters
    ----------
    found : Dispersion
    title : str
        The law, in words.
    trusted : bool
        Whether the standard errors of the table rest on the law.
    wider_law : str
        The name of a law that spreads wider; "" if this one spreads as wide as the counts ask for.
    """
    line = f"Pearson dispersion {found.value:.3g}, s.e. {found.error:.2g} about 1"
    if not found.far:
        return [line + "."]
    wider, small = ("wider", "small") if found.value > 1.0 else ("narrower", "large")
    line += f": counts spread {wider} than the law ({title})"
    if not trusted:
        return [line + "."]
    # HC3, as HC1 comes out smaller on few rows: see docs/benchmarks/coverage.md.
    other = f", or fit a law that spreads wider, as {wider_law}"
    other = other if wider_law and found.value > 1.0 else ""
    return [
        f"{line}, so that these s.e. are too {small}. Use inference(X, y, covariance='HC3'){other}."
    ]
