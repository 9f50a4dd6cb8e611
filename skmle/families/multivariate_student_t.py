"""Student's t law of several columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows
from skmle.families.links import Link
from skmle.families.multivariate_normal import MultivariateNormal
from skmle.families.tools.factored import Factored
from skmle.families.tools.factors import covariance_root, diagonal
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.packed import Packed
from skmle.families.tools.special import LOG_2PI, log_rising

_LARGEST_EXPONENT = 700.0  # its exponential is near the largest number
_LEAST = 1e-300  # its logarithm is a number
_FAR = 1e150  # size of a square from which it is left to logarithms
# Degrees of freedom from which a start begins, rounds of the fixed point from each, and the range
# of log df in which it looks. Chosen, not measured.
_TRIED, _ROUNDS, _RANGE = (8.0, 1.5), 60, (np.log(0.2), np.log(1e6))
_SAMPLE = 8192  # rows that tell a start
_CLOSE = 1e-4  # change of log df at which Newton's method goes on
_LARGEST_DF = 1e300  # of which gamma variables are drawn
_LARGEST_SPREAD = 320.0  # logarithm of the most that a draw is away: its square is a number


class MultivariateStudentT(Factored):
    """Student's t law of d columns with `loc`, a matrix `shape` and degrees of freedom `df`.

    q(y) = c (1 + s/df)^(-(df + d)/2) with s = (y - loc)' shape^-1 (y - loc). The covariance is
    shape df/(df - 2). As df -> inf it is the multivariate normal law, and a fit to data with no
    heavier tails ends there (status "boundary"). scipy: ``multivariate_t(loc, shape, df)``. R:
    ``mvtnorm::dmvt(x, loc, shape, df, log = TRUE)``.

    The coordinates are log df and those of `MultivariateNormal`. As of the t law of one column, the
    likelihood is unbounded for small df around rows that lie in fewer dimensions; what a fit
    returns is a local maximum away from there.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d; None: learnt from the data.
    frame : tuple of (origin, unit), optional
        How the coordinates measure each column of y; None: learnt from the data. It changes no law.
    links : None
        The coordinates have no other links.

    References
    ----------
    Kent, Tyler & Vardi (1994), A curious likelihood identity for the multivariate t-distribution,
    Communications in Statistics B 23. Liu & Rubin (1995), ML estimation of the t distribution using
    EM and its extensions, ECM and ECME, Statistica Sinica 5.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle import MLEDistribution
    >>> y = stats.multivariate_t([0, 1], [[2, 1], [1, 2]], df=4).rvs(2000, random_state=0)
    >>> model = MLEDistribution("multivariate_student_t").fit(y)
    >>> print(model.params_["loc"].round(1), round(model.params_["df"], 1))
    [0. 1.] 4.4
    """

    seen = ("loc", "shape")
    several_modes = True

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return (Param("df", LOG), *super().parameters)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.seen, "df")

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit("df", np.inf, MultivariateNormal(self.dimension, frame=self.frame), _of_normal),
        )

    def check_parameters(self, *theta: Array) -> None:
        super().check_parameters(*theta[:2])
        if not (theta[2] > 0.0).all():
            self.refuse("df", float(theta[2].min()), "df > 0")

    def adapt(self, y: Array) -> Family:
        law = super().adapt(y)
        if self.frame is not None:
            return law
        origin = np.median(y, axis=0)
        away = np.abs(y - origin)
        unit = np.median(away, axis=0)
        unit = np.where(unit > 0.0, unit, away.max(axis=0))
        pairs = zip(origin, np.where(unit > 0.0, unit, 1.0), strict=True)
        return law.set_params(frame=tuple((float(m), float(u)) for m, u in pairs))

    def statistics(self, y: Array) -> Arrays:
        return ((y - self.origin) / self.unit,)

    def restore(self, statistics: Arrays) -> Array:
        return statistics[0] * self.unit + self.origin

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With h = s/2, -log q = (df + d)/2 log(1 + s/df) - D(d/2, df/2) - log det A and a constant,
        # D = log_rising, as in StudentT.
        (y,) = statistics
        v, a = self.unpack(eta[1:])
        log_df = np.clip(eta[0], -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        df = np.exp(log_df)
        residual = (y @ a.T if a.ndim == 2 else (a @ y[..., None])[..., 0]) - v
        with np.errstate(over="ignore"):
            s = (residual**2).sum(axis=1)
            u, total, half = s / df, df + s, 0.5 * (df + self.d)
        growth = np.log1p(u)
        if np.size(u) and not np.max(u) < _FAR:  # where a square may have overflowed
            largest = np.maximum(np.abs(residual).max(axis=1), 1.0)
            size = ((residual / largest[:, None]) ** 2).sum(axis=1)
            logs = np.log(np.maximum(size, _LEAST)) + 2.0 * np.log(largest)
            growth = np.where(u < _FAR, growth, logs - log_df)
        constant, constant1, constant2 = log_rising(np.asarray(0.5 * self.d), 0.5 * df, order)
        value = half * growth - constant - np.log(diagonal(a)).sum(axis=-1)
        if order < 1:
            return Rows(value)
        assert constant1 is not None
        share = s / total
        # A residual r_i moves by -1 with v_i, and by y_j with A_ij; `step` is this derivative, and
        # `slope` that of h, over df + s: of far rows, too, it is no larger than y is.
        i, j = np.tril_indices(self.d)
        line = np.r_[np.arange(self.d), i]
        step = np.concatenate([np.full((len(y), self.d), -1.0), y[:, j]], axis=1)
        step[:, self.d :] *= np.where(i == j, a[..., i, i], 1.0)
        slope = residual[:, line] / total[:, None] * step
        on_diagonal = np.r_[np.zeros(self.d, bool), i == j]
        most = df + self.d
        gradient = (most * slope - on_diagonal).T
        own = 0.5 * df * growth - half * share - constant1
        if order < 2:
            return Rows(value, (own, *gradient))
        assert constant2 is not None
        last = 0.5 * df * growth - df * share + half * share * (df / total) - constant2
        cross = df * ((s - self.d) / total)

        def entry(p: int, q: int) -> Array:
            if p == 0:
                return last if q == 0 else cross * slope[:, q - 1]
            p, q = p - 1, q - 1
            bend = -2.0 * most * slope[:, p] * slope[:, q]
            if line[p] == line[q]:
                bend = bend + most * (step[:, p] / total) * step[:, q]
            return bend + most * slope[:, p] if p == q and on_diagonal[p] else bend

        return Rows(value, (own, *gradient), Packed(len(eta), entry))

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        found = MultivariateNormal(self.d).unbounded(_of_normal(statistics), weight)
        return None if found is None else ((float(np.log(5.0)), *found[0]), found[1])

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # Kent, Tyler & Vardi's fixed point, with df by a step of Newton's on the likelihood itself
        # after each; where the normal law has no lighter tails than the rows, df is infinite.
        (y,) = statistics
        share = np.full(len(y), 1.0 / len(y)) if weight is None else weight / weight.sum()
        centre = share @ y
        unit = np.sqrt(share @ (y - centre) ** 2)
        z = (y - centre) / unit
        root = np.linalg.cholesky((z * share[:, None]).T @ z)
        spread = float(share @ (_squares(z, root) - self.d) ** 2)
        light = spread <= 2.0 * self.d  # Mardia's kurtosis
        if len(z) > _SAMPLE:  # from where the solver goes on with all rows
            some = np.random.default_rng(0).choice(len(z), _SAMPLE, replace=False)
            z, share, statistics = z[some], share[some] / share[some].sum(), (y[some],)
        found = []
        for df in _TRIED:
            place, factor, log_df = self._fixed_point(z, share, root, np.log(df))
            at = self.coordinates(centre + unit * place, unit[:, None] * factor)
            start = (np.inf if light and log_df >= _RANGE[1] else log_df, *at)
            value = self.evaluate(statistics, tuple(map(np.asarray, (log_df, *at))), 0).value
            found.append((float(share @ value), start))
        return [min(found)[1]]

    def _fixed_point(
        self, z: Array, share: Array, root: Array, log_df: float
    ) -> tuple[Array, Array, float]:
        """Return location, factor and log df near a maximum, from a normal law and this df."""
        place, d = np.zeros(self.d), self.d
        for _ in range(_ROUNDS):
            away = z - place
            s = _squares(away, root)
            df, before = float(np.exp(log_df)), log_df
            heavy = share * (df + d) / (df + s)
            heavy = heavy / heavy.sum()
            place = place + heavy @ away
            away = z - place
            root = np.linalg.cholesky((away * heavy[:, None]).T @ away)
            s = _squares(away, root)
            log_df = self._better_df(s, share, log_df)
            if abs(log_df - before) < _CLOSE:
                break
        return place, root, log_df

    def _better_df(self, s: Array, share: Array, log_df: float) -> float:
        """Return log df after a step of Newton's, given the squared distances of the rows."""
        df = float(np.exp(log_df))
        u, half = s / df, 0.5 * (df + self.d)
        growth, part = np.log1p(u), u / (1.0 + u)
        _, constant1, constant2 = log_rising(np.asarray(0.5 * self.d), np.asarray(0.5 * df))
        assert constant1 is not None and constant2 is not None
        slope = float(share @ (0.5 * df * growth - half * part) - constant1)
        rest = 0.5 * df * growth - df * part + half * part / (1.0 + u)
        bend = float(share @ rest - constant2)
        step = -slope / bend if bend > 0.0 else -np.sign(slope)
        return float(np.clip(log_df + np.clip(step, -1.0, 1.0), *_RANGE))

    def natural(self, eta: Arrays) -> Arrays:
        return (*super().natural(eta[1:]), np.exp(np.asarray(eta[0], float)))

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        rest = super().natural_jacobian(eta[1:])
        jacobian = np.zeros((len(rest) + 1, len(eta)))
        jacobian[:-1, 1:], jacobian[-1, 0] = rest, np.exp(eta[0])
        return jacobian

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        return (*super().natural_labels(columns), "df")

    def natural_charts(self) -> tuple[Link, ...]:
        return (*super().natural_charts(), LOG)

    def eta(self, theta: Arrays) -> Arrays:
        return (np.log(np.asarray(theta[2], float)), *super().eta(theta[:2]))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        normal = MultivariateNormal(self.d)
        return normal.log_prob(np.atleast_2d(y), normal.eta(theta[:2])).reshape(np.shape(y)[:-1])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import multivariate_t

        return multivariate_t(theta[0], theta[1], float(theta[2]))

    def mean(self, theta: Arrays) -> Array:
        loc, _, df = theta
        return np.where(np.asarray(df)[..., None] > 1.0, loc, np.nan)

    def covariance(self, theta: Arrays) -> Array:
        _, shape, df = theta
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(df > 2.0, 1.0 / (1.0 - 2.0 / df), np.nan)
        return np.asarray(factor)[..., None, None] * shape

    def known_entropy(self, theta: Arrays) -> Array:
        # Of digamma functions the derivative of D has the difference, which does not cancel.
        df, half = np.minimum(theta[2], _FAR), np.asarray(0.5 * self.d)
        value, slope, _ = log_rising(half, 0.5 * df, 1)
        assert slope is not None
        tails = (1.0 + self.d / df) * (slope + half) - value
        root = covariance_root(theta[1], "p")
        return tails + half * LOG_2PI + np.log(diagonal(root)).sum(axis=-1)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, shape, df = theta
        normal = MultivariateNormal(self.d).sample((np.zeros(self.d), shape), size, rng)
        a = 0.5 * np.minimum(df, _LARGEST_DF)
        logs = log_standard_gamma(rng, a, size)
        spread = np.exp(np.minimum(0.5 * (np.log(a) - logs), _LARGEST_SPREAD))
        return loc + normal * spread[..., None]


def _squares(away: Array, root: Array) -> Array:
    """Return the squared distances of rows by a lower triangular factor of the matrix."""
    inverse = solve_triangular(root, np.eye(len(root)), lower=True)
    return ((away @ inverse.T) ** 2).sum(axis=1)


def _of_normal(statistics: Arrays) -> Arrays:
    """Return the statistics of the normal law: the rows, with no scatter around each."""
    (y,) = statistics
    return y, np.zeros((1, y.shape[1], y.shape[1]))
