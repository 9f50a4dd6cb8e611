"""Every family at typical parameters, data of its law, and comparisons of fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skmle import CrossEntropyClassifier
from skmle.families import REGISTRY, Family, all_families


def typical(cls: type[Family]) -> tuple[Family, tuple[np.ndarray, ...]]:
    """Return a family (with six trials, three labels or two dimensions where it counts any) and natural parameters of it."""
    family = cls(**{name: 6 for name, value in cls().get_params().items() if type(value) is int})
    family = family.adapt(
        np.array([1.0, 2.0, 4.0])
        if family.observation.columns == 1
        else np.random.default_rng(0).normal(size=(9, family.observation.columns or 2))
    )
    eta = [np.asarray(0.2 + 0.5 * j) for j in range(len(family.parameters))]
    return family, family.natural(tuple(eta))


def observations(cls: type[Family], n: int = 200) -> np.ndarray:
    """Draw from the typical law."""
    family, theta = typical(cls)
    return family.sample(
        theta, (n,) if family.observation.columns is not None else n, np.random.default_rng(3)
    )


def as_columns(y: np.ndarray) -> np.ndarray:
    return y[:, None] if y.ndim == 1 else y


def own_name(cls: type[Family]) -> str:
    return REGISTRY[cls.__name__][1][0]


ALL = list(all_families())

CONDITIONAL = [cls for cls in ALL if cls.support.fixed and cls.observation.columns is not None]

every_family = pytest.mark.parametrize("cls", ALL, ids=own_name)

every_conditional = pytest.mark.parametrize("cls", CONDITIONAL, ids=own_name)


def features(n: int, p: int = 3, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, p))


def conditional_data(cls: type[Family], n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return X and draws of laws whose first parameter depends on it."""
    family, _ = typical(cls)
    X = features(n)
    eta = [np.full(n, 0.2 + 0.5 * j) for j in range(len(family.parameters))]
    eta[0] = eta[0] + X @ [0.3, -0.2, 0.0]
    return X, family.sample(family.natural(tuple(eta)), (n,), np.random.default_rng(4))


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
