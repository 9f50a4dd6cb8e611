"""Laws of lengths, of powers of gamma variables, and of other positive numbers."""

from __future__ import annotations

import mpmath as mp
from make import Formula

# Where gamma variables are looked at: about these probabilities of the lower tail, and so many
# standard deviations out in the upper one.
_SHARES = ("1e-300", "1e-100", "1e-20", "1e-5", "0.02", "0.3")
_FAR = (0.5, 2, 10, 60, 600)


def log_gamma_tail(shape, x, upper):
    """Return the logarithm of a tail, from the smaller one of both."""
    above = mp.gammainc(shape, x, mp.inf, regularized=True)
    below = mp.gammainc(shape, 0, x, regularized=True)
    own, other = (above, below) if upper else (below, above)
    return mp.log(own) if own < 0.5 else mp.log1p(-other)


def gamma_points(shape):
    """Return values of a gamma variable from one end to the other."""
    low = [(mp.mpf(p) * mp.gamma(shape + 1)) ** (1 / shape) for p in _SHARES]
    near = [x for x in low if x < shape]
    return near + [shape + mp.sqrt(shape) * t + t * (t > 9) for t in _FAR]


def _of_gamma(name, laws, power, scale_and_shape):
    """Return the law of y of which x = (y/scale)^power has a gamma law of scale one."""

    def log_density(y, **theta):
        scale, shape = scale_and_shape(**theta)
        log_x = power * mp.log(y / scale)
        jacobian = mp.log(abs(power)) + log_x - mp.log(y)
        return (shape - 1) * log_x - mp.exp(log_x) - mp.loggamma(shape) + jacobian

    def tail(upper):
        def log_tail(y, **theta):
            scale, shape = scale_and_shape(**theta)
            x = (y / scale) ** power
            return log_gamma_tail(shape, x, upper == (power > 0))

        return log_tail

    def points(**theta):
        scale, shape = scale_and_shape(**theta)
        return [scale * x ** (mp.mpf(1) / power) for x in gamma_points(shape)]

    def moment(k, **theta):
        scale, shape = scale_and_shape(**theta)
        top = shape + mp.mpf(k) / power
        return mp.inf if top <= 0 else scale**k * mp.gamma(top) / mp.gamma(shape)

    def own_variance(**theta):
        first, second = moment(1, **theta), moment(2, **theta)
        return mp.inf if mp.isinf(second) else second - first**2

    def entropy(**theta):
        scale, shape = scale_and_shape(**theta)
        own = shape + mp.loggamma(shape) + (1 - shape) * mp.psi(0, shape)
        mean_log = mp.log(scale) + mp.psi(0, shape) / power  # of y
        # log dx/dy = log |power| + power log(y/scale) - log y
        return own - mp.log(abs(power)) - power * (mean_log - mp.log(scale)) + mean_log

    return Formula(
        name,
        laws,
        log_density=log_density,
        points=points,
        log_cdf=tail(False),
        log_sf=tail(True),
        mean=lambda **theta: moment(1, **theta),
        variance=own_variance,
        entropy=entropy,
    )


def _length(name, dimension):
    """Return the law of the length of a vector of normal numbers."""
    return _of_gamma(
        name,
        [{"scale": 1.0}, {"scale": 2.5e-6}, {"scale": 3e8}],
        2,
        lambda scale: (mp.sqrt(2) * scale, mp.mpf(dimension) / 2),
    )


def _bisa_normal(y, scale, shape):
    return (mp.sqrt(y / scale) - mp.sqrt(scale / y)) / shape


def _bisa_log_density(y, scale, shape):
    s = _bisa_normal(y, scale, shape)
    slope = (mp.sqrt(y / scale) + mp.sqrt(scale / y)) / (2 * shape * y)
    return -(s**2) / 2 - mp.log(2 * mp.pi) / 2 + mp.log(slope)


def _bisa_entropy(scale, shape):
    def term(t):
        return mp.npdf(t) * _bisa_log_density(_bisa_at(t, scale, shape), scale, shape)

    return -mp.quad(term, [-30, -8, -2, 0, 2, 8, 30])


def _bisa_at(s, scale, shape):
    half = shape * mp.mpf(s) / 2
    return scale * (half + mp.sqrt(half**2 + 1)) ** 2


def log_normal_tail(s):
    return mp.log(mp.erfc(s / mp.sqrt(2)) / 2) if s > 0 else mp.log1p(-mp.erfc(-s / mp.sqrt(2)) / 2)


def _of_hazard(name, laws, log_hazard, density_of_hazard, at_hazard, mirrored, moment, entropy):
    """Return a law with P(Y > y) = exp(-H(y)), or P(Y <= y) = exp(-H(y)) if it is mirrored."""

    def tail(upper):
        def log_tail(y, **theta):
            hazard = mp.exp(log_hazard(y, **theta))
            if upper != mirrored:
                return -hazard
            return mp.log(-mp.expm1(-hazard)) if hazard < 1 else mp.log1p(-mp.exp(-hazard))

        return log_tail

    hazards = [mp.mpf(h) for h in ("1e-300", "1e-80", "1e-9", "0.01", "0.3", 1, 3, 20, 100, 680)]
    return Formula(
        name,
        laws,
        log_density=density_of_hazard,
        points=lambda **theta: [at_hazard(h, **theta) for h in hazards],
        log_cdf=tail(False),
        log_sf=tail(True),
        mean=None if moment is None else lambda **theta: moment(1, **theta),
        variance=None
        if moment is None
        else lambda **theta: (
            moment(2, **theta) - moment(1, **theta) ** 2
            if not mp.isinf(moment(2, **theta))
            else mp.inf
        ),
        entropy=entropy,
    )


def _burr(name, sign):
    """Return Burr's law of type XII (sign 1) or that of its reciprocal, Dagum's (sign -1)."""

    def level(y, scale, shape, power):
        return mp.log1p((y / scale) ** (sign * shape) / power)

    def log_density(y, scale, shape, power):
        log_ratio = sign * shape * mp.log(y / scale)
        return mp.log(shape / y) + log_ratio - (power + 1) * level(y, scale, shape, power)

    def at_hazard(hazard, scale, shape, power):
        return scale * (power * mp.expm1(hazard / power)) ** (sign / shape)

    def moment(k, scale, shape, power):
        r = sign * k / shape
        if r >= power or r <= -1:
            return mp.inf
        return scale**k * power**r * mp.gamma(1 + r) * mp.gamma(power - r) / mp.gamma(power)

    def entropy(scale, shape, power):
        mean_log = mp.log(power) - mp.euler - mp.psi(0, power)  # of (y/scale)^(sign shape)
        mean_log_y = mp.log(scale) + sign * mean_log / shape
        return -mp.log(shape) + mean_log_y - mean_log + (power + 1) / power

    return _of_hazard(
        name,
        [
            {"scale": 1.0, "shape": 0.7, "power": 0.4},
            {"scale": 3e5, "shape": 3.5, "power": 2.0},
            {"scale": 2e-7, "shape": 12.0, "power": 300.0},
        ],
        lambda y, scale, shape, power: mp.log(power * level(y, scale, shape, power)),
        log_density,
        at_hazard,
        sign < 0,
        moment,
        entropy,
    )


def _exponentiated_weibull():
    def log_m(t):
        return mp.log(-mp.log(-mp.expm1(-t)) if t < 1 else -mp.log1p(-mp.exp(-t)))

    def weibull(y, scale, shape, order):
        """Return the hazard t of Weibull's law, and the logarithm of the power."""
        t = order * mp.exp(shape / order * mp.log(y / scale))
        return t, order + mp.log(order / (order + mp.e - 1))

    def log_density(y, scale, shape, order):
        t, log_power = weibull(y, scale, shape, order)
        m = mp.exp(log_m(t))
        return log_power + mp.log(shape / order / y) + mp.log(t) - t - mp.expm1(log_power) * m

    def log_hazard(y, **theta):
        t, log_power = weibull(y, **theta)
        return log_power + log_m(t)

    def at_hazard(hazard, scale, shape, order):
        m = hazard / mp.exp(weibull(scale, scale, shape, order)[1])
        t = -mp.log(-mp.expm1(-m)) if m < 1 else -mp.log1p(-mp.exp(-m))
        return scale * (t / order) ** (order / shape)

    laws = [
        {"scale": 1.0, "shape": 0.7, "order": 0.4},
        {"scale": 3e5, "shape": 2.5, "order": 1.5},
        {"scale": 2e-7, "shape": 12.0, "order": 5.0},
        {"scale": 1.0, "shape": 4.0, "order": 1e6},
    ]
    return _of_hazard(
        "exponentiated_weibull", laws, log_hazard, log_density, at_hazard, True, None, None
    )


def _beta_prime(odds, precision):
    """Return a and b."""
    b = precision / (1 + odds)
    return odds * b, b


def _log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _beta_prime_log_density(y, odds, precision):
    a, b = _beta_prime(odds, precision)
    return (a - 1) * mp.log(y) - (a + b) * mp.log1p(y) - _log_beta(a, b)


def _beta_prime_tail(upper):
    def log_tail(y, odds, precision):
        a, b = _beta_prime(odds, precision)
        below = mp.betainc(a, b, 0, y / (1 + y), regularized=True)
        above = mp.betainc(b, a, 0, 1 / (1 + y), regularized=True)
        own, other = (above, below) if upper else (below, above)
        return mp.log(own) if own < 0.5 else mp.log1p(-other)

    return log_tail


def _beta_prime_points(odds, precision):
    a, b = _beta_prime(odds, precision)
    spread = mp.sqrt(1 / a + 1 / b)
    middle = [odds * mp.exp(spread * t) for t in (-3, -1, -0.2, 0.5, 2)]
    far = [(mp.mpf(p) * a * mp.beta(a, b)) ** (1 / a) for p in ("1e-290", "1e-30", "1e-8")]
    far += [(mp.mpf(p) * b * mp.beta(a, b)) ** (-1 / b) for p in ("1e-8", "1e-30", "1e-290")]
    return sorted(middle + far)


def _beta_prime_variance(odds, precision):
    a, b = _beta_prime(odds, precision)
    return a * (a + b - 1) / ((b - 2) * (b - 1) ** 2) if b > 2 else mp.inf


def _beta_prime_entropy(odds, precision):
    a, b = _beta_prime(odds, precision)
    own, rest = mp.psi(0, a) - mp.psi(0, b), mp.psi(0, a + b) - mp.psi(0, b)
    return mp.log(mp.beta(a, b)) - (a - 1) * own + (a + b) * rest


def _rice_parts(y, scale, shape):
    noise = scale / mp.sqrt(1 + shape**2 / 2)
    return y / noise, shape, noise


def _rice_log_density(y, scale, shape):
    u, b, noise = _rice_parts(y, scale, shape)
    return mp.log(u / noise) - (u - b) ** 2 / 2 + mp.log(mp.besseli(0, u * b) * mp.exp(-u * b))


def _rice_log_tail(upper):
    def log_tail(y, scale, shape):
        u, b, noise = _rice_parts(y, scale, shape)
        above = u**2 > b**2 + 1
        sign = 1 if above else -1
        width = 1 / mp.sqrt(1 + (u - b) ** 2)
        cuts = [u + sign * width * t for t in (0, 1, 3, 8, 16, 30, 50, 90, 130)]
        if not above:
            cuts = [c for c in cuts if c > 0] + [mp.mpf(0)] * (cuts[-1] <= 0)

        def mass(x):
            return mp.exp(_rice_log_density(x * noise, scale, shape) - top) if x > 0 else 0

        top = _rice_log_density(u * noise, scale, shape)
        smaller = top + mp.log(abs(mp.quad(mass, cuts)) * noise)
        if above == upper:
            return smaller
        return mp.log1p(-mp.exp(smaller)) if smaller < -1 else mp.log(-mp.expm1(smaller))

    return log_tail


def _rice_mean(scale, shape):
    _, b, noise = _rice_parts(scale, scale, shape)
    return noise * mp.sqrt(mp.pi / 2) * mp.hyp1f1(mp.mpf(-1) / 2, 1, -(b**2) / 2)


def _rice_entropy(scale, shape):
    _, b, noise = _rice_parts(scale, scale, shape)
    cuts = [max(b + t, mp.mpf(0)) * noise for t in (-14, -8, -4, -2, -1, 0, 1, 2, 4, 8, 14)]

    def term(y):
        log_q = _rice_log_density(y, scale, shape) if y > 0 else 0
        return -log_q * mp.exp(log_q) if y > 0 else 0

    return mp.quad(term, sorted(set(cuts)))


_RICE_LENGTHS = ("1e-145", "1e-9", 0.02, 0.6, 1.3, 2.5, 6, 13, 36)


def _logit_normal_score(y, loc, scale):
    return (mp.log(y) - mp.log1p(-y) - loc) / scale


def _log_normal_sf(n):
    return (
        mp.log(mp.erfc(n / mp.sqrt(2)) / 2) if n > -5 else mp.log1p(-mp.erfc(-n / mp.sqrt(2)) / 2)
    )


LAWS = [
    Formula(
        "johnson_sb",
        [{"loc": 0.0, "scale": 1.0}, {"loc": -3.0, "scale": 0.1}, {"loc": 1.5, "scale": 6.0}],
        log_density=lambda y, **theta: (
            -(_logit_normal_score(y, **theta) ** 2) / 2
            - mp.log(y)
            - mp.log1p(-y)
            - mp.log(theta["scale"] * mp.sqrt(2 * mp.pi))
        ),
        points=lambda **_: [1e-300, 1e-15, 1e-3, 0.03, 0.05, 0.2, 0.5, 0.65, 0.99, 1 - 2.0**-40],
        log_sf=lambda y, **theta: _log_normal_sf(_logit_normal_score(y, **theta)),
        log_cdf=lambda y, **theta: _log_normal_sf(-_logit_normal_score(y, **theta)),
    ),
    _length("half_normal", 1),
    _length("rayleigh", 2),
    _length("maxwell", 3),
    _of_gamma(
        "inverse_gamma",
        [
            {"harmonic_mean": 1.0, "shape": 0.4},
            {"harmonic_mean": 3e-6, "shape": 1.7},
            {"harmonic_mean": 2e5, "shape": 60.0},
        ],
        -1,
        lambda harmonic_mean, shape: (harmonic_mean * shape, shape),
    ),
    _of_gamma("chi_squared", [{"df": 0.3}, {"df": 4.0}, {"df": 250.0}], 1, lambda df: (2, df / 2)),
    _of_gamma("chi", [{"df": 0.3}, {"df": 4.0}, {"df": 250.0}], 2, lambda df: (mp.sqrt(2), df / 2)),
    _of_gamma(
        "nakagami",
        [
            {"scale": 1.0, "shape": 0.3},
            {"scale": 2e-5, "shape": 2.5},
            {"scale": 4e3, "shape": 130.0},
        ],
        2,
        lambda scale, shape: (scale / mp.sqrt(shape), shape),
    ),
    Formula(
        "birnbaum_saunders",
        [
            {"scale": 1.0, "shape": 0.6},
            {"scale": 3e-6, "shape": 25.0},
            {"scale": 2e7, "shape": 0.01},
        ],
        log_density=_bisa_log_density,
        points=lambda scale, shape: [
            _bisa_at(s, scale, shape) for s in (-37, -20, -6, -2, -0.3, 0.1, 1, 3, 8, 20, 37)
        ],
        log_cdf=lambda y, scale, shape: log_normal_tail(-_bisa_normal(y, scale, shape)),
        log_sf=lambda y, scale, shape: log_normal_tail(_bisa_normal(y, scale, shape)),
        mean=lambda scale, shape: scale * (1 + shape**2 / 2),
        variance=lambda scale, shape: (scale * shape) ** 2 * (1 + 5 * shape**2 / 4),
        entropy=_bisa_entropy,
    ),
    _burr("burr_xii", 1),
    _burr("dagum", -1),
    _exponentiated_weibull(),
    Formula(
        "beta_prime",
        [
            {"odds": 0.4, "precision": 2.2},
            {"odds": 3.0, "precision": 70.0},
            {"odds": 1e-3, "precision": 500.0},
        ],
        log_density=_beta_prime_log_density,
        points=_beta_prime_points,
        log_cdf=_beta_prime_tail(False),
        log_sf=_beta_prime_tail(True),
        mean=lambda odds, precision: (
            _beta_prime(odds, precision)[0] / (_beta_prime(odds, precision)[1] - 1)
            if _beta_prime(odds, precision)[1] > 1
            else mp.inf
        ),
        variance=_beta_prime_variance,
        entropy=_beta_prime_entropy,
    ),
    Formula(
        "rice",
        [
            {"scale": 1.0, "shape": 2.0},
            {"scale": 2.5e-6, "shape": 0.01},
            {"scale": 3e8, "shape": 50.0},
        ],
        log_density=_rice_log_density,
        points=lambda scale, shape: [
            _rice_parts(scale, scale, shape)[2] * mp.mpf(u)
            for u in (
                _RICE_LENGTHS
                if shape < 10
                else [shape + t for t in (-36, -20, -6, -1, 1, 6, 20, 36)]
            )
        ],
        log_cdf=_rice_log_tail(False),
        log_sf=_rice_log_tail(True),
        mean=_rice_mean,
        variance=lambda scale, shape: 2 * scale**2 - _rice_mean(scale, shape) ** 2,
        entropy=_rice_entropy,
    ),
]
