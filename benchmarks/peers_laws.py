"""What people use today for densities, and for regressions that model more than a mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize, stats
from scipy.special import digamma, gammaln

from .candidates import Candidate, Job, constants
from .data import Data
from .distance import Array, Solution

# ---------------------------------------------------------------- densities

# From scipy's parameters (shapes, loc, scale) to those of `laws`.
_FROM_SCIPY: dict[str, Callable[..., tuple[float, ...]]] = {
    "t": lambda df, loc, scale: (loc, np.log(scale), np.log(df)),
    "weibull_min": lambda shape, _, scale: (np.log(scale), np.log(shape)),
    "gamma": lambda shape, _, scale: (np.log(shape * scale), np.log(shape)),
    "beta": lambda a, b, _, __: (np.log(a / b), np.log(a + b)),
    "lognorm": lambda s, _, scale: (np.log(scale), np.log(s)),
    "invgauss": lambda mean, _, scale: (np.log(mean * scale), np.log(scale)),
    "nbinom": lambda size, p, *_: (np.log(size * (1.0 - p) / p), -np.log(size)),
}


def _scipy_fit(data: Data, law: str, **fixed: float) -> Job:
    return Job(
        lambda: getattr(stats, law).fit(data.y, **fixed),
        lambda found: constants(*_FROM_SCIPY[law](*found)),
    )


def scipy_density(law: str, **fixed: float) -> Candidate:
    """Return scipy's fit with some parameters held."""
    return Candidate(
        "scipy fit",
        partial(_scipy_fit, law=law, **fixed),
        ", ".join(f"{k}={v:g}" for k, v in fixed.items()),
    )


def _scipy_stats_fit(data: Data) -> Job:
    bounds = {"n": (1e-3, 100.0), "p": (1e-6, 1.0)}
    return Job(
        lambda: stats.fit(stats.nbinom, data.y, bounds),
        lambda result: constants(*_FROM_SCIPY["nbinom"](*result.params)),
    )


def _scipy_minimize(data: Data) -> Job:
    def objective(w: Array) -> float:
        size, mean = np.exp(-w[1]), np.exp(w[0])
        return -float(stats.nbinom.logpmf(data.y, size, size / (size + mean)).mean())

    start = np.array([np.log(data.y.mean()), 0.0])
    options = {"gtol": 1e-8}
    return Job(
        lambda: optimize.minimize(objective, start, method="BFGS", options=options),
        lambda result: constants(*result.x),
    )


def scipy_negative_binomial() -> tuple[Candidate, ...]:
    """Return the two ways in which scipy can fit a law whose class has no `fit`."""
    return (
        Candidate("scipy stats.fit", _scipy_stats_fit, "wide bounds"),
        Candidate("scipy optimize BFGS", _scipy_minimize, "nbinom.logpmf"),
    )


def _lifelines_weibull(data: Data) -> Job:
    from lifelines import WeibullFitter

    model = WeibullFitter()
    return Job(
        lambda: model.fit(data.y),
        lambda fitted: constants(np.log(fitted.lambda_), np.log(fitted.rho_)),
    )


def lifelines_weibull() -> Candidate:
    """Return lifelines' Weibull law, here without censoring."""
    return Candidate("lifelines WeibullFitter", _lifelines_weibull)


# ---------------------------------------------------------------- regressions


def _mean_and_constant(parameters: Any) -> Solution:
    """Return the solution of a modelled first parameter and a constant second one.

    The order is slopes, intercept, constant.
    """
    w = np.asarray(parameters, float)
    return Solution((w[:-2], np.zeros(0)), (float(w[-2]), float(w[-1])))


def _statsmodels(data: Data, model: str, **settings: Any) -> Job:
    import statsmodels.api as sm
    from statsmodels.othermod.betareg import BetaModel

    X = np.column_stack([data.X, np.ones(data.n)])
    model_class = BetaModel if model == "BetaModel" else getattr(sm, model)

    def read(result: Any) -> Solution:
        w = np.array(result.params, float)
        if model == "NegativeBinomial":
            w[-1] = np.log(w[-1])
        return _mean_and_constant(w)

    return Job(lambda: model_class(data.y, X).fit(disp=0, **settings), read)


def statsmodels_law(model: str, **tight: Any) -> tuple[Candidate, ...]:
    """Return a model of statsmodels at its default setting and at a tighter one."""
    setting = ", ".join(f"{k}={v}" for k, v in tight.items())
    return (
        Candidate(f"statsmodels {model}", partial(_statsmodels, model=model), "default"),
        Candidate(f"statsmodels {model}", partial(_statsmodels, model=model, **tight), setting),
    )


def _lifelines_lognormal(data: Data) -> Job:
    import pandas as pd
    from lifelines import LogNormalAFTFitter

    # lifelines has the law of times, whose logarithm is y.
    names = [f"x{j}" for j in range(data.X.shape[1])]
    frame = pd.DataFrame(data.X, columns=names).assign(time=np.exp(data.y))
    model = LogNormalAFTFitter()

    def read(fitted: Any) -> Solution:
        parts = [fitted.params_[name] for name in ("mu_", "sigma_")]
        slopes = tuple(part[[c for c in frame.columns if c != "time"]].to_numpy() for part in parts)
        return Solution(slopes, tuple(float(part["Intercept"]) for part in parts))

    return Job(lambda: model.fit(frame, "time", ancillary=True), read)


def lifelines_normal() -> Candidate:
    """Return lifelines' model of lognormal times, with both parameters modelled.

    It is the normal regression of log times.
    """
    return Candidate("lifelines LogNormalAFT", _lifelines_lognormal)


def _normal_rows(y: Array, loc: Array, log_scale: Array) -> tuple[Array, Array, Array]:
    z = (y - loc) * np.exp(-log_scale)
    return 0.5 * z * z + log_scale, -z * np.exp(-log_scale), 1.0 - z * z


def _gamma_rows(y: Array, log_mean: Array, log_shape: Array) -> tuple[Array, Array, Array]:
    shape, ratio = np.exp(log_shape), y * np.exp(-log_mean)
    value = shape * (log_mean - log_shape + ratio) + gammaln(shape) - (shape - 1.0) * np.log(y)
    return (
        value,
        shape * (1.0 - ratio),
        shape * (log_mean - log_shape + ratio - 1.0 + digamma(shape) - np.log(y)),
    )


_ROWS = {"normal": _normal_rows, "gamma": _gamma_rows}


def _scipy_two(data: Data, law: str, tol: float) -> Job:
    X, y, p = data.X, data.y, data.X.shape[1]

    def objective(w: Array) -> tuple[float, Array]:
        with np.errstate(all="ignore"):  # the line search goes far
            first, second = X @ w[:p] + w[p], X @ w[p + 1 : -1] + w[-1]
            value, a, b = _ROWS[law](y, first, second)
        gradient = np.concatenate([X.T @ a, [a.sum()], X.T @ b, [b.sum()]])
        return float(value.mean()), gradient / len(y)

    def read(result: Any) -> Solution:
        w = result.x
        return Solution((w[:p], w[p + 1 : -1]), (float(w[p]), float(w[-1])))

    start = np.zeros(2 * p + 2)
    options = {"gtol": tol, "ftol": 0.0, "maxiter": 10_000, "maxfun": 10_000}
    return Job(
        lambda: optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options),
        read,
    )


def scipy_two_parameters(law: str) -> tuple[Candidate, ...]:
    """Return the objective and its gradient written down by hand and given to scipy.optimize."""
    return tuple(
        Candidate("scipy L-BFGS-B", partial(_scipy_two, law=law, tol=tol), f"tol={tol:.0e}")
        for tol in (1e-5, 1e-8)
    )
