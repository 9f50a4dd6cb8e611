"""Separation: named where a linear program finds it, and nowhere else.

The rest of the answer stands.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter

import numpy as np
import pytest
from scipy.optimize import linprog

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.judge import nearest
from skmle._engine.judge.separation import certificate
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.exceptions import SeparationWarning
from skmle.families import Bernoulli, Family, ZeroInflated
from tests.engine.verdicts import RUNS, fitted, judge
from tests.subjects import ONE_EACH, every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


def separable(X: np.ndarray, codes: np.ndarray, classes: int) -> bool:
    """Whether some direction lowers no row's probability and raises one's.

    A linear program over the margins.
    """
    Z = np.column_stack([np.ones(len(X)), X / np.abs(X).max(axis=0)])
    margins = []
    for z, code in zip(Z, codes, strict=True):
        for other in set(range(classes)) - {code}:
            row = np.zeros((classes, Z.shape[1]))
            row[code], row[other] = z, -z
            margins.append(row[1:].ravel())  # against class 0
    A = np.array(margins)
    found = linprog(
        -A.sum(axis=0),
        A_ub=-A,
        b_ub=np.zeros(len(A)),
        bounds=[(-1.0, 1.0)] * A.shape[1],
        method="highs",
    )
    assert found.success
    return -found.fun > 1e-7


def counted(function, asked: Counter):
    def inside(*arguments):
        asked[function.__name__] += 1
        return function(*arguments)

    return inside


def labels(X: np.ndarray, classes: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    return (
        X @ rng.normal(size=(X.shape[1], classes)) * strength + rng.gumbel(size=(len(X), classes))
    ).argmax(axis=1)


def small_problem(rng: np.random.Generator, classes: int):
    X = rng.normal(size=(rng.integers(8, 60), rng.integers(1, 7)))
    X = X.round() if rng.random() < 0.3 else X
    return X, labels(X, classes, rng, rng.choice([0.0, 0.5, 2.0, 6.0]))


def problem_with_rare_dummies(rng: np.random.Generator, classes: int):
    n = rng.choice([100, 300])
    dummies = (rng.random((n, 3)) < rng.choice([0.01, 0.03, 0.1])).astype(float)
    X = np.column_stack([rng.normal(size=(n, 2)), dummies])
    return X, labels(X, classes, rng, 0.7)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [small_problem, problem_with_rare_dummies])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_separation_is_what_the_linear_program_says(problem, classes):
    """Whether there is a maximum, and that its absence is separation: always."""
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, classes])
        X, codes = problem(rng, classes)
        X = X[:, X.std(axis=0) > 0]
        if len(set(codes)) < classes or not X.shape[1]:
            continue
        model, said = judge(CrossEntropyClassifier(), X, codes)
        found[said, "separation" if separable(X, codes, classes) else "interior"] += 1
        np.testing.assert_allclose(
            model.score(X, codes) * len(X), model.log_likelihood_, rtol=1e-9, atol=1e-9
        )
    assert set(found) == {("interior", "interior"), ("separation", "separation")}, found
    assert min(found.values()) > 20


def barely_separable_problem(rng: np.random.Generator, classes: int):
    """Sparse columns that nearly tell the classes: margins differ by orders of magnitude."""
    n = rng.integers(100, 160)
    p = n // 5
    X = np.where(rng.random((n, p)) < rng.choice([0.02, 0.05, 0.1]), rng.normal(size=(n, p)), 0.0)
    told = X @ rng.normal(size=(p, classes))
    told += rng.choice([0.1, 0.3, 0.6]) * np.std(told) * rng.normal(size=told.shape)
    return X, told.argmax(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [3, 5])
def test_a_separation_that_takes_many_steps_is_what_the_linear_program_says(classes):
    """No maximum is named where there is none, and none is denied where there is one.

    A maximum may be so far out that rounding keeps a fit from it, which it says.
    """
    found = Counter()
    for seed in range(RUNS // 10):
        rng = np.random.default_rng([seed, classes])
        X, codes = barely_separable_problem(rng, classes)
        X = X[:, X.std(axis=0) > 0]
        _, said = judge(CrossEntropyClassifier(), X, codes)
        found["separation" if separable(X, codes, classes) else "interior", said] += 1
    separated = sum(count for (true, _), count in found.items() if true == "separation")
    assert found["separation", "separation"] == separated > 5, found
    assert found["interior", "separation"] == found["interior", "no_maximum"] == 0, found


def nested_problem(rng: np.random.Generator, classes: int):
    """Rows that one column separates are zero in the columns before it.

    Some run off ever faster than others.
    """
    n, p = rng.integers(20, 80), rng.integers(2, 6)
    X, codes, stage = rng.normal(size=(n, p)), rng.integers(0, classes, n), rng.integers(0, p, n)
    side = np.where(codes == codes.max(), 1.0, -1.0)
    X[stage[:, None] > np.arange(p)] = 0.0
    for j in range(p - 1):
        X[stage == j, j] = (side * rng.uniform(0.2, 1.0, n))[stage == j]
    return X @ rng.normal(size=(p, p)), codes


def problem_on_the_edge(rng: np.random.Generator, classes: int):
    """Labels that X tells exactly, but for rows between two classes, where only rounding tells the
    side.
    """
    X, slopes = (
        rng.normal(size=(rng.integers(15, 60), 4)).round(1),
        rng.integers(-3, 4, size=(4, classes)) * 0.1,
    )
    normal = slopes[:, 0] - slopes[:, 1]
    edge = rng.normal(size=(rng.integers(1, 6), 4))
    edge -= np.outer(edge @ normal, normal) / max(normal @ normal, 0.01)
    codes = [(X @ slopes).argmax(axis=1), np.zeros(len(edge), int), np.ones(len(edge), int)]
    return np.vstack([X, edge, edge]), np.concatenate(codes)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [nested_problem, problem_on_the_edge])
@pytest.mark.parametrize("classes", [3, 6])
def test_separation_is_the_same_however_it_is_rounded(problem, classes):
    """Rows and columns in another order, other units and other names for the classes round all sums
    otherwise.
    """
    for seed in range(RUNS // 10):
        rng = np.random.default_rng([seed, classes])
        X, codes = problem(rng, classes)
        if len(set(codes)) < classes:
            continue
        expected = "separation" if separable(X, codes, classes) else "interior"
        for _ in range(2):
            rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
            units, names = 3.7 ** rng.integers(-6, 7, X.shape[1]), rng.permutation(classes)
            _, said = judge(
                CrossEntropyClassifier(), (X * units)[rows][:, columns], names[codes[rows]]
            )
            assert said == expected, (seed, units)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.slow
def test_a_ridge_leaves_no_separation(classes):
    for seed in range(RUNS // 4):
        rng = np.random.default_rng([seed, classes])
        X, codes = small_problem(rng, classes)
        if len(set(codes)) == classes:
            _, said = judge(CrossEntropyClassifier(alpha=1e-3), X, codes)
            assert said == "interior"
            # Nor does one that stopped early say so, although its step may separate the labels.
            _, said = judge(CrossEntropyClassifier(alpha=1e-3, max_iter=1), X, codes)
            assert said in ("interior", "not_converged")


def overlapping(n: int, rng: np.random.Generator):
    """Features and labels of a logistic regression far from separation."""
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < 1.0 / (1.0 + np.exp(-X @ [1.0, -0.5, 0.0]))).astype(int)


@pytest.mark.parametrize("separated", [True, False])
@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3])
def test_a_certificate_is_cleaned_of_what_rounding_added(noise, separated):
    """Half the rows are told apart by the first column, which is zero in the others, where the
    classes overlap.
    """
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200).astype(float)
    first = np.where(np.arange(200) < 100, 0.0, (2.0 * y - 1.0) * rng.uniform(0.5, 1.0, 200))
    first[150] *= 1.0 if separated else -1.0
    X = np.column_stack([first, rng.normal(size=(200, 2))])
    objective = Objective(Bernoulli().rows, (y,), Design((Term(slice(None), 3),), 200, X))
    seen = np.array([2.0, 0.0, 0.0, 0.0]) + noise * rng.normal(size=4)
    found = certificate(Bernoulli(), (y,), objective, objective(20.0 * seen).hessian, [seen])
    if separated:
        np.testing.assert_allclose(found[1:] / found[0], 0.0, atol=1e-9)
    else:
        assert found is None


@pytest.mark.slow
def test_raise_max_iter_is_said_only_where_it_was_reached(monkeypatch):
    """Nested separations, could they not be proved, would stop the solver both ways."""
    for proof in ("verdict.separation", "verdict.nearest_direction", "alarm.nearest_direction"):
        monkeypatch.setattr(f"skmle._engine.judge.{proof}", lambda *args: None)
    said = set()
    for seed in range(RUNS // 10):
        X, codes = nested_problem(np.random.default_rng([seed, 6]), 6)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = CrossEntropyClassifier(max_iter=40).fit(X, codes)
        if model.status_ == "not_converged":
            (warned,) = caught
            said.add(
                (
                    model.n_iter_ >= 40,
                    "Raise max_iter" in str(warned.message),
                    "because of rounding" in str(warned.message),
                )
            )
    assert said == {(True, True, False), (False, False, True)}


@pytest.mark.parametrize("flipped", [0, 1], ids=["separates", "one-row-does-not"])
def test_a_rare_dummy(flipped):
    """Eight rows with a dummy and one outcome.

    Its coefficient alone is infinite; the others are those without these rows.
    """
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X, y = overlapping(500, rng)
        dummy = np.zeros((500, 1))
        dummy[:8] = 1.0
        y[:8] = 1
        y[:flipped] = 0
        model, said = judge(CrossEntropyClassifier(), np.hstack([X, dummy]), y)
        assert said == ("interior" if flipped else "separation")
        if not flipped:
            rest = CrossEntropyClassifier().fit(X[8:], y[8:])
            errors = rest.inference().standard_errors
            assert (
                np.abs(
                    np.append(model.coef_[0, :3], model.intercept_)
                    - np.append(rest.coef_, rest.intercept_)
                )
                <= 1e-6 * errors
            ).all()
            np.testing.assert_allclose(model.log_likelihood_, rest.log_likelihood_, rtol=1e-9)
            assert (model.predict_proba(np.hstack([X, dummy])[:8])[:, 1] > 1.0 - 1e-8).all()


def test_the_warning_names_the_columns_that_separate():
    X, y = overlapping(300, np.random.default_rng(0))
    X = np.column_stack([X, np.arange(300) < 8, np.arange(300) % 2])
    y[:8] = 1
    with pytest.warns(SeparationWarning, match=re.escape("'x3'")) as warned:
        CrossEntropyClassifier().fit(X, y)
    assert len(warned) == 1 and not any(f"'x{j}'" in str(warned[0].message) for j in (0, 1, 2, 4))


@pytest.mark.parametrize("n", [10**4, 10**5])
def test_rare_events_are_no_separation(n):
    """3 events, whose rows are nothing special."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 3)), np.zeros(n, int)
    y[rng.choice(n, 3, replace=False)] = 1
    _, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "interior"


def test_one_row_flipped_among_a_hundred_thousand():
    rng = np.random.default_rng(0)
    X, y = overlapping(10**5, rng)
    dummy = np.zeros(10**5)
    dummy[:8] = 1.0
    for ones, expected in ((8, "separation"), (7, "interior")):
        y[:8] = np.arange(8) < ones
        _, said = judge(CrossEntropyClassifier(), np.column_stack([X, dummy]), y)
        assert said == expected


def is_count(family: Family) -> bool:
    support = family.support
    return (
        family.observation.columns == 1
        and family.observation.numeric
        and support.discrete
        and np.isfinite(support.low)
        and support.high == np.inf
    )


@pytest.mark.slow
@every(ONE_EACH, is_count)
def test_a_dummy_whose_counts_are_all_at_the_end(family):
    """No count but the smallest in a dummy's rows.

    Its coefficient is infinite, the rest is the fit without these rows.
    """
    end = family.support.low
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X = np.column_stack([rng.normal(size=(200, 2)), rng.random(200) < 0.1])
        y = rng.negative_binomial(1.0, 0.2, 200) + end
        y[X[:, 2] == 1.0] = end
        model, said = judge(MLERegressor(family), X, y)
        assert said == "separation"
        kept = X[:, 2] == 0.0
        rest, _ = fitted(MLERegressor(family), X[kept, :2], y[kept])
        errors = np.sqrt(np.diag(rest._covariances[0]))
        ours = np.r_[model.coef_[:2], [v for v in model.intercepts_.values()]]
        theirs = np.r_[rest.coef_, [v for v in rest.intercepts_.values()]]
        assert (np.abs(ours - theirs) <= 1e-6 * errors).all()
        np.testing.assert_allclose(model.log_likelihood_, rest.log_likelihood_, rtol=1e-9)
        np.testing.assert_allclose(model.predict(X[~kept]), end, atol=1e-6)


def test_a_face_that_no_direction_can_leave_is_taken_once(monkeypatch):
    """The nearest direction was asked for without end, where one row came back each time."""
    asked = Counter()
    monkeypatch.setattr(nearest, "growth", counted(nearest.growth, asked))
    y = np.where(np.arange(40) < 20, 0.0, 3.0)
    group = (np.arange(40) < 20).astype(float)[:, None]
    family = ZeroInflated("nb1")
    features = dict.fromkeys(family.names[:2], "all")
    model, warned = fitted(MLERegressor(family, features=features), group, y)
    assert warned and not model.converged_ and 0 < asked.total() < 200


def test_a_level_of_one_row_costs_little_and_leaves_the_rest_as_it_is():
    """As the flights from New York to Lexington: one of 327,346 in 2013."""
    rng = np.random.default_rng(0)
    n, levels = 6_000, 30
    level, x = np.minimum(rng.integers(levels - 1, size=n), levels - 2), rng.normal(size=(n, 2))
    level[777] = levels - 1
    X = np.column_stack([np.eye(levels)[level][:, 1:], x])
    y = (x[:, 0] + 0.1 * level + rng.logistic(size=n) > 1.0).astype(int)
    others = level < levels - 1
    rest = CrossEntropyClassifier(tol=1e-10).fit(
        np.delete(X[others], levels - 2, axis=1), y[others]
    )
    with pytest.warns(SeparationWarning, match=r"1 row \(row 777\) with y = . is predicted"):
        model = CrossEntropyClassifier(tol=1e-10).fit(X, y)
    assert list(model.separated_.columns[1]) == [f"x{levels - 2}"]
    assert model.separated_.rows.tolist() == [777]
    errors = model.inference().standard_errors
    assert np.flatnonzero(np.isnan(errors)).tolist() == [levels - 2]
    np.testing.assert_allclose(
        np.delete(errors, levels - 2), rest.inference().standard_errors, rtol=1e-8
    )
    np.testing.assert_allclose(np.delete(model.coef_[0], levels - 2), rest.coef_[0], rtol=1e-8)
    # One iterate to see it, one for the last step to the limit, and one to spare.
    assert model.n_iter_ <= rest.n_iter_ + 3
