"""Units and weights change no verdict."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution
from tests.engine.verdicts import CONTINUOUS, RUNS, draw, judge
from tests.subjects import ONE_EACH, as_columns, every, has_units

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@every(ONE_EACH)
@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_scale_of_weights_changes_nothing(family, factor):
    for seed in range(RUNS // 50):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        weight = rng.uniform(0.1, 3.0, len(y))
        model, said = judge(MLEDistribution(family), as_columns(y), sample_weight=weight)
        other, again = judge(MLEDistribution(family), as_columns(y), sample_weight=factor * weight)
        assert said == again
        np.testing.assert_allclose(other.log_likelihood_, factor * model.log_likelihood_, rtol=1e-9)


@every({name: f for name, f in CONTINUOUS.items() if has_units(f)})
@pytest.mark.parametrize("factor", [1e-100, 1e-6, 1e6, 1e100])
def test_the_unit_of_y_changes_nothing(family, factor):
    for seed in range(RUNS // 50):
        _, y = draw(family, 60, np.random.default_rng(seed))
        model, said = judge(MLEDistribution(family), y[:, None])
        other, again = judge(MLEDistribution(family), factor * y[:, None])
        assert said == again
        np.testing.assert_allclose(
            other.log_likelihood_ + len(y) * np.log(factor),
            model.log_likelihood_,
            rtol=1e-8,
            atol=1e-8,
        )


@every({name: f for name, f in CONTINUOUS.items() if f.support.low == -np.inf})
def test_the_origin_of_y_changes_nothing(family):
    for seed in range(RUNS // 50):
        _, y = draw(family, 60, np.random.default_rng(seed))
        y = np.round(y * 2.0**20) / 2.0**20  # so that y + 1e8 is exact
        model, said = judge(MLEDistribution(family), y[:, None])
        other, again = judge(MLEDistribution(family), y[:, None] + 2.0**27)
        assert said == again
        np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-9)
