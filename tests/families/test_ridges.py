"""Laws of scipy whose parameters stand for each other along a bent ridge."""

import warnings

import numpy as np
import pytest
from scipy import stats

from skmle import MLEDistribution
from skmle.exceptions import NoMaximumWarning
from skmle.families import ScipyFamily
from skmle.families.tools.climbing import Climb
from skmle.families.tools.ridges import followed


def bent(top):
    """Return rows of -log q with a ridge along y = x^2 / 4 and its top at x = `top`."""
    z = np.random.default_rng(0).normal(size=(3, 400))
    z -= z.mean(axis=1, keepdims=True)

    def value(eta):
        x, y = eta
        away = 3.0 * (y - 0.25 * x**2), 1e-2 * (x - top)
        return 0.5 * (z[0] + away[0]) ** 2 + 0.5 * (z[1] + away[1]) ** 2

    return value


@pytest.mark.parametrize("top", [3.0, 6.0, -4.0])
def test_the_top_of_a_bent_ridge_is_found(top):
    value = bent(top)
    start = Climb((0.5, 0.0625), float(value((0.5, 0.0625)).mean()), 0.0)
    found = followed(value, start, None, np.inf, [0])
    assert not found.runs_off
    np.testing.assert_allclose(found.best.eta, [top, 0.25 * top**2], atol=0.1 * abs(top))
    assert value(found.best.eta).mean() - value((top, 0.25 * top**2)).mean() < 1e-6


def test_where_there_is_no_ridge_nothing_moves():
    z = np.random.default_rng(0).normal(size=(2, 400))

    def value(eta):
        return 0.5 * ((z[0] - eta[0]) ** 2 + (z[1] - eta[1]) ** 2)

    start = Climb((0.1, 0.2), float(value((0.1, 0.2)).mean()), 0.0)
    assert followed(value, start, None, np.inf, [0, 1]).best is start


@pytest.mark.parametrize(("rate", "level"), [(1.0, True), (0.01, False)])
def test_a_climb_that_has_ended_far_out_says_if_it_is_level_there(rate, level):
    """The law tends to a simpler one like exp(-rate x), so that x = 18 may be told from 13."""
    z = np.random.default_rng(0).normal(size=400)

    def value(eta):
        return 0.5 * (z - eta[0]) ** 2 + np.exp(-rate * eta[1])

    far = float(z.mean()), 18.0
    start = Climb(far, float(value(far).mean()), np.inf)
    found = followed(value, start, None, np.inf, [1])
    assert found.best is start and found.runs_off == level


@pytest.mark.slow
def test_a_search_that_ends_next_to_a_simpler_law_says_so():
    """With one end far away the beta law is a gamma law, whose ends and shapes tell nothing."""
    law = stats.beta(3.0, 40.0, -2.0, 5.0)
    y = law.rvs(1000, random_state=2)[:, None]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = MLEDistribution(ScipyFamily("beta", "free", "free")).fit(y)
    assert model.status_ == "no_maximum" and model.log_likelihood_ > law.logpdf(y).sum()
    gamma = MLEDistribution(ScipyFamily("gamma", "free", "free")).fit(y)
    np.testing.assert_allclose(model.log_likelihood_, gamma.log_likelihood_, atol=2e-3)
    assert [w.category for w in said] == [NoMaximumWarning]


@pytest.mark.parametrize(
    ("name", "shapes", "seed"),
    [("gengamma", (4.4, -3.1), 0), ("ncx2", (21, 1.1), 0), ("chi", (78,), 1)],
)
@pytest.mark.slow
def test_a_law_with_a_ridge_is_fitted_to_its_top(name, shapes, seed):
    law = getattr(stats, name)(*shapes, 2.0, 3.0)
    y = law.rvs(1000, random_state=np.random.default_rng(seed))
    model = MLEDistribution(ScipyFamily(name, "free", "free")).fit(y[:, None])
    assert model.status_ == "interior" and model.distance_ < 1e-3
    assert model.log_likelihood_ > law.logpdf(y).sum()


@pytest.mark.slow
def test_a_law_that_tends_to_a_simpler_one_says_so():
    y = stats.chi(78, 2.0, 3.0).rvs(1000, random_state=np.random.default_rng(0))
    with pytest.warns(UserWarning, match="along a ridge on which parameters run off together"):
        model = MLEDistribution(ScipyFamily("chi", "free", "free")).fit(y[:, None])
    normal = MLEDistribution("normal").fit(y[:, None])  # to which chi tends as df grows
    assert model.status_ == "no_maximum"
    np.testing.assert_allclose(model.log_likelihood_, normal.log_likelihood_, atol=2e-3)


@pytest.mark.parametrize(
    ("law", "names"),
    [
        (stats.genexpon(9.13, 16.23, 3.28, 2.0, 3.0), ("scale", "a", "b", "c")),
        (stats.loguniform(0.01, 1.25, 2.0, 3.0), ("scale", "a", "b")),
    ],
    ids=lambda value: value.dist.name if hasattr(value, "dist") else "",
)
def test_parameters_that_stand_for_each_other_are_named(law, names):
    y = law.rvs(1000, random_state=np.random.default_rng(0))[:, None]
    with pytest.warns(UserWarning, match="no maximum: it is level where .* change") as caught:
        model = MLEDistribution(ScipyFamily(law.dist.name, "free", "free")).fit(y)
    assert model.status_ == "no_maximum"
    assert set(str(caught[0].message).split("where ")[1].split(" change")[0].split(", ")) == {
        *names
    }
