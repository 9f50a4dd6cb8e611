"""The parameters of a family: their names, their links, and the ways between theta and eta."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.links import Link, allowed_links, etas_of, fits, get_link, transition
from skmle.families.records import Array, Arrays, Density, Param
from skmle.families.tools.constructors import OF_FAMILIES, saying_what_is_meant
from skmle.families.tools.probability_links import Jet

# Distances from an end of a domain, as a share of it, or from zero, that are tried one after the
# other: powers of a distance have to be floating-point numbers, too.
_DISTANCES = (2.0**-52, 2.0**-48, 2.0**-40, 2.0**-32, 2.0**-26)
_FROM_ZERO = (1e-150, 1e-100, 1e-60, 1e-30, 1e-15, 1e-8)


def _next_to(end: float, sign: float, jet: Callable[[NDArray[np.float64]], Jet]) -> float:
    """Return the number next to an end of a domain, on its side `sign`, whose jet is finite."""
    distances = _FROM_ZERO if end == 0.0 else [share * abs(end) for share in _DISTANCES]
    for distance in distances:
        if np.isfinite(jet(np.asarray(end + sign * distance))[0]):
            return end + sign * distance
    return end


class Parameters:
    """The parameters of a family and the links that the user chose for them.

    *Chart* eta are those of the family's formula (real, log or logit by parameter); *linked* eta
    are those of the chosen links; theta is the tuple of natural parameters.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            checked = saying_what_is_meant(cls.__init__, OF_FAMILIES)
            cls.__init__ = checked  # type: ignore[method-assign]

    parameters: tuple[Param, ...]
    links: Mapping[str, str | Link] | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the natural parameters."""
        return tuple(p.name for p in self.parameters)

    def taking(self, values: Mapping[str, float]) -> tuple[Any, dict[str, float]]:
        """Return the family with some values held that are none of its parameters, and the rest."""
        return self, dict(values)

    def for_density(
        self, statistics: Arrays, weight: Array | None, held: Mapping[str, float] | None = None
    ) -> Density | None:
        """Return the law that is fitted in place of this one as a density; None: this one.

        It is for laws whose support, or whose whole-numbered parameters, no derivative finds.

        Parameters
        ----------
        statistics : tuple of ndarray
        weight : ndarray of shape (n,), optional
        held : mapping of str to float, optional
            Natural parameters that are held.
        """
        return None

    @property
    def predicted_names(self) -> tuple[str, ...]:
        """Names of the parameters of the law that predictions speak of, also of those held."""
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
            return param.chart  # The object itself, also where the links are copies.
        return link

    def dimensionless(self, index: int) -> bool:
        """Whether eta of this parameter is a pure number, so that its size has a meaning.

        Else it has units of y.
        """
        return self.link(index).dimensionless

    def fades(self, index: int) -> bool:
        """Whether this parameter tends to a finite value as an eta with units runs to infinity.

        So it does under the link inverse, to zero.
        """
        return self.link(index).fades

    def links_of(self, names: Sequence[str]) -> dict[str, str | Link] | None:
        """Return those of the chosen links that are of the named parameters; None without any."""
        return {name: link for name, link in (self.links or {}).items() if name in names} or None

    def check_links(self) -> None:
        """Raise ValueError if `links` names an unknown parameter, or a link outside its range."""
        if not self.links:
            return
        known = {p.name: p for p in self.parameters}
        if self.names != tuple(known):
            names = " and ".join(self.names)
            raise ValueError(
                f"{type(self).__name__}(links={self.links!r}): {names} are found by coordinates, "
                "which have no other links. Allowed: None. Leave links out."
            )
        for name, link in self.links.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__}(links=...): unknown parameter {name!r}. Allowed: "
                    f"{', '.join(known)}. Rename the key."
                )
            resolved, chart = get_link(link), known[name].chart
            if not fits(resolved, chart):
                raise ValueError(
                    f"{type(self).__name__}(links=...): link {resolved.name!r} does not map onto "
                    f"the range of {name!r}. Allowed: {', '.join(allowed_links(chart))}, "
                    f"or a Link with the domain {chart.interval}. Choose one of them."
                )

    @property
    def relinked(self) -> bool:
        """Whether any link differs from its chart."""
        return bool(self.links) and any(
            self.link(j) is not p.chart for j, p in enumerate(self.parameters)
        )

    @property
    def domains(self) -> tuple[tuple[float, float], ...]:
        """For each parameter, the open interval of its linked eta; () if each is the whole line.

        The link is monotone there, and the parameter in its range.
        """
        if not self.relinked:
            return ()
        found = tuple(etas_of(self.link(j), p.chart) for j, p in enumerate(self.parameters))
        return found if np.isfinite(found).any() else ()

    @property
    def innermost(self) -> tuple[tuple[float, float], ...]:
        """As `domains`, but the eta next to each end at which that of the chart is finite."""
        found = []
        for j, ends in enumerate(self.domains):
            jet = transition(self.link(j), self.parameters[j].chart)
            found.append(tuple(_next_to(e, s, jet) for e, s in zip(ends, (1.0, -1.0), strict=True)))
        return tuple(found)  # type: ignore[arg-type]

    @property
    def restricted(self) -> bool:
        """Whether a link leaves out a part of the line of eta, or of a parameter's range.

        Not every coefficient is allowed then, or the likelihood may have several maxima.
        """
        if not self.relinked:
            return False
        pairs = [(self.link(j), p.chart) for j, p in enumerate(self.parameters)]
        return bool(self.domains) or any(
            chart.domain[0] < link.domain[0] or link.domain[1] < chart.domain[1]
            for link, chart in pairs
        )

    def natural(self, eta: Arrays) -> Arrays:
        """Return theta, the natural parameters, at linked `eta`."""
        return tuple(self.link(j).theta(np.asarray(e, float)) for j, e in enumerate(eta))

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        """Return d theta / d eta at constant linked `eta`, (number of natural values, k)."""
        return np.diag([float(self.link(j).slope(np.asarray(e, float))) for j, e in enumerate(eta)])

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a label for each row of `natural_jacobian`.

        `columns` are the names of the columns of an observation.
        """
        return self.names

    def natural_charts(self) -> tuple[Link, ...]:
        """Return for each row of `natural_jacobian` the chart of its range.

        An interval that is made on the chart's eta stays inside the range.
        """
        return tuple(p.chart for p in self.parameters)

    def linked(self, chart_eta: Arrays) -> Arrays:
        """Return the linked eta of chart eta; nan where a parameter has none under its link."""
        if not self.relinked:
            return tuple(np.asarray(e, float) for e in chart_eta)
        pairs = (
            (self.link(j), p.chart, np.asarray(e, float))
            for j, (p, e) in enumerate(zip(self.parameters, chart_eta, strict=True))
        )
        return tuple(e if link is chart else link.eta(chart.theta(e)) for link, chart, e in pairs)

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
        """Return the linked eta of natural parameters; infinite at an end of their range."""
        return tuple(self.link(j).eta(np.asarray(t, float)) for j, t in enumerate(theta))
