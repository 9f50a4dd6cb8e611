"""Laws of several columns with a location and a matrix, by a factor of the matrix's inverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from skmle.families.base import IDENTITY, LOG, Array, Arrays, Family, Param, Support
from skmle.families.links import Link
from skmle.families.tools.factors import covariance_root, diagonal
from skmle.families.tools.several import SeveralColumns
from skmle.families.tools.special import LOG_2PI

_SQUARABLE = 1e150  # the square of a number of twice this size is a number still
_ASYMMETRY = 1e-8  # of a matrix, in products of its diagonal: rounding, not a mistake


class Factored(SeveralColumns):
    """A law of |A y - v|, of which the user sees the location A^-1 v and the matrix (A'A)^-1.

    The coordinates are v and the lower triangle A, with logarithms on its diagonal. Of columns far
    from zero they would lose digits, so that y may be measured from other origins in other units.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d; None: learnt from the data.
    frame : tuple of (origin, unit), optional
        How the coordinates measure each column of y; (0, 1) by default. It changes no law.
    links : None
        The coordinates have no other links.
    """

    finer_eta = True  # the matrix has half the digits of its factor
    support = Support()
    seen: ClassVar[tuple[str, str]]
    """What the user calls location and matrix."""

    def __init__(
        self,
        dimension: int | None = None,
        *,
        frame: tuple[tuple[float, float], ...] | None = None,
        links: Any = None,
    ) -> None:
        super().__init__(dimension, links=links)
        self.frame = frame

    @property
    def origin(self) -> Array:
        """The point from which the coordinates measure y."""
        return (
            np.zeros(self.d) if self.frame is None else np.array([pair[0] for pair in self.frame])
        )

    @property
    def unit(self) -> Array:
        """The units in which the coordinates measure the columns of y."""
        return np.array([unit for _, unit in self.frame or ((0.0, 1.0),) * self.d])

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * self.d * LOG_2PI + np.log(self.unit).sum())

    def adapt(self, y: Array) -> Family:
        family = super().adapt(y)
        largest = np.abs(y).max(axis=0)
        if (large := np.flatnonzero(largest > _SQUARABLE)).size:
            raise ValueError(
                f"{type(self).__name__}: column {large[0]} reaches {largest[large[0]]:.3g}. "
                f"Allowed: up to {_SQUARABLE:g}, as variances are squares. Drop such rows, or "
                "divide the column by a number."
            )
        return family

    def check_parameters(self, *theta: Array) -> None:
        name, matrix = self.seen[1], theta[1]
        turned = np.swapaxes(matrix, -1, -2)
        sd = np.sqrt(np.abs(diagonal(matrix)))
        off = np.abs(matrix - turned) > _ASYMMETRY * sd[..., :, None] * sd[..., None, :]
        if off.any():
            *_, a, b = (int(i) for i in np.argwhere(off)[0])
            pair = f"{matrix[..., a, b].flat[0]:g} and {matrix[..., b, a].flat[0]:g}"
            raise ValueError(
                f"{type(self).__name__}: {name}[{a}, {b}] and [{b}, {a}] are {pair}. Allowed: a "
                f"symmetric matrix. Give ({name} + {name}.T)/2 if they differ by rounding."
            )
        covariance_root(matrix, type(self).__name__)

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        pairs = zip(*np.tril_indices(self.d), strict=True)
        triangle = tuple(Param(f"factor[{i},{j}]", LOG if i == j else IDENTITY) for i, j in pairs)
        return tuple(Param(f"shift[{i}]", IDENTITY) for i in range(self.d)) + triangle

    @property
    def names(self) -> tuple[str, ...]:
        return self.seen

    def holds(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(y).all(axis=-1))

    def unpack(self, eta: Arrays) -> tuple[Array, Array]:
        """Return v, (.., d), and A, (.., d, d), of constant eta or of an eta for each row."""
        e = np.stack(np.broadcast_arrays(*eta), axis=-1).astype(float)
        a = np.zeros((*e.shape[:-1], self.d, self.d))
        i, j = np.tril_indices(self.d)
        a[..., i, j] = e[..., self.d :]
        a[..., range(self.d), range(self.d)] = np.exp(diagonal(a))
        return e[..., : self.d], a

    def coordinates(self, location: Array, factor: Array) -> tuple[float, ...]:
        """Return the coordinates by a location, as they measure it, and a factor of the matrix.

        The factor is lower triangular.
        """
        factor = factor * np.sign(np.diag(factor))  # its columns, so that the diagonal is positive
        a = solve_triangular(factor, np.eye(self.d), lower=True)
        v = a @ location
        a[np.diag_indices(self.d)] = -np.log(np.diag(factor))
        return (*v, *a[np.tril_indices(self.d)])

    def natural(self, eta: Arrays) -> Arrays:
        v, a = self.unpack(eta)
        inverse = solve_triangular(a, np.eye(self.d), lower=True)
        root = self.unit[:, None] * inverse
        return root @ v + self.origin, root @ root.T

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        v, a = self.unpack(eta)
        inverse = solve_triangular(a, np.eye(self.d), lower=True)
        mean, matrix, unit = inverse @ v, inverse @ inverse.T, self.unit
        lower = np.tril_indices(self.d)
        columns = [np.r_[inverse[:, i], np.zeros(len(lower[0]))] for i in range(self.d)]
        for i, j in zip(*lower, strict=True):
            # dA = unit(i, j) (times A_ii on the diagonal): d mean = -A^-1 dA mean,
            # d matrix = -(A^-1 dA matrix + its transpose).
            step = a[i, i] if i == j else 1.0
            turn = -step * np.outer(inverse[:, i], matrix[j])
            columns.append(np.r_[-step * inverse[:, i] * mean[j], (turn + turn.T)[lower]])
        sizes = np.r_[unit, np.outer(unit, unit)[lower]]
        return sizes[:, None] * np.array(columns).T

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        names = [str(i) for i in range(self.d)] if columns is None else list(columns)
        pairs = zip(*np.tril_indices(self.d), strict=True)
        location, matrix = self.seen
        return tuple(f"{location}[{name}]" for name in names) + tuple(
            f"{matrix}[{names[i]},{names[j]}]" for i, j in pairs
        )

    def natural_charts(self) -> tuple[Link, ...]:
        return (IDENTITY,) * self.d + tuple(
            LOG if i == j else IDENTITY for i, j in zip(*np.tril_indices(self.d), strict=True)
        )

    def eta(self, theta: Arrays) -> Arrays:
        location, matrix = (np.asarray(value, float) for value in theta)
        root = covariance_root(matrix, "law") / self.unit[:, None]
        at = self.coordinates((location - self.origin) / self.unit, root)
        return tuple(np.asarray(e) for e in at)
