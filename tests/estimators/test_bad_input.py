"""Bad input: a clear error of four parts and nothing half-fitted; data without a maximum: one warning and a status."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, FitWarning, NoMaximumWarning, SeparationWarning
from skmle.families import REGISTRY, Bernoulli, Categorical, Family, Poisson, all_families

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = X[:, 0] + RNG.normal(size=30)
LABELS = np.where(Y > 0, "yes", "no")
FRAME = pd.DataFrame(X, columns=["age", "time"])

ESTIMATORS = {
    "density": MLEDistribution(),
    "regressor": MLERegressor(),
    "classifier": CrossEntropyClassifier(),
}
every_estimator = pytest.mark.parametrize("kind", ESTIMATORS)


def arguments(kind: str, X: Any = X) -> tuple[Any, ...]:
    """Return what fit takes."""
    return {"density": (X,), "regressor": (X, Y), "classifier": (X, LABELS)}[kind]


def assert_refused(
    model: BaseEstimator, *args: Any, says: str, error: type[Exception] = ValueError, **kwargs: Any
) -> str:
    """Fitting raises an error whose text contains `says` (a pattern), and leaves nothing fitted behind."""
    model = clone(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=says) as caught:
            model.fit(*args, **kwargs)
    left = set(vars(model)) - set(model.get_params()) - {"n_features_in_", "feature_names_in_"}
    assert not left, f"half-fitted: {left}"
    return str(caught.value)


def assert_four_parts(message: str) -> None:
    """What is wrong, where, what is allowed and what to do: a message of skmle's own, no longer than a few lines."""
    assert "Allowed: " in message or re.search(r"not allowed; give ", message), message
    assert message.endswith((".", "?")) and len(message) < 500, message
    assert "np." not in message and "array(" not in message, message


# ---------------------------------------------------------------- values outside the support

OUTSIDE = {
    "lognormal": (0.0, "y > 0"),
    "exponential": (-1.0, "y >= 0"),
    "gamma": (0.0, "y > 0"),
    "weibull": (-2.0, "y > 0"),
    "beta": (1.0, "0 < y < 1"),
    "inverse_gaussian": (-1.0, "y > 0"),
    "poisson": (-1.0, "y >= 0"),
    "negative_binomial": (-1.0, "y >= 0"),
    "geometric": (0.0, "y >= 1, whole numbers"),
    "bernoulli": (0.5, "0 <= y <= 1, whole numbers"),
}


def own_name(cls: type[Family]) -> str:
    return REGISTRY[cls.__name__][1][0]


def test_every_family_with_a_bounded_support_is_listed():
    bounded = {
        own_name(cls) for cls in all_families() if cls.columns == 1 and np.isfinite(cls.support.low)
    }
    assert bounded == set(OUTSIDE)


def inside(name: str, n: int) -> np.ndarray:
    """Return values inside the support of a family of the list."""
    if name in ("bernoulli", "geometric"):
        return np.ones(n)
    return np.linspace(0.2, 0.8, n)


@pytest.mark.parametrize("name", OUTSIDE)
def test_values_outside_the_support_are_named_and_counted(name):
    bad, allowed = OUTSIDE[name]
    y = inside(name, 30)
    y[[3, 7, 8, 9, 10, 12, 13]] = bad
    expected = re.escape(
        f"7 of 30 rows (row 3: {bad:g}, row 7: {bad:g}, row 8: {bad:g}, row 9: {bad:g}, row 10: {bad:g}, ...)"
    )
    columns = pd.DataFrame({"fine": inside(name, 30), "price": y})
    says = f"{expected} of column price outside the support. Allowed: {re.escape(allowed)} for each value y"
    assert_four_parts(assert_refused(MLEDistribution(name), columns, says=says))
    assert_four_parts(
        assert_refused(MLERegressor(name), X, y, says=f"{expected} of y outside the support")
    )


def test_rows_keep_their_numbers_where_others_have_weight_zero():
    y = np.ones(30)
    y[[5, 20]] = -1.0
    weight = np.ones(30)
    weight[:6] = 0.0
    assert_refused(
        MLERegressor("gamma"), X, y, sample_weight=weight, says=r"1 of 24 rows \(row 20: -1\) of y"
    )
    assert_refused(
        MLEDistribution("gamma"),
        y[:, None],
        sample_weight=weight,
        says=r"1 of 24 rows \(row 20: -1\) of column 0",
    )


def test_rows_of_several_columns_are_shown_whole():
    y = np.tile([2.0, 3.0], (30, 1))
    y[4] = [1.5, 2.0]
    message = assert_refused(
        MLERegressor("binomial"),
        X,
        y,
        says=r"Binomial: 1 of 30 rows \(row 4: \[1.5, 2\]\) of y outside the support",
    )
    assert_four_parts(message)
    assert_refused(MLEDistribution("binomial"), y, says=r"row 4: \[1.5, 2\]")


def test_unknown_labels_are_outside_the_support_of_a_categorical_law():
    message = assert_refused(
        MLEDistribution(Categorical(["a", "b"])),
        [["a"], ["b"], ["c"]],
        says="1 of 3 rows .row 2: 'c'. of column 0",
    )
    assert_four_parts(message)


def test_a_row_outside_the_support_of_a_fitted_model_has_score_minus_infinity():
    model = MLEDistribution("gamma").fit(np.exp(X[:, :1]))
    assert model.score_samples([[-1.0], [1.0]])[0] == -np.inf
    assert model.score([[-1.0], [1.0]]) == -np.inf
    assert model.score([[-1.0], [1.0]], sample_weight=[0.0, 1.0]) > -np.inf
    regression = MLERegressor("poisson").fit(X, np.arange(30) % 4)
    assert regression.score(X[:2], [-1.0, 1.0]) == -np.inf
    classifier = CrossEntropyClassifier(alpha=0.1).fit(X, LABELS)
    assert classifier.score(X[:2], ["maybe", "yes"]) == -np.inf


# ---------------------------------------------------------------- NaN, infinities, missing labels


@every_estimator
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_of_x_that_are_not_finite_are_named_and_counted(kind, value):
    bad = FRAME.copy()
    bad.iloc[[4, 4, 9], [1, 0, 1]] = value
    says = rf"X holds NaN, missing or infinite values in 2 of 30 rows \(row 4, column age: {value}, row 4, column time: {value}, row 9"
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, bad), says=says))
    plain = X.copy()
    plain[4, 1] = value
    assert_refused(
        ESTIMATORS[kind],
        *arguments(kind, plain),
        says=rf"1 of 30 rows \(row 4, column 1: {value}\)",
    )
    if kind != "density":
        assert_refused(
            ESTIMATORS[kind],
            *arguments(kind, sp.csr_array(plain)),
            says=rf"1 of 30 rows \(row 4, column 1: {value}\)",
        )
    model = (
        clone(ESTIMATORS[kind])
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    with pytest.raises(ValueError, match=rf"row 4, column 1: {value}"):
        model.predict(plain)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_of_y_that_are_not_finite_are_named_and_counted(value):
    y = Y.copy()
    y[[5, 6]] = value
    says = rf"y holds NaN, missing or infinite values in 2 of 30 rows \(row 5: {value}, row 6: {value}\)"
    for response in (y, y.tolist(), pd.Series(y)):
        assert_four_parts(assert_refused(MLERegressor(), X, response, says="MLERegressor: " + says))
    codes = np.where(np.isfinite(y), y > 0, y)
    assert_four_parts(
        assert_refused(CrossEntropyClassifier(), X, codes, says="CrossEntropyClassifier: " + says)
    )
    model = MLERegressor().fit(X, Y)
    with pytest.raises(ValueError, match=says):
        model.score(X, y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_labels_are_named_and_counted(missing):
    labels = LABELS.astype(object)
    labels[3] = missing
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(),
            X,
            labels,
            says=r"y holds NaN, missing .* in 1 of 30 rows \(row 3: ",
        )
    )
    assert_four_parts(
        assert_refused(
            MLEDistribution("categorical"),
            labels[:, None],
            says=r"X holds .* 1 of 30 rows \(row 3, column 0: ",
        )
    )


def test_labels_without_a_common_order_are_refused():
    labels = LABELS.astype(object)
    labels[3] = 7
    says = "labels are of types int, str, which have no common order"
    assert_four_parts(assert_refused(MLEDistribution("categorical"), labels[:, None], says=says))


@pytest.mark.parametrize("what", ["offset", "exposure"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_offsets_that_are_not_finite_are_named_and_counted(what, value):
    given = np.ones(30)
    given[8] = value
    message = assert_refused(
        MLERegressor("poisson"),
        X,
        np.arange(30),
        **{what: given},
        says=rf"{what} holds .* 1 of 30 rows \(row 8: {value}\)",
    )
    assert_four_parts(message)


# ---------------------------------------------------------------- shapes


@every_estimator
def test_wrong_shapes_of_x_are_refused(kind):
    model = ESTIMATORS[kind]
    assert_refused(model, *arguments(kind, X[:, 0]), says="Expected 2D array, got 1D array instead")
    assert_refused(model, *arguments(kind, X[:, :, None]), says="Found array with dim 3")
    assert_refused(model, *arguments(kind, X[:, :0]), says="0 feature")
    assert_refused(model, *arguments(kind, X[:0]), says="0 sample")
    assert_refused(
        model, *arguments(kind, np.full((30, 2), "a")), says="could not convert string to float"
    )
    assert_refused(model, *arguments(kind, X + 1j), says="Complex data not supported")
    fitted = (
        clone(model)
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    with pytest.raises(ValueError, match="X has 1 features, but .* is expecting 2 features"):
        fitted.predict(X[:, :1])


def test_wrong_shapes_of_y_are_refused():
    for model, y in ((MLERegressor(), Y), (CrossEntropyClassifier(), LABELS)):
        assert_refused(model, X, y[:-1], says=r"inconsistent numbers of samples: \[30, 29\]")
        assert_refused(
            model,
            X,
            np.column_stack([y, y]),
            says=r"y should be a 1d array, got an array of shape \(30, 2\)",
        )
        assert_refused(model, X, None, says="requires y to be passed")
    binomial = assert_refused(
        MLERegressor("binomial"),
        X,
        np.ones(30),
        says=r"y has shape \(30,\). Allowed: \(n, 2\), one observation a row",
    )
    assert_four_parts(binomial)
    assert_refused(MLERegressor("binomial"), X, np.ones((30, 3)), says=r"y has shape \(30, 3\)")
    assert_four_parts(
        assert_refused(
            MLEDistribution("binomial"),
            np.ones((30, 3)),
            says="Binomial: X has 3 columns. Allowed: exactly 2",
        )
    )
    assert_refused(
        MLEDistribution(),
        sp.csr_array(X),
        says="Sparse data was passed for X, but dense data is required",
        error=TypeError,
    )
    assert_refused(CrossEntropyClassifier(), X, Y, says="Unknown label type: continuous")
    fitted = CrossEntropyClassifier(alpha=0.1).fit(X, LABELS)
    with pytest.raises(
        ValueError, match=r"y has shape \(29,\), but X has 30 rows. Allowed: shape \(30,\)"
    ):
        fitted.score(X, LABELS[1:])
    with pytest.raises(
        ValueError,
        match="MLERegressor requires y to be passed.*Allowed: one observation a row of X. Give y",
    ):
        MLERegressor().fit(X, Y).score(X)


@pytest.mark.parametrize("what", ["offset", "exposure"])
@pytest.mark.parametrize("given", [np.ones(3), np.ones((30, 2))], ids=["short", "wide"])
def test_wrong_shapes_of_offsets_are_refused(what, given):
    says = rf"{what}: the shape is {re.escape(str(given.shape))}, but X has 30 rows"
    assert_four_parts(
        assert_refused(MLERegressor("poisson"), X, np.arange(30), **{what: given}, says=says)
    )


def test_exposures_are_positive_under_a_log_link():
    counts = np.arange(30)
    message = assert_refused(
        MLERegressor("poisson"),
        X,
        counts,
        exposure=Y,
        says=r"exposure: \d+ of 30 rows are not positive .first: row 0: ",
    )
    assert_four_parts(message)
    assert_four_parts(
        assert_refused(
            MLERegressor(),
            X,
            Y,
            exposure=np.ones(30),
            says="has link 'identity'. Allowed: 'log'. Use offset",
        )
    )
    both = MLERegressor("poisson", exposure=1)
    assert_four_parts(
        assert_refused(
            both,
            np.abs(X),
            counts,
            exposure=np.ones(30),
            says="both the column 1 of X and an array were given",
        )
    )


# ---------------------------------------------------------------- weights


@every_estimator
def test_impossible_weights_are_refused(kind):
    model, args = ESTIMATORS[kind], arguments(kind)
    weight = np.ones(30)
    weight[[1, 4]] = -1.0
    says = (
        r"Negative values in data passed to `sample_weight`: 2 of 30 rows \(row 1: -1, row 4: -1\)"
    )
    assert_four_parts(assert_refused(model, *args, sample_weight=weight, says=says))
    assert_four_parts(
        assert_refused(model, *args, sample_weight=np.zeros(30), says="all 30 weights are zero")
    )
    for value in (np.nan, np.inf):
        weight = np.ones(30)
        weight[2] = value
        assert_four_parts(
            assert_refused(
                model,
                *args,
                sample_weight=weight,
                says=rf"NaN or infinity in 1 of 30 rows \(row 2: {value}\)",
            )
        )
    says = r"sample_weight: the shape is \(3,\), but X has 30 rows"
    assert_four_parts(assert_refused(model, *args, sample_weight=np.ones(3), says=says))
    assert_four_parts(
        assert_refused(model, *args, sample_weight=np.ones((30, 2)), says=r"the shape is \(30, 2\)")
    )
    assert_refused(model, *args, sample_weight=["a"] * 30, says="could not convert string to float")


@every_estimator
def test_impossible_weights_of_a_score_are_refused(kind):
    model = (
        clone(ESTIMATORS[kind])
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    for weight, says in (
        (-np.ones(30), "Negative values"),
        (np.zeros(30), "weights are zero"),
        (np.ones(3), "the shape is"),
    ):
        with pytest.raises(ValueError, match=says):
            model.score(*arguments(kind), sample_weight=weight)


def test_impossible_weights_of_classes_are_refused():
    for weights in ({"yes": -1.0, "no": 1.0}, {"yes": 0.0, "no": 1.0}, {"yes": np.inf, "no": 1.0}):
        message = assert_refused(
            CrossEntropyClassifier(class_weight=weights),
            X,
            LABELS,
            says="class_weight=.* is not allowed; give each class",
        )
        assert_four_parts(message)
    assert_refused(
        CrossEntropyClassifier(class_weight={"yes": 1.0, "maybe": 1.0}),
        X,
        LABELS,
        says="The classes, .*'no'.*, are not in class_weight",
    )
    assert_refused(
        CrossEntropyClassifier(class_weight="blanced"),
        X,
        LABELS,
        says="'class_weight' parameter .* Got 'blanced' instead",
    )


# ---------------------------------------------------------------- too little data


@every_estimator
def test_one_row_is_refused(kind):
    says = (
        "only one class"
        if kind == "classifier"
        else r"Found array with 1 sample\(s\) .* while a minimum of 2 is required"
    )
    assert_refused(ESTIMATORS[kind], *(a[:1] for a in arguments(kind)), says=says)


def test_one_class_is_refused():
    message = assert_refused(
        CrossEntropyClassifier(),
        X,
        np.full(30, "yes"),
        says="y has only one class, 'yes', in its 30 rows of positive weight",
    )
    assert_four_parts(message)
    weight = (LABELS == "no").astype(float)
    assert_refused(
        CrossEntropyClassifier(),
        X,
        LABELS,
        sample_weight=weight,
        says=f"one class, 'no', in its {int(weight.sum())} rows",
    )
    assert_refused(
        CrossEntropyClassifier(), X, np.ones(30, int), says="only one class, '1', in its 30 rows"
    )


# ---------------------------------------------------------------- settings


@every_estimator
@pytest.mark.parametrize(
    "setting",
    [
        {"tol": 0.0}, {"tol": -1.0}, {"tol": "small"}, {"tol": np.nan},
        {"max_iter": 0}, {"max_iter": 2.5}, {"max_iter": -3},
        {"n_jobs": 0}, {"n_jobs": "all"}, {"store_information": "yes"},
        {"alpha": -1.0}, {"alpha": np.nan}, {"alpha": "a"}, {"l1_ratio": -0.1}, {"l1_ratio": 1.5}, {"l1_ratio": "all"},
        {"fit_intercept": "no"}, {"warm_start": 1},
        {"fixed": 3}, {"fixed": {"scale": "big"}}, {"fixed": {"loc": np.nan}}, {"features": "all"}, {"features": ["age"]},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(kind, setting):
    name, value = next(iter(setting.items()))
    model = ESTIMATORS[kind]
    if name not in model.get_params():
        with pytest.raises(TypeError, match=name):
            type(model)(**setting)
        return
    says = f"{type(model).__name__}: {name}={re.escape(repr(value))} is not allowed; give "
    assert_four_parts(
        assert_refused(clone(model).set_params(**setting), *arguments(kind), says=says)
    )


@pytest.mark.parametrize(
    "wrong, nearest",
    [("nromal", "normal"), ("possion", "poisson"), ("student", "student_t"), ("gama", "gamma")],
)
def test_an_unknown_family_lists_the_nearest(wrong, nearest):
    says = f"Unknown family '{wrong}'. Allowed: normal, .*multivariate_normal; did you mean .*'{nearest}'"
    for model in (MLEDistribution(wrong), MLERegressor(wrong)):
        args = (X,) if isinstance(model, MLEDistribution) else (X, Y)
        message = assert_refused(model, *args, says=says)
        assert len(message) < 500 and message.endswith("?")
    assert_refused(
        MLEDistribution("zzz"),
        X,
        says="Unknown family 'zzz'. Allowed: normal, .* choose one of them",
    )
    for wrong_type in (3, None, ["normal"]):
        assert_refused(
            MLEDistribution(wrong_type),
            X,
            error=TypeError,
            says="family must be a name, a Family class or a Family; got .* Give for example",
        )


def test_unknown_parameters_and_links_list_what_there_is():
    for model, args in (
        (MLEDistribution(fixed={"sclae": 1.0}), (X,)),
        (MLERegressor(fixed={"sclae": 1.0}), (X, Y)),
    ):
        assert_four_parts(
            assert_refused(
                model, *args, says="Normal has no parameter 'sclae'. Allowed: loc, scale"
            )
        )
    assert_four_parts(
        assert_refused(
            MLERegressor(features={"scael": "all"}),
            X,
            Y,
            says="has no parameter 'scael'. Allowed: loc, scale",
        )
    )
    links = {"maen": "log"}
    assert_four_parts(
        assert_refused(
            MLERegressor(Poisson(links=links)), X, Y, says="unknown parameter 'maen'. Allowed: mean"
        )
    )
    assert_refused(
        MLERegressor(Poisson(links={"mean": "lgo"})),
        X,
        Y,
        says="Unknown link 'lgo'. Allowed: .* did you mean 'log'",
    )
    assert_four_parts(
        assert_refused(
            MLERegressor(Poisson(links={"mean": "logit"})),
            X,
            Y,
            says="link 'logit' does not map onto the range of 'mean'",
        )
    )
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(link="lgoit"),
            X,
            LABELS,
            says="unknown link 'lgoit'. Allowed: .* Did you mean 'logit'",
        )
    )
    many = np.array(["a", "b", "c"] * 10)
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(link="probit"),
            X,
            many,
            says="y has 3 classes. Only binary classification",
        )
    )


def test_parameters_cannot_be_held_outside_their_range():
    for value in (0.0, -1.0):
        assert_four_parts(
            assert_refused(
                MLEDistribution(fixed={"scale": value}),
                X,
                says="fixed: scale=.* is outside the range of Normal's scale",
            )
        )
    says = "parameters of MultivariateNormal cannot be held one by one"
    assert_four_parts(
        assert_refused(MLEDistribution("multivariate_normal", fixed={"mean": 1.0}), X, says=says)
    )


@pytest.mark.parametrize(
    "bounds", [{"low": 5.0}, {"high": -5.0}, {"low": 5.0, "high": 6.0}, {"low": 0.0}], ids=str
)
def test_bounds_that_exclude_data_are_refused(bounds):
    assert_four_parts(
        assert_refused(MLEDistribution("uniform", fixed=bounds), X, says="fixed=.*Uniform")
    )


SPECS = {
    "unknown name": (["tmie"], "X has no column 'tmie'. Allowed: age, time. Did you mean 'time'?"),
    "unknown index": ([5], "X has no column 5. Allowed: 0 to 1."),
    "unknown negative index": ([-3], "X has no column -3. Allowed: 0 to 1."),
    "short mask": ([True], "the mask has 1 entries, but X has 2 columns."),
    "repetition": ([0, "age"], "[0, 'age'] names a column twice."),
    "fraction": ([0.5], "0.5 names no column."),
    "number": (1.5, "1.5 names no column."),
    "empty slice": (slice(5, 9), "slice(5, 9, None) picks none of the 2 columns"),
}


@pytest.mark.parametrize("spec, says", SPECS.values(), ids=SPECS)
def test_columns_that_are_not_there_are_refused(spec, says):
    assert_four_parts(
        assert_refused(
            MLERegressor(features={"loc": spec}),
            FRAME,
            Y,
            says=re.escape(f"features['loc']: {says}"),
        )
    )


@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_offset_columns_that_are_not_there_are_refused(what):
    for column, says in (
        ("tmie", "Allowed: age, time. Did you mean 'time'"),
        (7, "Allowed: 0 to 1"),
    ):
        message = assert_refused(
            MLERegressor("poisson", **{what: column}),
            FRAME,
            np.arange(30),
            says=rf"{what}: X has no column '?{column}'?. {says}",
        )
        assert_four_parts(message)
    assert_four_parts(
        assert_refused(
            MLERegressor("poisson", **{what: "time"}),
            X,
            np.arange(30),
            says="no column 'time', as it has no names",
        )
    )


# ---------------------------------------------------------------- data without a maximum


def fit_and_catch(model: Any, *args: Any, **kwargs: Any) -> tuple[Any, warnings.WarningMessage]:
    """Fit, and return the model with the one warning that it gave, which points to the line that called fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*args, **kwargs)
    assert len(caught) == 1, [str(w.message) for w in caught]
    assert caught[0].filename == __file__
    text = str(caught[0].message)
    assert text.startswith(type(model).__name__) and text.endswith(f"(status_ = {model.status_!r})")
    return model, caught[0]


def constant(cls: type[Family]) -> np.ndarray:
    """Return ten equal observations of a family, away from the ends of its support where it can be."""
    value = 2.0 if cls.support.whole and cls is not Bernoulli else 0.5
    return np.full(10, 1.0 if cls is Bernoulli else value)


CONSTANT = {
    "normal": "no_maximum", "lognormal": "no_maximum", "laplace": "no_maximum", "logistic": "no_maximum", "student_t": "no_maximum",
    "gamma": "no_maximum", "weibull": "no_maximum", "beta": "no_maximum", "inverse_gaussian": "no_maximum", "uniform": "no_maximum",
    "exponential": "interior", "poisson": "interior", "negative_binomial": "boundary", "geometric": "interior", "bernoulli": "boundary",
    "categorical": "interior",
}  # fmt: skip


def test_every_family_of_one_column_is_tried_on_constant_data():
    assert set(CONSTANT) == {own_name(cls) for cls in all_families() if cls.columns == 1}


@pytest.mark.parametrize("cls", [cls for cls in all_families() if cls.columns == 1], ids=own_name)
def test_constant_data_have_no_maximum_where_a_scale_runs_to_zero(cls):
    y, status = constant(cls), CONSTANT[own_name(cls)]
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
        5.0 if status == "no_maximum" else -2.0
    )


@pytest.mark.parametrize(
    "cls",
    [cls for cls in all_families() if cls.columns == 1 and cls.regular and cls.numeric],
    ids=own_name,
)
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_constant_response_has_no_maximum_either(cls, alpha):
    y, status = constant(cls), CONSTANT[own_name(cls)]
    model = MLERegressor(cls, alpha=alpha)
    if status == "interior":
        model.fit(X[:10], y)
        assert model.status_ == status
    elif (
        cls is Bernoulli
    ):  # the intercept alone runs to infinity, which a penalty of the slopes does not hinder
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
    with pytest.raises(ValueError, match="no covariance, because status_ = 'no_maximum'"):
        model.inference()
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
    assert "'age', 'time'" in str(warning.message)
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
    # A penalty gives the classifier a maximum; a count of every row's own has one, where the fit is the data.
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


# ---------------------------------------------------------------- whatever comes


# Numbers whose squares and quotients are numbers still.
cells = st.one_of(
    st.floats(-1e70, 1e70),
    st.integers(-3, 9).map(float),
    st.sampled_from([0.5, 1e-70, 1e70, np.nan, np.inf]),
)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    data=st.lists(st.tuples(cells, cells), min_size=2, max_size=12),
    family=st.sampled_from(
        [own_name(cls) for cls in all_families() if cls.columns == 1 and cls.numeric]
    ),
)
def test_any_numbers_give_a_fit_or_an_error_that_says_why(data, family):
    numbers = np.array(data)
    for model, args in (
        (MLEDistribution(family), (numbers,)),
        (MLERegressor(family), (numbers[:, :1], numbers[:, 1])),
    ):
        if family == "uniform" and len(args) == 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", FitWarning)
            try:
                model.fit(*args)
            except ValueError as refused:
                assert re.search(r"NaN|outside the support", str(refused)), refused
                assert not set(vars(model)) - set(model.get_params()) - {"n_features_in_"}
            else:
                assert model.status_ in (
                    "interior",
                    "boundary",
                    "non_regular",
                    "no_maximum",
                    "not_converged",
                )
                assert not np.isnan(model.log_likelihood_)
