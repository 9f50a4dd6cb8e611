"""One law, many questions: a predicted law answers as the estimator does."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning
from skmle.families.tools.atoms import atoms_of
from tests.estimators.data import conditional_data, every_conditional, every_family, features
from tests.subjects import as_columns, middle_of, observations, typical

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@every_conditional
def test_the_predicted_law_answers_as_the_estimator_does(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    law = model.predict_dist(X)
    np.testing.assert_allclose(model.log_prob(X, y), law.log_prob(y), rtol=1e-9)
    assert model.score(X, y) == pytest.approx(model.log_prob(X, y).mean(), rel=1e-12)
    np.testing.assert_array_equal(model.predict(X), middle_of(law))
    assert model.sample(X, random_state=0).shape[0] == len(X)
    np.testing.assert_array_equal(model.sample(X, random_state=0), model.sample(X, random_state=0))
    if cls.observation.columns != 1:
        return
    low, high = model.predict_interval(X, coverage=0.8)
    np.testing.assert_allclose(
        model.predict_quantile(X, [0.1, 0.9]), np.column_stack([low, high]), rtol=1e-12
    )
    np.testing.assert_allclose(model.predict_quantile(X, 0.5), law.median())
    if not cls.support.discrete:
        at_atom = np.isin(low, atoms_of(law.family))
        np.testing.assert_allclose(np.where(at_atom, 0.1, law.cdf(low)), 0.1, rtol=1e-9)
        np.testing.assert_allclose(law.sf(high), 0.1, rtol=1e-9)


@every_conditional
def test_samples_come_from_the_predicted_law(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(typical(cls)[0] if cls.observation.numeric else cls).fit(X, y)
    X, size = X[:3], 20_000
    draws = model.sample(X, n_samples=size, random_state=0).astype(float)
    draws = draws[..., 0] if cls.observation.columns == 2 else draws
    law = model.predict_dist(X)
    assert draws.shape == (size, 3)
    if np.isfinite(law.var()).all():
        assert (np.abs(draws.mean(axis=0) - law.mean()) < 5.0 * np.sqrt(law.var() / size)).all()
    else:
        inside = (draws <= law.median()).mean(axis=0)
        expected = law.cdf(law.median())  # a half, but of counts
        assert (np.abs(inside - expected) < 5.0 * 0.5 / np.sqrt(size)).all()


@every_family
def test_the_density_answers_as_its_law_does(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    y = X[:, 0] if model.distribution_.family.observation.columns == 1 else X
    np.testing.assert_allclose(model.score_samples(X), model.distribution_.log_prob(y), rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), np.exp(model.score_samples(X)), rtol=1e-12)
    assert model.aic() == pytest.approx(2 * model.n_parameters_ - 2 * model.log_likelihood_)
    assert model.aic(X) == pytest.approx(model.aic(), rel=1e-9)
    assert model.bic(X) == pytest.approx(model.bic(), rel=1e-9)
    assert model.sample(5, random_state=0).shape == (5, X.shape[1])
    np.testing.assert_array_equal(model.sample(5, random_state=0), model.sample(5, random_state=0))


def test_columns_are_independent_unless_the_family_says_otherwise():
    X = features(200, 3)
    together = MLEDistribution("logistic").fit(X)
    apart = [MLEDistribution("logistic").fit(X[:, [j]]) for j in range(3)]
    assert together.log_likelihood_ == pytest.approx(
        sum(m.log_likelihood_ for m in apart), rel=1e-12
    )
    np.testing.assert_array_equal(together.params_["loc"], [m.params_["loc"] for m in apart])
    np.testing.assert_allclose(
        together.score_samples(X),
        sum(m.score_samples(X[:, [j]]) for j, m in enumerate(apart)),
        rtol=1e-12,
    )
