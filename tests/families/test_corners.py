"""Laws of scipy whose density has a corner inside: the maximum is found, without derivatives."""

import numpy as np
import pytest
from scipy import stats

from skmle import MLEDistribution
from skmle.families import ScipyFamily
from skmle.families.tools.corners import moving_corner
from skmle.families.tools.scipy_frame import Frame

CORNERED = [
    stats.laplace(2.0, 3.0),
    stats.laplace_asymmetric(2.0, 2.0, 3.0),
    stats.loglaplace(3.0, 2.0, 3.0),
    stats.triang(0.2, 2.0, 3.0),
    stats.trapezoid(0.2, 0.8, 2.0, 3.0),
    stats.dgamma(1.1, 2.0, 3.0),
    stats.dweibull(1.5, 2.0, 3.0),
]
SMOOTH = [
    stats.norm(2.0, 3.0),
    stats.t(2.0, 2.0, 3.0),
    stats.gennorm(1.5, 2.0, 3.0),
    stats.dweibull(3.0, 2.0, 3.0),
    stats.gamma(3.0, 2.0, 3.0),
    stats.weibull_min(1.7, 2.0, 3.0),
    stats.beta(2.0, 3.0, 2.0, 3.0),
]


def corner_of(law, y, **known):
    """Return the corner found in the density of a frozen law."""
    frame = Frame.around(law.dist, known, y, None)
    shapes = (law.dist.shapes or "").replace(",", " ").split()
    arguments = dict(zip(shapes, law.args, strict=False))
    loc, scale = law.args[-2:]
    place = frame.place_of(arguments | {"loc": loc, "scale": scale})
    eta = frame.eta_of(place, 1e-3)
    return frame, moving_corner(frame, frame.measured(y), eta)


def name(law):
    return f"{law.dist.name}{law.args}"


@pytest.mark.parametrize("law", CORNERED, ids=name)
def test_a_corner_is_seen(law):
    frame, corner = corner_of(law, law.rvs(300, random_state=0))
    assert corner is not None and corner.power < 1.0 and corner.moved_by
    if law.dist.name in ("dgamma", "dweibull"):  # |z|^(a - 1) at the centre
        np.testing.assert_allclose(frame.origin + frame.unit * corner.y, 2.0, atol=1e-5)
        np.testing.assert_allclose(corner.power, law.args[0] - 1.0, atol=0.02)


@pytest.mark.parametrize("law", SMOOTH, ids=name)
def test_no_corner_is_seen_where_there_is_none(law):
    assert corner_of(law, law.rvs(300, random_state=0))[1] is None


def test_a_corner_that_no_parameter_moves_is_none():
    law = stats.dgamma(1.1, 2.0, 3.0)
    assert corner_of(law, law.rvs(300, random_state=0), loc=2.0)[1] is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [300, 301])
def test_the_maximum_of_laplace_is_at_the_median(n):
    y = stats.laplace(2.0, 3.0).rvs(n, random_state=1)
    model = MLEDistribution(ScipyFamily("laplace")).fit(y[:, None])
    scale = np.abs(y - np.median(y)).mean()
    np.testing.assert_allclose(model.log_likelihood_, -n * (np.log(2.0 * scale) + 1.0), rtol=1e-9)
    np.testing.assert_allclose(model.params_["scale"], scale, rtol=1e-5)
    assert model.status_ == "non_regular"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("law", CORNERED, ids=name)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_maximum_at_a_corner_is_above_the_truth_and_its_surroundings(law, seed):
    y = law.rvs(300, random_state=seed)
    model = MLEDistribution(ScipyFamily(law.dist.name, "free", "free")).fit(y[:, None])
    assert model.status_ == "non_regular"
    assert model.log_likelihood_ > law.logpdf(y).sum()
    found = np.array([*model.params_.values()])
    for move in np.random.default_rng(seed).normal(size=(50, len(found))):
        values = dict(zip(model.params_, found * (1.0 + 1e-3 * move), strict=True))
        with np.errstate(all="ignore"):
            there = law.dist.logpdf(y, **values).sum()
        assert not there > model.log_likelihood_ + 1e-6


@pytest.mark.slow
def test_the_warning_names_the_corner():
    y = stats.laplace_asymmetric(2.0, 2.0, 3.0).rvs(200, random_state=0)[:, None]
    with pytest.warns(UserWarning, match="is the maximum, but the density has a corner"):
        MLEDistribution(ScipyFamily("laplace_asymmetric")).fit(y)


@pytest.mark.parametrize("shape", [0.6, 0.8])
@pytest.mark.slow
def test_a_density_without_bound_inside_has_no_maximum(shape):
    y = stats.dgamma(shape, 2.0, 3.0).rvs(300, random_state=0)[:, None]
    with pytest.warns(UserWarning, match="grows without bound at a place inside the support"):
        model = MLEDistribution(ScipyFamily("dgamma")).fit(y)
    assert model.status_ == "no_maximum"


@pytest.mark.parametrize("law", ["gumbel_r", "lomax", "triang"])
def test_rows_may_have_parameters_of_their_own(law):
    family = ScipyFamily(law, "free", "free")
    y = getattr(stats, law)(*[0.5] * (law != "gumbel_r"), 2.0, 3.0).rvs(50, random_state=0)
    density = family.for_density((y,), None).family
    eta = density.starts((y,), None)[0]
    shifted = np.linspace(-0.01, 0.01, len(y)).round(3)
    etas = (np.asarray(eta[0] + shifted), *map(np.asarray, eta[1:]))
    together = density.evaluate((y,), etas, 1)
    for i in range(0, len(y), 7):
        own = tuple(np.asarray(e[i] if np.ndim(e) else e) for e in etas)
        alone = density.evaluate((y[i : i + 1],), own, 1)
        np.testing.assert_allclose(together.value[i], alone.value[0], rtol=1e-12)
        np.testing.assert_allclose(together.gradient[0][i], alone.gradient[0][0], rtol=1e-9)
