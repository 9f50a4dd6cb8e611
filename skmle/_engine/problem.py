"""The records at both ends of a fit: what is asked, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import Observed, observe_as
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty, total_curvature
from skmle._engine.verdict import Verdict
from skmle.families.base import Family, Limit
from skmle.families.ends import places
from skmle.families.tools.cached import cached_property

Coefs = tuple[tuple[Array, float], ...]
"""(slopes, intercept) of each parameter, on the user's scale."""


@dataclass(frozen=True)
class Problem:
    """What is to be fitted to what.

    Parameters
    ----------
    family : Family
        Adapted to the data.
    observed : Observed
        Inside the support, with their weights, which are positive.
    terms : tuple of Term
        One per parameter.
    X : ndarray or CSR array of shape (n, p), optional
    offset : ndarray of shape (n,), optional
        Added to the first eta.
    penalties : tuple of Penalty
        Each on the modelled slopes, term by term, in the user's units, per row of data.
    lasso : float
        Strength of the absolute penalty on all modelled slopes, per row of data.
    """

    family: Family
    observed: Observed
    terms: tuple[Term, ...]
    X: Any = None
    offset: Array | None = None
    penalties: tuple[Penalty, ...] = ()
    lasso: float = 0.0
    jeffreys: bool = False
    """Whether half the log-determinant of the expected information of the rows is added."""
    tol: float = 1e-6
    max_iter: int = 100
    threads: int = 1
    covariance: bool | str = "auto"
    """Whether the covariance is wanted; "auto": where it costs little beside the fit."""
    robust: bool = False
    """Whether the covariance is to hold for any law of the rows, as that of class weights must."""
    verbose: bool = False
    """Whether to print a line an iterate."""
    start: Coefs | None = None
    """Coefficients to start from, on the user's scale, term by term."""
    rows: int | None = None
    """How many rows the user gave, where those observed stand for more than one each."""
    by_name: bool = False
    """Whether the fit is to have the parameters of `family`, as those of a regression must.

    A density may then not be fitted by another law in its place.
    """
    until: float = np.inf
    """The processor time, of `time.thread_time`, at which the fit ends at the latest."""

    @cached_property
    def features(self) -> bool:
        """Whether any parameter depends on the row."""
        return self.offset is not None or any(t.columns is not None for t in self.terms)

    @cached_property
    def carried(self) -> bool:
        """Whether the constants of all other parameters are an intercept of the first."""
        if not self.family.moves_together or self.terms[0].intercept:
            return False
        return all(term.intercept and term.columns is None for term in self.terms[1:])

    @cached_property
    def centred(self) -> tuple[bool, ...]:
        """For each term, whether a constant takes back what its columns gain in all rows."""
        return tuple(t.intercept or (self.carried and j == 0) for j, t in enumerate(self.terms))

    @cached_property
    def selects(self) -> bool:
        """Whether the penalty can hold slopes at zero."""
        return self.lasso > 0.0 and self.penalised

    @cached_property
    def penalised(self) -> bool:
        """Whether the maximum is that of a likelihood with a penalty."""
        if self.jeffreys:  # on intercepts, too
            return True
        penalties = bool(self.penalties) or self.lasso > 0.0
        return penalties and any(t.size for t in self.terms)

    @cached_property
    def held(self) -> tuple[NDArray[np.bool_], ...]:
        """For each term, which slopes a penalty determines where the columns of X do not."""
        zero = np.zeros(sum(t.size for t in self.terms))
        held = (total_curvature(self.penalties, zero) > 0.0) | (self.lasso > 0.0)
        return tuple(np.split(held, np.cumsum([t.size for t in self.terms])[:-1]))

    @cached_property
    def all_held(self) -> bool:
        """Whether a penalty determines each slope, so that no column of X can be one too many."""
        return self.penalised and all(part.all() for part in self.held)

    def under(
        self, penalties: tuple[Penalty, ...], lasso: float, start: Coefs | None = None
    ) -> Problem:
        """Return the same problem under other penalties, with coefficients to start from."""
        return replace(self, penalties=penalties, lasso=lasso, start=start)

    def at(self, limit: Limit) -> Problem | None:
        """Return the problem of a limit law on the same rows; None if it forbids some of them.

        The law learns from these rows what it must, such as the least of them.
        """
        observed = observe_as(limit, self.observed)
        if observed is None:
            return None
        law = limit.family.adapt(limit.family.restore(observed.statistics))
        return replace(
            self,
            family=law,
            observed=observed,
            terms=tuple(self.terms[j] for j in places(self.family, limit)),
            start=None,
        )

    def with_factors(self) -> Problem:
        """Return the problem where weights are factors of the likelihoods of rows, not repeats."""
        weight = self.observed.weight
        squares = None if weight is None else weight**2
        return replace(self, observed=replace(self.observed, squares=squares))

    @property
    def n(self) -> int:
        """Number of the user's rows."""
        return self.observed.n if self.rows is None else self.rows


class Separated(NamedTuple):
    """What runs off to infinity in a fit without a maximum, and which rows are certain there."""

    way: Coefs
    """The direction in which slopes and intercepts run off; 0: they need not.

    It is one of few columns, where different ones prove the same. Only signs and ratios count.
    """
    loose: tuple[tuple[NDArray[np.bool_], bool], ...]
    """Of each parameter, which slopes, and whether the intercept, the other rows leave open."""
    rows: NDArray[np.intp]
    """Numbers of the rows that are certain, or at a limit law, among those of the problem."""
    apart: bool
    """Whether the columns that run off are zero in all of these rows."""


Tell = Callable[[Callable[[], "Fit"]], bool]
"""Called at each iterate with a function that gives the fit as of there.

It returns whether to stop.
"""


@dataclass(frozen=True)
class Fit:
    """A fitted law: coefficients on the user's scale and how sure they are."""

    family: Family
    """The law fitted; at a boundary, the limit law."""
    coefs: Coefs
    """(slopes, intercept) of each parameter of `family`."""
    covariance: Array | None
    """Of all coefficients, term by term, slopes then intercept: inverse observed information.

    It is None where there is none.
    """
    log_likelihood: float
    """Total, in nats, constants included, without the penalty."""
    mass: float
    """Total weight."""
    verdict: Verdict
    n_iter: int = 1
    distance: float = 0.0
    limit: Limit | None = None
    estimable: tuple[NDArray[np.bool_], ...] | None = None
    """Of each term, which slopes the data determine, and whether its constant; None: all."""
    separated: Separated | None = None
    """What runs to infinity, where some rows separate from the others."""
    dependent: tuple[NDArray[np.bool_], ...] | None = None
    """Of each term, which columns are nearly combinations of others; None: none are."""
    condition: float = 1.0
    """The condition of these columns, once they are standardised."""
    whole: Array | None = None
    """Where the data do not determine all: the covariance of the coefficients of least norm, by
    which functions that do not depend on the rest have their errors."""
    bread: tuple[Array, Array] | None = None
    """Of many rows: the solver's coefficients, and the inverse Hessian of the mean in them.

    Sandwiches of these rows need not find it again.
    """
    idle: Array | None = None
    """A change of the coefficients, in no special direction, that changes no prediction."""
    n_parameters: int = 0
    """How many parameters were estimated.

    Collinear columns count once, and slopes that a penalty holds at zero do not count.
    """
    shrunk: float | None = 0.0
    """By how many a smooth penalty lowers the effective number of parameters; None: not known."""
    rows_at_edge: int = 0
    """How many rows stand at the edge of the domain of a link, at a maximum there."""
    condensed: Observed | None = None
    """Of a density: all it needs of its data, if that is less than the data.

    More may be joined to it.
    """
