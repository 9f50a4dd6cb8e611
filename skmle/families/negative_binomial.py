"""The negative binomial law (NB2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.algebra import constant_at
from skmle.families.base import Array, Arrays, Family, Rows, average
from skmle.families.chain_rules import composed
from skmle.families.poisson import Poisson
from skmle.families.tools.beta_tails import rows_of_tail
from skmle.families.tools.counts import has_large, poisson_draws, stirling, surplus
from skmle.families.tools.dispersed import Dispersed
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.expected import expected_curvature
from skmle.families.tools.mixed_poisson import dispersion_information
from skmle.families.tools.special import binet, log_rising, log_rising_table
from skmle.families.tools.tails import log_beta_tail, log_gamma_tail

# Dispersion below which scipy's rounding of 1/(1 + dispersion mean) costs more digits than the
# distance from the Poisson law.
_POISSON = 1e-8
_SMOOTH = 1e16  # variance over mean, and count, from which single counts do not matter
# Log dispersion below which its square, and above which its inverse's, is nearly zero.
_LEAST_LOG, _LARGEST_LOG = -600.0, 300.0
# Log of dispersion times mean below which the expected information on the dispersion is a sum.
_NEARLY_POISSON = float(np.log(1e-3))
_LEAST = 1e-17  # dispersion below which its tails are those of Poisson, to the last digit
_ZERO, _ONE, _FLAT = np.zeros(()), np.ones(()), (None, None, None)


class NegativeBinomial(Dispersed):
    """Negative binomial law of counts with `mean` and `dispersion`.

    The variance is mean + dispersion mean^2. As dispersion -> 0 it is Poisson, and a fit to counts
    no more dispersed than that ends there (status "boundary"). A regression also takes rates, as
    that of Poisson does. scipy: ``nbinom(1/dispersion, 1/(1 + dispersion mean))``; R:
    ``dnbinom(y, size=1/dispersion, mu=mean)``.

    References
    ----------
    Lawless (1987), Negative binomial and mixed Poisson regression, Canadian Journal of
    Statistics 15.
    Aragon, Eberly & Eberly (1992), Existence and uniqueness of the maximum likelihood estimators
    for the two-parameter negative binomial distribution, Statistics & Probability Letters 15.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("negative_binomial").fit([[0], [1], [8], [3]])
    >>> round(float(model.params_["mean"]), 6)
    3.0
    """

    scipy_name = "nbinom"
    gradient_tells_mean = True

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With r = 1/dispersion, x = dispersion mean, and
        # D = log_rising(y, r) = lgamma(y + r) - lgamma(r) - y log r,
        # -log q = (y + r) log(1 + x) - y log mean - D. Nothing large cancels as r -> inf.
        (y,) = statistics
        log_mean, log_dispersion = eta
        # Of a smaller dispersion the inverse is no number. This one is Poisson to the last digit.
        log_dispersion = np.maximum(log_dispersion, _LEAST_LOG)
        dispersion = np.exp(np.minimum(log_dispersion, _LARGEST_LOG))
        if has_large(y):
            rows = _saddle(y, np.exp(log_mean), dispersion, order)
            return rows._replace(value=rows.value - surplus(y))
        x = np.exp(log_mean + log_dispersion)
        r = np.exp(-log_dispersion)
        growth, share = np.log1p(x), x / (1.0 + x)
        rise, rise1, rise2 = _rising(y, dispersion, order)
        if np.any(far := np.maximum(log_dispersion - _LARGEST_LOG, 0.0)):
            rise = rise + np.where(y > 0.0, y - 1.0, 0.0) * far  # a line, to the last digit
        value = (y + r) * growth - y * log_mean - rise
        if order < 1:
            return Rows(value)
        assert rise1 is not None
        push = (y + r) * share
        gradient = (push - y, push - r * growth + rise1)
        if order < 2:
            return Rows(value, gradient)
        assert rise2 is not None
        bend = push / (1.0 + x)
        curvature = (bend, bend - r * share, bend - 2.0 * r * share + r * growth - rise2)
        return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # Mean and dispersion are orthogonal. Of the dispersion there is an integral, which loses
        # its digits where the law is nearly Poisson; the sum over the counts has them there.
        log_mean, log_dispersion = np.broadcast_arrays(*map(np.asarray, eta))
        shape, log_x = log_mean.shape, (log_mean + log_dispersion).ravel()
        mixed = log_x >= _NEARLY_POISSON
        own = np.empty(mixed.shape)
        for part, find in ((mixed, _mixed_information), (~mixed, self._summed_information)):
            if part.any():
                own[part] = find(log_mean.ravel()[part], log_dispersion.ravel()[part])
        return np.exp(log_mean) / (1.0 + np.exp(log_x)).reshape(shape), None, own.reshape(shape)

    def _summed_information(self, log_mean: Array, log_dispersion: Array) -> Array:
        return expected_curvature(self, (log_mean, np.maximum(log_dispersion, _LEAST_LOG)))[2]

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        if not has_large(y):
            return None
        mean, dispersion = theta
        return -(_saddle(y, mean, dispersion, 0).value + stirling(y))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        mean = average(y, weight)
        if mean == 0.0:
            return [(-np.inf, 0.0)]
        # Relative to the mean: the square of a count from 1e154 on is no number.
        excess = average((y / mean - 1.0) ** 2, weight) - 1.0 / mean
        return [(np.log(mean), np.log(max(excess, 0.05 / mean)))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # All mass goes to zero as the dispersion grows: slowly, and the slower the less the product
        # of dispersion and mean grows with it.
        (y,) = statistics
        mean, dispersion = delta
        spread = np.where(y > 0, dispersion - y * np.minimum(mean + dispersion, 0.0), 0.0)
        # Of the mean alone the slope is mean/dispersion, which delta does not know: inf stands for
        # it. Of the dispersion alone -log q tends to Poisson's, which may be larger.
        rises = (mean > 0) | ((mean == 0) & (dispersion < 0))
        return np.where(dispersion > 0, spread, np.where(rises, np.inf, -y * mean))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        mean, dispersion = theta
        off = self.runs_off(theta)
        edge = (mean == 0.0) | (dispersion == 0.0) | off
        inside = self.log_prob(
            y, self.eta((np.where(edge, 1.0, mean), np.where(edge, 1.0, dispersion)))
        )
        at_edge = np.where(off, -np.inf, Poisson().log_prob_at_edge(y, (mean,)))
        return np.where(edge, at_edge, inside)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import nbinom, poisson

        mean, dispersion = theta
        if np.all((dispersion < _POISSON) | (mean == 0.0)):
            return poisson(mean)
        dispersion = np.maximum(dispersion, _POISSON)
        return nbinom(1.0 / dispersion, 1.0 / (1.0 + dispersion * mean))

    @classmethod
    def from_scipy(cls, n: Array, p: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (n * (1.0 - p) / p, 1.0 / n))

    def std(self, theta: Arrays) -> Array:
        mean, dispersion = theta  # the variance is mean + dispersion mean^2
        return np.hypot(np.sqrt(mean), np.sqrt(dispersion) * mean)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # More than y are counted where a beta variable of shapes 1/dispersion and y + 1 is larger
        # than 1/(1 + dispersion mean).
        (y,) = statistics
        log_mean, log_dispersion = np.broadcast_arrays(*(np.asarray(e, float) for e in eta))
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            value = -self.log_tail(y, (np.exp(log_mean), np.exp(log_dispersion)), upper)
            log_size = -np.maximum(log_dispersion, np.log(_LEAST))
            log_waiting = np.log(np.maximum(np.floor(y) + 1.0, 1.0))
            logit = log_size - log_waiting
            share = expit(logit)
            away = Rows(log_waiting - log_mean, (-_ONE, _ZERO), _FLAT)
            mean = Rows(logit, (_ZERO, -_ONE), _FLAT)
            precision = Rows(
                np.logaddexp(log_size, log_waiting),
                (_ZERO, -share),
                (None, None, share * expit(-logit)),
            )
            beta = rows_of_tail(value, away.value, logit, precision.value, upper, order)
            return constant_at(y < 0.0, value, composed(beta, (away, mean, precision)))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        mean, dispersion = theta
        count = np.floor(y)
        poisson = dispersion < _LEAST
        x = dispersion * mean
        size = 1.0 / np.where(poisson, 1.0, dispersion)
        waiting = np.maximum(count + 1.0, 1.0)
        tail = log_beta_tail(waiting, size, x / (1.0 + x), 1.0 / (1.0 + x), not upper)
        # Where single counts do not matter they are the gamma law that mixes the means. Where scipy
        # finds no value, the gamma law with the same variance is at hand.
        spread = 1.0 + x
        smooth = np.isnan(tail) | ((x > _SMOOTH) & (count > _SMOOTH))
        if smooth.any():
            tail = np.where(
                smooth, log_gamma_tail(mean / spread, (count + 0.5) / spread, upper), tail
            )
        tail = np.where(count < 0.0, 0.0 if upper else -np.inf, tail)
        return np.where(poisson, Poisson().log_tail(y, (mean,), upper), tail)

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        mean, dispersion = theta
        poisson = dispersion == 0.0
        return np.where(
            poisson,
            Poisson().known_entropy((mean,)),
            numerical.entropy(self, (mean, np.where(poisson, 1.0, dispersion))),
        )

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, dispersion = theta
        poisson = dispersion == 0.0
        mixing = dispersion * rng.gamma(
            np.broadcast_to(1.0 / np.where(poisson, 1.0, dispersion), size)
        )
        return poisson_draws(mean * np.where(poisson, 1.0, mixing), size, rng)


def _mixed_information(log_mean: Array, log_dispersion: Array) -> Array:
    return dispersion_information(np.exp(log_mean), np.exp(log_dispersion))


def _rising(y: Array, dispersion: Array, order: int) -> tuple[Array, Array | None, Array | None]:
    """Return `log_rising` of y at r = 1/dispersion.

    A table is used where one dispersion serves few distinct whole numbers.
    """
    if dispersion.ndim == 0 and y.size and (top := float(y.max())) <= max(y.size, 64):
        codes = y.astype(np.intp)
        if np.array_equal(codes, y):
            value, first, second = log_rising_table(int(top), float(dispersion))
            return value.take(codes), first.take(codes), second.take(codes)
    return log_rising(y, 1.0 / dispersion, order)


def _saddle(y: Array, mean: Array, dispersion: Array, order: int) -> Rows:
    """Return -log q - stirling(y) with its derivatives, in which nothing large cancels.

    With r = 1/dispersion, d = (y - mean)/(r + mean) and g(d) = d - log(1 + d), it is
    r g(d) + y g(-r d/y) + log(1 + y/r)/2 + mu(r) - mu(y + r).
    """
    with np.errstate(all="ignore"):  # of counts that are 0, and parameters far away
        r = 1.0 / dispersion
        top, centre = y + r, r + mean
        away = (y - mean) / centre
        below = gap_beside(away, top / centre)
        here = np.where(y > 0.0, y, 1.0)
        turn = y * gap_beside(-r * away / here, (mean / here) * (top / centre))
        above = np.where(y > 0.0, turn, r * (mean / centre))
        m0, m1, m2 = binet(top, order)
        n0, n1, n2 = binet(r, order)
        growth = np.where(y < r, np.log1p(y / r), np.log(top) - np.log(r))
        value = r * below + above + 0.5 * growth + n0 - m0
        if order < 1:
            return Rows(value)
        assert m1 is not None and n1 is not None
        pull = -r * away  # (mean - y)/(1 + dispersion mean)
        gradient = (pull, 0.5 * y / top - r * below + r * (m1 - n1))
        if order < 2:
            return Rows(value, gradient)
        assert m2 is not None and n2 is not None
        share = mean / centre
        turn = r * (m1 - n1) + r * r * (m2 - n2)
        curvature = (
            top * share * (r / centre),
            -pull * share,
            r * below - (r * away) ** 2 / top + 0.5 * y * r / top**2 - turn,
        )
        return Rows(value, gradient, curvature)
