"""Laws that are a function of the user's, and laws of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skmle import MLEDistribution, MLERegressor, families
from skmle.families import FromLogProb, ScipyFamily
from skmle.families.tools.units_seen import units_seen


def zip_log_prob(y, pi, mu):
    zero = np.log(pi + (1.0 - pi) * np.exp(-mu))
    return np.where(y == 0.0, zero, np.log1p(-pi) + y * np.log(mu) - mu - special.gammaln(y + 1.0))


def normal_log_prob(y, loc, scale):
    return -0.5 * ((y - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2.0 * np.pi)


def zip_data(n: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    zeros = rng.random(n) < special.expit(0.5 * x - 1.0)
    return x[:, None], np.where(zeros, 0, rng.poisson(np.exp(0.5 + 0.4 * x))).astype(float)


def test_a_zero_inflated_poisson_regression_in_two_lines():
    X, y = zip_data()
    family = FromLogProb(zip_log_prob, params={"pi": "logit", "mu": "log"}, support="counts")
    ours = MLERegressor(family, features={"pi": "all", "mu": "all"}).fit(X, y)
    known = MLERegressor(
        families.ZeroInflated("poisson"), features={"zeros": "all", "mean": "all"}
    ).fit(X, y)
    assert ours.status_ == "interior"
    np.testing.assert_allclose(ours.log_likelihood_, known.log_likelihood_, rtol=1e-12)
    for mine, theirs in (("pi", "zeros"), ("mu", "mean")):
        np.testing.assert_allclose(ours.coefs_[mine], known.coefs_[theirs], rtol=1e-6)
    errors = np.sort(ours.inference().standard_errors), np.sort(known.inference().standard_errors)
    np.testing.assert_allclose(*errors, rtol=1e-6)
    np.testing.assert_allclose(ours.predict(X), known.predict(X), rtol=1e-6)
    assert np.isfinite(cross_val_score(clone(ours), X, y)).all()


def test_a_density_and_its_probabilities():
    y = np.random.default_rng(1).normal(3.0, 2.0, 200)
    family = FromLogProb(normal_log_prob, {"loc": "identity", "scale": "log"})
    ours, plain = MLEDistribution(family).fit(y[:, None]), MLEDistribution("normal").fit(y[:, None])
    np.testing.assert_allclose(ours.log_likelihood_, plain.log_likelihood_, rtol=1e-12)
    places = np.array([-2.0, 3.0, 5.0])
    for law in ("cdf", "sf"):
        found, known = (getattr(m.distribution_, law)(places) for m in (ours, plain))
        np.testing.assert_allclose(found, known, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_mean_and_entropy_of_each_row(scale):
    family = FromLogProb(normal_log_prob, {"loc": "identity", "scale": "log"})
    loc = np.linspace(-5.0, 5.0, 100)
    law, known = (
        families.Distribution(f, {"loc": loc, "scale": scale}) for f in (family, "normal")
    )
    np.testing.assert_allclose(law.mean(), known.mean(), rtol=1e-9, atol=1e-9 * scale)
    np.testing.assert_allclose(law.var(), known.var(), rtol=1e-9)
    np.testing.assert_allclose(law.entropy(), known.entropy(), rtol=1e-9, atol=1e-9)


def gumbel_log_prob(y, loc, scale):
    z = (y - loc) / scale
    return -z - np.exp(-z) - np.log(scale)


UNITS = {
    "scale": (gumbel_log_prob, {"loc": "identity", "scale": "log"}, ("location", "scale")),
    "rate": (
        lambda y, loc, rate: gumbel_log_prob(y, loc, 1.0 / rate),
        {"loc": "identity", "rate": "log"},
        ("location", "rate"),
    ),
    "a shape": (
        lambda y, scale, df, loc: stats.t.logpdf(y, df, loc, scale),
        {"scale": "log", "df": "log", "loc": "identity"},
        ("scale", "", "location"),
    ),
    "two locations": (
        lambda y, a, b, scale: (
            np.logaddexp(gumbel_log_prob(y, a, scale), gumbel_log_prob(y, b, scale)) - np.log(2.0)
        ),
        {"a": "identity", "b": "identity", "scale": "log"},
        ("location", "location", "scale"),
    ),
    "a limit of detection": (
        lambda y, loc, scale: np.where(
            y > 4.0, normal_log_prob(y, loc, scale), normal_log_prob(y, loc, 2.0 * scale)
        ),
        {"loc": "identity", "scale": "log"},
        (),
    ),
    "no location": (lambda y, scale: normal_log_prob(y, 0.0, scale), {"scale": "log"}, ()),
}


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize(("origin", "unit"), [(0.0, 1.0), (-70.0, 1e4), (3.0, 1e-5)])
def test_units_are_seen(name, origin, unit):
    function, params, expected = UNITS[name]
    y = origin + unit * np.random.default_rng(0).gumbel(4.0, 2.0, 300)
    family = FromLogProb(function, params)
    eta = [p.chart.forward(np.asarray(v)) for p, v in zip(family.parameters, STARTS, strict=False)]
    found = units_seen(family._at, family.parameters, y, list(map(float, eta)))
    if name != "a limit of detection" or y.min() < 4.0 < y.max():
        assert found == expected


STARTS = (1.5, 0.8, 1.2)


@pytest.mark.parametrize(("origin", "unit"), [(0.0, 1.0), (1e6, 1.0), (0.0, 1e8), (0.0, 1e-8)])
def test_a_function_with_units_is_fitted_in_units_of_the_data(origin, unit):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X @ [1.0, -2.0] + rng.gumbel(size=200)
    family = FromLogProb(gumbel_log_prob, {"loc": "identity", "scale": "log"})
    one, other = (MLERegressor(family).fit(X, z) for z in (y, origin + unit * y))
    assert one.status_ == other.status_ == "interior"
    np.testing.assert_allclose(other.coef_ / unit, one.coef_, rtol=1e-6)
    known = MLERegressor(ScipyFamily("gumbel_r")).fit(X, y)
    np.testing.assert_allclose(one.log_likelihood_, known.log_likelihood_, rtol=1e-12)


def test_a_law_between_the_points_of_the_grid_has_its_own_quantiles():
    def log_prob(y, size):
        return normal_log_prob(y, np.exp(size), 0.03)

    found = FromLogProb(log_prob, {"size": "identity"}).about_quantile(
        np.array([[0.25]]), (np.array([0.5]),)
    )
    np.testing.assert_allclose(found, [[stats.norm.ppf(0.25, np.exp(0.5), 0.03)]], rtol=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda y, a: -((y - a) ** 2), "is 1.77245"),
        (lambda y, a: normal_log_prob(y, a, 1.0).sum(), "Do not add the rows up"),
        (lambda y, a: y["x"], "failed on y of shape"),
        (lambda y, a: y * np.nan, "not finite for any"),
        (lambda y, a: normal_log_prob(y, a + y.mean(), 1.0), "depends on the other rows"),
    ],
)
def test_a_function_that_is_no_law_is_refused(function, message):
    y = np.random.default_rng(0).normal(size=(50, 1))
    with pytest.raises(ValueError, match=message):
        MLEDistribution(FromLogProb(function, {"a": "identity"})).fit(y)


@pytest.mark.parametrize(
    ("name", "settings", "shapes"),
    [
        ("gumbel_r", {}, ()),
        ("genextreme", {}, (-0.1,)),
        ("skewnorm", {}, (3.0,)),
        ("burr12", {}, (2.0, 3.0)),
        ("invgamma", {}, (3.0,)),
        ("nakagami", {}, (2.0,)),
        ("moyal", {}, ()),
        ("beta", {}, (2.0, 3.0)),
        ("logser", {}, (0.6,)),
        ("betabinom", {"shapes": {"n": 8}}, (8, 2.0, 3.0)),
        ("skellam", {}, (3.0, 2.0)),
    ],
)
def test_laws_of_scipy(name, settings, shapes):
    law = getattr(stats, name)(*shapes)
    y = law.rvs(800, random_state=0).astype(float)
    model = MLEDistribution(ScipyFamily(name, **settings)).fit(y[:, None])
    log_q = law.logpdf if hasattr(law.dist, "logpdf") else law.logpmf
    assert model.status_ == "interior"
    assert model.log_likelihood_ >= log_q(y).sum() - 1e-9
    assert np.isfinite(model.inference().standard_errors).all()
    np.testing.assert_allclose(model.score(y[:, None]) * len(y), model.log_likelihood_, rtol=1e-9)


@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_laws_of_scipy_move_with_the_unit(unit):
    y = stats.gumbel_l(2.0, 3.0).rvs(500, random_state=0)[:, None]
    one, other = (MLEDistribution(ScipyFamily("gumbel_l")).fit(u * y) for u in (1.0, unit))
    moved = other.log_likelihood_ + len(y) * np.log(unit)
    np.testing.assert_allclose(moved, one.log_likelihood_, rtol=1e-9)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (ScipyFamily("no_such_law"), "no law of scipy.stats"),
        (ScipyFamily("gamma", shapes={"b": 1.0}), "shapes has no 'b'"),
        (ScipyFamily("gamma", scale=-1.0), "scale=-1.0"),
    ],
)
def test_settings_of_scipy_laws(family, message):
    with pytest.raises(ValueError, match=message):
        MLEDistribution(family).fit(np.arange(1.0, 20.0)[:, None])


def test_a_regression_asks_for_whole_numbers():
    y, X = np.arange(20.0) % 5, np.random.default_rng(0).normal(size=(20, 1))
    with pytest.raises(ValueError, match="'n' is a whole number"):
        MLERegressor(ScipyFamily("betabinom")).fit(X, y)
