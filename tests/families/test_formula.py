"""The formula of every family and its derivatives.

Against differences, over rows and constants, in expectation.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.families.laws import (
    assert_expectation,
    check_derivatives,
    dense,
    draw,
    formula_of,
    has_gradient,
    has_rows,
    jets,
    law_points,
    points,
    rows_of,
    tail_points,
)
from tests.subjects import STEPS_TOWARDS, SUBJECTS, every, has_curvature

pytestmark = pytest.mark.filterwarnings("error")


DIFFERENTIABLE = {
    name: family for name, family in (SUBJECTS | STEPS_TOWARDS).items() if has_gradient(family)
}


@every(DIFFERENTIABLE)
def test_derivatives_at_constants(family, rng, assert_derivative):
    for eta in points(family):
        y = draw(family, eta, 12, rng)
        check_derivatives(
            formula_of(family, y),
            eta,
            has_curvature(family),
            len(y),
            assert_derivative,
        )


@every(DIFFERENTIABLE, has_rows)
def test_derivatives_at_rows(family, rng, assert_derivative):
    eta, y = rows_of(family, 12, rng)
    check_derivatives(formula_of(family, y), eta, has_curvature(family), len(y), assert_derivative)


@every(DIFFERENTIABLE, lambda family: family.concave)
def test_concave_laws_are_concave(family, rng):
    eta, y = rows_of(family, 200, rng)
    wide = tuple(3.0 * e for e in eta)
    rows = family.evaluate(family.statistics(y), wide)
    _, _, curvature = jets(rows, len(eta), len(y))
    assert np.linalg.eigvalsh(curvature).min() >= -1e-15


def stays_inside(family, y, eta, step=1e-4):
    """Return which observations have a density at all laws around one."""
    moved = [
        tuple(e + sign * step * (i == j) for i, e in enumerate(eta))
        for j in range(len(eta))
        for sign in (-1.0, 1.0)
    ]
    return np.all([np.isfinite(family.log_prob(y, family.linked(e))) for e in moved], axis=0)


@every(DIFFERENTIABLE)
def test_derivatives_in_the_tails(family, rng, assert_derivative):
    """At eta = -8 and 8, of observations from there and of observations from the middle."""
    middle = points(family, 1)[0]
    for eta in tail_points(family, 8.0):
        if family.nonregular(eta):  # observations lie within rounding of where -log q ends
            continue
        y = np.concatenate([draw(family, eta, 6, rng), draw(family, middle, 6, rng)])
        with np.errstate(over="ignore"):
            value = formula_of(family, y)(eta, 0)[0]
        y = y[value < 1e12]  # beyond, a row has no meaningful differences (Weibull's exp(z))
        if not family.support.fixed:  # nor has one so near to an end that a step leads over it
            y = y[stays_inside(family, y, eta)]
        if len(y):
            check_derivatives(
                formula_of(family, y),
                eta,
                has_curvature(family),
                len(y),
                assert_derivative,
            )


@every(SUBJECTS | STEPS_TOWARDS)
def test_orders_agree(family, rng):
    for eta in points(family, 2) + tail_points(family, 3.0)[:4]:
        y = draw(family, points(family, 1)[0], 9, rng)
        by_order = [
            jets(family.evaluate(family.statistics(y), eta, order), len(eta), len(y))
            for order in (0, 1, 2)
        ]
        for value, *_ in by_order:
            np.testing.assert_array_equal(value, by_order[2][0])
        if by_order[2][1] is not None:
            np.testing.assert_array_equal(by_order[1][1], by_order[2][1])
            assert by_order[2][2] is not None


@every(SUBJECTS | STEPS_TOWARDS, has_rows)
def test_constants_and_rows_of_eta_agree(family, rng):
    """Whichever entries of eta are 0-d.

    Values, gradients and curvatures are those of the full rows.
    """
    eta = points(family, 1)[0]
    y = draw(family, eta, 9, rng)
    statistics = family.statistics(y)
    full = jets(
        family.evaluate(statistics, tuple(np.full(len(y), e) for e in eta)), len(eta), len(y)
    )
    for constant in itertools.product((True, False), repeat=len(eta)):
        mixed = tuple(
            e if is_constant else np.full(len(y), e)
            for e, is_constant in zip(eta, constant, strict=True)
        )
        for a, b in zip(
            jets(family.evaluate(statistics, mixed), len(eta), len(y)), full, strict=True
        ):
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


@every(SUBJECTS | STEPS_TOWARDS)
def test_one_row_is_many_rows(family, rng):
    if has_rows(family):
        eta, y = rows_of(family, 15, rng)
    else:
        eta = points(family, 1)[0]
        y = draw(family, eta, 15, rng)
    together = jets(family.evaluate(family.statistics(y), eta), len(eta), len(y))
    for i in range(len(y)):
        own = tuple(e if e.ndim == 0 else e[i : i + 1] for e in eta)
        alone = jets(family.evaluate(family.statistics(y[i : i + 1]), own), len(eta), 1)
        for a, b in zip(alone, together, strict=True):
            if a is not None:
                np.testing.assert_allclose(a[0], b[i], rtol=1e-12, atol=1e-12)
    base = np.broadcast_to(family.base(family.statistics(y)), len(y))
    for i in range(len(y)):
        np.testing.assert_allclose(
            np.broadcast_to(family.base(family.statistics(y[i : i + 1])), 1)[0],
            base[i],
            rtol=1e-13,
            atol=1e-13,
        )


@every(SUBJECTS)
def test_inputs_are_not_changed(family, rng):
    eta = points(family, 1)[0]
    y = draw(family, eta, 9, rng)
    if has_rows(family):
        eta = tuple(np.full(len(y), e) for e in eta)
    statistics = family.statistics(y)
    before = [a.copy() for a in (y, *statistics, *eta)]
    family.evaluate(statistics, eta)
    family.log_prob(y, family.linked(eta))
    family.starts(statistics, np.ones(len(y)))
    for a, b in zip((y, *statistics, *eta), before, strict=True):
        np.testing.assert_array_equal(a, b)


@every(SUBJECTS, lambda family: family.support.smooth and has_gradient(family))
def test_expected_gradient_and_information(family):
    """E[gradient] = 0 and E[gradient gradient'] = E[curvature]."""
    for eta in points(family):
        y, weight, exact = law_points(family, eta)
        _, gradient, curvature = jets(family.evaluate(family.statistics(y), eta), len(eta), len(y))
        assert_expectation(gradient, weight, exact, np.zeros(len(eta)))
        outer = gradient[:, :, None] * gradient[:, None, :]
        if exact:
            mean = np.tensordot(weight, curvature, 1)
            if not has_curvature(family):  # beside its peak no quadrature sees all of it
                known = family.expected_curvature(family.statistics(y), eta)
                mean = dense(known, len(eta), 1)[0]
            assert_expectation(outer, weight, exact, mean)
        else:
            assert_expectation(outer - curvature, weight, exact, np.zeros(len(eta) ** 2))
