"""Criteria of models fitted to all rows: what it costs to have estimated so many parameters.

Each criterion is a function of a fitted model in `RULES`; a new one is one more line there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._any_model.rows import Rows
from skmle._any_model.scales import common_scale
from skmle._any_model.unwrap import last_step, unwrap
from skmle._shared.estimator import LikelihoodEstimator

Array = NDArray[np.float64]


class Whole(NamedTuple):
    """A model fitted to all rows, as a criterion sees it."""

    aic: float
    log_likelihood: float
    n_rows: float
    tic: float = np.nan

    @property
    def n_parameters(self) -> float:
        """The effective number of parameters: half of what AIC adds."""
        return 0.5 * self.aic + self.log_likelihood


def _aicc(model: Whole) -> float:
    k, rest = model.n_parameters, model.n_rows - model.n_parameters - 1.0
    return model.aic + 2.0 * k * (k + 1.0) / rest if rest > 0.0 else float("inf")


RULES: dict[str, Callable[[Whole], float]] = {
    "aic": lambda model: model.aic,
    "aicc": _aicc,
    "bic": lambda model: (
        float(np.log(model.n_rows)) * model.n_parameters - 2.0 * model.log_likelihood
    ),
    "tic": lambda model: model.tic,
}
TITLES = {name: name.upper() for name in RULES} | {"aicc": "AICc"}


def criteria_of(models: Mapping[str, Any], rows: Rows) -> dict[str, Array]:
    """Return the criteria of each model fitted to all rows, and Akaike's weights.

    Densities beside probabilities have none, as they are not on one scale.
    """
    found_of = {name: _fitted_if_known(model, rows) for name, model in models.items()}
    rounded = common_scale({n: m for n, m in found_of.items() if m is not None}, rows.X, rows.y)
    whole = [
        None if model is None or rounded[name] else _whole(model, rows)
        for name, model in found_of.items()
    ]
    found = {
        name: np.array([np.nan if model is None else rule(model) for model in whole])
        for name, rule in RULES.items()
    }
    aic = found["aic"]
    if not np.isnan(aic).all():
        share = np.exp(-0.5 * (aic - np.nanmin(aic)))
        found["weight"] = share / np.nansum(share)
    return found


def _fitted_if_known(model: Any, rows: Rows) -> Any:
    """Return a model fitted to all rows; None if it has no AIC."""
    last = last_step(model)
    ours = isinstance(last, LikelihoodEstimator)
    plain = rows.y is None and rows.weight is None
    # Of scikit-learn, mixtures have an AIC, and only densities are asked.
    if not (ours or (plain and callable(getattr(last, "aic", None)))):
        return None
    return rows.fit(model)


def _whole(model: Any, rows: Rows) -> Whole | None:
    """Return a fitted model as a criterion sees it; None if it has no AIC of these rows."""
    inner, seen = unwrap(model, rows.X)
    ours = isinstance(inner, LikelihoodEstimator)
    count = np.ones(rows.n) if rows.weight is None else rows.weight
    n = float(count.sum())
    if ours and not np.isclose(inner.weight_sum_, n, rtol=1e-12):
        return None  # A step has left out rows, or has made some.
    try:
        aic = inner.aic() if ours else inner.aic(seen)
    except ValueError:  # class weights, or a penalty whose curvature is not known
        return None
    values = rows.log_prob(model)
    total = float(count @ np.where(count > 0.0, values, 0.0))
    return Whole(aic, total, n, _tic(inner, rows._replace(X=seen)) if ours else np.nan)


def _tic(model: LikelihoodEstimator, rows: Rows) -> float:
    try:
        return model.tic(rows.X, rows.y, rows.weight, **rows.beside)
    except ValueError:  # no covariance
        return np.nan
