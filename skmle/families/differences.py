"""Derivatives of laws whose formula alone is known, by differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from skmle.families.records import Array, Arrays, Rows, triangle

# Step of `differences`, in eta. Where a law varies over one unit of eta, the truncation of the
# sixth-order gradient is about 1e-17 and its rounding 1e-13; of the curvature 1e-11 and 1e-10. Half
# and twice the step were tried on the tails of all families and were no better.
_STEP = 2e-3
# Steps for functions of fewer digits and for such as vary on a smaller scale, and the error of a
# row's gradient from which they are tried: it moves the maximum of 1,000 rows by 3e-9 standard
# errors. Formulas of laws have 1e-12. With it, all fits of scipy's list of laws that are at a
# maximum come within 1e-6 standard errors; without it two of 142 came within 1e-4 at best.
_WIDER, _NARROWER, _ROUGH = (1e-2, 5e-2), (5e-4, 1e-4), 1e-10


def differences(value: Callable[[Arrays], Array], eta: Arrays, order: int) -> Rows:
    """Return the rows of a function of eta by central differences.

    The gradient is of sixth order (about 1e-10 is left of its error), the curvature of fourth
    (1e-7): enough for a fit to arrive at its tolerance, and for standard errors of six digits. It
    takes 6 k + 8 k (k - 1)/2 + 1 evaluations for k etas, and more where another step tells more.
    """
    here = np.asarray(value(eta), float)
    if order < 1:
        return Rows(here)

    def at(*moves: tuple[int, float]) -> Array:
        moved = [np.asarray(e, float) for e in eta]
        for j, change in moves:
            moved[j] = moved[j] + change
        return np.asarray(value(tuple(moved)), float)

    def along(j: int, change: float) -> Array:
        return at((j, change))

    k = len(eta)
    lines = [_smoothest(partial(along, j), here) for j in range(k)]
    gradient = tuple(line.gradient for line in lines)
    if order < 2:
        return Rows(here, gradient)

    def cross(a: int, b: int, m: float) -> Array:
        u, v = m * lines[a].step, m * lines[b].step
        same = at((a, u), (b, v)) + at((a, -u), (b, -v))
        return (same - at((a, u), (b, -v)) - at((a, -u), (b, v))) / (4.0 * u * v)

    curvature = tuple(
        lines[a].curvature(here) if a == b else (4.0 * cross(a, b, 1.0) - cross(a, b, 2.0)) / 3.0
        for a, b in triangle(k)
    )
    return Rows(here, gradient, curvature)


class _Line(NamedTuple):
    """A function on a line, one to three steps ahead and behind."""

    step: float
    ahead: list[Array]
    behind: list[Array]

    @property
    def gradient(self) -> Array:
        near, middle, far = (up - down for up, down in zip(self.ahead, self.behind, strict=True))
        return (45.0 * near - 9.0 * middle + far) / (60.0 * self.step)

    def curvature(self, here: Array) -> Array:
        near, middle, far = (up + down for up, down in zip(self.ahead, self.behind, strict=True))
        return (1.5 * near - 0.15 * middle + far / 90.0 - 49.0 / 18.0 * here) / self.step**2

    def error(self, here: Array) -> float:
        """Return about how much of a row's gradient is rounding or truncation, in the mean.

        Of a smooth function the sixth difference is tiny. What is left of rounding is 28 times that
        of the gradient's numerator.
        """
        return float(np.mean(np.abs(self._sixth(here)))) / (28.0 * self.step)

    def is_rough(self, here: Array) -> bool:
        """Return whether the error is one of rounding: differences do not fall with their order."""
        near, middle = (up + down for up, down in zip(self.ahead[:2], self.behind, strict=False))
        fourth = middle - 4.0 * near + 6.0 * here
        return bool(np.mean(np.abs(self._sixth(here))) > np.mean(np.abs(fourth)))

    def _sixth(self, here: Array) -> Array:
        near, middle, far = (up + down for up, down in zip(self.ahead, self.behind, strict=True))
        sixth: Array = far - 6.0 * middle + 15.0 * near - 20.0 * here
        return sixth


def _smoothest(along: Callable[[float], Array], here: Array) -> _Line:
    """Return a function on a line by the step at which its derivatives have most digits."""

    def by(step: float) -> _Line:
        return _Line(
            step,
            [along(m * step) for m in (1.0, 2.0, 3.0)],
            [along(-m * step) for m in (1.0, 2.0, 3.0)],
        )

    best = by(_STEP)
    error = best.error(here)
    if not error > _ROUGH:
        return best
    for step in _WIDER if best.is_rough(here) else _NARROWER:
        other = by(step)
        if not other.error(here) < error:
            break
        best, error = other, other.error(here)
    return best
