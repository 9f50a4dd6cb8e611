"""Laws of every family and sums over them, written here independently of the library."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from skmle.families import Categorical, Distribution, Uniform
from skmle.families.tools.atoms import atoms_of
from skmle.information import cross_entropy, js_divergence, kl_divergence
from tests.families.whole_numbers import LONGEST, all_of
from tests.subjects import data_for, every_class, has_links

LOG_2 = np.log(2.0)
FARTHEST = 1e60  # count up to which masses of long tails are numbers
LEVELS = np.linspace(0.0, 1.0, 257)[1:-1]
FINER = 0.5 ** np.arange(2.0, 40.0)

# scipy takes 1 - x/sqrt(df + x^2) as it stands, of which nothing is left far out in a heavy tail.
WITHOUT_DIGITS = {"jf_skew_t"}

DRAWS = {"identity": lambda z: z, "log": lambda z: np.exp(0.6 * z), "logit": lambda z: expit(z)}

DIVERGENCES = [kl_divergence, js_divergence, cross_entropy]


pairs = pytest.mark.parametrize("seed", [0, 1, 2])

every_scalar = every_class(lambda cls: cls.observation.columns == 1 and cls.observation.numeric)


def draw(cls, rng):
    """A law of this family with random parameters.

    Again, if they contradict each other (low > high), or if the density has a steep end at a place
    where floating-point numbers are coarse.
    """
    while True:
        family = cls().adapt(data_for(cls()))
        charts = [p.chart for p in family.parameters]
        drawn = tuple(np.asarray(DRAWS.get(c.name, c.theta)(rng.normal())) for c in charts)
        theta = drawn if has_links(family) else family.natural(drawn)  # coordinates of a vector
        law = Distribution(family, dict(zip(family.names, theta, strict=True)))
        steep = law.family.nonregular(law.family.chart(law.family.eta(law.theta)))
        if not steep and not np.isnan(independent(law).support()).any():
            return law


def independent(law):
    """Return the law as scipy writes it, if scipy has it to all digits, else as we do.

    Scipy's laws of angles go round and round, and have no mass of one. Between two ends, scipy's
    general log-density, the logarithm of one that has underflowed, would leave infinite ratios next
    to them.
    """
    frozen = law.to_scipy()
    if frozen is None or law.family.observation.circular or frozen.dist.name in WITHOUT_DIGITS:
        return law
    rounded = getattr(type(frozen.dist), "_logpdf", None) is stats.rv_continuous._logpdf
    return law if rounded and np.isfinite(frozen.support()).all() else frozen


def draw_pair(cls, seed):
    rng = np.random.default_rng(seed)
    p, q = draw(cls, rng), draw(cls, rng)
    if cls is Uniform and seed:  # one of three pairs where a part of p is outside q, two inside
        q = Distribution(Uniform(), {"low": p.params["low"] - seed, "high": p.params["high"] + 0.5})
    return p, q


def is_counted(law):
    """Whether a law of scipy's or ours is one of masses."""
    return (
        law.discrete if isinstance(law, Distribution) else isinstance(law.dist, stats.rv_discrete)
    )


def brute_force(p, q, gain):
    """E_p[gain(log p, log q)] of frozen laws.

    The whole sum over masses, of long tails by panels, or one fine composite Gauss rule.
    """
    if is_counted(p):
        low, high = p.support()
        if low == -np.inf:  # far out there is nothing left of the laws that have no least count
            low = np.floor(p.mean() - 20.0 * p.std() - 64.0)
        top = 64.0
        while (more := p.sf(low + top) > 1e-18 and low + top < high) and top < LONGEST:
            top *= 2.0
        y = np.arange(low, min(low + top, high) + 1.0)
        y, weight = all_of(y, min(high, FARTHEST) if more else y[-1])
        mass = weight * p.pmf(y)
        y, mass = y[mass > 0], mass[mass > 0]
        return float((mass * gain(p.logpmf(y), q.logpmf(y))).sum())
    mirrored = [mirror_image(law) for law in (p, q)]
    if None not in mirrored:  # floats are coarse next to 1: its half is the mirrored law's
        return composite(p, q, gain, -300.0, 0.0) + composite(*mirrored, gain, -300.0, 0.0)
    return composite(p, q, gain, -300.0, 36.0 if np.isfinite(p.support()).all() else 300.0)


def mirror_image(law):
    """Return the law of 1 - Y of a beta law, or of one of ours that knows it; else None."""
    if not isinstance(law, Distribution):
        return stats.beta(*law.args[::-1]) if law.dist.name == "beta" else None
    family = law.family
    eta = family.mirrored(family.chart(family.eta(law.theta)))
    if eta is None:
        return None
    charts = [param.chart for param in family.parameters]
    return Distribution.of(
        family.mirror, tuple(c.theta(e) for c, e in zip(charts, eta, strict=True))
    )


def has_peak(law) -> bool:
    """Whether the density has a peak between two lines."""
    return isinstance(law, Distribution) and "mode" in law.params


def has_narrow_peak(law) -> bool:
    """Whether the density may rise and fall within a small part of the law's spread."""
    return isinstance(law, Distribution) and law.family.several_modes


def composite(p, q, gain, first, last):
    """Gauss's rule on panels in a coordinate t, cut at medians and ends of supports, where
    densities have kinks.

    There are 2000 panels over all of t and 400 more around each median, where both laws have their
    mass; without these the mixture of two Gumbel laws was known to 1e-7 only.
    """
    low, high = p.support()
    centre = p.median()
    if np.isinf(low) and np.isfinite(high):
        y, slope, t = (lambda t: high - np.exp(t)), np.exp, (lambda y: np.log(high - y))
    elif np.isinf(low):
        spread = p.ppf(0.75) - p.ppf(0.25)
        y, slope, t = (
            (lambda t: centre + spread * np.sinh(t)),
            (lambda t: spread * np.cosh(t)),
            (lambda y: np.arcsinh((y - centre) / spread)),
        )
    elif np.isinf(high):
        y, slope, t = (lambda t: low + np.exp(t)), np.exp, (lambda y: np.log(y - low))
    else:
        width = high - low
        y, slope, t = (
            (lambda t: low + width * expit(t)),
            (lambda t: width * expit(t) * expit(-t)),
            (lambda y: logit((y - low) / width)),
        )
    with np.errstate(all="ignore"):
        peaks = [law.params["mode"] for law in (p, q) if has_peak(law)]
        narrow = [law.ppf(LEVELS) for law in (p, q) if has_narrow_peak(law)]
        medians = [p.median(), q.median()]
        cuts = t(np.hstack([*p.support(), *q.support(), *medians, *peaks, *narrow]))
        around = [np.linspace(m - 8.0, m + 8.0, 401) for m in t(np.array(medians))]
        near = np.concatenate([-FINER, FINER])  # densities may fall to an end like a power
        finer = [cut + near for cut in cuts[:4] if np.isfinite(cut)]
        edges = np.concatenate([np.linspace(first, last, 2001), cuts, *around, *finer])
        edges = np.unique(edges[(edges >= first) & (edges <= last)])
        nodes, weights = np.polynomial.legendre.leggauss(10)
        half = 0.5 * np.diff(edges)[:, None]
        at = edges[:-1, None] + half * (1.0 + nodes)
        mass = p.pdf(y(at)) * slope(at)
        terms = half * weights * mass * gain(p.logpdf(y(at)), q.logpdf(y(at)))
    within = np.where((mass > 1e-40) | np.isfinite(terms), terms, 0.0).sum()
    beside = np.array(atoms_of(p.family)) if isinstance(p, Distribution) else np.empty(0)
    points = np.exp(p.logpdf(beside)) * gain(p.logpdf(beside), q.logpdf(beside))
    return float(within + points.sum())  # far out, scipy's densities are 0


def surprise(log_p, log_q):
    return -log_p


def ratio(log_p, log_q):
    return log_p - log_q


def mixture(log_p, log_q):
    return LOG_2 - np.logaddexp(0.0, log_q - log_p)


def categorical(labels, probabilities):
    return Distribution(Categorical(list(labels)), {"probabilities": probabilities})
