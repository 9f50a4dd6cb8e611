"""Bounds within which scipy's `stats.fit` looks for the parameters of discrete laws."""

from __future__ import annotations

BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "bernoulli": {"p": (0, 1)},
    "betabinom": {"n": (0, 50), "a": (1e-3, 50), "b": (1e-3, 50)},
    "betanbinom": {"n": (0, 50), "a": (1e-3, 50), "b": (1e-3, 50)},
    "binom": {"n": (0, 50), "p": (0, 1)},
    "boltzmann": {"lambda_": (1e-3, 20), "N": (1, 100)},
    "dlaplace": {"a": (1e-3, 20)},
    "geom": {"p": (1e-6, 1)},
    "hypergeom": {"M": (1, 100), "n": (0, 100), "N": (0, 100)},
    "nchypergeom_fisher": {"M": (1, 300), "n": (0, 300), "N": (0, 300), "odds": (1e-3, 50)},
    "nchypergeom_wallenius": {"M": (1, 300), "n": (0, 300), "N": (0, 300), "odds": (1e-3, 50)},
    "logser": {"p": (1e-6, 1 - 1e-6)},
    "nbinom": {"n": (1e-3, 100), "p": (1e-6, 1)},
    "planck": {"lambda_": (1e-6, 50)},
    "poisson": {"mu": (1e-6, 100)},
    "randint": {"low": (-100, 100), "high": (-100, 100)},
    "skellam": {"mu1": (1e-3, 100), "mu2": (1e-3, 100)},
    "zipf": {"a": (1 + 1e-6, 50)},
    "zipfian": {"a": (1e-3, 50), "n": (1, 100)},
    "yulesimon": {"alpha": (1e-3, 100)},
    "nhypergeom": {"M": (1, 100), "n": (0, 100), "r": (0, 100)},
}
