"""Laws of scipy, by name, themselves or frozen: found, held, and fitted or said not to be."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats._distr_params import distcont, distdiscrete

from skmle import Distribution, MLEDistribution, MLERegressor
from skmle.exceptions import NotConvergedWarning
from skmle.families import Gamma, Normal, ScipyFamily, get_family, scipy_density
from skmle.families.tools.scipy_laws import ROUND

# One density takes scipy longer than a test should.
SLOW = {"kstwo", "ksone", "levy_stable", "studentized_range", "irwinhall"}
LAWS = {
    f"{name}{shapes}": (getattr(stats, name), shapes)
    for name, shapes in [*distcont, *distdiscrete]
    if isinstance(name, str) and name not in SLOW | {"poisson_binom"}
}
# Statuses that say that the maximum was found.
FOUND = ("interior", "boundary", "non_regular")


def sample(law, n=500, seed=0):
    return np.asarray(law.rvs(n, random_state=seed), float)[:, None]


@pytest.mark.filterwarnings("ignore::skmle.exceptions.SettingWarning")  # of numbers not held
@pytest.mark.parametrize("law", ["moyal", "MOYAL", stats.moyal, stats.moyal(1.0, 2.0)])
def test_a_law_of_scipy_is_a_family_in_all_its_forms(law):
    y = sample(stats.moyal(1.0, 2.0))
    model, expected = MLEDistribution(law).fit(y), MLEDistribution(ScipyFamily("moyal")).fit(y)
    assert isinstance(get_family(law), ScipyFamily)
    np.testing.assert_allclose(model.log_likelihood_, expected.log_likelihood_, rtol=1e-12)
    np.testing.assert_allclose(
        [model.params_["loc"], model.params_["scale"]],
        [expected.params_["loc"], expected.params_["scale"]],
        rtol=1e-6,
    )


def test_a_law_of_scipy_that_is_one_of_ours_is_ours():
    for law in ("gamma", stats.gamma, stats.gamma(2.0), stats.gamma(2.0, scale=3.0)):
        assert type(get_family(law)) is Gamma
    assert type(get_family(stats.norm(5.0, 2.0))) is Normal
    moved = get_family(stats.gamma(2.0, loc=5.0))
    assert isinstance(moved, ScipyFamily)
    y = sample(stats.gamma(2.0, loc=5.0, scale=3.0))
    shifted, own = MLEDistribution(moved).fit(y), MLEDistribution("gamma").fit(y - 5.0)
    assert set(shifted.params_) == {"a", "scale"}
    np.testing.assert_allclose(shifted.log_likelihood_, own.log_likelihood_, rtol=1e-10)


def test_a_regression_takes_a_law_of_scipy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1))
    y = 1.0 + 2.0 * X[:, 0] + stats.gumbel_r.rvs(size=300, random_state=1)
    model = MLERegressor(stats.gumbel_r).fit(X, y)
    assert model.status_ == "interior"
    assert abs(model.coefs_["loc"][0] - 2.0) < 0.3


@pytest.mark.parametrize(
    ("wrong", "near"), [("gumbell_r", "gumbel_r"), ("genpareto_", "genpareto"), ("lomx", "lomax")]
)
def test_an_unknown_name_lists_the_nearest_and_says_how_to_write_a_law(wrong, near):
    for ask in (lambda: get_family(wrong), lambda: ScipyFamily(wrong).law):
        with pytest.raises(ValueError, match=f"(?i)did you mean.*'{near}'.*FromLogProb") as caught:
            ask()
        assert repr(wrong) in str(caught.value)


@pytest.mark.parametrize(
    "law",
    [
        stats.norm(1.0, 2.0),
        stats.gamma(2.0, scale=3.0),
        stats.gamma(2.0, 1.0, 3.0),
        stats.beta(2.0, 3.0),
        stats.gumbel_l(1.0, 2.0),
        stats.genextreme(-0.1, loc=1.0),
        stats.geom(0.3),
        stats.nbinom(2.5, 0.3),
        stats.betanbinom(5, 9.0, 3.0),
        stats.skellam(2.0, 3.0, loc=4),
    ],
    ids=lambda law: f"{law.dist.name}{law.args}",
)
def test_distribution_from_scipy_is_the_same_law(law):
    ours = Distribution.from_scipy(law)
    y = np.unique(law.rvs(50, random_state=0)).astype(float)
    log_q = law.logpdf if hasattr(law.dist, "logpdf") else law.logpmf
    np.testing.assert_allclose(ours.log_prob(y), log_q(y), rtol=1e-10)
    np.testing.assert_allclose(ours.cdf(y), law.cdf(y), rtol=1e-10)


@pytest.mark.parametrize("wrong", ["norm", 3.0, stats.norm, stats.gamma])
def test_distribution_from_scipy_takes_frozen_laws_alone(wrong):
    with pytest.raises(TypeError, match="Allowed: frozen laws.*Give one"):
        Distribution.from_scipy(wrong)


def test_fixed_takes_scipys_names():
    y = sample(stats.genlogistic(0.5, loc=1.0, scale=2.0))
    free = MLEDistribution("genlogistic").fit(y)
    held = MLEDistribution("genlogistic", fixed={"c": 0.5, "loc": 1.0}).fit(y)
    assert (held.params_["c"], held.params_["loc"]) == (0.5, 1.0)
    assert [row for row in held.inference().tidy()["term"]] == ["scale"]
    assert held.log_likelihood_ < free.log_likelihood_
    # A location that "auto" holds at 0 is held at another number.
    moved = MLEDistribution("foldnorm", fixed={"loc": 1.0}).fit(
        sample(stats.foldnorm(3.0, loc=1.0))
    )
    assert set(moved.params_) == {"scale", "c"}
    with pytest.raises(ValueError, match="no parameter 'shape'. Allowed: loc, scale, c"):
        MLEDistribution("genlogistic", fixed={"shape": 1.0}).fit(y)


@pytest.mark.parametrize(
    ("law", "name", "trials"),
    [
        (stats.betabinom(5, 2.3, 0.63), "n", range(5, 40)),
        (stats.erlang(10, loc=2.0, scale=3.0), "a", range(1, 80)),
        (stats.zipfian(0.75, 15), "n", range(15, 40)),
    ],
    ids=["betabinom", "erlang", "zipfian"],
)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of other numbers than the best, ends stand at the data's
def test_whole_numbers_are_those_of_the_highest_profile(law, name, trials):
    y, free = sample(law), "auto" if law.dist.name != "erlang" else "free"
    found = MLEDistribution(ScipyFamily(law.dist.name, free, "free")).fit(y)
    profile = [
        MLEDistribution(ScipyFamily(law.dist.name, free, "free", {name: n})).fit(y).log_likelihood_
        for n in trials
    ]
    assert found.log_likelihood_ >= max(profile) - 1e-6
    assert found.params_[name] == trials[int(np.argmax(profile))]


def test_the_scale_of_a_law_on_a_circle_is_held():
    y = sample(stats.vonmises(2.0, loc=1.0))
    model = MLEDistribution(ScipyFamily("vonmises")).fit(y)
    assert set(model.params_) == {"loc", "kappa"} and model.status_ == "interior"
    with pytest.raises(ValueError, match="scale='free' is not allowed.*Allowed: 'auto'.*Give one"):
        MLEDistribution(ScipyFamily("vonmises", scale="free")).fit(y)


@pytest.mark.filterwarnings("ignore::skmle.exceptions.SettingWarning")  # of numbers not held
def test_a_frozen_law_holds_its_whole_numbers():
    y = sample(stats.betanbinom(8, 9.0, 3.0))
    model = MLEDistribution(stats.betanbinom(8, 9.0, 1.0)).fit(y)
    assert set(model.params_) == {"a", "b"} and model.status_ == "interior"


def test_support_ends_at_the_data():
    """The maximum of laws that are largest at an end is known: the end is at the extreme row."""
    y = sample(stats.expon(2.0, 3.0))
    with pytest.warns(UserWarning, match="low end of the support is at the least observation"):
        model = MLEDistribution(ScipyFamily("expon", "free", "free")).fit(y)
    assert model.status_ == "boundary"
    spread = y.mean() - y.min()
    np.testing.assert_allclose(
        [model.params_["loc"], model.params_["scale"]], [y.min(), spread], rtol=1e-7
    )
    np.testing.assert_allclose(model.log_likelihood_, -len(y) * (1.0 + np.log(spread)), rtol=1e-9)
    assert np.isfinite(model.score_samples(y)).all()


@pytest.mark.parametrize("law", [stats.arcsine(2.0, 3.0), stats.weibull_min(0.5, 2.0, 3.0)])
def test_a_density_without_bound_has_no_maximum(law):
    y = sample(law)
    with pytest.warns(UserWarning, match="grows without bound as the .* end of its support"):
        model = MLEDistribution(ScipyFamily(law.dist.name, "free", "free")).fit(y)
    assert model.status_ == "no_maximum"


def test_a_fit_out_of_time_says_so(monkeypatch):
    y = sample(stats.moyal(1.0, 2.0))
    monkeypatch.setattr(scipy_density, "_SECONDS", 0.0)
    with pytest.warns(UserWarning, match="scipy takes so long for its density"):
        model = MLEDistribution("moyal").fit(y)
    assert model.status_ == "not_converged" and np.isfinite(model.log_likelihood_)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", LAWS)
def test_no_law_of_scipy_ends_below_the_truth_in_silence(key):
    law, shapes = LAWS[key]
    discrete = not hasattr(law, "logpdf")
    drawn = law(*shapes) if discrete else law(*shapes, loc=-1.0, scale=0.5)
    y = sample(drawn, 400, seed=7)
    truth = (drawn.logpmf if discrete else drawn.logpdf)(y).sum()
    scale = 0.5 if law.name in ROUND else "free"
    family = ScipyFamily(law) if discrete else ScipyFamily(law, "free", scale)
    model = MLEDistribution(family).fit(y)
    if model.status_ in FOUND:
        assert model.log_likelihood_ >= truth - 1e-6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unit", [1e6, 1e-6])
@pytest.mark.parametrize(
    "law",
    [
        stats.expon(2.0, 3.0),
        stats.uniform(2.0, 3.0),
        stats.lomax(2.0, 2.0, 3.0),
        stats.genextreme(-0.1, 2.0, 3.0),
        stats.weibull_min(2.0, 2.0, 3.0),
        stats.skewcauchy(0.5, 2.0, 3.0),
        stats.arcsine(2.0, 3.0),
    ],
    ids=lambda law: law.dist.name,
)
def test_laws_with_ends_move_with_the_unit(law, unit):
    y, family = sample(law, 300), ScipyFamily(law.dist.name, "free", "free")
    one, other = (MLEDistribution(family).fit(u * y) for u in (1.0, unit))
    assert one.status_ == other.status_
    if one.status_ == "no_maximum":
        return
    moved = other.log_likelihood_ + len(y) * np.log(unit)
    np.testing.assert_allclose(moved, one.log_likelihood_, rtol=1e-7)
    assert np.isfinite(other.score_samples(unit * y)).all()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("law", "family"),
    [
        (stats.pearson3(0.1, 2.0, 3.0), ScipyFamily("pearson3", "free", "free")),
        (stats.betanbinom(5, 9.3, 1.0), ScipyFamily("betanbinom")),
    ],
    ids=["pearson3", "betanbinom"],
)
@pytest.mark.slow
def test_rounding_of_a_density_hides_no_maximum(law, family):
    """Their densities lose digits near a skew of zero, and in differences of large logarithms."""
    y = law.rvs(size=1000, random_state=np.random.default_rng(0))[:, None].astype(float)
    model = MLEDistribution(family).fit(y)
    assert model.status_ == "interior" and model.distance_ <= model.tol
    log_density = getattr(law, "logpdf", None) or law.logpmf
    assert model.log_likelihood_ > log_density(y).sum()


@pytest.mark.slow
def test_a_density_that_varies_on_a_small_scale_is_followed():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = stats.rel_breitwigner(36.545206797050334).rvs(size=300, random_state=rng)
    model = MLERegressor(ScipyFamily("rel_breitwigner")).fit(X, y * np.exp(0.3 * X[:, 0]))
    assert model.status_ == "interior"


@pytest.mark.parametrize("name", ["gumbel_r", "genextreme", "nbinom"])
def test_a_regression_that_models_nothing_has_the_fit_of_a_density(name):
    """Its parameters have the law's names, not those of the coordinates of a density."""
    law = {"gumbel_r": stats.gumbel_r(1.0, 2.0), "genextreme": stats.genextreme(0.1, 1.0, 2.0)}
    y = sample(law.get(name, stats.nbinom(3, 0.4)))
    held = {"n": 3.0} if name == "nbinom" else {"loc": 1.0}
    family = ScipyFamily(name, 0.0 if name == "nbinom" else "free")
    X = np.zeros((len(y), 1))
    first = family.names[0]
    model = MLERegressor(
        family, fixed=held, features={n: "none" for n in family.names if n not in held}
    )
    density = MLEDistribution(family, fixed=held).fit(y)
    model.fit(X, np.ravel(y))
    np.testing.assert_allclose(model.log_likelihood_, density.log_likelihood_, rtol=1e-7)
    assert first in model.params_ and set(held) <= set(model.params_)


def test_a_density_too_slow_for_all_rows_is_taken_between_some_and_said_to_be(monkeypatch):
    monkeypatch.setattr(scipy_density, "_EVALUATION", 0.0)
    y = sample(stats.moyal(1.0, 2.0))
    with pytest.warns(NotConvergedWarning, match="so is the log-likelihood"):
        model = MLEDistribution("moyal").fit(y)
    assert model.status_ == "not_converged"
    np.testing.assert_allclose(model.log_likelihood_ / len(y), model.score(y), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_whole_numbers_without_other_parameters_are_found():
    """The law of Kolmogorov's statistic, whose one parameter is the number of rows."""
    y = sample(stats.kstwo(6), n=40)
    model = MLEDistribution("kstwo").fit(y)
    assert model.status_ == "interior"
    around = [stats.kstwo(n).logpdf(y).sum() for n in range(2, 13)]
    np.testing.assert_allclose(model.log_likelihood_, max(around), rtol=1e-9)
