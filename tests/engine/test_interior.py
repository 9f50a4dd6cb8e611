"""An interior maximum.

Found, confirmed by differences of the log-likelihood, and without a false alarm.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor
from skmle.families import Normal
from tests.engine.verdicts import (
    DISTRIBUTIONAL,
    OF_EACH,
    REGRESSED,
    RUNS,
    both,
    check_density,
    check_regression,
    draw,
    draw_rows,
    expected_verdict,
    judge,
    limit_of,
    suits,
)
from tests.subjects import ONE_EACH, as_columns, ends_move, every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@pytest.mark.slow
@every(ONE_EACH)
def test_densities_of_their_own_law(family):
    """Samples of 30 and 300.

    Interior, no warning, and the optimum; at the boundary where the score test says so.
    """
    found = Counter()
    for seed in range(OF_EACH if family.observation.columns else OF_EACH // 4):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 30 if seed % 2 else 300, rng)
        model, said = judge(MLEDistribution(family), as_columns(y))
        simpler = limit_of(family, y)
        limit = simpler and judge(MLEDistribution(simpler), as_columns(y))[0]
        expected = expected_verdict(family, y, limit)
        if family.several_modes and (said, expected) == ("interior", "boundary"):
            # There is a likelier maximum away from the one at the limit.
            expected = said if model.log_likelihood_ > limit.log_likelihood_ else expected
        found[said, expected] += 1
        if said == "interior":
            check_density(model, family, y)
    assert all(suits(family, *pair) for pair in found), found
    assert found["interior", "interior"] or not ends_move(family)


@every(REGRESSED)
@pytest.mark.slow
def test_regressions_of_their_own_law(family):
    found = Counter()
    for seed in range(OF_EACH // 4):
        rng = np.random.default_rng(seed)
        X, y = draw(family, 40 if seed % 2 else 300, rng, p=2)
        model, said = judge(MLERegressor(family), X, y)
        simpler = limit_of(family, y)
        limit = simpler and MLERegressor(simpler).fit(X, y)
        expected = expected_verdict(family, y, limit, X)
        found[said, expected] += 1
        if said == "interior":
            check_regression(model, family, X, y)
    assert all(suits(family, *pair) for pair in found), found
    assert found["interior", "interior"] or not ends_move(family)


@every(DISTRIBUTIONAL)
def test_two_parameters_on_features(family):
    for seed in range(OF_EACH // 10):
        X, y = draw_rows(family, 300, 2, np.random.default_rng(seed))
        model, said = judge(MLERegressor(family, features=both(family)), X, y)
        at_limit = said == "boundary" and family.limits
        assert at_limit or suits(family, said, "interior")
        if said == "interior":
            check_regression(model, family, X, y, modelled=2)


def test_a_location_under_a_log_link_takes_negative_observations():
    """exp(eta) is positive, y need not be: a maximum like any other."""
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(200, 2))
        y = np.exp(X @ [0.3, -0.2]) + rng.normal(size=200)
        family = Normal(links={"loc": "log"})
        model, said = judge(MLERegressor(family), X, y)
        assert said == "interior"
        check_regression(model, family, X, y)


@every(REGRESSED)
def test_standard_errors_of_small_fits_are_those_of_the_maximum(family):
    """They do not depend on where the last step began, but to the last digits."""
    seen = 0
    for seed in range(5):
        X, y = draw(family, 60, np.random.default_rng(seed), p=2)
        model, said = judge(MLERegressor(family), X, y)
        other, again = judge(MLERegressor(family, tol=1e-10), X, y)
        if said == again == "interior" and not family.smoothings():
            errors, others = (np.asarray(m.inference().standard_errors) for m in (model, other))
            # Next to a limit law the place of the maximum is rounded, and the errors are with it:
            # most that of the parameter that hardly anything depends on.
            told = others < 100.0
            rtol = 1e-11 if told.all() else 1e-8
            np.testing.assert_allclose(errors[told], others[told], rtol=rtol)
            seen += 1
    assert seen or family.smoothings()
