"""The asymmetric Laplace law: quantile regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmle.families.base import LOGIT, Array, Arrays, Family, Param, Rows, Shortcuts
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.location_scale_shape import Shaped
from skmle.families.tools.quantiles import weighted_quantile

# Eta of a quantile next to an end of its range, at which a fit is shown whose likelihood rises up
# to there: of it and of the scale no more than the quotient can be told. Chosen, not measured.
_NEXT_TO_END = 15.0


class SmoothAsymmetricLaplace(Shaped):
    """The asymmetric Laplace law with its cusp rounded off within `radius` scales.

    The check function is |z|/2 + (quantile - 1/2) z; here |z| is sqrt(z^2 + radius^2). See
    `SmoothLaplace`.
    """

    cusps = True  # of its tails, which are those of the law with the cusp
    parameters = (*LocationScale.parameters, Param("quantile", LOGIT))

    def __init__(self, radius: float = 1.0, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.radius = radius

    def jet(self, z: Array, shapes: Arrays, order: int) -> Rows:
        size = np.hypot(z, self.radius)
        bend = 0.5 * self.radius**2 / size**3
        return _jet(z, 0.5 * size, 0.5 * z / size, bend, shapes[0], order)

    def log_tail_of(self, z: Array, shapes: Arrays, upper: bool) -> Array:
        # Of a tail, the law has no cusp that matters.
        return AsymmetricLaplace().log_tail_of(z, shapes, upper)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return AsymmetricLaplace.starts(self, statistics, weight)  # type: ignore[arg-type]

    def to_scipy(self, theta: Arrays) -> Any:
        raise NotImplementedError(
            "SmoothAsymmetricLaplace is a step towards AsymmetricLaplace in a fit, not a law of "
            "its own."
        )


class AsymmetricLaplace(Shaped):
    """Asymmetric Laplace law whose `loc` is its `quantile`, a probability, with `scale`.

    q(y) = quantile (1 - quantile)/scale exp(-check(z)), z = (y - loc)/scale, where check(z) is
    quantile z for z > 0 and (quantile - 1) z for z < 0; its mean is 1. So P(Y <= loc) = quantile.
    With the quantile held, as in ``MLERegressor("asymmetric_laplace", fixed={"quantile": 0.9})``,
    its maximum likelihood *is* quantile regression, whatever the law of the data; the default
    errors are those of a sandwich. scipy: ``laplace_asymmetric(kappa, loc, s)`` with
    kappa^2 = quantile/(1 - quantile) and s = scale/sqrt(quantile (1 - quantile)). R:
    ``ald::dALD(mu, sigma, p)``.

    The three parameters of a density have their maximum at an observation, which is found by
    looking at all of them. If it is the least (or the largest) one, quantile and scale run to zero
    together (quantile to one), where the law is exponential from there on: there is no maximum.

    References
    ----------
    Koenker & Bassett (1978), Regression quantiles, Econometrica 46.
    Yu & Zhang (2005), A three-parameter asymmetric Laplace distribution and its extension,
    Communications in Statistics - Theory and Methods 34.
    Kotz, Kozubowski & Podgorski (2001), The Laplace Distribution and Generalizations, ch. 3.

    Examples
    --------
    >>> from skmle import MLERegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.5, 2.0, 5.0, 4.0]
    >>> model = MLERegressor("asymmetric_laplace", fixed={"quantile": 0.75}).fit(X, y)
    >>> model.coef_.round(3), round(model.intercept_, 3)
    (array([1.]), 0.5)
    """

    scipy_name = "laplace_asymmetric"
    shortcuts = Shortcuts(starts="final")
    cusps = True
    may_be_unbounded = True
    finer_eta = True  # of a quantile next to one
    parameters = SmoothAsymmetricLaplace.parameters

    def jet(self, z: Array, shapes: Arrays, order: int) -> Rows:
        return _jet(z, 0.5 * np.abs(z), 0.5 * np.sign(z), np.zeros(()), shapes[0], order)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # The curvature is that of the expectation: -log q has none but for its cusp.
        if order < 2:
            return super().evaluate(statistics, eta, order)
        rows = super().evaluate(statistics, eta, 1)
        return Rows(rows.value, rows.gradient, self.expected_curvature(statistics, eta))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # The means of the products of the gradients: those of check(z) and z are 1 and
        # (1 - 2 quantile)/v, v = quantile (1 - quantile).
        _, s, t = (np.asarray(e, float) for e in eta)
        rate, (below, above) = np.exp(-s), _both(t)
        v = below * above
        one = np.ones(())
        return v * rate * rate, None, -rate * v, one, below - above, 1.0 - 2.0 * v

    def tail_jet(self, z: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # The lower tail is the upper one of the mirror. On its own side, -log P(Z > z) is a line in
        # z; on the other, p = P(Z <= z) is, on the scale of logarithms.
        t, sign = (shapes[0], 1.0) if upper else (-shapes[0], -1.0)
        z = sign * z
        value = -self.log_tail_of(z, (_both(t)[0],), True)
        if order < 1:
            return Rows(value)
        below, above = _both(t)
        v, far = below * above, z > 0.0
        log_p = np.where(far, -np.inf, np.log(below) + above * z)
        odds = np.where(far, 1.0, 1.0 / np.expm1(-log_p))  # of p
        slope = odds * np.where(far, below, above)
        turn = odds * np.where(far, v * z + below, above - v * z)
        gradient = (sign * slope, sign * turn)
        if order < 2:
            return Rows(value, gradient)
        more = np.where(far, 0.0, 1.0 + 1.0 / odds)
        cross = odds * np.where(far, v, -v)
        own = odds * np.where(far, 1.0, -1.0) * v * (1.0 + (above - below) * z)
        return Rows(
            value,
            gradient,
            (more * slope * slope, cross + more * slope * turn, own + more * turn * turn),
        )

    def log_tail_of(self, z: Array, shapes: Arrays, upper: bool) -> Array:
        below = np.asarray(shapes[0], float)  # P(Z <= 0)
        above = 1.0 - below
        if not upper:
            z, below, above = -z, above, below
        rest = below * np.exp(np.minimum(above * z, 0.0))
        return np.where(z > 0.0, np.log(above) - below * z, np.log1p(-rest))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # With features, the likelihood may have several maxima, at one quantile and another.
        others = (_profiled(statistics[0], weight, quantile=q) for q in (0.25, 0.5, 0.75))
        return [_profiled(statistics[0], weight), *others]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        if (infinite := super().unbounded(statistics, weight)) is not None:
            return infinite
        if self.relinked:  # the place may have no eta
            return None
        loc, s, t = _profiled(statistics[0], weight)
        if abs(t) < _NEXT_TO_END:
            return None
        ends = ("least", "zero", "on") if t < 0.0 else ("largest", "one", "down")
        return (loc, s, t), (
            "the likelihood rises as the quantile tends to {1} and the scale to zero, where the "
            "law is exponential from the {0} observation {2}".format(*ends)
        )

    def holding(self, values: Mapping[str, float]) -> Family | None:
        return None if "loc" in values else _Held(values)

    def smoothings(self) -> tuple[Family, ...]:
        return tuple(SmoothAsymmetricLaplace(10.0**-k, links=self.links) for k in range(13))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        loc, scale, below = theta
        return -self.upper_quantile(q, (-loc, scale, 1.0 - below))

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        loc, scale, below = theta
        q, above = np.asarray(q, float), 1.0 - below
        with np.errstate(all="ignore"):
            z = np.where(q < above, -np.log(q / above) / below, np.log((1.0 - q) / below) / above)
            return np.where((q >= 0.0) & (q <= 1.0), loc + scale * z, np.nan)

    def mean(self, theta: Arrays) -> Array:
        loc, scale, below = theta
        return loc + scale * (1.0 / below - 1.0 / (1.0 - below))

    def variance(self, theta: Arrays) -> Array:
        _, scale, below = theta
        return np.square(scale) * (1.0 / np.square(below) + 1.0 / np.square(1.0 - below))

    def known_entropy(self, theta: Arrays) -> Array:
        _, scale, below = theta
        return 1.0 + np.log(scale) - np.log(below) - np.log1p(-below)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import laplace_asymmetric

        loc, scale, below = theta
        above = 1.0 - below
        return laplace_asymmetric(np.sqrt(below / above), loc, scale / np.sqrt(below * above))

    @classmethod
    def from_scipy(cls, kappa: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        square = kappa * kappa
        return cls(), (loc, scale * kappa / (1.0 + square), square / (1.0 + square))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # The difference of two exponential variables.
        loc, scale, below = theta
        up, down = rng.standard_exponential(size), rng.standard_exponential(size)
        return loc + scale * (up / below - down / (1.0 - below))


class _Held(AsymmetricLaplace):
    """The law beside a scale or a quantile that is held: its starts are of what is free."""

    def __init__(self, values: Mapping[str, float], *, links: Any = None) -> None:
        super().__init__(links=links)
        self.values = values

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        found = _profiled(statistics[0], weight, **self.values)
        free = (name not in self.values for name in self.names)
        return [tuple(e for e, is_free in zip(found, free, strict=True) if is_free)]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        if "scale" in self.values:
            return None
        return super(AsymmetricLaplace, self).unbounded(statistics, weight)


def _both(t: Array) -> tuple[Array, Array]:
    """Return a probability and its complement from its log-odds."""
    size = np.exp(-np.abs(t))
    larger, smaller = 1.0 / (1.0 + size), size / (1.0 + size)
    return np.where(t > 0.0, larger, smaller), np.where(t > 0.0, smaller, larger)


def _jet(z: Array, half: Array, slope: Array, bend: Array, t: Array, order: int) -> Rows:
    """Return the jet in (z, log-odds of the quantile), with |z|/2 and its derivatives given."""
    below, above = _both(t)
    tilt, v = 0.5 * (below - above), below * above
    size = np.abs(t)
    value = half + tilt * z + size + 2.0 * np.log1p(np.exp(-size))
    if order < 1:
        return Rows(value)
    gradient = (slope + tilt, v * z + 2.0 * tilt)
    if order < 2:
        return Rows(value, gradient)
    return Rows(value, gradient, (bend, v, 2.0 * v * (1.0 - tilt * z)))


def _profiled(
    y: Array, weight: Array | None, scale: float | None = None, quantile: float | None = None
) -> tuple[float, ...]:
    """Return the most likely chart eta, beside a scale or a quantile that may be held.

    With A and B the mean distances of the observations above and below a location, the mean of
    -log q is log(scale) - log(quantile (1 - quantile)) + (quantile A + (1 - quantile) B)/scale. The
    best quantile has the odds sqrt(B/A), the best scale is sqrt(A B), and what is left is
    2 log(sqrt A + sqrt B) + 1. It falls to an observation from both sides.
    """
    if quantile is not None:
        loc = weighted_quantile(y, weight, quantile)
        z = y - loc
        mean = np.average(np.where(z > 0.0, quantile * z, (quantile - 1.0) * z), weights=weight)
        with np.errstate(divide="ignore"):  # of equal observations
            log_scale = np.log(mean) if scale is None else np.log(scale)
        return loc, float(log_scale), float(np.log(quantile) - np.log1p(-quantile))
    if weight is not None:
        y, weight = y[weight > 0.0], weight[weight > 0.0]
    order = np.argsort(y, kind="stable")
    centre = y[order[len(y) // 2]]
    z = y[order] - centre
    share = np.full(len(y), 1.0 / len(y)) if weight is None else weight[order] / weight.sum()
    gaps = np.diff(z)
    below = np.concatenate([[0.0], np.cumsum(np.cumsum(share)[:-1] * gaps)])
    above = np.concatenate([np.cumsum(np.cumsum(share[::-1])[:-1] * gaps[::-1])[::-1], [0.0]])
    up, down = np.sqrt(above), np.sqrt(below)
    if scale is None:
        k = int(np.argmin(up + down))
        with np.errstate(divide="ignore"):
            t = float(np.clip(np.log(down[k]) - np.log(up[k]), -_NEXT_TO_END, _NEXT_TO_END))
        # At an end, where the quotient of scale and quantile is all that counts.
        p, p_bar = _both(np.asarray(t))
        mean = float(p * above[k] + p_bar * below[k])
        with np.errstate(divide="ignore"):  # of equal observations
            return float(y[order[k]]), float(np.log(mean)), t
    # The best quantile q beside a scale solves (A - B)/scale = 1/q - 1/(1 - q).
    pull = 0.5 * (above - below) / scale
    t = -np.arcsinh(pull)
    p, p_bar = _both(t)
    values = (p * above + p_bar * below) / scale - np.log(p) - np.log(p_bar)
    k = int(np.argmin(values))
    return float(y[order[k]]), float(np.log(scale)), float(t[k])
