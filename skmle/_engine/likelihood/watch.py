"""Watching a fit while it runs: its lines of output, its callbacks, and its last iterate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution


class Stopped(Exception):
    """Raised inside a fit that a callback has stopped."""


class Watch:
    """It is called with each iterate that a solver accepts, and keeps the last one.

    If the fit is interrupted, that one is its answer.

    Parameters
    ----------
    verbose : bool
        Whether to print a line an iterate.
    tell : callable, optional
        It is called with a function that gives the iterate as a `Solution`, and returns whether to
        stop.
    """

    def __init__(
        self, verbose: bool = False, tell: Callable[[Callable[[], Solution]], bool] | None = None
    ) -> None:
        self.verbose, self.tell = verbose, tell
        self.count = 0
        self._last: tuple[Array, float, float] | None = None

    @property
    def last(self) -> Solution | None:
        """The last iterate; None before the first."""
        if self._last is None:
            return None
        coef, value, distance = self._last
        return Solution(
            coef, Evaluation(value), np.zeros_like(coef), distance, self.count, converged=False
        )

    def __call__(self, coef: Array, at: Evaluation, distance: float, rows: int) -> None:
        """Take note of an iterate; raise `Stopped` if it shall be the last.

        Parameters
        ----------
        coef : ndarray of shape (d,)
        at : Evaluation
            At `coef`.
        distance : float
            Distance to the optimum in standard errors; inf if the solver does not know it.
        rows : int
            Number of rows that are being fitted: of the data, or of a sample of them.
        """
        self.count += 1
        self._last = coef.copy(), at.value, distance
        if self.verbose:
            print(
                f"[skmle] iterate {self.count}: {rows} rows, objective {at.value:.10g} a row, "
                f"{distance:.2g} standard errors to go"
            )
        if self.tell is not None and self._stops(self.tell):
            raise Stopped

    def _stops(self, tell: Callable[[Callable[[], Solution]], bool]) -> bool:
        solution = self.last
        assert solution is not None
        return tell(lambda: solution)
