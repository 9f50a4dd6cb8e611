"""Zipf's law of ranks up to a last one, which is given or learnt."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from skmle import Distribution, MLEDistribution
from skmle.exceptions import BoundaryWarning
from skmle.families import Zeta, Zipfian, get_family

# The example of VGAM's help page zipf(), whose fit has the log-likelihood -70.96903.
RANKS, TIMES = np.arange(1.0, 6.0)[:, None], [63, 14, 5, 1, 2]


@pytest.mark.parametrize("family", ["zipfian", Zipfian(5), stats.zipfian])
def test_the_fit_of_vgams_help_page(family):
    model = MLEDistribution(family).fit(RANKS, sample_weight=TIMES)
    assert model.status_ == "interior"
    assert f"{model.log_likelihood_:.5f}" == "-70.96903"


def test_the_names_of_the_two_laws_of_zipf_are_scipys():
    assert type(get_family("zipf")) is type(get_family("zeta")) is Zeta
    assert type(get_family("zipfian")) is Zipfian
    frozen = stats.zipfian(1.3, 40)
    law = Distribution.from_scipy(frozen)
    assert (law.family.ranks, float(law.params["exponent"])) == (40, 1.3)
    y = np.arange(1.0, 41.0)
    np.testing.assert_allclose(law.logpmf(y), frozen.logpmf(y), rtol=1e-13)


def test_it_is_the_zeta_law_where_the_last_rank_is_far():
    y = np.arange(1.0, 50.0)
    finite = Distribution(Zipfian(2**53), exponent=4.0)
    endless = Distribution("zeta", shape=3.0)
    for name in ("logpmf", "logsf", "logcdf"):
        found, expected = getattr(finite, name)(y), getattr(endless, name)(y)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(finite.mean(), endless.mean(), rtol=1e-13)


def test_exponents_below_zero_are_those_of_the_last_ranks():
    law, y = Distribution(Zipfian(9), exponent=-1.0), np.arange(1.0, 10.0)
    np.testing.assert_allclose(law.pmf(y), y / 45.0, rtol=1e-14)
    assert law.to_scipy() is None
    uniform = Distribution(Zipfian(9), exponent=0.0)
    np.testing.assert_allclose(uniform.cdf(y), y / 9.0, rtol=1e-14)


@pytest.mark.parametrize(("rank", "end"), [(1.0, np.inf), (7.0, -np.inf)])
def test_where_all_stand_at_one_end(rank, end):
    with pytest.warns(BoundaryWarning, match="all its mass"):
        model = MLEDistribution(Zipfian(7)).fit(np.full((9, 1), rank))
    assert model.status_ == "boundary" and model.params_["exponent"] == end
    np.testing.assert_array_equal(model.sample(5, random_state=0), rank)
    assert model.distribution_.mean() == rank and model.distribution_.var() == 0.0


def test_the_last_rank_is_learnt_from_all_batches():
    first, second = np.array([[1.0], [9.0], [2.0]]), np.array([[1.0], [3.0], [2.0]])
    model = MLEDistribution("zipfian").partial_fit(first).partial_fit(second)
    whole = MLEDistribution("zipfian").fit(np.vstack([first, second]))
    assert model.distribution_.family.ranks == whole.distribution_.family.ranks == 9
    np.testing.assert_allclose(model.log_likelihood_, whole.log_likelihood_, rtol=1e-12)


def test_ranks_beyond_the_last_are_refused_with_the_cure():
    says = r"row 1: 8.*Allowed: 1 <= y <= 7, whole numbers.*Give families\.Zipfian\(ranks=\.\.\.\)"
    with pytest.raises(ValueError, match=says):
        MLEDistribution(Zipfian(7)).fit([[1.0], [8.0]])


def test_ranks_that_are_not_told_apart_are_refused():
    with pytest.raises(ValueError, match="outside the support.*Choose zeta"):
        MLEDistribution("zipfian").fit([[1.0], [1e16]])


@pytest.mark.parametrize("wrong", [1, 0, -3, 2.5, np.nan, np.inf, "many", 10**400, 2**53 + 2])
def test_what_is_no_number_of_ranks_is_refused(wrong):
    says = rf"ranks={re.escape(repr(wrong)[:20])}.* is not allowed\. Allowed: a whole number from 2"
    with pytest.raises(ValueError, match=says):
        Distribution(Zipfian(wrong), exponent=1.0)


def test_a_law_that_does_not_know_its_ranks_says_so():
    with pytest.raises(ValueError, match="learnt from data by fit. Allowed: .*give it"):
        Distribution("zipfian", exponent=1.0)


@pytest.mark.parametrize("family", [Zeta(), Zipfian(5), Zipfian(10**6)])
def test_an_eta_beyond_all_use_leaves_no_nan(family):
    """A fit may come there whose features are huge numbers."""
    statistics = family.statistics(np.array([1.0, 2.0, 5.0]))
    with np.errstate(all="ignore"):
        for eta in (-1e300, -1e3, 1e3, 1e300):
            rows = family.evaluate(statistics, (np.asarray(eta),))
            for entry in (rows.value, *rows.gradient, *rows.curvature):
                assert not np.isnan(entry).any()
