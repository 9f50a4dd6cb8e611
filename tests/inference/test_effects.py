"""Effects of columns: against Stata's, statsmodels', formulas, and what a pipeline predicts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.sparse import csr_array
from scipy.stats import norm
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from tests.estimators.cases import SPECS, Case

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(300, 3)), columns=["a", "b", "c"])
X["b"] = (X["b"] > 0.0).astype(int)
COUNTS = RNG.poisson(np.exp(0.3 + X @ [0.5, -0.2, 0.1])).astype(float)
CLASSES = np.minimum(COUNTS, 2.0)


# ---------------------------------------------------------------- published

SPECTOR = json.loads((Path(__file__).parents[1] / "reference" / "spector_logit.json").read_text())
FRAME = pd.DataFrame(SPECTOR["data"]["columns"])
GRADE = FRAME.pop("grade")
METHODS = ["dydx", "eydx", "dyex", "eyex"]
PLACES = {"": None, "mean": "mean", "median": "median"}
PUBLISHED = [
    (dummy, method, place)
    for dummy in ("dummy", "nodummy")
    for method in METHODS
    for place in PLACES
    if f"margeff_{dummy}_{method}{place}" in SPECTOR["extras"]
]


def test_the_published_cases_are_there():
    assert len(PUBLISHED) == 16


@pytest.mark.parametrize(("dummy", "method", "place"), PUBLISHED)
def test_effects_are_those_of_stata(dummy, method, place):
    """To what its data in single precision leave, and to the seven digits of its errors."""
    result = CrossEntropyClassifier(tol=1e-10).fit(FRAME, GRADE).inference()
    change = {"psi": "slope"} if dummy == "nodummy" else None
    found = result.effects(FRAME, at=PLACES[place], slope=method, change=change)
    key = f"margeff_{dummy}_{method}{place}"
    expected, errors = (np.array(SPECTOR["extras"][key + end]) for end in ("", "_se"))
    np.testing.assert_allclose(found.estimates, expected, rtol=2e-6, atol=1e-12)
    np.testing.assert_allclose(found.standard_errors, errors, rtol=2e-6, atol=6e-8)


@pytest.mark.parametrize("dummy", ["dummy", "nodummy"])
def test_effects_at_given_values_are_those_of_stata(dummy):
    result = CrossEntropyClassifier(tol=1e-10).fit(FRAME, GRADE).inference()
    change = {"psi": "slope" if dummy == "nodummy" else (0, 1)}
    row = pd.DataFrame([FRAME.mean()]).assign(tuce=21.0, psi=0.0)
    found = [
        result.effects(FRAME, at={"gpa": 2.0, "psi": 1.0}, change=change),
        result.effects(row, change=change),
    ]
    for number, own in enumerate(found, 1):
        key = f"margeff_{dummy}_atexog{number}"
        expected, errors = (SPECTOR["extras"][key + end] for end in ("", "_se"))
        np.testing.assert_allclose(own.estimates, expected, rtol=2e-6)
        np.testing.assert_allclose(own.standard_errors, errors, rtol=2e-6, atol=6e-8)


@pytest.mark.slow
@pytest.mark.parametrize("dummies", ["", "_dummies_discrete"])
def test_effects_on_counts_are_those_of_stata(dummies):
    spec = SPECS["randhie_poisson"]
    case, extras = Case(spec), spec["extras"]
    result = MLERegressor("poisson").fit(case.X, case.y).inference()
    expected = extras[f"average_marginal_effects{dummies}"]
    binary = ["idp", "hlthg", "hlthf", "hlthp"]
    change = None if dummies else dict.fromkeys(binary, "slope")
    found = result.effects(case.X, list(expected), change=change)
    # The table has the digits of numbers in single precision.
    np.testing.assert_allclose(found.estimates, [*expected.values()], rtol=2e-6)
    errors = extras[f"average_marginal_effects{dummies}_se"]
    np.testing.assert_allclose(found.standard_errors, [*errors.values()], rtol=2e-6)


# ---------------------------------------------------------------- statsmodels

C = sm.add_constant(X, prepend=False)
NEWTON = {"disp": 0, "method": "newton", "tol": 1e-14}
PEERS = {
    "poisson": (MLERegressor("poisson", tol=1e-12), COUNTS, sm.Poisson(COUNTS, C)),
    "logit": (CrossEntropyClassifier(tol=1e-12), COUNTS > 0, sm.Logit(COUNTS > 0, C)),
    "probit": (
        CrossEntropyClassifier(link="probit", tol=1e-12),
        COUNTS > 0,
        sm.Probit((COUNTS > 0) * 1.0, C),
    ),
    "multinomial": (CrossEntropyClassifier(tol=1e-12), CLASSES, sm.MNLogit(CLASSES, C)),
}
CASES = [
    (peer, at, method, dummy)
    for peer in PEERS
    for at in (None, "mean", "median")
    for method in METHODS
    for dummy in (True, False)
    # statsmodels has no relative changes of dummies; of several classes, it has neither dummies nor
    # relative changes.
    if not (dummy and (method.endswith("ex") or at == "median"))
    and not (peer == "multinomial" and (dummy or method.endswith("ex")))
]


@pytest.fixture(scope="module")
def fitted():
    return {
        name: (model.fit(X, y).inference(), peer.fit(**NEWTON))
        for name, (model, y, peer) in PEERS.items()
    }


@pytest.mark.parametrize(("peer", "at", "method", "dummy"), CASES)
def test_effects_are_those_of_statsmodels(fitted, peer, at, method, dummy):
    result, other = fitted[peer]
    expected = other.get_margeff(at=at or "overall", method=method, dummy=dummy)
    change = None if dummy else {"b": "slope"}
    found = result.effects(X, at=at, slope=method, change=change)
    value, error = (np.asarray(a).T.ravel() for a in (expected.margeff, expected.margeff_se))
    np.testing.assert_allclose(found.estimates, value, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, error, rtol=1e-8)


def test_effects_under_another_covariance_are_those_of_statsmodels():
    model, y, peer = PEERS["poisson"]
    expected = peer.fit(cov_type="HC0", **NEWTON).get_margeff(dummy=True)
    found = model.fit(X, y).inference(X, y, covariance="HC0").effects(X)
    np.testing.assert_allclose(found.standard_errors, expected.margeff_se, rtol=1e-8)


# ---------------------------------------------------------------- through pipelines

TABLE = X.assign(city=np.array(["x", "y", "z"])[RNG.integers(0, 3, 300)], old=X["a"] > 0.5)


def pipeline():
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b", "c"]),
        (OneHotEncoder(drop="first"), ["city", "old"]),
    )
    return make_pipeline(columns, MLERegressor("poisson", tol=1e-10)).fit(TABLE, COUNTS)


@pytest.mark.slow
def test_effects_are_of_the_columns_that_enter_a_pipeline():
    pipe = pipeline()
    result = skmle.infer(pipe)
    found = result.effects(TABLE)
    assert list(found.terms) == ["a", "b", "c", "city", "city", "old"]
    assert found.contrasts[1:] == ["1 - 0", "dy/dx", "y - x", "z - x", "True - False"]

    def by_hand(model):
        def mean(**values):
            return model.predict(TABLE.assign(**values)).mean()

        slope = pipe[-1].coef_[:3] / pipe[0].transformers_[0][1].scale_
        own = model[-1].coef_[:3] / pipe[-1].coef_[:3] * slope * mean()
        return [
            own[0],
            mean(b=1) - mean(b=0),
            own[2],
            mean(city="y") - mean(city="x"),
            mean(city="z") - mean(city="x"),
            mean(old=True) - mean(old=False),
        ]

    expected = result.estimate(by_hand)
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-7, atol=1e-13)
    again = pickle.loads(pickle.dumps(result)).effects(TABLE, ["city"])
    np.testing.assert_array_equal(again.estimates, found.estimates[3:5])


def test_frames_of_other_kinds_have_the_same_effects():
    pl = pytest.importorskip("polars")
    expected = skmle.infer(pipeline()).effects(TABLE)
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(drop="first"), ["city", "old"])
    )
    table = pl.from_pandas(TABLE)
    pipe = make_pipeline(columns, MLERegressor("poisson", tol=1e-10)).fit(table, COUNTS)
    found = skmle.infer(pipe).effects(table)
    assert found.contrasts == expected.contrasts
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-12)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-9)
    ordered = TABLE.assign(city=pd.Categorical(TABLE["city"], ["z", "y", "x"]))
    found = skmle.infer(pipeline()).effects(ordered, ["city"])
    assert found.contrasts == ["y - z", "x - z"]
    plain = MLERegressor("poisson", tol=1e-10).fit(X.to_numpy(), COUNTS).inference()
    named = MLERegressor("poisson", tol=1e-10).fit(X, COUNTS).inference()
    assert plain.effects(X.to_numpy()).terms == ["x0", "x1", "x2"]
    np.testing.assert_allclose(
        plain.effects(X.to_numpy()).covariance, named.effects(X).covariance, rtol=1e-9
    )


# ---------------------------------------------------------------- quantities

LINEAR = RNG.normal(1.0 + X["a"], np.exp(0.3 * X["c"] - 0.5))
NORMAL = MLERegressor("normal", features={"loc": ["a", "c"], "scale": ["c"]}, tol=1e-10)


@pytest.mark.slow
def test_effects_on_the_spread_quantiles_and_tails_of_a_law():
    model = NORMAL.fit(X, LINEAR)
    result = model.inference()
    rows, share = X[["a", "c"]], {"loc": ["a", "c"], "scale": ["c"]}
    assert list(share) == list(model.coefs_)

    def by_hand(m, of):
        law = m.predict_dist(X)
        sd, slopes = law.std(), m.coefs_["loc"][:, None]
        spread = np.array([0.0, m.coefs_["scale"][0]])[:, None] * sd
        z = (2.0 - law.mean()) / sd
        return {
            "mean": slopes + 0.0 * sd,
            "sd": spread,
            "median": slopes + 0.0 * sd,
            ("quantile", 0.9): slopes + norm.ppf(0.9) * spread,
            ("sf", 2.0): norm.pdf(z) * (slopes + z * spread) / sd,
            ("cdf", 2.0): -norm.pdf(z) * (slopes + z * spread) / sd,
        }[of].mean(axis=1)

    for of in ("mean", "sd", "median", ("quantile", 0.9), ("sf", 2.0), ("cdf", 2.0)):
        found = result.effects(X, list(rows), of=of)
        expected = result.estimate(lambda m, of=of: by_hand(m, of))
        np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(
            found.standard_errors, expected.standard_errors, rtol=1e-8, atol=1e-14
        )
    entropy = result.effects(X, ["c"], of=lambda law: law.entropy())
    np.testing.assert_allclose(entropy.estimates, model.coefs_["scale"], rtol=1e-9)


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), OrdinalClassifier()], ids=str)
def test_effects_on_probabilities_add_up_to_zero(model):
    result = model.fit(X, CLASSES).inference()
    found = result.effects(X)
    assert list(dict.fromkeys(found.components)) == ["class 0.0", "class 1.0", "class 2.0"]
    np.testing.assert_allclose(found.estimates.reshape(3, 3).sum(axis=0), 0.0, atol=1e-13)
    one = result.effects(X, of=("probability", 1.0))
    np.testing.assert_allclose(one.estimates, found.estimates[3:6], rtol=1e-13)
    np.testing.assert_allclose(one.covariance, found.covariance[3:6, 3:6], rtol=1e-9)
    odds = result.effects(X, ["b"], of=lambda p: np.log(p[:, 2] / p[:, 0]))
    if isinstance(model, CrossEntropyClassifier):
        np.testing.assert_allclose(odds.estimates, model.coef_[2, 1] - model.coef_[0, 1])


def test_a_column_of_no_effect_has_none():
    model = MLERegressor("poisson", features={"mean": ["a"]}).fit(X, COUNTS)
    found = model.inference().effects(X)
    np.testing.assert_array_equal(found.estimates[1:], 0.0)
    np.testing.assert_array_equal(found.standard_errors[1:], 0.0)


# ---------------------------------------------------------------- places, changes, weights


@pytest.mark.slow
def test_places():
    result = MLERegressor("poisson").fit(X, COUNTS).inference()
    grid = result.effects(X, ["a", "c"], at={"a": [0.0, 1.0], "b": 1})
    assert grid.components[::2] == ["a = 0.0, b = 1", "a = 1.0, b = 1"]
    for j, a in enumerate([0.0, 1.0]):
        alone = result.effects(X.assign(a=a, b=1), ["c"])
        assert grid.estimates[2 * j + 1] == pytest.approx(alone.estimates[0], rel=1e-12)
        # At a constant column, the step is that of the column as it was.
        mean = result.estimate(lambda m, a=a: m.coef_[0] * m.predict(X.assign(a=a, b=1)).mean())
        assert grid.estimates[2 * j] == pytest.approx(mean.estimates[0], rel=1e-11)
        assert grid.standard_errors[2 * j] == pytest.approx(mean.standard_errors[0], rel=1e-8)
    middle = skmle.infer(pipeline()).effects(TABLE, ["a"], at="mean")
    often = TABLE["city"].mode()[0]
    row = TABLE.iloc[:1].assign(a=X["a"].mean(), b=X["b"].mean(), c=X["c"].mean(), city=often)
    expected = skmle.infer(pipeline()).effects(
        row.assign(old=False), ["a"], at={"a": X["a"].mean()}
    )
    assert middle.estimates[0] == pytest.approx(expected.estimates[0], rel=1e-9)


def test_changes():
    model = MLERegressor("poisson").fit(X, COUNTS)
    result = model.inference()
    found = result.effects(X, ["a", "b", "c"], change={"a": 2, "c": (-1, 0.5), "b": "slope"})
    assert found.contrasts == ["+2", "dy/dx", "0.5 - -1"]
    ahead, now = model.predict(X.assign(a=X["a"] + 2)).mean(), model.predict(X).mean()
    assert found.estimates[0] == pytest.approx(ahead - now, rel=1e-12)
    ends = [model.predict(X.assign(c=c)).mean() for c in (-1.0, 0.5)]
    assert found.estimates[2] == pytest.approx(ends[1] - ends[0], rel=1e-12)
    cities = skmle.infer(pipeline())
    assert cities.effects(TABLE, ["city"], change={"city": "z"}).contrasts == ["x - z", "y - z"]
    one = cities.effects(TABLE, "city", change={"city": ("y", "z")})
    both = cities.effects(TABLE, "city")
    assert one.contrasts == ["z - y"]
    assert one.estimates[0] == pytest.approx(both.estimates[1] - both.estimates[0], rel=1e-12)


@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_a_column_that_is_offset_or_exposure_has_its_effect(what):
    """It moves the prediction, though it has no coefficient."""
    years = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    rows = X.assign(years=years)
    model = MLERegressor("poisson", **{what: "years"}).fit(rows, COUNTS)
    result = model.inference().effects(rows)
    h = 1e-4
    up, down = (model.predict(rows.assign(years=years + step)) for step in (h, -h))
    np.testing.assert_allclose(result.estimates[-1], np.mean(up - down) / (2.0 * h), rtol=1e-7)
    beside = MLERegressor("poisson").fit(X, COUNTS, **{what: years})
    alone = beside.inference().effects(X, **{what: years})
    np.testing.assert_allclose(result.estimates[:-1], alone.estimates, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors[:-1], alone.standard_errors, rtol=1e-6)


def test_weights_are_repeated_rows_and_exposure_goes_along():
    weight = RNG.integers(0, 3, 300)
    years = RNG.uniform(1.0, 3.0, 300)
    model = MLERegressor("poisson", tol=1e-10).fit(X, COUNTS, exposure=years)
    result = model.inference()
    found = result.effects(X, sample_weight=weight, exposure=years)
    rows = np.repeat(np.arange(300), weight)
    again = result.effects(X.iloc[rows], exposure=years[rows], change={"b": (0, 1)})
    np.testing.assert_allclose(found.estimates, again.estimates, rtol=1e-9)
    mean = np.average(model.predict(X, exposure=years), weights=weight)
    assert found.estimates[0] == pytest.approx(model.coef_[0] * mean, rel=1e-10)
    at_one = result.effects(X, ["a"], at="mean", exposure=2.0)
    row = model.predict(pd.DataFrame([X.mean()]), exposure=[2.0])[0]
    assert at_one.estimates[0] == pytest.approx(model.coef_[0] * row, rel=1e-10)


def test_large_numbers_have_the_same_effects():
    """A year is no worse than a century: steps are measured as they were rounded."""
    result = CrossEntropyClassifier(tol=1e-10).fit(X, COUNTS > 0).inference()
    expected = result.effects(X, ["a"])
    far = X.assign(a=X["a"] * 1e3 + 1e9)
    model = make_pipeline(StandardScaler(), CrossEntropyClassifier(tol=1e-10))
    found = skmle.infer(model.fit(far, COUNTS > 0)).effects(far, ["a"])
    assert found.estimates[0] * 1e3 == pytest.approx(expected.estimates[0], rel=1e-6)


# ---------------------------------------------------------------- as tables, and refused


def test_the_table_and_tests_of_effects():
    found = skmle.infer(pipeline()).effects(TABLE)
    frame = found.tidy()
    assert list(frame.columns[:3]) == ["component", "term", "contrast"]
    assert list(frame["contrast"])[3] == "y - x"
    text = str(found)
    assert "Effects on the mean, dy/dx, averaged over 300 rows" in text
    assert "city: y - x" in text and "old: True - False" in text
    test = found.test("city: y - x = 0, city: z - x = 0")
    assert test.df == 2.0 and 0.0 < test.p_value < 1.0


DENSITY = MLEDistribution("gamma").fit(COUNTS[:, None] + 1.0).inference()
RESULT = MLERegressor("poisson").fit(X, COUNTS).inference()
REFUSED = [
    (
        lambda: DENSITY.effects(X),
        "MLEDistribution gives no law of y.* Allowed: results of a",
    ),
    (lambda: RESULT.effects(X, ["d"]), "X has no column 'd'. Allowed: 'a', 'b', 'c'"),
    (lambda: RESULT.effects(X, at="mode"), "at='mode' is not known. Allowed: None"),
    (lambda: RESULT.effects(X, slope="xy"), "slope='xy' is not known. Allowed: 'dydx'"),
    (lambda: RESULT.effects(X, of="mode"), "of='mode' is not known of a law. Allowed: 'mean'"),
    (lambda: RESULT.effects(X, of="median"), "a law of whole numbers goes in steps.* Allowed"),
    (lambda: RESULT.effects(X, of=("quantile", 2)), "is no quantile. Allowed: probabilities"),
    (lambda: RESULT.effects(X, slope="eyex"), "column 'b' changes from level.* Allowed: 'dydx'"),
    (lambda: RESULT.effects(X, change={"a": "up"}), "change='up' of the column 'a'.* Allowed: 'sl"),
    (lambda: RESULT.effects(X, at={"a": "up"}), "at has 'up' for the column 'a'.* Allowed: a numb"),
    (lambda: RESULT.effects(X.iloc[:0]), "X has the shape \\(0, 3\\). Allowed: rows and columns"),
    (
        lambda: RESULT.effects(X, sample_weight=[1.0]),
        "shape \\(1,\\) for 300 rows. Allowed: a weig",
    ),
    (
        lambda: RESULT.effects(X, at="median", sample_weight=np.arange(300)),
        "at='median' with weights that differ. Allowed: 'mean'",
    ),
    (
        lambda: RESULT.effects(X.assign(a=np.where(X["a"] > 2, np.nan, X["a"]))),
        "column 'a' has missing or infinite values. Allowed: finite",
    ),
    (
        lambda: skmle.infer(pipeline()).effects(TABLE, change={"city": "rome"}),
        "'rome' is no level of the column 'city'. Allowed: 'x', 'y', 'z'",
    ),
    (
        lambda: skmle.infer(pipeline()).effects(TABLE, at={"city": "rome"}),
        "at has 'rome', which is no level of the column 'city'. Allowed: 'x'",
    ),
    (
        lambda: skmle.infer(pipeline()).effects(TABLE.assign(city="x"), ["city"]),
        "column 'city' has one level.* Allowed: at least two",
    ),
]


@pytest.mark.parametrize(("ask", "message"), REFUSED)
def test_what_is_refused(ask, message):
    with pytest.raises(ValueError, match=f"effects: .*{message}"):
        ask()


BEHIND = {
    "poisson": (MLERegressor("poisson", tol=1e-10), COUNTS),
    "gamma": (MLERegressor("gamma", features={"shape": "all"}, tol=1e-10), COUNTS + 1.0),
    "binary": (CrossEntropyClassifier(tol=1e-10), COUNTS > 0),
    "multinomial": (CrossEntropyClassifier(tol=1e-10), CLASSES),
}


@pytest.mark.parametrize("covariance", ["observed", "HC1"])
@pytest.mark.parametrize("name", BEHIND)
def test_effects_behind_an_encoder_that_drops_no_level(name, covariance):
    """The coefficients of its columns are not determined, but what is predicted is."""
    model, y = BEHIND[name]
    found = []
    for drop in (None, "first"):
        encoder = make_column_transformer(
            (OneHotEncoder(drop=drop), ["city", "old"]), remainder="passthrough"
        )
        pipe = make_pipeline(encoder, clone(model)).fit(TABLE, y)
        result = skmle.infer(pipe, TABLE, y, covariance=covariance)
        assert np.isnan(result.standard_errors).any() == (drop is None)
        found.append(result.effects(TABLE, ["a", "city", "old"]))
    np.testing.assert_allclose(found[0].estimates, found[1].estimates, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found[0].standard_errors, found[1].standard_errors, rtol=1e-7)


@pytest.mark.parametrize("name", BEHIND)
def test_effects_that_the_data_do_not_determine_are_refused(name):
    model, y = BEHIND[name]
    twice = X.assign(again=X["a"])
    result = clone(model).fit(twice, y).inference()
    alone = clone(model).fit(X, y).inference().effects(X, ["b", "c"])
    found = result.effects(twice, ["b", "c"])
    np.testing.assert_allclose(found.standard_errors, alone.standard_errors, rtol=1e-7)
    for column in ("a", "again"):
        with pytest.raises(ValueError, match="effects: .*that the data do not determine. Allowed"):
            result.effects(twice, [column])
    # Together they may be moved.
    both = make_pipeline(FunctionTransformer(doubled), clone(model)).fit(X, y)
    expected = clone(model).fit(X, y).inference().effects(X, ["a"])
    found = skmle.infer(both).effects(X, ["a"])
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-7)


@pytest.mark.slow
def test_errors_are_the_same_by_predictors_and_by_coefficients(monkeypatch):
    """The second is the way of what has no intercept, or no numbers to multiply."""
    cases = [
        (MLERegressor("gamma", features={"shape": ["a"]}, tol=1e-10), COUNTS + 1.0),
        (CrossEntropyClassifier(tol=1e-10), CLASSES),
    ]
    quick = [m.fit(X, y).inference().effects(X, slope="eydx") for m, y in cases]
    monkeypatch.setattr("skmle.inference.effects.as_matrix", lambda arrived: None)
    for (model, y), found in zip(cases, quick, strict=True):
        slow = model.fit(X, y).inference().effects(X, slope="eydx")
        np.testing.assert_allclose(found.covariance, slow.covariance, rtol=1e-7, atol=1e-14)


def test_effects_behind_sparse_columns_and_without_intercept():
    encoder = make_column_transformer((OneHotEncoder(), ["city"]), sparse_threshold=1.0)
    pipe = make_pipeline(encoder, MLERegressor("poisson", fit_intercept=False, tol=1e-10))
    alone = make_pipeline(encoder, MLERegressor("poisson", tol=1e-10))
    found = [skmle.infer(p.fit(TABLE, COUNTS)).effects(TABLE, ["city"]) for p in (pipe, alone)]
    np.testing.assert_allclose(found[0].estimates, found[1].estimates, rtol=1e-9)
    np.testing.assert_allclose(found[0].covariance, found[1].covariance, rtol=1e-7)


def doubled(frame):
    return frame.assign(again=frame["a"])


def test_sparse_rows_are_refused():
    with pytest.raises(ValueError, match="effects: X is sparse. Allowed: data frames and arrays"):
        RESULT.effects(csr_array(X.to_numpy()))
