"""The base of laws of positive numbers of which a power has a gamma law."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.special import gammainccinv, gammaincinv

from skmle.families.base import Array, Arrays, Rows, Saturated, Shortcuts, average
from skmle.families.chain_rules import through_matrix
from skmle.families.gamma import PRECISE, Gamma, rows_beside_mean
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.gamma_tails import tail_rows
from skmle.families.tools.special import LOG_2PI, binet
from skmle.families.tools.stretched import InGeometricMean
from skmle.families.tools.tails import log_gamma_tail


class Product(NamedTuple):
    """A constant times powers of the natural parameters: its logarithm is linear in their logs."""

    factor: float
    powers: tuple[float, ...]

    def log(self, eta: Arrays) -> Array:
        """Return its logarithm at the logarithms of the parameters."""
        return np.log(self.factor) + self._sum(eta)

    def _sum(self, eta: Arrays) -> Array:
        terms = [p * np.asarray(e) for p, e in zip(self.powers, eta, strict=True) if p != 0.0]
        return sum(terms, np.zeros(()))

    def of(self, theta: Arrays) -> Array:
        """Return it at the parameters themselves."""
        result: Array = np.asarray(self.factor)
        for power, value in zip(self.powers, theta, strict=True):
            if power != 0.0:
                result = result * np.asarray(value, float) ** power
        return result


class OfGamma(InGeometricMean, ByStd, ByTails):
    """Laws of y > 0 of which x = y^power has a gamma law.

    A law states the power, and the `root` mean(x)^(1/power) and the `shape` of the gamma law as
    products of powers of its parameters, all of which have the chart log. The formula, the tails
    and the sums are those of the gamma law; x itself, which may overflow, is not formed.
    """

    shortcuts = Shortcuts(starts="maximum", sums="base")
    power: ClassVar[float]
    root: ClassVar[Product]
    shape: ClassVar[Product]

    @property
    def _matrix(self) -> Array:
        """The derivatives of log mean(x) and of the log shape in the own eta."""
        return np.array([[self.power * p for p in self.root.powers], self.shape.powers])

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def base(self, statistics: Arrays) -> Array:
        _, log_y, *more = statistics
        own = log_y - (more[0] - more[1]) / self.power if more else log_y
        return own - np.log(abs(self.power))

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # As of the gamma law, whose mean and its logarithm are given in the unit of y.
        y, log_y, *more = statistics
        if more and len(y) == 1:
            return statistics
        centre = average(log_y, weight)
        x = (y * np.exp(-centre)) ** self.power
        logs = self.power * (log_y - centre)
        _, log_mean, *rest = Gamma().collapse((x, logs, *more), weight)
        log_root = centre + log_mean / self.power
        return (np.exp(log_root), log_root, *rest)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        _, log_y, *more = statistics
        away = self.power * (log_y - self.root.log(eta))
        rows = rows_beside_mean(away, self.shape.log(eta), more[0] if more else 0.0, order)
        if np.isnan(np.max(rows.value, initial=0.0)):
            # The shape is below the numbers and y above the mean by more than they hold, or both
            # the other way round: such parameters are as good as impossible.
            value = np.where(np.isnan(rows.value), np.inf, rows.value)
            rows = rows._replace(value=value)
        return through_matrix(rows, self._matrix)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        inner = Gamma().expected_curvature((), (np.zeros(()), self.shape.log(eta)))
        zero = np.zeros(())
        return through_matrix(Rows(zero, (zero, zero), inner), self._matrix).curvature

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        root, shape = self.root.of(theta), self.shape.of(theta)
        if not np.max(shape, initial=0.0) > PRECISE:
            return None
        with np.errstate(all="ignore"):  # outside the support
            away = np.expm1(self.power * np.log1p((y - root) / root))
            excess = shape * gap_beside(away, 1.0 + away)
            rest = 0.5 * (np.log(shape) - LOG_2PI) - binet(shape, 0)[0] - np.log(y)
        return rest - excess + np.log(abs(self.power))

    # ---------------------------------------------------------------- where a fit begins and ends

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # Of laws whose parameters are the root and the shape.
        row = self.collapse(statistics, weight)
        _, log_shape = Gamma().starts((np.ones(1), np.zeros(1), *row[2:]), None)[0]
        return [(float(row[1][0]), float(log_shape))]

    def saturated(self, statistics: Arrays) -> Saturated | None:
        return Saturated(statistics[1], (float(np.log(1e16)),), self.names[1])

    # ---------------------------------------------------------------- the law

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        root, shape = self.root.of(theta), self.shape.of(theta)
        with np.errstate(all="ignore"):
            ratio = y / root
            above = upper == (self.power > 0.0)
            log_x = self.power * np.log(ratio) + np.log(shape)
            return log_gamma_tail(shape, shape * ratio**self.power, above, log_x)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        away = self.power * (statistics[1] - self.root.log(eta))
        above = upper == (self.power > 0.0)
        return through_matrix(tail_rows(away, self.shape.log(eta), above, order), self._matrix)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        root, shape = self.root.of(theta), self.shape.of(theta)
        above = upper == (self.power > 0.0)
        x = (gammainccinv(shape, q) if above else gammaincinv(shape, q)) / shape
        return root * x ** (1.0 / self.power)

    @abstractmethod
    def mean(self, theta: Arrays) -> Array:
        """Return E[y]; inf where it is endless."""

    def known_entropy(self, theta: Arrays) -> Array:
        # That of x with mean one; and the mean of log y is log root + (mu'(shape) - 1/(2 shape))
        # / power, with Binet's mu.
        shape = np.asarray(self.shape.of(theta), float)
        slope = binet(shape, 1)[1]
        assert slope is not None
        below = (slope - 0.5 / shape) * (1.0 / self.power - 1.0)
        own = Gamma().known_entropy((np.ones(()), shape)) + below
        return np.asarray(own + np.log(self.root.of(theta)) - np.log(abs(self.power)))

    def divergence(self, p: Arrays, q: Arrays) -> Array | None:
        ratio = (self.root.of(p) / self.root.of(q)) ** self.power
        return Gamma().divergence((ratio, self.shape.of(p)), (np.ones(()), self.shape.of(q)))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        shape = self.shape.of(theta)
        x = rng.standard_gamma(shape, size) / shape
        with np.errstate(over="ignore", divide="ignore"):  # beyond the floating-point numbers
            return self.root.of(theta) * x ** (1.0 / self.power)
