"""Absolute penalties: every fit satisfies the optimality conditions, as seen from outside, and equals scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.base import clone
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
import skmle._engine.fit as fit_module
from skmle import CrossEntropyClassifier, MLERegressor, families
from skmle._engine.solvers import quadratic
from skmle._engine.solvers.quadratic import solve_quadratic
from skmle.exceptions import FitWarning, NotConvergedWarning
from tests.subjects import every_class, is_smooth, respond

N, P = 240, 8
RATIOS = (0.05, 0.5, 1.0)


def table(seed=0, n=N, p=P):
    """Columns of unequal size, the last two nearly equal."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.5, 2.0, p)
    X[:, -1] = X[:, -2] + 0.05 * X[:, -1]
    X[rng.random((n, p)) < 0.3] = 0.0
    return X


def response(cls, X, seed=1):
    return respond(cls, X[:, 0] - 0.5 * X[:, 1], np.random.default_rng(seed))


def labels(X, k, seed=0):
    rng = np.random.default_rng(seed)
    return (X[:, :k] @ np.eye(k) + rng.gumbel(size=(len(X), k))).argmax(axis=1)


def penalty(alpha, ratio, coefs):
    return alpha * (ratio * np.abs(coefs).sum() + (1.0 - ratio) / 2.0 * (coefs**2).sum())


def assert_optimal(gradient, coef, alpha, ratio, atol):
    """The gradient of the mean -log q is minus a subgradient of the penalty."""
    pull = gradient + alpha * (1.0 - ratio) * coef
    np.testing.assert_allclose(
        pull[coef != 0.0], -alpha * ratio * np.sign(coef[coef != 0.0]), rtol=0, atol=atol
    )
    assert (np.abs(pull[coef == 0.0]) <= alpha * ratio * (1.0 + 1e-6) + atol).all()


def eta_gradients(model, X, y):
    """Return the derivative of each row's -log q in each eta, by the family's formula."""
    law = model._law
    rows = law.rows(law.statistics(np.asarray(y, float)), model._eta(X, None, None), 1)
    return [np.broadcast_to(g, (len(y),)) for g in rows.gradient]


# ---------------------------------------------------------------- optimality, from outside


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
@every_class(is_smooth)
def test_a_regression_is_optimal(cls, ratio, weighted):
    X = table()
    y = response(cls, X)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else np.ones(N)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FitWarning
        )  # the penalised optimum of some laws is their limit
        model = MLERegressor(cls, alpha=0.05, l1_ratio=ratio).fit(
            X, y, sample_weight=weight if weighted else None
        )
    assert model.status_ in ("interior", "boundary")
    first, *rest = eta_gradients(model, X, y)
    share = weight / weight.sum()
    scale = np.abs(X * first[:, None]).mean(axis=0).max()
    assert_optimal(share * first @ X, model.coef_, 0.05, ratio, 1e-7 * scale)
    for g in (first, *rest):
        assert abs(share @ g) <= 1e-7 * max(np.abs(g).mean(), 1e-6)
    assert model.n_parameters_ == np.count_nonzero(model.coef_) + len(model.intercepts_)


@pytest.mark.parametrize("family", ["normal", "gamma", "negative_binomial", "weibull", "student_t"])
@pytest.mark.parametrize("sparse", [False, True])
def test_several_modelled_parameters_are_optimal(family, sparse):
    X = table(n=600)
    y = response(families.get_family(family).__class__, X)
    names = [p.name for p in families.get_family(family).parameters]
    features = {names[0]: "all", names[1]: [0, 2, 3, 7]}
    model = MLERegressor(family, features=features, alpha=0.03, l1_ratio=0.7).fit(
        sp.csr_array(X) if sparse else X, y
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    gradients = eta_gradients(model, X, y)
    for g, (name, coef) in zip(gradients, model.coefs_.items(), strict=True):
        columns = {names[0]: slice(None), names[1]: [0, 2, 3, 7]}.get(name)
        if columns is not None:
            assert_optimal(g @ X[:, columns] / len(X), coef, 0.03, 0.7, 1e-6 * np.abs(g).mean())
    zeros = sum(np.count_nonzero(c == 0.0) for c in model.coefs_.values())
    assert zeros and model.n_parameters_ == sum(map(len, model.coefs_.values())) - zeros + len(
        names
    )


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_classifier_is_optimal(k, ratio, sparse):
    X = table()
    y, weight = labels(X, k), np.random.default_rng(1).uniform(0.5, 2.0, N)
    model = CrossEntropyClassifier(alpha=0.02, l1_ratio=ratio).fit(
        sp.csr_array(X) if sparse else X, y, sample_weight=weight
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    residual = model.predict_proba(X) - (y[:, None] == model.classes_)
    pull = (weight[:, None] * residual).T @ X / weight.sum()
    assert_optimal(pull[-1:] if k == 2 else pull, model.coef_, 0.02, ratio, 1e-8)
    if k > 2:
        assert abs(model.intercept_.sum()) <= 1e-12
        if ratio == 1.0:
            assert (np.median(model.coef_, axis=0) == 0.0).all() or k % 2 == 0
            middle = np.sort(model.coef_, axis=0)[[(k - 1) // 2, k // 2]]
            assert (middle[0] <= 1e-12).all() and (middle[1] >= -1e-12).all()


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_other_links(link):
    X = table()
    y = labels(X, 2)
    model = CrossEntropyClassifier(link=link, alpha=0.03, l1_ratio=1.0).fit(X, y)
    base = -model.score(X, y) + penalty(0.03, 1.0, model.coef_)
    assert 0 < np.count_nonzero(model.coef_) < P
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = clone(model).fit(X, y)
        other.coef_ = model.coef_ + 1e-3 * rng.normal(size=model.coef_.shape) * (
            rng.random(P) < 0.5
        )
        assert -other.score(X, y) + penalty(0.03, 1.0, other.coef_) >= base


# ---------------------------------------------------------------- against scikit-learn


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("k", [2, 3])
def test_saga(k, ratio):
    X = StandardScaler().fit_transform(table()[:, :-1])
    y = labels(X, k)
    alpha = 0.03
    model = CrossEntropyClassifier(alpha=alpha, l1_ratio=ratio).fit(X, y)
    saga = LogisticRegression(
        solver="saga",
        C=1.0 / (alpha * N),
        l1_ratio=ratio,
        tol=1e-11,
        max_iter=100_000,
        random_state=0,
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, saga.coef_, rtol=0, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(X), saga.predict_proba(X), rtol=0, atol=1e-7)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_the_normal_law_is_the_elastic_net(ratio, unit):
    """Given its scale, -log q is the squared residual over twice its square: ElasticNet's penalties are ours times scale**2.

    In other units of y the slopes have other units too, and the two parts of the penalty scale differently.
    """
    X = table()
    y = (3.0 * X[:, 0] + 10.0 + np.random.default_rng(0).normal(size=N)) * unit
    absolute, square = 0.1 * ratio / unit, 0.1 * (1.0 - ratio) / unit**2
    alpha = absolute + square
    model = MLERegressor("normal", alpha=alpha, l1_ratio=absolute / alpha).fit(X, y)
    scale = model.params_["scale"]
    reference = ElasticNet(
        alpha=alpha * scale**2, l1_ratio=absolute / alpha, tol=1e-12, max_iter=100_000
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-6 * unit)
    assert np.array_equal(model.coef_ == 0.0, reference.coef_ == 0.0)


# ---------------------------------------------------------------- the path

PATHS = {
    "binary": (CrossEntropyClassifier(l1_ratio=1.0), 2),
    "probit": (CrossEntropyClassifier(link="probit", l1_ratio=0.5), 2),
    "multinomial": (CrossEntropyClassifier(l1_ratio=0.7), 3),
    "poisson": (MLERegressor("poisson", l1_ratio=0.9), None),
    "normal": (MLERegressor("normal", l1_ratio=0.5, features={"scale": "all"}), None),
    "student": (MLERegressor("student_t", l1_ratio=1.0), None),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_its_fits(name):
    estimator, k = PATHS[name]
    X = table()
    y = response(families.get_family(estimator.family).__class__, X) if k is None else labels(X, k)
    found = skmle.path(estimator, X, y, n_alphas=6, eps=0.02)
    assert found.alphas.shape == (6,) and found.alphas[-1] == pytest.approx(0.02 * found.alphas[0])
    assert found.statuses == ["interior"] * 6 and (found.distances <= 1e-6).all()
    assert not found.coefs[0].any() and found.coefs[-1].any()
    assert (np.diff(found.log_likelihoods) > -1e-9).all()
    for i in (0, 2, 5):
        alone = clone(estimator).set_params(alpha=found.alphas[i]).fit(X, y)
        again = found.estimator(i)
        assert (
            again.get_params() == alone.get_params() and again.n_parameters_ == alone.n_parameters_
        )
        np.testing.assert_allclose(found.coefs[i], alone.coef_, rtol=0, atol=2e-6)
        np.testing.assert_allclose(found.intercepts[i], alone.intercept_, rtol=0, atol=2e-6)
        assert found.log_likelihoods[i] == pytest.approx(alone.log_likelihood_, rel=1e-8)
        assert again.score(X, y) == pytest.approx(alone.score(X, y), rel=1e-8)


@pytest.mark.parametrize("name", PATHS)
def test_the_greatest_penalty(name):
    estimator, k = PATHS[name]
    X = table()
    y = response(families.get_family(estimator.family).__class__, X) if k is None else labels(X, k)
    greatest = skmle.path(estimator, X, y, n_alphas=1).alphas[0]
    for factor, slopes in ((1.001, False), (0.98, True)):
        model = clone(estimator).set_params(alpha=greatest * factor).fit(X, y)
        coefs = [model.coef_] if k else list(model.coefs_.values())
        assert any(c.any() for c in coefs) == slopes


def test_a_path_of_given_penalties():
    X = table()
    y = labels(X, 2)
    for ratio in (0.0, 0.5):
        found = skmle.path(
            CrossEntropyClassifier(l1_ratio=ratio),
            X,
            y,
            alphas=[0.01, 0.1],
            sample_weight=np.ones(N),
        )
        assert found.alphas.tolist() == [0.1, 0.01]
        alone = CrossEntropyClassifier(alpha=0.01, l1_ratio=ratio).fit(X, y)
        np.testing.assert_allclose(found.coefs[1], alone.coef_, atol=1e-7)


def test_a_path_takes_offsets_and_names():
    pd = pytest.importorskip("pandas")
    X = table()
    y = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, 0]))
    offset = np.random.default_rng(1).normal(size=N)
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(P)])
    found = skmle.path(
        MLERegressor("poisson", l1_ratio=1.0), frame, y, n_alphas=3, eps=0.1, offset=offset
    )
    alone = MLERegressor("poisson", l1_ratio=1.0, alpha=found.alphas[2]).fit(
        frame, y, offset=offset
    )
    np.testing.assert_allclose(found.coefs[2], alone.coef_, atol=1e-7)
    assert list(found.estimator(2).feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"n_alphas": 0}, "n_alphas=0 is not allowed; give"),
        ({"eps": 1.0}, "eps=1.0 is not allowed; give"),
        ({"alphas": [0.1, 0.0]}, "alphas holds 0.0. Allowed: "),
        ({"alphas": []}, "alphas holds none. Allowed: "),
    ],
)
def test_paths_that_mean_nothing_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        skmle.path(CrossEntropyClassifier(l1_ratio=1.0), table(), labels(table(), 2), **arguments)


def test_estimators_without_a_path_are_refused():
    X, y = table(), labels(table(), 2)
    with pytest.raises(TypeError, match="MLEDistribution has no penalty. Allowed: "):
        skmle.path(skmle.MLEDistribution(), X, y)
    with pytest.raises(
        ValueError, match="under l1_ratio=0 no alpha makes all slopes zero. Allowed: "
    ):
        skmle.path(CrossEntropyClassifier(), X, y)
    with pytest.raises(ValueError, match="no parameter depends on a column of X. Allowed: "):
        skmle.path(MLERegressor(features={"loc": "none"}, l1_ratio=1.0), X, y)


# ---------------------------------------------------------------- invariances


def test_little_of_it_is_a_ridge():
    X = table()
    for model, y in (
        (CrossEntropyClassifier(alpha=0.1), labels(X, 2)),
        (CrossEntropyClassifier(alpha=0.1), labels(X, 3)),
        (MLERegressor(alpha=0.1), X[:, 0] + np.random.default_rng(0).normal(size=N)),
    ):
        ridge = clone(model).fit(X, y)
        near = clone(model).set_params(l1_ratio=1e-7).fit(X, y)
        np.testing.assert_allclose(near.coef_, ridge.coef_, rtol=0, atol=1e-6)
        assert near.log_likelihood_ == pytest.approx(ridge.log_likelihood_, rel=1e-6)


def test_no_strength_is_no_penalty():
    X = table()[:, :4]
    y = labels(X, 2)
    a, b = CrossEntropyClassifier(l1_ratio=1.0).fit(X, y), CrossEntropyClassifier().fit(X, y)
    assert np.array_equal(a.coef_, b.coef_) and np.array_equal(
        a.inference().covariance, b.inference().covariance
    )


def test_threads_change_no_bit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70_000, 40))
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=len(X)) > 0).astype(int)
    fits = [CrossEntropyClassifier(alpha=0.01, l1_ratio=0.8, n_jobs=n).fit(X, y) for n in (1, 2)]
    assert (
        np.array_equal(fits[0].coef_, fits[1].coef_)
        and fits[0].log_likelihood_ == fits[1].log_likelihood_
    )


@pytest.mark.parametrize("k", [2, 3])
def test_weights_are_repeats(k):
    X = table()
    y, weight = labels(X, k), np.random.default_rng(0).integers(0, 4, N)
    weighed = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X, y, sample_weight=weight)
    repeated = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    np.testing.assert_allclose(weighed.coef_, repeated.coef_, rtol=0, atol=1e-8)
    assert weighed.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-10)


def test_far_columns_and_single_precision():
    X = table()
    y = labels(X, 3)
    plain = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X, y)
    far = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X + 1e6, y)
    np.testing.assert_allclose(far.coef_, plain.coef_, rtol=0, atol=1e-7)
    single = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.coef_, plain.coef_, rtol=0, atol=1e-5)


@pytest.mark.parametrize("ratio", RATIOS)
def test_equal_columns_and_more_columns_than_rows(ratio):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 150))
    X[:, 1] = X[:, 0]
    X[:, 2] = 0.0
    y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    model = CrossEntropyClassifier(alpha=0.05, l1_ratio=ratio).fit(X, y)
    residual = model.predict_proba(X)[:, 1] - y
    assert model.status_ == "interior" and model.coef_[0, 2] == 0.0
    assert_optimal(residual @ X / 60, model.coef_[0], 0.05, ratio, 1e-8)


def test_a_warm_start_ends_where_a_cold_one_does():
    X = table()
    setting = {"alpha": 0.02, "l1_ratio": 0.8, "warm_start": True}
    wave = X[:, 0] + np.sin(9.0 * X[:, 1])
    for model, y in (
        (CrossEntropyClassifier(**setting), labels(X, 3)),
        (MLERegressor(**setting), wave),
    ):
        model.fit(X, y)
        cold, steps = model.coef_, model.n_iter_
        model.fit(X, y)
        assert model.n_iter_ <= steps
        np.testing.assert_allclose(model.coef_, cold, rtol=0, atol=1e-7)


def test_a_grid_in_a_pipeline():
    X = table()
    y = labels(X, 2)
    pipe = make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=0.05))
    search = GridSearchCV(pipe, {"crossentropyclassifier__l1_ratio": [0.0, 0.5, 1.0]}, cv=3).fit(
        X, y
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert "l1_ratio" in clone(search.best_estimator_)[-1].get_params()


# ---------------------------------------------------------------- verdicts and words


def test_too_few_steps_are_said():
    X = table()
    with pytest.warns(NotConvergedWarning, match="stopped after 1 iterations"):
        model = CrossEntropyClassifier(alpha=0.01, l1_ratio=1.0, max_iter=1).fit(X, labels(X, 2))
    assert model.status_ == "not_converged" and not model.converged_


def test_a_path_warns_once():
    X = table()
    with pytest.warns(
        FitWarning,
        match="path: . of 3 fits are not at an interior maximum: not_converged at alpha = ",
    ) as caught:
        skmle.path(
            CrossEntropyClassifier(l1_ratio=1.0, max_iter=1, tol=1e-12), X, labels(X, 2), n_alphas=3
        )
    assert len(caught) == 1


def test_why_there_are_no_standard_errors():
    X = table()
    model = CrossEntropyClassifier(alpha=0.01, l1_ratio=0.5, store_information=True).fit(
        X, labels(X, 2)
    )
    with pytest.raises(
        ValueError,
        match="no covariance, because l1_ratio=0.5 with alpha > 0 .* Allowed: .* Set l1_ratio=0",
    ):
        model.inference()
    assert "No standard errors" in str(model.summary())
    assert model.aic() == pytest.approx(2 * model.n_parameters_ - 2 * model.log_likelihood_)


def test_a_limit_law_under_a_penalty():
    """Counts with less spread than Poisson's: the negative binomial's maximum is at its limit, whatever the penalty."""
    X = table()
    y = np.random.default_rng(0).binomial(8, 0.5, N)
    with pytest.warns(skmle.exceptions.BoundaryWarning):
        model = MLERegressor("negative_binomial", alpha=0.02, l1_ratio=1.0).fit(X, y)
    poisson = MLERegressor("poisson", alpha=0.02, l1_ratio=1.0).fit(X, y)
    np.testing.assert_allclose(model.coef_, poisson.coef_, atol=1e-8)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 2.0])
def test_medians_are_optimal(alpha):
    """Laplace's law has cusps of its own: given its scale, the rest is the linear program of absolute residuals."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6))
    y = X[:, 0] + rng.laplace(size=200)
    model = MLERegressor("laplace", alpha=alpha, l1_ratio=1.0).fit(X, y)
    scale, ones = model.params_["scale"], np.ones(200)
    cost = np.r_[np.full(12, alpha), 0.0, 0.0, np.full(400, 1.0 / (200 * scale))]
    split = np.column_stack([X, -X, ones, -ones, np.eye(200), -np.eye(200)])
    program = linprog(cost, A_eq=split, b_eq=y)
    reached = np.abs(y - model.predict(X)).mean() / scale + alpha * np.abs(model.coef_).sum()
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    assert reached == pytest.approx(program.fun, rel=1e-9)
    assert scale == pytest.approx(np.abs(y - model.predict(X)).mean(), rel=1e-9)


def test_medians_of_many_columns_are_selected():
    """Twenty columns, of which one counts: a vertex where slopes are exactly zero."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 20))
    model = MLERegressor("laplace", alpha=0.1, l1_ratio=1.0).fit(
        X, 2.0 * X[:, 0] + rng.laplace(size=300)
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    assert model.coef_[0] > 1.0 and (model.coef_ == 0.0).sum() >= 10
    assert model.n_parameters_ == (model.coef_ != 0.0).sum() + 2


# ---------------------------------------------------------------- the quadratic model


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("cycling", [False, True])
def test_the_quadratic_is_solved_exactly(seed, cycling, monkeypatch):
    """Strongly correlated columns; `cycling` leaves it to the descent that stands in where the guesses cycle."""
    if cycling:
        monkeypatch.setattr(quadratic, "_TRIES", 0)
    rng = np.random.default_rng(seed)
    s = int(rng.integers(2, 30))
    Z = rng.normal(size=(3 * s, s)) + 3.0 * rng.normal(size=(3 * s, 1))
    a = Z.T @ Z
    a /= np.sqrt(np.outer(np.diag(a), np.diag(a)))
    b, kink = rng.normal(size=s), np.where(rng.random(s) < 0.2, 0.0, rng.uniform(0.1, 1.0, s))
    x = solve_quadratic(a, b, kink, rng.normal(size=s) * (rng.random(s) < 0.3))
    slope = a @ x + b
    on = x != 0.0
    np.testing.assert_allclose(slope[on], -kink[on] * np.sign(x[on]), atol=1e-9 * np.abs(x).max())
    assert (np.abs(slope[~on]) <= kink[~on] + 1e-9 * np.abs(x).max(initial=1.0)).all()


def test_an_indefinite_quadratic_has_no_answer():
    assert (
        solve_quadratic(
            np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, -3.0]), np.zeros(2), np.zeros(2)
        )
        is None
    )


def test_columns_join_in_rounds(monkeypatch):
    """A path and a single fit look at few columns; the answer is that of all columns at once."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 200))
    y = (X[:, :5].sum(axis=1) + rng.logistic(size=300) > 0).astype(int)
    seen = []

    def proximal(*args, **kwargs):
        solution, working = fit_original(*args, **kwargs)
        seen.append(len(working.columns))
        return solution, working

    fit_original = fit_module.proximal
    monkeypatch.setattr(fit_module, "proximal", proximal)
    model = CrossEntropyClassifier(alpha=0.04, l1_ratio=1.0).fit(X, y)
    assert seen[0] < 200
    residual = model.predict_proba(X)[:, 1] - y
    assert_optimal(residual @ X / 300, model.coef_[0], 0.04, 1.0, 1e-9)
