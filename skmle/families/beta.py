"""The beta law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, zeta

from skmle.families.base import (
    LOG,
    LOGIT,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Support,
    average,
)
from skmle.families.tools.divergences import binet_gap, gap, of_trials
from skmle.families.tools.special import LOG_2PI, bend, binet
from skmle.families.tools.tails import log_beta_tail


class Beta(Family):
    """Beta law of 0 < y < 1 with `mean` and `precision`.

    The variance is mean (1 - mean)/(1 + precision). In the usual letters
    a = mean precision, b = (1 - mean) precision. scipy: ``beta(a, b)``.

    References
    ----------
    Ferrari & Cribari-Neto (2004), Beta regression for modelling rates and proportions, Journal of
    Applied Statistics 31.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("beta").fit([[0.2], [0.4], [0.5]])
    >>> round(float(model.params_["mean"]), 3)
    0.365
    """

    scipy_name = "beta"
    parameters = (Param("mean", LOGIT), Param("precision", LOG))
    support = Support(0.0, 1.0)
    shortcuts = Shortcuts(starts="maximum", sums="base")

    def statistics(self, y: Array) -> Arrays:
        return np.log(y), np.log1p(-y)

    def base(self, statistics: Arrays) -> Array:
        log_y, log_1y = statistics
        return log_y + log_1y

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # lgamma by Binet's mu: -log q = log(y (1-y)) + precision KL((m, 1-m) : (y, 1-y))
        # - log(precision m (1-m)/2pi)/2 + mu(a) + mu(b) - mu(a+b).
        log_y, log_1y = statistics
        logit, log_precision = eta
        precision = np.exp(log_precision)
        low = np.minimum(logit, 0.0)
        high = low - logit
        left, right = np.exp(low), np.exp(high)  # one of them is 1, their sum 1 + exp(-|logit|)
        share = 1.0 / (left + right)
        m, m_bar = left * share, right * share
        growth = np.log1p(left * right)
        log_m, log_m_bar = low - growth, high - growth
        a, b = precision * m, precision * m_bar
        (mu_a, mu_a1, mu_a2), (mu_b, mu_b1, mu_b2), (mu_c, mu_c1, mu_c2) = (
            binet(x, order) for x in (a, b, precision)
        )
        lean, lean_bar = log_m - log_y, log_m_bar - log_1y
        value = (
            a * lean
            + b * lean_bar
            - 0.5 * ((log_precision - LOG_2PI) + log_m + log_m_bar)
            + mu_a
            + mu_b
            - mu_c
        )
        if order < 1:
            return Rows(value)
        assert mu_a1 is not None and mu_b1 is not None and mu_c1 is not None
        # In a and b at fixed precision the derivatives are lean - 1/(2 a) + mu'(a) and its mirror;
        # d log m = m_bar d logit.
        in_a, in_b = lean + mu_a1, lean_bar + mu_b1
        v, skew = a * m_bar, m_bar - m
        gradient0 = v * (in_a - in_b) - 0.5 * skew
        gradient1 = a * in_a + b * in_b - 0.5 - precision * mu_c1
        if order < 2:
            return Rows(value, (gradient0, gradient1))
        assert mu_a2 is not None and mu_b2 is not None and mu_c2 is not None
        # a^2 and b^2 times their second derivatives, less a and b (these cancel) and 1/2.
        turn_a, turn_b = a * a * mu_a2, b * b * mu_b2
        turn_am, turn_bm = m_bar * (0.5 + turn_a), m * (0.5 + turn_b)
        curvature = (
            v + m_bar * turn_am + m * turn_bm + skew * gradient0,
            gradient0 + turn_am - turn_bm,
            gradient1 + 0.5 + turn_a + turn_b - precision**2 * mu_c2,
        )
        return Rows(value, (gradient0, gradient1), curvature)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # Newton on digamma(a) - digamma(a + b) = mean log y and its mirror (Gnanadesikan et al.
        # 1967), from their approximation by logarithms; the search in log a, log b stays in range.
        left, right = (average(s, weight) for s in statistics)
        geometric, geometric_bar = np.exp(left), np.exp(right)
        room = max(1.0 - geometric - geometric_bar, 1e-12)
        a, b = 0.5 + 0.5 * geometric / room, 0.5 + 0.5 * geometric_bar / room
        for _ in range(30):
            letters = np.array([a, b, a + b])
            (psi_a, psi_b, psi_c), (own, own_b, shared) = digamma(letters), zeta(2.0, letters)
            rest, rest_bar = psi_a - psi_c - left, psi_b - psi_c - right
            determinant = own * own_b - shared * (own + own_b)
            if determinant > 1e-8 * own * own_b:
                step, step_bar = (
                    (own_b - shared) * rest + shared * rest_bar,
                    shared * rest + (own - shared) * rest_bar,
                )
                step, step_bar = step / (determinant * a), step_bar / (determinant * b)
            else:
                # Observations that agree to eight digits leave rounding in place of a jacobian;
                # least squares steps along what is left.
                jacobian = np.array(
                    [[(own - shared) * a, -shared * b], [-shared * a, (own_b - shared) * b]]
                )
                step, step_bar = np.linalg.lstsq(jacobian, np.array([rest, rest_bar]))[0]
            step, step_bar = (min(max(s, -2.0), 2.0) for s in (step, step_bar))
            a, b = a * np.exp(-step), b * np.exp(-step_bar)
            if max(abs(step), abs(step_bar)) < 1e-8:  # the next step would be its square
                break
        return [(np.log(a) - np.log(b), np.log(a + b))]

    def saturated(self, statistics: Arrays) -> Saturated:
        return Saturated(statistics[0] - statistics[1], (float(np.log(1e16)),), "precision")

    def restore(self, statistics: Arrays) -> Array:
        log_y, log_1y = statistics
        return np.where(log_y < log_1y, np.exp(log_y), -np.expm1(log_1y))

    def mirrored(self, theta: Arrays) -> Arrays:
        mean, precision = theta
        return 1.0 - mean, precision

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import beta

        mean, precision = theta
        return beta(mean * precision, (1.0 - mean) * precision)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        mean, precision = theta
        return log_beta_tail(mean * precision, (1.0 - mean) * precision, y, 1.0 - y, upper)

    @classmethod
    def from_scipy(
        cls, a: Array, b: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc) or np.any(scale != 1.0):
            return None
        precision = a + b
        return cls(), (a / precision, precision)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def known_entropy(self, theta: Arrays) -> Array:
        # lgamma(x) - (x - 1) digamma(x) by Binet's function, whose remainder for large x scipy's
        # own formula truncates.
        mean, total = theta
        a, b = mean * total, (1.0 - mean) * total
        logs = 0.5 * (np.log(a) + np.log(b)) - 1.5 * np.log(total)
        rest = 1.0 / total - 0.5 / a - 0.5 / b + bend(a, 1.0) + bend(b, 1.0) - bend(total, 2.0)
        return 0.5 * (LOG_2PI + 1.0) + logs + rest

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (mean_p, total_p), (mean_q, total_q) = p, q
        a, b = mean_p * total_p, (1.0 - mean_p) * total_p
        c, d = mean_q * total_q, (1.0 - mean_q) * total_q
        means = total_q * of_trials(mean_q, mean_p)
        shapes = 0.5 * (gap(c / a) + gap(d / b) - gap(total_q / total_p))
        return means + shapes + binet_gap(c, a) + binet_gap(d, b) - binet_gap(total_q, total_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, precision = theta
        return rng.beta(mean * precision, (1.0 - mean) * precision, size=size)
