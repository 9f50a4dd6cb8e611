"""Cumulative-link models of ordered classes."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import optimize, stats

from skmle import CrossEntropyClassifier, OrdinalClassifier
from skmle.exceptions import SeparationWarning, SettingWarning
from skmle.families.differences import differences
from skmle.families.ordinal import Ordinal
from tests.estimators.cases import SPECS, load_columns

LINKS = ["logit", "probit", "cloglog", "loglog", "cauchit"]
INVERSE = {
    "logit": stats.logistic.cdf,
    "probit": stats.norm.cdf,
    "cloglog": lambda t: -np.expm1(-np.exp(t)),
    "loglog": lambda t: np.exp(-np.exp(-t)),
    "cauchit": stats.cauchy.cdf,
}


def data(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    latent = X @ [1.0, -0.5] + rng.logistic(size=n)
    return X, np.digitize(latent, [-1.0, 0.3, 1.5])


@pytest.mark.parametrize("link", LINKS)
def test_derivatives(link):
    family, rng = Ordinal(4, link), np.random.default_rng(0)
    y, eta = rng.integers(0, 4, 50).astype(float), (rng.normal(size=50), -1.0, 0.3, 1.4)
    eta = tuple(np.asarray(e) for e in eta)
    ours = family.evaluate((y,), eta, 2)
    known = differences(lambda moved: family.evaluate((y,), moved, 0).value, eta, 2)
    for a, b in zip((*ours.gradient, *ours.packed), (*known.gradient, *known.packed), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


@pytest.mark.parametrize("link", LINKS)
def test_the_maximum_is_that_of_the_formula(link):
    X, y = data()
    model = OrdinalClassifier(link=link).fit(X, y)
    assert model.status_ == "interior" and (np.diff(model.cut_points_) > 0.0).all()

    def minus_log_likelihood(theta):
        cuts = np.concatenate([[-np.inf], np.cumsum([theta[2], *np.exp(theta[3:])]), [np.inf]])
        location, inverse = X @ theta[:2], INVERSE[link]
        with np.errstate(all="ignore"):
            share = inverse(cuts[y + 1] - location) - inverse(cuts[y] - location)
            return -np.log(np.maximum(share, 1e-300)).sum()

    start = [*model.coef_, model.cut_points_[0], *np.log(np.diff(model.cut_points_))]
    best = optimize.minimize(minus_log_likelihood, start, method="Nelder-Mead", tol=1e-10)
    np.testing.assert_allclose(-best.fun, model.log_likelihood_, rtol=1e-9)
    np.testing.assert_allclose(model.score(X, y) * len(y), model.log_likelihood_, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)


def test_the_reference_case():
    spec = SPECS["ucla_ordered_logit"]
    columns, polished = load_columns(spec["data"]), spec["polished"]
    X = np.column_stack([columns[name] for name in spec["model"]["parameters"]["eta"]["terms"]])
    model = OrdinalClassifier(classes=spec["model"]["classes"])
    model.fit(X.astype(float), columns[spec["model"]["response"]["column"]])
    found = np.concatenate([model.coef_, model.cut_points_])
    names = list(polished["params"])
    errors = np.array([polished["bse_observed"][name] for name in names])
    wanted = np.array([polished["params"][name] for name in names])
    assert (np.abs(found - wanted) / errors).max() < 1e-6
    np.testing.assert_allclose(model.log_likelihood_, polished["loglik"], rtol=1e-9)
    np.testing.assert_allclose(model.inference().standard_errors, errors, rtol=1e-6)


def test_two_classes_are_logistic_regression():
    X, y = data()
    ours, plain = OrdinalClassifier().fit(X, y > 0), CrossEntropyClassifier().fit(X, y > 0)
    np.testing.assert_allclose(ours.coef_, plain.coef_[0], rtol=1e-8)
    np.testing.assert_allclose(-ours.cut_points_, plain.intercept_, rtol=1e-8)
    np.testing.assert_allclose(ours.log_likelihood_, plain.log_likelihood_, rtol=1e-12)


def test_a_separating_column_is_named_and_the_rest_is_known():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), np.repeat([0.0, 1.0], [50, 10])])
    y = np.concatenate([rng.integers(0, 3, 50), np.full(10, 2)])
    with pytest.warns(SeparationWarning, match="'x1' separates"):
        model = OrdinalClassifier().fit(X, y)
    assert model.separated_.columns == {"location": {"x1": np.inf}}
    assert model.separated_.n_rows == 10
    without = OrdinalClassifier().fit(X[:50, :1], y[:50])
    table = model._results()
    np.testing.assert_allclose(model.cut_points_, without.cut_points_, rtol=1e-6)
    known = np.isfinite(table.standard_errors)
    np.testing.assert_allclose(
        table.standard_errors[known], without.inference().standard_errors, rtol=1e-6
    )


def test_classes_without_rows_keep_their_place():
    X, y = data()
    whole = OrdinalClassifier(classes=[0, 1, 2, 3, 4, 5]).fit(X, y + 1)
    plain = OrdinalClassifier().fit(X, y)
    np.testing.assert_array_equal(whole.predict_proba(X)[:, 1:5], plain.predict_proba(X))
    assert not whole.predict_proba(X)[:, [0, 5]].any()
    assert whole.cut_points_[0] == -np.inf and whole.cut_points_[-1] == np.inf


def test_a_ridge_shrinks_and_weights_repeat():
    X, y = data()
    free, held = OrdinalClassifier().fit(X, y), OrdinalClassifier(alpha=0.5).fit(X, y)
    assert (np.abs(held.coef_) < np.abs(free.coef_)).all()
    times = 1 + np.arange(len(y)) % 2
    weighted = OrdinalClassifier().fit(X, y, sample_weight=times)
    repeated = OrdinalClassifier().fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"link": "log"}, "OrdinalClassifier: unknown link"),
        ({"classes": [0, 1, 2]}, "label 3, which is not among"),
        ({"classes": [0, 1, 1, 2, 3]}, "no order of labels"),
        ({"alpha": -1.0}, "alpha=-1.0"),
    ],
)
def test_bad_settings(settings, message):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        OrdinalClassifier(**settings).fit(X, y)


def test_the_table_shows_cut_points():
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = str(OrdinalClassifier().fit(X, y).summary())
    assert "Ordinal classifier, logit link" in text and "cut_3" in text
    assert "0 < 1 < 2 < 3" in text.splitlines()[0]


WORDS = ["low", "mid", "high", "top"]


@pytest.mark.parametrize(
    "typed",
    [
        lambda words: pd.Series(pd.Categorical(words, WORDS, ordered=True)),
        lambda words: pd.Categorical(words, WORDS, ordered=True),
        lambda words: pl.Series(words.tolist(), dtype=pl.Enum(WORDS)),
    ],
    ids=["series", "categorical", "enum"],
)
def test_labels_bring_their_order_along(typed):
    X, y = data()
    words = np.array(WORDS)[y]
    model = OrdinalClassifier().fit(X, typed(words))
    told = OrdinalClassifier(classes=WORDS).fit(X, words)
    assert model.classes_.tolist() == WORDS
    np.testing.assert_array_equal(model.coef_, told.coef_)
    assert "low < mid < high < top" in str(model.summary()).splitlines()[0]
    other = OrdinalClassifier(classes=WORDS[::-1]).fit(X, typed(words))
    assert other.classes_.tolist() == WORDS[::-1]


@pytest.mark.parametrize(
    "typed",
    [
        np.asarray,
        lambda words: words.astype(object),
        lambda words: words.tolist(),
        lambda words: pd.Series(pd.Categorical(words, WORDS)),
    ],
    ids=["array", "object", "list", "categorical"],
)
def test_words_without_order_are_sorted_and_a_warning_tells_how_to_give_one(typed):
    X, y = data()
    words = np.array(WORDS)[y]
    said = r"high < low < mid < top\. .*classes=\['high', 'low', 'mid', 'top'\]"
    with pytest.warns(SettingWarning, match=said):
        model = OrdinalClassifier().fit(X, typed(words))
    assert model.classes_.tolist() == sorted(WORDS)
    assert "high < low < mid < top" in str(model.summary()).splitlines()[0]


@pytest.mark.parametrize(
    "settings", [{"classes": WORDS}, {"classes": np.array(WORDS)}, {"classes": pd.Index(WORDS)}]
)
def test_words_of_a_stated_order_and_two_words_need_no_warning(settings):
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert OrdinalClassifier(**settings).fit(X, np.array(WORDS)[y]).classes_.tolist() == WORDS
        OrdinalClassifier().fit(X, np.where(y > 1, "yes", "no"))


INTERVALS = {
    "cut": lambda cut: pd.Series(cut),
    "categorical": lambda cut: cut,
    "categorical_index": pd.CategoricalIndex,
    "interval_index": pd.IntervalIndex,
    "interval_array": pd.arrays.IntervalArray,
    "series_of_intervals": lambda cut: pd.Series(pd.IntervalIndex(cut)),
    "object": lambda cut: np.array(cut, dtype=object),
    "list": list,
    "unordered": lambda cut: pd.Series(cut.as_unordered()),
}


@pytest.mark.parametrize("typed", INTERVALS.values(), ids=INTERVALS)
@pytest.mark.parametrize("classifier", [OrdinalClassifier, CrossEntropyClassifier])
def test_intervals_are_labels(typed, classifier):
    """The last interval begins with a larger digit, so an order of texts would be another."""
    X, _ = data()
    latent = X @ [1.0, -0.5] + np.random.default_rng(1).logistic(size=len(X))
    cut = pd.cut(latent, [-20.0, -1.0, 0.3, 2.0, 10.0])
    model, plain = classifier().fit(X, typed(cut)), classifier().fit(X, cut.codes)
    assert model.classes_.tolist() == list(cut.categories)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    assert model.score(X, typed(cut)) == plain.score(X, cut.codes)
    assert set(model.predict(X)) <= set(cut.categories)
    if classifier is OrdinalClassifier:
        first = str(model.summary()).splitlines()[0]
        assert "(-20.0, -1.0] < (-1.0, 0.3] < (0.3, 2.0] < (2.0, 10.0]" in first
        stated = OrdinalClassifier(classes=cut.categories).fit(X, typed(cut))
        np.testing.assert_array_equal(stated.coef_, plain.coef_)


def test_an_interval_without_rows_keeps_its_place():
    X, y = data()
    cut = pd.cut(y, [-1.5, -0.5, 0.5, 1.5, 3.5])
    model = OrdinalClassifier().fit(X, pd.Series(cut))
    assert model.classes_.tolist() == list(cut.categories)
    assert not model.predict_proba(X)[:, 0].any()


def test_numbers_outside_all_intervals_are_missing_labels():
    X, y = data()
    with pytest.raises(ValueError, match="y contains NaN"):
        OrdinalClassifier().fit(X, pd.cut(y, [0.5, 1.5, 2.5]))


@pytest.mark.parametrize("label", [object(), None, {"a": 1}], ids=["object", "none", "dict"])
def test_objects_without_order_are_no_labels(label):
    X, y = data()
    labels = np.empty(len(y), dtype=object)
    labels[:] = [label] * len(y)
    with pytest.raises(ValueError, match="label|NaN"):
        OrdinalClassifier().fit(X, labels)
