"""The law of y alone that belongs to a model of y given X: what is to be beaten by features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.linear_model import PoissonRegressor

from skmle._any_model.laws import predicts_normal
from skmle._any_model.rows import Rows
from skmle._any_model.unwrap import unwrap
from skmle._shared.labels import of_labels
from skmle.families import get_family
from skmle.regressor import MLERegressor

Array = NDArray[np.float64]


def marginal_log_prob(model: Any, rows: Rows, new: Rows) -> Array:
    """Return log q0 of new rows under the law of y, without features, of a fitted model's kind.

    Parameters
    ----------
    model : fitted estimator
    rows : Rows
        What it was fitted to; X for offset and exposure, if it has any.
    new : Rows
        Those to be judged.

    Raises
    ------
    ValueError
        If it is not known which law that is.
    """
    inner, seen = unwrap(model, rows.X)
    if is_classifier(inner):
        return _frequencies(inner, rows, new)
    if isinstance(inner, MLERegressor):
        law = clone(inner).set_params(features=_none(inner.family), warm_start=False)
    elif isinstance(inner, PoissonRegressor) or predicts_normal(inner):
        family = "poisson" if isinstance(inner, PoissonRegressor) else "normal"
        law = MLERegressor(family, features=_none(family))
    else:
        raise ValueError(
            f"information_gain: no law of y alone is known that belongs to {type(inner).__name__}. "
            "Allowed without baseline: classifiers, MLERegressor, PoissonRegressor and regressors "
            "with predict(X, return_std=True). Give baseline=, such as MLEDistribution('normal')."
        )
    law.fit(seen, rows.y, rows.weight, **rows.beside)
    return new._replace(X=unwrap(model, new.X)[1]).log_prob(law)


def _none(family: Any) -> dict[str, str]:
    """Return the setting by which no parameter depends on a feature."""
    return dict.fromkeys(get_family(family).modelled, "none")


def _frequencies(model: Any, rows: Rows, new: Rows) -> Array:
    labels, judged = np.asarray(rows.y), np.asarray(new.y)
    if labels.size != len(labels):
        raise ValueError(
            f"information_gain: y has shape {labels.shape}. Allowed: (n,), one label a row. Give "
            "the labels, or baseline=."
        )
    classes, codes = np.unique(labels.ravel(), return_inverse=True)
    counts = np.bincount(codes, rows.weight)
    with np.errstate(divide="ignore"):  # of a label without weight
        log_share = np.log(counts / counts.sum())
    return of_labels(
        type(model).__name__,
        np.broadcast_to(log_share, (len(judged), len(classes))),
        classes,
        judged.ravel(),
    )
