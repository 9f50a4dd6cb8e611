"""Random nestings of wrappers, against the same nesting of plain probabilities.

The oracle of counts is a vector of masses, that of continuous laws a density with its two tails. A
wrapper changes them by its definition, without derivatives, statistics or logarithms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmle import families
from skmle.families import Censored, Hurdle, Mixture, Rounded, Transformed, Truncated, ZeroInflated
from skmle.families.differences import differences
from skmle.families.wrappers.fixed import fix

PLAIN = {
    True: ["poisson", "negative_binomial", "geometric"],
    False: ["weibull", "gamma", "lognormal"],
}


class Known(NamedTuple):
    """A law by its mass at each count, or by its density and both tails, and the mass at zero."""

    density: Callable
    cdf: Callable
    sf: Callable
    atom: float = 0.0


def plain(name: str, theta) -> Known:
    law, theta = families.get_family(name), tuple(map(np.asarray, theta))
    eta = law.eta(theta)
    density = lambda y: np.exp(law.log_prob(np.asarray(y, float), eta))  # noqa: E731
    return Known(density, lambda y: law.cdf(y, theta), lambda y: law.sf(y, theta))


def truncated(law: Known, low: float, high: float) -> Known:
    whole = float(law.cdf(high) - law.cdf(low))
    inside = lambda y: (y > low) & (y <= high)  # noqa: E731
    return Known(
        lambda y: np.where(inside(y), law.density(y), 0.0) / whole,
        lambda y: (law.cdf(np.clip(y, low, high)) - law.cdf(low)) / whole,
        lambda y: (law.sf(np.clip(y, low, high)) - law.sf(high)) / whole,
        law.atom * (low < 0.0) / whole,
    )


def mixed(parts: list[Known], shares: list[float]) -> Known:
    def total(member: str) -> Callable:
        return lambda y: sum(s * getattr(p, member)(y) for s, p in zip(shares, parts, strict=True))

    atom = sum(s * p.atom for s, p in zip(shares, parts, strict=True))
    return Known(total("density"), total("cdf"), total("sf"), atom)


def with_zeros(law: Known, share: float, counted: bool) -> Known:
    left = 1.0 - share
    return Known(
        lambda y: left * law.density(y) + (share * (y == 0.0) if counted else 0.0),
        lambda y: left * law.cdf(y) + share * (y >= 0.0),
        lambda y: left * law.sf(y) + share * (y < 0.0),
        left * law.atom + (0.0 if counted else share),
    )


class Nest(NamedTuple):
    """A family, and the law that it is at natural parameters."""

    family: families.Family
    known: Callable[[tuple[float, ...]], Known]


def leaf(name: str) -> Nest:
    return Nest(families.get_family(name), lambda theta: plain(name, theta))


def wrap(kind: str, nest: Nest, other: Nest, number: float, counted: bool) -> Nest:
    family = nest.family
    count = len(family.parameters)
    if kind == "zeros":
        return Nest(
            ZeroInflated(family),
            lambda theta: with_zeros(nest.known(theta[:-1]), theta[-1], counted),
        )
    if kind == "hurdle":
        return Nest(
            Hurdle(family),
            lambda theta: with_zeros(
                truncated(nest.known(theta[:-1]), 0.0, np.inf), theta[-1], counted
            ),
        )
    if kind == "truncated":
        high = np.floor(12.0 + number) if counted else 6.0 + number
        return Nest(
            Truncated(family, high=high), lambda theta: truncated(nest.known(theta), -np.inf, high)
        )
    if kind == "mixture":
        return Nest(
            Mixture((family, other.family)),
            lambda theta: mixed(
                [nest.known(theta[:count]), other.known(theta[count:-1])],
                [theta[-1], 1.0 - theta[-1]],
            ),
        )
    name, chart = family.names[0], family.parameters[0].chart
    held = float(chart.theta(np.asarray(0.2 + 0.3 * number)))
    return Nest(fix(family, {name: held}), lambda theta: nest.known((held, *theta)))


@st.composite
def nests(draw) -> tuple[Nest, bool]:
    counted = draw(st.booleans())
    names = st.sampled_from(PLAIN[counted])
    nest = leaf(draw(names))
    used: set[str] = set()
    for kind in draw(
        st.lists(st.sampled_from(["zeros", "hurdle", "truncated", "mixture", "fixed"]), max_size=3)
    ):
        # Zeros are added once, and the last law of a mixture has no zeros of its own to tell apart.
        once = "zeros" if kind == "hurdle" else kind
        if once in used or (kind == "fixed" and len(nest.family.parameters) < 2):
            continue
        used.add(once)
        nest = wrap(kind, nest, leaf(draw(names)), draw(st.floats(0.0, 1.0)), counted)
    return nest, counted


def rows_of(counted: bool) -> np.ndarray:
    """Return rows [lower, upper, entry, exit] of every kind, in every kind of window."""
    exact = np.array([0.0, 1.0, 2.0, 3.0, 5.0]) if counted else np.array([0.3, 0.9, 1.7, 2.4, 4.0])
    ends = [[1.0, 3.0], [2.0, 9.0], [2.0, np.inf], [-np.inf, 3.0], [-np.inf, np.inf]]
    known = np.concatenate([np.column_stack([exact, exact]), np.array(ends)])
    windows = [[-np.inf, np.inf], [0.0, np.inf], [-np.inf, 4.0], [0.5, 5.0]]
    return np.array([[*one, *window] for window in windows for one in known])


def expected(law: Known, rows: np.ndarray, counted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the density or probability of what is known of each row, and of its window."""
    low, high, entry, leave = rows.T
    exact = low == high

    def upper(y: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(y), law.sf(np.where(np.isfinite(y), y, 1.0)), 1.0 * (y < 0.0))

    before = np.maximum(np.ceil(low) - 1.0 if counted else low, entry)
    probability = upper(before) - upper(np.minimum(high, leave))
    density = law.density(np.where(np.isfinite(low), low, 1.0))
    return np.where(exact, density, probability), upper(entry) - upper(leave)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(nests(), st.lists(st.floats(-0.8, 0.8), min_size=12, max_size=12))
def test_nested_laws_are_what_their_definitions_say(drawn, moves):
    nest, counted = drawn
    family = Censored(nest.family)
    k = len(family.parameters)
    eta = tuple(np.asarray(0.4 + move) for move in moves[:k])
    theta = tuple(float(value) for value in family.natural(family.linked(eta)))
    rows = rows_of(counted)
    rows = rows[family.contains(rows)]
    known, seen = expected(nest.known(theta), rows, counted)
    keep = (known > 1e-6) & (seen > 1e-6)  # a difference of tails has no nine digits below
    rows, known = rows[keep], known[keep] / seen[keep]
    found = family.log_prob(rows, family.linked(eta))
    np.testing.assert_allclose(found, np.log(known), rtol=1e-9, atol=1e-9, err_msg=repr(family))
    statistics = family.statistics(rows)
    each = tuple(np.full(len(rows), float(e)) for e in eta)
    ours = family.evaluate(statistics, each, 2)
    theirs = differences(lambda moved: family.evaluate(statistics, moved, 0).value, each, 2)
    for one, other in zip(ours.gradient, theirs.gradient, strict=True):
        np.testing.assert_allclose(
            np.broadcast_to(one, len(rows)), other, rtol=1e-6, atol=1e-7, err_msg=repr(family)
        )
    for one, other in zip(ours.packed, theirs.packed, strict=True):
        one = np.broadcast_to(0.0 if one is None else one, len(rows))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=repr(family))


def test_values_above_a_mass_at_zero_are_no_certainty():
    """P(Y > 0) of a zero-inflated positive law is the share of what is not zero."""
    family = Censored(ZeroInflated("weibull"))
    zeros = 0.3
    eta = family.eta(tuple(map(np.asarray, (2.0, 1.5, zeros))))
    positive = plain("weibull", (2.0, 1.5))
    rows = np.array([[0.0, np.inf], [0.0, 2.0], [-np.inf, 2.0], [-np.inf, 0.0], [-1.0, np.inf]])
    assert family.contains(rows).all()
    below = (1.0 - zeros) * float(positive.cdf(2.0))
    known = [1.0 - zeros, below, zeros + below, zeros, 1.0]
    np.testing.assert_allclose(np.exp(family.log_prob(rows, eta)), known, rtol=1e-12)
    seen = np.array([[1.0, 1.0, 0.0, np.inf]])
    alone = np.log(positive.density(np.array([1.0])))
    np.testing.assert_allclose(family.log_prob(seen, eta), alone, rtol=1e-12)


@pytest.mark.parametrize("name", PLAIN[False])
def test_rounded_and_transformed_laws_nest(name):
    """A rounded law is a difference of cdfs; the exponential of a law of logarithms is that law."""
    law = families.get_family(name)
    eta = tuple(np.asarray(0.3 + 0.2 * j) for j in range(len(law.parameters)))
    theta = law.natural(law.linked(eta))
    y = np.array([1.0, 1.5, 2.5])
    found = Rounded(name, resolution=0.5).log_prob(y, law.linked(eta))
    np.testing.assert_allclose(
        found, np.log(law.cdf(y + 0.25, theta) - law.cdf(y - 0.25, theta)), rtol=1e-9
    )
    inside = Truncated(Transformed(name, "log"), low=np.e)
    eta = inside.linked(eta)
    known = (
        law.log_prob(np.log(y + 3.0), law.linked(eta))
        - np.log(y + 3.0)
        - np.log(law.sf(1.0, theta))
    )
    np.testing.assert_allclose(inside.log_prob(y + 3.0, eta), known, rtol=1e-9)
