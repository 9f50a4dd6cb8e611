"""The base of location-scale laws whose density has shapes to be fitted."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skmle.families.base import Array, Arrays, Rows, triangle
from skmle.families.differences import differences
from skmle.families.tools.location_scale import LocationScale, in_scales


class WithShapes(LocationScale):
    """Laws of z = (t(y) - loc)/scale, where t is the identity or the logarithm, with shapes.

    A law states minus the log of the density of z with its derivatives in z and in the shapes;
    those in location and scale follow, and so do those of the tails.
    """

    @abstractmethod
    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        """Return -log of the density of z, with derivatives in z and in the eta of the shapes.

        Terms that depend on nothing may be left to `base`.
        """

    def log_tail_at(self, u: Array, shapes: Arrays, upper: bool) -> Array:
        """Return log of a tail of z, from the eta of the shapes."""
        raise NotImplementedError(f"{type(self).__name__} states no tails.")

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        """Return -log of a tail of z, as `jet` does.

        By default it falls by its hazard in z; those in the shapes are `tail_in_shapes`.
        """
        own = self.tail_in_shapes(u, shapes, upper, order)
        if own.gradient is None:
            return own
        density = self.jet(u, shapes, 1)
        assert density.gradient is not None
        hazard = np.exp(own.value - density.value - self._constant) * (1.0 if upper else -1.0)
        gradient = (hazard, *own.gradient)
        if own.curvature is None:
            return Rows(own.value, gradient)
        pairs = zip(gradient, density.gradient, strict=True)
        beside = (hazard * (one - other) for one, other in pairs)
        return Rows(own.value, gradient, (*beside, *own.packed))

    def tail_in_shapes(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        """Return -log of a tail of z with its derivatives in the shapes, by default differences."""

        def value(moved: Arrays) -> Array:
            return -self.log_tail_at(u, moved, upper)

        return differences(value, shapes, order)

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        raise NotImplementedError(f"{type(self).__name__} has no single standard density; see jet.")

    # ---------------------------------------------------------------- derivatives

    def places(self, statistics: Arrays, eta: Arrays) -> tuple[Array, Array]:
        """Return z and 1/scale."""
        loc, spread = eta[:2]
        log_scale = self.spread_sign * np.asarray(spread)
        rate = np.exp(-log_scale)
        return in_scales(statistics[0] - loc, log_scale, rate), rate

    def moved(self, rows: Rows, u: Array, rate: Array) -> Rows:
        """Return rows with derivatives in z and the shapes with those in all eta."""
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

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        u, rate = self.places(statistics, eta)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return self.moved(self.tail_jet(u, eta[2:], upper, order), u, rate)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return -self.tail(self.statistics(y), self.chart(self.eta(theta)), upper, 0).value

    def entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools.numerical import entropy

        known = self.known_entropy(theta)
        return entropy(self, theta) if known is None else np.asarray(known, float)
