"""Watching a fit while it runs: its lines of output, its callbacks, and its last iterate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution


class Stopped(Exception):
    """Raised inside a fit that a callback has stopped."""


class RunsOff(Exception):
    """Raised inside a fit that is seen to have no maximum.

    Parameters
    ----------
    direction : ndarray of shape (d,)
        Its proof.
    coef : ndarray of shape (d,)
        Where it was seen.
    at : Evaluation
        There.
    """

    def __init__(self, direction: Array, coef: Array, at: Evaluation) -> None:
        super().__init__()
        self.direction, self.coef, self.at = direction, coef, at


class Spent(Exception):
    """Raised inside a search that has taken as many steps as it may."""


class Watch:
    """It is called with each point that a solver accepts, counts the steps, and keeps the last.

    If the fit is interrupted, the last point is its answer. A search that would take more than
    a most of steps ends at the last that it may take, whatever solvers take part in it. So the
    iterate i that is told, from 0 on, is the fit with ``max_iter=i + 1``.

    Parameters
    ----------
    verbose : bool
        Whether to print a line an iterate.
    tell : callable, optional
        It is called with a function that gives the iterate as a `Solution`, and returns whether to
        stop.
    """

    def __init__(
        self,
        verbose: bool = False,
        tell: Callable[[Callable[[], Solution]], bool] | None = None,
    ) -> None:
        self.verbose, self.tell = verbose, tell
        self.count = 0
        """Steps of all searches of the fit."""
        self._taken, self._most = 0, np.inf
        self._point: Array | None = None
        self._last: tuple[Array, float, float] | None = None
        self._best: Solution | None = None

    def begin(self, most: float, best: Solution | None = None) -> None:
        """Take note that a search begins.

        Parameters
        ----------
        most : float
            How many steps it may take.
        best : Solution, optional
            The best of the searches before, of the same fit; None if this is the first.
        """
        self.count = 0 if best is None else self.count
        self._taken, self._most = 0, most
        self._point, self._last, self._best = None, None, best

    @property
    def taken(self) -> int:
        """How many steps the search has taken."""
        return self._taken

    def back_to(self, taken: int) -> None:
        """Take note that the answer is that of an earlier search, which has taken so many steps."""
        self._taken = taken

    @property
    def spent(self) -> bool:
        """Whether the search may take no more steps."""
        return self._taken >= self._most

    @property
    def last(self) -> Solution | None:
        """The last point, or the answer of an earlier search if that is better; None before."""
        if self._last is None:
            return self._best
        coef, value, distance = self._last
        if self._best is not None and self._best.evaluation.value < value:
            return self._best._replace(n_iter=self.count)
        return Solution(
            coef, Evaluation(value), np.zeros_like(coef), distance, self.count, converged=False
        )

    def __call__(self, coef: Array, at: Evaluation, distance: float, rows: int) -> None:
        """Take note of a point; raise `Stopped` or `Spent` if there shall be no step from it.

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
        point = coef if at.end is None else at.end
        before, self._point = self._point, point.copy()
        stays = before is not None and bool((before == point).all())
        if before is not None and not stays:
            if self._taken == self._most:
                raise Spent
            self._taken += 1
            self.count += 1
        self._last = self._point, at.value, distance
        if before is None or stays:
            return  # A start is no iterate, nor is a point from which the next stage goes on.
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
