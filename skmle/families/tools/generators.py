"""Sources of randomness, as users give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state


def generator_of(random_state: Any) -> np.random.Generator:
    """Return numpy's generator for a seed, a RandomState, or None; a Generator is itself."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    return np.random.default_rng(check_random_state(random_state).randint(2**31))


def log_standard_gamma(
    rng: np.random.Generator, shape: Any, size: tuple[int, ...]
) -> NDArray[np.float64]:
    """Draw logarithms of gamma variables, which of small shapes may be no numbers themselves.

    A gamma variable of shape a is that of a + 1 times u^(1/a).
    """
    with np.errstate(divide="ignore"):  # of a variable that is always zero
        return np.log(rng.standard_gamma(shape + 1.0, size)) + np.log1p(-rng.random(size)) / shape
