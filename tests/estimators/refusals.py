"""Bad input: a clear error of four parts and nothing half-fitted."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor

RNG = np.random.default_rng(0)

X = RNG.normal(size=(30, 2))

Y = X[:, 0] + RNG.normal(size=30)

LABELS = np.where(Y > 0, "yes", "no")

FRAME = pd.DataFrame(X, columns=["age", "time"])


ESTIMATORS = {
    "density": MLEDistribution(),
    "regressor": MLERegressor(),
    "classifier": CrossEntropyClassifier(),
}

every_estimator = pytest.mark.parametrize("kind", ESTIMATORS)


def arguments(kind: str, X: Any = X) -> tuple[Any, ...]:
    """Return what fit takes."""
    return {"density": (X,), "regressor": (X, Y), "classifier": (X, LABELS)}[kind]


def assert_refused(
    model: BaseEstimator, *args: Any, says: str, error: type[Exception] = ValueError, **kwargs: Any
) -> str:
    """Fitting raises an error whose text contains `says` (a pattern), and leaves nothing fitted
    behind.
    """
    model = clone(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=says) as caught:
            model.fit(*args, **kwargs)
    left = set(vars(model)) - set(model.get_params()) - {"n_features_in_", "feature_names_in_"}
    assert not left, f"half-fitted: {left}"
    return str(caught.value)


def assert_four_parts(message: str) -> None:
    """What is wrong, where, what is allowed and what to do.

    A message of skmle's own, no longer than a few lines.
    """
    assert "Allowed: " in message or re.search(r"not allowed; give ", message), message
    assert message.endswith((".", "?")) and len(message) < 500, message
    assert "np." not in message and "array(" not in message, message
