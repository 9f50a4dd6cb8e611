"""Averages under a law: its moments, its entropy, and the average of any function of y."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.families.records import Array, Arrays

if TYPE_CHECKING:
    from skmle.families.base import Family

_KINDS = "mvsk"


class Moments:
    """The averages of a `Distribution`."""

    family: Family
    params: dict[str, Array]

    @property
    def theta(self) -> Arrays:
        """The natural parameters as a tuple."""
        return tuple(self.params.values())

    def mean(self) -> Array:
        """Return the mean; nan or inf where it does not exist."""
        return self.family.mean(self.theta)

    def var(self) -> Array:
        """Return the variance; nan or inf where it does not exist."""
        with np.errstate(over="ignore"):  # it may be beyond the numbers
            return self.family.variance(self.theta)

    def std(self) -> Array:
        """Return the standard deviation; nan or inf where it does not exist."""
        with np.errstate(over="ignore"):
            return self.family.std(self.theta)

    def cov(self) -> Array:
        """Return the covariance matrix of the columns; of one column, its variance as a matrix."""
        with np.errstate(over="ignore"):
            return self.family.covariance(self.theta)

    def entropy(self) -> Array:
        """Return E[-log q(Y)] in nats."""
        return self.family.entropy(self.theta)

    def expect(
        self,
        func: Callable[[Array], ArrayLike] | None = None,
        lb: ArrayLike | None = None,
        ub: ArrayLike | None = None,
        conditional: bool = False,
    ) -> Array:
        """Return E[func(Y)], by adaptive sums or quadrature to about 12 digits.

        Parameters
        ----------
        func : callable, optional
            Takes an array of values of y and returns one number for each. Without it, Y itself.
        lb, ub : array-like, optional
            The average is over lb <= Y <= ub alone; what is outside counts as 0.
        conditional : bool, default=False
            Whether to divide by P(lb <= Y <= ub).

        Returns
        -------
        ndarray
            One average for each law; inf if it diverges, nan if it does to both sides.

        Raises
        ------
        ValueError
            If the law has several columns, or the function returns other than a number for each y.

        Examples
        --------
        >>> from skmle import Distribution
        >>> Distribution("exponential", mean=[1.0, 2.0]).expect(lambda y: y**3).round(9)
        array([ 6., 48.])
        """
        between = (
            np.asarray(-np.inf if lb is None else lb, float),
            np.asarray(np.inf if ub is None else ub, float),
        )
        if self.family.support.discrete:
            between = np.ceil(between[0]), np.floor(between[1])
        total = self._average(
            lambda y: _as_numbers(y if func is None else func(y), y), between=between
        )
        if not conditional:
            return total
        return total / self._average(np.ones_like, between=between)

    def moment(self, order: int) -> Array:
        """Return the moment E[Y**order] about zero; nan or inf where it does not exist.

        Parameters
        ----------
        order : int
            A whole number from 0 on.
        """
        if not isinstance(order, (int, np.integer)) or order < 0:
            raise ValueError(
                f"moment: order={order!r} is not allowed. Allowed: whole numbers from 0 on. Give "
                "one, or the average of another function to `expect`."
            )
        if order == 1:
            return self.mean()
        return self._average(lambda y: y**order)

    def stats(self, moments: str = "mv") -> Array | tuple[Array, ...]:
        """Return the mean, the variance, the skewness and the kurtosis, as scipy does.

        Parameters
        ----------
        moments : str, default="mv"
            Which of them: "m" for the mean, "v" for the variance, "s" for the skewness, "k" for
            the kurtosis less that of a normal law, 3.

        Returns
        -------
        tuple of ndarray
            In the order of `moments`; of a single one, the array itself.
        """
        if not moments or set(moments) - set(_KINDS):
            raise ValueError(
                f"stats: moments={moments!r} is not allowed. Allowed: letters of {_KINDS!r}, for "
                "mean, variance, skewness and kurtosis. Give some."
            )
        of = {"m": self.mean, "v": self.var, "s": self._skewness, "k": self._kurtosis}
        found = tuple(np.asarray(of[kind]()) for kind in moments)
        return found if len(found) > 1 else found[0]

    def _skewness(self) -> Array:
        return self._standardized(3)

    def _kurtosis(self) -> Array:
        return self._standardized(4) - 3.0

    def _standardized(self, order: int) -> Array:
        """Return the average of a power of (y - mean) / std; nan where these are not known."""
        centre, width = self.mean(), self.std()
        return self._average(lambda y, m, s: ((y - m) / s) ** order, centre, width)

    def _average(
        self,
        function: Callable[..., Array],
        *parameters: Array,
        between: tuple[Array, Array] | None = None,
    ) -> Array:
        from skmle.families.tools.numerical import average  # which imports `Distribution`

        if not (self.family.univariate and self.family.observation.numeric):
            raise ValueError(
                f"Distribution({type(self.family).__name__}): averages are of functions of one "
                "number. Allowed: laws of one numeric column. Average over draws of `rvs`."
            )
        with np.errstate(all="ignore"):  # far out in the tails
            return average(self.family, self.theta, function, *parameters, between=between)


def _as_numbers(values: ArrayLike, y: Array) -> NDArray[np.float64]:
    """Return what a function gives, one number for each y, or raise an error."""
    found = np.asarray(values, float)
    if found.shape not in ((), np.shape(y)):
        raise ValueError(
            f"expect: func gives an array of shape {found.shape} for y of shape {np.shape(y)}. "
            "Allowed: one number for each y. Write it with numpy's functions of arrays."
        )
    return np.broadcast_to(found, np.shape(y))
