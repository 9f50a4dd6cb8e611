"""Rows beside what a fit says of them: statsmodels' influence, and what must hold for every law."""

from __future__ import annotations

import builtins
import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle._shared.diagnostics import of_numbers
from skmle.families import Censored, Gamma, Poisson, ZeroInflated
from tests.estimators.data import conditional_data
from tests.families.laws import draw, points
from tests.subjects import SUBJECTS, as_columns, every, every_class, is_conditional, observations

N = 300
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
D = sm.add_constant(X, prepend=False)
MEAN = np.exp(0.5 + X @ [0.3, -0.2])
COUNTS = RNG.poisson(MEAN)
SUCCESSES = RNG.binomial(6, 1.0 / (1.0 + np.exp(-X[:, 0])))
TRIALS = np.column_stack([SUCCESSES, 6 - SUCCESSES])
TIMES = RNG.gamma(2.0, MEAN / 2.0)
SHORT = RNG.gamma(20.0, 1.0 / (1.5 + 0.2 * (X @ [0.3, -0.2])) / 20.0)
NUMBERS = X @ [1.0, 2.0] + RNG.normal(size=N)
LABELS = (SUCCESSES > 3).astype(int)
CLASSES = np.array(["a", "b", "c"])[np.clip(COUNTS, 0, 2)]


def told(model, y, X=X, **settings):
    return model.fit(X, y).inference().augment(X, y, **settings)


def same(found, known, atol=1e-8):
    np.testing.assert_allclose(np.asarray(found, float), known, rtol=1e-8, atol=atol)


# ---------------------------------------------------------------- statsmodels

GLMS = {
    "poisson": (MLERegressor("poisson", tol=1e-11), COUNTS, sm.families.Poisson()),
    "binomial": (MLERegressor("binomial", tol=1e-11), TRIALS, sm.families.Binomial()),
    "logit": (CrossEntropyClassifier(tol=1e-11), LABELS, sm.families.Binomial()),
    "gamma": (
        MLERegressor(Gamma(links={"mean": "inverse"}), tol=1e-11),
        SHORT,
        sm.families.Gamma(sm.families.links.InversePower()),
    ),
    "gamma, log": (
        MLERegressor("gamma", tol=1e-11),
        TIMES,
        sm.families.Gamma(sm.families.links.Log()),
    ),
}


@pytest.mark.filterwarnings("ignore:.*InversePower")
@pytest.mark.parametrize("name", GLMS)
def test_influence_is_that_of_statsmodels(name):
    model, y, family = GLMS[name]
    rows = told(model, y)
    theirs = sm.GLM(y, D, family=family).fit(tol=1e-14, maxiter=200)
    influence = theirs.get_influence(observed=False)
    # Our residuals have the scale in them: 1/shape of a gamma law, 1 of the others.
    shape = getattr(model, "params_", {}).get("shape", 1.0)
    same(rows["fitted"], theirs.fittedvalues)
    same(rows["pearson_residual"] / np.sqrt(shape), theirs.resid_pearson)
    same(rows["deviance_residual"] / np.sqrt(shape), theirs.resid_deviance)
    same(rows["leverage"], influence.hat_matrix_diag)
    same(rows["cooks_distance"] / shape / theirs.scale, influence.cooks_distance[0])


def test_influence_of_least_squares():
    rows = told(MLERegressor(tol=1e-12), NUMBERS)
    influence = sm.OLS(NUMBERS, D).fit().get_influence()
    same(rows["leverage"], influence.hat_matrix_diag)
    same(rows["cooks_distance"] * (N - 3) / N, influence.cooks_distance[0])
    # Their residual is divided by the unbiased scale and the root of 1 - leverage.
    left = np.sqrt((N - 3) / N / (1.0 - rows["leverage"]))
    same(rows["pearson_residual"] * left, influence.resid_studentized_internal)
    same(rows["deviance_residual"], rows["pearson_residual"])
    same(rows["quantile_residual"], rows["pearson_residual"])


def test_cooks_distance_is_that_of_fits_without_the_row():
    x, y = X[:30], NUMBERS[:30]
    model = MLERegressor(tol=1e-12).fit(x, y)
    rows = model.inference().augment(x, y)
    coefs = np.append(model.coef_, model.intercept_)
    inverse = np.linalg.inv(model.inference(x, y, covariance="expected").covariance[:3, :3])
    for i in range(0, 30, 7):
        without = MLERegressor(tol=1e-12).fit(np.delete(x, i, 0), np.delete(y, i))
        away = np.append(without.coef_, without.intercept_) - coefs
        assert rows["cooks_distance"][i] == pytest.approx(away @ inverse @ away / 3, rel=1e-8)


# ---------------------------------------------------------------- every law


def has_place(family):
    if not (family.univariate and family.observation.numeric):
        return False
    y = draw(family, points(family, 1)[0], 3, np.random.default_rng(0))
    theta = family.natural(family.linked(points(family, 1)[0]))
    return family.predicted(theta).family.numbers_of(y) is not None


@every(SUBJECTS, has_place)
def test_places_in_the_true_law_are_uniform(family):
    rng = np.random.default_rng(3)
    for eta in points(family, 2):
        y = draw(family, eta, 2000, rng)
        linked = tuple(np.full(len(y), e) for e in family.linked(eta))
        log_prob = family.log_prob(y, linked)
        found = of_numbers(family, y, linked, log_prob, rng.uniform(size=len(y)))
        assert stats.kstest(found["pit"], "uniform").pvalue > 1e-4
        assert stats.kstest(found["quantile_residual"], "norm").pvalue > 1e-4
        if np.isfinite(family.std(family.natural(linked))).all():
            assert np.isfinite(found["pearson_residual"]).all()


@every_class(lambda cls: is_conditional(cls) and cls().observation.numeric)
def test_columns_of_every_regression(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    rows = model.inference().augment(X, y)
    assert len(rows) == len(X)
    np.testing.assert_allclose(rows["log_prob"].sum(), model.log_likelihood_, rtol=1e-9)
    modelled = len(model.coef_) + 1
    assert rows["leverage"].sum() == pytest.approx(modelled, rel=1e-6)
    assert (rows["cooks_distance"] >= 0.0).all()
    if "deviance_residual" in rows:
        assert np.isfinite(rows["deviance_residual"]).all()


@every_class(lambda cls: cls.regular and cls.support.smooth)
def test_columns_of_every_density(cls):
    y = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(y)
    rows = model.inference().augment(y)
    np.testing.assert_allclose(rows["log_prob"].sum(), model.log_likelihood_, rtol=1e-9)
    terms = sum(len(fit.coefs) for fit in model._fits)
    assert rows["leverage"].sum() == pytest.approx(terms, rel=1e-6)


@pytest.mark.parametrize("y", [-60.0, 60.0])
def test_quantile_residuals_far_out(y):
    model = MLERegressor(fixed={"scale": 1.0}).fit(np.zeros((2, 1)), [-1.0, 1.0])
    rows = model.inference().augment([[0.0]], [y], influence=False)
    assert rows["quantile_residual"][0] == pytest.approx(y, rel=1e-12)


def test_middle_places_of_counts():
    rows = told(MLERegressor("poisson"), COUNTS, pit="mid")
    law = stats.poisson(rows["fitted"])
    same(rows["pit"], 0.5 * (law.cdf(COUNTS) + law.cdf(COUNTS - 1)))


def test_places_between_the_ends_of_counts():
    one, two = (told(MLERegressor("poisson"), COUNTS, random_state=s) for s in (1, 2))
    law = stats.poisson(one["fitted"])
    for rows in (one, two):
        assert (rows["pit"] <= law.cdf(COUNTS)).all()
        assert (rows["pit"] >= law.cdf(COUNTS - 1)).all()
    assert (one["pit"] != two["pit"]).all()
    again = told(MLERegressor("poisson"), COUNTS, random_state=1)
    pd.testing.assert_frame_equal(one, again)


def test_trials_that_differ_from_row_to_row():
    trials = RNG.integers(1, 9, size=N)
    y = RNG.binomial(trials, 0.4)
    model = MLERegressor("binomial").fit(X, np.column_stack([y, trials - y]))
    rows = model.inference().augment(X, np.column_stack([y, trials - y]), pit="mid")
    law = stats.binom(trials, rows["fitted"])
    same(rows["pit"], 0.5 * (law.cdf(y) + law.cdf(y - 1)))
    same(rows["pearson_residual"], (y - law.mean()) / law.std())


def test_zeros_beside_a_density():
    y = np.where(RNG.random(N) < 0.3, 0.0, TIMES)
    rows = told(MLERegressor(ZeroInflated("gamma")), y)
    assert stats.kstest(rows["pit"], "uniform").pvalue > 1e-3


@pytest.mark.filterwarnings("ignore:.*of y not whole:skmle.exceptions.ScaleWarning")
def test_rates_have_no_place_in_a_law_of_counts():
    rows = told(MLERegressor("poisson"), TIMES)
    assert rows["pit"].isna().all() and rows["deviance_residual"].notna().all()


def test_of_a_law_without_mean():
    model = MLERegressor("t", fixed={"df": 1.0})
    rows = told(model, NUMBERS)
    below = NUMBERS < model.predict_dist(X).median()
    assert (np.sign(rows["deviance_residual"]) == np.where(below, -1.0, 1.0)).all()
    assert rows["pearson_residual"].isna().all()


def test_of_a_law_that_is_known_altogether():
    rows = told(MLERegressor("poisson", fixed={"mean": 2.0}), COUNTS)
    same(rows["pearson_residual"], (COUNTS - 2.0) / np.sqrt(2.0))
    assert (rows["leverage"] == 0.0).all() and (rows["cooks_distance"] == 0.0).all()


def test_censored_rows_have_no_place_but_a_deviance():
    y = skmle.censored(TIMES, event=TIMES < 2.0)
    rows = told(MLERegressor(Censored("weibull")), y)
    assert "pit" not in rows and np.isfinite(rows["deviance_residual"]).all()


# ---------------------------------------------------------------- classes


def test_of_several_classes():
    model = CrossEntropyClassifier(tol=1e-11)
    rows = told(model, CLASSES)
    proba = model.predict_proba(X)
    own = proba[np.arange(N), np.searchsorted(model.classes_, CLASSES)]
    same(rows["deviance_residual"], np.sqrt(-2.0 * np.log(own)))
    same(rows["pearson_residual"], np.sqrt(1.0 / own - 1.0))
    assert (rows["fitted"] == model.predict(X)).all() and "pit" not in rows
    assert rows["leverage"].sum() == pytest.approx(6.0, rel=1e-8)


def test_of_classes_in_order():
    model = OrdinalClassifier(classes=["a", "b", "c"]).fit(X, CLASSES)
    rows = model.inference().augment(X, CLASSES, pit="mid")
    proba = model.predict_proba(X)
    code = np.searchsorted(model.classes_, CLASSES)
    upto = np.cumsum(proba, axis=1)[np.arange(N), code]
    same(rows["pit"], upto - 0.5 * proba[np.arange(N), code])


def test_of_soft_labels():
    soft = np.clip(RNG.normal(0.5, 0.2, size=N), 0.01, 0.99)
    model = CrossEntropyClassifier(tol=1e-11)
    rows = told(model, soft)
    p = model.predict_proba(X)[:, 1]
    same(rows["pearson_residual"], (soft - p) / np.sqrt(p * (1.0 - p)))
    assert rows["pit"].isna().all() and rows["cooks_distance"].notna().all()


# ---------------------------------------------------------------- rows and frames


def test_rows_of_weight_zero_keep_their_place():
    weight = np.where(np.arange(N) % 3 == 0, 0.0, 1.0)
    part = weight > 0.0
    model = MLERegressor("poisson").fit(X, COUNTS, sample_weight=weight)
    rows = model.inference().augment(X, COUNTS, weight, pit="mid")
    fewer = MLERegressor("poisson").fit(X[part], COUNTS[part]).inference()
    known = fewer.augment(X[part], COUNTS[part], pit="mid")
    for name in known:
        same(rows[name][part], known[name], atol=1e-6)
    assert (rows["leverage"][~part] == 0.0).all() and (rows["cooks_distance"][~part] == 0.0).all()
    assert np.isfinite(rows["pearson_residual"]).all()


@pytest.mark.parametrize("name", ["poisson", "normal", "gamma"])
def test_a_weight_is_a_repeated_row(name):
    y = {"poisson": COUNTS, "normal": NUMBERS, "gamma": TIMES}[name]
    repeats = RNG.integers(1, 4, size=N)
    rows = np.repeat(np.arange(N), repeats)
    one = MLERegressor(name, tol=1e-10).fit(X, y, sample_weight=repeats).inference()
    other = MLERegressor(name, tol=1e-10).fit(X[rows], y[rows]).inference()
    found, known = one.augment(X, y, repeats, pit="mid"), other.augment(X[rows], y[rows], pit="mid")
    np.testing.assert_allclose(found.to_numpy()[rows], known.to_numpy(), rtol=1e-6, atol=1e-9)


def test_offsets_beside_the_columns():
    model = MLERegressor("poisson").fit(X, COUNTS, exposure=MEAN)
    rows = model.inference().augment(X, COUNTS, exposure=MEAN)
    same(rows["fitted"], model.predict(X, exposure=MEAN))
    with pytest.raises(ValueError, match="not the rows of the fit"), pytest.warns(UserWarning):
        model.inference().augment(X, COUNTS)


def test_the_index_of_a_frame_stays():
    frame = pd.DataFrame(X, columns=["a", "b"], index=[f"row {i}" for i in range(N)])
    rows = told(MLERegressor("poisson"), COUNTS, X=frame)
    assert (rows.index == frame.index).all()


def test_a_frame_of_polars_gives_one():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(X, schema=["a", "b"])
    rows = told(MLERegressor("poisson"), COUNTS, X=frame)
    assert isinstance(rows, pl.DataFrame) and rows.height == N


def without(monkeypatch, *libraries):
    real = builtins.__import__

    def refusing(name, *rest, **named):
        if name.partition(".")[0] in libraries:
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refusing)
    for name in libraries:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_without_pandas_frames_are_those_of_polars(monkeypatch):
    pl = pytest.importorskip("polars")
    result = MLERegressor("poisson").fit(X, COUNTS).inference()
    without(monkeypatch, "pandas")
    for frame in (result.augment(X, COUNTS), result.tidy(), result.glance()):
        assert isinstance(frame, pl.DataFrame)


def test_without_any_library_there_are_arrays(monkeypatch):
    result = MLERegressor("poisson").fit(X, COUNTS).inference()
    without(monkeypatch, "pandas", "polars")
    rows = result.augment(X, COUNTS)
    assert isinstance(rows, dict) and all(len(column) == N for column in rows.values())
    assert isinstance(result.glance(), dict)


def test_several_columns_of_a_density():
    frame = pd.DataFrame({"u": TIMES, "v": TIMES[::-1] + 1.0})
    rows = MLEDistribution("gamma").fit(frame).inference().augment(frame)
    alone = MLEDistribution("gamma").fit(frame[["v"]]).inference().augment(frame[["v"]])
    same(rows["quantile_residual[v]"], alone["quantile_residual"])
    assert rows["leverage"].sum() == pytest.approx(4.0, rel=1e-6)


def test_through_a_pipeline():
    pipe = make_pipeline(StandardScaler(), MLERegressor("poisson", tol=1e-10)).fit(X, COUNTS)
    rows = skmle.infer(pipe).augment(X, COUNTS)
    known = told(MLERegressor("poisson", tol=1e-10), COUNTS)
    np.testing.assert_allclose(rows.to_numpy(), known.to_numpy(), rtol=1e-6, atol=1e-8)


# ---------------------------------------------------------------- one line


def test_glance():
    model = MLERegressor("poisson").fit(X, COUNTS)
    line = model.inference().glance().iloc[0]
    known = sm.GLM(COUNTS, D, family=sm.families.Poisson()).fit()
    assert (line["model"], line["n"], line["status"]) == ("Poisson regression", N, "interior")
    assert line["log_likelihood"] == pytest.approx(known.llf)
    assert line["aic"] == pytest.approx(known.aic)
    assert line["aicc"] == pytest.approx(known.aic + 2 * 3 * 4 / (N - 4))
    assert line["bic"] == pytest.approx(known.bic_llf)
    assert line["dispersion"] == pytest.approx(known.pearson_chi2 / known.df_resid)
    assert line["errors"] == "observed information"
    robust = model.inference(X, COUNTS, covariance="HC1").glance().iloc[0]
    assert robust["errors"] == "HC1 sandwich"


def test_glance_without_criteria():
    model = CrossEntropyClassifier(class_weight="balanced").fit(X, LABELS)
    line = model.inference().glance().iloc[0]
    assert line[["aic", "aicc", "bic", "dispersion"]].isna().all()


# ---------------------------------------------------------------- what is refused


def test_other_rows_are_refused_unless_no_influence_is_wanted():
    result = MLERegressor(Poisson()).fit(X, COUNTS).inference()
    with pytest.raises(ValueError, match="not the rows of the fit"):
        result.augment(X[:50], COUNTS[:50])
    assert len(result.augment(X[:50], COUNTS[:50], influence=False)) == 50


def test_bad_settings():
    result = MLERegressor("poisson").fit(X, COUNTS).inference()
    with pytest.raises(ValueError, match="pit='middle' is not known"):
        result.augment(X, COUNTS, pit="middle")
    other = result.estimate(lambda m: m.predict(X[:1]))
    for ask in (other.glance, lambda: other.augment(X, COUNTS)):
        with pytest.raises(ValueError, match="do not know"):
            ask()
