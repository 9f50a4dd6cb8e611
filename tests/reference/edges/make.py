"""Write values.json: fits, masses, quantiles, moments and entropies at the edges, by mpmath.

Run it with mpmath installed: ``python tests/reference/edges/make.py``. The library and its tests do
not need mpmath. Every number is computed with so many digits that all of a double's are right.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp
import numpy as np

FEW = 24  # observations of a fit: their standard scores are evenly spaced
SCORES = np.linspace(-1.5, 1.5, FEW)


def sample(centre: float, spread: float) -> list:
    """Return the doubles near centre (1 + spread z), exactly."""
    return [mp.mpf(float(v)) for v in centre * (1.0 + spread * SCORES)]


# ---------------------------------------------------------------- fits


def normal(x):
    mean = sum(x) / len(x)
    sd = mp.sqrt(sum((v - mean) ** 2 for v in x) / len(x))
    return {"loc": mean, "scale": sd}, -len(x) * (
        mp.log(2 * mp.pi) / 2 + mp.log(sd) + mp.mpf(1) / 2
    )


def lognormal(x):
    theta, value = normal([mp.log(v) for v in x])
    return theta, value - sum(mp.log(v) for v in x)


def gamma(x):
    n, mean = len(x), sum(x) / len(x)
    gap = mp.log(mean) - sum(mp.log(v) for v in x) / n
    start = mp.log((3 - gap + mp.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap))
    k = mp.e ** mp.findroot(lambda t: t - mp.digamma(mp.e**t) - gap, start)
    value = n * (k * mp.log(k / mean) - mp.loggamma(k))
    return {"mean": mean, "shape": k}, value + sum((k - 1) * mp.log(v) - k * v / mean for v in x)


def inverse_gaussian(x):
    n, mean = len(x), sum(x) / len(x)
    k = 1 / (sum(1 / v for v in x) / n - 1 / mean)
    terms = (mp.log(k / (2 * mp.pi * v**3)) - k * (v - mean) ** 2 / (mean**2 * v) for v in x)
    return {"mean": mean, "shape": k}, sum(terms) / 2


def weibull(x):
    logs = [mp.log(v) for v in x]
    centre = sum(logs) / len(logs)
    logs = [v - centre for v in logs]

    def slope(k):
        powers = [mp.e ** (k * v) for v in logs]
        return sum(p * v for p, v in zip(powers, logs, strict=True)) / sum(powers) - 1 / k

    k = mp.findroot(slope, mp.pi / mp.sqrt(6 * sum(v * v for v in logs) / len(logs)))
    scale = mp.e**centre * (sum(mp.e ** (k * v) for v in logs) / len(logs)) ** (1 / k)
    terms = (mp.log(k / v) + k * mp.log(v / scale) - (v / scale) ** k for v in x)
    return {"scale": scale, "shape": k}, sum(terms)


def beta(x):
    n = len(x)
    left, right = sum(mp.log(v) for v in x) / n, sum(mp.log1p(-v) for v in x) / n
    mean = sum(x) / n
    gap, gap_bar = mp.log(mean) - left, mp.log1p(-mean) - right
    total = max(1 / (2 * (mean * gap + (1 - mean) * gap_bar)), mp.mpf(1))
    if gap > mp.mpf(1) / 100:  # tiny shares, which are almost a gamma law
        total = 1 / (2 * gap * mean)

    def equations(u, v):
        a, b = mp.e**u, mp.e**v
        both = mp.digamma(a + b)
        return mp.digamma(a) - both - left, (mp.digamma(b) - both - right) / right

    u, v = mp.findroot(equations, (mp.log(mean * total), mp.log((1 - mean) * total)), verify=False)
    a, b = mp.e**u, mp.e**v
    value = n * ((a - 1) * left + (b - 1) * right + mp.loggamma(a + b) - mp.loggamma(a))
    return {"mean": a / (a + b), "precision": a + b}, value - n * mp.loggamma(b)


def fits():
    precise = [1e-1, 1e-3, 1e-5, 1e-7, 1e-8, 1e-9]
    cases = [
        (law, 1e6, r) for law in (gamma, inverse_gaussian, lognormal, weibull) for r in precise
    ]
    cases += [(normal, c, r) for c, r in ((1e6, 1e-12), (1.7e9, 1e-8), (1e9, 1e-9), (-3.0, 1e-3))]
    cases += [(beta, c, r) for c in (1e-5, 0.3, 0.5, 0.9) for r in (0.05, 1e-3, 1e-6, 1e-8)]
    cases += [(beta, c, 0.6) for c in (1e-3, 1e-15, 1e-16, 1e-20, 1e-100, 1e-300)]
    for law, centre, spread in cases:
        tiny = min(mp.mpf(centre), mp.mpf(1)) if law is beta else mp.mpf(1)
        with mp.workdps(60 - 3 * int(mp.log10(abs(tiny)))):
            theta, value = law(sample(centre, spread))
            params = {name: float(v) for name, v in theta.items()}
            yield {
                "family": law.__name__,
                "centre": centre,
                "spread": spread,
                "params": params,
                "log_likelihood": float(value),
            }


# ---------------------------------------------------------------- masses


def log_factorial(y):
    return mp.loggamma(y + 1)


def poisson_mass(y, mean):
    return y * mp.log(mean) - mean - log_factorial(y)


def negative_binomial_mass(y, mean, dispersion):
    r = 1 / dispersion
    value = mp.loggamma(y + r) - mp.loggamma(r) - log_factorial(y)
    return value + r * mp.log(r / (r + mean)) + y * mp.log(mean / (r + mean))


def binomial_mass(successes, trials, p):
    failures = trials - successes
    value = log_factorial(trials) - log_factorial(successes) - log_factorial(failures)
    return value + successes * mp.log(p) + failures * mp.log1p(-p)


def masses():
    with mp.workdps(700):
        for size in (10.0, 9999.0, 10001.0, 1e6, 1e9, 1e12, 1e15, 1e20, 1e100, 1e300):
            for y in (size, float(np.floor(size + 2.0 * np.sqrt(size)))):
                value = float(poisson_mass(mp.mpf(y), mp.mpf(size)))
                yield "poisson", {"mean": size}, y, value
            for dispersion in (1e-9, 0.5, 7.0):
                for y in (0.0, float(np.floor(1.1 * size))):
                    value = negative_binomial_mass(*map(mp.mpf, (y, size, dispersion)))
                    yield "nbinom", {"mean": size, "dispersion": dispersion}, y, float(value)
        for trials in (10.0, 10001.0, 1e9, 1e12, 2.0**53):
            for p in (1e-3, 0.3, 0.75):
                y = float(np.floor(trials * p + np.sqrt(trials * p)))
                value = float(binomial_mass(*map(mp.mpf, (y, trials, p))))
                yield "binomial", {"probability": p}, [y, trials - y], value


# ---------------------------------------------------------------- quantiles


def inverse_gaussian_tail(y, mean, shape, upper):
    root = mp.sqrt(shape / y)
    a, c = root * (y / mean - 1), root * (y / mean + 1)
    shift = mp.e ** (2 * shape / mean) * mp.ncdf(-c)
    return mp.ncdf(-a) - shift if upper else mp.ncdf(a) + shift


def inverse(tail, q, low, high):
    """Return where a monotone tail is q, by halving the logarithm."""
    low, high = mp.log(low), mp.log(high)
    rises = tail(mp.e**high) > tail(mp.e**low)
    for _ in range(130):
        middle = (low + high) / 2
        if (tail(mp.e**middle) > q) == rises:
            high = middle
        else:
            low = middle
    return mp.e**low


def quantiles():
    with mp.workdps(400):
        for shape in (1.0, 5.0, 500.0):
            for q in (1e-100, 1e-25, 1e-17, 0.025, 0.5):
                for upper in (False, True):
                    level = mp.mpf(q)
                    bounds = mp.mpf("1e-5"), mp.mpf("1e4")
                    y = inverse(
                        lambda y, k=shape, u=upper: inverse_gaussian_tail(y, 1, mp.mpf(k), u),
                        level,
                        *bounds,
                    )
                    yield "inverse_gaussian", {"mean": 1.0, "shape": shape}, q, upper, float(y)


# ---------------------------------------------------------------- moments and entropies


def moments():
    with mp.workdps(60):
        for scale in (1e-8, 1e-6, 1e-4, 0.1, 1.0, 5.0, 26.0, 30.0):
            s = mp.mpf(scale)
            mean, sd = mp.e ** (s * s / 2), mp.e ** (s * s / 2) * mp.sqrt(mp.expm1(s * s))
            yield "lognormal", {"loc": 0.0, "scale": scale}, float(mean), float(sd)
        for shape in (0.5, 2.0, 19.0, 21.0, 100.0, 1e4, 1e6, 1e8):
            x = 1 / mp.mpf(shape)
            mean = mp.gamma(1 + x)
            sd = mp.sqrt(mp.gamma(1 + 2 * x) - mean * mean)
            yield "weibull", {"scale": 1.0, "shape": shape}, float(mean), float(sd)


def binomial_entropy(trials, p):
    """Return the sum over the counts within 50 standard deviations."""
    n, p = mp.mpf(trials), mp.mpf(p)
    sd = mp.sqrt(n * p * (1 - p))
    low, high = max(0, int(n * p - 50 * sd - 50)), min(int(trials), int(n * p + 50 * sd + 60))
    mass = mp.e ** binomial_mass(mp.mpf(low), n, p)
    total = mp.mpf(0)
    for k in range(low, high + 1):
        if mass > 0:
            total -= mass * mp.log(mass)
        mass *= (n - k) / (k + 1) * p / (1 - p)
    return total


def entropies():
    with mp.workdps(60):
        for p in (1e-300, 1e-17, 1e-9, 0.3, 0.999, 1 - 1e-12):
            v = mp.mpf(p)
            value = -mp.log(v) - (1 - v) / v * mp.log1p(-v)
            yield "geometric", {"probability": p}, float(value)
            yield "bernoulli", {"probability": p}, float(v * value)
    with mp.workdps(40):
        for trials, p in ((100, 0.3), (10**5, 0.3), (10**8, 1e-6), (10**8, 0.3)):
            if trials * p * (1 - p) < 1e5:
                yield f"binomial {trials}", {"probability": p}, float(binomial_entropy(trials, p))


if __name__ == "__main__":
    found = {
        "scores": list(map(float, SCORES)),
        "fits": list(fits()),
        "masses": list(masses()),
        "quantiles": list(quantiles()),
        "moments": list(moments()),
        "entropies": list(entropies()),
    }
    (Path(__file__).parent / "values.json").write_text(json.dumps(found, indent=1))
