"""Links: maps between a parameter's own scale (theta) and the real line (eta).

Links are values. Every parameter of a family has a link on whose eta its formula is written, its
*chart*; the domain of the chart is the parameter's range. Any other link that `fits` the chart is
composed with it by `transition`, so that no family ever sees it. The library's charts are
`IDENTITY`, `LOG` and `LOGIT`; a link of your own works as either.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.tools.probability_links import (
    Array,
    Jet,
    cauchit_forward,
    cauchit_inverse,
    cauchit_logit,
    cloglog_inverse,
    cloglog_logit,
    expit,
    log_logit,
    loglog_inverse,
    loglog_logit,
    probit_forward,
    probit_inverse,
    probit_logit,
)


@dataclass(frozen=True)
class Link:
    """A smooth monotone map eta = forward(theta), with its inverse.

    Links are equal if their names and functions are. A link of your own is pickled with the names
    of its functions, so these must be importable: functions of a module, not lambdas.

    Parameters
    ----------
    name : str
        What tables and messages call it; the names of the library (`LINKS`) are taken.
    forward : callable
        theta -> eta.
    inverse : callable
        eta -> (theta, d theta / d eta, d^2 theta / d eta^2).
    logit : callable, optional
        For links on (0, 1): eta -> the jet of logit(theta), without loss in the tails.
    domain : tuple of two floats, default=(-inf, inf)
        The open interval of the theta that have an eta; of a chart, the parameter's range. Its ends
        may be given to a `Distribution`; their eta is infinite or the end of what eta can be.
    pure : bool, optional
        Whether eta is a pure number, so that its size has a meaning, rather than a quantity in some
        power of y's unit. By default it is one where the domain is bounded, as that of a
        probability is.
    partial : bool, default=False
        Whether the link may also serve a parameter whose range is only a part of its domain, as the
        logarithm does a probability. Steps of a fit that leave the range are then taken back.
    push : callable, optional
        The jet of theta in any variable, as three arguments -> the jet of eta in that variable. It
        is what a chart is asked for; by default it follows from `forward` and `inverse`.

    Examples
    --------
    Fisher's z of a correlation, as a chart or as a link:

    >>> import numpy as np
    >>> from skmle.families import Link
    >>> def z_inverse(eta):
    ...     rho = np.tanh(eta)
    ...     slope = 1.0 - rho * rho
    ...     return rho, slope, -2.0 * rho * slope
    >>> fisher_z = Link("fisher_z", np.arctanh, z_inverse, domain=(-1.0, 1.0))
    >>> float(fisher_z.theta(fisher_z.forward(0.25)))
    0.25
    """

    name: str
    forward: Callable[[Array], Array] = field(repr=False, hash=False)
    inverse: Callable[[Array], Jet] = field(repr=False, hash=False)
    logit: Callable[[Array], Jet] | None = field(default=None, repr=False, hash=False)
    domain: tuple[float, float] = field(default=(-np.inf, np.inf), repr=False)
    pure: bool | None = field(default=None, repr=False)
    partial: bool = field(default=False, repr=False)
    push: Callable[[Array, Array, Array], Jet] | None = field(default=None, repr=False, hash=False)

    def __post_init__(self) -> None:
        low, high = self.domain
        if not low < high:
            raise ValueError(
                f"Link {self.name!r}: domain=({low:g}, {high:g}) is no interval. "
                "Allowed: two numbers, the smaller first; infinite ones are. Give such a pair."
            )

    def eta(self, theta: Array) -> Array:
        """Return eta at `theta`; infinite at some ends of the domain, nan outside of it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.outside(theta), np.nan, np.asarray(self.forward(theta), float))

    def theta(self, eta: Array) -> Array:
        """Return the parameter at `eta`."""
        # It is infinite far out on the way to no maximum, and at some ends of what eta can be.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return self.inverse(eta)[0]

    def slope(self, eta: Array) -> Array:
        """Return d theta / d eta, which carries standard errors from eta to theta."""
        return self.inverse(eta)[1]

    @property
    def bounded(self) -> bool:
        """Whether both ends of the domain are finite."""
        return bool(np.isfinite(self.domain).all())

    @property
    def dimensionless(self) -> bool:
        """Whether eta is a pure number, so that its size has a meaning."""
        return self.bounded if self.pure is None else self.pure

    @property
    def onto(self) -> bool:
        """Whether eta takes every real value."""
        return all(np.isinf(end) for end in self._ends())

    @property
    def rising(self) -> bool:
        """Whether eta rises with theta; else it falls."""
        first, last = self._ends()
        return first < last

    @property
    def fades(self) -> bool:
        """Whether theta tends to a finite value as eta, which is no pure number, grows."""
        pairs = zip(self.domain, self._ends(), strict=True)
        return not self.dimensionless and any(np.isfinite(e) and np.isinf(at) for e, at in pairs)

    def _ends(self) -> tuple[float, float]:
        """Return eta at the ends of the domain."""
        return self._at(*self.domain)

    def _at(self, *theta: float) -> tuple[float, float]:
        """Return eta at two values of theta, which may be ends of the domain."""
        with np.errstate(all="ignore"):
            first, last = (float(self.forward(np.asarray(end, float))) for end in theta)
        return first, last

    def etas(self, chart: Link) -> tuple[float, float]:
        """Return the open interval of the eta of a parameter whose chart is `chart`.

        There the link is monotone and the parameter is in its range. A fit stays inside.
        """
        low, high = max(self.domain[0], chart.domain[0]), min(self.domain[1], chart.domain[1])
        first, last = sorted(self._at(low, high))
        return first, last

    @property
    def spans_zero(self) -> bool:
        """Whether a parameter of this chart may be zero, so that it can be tested whether it is."""
        return self.domain[0] < 0.0 < self.domain[1]

    @property
    def interval(self) -> str:
        """The domain in words."""
        return f"({self.domain[0]:g}, {self.domain[1]:g})"

    def outside(self, theta: Array) -> NDArray[np.bool_]:
        """Return where theta lies neither in the domain nor at an end of it."""
        return (theta < self.domain[0]) | (theta > self.domain[1])

    def bounds(self, name: str) -> str:
        """Return what a parameter `name` of this chart may be, in words, its ends included."""
        low, high = (f"{end:g}" if np.isfinite(end) else "" for end in self.domain)
        if low and high:
            return f"{low} <= {name} <= {high}"
        return f"{name} >= {low}" if low else f"{name} <= {high}" if high else "any number"

    def of(self, theta: Array, slope: Array, curve: Array) -> Jet:
        """Return the jet of eta from that of theta in the same variable; nan outside the domain."""
        if self.push is not None:
            return self.push(theta, slope, curve)
        eta = np.where(self.outside(theta), np.nan, self.forward(theta))
        _, first, second = self.inverse(eta)
        rise = slope / first
        return eta, rise, (curve - second * rise * rise) / first

    def __reduce__(self) -> tuple[Callable[..., Link], tuple[Any, ...]]:
        """Pickle the library's links by name: their functions have no importable names."""
        if LINKS.get(self.name) is self:
            return get_link, (self.name,)
        optional = (self.logit, self.domain, self.pure, self.partial, self.push)
        return Link, (self.name, self.forward, self.inverse, *optional)


def _exp(eta: Array) -> Jet:
    value = np.exp(eta)
    return value, value, value


def _softplus_inverse(eta: Array) -> Jet:
    t = np.exp(-np.abs(eta))
    theta = np.maximum(eta, 0.0) + np.log1p(t)
    slope = np.where(eta >= 0, 1.0, t) / (1.0 + t)
    return theta, slope, t / (1.0 + t) ** 2


def _softplus_forward(theta: Array) -> Array:
    return theta + np.log(-np.expm1(-theta))


def _identity(eta: Array) -> Jet:
    eta = np.asarray(eta, float)
    return eta, np.ones_like(eta), np.zeros_like(eta)


def _same(theta: Array, slope: Array, curve: Array) -> Jet:
    return theta, slope, curve


def _log_of(theta: Array, slope: Array, curve: Array) -> Jet:
    first = slope / theta
    return np.log(theta), first, curve / theta - first * first


def _logit_of(theta: Array, slope: Array, curve: Array) -> Jet:
    spread = theta * (1.0 - theta)
    first = slope / spread
    bend = curve / spread + first * first * (2.0 * theta - 1.0)
    return np.log(theta) - np.log1p(-theta), first, bend


@dataclass(frozen=True)
class _Power:
    """theta -> theta**exponent, equal by its exponent and with a name to be pickled by."""

    exponent: float

    def __call__(self, theta: Array) -> Array:
        return np.power(theta, self.exponent)


@dataclass(frozen=True)
class _Root:
    """The inverse of `_Power`."""

    exponent: float

    def __call__(self, eta: Array) -> Jet:
        q = 1.0 / self.exponent
        theta = np.power(eta, q)
        return theta, q * theta / eta, q * (q - 1.0) * theta / (eta * eta)


def power(exponent: float) -> Link:
    """Return the link eta = theta**exponent for positive theta (`exponent` not 0).

    Examples
    --------
    >>> from skmle.families.links import power
    >>> float(power(2.0).theta(9.0))
    3.0
    """
    exponent = float(exponent)
    if exponent == 0.0 or not np.isfinite(exponent):
        raise ValueError(
            f"power link: exponent={exponent!r}. Allowed: a finite number other than 0; give 'log' "
            "for the limit 0."
        )
    short = f"{exponent:g}"
    name = f"power({short if float(short) == exponent else exponent})"
    return _power(name, exponent)


def _power(name: str, exponent: float) -> Link:
    return Link(name, _Power(exponent), _Root(exponent), domain=_POSITIVE)


_POSITIVE = (0.0, np.inf)
_UNIT = (0.0, 1.0)

# Differences and ratios are read of probabilities and of all other parts of their domains, too.
IDENTITY = Link(
    "identity", lambda theta: np.asarray(theta, float), _identity, partial=True, push=_same
)
LOG = Link(
    "log",
    lambda theta: np.log(theta),
    _exp,
    domain=_POSITIVE,
    logit=log_logit,
    pure=True,
    partial=True,
    push=_log_of,
)
LOGIT = Link(
    "logit",
    lambda theta: np.log(theta) - np.log1p(-theta),
    expit,
    domain=_UNIT,
    push=_logit_of,
)
PROBIT = Link("probit", probit_forward, probit_inverse, probit_logit, domain=_UNIT)
CLOGLOG = Link(
    "cloglog",
    lambda theta: np.log(-np.log1p(-theta)),
    cloglog_inverse,
    cloglog_logit,
    domain=_UNIT,
)
LOGLOG = Link(
    "loglog", lambda theta: -np.log(-np.log(theta)), loglog_inverse, loglog_logit, domain=_UNIT
)
CAUCHIT = Link("cauchit", cauchit_forward, cauchit_inverse, cauchit_logit, domain=_UNIT)
INVERSE = _power("inverse", -1.0)
SQRT = _power("sqrt", 0.5)
SOFTPLUS = Link("softplus", _softplus_forward, _softplus_inverse, domain=_POSITIVE)

LINKS = {
    link.name: link
    for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG, LOGLOG, CAUCHIT, INVERSE, SQRT, SOFTPLUS)
}


def get_link(link: str | Link) -> Link:
    """Return the link called `link` (a `Link` is returned as it is).

    Raises
    ------
    ValueError
        If no link has that name (the message lists the nearest names), or if a link of your own has
        the name of one of the library's.
    """
    if isinstance(link, Link):
        if LINKS.get(link.name, link) != link:
            raise ValueError(
                f"Link {link.name!r}: the library has another link of that name. "
                f"Allowed: any name but {', '.join(LINKS)}. Rename it."
            )
        return link
    if isinstance(link, str):
        if link in LINKS:
            return LINKS[link]
        if link.startswith("power(") and link.endswith(")"):
            return _parsed_power(link)
    near = difflib.get_close_matches(str(link), LINKS, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "choose one of them."
    raise ValueError(f"Unknown link {link!r}. Allowed: {', '.join(LINKS)}, power(p); {hint}")


def _parsed_power(name: str) -> Link:
    try:
        exponent = float(name[len("power(") : -1])
    except ValueError:
        raise ValueError(
            f"Unknown link {name!r}. Allowed: power(p) with a number p; give for example "
            "'power(2)'."
        ) from None
    return power(exponent)


def fits(link: Link, chart: Link) -> bool:
    """Whether a parameter whose chart is `chart` may be given `link` instead.

    A link whose domain is wider (the identity of a variance) fits if it is made for parts of its
    domain. A link whose domain is narrower (the logarithm of a mean that may be negative) restricts
    the model. It fits unless its domain is bounded and the range is not: a quantity with a unit
    lies in no bounded interval whatever the unit.
    """
    (low, high), (first, last) = link.domain, chart.domain
    if link.domain == chart.domain:
        return True
    if low <= first and last <= high:
        return link.partial
    return first <= low and high <= last and (chart.bounded or not link.bounded)


def allowed_links(chart: Link) -> tuple[str, ...]:
    """Return the names of the library's links that fit a chart; those of the same domain first."""
    known = {**LINKS, "power(p)": power(2.0)}
    fitting = {name: link for name, link in known.items() if fits(link, chart)}
    return tuple(sorted(fitting, key=lambda name: fitting[name].domain != chart.domain))


@lru_cache(maxsize=256)
def etas_of(link: Link, chart: Link) -> tuple[float, float]:
    """Return `link.etas(chart)`, kept: a fit asks for it at each evaluation."""
    return (-np.inf, np.inf) if link is chart else link.etas(chart)


def transition(link: Link, chart: Link) -> Callable[[Array], Jet]:
    """Return the jet of eta(chart) as a function of eta(link), both of the same parameter.

    It is nan outside the interval of `Link.etas`, so that a solver rejects steps that leave it.
    """
    low, high = etas_of(link, chart)

    def compose(eta: Array) -> Jet:
        with np.errstate(divide="ignore", invalid="ignore"):
            if chart is LOGIT and link.logit is not None:
                jet = link.logit(eta)
            else:
                jet = chart.of(*link.inverse(eta))
            if low == -np.inf and high == np.inf:
                return jet
            value, slope, curve = jet
            return np.where((low < eta) & (eta < high), value, np.nan), slope, curve

    return compose
