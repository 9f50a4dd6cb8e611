"""Families: the laws that can be fitted. One file each, one line each in `REGISTRY`.

Examples
--------
>>> from skmle import families
>>> families.get_family("weibull_min")
Weibull()
>>> families.Gamma(links={"mean": "inverse"})
Gamma(links={'mean': 'inverse'})
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from typing import Any

from skmle.families.base import (
    Family,
    Limit,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Support,
)
from skmle.families.distribution import Distribution
from skmle.families.links import Link, get_link
from skmle.families.tools.location_scale import LocationScale, LogLocationScale

# Class: (file, the names that resolve to it; the first is its own, scipy's and other common ones
# follow).
REGISTRY: dict[str, tuple[str, tuple[str, ...]]] = {
    "Normal": ("normal", ("normal", "norm", "gaussian")),
    "Lognormal": ("lognormal", ("lognormal", "lognorm", "log_normal")),
    "Laplace": ("laplace", ("laplace", "double_exponential")),
    "Logistic": ("logistic", ("logistic",)),
    "StudentT": ("student_t", ("student_t", "t")),
    "Exponential": ("exponential", ("exponential", "expon")),
    "Gamma": ("gamma", ("gamma",)),
    "Weibull": ("weibull", ("weibull", "weibull_min")),
    "LogLogistic": ("log_logistic", ("log_logistic", "loglogistic", "fisk")),
    "Beta": ("beta", ("beta",)),
    "InverseGaussian": ("inverse_gaussian", ("inverse_gaussian", "invgauss", "wald")),
    "Uniform": ("uniform", ("uniform",)),
    "Poisson": ("poisson", ("poisson",)),
    "NegativeBinomial": ("negative_binomial", ("negative_binomial", "nbinom", "negbin", "nb2")),
    "Geometric": ("geometric", ("geometric", "geom")),
    "Bernoulli": ("bernoulli", ("bernoulli",)),
    "Binomial": ("binomial", ("binomial", "binom")),
    "Categorical": ("categorical", ("categorical", "multinomial")),
    "MultivariateNormal": ("multivariate_normal", ("multivariate_normal", "mvn")),
}
# Families around families: class and file.
WRAPPERS: dict[str, str] = {
    "Censored": "censored",
    "Truncated": "truncated",
    "Rounded": "rounded",
    "ZeroInflated": "zero_inflated",
    "Hurdle": "hurdle",
    "Transformed": "transformed",
    "Shifted": "shifted",
    "Product": "product",
    "Folded": "folded",
    "Mixture": "mixture",
}
# Families made of functions or of scipy's laws: class and file.
MAKERS: dict[str, str] = {"FromLogProb": "from_log_prob", "ScipyFamily": "scipy_family"}
_BY_NAME = {name: cls for cls, (_, names) in REGISTRY.items() for name in names}


@cache
def _family_class(name: str) -> Any:
    return getattr(import_module(f"skmle.families.{REGISTRY[name][0]}"), name)


def __getattr__(name: str) -> Any:
    if name in REGISTRY:
        return _family_class(name)
    if name in WRAPPERS:
        return getattr(import_module(f"skmle.families.wrappers.{WRAPPERS[name]}"), name)
    if name in MAKERS:
        return getattr(import_module(f"skmle.families.{MAKERS[name]}"), name)
    raise AttributeError(f"module 'skmle.families' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def all_families() -> tuple[type[Family], ...]:
    """Return every family class of the registry, as for the grid of a search."""
    return tuple(__getattr__(cls) for cls in REGISTRY)


def get_family(family: str | type[Family] | Family) -> Family:
    """Return a family from its name, its class or itself.

    Parameters
    ----------
    family : str, Family class or Family
        Plain words and scipy's own names both resolve: ``"normal"`` or ``"norm"``.

    Raises
    ------
    ValueError
        If no family has that name (the message lists the nearest), or its links do not fit.
    TypeError
        If `family` is none of the three.
    """
    if isinstance(family, str):
        name = family.lower().replace("-", "_").replace(" ", "_")
        if name not in _BY_NAME:
            raise _unknown(family, name)
        return _family_class(_BY_NAME[name])()
    if isinstance(family, type) and issubclass(family, Family):
        return family()
    law: Any = family  # Whatever the user gave.
    if isinstance(law, Family):
        law.check_links()
        return law
    raise TypeError(
        f"family must be a name, a Family class or a Family; got {family!r} of type "
        f"{type(family).__name__}. Give for example 'normal'; laws of scipy go into "
        "families.ScipyFamily, functions into families.FromLogProb."
    )


def _unknown(family: str, name: str) -> ValueError:
    near = difflib.get_close_matches(name, _BY_NAME, n=3, cutoff=0.5)
    hint = "choose one of them, or write your own, as docs/add_a_family.md shows."
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    import scipy.stats  # for this message alone

    kinds = scipy.stats.rv_continuous, scipy.stats.rv_discrete
    if isinstance(getattr(scipy.stats, name, None), kinds):
        hint = f"scipy has such a law: give families.ScipyFamily({name!r})."
    allowed = ", ".join(names[0] for _, names in REGISTRY.values())
    return ValueError(f"Unknown family {family!r}. Allowed: {allowed}; {hint}")


__all__ = [
    "MAKERS",
    "REGISTRY",
    "WRAPPERS",
    "Distribution",
    "Family",
    "Limit",
    "Link",
    "LocationScale",
    "LogLocationScale",
    "Observation",
    "Param",
    "Rows",
    "Shortcuts",
    "Support",
    "all_families",
    "get_family",
    "get_link",
    *REGISTRY,
    *WRAPPERS,
    *MAKERS,
]
