"""Shared by all tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

STEPS = 10.0 ** -np.arange(2.0, 10.0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A source of random numbers, the same for each test."""
    return np.random.default_rng(20240607)


@pytest.fixture
def assert_derivative() -> Callable[..., None]:
    """Compare a claimed derivative with fourth-order central differences of the function, entry by entry.

    Each entry may choose among steps, absolute and in proportion to x: functions with scales from 1e-10 to 1e10 have no
    one good step, and a wrong derivative is right at none.
    """

    def check(function: Callable, x, claimed, rtol: float = 1e-7, atol: float = 0.0) -> None:
        x, claimed = np.asarray(x, float), np.asarray(claimed, float)
        best = np.full(np.broadcast_shapes(x.shape, claimed.shape), np.inf)
        with np.errstate(all="ignore"):  # outside a link's domain
            for h in [*STEPS, *(step * np.maximum(np.abs(x), 1e-200) for step in STEPS)]:
                slope = (8.0 * (function(x + h) - function(x - h)) - (function(x + 2 * h) - function(x - 2 * h))) / (12.0 * h)
                miss = np.abs(slope - claimed) / (rtol * np.abs(claimed) + atol + 1e-300)
                best = np.fmin(best, miss)
        worst = np.unravel_index(np.argmax(best), best.shape)
        assert np.isfinite(claimed).all(), "the claimed derivative is not finite"
        assert best.max() <= 1.0, f"entry {worst}: {best.max():.3g} times the tolerance away from the differences"

    return check
