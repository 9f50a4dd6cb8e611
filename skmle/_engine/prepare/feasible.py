"""Starts inside the domains of links that do not map onto the whole line.

The constant fit is a start where there is an intercept and no offset. Elsewhere the linear
predictor nearest to it is one, pulled towards coefficients under which every row is inside. Such
coefficients are found by least squares of what the rows lack of a margin; if no margin can be
reached, there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.starts import finite_start, least_squares
from skmle._engine.prepare.trials import best_trials
from skmle._engine.solvers import newton
from skmle.families.base import Arrays, Family, Rows, average, triangle

Domains = tuple[tuple[float, float], ...]

# Chart eta in the place of infinite ones: next to an edge nothing is seen of the rest. Chosen, not
# measured.
_FAR = 3.0
# Shares of the distance between the constant fit and the edge that are tried as a margin, the
# largest first. Chosen, not measured.
_MARGINS = (0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
# Newton steps for one margin: the function is piecewise quadratic, so that the last step is exact.
# Chosen, not measured.
_STEPS = 40
_HALVINGS = 50  # of a step or of a pull, at most; a bound
# Rows up to which the fit of the charts is a further start: beyond, likelihoods seldom have several
# maxima, and the fit takes longer. Chosen, not measured.
_FEW = 10_000
_CHART_STEPS = 20  # of Newton's method on the charts: a start need not be a maximum
# Further starts of a law with several maxima that are tried on the charts, and the range of the
# change of the first eta below which their ends are the same. Chosen, not measured.
_TRIED, _SAME = 3, 0.1
_WIDENINGS = 60  # of the support of a start, at most; a bound
_SHOWN = 5  # rows that a message names, at most; chosen for reading


def starts_inside(family: Family) -> bool:
    """Return whether a law starts here: under such links, or with several maxima under another."""
    other = family.link(0) is not family.parameters[0].chart
    return family.restricted or (family.several_modes and other)


def inside_of(
    family: Family,
    objective: Objective,
    pilot: Objective,
    known: Sequence[tuple[float, ...]] | None = None,
) -> list[Array]:
    """Return starts at which every row is inside the domain of its links.

    Parameters
    ----------
    family : Family
    objective : Objective
        On all rows.
    pilot : Objective
        On rows that are enough for starts near the maximum.
    known : sequence of tuple, optional
        The family's starts, if they were computed before.

    Raises
    ------
    ValueError
        If there are no coefficients under which every row is inside.
    """
    result, refuge = [], None
    for start in known or family.starts(pilot.statistics, pilot.weight):
        chart_eta = finite_start(start, _FAR)
        eta = _constants(family, objective, chart_eta)
        nearest = _nearest(objective, eta)
        if not _is_inside(objective, nearest):
            if refuge is None:
                refuge = _refuge(family, objective, nearest, eta)
            nearest = _pulled(objective, nearest, refuge)
        result.append(nearest)
        result += _by_chart(family, objective, nearest, eta, chart_eta)
    return result


def may_start(family: Family, objective: Objective, coef: Array) -> bool:
    """Return whether every row is inside the domain of its links, so that a fit may start."""
    anywhere = not family.domains and family.support.fixed
    return anywhere or _is_inside(objective, coef)


def widened(family: Family, objective: Objective, coef: Array) -> Array:
    """Return a start of a law whose support moves, with every row inside the support.

    Its constants are moved to a wider law as often as it takes. A start that is known from a sample
    of the rows, or from other columns, may leave some of them outside.
    """
    if family.support.fixed:
        return coef
    slices, terms = objective.design.slices, objective.design.terms
    constants = np.array([s.stop for s in slices], np.intp)[[t.intercept for t in terms]]
    for _ in range(_WIDENINGS):
        if _is_inside(objective, coef):
            break
        eta = [coef[s.stop] if t.intercept else 0.0 for s, t in zip(slices, terms, strict=True)]
        moved = family.linked(family.widened(family.chart(tuple(map(np.asarray, eta)))))
        free = [float(e) for e, t in zip(moved, terms, strict=True) if t.intercept]
        if not np.isfinite(free).all():
            break
        coef = coef.copy()
        coef[constants] = free
    return coef


def _is_inside(objective: Objective, coef: Array) -> bool:
    return bool(np.isfinite(objective(coef, 0).value))


def _constants(family: Family, objective: Objective, chart_eta: Arrays) -> list[float]:
    """Return the linked eta of a constant fit; where the link has none, that of a value near it."""
    eta = [float(e) for e in family.linked(chart_eta)]
    for j, e in enumerate(eta):
        if np.isfinite(e):
            continue
        # Such as the logarithm of a location that is not positive. What is positive of y serves.
        low, high = family.link(j).domain
        y = objective.statistics[0]
        middle = float(family.parameters[j].chart.theta(np.asarray(chart_eta[j])))
        if np.isfinite(low) and np.isfinite(high):
            theta = 0.5 * (low + high)
        elif y.ndim == 1:
            spread = average(np.abs(y - middle), objective.weight) or 1.0
            theta = low + spread if np.isfinite(low) else high - spread
        else:
            theta = low + 1.0 if np.isfinite(low) else high - 1.0
        eta[j] = float(family.link(j).eta(np.asarray(theta)))
    return eta


def _nearest(objective: Objective, eta: Sequence[float]) -> Array:
    """Return coefficients whose linear predictors are as near to constants as they can be."""
    design = objective.design
    coef = np.zeros(design.d)
    for e, s, term in zip(eta, design.slices, design.terms, strict=True):
        if term.intercept:
            coef[s.stop] = e
    first = design.terms[0]
    if first.columns is not None and (design.offset is not None or not first.intercept):
        offset = 0.0 if design.offset is None else design.offset
        target = np.full(design.n, eta[0]) - offset
        coef[: first.length] = least_squares(objective, target).coef
    elif design.offset is not None and first.intercept:
        coef[design.slices[0].stop] -= average(design.offset, objective.weight)
    return coef


def _pulled(objective: Objective, coef: Array, refuge: Array) -> Array:
    """Return the point nearest to `coef`, by halving, on the way to a point inside."""
    share = 1.0
    for _ in range(_HALVINGS):
        if _is_inside(objective, tried := refuge + share * (coef - refuge)):
            # Half of the rest of the way keeps a distance from the edge.
            return refuge + 0.5 * (tried - refuge)
        share *= 0.5
    return refuge


def _by_chart(
    family: Family, objective: Objective, inside: Array, eta: Sequence[float], chart_eta: Arrays
) -> list[Array]:
    """Return starts by least squares of the links of what the law's own links have fitted.

    The likelihood may have several maxima under other links. That of the charts has one for most
    laws, whose means lead near the best; for the others, each of several is a start.
    """
    design = objective.design
    link, chart = family.link(0), family.parameters[0].chart
    if design.terms[0].columns is None or link is chart or design.n > _FEW:
        return []
    own = replace(objective, rows=family.evaluate, lasso=None, watch=None)
    middle = float(link.theta(np.asarray(eta[0])))
    room = _room(link.domain, middle)
    starts = [_nearest(own, [float(e) for e in chart_eta])]
    if family.several_modes:
        starts += [trial.start(own) for trial in best_trials(family, own)[:_TRIED]]
    result, ends = [], list[Array]()
    for start in starts:
        fitted = newton(own, start, max_iter=_CHART_STEPS)
        if any(np.ptp(own.direction(fitted.coef - end)[0]) < _SAME for end in ends):
            continue
        ends.append(fitted.coef)
        theta = chart.theta(own.etas(fitted.coef)[0])
        others = [float(e) for e in family.linked(tuple(_at_zero(own, fitted.coef)))[1:]]
        z = link.eta(np.clip(theta, *room))
        if not np.isfinite(z).all():
            continue
        coef = inside.copy()
        z = z if design.offset is None else z - design.offset
        coef[: design.terms[0].length] = least_squares(objective, z).coef
        for e, s, term in zip(others, design.slices[1:], design.terms[1:], strict=True):
            if term.intercept and np.isfinite(e):
                coef[s.stop] = e
        result.append(coef if _is_inside(objective, coef) else _pulled(objective, coef, inside))
    return result


def _at_zero(objective: Objective, coef: Array) -> list[Array]:
    """Return the intercept of each term."""
    pairs = zip(objective.design.slices, objective.design.terms, strict=True)
    return [np.asarray(coef[s.stop] if term.intercept else 0.0) for s, term in pairs]


def _room(domain: tuple[float, float], middle: float) -> tuple[float, float]:
    """Return the part of a domain that keeps a tenth of the way from the middle to each end."""
    low, high = domain
    return (
        low + 0.1 * (middle - low) if np.isfinite(low) else low,
        high - 0.1 * (high - middle) if np.isfinite(high) else high,
    )


# ---------------------------------------------------------------- any point inside


def _refuge(family: Family, objective: Objective, coef: Array, eta: Sequence[float]) -> Array:
    """Return coefficients under which every row is inside, by some margin."""
    domains = family.domains
    edges = [min(abs(e - end) for end in ends) for e, ends in zip(eta, domains, strict=True)]
    for share in _MARGINS:
        margins = [share * edge if np.isfinite(edge) else 0.0 for edge in edges]
        lacking = _Lacking(domains, margins)
        coef = _minimise(replace(objective, rows=lacking, penalties=(), watch=None), coef)
        coef = widened(family, objective, coef)
        if _is_inside(objective, coef):
            return coef
    raise ValueError(_nowhere_inside(family, objective, coef))


class _Lacking:
    """Half the squares of what the eta of rows lack of a margin inside their domains.

    Its form is that of a family's rows.
    """

    def __init__(self, domains: Domains, margins: Sequence[float]) -> None:
        self.ends = [(low + m, high - m) for (low, high), m in zip(domains, margins, strict=True)]

    def __call__(self, statistics: Arrays, eta: Arrays, order: int) -> Rows:
        value: Array = np.zeros(())
        gradient, curvature = [], {}
        for j, (e, (low, high)) in enumerate(zip(eta, self.ends, strict=True)):
            gap = np.minimum(e - low, 0.0) + np.maximum(e - high, 0.0)
            value = value + 0.5 * gap * gap
            gradient.append(gap)
            curvature[j, j] = np.asarray(gap != 0.0, float)
        packed = tuple(curvature.get(place) for place in triangle(len(eta)))
        return Rows(value, tuple(gradient), packed).upto(order)


def _minimise(lacking: Objective, coef: Array) -> Array:
    """Return where the squares of what is lacking are least, by Newton's method."""
    at = lacking(coef)
    for _ in range(_STEPS):
        assert at.hessian is not None and at.gradient is not None
        if at.value == 0.0 or not np.isfinite(at.hessian).all():
            break
        root = np.sqrt(np.diag(at.hessian))
        scale = np.where(root > 0.0, root, 1.0)
        scaled = at.hessian / np.outer(scale, scale)
        step = -np.linalg.lstsq(scaled, at.gradient / scale, rcond=1e-12)[0] / scale
        for _ in range(_HALVINGS):
            there = lacking(coef + step)
            if there.value < at.value:
                break
            step = 0.5 * step
        else:
            break
        coef, at = coef + step, there
    return coef


def _nowhere_inside(family: Family, objective: Objective, coef: Array) -> str:
    """Say that there are no coefficients under which every row is inside, and name the rows."""
    etas = objective.etas(coef)
    for j, (low, high) in enumerate(family.domains):
        outside = np.flatnonzero(~((etas[j] > low) & (etas[j] < high)))
        if outside.size:
            break
    name, link = family.names[j], family.link(j).name
    shown = ", ".join(map(str, outside[:_SHOWN])) + (", ..." if outside.size > _SHOWN else "")
    return (
        f"{family.title}: there are no coefficients under which the linear predictor of {name} "
        f"is inside the domain of link {link!r} in every row; the nearest leave "
        f"{outside.size} of {objective.design.n} rows outside or at its edge (rows {shown}). "
        f"Allowed: predictors in ({low:g}, {high:g}). Add an intercept, change the offset, leave "
        "these rows out, or choose a link that maps onto the whole line."
    )
