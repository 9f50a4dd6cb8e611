"""Shared by all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skmle._shared.callbacks import FitTask
from tests import after_every_fit

STEPS = 10.0 ** -np.array([3.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])


@pytest.fixture(autouse=True, scope="session")
def what_holds_after_every_fit() -> Iterator[None]:
    """Check every fit of the tests, as `tests/after_every_fit.py` says."""
    FitTask.done = after_every_fit.done
    yield
    FitTask.done = after_every_fit.plain_done


@pytest.fixture
def rng() -> np.random.Generator:
    """A source of random numbers, the same for each test."""
    return np.random.default_rng(20240607)


@pytest.fixture
def saga() -> Callable[..., LogisticRegression]:
    """Make scikit-learn's elastic net of labels.

    Before 1.8 its penalty has to be named, since then it must not be.
    """
    settings = {"solver": "saga", "max_iter": 100_000, "random_state": 0}
    if LogisticRegression().get_params().get("penalty") == "l2":
        settings["penalty"] = "elasticnet"
    return partial(LogisticRegression, **settings)


@pytest.fixture
def assert_derivative() -> Callable[..., None]:
    """Compare a claimed derivative with fourth-order differences of the function, entry by entry.

    Each entry may choose among steps, absolute and in proportion to x: functions with scales from
    1e-10 to 1e10 have no one good step, and a wrong derivative is right at none.
    """

    def check(function: Callable, x, claimed, rtol: float = 1e-7, atol=0.0) -> None:
        x, claimed = np.asarray(x, float), np.asarray(claimed, float)
        assert np.isfinite(claimed).all(), "the claimed derivative is not finite"
        best = np.full(np.broadcast_shapes(x.shape, claimed.shape), np.inf)
        for step in STEPS:
            for h in (step, step * np.abs(x) + 1e-200):
                with np.errstate(all="ignore"):  # outside a link's domain
                    slope = (
                        8.0 * (function(x + h) - function(x - h))
                        - (function(x + 2 * h) - function(x - 2 * h))
                    ) / (12.0 * h)
                    best = np.fmin(
                        best, np.abs(slope - claimed) / (rtol * np.abs(claimed) + atol + 1e-300)
                    )
                if best.max(initial=0.0) <= 1.0:
                    return
        worst = np.unravel_index(np.argmax(best), best.shape)
        raise AssertionError(
            f"entry {tuple(map(int, worst))}: {best.max():.3g} times the tolerance away from the "
            "differences"
        )

    return check
