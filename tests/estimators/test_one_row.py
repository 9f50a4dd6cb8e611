"""One row: fitted where the law allows it, told where it does not, refused where it says nothing.

One row has a maximum inside the law if no parameter is left to shrink the law onto it.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._shared.classes import _LINKS
from skmle.exceptions import FitWarning
from skmle.families import Family
from tests.estimators.data import parameters
from tests.subjects import (
    ONE_EACH,
    as_columns,
    is_conditional,
    is_unbounded,
    narrows,
    observations,
    own_name,
)

KINDS = {name: type(family) for name, family in ONE_EACH.items()}
every_kind = pytest.mark.parametrize("cls", KINDS.values(), ids=KINDS)
every_regression = pytest.mark.parametrize(
    "cls", [cls for cls in KINDS.values() if is_conditional(cls)], ids=own_name
)


def free(cls: type[Family]) -> list[str]:
    return [param.name for param in ONE_EACH[cls.__name__].parameters]


def one(cls: type[Family]) -> np.ndarray:
    """Return an observation inside the support, where it is not at an end."""
    y = np.asarray(observations(cls))
    if not cls.observation.numeric or cls.observation.columns != 1:
        return y[:1]
    inside = (y > cls.support.low + cls.support.whole) & (y < cls.support.high)
    return (y[inside] if inside.any() else y)[:1]


def fitted(model, *data, **options):
    """Return the fit and its status; a warning is of the verdict, and there if that is not good."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **options)
    assert all(issubclass(warning.category, FitWarning) for warning in caught)
    assert len(caught) == (model.status_ != "interior")
    assert np.isfinite(model.log_likelihood_)
    return model


@every_kind
def test_a_density_of_one_row(cls):
    """It is that of the row repeated; what has but one parameter ends inside or at an edge."""
    X = as_columns(one(cls))
    model = fitted(MLEDistribution(own_name(cls)), X)
    shrinks = cls.observation.numeric and cls.observation.columns != 2 and len(free(cls)) > 1
    single = cls.observation.columns == 1
    if single and shrinks and cls().limits and not (is_unbounded(cls) or narrows(cls())):
        assert model.status_ == "boundary"
    elif not cls.support.discrete:
        assert model.status_ == ("no_maximum" if shrinks else "interior")
    else:
        narrow = ("no_maximum",) if cls.may_be_unbounded else ()
        assert model.status_ in ("interior", "boundary", *narrow)
    assert model.score(X) == pytest.approx(model.log_likelihood_, rel=1e-9, abs=1e-12)
    for other in (
        fitted(MLEDistribution(own_name(cls)), np.repeat(X, 3, axis=0)),
        fitted(MLEDistribution(own_name(cls)), X, sample_weight=[3.0]),
    ):
        assert other.status_ == model.status_
        if model.status_ != "no_maximum":
            np.testing.assert_allclose(parameters(other), parameters(model), rtol=1e-9, atol=1e-12)
            assert other.log_likelihood_ == pytest.approx(3.0 * model.log_likelihood_, abs=1e-9)


@every_regression
def test_a_regression_of_one_row_is_the_density(cls):
    """One row says nothing of slopes: they are zero, and aliased."""
    y = one(cls)
    density = fitted(MLEDistribution(own_name(cls)), as_columns(y))
    model = fitted(MLERegressor(own_name(cls)), [[1.5, -2.0]], y)
    if density.status_ == "interior":
        assert model.status_ == "interior"
        assert model.log_likelihood_ == pytest.approx(density.log_likelihood_, abs=1e-12)
    assert not any(slopes.any() for slopes in model.coefs_.values())
    assert model.predict([[1.5, -2.0]]).shape == (1,)


@pytest.mark.parametrize(
    "family, fixed, y, name, right",
    [
        ("normal", {"scale": 2.0}, 3.0, "loc", 3.0),
        ("normal", {"loc": 1.0}, 3.0, "scale", 2.0),
        ("laplace", {"loc": 1.0}, 3.0, "scale", 2.0),
        ("logistic", {"scale": 2.0}, -3.0, "loc", -3.0),
        ("student_t", {"scale": 2.0, "df": 4.0}, 3.0, "loc", 3.0),
        ("lognormal", {"loc": 0.0}, np.exp(3.0), "scale", 3.0),
        ("gamma", {"shape": 2.0}, 3.0, "mean", 3.0),
        ("weibull", {"shape": 2.0}, 3.0, "scale", 3.0),
        ("log_logistic", {"shape": 2.0}, 3.0, "scale", 3.0),
        ("inverse_gaussian", {"shape": 2.0}, 3.0, "mean", 3.0),
        ("inverse_gaussian", {"mean": 2.0}, 3.0, "shape", 12.0),
        ("negative_binomial", {"dispersion": 2.0}, 3.0, "mean", 3.0),
        ("exponential", {}, 3.0, "mean", 3.0),
        ("poisson", {}, 3.0, "mean", 3.0),
        ("geometric", {}, 4.0, "probability", 0.25),
    ],
)
def test_the_parameter_that_is_left_follows_the_row(family, fixed, y, name, right):
    model = fitted(MLEDistribution(family, fixed=fixed), [[y]])
    assert model.status_ == "interior" and model.n_parameters_ == 1
    np.testing.assert_allclose(model.params_[name], right, rtol=1e-7)
    regression = fitted(MLERegressor(family, fixed=fixed), [[1.0]], [y])
    assert regression.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)


@pytest.mark.parametrize("link", _LINKS)
@pytest.mark.parametrize("label", [0, 1, "a", True])
def test_a_classifier_wants_two_classes_in_the_words_of_scikit_learn(link, label):
    with pytest.raises(ValueError, match=r"only one class.*Allowed: at least two.*Give rows"):
        CrossEntropyClassifier(link=link).fit([[1.0]], [label])
    model = fitted(CrossEntropyClassifier(link=link, alpha=0.1), [[1.0], [2.0]], [0, 1])
    assert model.status_ == "interior"
    assert model.predict_proba([[1.0]]).shape == (1, 2)


# ---------------------------------------------------------------- nothing free

NOTHING_FREE = {
    "all held": (MLEDistribution(fixed={"loc": 0.0, "scale": 1.0}), [[0.5], [1.0]]),
    "all held, one row": (MLEDistribution("poisson", fixed={"mean": 2.0}), [[3]]),
    "two columns": (MLEDistribution(fixed={"loc": 0.0, "scale": 1.0}), [[0.5, 1.0], [2.0, 3.0]]),
    "one label": (MLEDistribution("categorical"), [[2], [2]]),
    "regression": (MLERegressor("poisson", fixed={"mean": 2.0}), [[0.5], [1.0]], [1.0, 2.0]),
}


@pytest.mark.parametrize("case", NOTHING_FREE)
def test_a_law_with_nothing_free_has_a_summary(case):
    model, *data = NOTHING_FREE[case]
    fitted(model, *data)
    assert model.status_ == "interior" and model.n_parameters_ == 0
    table = model.summary()
    assert f"log-likelihood {model.log_likelihood_:.4f}" in str(table) and table._repr_html_()
    assert model.aic(*data) == pytest.approx(-2.0 * model.log_likelihood_, abs=1e-12)
    assert "nan" not in str(table).replace("s.e.", "") or case == "one label"
