"""A family may say that the linear predictor of a parameter has no intercept."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skmle import MLERegressor
from skmle.families import Family, Normal, Param, Rows, Support
from skmle.families.links import IDENTITY, LOG


class Moved(Normal):
    """The normal law around a location that is zero where all features are."""

    parameters = (
        Param("loc", IDENTITY, unit="location", intercept=False),
        Param("scale", LOG, unit="scale"),
    )


class ThreeStages(Family):
    """Ordered outcomes 0, 1, 2: the cumulative logit with two cut points, the second by its gap.

    The location moves all probabilities as a change of both cut points does, so that an intercept
    of its own would not be determined.
    """

    parameters = (
        Param("location", IDENTITY, intercept=False),
        Param("cut", IDENTITY),
        Param("gap", LOG),
    )
    support = Support(0.0, 2.0, closed=(True, True), discrete=True, whole=True)

    def evaluate(self, statistics, eta, order=2):
        (y,) = statistics
        location, cut, gap = np.broadcast_arrays(*eta)
        ends = [np.full_like(location, -np.inf), cut - location]
        ends += [cut + np.exp(gap) - location, np.full_like(location, np.inf)]
        cdf = [1.0 / (1.0 + np.exp(-end)) for end in ends]
        pdf = [F * (1.0 - F) for F in cdf]
        slope = [f * (1.0 - 2.0 * F) for f, F in zip(pdf, cdf, strict=True)]

        def of_outcome(entries, upper):
            return np.choose(y.astype(int), entries[1:] if upper else entries[:-1])

        mass = of_outcome(cdf, True) - of_outcome(cdf, False)
        # Derivatives of the upper and of the lower end in (location, cut, gap).
        step = np.exp(gap)
        zero, one = np.zeros_like(mass), np.ones_like(mass)
        to = [[-one, one, step * (y == 1)], [-one, one, step * (y == 2)]]
        f = [of_outcome(pdf, True), of_outcome(pdf, False)]
        s = [of_outcome(slope, True), of_outcome(slope, False)]
        first = [f[0] * a - f[1] * b for a, b in zip(*to, strict=True)]
        curvature = []
        for a in range(3):
            for b in range(a, 3):
                second = s[0] * to[0][a] * to[0][b] - s[1] * to[1][a] * to[1][b]
                if a == b == 2:
                    second = second + f[0] * to[0][2] - f[1] * to[1][2]
                curvature.append(first[a] * first[b] / mass**2 - second / mass)
        gradient = tuple(-g / mass + zero for g in first)
        return Rows(-np.log(mass), gradient, tuple(curvature)).upto(order)

    def starts(self, statistics, weight):
        return [(0.0, -0.5, 0.0)]


def stages(n=300):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    latent = X @ [1.0, -0.5] + rng.logistic(size=n)
    return X, np.digitize(latent, [-0.5, 1.0]).astype(float)


def words(model) -> list[str]:
    """Return the first word of each line of the table, header and footer left out."""
    table = str(model.summary()).split("-\n")[2]
    return [line.split()[0] for line in table.splitlines()[:-1]]


def test_the_first_parameter_without_intercept_is_a_fit_without_intercept():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 2)) + 1.0
    y = X[:, 0] + rng.normal(size=200)
    own, plain = MLERegressor(Moved()).fit(X, y), MLERegressor(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(own.coef_, plain.coef_, rtol=1e-9)
    np.testing.assert_allclose(own.coef_, np.linalg.lstsq(X, y)[0], rtol=1e-9)
    assert own.intercepts_["loc"] == 0.0 and own.intercept_ == 0.0
    assert own.n_parameters_ == plain.n_parameters_ == 3
    table = str(own.summary()).replace("Moved", "Normal")
    assert table == str(plain.summary()) and "intercept" not in table


def test_other_parameters_keep_their_intercepts():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 2)) + 1.0
    y = X[:, 0] + rng.normal(size=200)
    model = MLERegressor(Moved(), features={"loc": [0], "scale": [1]}).fit(X, y)
    assert model.intercepts_["loc"] == 0.0 and model.intercepts_["scale"] != 0.0
    assert words(model) == ["loc", "x0", "scale", "x1", "intercept"]


def test_cumulative_logits():
    X, y = stages()
    model = MLERegressor(ThreeStages()).fit(X, y)
    assert model.status_ == "interior" and model.n_parameters_ == 4
    assert model.intercepts_["location"] == 0.0
    assert str(model.summary()).count("intercept") == 0
    assert model.inference().covariance.shape == (4, 4)
    # The proportional odds say the same when the stages are counted from the other end.
    other = MLERegressor(ThreeStages()).fit(X, 2.0 - y)
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    np.testing.assert_allclose(other.coef_, -model.coef_, rtol=1e-6)
    upper = -model.params_["cut"] - model.params_["gap"]
    assert other.params_["cut"] == pytest.approx(upper, rel=1e-6)


@pytest.mark.parametrize("family", [Moved(), ThreeStages()], ids=repr)
def test_warm_starts_clones_and_pickles(family):
    X, y = stages()
    model = MLERegressor(family, warm_start=True).fit(X, y)
    found = model.coef_
    model.fit(X, y)
    assert model.n_iter_ == 1
    np.testing.assert_allclose(model.coef_, found, rtol=1e-7)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(X, y) == model.score(X, y)
    np.testing.assert_allclose(clone(model).fit(X, y).coef_, found, rtol=1e-7)


def test_a_parameter_with_neither_features_nor_intercept_is_its_link_at_zero():
    X, y = stages()
    model = MLERegressor(Moved(), features={"loc": "none"}).fit(X, y)
    assert model.params_["loc"] == 0.0
    assert model.params_["scale"] == pytest.approx(np.sqrt(np.mean(y**2)), rel=1e-9)
    assert model.n_parameters_ == 1
    assert words(model) == ["constant", "scale"]
