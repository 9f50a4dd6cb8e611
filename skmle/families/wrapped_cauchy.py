"""The wrapped Cauchy law of angles."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import spence

from skmle.families.base import LOGIT, Array, Arrays, Rows, Shortcuts, average
from skmle.families.links import Link
from skmle.families.tools.circular import LOG_TURN, Circular, turned, unit_vectors
from skmle.families.tools.quantiles import weighted_quantile

_CLOSE = 1e8  # length of the vector of a law that is nearly a point
_HALF = 0.5 - 1e-9  # share of the weight that counts as a half in spite of rounding
# Steps at most, of which about six are needed; a step after which Newton's leaves only rounding;
# one that Newton's may not exceed, as it may lead too far; and the determinant of a Hessian that
# says little. Chosen, not measured.
_STEPS, _SETTLED, _SHORT, _FLAT = 200, 1e-8, 1.0, 1e-3
_LEAST = 1e-14  # distance of the disc's points from its edge, at which nothing more is told
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


class WrappedCauchy(Circular):
    """Wrapped Cauchy law of an angle y in radians, with mean direction `loc` and `concentration`.

    q(y) = (1 - rho^2) / (2 pi (1 + rho^2 - 2 rho cos(y - loc))) on a whole turn, where rho, the
    concentration between 0 and 1, is the length of the mean of the unit vectors. It is a Cauchy law
    of the scale -log(rho) wound around the circle, and tends to the uniform law as rho goes to
    zero. scipy's ``wrapcauchy(rho, loc)`` has the same density, and counts probabilities and its
    mean on the turn from loc to loc + 2 pi; here they are on that from loc - pi to loc + pi. R:
    ``circular::dwrappedcauchy(y, mu, rho)``.

    Angles may be any real numbers: y and y + 2 pi are the same. The likelihood has one maximum,
    unless half of the observations or more are equal.

    Parameters
    ----------
    links : None
        The coordinates have no other links.

    References
    ----------
    Kent & Tyler (1988), Maximum likelihood estimation for the wrapped Cauchy distribution, Journal
    of Applied Statistics 15. McCullagh (1996), Mobius transformation and Cauchy parameter
    estimation, Annals of Statistics 24.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> angles = np.array([[-0.1], [0.0], [0.2], [0.1], [3.0]])
    >>> model = MLEDistribution("wrapped_cauchy").fit(angles)
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'loc': 0.051, 'concentration': 0.886}
    """

    title = "Wrapped Cauchy"
    shortcuts = Shortcuts(starts="maximum")
    may_be_unbounded = True

    @property
    def chart_of_concentration(self) -> Link:
        return LOGIT

    def of_length(self, length: Array) -> tuple[Array, Array]:
        root = np.hypot(1.0, length)
        return length / (1.0 + root), 1.0 / (root * (1.0 + root))

    def length(self, concentration: Array) -> Array:
        return 2.0 * concentration / ((1.0 - concentration) * (1.0 + concentration))

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(LOG_TURN)

    def statistics(self, y: Array) -> Arrays:
        return y, np.cos(y), np.sin(y)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = log D, D = root - v'x, with root^2 = 1 + v'v and x = (cos y, sin y). As
        # root^2 = 1 + along^2 + across^2, nothing needs to cancel next to the mode.
        _, x, z = statistics
        first, second = eta
        along, across = first * x + second * z, second * x - first * z
        root = np.hypot(1.0, np.hypot(along, across))
        far = root + np.abs(along)
        d = np.where(along > 0.0, (1.0 + across * across) / far, far)
        value = np.log(d)
        if order < 1:
            return Rows(value)
        share = across / d
        pull, turn = -1.0 / root, share / root  # along x, and across
        gradient = (pull * x - turn * z, pull * z + turn * x)
        if order < 2:
            return Rows(value, gradient)
        cube = root**-3
        own, cross = along * cube, across * cube
        other = ((1.0 + along * along) / d - share * share * root) * cube
        both = x * z
        curvature = (
            own * x * x - 2.0 * cross * both + other * z * z,
            (own - other) * both + cross * (x - z) * (x + z),
            own * z * z + 2.0 * cross * both + other * x * x,
        )
        return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        first, second = (np.asarray(e) for e in eta)
        square = 1.0 + first * first + second * second
        cross = -0.5 * first * second / square
        return 0.5 * (1.0 + second**2) / square, cross, 0.5 * (1.0 + first**2) / square

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # At each step the disc is mapped to itself so that the law becomes uniform. There Newton's
        # step has the same digits for every concentration; where it is long, or leads to no
        # maximum, that of Kent and Tyler, which always rises, takes its place.
        _, x, z = statistics
        points, centre = x + 1j * z, 0j
        for _ in range(_STEPS):
            unit = (points - centre) / (1.0 - np.conj(centre) * points)
            first, second = unit.real, unit.imag
            mean = np.array([average(first, weight), average(second, weight)])
            cross, square = average(first * second, weight), average(first * first, weight)
            hessian = np.array([[1.0 - square, -cross], [-cross, square]])
            step = mean / np.sqrt(max(1.0 - mean @ mean, _LEAST))
            if np.linalg.det(hessian) > _FLAT:
                newton = np.linalg.solve(hessian, mean)
                step = newton if np.hypot(*newton) < _SHORT else step
            inner = complex(*step) / (1.0 + np.hypot(1.0, np.hypot(*step)))
            centre = (centre + inner) / (1.0 + np.conj(centre) * inner)
            if not abs(centre) < 1.0 - _LEAST:
                centre *= (1.0 - _LEAST) / abs(centre)
                break
            if np.hypot(*step) < _SETTLED:
                break
        v = 2.0 * centre / ((1.0 - abs(centre)) * (1.0 + abs(centre)))
        return [(float(v.real), float(v.imag))]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        y = statistics[0]
        # A value that has half of the weight is a median in any order, or next to one.
        mass = float(len(y)) if weight is None else float(weight.sum())
        away = turned(y, np.zeros(()))
        for q in (0.5 - 1e-6, 0.5 + 1e-6):
            value = weighted_quantile(away, weight, q)
            there = away == value
            if (there.sum() if weight is None else weight[there].sum()) >= _HALF * mass:
                return tuple(_CLOSE * unit_vectors(np.asarray(value))), (
                    "half of the observations or more are equal, so the density grows without "
                    "bound around them"
                )
        return None

    # ---------------------------------------------------------------- the law, whole

    def log_below(self, away: Array, theta: Arrays) -> Array:
        half, rho = 0.5 * np.asarray(away), theta[1]
        scale = (1.0 - rho) / (1.0 + rho)
        return np.log(np.arctan2(scale * np.cos(half), -np.sin(half)) / np.pi)

    def below(self, q: Array, theta: Arrays) -> Array:
        rho, angle = theta[1], np.pi * q
        scale = (1.0 - rho) / (1.0 + rho)
        return -2.0 * np.arctan2(scale * np.cos(angle), np.sin(angle))

    def std(self, theta: Arrays) -> Array:
        # The variance is pi^2/3 + 4 Li_2(-rho), the integral of 4 log(1 + t)/t from rho to 1.
        rho = np.asarray(theta[1], float)
        t = 1.0 - 0.5 * (1.0 - rho[..., None]) * (1.0 + _NODES)
        high = 2.0 * (1.0 - rho) * ((np.log1p(t) / t) @ _WEIGHTS)
        return np.sqrt(np.where(rho > 0.5, high, np.pi**2 / 3.0 + 4.0 * spence(1.0 + rho)))

    def known_entropy(self, theta: Arrays) -> Array:
        rho = theta[1]
        return LOG_TURN + np.log1p(-rho) + np.log1p(rho)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # Of Cauchy's laws by Chyzak & Nielsen (2019), arXiv 1905.10965, by half angles.
        (loc_p, rho_p), (loc_q, rho_q) = p, q
        square = np.sin(0.5 * (loc_p - loc_q)) ** 2
        away = (rho_p - rho_q) ** 2 + 4.0 * rho_p * rho_q * square
        return np.log1p(away / ((1.0 - rho_p**2) * (1.0 - rho_q**2)))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, rho = theta
        angle, scale = np.pi * (rng.random(size) - 0.5), (1.0 - rho) / (1.0 + rho)
        return loc + 2.0 * np.arctan2(scale * np.sin(angle), np.cos(angle))
