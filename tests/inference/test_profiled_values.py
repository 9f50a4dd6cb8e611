"""Profile intervals of functions: at their ends a fit with the function held falls by z^2 / 2."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtri
from scipy.stats import weibull_min
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, infer
from skmle.exceptions import SeparationWarning

RNG = np.random.default_rng(5)
N = 50
X = RNG.normal(size=(N, 2))
ETA = 0.4 + 0.5 * X[:, 0]
Z = float(ndtri(0.975))
TOL = 1e-9
PLACE = np.array([[0.7, -1.2]])

# Laws whose mean is a function of the first parameter alone.
OBSERVED = {
    "bernoulli": (RNG.random(N) < 1 / (1 + np.exp(-ETA))).astype(float),
    "poisson": RNG.poisson(np.exp(ETA)).astype(float),
    "gamma": np.exp(ETA) * RNG.gamma(3.0, size=N) / 3.0,
    "normal": ETA + RNG.normal(size=N),
    "negative_binomial": RNG.poisson(np.exp(ETA) * RNG.gamma(1.0, size=N)).astype(float),
    "inverse_gaussian": RNG.wald(np.exp(ETA), 4.0),
    "beta": RNG.beta(*(3.0 * np.array([[1.0], [2.0]]) * np.ones(N))),
}


def interval_of(result, function, **settings):
    found = result.estimate(function, interval="profile", **settings)
    assert found.ends.fits.max() < 20
    return found.confidence_intervals()


@pytest.mark.parametrize("family", OBSERVED)
def test_a_mean_equals_refits_with_an_offset(family):
    """With the predictor at a place held at e, it is e + slopes @ (X - place)."""
    y = OBSERVED[family]
    model = MLERegressor(family, tol=TOL).fit(X, y)
    (ends,) = interval_of(model.inference(X, y), lambda m: m.predict(PLACE))
    law, _ = model._law, model.predict(PLACE)
    assert ends[0] < model.predict(PLACE) < ends[1]
    for end in ends:
        eta = float(law.link(0).eta(np.asarray(end)))
        held = MLERegressor(family, fit_intercept=False, tol=TOL)
        held = held.fit(X - PLACE, y, offset=np.full(N, eta))
        fall = 2.0 * (model.log_likelihood_ - held.log_likelihood_)
        assert fall == pytest.approx(Z**2, abs=1e-8)


@pytest.mark.parametrize("link", ["identity", "log"])
def test_a_life_equals_refits_of_a_law_of_it(link):
    """The Weibull law by its shape and its tenth of lives."""
    lives = 40.0 * RNG.weibull(3.0, size=15)[:, None]
    model = MLEDistribution("weibull", tol=TOL).fit(lives)
    result = model.inference(lives)
    (ends,) = interval_of(result, lambda m: m.distribution_.ppf(0.1), link=link)

    def cost(log_shape, life):
        shape = np.exp(log_shape)
        return -weibull_min.logpdf(lives, shape, scale=life / (-np.log(0.9)) ** (1 / shape)).sum()

    for end in ends:
        least = minimize_scalar(
            cost, args=(end,), bounds=(-2.0, 4.0), method="bounded", options={"xatol": 1e-10}
        ).fun
        assert 2.0 * (model.log_likelihood_ + least) == pytest.approx(Z**2, abs=1e-8)


def test_odds_ratios_are_exponentials_of_profiles_of_slopes():
    y = OBSERVED["bernoulli"]
    result = CrossEntropyClassifier(tol=TOL).fit(X, y).inference(X, y)
    found = interval_of(result, lambda m: np.exp(m.coef_.ravel()), link="log")
    slopes = result.profile(["x0", "x1"]).intervals
    np.testing.assert_allclose(found, np.exp(slopes), rtol=1e-8)


def test_the_standard_deviation_of_a_normal_law_has_its_own_profile():
    y = OBSERVED["normal"][:, None]
    result = MLEDistribution(tol=TOL).fit(y).inference(y)
    found = interval_of(result, lambda m: m.distribution_.var())
    np.testing.assert_allclose(found, result.profile("scale").intervals ** 2, rtol=1e-8)


def test_several_samples_are_one_likelihood():
    """A difference of two means with spreads of their own, by their closed profiles."""
    samples = np.column_stack([OBSERVED["normal"], RNG.normal(0.3, 2.0, size=N)])
    result = MLEDistribution(tol=TOL).fit(samples).inference(samples)
    (ends,) = interval_of(result, lambda m: np.subtract(*m.distribution_.mean()))
    middle, spread = samples.mean(axis=0), samples.var(axis=0)

    def deviance(first, end):
        away = np.array([first, first - end]) - middle
        return N * np.log1p(away**2 / spread).sum()

    for end in ends:
        least = minimize_scalar(deviance, args=(end,), bounds=(-2.0, 3.0), method="bounded").fun
        assert least == pytest.approx(Z**2, abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [CrossEntropyClassifier(), CrossEntropyClassifier(alpha=0.05), OrdinalClassifier()]
)
def test_ends_do_not_depend_on_the_scale(model):
    y = np.digitize(ETA + RNG.logistic(size=N), [0.0, 1.0])
    result = model.fit(X, y).inference(X, y)
    plain, linked = (
        interval_of(result, lambda m: m.predict_proba(PLACE), link=link)
        for link in ("identity", "logit")
    )
    np.testing.assert_allclose(plain, linked, rtol=1e-7)
    assert ((plain > 0.0) & (plain < 1.0)).all()


def test_dependent_columns_change_no_prediction():
    y = OBSERVED["bernoulli"]
    wide = np.column_stack([X, X.sum(axis=1)])
    place = np.column_stack([PLACE, PLACE.sum(axis=1)])
    few, many = (
        interval_of(
            CrossEntropyClassifier(tol=TOL).fit(columns, y).inference(columns, y),
            lambda m, at=at: m.predict_proba(at)[:, 1],
        )
        for columns, at in ((X, PLACE), (wide, place))
    )
    np.testing.assert_allclose(few, many, rtol=1e-7)


def test_a_pipeline_is_asked():
    y = OBSERVED["gamma"]
    pipe = make_pipeline(StandardScaler(), MLERegressor("gamma", tol=TOL)).fit(X, y)
    plain = MLERegressor("gamma", tol=TOL).fit(X, y)
    one = interval_of(infer(pipe, X, y), lambda m: m.predict(PLACE))
    other = interval_of(plain.inference(X, y), lambda m: m.predict(PLACE))
    np.testing.assert_allclose(one, other, rtol=1e-8)


def test_results_say_which_interval_they_have():
    y = OBSERVED["gamma"]
    result = MLERegressor("gamma").fit(X, y).inference(X, y)
    found = result.estimate(lambda m: m.predict(PLACE), interval="profile")
    assert "Intervals: profile likelihood." in str(found)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.confidence_intervals(), found.confidence_intervals())
    narrow, wide = found.confidence_intervals(0.5), found.confidence_intervals(0.99)
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (narrow[:, 1] < wide[:, 1]).all()
    with pytest.raises(ValueError, match=r"level 0\.5 need the rows.*Allowed: \[0\.95\]"):
        again.confidence_intervals(0.5)


def test_a_function_that_never_moves_is_its_own_interval():
    y = OBSERVED["gamma"]
    result = MLERegressor("gamma").fit(X, y).inference(X, y)
    found = result.estimate(lambda m: 2.0, interval="profile")
    np.testing.assert_array_equal(found.confidence_intervals(), [[2.0, 2.0]])


@pytest.mark.slow
def test_a_ratio_without_bound_says_so():
    """Fieller's interval is no interval where the denominator may be zero."""
    y = OBSERVED["bernoulli"][::-1]
    result = CrossEntropyClassifier().fit(X, y).inference(X, y)
    assert result.p_value[1] > 0.1
    found = result.estimate(lambda m: m.coef_[0, 0] / m.coef_[0, 1], interval="profile")
    assert not np.isfinite(found.confidence_intervals()).all()
    assert "nan: fits on the way found no maximum" in " ".join(str(found).split())


def test_what_has_no_profile_is_refused():
    y = OBSERVED["bernoulli"]
    model = CrossEntropyClassifier().fit(X, y)
    for result in (model.inference(), model.inference(X, y, covariance="HC0")):
        with pytest.raises(ValueError, match="do not know the rows.*Allowed: .*interval='wald'"):
            result.estimate(lambda m: m.predict_proba(PLACE), interval="profile")
    with pytest.raises(ValueError, match="interval='bca' is not known. Allowed: 'wald', 'profile'"):
        model.inference(X, y).estimate(lambda m: m.predict_proba(PLACE), interval="bca")
    rare = np.column_stack([np.arange(N) % 5 == 0, X[:, 1]]).astype(float)
    y = np.where(rare[:, 0] > 0, 1.0, y)
    with pytest.warns(SeparationWarning):
        model = CrossEntropyClassifier().fit(rare, y)
    with pytest.raises(ValueError, match="some coefficients run to infinity"):
        model.inference(rare, y).estimate(lambda m: m.coef_[0, 1], interval="profile")
