"""What a family is: a parametric law q(y | eta) whose every eta runs over the whole real line."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skmle.families.links import IDENTITY, LOG, LOGIT, Link, allowed_links, get_link, transition

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]


class Rows(NamedTuple):
    """-log q of each row, without the terms that depend on y only, and its derivatives in eta.

    Exactly what the order asks for is there: the value alone (0), the gradient too (1), the curvature
    too (2); the rest is None. Entries are (n,) arrays, or 0-d where they are the same for all rows,
    and the engine broadcasts them. A law whose support moves with its parameters has the value alone.
    """

    value: Array
    gradient: Sequence[Array] | None = None
    """k entries: the derivative in each eta."""
    curvature: tuple[Array | None, ...] | Softmax | None = None
    """Second derivatives: the upper triangle, row by row, 00, 01, .., 11, ..; an entry None is zero."""

    def upto(self, order: int) -> Rows:
        """Return the rows without the derivatives beyond an order, for formulas that make all at once."""
        gradient = self.gradient if order > 0 else None
        return Rows(self.value, gradient, self.curvature if order > 1 else None)

    @property
    def packed(self) -> tuple[Array | None, ...]:
        """The curvature as an upper triangle, for whoever combines it with another."""
        assert self.curvature is not None
        return self.curvature.packed() if isinstance(self.curvature, Softmax) else self.curvature


class Softmax(NamedTuple):
    """The curvature diag(P) - P P' of a categorical row, by its K - 1 probabilities.

    Its k(k+1)/2 arrays are not formed unless `packed` asks for them.
    """

    probabilities: Array
    """(k, n), or (k, 1) where they are the same for all rows."""

    def packed(self) -> tuple[Array, ...]:
        """Return the upper triangle, row by row."""
        p = self.probabilities
        return tuple(p[a] * (float(a == b) - p[b]) for a, b in triangle(len(p)))


def triangle(k: int) -> list[tuple[int, int]]:
    """Return the places of a packed upper triangle in their order: 00, 01, .., 11, .."""
    return [(a, b) for a in range(k) for b in range(a, k)]


class Param(NamedTuple):
    """A parameter of a family: its name, and how the eta of the family's formula is read."""

    name: str
    chart: Link
    """The link on whose eta the formula is written."""
    unit: str = ""
    """How eta moves when y, or the first statistic of y, is measured as (y - origin)/unit.

    "location": eta = (eta - origin)/unit; "scale": eta - log unit; "rate": eta + log unit; "": not at
    all. A fit of a law with a location measures y in units of its own spread.
    """
    modelled: bool = False
    """Whether a regression lets it depend on all features unless told otherwise, as one does the first
    parameter of a family in which no parameter says so."""
    intercept: bool = True
    """Whether its linear predictor may have an intercept."""


class Observation(NamedTuple):
    """What one observation of a family is."""

    columns: int | None = 1
    """How many columns it has; None: any number."""
    numeric: bool = True
    """Whether it is made of numbers; else it is a label of any type."""
    finite: bool = True
    """Whether its numbers are finite; else infinite ones are let through to `Family.contains`."""


class Shortcuts(NamedTuple):
    """What the engine may leave out in fits of a family. The defaults are right for every family."""

    starts: Literal["near", "maximum", "final"] = "near"
    """What `starts` are for a density: "near" its maximum; the "maximum", which the engine confirms by
    the derivatives there; or the "final" maximum, which no derivative can confirm (cusps, edges)."""
    sums: Literal["rows", "statistics", "base"] = "rows"
    """What a density needs of its data: all "rows"; the one row that `collapse` makes of the
    "statistics", as where `evaluate` is affine in them; or this row alone, also for the sum of `base`,
    which is affine in the statistics too. A wrong claim makes the fit of a density wrong."""


class Limit(NamedTuple):
    """The law that a family tends to where one parameter runs to an end of its range."""

    parameter: str
    value: float
    """The parameter's limit on its own scale, such as 0 or inf."""
    family: type[Family]
    """The limit law; its parameters have the same names as the rest of this family's, and both have y as their only statistic."""


@dataclass(frozen=True)
class Support:
    """The set of possible observations: an interval, or the whole numbers in it."""

    low: float = -np.inf
    high: float = np.inf
    closed: tuple[bool, bool] = (False, False)
    discrete: bool = False
    whole: bool = False
    """Whether y must be a whole number (a discrete law may still be fitted to real y, as rates are)."""
    fixed: bool = True
    """Whether it is the same for all parameters, so that the usual standard errors hold."""

    def contains(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row whether it lies in the support."""
        inside = (y >= self.low) if self.closed[0] else (y > self.low)
        inside &= (y <= self.high) if self.closed[1] else (y < self.high)
        return inside & (y == np.floor(y)) if self.whole else inside

    def __str__(self) -> str:
        if not (np.isfinite(self.low) or np.isfinite(self.high)):
            return "finite real numbers"
        signs = [" <= " if closed else " < " for closed in self.closed]
        left = f"{self.low:g}{signs[0]}" if np.isfinite(self.low) and np.isfinite(self.high) else ""
        right = (
            f"{signs[1]}{self.high:g}"
            if np.isfinite(self.high)
            else f"{signs[0].replace('<', '>')}{self.low:g}"
        )
        return f"{left}y{right}" + (", whole numbers" if self.whole else "")


class Family(BaseEstimator, ABC):
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
    observation: Observation = Observation()
    shortcuts: Shortcuts = Shortcuts()
    redundant: ClassVar[bool] = False
    """Whether a constant added to all eta changes nothing: the engine then holds one of the constants."""
    limits: tuple[Limit, ...] = ()

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

    def contains(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row of y whether it lies in the support."""
        return self.support.contains(y)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        """Return lim f(eta + t delta)/t of each row as t -> inf, f = -log q; None if no limit is known.

        A direction along which no row rises and some fall has no maximum at a finite place: separation.
        """
        return None

    def saturated(self, statistics: Arrays) -> tuple[Array, tuple[float, ...]] | None:
        """Return chart eta that interpolate y: rows of the first parameter, constants of the others; None if bounded.

        The density grows without bound there: the scale goes to zero.
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
        """Return the observations of the statistics of a discrete law that needs their counts."""
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
        return None if limit is None else ((float(limit[0][0]), *limit[1]), reason)

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

    def mirrored(self, theta: Arrays) -> Arrays | None:
        """Return the parameters of the law of 1 - Y, for laws on (0, 1) that may be infinite at 1; None for all others.

        Floating-point numbers are coarse next to 1 and fine next to 0, so that integrals up to 1 are taken of the mirror.
        """
        return None

    # ---------------------------------------------------------------- natural parameters

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the natural parameters."""
        return tuple(p.name for p in self.parameters)

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
        return param.chart if chosen is None else get_link(chosen)

    def dimensionless(self, index: int) -> bool:
        """Whether eta of this parameter is a pure number, so that its size has a meaning; else it has units of y."""
        return self.link(index).name in ("log", "logit", "probit", "cloglog", "loglog", "cauchit")

    def check_links(self) -> None:
        """Raise ValueError if `links` names an unknown parameter or a link outside that parameter's range."""
        if not self.links:
            return
        known = {p.name: p for p in self.parameters}
        for name, link in self.links.items():
            if name not in known:
                unknown = f"{type(self).__name__}(links=...): unknown parameter {name!r}"
                raise ValueError(f"{unknown}. Allowed: {', '.join(known)}. Rename the key.")
            resolved, allowed = get_link(link), allowed_links(known[name].chart)
            if resolved.name.split("(")[0] not in [a.split("(")[0] for a in allowed]:
                raise ValueError(
                    f"{type(self).__name__}(links=...): link {resolved.name!r} does not map onto the range of {name!r}. "
                    f"Allowed: {', '.join(allowed)}. Choose one of them."
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

    def law(self, theta: Arrays) -> tuple[Family, dict[str, Array]]:
        """Return the complete law and all its natural parameters by name (a wrapper adds those it holds fixed)."""
        return self, dict(zip(self.names, theta, strict=True))

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
        assert isinstance(inner.curvature, tuple) and not isinstance(
            inner.curvature, Softmax
        )  # its chart is its only link
        curvature: list[Array | None] = []
        packed = iter(inner.curvature)
        for a in range(len(eta)):
            for b in range(a, len(eta)):
                entry = next(packed)
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
        with np.errstate(
            over="ignore"
        ):  # -log q beyond the floating-point numbers: a density of zero
            statistics = self.statistics(y)
            value = -(self.rows(statistics, eta, 0).value + self.base(statistics))
        return np.where(inside & ~np.isnan(value), value, -np.inf)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        """Return log q(y) where some parameter stands at an end of its range, at which the formula in eta has no value."""
        law = self.to_scipy(theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                self.contains(y), (law.logpmf if self.support.discrete else law.logpdf)(y), -np.inf
            )

    # ---------------------------------------------------------------- the law itself, by natural parameters

    @abstractmethod
    def to_scipy(self, theta: Arrays) -> Any:
        """Return the frozen scipy.stats distribution with these natural parameters."""

    def mean(self, theta: Arrays) -> Array:
        """Return E[y]; nan or inf where it does not exist."""
        return np.asarray(self.to_scipy(theta).mean(), float)

    def variance(self, theta: Arrays) -> Array:
        """Return Var[y]; nan or inf where it does not exist."""
        return np.asarray(self.to_scipy(theta).var(), float)

    def cdf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y <= y)."""
        return np.asarray(self.to_scipy(theta).cdf(y), float)

    def sf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y > y), accurate in the upper tail."""
        return np.asarray(self.to_scipy(theta).sf(y), float)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        """Return the smallest y with P(Y <= y) >= q."""
        return np.asarray(self.to_scipy(theta).ppf(q), float)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        """Return the smallest y with P(Y > y) <= q, accurate for small q of continuous laws."""
        return np.asarray(self.to_scipy(theta).isf(q), float)

    def entropy(self, theta: Arrays) -> Array:
        """Return E[-log q(Y)] in nats."""
        return np.asarray(self.to_scipy(theta).entropy(), float)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw an array of shape `size`, with which the parameters broadcast."""
        return np.asarray(self.to_scipy(theta).rvs(size=size, random_state=rng), float)


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
    "Limit",
    "Observation",
    "Param",
    "Rows",
    "Shortcuts",
    "Softmax",
    "Support",
    "average",
    "triangle",
]
