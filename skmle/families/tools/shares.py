"""Shares of laws that are mixed, by their logits, and where their fits may start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Rows

if TYPE_CHECKING:
    from skmle.families.base import Family

_FEWEST, _MOST = 0.02, 0.98  # share of rows added to a mass, at least and at most, at a start
_ROUNDS = 60  # of expectation and maximisation for each start, at most; Newton's method goes on
_STILL = 1e-4  # nats a row by which a round has to improve
_SEEDS = 6  # random starts beside that from quantiles


def share(logit: Array, taken: bool, order: int) -> Rows:
    """Return -log of a share if it is `taken`, else -log of what it leaves, by its logit."""
    part = 0.5 * (1.0 + np.tanh(0.5 * logit))
    # This takes a third of the time of `logaddexp`.
    value = np.maximum(-logit if taken else logit, 0.0) + np.log1p(np.exp(-np.abs(logit)))
    return Rows(value, (part - 1.0 if taken else part,), (part * (1.0 - part),)).upto(order)


def sticks(shares: Array) -> tuple[float, ...]:
    """Return logits of each share among what those before it leave; all but the last."""
    left = np.append(np.cumsum(shares[::-1])[::-1][1:], 0.0)  # what is left after each
    return tuple(float(np.log(a) - np.log(b)) for a, b in zip(shares[:-1], left[:-1], strict=True))


def weights_of(sticks_taken: tuple[Array, ...]) -> list[Array]:
    """Return the shares of all parts from each one's share among what those before it leave."""
    left: Array = np.ones(())
    found = []
    for taken in sticks_taken:
        found.append(left * taken)
        left = left * (1.0 - taken)
    return [*found, left]


def blocks(y: Array, weight: Array, count: int) -> NDArray[np.intp]:
    """Return the block of each row, of `count` blocks of equal weight in the order of y.

    Equal values are of one block, that of the middle of their weight, so that a weight is as good
    as so many equal rows.
    """
    values, code = np.unique(y, return_inverse=True)
    mass = np.bincount(code, weights=weight, minlength=len(values))
    middle = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    return np.minimum((middle * count).astype(np.intp), count - 1)[code]


def first_guesses(y: Array, weight: Array, count: int) -> list[Array]:
    """Return memberships, (n, count), to start from: blocks of the order of y, then random ones.

    Random centres are drawn as k-means++ does, each far from the others. They are drawn from the
    distinct values in their order, so that the order of the rows says nothing.
    """
    found = [_soft(blocks(y, weight, count), count)]
    values, code = np.unique(y, return_inverse=True)
    mass = np.bincount(code, weights=weight, minlength=len(values))
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        centres = [rng.choice(values, p=mass / mass.sum())]
        for _ in range(count - 1):
            away = np.min([(values - centre) ** 2 for centre in centres], axis=0) * mass
            if not away.sum() > 0.0 or not np.isfinite(away.sum()):
                break
            centres.append(rng.choice(values, p=away / away.sum()))
        if len(centres) == count:
            nearest = np.abs(values[:, None] - np.sort(centres)).argmin(axis=1)
            found.append(_soft(nearest[code], count))
    return found


def _soft(code: NDArray[np.intp], count: int) -> Array:
    return 0.9 * np.eye(count)[code] + 0.1 / count


def by_rounds(
    memberships: Array,
    weight: Array,
    maximise: Callable[[Array], list[tuple[float, ...]] | None],
    parts_of: Callable[[list[tuple[float, ...]]], Array],
) -> tuple[float, list[tuple[float, ...]], Array] | None:
    """Return (mean log-likelihood, eta of each part, shares) after rounds of EM; None if it ends.

    Parameters
    ----------
    memberships : ndarray of shape (n, count)
    weight : ndarray of shape (n,)
    maximise : callable
        It returns the eta of each part for weighted memberships; None if a part has vanished.
    parts_of : callable
        It returns log q of each row under each part, (n, count).

    References
    ----------
    Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm,
    Journal of the Royal Statistical Society B 39.
    """
    total, best, before = weight.sum(), None, -np.inf
    for _ in range(_ROUNDS):
        weighted = weight[:, None] * memberships
        shares = weighted.sum(axis=0) / total
        eta = maximise(weighted)
        if eta is None:
            return best
        with np.errstate(divide="ignore"):
            logs = parts_of(eta) + np.log(shares)
        top = logs.max(axis=1, keepdims=True)
        each = np.exp(logs - top)
        sums = each.sum(axis=1, keepdims=True)
        value = float(weight @ (top + np.log(sums))[:, 0] / total)
        # It falls only by rounding, where a part is narrower than the last digit of its place.
        if not before < value < np.inf:
            return best
        memberships, best = each / sums, (value, eta, shares)
        if value - before < _STILL:
            return best
        before = value
    return best


def mass_of(family: Family, value: float, eta: tuple[float, ...]) -> float:
    """Return the mass of one number under a law of counts, less than one; 0 where it is none."""
    statistics = family.statistics(np.array([value]))
    rows = family.evaluate(statistics, tuple(np.asarray(e) for e in eta), 0)
    mass = float(np.exp(-(rows.value + family.base(statistics)))[0])
    return min(mass, 1.0 - 1e-6) if np.isfinite(mass) else 0.0


def logit_of_added(observed: float, expected: float) -> float:
    """Return the logit of the share of rows that are added to a mass that a law expects."""
    added = float(np.clip((observed - expected) / (1.0 - expected), _FEWEST, _MOST))
    return float(np.log(added) - np.log1p(-added))
