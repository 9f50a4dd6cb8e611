"""The base of laws with zeros added: which zeros the law inside has, and where the whole ends."""

from __future__ import annotations

from functools import partial

import numpy as np

from skmle.families.algebra import of_rows
from skmle.families.base import LOGIT, Array, Arrays, Limit, Param, Saturated
from skmle.families.tools.zeros import ZerosAlone
from skmle.families.wrappers.base import Derived, Observe

_HARDLY_ANY = -36.0  # the logit of a share below the rounding of one


class WithZeros(Derived):
    """The base of laws with a share `zeros` beside a law inside.

    The last of their statistics says which rows are zeros.
    """

    added = (Param("zeros", LOGIT),)
    told_first = "zeros"

    @property
    def _holds_zero(self) -> bool:
        """Whether zero lies in the support of the law inside."""
        return bool(self.inner.contains(np.zeros(1))[0])

    @property
    def _counts_zero(self) -> bool:
        """Whether the law inside has a mass at zero, as counts have and laws with zeros added."""
        zero = np.zeros(1)
        return self._holds_zero and not self.inner.densities(self.inner.statistics(zero)).any()

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        return (0.0, self.inner.support.low, self.inner.support.high, *self.inner.breaks)

    # ---------------------------------------------------------------- limits

    @property
    def limits(self) -> tuple[Limit, ...]:
        alone = Limit("zeros", 1.0, ZerosAlone(), _zeros_alone)
        none = Limit("zeros", 0.0, self.inner, _others if self._counts_zero else _without_zeros)
        return (alone, none, *super().limits)

    def _at_limit(self, observe: Observe) -> Observe:
        return partial(_beside_zeros, observe)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Return what reproduces all rows under the law inside, where none is zero."""
        limit = None if statistics[-1].any() else self.inner.saturated(statistics[:-1])
        return None if limit is None else limit._replace(others=(*limit.others, _HARDLY_ANY))

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        """Return where -log q runs to, in closed form in the logit z of the zeros added.

        With s(z) = log(1 + exp(z)), f = s(-z) at a zero, and f = f_inside + s(z) elsewhere. If the
        law inside has a mass exp(-g) at zero, f = -log(exp(-s(-z)) + exp(-g - s(z))) at a zero. It
        falls to nothing, the least that it can be, as z rises or g falls to nothing. Where z falls
        alone it rises to the limit g.
        """
        *own, zero = statistics
        *changes, change = delta
        moved = [np.broadcast_to(e != 0.0, zero.shape) for e in changes]
        moves = np.any([np.zeros(zero.shape, bool), *moved], axis=0)
        inside = self.inner.recession(tuple(own), tuple(changes))
        inside = np.where(moves, np.nan if inside is None else inside, 0.0)
        at_zero = np.maximum(-change, 0.0)
        if self._counts_zero:
            certain = (change > 0.0) | (moves & (inside <= 0.0))
            rises = np.where(np.isnan(inside), np.nan, np.inf)
            at_zero = np.where(certain | ((change == 0.0) & ~moves), 0.0, rises)
        return np.where(zero > 0.0, at_zero, inside + np.maximum(change, 0.0))


def _zeros_alone(statistics: Arrays) -> Arrays | None:
    return (np.zeros_like(statistics[-1]),) if statistics[-1].all() else None


def _others(statistics: Arrays) -> Arrays:
    return statistics[:-1]


def _without_zeros(statistics: Arrays) -> Arrays | None:
    return None if statistics[-1].any() else statistics[:-1]


def _beside_zeros(observe: Observe, statistics: Arrays) -> Arrays | None:
    """Return the statistics of a limit law beside zeros, which all may be among those added."""
    *own, zero = statistics
    changed = observe(tuple(own))
    if changed is None and len(others := np.flatnonzero(zero == 0.0)):
        # A law without zeros is asked for none: they may have the statistics of another value.
        changed = observe(
            of_rows(tuple(own), np.where(zero > 0.0, others[0], np.arange(len(zero))))
        )
    return None if changed is None else (*changed, zero)
