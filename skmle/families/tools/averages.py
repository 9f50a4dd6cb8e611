"""Laws of one of our families, in the form in which `expectation` averages under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import ndtri

from skmle.families.base import Array, Arrays, Family
from skmle.families.distribution import Distribution
from skmle.families.tools.atoms import atoms_of
from skmle.families.tools.cached import cached_property

_COUNTED = 4096  # masses that are summed to find where quantiles are; chosen, not measured


class FamilyRows:
    """n laws of a family of one column, in the form that `expectation` asks for.

    Parameters
    ----------
    family : Family
    theta : tuple of ndarray
        Natural parameters, each of shape (n,).
    eta : tuple of ndarray, optional
        The same by their charts, where that is finer and finite.
    """

    def __init__(self, family: Family, theta: Arrays, eta: Arrays | None = None) -> None:
        self.family = family
        self.theta = theta
        self.eta = eta
        self.discrete = family.support.discrete
        self.size = len(theta[0]) if theta else 1

    @cached_property
    def frozen(self) -> Any:
        """The laws as one frozen scipy distribution; None if scipy has none."""
        return self.family.to_scipy(self.theta)

    def take(self, rows: Any) -> FamilyRows:
        """Return some of the laws."""
        eta = None if self.eta is None else tuple(value[rows] for value in self.eta)
        return FamilyRows(self.family, tuple(value[rows] for value in self.theta), eta)

    def log_prob(self, y: Array) -> Array:
        """Return log q(y), with one y for each law."""
        if self.eta is not None:
            statistics = self.family.statistics(y)
            value = self.family.evaluate(statistics, self.eta, 0).value
            value = -(value + self.family.base(statistics))
            return np.where(self.family.contains(y) & ~np.isnan(value), value, -np.inf)
        law = Distribution(self.family, dict(zip(self.family.names, self.theta, strict=True)))
        value = np.asarray(law.log_prob(self.family.observation_of(y)), float)
        # Families of counts may accept real y, for rates; but the law has no mass there.
        return np.where(y == np.floor(y), value, -np.inf) if self.discrete else value

    def atoms(self) -> tuple[float, ...]:
        """Return the values at which the laws have a mass beside their density."""
        return atoms_of(self.family)

    def log_mass(self, y: Array) -> Array:
        """Return log P(Y = y) where y is such a value of each law; it is -inf if y is none."""
        return np.where(np.isin(y, self.atoms()), self.log_prob(y), -np.inf)

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return about the quantiles of each law, beside an atom, of shape (n, levels)."""
        shape = (len(levels), self.size)
        value = self.family.dense.about_quantile(np.asarray(levels, float)[:, None], self.theta)
        if self.frozen is None or not np.isnan(value).any():
            return np.broadcast_to(value, shape).T
        return quantiles_of(self.frozen, levels, self.size, self.discrete)

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each law."""
        low, high = self.family.ends(self.theta)
        return np.broadcast_to(low, (self.size,)), np.broadcast_to(high, (self.size,))

    def mirror(self) -> FamilyRows | None:
        """Return the laws of 1 - Y, if the family knows them; None if not."""
        charts = [param.chart for param in self.family.parameters]
        own = tuple(chart.eta(value) for chart, value in zip(charts, self.theta, strict=True))
        eta = self.family.mirrored(own)
        if eta is None:
            return None
        theta = tuple(chart.theta(value) for chart, value in zip(charts, eta, strict=True))
        finite = all(np.isfinite(value).all() for value in eta)
        return FamilyRows(self.family.mirror, theta, eta if finite else None)


def support_of(frozen: Any, size: int) -> tuple[Array, Array]:
    """Return the ends of the support of each of the `size` laws of a frozen scipy distribution."""
    low, high = (np.broadcast_to(np.asarray(end, float), (size,)) for end in frozen.support())
    return low, high


def quantiles_of(frozen: Any, levels: Sequence[float], size: int, discrete: bool) -> Array:
    """Return the quantiles of each law of a frozen scipy distribution, of shape (size, levels).

    Where scipy finds none (for counts beyond 1e9, or norminvgauss), those of the normal law with
    the same mean and standard deviation stand in.
    """
    column = np.asarray(levels, float)[:, None]
    shape = (len(column), size)
    if discrete and type(frozen.dist)._ppf is stats.rv_discrete._ppf:
        return _counted(frozen, levels, size)
    try:
        value = np.broadcast_to(np.asarray(frozen.ppf(column), float), shape)
    except (ValueError, RuntimeError):
        value = np.full(shape, np.nan)
    if np.isnan(value).any():
        rough = np.clip(frozen.mean() + ndtri(column) * frozen.std(), *support_of(frozen, size))
        value = np.where(np.isnan(value), np.floor(rough) if discrete else rough, value)
    return value.T


def _counted(frozen: Any, levels: Sequence[float], size: int) -> Array:
    """Return quantiles of laws for which scipy searches one count after the other.

    They are where the sum of the first masses reaches the levels, or the last of these counts: it
    is enough for the places at which sums begin to be cut.
    """
    low = np.nan_to_num(support_of(frozen, size)[0], neginf=-0.5 * _COUNTED)
    counts = low + np.arange(_COUNTED)[:, None]
    with np.errstate(all="ignore"):
        below = np.cumsum(np.broadcast_to(frozen.pmf(counts), (_COUNTED, size)), axis=0)
    places = [np.minimum((below < level).sum(axis=0), _COUNTED - 1) for level in levels]
    return low[:, None] + np.stack(places, axis=1)
