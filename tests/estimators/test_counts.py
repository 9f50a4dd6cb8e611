"""Laws of counts: whole numbers in densities, and rates, where the law says so, in regressions."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV

from skmle import Distribution, MLEDistribution, MLERegressor, log_prob
from skmle.exceptions import FitWarning
from skmle.families import Family
from tests.estimators.data import counts
from tests.estimators.refusals import assert_four_parts, assert_refused
from tests.subjects import FAMILIES, every_class, is_conditional, own_name, typical


def is_of_counts(cls: type[Family]) -> bool:
    return cls.observation.numeric and cls.observation.columns == 1 and cls.support.discrete


def takes_rates(cls: type[Family]) -> bool:
    return is_of_counts(cls) and cls.support.rates


@every_class(lambda cls: cls.observation.numeric and cls.support.discrete)
def test_a_discrete_law_of_numbers_is_one_of_whole_numbers(cls):
    assert cls.support.whole


@every_class(is_of_counts)
def test_numbers_between_whole_ones_have_no_mass(cls):
    family, theta = typical(cls)
    law = Distribution(family, dict(zip(family.names, theta, strict=True)))
    between = np.array([0.5, 1.5, 2.0 + 1e-9])
    np.testing.assert_array_equal(law.pmf(between), 0.0)
    np.testing.assert_array_equal(law.log_prob(between), -np.inf)
    if (theirs := law.to_scipy()) is not None:
        np.testing.assert_array_equal(theirs.pmf(between), 0.0)


@every_class(is_of_counts)
def test_densities_of_counts_refuse_numbers_between_whole_ones(cls):
    data = np.ones((20, 1))
    data[3] = 0.5
    says = re.escape("1 of 20 rows (row 3: 0.5) of column 0 outside the support")
    assert_four_parts(assert_refused(MLEDistribution(cls), data, says=says))


@every_class(is_of_counts)
@pytest.mark.filterwarnings(f"ignore::{FitWarning.__module__}.{FitWarning.__qualname__}")
def test_numbers_between_whole_ones_score_minus_infinity_under_a_density(cls):
    family, theta = typical(cls)
    data = family.sample(theta, (50,), np.random.default_rng(0))[:, None]
    model = MLEDistribution(cls).fit(data)
    assert np.isfinite(model.score(data))
    assert model.score(data + 0.25) == -np.inf


@pytest.mark.parametrize("seed", range(4))
def test_a_grid_over_families_chooses_no_count_law_for_real_numbers(seed):
    data = np.random.default_rng(seed).normal(100, 10, (200, 1))
    families = ["normal", "gamma", "weibull", "lognormal"]
    every = families + [own_name(cls) for cls in FAMILIES if is_of_counts(cls)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn tells which fits failed
        search = GridSearchCV(MLEDistribution(), {"family": every}, cv=5).fit(data)
    assert search.best_params_["family"] in families


@every_class(takes_rates)
@pytest.mark.filterwarnings(f"ignore::{FitWarning.__module__}.{FitWarning.__qualname__}")
def test_regressions_take_rates_with_their_exposure_as_weight(cls):
    X, time, y = counts()
    model = MLERegressor(cls).fit(X, y / time, sample_weight=time)
    total = model.score(X, y / time, sample_weight=time) * model.weight_sum_
    assert total == pytest.approx(model.log_likelihood_, rel=1e-10)
    assert np.isneginf(model.predict_dist(X).log_prob(y / time)).sum() == (y > 0).sum()


@every_class(lambda cls: is_of_counts(cls) and is_conditional(cls) and not cls.support.rates)
def test_other_regressions_of_counts_refuse_rates(cls):
    X, time, y = counts()
    assert_four_parts(
        assert_refused(MLERegressor(cls), X, 0.1 + y / time, says="of y outside the support")
    )


def test_a_poisson_regression_of_scikit_learn_scores_rates_as_ours_does():
    X, time, y = counts()
    theirs = PoissonRegressor(alpha=0.0, tol=1e-10).fit(X, y / time, sample_weight=time)
    ours = MLERegressor("poisson").fit(X, y / time, sample_weight=time)
    np.testing.assert_allclose(
        log_prob(theirs, X, y / time), log_prob(ours, X, y / time), rtol=1e-4
    )
