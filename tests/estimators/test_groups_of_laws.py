"""Laws around laws, classes and their settings: fits of groups are those of a loop of estimators.

Every wrapper around every family that it takes, as a density and as a regression; every classifier
under every setting of its own.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
)
from skmle.families import WRAPPERS, Family
from tests.estimators.test_groups import CLOSE, assert_as_alone, fitted, share_together
from tests.subjects import FAMILIES, is_smooth, observations, own_name, representatives, respond

GROUPS = 3
LAWS = [cls for cls in FAMILIES if is_smooth(cls)]


# Curvatures by differences are good to 1e-7 (`families.algebra.differences`), so that standard
# errors of two fits whose estimates agree to rounding may differ by as much.
BY_DIFFERENCES = 1e-7
OF_TAILS = {"Censored", "Truncated", "Rounded", "Hurdle"}


def of_errors(wrapper, cls):
    """Return how closely the standard errors of a wrapped law may be asked to agree."""
    in_shape = own_name(cls) in ("student_t", "generalized_gamma", "tweedie")
    differences = cls.tail is Family.tail or in_shape
    return BY_DIFFERENCES if wrapper in OF_TAILS and differences else CLOSE


# ---------------------------------------------------------------- observations of wrapped laws


def censored(name, y):
    high = np.quantile(y, 0.8)
    rows = np.column_stack([y, y])
    rows[y > high] = np.ceil(high), np.inf
    return families.Censored(name), rows, y == y


def truncated(name, y):
    low = float(np.floor(8.0 * np.quantile(y, 0.2)) / 8.0)
    return families.Truncated(name, low=low), y, y > low


def rounded(name, y):
    step = 0.02 if y.max() < 1.0 else 0.25
    return families.Rounded(name, step), step * np.round(y / step), y == y


def with_zeros(wrapper):
    def made(name, y):
        return wrapper(name), np.where(np.arange(len(y)) % 4 == 1, 0.0, y), y == y

    return made


def shifted(name, y):
    return families.Shifted(name), y + 3.0, y == y


def transformed(name, y):
    return families.Transformed(name, "log"), np.exp(np.clip(y, -30.0, 30.0)), y == y


def product(name, y):
    other = np.random.default_rng(1).normal(size=len(y))
    return families.Product([name, "normal"]), np.column_stack([y, other]), y == y


def folded(name, y):
    return families.Folded(name), np.abs(y), y == y


def mixture(name, y):
    far = np.where(np.arange(len(y)) % 3 == 0, 8.0 * np.median(np.abs(y)) + 8.0, 0.0)
    whole = families.get_family(name).support.discrete
    return families.Mixture([name, name]), y + (np.ceil(far) if whole else far), y == y


# How each wrapper is put around a law, and what becomes of observations of the law inside.
AROUND = {
    "Censored": censored,
    "Truncated": truncated,
    "Rounded": rounded,
    "ZeroInflated": with_zeros(families.ZeroInflated),
    "Hurdle": with_zeros(families.Hurdle),
    "Shifted": shifted,
    "Transformed": transformed,
    "Product": product,
    "Folded": folded,
    "Mixture": mixture,
}


def test_every_wrapper_is_here():
    assert set(AROUND) == set(WRAPPERS)


def takes(wrapper, cls):
    """Whether a wrapper takes a law, as its own refusal says, and the observations made here."""
    y = observations(cls, 20)
    try:
        family, rows, keep = AROUND[wrapper](own_name(cls), y)
        return bool(family.adapt(rows[keep]).contains(rows[keep]).all())
    except ValueError:
        return False


INSIDE = [cls for cls in LAWS if cls in representatives()]  # what a wrapper can tell apart
CASES = [(w, cls) for w, cls in itertools.product(AROUND, INSIDE) if takes(w, cls)]
every_case = pytest.mark.parametrize(
    ("wrapper", "cls"), CASES, ids=[f"{w}-{own_name(cls)}" for w, cls in CASES]
)


@every_case
@pytest.mark.slow
def test_densities_of_wrapped_laws(wrapper, cls):
    family, y, keep = AROUND[wrapper](own_name(cls), observations(cls, GROUPS * 70))
    groups = np.arange(len(y)) % GROUPS
    model = MLEDistribution(family)
    fits = fitted(model, y[keep], groups=groups[keep])
    assert_as_alone(fits, model, y[keep], None, groups[keep], of_errors(wrapper, cls))


@every_case
def test_regressions_of_wrapped_laws(wrapper, cls):
    if wrapper == "Product":
        return  # no law of one response
    rng = np.random.default_rng(2)
    X = rng.normal(size=(GROUPS * 60, 2))
    family, y, keep = AROUND[wrapper](own_name(cls), respond(cls, 0.3 * X[:, 0], rng))
    groups = np.arange(len(y)) % GROUPS
    model = MLERegressor(family)
    fits = fitted(model, X[keep], y[keep], groups=groups[keep])
    assert_as_alone(fits, model, X[keep], y[keep], groups[keep], of_errors(wrapper, cls))


# A threshold is learnt in each group by itself; mixtures and folded laws have several maxima.
APART = "Mixture", "Shifted", "Folded"


@pytest.mark.parametrize("wrapper", [w for w in AROUND if w not in APART])
def test_most_groups_of_wrapped_laws_are_found_together(wrapper):
    cls = next(cls for w, cls in CASES if w == wrapper)
    family, y, keep = AROUND[wrapper](own_name(cls), observations(cls, GROUPS * 200))
    groups = np.arange(len(y)) % GROUPS
    fits = fitted(MLEDistribution(family), y[keep], groups=groups[keep])
    assert share_together(fits) == 1.0


def test_fixed_parameters_of_a_wrapped_law():
    rng = np.random.default_rng(3)
    y = rng.poisson(2.0, 360) * (rng.random(360) > 0.3)
    groups = np.arange(360) % GROUPS
    for held in ({"zeros": 0.3}, {"mean": 2.0}):
        model = MLEDistribution(families.ZeroInflated("poisson"), fixed=held)
        fits = fitted(model, y, groups=groups)
        assert share_together(fits) == 1.0
        assert_as_alone(fits, model, y, None, groups)


def test_groups_that_learn_unlike_things():
    """Some groups have censored rows, some have none, one has nothing else, one is of intervals."""
    rng = np.random.default_rng(4)
    groups, y = np.arange(480) % 8, rng.weibull(1.5, 480)
    rows = np.column_stack([y, y])
    rows[(groups < 4) & (y > 1.2), 1] = np.inf
    rows[groups == 6, 1] = np.inf
    rows[groups == 7] = np.column_stack([np.floor(4.0 * y), np.floor(4.0 * y) + 1.0])[groups == 7]
    model = MLEDistribution(families.Censored("weibull"))
    fits = fitted(model, rows, groups=groups)
    assert_as_alone(fits, model, rows, None, groups)
    np.testing.assert_array_equal(fits._apart, groups[:8] == 6)
    assert fits.status_[6] == "no_maximum"


def test_a_law_that_refuses_a_table_of_groups_is_asked_row_by_row():
    rows, asked = [], families.Poisson.evaluate

    class OneColumn(families.Poisson):
        def evaluate(self, statistics, eta, order=2):
            rows.append(statistics[0].shape)
            assert statistics[0].ndim == 1
            return asked(self, statistics, eta, order)

    y, groups = rng_counts(300), np.arange(300) % GROUPS
    fits = fitted(MLEDistribution(OneColumn()), y, groups=groups)
    assert share_together(fits) == 1.0
    assert (300,) in rows


def rng_counts(n):
    return np.random.default_rng(5).poisson(3.0, n).astype(float)


# ---------------------------------------------------------------- classes


def labelled(classes, n=360, seed=6):
    """Return features and labels whose classes depend on them, and groups."""
    rng = np.random.default_rng(seed)
    X = rng.normal([0.0, 3.0], size=(n, 2))
    eta = np.column_stack([0.7 * X[:, 0] * (k - 1) for k in range(classes)])
    y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    return X, y, rng.integers(GROUPS, size=n), rng


PENALTIES = {
    "plain": {},
    "ridge": {"alpha": 0.05},
    "lasso": {"alpha": 0.02, "l1_ratio": 1.0},
    "elastic net": {"alpha": 0.02, "l1_ratio": 0.5},
}
CLASS_WEIGHTS = {"": None, "balanced": "balanced", "given": {0: 2.0, 1: 1.0, 2: 0.5}}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("class_weight", CLASS_WEIGHTS)
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_classifiers(classes, penalty, class_weight, weighted):
    X, y, groups, rng = labelled(classes)
    rest = {"sample_weight": rng.integers(0, 3, size=len(y)).astype(float)} if weighted else {}
    chosen = CLASS_WEIGHTS[class_weight]
    if isinstance(chosen, dict):
        chosen = {label: chosen.get(label, 1.0) for label in range(classes)}
    model = CrossEntropyClassifier(class_weight=chosen, **PENALTIES[penalty])
    fits = fitted(model, X, y, groups=groups, **rest)
    assert (share_together(fits) == 1.0) == (penalty in ("plain", "ridge"))
    assert_as_alone(fits, model, X, y, groups, **rest)


@pytest.mark.parametrize("alpha", [0.0, 0.05])
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_ordinal_classifiers(link, alpha):
    X, y, groups, _ = labelled(3)
    model = OrdinalClassifier(link=link, alpha=alpha)
    assert_as_alone(fitted(model, X, y, groups=groups), model, X, y, groups)


@pytest.mark.parametrize("alpha", [0.0, 0.05])
@pytest.mark.parametrize("classes", [2, 3])
def test_soft_labels(classes, alpha):
    X, y, groups, _ = labelled(classes)
    shares = 0.8 * np.eye(classes)[y] + 0.2 / classes
    model = CrossEntropyClassifier(alpha=alpha)
    fits = fitted(model, X, shares, groups=groups)
    assert share_together(fits) == 1.0
    assert_as_alone(fits, model, X, shares, groups)


def test_groups_of_unlike_classes():
    """Each group has its own labels, as many or fewer; one class has no weight in one group."""
    X, y, _, _ = labelled(3, 700)
    groups = np.arange(700) % 7
    y = np.where(groups == 1, y + 5, y)  # other labels
    y = np.where((groups >= 2) & (groups < 4), np.minimum(y, 1), y)  # two of three
    y = np.where(groups == 4, 0, y)  # one
    weight = np.where((groups == 5) & (y == 2), 0.0, 1.0)
    model = CrossEntropyClassifier()
    fits = fitted(model, X, y, groups=groups, sample_weight=weight)
    assert_as_alone(fits, model, X, y, groups, sample_weight=weight)
    assert fits.status_[4] == "not_fitted"
    np.testing.assert_array_equal(fits._apart, [False, False, False, False, True, True, False])
    assert [len(fits.estimator(g).classes_) for g in (0, 1, 2, 5)] == [3, 3, 2, 3]
    with pytest.raises(ValueError, match="different classes"):
        fits.predict_proba(X, groups)


def test_labels_as_densities():
    y = np.array(list("aabcbabcca" * 12))
    groups = np.arange(120) % GROUPS
    fits = fitted(MLEDistribution("categorical"), y, groups=groups)
    assert share_together(fits) == 1.0
    assert_as_alone(fits, MLEDistribution("categorical"), y, None, groups)
