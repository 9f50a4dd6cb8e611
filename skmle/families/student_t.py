"""Student's t law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Saturated
from skmle.families.chain_rules import composed
from skmle.families.normal import Normal
from skmle.families.tools.beta_tails import tail_rows
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.location_scale import LocationScale, in_scales
from skmle.families.tools.quantiles import centre_and_spread, tightest_half
from skmle.families.tools.special import LOG_2PI, binet, log_rising
from skmle.families.tools.tails import of_larger_tails

# A number from which on the square is left to logarithms: that of 1e154 overflows.
_FAR = 1e150
_ZERO, _ONE = np.zeros(()), np.ones(())
_LARGEST_EXPONENT = 700.0  # its exponential is near the largest number


class StudentT(ByTails, LocationScale):
    """Student's t law with location `loc`, `scale` and degrees of freedom `df`, all estimated.

    q(y) = c(df)/scale (1 + z^2/df)^(-(df + 1)/2), z = (y - loc)/scale. As df -> inf it is normal,
    and a fit to data with no heavier tails ends there (status "boundary"). scipy:
    ``t(df, loc, scale)``; R: ``dt((y - loc)/scale, df)/scale``.

    The likelihood is unbounded for any n rows: with df < 1/(n - 1) it grows for ever as the scale
    shrinks around one of them, and with df < m/(n - m) around m rows that the location reproduces.
    So what a fit returns is a local maximum away from there, rightly. Outlying or clustered rows
    can give it several of them. A fit starts at several df, around the median and in the tightest
    half of the rows, and returns the best maximum that it finds, and that one alone.

    References
    ----------
    Lange, Little & Taylor (1989), Robust statistical modeling using the t distribution, JASA 84.
    Fernandez & Steel (1999), Multivariate Student-t regression models, Biometrika 86 (unbounded
    likelihood with ties).

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).standard_t(4.0, size=(2000, 1))
    >>> bool(2.5 < MLEDistribution("t").fit(x).params_["df"] < 6.0)
    True
    """

    scipy_name = "t"
    several_modes = True
    parameters = (*LocationScale.parameters, Param("df", LOG))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("df", np.inf, Normal(links=self.links_of(("loc", "scale")))),)

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        raise NotImplementedError("Student's t has no single standard density; see evaluate.")

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = s + (nu + 1)/2 log(1 + z^2/nu) - D(1/2, nu/2), D = log_rising: the constant tends
        # to 0 as nu -> inf.
        loc, s, log_df = eta
        log_df = np.clip(log_df, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        df, rate = np.exp(log_df), np.exp(-s)
        z = in_scales(statistics[0] - loc, np.asarray(s), rate)
        with np.errstate(over="ignore"):
            u = z * z / df
        half = 0.5 * (df + 1.0)
        growth = np.log1p(u)
        if np.size(u) and np.max(u) > _FAR:
            far = u > _FAR  # where the square may have overflowed
            away = np.log(np.where(far, np.abs(z), 1.0))
            growth = np.where(far, 2.0 * away - log_df, growth)
            u = np.minimum(u, _FAR)
        constant, constant1, constant2 = log_rising(np.asarray(0.5), 0.5 * df, order)
        value = s + half * growth - constant
        if order < 1:
            return Rows(value)
        assert constant1 is not None
        share = u / (1.0 + u)  # d growth / d log u
        first = (df + 1.0) / (df * (1.0 + u)) * z  # rho'
        pull = 2.0 * half * share  # z rho'
        gradient = (-rate * first, 1.0 - pull, 0.5 * df * growth - half * share - constant1)
        if order < 2:
            return Rows(value, gradient)
        assert constant2 is not None
        turn = share / (1.0 + u)  # d share / d log u
        bend = 2.0 * turn * half  # (z rho')' / 2 in log z
        cross = half * turn - 0.5 * df * share  # -d gradient_log_df / d log u
        slope = first * (1.0 - 2.0 * share)  # z rho''
        curvature = (
            rate * rate * (df + 1.0) / (df * (1.0 + u)) * (1.0 - 2.0 * share),
            rate * (first + slope),
            -rate * ((z * z - 1.0) / (1.0 + u)) * (z / (df * (1.0 + u))),
            2.0 * bend,
            2.0 * cross,
            0.5 * df * growth - df * share + half * turn - constant2,
        )
        return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # Lange, Little & Taylor (1989), Appendix B. The trigamma functions in the entry of df are
        # 1/x + 1/(2 x^2) + mu''(x), whose first terms are added up by hand, as they cancel.
        s, log_df = np.asarray(eta[1]), np.asarray(eta[2])
        df, rate = np.exp(log_df), np.exp(-s)
        far = df + 3.0
        bend, after = binet(0.5 * df)[2], binet(0.5 * (df + 1.0))[2]
        assert bend is not None and after is not None
        own = 0.25 * df * (df * (bend - after)) + 0.5 * (5.0 * df + 3.0) / ((df + 1.0) ** 2 * far)
        cross = -2.0 * df / ((df + 1.0) * far)
        return rate * rate * (df + 1.0) / far, None, None, 2.0 * df / far, cross, own

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # In z a tail falls by its hazard; its derivatives in log df are those of a beta law.
        loc, s, log_df = (np.asarray(e, float) for e in eta)
        rate = np.exp(-s)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            z = (statistics[0] - loc) * rate
            own = _in_log_df(z if upper else -z, log_df, order)
            if own.gradient is None:
                return own
            density = self.evaluate((z,), (_ZERO, _ZERO, log_df), 1)
            assert density.gradient is not None
            hazard = np.exp(own.value - density.value - 0.5 * LOG_2PI) * (1.0 if upper else -1.0)
            gradient = (-rate * hazard, -z * hazard, own.gradient[0])
            if own.curvature is None:
                return Rows(own.value, gradient)
            df = np.exp(log_df)
            second = hazard * (hazard - (df + 1.0) * z / (df + z * z))
            cross = hazard * (own.gradient[0] - density.gradient[2])
            turn = z * second
            curvature = (
                rate * rate * second,
                rate * (hazard + turn),
                -rate * cross,
                z * hazard + z * turn,
                -z * cross,
                own.packed[0],
            )
            return Rows(own.value, gradient, curvature)

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The first is near the maximum of most data. The others have their scale from the better
        # half of the rows, and tails for the rest: of tried samples with outliers in 20 to 45 % of
        # the rows, each has led to the best maximum where the first has not. None has a df so small
        # that its scale would shrink around few rows.
        centre, spread = centre_and_spread(statistics[0], weight)
        starts = [(centre, np.log(1.3 * spread), np.log(5.0)), (centre, np.log(spread), 0.0)]
        middle, length = tightest_half(statistics[0], weight)
        if length > 0.0:
            starts += [(middle, np.log(length), np.log(df)) for df in (1.0, 0.3)]
        return [tuple(float(e) for e in start) for start in starts]

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], float(np.log(5.0))))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import t

        loc, scale, df = theta
        return t(df, loc, scale)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, df = theta
        with np.errstate(over="ignore", divide="ignore"):
            z = (y - loc) / scale if upper else (loc - y) / scale
            return -_in_log_df(z, np.log(df), 0).value

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        from scipy.special import stdtrit

        loc, scale, df = theta
        return loc + scale * (-stdtrit(df, q) if upper else stdtrit(df, q))

    @classmethod
    def from_scipy(cls, df: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale, df)

    def known_entropy(self, theta: Arrays) -> Array:
        loc, scale, df = theta
        standard = self.to_scipy((np.zeros(np.shape(loc)), np.ones(()), df))
        return np.asarray(standard.entropy(), float) + np.log(scale)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale, df = theta
        return loc + scale * rng.standard_t(
            np.minimum(df, 1e300), size=size
        )  # numpy makes nan of df = inf


def _in_log_df(z: Array, log_df: Array, order: int) -> Rows:
    """Return -log P(Z > z) of the standard law, with derivatives in log df.

    1/(1 + Z^2/df) has a beta law of shapes df/2 and 1/2, of whose lower tail this is one half for
    z > 0, and of z < 0 the other side.
    """
    # The log-odds are log df - 2 log |z|, and those of the mean are log df.
    away = Rows(-2.0 * np.log(np.abs(z)), (_ZERO,), (None,))
    logit = Rows(log_df, (_ONE,), (None,))
    share = expit(log_df)
    precision = Rows(np.logaddexp(0.0, log_df) - np.log(2.0), (share,), (share * expit(-log_df),))
    beta = tail_rows(away.value, log_df, precision.value, False, order)
    half = composed(beta, (away, logit, precision))
    half = half._replace(value=half.value + np.log(2.0))
    above = z > 0.0
    asked = np.where(above, half.value, -np.log1p(-np.exp(-half.value)))
    return of_larger_tails(half, asked, above)
