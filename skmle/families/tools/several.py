"""Laws of rows of several numbers: what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family, Observation
from skmle.families.tools.factors import diagonal


class SeveralColumns(Family):
    """A law of rows of `dimension` numbers.

    Its formula is written in coordinates; the user sees vectors and matrices made of them.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns; None: learnt from the data.
    links : None
        The coordinates have no other links.
    """

    observation = Observation(columns=None)
    fewest: ClassVar[int] = 1
    """The least number of columns of a law that says something."""

    def __init__(self, dimension: int | None = None, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.dimension = dimension

    @property
    def d(self) -> int:
        """Number of columns."""
        if self.dimension is None:
            raise ValueError(
                f"{type(self).__name__}(): dimension=None is learnt from data by fit. Allowed: a "
                "number; give it to use it."
            )
        return self.dimension

    @property
    def many(self) -> str:
        """How many columns there are, for "rows of 3 shares"; "" before that is learnt."""
        return "" if self.dimension is None else f"{self.dimension} "

    def of_dimension(self, d: int) -> Family:
        """Return this law of d columns."""
        return type(self)(**{**self.get_params(deep=False), "dimension": d})

    def adapt(self, y: Array) -> Family:
        if self.dimension is not None and y.shape[1] != self.dimension:
            have = f"the data have {y.shape[1]} columns"
            raise ValueError(
                f"{type(self).__name__}(dimension={self.dimension}): {have}. Allowed: as many. "
                "Give them, or dimension=None."
            )
        if y.shape[1] < self.fewest:
            raise ValueError(
                f"{type(self).__name__}: the data have {y.shape[1]} feature(s). Allowed: at least "
                f"{self.fewest} columns. {self.observation.advice}"
            )
        return self.of_dimension(y.shape[1])

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        values = {name: np.asarray(params[name], float) for name in self.names}
        first = values[self.names[0]]
        d = first.shape[-1] if first.ndim else 0
        square = [value for value in values.values() if value.ndim > first.ndim]
        wrong = any(value.shape[-2:] != (d, d) for value in square)
        if not d or wrong or self.dimension not in (None, d):
            shapes = ", ".join(f"{name} of shape {v.shape}" for name, v in values.items())
            columns = "" if self.dimension is None else f" with {self.dimension} columns"
            allowed = ["(d,)", *(["(d, d)"] * len(square))]
            raise ValueError(
                f"{type(self).__name__}: {shapes}. Allowed: {' and '.join(allowed)}{columns}. "
                "Give them so."
            )
        for name, value in values.items():
            if np.isnan(value).any() or (value.ndim >= first.ndim and np.isinf(value).any()):
                raise ValueError(
                    f"{type(self).__name__}: {name} has an entry that is not finite. Allowed: "
                    "finite numbers. Correct the entries."
                )
        self.check_parameters(*values.values())
        return self.of_dimension(d)

    @abstractmethod
    def check_parameters(self, *theta: Array) -> None:
        """Raise ValueError if natural parameters of the right shapes are none of a law."""

    def refuse(self, name: str, value: float, allowed: str) -> NoReturn:
        """Raise the ValueError of a parameter that is out of its range."""
        raise ValueError(
            f"Distribution({type(self).__name__}): {name} is {value:g}. Allowed: {allowed}. Give "
            "such values."
        )

    def check_links(self) -> None:
        if self.links:
            raise ValueError(
                f"{type(self).__name__}(links={self.links!r}): its coordinates have no links. "
                "Allowed: None. Leave links out."
            )

    def contains(self, y: Array) -> NDArray[np.bool_]:
        y = np.asarray(y)
        if y.shape[-1:] != (self.d,):
            raise ValueError(
                f"{self.title}: y has shape {y.shape}. Allowed: (..., {self.d}), the columns of "
                "an observation last. Give them."
            )
        return self.holds(y)

    @abstractmethod
    def holds(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row of y, (..., d), whether it lies in the support."""

    @abstractmethod
    def covariance(self, theta: Arrays) -> Array:
        """Return the covariance matrices of the columns; nan or inf where they do not exist."""

    def variance(self, theta: Arrays) -> Array:
        """Return the variance of each column."""
        return diagonal(self.covariance(theta))

    # A law of several columns has an order of its observations only by columns.

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self._no_order("cdf")

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self._no_order("sf")

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._no_order("quantile")

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._no_order("quantile")

    def _no_order(self, method: str) -> NoReturn:
        raise ValueError(
            f"{method}: a law of several columns has none. Allowed: laws of one column. Take the "
            "marginal of a column first."
        )
