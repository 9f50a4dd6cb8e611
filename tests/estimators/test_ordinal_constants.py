"""Cut points carry the constant that the location of ordered classes has not.

So a column that is constant with others is one too many, as it is beside an intercept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skmle import CrossEntropyClassifier, MLERegressor, OrdinalClassifier, fit_groups, loo
from skmle.exceptions import SeparationWarning
from skmle.families.ordinal import Ordinal

RNG = np.random.default_rng(0)
N = 240
OWN = RNG.normal(size=(N, 2))
LEVEL = RNG.integers(0, 3, N)
HOT = np.eye(3)[LEVEL]
Y = np.digitize(OWN @ [1.0, -0.5] + 0.4 * LEVEL + RNG.logistic(size=N), [-1.0, 0.3, 1.5])

# Columns, those of them that are independent, and those that depend on others.
DEPENDENT = {
    "a constant": (np.column_stack([OWN, np.full(N, 3.0)]), [0, 1], [2]),
    "a full one-hot": (np.column_stack([OWN, HOT]), [0, 1, 3, 4], [2, 3, 4]),
    "the others' sum and a constant": (
        np.column_stack([OWN, OWN.sum(axis=1) + 2.0]),
        [0, 1],
        [0, 1, 2],
    ),
    "two one-hots": (
        np.column_stack([HOT, OWN, np.eye(2)[np.arange(N) % 2]]),
        [1, 2, 3, 4, 6],
        [0, 1, 2, 5, 6],
    ),
    "a constant beside columns far from zero": (
        np.column_stack([OWN + 1e4, np.ones(N)]),
        [0, 1],
        [2],
    ),
    "nothing but a constant": (np.full((N, 1), 2.0), [], [0]),
    "twice another": (np.column_stack([OWN + 3.0, 2.0 * OWN[:, 1] + 6.0]), [0, 1], [1, 2]),
    "the others' sum, far from zero": (
        np.column_stack([OWN + 1e4, OWN.sum(axis=1) + 2e4]),
        [0, 1],
        [0, 1, 2],
    ),
    "nothing at all": (np.column_stack([OWN, np.zeros(N)]), [0, 1], [2]),
}
# In what changes no prediction, the cut points have no part.
DETERMINED_CUTS = {"twice another", "the others' sum, far from zero", "nothing at all"}


@pytest.mark.parametrize("link", ["logit", "probit", "cauchit"])
@pytest.mark.parametrize("name", DEPENDENT)
def test_dependent_columns_are_named_and_change_nothing(name, link):
    X, independent, aliased = DEPENDENT[name]
    model = OrdinalClassifier(link=link).fit(X, Y)
    assert model.status_ == "interior" and model.aliased_ == [f"x{j}" for j in aliased]
    errors, known = model.inference().standard_errors, [j not in aliased for j in range(X.shape[1])]
    # The place of the cut points is where all columns are zero.
    cuts = [name in DETERMINED_CUTS] * 3
    np.testing.assert_array_equal(np.isfinite(errors), [*known, *cuts])
    if not independent:
        shares = np.bincount(Y) / N
        np.testing.assert_allclose(model.predict_proba(X[:1])[0], shares, rtol=1e-9)
        return
    plain = OrdinalClassifier(link=link).fit(X[:, independent], Y)
    if name in DETERMINED_CUTS:
        np.testing.assert_allclose(errors[-3:], plain.inference().standard_errors[-3:], rtol=1e-4)
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-12)
    assert model.n_parameters_ == plain.n_parameters_
    proba = plain.predict_proba(X[:, independent])
    np.testing.assert_allclose(model.predict_proba(X), proba, rtol=1e-7)
    there = {j: e for j, e in zip(independent, plain.inference().standard_errors, strict=False)}
    for j in np.flatnonzero(known):
        np.testing.assert_allclose(errors[j], there[j], rtol=1e-6)


@pytest.mark.parametrize("name", DEPENDENT)
def test_two_classes_have_the_slopes_of_logistic_regression(name):
    X = DEPENDENT[name][0]
    ours, plain = OrdinalClassifier().fit(X, Y > 1), CrossEntropyClassifier().fit(X, Y > 1)
    assert ours.aliased_ == plain.aliased_
    np.testing.assert_allclose(ours.coef_, plain.coef_[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(-ours.cut_points_, plain.intercept_, rtol=1e-7)


@pytest.mark.parametrize("name", DEPENDENT)
def test_other_ways_to_the_same_fit(name):
    X = DEPENDENT[name][0]
    model = OrdinalClassifier().fit(X, Y)
    other = OrdinalClassifier().fit(sparse.csr_array(X), Y)
    regression = MLERegressor(Ordinal(4)).fit(X, Y.astype(float))
    for coef, aliased in (
        (other.coef_, other.aliased_),
        (regression.coefs_["location"], regression.aliased_),
    ):
        np.testing.assert_allclose(coef, model.coef_, rtol=1e-7, atol=1e-9)
        assert aliased == model.aliased_
    groups = np.arange(N) % 2
    many = fit_groups(OrdinalClassifier(), X, Y, groups=groups)
    assert list(many.status_) == ["interior", "interior"]
    one = OrdinalClassifier().fit(X[groups == 1], Y[groups == 1])
    np.testing.assert_allclose(many.log_likelihood_[1], one.log_likelihood_, rtol=1e-12)


@pytest.mark.parametrize("name", DEPENDENT)
def test_a_ridge_determines_all_slopes(name):
    X = DEPENDENT[name][0]
    model = OrdinalClassifier(alpha=0.1).fit(X, Y)
    assert model.status_ == "interior" and model.aliased_ == []
    assert np.isfinite(model.inference().standard_errors).all()


@pytest.mark.parametrize("settings", [{}, {"alpha": 0.05}, {"alpha": 0.02, "l1_ratio": 1.0}])
@pytest.mark.parametrize("far", [1e3, 1e6])
def test_columns_far_from_zero_move_the_cut_points(far, settings):
    """Without centring, the Hessian of columns around 1e6 is rounding."""
    plain = OrdinalClassifier(**settings).fit(OWN, Y)
    model = OrdinalClassifier(**settings).fit(OWN + far, Y)
    assert model.status_ == "interior"
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-6)
    moved = plain.cut_points_ + far * model.coef_.sum()
    np.testing.assert_allclose(model.cut_points_, moved, rtol=1e-9)
    if not settings.get("l1_ratio"):
        errors, there = model.inference().standard_errors, plain.inference().standard_errors
        np.testing.assert_allclose(errors[:2], there[:2], rtol=1e-6)
    there = plain.predict_proba(OWN)
    np.testing.assert_allclose(model.predict_proba(OWN + far), there, rtol=0, atol=1e-6)


# Columns of which one separates, those that say the same, and the columns that run off in both.
SEPARATING = {
    "a full one-hot": (np.column_stack([OWN, HOT]), [0, 1, 3, 4], "x4", "x3"),
    "a constant": (np.column_stack([OWN, np.ones(N), HOT[:, 2]]), [0, 1, 3], "x3", "x2"),
    "columns far from zero": (np.column_stack([OWN + 1e3, HOT[:, 2]]), None, "x2", "x2"),
}


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("name", SEPARATING)
def test_separated_rows_are_told_from_dependent_columns(name, classes):
    X, independent, runs_off, there = SEPARATING[name]
    y = np.where(LEVEL == 2, classes - 1, np.minimum(Y, classes - 1))
    near = np.column_stack([OWN, HOT[:, 2]]) if independent is None else X[:, independent]
    with pytest.warns(SeparationWarning, match=f"'{runs_off}' separates"):
        model = OrdinalClassifier().fit(X, y)
    with pytest.warns(SeparationWarning, match=f"'{there}' separates"):
        plain = OrdinalClassifier().fit(near, y)
    assert len(model.classes_) == classes
    assert model.separated_.columns == {"location": {runs_off: np.inf}}
    np.testing.assert_array_equal(model.separated_.rows, plain.separated_.rows)
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-9)
    ours, wanted = model._results().standard_errors, plain._results().standard_errors
    np.testing.assert_allclose(ours[:2], wanted[:2], rtol=1e-5)

    if independent is None:
        return
    # The top class among the separated rows alone: its cut point runs off, too.
    y = np.where(LEVEL == 2, classes - 1, np.minimum(Y, classes - 2))
    with pytest.warns(SeparationWarning):
        model, plain = (OrdinalClassifier().fit(x, y) for x in (X, near))
    np.testing.assert_array_equal(model.separated_.rows, plain.separated_.rows)
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-7, atol=1e-7)
    ours, wanted = model._results().standard_errors, plain._results().standard_errors
    np.testing.assert_allclose(ours[:2], wanted[:2], rtol=1e-5)


def test_robust_errors_and_leave_one_out_do_not_see_the_dependent_columns():
    X, independent, _ = DEPENDENT["a full one-hot"]
    model, plain = OrdinalClassifier().fit(X, Y), OrdinalClassifier().fit(X[:, independent], Y)
    pair = [(model, X), (plain, X[:, independent])]
    ours, wanted = (m.inference(x, Y, covariance="HC1").standard_errors[:2] for m, x in pair)
    np.testing.assert_allclose(ours, wanted, rtol=1e-7)
    ours, wanted = (loo(m, x, Y).log_likelihood for m, x in pair)
    np.testing.assert_allclose(ours, wanted, rtol=1e-9)


def test_a_pipeline_with_all_levels_of_a_category():
    frame = pd.DataFrame({"a": OWN[:, 0], "b": OWN[:, 1], "g": np.array(list("uvw"))[LEVEL]})
    encoder = OneHotEncoder(sparse_output=False)
    columns = make_column_transformer((encoder, ["g"]), remainder="passthrough")
    model = make_pipeline(columns, OrdinalClassifier()).fit(frame, Y)
    assert model[-1].status_ == "interior"
    assert model[-1].aliased_ == ["x0", "x1", "x2"]
