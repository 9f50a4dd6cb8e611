"""skmle: maximum likelihood for scikit-learn.

Any parametric model q_theta(x) or q_theta(y|x) is an estimator whose `score` is the mean
log-likelihood in nats, that is, minus the empirical cross-entropy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmle import exceptions, families, inference, information, metrics, plotting
    from skmle._goodness_of_fit import goodness_of_fit
    from skmle._groups import fit_groups
    from skmle._loo import loo
    from skmle._path import path
    from skmle.classifier import CrossEntropyClassifier
    from skmle.distribution import MLEDistribution
    from skmle.distribution_search import DistributionSearch
    from skmle.families import Distribution
    from skmle.formula import FormulaTransformer
    from skmle.likelihood_ratio import likelihood_ratio_test
    from skmle.non_nested import clarke_test, vuong_test
    from skmle.observations import censored
    from skmle.ordinal import OrdinalClassifier
    from skmle.pipeline import (
        augment,
        infer,
        log_prob,
        predict_dist,
        predict_interval,
        predict_quantile,
        register_law,
        summary,
    )
    from skmle.regressor import MLERegressor
    from skmle.selection import compare

__version__ = "0.1.0"

_OBJECTS = {
    "MLEDistribution": "skmle.distribution",
    "CrossEntropyClassifier": "skmle.classifier",
    "MLERegressor": "skmle.regressor",
    "OrdinalClassifier": "skmle.ordinal",
    "Distribution": "skmle.families",
    "DistributionSearch": "skmle.distribution_search",
    "FormulaTransformer": "skmle.formula",
    "augment": "skmle.pipeline",
    "register_law": "skmle.pipeline",
    "infer": "skmle.pipeline",
    "summary": "skmle.pipeline",
    "predict_dist": "skmle.pipeline",
    "predict_interval": "skmle.pipeline",
    "predict_quantile": "skmle.pipeline",
    "log_prob": "skmle.pipeline",
    "path": "skmle._path",
    "loo": "skmle._loo",
    "fit_groups": "skmle._groups",
    "censored": "skmle.observations",
    "compare": "skmle.selection",
    "goodness_of_fit": "skmle._goodness_of_fit",
    "likelihood_ratio_test": "skmle.likelihood_ratio",
    "vuong_test": "skmle.non_nested",
    "clarke_test": "skmle.non_nested",
}
_MODULES = ("exceptions", "families", "inference", "information", "metrics", "plotting")


def __getattr__(name: str) -> Any:
    # A module is loaded when it is asked for: `import skmle` stays quick, and scipy.stats is read
    # only where a law needs it.
    if name in _OBJECTS:
        return getattr(import_module(_OBJECTS[name]), name)
    if name in _MODULES:
        return import_module(f"skmle.{name}")
    raise AttributeError(f"module 'skmle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "CrossEntropyClassifier",
    "Distribution",
    "DistributionSearch",
    "FormulaTransformer",
    "MLEDistribution",
    "MLERegressor",
    "OrdinalClassifier",
    "__version__",
    "augment",
    "censored",
    "clarke_test",
    "compare",
    "exceptions",
    "families",
    "fit_groups",
    "goodness_of_fit",
    "infer",
    "inference",
    "information",
    "likelihood_ratio_test",
    "log_prob",
    "loo",
    "metrics",
    "path",
    "plotting",
    "predict_dist",
    "predict_interval",
    "predict_quantile",
    "register_law",
    "summary",
    "vuong_test",
]
