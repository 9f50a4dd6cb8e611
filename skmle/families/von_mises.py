"""Von Mises's law of angles."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Rows, Shortcuts
from skmle.families.links import Link
from skmle.families.tools.bessel import log_bessel
from skmle.families.tools.circular import LOG_TURN, Circular, unit_vectors
from skmle.families.von_mises_fisher import VonMisesFisher

_OF_VECTORS = VonMisesFisher(2)
# Nodes of an integral over a tail, which is cut off where the density has fallen by this factor.
# It is a function of a square or steeper, for which 64 nodes have all digits.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_FALL = 45.0
_BLOCK = 4096  # integrals at once, so that their nodes fit into the cache
_ROUNDS = 60  # halvings at most in search of a quantile; Newton's steps are ten or less
# Share of the distance from the ends below which a Newton step leaves no more than rounding, and a
# step that is rounding itself.
_SETTLED, _LEAST = 1e-8, 2e-16


class VonMises(Circular):
    """Von Mises law of an angle y in radians, with mean direction `loc` and concentration `kappa`.

    q(y) = exp(kappa cos(y - loc)) / (2 pi I_0(kappa)) on a whole turn. It is nearly normal with the
    variance 1/kappa for a large kappa, and the uniform law on the circle for kappa = 0. scipy:
    ``vonmises(kappa, loc)``; R: ``circular::dvonmises(y, mu, kappa)``. It is `VonMisesFisher`'s law
    of two columns, of cos(y) and sin(y).

    Angles may be any real numbers: y and y + 2 pi are the same. Probabilities, as scipy's, are
    counted from loc - pi, and the mean is the mean direction `loc`, from -pi to pi. A fit has one
    maximum: its coordinates are kappa cos(loc) and kappa sin(loc), in which log q is concave.
    Regressions of angles are those of the two columns by `VonMisesFisher`.

    Parameters
    ----------
    links : None
        The coordinates have no other links.

    References
    ----------
    Mardia & Jupp (2000), Directional Statistics, ch. 3 and 5. Fisher & Lee (1992), Regression
    models for an angular response, Biometrics 48.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> hours = np.array([[23.0], [1.0], [0.5], [22.0], [2.0]])  # around midnight
    >>> model = MLEDistribution("von_mises").fit(hours * np.pi / 12)
    >>> print(round(model.params_["loc"] * 12 / np.pi, 2), round(model.params_["kappa"], 2))
    0.11 7.57
    """

    title = "Von Mises"
    scipy_name = "vonmises"
    shortcuts = Shortcuts(starts="maximum", sums="statistics")
    concave = True
    knows_curvature = True

    @property
    def names(self) -> tuple[str, ...]:
        return ("loc", "kappa")

    @property
    def chart_of_concentration(self) -> Link:
        return LOG

    def of_length(self, length: Array) -> tuple[Array, Array]:
        return length, np.ones(np.shape(length))

    def length(self, concentration: Array) -> Array:
        return concentration

    # ---------------------------------------------------------------- by the law of vectors

    def statistics(self, y: Array) -> Arrays:
        # A row may stand for many: their mean direction, and by how much the length of their mean
        # lacks of 1.
        return y, np.zeros(np.shape(y))

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(LOG_TURN)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        if len(statistics[0]) == 1:
            return statistics
        direction, lack = _OF_VECTORS.collapse(_vectors(statistics), weight)
        return np.arctan2(direction[:, 1], direction[:, 0]), lack

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return _OF_VECTORS.evaluate(_vectors(statistics), eta, order)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        return _OF_VECTORS.unbounded(_vectors(statistics), weight)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return _OF_VECTORS.starts(_vectors(statistics), weight)

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import vonmises

        loc, kappa = theta
        return vonmises(kappa, loc)

    @classmethod
    def from_scipy(cls, kappa: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(np.asarray(scale) != 1.0) else (cls(), (loc, kappa))

    def log_below(self, away: Array, theta: Arrays) -> Array:
        away, kappa = np.broadcast_arrays(np.asarray(away, float), theta[1])
        shape = away.shape
        size, kappa = -away.ravel(), kappa.ravel()
        parts = [
            _log_integral(size[low : low + _BLOCK], kappa[low : low + _BLOCK])
            for low in range(0, max(len(size), 1), _BLOCK)
        ]
        density = -2.0 * kappa * np.sin(0.5 * size) ** 2 - log_bessel(0.0, kappa).value
        return np.reshape(density - LOG_TURN + np.concatenate(parts), shape)

    def below(self, q: Array, theta: Arrays) -> Array:
        q, kappa = np.broadcast_arrays(np.asarray(q, float), np.asarray(theta[1], float))
        log_q, constant = np.log(q), LOG_TURN + log_bessel(0.0, kappa).value
        low, high = np.full(q.shape, -np.pi), np.zeros(q.shape)
        # The law is nearly normal, or uniform.
        away = np.maximum(0.5 * low, -1.0 / np.sqrt(kappa))
        settled = ~((q > 0.0) & (q < 0.5))
        for _ in range(_ROUNDS):
            gap = self.log_below(away, theta) - log_q
            low, high = np.where(gap <= 0.0, away, low), np.where(gap >= 0.0, away, high)
            density = -2.0 * kappa * np.sin(0.5 * away) ** 2 - constant
            tried = away - gap * np.exp(gap + log_q - density)
            inside = (tried >= low) & (tried <= high)
            tried = np.where(inside, tried, 0.5 * (low + high))
            step = np.abs(tried - away)
            near = step <= np.maximum(_SETTLED * np.minimum(-away, np.pi + away), _LEAST)
            away = np.where(settled, away, tried)  # so that each law has its own steps
            settled = settled | near
            if settled.all():
                break
        away = np.where(q == 0.5, 0.0, away)
        return np.where(q == 0.0, -np.pi, np.where(np.isnan(q), np.nan, away))

    def std(self, theta: Arrays) -> Array:
        kappa = np.asarray(theta[1], float)
        reach = _reach(np.zeros(np.shape(kappa)), kappa)[..., None]
        t = 0.5 * reach * (1.0 + _NODES)
        fall = np.exp(-2.0 * kappa[..., None] * np.sin(0.5 * t) ** 2) * _WEIGHTS
        return np.asarray(np.sqrt((t * t * fall).sum(axis=-1) / fall.sum(axis=-1)))

    def known_entropy(self, theta: Arrays) -> Array:
        return _OF_VECTORS.known_entropy((unit_vectors(theta[0]), theta[1]))

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        one, other = ((unit_vectors(loc), kappa) for loc, kappa in (p, q))
        return _OF_VECTORS.divergence(one, other)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, kappa = theta
        return loc + rng.vonmises(0.0, kappa, size=size)


def _vectors(statistics: Arrays) -> Arrays:
    return unit_vectors(statistics[0]), statistics[1]


def _reach(size: Array, kappa: Array) -> Array:
    """Return how far beyond -size the density falls by the factor exp(-_FALL), at most to -pi."""
    with np.errstate(all="ignore"):
        slope, fall = np.sin(size), _FALL / kappa
        near = 2.0 * fall / (slope + np.sqrt(slope**2 + 2.0 * fall * np.cos(size)))
        far = 2.0 * np.arcsin(np.sqrt(np.sin(0.5 * size) ** 2 + 0.5 * fall)) - size
    reach = np.where(near < 1e-3, near, far)
    return np.where(np.isnan(reach), np.inf, reach).clip(max=np.pi - size)


def _log_integral(size: Array, kappa: Array) -> Array:
    """Return the log of the density's integral from -pi to -size, over the density there."""
    reach = _reach(size, kappa)
    t = 0.5 * reach[:, None] * (1.0 + _NODES)
    fall = 2.0 * kappa[:, None] * np.sin(0.5 * t) * np.sin(size[:, None] + 0.5 * t)
    return np.log(0.5 * reach) + np.log((np.exp(-fall) * _WEIGHTS).sum(axis=1))
