"""Laws of several columns: 50 digits, published fits, and rows that are none of theirs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skmle import Distribution, MLEDistribution
from skmle.families import DirichletMultinomial, Multinomial
from tests.subjects import ONE_EACH

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

# mpmath's numbers, which tests/reference/columns/make.py writes.
LAWS = json.loads((Path(__file__).parents[1] / "reference/columns/laws.json").read_text())


@pytest.mark.parametrize("name", LAWS)
def test_laws_have_all_digits(name):
    for law in LAWS[name]:
        ours = Distribution(name, law["theta"])
        found = ours.log_prob(np.array(law["y"], float))
        np.testing.assert_allclose(found, law["log_prob"], rtol=1e-12, atol=1e-13)
        if law["entropy"] is not None:
            np.testing.assert_allclose(ours.entropy(), law["entropy"], rtol=1e-12)


SEVERAL = {name: law for name, law in ONE_EACH.items() if law.observation.columns is None}


@pytest.mark.parametrize("name", SEVERAL)
def test_divergence_is_the_average_of_differences(name, rng):
    """Within five standard errors of a sample, and next to zero of a law from itself."""
    family = SEVERAL[name]
    p, q = (
        Distribution.of(family, family.natural(tuple(np.asarray(s + 0.1 * j) for j in range(k))))
        for s, k in ((0.1, len(family.parameters)), (0.3, len(family.parameters)))
    )
    found = family.divergence(p.theta, q.theta)
    if found is None:
        return
    y = p.rvs(20_000, random_state=1)
    gaps = p.log_prob(y) - q.log_prob(y)
    assert abs(gaps.mean() - found) < 5.0 * gaps.std() / np.sqrt(len(y))
    assert abs(family.divergence(p.theta, p.theta)) < 1e-13


def all_rows(n: int) -> np.ndarray:
    counts = np.indices((n + 1,) * 3).reshape(3, -1).T
    return counts[counts.sum(axis=1) == n].astype(float)


@pytest.mark.parametrize("precision", [1e-3, 0.7, 40.0, 1e9, 1e18])
def test_sums_of_counts_are_those_over_all_rows(precision):
    y, params = all_rows(7), {"probabilities": [0.2, 0.3, 0.5], "precision": precision}
    law = Distribution(DirichletMultinomial(3, 7), params)
    other = Distribution(DirichletMultinomial(3, 7), params | {"probabilities": [0.5, 0.25, 0.25]})
    mass, log_p = np.exp(law.log_prob(y)), law.log_prob(y)
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-12)
    np.testing.assert_allclose(law.entropy(), -(mass * log_p).sum(), rtol=1e-11)
    np.testing.assert_allclose(law.mean(), mass @ y, rtol=1e-12)
    np.testing.assert_allclose(law.cov(), np.cov(y.T, aweights=mass, bias=True), rtol=1e-10)
    divergence = law.family.divergence(law.theta, other.theta)
    expected = (mass * (log_p - other.log_prob(y))).sum()
    np.testing.assert_allclose(divergence, expected, rtol=1e-10)


# ---------------------------------------------------------------- what a fit says


@pytest.mark.parametrize("family", ["multinomial", "dirichlet_multinomial"])
def test_a_column_without_counts_has_the_probability_zero(family):
    rng = np.random.default_rng(0)
    y = np.array([rng.multinomial(12, p) for p in rng.dirichlet([1.0, 2.0, 3.0], size=200)])
    alone = MLEDistribution(family).fit(y)
    wider = np.insert(y, 1, 0, axis=1)
    with pytest.warns(match="column 1 has no count in any row, so that the probability there is 0"):
        model = MLEDistribution(family).fit(wider)
    assert model.status_ == "boundary"
    assert model.log_likelihood_ == pytest.approx(alone.log_likelihood_, rel=1e-12)
    p = model.params_["probabilities"]
    np.testing.assert_allclose(np.delete(p, 1), alone.params_["probabilities"], rtol=1e-9)
    assert p[1] == 0.0 and model.score_samples([[1.0, 1.0, 1.0, 1.0]]) == [-np.inf]
    table = model.inference().tidy()
    assert np.isfinite(np.array(table["conf_low"], float)).all()


def test_counts_that_vary_no_more_than_trials_end_at_the_multinomial_law():
    y = np.random.default_rng(0).multinomial(12, [0.2, 0.3, 0.5], size=400)
    with pytest.warns(match="precision tends to inf, where the law is Multinomial"):
        model = MLEDistribution("dirichlet_multinomial").fit(y)
    assert model.status_ == "boundary" and model.params_["precision"] == np.inf
    assert type(model.distribution_.family) is Multinomial


def test_light_tails_end_at_the_normal_law():
    y = np.random.default_rng(0).uniform(size=(300, 2))
    with pytest.warns(match="df tends to inf, where the law is Multivariate normal"):
        model = MLEDistribution("multivariate_student_t").fit(y)
    normal = MLEDistribution("multivariate_normal").fit(y)
    assert model.log_likelihood_ == pytest.approx(normal.log_likelihood_, rel=1e-12)
    assert model.params_["df"] == np.inf
    np.testing.assert_allclose(model.params_["loc"], normal.params_["mean"], rtol=1e-12)
    np.testing.assert_allclose(model.params_["shape"], normal.params_["covariance"], rtol=1e-10)


def test_opposite_directions_are_uniform():
    model = MLEDistribution("von_mises_fisher").fit(
        [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1]]
    )
    assert model.status_ == "interior" and model.params_["concentration"] == 0.0
    np.testing.assert_allclose(model.score_samples([[0.6, 0.8]]), -np.log(2.0 * np.pi))


@pytest.mark.parametrize("family", ["dirichlet", "von_mises_fisher"])
def test_equal_rows_have_no_maximum(family):
    row = [0.2, 0.3, 0.5] if family == "dirichlet" else [0.6, 0.0, 0.8]
    with pytest.warns(match="all observations are equal, so the density grows without bound"):
        assert MLEDistribution(family).fit([row] * 5).status_ == "no_maximum"


HOSTILE = {
    "a sum": ("dirichlet", [[0.5, 0.5], [0.5, 0.51]], r"row 1: .*from 1\.01 to 1\.01.*Divide each"),
    "zero": ("dirichlet", [[0.5, 0.5], [1.0, 0.0]], r"row 1: .*Shares of 0 have no density.*half"),
    "below": ("dirichlet", [[0.5, 0.5], [1.5, -0.5]], r"Negative .*row 1: .*share below 0"),
    "one column": ("dirichlet", [[1.0], [1.0]], r"1 feature.*at least 2 columns"),
    "no counts": ("multinomial", [[1.5, 2.0], [0.0, 1.0]], r"row 0: .*not whole.*dirichlet"),
    "labels": ("multinomial", [[1], [0]], r"Of one column of labels, the family is 'categorical'"),
    "no trials": ("multinomial", [[0, 0], [0, 0]], r"zero trials.*Give such rows"),
    "lengths": ("von_mises_fisher", [[0.6, 0.8], [3.0, 4.0]], r"row 1: .*from 5 to 5.*Divide each"),
    "no length": ("von_mises_fisher", [[0.6, 0.8], [0.0, 0.0]], r"from 0 to 0\. Remove vectors"),
    "large": ("multivariate_student_t", [[1e200, 0], [1, 2], [3, 1]], r"column 0 reaches 1e\+200"),
}


@pytest.mark.parametrize(("family", "rows", "said"), HOSTILE.values(), ids=HOSTILE)
def test_rows_that_are_none_are_named_with_a_cure(family, rows, said):
    with pytest.raises(ValueError, match=rf"{said}"):
        MLEDistribution(family).fit(rows)


@pytest.mark.parametrize("family", ["dirichlet", "von_mises_fisher"])
def test_rounding_to_single_precision_is_no_mistake(family):
    rng = np.random.default_rng(0)
    y = rng.dirichlet([1.0, 2.0, 3.0], size=100)
    y = y if family == "dirichlet" else y / np.linalg.norm(y, axis=1, keepdims=True)
    exact, rounded = (MLEDistribution(family).fit(rows) for rows in (y, y.astype(np.float32)))
    assert rounded.log_likelihood_ == pytest.approx(exact.log_likelihood_, rel=1e-5)


WRONG = {
    "concentration": ("dirichlet", {"concentration": [1.0, 0.0]}, "concentration is 0"),
    "probabilities": ("multinomial", {"probabilities": [0.5, 0.6]}, "sum of probabilities is 1.1"),
    "matrix": (
        "multivariate_student_t",
        {"loc": [0.0, 0.0], "shape": [[1.0, 0.5], [0.2, 1.0]], "df": 3.0},
        r"shape\[0, 1\] and \[1, 0\]",
    ),
    "df": (
        "multivariate_student_t",
        {"loc": [0.0, 0.0], "shape": np.eye(2), "df": 0.0},
        "df is 0",
    ),
    "direction": (
        "von_mises_fisher",
        {"mean_direction": [1.0, 1.0], "concentration": 1.0},
        "length of mean_direction is 1.41421",
    ),
}


@pytest.mark.parametrize(("family", "params", "said"), WRONG.values(), ids=WRONG)
def test_parameters_that_are_none(family, params, said):
    with pytest.raises(ValueError, match=rf"{said}[\s\S]*Allowed: [\s\S]*\."):
        Distribution(family, params)
