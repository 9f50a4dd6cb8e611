"""A threshold freed on purpose: its local maxima, published cases, and the verdicts without one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from skmle import MLEDistribution, MLERegressor, censored, families
from skmle.exceptions import BoundaryWarning, NoMaximumWarning, NonRegularWarning
from skmle.families.tools.stretched import ROUNDING, power_at_zero, starts_at_once
from tests.subjects import FAMILIES, own_name

pytestmark = pytest.mark.filterwarnings("error", "ignore::skmle.exceptions.FitWarning")

Shifted = families.Shifted
STRETCHED = [own_name(cls) for cls in FAMILIES if cls.stretch is not None and cls.support.fixed]
# Those of which the threshold has a local maximum below the least observation.
WITHIN = [name for name in STRETCHED if not starts_at_once(families.get_family(name))]

# Smith & Naylor (1987), A comparison of maximum likelihood and Bayesian estimators for the
# three-parameter Weibull distribution, Applied Statistics 36: strengths of glass fibres of 1.5 cm.
GLASS = """0.55 0.74 0.77 0.81 0.84 0.93 1.04 1.11 1.13 1.24 1.25 1.27 1.28 1.29 1.30 1.36 1.39 1.42
1.48 1.48 1.49 1.49 1.50 1.50 1.51 1.52 1.53 1.54 1.55 1.55 1.58 1.59 1.60 1.61 1.61 1.61 1.61 1.62
1.62 1.63 1.64 1.66 1.66 1.66 1.67 1.68 1.68 1.69 1.70 1.70 1.73 1.76 1.76 1.77 1.78 1.81 1.82 1.84
1.84 1.89 2.00 2.01 2.24"""
# Dumonceaux & Antle (1973): floods of the Susquehanna.
FLOODS = """0.654 0.613 0.315 0.449 0.297 0.402 0.379 0.423 0.379 0.3235 0.269 0.740 0.418 0.412
0.494 0.416 0.338 0.392 0.484 0.265"""
# McCool (1974): lives of bearings, of which the density of a Weibull law has no local maximum.
BEARINGS = "152.7 172.0 172.5 173.3 193.0 204.7 216.5 234.9 262.6 422.6"
# Rockette, Antle & Klimko (1974), Maximum likelihood estimation with the Weibull model, JASA 69.
ROCKETTE = "3.1 4.6 5.6 6.8"


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), float)


def scipy_law(name: str, params: dict[str, float]):
    """Return scipy's law with a threshold, made apart from our conversions."""
    p, loc = params, params["threshold"]
    return {
        "weibull": lambda: stats.weibull_min(p["shape"], loc, p["scale"]),
        "lognormal": lambda: stats.lognorm(p["scale"], loc, np.exp(p["loc"])),
        "gamma": lambda: stats.gamma(p["shape"], loc, p["mean"] / p["shape"]),
        "inverse_gaussian": lambda: stats.invgauss(p["mean"] / p["shape"], loc, p["shape"]),
        "log_logistic": lambda: stats.fisk(p["shape"], loc, p["scale"]),
        "exponential": lambda: stats.expon(loc, p["mean"]),
    }[name]()


LOCAL = [
    ("weibull", GLASS),
    ("weibull", ROCKETTE),
    ("lognormal", FLOODS),
    ("lognormal", BEARINGS),
    ("inverse_gaussian", FLOODS),
    ("inverse_gaussian", BEARINGS),
    ("log_logistic", FLOODS),
]


@pytest.mark.parametrize(("name", "text"), LOCAL)
def test_a_local_maximum_is_one_of_scipys_density(name, text):
    """The gradient vanishes and the standard errors are those of its second differences."""
    y = numbers(text)
    model = MLEDistribution(Shifted(name)).fit(y)
    assert model.status_ == "interior"
    names, at = list(model.params_), np.array(list(model.params_.values()))

    def total(values):
        return -scipy_law(name, dict(zip(names, values, strict=True))).logpdf(y).sum()

    np.testing.assert_allclose(-total(at), model.log_likelihood_, rtol=1e-10)
    step = 1e-4 * np.maximum(np.abs(at), 0.1 * np.std(y))
    unit = np.eye(3) * step
    slope = [(total(at + u) - total(at - u)) for u in unit]
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)
    hessian = np.array(
        [
            [
                total(at + u + v) - total(at + u - v) - total(at - u + v) + total(at - u - v)
                for u in unit
            ]
            for v in unit
        ]
    ) / np.outer(2.0 * step, 2.0 * step)
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))
    np.testing.assert_allclose(model.inference().standard_errors, errors, rtol=2e-3)


def test_published_glass_fibres():
    """Smith & Naylor give a threshold of about -1.6 and a shape of about 11.9."""
    model = MLEDistribution(Shifted("weibull")).fit(numbers(GLASS))
    np.testing.assert_allclose(model.params_["threshold"], -1.6, atol=0.05)
    np.testing.assert_allclose(model.params_["shape"], 11.9, atol=0.1)


@pytest.mark.parametrize("name", STRETCHED)
@pytest.mark.parametrize("text", [GLASS, FLOODS, BEARINGS, ROCKETTE])
def test_a_profile_on_a_fine_grid_is_nowhere_higher_inside(name, text):
    """Local maxima of the profile, found by scipy's minimiser for each of many thresholds."""
    y = numbers(text)
    model = MLEDistribution(Shifted(name)).fit(y)
    distances = np.ptp(y) * np.exp(np.linspace(-5.0, 5.0, 41))
    found = [
        MLEDistribution(name).fit(y - y.min() + distance).log_likelihood_ for distance in distances
    ]
    inside = [found[j] for j in range(1, 40) if found[j] > max(found[j - 1], found[j + 1]) + 1e-9]
    best = max([*inside, found[-1] if found[-1] > found[-2] + 1e-9 else -np.inf])
    if model.status_ == "no_maximum":
        assert best == -np.inf
    else:
        assert model.log_likelihood_ >= best - 1e-9


FAR = {"lognormal": stats.norm, "gamma": stats.norm, "inverse_gaussian": stats.norm}
FAR |= {"log_logistic": stats.logistic, "weibull": stats.gumbel_l}


@pytest.mark.parametrize("name", FAR)
def test_a_threshold_may_run_to_minus_infinity(name):
    """Where the data are skewed to the other side, a location-scale law is more likely."""
    y = -np.exp(np.random.default_rng(0).gumbel(0.0, 0.5, 200))
    with pytest.warns(BoundaryWarning, match="threshold tends to -inf"):
        model = MLEDistribution(Shifted(name)).fit(y)
    law = FAR[name]
    expected = law.logpdf(y, *law.fit(y)).sum()
    np.testing.assert_allclose(model.log_likelihood_, expected, rtol=1e-6)
    assert model.params_["threshold"] == -np.inf
    assert np.isfinite(model.inference().standard_errors).all()
    np.testing.assert_allclose(model.score(y) * len(y), model.log_likelihood_, rtol=1e-12)


def test_an_exponential_law_begins_at_the_least_observation():
    y = numbers(BEARINGS)
    with pytest.warns(BoundaryWarning, match="threshold tends to 152.7"):
        model = MLEDistribution(Shifted("exponential")).fit(y)
    assert model.params_["threshold"] == y.min()
    np.testing.assert_allclose(model.params_["mean"], y.mean() - y.min(), rtol=1e-12)


@pytest.mark.parametrize("name", ["weibull", "gamma"])
@pytest.mark.slow
def test_without_a_local_maximum_the_cure_is_named(name):
    y = numbers(BEARINGS)
    with pytest.warns(NoMaximumWarning, match=r"no local maximum.*Rounded"):
        model = MLEDistribution(Shifted(name)).fit(y)
    assert model.status_ == "no_maximum"
    held = MLEDistribution(Shifted(name), fixed={"threshold": 150.0}).fit(y)
    same = MLEDistribution(name).fit(y - 150.0)
    np.testing.assert_allclose(held.log_likelihood_, same.log_likelihood_, rtol=1e-10)
    with pytest.warns(BoundaryWarning):  # the likelihood of intervals has a bound
        rounded = MLEDistribution(families.Rounded(Shifted(name), resolution=0.1)).fit(y)
    np.testing.assert_allclose(rounded.params_["threshold"], 152.65, rtol=1e-12)


def test_a_corner_at_the_threshold_has_no_usual_errors():
    y = 3.0 + np.random.default_rng(0).weibull(1.5, 400)
    with pytest.warns(NonRegularWarning):
        model = MLEDistribution(Shifted("weibull")).fit(y)
    assert model.status_ == "non_regular" and model.params_["shape"] < 2.0
    # Of a threshold that is known, the others have.
    held = MLEDistribution(Shifted("weibull"), fixed={"threshold": 3.0}).fit(y)
    assert held.status_ == "interior"


@pytest.mark.parametrize("name", WITHIN)
@pytest.mark.parametrize(("unit", "origin"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 1e5)])
def test_another_unit_or_origin_moves_the_parameters(name, unit, origin):
    y = numbers(FLOODS)
    one = MLEDistribution(Shifted(name)).fit(y)
    other = MLEDistribution(Shifted(name)).fit(unit * y + origin)
    assert one.status_ == other.status_
    np.testing.assert_allclose(
        other.log_likelihood_ + len(y) * np.log(unit), one.log_likelihood_, atol=1e-6
    )
    moved = (other.params_["threshold"] - origin) / unit
    np.testing.assert_allclose(moved, one.params_["threshold"], rtol=1e-5)


def test_censored_rows_keep_their_likelihood():
    rng = np.random.default_rng(1)
    time, end = 5.0 + 2.0 * rng.weibull(3.0, 200), 5.0 + 2.0 * rng.weibull(3.0, 200)
    rows = censored(np.minimum(time, end), event=time <= end)
    model = MLEDistribution(families.Censored(Shifted("weibull"))).fit(rows)
    assert model.status_ == "interior"

    def total(values):
        law = stats.weibull_min(values[1], values[2], values[0])
        seen = rows[:, 0] == rows[:, 1]
        return -(law.logpdf(rows[seen, 0]).sum() + law.logsf(rows[~seen, 0]).sum())

    at = np.array([model.params_[n] for n in ("scale", "shape", "threshold")])
    np.testing.assert_allclose(-total(at), model.log_likelihood_, rtol=1e-10)
    slope = optimize.approx_fprime(at, total, 1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=1e-2)


@pytest.mark.parametrize("name", WITHIN)
def test_regressions_with_a_threshold(name):
    """At the threshold found, the regression of the distances from it is at its maximum."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 2))
    y = 10.0 + np.exp(0.5 * X[:, 0]) * rng.gamma(9.0, 1.0, 400)
    model = MLERegressor(Shifted(name)).fit(X, y)
    # A law that leaves zero like a line has no usual errors there, whatever its parameters.
    family = families.get_family(name)
    one = np.ones((len(family.parameters), 1))
    corner = bool(power_at_zero(family, tuple(one)) <= 2.0 + ROUNDING)
    assert model.status_ == ("non_regular" if corner else "interior")
    threshold = model.params_["threshold"]
    plain = MLERegressor(name).fit(X, y - threshold)
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-9)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-5)
    for step in (-1e-2, 1e-2):
        beside = MLERegressor(name).fit(X, y - threshold - step * (y.min() - threshold))
        assert beside.log_likelihood_ < model.log_likelihood_
    np.testing.assert_allclose(model.predict(X), threshold + plain.predict(X), rtol=1e-6)


@pytest.mark.parametrize(("name", "status"), [("weibull", "no_maximum"), ("normal", "boundary")])
def test_regressions_without_one_say_so(name, status):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 1))
    noise = rng.weibull(0.8, 300) if name == "weibull" else -rng.weibull(1.2, 300)
    y = 10.0 + (np.exp(0.5 * X[:, 0]) * noise if name == "weibull" else 0.5 * X[:, 0] + noise)
    model = MLERegressor(Shifted("weibull" if name == "weibull" else "gamma")).fit(X, y)
    assert model.status_ == status
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize(
    "family", ["normal", "beta", "gpd", "poisson", families.Truncated("gamma", 1.0)]
)
def test_laws_without_a_scale_are_refused(family):
    with pytest.raises(ValueError, match=r"cannot be given a threshold.*Allowed"):
        MLEDistribution(Shifted(family)).fit([[0.2], [0.3], [0.4]])


def test_a_threshold_held_above_an_observation_is_refused():
    with pytest.raises(ValueError, match="threshold=9.0 is outside the range"):
        MLEDistribution(Shifted("gamma"), fixed={"threshold": 9.0}).fit([[2.0], [3.0], [14.0]])


def test_equal_observations_have_no_maximum():
    with pytest.warns(NoMaximumWarning):
        assert MLEDistribution(Shifted("weibull")).fit([[2.0]] * 5).status_ == "no_maximum"
