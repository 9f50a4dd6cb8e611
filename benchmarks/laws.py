"""Reference formulas, written apart from skmle: log q(y | eta) of each law, and its derivatives.

A law is one real-analytic function that takes complex numbers, too. So its gradient comes from a
complex step, without a difference that would be rounded: log q(eta + ih) = log q + ih d/d eta, with
h = 1e-20. Second derivatives are central differences of the gradient and have ten digits. The
categorical law has too many entries of eta for this, and has formulas of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, loggamma

Array = NDArray[np.float64]

_STEP = 1e-20  # imaginary step of the gradient: its square is far below rounding
_DIFFERENCE = 1e-5  # step of the central differences: their error is about its square, 1e-10


class Derivatives(NamedTuple):
    """Derivatives of -log q for each row.

    They are the gradient in each eta, the product of the second derivatives with a direction, and
    the diagonal of the second derivatives.
    """

    gradient: list[Array]
    product: Callable[[Sequence[Any]], list[Array]]
    diagonal: list[Array]


class Law(Protocol):
    """What `distance` needs to know of a law."""

    def derivatives(self, y: Array, eta: Sequence[Array]) -> Derivatives:
        """Return the derivatives of -log q for each row; entries of eta have shape (n,) or ()."""
        ...


class Analytic:
    """A law given by its log-density.

    The log-density is a function of y and of one real or complex array for each entry of eta.
    """

    def __init__(self, log_prob: Callable[..., Any]) -> None:
        self.log_prob = log_prob

    def derivatives(self, y: Array, eta: Sequence[Array]) -> Derivatives:
        n, k = len(y), len(eta)

        def slope(at: Sequence[Array], a: int) -> Array:
            moved = [e + 1j * _STEP if b == a else e for b, e in enumerate(at)]
            return -np.broadcast_to(np.imag(self.log_prob(y, *moved)) / _STEP, (n,))

        def second(a: int, b: int) -> Array:
            up, down = (
                [e + s * _DIFFERENCE if c == b else e for c, e in enumerate(eta)]
                for s in (1.0, -1.0)
            )
            return (slope(up, a) - slope(down, a)) / (2.0 * _DIFFERENCE)

        with np.errstate(all="ignore"):  # some peers stop far from the optimum
            gradient = [slope(eta, a) for a in range(k)]
            upper = {(a, b): second(a, b) for a in range(k) for b in range(a, k)}

        def product(v: Sequence[Any]) -> list[Array]:
            return [
                sum((upper[min(a, b), max(a, b)] * v[b] for b in range(k)), np.zeros(n))
                for a in range(k)
            ]

        return Derivatives(gradient, product, [upper[a, a] for a in range(k)])


class Categorical:
    """The softmax law of log-odds against the last class.

    There is one eta for each class but the last, so that the hessian is not singular.
    """

    def derivatives(self, y: Array, eta: Sequence[Array]) -> Derivatives:
        top = np.maximum(np.max(eta, axis=0), 0.0)
        p = np.exp(np.array(eta) - top)
        p /= p.sum(axis=0) + np.exp(-top)
        residual = p.copy()
        rows = np.flatnonzero(y < len(p))
        residual[y[rows].astype(np.intp), rows] -= 1.0

        def product(v: Sequence[Any]) -> list[Array]:
            direction = np.array([np.broadcast_to(e, (len(y),)) for e in v])
            return list(p * (direction - (p * direction).sum(axis=0)))

        return Derivatives(list(residual), product, list(p * (1.0 - p)))


def _softplus(x: Any) -> Any:
    up = np.real(x) > 0.0
    return np.where(up, x, 0.0) + np.log1p(np.exp(np.where(up, -x, x)))


def _bernoulli(y: Array, eta: Any) -> Any:
    return y * eta - _softplus(eta)


def _poisson(y: Array, log_mean: Any) -> Any:
    return y * log_mean - np.exp(log_mean) - gammaln(y + 1.0)


def _normal(y: Array, loc: Any, log_scale: Any) -> Any:
    return -0.5 * ((y - loc) * np.exp(-log_scale)) ** 2 - log_scale - 0.5 * np.log(2.0 * np.pi)


def _lognormal(y: Array, loc: Any, log_scale: Any) -> Any:
    return _normal(np.log(y), loc, log_scale) - np.log(y)


def _gamma(y: Array, log_mean: Any, log_shape: Any) -> Any:
    shape = np.exp(log_shape)
    return (
        shape * (log_shape - log_mean - y * np.exp(-log_mean))
        - loggamma(shape)
        + (shape - 1.0) * np.log(y)
    )


def _negative_binomial(y: Array, log_mean: Any, log_dispersion: Any) -> Any:
    size, mean = np.exp(-log_dispersion), np.exp(log_mean)
    total = np.log(size + mean)
    return (
        loggamma(y + size)
        - loggamma(size)
        - gammaln(y + 1.0)
        - size * (log_dispersion + total)
        + y * (log_mean - total)
    )


def _beta(y: Array, logit_mean: Any, log_precision: Any) -> Any:
    mean, precision = np.exp(-_softplus(-logit_mean)), np.exp(log_precision)
    a, b = mean * precision, np.exp(-_softplus(logit_mean)) * precision
    return (
        loggamma(precision)
        - loggamma(a)
        - loggamma(b)
        + (a - 1.0) * np.log(y)
        + (b - 1.0) * np.log1p(-y)
    )


def _inverse_gaussian(y: Array, log_mean: Any, log_shape: Any) -> Any:
    return 0.5 * (
        log_shape
        - np.log(2.0 * np.pi * y**3)
        - np.exp(log_shape) * (y * np.exp(-log_mean) - 1.0) ** 2 / y
    )


def _student_t(y: Array, loc: Any, log_scale: Any, log_df: Any) -> Any:
    df, z = np.exp(log_df), (y - loc) * np.exp(-log_scale)
    return (
        loggamma(0.5 * df + 0.5)
        - loggamma(0.5 * df)
        - 0.5 * (np.log(np.pi) + log_df)
        - log_scale
        - 0.5 * (df + 1.0) * np.log1p(z * z / df)
    )


def _weibull(y: Array, log_scale: Any, log_shape: Any) -> Any:
    z = np.exp(log_shape) * (np.log(y) - log_scale)
    return log_shape - np.log(y) + z - np.exp(z)


BERNOULLI = Analytic(_bernoulli)
POISSON = Analytic(_poisson)
NORMAL = Analytic(_normal)
LOGNORMAL = Analytic(_lognormal)
GAMMA = Analytic(_gamma)
NEGATIVE_BINOMIAL = Analytic(_negative_binomial)
BETA = Analytic(_beta)
INVERSE_GAUSSIAN = Analytic(_inverse_gaussian)
STUDENT_T = Analytic(_student_t)
WEIBULL = Analytic(_weibull)
CATEGORICAL = Categorical()
