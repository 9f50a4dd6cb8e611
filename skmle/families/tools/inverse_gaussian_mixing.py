"""Normal-inverse-Gaussian laws of location 0 and scale 1: density, tails, and integrals.

They are those of x = (u/delta - B) sqrt(N)/(N + k^2), where u is the distance from the location of
the textbooks, whose other parameters are delta, alpha, beta and gamma, by skew k and tail v:

    D = 1 + v,  N = v/D,  B = k/sqrt(N),  delta gamma = 1/(D (N + k^2)),
    delta beta = B (3/2 + delta gamma).

With J^2 = 1/D^2 + 3/2 k^2 (3/2 (N + k^2) + 2/D), and C = 1/D + 3/2 k^2 + k (1/D + 3/2 (N + k^2)) x,
S = x/D - 3/2 k and R^2 = C^2 + N S^2 linear and quadratic in x,

    -log q(x) = log(2 pi)/2 + 3/2 log R - 2 log J + P - h(R/N),   P = (R - C)/N = S^2/(R + C),

where h(t) is the logarithm of sqrt(2 t/pi) exp(t) K_1(t). All of it is smooth down to v = 0, where
h is 0 and R = C. There the law of C is inverse Gaussian; and normal, if k = 0, too. S is 0 at the
mean, and P the exponent of a saddle point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

from skmle.families.records import Array, Arrays, Rows, triangle
from skmle.families.tools.bessel import log_bessel_k1
from skmle.families.tools.jets import PAIRS, TwoJet
from skmle.families.tools.special import log_complement
from skmle.families.tools.tails import of_larger_tails

# By how much the location is below the mean, in k scales, next to the normal law: 3/2 makes it the
# mode there.
_C = 1.5
# Where the tails' integrand is asked for: the logarithm of s is w - exp(-w) at these w. Of all
# shapes that were tried, 50 points have 11 digits, these 12 and more, and 70 all there are.
_W = np.linspace(-3.3, 2.1, 73)
_LOG_S = _W - np.exp(-_W)
_S = np.exp(_LOG_S)
_WEIGHTS = 2.0 / np.pi * (_W[1] - _W[0]) * (1.0 + np.exp(-_W)) * np.exp(2.0 * _LOG_S - _S**2)
# The lean up to which derivatives of tails are taken from those next to the mean.
_CLOSE = 2.0
_ROWS = 256  # whose nodes are in the processor's cache
# The number of nodes of an integral over a density, and P beyond which nothing is left of it.
_NODES, _LAST = np.linspace(-1.0, 1.0, 201), 40.0
# The half width and the middle of such an integral, at most. The heaviest laws fall like exp(-h) to
# both sides, and far out like exp(-h/2) to one of them; so a share of 1e-11 is beyond.
_WIDEST, _FARTHEST = 40.0, 14.0
_TINY = 1e-150  # in place of k^2 + N = 0, whose root is divided by

HEAVIEST = 1e70
"""The largest tail of the formulas. Larger ones, of which nobody sees the moments, are infinite."""


class Frame:
    """What depends on skew and tail alone, with derivatives in k and log v."""

    def __init__(self, k: Array, v: Array, order: int) -> None:
        k, v = np.asarray(k, float)[()], np.asarray(v, float)[()]
        rate, zero = 1.0 / (1.0 + v), np.zeros_like(k)
        n = v * rate
        turn = n * rate  # its derivative in log v
        bend, parts = turn * (1.0 - 2.0 * n), (1, 3, 6)[order]
        third = TwoJet((k, zero + 1.0, zero, zero, zero, zero)[:parts])
        self.k, self.n = k, TwoJet((n, zero, turn, zero, zero, bend)[:parts])
        # S is lead + slope x, and C start + rise x.
        self.lead = third * -_C
        self.slope = TwoJet((rate, zero, -turn, zero, zero, -bend)[:parts])
        square = third * third
        self.w = square + self.n
        self.start = self.slope + square * _C
        self.rise = third * (self.slope + self.w * _C)
        self.square_j = self.slope * self.slope + square * _C * (self.w * _C + self.slope * 2.0)
        self.steepness = self.w.value * (1.0 + v)  # 1/(delta gamma)

    @property
    def j(self) -> Array:
        """J."""
        return np.sqrt(self.square_j.value)

    def at(self, x: Array) -> tuple[TwoJet, TwoJet]:
        """Return C and S, as functions of k and log v."""
        return self.rise * x + self.start, self.slope * x + self.lead


def _sum(c: Array, s: Array, n: Array, r: Array) -> Array:
    """Return R + C without cancellation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = s * (n * s / (r - c))
    return np.where(c > 0.0, r + c, beyond)


def moments(k: Array, v: Array) -> tuple[Array, Array]:
    """Return the mean and the standard deviation."""
    growth = np.where(np.asarray(v) < HEAVIEST, 1.0 + np.asarray(v), np.inf)
    with np.errstate(invalid="ignore"):  # Cauchy's law has no mean
        return _C * k * growth, Frame(k, v, 0).j * growth * np.sqrt(growth)


def beyond_end(x: Array, k: Array, v: Array) -> NDArray[np.bool_]:
    """Return which x are beyond the end of the support, which there is where v is 0."""
    return (np.asarray(v) == 0.0) & (1.0 + k * x <= 0.0)


def nearness(x: Array, k: Array, v: Array) -> Array:
    """Return R over its value at the location, 0 at an end of the support where v is 0."""
    own = Frame(k, v, 0)
    c, s = own.at(x)
    return np.hypot(c.value, np.sqrt(own.n.value) * s.value) / own.j


def density_jet(x: Array, k: Array, v: Array, order: int) -> Rows:
    """Return -log q(x) less log(2 pi)/2, with derivatives in x, k and log v."""
    own = Frame(k, v, order)
    of_c, of_s = own.at(x)
    c, s, n, log_j = of_c.value, of_s.value, own.n.value, own.square_j.log()  # of J^2
    r = np.hypot(c, np.sqrt(n) * s)
    p = s * (s / _sum(c, s, n, r))
    bessel = log_bessel_k1(n / r)
    value = 1.5 * np.log(r) + p - bessel.value - log_j.value
    if order < 1:
        return Rows(value)
    # C and S in units of R, whose first derivatives come in x, k and log v. P is the root of
    # N P^2/2 + C P - S^2/2.
    rate = 1.0 / r
    near, far, share = c * rate, s * rate, p * rate
    c_1 = [part * rate for part in (own.rise.value, *of_c.parts[1:3])]
    s_1 = [part * rate for part in (own.slope.value, *of_s.parts[1:3])]
    n_1, log_n_1 = (0.0, *own.n.parts[1:3]), (0.0, 0.0, own.slope.value)
    across, square, half = n * far, 0.5 * far * far, 0.5 * p * share
    each = list(zip(c_1, s_1, n_1, strict=True))
    root_1 = [near * a + across * b + square * d for a, b, d in each]  # of log R
    p_1 = [s * b - p * a - half * d for a, b, d in each]
    moves = [a - b for a, b in zip(root_1, log_n_1, strict=True)]  # of log(R/N)
    gradient = tuple(
        1.5 * a + b - bessel.slope * d - e
        for a, b, d, e in zip(root_1, p_1, moves, (0.0, *log_j.parts[1:3]), strict=True)
    )
    if order < 2:
        return Rows(value, gradient)
    none = (0.0, 0.0, 0.0)
    seconds = zip(
        triangle(3),
        (0.0, *own.rise.parts[1:3], *of_c.parts[3:]),
        (0.0, *own.slope.parts[1:3], *of_s.parts[3:]),
        (*none, *own.n.parts[3:]),
        (*none, 0.0, 0.0, -n * own.slope.value),  # of log N
        (*none, *log_j.parts[3:]),
        strict=True,
    )
    shrink, whole = n * rate, [share * d + a for a, _, d in each]
    curvature = []
    for (i, j), c_2, s_2, n_2, log_n_2, log_j_2 in seconds:
        double = r * (s_1[i] * s_1[j]) + far * s_2
        mixed = n_1[i] * s_1[j] + n_1[j] * s_1[i]
        root = c_1[i] * c_1[j] + near * rate * c_2 + shrink * double + far * mixed
        root = root + square * n_2 - 2.0 * (root_1[i] * root_1[j])
        fall = double - share * c_2 - half * n_2 - whole[i] * p_1[j] - whole[j] * p_1[i]
        fall = fall - shrink * (p_1[i] * p_1[j])
        turn = bessel.slope * (root - log_n_2) + bessel.bend * (moves[i] * moves[j])
        curvature.append(1.5 * root + fall - turn - log_j_2)
    return Rows(value, gradient, tuple(curvature))


def tail_jet(x: Array, k: Array, v: Array, upper: bool, order: int) -> Rows:
    """Return -log P(X > x) if `upper`, else -log P(X <= x), with derivatives in k and log v.

    The tail on that side of the mean on which x lies is an integral over positive terms. The other
    one is its complement, and laws of skew k and -k are mirror images.
    """
    x, k, v = np.broadcast_arrays(*(np.asarray(e, float) for e in (x, k, v)))
    side = np.where(x < _C * k * (1.0 + v), -1.0, 1.0)
    outer = _outer((side * x).ravel(), (side * k).ravel(), v.ravel(), order)
    parts = [part.reshape(x.shape) for part in outer]
    other = (side > 0.0) != upper
    value = np.where(other, -log_complement(np.minimum(-parts[0], 0.0)), parts[0])
    if order < 1:
        return Rows(value)
    rows = Rows(parts[0], (side * parts[1], parts[2]))
    if order > 1:
        rows = rows._replace(curvature=(parts[3], side * parts[4], parts[5]))
    return of_larger_tails(rows, value, ~other)


def _outer(x: Array, k: Array, v: Array, order: int) -> Array:
    """Return -log P(X > x) for x above the mean and, in k and log v, k, v, kk, kv, vv by rows."""
    starts = range(0, max(len(x), 1), _ROWS)
    some = [slice(low, low + _ROWS) for low in starts]
    blocks = [_of_rows(x[rows], k[rows], v[rows], order) for rows in some]
    return np.concatenate(blocks, axis=1)


def _of_rows(x: Array, k: Array, v: Array, order: int) -> Array:
    # Along the steepest descent through the saddle point of the inverse transform, P(X > x) is
    # exp(-P)/pi times the mean, over an exponential variable s^2, of the angle between 0 and pi of
    # L + K T^2 + i Q T, with L = S/(R + C) and T = s/sqrt(N s^2 + 2 R).
    own = Frame(k, v, order)
    (c, s), n = own.at(x), own.n
    r = (c * c + n * s * s).root()
    with np.errstate(all="ignore"):  # of formulas that do not hold for a row
        beyond = n * s * s * (r - c).inverse()
    parts = zip((r + c).parts, beyond.parts, strict=True)
    both = TwoJet(np.where(c.value > 0.0, here, there) for here, there in parts)
    lean = s * both.inverse()
    p = s * lean
    steepness = own.w * own.slope.inverse()
    spread = steepness * p + 2.0  # 2 + P/(delta gamma)
    over = (own.w * x - own.lead * (steepness + 2.0 / _C)) * spread.inverse()
    half = (r * 2.0).inverse()
    unit = (both * spread * own.slope * (own.square_j * half * 4.0).inverse()).root()
    total = _mean_angle(lean * unit, over * half * unit, n * half)
    return np.stack((p - total.log()).parts)


def _mean_angle(lean: TwoJet, over: TwoJet, bound: TwoJet) -> TwoJet:
    """Return the mean of the angle of a = lean + over h^2 + i h over pi, h = s/sqrt(1 + bound s^2).

    Derivatives in the three are found at the nodes, and those in the shapes follow.
    """
    inner = (lean, over, bound)
    alpha, beta, nu = (jet.value[:, None] for jet in inner)
    square = np.square(_S) / (1.0 + nu * np.square(_S))
    h, a = np.sqrt(square), alpha + beta * square
    value = np.arctan2(h, a) @ _WEIGHTS
    if len(lean.parts) == 1:
        return TwoJet([value])
    m = 1.0 / (a * a + square)
    hm, cube = h * m, h * square
    first = [-hm, -square * hm, -0.5 * cube * m * (a - 2.0 * beta * square)]
    slopes = [part @ _WEIGHTS for part in first]
    # Next to the mean, derivatives are large for s as small as lean. Those of the angle of
    # lean + i s have a known mean.
    x = lean.value
    close, size = x < _CLOSE, 1.0 / (alpha * alpha + np.square(_S))
    known = 0.5 * erfcx(x)
    known_slope = 2.0 * x * known - 1.0 / np.sqrt(np.pi)
    slopes[0] = slopes[0] + np.where(close, known_slope + (_S * size) @ _WEIGHTS, 0.0)
    parts = [
        value,
        *(sum(d * jet.parts[i] for d, jet in zip(slopes, inner, strict=True)) for i in (1, 2)),
    ]
    if len(lean.parts) == 3:
        return TwoJet(parts)
    double, turn = 2.0 * a * hm * m, (a * a - square) * m * m
    across = 0.5 * cube * (turn - 2.0 * beta * h * double)
    own = 0.75 * a * m - 2.0 * beta * square * m
    whole = 4.0 * beta * beta * square - 1.0
    last = cube * square * own + 0.25 * cube * cube * (whole * double - 4.0 * beta * h * turn)
    second = [
        double,
        square * double,
        across,
        square * square * double,
        square * (cube * m + across),
        last,
    ]
    bends = [part @ _WEIGHTS for part in second]
    fall = known + x * known_slope
    bends[0] = bends[0] + np.where(
        close, 2.0 * fall - (2.0 * alpha * _S * size * size) @ _WEIGHTS, 0.0
    )
    for place, (i, j) in enumerate(PAIRS, start=3):
        bend = sum(d * jet.parts[place] for d, jet in zip(slopes, inner, strict=True))
        for d, (one, other) in zip(bends, triangle(3), strict=True):
            f, g = inner[one].parts, inner[other].parts
            bend = bend + d * (f[i] * g[j] if one == other else f[i] * g[j] + f[j] * g[i])
        parts.append(bend)
    return TwoJet(parts)


def nodes(k: Array, v: Array) -> tuple[Array, Array]:
    """Return values of x and weights, (..., nodes), for integrals of smooth functions times q.

    They lie evenly in h, P being delta gamma (cosh(h) - 1), so that the trapezoidal rule converges
    as it does for a normal density; next to Cauchy's law it is that of a logistic one.
    """
    k, v = (np.asarray(e, float)[..., None] for e in (k, v))
    own = Frame(k, v, 0)
    w, rate, n = own.w.value, own.slope.value, own.n.value
    root = np.maximum(np.sqrt(w), _TINY)
    # The saddle points of location and mean are so far apart in h.
    between = _C * k * root * (_C * own.steepness + 2.0) / (_C * w + rate + own.j)
    last = np.minimum(2.0 * np.arcsinh(np.sqrt(0.5 * _LAST * own.steepness)), _WIDEST)
    h = np.maximum(last, _TINY) * _NODES
    half = np.sinh(0.5 * (h + np.clip(np.arcsinh(between), -_FARTHEST, _FARTHEST))) / root
    x = 2.0 * half * (np.hypot(1.0, half * root) + k * half)
    rows = density_jet(x, k, v, 0)
    r = np.hypot(1.0 + k * x, np.sqrt(n) * x)
    step = np.maximum(last, _TINY) / root * (_NODES[1] - _NODES[0])
    return x, np.exp(-rows.value) * r * step / np.sqrt(2.0 * np.pi)


def rough_quantile(score: Array, k: Array, v: Array) -> Array:
    """Return about where a quantile is that has the normal score: the nearer of two guesses.

    At one of them P is score^2/2; the other is a quantile of Cauchy's law.
    """
    mean, std = moments(k, v)
    own = Frame(k, v, 0)
    rate = own.slope.value
    skew = k * (rate + _C * own.w.value) * np.sqrt(1.0 + v) / own.j
    half = 0.5 * score
    standard = 2.0 * half * (np.sqrt(1.0 + own.steepness * half * half) + skew * half / rate)
    light, heavy = mean + std * standard, np.tan(np.pi * (ndtr(score) - 0.5))
    return np.where(np.abs(light) < np.abs(heavy), light, heavy)


def draws(k: Array, v: Array, size: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return draws of x, by an inverse Gaussian number u of mean 1 to which the variance goes.

    References
    ----------
    Michael, Schucany & Haas (1976), Generating random variates using transformations with multiple
    roots, The American Statistician 30.
    """
    own, growth = Frame(k, v, 0), 1.0 + np.asarray(v)
    w = np.maximum(own.w.value, _TINY)
    reach = 2.0 * np.arcsinh(0.5 * np.sqrt(own.steepness) * np.abs(rng.standard_normal(size)))
    upwards = rng.random(size) * (1.0 + np.exp(-reach)) > 1.0
    log_u = np.where(upwards, reach, -reach)
    u = np.exp(log_u)
    spread = np.sqrt(own.n.value / w * growth * u)
    beside = _C * k * growth * u + k * (np.expm1(log_u) / w)
    return beside + spread * rng.standard_normal(size)


def to_textbook(k: Array, v: Array) -> Arrays:
    """Return delta alpha, delta beta, the location and delta."""
    own = Frame(k, v, 0)
    n, w = own.n.value, own.w.value
    delta = np.sqrt(n) / w
    beta = k / np.sqrt(n) * (_C + 1.0 / own.steepness)
    return own.j / np.sqrt(n * w), beta, -k / w, delta


def from_textbook(alpha: Array, beta: Array) -> Arrays:
    """Return k, v and, in units of delta, location and scale, of delta alpha and delta beta."""
    gamma = np.sqrt((alpha - beta) * (alpha + beta))
    lean = beta / (_C + gamma)
    square = 1.0 + lean * lean
    v = 1.0 / (gamma * square)
    root = np.sqrt(v / (1.0 + v))
    return lean * root, v, lean, root * square
