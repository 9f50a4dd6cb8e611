"""Laws of how many of a known number of trials succeed."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from skmle.families.base import Array, Arrays, Observation, Support
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.counts import LARGE, has_large, stirling

_BITS = 64  # of a number that a message shows


class OfTrials(ByTails):
    """A law of [successes, failures], whose numbers of trials are taken as given.

    Parameters
    ----------
    trials : int
        The number of trials of rows yet to be observed.
    links : dict of str to str or Link, optional
    """

    observation = Observation(
        columns=2,
        single=(
            "They are successes and failures, numpy.column_stack([y, n - y]); of outcomes 0 and 1 "
            "the family is 'bernoulli'."
        ),
    )
    support = Support(0.0, closed=(True, False), discrete=True, whole=True)

    def __init__(self, trials: int = 1, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.trials: Any = trials

    @property
    def _count(self) -> Any:
        """The number of trials as a float; of the law that `numbers_of` returns, one a row."""
        if isinstance(self.trials, np.ndarray):
            return self.trials
        try:
            count = float(self.trials)
        except (TypeError, ValueError, OverflowError):
            count = np.nan
        if not (0.0 <= count < np.inf and count == np.floor(count)):
            n = self.trials  # Python does not print whole numbers of any length
            long = isinstance(n, int) and n.bit_length() > _BITS
            shown = f"a number of {n.bit_length()} bits" if long else repr(n)
            raise ValueError(
                f"{type(self).__name__}(trials={shown}) is not allowed. Allowed: a whole number "
                f"from 0 to {np.finfo(float).max:.3g}. Give one."
            )
        return count

    @property
    def univariate(self) -> bool:
        return True  # the number of successes, which that of failures completes

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(self.support.contains(y).all(axis=-1))

    def statistics(self, y: Array) -> Arrays:
        return y[..., 0], y[..., 0] + y[..., 1]

    def restore(self, statistics: Arrays) -> Array:
        successes, trials = statistics[:2]
        return np.stack([successes, trials - successes], axis=-1)

    def observation_of(self, y: Array) -> Array:
        return np.stack(np.broadcast_arrays(y, self._count - y), axis=-1)

    def numbers_of(self, y: Array) -> tuple[Any, Array] | None:
        return self.of_trials(y[..., 0] + y[..., 1]), y[..., 0]

    def of_trials(self, trials: Array) -> Any:
        """Return this law with a number of trials for each row yet to be observed."""
        law = copy(self)
        law.trials = trials
        return law

    def mean(self, theta: Arrays) -> Array:
        return self._count * theta[0]


def minus_log_choices(successes: Array, trials: Array) -> Array:
    """Return minus the logarithm of the binomial coefficient.

    Of many trials it is `stirling_of_trials`, without the part that a deviance has in it.
    """
    large = has_large(trials)
    some = np.minimum(trials, LARGE) if large else trials
    share = np.minimum(successes, some)
    plain = gammaln(share + 1.0) + gammaln(some - share + 1.0) - gammaln(some + 1.0)
    return (
        np.where(trials > LARGE, stirling_of_trials(successes, trials), plain) if large else plain
    )


def stirling_of_trials(successes: Array, trials: Array) -> Array:
    """Return what minus the log coefficient has beside the deviance from the share itself."""
    return stirling(successes) + stirling(trials - successes) - stirling(trials)
