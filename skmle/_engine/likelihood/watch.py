"""Looking on while a fit runs: what it prints, whom it tells, and what is kept when it is stopped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution


class Stopped(Exception):
    """Raised inside a fit that a callback has stopped."""


class Watch:
    """Is told of each iterate that a solver accepts, and keeps the last.

    Parameters
    ----------
    verbose : bool
        Whether to print a line an iterate.
    tell : callable, optional
        Called with a function that gives the iterate as a `Solution`; returns whether to stop.
    """

    def __init__(
        self, verbose: bool = False, tell: Callable[[Callable[[], Solution]], bool] | None = None
    ) -> None:
        self.verbose, self.tell = verbose, tell
        self.last: Solution | None = None
        self.count = 0

    def __call__(self, coef: Array, at: Evaluation, distance: float, rows: int) -> None:
        """Take note of an iterate on so many rows; raise `Stopped` if it shall be the last.

        Parameters
        ----------
        coef : ndarray of shape (d,)
        at : Evaluation
            At `coef`.
        distance : float
            Standard errors from the optimum, as far as known; else infinite.
        rows : int
            Of the data or of the sample of them that is being fitted.
        """
        self.count += 1
        self.last = solution = Solution(
            coef.copy(), Evaluation(at.value), np.zeros_like(coef), distance, self.count, False
        )
        if self.verbose:
            print(
                f"[skmle] iterate {self.count}: {rows} rows, objective {at.value:.10g} a row, {distance:.2g} standard errors to go"
            )
        if self.tell is not None and self.tell(lambda: solution):
            raise Stopped
