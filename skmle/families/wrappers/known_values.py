"""Laws whose statistics are those of what is known of each value: see `tools.known`."""

from __future__ import annotations

from functools import partial

from skmle.families.base import Array, Arrays, Limit
from skmle.families.tools.known import each_group, groups_of
from skmle.families.wrappers.base import Observe, Wrapper


class OfKnown(Wrapper):
    """The base of wrappers that keep the statistics of a value inside each row and of both ends."""

    _exact = 0.5  # 1 if all that is known are exact values, 0 if none is, else 1/2

    @property
    def limits(self) -> tuple[Limit, ...]:
        of_tails = self.limits_of_tails if self._exact < 1.0 else ()
        return (*super().limits, *of_tails)

    def restore(self, statistics: Arrays) -> Array:
        return self.inner.restore(groups_of(statistics)[0])

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        found = each_group(lambda group: self.inner.standardise(group, origin, unit), statistics)
        assert found is not None
        return found

    def _at_limit(self, observe: Observe) -> Observe:
        return partial(each_group, observe)
