"""Laws of positive numbers whose origin, a threshold, is a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmle.families.algebra import constant_at
from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Limit,
    Rows,
)
from skmle.families.tools.profile import NEAR, Profile, profile_at, profile_of
from skmle.families.tools.stretched import (
    ROUNDING,
    power_at_zero,
    starts_at_once,
    with_factor,
)
from skmle.families.wrappers.above_threshold import AboveThreshold
from skmle.families.wrappers.fixed import Fixed

# Least distance of an observation from the threshold, in the mean of all, below which the threshold
# counts as one that runs to it. Chosen, not measured.
_NEAR = 1e-6
# The same, from which a start counts as far off. Regressions of six laws on one data set arrived
# from up to 2.7, and two of them did not from 7.4.
_FAR = 2.5
_UNBOUNDED = (
    "as the threshold comes near to the least observation, the density grows without bound there, "
    "and the profile likelihood has no local maximum. Measurements of a known precision have one "
    '(Rounded(..., resolution)), as they have if "threshold" is held'
)


class Shifted(AboveThreshold):
    """The law of threshold + X, where X is positive and has the law `family`.

    ``Shifted("weibull")`` is the Weibull law with three parameters, ``Shifted("lognormal")`` the
    lognormal one. The threshold lies below all observations.

    Of most of these laws the likelihood has no bound: it grows to infinity as the threshold comes
    near to the least observation and the density becomes infinite there. As is the custom, a fit is
    the best *local* maximum of the profile likelihood of the threshold, with standard errors. Where
    there is none, the status says which end the likelihood rises to:

    - ``"boundary"`` if the threshold runs to -inf, where the law is a location-scale law, or to the
      least observation, where an exponential density has its maximum;
    - ``"no_maximum"`` if the density grows without bound at the least observation. Hold the
      threshold then (``fixed={"threshold": 0.0}``), or say how precise the measurements are:
      ``Rounded(Shifted("weibull"), resolution=0.1)`` has a bounded likelihood.

    The status is ``"non_regular"``, without standard errors, at a maximum where the density does
    not leave zero smoothly enough, as that of a Weibull law whose shape is not above 2.

    A threshold that depends on features lies below all observations, too.

    Parameters
    ----------
    family : str, Family class or Family, default="weibull"
        A law of positive numbers that is still one of the family in another unit: exponential,
        gamma, inverse Gaussian, lognormal, log-logistic or Weibull.

    References
    ----------
    Smith (1985), Maximum likelihood estimation in a class of nonregular cases, Biometrika 72.
    Cheng & Iles (1990), Embedded models in three-parameter distributions and their estimation,
    Journal of the Royal Statistical Society B 52.
    Dumonceaux & Antle (1973), Discrimination between the log-normal and the Weibull distributions,
    Technometrics 15 (the floods of the example).

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> floods = [0.654, 0.613, 0.315, 0.449, 0.297, 0.402, 0.379, 0.423, 0.379, 0.324]
    >>> floods += [0.269, 0.740, 0.418, 0.412, 0.494, 0.416, 0.338, 0.392, 0.484, 0.265]
    >>> model = MLEDistribution(families.Shifted("lognormal")).fit(floods)
    >>> {name: round(value, 2) for name, value in model.params_.items()}
    {'loc': -1.56, 'scale': 0.51, 'threshold': 0.18}
    """

    may_be_unbounded = True
    regular = False

    def __init__(self, family: Any = "weibull") -> None:
        super().__init__(family)

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        *own, away = eta
        x, inside, jet = self.from_threshold(statistics[0], away)
        inner = self.inner.statistics(x)
        rows = self.inner.evaluate(inner, tuple(own), order)
        rows = rows._replace(value=rows.value + self.inner.base(inner))
        rows = with_factor(rows, self._stretch.moves, jet, 1.0)
        return rows if inside.all() else constant_at(~inside, np.inf, rows)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        *own, away = eta
        x, inside, jet = self.from_threshold(statistics[0], away)
        rows = self.inner.tail(self.inner.statistics(x), tuple(own), upper, order)
        rows = with_factor(rows, self._stretch.moves, jet, 0.0)
        return rows if inside.all() else constant_at(~inside, 0.0 if upper else np.inf, rows)

    # ---------------------------------------------------------------- starts and verdicts

    def _profile(self, statistics: Arrays, weight: Array | None) -> Profile:
        return profile_of(self.inner, statistics[0], weight, starts_at_once(self.inner))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the best local maximum of the profile likelihood, on a grid of thresholds.

        If it is far off, another start is nearer: features may leave little of the spread of y, and
        then no step finds the way back from where the law is hardly told from its limit.
        """
        found = self._profile(statistics, weight)
        starts = [found]
        if found.distance > _FAR * self._gap:
            starts.append(profile_at(self.inner, statistics[0], weight, _FAR * self._gap))
        # Values inside intervals lie above their lower ends.
        least = min(float(np.min(statistics[0])), self._least)
        return [self._at(least - start.distance, start.eta) for start in starts]

    def _at(self, threshold: float, own: tuple[float, ...]) -> tuple[float, ...]:
        return *own, float(self._chart[0].forward(np.asarray(threshold)))

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return the way to the least observation, if the profile has no other maximum."""
        if starts_at_once(self.inner):
            return None
        found = self._profile(statistics, weight)
        if found.end != NEAR:
            return None
        return self._at(self._least - found.distance, found.eta), _UNBOUNDED

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        x, inside, _ = self.from_threshold(statistics[0], eta[-1])
        near = bool(np.min(x[inside], initial=np.inf) < _NEAR * self._gap)
        # A density that falls everywhere grows with the threshold.
        falls = bool(np.all(power_at_zero(self.inner, tuple(eta[:-1])) < 1.0 - ROUNDING))
        return (self.threshold, _UNBOUNDED) if near or falls else None

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        smooth = bool(np.all(power_at_zero(self.inner, tuple(eta[:-1])) > 2.0 + ROUNDING))
        return () if smooth else (self.threshold,)

    @property
    def limits(self) -> tuple[Limit, ...]:
        far = self._stretch.far
        found: tuple[Limit, ...] = ()
        if far is not None:
            found = (Limit(self.threshold, -np.inf, far(), places=self.inner.names),)
        return (*found, self._at_least) if starts_at_once(self.inner) else found

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        return () if starts_at_once(self.inner) else (self._at_least,)

    @property
    def _at_least(self) -> Limit:
        return Limit(self.threshold, self._least, Fixed(self, {self.threshold: self._least}))

    def holding(self, values: Mapping[str, float]) -> Family | None:
        if self.threshold in values:
            return None
        return self.around(Fixed(self.inner, dict(values)))
