"""`partial_fit` of densities.

Batches add up exactly to the fit of all rows, for every family whose data can be summed up.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skmle import MLEDistribution
from skmle._engine.data.observed import condense, observe
from skmle.exceptions import BoundaryWarning, FitWarning, NoMaximumWarning, NonRegularWarning
from skmle.families import Family, get_family
from tests.subjects import as_columns, every_class, observations, typical

N = 240
CUTS = [(0, N // 2, N), (0, 1, 2, 5, 40, N), tuple(range(0, N + 1, 30))]


def is_condensable(cls: type[Family]) -> bool:
    return cls().condensable


def sample(cls: type[Family]) -> np.ndarray:
    return as_columns(observations(cls, N))


@every_class(lambda cls: cls().condensable and cls.shortcuts.sums == "base")
def test_one_row_has_the_likelihood_of_all(cls):
    family, y = typical(cls)[0], sample(cls)
    y = y[:, 0] if family.observation.columns == 1 else y
    eta = tuple(np.asarray(0.3 - 0.1 * j) for j in range(len(family.parameters)))

    def likelihood(observed):
        return observed.base + observed.weights @ family.evaluate(observed.statistics, eta).value

    for weight in (None, np.random.default_rng(6).random(N)):
        short, rows = condense(family, y, weight), observe(family, y, weight)
        assert short.n == 1
        np.testing.assert_allclose(likelihood(short), likelihood(rows), rtol=1e-13)


def values(model: MLEDistribution) -> np.ndarray:
    return np.concatenate([np.ravel(value) for value in model.params_.values()])


def in_batches(
    model: MLEDistribution, X: np.ndarray, cuts: tuple[int, ...], weight: np.ndarray | None = None
) -> MLEDistribution:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # first batches may well have no maximum
        for low, high in itertools.pairwise(cuts[:-1]):
            model.partial_fit(
                X[low:high], sample_weight=None if weight is None else weight[low:high]
            )
    low, high = cuts[-2:]
    return model.partial_fit(
        X[low:high], sample_weight=None if weight is None else weight[low:high]
    )


def assert_same(one: MLEDistribution, other: MLEDistribution) -> None:
    np.testing.assert_allclose(values(one), values(other), rtol=1e-10)
    np.testing.assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-12)
    assert (one.status_, one.n_parameters_) == (other.status_, other.n_parameters_)
    assert one.weight_sum_ == pytest.approx(other.weight_sum_)
    assert one.aic() == pytest.approx(other.aic())
    for mine, theirs in zip(one._covariances, other._covariances, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9 * np.abs(theirs).max())
    assert str(one.summary()) == str(other.summary())


@pytest.mark.parametrize("cuts", CUTS, ids=str)
@every_class(is_condensable)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.NonRegularWarning")
def test_batches_add_up(cls, cuts):
    X = sample(cls)
    assert_same(in_batches(MLEDistribution(cls), X, cuts), MLEDistribution(cls).fit(X))


@every_class(is_condensable)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.NonRegularWarning")
def test_weighted_batches_add_up(cls):
    X = sample(cls)
    weight = np.random.default_rng(1).integers(0, 4, N).astype(float)
    weight[::60] = 1.0
    assert_same(
        in_batches(MLEDistribution(cls), X, CUTS[0], weight),
        MLEDistribution(cls).fit(X, sample_weight=weight),
    )


@every_class(is_condensable)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.NonRegularWarning")
def test_a_fit_goes_on(cls):
    """More rows join those of `fit`, and a new `fit` forgets all."""
    X = sample(cls)
    half = N // 2
    model = MLEDistribution(cls).fit(X[:half])
    assert_same(model.partial_fit(X[half:]), MLEDistribution(cls).fit(X))
    assert_same(model.fit(X[:half]), MLEDistribution(cls).fit(X[:half]))
    assert not hasattr(clone(model), "params_")


@pytest.mark.filterwarnings("ignore::skmle.exceptions.NonRegularWarning")
@every_class(lambda cls: is_condensable(cls) and cls.observation.columns == 1)
def test_independent_columns(cls):
    x = sample(cls)
    X = np.hstack([x, x[::-1]])
    assert_same(in_batches(MLEDistribution(cls), X, CUTS[1]), MLEDistribution(cls).fit(X))


@pytest.mark.parametrize(
    ("name", "fixed"),
    [("normal", {"loc": 0.3}), ("gamma", {"shape": 1.0}), ("negative_binomial", {"mean": 1.5})],
)
def test_fixed_parameters(name, fixed):
    X = sample(type(get_family(name)))
    assert_same(
        in_batches(MLEDistribution(name, fixed=fixed), X, CUTS[0]),
        MLEDistribution(name, fixed=fixed).fit(X),
    )


@pytest.mark.parametrize("value", [0.1, 1.0 / 3.0, 7e-150, 3e150])
@pytest.mark.parametrize("name", ["normal", "gamma", "lognormal", "inverse_gaussian"])
def test_equal_batches_are_known_for_equal(name, value):
    """No rounding of a mean gives equal observations a spread."""
    model = MLEDistribution(name)
    for rows in (1, 3, 10):
        with pytest.warns(NoMaximumWarning, match="all observations are equal"):
            model.partial_fit(np.full((rows, 1), value), sample_weight=np.full(rows, 0.7))
    model.partial_fit([[2.0 * value]])
    assert model.status_ == "interior"


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e150])
def test_units_drop_out(scale):
    X = np.random.default_rng(0).normal(size=(50, 1))
    plain = in_batches(MLEDistribution(), X, (0, 20, 50))
    scaled = in_batches(MLEDistribution(), X * scale, (0, 20, 50))
    np.testing.assert_allclose(values(scaled), values(plain) * scale, rtol=1e-12)


def test_a_label_may_come_late():
    model = (
        MLEDistribution("categorical")
        .partial_fit([["b"], ["c"], ["b"]])
        .partial_fit([["a"], ["b"]])
    )
    np.testing.assert_allclose(model.params_["probabilities"], [0.2, 0.6, 0.2], rtol=1e-12)
    assert model.sample(5, random_state=0).dtype.kind == "U"


def test_the_boundary_is_found_in_sums_too():
    with pytest.warns(BoundaryWarning):
        model = MLEDistribution("negative_binomial").partial_fit([[2.0], [3.0], [2.0]])
    with pytest.warns(BoundaryWarning):
        model.partial_fit([[3.0], [2.0]])
    assert model.params_ == {"mean": pytest.approx(2.4), "dispersion": 0.0}
    with pytest.warns(NonRegularWarning):
        MLEDistribution("uniform").partial_fit([[2.0], [3.0]])


@every_class(lambda cls: not is_condensable(cls))
def test_families_that_need_all_rows_have_no_such_method(cls):
    family = cls()
    model = MLEDistribution(family)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        _ = model.partial_fit
    assert f"{family.title}).partial_fit: no sum of fixed size" in str(caught.value.__cause__)
    assert "Use fit on all rows" in str(caught.value.__cause__)


def test_a_bad_batch_changes_nothing():
    model = MLEDistribution("gamma").partial_fit([[1.0], [2.0]])
    before = dict(model.params_), model.log_likelihood_
    for bad in ([[-1.0]], [[np.nan]], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="gamma|Gamma|NaN|features"):
            model.partial_fit(bad)
    with pytest.raises(ValueError, match="all 1 weights are zero"):
        model.partial_fit([[3.0]], sample_weight=[0.0])
    assert (dict(model.params_), model.log_likelihood_) == before
    with pytest.raises(ValueError, match="Unknown family"):
        MLEDistribution("gama").partial_fit([[1.0]])


def test_nothing_that_grows_is_kept():
    """A million rows leave one number a statistic."""
    model = MLEDistribution("gamma")
    for seed in range(3):
        model.partial_fit(np.random.default_rng(seed).gamma(2.0, size=(10_000, 1)))
    (seen,) = model._seen
    assert {s.shape for s in seen.observed.statistics} == {(1,)}
