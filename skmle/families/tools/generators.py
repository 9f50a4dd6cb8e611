"""Sources of randomness, as users give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def generator_of(random_state: Any) -> np.random.Generator:
    """Return numpy's generator for a seed, a RandomState, or None; a Generator is itself."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    return np.random.default_rng(check_random_state(random_state).randint(2**31))
