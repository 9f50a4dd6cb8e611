"""Standard errors, intervals and tests.

Against references and formulas; and the table that people read.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.families import Family
from skmle.inference import Inference
from skmle.inference.assemble import centred_covariance
from skmle.inference.numbers import aligned, number_row, p_value, statistic
from skmle.inference.wald import standard_errors
from tests.subjects import FAMILIES, as_columns, every_class, observations

pytestmark = pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")

REFERENCE = Path(__file__).parents[1] / "reference"


def draws(cls: type[Family], n: int = 300) -> np.ndarray:
    """Return observations of a typical law of a family."""
    return as_columns(observations(cls, n))


def gamma_sample() -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 3.0, size=(500, 1))


# ---------------------------------------------------------------- references


def test_gamma_of_user_task_1():
    result = MLEDistribution("gamma").fit(gamma_sample()).inference()
    assert list(result.terms) == ["mean", "shape"]
    mean, shape = result.estimates
    assert (round(shape, 4), round(result.standard_errors[1], 4)) == (2.2184, 0.1311)
    jacobian = np.array([1.0 / shape, -mean / shape**2])  # of the scale, mean/shape
    error = np.sqrt(jacobian @ result.covariance @ jacobian)
    assert (round(mean / shape, 4), round(float(error), 4)) == (2.5594, 0.1697)


def test_logistic_regression_of_spector():
    case = json.loads((REFERENCE / "spector_logit.json").read_text())
    data = {name: np.asarray(values) for name, values in case["data"].get("columns", {}).items()}
    if not data:
        import importlib

        source = case["data"]
        loaded = getattr(importlib.import_module(source["module"]), source["call"])(
            **source.get("kwargs", {})
        )
        data = {
            name: (getattr(loaded, source["attr"]) if "attr" in source else loaded)[name].to_numpy()
            for name in case_columns(case)
        }
    names = [
        name.split(":")[1] for name in case["polished"]["params"] if not name.endswith("const")
    ]
    model = CrossEntropyClassifier().fit(
        np.column_stack([data[name] for name in names]), data[case["model"]["response"]["column"]]
    )
    expected = [case["polished"]["bse_observed"][f"p:{name}"] for name in [*names, "const"]]
    np.testing.assert_allclose(model.inference().standard_errors, expected, rtol=1e-6)


def case_columns(case: dict) -> list[str]:
    terms = [
        term
        for spec in case["model"]["parameters"].values()
        for term in spec["terms"]
        if term != "const"
    ]
    return [*terms, case["model"]["response"]["column"]]


def test_normal_regression_is_least_squares():
    X, y = load_diabetes(return_X_y=True)
    model = MLERegressor("normal").fit(X, y)
    result, design = model.inference(), np.column_stack([X, np.ones(len(y))])
    scale = model.params_["scale"]
    expected = scale**2 * np.linalg.inv(design.T @ design)
    np.testing.assert_allclose(
        result.covariance[:-1, :-1], expected, rtol=1e-6, atol=1e-9 * expected.max()
    )
    assert result.estimates[-1] == pytest.approx(scale, rel=1e-12)
    assert result.standard_errors[-1] == pytest.approx(scale / np.sqrt(2 * len(y)), rel=1e-7)
    z = result.estimates / result.standard_errors
    np.testing.assert_allclose(result.statistic[:-1], z[:-1])
    np.testing.assert_allclose(result.p_value[:-1], 2 * ndtr(-np.abs(z[:-1])))
    assert np.isnan(result.statistic[-1]) and np.isnan(result.p_value[-1])


# ---------------------------------------------------------------- every family


@every_class(lambda cls: not cls.cusps)  # the errors of those are left out
def test_covariance_is_positive_definite(cls):
    model = MLEDistribution(cls).fit(draws(cls))
    if not cls.support.smooth:
        with pytest.raises(
            ValueError, match="no covariance, because status_ = 'non_regular'.*Draw samples of"
        ):
            model.inference()
        return
    covariance = model.inference().covariance
    np.testing.assert_array_equal(covariance, covariance.T)
    size = np.sqrt(np.diag(covariance))
    values = np.linalg.eigvalsh(covariance / np.outer(size, size))
    # Probabilities that sum to one, say, are one more than their coordinates.
    spare = len(values) - len(model.distribution_.family.parameters)
    assert (values[spare:] > 1e-9).all() and (values > -1e-9).all()


@every_class(lambda cls: not cls.cusps)
def test_delta_method_is_that_of_finite_differences(cls):
    model = MLEDistribution(cls).fit(draws(cls))
    if not cls.support.smooth:
        return
    (fit,) = model._fits
    family, eta, covariance = fit.family, np.array([e for _, e in fit.coefs]), fit.covariance

    def natural(e):
        flat = [
            t if np.ndim(t) < 2 else t[np.tril_indices(len(t))]
            for t in map(np.asarray, family.natural(tuple(np.asarray(v) for v in e)))
        ]
        return np.concatenate([np.ravel(t) for t in flat])

    h = 1e-5
    jacobian = np.array(
        [(natural(eta + h * unit) - natural(eta - h * unit)) / (2 * h) for unit in np.eye(len(eta))]
    ).T
    expected = jacobian @ covariance @ jacobian.T
    result = model.inference()
    np.testing.assert_allclose(
        result.covariance, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max()
    )
    low, high = result.confidence_intervals().T
    assert ((low < result.estimates) & (result.estimates < high)).all()


@every_class()
def test_weights_are_repeated_rows(cls):
    X = draws(cls)
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    weighted = MLEDistribution(cls).fit(X, sample_weight=weight)
    repeated = MLEDistribution(cls).fit(np.repeat(X, weight, axis=0))
    if cls.support.smooth and not cls.cusps:
        np.testing.assert_allclose(
            weighted.inference().covariance, repeated.inference().covariance, rtol=1e-7, atol=1e-12
        )
    assert f"300 observations of total weight {weight.sum()}, status" in str(weighted.summary())
    assert f"{weight.sum()} observations, status" in str(repeated.summary())


@every_class()
def test_criteria(cls):
    model = MLEDistribution(cls).fit(draws(cls))
    k, n = model.n_parameters_, len(draws(cls))
    assert model.aic() == pytest.approx(2 * k - 2 * model.log_likelihood_)
    assert model.bic() == pytest.approx(k * np.log(n) - 2 * model.log_likelihood_)
    assert f"AIC {model.aic():.2f}, BIC {model.bic():.2f}" in str(model.summary())


@pytest.mark.parametrize("family", ["gamma", "poisson"])
@pytest.mark.slow
def test_intervals_cover(family):
    rng, runs, hits = np.random.default_rng(7), 400, 0
    for _ in range(runs):
        y = rng.gamma(2.0, 2.0, (200, 1)) if family == "gamma" else rng.poisson(4.0, (200, 1))
        low, high = MLEDistribution(family).fit(y).inference().confidence_intervals(0.9)[0]
        hits += low < 4.0 < high
    assert abs(hits / runs - 0.9) < 4 * np.sqrt(0.09 / runs)


# ---------------------------------------------------------------- what is shown


def test_constant_parameters_are_on_their_own_scale():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = MLERegressor("gamma", features={"shape": ["bmi"], "mean": "none"}).fit(X, y)
    result = model.inference()
    assert list(zip(result.components, result.terms, strict=True)) == [
        ("shape (link log)", "bmi"),
        ("shape (link log)", "intercept"),
        ("constant parameters", "mean"),
    ]
    assert result.estimates[2] == pytest.approx(model.params_["mean"])
    jacobian = np.zeros((3, 3))
    jacobian[0, 1] = jacobian[1, 2] = 1.0
    jacobian[2, 0] = model.params_["mean"]
    np.testing.assert_allclose(
        result.covariance, jacobian @ model._covariances[0] @ jacobian.T, rtol=1e-12
    )
    reach = 1.959963984540054 * np.sqrt(model._covariances[0][0, 0])
    np.testing.assert_allclose(
        result.confidence_intervals()[2], model.params_["mean"] * np.exp([-reach, reach]), rtol=1e-9
    )
    assert list(np.isnan(result.p_value)) == [False, False, True]


def test_columns_of_a_multivariate_law_have_their_names():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    result = MLEDistribution("multivariate_normal").fit(frame).inference()
    assert list(result.terms) == [
        "mean[a]",
        "mean[b]",
        "covariance[a,a]",
        "covariance[b,a]",
        "covariance[b,b]",
    ]
    assert list(np.isnan(result.statistic)) == [False, False, True, False, True]


def test_tidy_has_the_rows_of_the_table():
    tidy = MLEDistribution("gamma").fit(gamma_sample()).inference().tidy()
    assert list(tidy.columns) == [
        "component",
        "term",
        "estimate",
        "std_error",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
    ]
    assert list(tidy.term) == ["mean", "shape"]


def test_results_can_be_pickled():
    result = MLEDistribution("gamma").fit(gamma_sample()).inference()
    assert str(pickle.loads(pickle.dumps(result)).summary(0.8)) == str(result.summary(0.8))


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ((0.38107, 0.05766, 0.268, 0.4941), ["0.381", "0.058", "0.268", "0.494"]),
        ((146.77, 19.22, 109.09, 184.44), ["147", "19", "109", "184"]),
        ((5.0, 0.0996, 4.8, 5.2), ["5.00", "0.10", "4.80", "5.20"]),
        ((-0.0001, 0.12, -0.2, 0.2), ["0.00", "0.12", "-0.20", "0.20"]),
        ((2.5e7, 1.2e5, 2.4e7, 2.6e7), ["2.500e+07", "1.2e+05", "2.400e+07", "2.600e+07"]),
        ((3e-7, 1.2e-7, 1e-7, 5e-7), ["3.0e-07", "1.2e-07", "1.0e-07", "5.0e-07"]),
        ((25.5251, np.nan, np.nan, np.nan), ["25.525", "nan", "nan", "nan"]),
        ((np.inf, np.nan, 0.0, 0.0), ["inf", "nan", "0", "0"]),
        ((0.7, 1.8, 0.0048, 101.6), ["0.7", "1.8", "0.0048", "101.6"]),
        ((-5.0, 2.4, -9.7, -0.003), ["-5.0", "2.4", "-9.7", "-0.0030"]),
        ((-5.0, 2.4, -9.7, 0.003), ["-5.0", "2.4", "-9.7", "0.0"]),
        ((1.4e-8, 4.3e-8, 4e-11, 5.1e-6), ["1.4e-08", "4.3e-08", "4.0e-11", "5.100e-06"]),
        ((0.7, 1.8, 4e-13, 12.0), ["0.7", "1.8", "4.0e-13", "12.0"]),
    ],
)
def test_digits_follow_the_standard_error(numbers, written):
    assert number_row(*numbers) == written


def test_small_p_values_are_never_zero():
    assert [p_value(p) for p in (0.0, 1e-17, 3.9e-11, 0.0002, 0.02, 1.0, np.nan)] == [
        "<1e-16",
        "<1e-16",
        "3.90e-11",
        "0.000200",
        "0.0200",
        "1.00",
        "",
    ]
    assert [statistic(z) for z in (1.234, -1e7, np.nan)] == ["1.23", "-1.00e+07", ""]
    assert aligned(["1.25", "10", ""]) == ["1.25", "10   ", ""]


@pytest.mark.parametrize(
    ("labels", "name"),
    [((0, 1), "class 1"), (("benign", "malignant"), "malignant"), ((False, True), "class True")],
)
def test_header_names_the_class(labels, name):
    X, y = load_iris(return_X_y=True)
    text = str(
        CrossEntropyClassifier(alpha=0.1).fit(X, np.asarray(labels)[(y == 1).astype(int)]).summary()
    )
    assert text.splitlines()[0] == f"Binary cross-entropy classifier, log-odds of {name}"
    assert "posterior" in text and "link" not in text


def test_titles_are_words():
    titles = {cls.__name__: cls().title for cls in FAMILIES}
    assert titles["NegativeBinomial"] == "Negative binomial" and titles["StudentT"] == "Student t"
    assert titles["InverseGaussian"] == "Inverse Gaussian" and titles["Gamma"] == "Gamma"


def test_tables_fit_a_terminal():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    for model in (
        MLERegressor("gamma").fit(X, y),
        MLEDistribution().fit(X),
        CrossEntropyClassifier(alpha=0.1).fit(X, y > 100),
    ):
        assert max(map(len, str(model.summary()).splitlines())) <= 80


def test_aliased_columns_of_several_classes_lose_only_their_own_errors():
    X, y = load_iris(return_X_y=True)
    result = (
        CrossEntropyClassifier(alpha=0.0)
        .fit(np.column_stack([X[:, 1], X[:, 1] * 2, X[:, 0]])[y < 9], np.arange(150) % 3)
        .inference()
    )
    assert list(np.isnan(result.standard_errors)) == 3 * [
        True,
        True,
        False,
        *([bool(np.isnan(result.standard_errors[3]))]),
    ]
    assert np.isfinite(centred_covariance(np.eye(4), 3)).all()


# ---------------------------------------------------------------- no covariance

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
WITHOUT = {
    "non_regular": (
        lambda: MLEDistribution("uniform").fit(gamma_sample()),
        "Draw samples of the fit",
    ),
    "no_maximum": (lambda: CrossEntropyClassifier().fit(X_IRIS, Y_IRIS == 0), "Mend the fit"),
    "constant": (lambda: MLEDistribution("normal").fit(np.ones((9, 1))), "Mend the fit"),
    "flat": (lambda: MLEDistribution("multivariate_normal").fit(np.ones((9, 2))), "Mend the fit"),
    "one column of two": (
        lambda: MLEDistribution("normal").fit(np.c_[np.ones(9), np.arange(9.0)]),
        "Mend the fit",
    ),
    "not_converged": (
        lambda: CrossEntropyClassifier(max_iter=1).fit(X_IRIS[50:], Y_IRIS[50:]),
        "Mend the fit",
    ),
    "not stored": (
        lambda: MLEDistribution("gamma", store_information=False).fit(gamma_sample()),
        "Set store_information=True",
    ),
    "classes": (
        lambda: CrossEntropyClassifier(store_information=False, alpha=0.1).fit(X_IRIS, Y_IRIS),
        "Set store_information=True",
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_summary_says_why_there_are_no_errors_and_inference_raises(name):
    make, mend = WITHOUT[name]
    model = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text, page = str(model.summary()), model.summary()._repr_html_()
    flat = " ".join(text.split())
    assert "No standard errors: " in flat and mend in flat and mend in page
    assert "nan" not in text and model.status_ in text
    with pytest.raises(
        ValueError, match=rf"^{type(model).__name__}: no covariance, because .*Allowed: .*{mend}"
    ):
        model.inference()


def test_boundary_shows_the_limit():
    rng = np.random.default_rng(0)
    y = rng.binomial(10, 0.5, 200).astype(float)
    for model in (
        MLEDistribution("negative_binomial").fit(y[:, None]),
        MLERegressor("negative_binomial").fit(rng.normal(size=(200, 1)), y),
    ):
        assert "status boundary (dispersion = 0)" in str(model.summary())
        assert np.isfinite(model.inference().standard_errors).all()


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_that_is_none_is_an_error(level):
    with pytest.raises(
        ValueError, match="confidence_level=.* is not allowed. Allowed: numbers between 0 and 1"
    ):
        MLEDistribution().fit(gamma_sample()).summary(level)


# ---------------------------------------------------------------- HTML


class Balanced(HTMLParser):
    """Follows tags and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_balanced_and_escaped():
    frame = pd.DataFrame({"<b>&": X_IRIS[:, 0], "y": X_IRIS[:, 1]})
    page = MLERegressor("gamma").fit(frame, X_IRIS[:, 2]).summary()._repr_html_()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open and "&lt;b&gt;&amp;" in page and "<b>" not in page
    assert re.search(r'<th scope="rowgroup"[^>]*>constant parameters</th>', page)


def test_results_of_arrays_alone():
    result = Inference(["", ""], ["a", "b"], np.array([1.0, 2.0]), np.diag([0.25, 1.0]))
    np.testing.assert_allclose(
        result.confidence_intervals(), [[0.02, 1.98], [0.04, 3.96]], atol=1e-3
    )
    np.testing.assert_allclose(result.statistic, [2.0, 2.0])


# ---------------------------------------------------------------- intercepts beside aliased columns

DIM = np.random.default_rng(1).normal([3.0, 0.0], size=(200, 2))
GROUPS = np.eye(3)[np.arange(200) % 3]
BESIDE = {
    "twice another": (np.column_stack([DIM, 2.0 * DIM[:, 0]]), True),
    "the others' sum": (np.column_stack([DIM, DIM.sum(axis=1)]), True),
    "zero": (np.column_stack([DIM, np.zeros(200)]), True),
    "twice another and one": (np.column_stack([DIM, 2.0 * DIM[:, 0] + 1.0]), False),
    "one": (np.column_stack([DIM, np.ones(200)]), False),
    "a full one-hot": (np.column_stack([DIM, GROUPS]), False),
    "both": (np.column_stack([DIM, 2.0 * DIM[:, 0], GROUPS]), False),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize(
    "model",
    [MLERegressor("poisson"), MLERegressor(), CrossEntropyClassifier()],
    ids=str,
)
def test_an_intercept_has_an_error_where_the_data_determine_it(model, name):
    X, determined = BESIDE[name]
    y = (np.random.default_rng(2).poisson(np.exp(0.3 * DIM[:, 1])) > 0).astype(int)
    found = clone(model).fit(X, y)
    place = found.inference().terms.index("intercept")
    error = found.inference().standard_errors[place]
    assert np.isfinite(error) == determined
    text = " ".join(str(found.summary()).split())
    assert ("set fit_intercept=False" in text) != determined
    if determined:
        plain = clone(model).fit(DIM, y).inference()
        np.testing.assert_allclose(
            error, plain.standard_errors[plain.terms.index("intercept")], rtol=1e-5
        )


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp == 1024, reason="no numbers beyond doubles here")
def test_an_error_beyond_the_numbers_is_infinite_without_a_warning():
    """Columns of 1e-300 may have coefficients whose variance no double holds, nor its root."""
    with np.errstate(all="raise"):
        errors = standard_errors(np.array([[np.longdouble("1e700"), 0.0], [0.0, 4.0]]))
    np.testing.assert_array_equal(errors, [np.inf, 2.0])
