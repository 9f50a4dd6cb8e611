"""Wrappers hand on every member of a family.

What a law is asked for follows from its cdf where scipy has none.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from skmle.families import wrappers
from skmle.families.base import Family
from skmle.families.wrappers.base import Wrapper
from tests.families.laws import natural, points
from tests.subjects import SUBJECTS, every, has_order

# Members of `Family` that follow from others, which are handed on: a wrapper's are right by
# themselves.
DERIVED = {
    "evaluate": "every wrapper states it",
    "starts": "every wrapper states it",
    "rows": "`evaluate` through the links",
    "log_prob": "`rows` and `base`",
    "names": "of the parameters",
    "dimensionless": "of the link",
    "fades": "of the link",
    "counted": "of the support",
    "links_of": "of the links",
    "natural": "`link`, parameter by parameter",
    "natural_jacobian": "`link`, parameter by parameter",
    "natural_labels": "the names",
    "natural_charts": "of the parameters",
    "linked": "`link`, parameter by parameter",
    "chart": "`link`, parameter by parameter",
    "domains": "`link`, parameter by parameter",
    "innermost": "`link`, parameter by parameter",
    "restricted": "`link`, parameter by parameter",
    "eta": "`link`, parameter by parameter",
    "alone": "`saturated`",
    "numbers_of": "of the observation",
    "about_quantile": "`quantile`",
    "limits_in_place": "of the limits",
    "condensable": "of the shortcuts and the support",
    "amiss": "of laws of several columns, around which there is no wrapper",
    "covariance": "`variance`",
    "rough_start": "`starts`",
    "known_entropy": "information measures ask the predicted law",
    "dense": "the law itself, but for those that leave out a mass",
    "divergence": "information measures ask the predicted law",
    "probabilities": "information measures ask the predicted law",
    "knows_curvature": "`expected_curvature`, which a wrapper states",
    "finer_eta": "of the normal law of several columns, which has no parameters to hold",
    "scipy_name": "scipy has no law around a law",
    "from_scipy": "scipy has no law around a law",
    "ends": "of the support, and of `to_scipy`",
    "turned": "scipy has no law around a law",
}


def members(cls) -> set[str]:
    """The public members that a class and those that it builds on state, but for scikit-learn's."""
    stated = {
        name
        for base in cls.__mro__
        if base.__module__.startswith("skmle.")
        for name in {*vars(base), *inspect.get_annotations(base)}
    }
    return {name for name in stated if not name.startswith("_")}


def test_a_wrapper_hands_on_every_member():
    handed_on = {name for name in vars(Wrapper) if not name.startswith("_")}
    forgotten = members(Family) - handed_on - set(DERIVED)
    assert not forgotten, f"say in Wrapper, or in DERIVED, what a wrapper's {forgotten} is"
    assert not set(DERIVED) & handed_on and set(DERIVED) <= members(Family)


def found_wrappers():
    folder = Path(wrappers.__file__).parent
    modules = [import_module(f"skmle.families.wrappers.{p.stem}") for p in folder.glob("[a-z]*.py")]
    classes = {cls for module in modules for cls in vars(module).values() if inspect.isclass(cls)}
    return sorted(
        (cls for cls in classes if issubclass(cls, Wrapper) and not inspect.isabstract(cls)),
        key=lambda cls: cls.__name__,
    )


@pytest.mark.parametrize("cls", found_wrappers())
def test_a_wrapper_states_what_differs(cls):
    """None of its members is word for word what it would have been handed."""
    same = {
        name
        for name, member in vars(cls).items()
        if name in vars(Wrapper) and member is vars(Wrapper)[name]
    }
    assert not same and not inspect.isabstract(cls)


# ---------------------------------------------------------------- from the cdf alone


class OnlyCdf(Wrapper):
    """A family of which only `cdf` and log q are known, as of most wrappers."""

    def around(self, family):
        return OnlyCdf(family)

    def evaluate(self, statistics, eta, order=2):
        return self.inner.evaluate(statistics, eta, order)

    def starts(self, statistics, weight):
        return self.inner.starts(statistics, weight)

    def predicted(self, theta):
        return super(Wrapper, self).predicted(theta)

    def to_scipy(self, theta):
        return None

    def cdf(self, y, theta):
        return self.inner.cdf(y, theta)

    def known_entropy(self, theta):
        return None


for member in (
    "sf",
    "log_tail",
    "quantile",
    "upper_quantile",
    "mean",
    "variance",
    "std",
    "entropy",
    "sample",
):
    setattr(OnlyCdf, member, getattr(Family, member))

MODERATE = [0.01, 0.3, 0.5, 0.9, 0.999]


def one_column(family):
    return has_order(family) and family.support.smooth


@pytest.mark.slow
@every(SUBJECTS, one_column)
def test_quantiles_moments_and_entropy_follow_from_the_cdf(family, rng):
    numerical = OnlyCdf(family)
    for chart_eta in points(family, 2):
        theta = tuple(np.asarray(value) for value in natural(family, chart_eta))
        levels = np.array(MODERATE)
        np.testing.assert_allclose(
            numerical.quantile(levels, theta), family.quantile(levels, theta), rtol=1e-8, atol=1e-9
        )
        np.testing.assert_allclose(
            numerical.upper_quantile(levels, theta),
            family.upper_quantile(levels, theta),
            rtol=1e-8,
            atol=1e-9,
        )
        for method in ("mean", "variance", "entropy"):
            expected = getattr(family, method)(theta)
            if np.isfinite(expected):
                found = getattr(numerical, method)(theta)
                np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9, err_msg=method)
        drawn = numerical.sample(theta, (20,), rng)
        assert drawn.shape == (20,) and family.contains(drawn).all()
