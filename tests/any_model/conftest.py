"""Data for the tests of any model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def counts(rng) -> tuple[np.ndarray, np.ndarray]:
    """Counts, which every classifier takes as features, and string labels that overlap."""
    y = np.repeat(np.array(["a", "b", "c"], object), 30)
    return rng.poisson(np.array([3.0, 4.0, 6.0]).repeat(30)[:, None], size=(90, 4)).astype(float), y


@pytest.fixture
def line(rng) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(60, 2))
    return X, rng.poisson(np.exp(0.5 + 0.5 * X[:, 0])).astype(float)


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    """The data of user task 3: ages, incomes, cities, and labels "yes" and "no"."""
    rng = np.random.default_rng(0)
    n = 800
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "income": rng.lognormal(3, 0.5, n),
            "city": rng.choice(list("ABC"), n),
        }
    )
    eta = 0.08 * (frame.age - 40) + 0.5 * (frame.city == "B") - 0.3
    return frame, np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-eta)), "yes", "no")


@pytest.fixture
def targets(table, rng) -> dict[str, np.ndarray]:
    frame, y = table
    value = rng.gamma(3.0, np.exp(0.3 * (frame.city == "B") + 0.01 * frame.age))
    return {"label": y, "value": value}
