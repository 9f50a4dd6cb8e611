"""The base of laws of log y = loc + scale z whose z has a density with shapes to be fitted."""

from __future__ import annotations

from typing import ClassVar

from skmle.families.base import Array, Arrays
from skmle.families.tools.location_scale import LogLocationScale
from skmle.families.tools.with_shapes import WithShapes


class LogShaped(WithShapes, LogLocationScale):
    """Laws of u = (log y - loc)/scale, or of its negative, whose density has shapes."""

    falling: ClassVar[bool] = False
    """Whether u falls with y."""

    def places(self, statistics: Arrays, eta: Arrays) -> tuple[Array, Array]:
        """Return u and 1/scale, with the sign of u in y."""
        z, rate = super().places(statistics, eta)
        return (-z, -rate) if self.falling else (z, rate)
