"""Write laws.json: laws of several columns evaluated with 50 digits by mpmath.

    python tests/reference/columns/make.py

The formulas are written down from textbooks and not from the library.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

mp.mp.dps = 50
log_gamma = mp.loggamma


def dirichlet(y, concentration):
    a = [mp.mpf(v) for v in concentration]
    total = sum(map(mp.mpf, y))
    logs = [mp.log(mp.mpf(v) / total) for v in y]
    constant = log_gamma(sum(a)) - sum(map(log_gamma, a))
    return constant + sum((v - 1) * w for v, w in zip(a, logs, strict=True))


def dirichlet_entropy(concentration):
    a = [mp.mpf(v) for v in concentration]
    total = sum(a)
    constant = sum(map(log_gamma, a)) - log_gamma(total)
    slopes = sum((v - 1) * mp.digamma(v) for v in a)
    return constant + (total - len(a)) * mp.digamma(total) - slopes


def multinomial(y, probabilities):
    pairs = zip(y, map(mp.mpf, probabilities), strict=True)
    return log_gamma(sum(y) + 1) + sum(k * mp.log(p) - log_gamma(k + 1) for k, p in pairs)


def dirichlet_multinomial(y, probabilities, precision):
    total, n = mp.mpf(precision), sum(y)
    a = [mp.mpf(p) * total for p in probabilities]
    each = sum(
        log_gamma(k + v) - log_gamma(k + 1) - log_gamma(v) for k, v in zip(y, a, strict=True)
    )
    return log_gamma(n + 1) + log_gamma(total) - log_gamma(n + total) + each


def t_constant(shape, df):
    d, nu = len(shape), mp.mpf(df)
    root = mp.log(mp.det(mp.matrix(shape))) / 2 + mp.mpf(d) / 2 * mp.log(nu * mp.pi)
    return log_gamma((nu + d) / 2) - log_gamma(nu / 2) - root


def multivariate_student_t(y, loc, shape, df):
    away = mp.matrix([mp.mpf(v) - mp.mpf(m) for v, m in zip(y, loc, strict=True)])
    square = (away.T * (mp.matrix(shape) ** -1) * away)[0]
    half = (mp.mpf(df) + len(loc)) / 2
    return t_constant(shape, df) - half * mp.log1p(square / mp.mpf(df))


def t_entropy(loc, shape, df):
    nu, d = mp.mpf(df), len(loc)
    rise = mp.digamma((nu + d) / 2) - mp.digamma(nu / 2)
    return (nu + d) / 2 * rise - t_constant(shape, df)


def unit_vector(values):
    vector = [mp.mpf(v) for v in values]
    size = mp.sqrt(sum(v * v for v in vector))
    return [v / size for v in vector]


def directions_constant(d, k):
    order = mp.mpf(d) / 2 - 1
    return order * mp.log(k) - mp.mpf(d) / 2 * mp.log(2 * mp.pi) - mp.log(mp.besseli(order, k))


def von_mises_fisher(y, mean_direction, concentration):
    pairs = zip(unit_vector(y), unit_vector(mean_direction), strict=True)
    k = mp.mpf(concentration)
    return directions_constant(len(y), k) + k * sum(a * b for a, b in pairs)


def directions_entropy(mean_direction, concentration):
    k, order = mp.mpf(concentration), mp.mpf(len(mean_direction)) / 2 - 1
    ratio = mp.besseli(order + 1, k) / mp.besseli(order, k)
    return -directions_constant(len(mean_direction), k) - k * ratio


SHARES = [[0.2, 0.3, 0.5], [1e-300, 0.25, 0.75], [0.98, 0.01, 0.01], [1e-8, 1e-8, 1 - 2e-8]]
COUNTS = [[3, 0, 4], [0, 0, 1], [90, 2, 300], [7, 5, 9]]
SHAPE = [[2, 0.5, 0], [0.5, 1, 0.25], [0, 0.25, 4]]
PLACES = [[0, 0, 0], [1, 2, -1], [1e100, 3, 4], [50, -60, 2]]
VECTORS = [[0.6, 0.8, 0], [0, 0, 1], [-0.6, -0.8, 0], [0.8, 0.6, 0]]
MANY = [[1] + [0] * 49, [0] * 49 + [1]]


def laws(
    log_prob: Callable[..., Any],
    entropy: Callable[..., Any] | None,
    y: list[list[float]],
    *thetas: dict[str, Any],
) -> list[dict[str, Any]]:
    return [
        {
            "theta": theta,
            "y": y,
            "log_prob": [float(log_prob(row, **theta)) for row in y],
            "entropy": None if entropy is None else float(entropy(**theta)),
        }
        for theta in thetas
    ]


EVERY = {
    "dirichlet": laws(
        dirichlet,
        dirichlet_entropy,
        SHARES,
        *({"concentration": a} for a in ([1, 2, 5], [1e-4, 0.3, 70], [2e8, 3e8, 5e8], [0.5] * 3)),
    ),
    "multinomial": laws(
        multinomial,
        None,
        [*COUNTS, [10**9, 2 * 10**9, 3 * 10**9]],
        *({"probabilities": p} for p in ([0.25, 0.25, 0.5], [1e-12, 0.5, 0.5 - 1e-12])),
    ),
    "dirichlet_multinomial": laws(
        dirichlet_multinomial,
        None,
        COUNTS,
        *({"probabilities": [0.25, 0.25, 0.5], "precision": a} for a in (1e-6, 0.3, 5, 1e4, 1e12)),
    ),
    "multivariate_student_t": laws(
        multivariate_student_t,
        t_entropy,
        PLACES,
        *({"loc": [1, 2, -1], "shape": SHAPE, "df": df} for df in (0.1, 1, 7.5, 1e4, 1e10)),
    ),
    "von_mises_fisher": laws(
        von_mises_fisher,
        directions_entropy,
        VECTORS,
        *({"mean_direction": [0.6, 0.8, 0], "concentration": k} for k in (1e-8, 0.7, 90, 1e6)),
    )
    + laws(
        von_mises_fisher,
        directions_entropy,
        MANY,
        *({"mean_direction": MANY[0], "concentration": k} for k in (1e-3, 20, 3000)),
    ),
}

if __name__ == "__main__":
    text = json.dumps(EVERY, indent=None).replace('{"theta"', '\n{"theta"')
    (Path(__file__).parent / "laws.json").write_text(text + "\n")
