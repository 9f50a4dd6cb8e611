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


@pytest.mark.slow
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
@pytest.mark.slow
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
@pytest.mark.slow
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


SUPPORTS = {
    "counts": (lambda y, m: y * np.log(m) - m - special.gammaln(y + 1.0), [0.0, 2.0, 3.0, 1.0]),
    "positive": (lambda y, m: -y / m - np.log(m), [0.3, 2.0, 3.0, 1.5]),
    "nonnegative": (lambda y, m: -y / m - np.log(m), [0.0, 2.5, 3.0, 1.5]),
    "unit": (lambda y, m: np.log(m) + (m - 1.0) * np.log(y), [0.3, 0.5, 0.9, 0.4]),
}


@pytest.mark.parametrize("name", SUPPORTS)
def test_the_support_that_is_missing_is_named(name):
    function, y = SUPPORTS[name]
    says = rf"Allowed: 1\. These y look like support='{name}': say so if they are\. Add"
    with pytest.raises(ValueError, match=says):
        MLEDistribution(FromLogProb(function, {"m": "log"})).fit(y)
    MLEDistribution(FromLogProb(function, {"m": "log"}, support=name)).fit(y)


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


def test_parameters_in_another_order_than_the_function_has_are_refused():
    def log_prob(y, loc, scale):
        return -0.5 * ((y - loc) / scale) ** 2 - np.log(scale * np.sqrt(2.0 * np.pi))

    swapped = FromLogProb(log_prob, {"scale": "log", "loc": "identity"})
    with pytest.raises(ValueError, match="params has scale, loc, .* takes loc, scale"):
        MLEDistribution(swapped).fit([1.0, 2.0, 4.0])
    # Other names are the user's own, in the order of the function's.
    renamed = FromLogProb(log_prob, {"centre": "identity", "width": "log"})
    assert MLEDistribution(renamed).fit([1.0, 2.0, 4.0]).params_["width"] > 0.0


def test_a_regression_asks_for_whole_numbers():
    y, X = np.arange(20.0) % 5, np.random.default_rng(0).normal(size=(20, 1))
    with pytest.raises(ValueError, match="'n' is a whole number"):
        MLERegressor(ScipyFamily("betabinom")).fit(X, y)


# ---------------------------------------------------------------- probabilities by tables


def elsewhere(law):
    """Return a family whose parameter tells nothing of where the law is."""
    log_q = getattr(law, "logpmf" if hasattr(law.dist, "_pmf") else "logpdf")
    return lambda y, shift: log_q(y - shift)


REAL, POSITIVE, UNIT, COUNTS, INTEGERS = "real", "positive", "unit", "counts", "integers"
TABLED = {
    "narrow and far": (stats.norm(1234.5, 1e-4), REAL),
    "wide": (stats.norm(-3.0, 1e9), REAL),
    "heavy tails": (stats.cauchy(3.0, 2.0), REAL),
    "heavier tails": (stats.lomax(0.5), POSITIVE),
    "a corner": (stats.laplace(7.0, 1e-3), REAL),
    "infinite at zero": (stats.gamma(0.3), POSITIVE),
    "far from zero": (stats.gamma(1e4, scale=1e-3), POSITIVE),
    "infinite at both ends": (stats.beta(0.5, 0.5), UNIT),
    "long tail": (stats.lognorm(5.0), POSITIVE),
    "few counts": (stats.poisson(3.0), COUNTS),
    "large counts": (stats.poisson(1e5), COUNTS),
    "mostly zero": (stats.nbinom(0.1, 0.001), COUNTS),
    "far whole numbers": (stats.dlaplace(0.01, loc=10**6), INTEGERS),
}
# Digits that the doubles next to the law leave of its probabilities: of log q at 1e5, of y at 1234.
COARSE = {"narrow and far": 1e-9, "large counts": 1e-8, "far from zero": 1e-9}
LEVELS = np.array([1e-6, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0 - 1e-6])


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("kind", TABLED)
def test_probabilities_and_quantiles_of_a_law_wherever_it_is(kind):
    law, support = TABLED[kind]
    family = FromLogProb(elsewhere(law), {"shift": "identity"}, support=support)
    theta, tol = (np.zeros(()),), COARSE.get(kind, 1e-12)
    y = law.ppf(LEVELS)
    # Near an end at 1, where this law is infinite, doubles are coarse.
    tol = 1e-7 if kind == "infinite at both ends" else tol
    np.testing.assert_allclose(family.cdf(y, theta), law.cdf(y), atol=tol)
    np.testing.assert_allclose(family.sf(y, theta), law.sf(y), atol=tol)
    low, high = family.quantile(LEVELS, theta), family.upper_quantile(LEVELS, theta)
    if family.support.discrete:
        np.testing.assert_array_equal(low, y)
        assert (law.sf(high) <= LEVELS + tol).all() and (law.sf(high - 1) > LEVELS - tol).all()
    else:
        np.testing.assert_allclose(law.cdf(low), LEVELS, atol=tol)
        np.testing.assert_allclose(law.sf(high), LEVELS, atol=tol)
    ends = family.quantile(np.array([0.0, 1.0, np.nan, 2.0]), theta)
    np.testing.assert_array_equal(ends, [family.support.low, family.support.high, np.nan, np.nan])


@pytest.mark.parametrize("kind", [k for k in TABLED if "tail" not in k])
def test_moments_of_a_law_wherever_it_is(kind):
    law, support = TABLED[kind]
    family = FromLogProb(elsewhere(law), {"shift": "identity"}, support=support)
    theta, spread = (np.zeros(()),), law.std()
    np.testing.assert_allclose(family.mean(theta), law.mean(), atol=1e-5 * spread)
    np.testing.assert_allclose(family.variance(theta), law.var(), rtol=1e-5)
    if kind not in ("large counts", "mostly zero"):  # of which scipy's own sum ends too early
        np.testing.assert_allclose(family.entropy(theta), law.entropy(), rtol=1e-4)


def test_a_mixture_of_parts_far_apart_is_found_whole():
    def log_prob(y, near, far):
        parts = normal_log_prob(y, near, 1e-3), normal_log_prob(y, far, 1e-3)
        return np.logaddexp(np.log(0.7) + parts[0], np.log(0.3) + parts[1])

    family = FromLogProb(log_prob, {"near": "identity", "far": "identity"})
    theta = (np.asarray(-3e3), np.asarray(1e4))
    np.testing.assert_allclose(family.cdf(np.array([0.0]), theta), [0.7], rtol=1e-9)
    np.testing.assert_allclose(family.quantile(np.array([0.35, 0.85]), theta), theta, rtol=1e-12)
    np.testing.assert_allclose(family.mean(theta), 0.7 * -3e3 + 0.3 * 1e4, rtol=1e-9)
    entropy = stats.norm(0.0, 1e-3).entropy() + special.entr([0.7, 0.3]).sum()
    np.testing.assert_allclose(family.entropy(theta), entropy, rtol=1e-9)


@pytest.mark.parametrize(
    ("law", "support"),
    [
        (stats.cauchy(1.0), REAL),
        (stats.t(1.1), REAL),
        (stats.t(2.05, 1.0), REAL),
        (stats.lomax(0.9), POSITIVE),
        (stats.lomax(1.2), POSITIVE),
        (stats.lomax(2.5), POSITIVE),
        (stats.zipf(1.8), COUNTS),
        (stats.zipf(2.3), COUNTS),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dist.name}{value.args}",
)
def test_moments_of_heavy_tails_exist_or_are_infinite(law, support):
    family = FromLogProb(elsewhere(law), {"shift": "identity"}, support=support)
    mean, variance = law.stats()
    if law.dist.name == "cauchy":
        mean = variance = np.nan
    if law.dist.name == "t" and law.args[0] < 2.0:
        variance = np.inf
    theta = (np.zeros(()),)
    np.testing.assert_allclose(family.mean(theta), mean, rtol=1e-4, atol=1e-6)
    if np.isfinite(mean):
        np.testing.assert_allclose(family.variance(theta), variance, rtol=1e-3)


def test_rows_of_several_parameters_have_their_own_tables():
    family = FromLogProb(normal_log_prob, {"loc": "identity", "scale": "log"})
    loc, scale = np.array([[0.0], [1.0], [5.0]]), np.array([1e-3, 2.0])
    y = np.array([[0.5], [1.0], [4.999]])
    known = stats.norm(loc, scale)
    np.testing.assert_allclose(family.cdf(y, (loc, scale)), known.cdf(y), rtol=1e-10)
    np.testing.assert_allclose(family.quantile(0.3, (loc, scale)), known.ppf(0.3), rtol=1e-10)
    unknown = family.quantile(0.3, (np.array([np.nan, 0.0]), np.ones(2)))
    np.testing.assert_allclose(unknown, [np.nan, stats.norm.ppf(0.3)], rtol=1e-10)


def test_probabilities_that_do_not_add_up_are_said():
    def log_prob(y, scale):  # a law for one scale alone
        return normal_log_prob(y, 0.0, 2.0) + np.log(scale)

    family = FromLogProb(log_prob, {"scale": "log"})
    with pytest.warns(UserWarning, match=r"everything is 3 with scale=3 \(1 of 2 sets.*mend"):
        family.cdf(0.0, (np.array([1.0, 3.0]),))
