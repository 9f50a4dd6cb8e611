"""The Lomax law."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
)
from skmle.families.exponential import ExponentialOfScale
from skmle.families.generalized_pareto import GeneralizedPareto, local_maxima
from skmle.families.law import ByStd
from skmle.families.tools.numerical import log_prob_at_edge


class _Exponential(ExponentialOfScale):
    """That of y > 0, as Lomax's law is."""

    support = Support(0.0)


class Lomax(ByStd, Family):
    """Lomax law (Pareto's second) of y > 0 with `scale` and `shape`.

    The scale is the inverse of the density at 0, and that of the exponential law to which this one
    tends: P(Y > y) = (1 + y/(shape scale))^-shape, and
    q(y) = (1 + y/(shape scale))^(-shape - 1)/scale: the generalised Pareto law of the same scale
    whose shape is 1/shape, which is positive. The tail falls like y^-shape. As shape -> inf it is
    exponential, and a fit to data that vary no more than exponential ones ends there (status
    "boundary"). scipy: ``lomax(shape, scale=shape * scale)``; R:
    ``VGAM::dlomax(y, scale=shape * scale, shape3.q=shape)``.

    References
    ----------
    Lomax (1954), Business failures: another example of the analysis of failure data, Journal of the
    American Statistical Association 49. Johnson, Kotz & Balakrishnan (1994), Continuous Univariate
    Distributions 1, ch. 20.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).pareto(4.0, size=(2000, 1))  # the scale is 1/4
    >>> model = MLEDistribution("lomax").fit(x)
    >>> print({name: round(float(value), 2) for name, value in model.params_.items()})
    {'scale': 0.25, 'shape': 3.68}
    """

    scipy_name = "lomax"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0)
    # No `stretch`: above a free threshold the likelihood has no bound.
    unit_moves = (1.0, 0.0)
    shortcuts = Shortcuts(starts="maximum")
    within: ClassVar[Family] = GeneralizedPareto()

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("shape", np.inf, _Exponential(links=self.links_of(("scale",)))),)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        inverse = np.exp(-np.asarray(eta[1]))
        return _by_log(self.within.evaluate(statistics, (eta[0], inverse), order), inverse)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        inverse = np.exp(-np.asarray(eta[1]))
        return _by_log(self.within.tail(statistics, (eta[0], inverse), upper, order), inverse)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The best of the generalised Pareto law's maxima at a positive shape, or its limit.
        with np.errstate(divide="ignore"):
            log_mean = float(np.log(average(statistics[0], weight)))
        for log_scale, shape, nll in local_maxima(statistics[0], weight):
            if shape > 0.0 and nll < log_mean + 1.0:
                return [(log_scale, -float(np.log(shape)))]
        return [(log_mean, np.inf)]

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        inverse = np.exp(-np.asarray(eta[1]))
        wide, cross, own = self.within.expected_curvature(statistics, (eta[0], inverse))
        return wide, -inverse * cross, inverse * inverse * own

    # ---------------------------------------------------------------- the law, whole

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        return log_prob_at_edge(self, y, theta)  # scipy has no such law

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import lomax

        scale, shape = theta
        return lomax(shape, scale=shape * scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale / c, c))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return self.within.log_tail(y, _inside(theta), upper)

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self.within.cdf(y, _inside(theta))

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self.within.sf(y, _inside(theta))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self.within.quantile(q, _inside(theta))

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self.within.upper_quantile(q, _inside(theta))

    def mean(self, theta: Arrays) -> Array:
        return self.within.mean(_inside(theta))

    def std(self, theta: Arrays) -> Array:
        return self.within.std(_inside(theta))

    def known_entropy(self, theta: Arrays) -> Array | None:
        return self.within.known_entropy(_inside(theta))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.within.sample(_inside(theta), size, rng)


def _inside(theta: Arrays) -> Arrays:
    """Return the generalised Pareto law's parameters."""
    scale, shape = theta
    with np.errstate(divide="ignore"):
        return scale, 1.0 / np.asarray(shape, float)


def _by_log(rows: Rows, inverse: Array) -> Rows:
    """Return rows whose second eta is minus the logarithm of what it was, `inverse`."""
    if rows.gradient is None:
        return rows
    first, second = rows.gradient
    gradient = (first, -inverse * second)
    if rows.curvature is None:
        return Rows(rows.value, gradient)
    wide, cross, own = rows.packed
    assert cross is not None and own is not None
    turn = inverse * (inverse * own + second)
    return Rows(rows.value, gradient, (wide, -inverse * cross, turn))
