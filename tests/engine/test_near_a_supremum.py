"""Fits whose rows run off are returned next to the supremum of their likelihood.

What rows that run off lose on the way is seen at the returned coefficients: it is rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLERegressor
from skmle._engine.judge.receding import _near
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.exceptions import SeparationWarning
from skmle.families import NegativeBinomial, Poisson
from tests.engine.verdicts import fitted

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@pytest.mark.parametrize("back", [0.0, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("start", [0.0, 10.0, 50.0])
def test_a_later_direction_leads_rows_back_that_have_run_off(back, start):
    """Zeros of a Poisson law: the first run off along one column, the others along another."""
    X = np.array([[-1.0, back], [0.0, -1.0], [0.0, 0.0]])
    design = Design((Term(slice(None), 2, intercept=False),), 3, X)
    family = Poisson()
    objective = Objective(family.rows, family.statistics(np.array([0.0, 0.0, 1.0])), design, None)
    supremum = 1.0 / 3.0  # of the last row, whose mean is 1
    coef = np.array([start, 0.0])
    reached, value = _near(objective, coef, list(np.eye(2)), supremum)
    assert value == pytest.approx(supremum, abs=1e-9)
    assert value == objective(reached, 0).value


@pytest.mark.parametrize("seed", range(5))
def test_zeros_of_a_mean_and_a_dispersion_that_grow_together(seed):
    """On the way the likelihood falls first: the dispersion has to be large beside the mean."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(24, 1))
    family = NegativeBinomial(links={"mean": "identity"})
    model = MLERegressor(family, features={"mean": [0], "dispersion": [0]})
    model, said = fitted(model, x, np.zeros(24))
    assert model.status_ == "no_maximum" and said == (SeparationWarning,)
    assert model.log_likelihood_ == pytest.approx(0.0, abs=1e-8)
