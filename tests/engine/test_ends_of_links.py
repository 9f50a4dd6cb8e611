"""Locations whose best value lies outside of their link's domain: at its edge, or at no end of it.

The likelihood is that of a location of zero, told by the law itself with that location held.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, NoMaximumWarning
from skmle.families import Family, Laplace
from tests.engine.verdicts import fitted
from tests.subjects import RELINKED, ends_move, every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

LOCATIONS = {
    name: family
    for name, family in RELINKED.items()
    if family.names[:2] == ("loc", "scale")
    and family.parameters[0].chart.spans_zero
    and set(family.links) == {"loc"}
    and family.support.fixed  # else the likelihood has no bound, and other maxima
    and family.domains
}
FADING = {name: family for name, family in LOCATIONS.items() if family.fades(0)}
CUT = {name: family for name, family in LOCATIONS.items() if not family.fades(0)}
FADING["Laplace-loc-inverse"] = Laplace(links={"loc": "inverse"})

N = 40
GROUPS = np.eye(2)[np.arange(N) % 2]
FORMS = ["density", "features", "a group", "scales"]


def outcomes(family: Family, z: np.ndarray) -> np.ndarray:
    """Return observations of which the law measures the residuals of z."""
    return clone(family).set_params(links=None).restore((z,))


def check_value(family: Family, model, best: float) -> None:
    """Check that a fit is as likely as the best one; of laws whose ends move there are others."""
    if ends_move(family):
        assert model.log_likelihood_ >= best - 1e-6
    else:
        assert model.log_likelihood_ == pytest.approx(best, abs=1e-6)


def negative(family: Family, form: str):
    """Return a fit to observations below zero, its warnings and the highest log-likelihood."""
    rng = np.random.default_rng(8)
    z, X = rng.normal(-2.0, 0.5, N), rng.normal(size=(N, 2))
    free = clone(family).set_params(links=None)
    if form == "density":
        y = outcomes(family, z)[:, None]
        held = MLEDistribution(free, fixed={"loc": 0.0})
        return *fitted(MLEDistribution(family), y), fitted(held, y)[0].log_likelihood_
    if form == "features":
        y = outcomes(family, z)
        held = MLEDistribution(free, fixed={"loc": 0.0})
        return *fitted(MLERegressor(family), X, y), fitted(held, y[:, None])[0].log_likelihood_
    if form == "scales":
        y, parts = outcomes(family, z), {"loc": [0], "scale": [1]}
        held = MLERegressor(free, features={"scale": [1]}, fixed={"loc": 0.0})
        own = MLERegressor(family, features=parts)
        return *fitted(own, X, y), fitted(held, X, y)[0].log_likelihood_
    y = outcomes(family, z + 5.0 * GROUPS[:, 1])
    own, other = (MLERegressor(law, fit_intercept=False) for law in (family, free))
    best = fitted(other, GROUPS[:, 1:], y)[0].log_likelihood_
    return *fitted(own, GROUPS, y), best


@every(FADING)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.slow
def test_locations_below_zero_under_links_that_lead_there_at_infinity(family, form):
    """No eta leads to the best location, zero: the likelihood rises for ever."""
    model, said, best = negative(family, form)
    assert model.status_ == "no_maximum" and said == (NoMaximumWarning,)
    check_value(family, model, best)


@every(FADING)
def test_a_location_hardly_above_zero_is_a_maximum(family):
    """Its 1/loc is large and told badly, and still the best one."""
    z = np.random.default_rng(9).normal(0.0, 1.0, N)
    y = outcomes(family, np.r_[z, 0.04 - z])  # symmetric about 0.02
    free, _ = fitted(MLEDistribution(clone(family).set_params(links=None)), y[:, None])
    y += 0.02 - free.params_["loc"]  # where the law itself is not symmetric
    model, said = fitted(MLEDistribution(family), y[:, None])
    assert model.converged_ and model.status_ != "no_maximum", said
    if not family.cusps:  # its medians are an interval
        assert model.params_["loc"] == pytest.approx(0.02, rel=1e-3)


@every(CUT)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.slow
def test_locations_below_zero_under_links_that_end_there(family, form):
    """The best location is at the edge, zero."""
    model, said, best = negative(family, form)
    assert model.status_ == "boundary" and said == (BoundaryWarning,)
    assert model.distance_ <= model.tol
    check_value(family, model, best)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.slow
def test_medians_of_groups_of_which_one_is_at_the_edge(seed):
    """The median of the other group is its own, and the predictions of the first are zero."""
    rng = np.random.default_rng(seed)
    y = rng.laplace(size=30) - 2.0 + 6.0 * GROUPS[:30, 1]
    X = GROUPS[:30, 1:]
    model, said = fitted(MLERegressor(Laplace(links={"loc": "sqrt"})), X, y)
    assert model.status_ == "boundary" and said == (BoundaryWarning,)
    right = [0.0, np.median(y[1::2])]
    np.testing.assert_allclose(model.predict(X[:2]), right, atol=1e-8, rtol=1e-6)
    total = np.abs(y - np.tile(right, 15)).sum()
    best = -30.0 * (1.0 + np.log(2.0 * total / 30.0))
    assert model.log_likelihood_ == pytest.approx(best, abs=1e-7)
