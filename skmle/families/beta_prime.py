"""The beta prime law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaincinv

from skmle.families.base import LOG, Array, Arrays, Family, Param, Shortcuts, Support
from skmle.families.beta import Beta
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.special import binet
from skmle.families.tools.tails import log_beta_tail


class BetaPrime(ByStd, ByTails):
    """Beta prime law of y > 0 with `odds` and `precision`: y/(1 + y) has a beta law.

    In the usual letters a and b, odds = a/b and precision = a + b, so that
    q(y) = y^(a - 1) (1 + y)^(-a - b) / B(a, b). The share y/(1 + y) has the mean
    odds/(1 + odds) and the precision of the beta law; y has the mean a/(b - 1), and an endless
    one where b <= 1. scipy: ``betaprime(a, b)``; R: ``extraDistr::dbetapr(shape1=a, shape2=b)``.

    References
    ----------
    Bourguignon, Santos-Neto & de Castro (2021), A new regression model for positive random
    variables with skewed and long tail, METRON 79.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> odds = MLEDistribution("beta_prime").fit([[0.25], [1.0], [4.0]])
    >>> shares = MLEDistribution("beta").fit([[0.2], [0.5], [0.8]])
    >>> bool(abs(odds.params_["precision"] - shares.params_["precision"]) < 1e-9)
    True
    """

    scipy_name = "betaprime"
    parameters = (Param("odds", LOG), Param("precision", LOG))
    support = Support(0.0)
    shortcuts = Shortcuts(starts="maximum", sums="base")

    # The logit of the mean share is the logarithm of the odds: the formula is that of shares.
    evaluate = Beta.evaluate
    expected_curvature = Beta.expected_curvature
    collapse = Beta.collapse
    tail = Beta.tail
    starts = Beta.starts
    _polished = Beta._polished
    saturated = Beta.saturated

    def statistics(self, y: Array) -> Arrays:
        log_rest = -np.log1p(y)
        return np.log(y) + log_rest, log_rest, y / (1.0 + y)

    def base(self, statistics: Arrays) -> Array:
        # -log of the density of the share, and 2 log(1 + y) of the Jacobian.
        log_share, log_rest, _, *more = statistics
        return log_share - log_rest - (more[0] - more[1] if more else 0.0)

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(statistics[0] - statistics[1])

    # ---------------------------------------------------------------- the law

    def _letters(self, theta: Arrays) -> tuple[Array, Array]:
        """Return a and b."""
        odds, precision = (np.asarray(value, float) for value in theta)
        b = precision / (1.0 + odds)
        with np.errstate(invalid="ignore"):  # at an end of the range
            return np.where(odds > 1.0, precision / (1.0 + 1.0 / odds), odds * b), b

    def _share(self, theta: Arrays) -> Arrays:
        """Return the parameters of the law of the share."""
        odds, precision = theta
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(odds), 1.0, odds / (1.0 + odds)), precision

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        a, b = self._letters(theta)
        rest = 1.0 / (1.0 + y)
        return log_beta_tail(a, b, np.where(y > 1.0, 1.0 / (1.0 + 1.0 / y), y * rest), rest, upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        # From the end at which the share, or its rest, has digits.
        a, b = self._letters(theta)
        share, rest = betaincinv(a, b, 1.0 - q if upper else q), betaincinv(b, a, q)
        if not upper:
            rest = betaincinv(b, a, 1.0 - q)
        return np.where(share < 0.5, share / (1.0 - share), (1.0 - rest) / rest)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import betaprime

        return betaprime(*self._letters(theta))

    @classmethod
    def from_scipy(
        cls, a: Array, b: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc) or np.any(scale != 1.0):
            return None
        return cls(), (a / b, a + b)

    def mean(self, theta: Arrays) -> Array:
        a, b = self._letters(theta)
        known = b > 1.0
        return np.where(known, a / np.where(known, b - 1.0, 1.0), np.inf)

    def std(self, theta: Arrays) -> Array:
        _, b = self._letters(theta)
        known = b > 2.0
        mean = self.mean(theta)
        with np.errstate(invalid="ignore"):
            root = np.sqrt(mean) * np.sqrt((1.0 + mean) / np.where(known, b - 2.0, 1.0))
        return np.where(known, root, np.inf)

    def known_entropy(self, theta: Arrays) -> Array:
        # That of the share, and twice E[log(1 + y)] = digamma(a + b) - digamma(b).
        odds, precision = theta
        _, b = self._letters(theta)
        slopes = [binet(value, 1)[1] for value in (precision, b)]
        assert slopes[0] is not None and slopes[1] is not None
        growth = np.log1p(odds) + 0.5 / b - 0.5 / precision + slopes[0] - slopes[1]
        return Beta().known_entropy(self._share(theta)) + 2.0 * growth

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return Beta().divergence(self._share(p), self._share(q))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        a, b = self._letters(theta)
        logs = log_standard_gamma(rng, a, size) - log_standard_gamma(rng, b, size)
        with np.errstate(over="ignore"):  # beyond the floating-point numbers
            return np.exp(logs)
