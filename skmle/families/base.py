"""What a family is: a parametric law q(y | eta) whose every eta runs over the whole real line."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skmle.families.algebra import differences
from skmle.families.law import Law
from skmle.families.links import (
    IDENTITY,
    LOG,
    LOGIT,
    Link,
    allowed_links,
    fits,
    get_link,
    transition,
)
from skmle.families.records import (
    Array,
    Arrays,
    Observation,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Softmax,
    Support,
    triangle,
)

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution


def _as_they_are(statistics: Arrays) -> Arrays:
    return statistics


class Limit(NamedTuple):
    """The law that a family tends to where one parameter runs to an end of its range."""

    parameter: str
    value: float
    """The parameter's limit on its own scale, such as 0 or inf."""
    family: Family
    """The limit law; its parameters have the names of the rest of this family's."""
    observe: Callable[[Arrays], Arrays] = _as_they_are
    """The limit law's statistics from those of this family."""


class Family(Law, BaseEstimator):
    """A law q(y | eta) to be fitted, with k parameters that may each depend on features.

    A subclass states `parameters`, `support` and one formula, `evaluate`; everything else is derived from it. *Chart*
    eta are those of the formula (real, log or logit by parameter); *linked* eta are those of the links that the user
    chose. Only `evaluate`, `starts`, `recession` and `saturated` speak chart eta; all other methods take linked eta or
    `theta`, the tuple of natural parameters.

    Parameters
    ----------
    links : dict of str to str or Link, optional
        A link for some parameters, in place of the family's own: ``Gamma(links={"mean": "inverse"})``.
    """

    parameters: tuple[Param, ...]
    support: Support = Support()
    scipy_name: ClassVar[str] = ""
    """The distribution of scipy.stats that `from_scipy` reads; empty if there is none."""
    observation: Observation = Observation()
    shortcuts: Shortcuts = Shortcuts()
    redundant: ClassVar[bool] = False
    """Whether a constant added to all eta changes nothing: the engine then holds one of the constants."""

    cusps: ClassVar[bool] = False
    """Whether -log q has cusps in y: intervals of y are then not integrated from a few points."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limit laws, under the links of this one."""
        return ()

    def __init__(self, *, links: Mapping[str, str | Link] | None = None) -> None:
        self.links = links

    # ---------------------------------------------------------------- the formula

    @abstractmethod
    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        """Return -log q of each row at chart `eta`, without `base`; derivatives up to `order` (0, 1 or 2)."""

    def statistics(self, y: Array) -> Arrays:
        """Return all that `evaluate` needs of y, (n,) or (n, m) arrays; computed once a fit."""
        return (y,)

    def base(self, statistics: Arrays) -> Array:
        """Return the terms of -log q that depend on y only, (n,) or 0-d; once a fit, never per pass."""
        return np.zeros(())

    @abstractmethod
    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return one or several starts for constant chart eta; the exact maximum where a closed form exists.

        `weight` is that of the rows, (n,), or None where all count alike.
        `statistics` may have been replaced by one row that stands for all, if `shortcuts.sums` says so.
        """

    # ---------------------------------------------------------------- what a family may add

    def adapt(self, y: Array) -> Family:
        """Return this family with whatever it must learn from the data first (categories, dimension)."""
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

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        """Return -log P(Y > y) (`upper`) or -log P(Y <= y) of each row at chart `eta`, as `evaluate` does -log q.

        By default from differences of `log_tail`: see `skmle.families.algebra.differences`.
        """
        y = self.restore(statistics)

        def value(moved: Arrays) -> Array:
            pairs = zip(self.parameters, moved, strict=True)
            return -self.log_tail(y, tuple(p.chart.theta(e) for p, e in pairs), upper)

        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return differences(value, eta, order)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        """Return lim f(eta + t delta)/t of each row as t -> inf, f = -log q; None if no limit is known.

        A direction along which no row rises and some fall has no maximum at a finite place: separation.
        """
        return None

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Return parameters on the way to where they interpolate y and the density grows without bound.

        None if the density is bounded.
        """
        return None

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        """Return the one row that stands for all in a density of a family with `shortcuts.sums`: their mean."""
        return tuple(np.atleast_1d(average(s, weight)) for s in statistics)

    @property
    def condensable(self) -> bool:
        """Whether a density needs less of its data than all rows: one that stands for all, or the distinct values and their counts."""
        counted = self.support.discrete and self.observation.columns == 1
        return self.shortcuts.sums != "rows" or counted

    def restore(self, statistics: Arrays) -> Array:
        """Return the observations that have these statistics: by default the first of them."""
        return statistics[0]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return constant chart eta on the way to an infinite likelihood of a density, and why; None if it is bounded."""
        first = statistics[0]
        if first.ndim > 1 or not np.all(first == first[0]):
            return None
        limit = self.saturated(statistics)
        reason = "all observations are equal, so the density grows without bound around them"
        return None if limit is None else ((float(limit.first[0]), *limit.others), reason)

    def densities(self, statistics: Arrays) -> Array:
        """Return for each row 1 if its law is a density, 0 if it is a mass: (n,), or 0-d if all are alike.

        A density is one per unit of y, so that the log-likelihood moves with the unit.
        """
        return np.asarray(0.0 if self.support.discrete else 1.0)

    @property
    def movable(self) -> bool:
        """Whether y may be measured from another origin in another unit: the law stays in the family."""
        return any(p.unit == "location" for p in self.parameters) and not self.relinked

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit in which a fit measures the observations of a `movable` law."""
        return 0.0, 1.0

    def standardise(self, statistics: Arrays, origin: float, unit: float) -> Arrays:
        """Return the statistics of observations measured as (y - origin)/unit."""
        return statistics

    def smoothings(self) -> tuple[Family, ...]:
        """Return smooth laws that lead to this one, to be fitted in turn before it, where -log q has cusps."""
        return ()

    # ---------------------------------------------------------------- natural parameters

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the natural parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def predicted_names(self) -> tuple[str, ...]:
        """Names of the parameters of the law that predictions speak of, those that are held included."""
        return self.names

    @property
    def modelled(self) -> tuple[str, ...]:
        """The parameters that a regression lets depend on all features unless told otherwise.

        Those that say so themselves (`Param.modelled`); the first, if none does.
        """
        flagged = tuple(p.name for p in self.parameters if p.modelled)
        return flagged or tuple(p.name for p in self.parameters[:1])

    def link(self, index: int) -> Link:
        """Return the link in force of parameter `index`."""
        param = self.parameters[index]
        chosen = (self.links or {}).get(param.name)
        if chosen is None or (link := get_link(chosen)) == param.chart:
            return param.chart  # the object itself, also where the links are copies
        return link

    def dimensionless(self, index: int) -> bool:
        """Whether eta of this parameter is a pure number, so that its size has a meaning; else it has units of y."""
        return self.link(index).dimensionless

    def links_of(self, names: Sequence[str]) -> dict[str, str | Link] | None:
        """Return those of the chosen links that are of the named parameters; None if there are none."""
        return {name: link for name, link in (self.links or {}).items() if name in names} or None

    def check_links(self) -> None:
        """Raise ValueError if `links` names an unknown parameter or a link outside that parameter's range."""
        if not self.links:
            return
        known = {p.name: p for p in self.parameters}
        for name, link in self.links.items():
            if name not in known:
                unknown = f"{type(self).__name__}(links=...): unknown parameter {name!r}"
                raise ValueError(f"{unknown}. Allowed: {', '.join(known)}. Rename the key.")
            resolved, chart = get_link(link), known[name].chart
            if not fits(resolved, chart):
                raise ValueError(
                    f"{type(self).__name__}(links=...): link {resolved.name!r} does not map onto the range of {name!r}. "
                    f"Allowed: {', '.join(allowed_links(chart))}, "
                    f"or a Link with the domain {chart.interval}. Choose one of them."
                )

    @property
    def relinked(self) -> bool:
        """Whether any link differs from its chart."""
        return bool(self.links) and any(
            self.link(j) is not p.chart for j, p in enumerate(self.parameters)
        )

    def natural(self, eta: Arrays) -> Arrays:
        """Return theta, the natural parameters, at linked `eta`."""
        return tuple(self.link(j).theta(np.asarray(e, float)) for j, e in enumerate(eta))

    @property
    def title(self) -> str:
        """The law's name in words, for tables and messages: that of NegativeBinomial is "Negative binomial"."""
        first, *rest = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).split(" ")
        return " ".join(
            [first, *(word if word.isupper() and len(word) > 1 else word.lower() for word in rest)]
        )

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

        return Distribution(self, dict(zip(self.names, theta, strict=True)))

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        """Return d theta / d eta at constant linked `eta`, of shape (number of natural values, k)."""
        return np.diag([float(self.link(j).slope(np.asarray(e, float))) for j, e in enumerate(eta)])

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a label for each row of `natural_jacobian`; `columns` are the names of those of an observation."""
        return self.names

    def natural_charts(self) -> tuple[Link, ...]:
        """Return for each row of `natural_jacobian` the chart of its range, on whose eta an interval stays inside."""
        return tuple(p.chart for p in self.parameters)

    def linked(self, chart_eta: Arrays) -> Arrays:
        """Return the linked eta of chart eta."""
        pairs = (
            (self.link(j), p.chart, np.asarray(e, float))
            for j, (p, e) in enumerate(zip(self.parameters, chart_eta, strict=True))
        )
        return tuple(
            e if link is chart else np.asarray(link.forward(chart.theta(e)), float)
            for link, chart, e in pairs
        )

    def chart(self, eta: Arrays) -> Arrays:
        """Return the chart eta of linked eta."""
        if not self.relinked:
            return eta
        pairs = (
            (self.link(j), p.chart, np.asarray(e, float))
            for j, (p, e) in enumerate(zip(self.parameters, eta, strict=True))
        )
        return tuple(
            e if link is chart else transition(link, chart)(e)[0] for link, chart, e in pairs
        )

    def eta(self, theta: Arrays) -> Arrays:
        """Return the linked eta of natural parameters; infinite where a parameter stands at an end of its range."""
        with np.errstate(divide="ignore"):
            return tuple(
                np.asarray(self.link(j).forward(np.asarray(t, float)), float)
                for j, t in enumerate(theta)
            )

    # ---------------------------------------------------------------- derived from the formula

    def rows(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        """Return `evaluate` at linked eta: the chain rule through the links, where they differ from the charts."""
        if not self.relinked:
            return self.evaluate(statistics, eta, order)
        jets = [
            None if self.link(j) is p.chart else transition(self.link(j), p.chart)(eta[j])
            for j, p in enumerate(self.parameters)
        ]
        inner = self.evaluate(
            statistics,
            tuple(e if jet is None else jet[0] for e, jet in zip(eta, jets, strict=True)),
            order,
        )
        if inner.gradient is None:
            return inner
        slopes = [np.ones(()) if jet is None else jet[1] for jet in jets]
        gradient = tuple(g * s for g, s in zip(inner.gradient, slopes, strict=True))
        if inner.curvature is None:
            return Rows(inner.value, gradient)
        assert not isinstance(inner.curvature, Softmax)  # whose chart is its only link
        curvature: list[Array | None] = []
        for (a, b), entry in zip(triangle(len(eta)), inner.curvature, strict=True):
            new = None if entry is None else entry * slopes[a] * slopes[b]
            if a == b and (jet := jets[a]) is not None:
                bend = inner.gradient[a] * jet[2]
                new = bend if new is None else new + bend
            curvature.append(new)
        return Rows(inner.value, gradient, tuple(curvature))

    def log_prob(self, y: Array, eta: Arrays) -> Array:
        """Return log q(y | eta) of each row in nats; -inf outside the support, or where a link leads out of its parameter's range."""
        inside = self.contains(y)
        if not inside.any():
            return np.full(np.broadcast_shapes(inside.shape, *(np.shape(e) for e in eta)), -np.inf)
        if not inside.all():
            y = np.where(
                inside if self.observation.columns == 1 else inside[..., None], y, y[inside][0]
            )
        # A value of -log q beyond the floating-point numbers is a density of zero.
        with np.errstate(over="ignore"):
            statistics = self.statistics(y)
            value = -(self.rows(statistics, eta, 0).value + self.base(statistics))
        return np.where(inside & ~np.isnan(value), value, -np.inf)


def average(values: Array, weight: Array | None) -> float:
    """Return the (weighted) mean of the rows of one statistic; exactly 1 of ones, so that data at an edge are recognised."""
    return (
        float(values.sum() / len(values))
        if weight is None
        else float((values * weight).sum() / weight.sum())
    )


__all__ = [
    "IDENTITY",
    "LOG",
    "LOGIT",
    "Array",
    "Arrays",
    "Family",
    "Law",
    "Limit",
    "Observation",
    "Param",
    "Rows",
    "Saturated",
    "Shortcuts",
    "Softmax",
    "Support",
    "average",
    "triangle",
]
