"""The log-likelihood as a score: every classifier, density and regressor of scikit-learn, and skmle's, on one scale."""

from __future__ import annotations

import inspect
import pickle
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EmpiricalCovariance
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import (
    BayesianRidge,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
)
from sklearn.metrics import log_loss
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators, get_tags

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import ScoreWarning
from skmle.information import empirical_cross_entropy
from skmle.metrics import LogLikelihoodScorer, log_likelihood_score, log_likelihood_scorer

EXACT = dict(rtol=1e-12, atol=1e-12)  # two roads to one number: rounding only


# ---------------------------------------------------------------- subjects: all of scikit-learn's estimators, discovered


def construct(cls: type) -> Any:
    """Return an estimator of the class, with the inner ones that it may need."""
    required = [
        p
        for p in inspect.signature(cls).parameters.values()
        if p.name in ("estimator", "estimators", "final_estimator")
    ]
    inner = LinearRegression() if issubclass(cls, RegressorMixin) else GaussianNB()
    with warnings.catch_warnings(
        action="ignore", category=FutureWarning
    ):  # the class is deprecated
        return cls(
            **{p.name: [("inner", inner)] if p.name == "estimators" else inner for p in required}
        )


def found(kind: str) -> dict[str, Any]:
    return {name: construct(cls) for name, cls in all_estimators(type_filter=kind)}


FEW = {"max_iter": 20, "n_estimators": 20, "cv": 2, "Cs": 2}  # for speed


def quietly(estimator: Any, *data: Any, **params: Any) -> Any:
    """Return a fitted clone, whatever it warns of: the data are small, the defaults what they are."""
    with warnings.catch_warnings(action="ignore"):
        few = {
            name: number for name, number in FEW.items() if name in estimator.get_params(deep=False)
        }
        return clone(estimator).set_params(**few, **params).fit(*data)


CLASSIFIERS = found("classifier")
MULTI_OUTPUT = [
    name
    for name, estimator in CLASSIFIERS.items()
    if not get_tags(estimator).target_tags.single_output
]
SAYS_PROBABILITIES = [
    name
    for name, e in CLASSIFIERS.items()
    if name not in MULTI_OUTPUT and hasattr(e, "predict_proba")
]
SAYS_LABELS_ONLY = [
    name for name in CLASSIFIERS if name not in SAYS_PROBABILITIES and name not in MULTI_OUTPUT
]

REGRESSORS = found("regressor")
SAYS_ITS_LAW = [
    name
    for name, e in REGRESSORS.items()
    if name == "PoissonRegressor" or "return_std" in inspect.signature(type(e).predict).parameters
]
SAYS_A_NUMBER_ONLY = [name for name in REGRESSORS if name not in SAYS_ITS_LAW]

SAMPLES = {
    name: cls
    for name, cls in all_estimators()
    if hasattr(cls, "score_samples") and "estimator" not in inspect.signature(cls).parameters
}
# Their score_samples is something else, by their documentation: depths, distances, a pseudo-likelihood.
NO_DENSITY = [
    "BernoulliRBM",
    "IsolationForest",
    "LocalOutlierFactor",
    "OneClassSVM",
    "SGDOneClassSVM",
]
COVARIANCES = {name: cls for name, cls in all_estimators() if issubclass(cls, EmpiricalCovariance)}
DENSITIES = [name for name in SAMPLES if name not in [*NO_DENSITY, *COVARIANCES, "Pipeline"]]


@pytest.fixture
def counts(rng) -> tuple[np.ndarray, np.ndarray]:
    """Counts, which every classifier takes as features, and string labels that overlap."""
    y = np.repeat(np.array(["a", "b", "c"], object), 30)
    return rng.poisson(np.array([3.0, 4.0, 6.0]).repeat(30)[:, None], size=(90, 4)).astype(float), y


@pytest.fixture
def line(rng) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(60, 2))
    return X, rng.poisson(np.exp(0.5 + 0.5 * X[:, 0])).astype(float)


# ---------------------------------------------------------------- classifiers


@pytest.mark.parametrize("name", SAYS_PROBABILITIES)
def test_score_of_a_classifier_is_minus_its_log_loss(name, counts):
    X, y = counts
    if not get_tags(CLASSIFIERS[name]).classifier_tags.multi_class:
        X, y = X[:60], y[:60]
    model = quietly(CLASSIFIERS[name], X, y)
    proba = model.predict_proba(X)
    own = proba[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    seen = own > 1e-15  # log_loss clips smaller ones
    weight = np.random.default_rng(0).integers(1, 4, seen.sum())
    assert seen.any()
    np.testing.assert_allclose(
        log_likelihood_score(model, X[seen], y[seen], weight),
        -log_loss(y[seen], proba[seen], sample_weight=weight, labels=model.classes_),
        **EXACT,
    )


@pytest.mark.parametrize("name", SAYS_LABELS_ONLY + SAYS_A_NUMBER_ONLY + NO_DENSITY)
def test_who_does_not_tell_a_law_is_refused_in_four_parts(name):
    model = (CLASSIFIERS | REGRESSORS)[name] if name not in NO_DENSITY else SAMPLES[name]()
    with pytest.raises(TypeError, match=rf"^{name}.*law.*Allowed: .*Use MLERegressor"):
        log_likelihood_score(model, np.zeros((3, 2)), np.zeros(3))


@pytest.mark.parametrize("name", MULTI_OUTPUT)
def test_several_labels_a_row_are_refused(name):
    with pytest.raises(ValueError, match=r"y has shape \(3, 2\). Allowed: \(n,\)"):
        log_likelihood_score(CLASSIFIERS[name], np.zeros((3, 2)), np.zeros((3, 2)))


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(alpha=0.01),
        CrossEntropyClassifier(link="probit"),
        CrossEntropyClassifier(link="cloglog"),
    ],
    ids=repr,
)
def test_score_of_the_classifier_is_minus_log_loss_and_minus_cross_entropy(model, rng):
    X, y = load_breast_cancer(return_X_y=True)
    X, weight = X[:, :4], rng.integers(0, 3, len(X))
    model = make_pipeline(StandardScaler(), model).fit(X, y)
    for w in (None, weight):
        score = log_likelihood_score(model, X, y, w)
        np.testing.assert_allclose(
            score, -log_loss(y, model.predict_proba(X), sample_weight=w), **EXACT
        )
        np.testing.assert_allclose(
            score, -empirical_cross_entropy(model, X, y, sample_weight=w), **EXACT
        )
        np.testing.assert_allclose(
            score,
            model.score(X, y) if w is None else model[-1].score(model[:-1].transform(X), y, w),
            **EXACT,
        )


PAIRS = [(0, 1), (-1, 1), (False, True), (1.0, 2.0), ("no", "yes"), ("long label", "x"), ("ä", "ß")]
CONTAINERS = [
    np.asarray,
    list,
    tuple,
    lambda y: np.array(y, object),
    lambda y: np.array(y)[:, None],
    pd.Series,
    lambda y: pd.Series(y, dtype="category"),
    lambda y: pd.Series(y).convert_dtypes(),
    lambda y: pd.DataFrame({"y": y}),
    pl.Series,
    lambda y: pl.DataFrame({"y": y}),
]


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), GaussianNB()], ids=repr)
@pytest.mark.parametrize("pair", PAIRS, ids=repr)
def test_labels_of_any_type_in_any_container_score_alike(model, pair, rng):
    code = np.arange(40) % 2
    X = rng.normal(size=(40, 2)) + code[:, None]
    y = [pair[c] for c in code]
    model = clone(model).fit(X, y)
    scores = [log_likelihood_score(model, X, container(y)) for container in CONTAINERS]
    np.testing.assert_allclose(scores, -log_loss(y, model.predict_proba(X)), **EXACT)


@pytest.mark.parametrize(
    "model",
    [CrossEntropyClassifier(alpha=0.01), GaussianNB(), RandomForestClassifier(10, random_state=0)],
    ids=repr,
)
@pytest.mark.parametrize("pair", PAIRS, ids=repr)
@pytest.mark.parametrize("alien", [["other"], [7], [2.5], [None], ["other", 7, None]], ids=repr)
def test_an_unseen_label_scores_minus_infinity_unless_its_weight_is_zero(model, pair, alien, rng):
    code = np.arange(12) % 2
    X = rng.normal(size=(12, 2)) + 0.1 * code[:, None]
    y = [pair[c] for c in code]
    model = quietly(model, X, y)
    mixed = np.array([*y[: -len(alien)], *alien], object)
    known = np.arange(12) < 12 - len(alien)
    assert log_likelihood_score(model, X, mixed) == -np.inf
    np.testing.assert_array_equal(np.isneginf(skmle.log_prob(model, X, mixed)), ~known)
    np.testing.assert_allclose(
        log_likelihood_score(model, X, mixed, known.astype(float)),
        log_likelihood_score(model, X[known], [pair[c] for c in code[known]]),
        **EXACT,
    )


def test_zero_probability_of_a_seen_label_is_minus_infinity_not_a_clipped_number():
    X = [[0.0], [0.0], [1.0], [1.0]]
    tree = DecisionTreeClassifier().fit(X, [0, 0, 1, 1])
    assert log_likelihood_score(tree, X, [0, 0, 1, 1]) == 0.0
    assert log_likelihood_score(tree, X, [0, 0, 1, 0]) == -np.inf
    assert np.isfinite(-log_loss([0, 0, 1, 0], tree.predict_proba(X)))


def test_log_probabilities_beyond_the_underflow_of_probabilities_are_exact():
    X = np.array([[-50.0], [-49.0], [49.0], [50.0]])
    model = GaussianNB().fit(X, [0, 0, 1, 1])
    assert model.predict_proba([[50.0]])[0, 0] == 0.0
    assert -np.inf < log_likelihood_score(model, [[50.0]], [0]) < -700.0


# ---------------------------------------------------------------- densities


@pytest.mark.parametrize("name", DENSITIES)
def test_score_of_a_density_is_the_mean_of_a_log_density(name, rng):
    x = rng.normal(1.0, 2.0, size=(80, 1))
    model = SAMPLES[name]().fit(x)
    grid = np.linspace(-40.0, 42.0, 20001)
    mass = np.exp(skmle.log_prob(model, grid[:, None])).sum() * (grid[1] - grid[0])
    if (
        name == "BayesianGaussianMixture"
    ):  # the expectation of a logarithm over its posterior, so less than a log-density
        assert 0.9 < mass < 1.0
    else:
        np.testing.assert_allclose(
            mass, 1.0, rtol=1e-6
        )  # a kernel estimate's own tolerance is 1e-8
    np.testing.assert_allclose(
        log_likelihood_score(model, x), np.mean(model.score_samples(x)), **EXACT
    )
    weight = rng.integers(0, 3, len(x))
    np.testing.assert_allclose(
        log_likelihood_score(model, x, sample_weight=weight),
        log_likelihood_score(model, x.repeat(weight, axis=0)),
        **EXACT,
    )


@pytest.mark.parametrize("name", COVARIANCES)
def test_score_of_a_covariance_estimator_is_that_of_its_normal_law(name, rng):
    X = rng.multivariate_normal(
        [1.0, 2.0, 3.0], [[2.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 1.0]], size=100
    )
    model = quietly(COVARIANCES[name](), X)
    law = stats.multivariate_normal(model.location_, np.linalg.inv(model.get_precision()))
    np.testing.assert_allclose(log_likelihood_score(model, X), law.logpdf(X).mean(), rtol=1e-10)
    if name != "EllipticEnvelope":  # its score is an accuracy
        np.testing.assert_allclose(log_likelihood_score(model, X), model.score(X), rtol=1e-10)
    weight = rng.integers(0, 3, len(X))
    np.testing.assert_allclose(
        log_likelihood_score(model, X, None, weight),
        law.logpdf(X.repeat(weight, axis=0)).mean(),
        rtol=1e-10,
    )


def test_a_kernel_density_scores_a_mean_not_its_own_total(rng):
    x = rng.normal(size=(50, 1))
    model = KernelDensity().fit(x)
    np.testing.assert_allclose(log_likelihood_score(model, x), model.score(x) / 50, **EXACT)


def test_skmle_density_is_its_score(rng):
    X = rng.gamma(2.0, size=(50, 2))
    weight = rng.integers(0, 3, 50)
    model = MLEDistribution("gamma").fit(X)
    assert log_likelihood_score(model, X) == model.score(X)
    assert log_likelihood_score(model, X, None, weight) == model.score(X, sample_weight=weight)
    assert log_likelihood_score(model, -X) == -np.inf


# ---------------------------------------------------------------- regressors


@pytest.mark.parametrize("name", [n for n in SAYS_ITS_LAW if n != "DummyRegressor"])
def test_law_of_a_regressor_sums_to_one(name, line):
    X, y = line
    noise = {"kernel": RBF() + WhiteKernel()} if name == "GaussianProcessRegressor" else {}
    model = quietly(REGRESSORS[name], X, y, **noise)
    counts = np.arange(200.0)
    grid = counts if name == "PoissonRegressor" else np.linspace(-60.0, 60.0, 4001)
    step = grid[1] - grid[0]
    for row in X[:3]:
        mass = np.exp(skmle.log_prob(model, np.tile(row, (len(grid), 1)), grid)).sum() * step
        np.testing.assert_allclose(mass, 1.0, rtol=1e-8)


def test_standard_deviations_are_those_of_an_observation_where_the_model_knows_its_noise(rng):
    # What the docstring says of each: BayesianRidge's contain the noise; a Gaussian process's if its kernel has it.
    X = rng.normal(size=(400, 1))
    y = X[:, 0] + 0.5 * rng.normal(size=400)
    truth = stats.norm(X[:, 0], 0.5).logpdf(y).mean()
    noisy = GaussianProcessRegressor(RBF() + WhiteKernel(0.25), optimizer=None).fit(
        X[:150], y[:150]
    )
    for model in (BayesianRidge().fit(X, y), noisy, MLERegressor().fit(X, y)):
        assert abs(log_likelihood_score(model, X, y) - truth) < 0.05
    latent = GaussianProcessRegressor(RBF(), alpha=0.25, optimizer=None).fit(X[:150], y[:150])
    assert log_likelihood_score(latent, X, y) < truth - 1.0


def test_several_targets_of_a_gaussian_process_add_up(rng):
    X = rng.normal(size=(30, 1))
    Y = np.column_stack([np.sin(X[:, 0]), X[:, 0]]) + 0.1 * rng.normal(size=(30, 2))
    model = GaussianProcessRegressor(RBF() + WhiteKernel(0.01), optimizer=None)
    both = log_likelihood_score(clone(model).fit(X, Y), X, Y)
    np.testing.assert_allclose(
        both, sum(log_likelihood_score(clone(model).fit(X, y), X, y) for y in Y.T), rtol=1e-10
    )


def test_a_standard_deviation_of_zero_is_no_law(line):
    class Sure(BayesianRidge):
        def predict(self, X, return_std=False):
            mean, std = super().predict(X, return_std=True)
            return mean, np.where(np.arange(len(std)) < 2, std, 0.0)

    X, y = line
    with pytest.raises(
        ValueError,
        match=r"Sure: .* standard deviation is 0 for 58 of 60 values \(first: value 2\).*Allowed: .* > 0. Give",
    ):
        log_likelihood_score(Sure().fit(X, y), X, y)
    with pytest.raises(ValueError, match=r"DummyRegressor: .* is 0 for 60 of 60"):
        log_likelihood_score(DummyRegressor().fit(X, y), X, y)


def test_poisson_regression_equals_skmle(line):
    X, y = line
    ours = MLERegressor("poisson").fit(X, y)
    theirs = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(
        X, y
    )
    np.testing.assert_allclose(
        log_likelihood_score(theirs, X, y), log_likelihood_score(ours, X, y), rtol=1e-9
    )
    assert log_likelihood_score(theirs, X, y - 100.0) == -np.inf


def test_transformed_targets_are_refused_with_the_reason(line):
    X, y = line
    model = TransformedTargetRegressor(BayesianRidge(), func=np.log1p, inverse_func=np.expm1).fit(
        X, y
    )
    with pytest.raises(
        TypeError, match="TransformedTargetRegressor: .*Jacobian.*Allowed: .*Use MLERegressor"
    ):
        log_likelihood_score(model, X, y)


class Boosted(RegressorMixin, BaseEstimator):
    """What ngboost's regressor looks like: pred_dist gives a law, unknown names of which are None, and score is a loss."""

    def __init__(self, frozen: Any = stats.norm):
        self.frozen = frozen

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def pred_dist(self, X):
        law = self.frozen(np.full(len(X), self.mean_))
        return SimpleNamespace(
            log_prob=None,
            **{name: getattr(law, name) for name in ("logpdf", "logpmf") if hasattr(law, name)},
        )

    def predict(self, X):
        return np.full(len(X), self.mean_)


class BoostedClassifier(ClassifierMixin, BaseEstimator):
    """What ngboost's classifier looks like: no classes_, labels 0, 1, ...; pred_dist gives a law without a log-density."""

    def fit(self, X, y):
        self.share_ = np.bincount(y) / len(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.share_, (len(X), 1))

    def pred_dist(self, X):
        return SimpleNamespace(class_probs=lambda: self.predict_proba(X))


def test_pred_dist_is_asked(line):
    X, y = line
    np.testing.assert_allclose(
        log_likelihood_score(Boosted().fit(X, y), X, y),
        stats.norm(y.mean()).logpdf(y).mean(),
        **EXACT,
    )
    np.testing.assert_allclose(
        log_likelihood_score(Boosted(stats.poisson).fit(X, y), X, y),
        stats.poisson(y.mean()).logpmf(y).mean(),
        **EXACT,
    )
    labels = (y > 1).astype(int)
    share = labels.mean()
    expected = share * np.log(share) + (1 - share) * np.log(1 - share)
    np.testing.assert_allclose(
        log_likelihood_score(BoostedClassifier().fit(X, labels), X, labels), expected, **EXACT
    )
    with pytest.raises(
        TypeError, match="pred_dist gives a SimpleNamespace, which has no log-density. Allowed"
    ):
        log_likelihood_score(Boosted(lambda mean: SimpleNamespace()).fit(X, y), X, y)


# ---------------------------------------------------------------- seeing through, weights, errors

WRAPPERS = {
    "alone": lambda model: model,
    "pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "pipeline of one": lambda model: make_pipeline(model),
    "passthrough": lambda model: make_pipeline("passthrough", StandardScaler(), None, model),
    "nested": lambda model: make_pipeline(
        StandardScaler(), make_pipeline(FunctionTransformer(), model)
    ),
    "search": lambda model: GridSearchCV(model, {}, cv=2),
    "search of a pipeline": lambda model: GridSearchCV(
        make_pipeline(StandardScaler(), model), {}, cv=2
    ),
    "pipeline of a search": lambda model: make_pipeline(
        StandardScaler(), GridSearchCV(model, {}, cv=2)
    ),
}
MODELS = [
    CrossEntropyClassifier(),
    LogisticRegression(),
    MLERegressor(),
    BayesianRidge(),
    MLEDistribution(),
    GaussianMixture(),
    PCA(1),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("freeze", [False, True])
def test_score_sees_through(wrapper, model, freeze, rng):
    X = rng.normal(3.0, 2.0, size=(40, 2))
    y = (X[:, 0] + rng.normal(size=40) > 3.0).astype(int)
    scaled = ("ipeline" in wrapper and wrapper != "pipeline of one") or wrapper in (
        "passthrough",
        "nested",
    )
    fitted = WRAPPERS[wrapper](clone(model)).fit(X, y)
    Z = StandardScaler().fit_transform(X) if scaled else X
    direct = clone(model).fit(Z, y)
    np.testing.assert_allclose(
        log_likelihood_score(FrozenEstimator(fitted) if freeze else fitted, X, y),
        log_likelihood_score(direct, Z, y),
        rtol=1e-9,
    )


def test_a_sampler_of_imbalanced_learn_passes_rows_on(rng):
    class Sampler(BaseEstimator):
        def fit_resample(self, X, y):
            return X, y

    X = rng.normal(size=(20, 1))
    pipe = make_pipeline(StandardScaler(), MLEDistribution()).fit(X)
    pipe.steps.insert(1, ("sampler", Sampler()))
    assert log_likelihood_score(pipe, X) == log_likelihood_score(
        make_pipeline(StandardScaler(), MLEDistribution()).fit(X), X
    )


@pytest.mark.parametrize(
    "model",
    [*MODELS, PoissonRegressor(), EmpiricalCovariance(), KernelDensity(), RandomForestClassifier()],
    ids=repr,
)
def test_unfitted_says_so(model):
    for estimator in (
        model,
        GridSearchCV(model, {}),
        make_pipeline(StandardScaler(), model),
        FrozenEstimator(model),
    ):
        with pytest.raises(NotFittedError, match="not fitted"):
            log_likelihood_score(estimator, np.zeros((2, 2)), np.zeros(2))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_weights_are_repeats_and_bad_ones_an_error(model, rng):
    X = rng.normal(size=(40, 2))
    y = (X[:, 0] + rng.normal(size=40) > 0).astype(int)
    model = clone(model).fit(X, y)
    weight = rng.integers(0, 3, 40)
    repeated = log_likelihood_score(model, X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(log_likelihood_score(model, X, y, weight), repeated, **EXACT)
    np.testing.assert_allclose(log_likelihood_score(model, X, y, 1e-3 * weight), repeated, **EXACT)
    for bad, message in (
        (-weight, "Negative values.*Allowed"),
        (0 * weight, "all 40 weights are zero.*Allowed"),
        (weight[:-1], "(?i)sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            log_likelihood_score(model, X, y, bad)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), BayesianRidge(), PoissonRegressor(), Boosted()], ids=repr
)
def test_a_missing_y_is_named(model, line):
    X, y = line
    model = model.fit(X, y > 1)
    with pytest.raises(ValueError, match="y is missing.*Allowed: .*Give y"):
        log_likelihood_score(model, X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples|broadcast"):
        log_likelihood_score(model, X, y[:-1])


def test_offset_and_exposure_reach_the_regressor_and_no_other(line, rng):
    X, y = line
    exposure = rng.uniform(0.5, 2.0, len(y))
    model = MLERegressor("poisson").fit(X, y, exposure=exposure)
    assert log_likelihood_score(model, X, y, exposure=exposure) == model.score(
        X, y, exposure=exposure
    )
    assert log_likelihood_score(model, X, y, offset=exposure, exposure=exposure) == model.score(
        X, y, offset=exposure, exposure=exposure
    )
    with pytest.warns(ScoreWarning, match="exposure"):
        log_likelihood_score(model, X, y)
    for other in (
        PoissonRegressor(),
        MLEDistribution(),
        CrossEntropyClassifier(),
        GaussianMixture(),
    ):
        for function in (log_likelihood_score, skmle.log_prob):
            with pytest.raises(
                TypeError, match=f"{type(other).__name__}: exposure was given.*Allowed.*Drop"
            ):
                function(clone(other).fit(X, y > 1), X, y > 1, exposure=exposure)


# ---------------------------------------------------------------- the scorer in scikit-learn's tools


def test_a_forest_and_the_classifier_in_one_cross_validation():
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    for model in (
        CrossEntropyClassifier(alpha=0.01),
        RandomForestClassifier(30, min_samples_leaf=5, random_state=0),
    ):
        result = cross_validate(
            model, X, y, cv=cv, scoring=log_likelihood_scorer, return_train_score=True
        )
        several = cross_validate(
            model, X, y, cv=cv, scoring={"ours": log_likelihood_scorer, "theirs": "neg_log_loss"}
        )
        np.testing.assert_array_equal(result["test_score"], several["test_ours"])
        np.testing.assert_allclose(several["test_ours"], several["test_theirs"], **EXACT)
        assert (result["train_score"] > -0.3).all()


@pytest.mark.parametrize(
    "model",
    [CrossEntropyClassifier(alpha=0.01), RandomForestClassifier(10, random_state=0), GaussianNB()],
    ids=repr,
)
def test_a_fold_that_lacks_a_class_is_minus_infinity_without_a_warning(model):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    scores = cross_val_score(
        model, X, names, cv=KFold(3), scoring=log_likelihood_scorer
    )  # sorted by class: each fold is one
    assert np.isneginf(scores).all()


@pytest.mark.parametrize("scoring", [None, log_likelihood_scorer], ids=["score", "scorer"])
def test_grid_over_families(scoring, rng):
    x = rng.gamma(3.0, 2.0, size=(300, 1))
    grid = {"mledistribution__family": ["normal", "gamma", "exponential", "lognormal"]}
    pipe = make_pipeline(FunctionTransformer(), MLEDistribution())
    search = GridSearchCV(
        pipe, grid, cv=KFold(3, shuffle=True, random_state=0), scoring=scoring
    ).fit(x)
    assert search.best_params_ == {"mledistribution__family": "gamma"}
    expected = GridSearchCV(
        MLEDistribution(), {"family": grid["mledistribution__family"]}, cv=search.cv
    ).fit(x)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert search.score(x) == log_likelihood_score(search, x)


def test_one_grid_over_models_of_other_libraries(line):
    X, y = line
    search = GridSearchCV(make_pipeline(StandardScaler(), MLERegressor()), {"mleregressor": [MLERegressor(), BayesianRidge(), MLERegressor("poisson"), PoissonRegressor()]}, scoring=log_likelihood_scorer, cv=3)  # fmt: skip  # noqa: E501
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[2:].min() > scores[:2].max()  # y are Poisson counts


def test_densities_need_no_y(rng):
    x = rng.normal(size=(60, 1))
    for model in (
        MLEDistribution(),
        KernelDensity(),
        GaussianMixture(),
        PCA(1),
        EmpiricalCovariance(),
    ):
        assert np.isfinite(cross_val_score(model, x, cv=3, scoring=log_likelihood_scorer)).all()


def test_the_scorer_in_other_tools(line):
    X, y = line
    model = MLERegressor("poisson").fit(X, y)
    importance = permutation_importance(
        model,
        X,
        y,
        scoring=log_likelihood_scorer,
        n_repeats=3,
        random_state=0,
        sample_weight=np.ones(len(y)),
    )
    assert importance.importances_mean[0] > 0.05 > abs(importance.importances_mean[1])
    _, _, test = learning_curve(
        model, X, y, scoring=log_likelihood_scorer, train_sizes=[20, 40], cv=3
    )
    assert test.shape == (2, 3)


@pytest.mark.parametrize(
    "copy", [clone, lambda s: pickle.loads(pickle.dumps(s))], ids=["clone", "pickle"]
)
def test_the_scorer_copies(copy, line):
    X, y = line
    model = MLERegressor("poisson").fit(X, y)
    assert copy(log_likelihood_scorer)(model, X, y) == model.score(X, y)
    assert (
        copy(log_likelihood_scorer).get_metadata_routing().score.requests
        == log_likelihood_scorer.get_metadata_routing().score.requests
    )
    assert repr(copy(log_likelihood_scorer)) == "LogLikelihoodScorer()"


def weighted_scores(
    model: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray, cv: Any, weighted: bool = True
) -> list[float]:
    fits = [(clone(model).fit(X[a], y[a], sample_weight=weight[a]), b) for a, b in cv.split(X)]
    return [
        log_likelihood_score(fitted, X[b], y[b], weight[b] if weighted else None)
        for fitted, b in fits
    ]


def test_weights_reach_the_score_of_a_search_without_routing(line, rng):
    X, y = line
    weight, cv = rng.integers(1, 5, len(y)), KFold(3)
    for scoring in (log_likelihood_scorer, {"it": log_likelihood_scorer}):
        search = GridSearchCV(
            MLERegressor("poisson"), {"alpha": [0.0]}, scoring=scoring, refit=False, cv=cv
        ).fit(X, y, sample_weight=weight)
        name = "score" if scoring is log_likelihood_scorer else "it"
        got = [search.cv_results_[f"split{j}_test_{name}"][0] for j in range(3)]
        np.testing.assert_array_equal(
            got, weighted_scores(MLERegressor("poisson"), X, y, weight, cv)
        )


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_weights_reach_the_score_with_routing(routing, line, rng):
    X, y = line
    weight, cv = rng.integers(1, 5, len(y)), KFold(3)
    model = MLERegressor("poisson").set_fit_request(sample_weight=True)
    expected = weighted_scores(MLERegressor("poisson"), X, y, weight, cv)
    result = cross_validate(
        model, X, y, cv=cv, params={"sample_weight": weight}, scoring=log_likelihood_scorer
    )
    np.testing.assert_array_equal(result["test_score"], expected)
    for estimator, grid in (
        (model, {"alpha": [0.0]}),
        (make_pipeline(StandardScaler(), model), {"mleregressor__alpha": [0.0]}),
    ):
        if estimator is not model:
            estimator[0].set_fit_request(sample_weight=False)
        for scoring, name in (
            (log_likelihood_scorer, "score"),
            ({"it": log_likelihood_scorer, "r2": "r2"}, "it"),
        ):
            search = GridSearchCV(estimator, grid, scoring=scoring, cv=cv, refit=False)
            if name == "it":
                scoring["r2"] = sklearn.metrics.make_scorer(
                    sklearn.metrics.r2_score
                ).set_score_request(sample_weight=False)
            got = search.fit(X, y, sample_weight=weight).cv_results_
            np.testing.assert_allclose(
                [got[f"split{j}_test_{name}"][0] for j in range(3)], expected, rtol=1e-9
            )
    unweighted = clone(log_likelihood_scorer).set_score_request(sample_weight=False)
    result = cross_validate(
        model, X, y, cv=cv, params={"sample_weight": weight}, scoring=unweighted
    )
    np.testing.assert_array_equal(
        result["test_score"],
        weighted_scores(MLERegressor("poisson"), X, y, weight, cv, weighted=False),
    )


def test_exposure_reaches_the_score_with_routing(routing, line, rng):
    X, y = line
    exposure = rng.uniform(0.5, 2.0, len(y))
    routed = cross_validate(
        MLERegressor("poisson"),
        X,
        y,
        params={"exposure": exposure},
        cv=3,
        scoring=log_likelihood_scorer,
    )
    own = cross_validate(MLERegressor("poisson"), X, y, params={"exposure": exposure}, cv=3)
    column = cross_val_score(
        MLERegressor("poisson", exposure=2),
        np.column_stack([X, exposure]),
        y,
        cv=3,
        scoring=log_likelihood_scorer,
    )
    np.testing.assert_array_equal(routed["test_score"], own["test_score"])
    np.testing.assert_allclose(routed["test_score"], column, rtol=1e-10)


def test_the_request_of_the_scorer_can_be_renamed(routing, line, rng):
    X, y = line
    weight = rng.integers(1, 5, len(y))
    scorer = LogLikelihoodScorer().set_score_request(sample_weight="test_weight")
    result = cross_validate(
        MLERegressor("poisson"), X, y, cv=KFold(3), params={"test_weight": weight}, scoring=scorer
    )
    expected = [
        log_likelihood_score(MLERegressor("poisson").fit(X[a], y[a]), X[b], y[b], weight[b])
        for a, b in KFold(3).split(X)
    ]
    np.testing.assert_array_equal(result["test_score"], expected)
