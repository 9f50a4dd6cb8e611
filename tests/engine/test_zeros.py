"""Zeros added to every law: samples, and groups, without zeros and of zeros alone.

What is known there is what the law inside, and a model of the zeros, say on their own.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, families
from skmle._engine.judge.growth import growth
from skmle.families import Family
from skmle.families.tools.intervals import never_rises
from tests.engine.verdicts import REGRESSED, fitted, judge
from tests.families.laws import points
from tests.subjects import may_be_singular, states_a_way, typical_eta

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

N = 60
RNG = np.random.default_rng(1)
GROUP = (np.arange(N) % 3 == 0).astype(float)
X = np.column_stack([GROUP, RNG.normal(size=N)])
NO_ZERO = np.arange(N) % 2 == 0


def takes_zeros(family: Family) -> bool:
    """Whether zeros can be told from those of the law, as those of a coin cannot."""
    one_column = family.observation == families.base.Observation()
    return one_column and not (family.support.discrete and np.isfinite(family.support.high))


def with_zeros() -> dict[str, Family]:
    """Return every law with zeros added, in both ways."""
    found: dict[str, Family] = {}
    for name, family in filter(lambda item: takes_zeros(item[1]), REGRESSED.items()):
        found[f"inflated-{name}"] = families.ZeroInflated(family)
        # Above zero an exponential tail is left of a law with a cusp, and of a skew-normal law a
        # half-normal one, whatever its skewness.
        if not (family.kinked or may_be_singular(family)):
            found[f"hurdle-{name}"] = families.Hurdle(family)
    return found


LAWS = with_zeros()
EVERY = pytest.mark.parametrize("name", LAWS)


def drawn(family: Family) -> np.ndarray:
    """Return values of the law inside that are not zero."""
    inner = family.inner
    eta = [np.full(N, value) for value in typical_eta(inner)]
    y = np.asarray(inner.sample(inner.natural(tuple(eta)), (N,), np.random.default_rng(2)), float)
    return np.where(y == 0.0, np.max(y), y)


@EVERY
def test_a_sample_without_zeros_has_the_law_inside(name):
    family = LAWS[name]
    y = drawn(family)[:, None]
    model, says = judge(MLEDistribution(family), y)
    inside, _ = fitted(MLEDistribution(family.inner), y)
    if inside.status_ == "no_maximum" and states_a_way(family.inner):
        assert says == "no_maximum"
        return
    assert says == "boundary"
    assert model.params_ == pytest.approx(inside.params_ | {"zeros": 0.0}, rel=1e-6)
    np.testing.assert_allclose(model.log_likelihood_, inside.log_likelihood_, rtol=1e-10)
    np.testing.assert_allclose(model._covariances[0], inside._covariances[0], rtol=1e-6)


@EVERY
def test_zeros_alone_tell_nothing_but_their_share(name):
    zeros = np.zeros((3, 1))
    with pytest.warns(UserWarning, match="where the law is that of zeros alone") as caught:
        model = MLEDistribution(LAWS[name]).fit(zeros)
    *others, share = LAWS[name].names
    assert all(other in str(caught[0].message) for other in others)
    assert model.status_ == "boundary" and model.params_.pop(share) == 1.0
    assert np.isnan(list(model.params_.values())).all() and list(model.params_) == others
    assert model.log_likelihood_ == model.score(zeros) == 0.0
    law = model.distribution_
    assert law.mean() == law.var() == law.entropy() == law.ppf(0.5) == law.cdf(-1.0) == 0.0
    assert law.cdf(0.0) == 1.0 and not model.sample(3).any()
    assert "status boundary" in str(model.summary()) and "zeros = 1" in str(model.summary())


def groups_of(family: Family) -> dict[str, tuple[np.ndarray, float]]:
    """Return y with a group without zeros, and of zeros alone, and where its zeros run to."""
    y = drawn(family)
    rest = np.where(NO_ZERO, y, 0.0)
    return {
        "no zeros": (np.where(GROUP > 0.0, y, rest), -np.inf),
        "zeros alone": (np.where(GROUP > 0.0, 0.0, rest), np.inf),
    }


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("kind", ["no zeros", "zeros alone"])
def test_a_group_separates_in_the_zeros_alone(name, kind):
    family = LAWS[name]
    y, end = groups_of(family)[kind]
    features = {family.names[0]: "all", "zeros": "all"}
    known = None
    for offset in (0.0, 3.0):
        # A law that runs to its half-normal limit on the way takes more steps than others.
        model = MLERegressor(family, features=features, max_iter=400)
        model, says = judge(model, X, y, offset=np.full(N, offset))
        assert says == "separation" and model.separated_.columns == {"zeros": {"x0": end}}
        sure = np.flatnonzero(GROUP) if end > 0.0 else []
        np.testing.assert_array_equal(model.separated_.rows, sure)
        known = known or model.log_likelihood_
        np.testing.assert_allclose(model.log_likelihood_, known, rtol=1e-8)
    if family.kinked:
        return  # the usual errors do not hold
    if states_a_way(family.inner) and model._results().reason:
        return  # the rows that are left are few, and lead the law inside to its supremum
    errors = model.inference().standard_errors
    # Of zeros alone, the slope of the group in the law inside is not known either.
    unknown = {3} | ({0} if end > 0.0 else set())
    assert set(np.flatnonzero(np.isnan(errors))) == unknown


@EVERY
def test_hurdles_have_the_errors_of_two_models(name):
    family = LAWS[name]
    if not isinstance(family, families.Hurdle):
        return
    y, _ = groups_of(family)["no zeros"]
    model, _ = fitted(
        MLERegressor(family, features=dict.fromkeys(family.names[:1], "all") | {"zeros": "all"}),
        X,
        y,
    )
    above, _ = fitted(MLERegressor(family.inner), X[y > 0.0], y[y > 0.0])
    rest = GROUP == 0.0
    zeros, _ = fitted(CrossEntropyClassifier(), X[rest, 1:], y[rest] == 0.0)
    total = above.log_likelihood_ + zeros.log_likelihood_
    np.testing.assert_allclose(model.log_likelihood_, total, rtol=1e-9)
    np.testing.assert_allclose(model.coefs_[family.names[0]], above.coef_, rtol=1e-5, atol=1e-7)


CHANGES = (-1.0, 0.0, 1.0)


@EVERY
def test_where_rows_run_to_is_what_their_numbers_show(name):
    """A row is said not to rise only if it does not, and is said to rise only if it does."""
    family = LAWS[name]
    y = np.append(drawn(family)[:3], 0.0)
    statistics, start = family.statistics(y), points(family.inner, 1)[0]
    origin = (*start, np.asarray(0.3))
    for inner in CHANGES:
        for zeros in CHANGES:
            delta = (np.full(4, inner), *(np.zeros(4) for _ in start[1:]), np.full(4, zeros))
            stated = family.recession(statistics, delta)
            seen = never_rises(
                lambda eta: (
                    family.evaluate(
                        statistics, tuple(o + e for o, e in zip(origin, eta, strict=True)), 0
                    ).value
                ),
                delta,
                4,
            )
            told = ~np.isnan(stated)
            np.testing.assert_array_equal(stated[told] <= 0.0, seen[told], err_msg=str(delta))
            if inner == 0.0:
                assert told.all()
            assert (growth(family, statistics, delta)[~told] == np.inf).all()
