"""What a law that any model has told says of each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skmle._any_model.laws import is_discrete, log_prob_of_law
from skmle._shared.augmenting import check_pit
from skmle._shared.diagnostics import Columns, of_classes, of_numbers, places
from skmle._shared.labels import label_columns, of_labels
from skmle.families import Distribution

Array = NDArray[np.float64]


def residuals_of_law(model: Any, law: Any, y: Any, pit: str, random_state: Any) -> Columns:
    """Return the columns of `skmle.augment`, (n,) each.

    Raises
    ------
    TypeError
        If the law has not the names of scipy's.
    """
    what = type(model).__name__
    check_pit(pit, f"{what}, augment")
    if y is None:
        raise ValueError(
            f"{what}, augment: y is missing, and the law is that of y given X. Allowed: one "
            "observation a row. Give y."
        )
    observed = np.asarray(y)
    share = np.full(len(observed), 0.5)
    if pit == "randomised":
        share = np.asarray(check_random_state(random_state).uniform(size=len(observed)))
    if not isinstance(law, Distribution):
        return _of_scipy(model, law, observed, share)
    family = law.family
    if family.observation.numeric:
        numbers = observed.astype(np.float64)
        return of_numbers(family, numbers, family.eta(law.theta), law.log_prob(numbers), share)
    (proba,), labels = law.theta, family.labels
    with np.errstate(divide="ignore"):
        log_proba = np.log(proba)
    place = label_columns(labels, observed)
    shares = np.where(place[:, None] == np.arange(len(labels)), 1.0, 0.0)
    shares[place < 0] = np.nan
    log_prob = of_labels(what, log_proba, labels, observed)
    best = labels[proba.argmax(axis=1)]
    return of_classes(log_proba, shares, best, log_prob, len(labels) == 2, share)


def _of_scipy(model: Any, law: Any, y: NDArray[Any], share: Array) -> Columns:
    """Return the residuals of rows under a law that has the names of scipy's methods."""
    missing = [
        name
        for name in ("mean", "std", "logcdf", "logsf")
        if not callable(getattr(law, name, None))
    ]
    if missing:
        raise TypeError(
            f"{type(model).__name__}, augment: its law is a {type(law).__name__}, which has no "
            f"{missing[0]}. Allowed: a Distribution, or laws with mean, std, logcdf and logsf, as "
            "scipy's have them. Let skmle.register_law return one."
        )
    log_prob = log_prob_of_law(model, law, y)
    mean = np.asarray(law.mean(), float)
    mass = log_prob if is_discrete(law) else np.full(len(y), -np.inf)
    columns: Columns = {"fitted": mean * np.ones(len(y)), "log_prob": log_prob}
    columns |= places(law.logcdf(y), law.logsf(y), mass, share)
    columns["pearson_residual"] = (y - mean) / np.asarray(law.std(), float)
    return columns
