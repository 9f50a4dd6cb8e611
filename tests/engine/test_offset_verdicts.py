"""An offset that the intercept takes up changes no verdict, whatever the law and the data are."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLERegressor, families
from skmle.families import Family
from tests.engine.verdicts import REGRESSED, fitted
from tests.subjects import every, narrows, representatives, taken_in_turn, typical_eta

pytestmark = pytest.mark.filterwarnings("error")

N = 40


def is_mixable(family: Family) -> bool:
    """Whether it is a smooth law of all numbers, as cusps and ends that move cannot be mixed."""
    support, smooth = family.support, family.shortcuts.starts != "final"
    return support.low == -np.inf and support.fixed and not support.discrete and smooth


def is_inflatable(family: Family) -> bool:
    """Whether zeros can be told from those of the law, as those of a coin cannot."""
    one_column = family.observation == families.base.Observation()
    return one_column and not (family.support.discrete and np.isfinite(family.support.high))


INSIDE = {n: family for n, family in REGRESSED.items() if type(family) in representatives()}
OF_OTHERS: dict[str, Family] = {
    f"mixture-{name}": families.Mixture(family)
    for name, family in INSIDE.items()
    if is_mixable(family)
} | {
    f"inflated-{name}": families.ZeroInflated(family)
    for name, family in INSIDE.items()
    if is_inflatable(family)
}


def drawn(family: Family) -> np.ndarray:
    eta = [np.full(N, value) for value in typical_eta(family)]
    y = family.sample(family.natural(tuple(eta)), (N,), np.random.default_rng(2))
    return y.astype(float)


def half(y: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the rows with the first half of them equal to one value."""
    result = y.copy()
    result[: len(y) // 2] = value
    return result


def equal(y: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.unique(y, axis=0)[-1], y.shape)


SAMPLES = {
    "drawn": lambda y: y,
    "equal": equal,
    "two values": lambda y: half(equal(y), np.unique(y, axis=0)[0]),
    "half equal": lambda y: half(y, equal(y)[0]),
}


every_sample = pytest.mark.parametrize("name", SAMPLES)
every_design = pytest.mark.parametrize("groups", [False, True], ids=["constant", "groups"])


@pytest.mark.numerics
@pytest.mark.slow
@every(REGRESSED)
@every_sample
@every_design
def test_a_constant_offset_changes_no_verdict(family, name, groups):
    check_offsets(family, name, groups)


# Not once more with other kernels of BLAS: they take most of the time, and what rounds is the same
# as in the laws inside.
@pytest.mark.slow
@every(OF_OTHERS)
@every_sample
@every_design
def test_a_constant_offset_changes_no_verdict_of_a_law_made_of_others(family, name, groups):
    check_offsets(family, name, groups)


def check_offsets(family: Family, name: str, groups: bool) -> None:
    if name == "equal" and isinstance(family, families.Mixture):
        return  # Equal rows cannot be told apart into parts, and are refused.
    y = SAMPLES[name](drawn(family))
    group = (np.arange(len(y)) < len(y) // 2).astype(float)
    X = np.column_stack([group if groups else np.random.default_rng(3).normal(size=len(y))])
    features = dict.fromkeys(family.names[:2], "all") if groups else None
    model, warned = fitted(MLERegressor(family, features=features), X, y)
    offsets = (3.0,) if isinstance(family, families.Mixture) else (-0.75, 3.0)
    for offset in taken_in_turn(offsets, len(offsets), f"{family!r} {name}"):
        other, also = fitted(
            MLERegressor(family, features=features), X, y, offset=np.full(len(y), offset)
        )
        assert other.status_ == model.status_
        if isinstance(family, families.Mixture) and family.family.several_modes:
            if model.status_ == "no_maximum":
                continue  # Several ways lead there, and which is found first is not said.
        if also != warned:
            # Of a group of zeros alone two ways go to one supremum: the group separates, or nothing
            # depends on a parameter any more, or the shape of its counts runs off. Either may be
            # told.
            several = isinstance(family, families.ZeroInflated) or narrows(family)
            assert groups and name == "two values" and several
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-8, abs=1e-8)
            continue
        here, there = model.separated_.columns, other.separated_.columns
        if here != there:
            # Where a group's probability runs to 1, its rows tell nothing of their dispersion.
            first = family.names[0]
            if not narrows(family):
                assert here[first] == there[first] and here.keys() == there.keys()
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-8, abs=1e-8)
        if model.converged_:
            np.testing.assert_allclose(
                other.log_likelihood_, model.log_likelihood_, rtol=1e-8, atol=1e-8
            )
            first = family.names[0]
            if isinstance(family, families.Mixture):
                continue  # Its parts have no order: where they are alike, they may change places.
            if first in model.intercepts_ and np.isfinite(model.intercepts_[first]):
                np.testing.assert_allclose(
                    other.intercepts_[first] + offset, model.intercepts_[first], atol=1e-4
                )
