"""Functions that JAX can trace have exact derivatives; all else is as without it."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from skmle import MLERegressor, families
from skmle.families.differences import differences
from skmle.families.tools.traced import rows_by_jax
from tests.families.test_from_log_prob import normal_log_prob, zip_data


def test_without_jax_or_with_numpy_alone_there_are_none():
    family = families.FromLogProb(normal_log_prob, {"loc": "identity", "scale": "log"})
    charts = tuple(param.chart for param in family.parameters)
    y, eta = np.array([0.3, 1.2]), (np.zeros(()), np.zeros(()))
    assert rows_by_jax(normal_log_prob, charts, y, eta, 2) is None


if importlib.util.find_spec("jax") is not None:

    def traceable(y, pi, mu):
        import jax.numpy as jnp
        from jax.scipy.special import gammaln

        zero = jnp.log(pi + (1.0 - pi) * jnp.exp(-mu))
        return jnp.where(y == 0.0, zero, jnp.log1p(-pi) + y * jnp.log(mu) - mu - gammaln(y + 1.0))

    @pytest.fixture
    def law():
        importlib.import_module("jax")
        params = {"pi": "logit", "mu": "log"}
        return families.FromLogProb(traceable, params, support="counts")

    def test_derivatives_are_exact(law):
        y = np.array([0.0, 1.0, 3.0, 0.0])
        eta = (np.linspace(-1.0, 1.0, 4), np.asarray(0.3))
        rows = law.evaluate((y,), eta, 2)
        known = families.ZeroInflated("poisson")
        theirs = known.evaluate(known.statistics(y), eta[::-1], 2)
        for ours, other in zip(rows.gradient, theirs.gradient[::-1], strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-12, atol=1e-13)
        for ours, other in zip(rows.packed, theirs.packed[::-1], strict=True):
            np.testing.assert_allclose(ours, np.broadcast_to(other, 4), rtol=1e-12, atol=1e-13)
        coarse = differences(lambda moved: law.evaluate((y,), moved, 0).value, eta, 1)
        np.testing.assert_allclose(rows.gradient[0], coarse.gradient[0], atol=1e-9)

    def test_a_regression_by_jax_is_that_of_the_known_law(law):
        X, y = zip_data()
        ours = MLERegressor(law, features={"pi": "all", "mu": "all"}).fit(X, y)
        features = {"zeros": "all", "mean": "all"}
        known = MLERegressor(families.ZeroInflated("poisson"), features=features).fit(X, y)
        np.testing.assert_allclose(ours.log_likelihood_, known.log_likelihood_, rtol=1e-12)
        np.testing.assert_allclose(ours.coefs_["mu"], known.coefs_["mean"], rtol=1e-8)
        errors = [np.sort(m.inference().standard_errors) for m in (ours, known)]
        np.testing.assert_allclose(*errors, rtol=1e-9)
