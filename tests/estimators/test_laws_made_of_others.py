"""Laws made of others, or of functions: weights are repeats, and a line through all rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.preprocessing import scale

from skmle import MLEDistribution, MLERegressor, families
from skmle.exceptions import NoMaximumWarning


def gumbel(y, loc, scale):
    z = (y - loc) / scale
    return -z - np.exp(-z) - np.log(scale)


LAWS = [
    families.Mixture("normal"),
    families.Mixture("normal", 3),
    families.Mixture("gamma"),
    families.Mixture("poisson"),
    families.Folded("normal"),
    families.Folded("logistic"),
    families.Shifted("lognormal"),
    families.Shifted("weibull"),
    families.FromLogProb(gumbel, {"loc": "identity", "scale": "log"}),
    families.ScipyFamily("gumbel_r"),
]
every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.title}-{len(law.names)}")


def sample(law: families.Family, seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return observations around two centres, and whole weights, of which some are zero."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([rng.gamma(2.0, 1.0, n // 2), rng.gamma(9.0, 1.0, n - n // 2)])
    return np.round(y) if law.support.discrete else y, rng.integers(0, 4, n)


@every_law
@pytest.mark.parametrize("seed", [0, 4])
@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
def test_a_weight_is_so_many_equal_rows_in_any_order(law, seed):
    y, times = sample(law, seed)
    rows = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(y)), times))
    repeated = MLEDistribution(law).fit(y[rows])
    for unit in (1.0, 1e-3):  # and a unit of the weights changes nothing
        weighted = MLEDistribution(law).fit(y, sample_weight=unit * times)
        assert weighted.status_ == repeated.status_
        np.testing.assert_allclose(
            weighted.log_likelihood_ / unit, repeated.log_likelihood_, rtol=1e-9
        )


REPRODUCED = [
    families.Folded("normal"),
    families.Shifted("lognormal"),
    families.Product(["normal", "poisson"]),
    families.Product(["poisson", "normal"]),
    families.FromLogProb(gumbel, {"loc": "identity", "scale": "log"}),
]


@pytest.mark.parametrize("law", REPRODUCED, ids=lambda law: law.title)
def test_features_that_reproduce_every_observation(law):
    """Twelve rows and twelve coefficients."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(12, 11))
    y = rng.uniform(1.0, 5.0, 12)
    if law.observation.columns == 2:
        counts = rng.poisson(3.0, 12) + 1.0
        normal_first = law.names[0] == "loc_1"
        y = np.column_stack([y, counts] if normal_first else [counts, y])
    with pytest.warns(NoMaximumWarning, match="density grows without bound"):
        model = MLERegressor(law).fit(X, y)
    if law.observation.columns == 2:
        # What is known of the other part stands: each count is its own mean.
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-4)


@pytest.mark.parametrize("family", ["lognormal", "gamma", "inverse_gaussian", "log_logistic"])
def test_a_threshold_that_features_bring_near(family):
    """By itself y is hardly told from a normal law, whose threshold is infinitely far."""
    X, y = make_regression(
        n_samples=200, n_features=10, n_informative=1, bias=5.0, noise=20, random_state=42
    )
    law = families.Shifted(family)
    y = scale(y)
    model = MLERegressor(law).fit(X, y)
    assert model.status_ == "interior"
    places = (-20.0, -30.0, -40.0, -50.0, -100.0)
    held = [MLERegressor(law, fixed={"threshold": t}).fit(X, y) for t in places]
    best = max(one.log_likelihood_ for one in held)
    assert best <= model.log_likelihood_ < best + 0.1
