"""Laws made of others, or of functions: weights are repeats, and a line through all rows."""

from __future__ import annotations

import numpy as np
import pytest

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
    """Ten features leave a tenth of the spread: y alone looks like a normal law."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = 10.0 * np.exp(0.1 * (X @ [1.0, -1.0, 0.5, 0.5]) + 0.03 * rng.normal(size=300)) + 2.0
    law = families.Shifted(family)
    model = MLERegressor(law).fit(X, y)
    assert model.status_ == "interior"
    held = [MLERegressor(law, fixed={"threshold": t}).fit(X, y) for t in (-8.0, 0.0, 2.0, 3.0)]
    assert model.log_likelihood_ > max(one.log_likelihood_ for one in held) - 1e-9
