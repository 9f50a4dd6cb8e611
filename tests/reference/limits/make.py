"""Write values.json: awkward samples of every family, and their maxima in 50 digits by mpmath.

Run it with mpmath installed: ``PYTHONPATH=. python tests/reference/limits/make.py``. The library
and its tests do not need mpmath. The log-likelihood is written down here once more, apart from the
library. Newton's method in 120 digits starts at the library's answer and goes on to the maximum;
there the gradient is zero to 50 digits of a standard error and the Hessian is definite. Where there
is no maximum inside, the limit law's own maximum is given.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np

from skmle import MLEDistribution

mp.mp.dps = 120
WIDE = 700  # digits for shares of 1e-300, whose precision is 1e300
STEP = mp.mpf(10) ** -20  # of differences, in standard errors or so
SCORES = np.array([-1.4, -0.9, -0.45, -0.1, 0.2, 0.55, 0.8, 1.3])
NORMAL = np.array([-1.53, -0.89, -0.49, -0.16, 0.16, 0.49, 0.89, 1.53])  # quantiles

# ---------------------------------------------------------------- laws: log q(y) by parameters


def logistic(z):
    return -abs(z) - 2 * mp.log1p(mp.exp(-abs(z)))


def student(y, loc, scale, df):
    z = (y - loc) / scale
    c = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    return c - (df + 1) / 2 * mp.log1p(z * z / df) - mp.log(scale)


def normal(y, loc, scale):
    return -(((y - loc) / scale) ** 2) / 2 - mp.log(scale) - mp.log(2 * mp.pi) / 2


def gamma(y, mean, shape):
    rate = shape / mean
    return shape * mp.log(rate) + (shape - 1) * mp.log(y) - rate * y - mp.loggamma(shape)


def beta(y, mean, precision):
    a, b = mean * precision, (1 - mean) * precision
    c = mp.loggamma(precision) - mp.loggamma(a) - mp.loggamma(b)
    return c + (a - 1) * mp.log(y) + (b - 1) * mp.log1p(-y)


def inverse_gaussian(y, mean, shape):
    return (mp.log(shape / (2 * mp.pi * y**3)) - shape * (y - mean) ** 2 / (mean**2 * y)) / 2


def weibull(y, scale, shape):
    z = y / scale
    return mp.log(shape / scale) + (shape - 1) * mp.log(z) - z**shape


def negative_binomial(y, mean, dispersion):
    size = 1 / dispersion
    c = mp.loggamma(y + size) - mp.loggamma(size) - mp.loggamma(y + 1)
    return c - size * mp.log1p(mean / size) + y * (mp.log(mean) - mp.log(size + mean))


def poisson(y, mean):
    return y * mp.log(mean) - mean - mp.loggamma(y + 1)


LAWS = {
    "normal": normal,
    "laplace": lambda y, loc, scale: -abs(y - loc) / scale - mp.log(2 * scale),
    "logistic": lambda y, loc, scale: logistic((y - loc) / scale) - mp.log(scale),
    "student_t": student,
    "lognormal": lambda y, loc, scale: normal(mp.log(y), loc, scale) - mp.log(y),
    "log_logistic": lambda y, scale, shape: (
        logistic(shape * mp.log(y / scale)) + mp.log(shape) - mp.log(y)
    ),
    "exponential": lambda y, mean: -y / mean - mp.log(mean),
    "gamma": gamma,
    "inverse_gaussian": inverse_gaussian,
    "weibull": weibull,
    "beta": beta,
    "poisson": poisson,
    "negative_binomial": negative_binomial,
    "geometric": lambda y, probability: (y - 1) * mp.log1p(-probability) + mp.log(probability),
    "bernoulli": lambda y, probability: mp.log(probability) if y == 1 else mp.log1p(-probability),
}
WITH_CUSPS = ("laplace",)  # its location is the median, which the rows have as they are
LIMITS = {"student_t": ("df", "normal"), "negative_binomial": ("dispersion", "poisson")}
WITHOUT_SCALE = ("exponential", "poisson", "geometric", "bernoulli")

# ---------------------------------------------------------------- samples


def positive(unit):
    return unit * np.exp(0.5 * SCORES)


LINE = {
    "near-constant": 3.0 + 1e-9 * SCORES,
    "clusters": np.concatenate([0.1 * SCORES, 10.0 + 0.1 * SCORES]),
    "sentinels": np.concatenate([SCORES, [-9999.0]]),
    "near the limit": np.concatenate([NORMAL, [-2.2, 2.2]]),
    "precise": 1e6 + 0.01 * SCORES,
    "tiny": 1e-300 * SCORES,
    "huge": 1e300 * SCORES,
}
POSITIVE = {
    "near-constant": 3.0 + 1e-6 * SCORES,
    "clusters": np.concatenate([positive(1.0), positive(100.0)]),
    "sentinels": np.concatenate([positive(1.0), [9999.0]]),
    "precise": 1e6 + 0.01 * SCORES,
    "tiny": positive(1e-300),
    "huge": positive(1e300),
}
SHARES = {
    "near-constant": 0.3 + 1e-7 * SCORES,
    "clusters": np.concatenate([0.1 + 0.01 * SCORES, 0.9 + 0.01 * SCORES]),
    "sentinels": np.concatenate([0.5 + 0.1 * SCORES, [1e-12]]),
    "precise": 0.5 + 1e-6 * SCORES,
    "tiny": positive(1e-300),
}
COUNTS = {
    "near-constant": [3.0, 3, 3, 4, 3, 3],
    "clusters": [0.0, 1, 0, 1, 100, 101, 99, 102],
    "sentinels": [2.0, 3, 1, 0, 2, 4, 9999],
    "near the limit": [3.0, 1, 4, 1, 5, 2, 0, 6, 2, 5],
    "precise": np.round(1e12 + 1e7 * SCORES),
    "few": [0.0, 0, 0, 0, 0, 0, 0, 1],
}
COINS = {"few": [0.0, 0, 0, 0, 0, 0, 0, 1], "clusters": [0.0, 1, 0, 1]}
UNITS = {"line": [1.0, 1e-300, 1e300], "positive": [1.0, 1e-300, 1e300]}
EQUAL = {"line": 2.0, "positive": 2.0, "shares": 0.3, "counts": 4.0, "coins": 1.0}
KINDS = {"line": LINE, "positive": POSITIVE, "shares": SHARES, "counts": COUNTS, "coins": COINS}
SUPPORT = (
    dict.fromkeys(["normal", "laplace", "logistic", "student_t"], "line")
    | {"beta": "shares", "bernoulli": "coins"}
    | dict.fromkeys(["poisson", "negative_binomial", "geometric"], "counts")
)

# ---------------------------------------------------------------- the maximum


class Maximum:
    """Newton's method on the log-likelihood, in log(parameter), logit, or (loc - start)/scale."""

    def __init__(self, family, rows, held, start):
        self.law, self.rows, self.held = LAWS[family], [mp.mpf(float(v)) for v in rows], held
        self.start = {name: mp.mpf(float(v)) for name, v in start.items()}
        cusp = family in WITH_CUSPS
        self.free = [n for n in self.start if n not in held and not (cusp and n == "loc")]
        self.unit = self.start.get("scale", mp.mpf(1))

    def params(self, at):
        found = dict(self.start) | {name: mp.mpf(float(v)) for name, v in self.held.items()}
        for name, t in zip(self.free, at, strict=True):
            if name == "loc":
                found[name] = self.start[name] + self.unit * t
            elif name == "probability" or (name == "mean" and self.law is beta):
                odds = self.start[name] / (1 - self.start[name]) * mp.exp(t)
                found[name] = odds / (1 + odds)
            else:
                found[name] = self.start[name] * mp.exp(t)
        return found

    def value(self, at):
        params = self.params(at)
        return mp.fsum(self.law(y, **params) for y in self.rows)

    def find(self):
        """Return the parameters and the log-likelihood at the maximum; None if none is near."""
        k = len(self.free)
        at, units = [mp.mpf(0)] * k, self._units([mp.mpf(0)] * k)
        for _ in range(60):
            gradient, hessian = self._slopes(at, units)
            if k == 0:
                break
            if any(hessian[j, j] >= 0 for j in range(k)):
                return None
            step = mp.lu_solve(-hessian, gradient)
            length = mp.norm(step)
            share = min(mp.mpf(1), 1 / length) if length > 0 else mp.mpf(1)
            at = [a + share * s * u for a, s, u in zip(at, step, units, strict=True)]
            if length < mp.mpf(10) ** -18:
                break
        else:
            return None
        if k and max(mp.eigsy(hessian, eigvals_only=True)) >= 0:
            return None
        return {n: float(v) for n, v in self.params(at).items()}, float(self.value(at))

    def _units(self, at):
        """Return about a standard error of each coordinate."""
        units = []
        for j in range(len(at)):
            h = mp.mpf(10) ** -30

            def along(t, j=j):
                return self.value([a + t * (i == j) for i, a in enumerate(at)])

            bend = (along(h) - 2 * along(0) + along(-h)) / h**2
            units.append(1 / mp.sqrt(abs(bend)) if bend != 0 else mp.mpf(1))
        return units

    def _slopes(self, at, units):
        k, h = len(at), STEP

        def value(*moves):
            moved = list(at)
            for j, sign in moves:
                moved[j] += sign * h * units[j]
            return self.value(moved)

        here = value()
        gradient, hessian = mp.matrix(k, 1), mp.matrix(k, k)
        for a in range(k):
            up, down = value((a, 1)), value((a, -1))
            gradient[a] = (up - down) / (2 * h)
            hessian[a, a] = (up - 2 * here + down) / h**2
            for b in range(a):
                cross = value((a, 1), (b, 1)) - value((a, 1), (b, -1))
                cross += value((a, -1), (b, -1)) - value((a, -1), (b, 1))
                hessian[a, b] = hessian[b, a] = cross / (4 * h * h)
        return gradient, hessian


def fitted(family, rows, held):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLEDistribution(family, fixed=held or None).fit(np.asarray(rows, float)[:, None])


def maximum(family, rows, held):
    """Return (status, parameters, log-likelihood); the status is None where none was found."""
    start = fitted(family, rows, held).params_
    if all(np.isfinite(v) and v != 0.0 for n, v in start.items() if n != "loc"):
        found = Maximum(family, rows, held, start).find()
        if found is not None:
            return ("interior", *found)
    name, law = LIMITS.get(family, (None, None))
    if name is None or name in held:
        return None, {}, None
    rest = {n: v for n, v in held.items() if n != name}
    _, params, value = maximum(law, rows, rest)
    return "boundary", params, value


def moved(name, value, params):
    """Return another value at which a parameter may be held."""
    if name == "loc":
        return value + 0.5 * params["scale"]
    if name in ("probability",) or (name == "mean" and "precision" in params):
        odds = 1.5 * value / (1.0 - value)
        return odds / (1.0 + odds)
    return 1.25 * value


def lines():
    """Yield all lines of the file."""
    for family in LAWS:
        kind = SUPPORT.get(family, "positive")
        for name, rows in KINDS[kind].items():
            if family == "geometric":  # it counts from 1 on
                rows = np.asarray(rows) + 1.0
            with mp.workdps(WIDE if kind == "shares" and name == "tiny" else mp.mp.dps):
                status, params, value = maximum(family, rows, {})
                yield family, {}, name, rows, status, params, value
                for parameter in params if len(params) > 1 else ():
                    held = {parameter: float(moved(parameter, params[parameter], params))}
                    yield family, held, name, rows, *maximum(family, rows, held)
        if family in WITHOUT_SCALE:
            continue
        first = next(iter(fitted(family, KINDS[kind]["clusters"], {}).params_))
        for unit in UNITS.get(kind, [1.0]):  # there is a maximum, as nothing is interpolated
            rows = [EQUAL[kind] * unit] * 4
            at = 0.8 * EQUAL[kind]
            held = {first: at + np.log(unit) if family == "lognormal" else at * unit}
            yield family, held, "equal", rows, *maximum(family, rows, held)


def main():
    found = []
    for family, held, name, rows, status, params, value in lines():
        line = {"family": family, "held": held, "name": name, "rows": [float(v) for v in rows]}
        found.append(line | {"status": status, "params": params, "log_likelihood": value})
        print(family, held, name, status, params, value, flush=True)
    path = Path(__file__).with_name("values.json")
    path.write_text("[\n" + ",\n".join(json.dumps(line) for line in found) + "\n]\n")


if __name__ == "__main__":
    main()
