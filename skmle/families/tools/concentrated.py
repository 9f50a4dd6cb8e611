"""Laws that have shrunk to the observations, as their densities show.

That is seen of any law, also of one that states no parameter which vanishes there.
"""

from __future__ import annotations

import numpy as np

from skmle.families.records import Array

# Logarithm of the density of every observation, per unit of their spread, from which the law has
# shrunk to them: nearly all probability is within 1e-4 of it, and observations are seldom as exact.
# Chosen, not measured.
_CONCENTRATED = 9.0


def is_concentrated(nll: Array, y: Array) -> bool:
    """Return whether a law has shrunk to each of the observations y, (n,), that have a density.

    Parameters
    ----------
    nll : ndarray of shape (n,)
        Minus the logarithms of their densities.
    y : ndarray of shape (n,)
        Of equal ones, their own size stands for the spread.
    """
    if not len(y) or not np.isfinite(y).all():
        return False
    spread = float(np.std(y)) if (y != y[0]).any() else abs(float(y[0]))
    return bool(np.max(nll) < -_CONCENTRATED - np.log(spread or 1.0))
