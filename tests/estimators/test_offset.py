"""Offset and exposure: as a column, as an argument, by hand."""

from __future__ import annotations

import inspect
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLERegressor
from skmle.exceptions import NonRegularWarning, ScoreWarning
from skmle.information import information_gain
from skmle.metrics import log_likelihood_score
from tests.estimators.data import assert_same_fit, counts

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "gamma"])
def test_exposure_as_a_column_as_an_argument_and_by_hand(family):
    X, time, y = counts()
    y = y + 0.5 if family == "gamma" else y
    by_hand = MLERegressor(family).fit(X, y, offset=np.log(time))
    argument = MLERegressor(family).fit(X, y, exposure=time)
    beside = np.column_stack([X, time])
    column = MLERegressor(family, exposure=2).fit(beside, y)
    frame = pd.DataFrame(beside, columns=["a", "b", "time"])
    named = MLERegressor(family, exposure="time").fit(frame, y)
    logs = MLERegressor(family, offset=2).fit(np.column_stack([X, np.log(time)]), y)
    sparse = MLERegressor(family, exposure=2).fit(sp.csr_array(beside), y)
    expected = by_hand.predict(X, offset=np.log(time))
    for other in (argument, column, named, logs, sparse):
        assert_same_fit(by_hand, other)
        assert other.coef_.shape == (2,)
    np.testing.assert_allclose(argument.predict(X, exposure=time), expected, rtol=1e-9)
    np.testing.assert_allclose(column.predict(beside), expected, rtol=1e-9)
    np.testing.assert_allclose(named.predict(frame), expected, rtol=1e-9)
    np.testing.assert_allclose(argument.predict(X, exposure=1.0) * time, expected, rtol=1e-9)
    assert column.score(beside, y) == pytest.approx(argument.score(X, y, exposure=time), rel=1e-12)
    assert column.score(beside, y) * len(y) == pytest.approx(column.log_likelihood_, rel=1e-9)
    np.testing.assert_array_equal(column.predict_dist(beside).mean(), column.predict(beside))
    np.testing.assert_allclose(
        column.sample(beside, random_state=1),
        argument.sample(X, exposure=time, random_state=1),
        rtol=1e-9,
    )


def test_a_poisson_model_of_counts_with_exposure_is_one_of_rates_with_weights():
    X, time, y = counts()
    exposed = MLERegressor("poisson").fit(X, y, exposure=time)
    rates = MLERegressor("poisson").fit(X, y / time, sample_weight=time)
    np.testing.assert_allclose(rates.coef_, exposed.coef_, rtol=1e-9)
    assert rates.intercept_ == pytest.approx(exposed.intercept_, rel=1e-9)


# What a regression is asked, each with what it takes beside X.
QUESTIONS = {
    "predict": (),
    "predict_dist": (),
    "predict_interval": (0.9,),
    "predict_quantile": (0.5,),
    "sample": (),
    "log_prob": ("y",),
    "score": ("y",),
    "aic": ("y",),
    "bic": ("y",),
    "log_likelihood_score": ("y",),
}
MODULE = {name: getattr(skmle, name) for name in QUESTIONS if hasattr(skmle, name)}
MODULE["log_likelihood_score"] = log_likelihood_score


def test_every_question_that_takes_an_exposure_is_asked_here():
    takes = {
        name
        for name, method in inspect.getmembers(MLERegressor, inspect.isfunction)
        if "exposure" in str(inspect.signature(method))
        and name not in ("__init__", "fit", "inference", "tic")  # refuse rows unlike those of fit
    }
    assert {name for name in takes if not name.startswith(("_", "set_"))} == set(QUESTIONS) - {
        "log_likelihood_score"
    }


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_every_question_warns_once_of_what_fit_saw_and_it_does_not(name, what):
    X, time, y = counts()
    known = time if what == "exposure" else np.log(time)
    model = MLERegressor("poisson").fit(X, y, **{what: known})
    asked = [getattr(model, name, None), partial(MODULE[name], model) if name in MODULE else None]
    for ask in filter(None, asked):
        rest = tuple(y if given == "y" else given for given in QUESTIONS[name])
        with pytest.warns(ScoreWarning, match=f"fit was given {what}= beside X") as caught:
            ask(X, *rest)
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ask(X, *rest, **{what: known})
            ask(X, *rest, **{what: 2.0})  # one number for all rows


def test_criteria_of_given_data_take_the_exposure_of_their_rows():
    X, time, y = counts()
    weight = np.arange(len(y)) % 3
    model = MLERegressor("poisson").fit(X, y, weight, exposure=time)
    for criterion in (model.aic, model.bic):
        assert criterion(X, y, weight, exposure=time) == pytest.approx(criterion(), rel=1e-12)


@pytest.mark.parametrize("unknown", [0.0, -1.0, np.nan, np.inf])
def test_exposures_of_rows_of_weight_zero_do_not_count(unknown):
    X, time, y = counts()
    weight, wrong = np.ones(len(y)), time.copy()
    weight[[2, 5]], wrong[[2, 5]] = 0.0, unknown
    fine = MLERegressor("poisson").fit(X, y, weight, exposure=time)
    fits = [(MLERegressor("poisson"), X, {"exposure": wrong})]
    if np.isfinite(unknown):  # values of X have to be numbers
        fits.append((MLERegressor("poisson", exposure=2), np.column_stack([X, wrong]), {}))
    for model, table, beside in fits:
        assert_same_fit(fine, model.fit(table, y, weight, **beside))
        score = model.score(table, y, weight, **beside)
        assert score == pytest.approx(fine.score(X, y, weight, exposure=time), rel=1e-12)
        with pytest.raises(ValueError, match="exposure"):
            model.fit(table, y, **beside)


# What asks two models, Poisson and gamma, of the same whole numbers: a number or an array.
ASKED_OF_TWO = {
    "compare": lambda *given, **beside: skmle.compare(*given, **beside).log_probs,
    "compare, criteria": lambda models, *given, **beside: skmle.compare(
        models[1:], *given, **beside
    ).criteria["tic"],
    "compare, loo": lambda models, *given, **beside: (
        skmle.compare(models, *given, cv="loo", **beside).log_probs
    ),
    "information_gain": lambda models, *given, **beside: float(
        information_gain(models[0], *given, **beside)
    ),
    "information_gain, baseline": lambda models, *given, **beside: float(
        information_gain(models[0], *given, baseline=models[1], **beside)
    ),
}


@pytest.fixture
def two_models():
    """Return what is asked of two models, with and without an exposure that is a column of X."""
    X, time, y = (rows[:40] for rows in counts())
    named = {name: MLERegressor(name, exposure=2) for name in ("poisson", "gamma")}
    plain = {name: MLERegressor(name) for name in named}
    return [*named.values()], np.column_stack([X, time]), [*plain.values()], X, time, y + 1


@pytest.mark.filterwarnings("ignore:.*whole:skmle.exceptions.ScaleWarning")
@pytest.mark.parametrize("name", ASKED_OF_TWO)
@pytest.mark.parametrize("wrapped", [False, True])
def test_fits_to_parts_of_rows_take_an_exposure_as_an_argument(two_models, name, wrapped):
    named, table, plain, X, time, y = two_models
    ask = ASKED_OF_TWO[name]
    if wrapped:
        plain = [make_pipeline(StandardScaler(), model) for model in plain]
    if name.endswith("baseline"):  # rows of a gamma law are not judged as counts here
        named, plain = named[:1] * 2, plain[:1] * 2
    expected = ask(named, table, y)
    np.testing.assert_allclose(ask(plain, X, y, exposure=time), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        ask(plain, X, y, offset=pd.Series(np.log(time))), expected, rtol=1e-6, atol=1e-9
    )
    if "compare" in name:
        assert not np.allclose(ask(plain, X, y), expected)


def test_vuongs_test_rounds_a_density_with_the_exposure_of_its_rows(two_models):
    named, table, plain, X, time, y = two_models
    column = skmle.vuong_test(*(model.fit(table, y) for model in named), table, y)
    models = [model.fit(X, y, exposure=time) for model in plain]
    assert skmle.vuong_test(*models, X, y, exposure=time).statistic == pytest.approx(
        column.statistic, rel=1e-6
    )


@pytest.mark.parametrize("name", ASKED_OF_TWO)
@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_fits_to_parts_of_rows_warn_once_of_what_a_fit_saw_and_they_do_not(two_models, name, what):
    _, _, plain, X, time, y = two_models
    known = {what: time if what == "exposure" else np.log(time)}
    pipes = [make_pipeline(MLERegressor("poisson").fit(X, y, **known)) for _ in plain]
    with pytest.warns(ScoreWarning, match=f"fit was given {what}= beside X") as caught:
        ASKED_OF_TWO[name](pipes, X, y)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ASKED_OF_TWO[name](pipes, X, y, **{what: 2.0})  # one number for all rows


@pytest.mark.parametrize("ask", [skmle.compare, information_gain])
def test_fits_to_parts_of_rows_refuse_what_cannot_be_given_beside_them(ask):
    X, time, y = (rows[:40] for rows in counts())
    first = (lambda model: model) if ask is information_gain else (lambda model: [model])
    for model, given, message in (
        (CrossEntropyClassifier(), {"exposure": time}, "CrossEntropyClassifier cannot take"),
        (MLERegressor("poisson"), {"exposure": time[:5]}, "the shape is .5,., but X has 40 rows"),
        (MLERegressor("poisson"), {"cvv": 3}, "no argument 'cvv'.*Did you mean 'cv'"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            ask(first(model), X, y, **given)
