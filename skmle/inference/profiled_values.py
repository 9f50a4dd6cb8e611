"""Profile-likelihood intervals of functions of a fitted model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.estimates import Model, Scale
from skmle.inference.profile import Profiler, z_of
from skmle.inference.rows_known import RowsOfFit

Array = NDArray[np.float64]

INTERVALS = ("wald", "profile")


def profiler_for(interval: Any, rows: RowsOfFit | None, what: str = "estimate") -> Profiler | None:
    """Return what finds intervals by profile; None for those of Wald.

    Raises
    ------
    ValueError
        If there are no such intervals, or these results have none.
    """
    if interval not in INTERVALS:
        raise ValueError(
            f"{what}: interval={interval!r} is not known. Allowed: "
            f"{', '.join(map(repr, INTERVALS))}. Choose one of them."
        )
    if interval == "wald":
        return None
    if rows is None or rows.profiler is None:
        raise ValueError(
            f"{what}: interval='profile', but these results do not know the rows of the fit, or "
            "their errors are those of a sandwich, under which the likelihood has no chi-square. "
            "Allowed: results of a model's inference(X, y) with covariance='observed', 'expected' "
            "or 'outer'. Ask that, or use interval='wald'."
        )
    return rows.profiler


class ProfiledValues:
    """The intervals of m values, by confidence level; each level is found once.

    Parameters
    ----------
    profiler : Profiler
    model : Model
    function : callable
        From the model without what is around it to the m values.
    count : int
        m.
    scale : Scale, optional
        On which the values are sought.
    """

    def __init__(
        self,
        profiler: Profiler,
        model: Model,
        function: Callable[[Any], Any],
        count: int,
        scale: Scale | None,
    ) -> None:
        self._asked: tuple[Profiler, Model, Callable[[Any], Any], Scale | None] | None
        self._asked = profiler, model, function, scale
        self.count = count
        self.fits: NDArray[np.intp] = np.zeros(count, np.intp)
        """How many fits the intervals of the last level took."""
        self._known: dict[float, Array] = {}

    def __getstate__(self) -> dict[str, Any]:
        # The rows are left out of what is stored.
        return self.__dict__ | {"_asked": None}

    def __call__(self, level: float) -> Array:
        """Return the intervals of a confidence level, (m, 2).

        Raises
        ------
        ValueError
            If the level is new to results that were stored without the rows.
        """
        z = z_of(level)
        if level not in self._known:
            if self._asked is None:
                raise ValueError(
                    f"estimate: the profile intervals of level {level:g} need the rows of the fit, "
                    f"which are not stored with results. Allowed: {sorted(self._known)}. Ask "
                    "inference(X, y) again."
                )
            profiler, _, _, scale = self._asked
            found = [profiler.of_function(self._value(j), z) for j in range(self.count)]
            self.fits = np.array([one.fits for one in found], np.intp)
            ends = np.array([[one.low, one.high] for one in found]).reshape(-1, 2)
            if scale is not None:
                with np.errstate(over="ignore"):
                    ends = scale.inverse(ends)
            self._known[level] = ends
        return self._known[level]

    def in_words(self, level: float) -> str:
        """Return what the intervals are, which are found here, for the lines below a table."""
        ends = self(level)
        words = "Intervals: profile likelihood."
        if np.isinf(ends).any():
            words += " inf: the likelihood never falls so far on that side."
        if np.isnan(ends).any():
            words += (
                " nan: fits on the way found no maximum, as where a ratio has no bound, or where "
                "the function has an end; a link, or another function, may help."
            )
        return words

    def _value(self, j: int) -> Callable[[Array], float]:
        """Return the function from coefficients to one of the values; nan where it has none."""
        assert self._asked is not None
        _, model, function, scale = self._asked

        def value(coefs: Array) -> float:
            with np.errstate(all="ignore"):
                found = np.asarray(function(model.at(coefs)), float).ravel()[j]
                return float(found if scale is None else scale.forward(found))

        return value
