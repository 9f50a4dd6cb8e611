"""Data without a maximum: one warning and a status."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, NoMaximumWarning, SeparationWarning
from skmle.families import Family
from tests.estimators.refusals import FRAME, X, Y, assert_four_parts, assert_refused
from tests.subjects import (
    ends_move,
    every_class,
    is_conditional,
    is_unbounded,
    observations,
    ordinary_value,
)


def fit_and_catch(model: Any, *args: Any, **kwargs: Any) -> tuple[Any, warnings.WarningMessage]:
    """Fit, and return the model with the one warning that it gave, which points to the line that
    called fit.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*args, **kwargs)
    assert len(caught) == 1, [str(w.message) for w in caught]
    assert caught[0].filename == __file__
    text = str(caught[0].message)
    assert text.startswith(type(model).__name__) and text.endswith(f"(status_ = {model.status_!r})")
    return model, caught[0]


def constant(cls: type[Family]) -> np.ndarray:
    """Return ten equal observations of a family, away from the ends of its support if possible."""
    return np.full(10, ordinary_value(cls))


def expected_status(cls: type[Family], y: np.ndarray) -> str:
    """Return what becomes of equal observations, as the family itself tells."""
    family = cls().adapt(y)
    if not family.observation.numeric:
        return "interior"  # a law of one label
    if is_unbounded(family) or not family.support.smooth:
        return "no_maximum"
    if y[0] in (family.support.low, family.support.high):
        return "boundary" if family.support.discrete else "no_maximum"
    if family.may_be_unbounded:  # equal counts, too, are more likely the less the law spreads
        return "no_maximum"
    # Counts without any spread are less dispersed than the limit law of a family that spreads them
    # further.
    return "boundary" if family.limits else "interior"


@every_class(lambda cls: cls.observation.columns == 1 and not cls.observation.circular)
def test_constant_data_have_no_maximum_where_a_scale_runs_to_zero(cls):
    y = constant(cls)
    status = expected_status(cls, y)
    if status == "interior":
        model = MLEDistribution(cls).fit(y[:, None])
        assert model.status_ == status and np.isfinite(model.log_likelihood_)
        return
    model, warning = fit_and_catch(MLEDistribution(cls), y[:, None])
    assert model.status_ == status
    assert model.converged_ == (status == "boundary")
    assert issubclass(
        warning.category, NoMaximumWarning if status == "no_maximum" else BoundaryWarning
    )
    # What is returned is a law, near the limit: it can be asked, and finds these data very likely.
    assert np.isfinite(model.score(y[:, None])) and model.score(y[:, None]) > (
        5.0 if status == "no_maximum" and not cls.support.discrete else -2.0
    )


@every_class(
    lambda cls: cls.observation.columns == 1 and is_conditional(cls) and cls.observation.numeric
)
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_constant_response_has_no_maximum_either(cls, alpha):
    y = constant(cls)
    status = expected_status(cls, y)
    model = MLERegressor(cls, alpha=alpha)
    if status == "interior":
        model.fit(X[:10], y)
        assert model.status_ == status
    elif status == "boundary" and not cls().limits:
        # The intercept alone runs to infinity, which a penalty of the slopes does not hinder.
        model, warning = fit_and_catch(model, X[:10], y)
        assert model.status_ == "no_maximum" and "intercept" in str(warning.message)
    else:
        model, warning = fit_and_catch(model, X[:10], y)
        assert model.status_ == status
        np.testing.assert_allclose(model.coef_, 0.0, atol=1e-6)
        np.testing.assert_allclose(model.predict(X[:10]), y, rtol=1e-6)
    assert np.isfinite(model.log_likelihood_)


def test_constant_rows_of_a_multivariate_normal_have_no_maximum():
    model, warning = fit_and_catch(MLEDistribution("multivariate_normal"), np.full((10, 2), 3.0))
    assert model.status_ == "no_maximum" and warning.category is NoMaximumWarning
    model, warning = fit_and_catch(
        MLEDistribution("multivariate_normal"), np.column_stack([X[:, 0], 2.0 * X[:, 0]])
    )
    assert model.status_ == "no_maximum"
    assert "a space of 1 dimension" in str(warning.message)


def test_one_constant_column_of_many_is_named():
    columns = FRAME.assign(level=3.0)
    model, warning = fit_and_catch(MLEDistribution(), columns)
    assert model.status_ == "no_maximum"
    assert "MLEDistribution(Normal), column level: " in str(warning.message)
    np.testing.assert_allclose(model.params_["loc"], [X[:, 0].mean(), X[:, 1].mean(), 3.0])


def test_separation_names_the_columns_of_its_direction():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": rng.normal(size=200),
            "dose": rng.normal(size=200),
            "treated": np.repeat([0.0, 1.0], [180, 20]),
        }
    )
    y = (frame["age"] + rng.logistic(size=200) > 0).astype(int).to_numpy(copy=True)
    y[180:] = (
        1  # all who were treated recovered: only the coefficient of `treated` runs to infinity
    )
    model, warning = fit_and_catch(CrossEntropyClassifier(), frame, y)
    assert warning.category is SeparationWarning
    assert model.status_ == "no_maximum" and not model.converged_
    assert "the column 'treated' separates the outcomes" in str(warning.message)
    assert "Set alpha > 0, or drop" in str(warning.message)
    # All else is as without these rows and this column, and what was separated is certain.
    rest = CrossEntropyClassifier().fit(frame.loc[:179, ["age", "dose"]], y[:180])
    np.testing.assert_allclose(model.coef_[0, :2], rest.coef_[0], rtol=1e-6)
    assert model.log_likelihood_ == pytest.approx(rest.log_likelihood_, rel=1e-6)
    errors = model.inference().standard_errors
    np.testing.assert_allclose(errors[[0, 1, 3]], rest.inference().standard_errors, rtol=1e-7)
    assert np.isnan(errors[2])
    assert CrossEntropyClassifier(alpha=0.01).fit(frame, y).status_ == "interior"


def test_separation_of_counts_is_named_too():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"age": rng.normal(size=100), "closed": np.repeat([0.0, 1.0], [80, 20])})
    y = rng.poisson(2.0, 100)
    y[80:] = 0
    model, warning = fit_and_catch(MLERegressor("poisson"), frame, y)
    assert warning.category is SeparationWarning and model.status_ == "no_maximum"
    assert "the column 'closed' separates the outcomes" in str(warning.message)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_line_that_separates_the_classes_is_found(classes):
    y = np.digitize(X[:, 0] + 0.5 * X[:, 1], [0.0, 0.8][: classes - 1])
    model, warning = fit_and_catch(CrossEntropyClassifier(), FRAME, y)
    assert warning.category is SeparationWarning and model.status_ == "no_maximum"
    assert "'age', 'time'" in str(warning.message) and model.separated_.n_rows == len(X)
    np.testing.assert_array_equal(model.predict(FRAME), y)
    assert model.score(FRAME, y) > -1e-3


@pytest.mark.parametrize("rows, columns", [(15, 30), (20, 20)])
def test_more_columns_than_rows(rows, columns):
    rng = np.random.default_rng(2)
    wide, y = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    model, warning = fit_and_catch(MLERegressor(), wide, y)
    assert model.status_ == "no_maximum" and "reproduces every observation" in str(warning.message)
    np.testing.assert_allclose(model.predict(wide), y, atol=1e-6)
    model, warning = fit_and_catch(CrossEntropyClassifier(), wide, y > 0)
    assert model.status_ == "no_maximum" and warning.category is SeparationWarning
    np.testing.assert_array_equal(model.predict(wide), y > 0)
    # A penalty gives the classifier a maximum; a count of every row's own has one, where the fit is
    # the data.
    assert CrossEntropyClassifier(alpha=0.1).fit(wide, y > 0).status_ == "interior"
    counts = rng.poisson(3.0, rows) + 1.0
    saturated = MLERegressor("poisson").fit(wide, counts)
    np.testing.assert_allclose(saturated.predict(wide), counts, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_scale_that_may_vary_over_as_many_columns_as_rows_runs_to_zero(alpha):
    rng = np.random.default_rng(3)
    wide, y = rng.normal(size=(15, 30)), rng.normal(size=15)
    model, _ = fit_and_catch(MLERegressor(features={"scale": "all"}, alpha=alpha), wide, y)
    assert model.status_ == "no_maximum"


@every_class(lambda cls: is_conditional(cls) and is_unbounded(cls) and len(cls.parameters) > 1)
@pytest.mark.parametrize("unit", [1e-3, 1.0])
@pytest.mark.slow
def test_a_group_of_equal_rows_has_no_spread_of_its_own(cls, unit):
    """Where the spread may differ between groups, the density around these rows is unbounded."""
    group = np.repeat([0.0, 1.0], 50)[:, None]
    y = unit * np.concatenate([observations(cls, 50), np.full(50, ordinary_value(cls))])
    features = {name: [0] for name in cls().names[:2]}
    model, warning = fit_and_catch(MLERegressor(cls, features=features), group, y)
    assert model.status_ == "no_maximum" and warning.category is NoMaximumWarning
    text = str(warning.message)
    assert "runs to" in text
    assert "50 of 100 rows" in text or (ends_move(cls) and "the end of the support" in text)


def test_all_parameters_known_leave_nothing_to_fit():
    known = MLEDistribution(fixed={"loc": 0.0, "scale": 1.0}).fit(X)
    assert known.status_ == "interior" and known.n_parameters_ == 0
    assert known.params_["loc"].tolist() == [0.0, 0.0]
    assert known.log_likelihood_ == pytest.approx(known.score(X) * len(X), rel=1e-12)
    regression = MLERegressor(fixed={"loc": 0.0, "scale": 1.0}).fit(X, Y)
    assert regression.log_likelihood_ == pytest.approx(
        -0.5 * (Y**2).sum() - 15.0 * np.log(2.0 * np.pi), rel=1e-12
    )


def test_trials_of_size_zero_tell_nothing():
    message = assert_refused(
        MLEDistribution("binomial"), np.zeros((5, 2)), says="no trials|zero trials|trials"
    )
    assert_four_parts(message)
