"""Tables, outcomes and penalties for the tests of elastic nets."""

from __future__ import annotations

import numpy as np

from tests.subjects import respond

N, P = 240, 8

RATIOS = (0.05, 0.5, 1.0)


def table(seed=0, n=N, p=P):
    """Columns of unequal size, the last two nearly equal."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.5, 2.0, p)
    X[:, -1] = X[:, -2] + 0.05 * X[:, -1]
    X[rng.random((n, p)) < 0.3] = 0.0
    return X


def response(cls, X, seed=1):
    return respond(cls, X[:, 0] - 0.5 * X[:, 1], np.random.default_rng(seed))


def labels(X, k, seed=0):
    rng = np.random.default_rng(seed)
    return (X[:, :k] @ np.eye(k) + rng.gumbel(size=(len(X), k))).argmax(axis=1)


def penalty(alpha, ratio, coefs):
    return alpha * (ratio * np.abs(coefs).sum() + (1.0 - ratio) / 2.0 * (coefs**2).sum())


def assert_optimal(gradient, coef, alpha, ratio, atol):
    """The gradient of the mean -log q is minus a subgradient of the penalty."""
    pull = gradient + alpha * (1.0 - ratio) * coef
    np.testing.assert_allclose(
        pull[coef != 0.0], -alpha * ratio * np.sign(coef[coef != 0.0]), rtol=0, atol=atol
    )
    assert (np.abs(pull[coef == 0.0]) <= alpha * ratio * (1.0 + 1e-6) + atol).all()


def eta_gradients(model, X, y):
    """Return the derivative of each row's -log q in each eta, by the family's formula."""
    law = model._law
    rows = law.rows(law.statistics(np.asarray(y, float)), model._eta(X, None, None), 1)
    return [np.broadcast_to(g, (len(y),)) for g in rows.gradient]
