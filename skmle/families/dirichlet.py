"""The Dirichlet law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from skmle.families.base import LOG, Array, Arrays, Observation, Param, Rows, Shortcuts, Support
from skmle.families.links import Link
from skmle.families.tools.divergences import binet_gap, bregman, gap
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.several import SeveralColumns
from skmle.families.tools.simplex import apart, away_from_one
from skmle.families.tools.special import LOG_2PI, bend, binet

_ROUNDS = 60  # of Newton's method from moments, which needs about six; far more than were seen
_CLOSE = 1e-13  # share of the concentrations below which a step changes nothing
_LARGEST_STEP = 2.0  # in logarithms: keeps the first steps from far starts in range
# Precision from which rows count as equal: what is between them is rounding.
_POINT = 1e28


class Dirichlet(SeveralColumns):
    """Dirichlet law of rows of d shares, which are positive and add up to one.

    q(y) = Gamma(a_1 + .. + a_d) / prod Gamma(a_j) * prod y_j^(a_j - 1), a = `concentration`, with
    respect to the first d - 1 shares. The mean is a / sum(a); the larger the sum, the closer are
    the rows to it. scipy: ``dirichlet(alpha)``. R: ``DirichletReg::ddirichlet(x, alpha)``.

    A regression models the logarithm of each concentration (the common parametrisation of
    DirichletReg).

    Rows may miss the sum of one by rounding (1e-6); they are then divided by their sum.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d, at least 2; None: learnt from the data.
    links : None
        The logarithms of the concentrations are their only links.

    References
    ----------
    Minka (2000, revised 2012), Estimating a Dirichlet distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> y = np.random.default_rng(0).dirichlet([1.0, 2.0, 5.0], size=4000)
    >>> MLEDistribution("dirichlet").fit(y).params_["concentration"].round(1)
    array([1., 2., 5.])
    """

    support = Support(0.0, 1.0)
    observation = Observation(columns=None, rowwise=True)
    fewest = 2
    shortcuts = Shortcuts(starts="maximum", sums="base")

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(Param(f"concentration[{j}]", LOG, modelled=True) for j in range(self.d))

    @property
    def names(self) -> tuple[str, ...]:
        return ("concentration",)

    @property
    def observations(self) -> str:
        return f"rows of {self.many}shares above 0 that add up to 1"

    def check_parameters(self, *theta: Array) -> None:
        (concentration,) = theta
        if not (concentration > 0.0).all():
            self.refuse("concentration", float(concentration.min()), "concentrations > 0")

    def holds(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray((y > 0.0).all(axis=-1) & ~away_from_one(y.sum(axis=-1)))

    def amiss(self, y: Array) -> str:
        if (y < 0.0).any():
            return "A share below 0 is none. Mend these rows."
        sums = y.sum(axis=-1)
        if (off := away_from_one(sums)).any():
            return (
                f"{off.sum()} of these rows do not add up to 1: their sums are from "
                f"{sums[off].min():.9g} to {sums[off].max():.9g}. Divide each row by its sum, as "
                "X / X.sum(axis=1, keepdims=True), if they are parts of a whole."
            )
        return (
            "Shares of 0 have no density here. Replace those that were too small to be measured "
            "by about half of the smallest that is, and divide each row by its sum again; of "
            "counts, fit the family dirichlet_multinomial to the counts."
        )

    def statistics(self, y: Array) -> Arrays:
        # A row may stand for many: the second entry is by how much the logarithm of their mean
        # exceeds the mean of their logarithms.
        y = y / y.sum(axis=-1, keepdims=True)
        return y, np.zeros_like(y)

    def base(self, statistics: Arrays) -> Array:
        y, within = statistics
        return (np.log(y) - within).sum(axis=-1)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        y, within = statistics
        if len(y) == 1:
            return statistics
        share = np.full(len(y), 1.0 / len(y)) if weight is None else weight / weight.sum()
        mean = share @ y
        mean = mean / mean.sum()
        return mean[None], (share @ (gap(y / mean) + within))[None]

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # By Binet's function mu, with a = A m: -log q = A KL(m : y) - sum(log a)/2 + log(A)/2
        # + sum(mu(a)) - mu(A) + constants.
        y, within = statistics
        log_a = np.stack(np.broadcast_arrays(*eta), axis=-1)
        log_total = logsumexp(log_a, axis=-1)
        total, a = np.exp(log_total), np.exp(log_a)
        log_m = log_a - log_total[..., None]
        m = np.exp(log_m)
        (mu, mu1, mu2), (top, top1, top2) = binet(a, order), binet(total, order)
        lean, distance = apart(m, log_m, y, np.log(y))
        divergence = total * (distance + m * within).sum(axis=-1)
        value = (
            divergence
            - 0.5 * (log_a.sum(axis=-1) - log_total - (self.d - 1) * LOG_2PI)
            + mu.sum(axis=-1)
            - top
        )
        if order < 1:
            return Rows(value)
        assert mu1 is not None and top1 is not None
        pull = a * (lean + within)
        # Their sum is the divergence, which has digits that they lack where rows are close.
        pull = pull + m * (divergence - pull.sum(axis=-1))[..., None]
        slope = pull + a * (mu1 - top1[..., None]) - 0.5 * (1.0 - m)
        gradient = tuple(np.moveaxis(slope, -1, 0))
        if order < 2:
            return Rows(value, gradient)
        assert mu2 is not None and top2 is not None
        # a^2 psi'(a) = a + 1/2 + a^2 mu''(a); what all pairs share is A^2 psi'(A), so written.
        own = slope + a + 0.5 + a * (a * mu2)
        shared = total + 0.5 + total * (total * top2)
        curvature = []
        for i in range(self.d):
            curvature.append(own[..., i] - m[..., i] * (m[..., i] * shared))
            curvature += [-m[..., i] * (m[..., j] * shared) for j in range(i + 1, self.d)]
        return Rows(value, gradient, tuple(curvature))

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (mean,), (within,) = self.collapse(statistics, weight)
        if 0.5 * (self.d - 1) < _POINT * float(mean @ within):
            return None
        reason = "all observations are equal, so the density grows without bound around them"
        return tuple(np.log(mean) + np.log(1e16)), reason

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the maximum by Newton's method in log a, whose Hessian is diagonal plus rank one.

        It begins where Stirling's formula has its maximum, at the precision of rows close together.
        """
        (mean,), (within,) = self.collapse(statistics, weight)
        with np.errstate(divide="ignore"):
            precision = 0.5 * (self.d - 1) / float(mean @ within)
        log_a = np.log(mean) + np.log(precision)
        for _ in range(_ROUNDS if np.isfinite(log_a).all() else 0):
            a = np.exp(log_a)
            total = a.sum()
            (_, mu1, mu2), (_, top1, top2) = binet(a), binet(total)
            assert mu1 is not None and mu2 is not None and top1 is not None and top2 is not None
            m = a / total
            lean, distance = apart(m, np.log(m), mean, np.log(mean))
            pull = a * (lean + within)
            pull = pull + m * (total * float(distance.sum() + m @ within) - pull.sum())
            slope = pull + a * (mu1 - top1) - 0.5 * (1.0 - m)
            # The Hessian is diag(bent) - shared m m': a^2 psi'(a) = a (1 + bend), and of the sum.
            bend, bend_top = 0.5 / a + a * mu2, float(0.5 / total + total * top2)
            bent, shared = a * (1.0 + bend), float(total * (1.0 + bend_top))
            part, lever = slope / bent, m / bent
            # 1 - shared m'(m/bent), in which the ones cancel.
            rest = (1.0 + bend_top) * float(m @ (bend / (1.0 + bend))) - bend_top
            step = part + lever * (shared * float(m @ part) / rest)
            size = float(np.abs(step).max())
            log_a = log_a - step * min(1.0, _LARGEST_STEP / max(size, 1e-300))
            if size < _CLOSE:
                break
        return [tuple(float(e) for e in log_a)]

    def natural(self, eta: Arrays) -> Arrays:
        return (np.exp(np.stack(np.broadcast_arrays(*eta), axis=-1)),)

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        return np.diag(self.natural(eta)[0])

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        names = range(self.d) if columns is None else columns
        return tuple(f"concentration[{name}]" for name in names)

    def natural_charts(self) -> tuple[Link, ...]:
        return (LOG,) * self.d

    def eta(self, theta: Arrays) -> Arrays:
        return tuple(np.moveaxis(np.log(np.asarray(theta[0], float)), -1, 0))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import dirichlet

        return dirichlet(theta[0])

    def mean(self, theta: Arrays) -> Array:
        return theta[0] / theta[0].sum(axis=-1, keepdims=True)

    def covariance(self, theta: Arrays) -> Array:
        m = self.mean(theta)
        own = m[..., None] * np.eye(self.d)
        return (own - m[..., :, None] * m[..., None, :]) / (
            1.0 + theta[0].sum(axis=-1)[..., None, None]
        )

    def known_entropy(self, theta: Arrays) -> Array:
        # lgamma(x) - (x - 1) digamma(x) by Binet's function, as of the beta law.
        (a,) = theta
        total = a.sum(axis=-1)
        logs = 0.5 * np.log(a).sum(axis=-1) - (self.d - 0.5) * np.log(total)
        rest = 0.5 * self.d / total - (0.5 / a).sum(axis=-1)
        bends = bend(a, 1.0).sum(axis=-1) - bend(total, float(self.d))
        return 0.5 * (self.d - 1) * (LOG_2PI + 1.0) + logs + rest + bends

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (a,), (b,) = p, q
        total_a, total_b = a.sum(axis=-1), b.sum(axis=-1)
        means = total_b * bregman(b / total_b[..., None], a / total_a[..., None]).sum(axis=-1)
        shapes = 0.5 * (gap(b / a).sum(axis=-1) - gap(total_b / total_a))
        return means + shapes + binet_gap(b, a).sum(axis=-1) - binet_gap(total_b, total_a)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        logs = log_standard_gamma(rng, theta[0], (*size, self.d))
        y = np.exp(logs - logs.max(axis=-1, keepdims=True))
        return y / y.sum(axis=-1, keepdims=True)
