"""Any law of scipy.stats as a family."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import differences
from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Saturated, Support
from skmle.families.links import IDENTITY, Link
from skmle.families.tools.charts import chart_of
from skmle.families.tools.coarse import best_of_grids, trials_of
from skmle.families.tools.location_scale import NEARLY_NO_SCALE
from skmle.families.tools.quantiles import centre_and_spread

_ENOUGH = 256  # rows on which starts are compared
_SECONDS = 1.0  # that the search for starts may take
_SHAPES = {  # trials of a shape parameter, by its chart
    "identity": (-5.0, -1.5, -0.5, 0.1, 0.5, 1.5, 5.0),
    "log": tuple(np.log((0.3, 0.7, 1.3, 2.5, 5.0, 12.0, 40.0))),
    "logit": (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0),
}
_LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # at which quantiles are matched
_TRIED = 60  # sets of shapes that are tried at most
_KEPT = 3  # starts that are kept
_ROOM = 1e-3  # of the spread, by which a threshold starts below the least observation


class ScipyFamily(Family):
    """A law of ``scipy.stats``, by its name and with scipy's parameters.

    Parameters come in the order loc, scale, shapes. Derivatives are differences of scipy's log
    density, starts match quantiles over a grid of shapes, and data are centred and scaled where the
    location is free.

    Parameters
    ----------
    name : str or scipy.stats distribution
        The name of a continuous or discrete law of scipy.stats, the law itself, or a frozen one,
        whose shapes are then tried first.
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
        from scipy.stats import rv_continuous, rv_discrete

        law = self.name
        if isinstance(law, str):
            from scipy import stats

            law = getattr(stats, law, None)
        law = getattr(law, "dist", law)  # of a frozen one
        if not isinstance(law, (rv_continuous, rv_discrete)):
            raise ValueError(
                f"ScipyFamily: {self.name!r} is no law of scipy.stats of one number. Allowed: its "
                "names, such as 'gumbel_r' or 'betabinom', and its laws. Give one of them."
            )
        return law

    @property
    def _discrete(self) -> bool:
        return getattr(self.law, "logpdf", None) is None

    @property
    def _held(self) -> tuple[float | None, float | None]:
        """The location and the scale that are held; None for those that are free."""
        low, high = float(self.law.a), float(self.law.b)
        whole_line = np.isinf(low) and np.isinf(high) and not self._discrete
        between = (np.isfinite(low) and np.isfinite(high)) or self._discrete
        loc = {"auto": None if whole_line else 0.0, "free": None}.get(self.loc, self.loc)  # type: ignore[arg-type]
        scale = {"auto": 1.0 if between else None, "free": None}.get(self.scale, self.scale)  # type: ignore[arg-type]
        return loc, scale  # type: ignore[return-value]

    @property
    def _starts_at_a_point(self) -> bool:
        return bool(np.isfinite(self.law.a))

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        loc, scale = self._held
        found = []
        if loc is None:
            chart = IDENTITY
            if self._starts_at_a_point and np.isfinite(self._least):
                chart = chart_of(-np.inf, self._least)
            found.append(Param("loc", chart, "" if chart is not IDENTITY else "location"))
        if scale is None:
            found.append(Param("scale", LOG, "scale" if loc is None else ""))
        for shape in self.law._shape_info():
            if shape.name not in (self.shapes or {}):
                low, high = (float(end) for end in shape.domain)
                found.append(Param(shape.name, chart_of(low, high)))
        return tuple(found)

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
        if self._held[0] is not None or not self._starts_at_a_point:
            return self
        learnt = ScipyFamily(self.name, self.loc, self.scale, self.shapes, links=self.links)
        learnt._least = float(np.min(y))
        return learnt

    def _check_settings(self) -> None:
        names = [shape.name for shape in self.law._shape_info()]
        if unknown := [name for name in self.shapes or {} if name not in names]:
            raise ValueError(
                f"ScipyFamily({self.law.name}): shapes has no {unknown[0]!r}. Allowed: "
                f"{', '.join(names) or 'none'}. Rename the key."
            )
        for shape in self.law._shape_info():
            if shape.integrality and shape.name not in (self.shapes or {}):
                raise ValueError(
                    f"ScipyFamily({self.law.name}): {shape.name!r} is a whole number, of which no "
                    "derivative is known. Allowed: a known value. Give "
                    f"shapes={{{shape.name!r}: ...}}."
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
        known = dict(self.shapes or {}) | {"loc": loc if loc is not None else 0.0}
        return known if self._discrete else known | {"scale": scale if scale is not None else 1.0}

    def _formula(self) -> Callable[[Array, Arrays], Array]:
        """Return -log q as a function of y and eta, with all that is asked of scipy asked once."""
        law, known, parameters = self.law, self._known, self.parameters
        log_q = law.logpmf if self._discrete else law.logpdf

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

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return centre_and_spread(statistics[0], weight)

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        return ((statistics[0] - origin) / unit,)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Interpolate y by a location; the density grows without bound as the scale vanishes."""
        units = [param.unit for param in self.parameters]
        if units[:2] != ["location", "scale"]:
            return None
        shapes = (0.0,) * (len(units) - 2)
        return Saturated(statistics[0], (float(np.log(NEARLY_NO_SCALE)), *shapes), "scale")

    # ---------------------------------------------------------------- starts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the best starts of a grid of shapes, at each of which quantiles are matched."""
        (y,) = statistics
        some = slice(None, None, max(1, -(-len(y) // _ENOUGH)))
        rows, share = y[some], None if weight is None else weight[some]
        end, value = time.monotonic() + _SECONDS, self._formula()

        def mean(eta: tuple[float, ...]) -> float:
            values = value(rows, tuple(np.asarray(e) for e in eta))
            # A row outside the support counts a lot, but less than infinity.
            return float(np.average(np.where(np.isfinite(values), values, 1e6), weights=share))

        free = [param for param in self.parameters if param.name not in ("loc", "scale")]
        grids = [_SHAPES.get(p.chart.name.split(" ")[0], _SHAPES["log"]) for p in free]
        sets = list(product(*grids))
        if len(sets) > _TRIED:
            rng = np.random.default_rng(0)
            sets = [sets[i] for i in rng.choice(len(sets), _TRIED, replace=False)]
        guesses = [*self._frozen_guess(), *self._scipy_guess(rows)]
        for shapes in sets:
            guesses.append((*self._matched(free, shapes, rows), *shapes))
            if time.monotonic() > end:
                break
        ranked = sorted(
            ((mean(eta), eta) for eta in dict.fromkeys(guesses) if np.isfinite(eta).all()),
            key=lambda pair: pair[0],
        )
        best = [eta for _, eta in ranked[:_KEPT]]
        if not best or ranked[0][0] > 1e5:  # some rows are outside everywhere
            trials = [trials_of(param, rows, share) for param in self.parameters]
            middle = tuple(float(grid[len(grid) // 2]) for grid in trials)
            best = [best_of_grids(mean, trials, best[0] if best else middle)[0]]
        return best

    def _eta_of(self, arguments: Mapping[str, Any]) -> tuple[float, ...]:
        with np.errstate(all="ignore"):
            return tuple(
                float(p.chart.forward(np.asarray(arguments[p.name], float)))
                for p in self.parameters
            )

    def _frozen_guess(self) -> list[tuple[float, ...]]:
        """Return the parameters of a law that was given frozen."""
        if getattr(self.name, "dist", None) is None:
            return []
        args, loc, scale = self.law._parse_args(*self.name.args, **self.name.kwds)
        names = [shape.name for shape in self.law._shape_info()]
        return [self._eta_of(dict(zip(names, args, strict=True)) | {"loc": loc, "scale": scale})]

    def _scipy_guess(self, y: Array) -> list[tuple[float, ...]]:
        """Return where scipy's own fit would start."""
        if self._discrete:
            return []
        try:
            with np.errstate(all="ignore"):
                *shapes, loc, scale = self.law._fitstart(y)
        except Exception:
            return []  # A guess that fails is none.
        names = [shape.name for shape in self.law._shape_info()]
        return [self._eta_of(dict(zip(names, shapes, strict=True)) | {"loc": loc, "scale": scale})]

    def _matched(self, free: list[Param], shapes: tuple[float, ...], y: Array) -> tuple[float, ...]:
        """Return eta of the location and the scale that are free, by quantiles."""
        loc, scale = self._held
        if loc is not None and scale is not None:
            return ()
        own = {p.name: p.chart.theta(np.asarray(e)) for p, e in zip(free, shapes, strict=True)}
        arguments = dict(self.shapes or {}) | own
        with np.errstate(all="ignore"):
            theirs = np.asarray(self.law.ppf(_LEVELS, **arguments), float)
        ours = np.quantile(y, _LEVELS)
        if scale is None and loc is None:
            away, spread = theirs - theirs.mean(), ours - ours.mean()
            scale = float((away @ spread) / (away @ away))
        elif scale is None:
            scale = float(np.median(ours - loc) / theirs[2])
        if not (np.isfinite(scale) and scale > 0.0):
            return tuple(np.nan for p in self.parameters if p.name in ("loc", "scale"))
        found = {"scale": float(np.log(scale))}
        if loc is None:
            place = float(ours.mean() - scale * theirs.mean())
            param = self.parameters[0]
            if np.isfinite(self._least):
                low = self._least - _ROOM * float(np.ptp(ours))
                place = min(place, low)
            found["loc"] = float(param.chart.forward(np.asarray(place)))
        return tuple(found[p.name] for p in self.parameters if p.name in found)

    # ---------------------------------------------------------------- the law

    def to_scipy(self, theta: Arrays) -> Any:
        return self.law(**self._known | dict(zip(self.names, theta, strict=True)))

    def contains(self, y: Array) -> NDArray[np.bool_]:
        inside = np.isfinite(y)
        return inside & self.support.contains(y)
