"""The base of laws of log y = loc + scale z whose z has a density with shapes to be fitted."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from skmle.families.base import Array, Arrays, Rows, triangle
from skmle.families.tools.location_scale import LogLocationScale, in_scales


class LogShaped(LogLocationScale):
    """Laws of u = (log y - loc)/scale, or of its negative, whose density has shapes.

    A law states minus the log of that density with its derivatives in u and in the shapes; those
    in location and scale follow.
    """

    falling: ClassVar[bool] = False
    """Whether u falls with y."""

    @abstractmethod
    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        """Return -log of the density of u, with derivatives in u and in the eta of the shapes."""

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        raise NotImplementedError(f"{type(self).__name__} has no single standard density; see jet.")

    # ---------------------------------------------------------------- derivatives

    def places(self, statistics: Arrays, eta: Arrays) -> tuple[Array, Array]:
        """Return u and 1/scale, with the sign of u in y."""
        loc, spread = eta[:2]
        log_scale = self.spread_sign * np.asarray(spread)
        rate = np.exp(-log_scale)
        z = in_scales(statistics[0] - loc, log_scale, rate)
        return (-z, -rate) if self.falling else (z, rate)

    def moved(self, rows: Rows, u: Array, rate: Array) -> Rows:
        """Return rows with derivatives in u and the shapes with those in all eta."""
        if rows.gradient is None:
            return rows
        sign = self.spread_sign
        slope, *others = rows.gradient
        gradient = (-rate * slope, -sign * (u * slope), *others)
        if rows.curvature is None:
            return Rows(rows.value, gradient)
        k = len(rows.gradient)
        at = {p: np.asarray(bend) for p, bend in zip(triangle(k), rows.packed, strict=True)}
        turn = u * at[0, 0]
        found = {
            (0, 0): rate * rate * at[0, 0],
            (0, 1): sign * rate * (slope + turn),
            (1, 1): u * (slope + turn),
        }
        for j in range(1, k):
            found[0, j + 1], found[1, j + 1] = -rate * at[0, j], -sign * (u * at[0, j])
        found |= {(i + 1, j + 1): at[i, j] for i, j in triangle(k) if i > 0}
        return Rows(rows.value, gradient, tuple(found[place] for place in triangle(k + 1)))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        u, rate = self.places(statistics, eta)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a density of zero
            rows = self.moved(self.jet(u, eta[2:], order), u, rate)
        value = rows.value + self.spread_sign * eta[1]
        if rows.gradient is None:
            return Rows(value)
        first, second, *others = rows.gradient
        return rows._replace(value=value, gradient=(first, second + self.spread_sign, *others))
