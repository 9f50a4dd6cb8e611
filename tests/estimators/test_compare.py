"""`skmle.compare`: the table, its errors, and what is not to be compared."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, compare, families
from skmle.metrics import log_likelihood_scorer

FOLDS = KFold(4, shuffle=True, random_state=3)


@pytest.fixture
def regression():
    return load_diabetes(return_X_y=True)


@pytest.fixture
def labels():
    return load_iris(return_X_y=True)


REGRESSIONS = {
    "normal": MLERegressor(),
    "gamma": MLERegressor("gamma"),
    "ridge": make_pipeline(StandardScaler(), BayesianRidge()),
}


def test_it_is_the_score_of_cross_validation(regression):
    found = compare(REGRESSIONS, *regression, cv=FOLDS)
    for name, value in zip(found.names, found.log_likelihoods, strict=True):
        scores = cross_val_score(
            REGRESSIONS[name], *regression, cv=FOLDS, scoring=log_likelihood_scorer
        )
        sizes = [len(test) for _, test in FOLDS.split(regression[0])]
        assert value == pytest.approx(np.average(scores, weights=sizes), rel=1e-12)


def test_differences_are_paired(regression):
    found = compare(REGRESSIONS, *regression)
    assert found.names[0] == "gamma"
    assert (np.diff(found.log_likelihoods) <= 0.0).all()
    assert found.differences[0] == 0.0 and np.isnan(found.standard_errors[0])
    assert sorted(found.rows) == list(range(442))
    for values, difference, error in zip(
        found.log_probs[1:], found.differences[1:], found.standard_errors[1:], strict=True
    ):
        loss = found.log_probs[0] - values
        assert difference == pytest.approx(loss.mean(), rel=1e-9)
        assert error == pytest.approx(stats.sem(loss), rel=1e-9)
        assert error < stats.sem(values)


def test_criteria(regression):
    X, y = regression
    found = compare(REGRESSIONS, X, y).tidy().set_index("model")
    for name in ("normal", "gamma"):
        model = REGRESSIONS[name].fit(X, y)
        row, k, n = found.loc[name], model.n_parameters_, len(y)
        assert row["aic"] == pytest.approx(model.aic(), rel=1e-12)
        assert row["bic"] == pytest.approx(model.bic(), rel=1e-12)
        assert row["aicc"] == pytest.approx(model.aic() + 2 * k * (k + 1) / (n - k - 1), rel=1e-12)
    assert found.loc["ridge"][["aic", "aicc", "bic", "weight"]].isna().all()
    odds = np.exp(0.5 * (found["aic"]["gamma"] - found["aic"]["normal"]))
    assert found["weight"]["normal"] / found["weight"]["gamma"] == pytest.approx(odds, rel=1e-9)
    assert found["weight"].sum() == pytest.approx(1.0, rel=1e-12)
    assert compare(REGRESSIONS, X, y, criteria=False).criteria == {}


@pytest.mark.slow
def test_fits_without_criteria_have_none(labels):
    models = {
        "weighted": CrossEntropyClassifier(alpha=0.1, class_weight="balanced"),
        "searched": GridSearchCV(CrossEntropyClassifier(), {"alpha": [0.1, 0.2]}, cv=2),
        "forest": RandomForestClassifier(10, min_samples_leaf=5, random_state=0),
        "plain": CrossEntropyClassifier(alpha=0.1),
    }
    found = compare(models, *labels)
    assert np.isnan(found.criteria["aic"]).sum() == 3
    assert np.nansum(found.criteria["weight"]) == 1.0


@pytest.mark.slow
def test_densities():
    X = load_iris().data
    models = [GaussianMixture(1), MLEDistribution("multivariate_normal"), MLEDistribution("normal")]
    found = compare(models, X)
    assert set(found.names) == {
        "GaussianMixture",
        "MLEDistribution(multivariate_normal)",
        "MLEDistribution(normal)",
    }
    one, two = (found.names.index(name) for name in ("GaussianMixture", found.names[1]))
    # scikit-learn adds 1e-6 to the variances.
    np.testing.assert_allclose(found.log_likelihoods[0], found.log_likelihoods[1], rtol=1e-3)
    np.testing.assert_allclose(found.criteria["aic"][0], found.criteria["aic"][1], rtol=1e-3)
    assert one != two
    assert compare(models, X, load_iris().target).names == found.names  # y is no matter


@pytest.mark.slow
def test_families_are_their_models(regression):
    y = regression[1]
    for names in (["gamma", "normal"], [families.Gamma, families.Normal()], "gamma"):
        given = [names] if isinstance(names, str) else names
        for model, args in ((MLEDistribution, (y[:, None],)), (MLERegressor, regression)):
            found = compare(names, *args, criteria=False)
            expected = compare([model(name) for name in given], *args, criteria=False)
            np.testing.assert_array_equal(found.log_probs, expected.log_probs)
    assert compare({"a": "gamma"}, y, criteria=False).names == ["a"]
    assert compare(["gamma", "normal"], y, criteria=False).names == ["gamma", "normal"]


def test_labels_beside_densities_are_refused_before_a_fit(regression):
    models = {"numbers": MLERegressor(), "labels": make_pipeline(CrossEntropyClassifier())}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fit of so many classes would warn
        with pytest.raises(ValueError, match="numbers gives densities of .* Compare them apart"):
            compare(models, *regression)


def test_equal_models_are_equal(labels):
    found = compare([CrossEntropyClassifier(alpha=0.1)] * 2, *labels, std_error="folds")
    assert found.names == ["CrossEntropyClassifier", "CrossEntropyClassifier #2"]
    assert found.differences[1] == found.standard_errors[1] == 0.0


@pytest.mark.slow
def test_an_impossible_row_loses_all(labels):
    models = {"sure": RandomForestClassifier(5, random_state=0), "less": LogisticRegression(C=0.1)}
    found = compare(models, *labels)
    assert found.names == ["less", "sure"]
    assert found.log_likelihoods[1] == -np.inf and found.differences[1] == np.inf
    assert np.isnan(found.standard_errors[1])


def test_masses_beside_densities_of_whole_numbers(rng):
    X = rng.normal(size=(80, 1))
    y = rng.poisson(np.exp(1.0 + 0.3 * X[:, 0])).astype(float)
    found = compare([MLERegressor("poisson"), MLERegressor("normal")], X, y)
    assert found.names[0] == "MLERegressor(poisson)"
    binary = (y > 2.0).astype(int)
    both = compare({"a": CrossEntropyClassifier(), "b": MLERegressor("bernoulli")}, X, binary)
    assert both.differences[1] == pytest.approx(0.0, abs=1e-9)


def test_it_prints_and_escapes(regression):
    found = compare({"<b>one</b>": MLERegressor(), "two\n": MLERegressor("gamma")}, *regression)
    assert "Log-likelihood of y given X, nats per row\n442 rows held out by 5 folds" in repr(found)
    assert r"'two\n'" in repr(found)
    assert "<b>" not in found._repr_html_()
    columns = ["model", "log_likelihood", "difference", "std_error", "aic", "aicc", "bic", "tic"]
    columns.append("weight")
    assert list(found.tidy()) == columns
    assert isinstance(found.tidy(), pd.DataFrame)


# ---------------------------------------------------------------- weights


@pytest.mark.slow
def test_a_weight_is_so_many_rows(regression, rng):
    """Where the repeats of a row are in the same fold."""
    X, y = (part[:120] for part in regression)
    weight = rng.integers(0, 4, 120)
    models = {name: REGRESSIONS[name] for name in ("normal", "gamma")}
    last = np.arange(120) > 80
    folds = [(~last, last), (last, ~last)]
    many = [np.repeat(part, weight, axis=0) for part in (X, y, last)]
    found = compare(models, X, y, weight, cv=folds)
    known = compare(models, *many[:2], cv=[(~many[2], many[2]), (many[2], ~many[2])])
    assert found.names == known.names
    for name in ("log_likelihoods", "differences", "standard_errors"):
        np.testing.assert_allclose(getattr(found, name), getattr(known, name), rtol=1e-6)
    for name, values in known.criteria.items():
        np.testing.assert_allclose(found.criteria[name], values, rtol=1e-6)
    pair = (
        dict(cv=folds, std_error="folds"),
        dict(cv=[(~many[2], many[2]), (many[2], ~many[2])], std_error="folds"),
    )
    found = compare(models, X, y, weight, criteria=False, **pair[0])
    known = compare(models, *many[:2], criteria=False, **pair[1])
    np.testing.assert_allclose(found.standard_errors, known.standard_errors, rtol=1e-6)


@pytest.mark.slow
def test_weights_reach_the_last_step_and_are_refused_where_none_is_taken(labels):
    X, y = labels
    weight = np.where(np.arange(150) % 5 == 0, 0.0, 1.0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), CrossEntropyClassifier()),
        {"crossentropyclassifier__alpha": [0.1, 0.2]},
        cv=2,
    )
    found = compare({"searched": search}, X, y, weight, criteria=False)
    assert np.isfinite(found.log_likelihoods).all()
    with pytest.raises(TypeError, match="sample_weight was given, but KNeighborsClassifier takes"):
        compare([KNeighborsClassifier()], X, y, weight)
    with pytest.raises(ValueError, match="sample_weight"):
        compare([CrossEntropyClassifier()], X, y, weight[:5])


# ---------------------------------------------------------------- what is not to be compared

LABELS_AND_DENSITY = {"a": LogisticRegression(), "b": MLERegressor()}
SCALED = {"a": make_pipeline(StandardScaler(), GaussianMixture()), "b": GaussianMixture()}
KINDS = {"a": MLERegressor(), "b": MLEDistribution()}
FROZEN = {"a": FrozenEstimator(MLERegressor())}


@pytest.mark.parametrize(
    "models, message",
    [
        (LABELS_AND_DENSITY, "of a gives probabilities of labels, that of b gives densities of"),
        (SCALED, r"of a is of rows transformed by StandardScaler\(\), that of b .* by nothing"),
        (KINDS, "a is a model of y given X, and b a density of X.* Compare them apart"),
        (FROZEN, "MLERegressor is frozen: .* Give the model without FrozenEstimator"),
        ({}, "no models were given. Allowed: "),
    ],
    ids=["scales", "transformers", "kinds", "frozen", "none"],
)
def test_models_that_are_not_alike(labels, models, message):
    with pytest.raises(ValueError, match=message):
        compare(models, *labels)


@pytest.mark.filterwarnings("ignore:.*the angles run:skmle.exceptions.ScaleWarning")
def test_laws_of_angles_beside_laws_of_a_line(rng):
    models = ["normal", "von_mises"]
    with pytest.raises(ValueError, match="of normal is of numbers on a line, that of von_mises is"):
        compare(models, rng.gamma(2.0, 3.0, 200))
    assert compare(models, rng.vonmises(0.5, 2.0, 200)).names[0] == "von_mises"


@pytest.mark.filterwarnings("ignore:.*of y not whole:skmle.exceptions.ScaleWarning")
def test_densities_of_fractions_beside_masses(rng):
    X, y = rng.normal(size=(40, 1)), rng.poisson(3.0, 40) + 0.5
    with pytest.raises(ValueError, match="masses of numbers, that of b gives densities"):
        compare({"a": MLERegressor("poisson"), "b": MLERegressor()}, X, y)


def test_a_transformed_target_has_no_jacobian(regression):
    hidden = TransformedTargetRegressor(BayesianRidge(), func=np.log, inverse_func=np.exp)
    with pytest.raises(TypeError, match="Jacobian"):
        compare([hidden, MLERegressor()], *regression)


def test_models_without_a_law_or_y(regression):
    with pytest.raises(TypeError, match="does not tell the law"):
        compare([LinearRegression()], *regression)
    with pytest.raises(ValueError, match="y is missing, and MLERegressor.* Give y"):
        compare([MLERegressor()], regression[0])
    with pytest.raises(ValueError, match="std_error='x' is not allowed"):
        compare([MLERegressor()], *regression, std_error="x")


def test_rows_that_a_step_drops(labels):
    dropping = FunctionTransformer(lambda X: X[1:])
    with pytest.raises(ValueError, match="log-probabilities of 30 rows. Allowed: one a row"):
        compare([make_pipeline(dropping, GaussianMixture())], labels[0])


def test_masks_are_folds(regression):
    last = np.arange(442) > 300
    found = compare(REGRESSIONS, *regression, cv=[(~last, last)], criteria=False)
    assert found.log_probs.shape == (3, 141)
    folds = compare(REGRESSIONS, *regression, cv=[(~last, last)], criteria=False, std_error="folds")
    assert np.isfinite(found.standard_errors[1:]).all() and np.isnan(folds.standard_errors).all()


def test_it_is_public():
    assert skmle.compare is compare
