"""Any law of scipy.stats as a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Density,
    Family,
    Param,
    Rows,
    Support,
)
from skmle.families.differences import differences
from skmle.families.links import IDENTITY, Link
from skmle.families.scipy_density import density_of
from skmle.families.tools.charts import chart_of
from skmle.families.tools.location_scale import InUnitsOfY
from skmle.families.tools.scipy_frame import Frame
from skmle.families.tools.scipy_laws import (
    ROUND,
    arguments_of,
    log_mass,
    scipy_names,
    shapes_of,
    unfrozen,
)
from skmle.families.tools.scipy_search import search

_ROOM = 1e-3  # of the spread, by which a threshold starts below the least observation


class ScipyFamily(InUnitsOfY):
    """A law of ``scipy.stats``, by its name and with scipy's parameters.

    Parameters come in the order loc, scale, shapes. Derivatives are differences of scipy's log
    density, starts match quantiles over a grid of shapes, and data are centred and scaled where the
    location is free.

    Parameters
    ----------
    name : str or scipy.stats distribution
        The name of a continuous or discrete law of scipy.stats, the law itself, or a frozen one.
        The values of a frozen one are tried first; its whole-number shapes are held, and so are
        those of loc and scale that "auto" holds.
    loc : float or {"auto", "free"}, default="auto"
        The location: held at a number, free, or free for laws on the whole line and else held at 0.
        A free location of a law that starts at a point is a threshold, which lies below all data.
    scale : float or {"auto", "free"}, default="auto"
        The scale: held at a number, free, or free unless the law lies between two ends or is
        discrete, where it is held at 1.
    shapes : dict of str to float, optional
        Shape parameters that are known. Those that are whole numbers have to be.
    links : dict of str to str or Link, optional
        Other links for some parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from skmle import MLEDistribution, families
    >>> X = stats.gumbel_r(1.0, 2.0).rvs(1000, random_state=0)[:, None]
    >>> model = MLEDistribution(families.ScipyFamily("gumbel_r")).fit(X)
    >>> print({name: round(value, 2) for name, value in model.params_.items()}, model.status_)
    {'loc': 0.99, 'scale': 1.99} interior
    """

    def __init__(
        self,
        name: Any,
        loc: float | str = "auto",
        scale: float | str = "auto",
        shapes: Mapping[str, float] | None = None,
        *,
        links: Mapping[str, str | Link] | None = None,
    ) -> None:
        super().__init__(links=links)
        self.name = name
        self.loc = loc
        self.scale = scale
        self.shapes = shapes

    _least = np.inf  # learnt by `adapt`: the least observation, below which a threshold lies

    # ---------------------------------------------------------------- what scipy says of the law

    @property
    def law(self) -> Any:
        """The law of scipy.stats, not frozen."""
        law = self.name
        if isinstance(law, str):
            from scipy import stats

            law = getattr(stats, law, None)
        law = unfrozen(law)
        if law is None:
            near = get_close_matches(self.name, scipy_names()) if isinstance(self.name, str) else []
            raise ValueError(
                f"ScipyFamily: {self.name!r} is no law of scipy.stats of one number. Allowed: its "
                "names, such as 'gumbel_r' or 'betabinom', and its laws. "
                + (f"Did you mean {' or '.join(map(repr, near))}?" if near else "Give one of them.")
                + " A law of your own is families.FromLogProb(log_prob, params={'rate': 'log'})."
            )
        return law

    @property
    def _frozen(self) -> dict[str, float]:
        """All arguments of a law that was given frozen, by name; {} of another."""
        if isinstance(self.name, str) or self.name is self.law:
            return {}
        return {name: float(value) for name, value in arguments_of(self.name).items()}

    @property
    def _known_shapes(self) -> dict[str, float]:
        """Shapes that are held: those given, and the whole numbers of a frozen law."""
        frozen = self._frozen
        whole = {n: frozen[n] for n, _, whole in shapes_of(self.law) if whole and n in frozen}
        return whole | dict(self.shapes or {})

    @property
    def _discrete(self) -> bool:
        return getattr(self.law, "logpdf", None) is None

    @property
    def _held(self) -> tuple[float | None, float | None]:
        """The location and the scale that are held; None for those that are free."""
        low, high = float(self.law.a), float(self.law.b)
        whole_line = np.isinf(low) and np.isinf(high) and not self._discrete
        between = (np.isfinite(low) and np.isfinite(high)) or self._discrete
        between |= self.law.name in ROUND
        known_loc, known_scale = self._frozen.get("loc", 0.0), self._frozen.get("scale", 1.0)
        loc = {"auto": None if whole_line else known_loc, "free": None}.get(self.loc, self.loc)  # type: ignore[arg-type]
        scale = {"auto": known_scale if between else None, "free": None}.get(self.scale, self.scale)  # type: ignore[arg-type]
        return loc, 1.0 if self._discrete else scale  # type: ignore[return-value]

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        loc, scale = self._held
        found = []
        if loc is None:
            # With a scale that is held, y may not be measured in another unit.
            chart, unit = IDENTITY, "location" if scale is None else ""
            if self.law.a == 0.0 and np.isfinite(self._least):
                chart, unit = chart_of(-np.inf, self._least), ""
            found.append(Param("loc", chart, unit))
        if scale is None:
            moves = loc is None and found[0].unit == "location"
            found.append(Param("scale", LOG, "scale" if moves else ""))
        known = self._known_shapes
        free = [s for s in shapes_of(self.law) if s[0] not in known]
        return (*found, *(Param(name, chart) for name, chart, _ in free))

    @property
    def title(self) -> str:
        return f"scipy {self.law.name}"

    @property
    def support(self) -> Support:  # type: ignore[override]
        loc, scale = self._held
        low, high = float(self.law.a), float(self.law.b)
        free = loc is None or scale is None
        low = (
            -np.inf
            if loc is None
            else (low if np.isinf(low) else float(loc) + low * (scale or 1.0))
        )
        bounded = np.isfinite(high) and not free
        top = float(loc or 0.0) + high * (scale or 1.0) if bounded else np.inf
        return Support(low, top, (True, True), discrete=self._discrete, whole=self._discrete)

    def adapt(self, y: Array) -> Family:
        self._check_settings()
        if self._held[0] is not None or self.law.a != 0.0:
            return self
        learnt = ScipyFamily(self.name, self.loc, self.scale, self.shapes, links=self.links)
        learnt._least = float(np.min(y))
        return learnt

    def _check_settings(self) -> None:
        names = [name for name, *_ in shapes_of(self.law)]
        if unknown := [name for name in self.shapes or {} if name not in names]:
            raise ValueError(
                f"ScipyFamily({self.law.name}): shapes has no {unknown[0]!r}. Allowed: "
                f"{', '.join(names) or 'none'}. Rename the key."
            )
        if self.law.name in ROUND and self.scale == "free":
            raise ValueError(
                f"ScipyFamily({self.law.name}): scale='free' is not allowed: the density repeats "
                "itself, so that any small scale suits. Allowed: 'auto', which is 1, or a positive "
                "number, of which 2 pi times is the circle's length. Give one."
            )
        for name in ("loc", "scale"):
            value = getattr(self, name)
            number = isinstance(value, (int, float, np.number)) and np.isfinite(value)
            if value not in ("auto", "free") and not (number and (name == "loc" or value > 0.0)):
                raise ValueError(
                    f"ScipyFamily({self.law.name}): {name}={value!r} is not allowed. Allowed: "
                    f"'auto', 'free', or a {'positive ' * (name == 'scale')}number. Give one."
                )

    # ---------------------------------------------------------------- the formula

    @property
    def _known(self) -> dict[str, Any]:
        """Scipy's arguments that are not fitted, by name."""
        loc, scale = self._held
        known = self._known_shapes | {"loc": loc if loc is not None else 0.0}
        return known if self._discrete else known | {"scale": scale if scale is not None else 1.0}

    def _formula(self) -> Callable[[Array, Arrays], Array]:
        """Return -log q as a function of y and eta, with all that is asked of scipy asked once."""
        law, known, parameters = self.law, self._known, self.parameters
        log_q = partial(log_mass, law) if self._discrete else law.logpdf

        def value(y: Array, eta: Arrays) -> Array:
            pairs = zip(parameters, eta, strict=True)
            with np.errstate(all="ignore"):
                theta = {param.name: param.chart.theta(e) for param, e in pairs}
                found = -np.asarray(log_q(y, **known | theta), float)
            return np.where(np.isnan(found), np.inf, found)

        return value

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        (y,), value = statistics, self._formula()
        entries = tuple(np.asarray(e, float) for e in eta)
        with np.errstate(all="ignore"):  # some values are beyond the floating-point numbers
            return differences(lambda moved: value(y, moved), entries, order)

    @property
    def movable(self) -> bool:
        return super().movable and not self._discrete

    # ---------------------------------------------------------------- densities and starts

    def for_density(
        self, statistics: Arrays, weight: Array | None, held: Mapping[str, float] | None = None
    ) -> Density | None:
        if self.relinked:
            return None
        plain = ScipyFamily(self.name, self.loc, self.scale, self.shapes)
        known = self._known_arguments | dict(held or {})
        return density_of(plain, known, statistics[0], weight, self._frozen or None)

    @property
    def _known_arguments(self) -> dict[str, float]:
        """Scipy's arguments that are held, by name."""
        loc, scale = self._held
        pairs = {"loc": loc, "scale": scale} | self._known_shapes
        return {name: float(value) for name, value in pairs.items() if value is not None}

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the parameters of the most likely density."""
        (y,) = statistics
        whole = [name for name, _, integer in shapes_of(self.law) if integer]
        if unknown := [name for name in whole if name in self.names]:
            raise ValueError(
                f"ScipyFamily({self.law.name}): {unknown[0]!r} is a whole number, which only the "
                "fit of a density finds. Allowed: a known value. Give "
                f"shapes={{{unknown[0]!r}: ...}}."
            )
        frame = Frame.around(self.law, self._known_arguments, y, weight)
        found = search(frame, frame.measured(y), weight, None)
        at = None if found is None else found.frame.place(found.eta)
        if at is None:
            return [(0.0,) * len(self.parameters)]
        arguments = frame.arguments(at._replace(loc=at.loc - _ROOM * (self._least < np.inf)))
        with np.errstate(all="ignore"):
            eta = (p.chart.forward(np.asarray(arguments[p.name])) for p in self.parameters)
            return [tuple(float(np.clip(e, -1e300, 1e300)) for e in eta)]

    def taking(self, values: Mapping[str, float]) -> tuple[Family, dict[str, float]]:
        """Return the family with a location or scale held that it does not fit, and the rest."""
        own = {n: v for n, v in values.items() if n in ("loc", "scale") and n not in self.names}
        if not own or (self._discrete and "scale" in own):
            return self, dict(values)
        settings = {"loc": self.loc, "scale": self.scale} | own
        taken = ScipyFamily(self.name, **settings, shapes=self.shapes, links=self.links)
        taken._check_settings()
        return taken, {name: value for name, value in values.items() if name not in own}

    # ---------------------------------------------------------------- the law

    def to_scipy(self, theta: Arrays) -> Any:
        return self.law(**self._known | dict(zip(self.names, theta, strict=True)))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        law = self.to_scipy(theta)
        return law.logpmf(y) if self._discrete else law.logpdf(y)

    def contains(self, y: Array) -> NDArray[np.bool_]:
        inside = np.isfinite(y)
        return inside & self.support.contains(y)


def law_of(law: Any, arguments: Mapping[str, Any]) -> tuple[ScipyFamily, Arrays]:
    """Return a law of scipy, with its arguments, as a family and its parameters."""
    known = {name: float(arguments[name]) for name, _, whole in shapes_of(law) if whole}
    discrete = "scale" not in arguments
    family = ScipyFamily(
        law.name if law.name in scipy_names() else law,
        loc=float(arguments["loc"]) if discrete else "free",
        scale="free",
        shapes=known or None,
    )
    return family, tuple(np.asarray(arguments[name]) for name in family.names)
