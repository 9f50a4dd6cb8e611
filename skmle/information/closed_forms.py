"""Closed forms of divergences and entropies, by family, in nats.

D(p || q) is the primary quantity and H(p, q) = H(p) + D(p || q), so that the identity between the three holds by
construction; as a difference of two entropies a small divergence would lose its digits. All forms are written as sums
of terms that cannot be negative and vanish one by one at p = q: nothing large cancels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, gammaln

from skmle.families import (
    Bernoulli,
    Beta,
    Binomial,
    Distribution,
    Exponential,
    Family,
    Gamma,
    Geometric,
    InverseGaussian,
    Laplace,
    Logistic,
    Lognormal,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
    Weibull,
)
from skmle.families.tools.special import LOG_2PI, binet, trigamma

Array = NDArray[np.float64]
Theta = tuple[Array, ...]


def _near(d: Array, r: Array) -> Array:
    """Return d - log(1 + d) of small d, given also r = d/(2 + d), as log(1 + d) = 2 atanh r."""
    s = r * r
    series = np.zeros_like(s)
    for k in range(
        23, 1, -2
    ):  # |r| < 0.18 where it is used: the first term left out is below 1e-17 of the first
        series = s * (1.0 / k + series)
    return r * d - 2.0 * r * series


def gap(x: Array) -> Array:
    """Return x - 1 - log x >= 0 of x >= 0, to full relative accuracy also next to its zero at 1."""
    d = np.asarray(x, float) - 1.0
    return np.where(
        np.abs(d) < 0.3, _near(d, d / (2.0 + d)), np.where(np.isinf(d), np.inf, d - np.log(x))
    )


def rise(v: Array) -> Array:
    """Return exp(v) - 1 - v >= 0, to full relative accuracy also next to its zero at 0."""
    d = np.expm1(v)
    return np.where(np.abs(d) < 0.3, _near(d, np.tanh(0.5 * v)), np.where(np.isinf(d), d, d - v))


def bregman(p: Array, q: Array) -> Array:
    """Return p log(p/q) - p + q >= 0 of p, q >= 0, where 0 log 0 = 0: Poisson's divergence, and a share of all others."""
    shift = np.asarray(q / p)
    return np.where(np.isfinite(shift), p * gap(shift), q)  # p = 0, or too small beside q to count


_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(10))


def _above_tangent(
    x: Array, at: Array, direct: Array, second: Callable[[Array], Array | None]
) -> Array:
    """Return how far a convex function at x lies above its tangent at `at`: `direct`, or the integral of its curvature.

    The integral, (x - at)^2 times the mean of (1 - u) f''(at + u (x - at)) over 0 < u < 1, has nothing to cancel; Gauss's
    rule has it exact where x and `at` are close beside their distance from the singularity at 0.
    """
    step = np.where(np.abs(x - at) < 0.5 * at, x - at, 0.0)
    total = np.zeros_like(step)
    for node, weight in zip(0.5 + _NODES, _WEIGHTS, strict=True):
        curvature = second(at + node * step)
        assert curvature is not None
        total = total + weight * (1.0 - node) * curvature
    return np.where(np.abs(x - at) < 0.5 * at, step * step * total, direct)


def _binet_gap(x: Array, at: Array) -> Array:
    """Return how far Binet's function at x lies above its tangent at `at`."""
    (value, _, _), (touch, slope, _) = binet(x, 0), binet(at, 1)
    assert slope is not None
    return _above_tangent(x, at, value - touch - (x - at) * slope, lambda t: binet(t, 2)[2])


def _log_gamma_gap(x: Array) -> Array:
    """Return how far the logarithm of the gamma function at x lies above its tangent at 1."""
    return _above_tangent(x, np.ones(()), gammaln(x) + np.euler_gamma * (x - 1.0), trigamma)


def _normal(p: Theta, q: Theta) -> Array:
    return 0.5 * (((p[0] - q[0]) / q[1]) ** 2 + gap((p[1] / q[1]) ** 2))


def _exponential(p: Theta, q: Theta) -> Array:
    return gap(p[0] / q[0])


def _gamma(p: Theta, q: Theta) -> Array:
    # By lgamma(k) = (k - 1/2) log k - k + log(2 pi)/2 + mu(k): a term for the means, two for the shapes.
    (mean_p, shape_p), (mean_q, shape_q) = p, q
    return (
        shape_q * gap(mean_p / mean_q) + 0.5 * gap(shape_q / shape_p) + _binet_gap(shape_q, shape_p)
    )


def _beta(p: Theta, q: Theta) -> Array:
    (mean_p, total_p), (mean_q, total_q) = p, q
    a, b, c, d = (
        mean_p * total_p,
        (1.0 - mean_p) * total_p,
        mean_q * total_q,
        (1.0 - mean_q) * total_q,
    )
    means = total_q * _bernoulli((mean_q,), (mean_p,))
    shapes = 0.5 * (gap(c / a) + gap(d / b) - gap(total_q / total_p))
    return means + shapes + _binet_gap(c, a) + _binet_gap(d, b) - _binet_gap(total_q, total_p)


def _weibull(p: Theta, q: Theta) -> Array:
    # The power of one is a power of the other: r is the ratio of the shapes, v the log of the expected hazard of q.
    (scale_p, shape_p), (scale_q, shape_q) = p, q
    r = shape_q / shape_p
    v = shape_q * np.log(scale_p / scale_q) + gammaln(r + 1.0)
    return rise(v) + _log_gamma_gap(r)


def _inverse_gaussian(p: Theta, q: Theta) -> Array:
    (mean_p, shape_p), (mean_q, shape_q) = p, q
    return 0.5 * (shape_q * ((mean_p - mean_q) / mean_q) ** 2 / mean_p + gap(shape_q / shape_p))


def _laplace(p: Theta, q: Theta) -> Array:
    x = p[1] / q[1]
    return gap(x) + x * rise(-np.abs(p[0] - q[0]) / p[1])


def _uniform(p: Theta, q: Theta) -> Array:
    inside = (q[0] <= p[0]) & (p[1] <= q[1])
    return np.where(inside, np.log(q[1] - q[0]) - np.log(p[1] - p[0]), np.inf)


def _poisson(p: Theta, q: Theta) -> Array:
    return bregman(p[0], q[0])


def _bernoulli(p: Theta, q: Theta) -> Array:
    return bregman(p[0], q[0]) + bregman(1.0 - p[0], 1.0 - q[0])


def _geometric(p: Theta, q: Theta) -> Array:
    return _bernoulli(p, q) / p[0]  # so many trials are expected


def _multivariate_normal(p: Theta, q: Theta) -> Array:
    root_p, root_q = _root(p[1], "p"), _root(q[1], "q")
    turn = np.linalg.solve(root_q, root_p)  # triangular: its diagonal holds the determinant
    shift = np.linalg.solve(root_q, (p[0] - q[0])[..., None])[..., 0]
    diagonal = np.diagonal(turn, axis1=-2, axis2=-1)
    below = np.tril(turn, -1)
    return 0.5 * (
        (shift**2).sum(axis=-1) + gap(diagonal**2).sum(axis=-1) + (below**2).sum(axis=(-2, -1))
    )


def _root(covariance: Array, name: str = "p") -> Array:
    try:
        return np.asarray(np.linalg.cholesky(covariance), float)
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(covariance).min()
        raise ValueError(
            f"{name}: a normal law whose covariance has the eigenvalue {smallest:.3g} lives in fewer dimensions than it has columns and "
            "has no density there. Allowed: positive definite covariances. Leave out the columns that the others determine."
        ) from None


def _binomial(p: Distribution, q: Distribution) -> Array | None:
    trials = p.family.get_params()["trials"]
    return (
        trials * _bernoulli(p.theta, q.theta) if q.family.get_params()["trials"] == trials else None
    )


def _by_theta(
    form: Callable[[Theta, Theta], Array],
) -> Callable[[Distribution, Distribution], Array | None]:
    return lambda p, q: form(p.theta, q.theta)


# D(p || q) of two laws of one family; None where a pair of them has no closed form.
KL: dict[type[Family], Callable[[Distribution, Distribution], Array | None]] = {
    Normal: _by_theta(_normal),
    Lognormal: _by_theta(_normal),
    Laplace: _by_theta(_laplace),
    Exponential: _by_theta(_exponential),
    Gamma: _by_theta(_gamma),
    Weibull: _by_theta(_weibull),
    Beta: _by_theta(_beta),
    InverseGaussian: _by_theta(_inverse_gaussian),
    Uniform: _by_theta(_uniform),
    Poisson: _by_theta(_poisson),
    Geometric: _by_theta(_geometric),
    Bernoulli: _by_theta(_bernoulli),
    Binomial: _binomial,
    MultivariateNormal: _by_theta(_multivariate_normal),
}


def divergence(p: Distribution, q: Distribution) -> Array | None:
    """Return D(p || q) of two laws, broadcast over their rows; None if it has no closed form."""
    form = KL.get(type(p.family)) if type(p.family) is type(q.family) else None
    if form is None:
        return None
    with np.errstate(
        all="ignore"
    ):  # parameters at an end of their range: the forms have their limits there
        return form(p, q)


def _geometric_entropy(p: Distribution) -> Array:
    (probability,) = p.theta
    return (
        entr(probability) + entr(1.0 - probability)
    ) / probability  # Bernoulli's for each of 1/probability trials


def _multivariate_normal_entropy(p: Distribution) -> Array:
    root = _root(p.theta[1])
    return 0.5 * root.shape[-1] * (LOG_2PI + 1.0) + np.log(
        np.diagonal(root, axis1=-2, axis2=-1)
    ).sum(axis=-1)


# H(p) where the family knows it; of a geometric or multivariate normal law better than scipy.
ENTROPY: dict[type[Family], Callable[[Distribution], Array]] = {
    Normal: Distribution.entropy,
    Lognormal: Distribution.entropy,
    Laplace: Distribution.entropy,
    Logistic: Distribution.entropy,
    StudentT: Distribution.entropy,
    Exponential: Distribution.entropy,
    Gamma: Distribution.entropy,
    Weibull: Distribution.entropy,
    Beta: Distribution.entropy,
    InverseGaussian: Distribution.entropy,
    Uniform: Distribution.entropy,
    Bernoulli: Distribution.entropy,
    Geometric: _geometric_entropy,
    Poisson: Distribution.entropy,
    NegativeBinomial: Distribution.entropy,
    MultivariateNormal: _multivariate_normal_entropy,
}


def entropy(p: Distribution) -> Array | None:
    """Return H(p) of each row; None if it has no closed form."""
    form = ENTROPY.get(type(p.family))
    if form is None:
        return None
    with np.errstate(all="ignore"):
        return np.asarray(form(p), float)
