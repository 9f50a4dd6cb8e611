"""Functions of fitted models, with standard errors, against formulas and statsmodels."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from tests.estimators.data import conditional_data
from tests.subjects import as_columns, every_class, is_conditional, observations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
COUNTS = RNG.poisson(np.exp(0.3 + X @ [0.5, -0.2, 0.1])).astype(float)
CLASSES = np.minimum(COUNTS, 2.0)


def own(model):
    """All coefficients of a fit in the order of its covariance, by the model's attributes."""
    return model._vector()


@every_class(is_conditional)
def test_coefficients_are_functions_of_the_model(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    errors = model.inference()
    found = errors.estimate(own)
    np.testing.assert_allclose(found.estimates, own(model), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, errors.model.covariance, rtol=1e-7, atol=1e-12)


@every_class(lambda cls: cls.support.smooth)  # without, there are no errors
def test_parameters_are_functions_of_a_density(cls):
    model = MLEDistribution(cls).fit(as_columns(observations(cls)))
    result = model.inference()
    found = result.estimate(lambda m: m._results().estimates)
    # A correlation of zero, as of a direction with its concentration, is one of differences.
    errors = np.sqrt(result.covariance.diagonal())
    size = np.outer(errors, errors)
    atol = np.where(np.abs(result.covariance) <= 1e-12 * size, 1e-7 * size, 1e-10)
    off = np.abs(found.covariance - result.covariance)
    assert (off <= 1e-6 * np.abs(result.covariance) + atol).all()


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), OrdinalClassifier()], ids=str)
def test_coefficients_of_classes_are_functions_of_the_model(model):
    for y in (CLASSES, CLASSES > 1.0):
        result = model.fit(X, y).inference()
        found = result.estimate(lambda m: m._results().estimates)
        np.testing.assert_allclose(found.covariance, result.covariance, rtol=1e-7, atol=1e-12)


def test_average_marginal_effects_are_those_of_statsmodels():
    model = MLERegressor("poisson", tol=1e-10).fit(X, COUNTS)
    peer = sm.Poisson(COUNTS, sm.add_constant(X, prepend=False))
    fitted = peer.fit(disp=0, method="newton", tol=1e-14)
    expected = fitted.get_margeff()
    found = model.inference().estimate(lambda m: m.coef_ * m.predict(X).mean())
    np.testing.assert_allclose(found.estimates, expected.margeff, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, expected.margeff_se, rtol=1e-9)
    robust = peer.fit(disp=0, method="newton", tol=1e-14, cov_type="HC0").get_margeff()
    found = model.inference(X, COUNTS, covariance="HC0").estimate(
        lambda m: m.coef_ * m.predict(X).mean()
    )
    np.testing.assert_allclose(found.standard_errors, robust.margeff_se, rtol=1e-9)


def test_a_mean_at_given_x_is_that_of_statsmodels():
    model = MLERegressor("normal", tol=1e-10).fit(X, COUNTS)
    peer = sm.OLS(COUNTS, sm.add_constant(X, prepend=False)).fit()
    expected = peer.get_prediction(sm.add_constant(X[:5], prepend=False)).se_mean
    found = model.inference().estimate(lambda m: m.predict(X[:5])).standard_errors
    # statsmodels divides the residual sum of squares by n - k.
    np.testing.assert_allclose(found, expected * np.sqrt(296.0 / 300.0), rtol=1e-8)


def test_intervals_on_a_scale_stay_inside():
    model = CrossEntropyClassifier().fit(X, CLASSES > 1.0)
    result = model.inference().estimate(lambda m: m.predict_proba(X[:9])[:, 1], link="logit")
    low, high = result.confidence_intervals(0.999999).T
    assert ((low > 0.0) & (low < result.estimates) & (result.estimates < high)).all()
    assert (high < 1.0).all()
    # In log-odds the interval is the usual one, by the covariance of the linear predictor.
    ones = np.column_stack([X[:9], np.ones(9)])
    covariance = model._covariances[0]
    reach = 1.959963984540054 * np.sqrt(np.einsum("ij,jk,ik->i", ones, covariance, ones))
    low, high = result.confidence_intervals().T
    eta = model.decision_function(X[:9])
    np.testing.assert_allclose(np.log(low / (1.0 - low)), eta - reach, rtol=1e-8)
    np.testing.assert_allclose(np.log(high / (1.0 - high)), eta + reach, rtol=1e-8)


def test_names_and_pickles():
    model = MLERegressor("gamma").fit(X, COUNTS + 1.0)
    result = model.inference()
    frame = result.estimate(lambda m: pd.Series(m.predict(X[:2]), index=["a", "b"]))
    assert list(frame.terms) == ["a", "b"]
    assert result.estimate(lambda m: m.predict(X[:4]).reshape(2, 2)).terms[3] == "1, 1"
    assert result.estimate(lambda m: m.params_["shape"]).terms == ["value"]
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.estimate(own).covariance, result.estimate(own).covariance)


class Changing:
    """A function whose number of values changes from call to call."""

    calls = 0

    def __call__(self, model):
        self.calls += 1
        return np.full(1 + self.calls % 2, model.coef_[0])


STEPS = "goes in steps .* Allowed: functions that are smooth"


@pytest.mark.parametrize(
    ("function", "settings", "message"),
    [
        (lambda m: np.log(-m.predict(X[:2])), {}, "gives nan .* Allowed: functions that are finit"),
        (lambda m: "a", {}, "gives a str. Allowed: a number or an array"),
        (lambda m: m.predict(X[:2]), {"names": ["a"]}, "1 names for 2 values. Allowed: one name"),
        (lambda m: m.coef_, {"link": "log"}, "link='log', but one value is -.* Allowed: positive"),
        (lambda m: m.coef_, {"link": "square"}, "link='square' is not known. Allowed: 'identity'"),
        (lambda m: m.coef_ + 1j, {}, "gives a complex number. Allowed"),
        (lambda m: [], {}, r"gives no number, but an array of shape \(0,\). Allowed"),
        (Changing(), {}, "gives 2 numbers at the estimates and 1 beside them. Allowed"),
        (3, {}, "function=3 cannot be called. Allowed"),
        (lambda m: 1e200 * m.coef_, {}, "variance is beyond the doubles. Allowed"),
        # Steps: far apart, so that none is near; many, and few; beside a smooth number.
        (lambda m: m.predict_quantile(X, 0.5), {}, STEPS),
        (lambda m: m.predict_quantile(X, 0.5).mean(), {}, STEPS),
        (lambda m: np.mean(m.predict(X) > 1.4), {}, STEPS),
        (lambda m: [m.coef_[0], np.round(m.coef_[1], 2)], {}, STEPS),
        (lambda m: np.round(m.coef_[1], 2), {"interval": "profile"}, STEPS),
    ],
)
def test_bad_functions(function, settings, message):
    model = MLERegressor("poisson").fit(X, COUNTS)
    with pytest.raises(ValueError, match=message):
        model.inference(X, COUNTS).estimate(function, **settings)


@pytest.mark.parametrize(
    "function",
    [lambda m: 3.0, lambda m: 0.0 * m.coef_, lambda m: [True]],
    ids=["a number", "zero times coefficients", "a truth"],
)
def test_what_no_coefficient_moves_has_no_error_and_no_test(function):
    found = MLERegressor("poisson").fit(X, COUNTS).inference().estimate(function)
    assert not found.standard_errors.any()
    assert np.isnan(found.statistic).all() and np.isnan(found.p_value).all()
    with pytest.raises(ValueError, match="has no spread. Allowed"):
        found.test([found.terms[0]])


def test_functions_of_what_the_data_do_not_determine():
    twice = np.column_stack([X, X[:, 0]])
    result = MLERegressor("poisson").fit(twice, COUNTS).inference()
    assert np.isfinite(result.estimate(lambda m: m.coef_[1]).standard_errors).all()
    with pytest.raises(ValueError, match="coefficients that the data do not determine. Allowed"):
        result.estimate(lambda m: m.coef_[0])


# ---------------------------------------------------------------- through pipelines

FRAME = pd.DataFrame(X, columns=["a", "b", "c"]).assign(
    city=np.array(["x", "y", "z"])[RNG.integers(0, 3, 300)]
)


def pipeline():
    return make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(drop="first"), ["city"])
        ),
        MLERegressor("poisson"),
    )


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.slow
def test_inference_through_a_pipeline(held):
    estimator = pipeline()
    if held:
        estimator = GridSearchCV(estimator, {"mleregressor__alpha": [0.0]}, cv=2)
    estimator = estimator.fit(FRAME, COUNTS)
    result = skmle.infer(estimator, FRAME, COUNTS, covariance="HC0")
    cities = ["onehotencoder__city_y", "onehotencoder__city_z"]
    assert list(result.terms)[-3:] == [*cities, "intercept"]
    columns = sm.add_constant(pd.get_dummies(FRAME, drop_first=True).astype(float))
    peer = sm.Poisson(COUNTS, columns).fit(disp=0, method="newton", tol=1e-12, cov_type="HC0")
    found = result.estimate(lambda m: m.predict(FRAME.iloc[:4]))
    expected = peer.get_prediction(columns.iloc[:4]).summary_frame()["se"]
    np.testing.assert_allclose(found.standard_errors, expected, rtol=1e-6)
    test = result.test(cities)
    wald = peer.wald_test("city_y = 0, city_z = 0", scalar=True)
    assert test.statistic == pytest.approx(float(wald.statistic), rel=1e-6)
    assert test.p_value == pytest.approx(float(wald.pvalue), rel=1e-6)
    pickle.loads(pickle.dumps(result))


def test_other_models_have_no_inference():
    with pytest.raises(TypeError, match="infer: StandardScaler keeps no covariance.* Allowed"):
        skmle.infer(StandardScaler().fit(X))
