"""Draws of counts beyond what numpy draws, and numbers of trials that are none."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import Distribution
from skmle.families import Binomial

HUGE = [
    *(("poisson", {"mean": m}) for m in (1e9, 1e11, 1e18, 1e19, 1e25)),
    *(("nbinom", {"mean": m, "dispersion": 0.5}) for m in (1e19, 1e100)),
    *(
        (Binomial(n), {"probability": p})
        for n in (10**12, 10**18, 10**19, 10**25)
        for p in (10.0 / n, 0.3)
    ),
    *(("geometric", {"probability": p}) for p in (1e-17, 1e-25)),
]


@pytest.mark.parametrize("family, params", HUGE, ids=[f"{i}" for i in range(len(HUGE))])
@pytest.mark.filterwarnings("error")
def test_draws_have_the_mean_and_spread(family, params):
    law = Distribution(family, params)
    draws = law.rvs(4000, random_state=0)
    draws = draws[:, 0] if draws.ndim == 2 else draws
    sd = law.std() + np.spacing(law.mean())
    assert np.isfinite(draws).all()
    assert abs(draws.mean() - law.mean()) < 5.0 * sd / np.sqrt(len(draws))
    assert abs(draws.std() / sd - 1.0) < 0.15


@pytest.mark.parametrize(
    "trials", [10**400, -3, 2.5, "a"], ids=["long", "negative", "real", "text"]
)
def test_trials_that_are_no_number(trials):
    law = Distribution(Binomial(trials), {"probability": 0.5})
    with pytest.raises(ValueError, match=r"Binomial\(trials=.*Allowed: a whole number.*Give one"):
        law.mean()
