"""The Pearson dispersion of counts: statsmodels' number, and what the table says of it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import skmle
from skmle import MLERegressor
from skmle._shared import regression
from skmle.families import Truncated
from skmle.families.tools.expected import variance_of_counts
from skmle.inference.dispersion import dispersion_of

sm = pytest.importorskip("statsmodels.api")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 2))
MEAN = np.exp(0.5 + X @ [0.3, -0.2])
COUNTS = RNG.poisson(MEAN)
WIDE = RNG.negative_binomial(1, 1.0 / (1.0 + MEAN))
SUCCESSES = RNG.binomial(6, 1.0 / (1.0 + np.exp(-X[:, 0])))
TRIALS = np.column_stack([SUCCESSES, 6 - SUCCESSES])
WEIGHT = RNG.integers(0, 4, size=400)


def theirs(y, family, weight=None):
    model = sm.GLM(y, sm.add_constant(X), family=family, freq_weights=weight)
    found = model.fit(tol=1e-13, maxiter=100)
    return found.pearson_chi2 / found.df_resid


FAMILIES = {
    "poisson": (WIDE, sm.families.Poisson()),
    "binomial": (TRIALS, sm.families.Binomial()),
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weights"])
@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_that_of_statsmodels(name, weight):
    y, family = FAMILIES[name]
    model = MLERegressor(name, tol=1e-10).fit(X, y, sample_weight=weight)
    assert model.pearson_dispersion_ == pytest.approx(theirs(y, family, weight), rel=1e-9)


def test_of_a_dispersion_that_is_estimated():
    model = MLERegressor("negative_binomial", tol=1e-10).fit(X, WIDE)
    family = sm.families.NegativeBinomial(alpha=model.params_["dispersion"])
    assert model.pearson_dispersion_ == pytest.approx(theirs(WIDE, family), rel=1e-8)


def test_of_waiting_times():
    """A geometric law is a negative binomial one of dispersion 1 and y - 1."""
    model = MLERegressor("geometric", features={"probability": "none"}, tol=1e-10).fit(X, WIDE + 1)
    mean = WIDE.mean()
    squares = (WIDE - mean) ** 2 / (mean + mean**2)
    assert model.pearson_dispersion_ == pytest.approx(squares.sum() / 399, rel=1e-8)


def test_under_an_offset_and_for_sparse_columns():
    plain = MLERegressor("poisson").fit(X, WIDE, exposure=np.exp(X[:, 1]))
    offset = MLERegressor("poisson").fit(sp.csr_array(X), WIDE, offset=X[:, 1])
    assert offset.pearson_dispersion_ == pytest.approx(plain.pearson_dispersion_, rel=1e-8)
    found = sm.GLM(WIDE, sm.add_constant(X), family=sm.families.Poisson(), offset=X[:, 1]).fit()
    known = found.pearson_chi2 / found.df_resid
    assert plain.pearson_dispersion_ == pytest.approx(known, rel=1e-6)


def test_a_collinear_column_counts_once():
    double = np.column_stack([X, X[:, 0]])
    model = MLERegressor("poisson").fit(double, WIDE)
    known = MLERegressor("poisson").fit(X, WIDE).pearson_dispersion_
    assert model.pearson_dispersion_ == pytest.approx(known, rel=1e-6)


def test_of_a_law_that_is_known_altogether():
    model = MLERegressor("poisson", fixed={"mean": 2.0}).fit(X, COUNTS)
    squares = (COUNTS - 2.0) ** 2 / 2.0
    assert model.pearson_dispersion_ == pytest.approx(squares.mean(), rel=1e-9)
    beside = MLERegressor("poisson", fixed={"mean": 2.0}).fit(X, COUNTS, offset=X[:, 0])
    squares = (COUNTS - 2.0 * np.exp(X[:, 0])) ** 2 / (2.0 * np.exp(X[:, 0]))
    assert beside.pearson_dispersion_ == pytest.approx(squares.mean(), rel=1e-9)


@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
def test_at_the_limit_of_no_dispersion_it_is_that_of_poisson():
    narrow = np.round(MEAN) + 5
    model = MLERegressor("negative_binomial").fit(X, narrow)
    known = MLERegressor("poisson").fit(X, narrow).pearson_dispersion_
    assert model.status_ == "boundary"
    assert model.pearson_dispersion_ == pytest.approx(known, rel=1e-6)


def test_long_data_are_sampled(monkeypatch):
    whole = MLERegressor("poisson").fit(X, COUNTS)
    monkeypatch.setattr(regression, "_ROWS", 200)
    sampled = [MLERegressor("poisson").fit(X, COUNTS) for _ in range(2)]
    assert sampled[0].pearson_dispersion_ == sampled[1].pearson_dispersion_
    error = np.sqrt(2 / 197)
    away = sampled[0].pearson_dispersion_ - whole.pearson_dispersion_
    assert 0.0 < abs(away) < 4.0 * error


# ---------------------------------------------------------------- what the table says


def test_the_table_says_that_counts_are_overdispersed():
    model = MLERegressor("poisson").fit(X, WIDE)
    text = " ".join(str(model.summary()).split())
    error = f"{np.sqrt(2 / 397):.2g}"
    assert f"Pearson dispersion {model.pearson_dispersion_:.3g}, s.e. {error} about 1" in text
    assert "covariance='HC3'" in text and "negative_binomial" in text


@pytest.mark.parametrize("family", ["negative_binomial", skmle.families.ZeroInflated("poisson")])
def test_no_law_is_named_to_itself(family):
    model = MLERegressor(family).fit(X, WIDE)
    model._dispersion = dispersion_of(np.linspace(1.0, 3.0, 400), None, 400.0, 3)
    text = " ".join(str(model.summary()).split())
    assert "spread wider than the law" in text and "covariance='HC3'" in text
    assert ("as negative_binomial" in text) == (family != "negative_binomial")


def test_not_where_the_errors_already_hold():
    model = MLERegressor("poisson").fit(X, WIDE)
    text = " ".join(str(model.inference(X, WIDE, covariance="HC1").summary()).split())
    assert "counts spread wider than the law" in text and "too small" not in text


@pytest.mark.parametrize("name, y", [("poisson", COUNTS), ("binomial", TRIALS)])
def test_nothing_of_counts_that_follow_the_law(name, y):
    text = str(MLERegressor(name).fit(X, y).summary())
    assert "Pearson dispersion" in text and "spread" not in text


def test_counts_narrower_than_the_law():
    text = str(MLERegressor("poisson").fit(X, np.round(MEAN) + 5).summary())
    assert "narrower" in text and "too large" in text and "negative_binomial" not in text


def test_rare_counts_are_not_called_dispersed_by_chance():
    """Of Poisson counts of mean 0.01 the squares of Pearson residuals vary as 2 + 1/0.01."""
    rng = np.random.default_rng(1)
    said = 0
    for _ in range(40):
        y = rng.poisson(0.01, size=1000)
        model = MLERegressor("poisson", features={"mean": "none"}).fit(np.zeros((1000, 1)), y)
        said += "spread" in str(model.summary())
    assert said <= 2


NOT_COUNTS = {
    "normal": COUNTS,
    "gamma": MEAN * RNG.uniform(0.5, 2.0, size=400),
    "censored": skmle.censored(COUNTS + 1.0, event=COUNTS > 0),
    "bernoulli": (COUNTS > 0).astype(int),
    "binomial": np.column_stack([COUNTS > 0, COUNTS == 0]).astype(int),  # of one trial
}


@pytest.mark.parametrize("name", NOT_COUNTS)
def test_other_laws_have_none(name):
    family = skmle.families.Censored("poisson") if name == "censored" else name
    model = MLERegressor(family).fit(X, NOT_COUNTS[name])
    assert np.isnan(model.pearson_dispersion_) and "dispersion" not in str(model.summary())


def test_through_zero_inflation():
    y = np.where(RNG.random(400) < 0.3, 0, COUNTS)
    model = MLERegressor(skmle.families.ZeroInflated("poisson")).fit(X, y)
    law = model.predict_dist(X)
    squares = (y - law.mean()) ** 2 / law.var()
    assert model.pearson_dispersion_ == pytest.approx(squares.sum() / (400 - 3), rel=1e-9)


@pytest.mark.slow
def test_the_quick_variance_is_that_of_the_law():
    """Of laws whose variance has no formula, narrow and wide."""
    for name, theta in (
        ("poisson", (np.linspace(0.1, 2000.0, 12),)),
        ("negative_binomial", (np.linspace(0.1, 500.0, 12), np.linspace(0.01, 3.0, 12))),
    ):
        law = Truncated(name, low=2.0)
        np.testing.assert_allclose(variance_of_counts(law, theta), law.variance(theta), rtol=1e-10)
