"""Independent columns of different laws: everything is what the parts say, put together."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor, censored, families
from skmle.exceptions import BoundaryWarning, NoMaximumWarning
from skmle.families.differences import differences

pytestmark = pytest.mark.filterwarnings("error", "ignore::skmle.exceptions.FitWarning")

N = 150


def lives(rng) -> np.ndarray:
    time, end = rng.weibull(2.0, N), rng.weibull(2.0, N)
    return censored(np.minimum(time, end), event=time <= end)


COLUMNS = {
    "normal": lambda rng: rng.normal(3.0, 2.0, (N, 1)),
    "student_t": lambda rng: rng.standard_t(4, (N, 1)),
    "poisson": lambda rng: rng.poisson(3.0, (N, 1)),
    "negative_binomial": lambda rng: rng.negative_binomial(2, 0.3, (N, 1)),
    "gamma": lambda rng: rng.gamma(2.0, 1.0, (N, 1)),
    "binomial": lambda rng: rng.multinomial(8, [0.3, 0.7], N),
    families.Censored("weibull"): lives,
    families.ZeroInflated("poisson"): lambda rng: (
        rng.poisson(2.0, (N, 1)) * (rng.random((N, 1)) < 0.7)
    ),
    families.Shifted("lognormal"): lambda rng: 5.0 + np.exp(rng.normal(0.0, 0.5, (N, 1))),
    families.Mixture("normal"): lambda rng: rng.normal(5.0 * (rng.random((N, 1)) < 0.4), 1.0),
}
KINDS = list(COLUMNS)
PRODUCTS = [(a, b) for a, b in zip(KINDS, KINDS[3:] + KINDS[:3], strict=True)]
PRODUCTS.append((KINDS[0], KINDS[6], KINDS[2]))


@pytest.mark.parametrize("parts", PRODUCTS, ids=repr)
def test_a_product_is_its_parts(parts):
    rng = np.random.default_rng(0)
    columns = [COLUMNS[part](rng).astype(float) for part in parts]
    X = np.hstack(columns)
    whole = MLEDistribution(families.Product(parts)).fit(X)
    each = [MLEDistribution(part).fit(own) for part, own in zip(parts, columns, strict=True)]
    total = sum(model.log_likelihood_ for model in each)
    np.testing.assert_allclose(whole.log_likelihood_, total, rtol=1e-9)
    assert whole.status_ == each[0].status_ == "interior"
    expected = {f"{k}_{c}": v for c, m in enumerate(each, 1) for k, v in m.params_.items()}
    assert set(whole.params_) == set(expected)
    for name, value in whole.params_.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4)
    errors = np.concatenate([model.inference().standard_errors for model in each])
    np.testing.assert_allclose(
        np.sort(whole.inference().standard_errors), np.sort(errors), rtol=1e-3
    )
    np.testing.assert_allclose(whole.score(X) * N, whole.log_likelihood_, rtol=1e-12)


@pytest.mark.parametrize("parts", PRODUCTS, ids=repr)
def test_derivatives_and_the_law(parts):
    rng = np.random.default_rng(1)
    columns = [COLUMNS[part](rng).astype(float) for part in parts]
    y = np.hstack(columns)
    family = families.Product(parts).adapt(y)
    statistics = family.statistics(y)
    eta = tuple(np.asarray(e) for e in family.starts(statistics, None)[0])
    rows = family.evaluate(statistics, eta, 2)
    known = differences(lambda moved: family.evaluate(statistics, moved, 0).value, eta, 2)
    for ours, theirs in zip(rows.gradient, known.gradient, strict=True):
        np.testing.assert_allclose(np.broadcast_to(ours, (N,)), theirs, rtol=1e-6, atol=1e-6)
    for ours, theirs in zip(rows.packed, known.packed, strict=True):
        ours = np.broadcast_to(0.0 if ours is None else ours, (N,))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    law = MLEDistribution(families.Product(parts)).fit(y).distribution_
    drawn = law.rvs(4000, 0)
    assert law.family.contains(drawn).all()
    if "binomial" in parts:  # of which the number of failures is no variable
        return
    errors = np.sqrt(law.var() / len(drawn))
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - law.mean()), 5.0 * errors)
    place = np.median(drawn, axis=0)
    below = (drawn <= place).all(axis=-1).mean()
    np.testing.assert_allclose(law.cdf(place), below, atol=0.035)  # four standard errors


def test_each_part_may_stand_at_a_limit_law():
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.binomial(10, 0.5, N), rng.binomial(5, 0.5, N)])
    product = families.Product(["negative_binomial", "negative_binomial"])
    with pytest.warns(BoundaryWarning):
        model = MLEDistribution(product).fit(X)
    assert model.status_ == "boundary"
    assert model.params_["dispersion_1"] == model.params_["dispersion_2"] == 0.0
    poisson = MLEDistribution("poisson").fit(X)
    np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-12)


COUNTS_AT_AN_END = {
    "poisson": (0.0, {"mean_2": 0.0}),
    "negative_binomial": (0.0, {"mean_2": 0.0, "dispersion_2": 0.0}),
    "bernoulli": (1.0, {"probability_2": 1.0}),
    "geometric": (1.0, {"probability_2": 1.0}),
}


@pytest.mark.parametrize("name", COUNTS_AT_AN_END)
@pytest.mark.parametrize("other", ["normal", "gamma", "poisson", "negative_binomial"])
def test_counts_that_are_all_at_an_end_leave_the_other_columns(name, other):
    value, ends = COUNTS_AT_AN_END[name]
    column = np.abs(COLUMNS[other](np.random.default_rng(3)))
    X = np.hstack([column, np.full((N, 1), value)])
    with pytest.warns(BoundaryWarning):
        model = MLEDistribution(families.Product([other, name])).fit(X)
    alone = MLEDistribution(other).fit(column)
    assert model.status_ == "boundary"
    np.testing.assert_allclose(model.log_likelihood_, alone.log_likelihood_, rtol=1e-12)
    expected = {f"{key}_1": number for key, number in alone.params_.items()} | ends
    assert model.params_ == pytest.approx(expected, rel=1e-5, abs=1e-12)
    errors = model.inference().standard_errors
    np.testing.assert_allclose(errors, alone.inference().standard_errors, rtol=1e-4)


def test_the_part_without_a_maximum_is_named():
    X = np.column_stack([np.arange(5.0) % 3, np.ones(5)])
    with pytest.warns(NoMaximumWarning, match="in part 2, all observations are equal"):
        assert (
            MLEDistribution(families.Product(["poisson", "normal"])).fit(X).status_ == "no_maximum"
        )


def test_a_regression_of_a_product_is_one_of_each_part():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 2))
    y = np.column_stack([X[:, 0] + rng.normal(size=N), rng.poisson(np.exp(0.3 * X[:, 1]))])
    whole = MLERegressor(families.Product(["normal", "poisson"])).fit(X, y)
    each = [MLERegressor(part).fit(X, y[:, c]) for c, part in enumerate(["normal", "poisson"])]
    total = sum(model.log_likelihood_ for model in each)
    np.testing.assert_allclose(whole.log_likelihood_, total, rtol=1e-12)
    np.testing.assert_allclose(whole.coefs_["mean_2"], each[1].coef_, atol=1e-6)
    predicted = np.column_stack([model.predict(X) for model in each])
    np.testing.assert_allclose(whole.predict(X), predicted, atol=1e-6)


@pytest.mark.parametrize(
    "parts", [["normal"], ["normal", "categorical"], ["normal", "uniform"], ["laplace", "normal"]]
)
def test_what_is_no_part_is_refused(parts):
    with pytest.raises(ValueError, match=r"cannot be a part.*Allowed"):
        MLEDistribution(families.Product(parts)).fit([[1.0, 2.0], [2.0, 1.0], [4.0, 3.0]])
