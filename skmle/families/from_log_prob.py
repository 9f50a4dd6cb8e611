"""A law that is a function of the user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Param, Rows, Support
from skmle.families.differences import differences
from skmle.families.links import Link, get_link
from skmle.families.tools.by_tables import ByTables
from skmle.families.tools.checked import check_log_prob
from skmle.families.tools.coarse import coarse_starts
from skmle.families.tools.location_scale import InUnitsOfY
from skmle.families.tools.traced import double_precision, rows_by_jax
from skmle.families.tools.units_seen import units_seen

_SUPPORTS = {
    "real": Support(),
    "positive": Support(0.0),
    "nonnegative": Support(0.0, closed=(True, False)),
    "unit": Support(0.0, 1.0),
    "counts": Support(0.0, closed=(True, False), discrete=True, whole=True),
    "integers": Support(discrete=True, whole=True),
}


class FromLogProb(ByTables, InUnitsOfY):
    """The law whose log-density or log-mass is a function of yours.

    Everything else follows: derivatives by differences (exact ones of a function written with
    ``jax.numpy``), starts from coarse grids, standard errors, and probabilities by integrals or
    sums. At the first fit it is seen whether the function returns a number a row, and whether its
    exponential adds up to one.

    Parameters
    ----------
    log_prob : callable
        ``log_prob(y, *params)`` returns log q of each row in nats. It gets y, (n,), and the natural
        parameters in the order of `params`, as numbers or arrays of shape (n,).
    params : mapping of str to str or Link
        The parameters' names, each with the link that keeps it in its range: ``"identity"`` for
        real numbers, ``"log"`` for positive ones, ``"logit"`` for probabilities. A regression
        models the first unless told otherwise.
    support : str, Support or (float, float), default="real"
        Where y may be: ``"real"``, ``"positive"``, ``"nonnegative"``, ``"unit"``, ``"counts"``,
        ``"integers"``, or the two ends of an open interval.
    cdf : callable, optional
        ``cdf(y, *params)``, P(Y <= y); by default the integral or sum of the density.
    start : mapping of str to float, optional
        Natural parameters to start from; by default the best place of coarse grids.
    links : dict of str to str or Link, optional
        Other links for some parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution, families
    >>> def log_prob(y, loc, scale):  # the Gumbel law
    ...     z = (y - loc) / scale
    ...     return -z - np.exp(-z) - np.log(scale)
    >>> gumbel = families.FromLogProb(log_prob, params={"loc": "identity", "scale": "log"})
    >>> X = np.array([[1.2], [0.4], [3.1], [2.2], [0.9], [1.7]])
    >>> model = MLEDistribution(gumbel).fit(X)
    >>> {name: round(value, 3) for name, value in model.params_.items()}
    {'loc': 1.161, 'scale': 0.73}
    """

    _units: tuple[str, ...] = ()  # learnt by `adapt`: `Param.unit` of each parameter

    def __init__(
        self,
        log_prob: Callable[..., Any],
        params: Mapping[str, str | Link],
        *,
        support: str | Support | tuple[float, float] = "real",
        cdf: Callable[..., Any] | None = None,
        start: Mapping[str, float] | None = None,
        links: Mapping[str, str | Link] | None = None,
    ) -> None:
        super().__init__(links=links)
        # Two of the arguments have the names of methods, so they are kept under others.
        self._function = log_prob
        self.cdf_function = cdf
        self.params = params
        self.where = support
        self.start = start

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return ["cdf", "links", "log_prob", "params", "start", "support"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor by their names."""
        return {
            "log_prob": self._function,
            "params": self.params,
            "support": self.where,
            "cdf": self.cdf_function,
            "start": self.start,
            "links": self.links,
        }

    def set_params(self, **params: Any) -> FromLogProb:
        """Set arguments of the constructor by their names."""
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        return self

    # ---------------------------------------------------------------- what the law is

    @property
    def title(self) -> str:
        return getattr(self._function, "__name__", "a function").strip("_<>").replace("_", " ")

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        if not isinstance(self.params, Mapping):
            raise ValueError(
                f"FromLogProb: params={self.params!r} is a {type(self.params).__name__}. Allowed: "
                "a mapping such as {'loc': 'identity'}. Give each parameter its link."
            )
        units = self._units or ("",) * len(self.params)
        pairs = zip(self.params.items(), units, strict=True)
        return tuple(Param(name, get_link(link), unit=unit) for (name, link), unit in pairs)

    @property
    def support(self) -> Support:  # type: ignore[override]
        if isinstance(self.where, Support):
            return self.where
        if isinstance(self.where, str):
            if self.where not in _SUPPORTS:
                raise ValueError(
                    f"FromLogProb: unknown support {self.where!r}. Allowed: "
                    f"{', '.join(map(repr, _SUPPORTS))}, a Support, or two ends. Give one of them."
                )
            return _SUPPORTS[self.where]
        low, high = self.where
        return Support(float(low), float(high))

    def check_links(self) -> None:
        self._check_order()
        super().check_links()

    def _check_order(self) -> None:
        """Raise ValueError if the function has the names of `params` in another order."""
        try:
            _, *names = inspect.signature(self._function).parameters
        except (TypeError, ValueError):
            return  # it does not tell them
        if names != list(self.params) and sorted(names) == sorted(self.params):
            raise ValueError(
                f"FromLogProb: params has {', '.join(self.params)}, but the function takes "
                f"{', '.join(names)}, and parameters are handed over in the order of params. "
                "Allowed: one order. List params as the function takes them."
            )

    def adapt(self, y: Array) -> Family:
        y = np.asarray(y, float)
        eta = check_log_prob(self, self._function, y)
        learnt = copy(self)
        line = np.isinf([self.support.low, self.support.high]).all()
        if line and not self.support.discrete and self.start is None:
            learnt._units = units_seen(self._at, self.parameters, y, eta)
        return learnt

    # ---------------------------------------------------------------- the formula

    def values(self, y: Array, theta: Arrays) -> Array:
        with np.errstate(all="ignore"), double_precision():
            found = np.asarray(self._function(y, *theta), float)
        return np.where(np.isnan(found), -np.inf, found)

    def _at(self, y: Array, eta: Arrays) -> Array:
        pairs = zip(self.parameters, eta, strict=True)
        return -self.values(y, tuple(param.chart.theta(e) for param, e in pairs))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        (y,) = statistics
        entries = tuple(np.asarray(e, float) for e in eta)
        charts = tuple(param.chart for param in self.parameters)
        with np.errstate(all="ignore"):  # some values are beyond the floating-point numbers
            if order > 0:
                traced = rows_by_jax(self._function, charts, y, entries, order)
                if traced is not None:
                    return traced
            return differences(lambda moved: self._at(y, moved), entries, order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        if self.start is not None:
            return [self._given_start()]
        return coarse_starts(
            lambda rows, eta: self._at(rows[0], eta), self.parameters, statistics, y, weight
        )

    def _given_start(self) -> tuple[float, ...]:
        assert self.start is not None
        if set(self.start) != set(self.names):
            raise ValueError(
                f"FromLogProb(start=...): got {', '.join(self.start)}. Allowed: exactly "
                f"{', '.join(self.names)}. Give each."
            )
        given = (np.asarray(self.start[param.name], float) for param in self.parameters)
        pairs = zip(self.parameters, given, strict=True)
        return tuple(float(param.chart.forward(value)) for param, value in pairs)

    # ---------------------------------------------------------------- what messages say

    @property
    def named(self) -> str:
        return f"FromLogProb({getattr(self._function, '__name__', 'log_prob')})"
