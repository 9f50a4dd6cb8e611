"""Laws that models of others tell: scikit-learn's, statsmodels' results, registered ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import (
    BayesianRidge,
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, Distribution, MLERegressor, OrdinalClassifier
from skmle._any_model import laws
from skmle.information import information_gain
from tests.any_model.foreign import Boosted

N = 150
RNG = np.random.default_rng(5)
X = RNG.normal(size=(N, 2))
ETA = 0.4 + X @ [0.3, -0.2]
MEAN = np.exp(ETA)
COUNTS = RNG.poisson(MEAN).astype(float)
TIMES = RNG.gamma(3.0, MEAN / 3.0)
NUMBERS = ETA + 0.5 * RNG.normal(size=N)
LABELS = np.array(["a", "b", "c"])[np.digitize(ETA + RNG.logistic(size=N), [-0.5, 1.0])]
TRUTHS = (RNG.uniform(size=N) < 1.0 / (1.0 + np.exp(-ETA))).astype(float)
D = sm.add_constant(X)
BELOW = sm.families
GP = GaussianProcessRegressor(RBF() + WhiteKernel(), random_state=0)

# name: (fitted model, its rows, y, the log-probability of each row by other means)
MODELS = {}


def told(name, model, y, known, rows=X):
    MODELS[name] = (model, rows, y, known)


def of_sklearn():
    linear = BayesianRidge().fit(X, NUMBERS)
    loc, scale = linear.predict(X, return_std=True)
    told("bayesian ridge", linear, NUMBERS, stats.norm(loc, scale).logpdf(NUMBERS))
    process = GP.fit(X, NUMBERS)
    loc, scale = process.predict(X, return_std=True)
    told("gaussian process", process, NUMBERS, stats.norm(loc, scale).logpdf(NUMBERS))
    poisson = make_pipeline(StandardScaler(), PoissonRegressor()).fit(X, COUNTS)
    told("poisson", poisson, COUNTS, stats.poisson(poisson.predict(X)).logpmf(COUNTS))
    for name, model in (
        ("logistic", LogisticRegression()),
        ("cross-entropy", CrossEntropyClassifier()),
        ("ordinal", OrdinalClassifier(classes=["a", "b", "c"])),
    ):
        proba = model.fit(X, LABELS).predict_proba(X)
        column = np.searchsorted(model.classes_, LABELS)
        told(name, model, LABELS, np.log(proba[np.arange(N), column]))
    told("boosted", Boosted().fit(X, NUMBERS), NUMBERS, stats.norm(NUMBERS.mean()).logpdf(NUMBERS))


def of_statsmodels():
    least = sm.OLS(NUMBERS, D).fit()
    spread = np.sqrt(least.scale)
    told("OLS", least, NUMBERS, stats.norm(least.fittedvalues, spread).logpdf(NUMBERS), D)
    frame = pd.DataFrame({"y": NUMBERS, "u": X[:, 0], "v": X[:, 1]})
    formula = smf.glm("y ~ u + v", frame).fit()
    told("formula", formula, NUMBERS, stats.norm(least.fittedvalues, spread).logpdf(NUMBERS), frame)
    counts = sm.GLM(COUNTS, D, family=BELOW.Poisson()).fit()
    told("GLM poisson", counts, COUNTS, stats.poisson(counts.fittedvalues).logpmf(COUNTS), D)
    wide = sm.GLM(COUNTS, D, family=BELOW.NegativeBinomial(alpha=0.5)).fit()
    p = 1.0 / (1.0 + 0.5 * wide.fittedvalues)
    told("GLM negative binomial", wide, COUNTS, stats.nbinom(2.0, p).logpmf(COUNTS), D)
    times = sm.GLM(TIMES, D, family=BELOW.Gamma(BELOW.links.Log())).fit()
    known = stats.gamma(1.0 / times.scale, scale=times.scale * times.fittedvalues).logpdf(TIMES)
    told("GLM gamma", times, TIMES, known, D)
    for name, model in (
        ("GLM binomial", sm.GLM(TRUTHS, D, family=BELOW.Binomial())),
        ("Logit", sm.Logit(TRUTHS, D)),
    ):
        fit = model.fit(disp=0)
        told(name, fit, TRUTHS, stats.bernoulli(fit.predict()).logpmf(TRUTHS), D)
    zeros = sm.ZeroInflatedPoisson(np.r_[COUNTS[:100], np.zeros(50)], D).fit(disp=0)
    y = np.r_[COUNTS[:100], np.zeros(50)]
    told("zero-inflated", zeros, y, zeros.model.loglikeobs(zeros.params), D)
    codes = np.searchsorted(["a", "b", "c"], LABELS)
    classes = sm.MNLogit(codes, D).fit(disp=0)
    told("MNLogit", classes, codes, np.log(classes.predict()[np.arange(N), codes]), D)


of_sklearn()
of_statsmodels()


@pytest.mark.parametrize("name", MODELS)
def test_the_law_of_each_row(name):
    model, rows, y, known = MODELS[name]
    law = skmle.predict_dist(model, rows)
    np.testing.assert_allclose(skmle.log_prob(model, rows, y), known, rtol=1e-8, atol=1e-10)
    if isinstance(law, Distribution):
        np.testing.assert_allclose(law.log_prob(y), known, rtol=1e-8, atol=1e-10)


def test_labels_in_an_order_of_their_own():
    model = OrdinalClassifier(classes=["b", "a", "c"]).fit(X, LABELS)
    law = skmle.predict_dist(model, X)
    np.testing.assert_allclose(law.log_prob(LABELS), model.log_prob(X, LABELS))


NO_PLACE = ("logistic", "cross-entropy", "ordinal", "MNLogit", "boosted")


@pytest.mark.parametrize("name", [name for name in MODELS if name != "boosted"])
def test_rows_beside_their_laws(name):
    model, rows, y, known = MODELS[name]
    told = skmle.augment(model, rows, y)
    np.testing.assert_allclose(told["log_prob"], known, rtol=1e-8, atol=1e-10)
    if name not in NO_PLACE:
        assert stats.kstest(told["pit"], "uniform").pvalue > 1e-3
        np.testing.assert_allclose(stats.norm.cdf(told["quantile_residual"]), told["pit"])


@pytest.mark.parametrize("name", [name for name in MODELS if name not in NO_PLACE])
def test_intervals_and_quantiles(name):
    model, rows, _, _ = MODELS[name]
    low, high = skmle.predict_interval(model, rows, 0.8)
    law = skmle.predict_dist(model, rows)
    np.testing.assert_allclose(low, law.ppf(0.1))
    both = skmle.predict_quantile(model, rows, [0.1, 0.9])
    np.testing.assert_allclose(both, np.column_stack([low, high]))


def test_residuals_of_ours_are_those_of_augment():
    model = MLERegressor("gamma").fit(X, TIMES)
    rows = model.inference().augment(X, TIMES, influence=False)
    assert rows.equals(skmle.augment(model, X, TIMES))


# ---------------------------------------------------------------- dispersions


def test_a_mean_with_a_dispersion():
    least = LinearRegression().fit(X, NUMBERS)
    law = skmle.predict_dist(least, X, dispersion=0.25)
    np.testing.assert_allclose(law.std(), 0.5)
    gamma = GammaRegressor(alpha=0.0).fit(X, TIMES)
    law = skmle.predict_dist(gamma, X, dispersion=0.3)
    np.testing.assert_allclose(law.var(), 0.3 * gamma.predict(X) ** 2)
    inverse = TweedieRegressor(power=3, alpha=0.0, link="log", max_iter=1000).fit(X, TIMES)
    law = skmle.predict_dist(inverse, X, dispersion=np.full(N, 0.2))
    np.testing.assert_allclose(law.var(), 0.2 * inverse.predict(X) ** 3)


@pytest.mark.parametrize(
    "model, dispersion, error",
    [
        (TweedieRegressor(power=1.5), 1.0, "power 1.5 has no law"),
        (PoissonRegressor(), 2.0, "Poisson law of dispersion 2.0"),
        (LinearRegression(), 0.0, "dispersion=0.0 is not allowed"),
    ],
)
def test_dispersions_that_have_no_law(model, dispersion, error):
    with pytest.raises(ValueError, match=error + ".* Allowed: "):
        skmle.predict_dist(model.fit(X, COUNTS), X, dispersion=dispersion)
    with pytest.raises(TypeError, match="knows its law"):
        skmle.predict_dist(MLERegressor().fit(X, COUNTS), X, dispersion=1.0)


# ---------------------------------------------------------------- one's own


class Half(LinearRegression):
    """A regression with errors of standard deviation 1/2."""


class Own(RegressorMixin, BaseEstimator):
    """A model with the protocol's method."""

    def fit(self, X, y):
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def predict_dist(self, X):
        return Distribution("poisson", {"mean": self.predict(X)})


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(laws, "_REGISTERED", {})


@pytest.mark.parametrize("kind", [Half, f"{__name__}.Half"], ids=["class", "name"])
def test_a_registered_law_is_that_of_all_functions(registry, kind):
    with pytest.raises(TypeError, match="does not tell the law.*register_law"):
        skmle.log_prob(Half().fit(X, NUMBERS), X, NUMBERS)
    skmle.register_law(kind, lambda model, X: stats.norm(model.predict(X), 0.5))
    model = make_pipeline(StandardScaler(), Half()).fit(X, NUMBERS)
    known = stats.norm(model.predict(X), 0.5).logpdf(NUMBERS)
    np.testing.assert_allclose(skmle.log_prob(model, X, NUMBERS), known)
    assert skmle.augment(model, X, NUMBERS).shape == (N, 6)
    found = skmle.compare({"half": model, "free": MLERegressor()}, X, NUMBERS, criteria=False)
    assert found.differences[1] < 0.05
    gain = information_gain(model, X, NUMBERS, baseline=skmle.MLEDistribution())
    assert float(gain) > 0.1


def test_a_method_is_enough():
    models = {"own": Own(), "ours": MLERegressor("poisson", features={"mean": "none"})}
    found = skmle.compare(models, X, COUNTS, criteria=False)
    assert found.differences[1] == pytest.approx(0.0, abs=1e-8)
    with pytest.raises(ValueError, match="own gives masses of numbers, that of normal gives"):
        skmle.compare({"own": Own(), "normal": BayesianRidge()}, X, NUMBERS, criteria=False)


@pytest.mark.parametrize("kind, law", [(3, print), (Half, "normal")])
def test_what_cannot_be_registered(kind, law):
    with pytest.raises(TypeError, match="register_law: .* is not allowed. Allowed: a class"):
        skmle.register_law(kind, law)


def test_labels_have_no_quantiles():
    model = LogisticRegression().fit(X, LABELS)
    with pytest.raises(TypeError, match="a law of labels, which have no quantiles"):
        skmle.predict_interval(model, X)
    with pytest.raises(TypeError, match="QuantRegResults of statsmodels gives no law of y"):
        skmle.predict_dist(sm.QuantReg(NUMBERS, D).fit(), D)
