"""The skew-normal law next to shape 0, where its likelihood is always stationary."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning
from tests.engine.verdicts import judge

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("shape", [0.0, 0.5, -3.0, 8.0])
@pytest.mark.parametrize("n", [50, 1000])
def test_no_search_of_scipy_finds_more(n, shape):
    for seed in range(3):
        y = stats.skewnorm(shape, 3.0, 2.0).rvs(n, random_state=seed)
        model, said = judge(MLEDistribution("skew_normal"), y[:, None])
        assert said in ("interior", "boundary")
        for start in (2.0, -2.0, shape):
            theirs = stats.skewnorm(*stats.skewnorm.fit(y, start, loc=y.mean(), scale=y.std()))
            assert model.log_likelihood_ >= theirs.logpdf(y).sum() - 1e-6


def test_data_without_skewness_or_heavy_tails_are_normal():
    y = 5.0 + stats.norm.ppf((np.arange(40) + 0.5) / 40.0)[:, None]
    with pytest.warns(NonRegularWarning, match="next to shape 0, the normal law"):
        model = MLEDistribution("skew_normal").fit(y)
    normal = MLEDistribution("normal").fit(y)
    assert model.status_ == "non_regular" and model.params_["shape"] == 0.0
    assert model.log_likelihood_ == pytest.approx(normal.log_likelihood_, rel=1e-13)
    for name in ("loc", "scale"):
        assert model.params_[name] == pytest.approx(normal.params_[name], rel=1e-13)


@pytest.mark.parametrize("seed", [3, 7, 15, 19])
def test_a_regression_that_runs_off_does_not_end_at_the_normal_law(seed):
    """One sign of the shape leads to the normal law, the other to infinity."""
    rng = np.random.default_rng(seed)
    X, shape = rng.normal(size=(40, 5)), 2.0 * rng.normal()
    error = stats.skewnorm(shape).rvs(40, random_state=rng)
    y = X @ rng.normal(size=5) + error
    model, said = judge(MLERegressor("skew_normal"), X, y)
    assert said in ("interior", "no_maximum")
    assert model.log_likelihood_ > MLERegressor("normal").fit(X, y).log_likelihood_ + 1e-3
