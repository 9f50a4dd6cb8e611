"""The base of laws of counts that spread further than Poisson's, by a mean and a dispersion."""

from __future__ import annotations

from skmle.families.base import LOG, Array, Arrays, Limit, Param, Support
from skmle.families.law import ByStd
from skmle.families.poisson import Poisson
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.counts import log_factorial


class Dispersed(ByStd, ByTails):
    """Laws of counts and rates by `mean` and `dispersion`, Poisson's as dispersion -> 0."""

    parameters = (Param("mean", LOG), Param("dispersion", LOG))
    support = Support(0.0, closed=(True, False), discrete=True, whole=True, rates=True)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("dispersion", 0.0, Poisson(links=self.links_of(("mean",)))),)

    def base(self, statistics: Arrays) -> Array:
        return log_factorial(statistics[0])

    def mean(self, theta: Arrays) -> Array:
        return theta[0]
