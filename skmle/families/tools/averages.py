"""A law of one of our families as averages are taken under it: rows of parameters, asked for log q."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from skmle.families.base import Array, Arrays, Family
from skmle.families.distribution import Distribution


class FamilyRows:
    """A family of one column with n flat rows of parameters, as `expectation` asks for it.

    Parameters
    ----------
    family : Family
    theta : tuple of ndarray
        Natural parameters, each of shape (n,).
    """

    def __init__(self, family: Family, theta: Arrays) -> None:
        self.family = family
        self.theta = theta
        self.discrete = family.support.discrete
        self.size = len(theta[0]) if theta else 1

    @cached_property
    def frozen(self) -> Any:
        """The frozen scipy distribution of the rows; None if scipy has none."""
        return self.family.to_scipy(self.theta)

    def take(self, rows: Any) -> FamilyRows:
        """Return the law with these rows."""
        return FamilyRows(self.family, tuple(value[rows] for value in self.theta))

    def log_prob(self, y: Array) -> Array:
        """Return log q(y), one y a row."""
        law = Distribution(self.family, dict(zip(self.family.names, self.theta, strict=True)))
        value = np.asarray(law.log_prob(y), float)
        # Families of counts may accept real y, as rates; their law has no mass there.
        return np.where(y == np.floor(y), value, -np.inf) if self.discrete else value

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return the quantiles of each row, of shape (n, levels)."""
        if self.frozen is None:
            return self.family.quantile(np.asarray(levels, float)[:, None], self.theta).T
        return quantiles_of(self.frozen, levels, self.size, self.discrete)

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each row."""
        if self.frozen is None:
            support = self.family.support
            return np.full(self.size, support.low), np.full(self.size, support.high)
        return support_of(self.frozen, self.size)

    def mirror(self) -> FamilyRows | None:
        """Return the law of 1 - Y, if its density is as well known there."""
        theta = self.family.mirrored(self.theta)
        return None if theta is None else FamilyRows(self.family, theta)


def support_of(frozen: Any, size: int) -> tuple[Array, Array]:
    """Return the ends of the support of each of `size` rows of a frozen scipy distribution."""
    low, high = (np.broadcast_to(np.asarray(end, float), (size,)) for end in frozen.support())
    return low, high


def quantiles_of(frozen: Any, levels: Sequence[float], size: int, discrete: bool) -> Array:
    """Return the quantiles of each row of a frozen scipy distribution, of shape (size, levels).

    Where scipy finds none (counts beyond 1e9, norminvgauss), those of a normal law with the same mean and spread stand in.
    """
    column = np.asarray(levels, float)[:, None]
    shape = (len(column), size)
    try:
        value = np.broadcast_to(np.asarray(frozen.ppf(column), float), shape)
    except (ValueError, RuntimeError):
        value = np.full(shape, np.nan)
    if np.isnan(value).any():
        rough = np.clip(frozen.mean() + ndtri(column) * frozen.std(), *support_of(frozen, size))
        value = np.where(np.isnan(value), np.floor(rough) if discrete else rough, value)
    return value.T
