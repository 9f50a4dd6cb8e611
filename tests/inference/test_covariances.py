"""Covariances of every kind, by inference(X, y, covariance=...), against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle.inference import covariance_settings
from skmle.inference import groups as row_groups
from tests.estimators.data import conditional_data
from tests.subjects import as_columns, every_class, is_conditional, observations

N = 400
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)) + np.array([0.0, 1.0, 0.0])
G, H = np.arange(N) % 23, RNG.integers(0, 17, N)
COUNTS = RNG.negative_binomial(1, 1.0 / (1.0 + np.exp(0.5 * X[:, 0]))).astype(float)
NUMBERS = X @ [1.0, 2.0, 3.0] + RNG.normal(size=N) * (1.0 + np.abs(X[:, 0]))
R = "G/(G-1)*(n-1)/(n-k)"  # what statsmodels and R call the usual correction

SETTINGS = [
    ({"covariance": "HC0"}, {"cov_type": "HC0"}),
    ({"covariance": "HAC", "lags": 4}, {"cov_type": "HAC", "cov_kwds": {"maxlags": 4}}),
    ({"groups": G, "correction": R}, {"cov_type": "cluster", "cov_kwds": {"groups": G}}),
    (
        {"groups": np.column_stack([G, H]), "correction": R},
        {"cov_type": "cluster", "cov_kwds": {"groups": np.column_stack([G, H])}},
    ),
]
LEAST_SQUARES = [({"covariance": f"HC{i}"}, {"cov_type": f"HC{i}"}) for i in range(4)]
ids = [f"{next(iter(ours))}-{i}" for i, (ours, _) in enumerate(SETTINGS)]


def design():
    return sm.add_constant(X, prepend=False)


def discrete(model):
    return lambda settings: model.fit(disp=0, method="newton", tol=1e-14, **settings)


MODELS = {
    "poisson": (MLERegressor("poisson", tol=1e-11), COUNTS, discrete(sm.Poisson(COUNTS, design()))),
    "logit": (
        CrossEntropyClassifier(tol=1e-11),
        COUNTS > 1,
        discrete(sm.Logit(1.0 * (COUNTS > 1), design())),
    ),
    "probit": (
        CrossEntropyClassifier(link="probit", tol=1e-11),
        COUNTS > 1,
        discrete(sm.Probit(1.0 * (COUNTS > 1), design())),
    ),
    "least squares": (
        MLERegressor("normal", tol=1e-11),
        NUMBERS,
        lambda settings: sm.OLS(NUMBERS, design()).fit(**settings),
    ),
}
CASES = [
    (name, ours, theirs)
    for name in MODELS
    for ours, theirs in SETTINGS + (LEAST_SQUARES if name == "least squares" else [])
]


@pytest.mark.parametrize(("name", "ours", "theirs"), CASES)
def test_robust_errors_are_those_of_statsmodels(name, ours, theirs):
    model, y, peer = MODELS[name]
    found = model.fit(X, y).inference(X, y, **ours).standard_errors[:4]
    np.testing.assert_allclose(found, np.asarray(peer(theirs).bse), rtol=1e-8)


def test_two_groups_of_a_logit_with_the_stata_correction():
    model, y, peer = MODELS["logit"]
    found = model.fit(X, y).inference(X, y, groups=G).standard_errors
    theirs = peer({"cov_type": "cluster", "cov_kwds": {"groups": G, "use_correction": False}})
    np.testing.assert_allclose(found, np.asarray(theirs.bse) * np.sqrt(23.0 / 22.0), rtol=1e-8)


# ---------------------------------------------------------------- of all models

# Those of a penalty are tested with it.
KINDS = [kind for kind in covariance_settings.KINDS if kind not in ("augmented", "law")]


@every_class(is_conditional)
def test_a_weight_is_a_repeated_row(cls):
    X, y = conditional_data(cls)
    X, y = X[:60], y[:60]
    repeats = np.random.default_rng(0).integers(1, 4, len(X))
    rows = np.repeat(np.arange(len(X)), repeats)
    weighted = MLERegressor(cls, tol=1e-9).fit(X, y, sample_weight=repeats)
    if weighted.status_ != "interior":
        pytest.fail(f"{weighted.status_}: choose rows with a maximum")
    repeated = MLERegressor(cls, tol=1e-9).fit(X[rows], y[rows])
    for kind in KINDS:
        if kind in ("cluster", "HAC"):  # rows in time have no repeats
            continue
        found = weighted.inference(X, y, repeats, covariance=kind).standard_errors
        other = repeated.inference(X[rows], y[rows], covariance=kind).standard_errors
        np.testing.assert_allclose(found, other, rtol=1e-5)


@every_class(is_conditional)
def test_rows_in_time_of_weight_one(cls):
    X, y = conditional_data(cls)
    X, y = X[:60], y[:60]
    model = MLERegressor(cls, tol=1e-9).fit(X, y)
    found = model.inference(X, y, np.ones(len(X)), covariance="HAC").standard_errors
    other = model.inference(X, y, covariance="HAC").standard_errors
    np.testing.assert_allclose(found, other, rtol=1e-5)


@every_class(lambda cls: cls.regular and not cls.cusps and cls.support.smooth)
def test_a_density_has_every_kind_of_errors(cls):
    y = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(y)
    if model.status_ != "interior":
        pytest.fail(f"{model.status_}: choose rows with a maximum")
    own = model.inference().standard_errors
    for kind in KINDS:
        groups = np.arange(len(y)) if kind == "cluster" else None
        errors = model.inference(y, covariance=kind, groups=groups).standard_errors
        assert errors.shape == own.shape and np.isfinite(errors).all()
    alone = model.inference(y, groups=np.arange(len(y)), correction="none").standard_errors
    np.testing.assert_allclose(
        alone, model.inference(y, covariance="HC0").standard_errors, rtol=1e-9
    )


@pytest.mark.parametrize("aliased", [False, True])
def test_the_observed_kind_is_that_of_the_fit(aliased):
    columns = np.column_stack([X, X[:, :1] + X[:, 1:2]]) if aliased else X
    for model, y in [
        (MLERegressor("gamma", features={"shape": [0]}), np.exp(NUMBERS / 10.0)),
        (CrossEntropyClassifier(alpha=0.01), np.minimum(COUNTS, 2)),
        (OrdinalClassifier(), np.minimum(COUNTS, 2)),
    ]:
        own = model.set_params(tol=1e-9).fit(columns, y).inference()
        again = model.inference(columns, y, covariance="observed")
        np.testing.assert_allclose(again.covariance, own.covariance, rtol=1e-5, atol=1e-12)


# ---------------------------------------------------------------- what is not allowed

POISSON = MLERegressor("poisson").fit(X, COUNTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"covariance": "HC5"}, "covariance='HC5' is not known. Allowed: .* Did you mean 'HC"),
        ({"covariance": "cluster"}, "groups was not given. Allowed: .* Give both, or neither"),
        ({"covariance": "HC0", "groups": G}, "groups was given. Allowed"),
        ({"groups": G[:7]}, r"shape \(7,\), but there are 400 rows. Allowed: .* Give the group"),
        ({"groups": np.zeros(N)}, "one group, .*0.0.*, in its 400 rows.* Allowed: at least two"),
        ({"groups": np.where(G > 1, 1.0, np.nan)}, "no label in .* of 400 rows, the first is row"),
        ({"covariance": "HAC", "lags": -1}, "lags=-1 .* Allowed: a whole number >= 0"),
        ({"covariance": "HC0", "lags": 2}, "lags=2 with covariance='HC0' is not allowed"),
        ({"covariance": "HC0", "correction": "G/(G-1)"}, "counts groups, but .* Allowed"),
        ({"distribution": "cauchy"}, "distribution='cauchy' is not known. Allowed"),
        ({"weights": "frequency"}, "weights='frequency' is not known. Allowed: 'repeats'"),
        ({"covariance": "hc1"}, "'hc1' is not known. Allowed: .* Did you mean 'HC1'"),
        ({"covariance": "robust"}, "'robust' is not known. Allowed: .* Did you mean 'HC1'"),
        ({"covariance": "newey-west"}, "is not known. Allowed: .* Did you mean 'HAC'"),
        ({"groups": "grp"}, r"'grp' is a name. Allowed: .* Give the column .*frame\['grp'\]"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        POISSON.inference(X, COUNTS, **settings)


def test_bad_rows():
    with pytest.raises(ValueError, match="not the rows of the fit.* Allowed: .* Give those"):
        POISSON.inference(X, COUNTS[::-1], covariance="HC0")
    for name, value in {
        "covariance": "HC0",
        "correction": "n/(n-k)",
        "weights": "factors",
        "lags": 3,
        "groups": G,
    }.items():
        says = f"inference: {name}.* needs the rows of the fit.* Allowed: .* Give X and y"
        with pytest.raises(ValueError, match=says):
            POISSON.inference(**{name: value})
    with pytest.raises(ValueError, match="distribution='u' is not known"):
        POISSON.inference(distribution="u")
    lasso = MLERegressor("poisson", alpha=0.1, l1_ratio=1.0).fit(X, COUNTS)
    with pytest.raises(ValueError, match="no covariance, because l1_ratio"):
        lasso.inference(X, COUNTS, covariance="HC0")


BY_T = {
    "slopes": (MLERegressor("poisson"), X),
    "twice the same columns": (MLERegressor("gamma"), np.column_stack([X, X])),
    "no intercept": (MLERegressor(fit_intercept=False), X),
    "a spread that is modelled": (MLERegressor(features={"scale": [0]}), X),
    "a mean that is held": (MLERegressor("poisson", fixed={"mean": 2.0}), X),
    "medians": (MLERegressor("laplace"), X),
    "classes": (CrossEntropyClassifier(), X),
    "ordered classes": (OrdinalClassifier(), X),
    "density": (MLEDistribution("gamma"), 1.0 + COUNTS[:, None]),
    "weights": (MLERegressor(), X),
}


@pytest.mark.parametrize("name", BY_T)
def test_t_needs_no_rows(name):
    model, rows = BY_T[name]
    y = np.minimum(COUNTS, 2) if "classes" in name else 1.0 + COUNTS
    weight = 1.0 + G % 3 if name == "weights" else None
    data = (rows, None if name == "density" else y, weight)
    own = model.fit(*data).inference(distribution="t", confidence_level=0.9)
    again = model.inference(*data, distribution="t", confidence_level=0.9)
    assert own.dof == again.dof
    np.testing.assert_allclose(
        own.confidence_intervals(), again.confidence_intervals(), rtol=1e-5, atol=1e-8
    )
    with pytest.raises(ValueError, match="distribution='t' of 4 rows and 4 coefficients"):
        MLERegressor("poisson").fit(X[:4], [1.0, 2.0, 1.0, 3.0]).inference(distribution="t")


def test_intervals_by_t():
    t = POISSON.inference(X, COUNTS, groups=G, distribution="t")
    z = POISSON.inference(X, COUNTS, groups=G)
    np.testing.assert_allclose(t.standard_errors, z.standard_errors, rtol=1e-14)
    reach = np.diff(t.confidence_intervals(), axis=1) / np.diff(z.confidence_intervals(), axis=1)
    np.testing.assert_allclose(reach, 2.0738730679040147 / 1.959963984540054, rtol=1e-9)
    assert (t.p_value >= z.p_value).all()
    assert "23 groups" in str(t) and "come out too small" in str(t)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["the same", "another"])
def test_many_rows_have_the_errors_of_the_formula(order):
    """Of many rows a fit keeps the inverse Hessian, which rows in any order may use."""
    rng = np.random.default_rng(1)
    n = 300_000
    X = rng.normal(size=(n, 3)) * [1.0, 10.0, 0.1] + [0.0, 50.0, 1.0]
    y = rng.poisson(np.exp(0.2 * X[:, 0] + 0.01 * X[:, 1])).astype(float)
    groups = rng.integers(0, 200, n)
    many = np.arange(n) // 2
    model = MLERegressor("poisson", tol=1e-10).fit(X, y)
    assert model._fits[0].bread is not None
    C = np.column_stack([X, np.ones(n)])
    mu = np.exp(C @ [*model.coef_, model.intercept_])
    bread = np.linalg.inv((C * mu[:, None]).T @ C)
    scores = C * (y - mu)[:, None]
    place = rng.permutation(n) if order == "another" else slice(None)
    kinds = {"HC0": None, "cluster": groups, "cluster of pairs": many}
    for kind, by in kinds.items():
        sums = scores
        if by is not None:
            sums = np.array([np.bincount(by, column) for column in scores.T]).T
            sums = sums * np.sqrt(len(sums) / (len(sums) - 1.0))
        expected = np.sqrt(np.diag(bread @ (sums.T @ sums) @ bread))
        settings = {} if by is None else {"groups": by[place]}
        found = model.inference(X[place], y[place], covariance=kind[:7].strip(), **settings)
        np.testing.assert_allclose(found.standard_errors, expected, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, float, str, object])
def test_groups_of_any_labels(dtype):
    codes = np.array([3, 100, 3, 7, 100, 100])
    labels = codes.astype(dtype)
    (found,) = row_groups.coded_groups(labels, 6, None)
    _, expected = np.unique(labels.astype(str) if dtype is object else labels, return_inverse=True)
    np.testing.assert_array_equal(found, expected)


def test_groups_with_labels_far_apart():
    (found,) = row_groups.coded_groups(np.array([-(2**62), 2**62, -(2**62), 5]), 4, None)
    np.testing.assert_array_equal(found, [0, 2, 0, 1])
    (found,) = row_groups.coded_groups(np.array([-128, 127, 0], np.int8), 3, None)
    np.testing.assert_array_equal(found, [0, 2, 1])


# ---------------------------------------------------------------- rows that tell no error

FEW = np.array([[0.0], [1.0]])
SANDWICHES = [
    *({"covariance": kind} for kind in ("HC0", "HC1", "HC2", "HC3", "HAC")),
    {"groups": "rows"},
    {"groups": "rows", "correction": "G/(G-1)*(n-1)/(n-k)"},
]


@pytest.mark.parametrize("settings", [*SANDWICHES, {"distribution": "t"}], ids=str)
@pytest.mark.parametrize("density", [False, True])
def test_as_many_coefficients_as_rows_leave_no_error(settings, density):
    X, y = (FEW[1:], None) if density else (FEW, np.array([1.0, 3.0]))
    model = (MLEDistribution("poisson") if density else MLERegressor("poisson")).fit(X, y)
    settings = dict(settings)
    if "groups" in settings:
        if density:
            return
        settings["groups"] = np.arange(len(X))
    with pytest.raises(ValueError, match=r"leave nothing over.* Allowed: more rows than coeff"):
        model.inference(X, y, **settings)
    assert np.isfinite(model.inference(X, y).standard_errors).all()


@pytest.mark.parametrize("settings", SANDWICHES[:6], ids=str)
def test_no_coefficient_is_certain_by_a_sandwich(settings):
    """All counts of the second half are two, and so are those that are predicted."""
    half = (np.arange(40) >= 20).astype(float)
    X, y = np.column_stack([half, 1.0 - half]), np.where(half, 2.0, np.arange(40) % 4)
    model = MLERegressor("poisson", fit_intercept=False).fit(X, y)
    settings = dict(settings)
    if "groups" in settings:
        settings["groups"] = np.arange(40) // 2
    with pytest.raises(ValueError, match="gives 1 of 2 coefficients no error.* Allowed: rows that"):
        model.inference(X, y, **settings)
    assert (model.inference(X, y).standard_errors > 0.1).all()


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
@pytest.mark.parametrize("family", ["poisson", "normal", "gamma"])
def test_a_row_with_a_column_of_its_own_has_no_error_by_rows(family, kind):
    """Its residual is zero whatever it is, so that no sandwich knows how much it varies."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), np.arange(60) == 7])
    y = rng.poisson(2.0, size=60) + 1.0
    model = MLERegressor(family).fit(X, y)
    with pytest.raises(ValueError, match=r"1 rows have leverage one, .* 7\). Allowed: rows that"):
        model.inference(X, y, covariance=kind)
    rest = np.arange(60) != 7
    plain = MLERegressor(family).fit(X[rest][:, :1], y[rest])
    errors = plain.inference(X[rest][:, :1], y[rest], covariance=kind)
    assert (errors.standard_errors > 0.0).all()
    if family == "poisson":  # of a scale the row is a row less
        np.testing.assert_allclose(plain.coef_, model.coef_[:1], rtol=1e-6)


def test_a_correction_gives_a_normal_law_the_errors_of_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = X @ [1.0, -1.0] + rng.normal(size=30)
    model = MLERegressor().fit(X, y)
    result = model.inference(X, y, correction="n/(n-k)", distribution="t")
    other = sm.OLS(y, sm.add_constant(X)).fit()
    np.testing.assert_allclose(result.standard_errors[:3], other.bse[[1, 2, 0]], rtol=1e-9)
    p_values = np.asarray(result.tidy()["p_value"])
    np.testing.assert_allclose(p_values[:3], other.pvalues[[1, 2, 0]], rtol=1e-6)
    shown = str(result)
    assert "observed information, n/(n-k), t distribution" in shown
    assert shown.splitlines()[4].split()[-2:] == ["t", "p"]


# ---------------------------------------------------------------- what no function takes

CLASSES = CrossEntropyClassifier().fit(X, COUNTS > 1)
DENSITY = MLEDistribution("normal").fit(NUMBERS[:, None])
ASKED = {
    "inference": lambda **beside: POISSON.inference(**beside),
    "inference of rows": lambda **beside: POISSON.inference(X, COUNTS, **beside),
    "inference of classes": lambda **beside: CLASSES.inference(**beside),
    "infer": lambda **beside: skmle.infer(POISSON, **beside),
    "goodness_of_fit": lambda **beside: skmle.goodness_of_fit(POISSON, X, COUNTS, **beside),
    "loo": lambda **beside: skmle.loo(POISSON, X, COUNTS, **beside),
    "log_prob": lambda **beside: skmle.log_prob(CLASSES, X, COUNTS > 1, **beside),
    "fit_groups": lambda **beside: skmle.fit_groups(POISSON, X, COUNTS, groups=G, **beside),
    "likelihood_ratio_test": lambda **beside: skmle.likelihood_ratio_test(
        POISSON, POISSON, X, COUNTS, **beside
    ),
}


@pytest.mark.parametrize("asked", ASKED)
def test_an_unknown_keyword_is_refused(asked):
    with pytest.raises(TypeError, match="there is no argument 'covarance'. Allowed"):
        ASKED[asked](covarance="HC1")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("cov_type", "covariance"), ("level", "confidence_level"), ("maxlags", "lags")],
)
def test_what_other_programs_call_a_setting_leads_to_ours(theirs, ours):
    with pytest.raises(TypeError, match=f"no argument '{theirs}'.*Did you mean '{ours}'"):
        POISSON.inference(**{theirs: 1})


@pytest.mark.parametrize(
    "asked",
    [
        lambda **beside: CLASSES.inference(X, COUNTS > 1, **beside),
        lambda **beside: DENSITY.inference(NUMBERS[:, None], **beside),
        lambda **beside: skmle.goodness_of_fit(DENSITY, NUMBERS[:, None], **beside),
    ],
    ids=["inference of classes", "inference of a density", "goodness_of_fit"],
)
def test_an_exposure_of_a_model_without_is_refused(asked):
    with pytest.raises(TypeError, match="exposure= was given, which .* cannot take into account"):
        asked(exposure=np.ones(N))
