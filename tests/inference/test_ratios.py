"""Ratios, log-odds against a class, return levels: against statsmodels and formulas."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle.families import Bernoulli, Poisson

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(300, 2)), columns=["a", "b"])
COUNTS = RNG.poisson(np.exp(0.3 + X @ [0.5, -0.2])).astype(float)
CLASSES = np.array(["low", "mid", "high"])[np.minimum(COUNTS, 2).astype(int)]
BINARY = COUNTS > 0

NAMED = [
    (MLERegressor("poisson"), COUNTS, ["rate ratio"]),
    (MLERegressor("negative_binomial"), COUNTS, ["rate ratio"]),
    (MLERegressor("gamma"), COUNTS + 1.0, ["mean ratio"]),
    (MLERegressor("weibull"), COUNTS + 1.0, ["scale ratio"]),
    (MLERegressor("normal", features={"scale": "all"}), COUNTS, ["scale ratio"]),
    (MLERegressor("bernoulli"), BINARY, ["odds ratio"]),
    (MLERegressor(Bernoulli(links={"probability": "cloglog"})), BINARY, ["hazard ratio"]),
    (CrossEntropyClassifier(), BINARY, ["odds ratio"]),
    (CrossEntropyClassifier(link="cloglog"), BINARY, ["hazard ratio"]),
    (CrossEntropyClassifier(), CLASSES, ["odds ratio"]),
    (OrdinalClassifier(), np.minimum(COUNTS, 2), ["odds ratio"]),
]


@pytest.mark.parametrize(("model", "y", "names"), NAMED, ids=str)
def test_ratios_are_exponentials_of_slopes(model, y, names):
    result = model.fit(X, y).inference()
    found = result.ratios()
    assert {str(name).partition(",")[0] for name in found.components} == set(names)
    assert set(found.terms) == {"a", "b"}
    words = [str(name).partition(", ")[2] for name in found.components]
    kept = [
        next(
            i
            for i, (c, t) in enumerate(zip(result.components, result.terms, strict=True))
            if t == term and (c == component or not component)
        )
        for component, term in zip(words, found.terms, strict=True)
    ]
    ends = result.confidence_intervals()[kept]
    np.testing.assert_allclose(found.estimates, np.exp(result.estimates[kept]), rtol=1e-14)
    np.testing.assert_allclose(found.confidence_intervals(), np.exp(ends), rtol=1e-13)
    np.testing.assert_allclose(
        found.standard_errors, found.estimates * result.standard_errors[kept], rtol=1e-13
    )
    np.testing.assert_allclose(found.statistic, result.statistic[kept], rtol=1e-13)
    np.testing.assert_allclose(found.p_value, result.p_value[kept], rtol=1e-10)
    assert names[0] in str(found)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (MLERegressor("normal"), COUNTS),
        (CrossEntropyClassifier(link="probit"), BINARY),
        (OrdinalClassifier(link="cloglog"), np.minimum(COUNTS, 2)),
        (MLERegressor(Poisson(links={"mean": "sqrt"})), COUNTS),
    ],
    ids=str,
)
def test_other_coefficients_are_no_ratios(model, y):
    result = model.fit(X, y).inference()
    with pytest.raises(ValueError, match="ratios: no coefficient of these.* Allowed: slopes of a"):
        result.ratios()


# ---------------------------------------------------------------- against a class

ORDERS = [("low", "mid", "high"), ("mid", "high", "low"), ("high", "low", "mid")]


@pytest.mark.parametrize("covariance", ["observed", "HC0"])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_log_odds_against_a_class_are_those_of_statsmodels(order, covariance):
    result = (
        CrossEntropyClassifier(tol=1e-12)
        .fit(X, CLASSES)
        .inference(X, CLASSES, covariance=covariance)
    )
    found = result.against(order[0])
    codes = [order.index(label) for label in CLASSES]
    kind = {"cov_type": "HC0"} if covariance == "HC0" else {}
    peer = sm.MNLogit(codes, sm.add_constant(X, prepend=False))
    peer = peer.fit(disp=0, method="newton", tol=1e-14, **kind)
    frame = found.tidy()
    for j, label in enumerate(order[1:]):
        own = frame[frame["component"] == f"class {label}"]
        np.testing.assert_allclose(own["estimate"], peer.params.iloc[:, j], rtol=1e-8)
        np.testing.assert_allclose(own["std_error"], np.asarray(peer.bse)[:, j], rtol=1e-8)
        np.testing.assert_allclose(own["p_value"], np.asarray(peer.pvalues)[:, j], rtol=1e-7)
    assert found.header[0].endswith(f"log-odds against class {order[0]}")
    test, slope = found.test(f"class {order[1]}:a = 0"), frame[frame["term"] == "a"]
    z = slope[slope["component"] == f"class {order[1]}"]["statistic"]
    assert test.statistic == pytest.approx(float(z.iloc[0]) ** 2)


def test_a_column_that_is_not_determined_harms_no_other():
    twice = X.assign(c=X["a"])
    result = CrossEntropyClassifier().fit(twice, CLASSES).inference().against("low")
    known = np.isfinite(result.standard_errors)
    # The intercept is the log-odds where both columns are zero, however their slopes share.
    assert list(np.array(result.terms)[known]) == ["b", "intercept", "b", "intercept"]
    alone = CrossEntropyClassifier().fit(X, CLASSES).inference().against("low")
    kept = [i for i, term in enumerate(alone.terms) if term != "a"]
    np.testing.assert_allclose(
        result.standard_errors[known], alone.standard_errors[kept], rtol=1e-6
    )


def test_what_is_no_class_is_refused():
    result = CrossEntropyClassifier().fit(X, CLASSES).inference()
    with pytest.raises(ValueError, match="against: 'top' is no class. Allowed: high, low, mid"):
        result.against("top")
    binary = CrossEntropyClassifier().fit(X, BINARY).inference()
    with pytest.raises(ValueError, match="against: .*not of log-odds of three.* Allowed"):
        binary.against(True)


# ---------------------------------------------------------------- return levels


def test_return_levels_are_those_of_the_formula():
    """Of a Gumbel law: loc - scale log(-log(1 - 1/T)), with its gradient in loc and scale."""
    floods = RNG.gumbel(100.0, 20.0, size=(80, 1))
    model = MLEDistribution("gumbel_r", tol=1e-10).fit(floods)
    result = model.inference()
    periods = np.array([2.0, 10.0, 100.0])
    found = result.return_level(periods)
    y = -np.log(-np.log1p(-1.0 / periods))
    loc, scale = result.estimates
    gradient = np.column_stack([np.ones(3), y])
    covariance = gradient @ result.covariance @ gradient.T
    np.testing.assert_allclose(found.estimates, loc + scale * y, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-6)
    reach = 1.959963984540054 * np.sqrt(np.diag(covariance)) / found.estimates
    expected = found.estimates * np.exp(np.outer([-1.0, 1.0], reach))
    np.testing.assert_allclose(found.confidence_intervals().T, expected, rtol=1e-7)
    assert list(found.terms) == ["2", "10", "100"]
    below = MLEDistribution("normal").fit(floods - 200.0).inference().return_level(10)
    assert below.estimates[0] < 0.0 and below.confidence_intervals().shape == (1, 2)


def test_return_levels_of_excesses_and_by_the_likelihood():
    """Of excesses over a threshold, `rate` of them a year; and with profile intervals."""
    excesses = RNG.exponential(5.0, size=(60, 1))
    result = MLEDistribution("exponential").fit(excesses).inference(excesses)
    found = result.return_level([10.0, 50.0], rate=3.0, interval="profile")
    mean = float(result.estimates[0])
    np.testing.assert_allclose(found.estimates, mean * np.log([30.0, 150.0]), rtol=1e-9)
    low, high = result.profile().intervals[0]
    expected = np.outer(np.log([30.0, 150.0]), [low, high])
    np.testing.assert_allclose(found.confidence_intervals(), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="above 1, times rate=0.1, in observations"):
        result.return_level(10, rate=0.1)


def test_return_levels_of_regressions():
    """At each row the quantile there, with the errors that `estimate` gives it."""
    y = 100.0 + 10.0 * np.asarray(X)[:, 0] + RNG.gumbel(0.0, 20.0, size=len(X))
    model = MLERegressor("gumbel").fit(X, y)
    found = model.inference().return_level([10.0, 100.0], X[:3])
    known = model.inference().estimate(
        lambda m: np.array([m.predict_quantile(X[:3], q) for q in (0.9, 0.99)]).T.ravel()
    )
    np.testing.assert_allclose(found.estimates, known.estimates, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, known.covariance, rtol=1e-6)
    assert list(found.terms) == ["10", "100"] * 3
    assert list(found.components) == ["row 0", "row 0", "row 1", "row 1", "row 2", "row 2"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: GAMMA.return_level(1.0), "period=1.0 is not allowed. Allowed: numbers above 1"),
        (lambda: DISCRETE.return_level(10), "is no continuous law of one column. Allowed"),
        (
            lambda: COLUMNS.return_level(10),
            "MLEDistribution is no continuous law of one column. Allowed",
        ),
        (lambda: REGRESSION.return_level(10), "MLERegressor is no continuous law of one.* Allowed"),
    ],
)
def test_what_has_no_return_level(ask, message):
    with pytest.raises(ValueError, match=f"return_level: .*{message}"):
        ask()


GAMMA = MLEDistribution("gamma").fit(COUNTS[:, None] + 1.0).inference()
DISCRETE = MLEDistribution("poisson").fit(COUNTS[:, None]).inference()
COLUMNS = MLEDistribution("normal").fit(X).inference()
REGRESSION = MLERegressor("poisson").fit(X, COUNTS).inference()


def test_bars_of_ratios_are_those_of_their_logarithms():
    model, y, _ = NAMED[0]
    result = model.fit(X, y).inference()
    slopes, ratios = result._repr_html_(), result.ratios()._repr_html_()
    assert "s.e. from 0" in slopes and "s.e. from 1" in ratios
    circles = [re.findall(r'<circle cx="([\d.]+)"', text) for text in (slopes, ratios)]
    away = [[float(x) - 48.0 for x in found] for found in circles]
    share = np.array(away[1]) / np.array(away[0][: len(away[1])])
    assert len(share) and share == pytest.approx(share[0], rel=0.05)
