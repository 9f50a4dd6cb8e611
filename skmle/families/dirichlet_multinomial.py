"""The Dirichlet-multinomial law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, gammaln, xlog1py, xlogy

from skmle.families.base import LOG, LOGIT, Array, Arrays, Limit, Param, Rows, Shortcuts
from skmle.families.links import Link
from skmle.families.multinomial import Counts, Multinomial, deviance_of_rows
from skmle.families.tools.divergences import bregman
from skmle.families.tools.odds import (
    log_shares,
    odds_of,
    odds_of_counts,
    shares_of,
)
from skmle.families.tools.special import log_rising

# Precisions that are tried for a start: from rows of one label each to hardly any overdispersion.
_TRIED = np.log(10.0) * np.arange(-3.0, 7.0)
# Share of the variance of multinomial counts below which overdispersion is rounding.
_NONE = 1e-12
_SHARP = 1e30  # precision from which rows of counts are multinomial to the last digit


class DirichletMultinomial(Counts):
    """Multinomial counts whose probabilities vary from row to row by a Dirichlet law.

    `probabilities` are the mean shares of the d labels, and `precision` A says how little the
    shares of rows vary: their Dirichlet law has the concentrations A p. With a = A p and the row's
    number of trials n, q(y) = n! Gamma(A)/Gamma(n + A) * prod Gamma(y_j + a_j)/(y_j! Gamma(a_j)).
    The variances are those of the multinomial law times (n + A)/(1 + A). As A -> inf it is
    multinomial, and a fit to counts that vary no more than that ends there (status "boundary").
    scipy: ``dirichlet_multinomial(A p, n)``. R: ``extraDistr::ddirmnom(x, n, A p)``.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d, at least 2; None: learnt from the data.
    trials : int, default=2
        The number of trials of rows yet to be observed: of `sample`, `mean`, `entropy` and the
        like. A single trial knows nothing of the precision.
    absent : tuple of int, default=()
        Columns that have no counts, as their probability is zero.
    links : None
        Log-odds are the only link.

    References
    ----------
    Mosimann (1962), On the compound multinomial distribution, Biometrika 49.
    Minka (2000, revised 2012), Estimating a Dirichlet distribution (counts in tables).

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("dirichlet_multinomial").fit([[9, 1], [2, 8], [5, 4], [1, 9]])
    >>> print(model.params_["probabilities"].round(3), round(model.params_["precision"], 3))
    [0.449 0.551] 2.479
    """

    shortcuts = Shortcuts(sums="base")

    def __init__(
        self,
        dimension: int | None = None,
        trials: int = 2,
        *,
        absent: tuple[int, ...] = (),
        links: Any = None,
    ) -> None:
        super().__init__(dimension, trials, absent=absent, links=links)

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return (*super().parameters, Param("precision", LOG))

    @property
    def names(self) -> tuple[str, ...]:
        return ("probabilities", "precision")

    @property
    def limits(self) -> tuple[Limit, ...]:
        law = Multinomial(self.dimension, self.trials, absent=self.absent)
        return (Limit("precision", np.inf, law, _rows_alone),)

    def check_parameters(self, *theta: Array) -> None:
        super().check_parameters(*theta)
        if not (theta[1] > 0.0).all():
            self.refuse("precision", float(theta[1].min()), "precision > 0")

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # Beside the mean row of the multinomial law: of each column, and of the sums as one more,
        # the distinct counts and the share of the rows that have them.
        table = len(statistics) > 3
        if table and len(statistics[0]) == 1:
            return statistics
        parts = super().collapse(statistics[:3], weight)
        if table:
            return *parts, *_joined(statistics, weight)
        y = statistics[0]
        columns = [*y.T, y.sum(axis=1)]
        return *parts, *_table(columns, [weight] * len(columns), range(len(columns)))

    def _rising(
        self, statistics: Arrays, a: Array, total: Array, order: int
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return `log_rising` of the columns, (n, d), and of their sums, (n,), with derivatives."""
        if len(statistics) == 3:
            y = statistics[0][..., self.seen]
            return log_rising(y, a, order), log_rising(y.sum(axis=-1), total, order)
        code, values, shares = statistics[3:]
        every = np.ones(self.d + 1)  # of columns without counts it does not matter
        every[self.seen], every[-1:] = a.ravel(), total
        each = every[code]
        sums = [
            None if part is None else np.bincount(code, shares * part, self.d + 1)
            for part in log_rising(values, each, order)
        ]
        columns = tuple(None if s is None else s[None, self.seen] for s in sums)
        return columns, tuple(None if s is None else s[-1:] for s in sums)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # That of the multinomial law, less the rising factorials D of the columns, plus that of
        # their sum; of log a_j the derivatives are (j = k) - p_k and 1.
        y, within = statistics[0][..., self.seen], statistics[1]
        *odds, log_precision = eta
        log_p = log_shares(tuple(odds))
        p, total = np.exp(log_p), np.exp(np.asarray(log_precision))
        a = np.exp(log_p + np.asarray(log_precision)[..., None])
        (own, own1, own2), (top, top1, top2) = self._rising(statistics, a, total, order)
        value, trials = deviance_of_rows(y, p, log_p)
        value = value + within - own.sum(axis=-1) + top
        if order < 1:
            return Rows(value)
        turn = own1.sum(axis=-1)
        n = (trials + turn)[..., None] * p
        k = len(odds)
        gradient = (*((n - y - own1)[..., j] for j in range(k)), top1 - turn)
        if order < 2:
            return Rows(value, gradient)
        bent = own2.sum(axis=-1)
        curvature = []
        for i in range(k):
            for j in range(i, k):
                same = float(i == j)
                spread = n[..., i] * (same - p[..., j])
                rises = same * own2[..., i] - p[..., j] * own2[..., i] - p[..., i] * own2[..., j]
                curvature.append(spread - rises - p[..., i] * p[..., j] * bent)
            curvature.append(p[..., i] * bent - own2[..., i])
        return Rows(value, gradient, (*curvature, top2 - bent))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        row = self.collapse(statistics, weight)
        (mean,) = row[0]
        self._check_trials(mean)
        odds = odds_of_counts(mean[self.seen])
        code, values, shares = row[3:]
        pairs = np.bincount(code, shares * values * (values - 1.0), self.d + 1)
        p = mean / mean.sum()
        seen = p > 0.0
        # The slope of the likelihood where the precision is infinite, in 2/A.
        rise = float((pairs[:-1][seen] / p[seen]).sum() - pairs[-1])
        if not rise > _NONE * (1.0 + float(pairs[-1])):
            return [(*odds, np.inf)]
        some = np.clip(odds, -50.0, 50.0)
        tried = [
            float(self.evaluate(row, (*map(np.asarray, some), np.asarray(t)), 0).value[0])
            for t in _TRIED
        ]
        return [(*odds, float(_TRIED[int(np.argmin(tried))]))]

    def natural(self, eta: Arrays) -> Arrays:
        return self._spread(shares_of(eta[:-1])), np.exp(np.asarray(eta[-1], float))

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        p, precision = self.natural(eta)
        jacobian = np.zeros((self.d + 1, len(eta)))
        jacobian[:-1, :-1], jacobian[-1, -1] = self._slopes(p), precision
        return jacobian

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        return (*super().natural_labels(columns), "precision")

    def natural_charts(self) -> tuple[Link, ...]:
        return (*(LOGIT,) * self.d, LOG)

    def eta(self, theta: Arrays) -> Arrays:
        return (*odds_of(theta[0][..., self.seen]), np.log(theta[1]))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        y, p, total = np.asarray(y, float), theta[0], np.minimum(theta[1], _SHARP)
        a = np.where(p > 0.0, p, 1.0) * total[..., None]
        rises = log_rising(y, a, 0)[0].sum(axis=-1) - log_rising(y.sum(axis=-1), total, 0)[0]
        return super().log_prob_at_edge(y, theta) + rises

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import dirichlet_multinomial

        return dirichlet_multinomial(theta[0] * theta[1], int(self._count))

    def covariance(self, theta: Arrays) -> Array:
        p, precision = theta
        spread = 1.0 + (self._count - 1.0) / (1.0 + precision)
        plain = p[..., None] * np.eye(self.d) - p[..., :, None] * p[..., None, :]
        return self._count * np.asarray(spread)[..., None, None] * plain

    def known_entropy(self, theta: Arrays) -> Array:
        counts, mass = self._marginals(theta)
        logs = (mass * gammaln(counts + 1.0)).sum(axis=(-2, -1)) - gammaln(self._count + 1.0)
        return self._count * entr(theta[0]).sum(axis=-1) + logs - self._gain(mass, theta)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        _, mass = self._marginals(p)
        means = self._count * bregman(p[0], q[0]).sum(axis=-1)
        return means + self._gain(mass, p) - self._gain(mass, q)

    def _marginals(self, theta: Arrays) -> tuple[Array, Array]:
        """Return the counts 0, .., n and their probabilities in each column, (.., d, n + 1)."""
        # Those of the binomial law, times what the precision changes in them.
        n, counts = np.asarray(self._count), np.arange(self._count + 1.0)
        p, total = theta[0][..., None], np.minimum(theta[1], _SHARP)[..., None, None]
        choose = gammaln(n + 1.0) - gammaln(counts + 1.0) - gammaln(n - counts + 1.0)
        log_mass = choose + xlogy(counts, p) + xlog1py(n - counts, -p) - log_rising(n, total, 0)[0]
        for part, rises in ((p, counts), (1.0 - p, n - counts)):
            log_mass = log_mass + log_rising(rises, np.where(part > 0.0, part, 1.0) * total, 0)[0]
        return counts, np.exp(log_mass)

    def _gain(self, mass: Array, theta: Arrays) -> Array:
        """Return the mean log-probability beyond the multinomial law's, counts having this mass."""
        n, counts = np.asarray(self._count), np.arange(self._count + 1.0)
        p, total = theta[0][..., None], np.minimum(theta[1], _SHARP)
        a = np.where(p > 0.0, p, 1.0) * total[..., None, None]
        rises = (mass * log_rising(counts, a, 0)[0]).sum(axis=(-2, -1))
        return np.asarray(rises - log_rising(n, total, 0)[0])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        from skmle.families.dirichlet import Dirichlet

        a = theta[0] * np.minimum(theta[1], _SHARP)[..., None]
        p = Dirichlet(self.d).sample((a,), size, rng)
        return rng.multinomial(int(self._count), p).astype(float)


def _rows_alone(statistics: Arrays) -> Arrays:
    """Return the statistics of the multinomial law, which has no table."""
    return statistics[:3]


def _table(
    samples: Sequence[Array], weights: Sequence[Array | None], codes: Sequence[int]
) -> tuple[Array, Array, Array]:
    """Return the distinct values of each sample, with their shares of its weight and its code."""
    found = []
    for own, sample, weight in zip(codes, samples, weights, strict=True):
        values, places = np.unique(sample, return_inverse=True)
        mass = np.bincount(places, weight)
        found.append((np.full(len(values), own), values, mass / mass.sum()))
    code, values, shares = (np.concatenate(part) for part in zip(*found, strict=True))
    return code, values, shares


def _joined(statistics: Arrays, weight: Array | None) -> tuple[Array, Array, Array]:
    """Return the table of several that stand one behind the other, each of a row's weight."""
    code, values, shares = statistics[3:]
    part = np.append(0, np.cumsum(np.diff(code) < 0))  # codes rise within each table
    mass = shares if weight is None else shares * weight[part]
    codes = range(int(code.max()) + 1)
    return _table([values[code == j] for j in codes], [mass[code == j] for j in codes], codes)
