"""Features, labels and counts, and comparisons of fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skmle import CrossEntropyClassifier
from skmle.families import Family
from tests.subjects import every_class, is_conditional, respond

every_family = every_class()
every_conditional = every_class(is_conditional)


def features(n: int, p: int = 3, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, p))


def conditional_data(cls: type[Family], n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return X and draws of laws whose first parameter depends on it."""
    X = features(n)
    return X, respond(cls, X @ [0.3, -0.2, 0.0], np.random.default_rng(4))


def labels(n: int, classes: int, seed: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return X and noisy labels, far from separable."""
    rng = np.random.default_rng(seed)
    X = features(n, 4, seed)
    eta = X @ rng.normal(scale=0.7, size=(4, classes)) + rng.gumbel(size=(n, classes))
    return X, eta.argmax(axis=1)


def parameters(model: Any) -> np.ndarray:
    """Return all estimates of a fit as one vector."""
    if isinstance(model, CrossEntropyClassifier):
        return np.r_[model.coef_.ravel(), model.intercept_]
    parts = [
        *getattr(model, "coefs_", {}).values(),
        *getattr(model, "intercepts_", {}).values(),
        *model.params_.values(),
    ]
    return np.concatenate([np.ravel(part) for part in parts])


def assert_same_fit(a: Any, b: Any, rtol: float = 1e-9) -> None:
    """The same law by the same likelihood; parameters near zero are compared with the largest."""
    assert a.log_likelihood_ == pytest.approx(b.log_likelihood_, rel=rtol)
    theta = parameters(a)
    np.testing.assert_allclose(parameters(b), theta, rtol=rtol, atol=rtol * np.abs(theta).max())
    assert a.status_ == b.status_


def counts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X, time = features(400, 2), rng.uniform(0.5, 20.0, 400)
    return X, time, rng.poisson(time * np.exp(0.3 + X @ [0.2, -0.4]))
