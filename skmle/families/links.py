"""Links: maps between a parameter's own scale (theta) and the whole real line (eta).

Links are values. `IDENTITY`, `LOG` and `LOGIT` are the *charts*: a family writes its formula on the eta of the chart of
each parameter (real, positive, or inside (0, 1)); any other link is composed with the chart by `transition`, so that no
family ever sees it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Jet = tuple[Array, Array, Array]
"""A function's value and its first two derivatives, at the same points."""


@dataclass(frozen=True)
class Link:
    """A smooth monotone map eta = forward(theta), with its inverse; links of one name are equal.

    Parameters
    ----------
    name : str
        Standard name, as accepted by `get_link`.
    forward : callable
        theta -> eta.
    inverse : callable
        eta -> (theta, d theta / d eta, d^2 theta / d eta^2).
    logit : callable, optional
        For links on (0, 1): eta -> the jet of logit(theta), without loss in the tails.
    """

    name: str
    forward: Callable[[Array], Array] = field(repr=False, compare=False)
    inverse: Callable[[Array], Jet] = field(repr=False, compare=False)
    logit: Callable[[Array], Jet] | None = field(default=None, repr=False, compare=False)

    def theta(self, eta: Array) -> Array:
        """Return the parameter at `eta`."""
        return self.inverse(eta)[0]

    def slope(self, eta: Array) -> Array:
        """Return d theta / d eta, which carries standard errors from eta to theta."""
        return self.inverse(eta)[1]

    def __reduce__(self) -> tuple[Callable[[str], Link], tuple[str]]:
        """Pickle by name: links are built from functions that have no importable name of their own."""
        return get_link, (self.name,)


def _exp(eta: Array) -> Jet:
    value = np.exp(eta)
    return value, value, value


def _expit(eta: Array) -> Jet:
    # t <= 1 never overflows; both tails keep their relative accuracy.
    t = np.exp(-np.abs(eta))
    theta = np.where(eta >= 0, 1.0, t) / (1.0 + t)
    slope = t / (1.0 + t) ** 2
    return theta, slope, slope * (1.0 - 2.0 * theta)


def _probit_inverse(eta: Array) -> Jet:
    from scipy.special import ndtr

    density = np.exp(-0.5 * eta * eta) / np.sqrt(2 * np.pi)
    return ndtr(eta), density, -eta * density


def _probit_logit(eta: Array) -> Jet:
    from scipy.special import erfcx

    # With s = |eta| and half = exp(s^2/2) Phi(-s), nothing under- or overflows; the jet of the other tail is its mirror.
    s = np.abs(eta)
    half = 0.5 * erfcx(np.sqrt(0.5) * s)
    bell = np.exp(-0.5 * s * s)
    above = 1.0 - half * bell  # Phi(s)
    hazard = 1.0 / (np.sqrt(2 * np.pi) * half)  # phi(s)/Phi(-s)
    slope = hazard / above
    bend = slope * (hazard - s - bell / (np.sqrt(2 * np.pi) * above))
    return (
        np.copysign(np.log(above) - np.log(half) + 0.5 * s * s, eta),
        slope,
        np.copysign(bend, eta),
    )


def _probit_forward(theta: Array) -> Array:
    from scipy.special import ndtri

    return ndtri(theta)


def _cloglog_inverse(eta: Array) -> Jet:
    hazard = np.exp(np.minimum(eta, 700.0))
    slope = hazard * np.exp(-hazard)
    return -np.expm1(-hazard), slope, slope * (1.0 - hazard)


def _cloglog_logit(eta: Array) -> Jet:
    # theta = 1 - exp(-h), h = exp(eta): logit(theta) = log(expm1(h)) = h + log(1 - exp(-h)).
    hazard = np.exp(np.clip(eta, -700.0, 700.0))
    below = -np.expm1(-hazard)
    ratio = hazard / below
    value = np.where(
        eta < -30.0, eta + 0.5 * hazard, hazard + np.log(below)
    )  # the next term is h^2/24
    # 1 - ratio exp(-h) = h/2 - h^2/12 + h^4/720 - ..: the difference has no digits left where h is small.
    gap = np.where(
        hazard < 1e-3,
        hazard * (0.5 - hazard / 12.0 * (1.0 - hazard * hazard / 60.0)),
        1.0 - ratio * np.exp(-hazard),
    )
    return value, ratio, ratio * gap


def _loglog_inverse(eta: Array) -> Jet:
    hazard = np.exp(np.minimum(-eta, 700.0))
    theta = np.exp(-hazard)
    slope = hazard * theta
    return theta, slope, slope * (hazard - 1.0)


def _loglog_logit(eta: Array) -> Jet:
    value, slope, curve = _cloglog_logit(-eta)
    return -value, slope, -curve


def _cauchit_inverse(eta: Array) -> Jet:
    # arctan2(1, -eta) is the tail-accurate form of arctan(eta) + pi/2.
    slope = 1.0 / (np.pi * (1.0 + eta * eta))
    return np.arctan2(1.0, -eta) / np.pi, slope, -2.0 * np.pi * eta * slope**2


def _cauchit_logit(eta: Array) -> Jet:
    below, slope, curve = _cauchit_inverse(eta)
    above = np.arctan2(1.0, eta) / np.pi
    odds = slope / (below * above)
    return np.log(below) - np.log(above), odds, curve / (below * above) + odds**2 * (below - above)


def _cauchit_forward(theta: Array) -> Array:
    # -cot(pi theta), by the form whose argument is exact: of theta, of theta - 1/2 or of 1 - theta.
    theta = np.asarray(theta, float)
    with np.errstate(divide="ignore"):
        low, high = -1.0 / np.tan(np.pi * theta), 1.0 / np.tan(np.pi * (1.0 - theta))
    return np.where(theta < 0.25, low, np.where(theta > 0.75, high, np.tan(np.pi * (theta - 0.5))))


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
            f"power link: exponent={exponent!r}. Allowed: a finite number other than 0; give 'log' for the limit 0."
        )
    q = 1.0 / exponent

    def inverse(eta: Array) -> Jet:
        theta = np.power(eta, q)
        return theta, q * theta / eta, q * (q - 1.0) * theta / (eta * eta)

    short = f"{exponent:g}"
    return Link(
        f"power({short if float(short) == exponent else exponent})",
        lambda theta: np.power(theta, exponent),
        inverse,
    )


def _named_power(name: str, exponent: float) -> Link:
    link = power(exponent)
    return Link(name, link.forward, link.inverse)


IDENTITY = Link("identity", lambda theta: np.asarray(theta, float), _identity)
LOG = Link("log", lambda theta: np.log(theta), _exp)
LOGIT = Link("logit", lambda theta: np.log(theta) - np.log1p(-theta), _expit)
PROBIT = Link("probit", _probit_forward, _probit_inverse, _probit_logit)
CLOGLOG = Link("cloglog", lambda theta: np.log(-np.log1p(-theta)), _cloglog_inverse, _cloglog_logit)
LOGLOG = Link("loglog", lambda theta: -np.log(-np.log(theta)), _loglog_inverse, _loglog_logit)
CAUCHIT = Link("cauchit", _cauchit_forward, _cauchit_inverse, _cauchit_logit)
INVERSE = _named_power("inverse", -1.0)
SQRT = _named_power("sqrt", 0.5)
SOFTPLUS = Link("softplus", _softplus_forward, _softplus_inverse)

LINKS = {
    link.name: link
    for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG, LOGLOG, CAUCHIT, INVERSE, SQRT, SOFTPLUS)
}
_UNIT = ("logit", "probit", "cloglog", "loglog", "cauchit")


def get_link(link: str | Link) -> Link:
    """Return the link called `link` (a `Link` is returned as it is).

    Raises
    ------
    ValueError
        If no link has that name; the message lists the nearest names.
    """
    if isinstance(link, Link):
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
            f"Unknown link {name!r}. Allowed: power(p) with a number p; give for example 'power(2)'."
        ) from None
    return power(exponent)


def allowed_links(chart: Link) -> tuple[str, ...]:
    """Return the names of the links that can replace `chart` (the family's own link of a parameter)."""
    positive = ("log", "identity", "inverse", "sqrt", "softplus", "power(p)")
    return {
        "identity": ("identity", "log", *positive[2:]),
        "log": positive,
        "logit": (*_UNIT, "identity", "log"),
    }[chart.name]


def transition(link: Link, chart: Link) -> Callable[[Array], Jet]:
    """Return the jet of eta(chart) as a function of eta(link), both of the same parameter."""
    if chart is LOGIT and link.logit is not None:
        return link.logit

    def compose(eta: Array) -> Jet:
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # outside the parameter's domain: nan, which the solver rejects
            theta, slope, curve = link.inverse(eta)
            if chart is IDENTITY:
                return theta, slope, curve
            if chart is LOG:
                first = slope / theta
                return np.log(theta), first, curve / theta - first * first
            spread = theta * (1.0 - theta)
            first = slope / spread
            return (
                np.log(theta) - np.log1p(-theta),
                first,
                curve / spread + first * first * (2.0 * theta - 1.0),
            )

    return compose
