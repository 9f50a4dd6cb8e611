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
from skmle.families.tools.scipy_laws import arguments_of, scipy_names, unfrozen

# Class: (file, the names that resolve to it; the first is its own, scipy's and other common ones
# follow).
REGISTRY: dict[str, tuple[str, tuple[str, ...]]] = {
    "Normal": ("normal", ("normal", "norm", "gaussian")),
    "Lognormal": ("lognormal", ("lognormal", "lognorm", "log_normal")),
    "Laplace": ("laplace", ("laplace", "double_exponential")),
    "AsymmetricLaplace": ("laplace", ("asymmetric_laplace", "quantile_regression")),
    "Logistic": ("logistic", ("logistic",)),
    "StudentT": ("student_t", ("student_t", "t")),
    "Cauchy": ("cauchy", ("cauchy", "lorentz")),
    "ExponentiallyModifiedNormal": (
        "exponentially_modified_normal",
        ("exponentially_modified_normal", "exponnorm", "exgaussian", "ex_gaussian", "emg"),
    ),
    "GeneralizedNormal": (
        "generalized_normal",
        ("generalized_normal", "gennorm", "generalised_normal", "generalized_error", "subbotin"),
    ),
    "JohnsonSU": ("johnson_su", ("johnson_su", "johnsonsu")),
    "SkewNormal": ("skew_normal", ("skew_normal", "skewnorm")),
    "HyperbolicSecant": ("hyperbolic_secant", ("hyperbolic_secant", "hypsecant", "sech")),
    "Exponential": ("exponential", ("exponential", "expon")),
    "Gamma": ("gamma", ("gamma",)),
    "GeneralizedGamma": (
        "generalized_gamma",
        ("generalized_gamma", "gengamma", "generalised_gamma", "stacy"),
    ),
    "Weibull": ("weibull", ("weibull", "weibull_min")),
    "ExponentiatedWeibull": ("exponentiated_weibull", ("exponentiated_weibull", "exponweib")),
    "Tweedie": ("tweedie", ("tweedie", "compound_poisson_gamma")),
    "Gumbel": ("gumbel", ("gumbel", "gumbel_r", "gumbel_max", "largest_extreme_value")),
    "GumbelMin": ("gumbel", ("gumbel_min", "gumbel_l", "smallest_extreme_value")),
    "Gompertz": ("gompertz", ("gompertz",)),
    "Frechet": ("frechet", ("frechet", "invweibull", "inverse_weibull")),
    "GeneralizedExtremeValue": (
        "generalized_extreme_value",
        ("generalized_extreme_value", "genextreme", "gev", "generalised_extreme_value"),
    ),
    "GeneralizedPareto": (
        "generalized_pareto",
        ("generalized_pareto", "genpareto", "gpd", "generalised_pareto"),
    ),
    "Pareto": ("pareto", ("pareto", "pareto_1")),
    "Lomax": ("lomax", ("lomax", "pareto_2")),
    "LogLogistic": ("log_logistic", ("log_logistic", "loglogistic", "fisk")),
    "Beta": ("beta", ("beta",)),
    "Kumaraswamy": ("kumaraswamy", ("kumaraswamy", "kumar")),
    "JohnsonSB": ("johnson_sb", ("johnson_sb", "johnsonsb", "logit_normal", "logitnormal")),
    "PowerFunction": ("power_function", ("power_function", "powerlaw")),
    "InverseGaussian": ("inverse_gaussian", ("inverse_gaussian", "invgauss", "wald")),
    "Rayleigh": ("rayleigh", ("rayleigh",)),
    "HalfNormal": ("half_normal", ("half_normal", "halfnorm", "halfnormal")),
    "Maxwell": ("maxwell", ("maxwell", "maxwell_boltzmann")),
    "InverseGamma": ("inverse_gamma", ("inverse_gamma", "invgamma", "inversegamma")),
    "ChiSquared": ("chi_squared", ("chi_squared", "chi2", "chisq", "chisquare", "chisquared")),
    "Chi": ("chi", ("chi",)),
    "Rice": ("rice", ("rice", "rician")),
    "Nakagami": ("nakagami", ("nakagami", "naka")),
    "BirnbaumSaunders": (
        "birnbaum_saunders",
        ("birnbaum_saunders", "fatiguelife", "fatigue_life", "bisa"),
    ),
    "BurrXII": ("burr", ("burr_xii", "burr12", "burrxii", "singh_maddala")),
    "Dagum": ("burr", ("dagum", "burr", "burr_iii")),
    "BetaPrime": ("beta_prime", ("beta_prime", "betaprime", "inverted_beta")),
    "VonMises": ("von_mises", ("von_mises", "vonmises")),
    "WrappedCauchy": ("wrapped_cauchy", ("wrapped_cauchy", "wrapcauchy")),
    "Uniform": ("uniform", ("uniform",)),
    "Triangular": ("triangular", ("triangular", "triang")),
    "Poisson": ("poisson", ("poisson",)),
    "NegativeBinomial": ("negative_binomial", ("negative_binomial", "nbinom", "negbin", "nb2")),
    "NegativeBinomialType1": ("negative_binomial_1", ("negative_binomial_1", "nb1")),
    "GeneralizedPoisson": (
        "generalized_poisson",
        ("generalized_poisson", "genpoisson", "consul_poisson"),
    ),
    "Geometric": ("geometric", ("geometric", "geom")),
    "LogarithmicSeries": (
        "logarithmic_series",
        ("logarithmic_series", "logser", "log_series", "logarithmic"),
    ),
    "DiscreteWeibull": ("discrete_weibull", ("discrete_weibull",)),
    "COMPoisson": ("com_poisson", ("com_poisson", "conway_maxwell_poisson", "cmp")),
    "Skellam": ("skellam", ("skellam",)),
    "Zeta": ("zeta", ("zeta", "zipf", "discrete_pareto")),
    "Bernoulli": ("bernoulli", ("bernoulli",)),
    "Binomial": ("binomial", ("binomial", "binom")),
    "BetaBinomial": ("beta_binomial", ("beta_binomial", "betabinom", "betabinomial")),
    "Categorical": ("categorical", ("categorical",)),
    "MultivariateStudentT": (
        "multivariate_student_t",
        ("multivariate_student_t", "multivariate_t", "mvt"),
    ),
    "Dirichlet": ("dirichlet", ("dirichlet",)),
    "Multinomial": ("multinomial", ("multinomial",)),
    "VonMisesFisher": (
        "von_mises_fisher",
        ("von_mises_fisher", "vonmises_fisher", "vmf"),
    ),
    "DirichletMultinomial": (
        "dirichlet_multinomial",
        ("dirichlet_multinomial", "dirmult", "polya"),
    ),
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
# Short names by which other programs call laws around laws, for a message.
_SHORT = {"zip": "zero_inflated_poisson", "zinb": "zero_inflated_negative_binomial"}
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


def native_family(scipy_name: str) -> type[Family] | None:
    """Return the family class that is the law of scipy.stats with this name; None if none is."""
    cls = _BY_NAME.get(scipy_name)
    found = None if cls is None else _family_class(cls)
    return found if found is not None and found.scipy_name == scipy_name else None


def get_family(family: Any) -> Family:
    """Return a family from its name, its class or itself, or from a law of scipy.

    Parameters
    ----------
    family : str, Family class, Family or scipy.stats distribution
        Plain words and scipy's own names both resolve: ``"normal"`` or ``"norm"``. A law of scipy
        that is none of these families is a `ScipyFamily`, by name, itself or frozen.

    Raises
    ------
    ValueError
        If no family has that name (the message lists the nearest), or its links do not fit.
    TypeError
        If `family` is none of these.
    """
    if isinstance(family, str):
        name = family.lower().replace("-", "_").replace(" ", "_")
        if name in _BY_NAME:
            return _family_class(_BY_NAME[name])()
        if name in scipy_names():
            return __getattr__("ScipyFamily")(name)
        raise _unknown(family, name)
    if isinstance(family, type) and issubclass(family, Family):
        return family()
    law: Any = family  # Whatever the user gave.
    if isinstance(law, Family):
        law.check_links()
        return law
    if not isinstance(law, type) and unfrozen(law) is not None:
        return _of_scipy(law)
    raise TypeError(
        f"family must be a name, a Family class or a Family; got {family!r} of type "
        f"{type(family).__name__}. Give for example 'normal'; functions go into "
        "families.FromLogProb."
    )


def _of_scipy(law: Any) -> Family:
    """Return the family of a law of scipy: one of ours where it has this law."""
    general = unfrozen(law)
    native = native_family(general.name)
    if native is not None:
        if general is law:
            return native()
        known = native.from_scipy(**arguments_of(law))
        if known is not None:
            return known[0]
    return __getattr__("ScipyFamily")(law)


def _unknown(family: str, name: str) -> ValueError:
    known = dict.fromkeys([*_BY_NAME, *scipy_names()])
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "Choose one of them."
    if "~" in family:
        hint = (
            f"A formula stands in front, in a pipeline: make_pipeline(FormulaTransformer({family!r}"
            "), MLERegressor())."
        )
    hint = _around(name) or hint
    first, second, *_, last = (names[0] for _, names in REGISTRY.values())
    allowed = f"{first}, {second}, ..., {last}, all that skmle.families.all_families() gives"
    return ValueError(
        f"Unknown family {family!r}. Allowed: {allowed}, and the laws of scipy.stats. {hint} "
        "A law of your own is families.FromLogProb(log_prob, params={...}), or a class: see "
        "docs/add_a_family.md."
    )


def _around(name: str) -> str:
    """Return, as a sentence, how a law around a law is made that a name means; "" of another."""
    plain = _SHORT.get(name, name).replace("_", "")
    inner = {known.replace("_", ""): known for known in _BY_NAME}
    for cls, file in WRAPPERS.items():
        if (word := file.replace("_", "")) in plain:
            rest = plain.replace(word, "", 1).removeprefix("of")
            law = repr(inner[rest]) if rest in inner else "..."
            return f"A law around a law is made by its class: families.{cls}({law})."
    return ""


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
    "native_family",
    *REGISTRY,
    *WRAPPERS,
    *MAKERS,
]
