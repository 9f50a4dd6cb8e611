"""scikit-learn's contract.

Every estimator, and every family as density and as regressor, passes every check.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_array, column_or_1d

import skmle
from skmle import (
    CrossEntropyClassifier,
    DistributionSearch,
    FormulaTransformer,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
)
from skmle._shared.classes import _LINKS
from skmle._shared.labels import sorted_labels
from skmle.exceptions import BoundaryWarning, NoMaximumWarning, NonRegularWarning
from skmle.families import Family, get_family
from tests.subjects import every_class, is_conditional, own_name, representatives

CHECKS = 40

# ---------------------------------------------------------------- data mapped into supports


def into_rows(x: np.ndarray, z: np.ndarray, family: Family) -> np.ndarray:
    """Map rows of numbers to rows that a law of several columns allows: the first that it does.

    They are the numbers themselves, shares, counts, or vectors of length one. What is to be
    refused stays as it is.
    """
    shares = np.exp(2.0 * z) / np.exp(2.0 * z).sum(axis=1, keepdims=True)
    directions = (z + 0.1) / np.linalg.norm(z + 0.1, axis=1, keepdims=True)
    law = family if x.shape[1] < family.fewest else family.adapt(x)
    if law is family or not np.isfinite(x).all():
        return x
    return next(
        y for y in (x, shares, np.floor(4.0 + 4.0 * z), directions) if law.contains(y).all()
    )


def into_support(values: np.ndarray, family: Family) -> np.ndarray:
    """Map real numbers into the support, each on its own.

    Subsets and permutations of rows map alike.
    """
    x = np.asarray(values, float)
    if not family.observation.finite:
        x = check_array(x)  # rows of ends may be infinite, but the numbers that make them are not
    z = x / (1.0 + np.abs(x))  # (-1, 1), whatever the scale of the data
    if isinstance(family, families.Product):
        pairs = zip((x[:, 0], x[:, -1]), family.parts, strict=True)
        return np.column_stack([into_support(column, part) for column, part in pairs])
    if type(family) is families.Censored:
        exact = into_support(x[:, 0], family.inner)
        return np.column_stack([exact, np.where(z[:, -1] > 0.5, np.inf, exact)])
    if isinstance(family, families.ZeroInflated):
        return np.where(z < -0.5, 0.0, into_support(x, family.inner))
    support = family.support
    if family.observation.columns is None:
        return into_rows(x, z, family)
    if not family.observation.numeric:
        return np.digitize(x, [0.0, 1.5]).astype(float)  # three labels
    if family.observation.columns == 2:
        return np.column_stack([np.floor(4.0 + 4.0 * z[:, 0]), np.floor(4.0 - 4.0 * z[:, -1])])
    if support.low == -np.inf:
        return np.floor(6.0 * z) if support.whole else x
    if np.isfinite(support.high):
        unit = expit(3.0 * z)
        value = support.low + (support.high - support.low) * unit
        return np.round(value) if support.whole else value
    return support.low + (np.floor(np.exp(2.5 * z)) if support.whole else np.exp(2.0 * z))


class MappedDistribution(MLEDistribution):
    """A density of the data mapped into its family's support."""

    def _rows(self, X: Any, family: Family, reset: bool) -> Any:
        return into_support(super()._rows(X, family, reset), family)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = False
        return tags


def mapped(y: Any, family: Family) -> Any:
    """Return y mapped into the support; as it is, if it is to be refused."""
    try:
        values = check_array(y, dtype=np.float64, ensure_2d=False)
        values = column_or_1d(values, warn=True)
    except (TypeError, ValueError):
        return y
    return into_support(values[:, None] if family.observation.columns != 1 else values, family)


class MappedRegressor(MLERegressor):
    """A regression of y mapped into its family's support."""

    def _prepare(self, X: Any, y: Any, *rest: Any) -> Any:
        return super()._prepare(X, mapped(y, get_family(self.family)), *rest)

    def _log_prob(self, X: Any, y: Any, *rest: Any) -> np.ndarray:
        return super()._log_prob(X, mapped(y, get_family(self.family)), *rest)

    def predict(self, X: Any, **beside: Any) -> Any:
        """Predict what y is mapped to; its first column where a row has several."""
        found = super().predict(X, **beside)
        return found[:, 0] if found.ndim == 2 else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = False
        # The checks' y of such a tag has one column or five, and a row of numbers is two here.
        tags.target_tags.multi_output, tags.target_tags.single_output = False, True
        return tags


def density(cls: type[Family]) -> MLEDistribution:
    """Return a density of the family that takes the checks' X.

    Any numbers, or (its tag says so) numbers from zero on.
    """
    family = cls()
    one_column = family.observation.columns == 1
    several = family.observation.columns is None
    anything = several and family.of_dimension(2).contains(np.array([0.5, 99.5]))
    takes = not family.observation.numeric or (
        anything
        if several
        else one_column and family.support.contains(np.array([0.0, 0.5, 99.5])).all()
    )
    return (MLEDistribution if takes else MappedDistribution)(own_name(cls))


def regressor(cls: type[Family]) -> MLERegressor:
    """Return a regressor of the family that takes the checks' y.

    Any numbers, or (its tag says so) numbers beyond zero.
    """
    family = cls()
    takes = (
        family.observation.numeric
        and family.observation.columns == 1
        and family.takes(np.array([0.5, 99.5])).all()
    )
    return (MLERegressor if takes else MappedRegressor)(own_name(cls))


# ---------------------------------------------------------------- the subjects


def gumbel(y, loc, scale):
    z = (y - loc) / scale
    return -z - np.exp(-z) - np.log(scale)


# Families around families, and of functions: one of each kind that the checks can tell apart.
WRAPPED = [
    families.Truncated("poisson", low=0.0),
    families.Rounded("normal", 0.5),
    families.ZeroInflated("poisson"),
    families.ZeroInflated("gamma"),
    families.Hurdle("gamma"),
    families.Transformed("normal", "log"),
    families.Censored("normal"),
    families.Folded("normal"),
    families.Mixture("normal"),
    families.Product(["normal", "poisson"]),
    families.Shifted("weibull"),
    families.FromLogProb(gumbel, {"loc": "identity", "scale": "log"}),
    families.ScipyFamily("gumbel_r"),
]
VARIANTS = [
    MLEDistribution(fixed={"loc": 0.0}),
    MLEDistribution(store_information=False, n_jobs=2),
    MappedDistribution(families.Poisson),
    CrossEntropyClassifier(alpha=0.1),
    CrossEntropyClassifier(class_weight="balanced"),
    CrossEntropyClassifier(warm_start=True, store_information=False),
    CrossEntropyClassifier(alpha=0.01, l1_ratio=0.5),
    CrossEntropyClassifier(alpha=0.01, l1_ratio=1.0, warm_start=True),
    CrossEntropyClassifier(link="cloglog", alpha=0.1),
    CrossEntropyClassifier(alpha="loo"),
    MLERegressor(alpha="loo"),
    MLERegressor("poisson", alpha="loo", features={"mean": "all"}),
    MLERegressor(alpha=0.1),
    MLERegressor(fit_intercept=False),
    MLERegressor(features={"scale": "all"}),
    MLERegressor(features={"loc": "none"}),
    MLERegressor(fixed={"scale": 2.0}),
    MLERegressor("poisson", alpha=0.1),
    MLERegressor(alpha=0.1, l1_ratio=0.5),
    MLERegressor("poisson", alpha=0.01, l1_ratio=1.0, warm_start=True),
    MLERegressor(families.Gamma(links={"mean": "softplus"})),
    OrdinalClassifier(),
    OrdinalClassifier(link="probit", alpha=0.1),
    OrdinalClassifier(alpha="loo"),
    DistributionSearch(["normal", "logistic"]),
    DistributionSearch(),
    FormulaTransformer(),
]
# What a regressor sees of a law is which columns, which parameters and which functions it has: a
# few stand for all. (Regressions of mixtures have many maxima, and take a second a check.)
REGRESSED = (families.Truncated, families.ZeroInflated, families.Product, families.FromLogProb)
AROUND = [
    *map(MappedDistribution, WRAPPED),
    *(MappedRegressor(law) for law in WRAPPED if isinstance(law, REGRESSED)),
]
# The checks see of a family what a wrapper sees, beside its formulas.
SUBJECTS = [
    *map(density, representatives()),
    *(regressor(cls) for cls in representatives() if is_conditional(cls)),
    *(CrossEntropyClassifier(link=link) for link in _LINKS),
    *VARIANTS,
]

# Many of the checks' data sets have no maximum by their making: 15 rows of 30 columns, constant
# columns, y = X[:, 0], labels that a line separates; and counts that the mapping leaves
# under-dispersed have theirs at a boundary. To say so is right. A fit that did not converge is none
# of these, and stays an error as any other warning. And labels that are words have no order that
# an ordinal classifier could know.
VERDICTS = [
    f"ignore::{cls.__module__}.{cls.__qualname__}"
    for cls in (NoMaximumWarning, BoundaryWarning, NonRegularWarning)
] + [
    "ignore::skmle.exceptions.ScaleWarning",  # some data repeat few values
    # Ten rows of four columns leave a law of so heavy a tail no bound, towards which it creeps.
    # scikit-learn from 1.9 on hears no warning of that check.
    "ignore:MLERegressor.Generalized extreme value.*:skmle.exceptions.NotConvergedWarning",
    "ignore:OrdinalClassifier. the labels are words:skmle.exceptions.SettingWarning",
]


def test_every_estimator_of_skmle_is_a_subject():
    public = [getattr(skmle, name) for name in skmle.__all__]
    estimators = [cls for cls in public if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
    assert len(estimators) >= 3
    for cls in estimators:
        assert any(
            type(subject) is cls and subject.get_params() == cls().get_params()
            for subject in SUBJECTS
        ), cls


def shown_as(subject: BaseEstimator) -> str:
    """Return a name that is the same in each process, whatever the addresses of functions."""
    return re.sub(r"\s|at0x\w+", "", re.sub(r"\s", "", repr(subject)))


@pytest.mark.parametrize("subject", [*SUBJECTS, *AROUND], ids=shown_as)
def test_no_check_is_left_out(subject):
    checks = list(estimator_checks_generator(subject, mark=None))
    assert len(checks) > CHECKS


# It searches among all families in each of 30 columns, which takes a minute; the search among two
# has the check, too.
COSTLY = {"DistributionSearch()": ["check_sample_weight_equivalence_on_dense_data"]}


def checks_of(subject: BaseEstimator) -> list[Any]:
    """Return the subject with each of its checks once: scikit-learn before 1.9 gives one twice."""
    once, shown = {}, shown_as(subject)
    for estimator, check in estimator_checks_generator(subject, mark=None):
        if shown in COSTLY and check.func.__name__ in COSTLY[shown]:
            continue
        settings = "".join(f"({name}={value})" for name, value in check.keywords.items())
        once[f"{shown}-{check.func.__name__}{settings}"] = estimator, check
    return [pytest.param(*pair, id=name) for name, pair in once.items()]


EVERY_CHECK = list(chain.from_iterable(map(checks_of, SUBJECTS)))


@pytest.mark.filterwarnings(*VERDICTS)
@pytest.mark.parametrize(("estimator", "check"), EVERY_CHECK)
def test_scikit_learn_check(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"scikit-learn skipped the check: {skipped}")


@pytest.mark.slow
@pytest.mark.filterwarnings(*VERDICTS)
@pytest.mark.parametrize(("estimator", "check"), [*chain.from_iterable(map(checks_of, AROUND))])
def test_scikit_learn_check_of_a_law_made_of_others(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"scikit-learn skipped the check: {skipped}")


@pytest.mark.parametrize("law", ["normal", "binomial", *WRAPPED], ids=lambda law: str(law)[:30])
def test_a_regressor_says_whether_it_predicts_several_columns(law):
    several = isinstance(law, families.Product)
    tags = get_tags(MLERegressor(law)).target_tags
    assert (tags.multi_output, tags.single_output) == (several, not several)


@every_class(lambda cls: not is_conditional(cls) and not cls.observation.rowwise)
def test_a_family_that_cannot_be_regressed_says_so(cls):
    with pytest.raises(
        ValueError, match="cannot be regressed, because .* Allowed: .* Use MLEDistribution"
    ):
        MLERegressor(cls).fit(
            [[0.0], [1.0], [2.0]],
            [[1.0, 2.0], [2.0, 0.0], [4.0, 1.0]]
            if cls.observation.columns is None
            else [1.0, 2.0, 4.0],
        )


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int32", "int64", "uint64", "bool", "float32", "float64", "U3", "object"],
)
def test_labels_of_any_type_are_told_apart(dtype):
    """Whole numbers are counted, all others sorted: with one result."""
    numbers = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 5, 300) * (
        25 if dtype in ("int8", "uint8") else 1
    )
    y = numbers.astype(dtype)
    classes, codes = sorted_labels(y, "test")
    expected, places = np.unique(y, return_inverse=True)
    assert (
        classes.dtype == y.dtype
        and np.array_equal(classes, expected)
        and np.array_equal(codes, places)
    )


@pytest.mark.parametrize(
    "y",
    [
        np.array([-128, 127, 0] * 100, np.int8),
        np.array([2**63, 2**63 + 3] * 9, np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([0.5, -1.0, 2.0]),
        np.array([1e300, 2.0, -0.0, 0.0]),
        np.array([2.0**62, 2.0**62 + 512, 1.0]),
    ],
)
def test_labels_at_the_ends_of_their_type(y):
    classes, codes = sorted_labels(y, "test")
    assert np.array_equal(classes[codes], y) and np.array_equal(classes, np.unique(y))
