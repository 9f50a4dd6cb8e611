"""Profile intervals: at their ends a fit with the estimate held is less likely by z^2 / 2."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, ndtri

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, infer
from skmle.exceptions import BoundaryWarning, SeparationWarning
from skmle.families import Categorical
from tests.estimators.data import conditional_data
from tests.subjects import every_class, is_conditional

RNG = np.random.default_rng(3)
N = 60
X = RNG.normal(size=(N, 2))
ETA = 0.4 + 0.5 * X[:, 0]
Z = float(ndtri(0.975))

OBSERVED = {
    "bernoulli": (RNG.random(N) < 1 / (1 + np.exp(-ETA))).astype(float),
    "poisson": RNG.poisson(np.exp(ETA)).astype(float),
    "gamma": np.exp(ETA) * RNG.gamma(3.0, size=N) / 3.0,
    "normal": ETA + RNG.normal(size=N),
    "negative_binomial": RNG.poisson(np.exp(ETA) * RNG.gamma(1.0, size=N)).astype(float),
    "weibull": np.exp(ETA) * RNG.weibull(1.5, size=N),
}
TOL = 1e-9


def fall(model, held):
    return 2.0 * (model.log_likelihood_ - held.log_likelihood_)


@pytest.mark.parametrize("family", OBSERVED)
def test_a_slope_equals_refits_with_an_offset(family):
    y = OBSERVED[family]
    model = MLERegressor(family, tol=TOL).fit(X, y)
    profile = model.inference(X, y).profile("x0")
    for end in profile.intervals[0]:
        held = MLERegressor(family, tol=TOL).fit(X[:, 1:], y, offset=end * X[:, 0])
        assert fall(model, held) == pytest.approx(Z**2, abs=1e-8)
    assert profile.fits.max() < 20


@every_class(lambda cls: is_conditional(cls) and not cls.cusps and cls is not Categorical)
def test_every_family_has_profiles(cls):
    """Of classes, an offset is that of one, but a column has slopes for all."""
    columns, y = conditional_data(cls, 60)
    model = MLERegressor(cls, tol=TOL).fit(columns, y)
    profile = model.inference(columns, y).profile()
    assert (profile.intervals[:, 0] < profile.estimates).all()
    assert (profile.estimates < profile.intervals[:, 1]).all()
    assert profile.fits.max() < 20
    for end in profile.intervals[0]:
        held = MLERegressor(cls, tol=TOL).fit(columns[:, 1:], y, offset=end * columns[:, 0])
        assert fall(model, held) == pytest.approx(Z**2, abs=1e-8)


@pytest.mark.parametrize(
    ("family", "name"),
    [("gamma", "shape"), ("normal", "scale"), ("weibull", "shape")],
)
def test_a_constant_parameter_equals_refits_with_it_fixed(family, name):
    y = OBSERVED[family]
    model = MLERegressor(family, tol=TOL).fit(X, y)
    (interval,) = model.inference(X, y).profile(name).intervals
    density = MLEDistribution(family, tol=TOL).fit(y[:, None])
    (alone,) = density.inference(y[:, None]).profile(name).intervals
    for end in interval:
        held = MLERegressor(family, fixed={name: end}, tol=TOL).fit(X, y)
        assert fall(model, held) == pytest.approx(Z**2, abs=1e-8)
    for end in alone:
        held = MLEDistribution(family, fixed={name: end}, tol=TOL).fit(y[:, None])
        assert fall(density, held) == pytest.approx(Z**2, abs=1e-8)


def test_the_mean_of_a_normal_law_has_a_closed_form():
    """n log(1 + (mean - mu)^2 / s^2) = z^2."""
    y = OBSERVED["normal"]
    (found,) = MLEDistribution().fit(y[:, None]).inference(y[:, None]).profile("loc").intervals
    reach = np.std(y) * np.sqrt(np.expm1(Z**2 / N))
    np.testing.assert_allclose(found, [y.mean() - reach, y.mean() + reach], rtol=1e-9)


def test_classes_are_those_of_the_table():
    """The coefficients of a table sum to zero over the classes, so that each follows from all."""
    y = np.argmax(X[:, :1] * [0.0, 0.5, 1.0] + RNG.gumbel(size=(N, 3)), axis=1)
    model = CrossEntropyClassifier(tol=TOL).fit(X, y)
    profile = model.inference(X, y).profile("class 1:x0")
    columns = np.column_stack([X, np.ones(N)])

    def cost(free, end):
        b = np.zeros((3, 3))
        b[0], b[1, 1:] = free[:3], free[3:]
        b[1, 0] = 1.5 * end + 0.5 * b[0, 0]  # so that b[1, 0] less the mean is `end`
        eta = columns @ b.T
        return -(eta[np.arange(N), y] - logsumexp(eta, axis=1)).sum()

    for end in profile.intervals[0]:
        least = minimize(cost, np.zeros(5), args=(end,), method="BFGS", options={"gtol": 1e-8}).fun
        assert 2.0 * (model.log_likelihood_ + least) == pytest.approx(Z**2, abs=1e-7)


@pytest.mark.slow
def test_intervals_of_logistf():
    path = Path(__file__).parents[1] / "reference" / "sex2_firth.json"
    case = json.loads(path.read_text())
    columns, names = case["data"]["columns"], case["model"]["parameters"]["p"]["terms"][1:]
    X, y = np.column_stack([columns[n] for n in names]), np.array(columns["case"])
    model = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
    profile = model.inference(X, y).profile()
    known = case["extras"]["profile_penalized_likelihood_ci_95"]
    expected = [known[f"p:{n}"] for n in [*names, "const"]]
    np.testing.assert_allclose(profile.intervals, expected, atol=1e-7)
    assert profile.fits.max() < 20


@pytest.mark.slow
def test_jeffreys_penalty_keeps_intervals_finite_where_classes_separate():
    """The likelihood bends down along the way to infinity."""
    y = np.where(X[:, 0] > 0.3, 2, (X[:, 1] > 0.0).astype(int))
    model = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
    profile = model.inference(X, y).profile("x1")
    assert np.isfinite(profile.intervals).all()
    assert (profile.intervals[:, 0] < profile.estimates).all()
    assert (profile.estimates < profile.intervals[:, 1]).all()
    assert profile.fits.max() < 20


# ---------------------------------------------------------------- where classes separate

RARE = np.column_stack([np.arange(N) % 5 == 0, X[:, 1]]).astype(float)


@pytest.mark.parametrize(
    ("family", "certain"), [("bernoulli", 1.0), ("bernoulli", 0.0), ("poisson", 0.0)]
)
def test_an_infinite_coefficient_has_a_finite_bound(family, certain):
    """The other estimates have intervals as if the rows that are certain were not there."""
    y = np.where(RARE[:, 0] > 0, certain, OBSERVED[family])
    with pytest.warns(SeparationWarning):
        model = MLERegressor(family, tol=TOL).fit(RARE, y)
    profile = model.inference(RARE, y).profile()
    low, high = profile.intervals[0]
    end, infinite = (low, high) if certain else (high, low)
    assert infinite == (np.inf if certain else -np.inf) == profile.estimates[0]
    held = MLERegressor(family, tol=TOL).fit(RARE[:, 1:], y, offset=end * RARE[:, 0])
    assert fall(model, held) == pytest.approx(Z**2, abs=1e-7)
    assert profile.fits.max() < 20
    rest = RARE[:, 0] == 0
    other = MLERegressor(family, tol=TOL).fit(RARE[rest, 1:], y[rest])
    known = other.inference(RARE[rest, 1:], y[rest]).profile().intervals
    np.testing.assert_allclose(profile.intervals[1:], known, rtol=1e-6)


def test_a_column_in_whose_place_others_separate_has_no_bound():
    y = X[:, 0] > 0.0
    with pytest.warns(SeparationWarning):
        model = CrossEntropyClassifier().fit(np.column_stack([X[:, 0], X[:, 0] ** 3]), y)
    columns = np.column_stack([X[:, 0], X[:, 0] ** 3])
    result = model.inference(columns, y)
    off = [t for t, e in zip(result.terms, result.estimates, strict=True) if np.isinf(e)]
    profile = result.profile([t for t in off if t != "intercept"])
    assert (profile.intervals == [-np.inf, np.inf]).all()


# ---------------------------------------------------------------- at an end of a range


@pytest.mark.parametrize(
    ("model", "y", "name", "end"),
    [
        (MLERegressor("negative_binomial", tol=TOL), RNG.binomial(10, 0.3, N), "dispersion", 0.0),
        (MLEDistribution("negative_binomial"), RNG.binomial(10, 0.3, N), "dispersion", 0.0),
        (MLEDistribution("student_t"), RNG.uniform(-1.0, 1.0, N), "df", np.inf),
    ],
    ids=["regression", "density", "far end"],
)
def test_a_parameter_at_its_end_has_half_a_chi_square(model, y, name, end):
    """The deviance is zero for half of the samples: 95 % take the quantile of 90 %."""
    rows = (X, y) if isinstance(model, MLERegressor) else (y[:, None],)
    with pytest.warns(BoundaryWarning):
        model.fit(*rows)
    result = model.inference(*rows)
    profile = result.profile(name)
    (ends,) = profile.intervals
    assert end in ends and profile.estimates[0] == end
    (inner,) = ends[ends != end]
    held = type(model)(model.family, fixed={name: inner}, tol=TOL).fit(*rows)
    assert fall(model, held) == pytest.approx(ndtri(0.95) ** 2, abs=1e-8)
    assert profile.fits.max() < 20
    assert list(result.profile().terms) == [*result.terms, name]
    assert (result.profile(name, confidence_level=0.4).intervals == end).all()


# ---------------------------------------------------------------- invariances

SUBJECTS = {
    "counts": (MLERegressor("poisson", tol=TOL), OBSERVED["poisson"]),
    "every parameter": (MLERegressor("gamma", features={"shape": [0]}, tol=TOL), OBSERVED["gamma"]),
    "two classes": (CrossEntropyClassifier(tol=TOL), OBSERVED["bernoulli"]),
    "ridge": (CrossEntropyClassifier(alpha=0.1, tol=TOL), OBSERVED["bernoulli"]),
    "jeffreys": (CrossEntropyClassifier(penalty="jeffreys", tol=TOL), OBSERVED["bernoulli"]),
    "order": (OrdinalClassifier(tol=TOL), np.digitize(OBSERVED["normal"], [0.0, 1.0])),
}


def intervals(name, X=X, weight=None, y=None, **settings):
    model, own = SUBJECTS[name]
    y = own if y is None else y
    model = type(model)(**model.get_params()).fit(X, y, weight)
    return model.inference(X, y, weight).profile(**settings).intervals


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_weight_is_a_repeated_row(name):
    weight = np.arange(N) % 3 + 1
    found = intervals(name, weight=weight)
    again = intervals(name, np.repeat(X, weight, axis=0), y=np.repeat(SUBJECTS[name][1], weight))
    np.testing.assert_allclose(found, again, rtol=1e-7)


@pytest.mark.parametrize("name", [n for n in SUBJECTS if n != "ridge"])
def test_units_of_columns_do_not_matter(name):
    moved = intervals(name, X * [1e4, 1.0] + [1e5, 0.0], terms="x0")
    np.testing.assert_allclose(moved * 1e4, intervals(name, terms="x0"), rtol=1e-6)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_higher_level_has_wider_intervals(name):
    wide, narrow = (intervals(name, confidence_level=level) for level in (0.99, 0.8))
    assert (wide[:, 0] < narrow[:, 0]).all() and (narrow[:, 1] < wide[:, 1]).all()


def test_many_rows_have_the_intervals_of_wald():
    columns = np.random.default_rng(0).normal(size=(5_000, 1))
    y = np.random.default_rng(1).poisson(np.exp(0.3 * columns[:, 0]))
    result = MLERegressor("poisson").fit(columns, y).inference(columns, y)
    error = result.standard_errors[:, None]
    np.testing.assert_allclose(
        result.profile().intervals / error, result.confidence_intervals() / error, atol=0.02
    )


# ---------------------------------------------------------------- as results


def test_through_a_pipeline():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = OBSERVED["poisson"]
    pipe = make_pipeline(StandardScaler(), MLERegressor("poisson")).fit(X, y)
    found = infer(pipe, X, y).profile("x1").intervals
    alone = MLERegressor("poisson").fit(X, y).inference(X, y).profile("x1").intervals
    np.testing.assert_allclose(found, alone * X[:, 1].std(), rtol=1e-6)


def test_shown_and_stored():
    y = OBSERVED["poisson"]
    result = MLERegressor("poisson").fit(X, y).inference(X, y)
    profile = result.profile(["x1", "x0"])
    assert list(profile.terms) == ["x1", "x0"]
    assert "95 % low" in repr(profile)
    assert list(profile.tidy()["term"]) == ["x1", "x0"]
    again = pickle.loads(pickle.dumps(result))  # without the rows
    assert again == result
    with pytest.raises(ValueError, match="Ask that"):
        again.profile()


MODEL = MLERegressor("poisson").fit(X, OBSERVED["poisson"])
REFUSED = {
    "no rows": (lambda: MODEL.inference().profile(), "do not know the rows"),
    "a sandwich": (
        lambda: MODEL.inference(X, OBSERVED["poisson"], covariance="HC0").profile(),
        "sandwich",
    ),
    "a name": (
        lambda: MODEL.inference(X, OBSERVED["poisson"]).profile("intercpt"),
        "Allowed: 'x0', 'x1', 'intercept'. Did you mean 'intercept'[?]",
    ),
    "a level": (
        lambda: MODEL.inference(X, OBSERVED["poisson"]).profile(confidence_level=95),
        "between 0 and 1",
    ),
    "no line of one number": (
        lambda: MLEDistribution("multivariate_normal").fit(X).inference(X).profile(),
        "no linear function",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_profile_is_refused(name):
    ask, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        ask()


def test_a_column_that_depends_on_others_has_none():
    columns = np.column_stack([X, X[:, 0]])
    result = MLERegressor("poisson").fit(columns, OBSERVED["poisson"])
    result = result.inference(columns, OBSERVED["poisson"])
    assert np.isfinite(result.profile("x1").intervals).all()
    with pytest.raises(ValueError, match="do not determine 'x2'"):
        result.profile("x2")
