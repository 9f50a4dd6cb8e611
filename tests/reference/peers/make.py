"""Write values.json: log-likelihoods of other programs on data that ship with them.

Run it with lifelines, statsmodels and scikit-learn installed:
``python tests/reference/peers/make.py``. It does not import skmle. Of each model it keeps what the
program finds at its default settings, and its own log-likelihood `refined`: at the end of Newton's
method (statsmodels, from its own score), or of its own optimiser at the tolerance that leads
farthest. It is null where the program gives up.
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from statsmodels.discrete.count_model import (
    ZeroInflatedGeneralizedPoisson,
    ZeroInflatedNegativeBinomialP,
    ZeroInflatedPoisson,
)
from statsmodels.discrete.truncated_model import (
    HurdleCountModel,
    TruncatedLFNegativeBinomialP,
    TruncatedLFPoisson,
)
from statsmodels.miscmodels.ordinal_model import OrderedModel

RAND, FAIR = ["lncoins", "idp", "lpi", "physlm", "disea"], ["age", "yrs_married", "religious"]


def newton(model, start) -> tuple[float, float]:
    """Return the log-likelihood at the end of Newton's method, and what its last step promised."""
    at, promise = np.asarray(start, float), np.inf
    for _ in range(25):
        columns = []
        for j in range(len(at)):
            step = 1e-5 * max(1.0, abs(at[j])) * np.eye(len(at))[j]
            columns.append((model.score(at + step) - model.score(at - step)) / (2.0 * step[j]))
        hessian = -0.5 * (np.array(columns) + np.array(columns).T)
        move = np.linalg.solve(hessian, model.score(at))
        if not float(model.loglike(at + move)) >= float(model.loglike(at)):
            break  # nothing is left but rounding
        promise, at = float(move @ model.score(at)), at + move
    return float(model.loglike(at)), promise


def of_statsmodels(model, **settings) -> dict:
    default = model.fit(disp=0, **settings)
    others = [model.fit(disp=0, method=name, maxiter=5000) for name in ("bfgs", "nm")]
    start = max([default, *others], key=lambda result: np.nan_to_num(result.llf, nan=-np.inf))
    refined, promise = newton(model, start.params)
    return {"default": float(default.llf), "refined": refined, "promise": promise}


def counts() -> dict:
    table = sm.datasets.randhie.load_pandas().data
    y, X = table["mdvis"].to_numpy(float), sm.add_constant(table[RAND].to_numpy(float))
    found = {
        "zero-inflated Poisson": of_statsmodels(ZeroInflatedPoisson(y, X)),
        "zero-inflated negative binomial": of_statsmodels(ZeroInflatedNegativeBinomialP(y, X)),
        "zero-inflated generalised Poisson": of_statsmodels(ZeroInflatedGeneralizedPoisson(y, X)),
    }
    seen = y > 0.0
    found |= {
        "zero-truncated Poisson": of_statsmodels(TruncatedLFPoisson(y[seen], X[seen])),
        "zero-truncated negative binomial": of_statsmodels(
            TruncatedLFNegativeBinomialP(y[seen], X[seen])
        ),
    }
    hurdle = HurdleCountModel(y, X)
    default = hurdle.fit(disp=0)
    parts = [
        newton(part, result.params)
        for part, result in (
            (hurdle.model1, default.results_zero),
            (hurdle.model2, default.results_count),
        )
    ]
    found["hurdle Poisson"] = {
        "default": float(default.llf),
        "refined": sum(value for value, _ in parts),
        "promise": sum(promise for _, promise in parts),
    }
    return found


def ordered() -> dict:
    table = sm.datasets.fair.load_pandas().data
    y, X = table["rate_marriage"].astype(int), table[FAIR].astype(float)
    return {
        f"ordered {law}": of_statsmodels(OrderedModel(y, X, distr=law), method="bfgs")
        for law in ("logit", "probit")
    }


def intervals() -> dict:
    import lifelines
    from lifelines.datasets import load_diabetes, load_rossi

    table = load_diabetes()
    table["gender"] = (table["gender"] == "male").astype(float)
    rossi = load_rossi()
    data = {name: table[name].tolist() for name in ("left", "right", "gender")}
    found = {}

    def of_lifelines(fit) -> dict:
        values = {}
        for tol in (None, 1e-8, 1e-10, 1e-12, 1e-14):
            options = {} if tol is None else {"fit_options": {"ftol": tol, "gtol": tol}}
            with suppress(lifelines.exceptions.ConvergenceError):
                values[tol] = float(fit(**options).log_likelihood_)
        return {"default": values.get(None), "refined": max(values.values(), default=None)}

    for law in ("Weibull", "LogNormal", "LogLogistic"):
        cls = getattr(lifelines, f"{law}AFTFitter")
        found[f"interval-censored {law}"] = of_lifelines(
            partial(cls().fit_interval_censoring, table, "left", "right")
        )
        found[f"right-censored {law}"] = of_lifelines(partial(cls().fit, rossi, "week", "arrest"))
    return {"data": data, "values": found}


def mixtures() -> dict:
    from sklearn.datasets import load_iris
    from sklearn.mixture import GaussianMixture

    y = load_iris().data[:, 2:3]
    found = {}
    for count in (2, 3):
        default = GaussianMixture(count, random_state=0).fit(y).score(y) * len(y)
        tight = {"tol": 1e-16, "max_iter": 100_000, "reg_covar": 0.0}
        scores = [
            GaussianMixture(count, random_state=seed, **tight).fit(y).score(y) * len(y)
            for seed in range(10)
        ]
        found[f"mixture of {count} normal laws"] = {"default": default, "refined": max(scores)}
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    lives = intervals()
    names = ("lifelines", "statsmodels", "scikit-learn")
    document = {
        "versions": {name: version(name) for name in names},
        "diabetes": lives["data"],
        "values": counts() | ordered() | lives["values"] | mixtures(),
    }
    path = Path(__file__).with_name("values.json")
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
