"""What a family is: a parametric law q(y | eta) whose every eta runs over the whole real line."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skmle.families.chain_rules import through_links
from skmle.families.differences import differences
from skmle.families.ends import Ends, Limit
from skmle.families.law import Law
from skmle.families.links import IDENTITY, LOG, LOGIT, Link
from skmle.families.parameters import Parameters
from skmle.families.records import (
    Array,
    Arrays,
    Density,
    Observation,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Softmax,
    Stretch,
    Support,
    average,
    triangle,
)
from skmle.families.tools.expected import expected_curvature, jets_of_charts

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution


class Family(Parameters, Law, Ends, BaseEstimator):
    """A law q(y | eta) to be fitted, with k parameters that may each depend on features.

    A subclass states `parameters`, `support` and one formula, `evaluate`; everything else is
    derived from it. *Chart* eta are those of the formula (real, log or logit by parameter);
    *linked* eta are those of the links that the user chose. Only `evaluate`, `tail`, `starts`,
    `recession`, `saturated` and `unbounded` speak chart eta; all other methods take linked eta or
    `theta`, the tuple of natural parameters.

    Parameters
    ----------
    links : dict of str to str or Link, optional
        A link for some parameters, in place of the family's own:
        ``Gamma(links={"mean": "inverse"})``.
    """

    support: Support = Support()
    scipy_name: ClassVar[str] = ""
    """The distribution of scipy.stats that `from_scipy` reads; empty if there is none."""
    observation: Observation = Observation()
    shortcuts: Shortcuts = Shortcuts()
    redundant: ClassVar[bool] = False
    """Whether a constant added to all eta changes nothing.

    The engine then holds one of the constants; without it, the Hessian would be singular.
    """

    moves_together: ClassVar[bool] = False
    """Whether a constant added to all eta changes nothing, and the first one has no intercept.

    So it is with a location and the cut points of ordered classes. A constant column of the first
    parameter is then one too many, and the constants of the others take back what the columns of X
    gain when they are centred.
    """

    finer_eta: ClassVar[bool] = False
    """Whether eta has digits that the natural parameters have not.

    A fitted law is then asked for log q at the eta of its fit.
    """

    several_modes: ClassVar[bool] = False
    """Whether outlying or clustered rows may give its likelihood several maxima.

    A fit then starts from several linear predictors, tries all starts on a sample of the rows, and
    goes on from the best. Without it, a lesser maximum may pass for the answer.
    """

    not_tried: ClassVar[str] = ""
    """Why a search among all families does not try it, as one for data of a special kind."""

    concave: ClassVar[bool] = False
    """Whether log q is concave in all chart eta together, so that a regression has one maximum."""

    repeats: ClassVar[bool] = False
    """Whether equal observations are the rule, as rounded ones are: a fit then merges them."""

    cusps: ClassVar[bool] = False
    """Whether -log q has cusps in y: intervals of y are then not integrated from a few points."""

    breaks: ClassVar[tuple[float, ...]] = ()
    """Values at which the law has a mass beside its density, or the density jumps.

    Intervals of y that hold one are not integrated from a few points.
    """

    stretch: ClassVar[Stretch | None] = None
    """What another unit of y makes of eta, of laws of positive numbers that have one."""

    unit_moves: tuple[float, ...] = ()
    """Those of `stretch`, where a regression measures y in its geometric mean."""

    knows_curvature: ClassVar[bool] = False
    """Whether the curvature of -log q in chart eta depends on no y, and is the expected one."""

    least_squares: ClassVar[bool] = False
    """Whether least squares fits a location under the identity link beside a constant scale.

    Tables of few rows then say how far z and the most likely scale are from t and the unbiased one.
    """

    gradient_tells_mean: ClassVar[bool] = False
    """Whether the derivative of -log q in the first eta is a multiple of y - mean.

    The mean between two ends then follows from the slope of the probability there.
    """

    @property
    def kinked(self) -> bool:
        """Whether a parameter that is fitted has cusps in -log q, as the place of a median has.

        The observed information then says nothing of how sure the estimates are.
        """
        return self.cusps

    def __init__(self, *, links: Mapping[str, str | Link] | None = None) -> None:
        self.links = links

    # ---------------------------------------------------------------- the formula

    @abstractmethod
    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        """Return -log q of each row at chart `eta`, without `base`.

        Derivatives are returned up to `order` (0, 1 or 2).
        """

    def statistics(self, y: Array) -> Arrays:
        """Return all that `evaluate` needs of y, (n,) or (n, m) arrays; computed once a fit."""
        return (y,)

    def base(self, statistics: Arrays) -> Array:
        """Return the terms of -log q that depend on y only, (n,) or 0-d; computed once a fit."""
        return np.zeros(())

    @abstractmethod
    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return one or several starts for constant chart eta.

        Where a closed form exists, it is the maximum. `weight` is that of the rows, (n,), or None
        where all count alike. One row that stands for all may have taken the place of the
        `statistics`, if `shortcuts.sums` says so.
        """

    # ---------------------------------------------------------------- what a family may add

    def rough_start(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...]:
        """Return a quick start, as rounds of a mixture ask for."""
        return self.starts(statistics, weight)[0]

    def adapt(self, y: Array) -> Family:
        """Return this family with what it must learn from the data first: categories, dimension."""
        return self

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        """Return this family with what natural parameters tell of it, such as its dimension.

        ValueError is raised if they are none of a law.
        """
        return self

    @property
    def observations(self) -> str:
        """What y may be, in words, for messages and tables."""
        return str(self.support)

    @property
    def univariate(self) -> bool:
        """Whether one number, whose law is `to_scipy`, tells all of an observation."""
        return self.observation.columns == 1

    def contains(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row of y whether it lies in the support."""
        return self.support.contains(y)

    def takes(self, y: Array) -> NDArray[np.bool_]:
        """Return which rows a regression takes: of the support, and rates where that says so."""
        return self.support.spans(y) if self.support.rates else self.contains(y)

    def counted(self, index: int) -> bool:
        """Whether this parameter is one of a law of counts, whose likelihood has a bound."""
        return self.support.discrete

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        """Return -log P(Y > y) (`upper`) or -log P(Y <= y) of each row at chart `eta`.

        Its form is that of `evaluate`. By default it is differences of `log_tail`.
        """
        y = self.restore(statistics)

        def value(moved: Arrays) -> Array:
            pairs = zip(self.parameters, moved, strict=True)
            return -self.log_tail(y, tuple(p.chart.theta(e) for p, e in pairs), upper)

        with np.errstate(all="ignore"):  # Some values are beyond the floating-point numbers.
            return differences(value, eta, order)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        """Return the one row that stands for all in a density, their mean.

        It is asked for where `shortcuts.sums` says that one row does.
        """
        return tuple(np.atleast_1d(average(s, weight)) for s in statistics)

    @property
    def condensable(self) -> bool:
        """Whether a density needs less of its data than all rows.

        It may need one row that stands for all, or the distinct values and their counts.
        """
        counted = self.support.discrete and self.observation.columns == 1
        return self.shortcuts.sums != "rows" or counted

    def alike(self, statistics: Arrays) -> Array | None:
        """Return small numbers, equal for rows of one formula, to sort long data by; or None."""
        return None

    def restore(self, statistics: Arrays) -> Array:
        """Return the observations that have these statistics: by default the first of them."""
        return statistics[0]

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        """Return the most likely constants beside trials of the first eta, in a closed form.

        None is returned if there is no such form. A fit of a law with `several_modes` compares many
        linear predictors by it.

        Parameters
        ----------
        statistics : tuple of ndarray
            Those of n rows.
        first : ndarray of shape (n, m)
            Chart eta of the first parameter of each row, by m trials.
        weight : ndarray of shape (n,), optional

        Returns
        -------
        tuple of ndarray of shape (m,), optional
            Of each trial, what is to be added to `first`, and the chart eta of the other
            parameters.
        """
        return None

    @property
    def dense(self) -> Family:
        """The law beside an atom, of the same parameters and statistics; this one without atoms."""
        return self

    def densities(self, statistics: Arrays) -> Array:
        """Return for each row 1 if its law is a density, 0 if it is a mass.

        The shape is (n,), or 0-d if all are alike. A density is one per unit of y, so that the
        log-likelihood moves with the unit.
        """
        return np.asarray(0.0 if self.support.discrete else 1.0)

    @property
    def movable(self) -> bool:
        """Whether y may be measured from another origin in another unit, within the family."""
        units = {p.unit for p in self.parameters}
        return "location" in units and bool(units & {"scale", "rate"}) and not self.relinked

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit in which a fit measures a `movable` law's observations."""
        return 0.0, 1.0

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        """Return the statistics of observations measured as (y - origin)/unit."""
        return statistics

    def measured(self, origin: float, unit: float) -> Family:
        """Return the law of observations measured so: this one, if it holds no numbers of y."""
        return self

    def smoothings(self) -> tuple[Family, ...]:
        """Return smooth laws that lead to this one, where -log q has cusps.

        They are fitted one after the other, before this one.
        """
        return ()

    # ---------------------------------------------------------------- the law, whole

    @property
    def title(self) -> str:
        """The law's name in words, for tables and messages.

        That of NegativeBinomial is "Negative binomial".
        """
        first, *rest = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).split(" ")
        rest = [word if word.isupper() and len(word) > 1 else word.lower() for word in rest]
        return " ".join([first, *rest])

    @classmethod
    def from_scipy(cls, *_: Any, **parameters: Any) -> tuple[Family, Arrays] | None:
        """Return the family and the natural parameters of the law that scipy calls `scipy_name`.

        The arguments are all of scipy's parameters, by scipy's names, as arrays. None is returned
        if the law is none of this family, as where `loc` shifts the support of a positive law.
        """
        return None

    def predicted(self, theta: Arrays) -> Distribution:
        """Return the law that predictions speak of, with all its parameters.

        It differs from the law of what is observed, whose `log_prob` a score takes, where a wrapper
        observes less than the law's own values (censoring) or holds some of its parameters.
        """
        from skmle.families.distribution import Distribution

        return Distribution.of(self, theta)

    # ---------------------------------------------------------------- derived from the formula

    def rows(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        """Return `evaluate` at linked eta.

        Where links differ from the charts, the chain rule leads through both.
        """
        if not self.relinked:
            return self.evaluate(statistics, eta, order)
        jets = jets_of_charts(self, eta)
        charted = tuple(e if jet is None else jet[0] for e, jet in zip(eta, jets, strict=True))
        return through_links(self.evaluate(statistics, charted, order), jets)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        """Return the expected curvature of -log q at chart `eta`, under the law itself.

        Its form is that of `evaluate`. None is returned if it is not known: where the law of what
        is observed depends on more than eta, as under censoring.
        """
        if self.knows_curvature:
            return self.evaluate(statistics, eta).curvature
        if not (self.univariate and self.observation.numeric and self.regular):
            return None
        return expected_curvature(self, eta)

    def log_prob(self, y: Array, eta: Arrays, rates: bool = False) -> Array:
        """Return log q(y | eta) of each row in nats.

        It is -inf outside the support, and where a link leads out of its parameter's range. With
        `rates`, what a regression `takes` counts as inside: the formula then goes on between whole
        numbers, where it is no log-probability.
        """
        inside = self.takes(y) if rates else self.contains(y)
        if not inside.any():
            return np.full(np.broadcast_shapes(inside.shape, *(np.shape(e) for e in eta)), -np.inf)
        if not inside.all():
            rows = inside if self.observation.columns == 1 else inside[..., None]
            y = np.where(rows, y, y[inside][0])
        # A value of -log q beyond the floating-point numbers is a density of zero.
        with np.errstate(over="ignore"):
            statistics = self.statistics(y)
            value = -(self.rows(statistics, eta, 0).value + self.base(statistics))
        return np.where(inside & ~np.isnan(value), value, -np.inf)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        """Return log q(y) where some parameter stands at an end of its range.

        Of a law that scipy does not have it is the limit that the formula shows: its value far out,
        and infinite where that still moves.
        """
        if self.to_scipy(theta) is not None or self.observation.columns != 1:
            return super().log_prob_at_edge(y, theta)
        from skmle.families.tools.numerical import log_prob_at_edge

        return log_prob_at_edge(self, y, theta)


__all__ = [
    "IDENTITY",
    "LOG",
    "LOGIT",
    "Array",
    "Arrays",
    "Density",
    "Family",
    "Law",
    "Limit",
    "Observation",
    "Param",
    "Rows",
    "Saturated",
    "Shortcuts",
    "Softmax",
    "Stretch",
    "Support",
    "average",
    "triangle",
]
