"""The user's slopes as a linear map of the solver's coefficients.

A penalty is stated on the former and acts on the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array


@dataclass(frozen=True)
class Slopes:
    """The map slopes = expand @ (units * coef[index]); constants and intercepts have no part in it.

    Parameters
    ----------
    index : ndarray of int of shape (r,)
        Which of the solver's coefficients are slopes, in order.
    units : ndarray of shape (r,)
        The user's slope over the solver's: the unit of y for the location of a standardised y, else
        1.
    expand : ndarray of shape (m, r), optional
        The slopes of all columns from those of the columns that are fitted, where some columns
        depend on others. None means the identity.
    """

    index: NDArray[np.intp]
    units: Array
    expand: Array | None = None

    def of(self, coef: Array) -> Array:
        """Return the user's slopes, (m,), at the solver's coefficients, (d,)."""
        fitted = self.units * coef[self.index]
        return fitted if self.expand is None else self.expand @ fitted

    def pull(self, gradient: Array) -> Array:
        """Return the gradient in the fitted slopes, (r,), from that in the user's slopes, (m,)."""
        return self.units * (gradient if self.expand is None else gradient @ self.expand)

    def pull_hessian(self, hessian: Array) -> Array:
        """Return the Hessian in the fitted slopes from that in the user's slopes."""
        inner = hessian if self.expand is None else self.expand.T @ hessian @ self.expand
        return self.units[:, None] * inner * self.units

    def pull_diagonal(self, diagonal: Array) -> Array:
        """Return the diagonal of the Hessian in the fitted slopes from that in the user's slopes.

        The Hessian is taken to have no other entries.
        """
        return self.units**2 * (diagonal if self.expand is None else diagonal @ self.expand**2)

    def restrict(self, index: NDArray[np.intp]) -> tuple[Slopes, NDArray[np.intp] | None]:
        """Return the map of some of the solver's coefficients, and which slopes it keeps.

        The other coefficients are zero. Where slopes are expanded, each may depend on each
        coefficient: all are kept, and the second result is None.
        """
        place = np.full(max(self.index.max(initial=-1), index.max(initial=-1)) + 1, -1)
        place[index] = np.arange(len(index))
        kept = np.flatnonzero(place[self.index] >= 0)
        expand = None if self.expand is None else self.expand[:, kept]
        part = Slopes(place[self.index[kept]], self.units[kept], expand)
        return part, kept if expand is None else None
