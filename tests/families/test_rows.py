"""Rows: exactly what the order asks for, and the algebra that makes laws of other laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skmle.families import Normal, Rows
from skmle.families.algebra import add, beside, mix, pick, replaced
from skmle.families.base import Softmax
from skmle.families.differences import differences
from tests.families.laws import draw, has_rows, points
from tests.subjects import SUBJECTS, every

ETA = (np.array([0.3, -1.0, 2.0]), np.array([-0.5, 0.1, 0.7]))
Y = np.array([0.2, 1.5, -0.4])


def normal(y=Y, shift=0.0):
    """-log q of a normal law as a function of (loc, log scale), with its constant."""

    def rows(eta, order=2):
        found = Normal().evaluate((y - shift,), eta, order)
        return found._replace(value=found.value + 0.5 * np.log(2 * np.pi))

    return rows


def value_of(function):
    return lambda eta: function(eta, 0).value


def assert_equal_rows(found: Rows, expected: Rows, gradient=1e-9, curvature=1e-6):
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-13, atol=1e-13)
    for one, other in zip(found.gradient, expected.gradient, strict=True):
        np.testing.assert_allclose(np.broadcast_to(one, other.shape), other, atol=gradient)
    for one, other in zip(found.packed, expected.packed, strict=True):
        one, other = (np.zeros(()) if e is None else e for e in (one, other))
        np.testing.assert_allclose(*np.broadcast_arrays(one, other), atol=curvature)


# ---------------------------------------------------------------- exactly what is asked


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("constant", [True, False])
@every(SUBJECTS)
def test_rows_have_exactly_what_is_asked_for(family, constant, order):
    if not has_rows(family) and not constant:
        return  # a density's parameters are those of all rows
    point = points(family, 1)[0]
    y = draw(family, point, 4, np.random.default_rng(0))
    eta = tuple(e if constant else np.full(len(y), e) for e in point)
    rows = family.evaluate(family.statistics(y), eta, order)
    moving = not family.support.smooth  # such a law has no derivatives
    assert (rows.gradient is not None) == (order > 0 and not moving)
    assert (rows.curvature is not None) == (order > 1 and not moving)
    k = len(eta)
    if rows.gradient is not None:
        assert len(rows.gradient) == k
    if rows.curvature is not None:
        assert len(rows.packed) == k * (k + 1) // 2


def test_softmax_is_packed():
    p = np.array([[0.2, 0.5], [0.3, 0.1], [0.1, 0.2]])
    packed = Softmax(p).packed()
    for row in range(2):
        expected = np.diag(p[:, row]) - np.outer(p[:, row], p[:, row])
        np.testing.assert_allclose([e[row] for e in packed], expected[np.triu_indices(3)])


# ---------------------------------------------------------------- the algebra


@pytest.mark.parametrize(("rough", "scale", "digits"), [(1e-9, 1.0, 1e-9), (0.0, 0.03, 1e-12)])
def test_differences_find_the_step_that_suits_a_function(rough, scale, digits):
    """Of few digits, or that varies on a small scale: one step for all leaves 4e-8 and 6e-11."""

    def value(eta):
        y = np.linspace(0.1, 1.0, 50)
        exact = np.sin(y * eta[0] / scale) * scale
        return np.round(exact / rough) * rough if rough else exact

    (gradient,) = differences(value, (np.float64(0.3),), 1).gradient
    y = np.linspace(0.1, 1.0, 50)
    assert abs(np.mean(gradient - y * np.cos(y * 0.3 / scale))) < digits


def test_differences_have_the_promised_digits():
    assert_equal_rows(differences(value_of(normal()), ETA, 2), normal()(ETA), 1e-10, 1e-7)
    assert differences(value_of(normal()), ETA, 0).gradient is None
    assert differences(value_of(normal()), ETA, 1).curvature is None


@pytest.mark.parametrize("signs", [None, [1.0, 1.0], [2.0, -0.02]])
def test_a_mixture_is_that_of_its_densities(signs):
    parts = [(normal()(ETA), (0, 1)), (normal(shift=1.0)(ETA), (0, 1))]
    s = [1.0, 1.0] if signs is None else signs

    def value(eta):
        return -np.log(
            sum(
                c * np.exp(-f(eta, 0).value)
                for c, f in zip(s, (normal(), normal(shift=1.0)), strict=True)
            )
        )

    assert_equal_rows(mix(parts, 2, signs), differences(value, ETA, 2))


def test_parts_may_depend_on_some_etas_only():
    three = (*ETA, np.array([0.4, 0.2, -0.1]))
    logit = Rows(
        np.logaddexp(0.0, -three[2]),
        (-1.0 / (1.0 + np.exp(three[2])),),
        (np.exp(three[2]) / (1.0 + np.exp(three[2])) ** 2,),
    )
    known = beside(normal()(ETA), logit)
    assert len(known.gradient) == 3 and len(known.packed) == 6
    found = mix([(known, (0, 1, 2)), (normal(shift=2.0)(ETA), (0, 1))], 3)

    def value(eta):
        one = normal()(eta[:2], 0).value + np.logaddexp(0.0, -eta[2])
        return -np.logaddexp(-one, -normal(shift=2.0)(eta[:2], 0).value)

    assert_equal_rows(found, differences(value, three, 2))
    assert_equal_rows(
        pick(found, (2, 0)),
        differences(lambda e: value((e[1], ETA[1], e[0])), (three[2], ETA[0]), 2),
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_sum_and_a_difference(sign):
    def value(eta):
        return normal()(eta, 0).value + sign * normal(shift=1.0)(eta, 0).value

    found = add(normal()(ETA), normal(shift=1.0)(ETA), sign)
    assert_equal_rows(found, differences(value, ETA, 2))


def test_an_impossible_part_has_no_share():
    rows = normal()(ETA)
    never = Rows(np.full(3, np.inf), (np.full(3, np.nan),) * 2, (np.full(3, np.inf),) * 3)
    assert_equal_rows(mix([(rows, (0, 1)), (never, (0, 1))], 2), rows, 1e-15, 1e-15)
    assert np.isposinf(mix([(never, (0, 1))], 2, order=0).value).all()


def test_a_difference_of_nearly_equal_parts_keeps_its_digits():
    """The mass of a short interval far out, by a difference of tails."""
    low = np.array([3.0, 8.0, 20.0])
    high = low + 1e-6
    parts = [(Rows(-stats.norm.logsf(at)), ()) for at in (low, high)]
    expected = -(stats.norm.logpdf(low + 5e-7) + np.log(1e-6))
    np.testing.assert_allclose(mix(parts, 0, [1.0, -1.0], 0).value, expected, rtol=1e-9)


def test_a_part_that_has_all_of_the_mass_keeps_its_digits():
    """Nothing may cancel, however steep its slope is beside its curvature."""
    part = Rows(np.array([3.0]), (np.array([1e9]),), (np.array([1.0]),))
    never = Rows(np.array([np.inf]), (np.array([2.0]),), (np.array([5.0]),))
    assert_equal_rows(mix([(part, [0]), (never, [0])], 1), part, curvature=1e-15)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_rows_of_some_places_have_another_formula(order, shape):
    """Also where rows are a table, and entries are the same for all."""
    eta = ETA[0], np.broadcast_to(ETA[1], shape)
    one, other = normal()(eta, order), normal(shift=1.0)(eta, order)
    places = np.broadcast_to(np.array([False, True, False]), shape)
    asked = []

    def formula(rows, logit):
        asked.append(np.shape(logit))
        at = tuple(np.broadcast_to(e, shape)[places] for e in eta)
        theirs = normal(np.broadcast_to(Y, shape)[places], shift=1.0)(at, order)
        return mix([(rows, [0, 1]), (theirs, [0, 1])], 2, order=order)

    found = replaced(one, places, eta[1], formula)
    whole = mix([(one, [0, 1]), (other, [0, 1])], 2, order=order)
    assert asked == [(places.sum(),)]
    for entry, alone, both in zip(*map(entries_of, (found, one, whole)), strict=True):
        np.testing.assert_allclose(entry, np.where(places, both, alone), rtol=1e-13)
    assert replaced(one, places & False, eta[1], formula) is one


def entries_of(rows):
    bends = () if rows.curvature is None else rows.packed
    return (rows.value, *(rows.gradient or ()), *bends)
