"""The multinomial law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from skmle.families.base import (
    IDENTITY,
    LOGIT,
    Array,
    Arrays,
    Density,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
    triangle,
)
from skmle.families.links import Link
from skmle.families.tools.counts import stirling
from skmle.families.tools.divergences import bregman
from skmle.families.tools.odds import (
    log_shares,
    odds_of,
    odds_of_counts,
    shares_of,
    slopes_of_shares,
)
from skmle.families.tools.several import SeveralColumns
from skmle.families.tools.simplex import apart, away_from_one

_SHOWN = 10  # columns that a message lists, at most; chosen for reading


class Counts(SeveralColumns):
    """A law of rows of d counts, whose sums, the numbers of trials, are taken as given.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d, at least 2; None: learnt from the data.
    trials : int, default=1
        The number of trials of rows yet to be observed: of `sample`, `mean`, `entropy` and the
        like.
    absent : tuple of int, default=()
        Columns that have no counts, as their probability is zero.
    links : None
        Log-odds are the only link.
    """

    support = Support(0.0, closed=(True, False), discrete=True, whole=True)
    observation = Observation(
        columns=None,
        rowwise=True,
        single="Of one column of labels, the family is 'categorical'.",
    )
    fewest = 2

    def __init__(
        self,
        dimension: int | None = None,
        trials: int = 1,
        *,
        absent: tuple[int, ...] = (),
        links: Any = None,
    ) -> None:
        super().__init__(dimension, links=links)
        self.trials = trials
        self.absent = absent

    @property
    def seen(self) -> NDArray[np.intp]:
        """The columns that may have counts."""
        return np.delete(np.arange(self.d), list(self.absent))

    @property
    def _count(self) -> float:
        """The number of trials, checked."""
        n = self.trials
        if isinstance(n, (int, np.integer)) and 0 <= n <= np.iinfo(np.int64).max:
            return float(n)
        raise ValueError(
            f"{type(self).__name__}(trials={n!r}) is not allowed. Allowed: a whole number from 0 "
            "to 9.2e18. Give one."
        )

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(Param(f"logit[{j}]", IDENTITY, modelled=True) for j in self.seen[:-1])

    def dimensionless(self, index: int) -> bool:
        return True

    @property
    def observations(self) -> str:
        return f"rows of {self.many}counts, whole numbers from 0"

    def check_parameters(self, *theta: Array) -> None:
        p = theta[0]
        sums = p.sum(axis=-1)
        if (p < 0.0).any():
            self.refuse("an entry of probabilities", float(p.min()), "probabilities >= 0")
        if (off := away_from_one(sums)).any():
            self.refuse("the sum of probabilities", float(sums[off].flat[0]), "1, up to rounding")

    def holds(self, y: Array) -> NDArray[np.bool_]:
        inside = self.support.contains(y).all(axis=-1)
        return np.asarray(inside & (y[..., list(self.absent)] == 0.0).all(axis=-1))

    def amiss(self, y: Array) -> str:
        if (y < 0.0).any():
            return "A count below 0 is none. Mend these rows."
        return (
            "Numbers that are not whole are no counts. Give the counts themselves; rows of shares "
            "have the family dirichlet."
        )

    def statistics(self, y: Array) -> Arrays:
        # Beside the counts, a row has what -log q leaves out, twice: in the deviance, by which a
        # row that stands for many exceeds that of its shares, and what depends on y only.
        rest = stirling(y).sum(axis=-1) - stirling(y.sum(axis=-1))
        return y, np.zeros(y.shape[:-1]), rest

    def base(self, statistics: Arrays) -> Array:
        return statistics[2]

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        y, within, rest = statistics
        if len(y) == 1:
            return statistics
        mean = (np.ones(len(y)) if weight is None else weight) @ y
        mean = mean / (len(y) if weight is None else weight.sum())
        total = mean.sum()
        shares = mean / total if total > 0.0 else np.full(self.d, 1.0 / self.d)
        with np.errstate(divide="ignore"):
            spread = within + deviance_of_rows(y, shares, np.log(shares))[0]
        return mean[None], *(np.array([average(part, weight)]) for part in (spread, rest))

    def for_density(
        self, statistics: Arrays, weight: Array | None, held: Mapping[str, float] | None = None
    ) -> Density | None:
        (mean,) = self.collapse(statistics, weight)[0]
        empty = tuple(int(j) for j in np.flatnonzero(mean == 0.0))
        if empty == self.absent or len(empty) == self.d:
            return None
        law = type(self)(self.dimension, self.trials, absent=empty, links=self.links)
        names = ", ".join(map(str, empty[:_SHOWN])) + (", ..." if len(empty) > _SHOWN else "")
        columns = f"column {names} has" if len(empty) == 1 else f"columns {names} have"
        return Density(law, f"{columns} no count in any row, so that the probability there is 0")

    def _check_trials(self, mean: Array) -> None:
        if not mean.sum() > 0.0:
            raise ValueError(
                f"{type(self).__name__}: all rows have zero trials. Allowed: some row with a count "
                "> 0. Give such rows."
            )

    def _spread(self, shares: Array) -> Array:
        """Return shares of the columns seen as shares of all columns, on the last axis."""
        if not self.absent:
            return shares
        result = np.zeros((*shares.shape[:-1], self.d))
        result[..., self.seen] = shares
        return result

    def _slopes(self, p: Array) -> NDArray[np.float64]:
        """Return the derivatives of the probabilities of all columns in the log-odds."""
        result = np.zeros((self.d, len(self.seen) - 1))
        result[self.seen] = slopes_of_shares(p[self.seen])
        return result

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        names = range(self.d) if columns is None else columns
        return tuple(f"probabilities[{name}]" for name in names)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        y = np.asarray(y, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = xlogy(y, theta[0]) - gammaln(y + 1.0)
            value = gammaln(y.sum(axis=-1) + 1.0) + each.sum(axis=-1)
        return np.where(self.contains(y), value, -np.inf)

    def mean(self, theta: Arrays) -> Array:
        return self._count * theta[0]


class Multinomial(Counts):
    """Multinomial law of rows of counts of d labels with their `probabilities`.

    q(y) = n! / prod y_j! * prod p_j^y_j, where the number of trials n is the row's sum and is taken
    as given. Single labels in one column are a `Categorical` law. scipy: ``multinomial(n, p)``. R:
    ``dmultinom(x, prob = p)``.

    A regression of such counts has the log-odds against the last label. CrossEntropyClassifier fits
    the same one, with the shares of each row as soft labels and the trials as `sample_weight`.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d, at least 2; None: learnt from the data.
    trials : int, default=1
        The number of trials of rows yet to be observed: of `sample`, `mean`, `entropy` and the
        like.
    absent : tuple of int, default=()
        Columns that have no counts, as their probability is zero.
    links : None
        Log-odds are the only link.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 5.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("multinomial").fit([[3, 1, 0], [1, 2, 1]])
    >>> model.params_["probabilities"]
    array([0.5  , 0.375, 0.125])
    """

    knows_curvature = True
    concave = True
    shortcuts = Shortcuts(starts="maximum", sums="base")

    @property
    def names(self) -> tuple[str, ...]:
        return ("probabilities",)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y, within = statistics[0][..., self.seen], statistics[1]
        log_p = log_shares(eta)
        p = np.exp(log_p)
        value, total = deviance_of_rows(y, p, log_p)
        if order < 1:
            return Rows(value + within)
        own = total[..., None] * p
        gradient = tuple(own[..., j] - y[..., j] for j in range(len(eta)))
        if order < 2:
            return Rows(value + within, gradient)
        curvature = tuple(own[..., i] * (float(i == j) - p[..., j]) for i, j in triangle(len(eta)))
        return Rows(value + within, gradient, curvature)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (mean,) = self.collapse(statistics, weight)[0]
        self._check_trials(mean)
        return [odds_of_counts(mean[self.seen])]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        y = statistics[0][..., self.seen]
        d = np.stack(np.broadcast_arrays(*delta, np.zeros(len(y))), axis=-1)
        return (y * (d.max(axis=-1, keepdims=True) - d)).sum(axis=-1)

    def natural(self, eta: Arrays) -> Arrays:
        return (self._spread(shares_of(eta)),)

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        return self._slopes(*self.natural(eta))

    def natural_charts(self) -> tuple[Link, ...]:
        return (LOGIT,) * self.d

    def eta(self, theta: Arrays) -> Arrays:
        return odds_of(theta[0][..., self.seen])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import multinomial

        return multinomial(int(self._count), theta[0])

    def covariance(self, theta: Arrays) -> Array:
        (p,) = theta
        return self._count * (p[..., None] * np.eye(self.d) - p[..., :, None] * p[..., None, :])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return self._count * bregman(p[0], q[0]).sum(axis=-1)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        p = theta[0] / theta[0].sum(axis=-1, keepdims=True)
        return rng.multinomial(int(self._count), p, size=size).astype(float)


def deviance_of_rows(y: Array, p: Array, log_p: Array) -> tuple[Array, Array]:
    """Return half the deviance of rows of counts from shares p, and their numbers of trials."""
    total = y.sum(axis=-1)
    shares = y / np.maximum(total, 1.0)[..., None]
    with np.errstate(divide="ignore"):
        distance = apart(shares, np.log(shares), p, log_p)[1]
    return total * distance.sum(axis=-1), total
