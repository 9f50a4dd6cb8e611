"""What X may be: dense in any order or precision, sparse, memory-mapped, one-hot.

The answer is that of a plain array.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.data import one_hot
from skmle._engine.data.blocks import CodedBlocks, PlainBlocks, blocks_of
from skmle._engine.data.one_hot import Group, Table, one_hot_groups
from skmle._engine.data.products import Coded, Dense, Product
from skmle._engine.data.sparse import Sparse
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.families import Bernoulli, Categorical, Gamma, Normal, Poisson
from tests.engine.tables import CODED, SUBJECTS, N, as_dense, mapped, one_hot_columns, table

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(params=SUBJECTS)
def subject(request, tmp_path):
    return request.param, SUBJECTS[request.param](tmp_path)


# ---------------------------------------------------------------- products of one block


def kinds(rng: np.random.Generator, shifted: bool) -> dict[str, tuple[Product, np.ndarray]]:
    """A block as each kind, and as the plain array it stands for."""
    x = np.column_stack(
        [rng.normal(size=60), one_hot_columns(rng, 60, (3, 2, 4)), rng.normal(size=(60, 2)) + 50.0]
    )
    groups = [Group(1, 4), Group(4, 6), Group(6, 10)]
    layout = Table.of(12, groups)
    codes, wrong = layout.encode(x)
    assert len(layout.crosses) == 2 and not len(wrong)
    np.testing.assert_array_equal(layout.rest, [0, 10, 11])
    shift = rng.normal(size=12) + np.r_[np.zeros(10), 50.0, 50.0] if shifted else None
    plain = x if shift is None else x - shift
    return {
        "dense": (Dense(x, shift), plain),
        "sparse": (Sparse(sp.csr_array(x), shift), plain),
        "sparse again": (Sparse(sp.csr_array(x), shift, again=True), plain),
        "coded": (Coded(layout, codes, x[:, [0, 10, 11]], shift), plain),
    }


SELECTIONS = [
    slice(None),
    np.arange(12),
    np.array([2, 3]),
    np.array([11, 0, 5]),
    np.array([0, 1, 2, 4, 5, 6, 7, 9, 10]),
    np.array([1]),
]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "sparse", "sparse again", "coded"])
@pytest.mark.parametrize("joint_cells", [8, 65_536])
def test_products(kind, shifted, joint_cells, monkeypatch):
    monkeypatch.setattr(one_hot, "_CELLS", 20)  # of two crosses, and below of joints of parts
    monkeypatch.setattr(one_hot, "_JOINT_CELLS", joint_cells)
    monkeypatch.setattr(one_hot, "_FEWEST", 1)
    monkeypatch.setattr(one_hot, "_JOINT_COST", 1)
    rng = np.random.default_rng(0)
    product, x = kinds(rng, shifted)[kind]
    close = {"rtol": 1e-9, "atol": 1e-9 if shifted else 1e-12}
    for columns in SELECTIONS:
        z = x[:, columns]
        b, r = rng.normal(size=z.shape[1]), rng.normal(size=60)
        np.testing.assert_allclose(product.dot(b, columns, 0.7), z @ b + 0.7, **close)
        np.testing.assert_allclose(product.tdot(r, columns), z.T @ r, **close)
        b, r, constants = (
            rng.normal(size=(3, z.shape[1])),
            rng.normal(size=(3, 60)),
            rng.normal(size=3),
        )
        np.testing.assert_allclose(
            product.dot(b, columns, constants), b @ z.T + constants[:, None], **close
        )
        np.testing.assert_allclose(product.tdot(r, columns), r @ z, **close)
        np.testing.assert_allclose(product.array(columns), z, rtol=1e-14, atol=1e-13)
        for other in SELECTIONS:
            for w in (rng.random(60), rng.normal(size=60)):
                np.testing.assert_allclose(
                    product.sandwich(w, columns, other), z.T @ (x[:, other] * w[:, None]), **close
                )
    np.testing.assert_allclose(product.reach(), np.abs(x).max(axis=0), rtol=1e-14)
    raw = x if product.shift is None else x + product.shift
    np.testing.assert_allclose(product.squares().tdot(np.ones(60)), (raw**2).sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "units", [1.0, 1e-25, 1e25, 10.0 ** np.arange(-20, 20)], ids=["one", "small", "large", "mixed"]
)
def test_single_precision_where_its_range_suffices(units, signed):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 40)) * units
    w = 1e-30 * (rng.normal(size=5000) if signed else rng.random(5000))
    with np.errstate(over="ignore", invalid="ignore"):  # as in an objective
        exact, rounded = (Dense(x).sandwich(w, single=single) for single in (False, True))
    root = np.sqrt(np.diag(Dense(x).sandwich(np.abs(w))))
    error = np.abs((rounded - exact) / np.outer(root, root)).max()
    assert error <= 5e-7
    assert (error > 1e-12) == (
        np.ndim(units) == 0 and units == 1.0
    )  # rounded indeed, or not at all


def test_rare_levels_have_no_reach_of_their_own():
    layout = Table(3, (one_hot.Cross([Group(0, 3)]),), (), np.zeros(0, np.intp))
    codes, _ = layout.encode(np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(Coded(layout, codes, np.zeros((2, 0))).reach(), [1.0, 0.0, 0.0])


# ---------------------------------------------------------------- which columns are coded


def test_which_tables_are_coded(subject):
    name, X = subject
    blocks = blocks_of(X)
    assert isinstance(blocks, CodedBlocks) == (name in CODED)
    if isinstance(blocks, CodedBlocks):
        np.testing.assert_array_equal(blocks.block(0, N).array(), as_dense(X))
        assert len(blocks.codes) <= 3 and blocks.width < 40


@pytest.mark.parametrize("seed", range(20))
def test_codes_are_the_rows(seed):
    """Any table of zeros and ones, some of it one-hot: what is coded decodes to the same rows."""
    rng = np.random.default_rng(seed)
    n = 5000
    levels = rng.integers(1, 30, rng.integers(1, 6))
    X = [
        one_hot_columns(rng, n, levels, bool(rng.random() < 0.5)),
        (rng.random((n, rng.integers(0, 4))) < 0.01).astype(float),
    ]
    X = np.hstack([*X, one_hot_columns(rng, n, (20,)), rng.normal(size=(n, rng.integers(0, 3)))])
    blocks = blocks_of(X)
    index = np.sort(rng.integers(0, n, 200))
    np.testing.assert_array_equal(blocks.block(0, n).array(), X)
    np.testing.assert_array_equal(blocks.take(index).block(0, 200).array(), X[index])


def test_groups_are_guessed():
    x = one_hot_columns(np.random.default_rng(0), 5000, (5, 3, 4), dropped=False)
    x = np.column_stack([x[:, :8], np.linspace(0.0, 1.0, 5000), x[:, 8:]])
    assert one_hot_groups(x) == [Group(0, 5), Group(5, 8), Group(9, 13)]


def test_columns_that_share_rows_are_not_coded():
    """Independent binary columns: a group each, so that codes save nothing."""
    X = (np.random.default_rng(0).random((5000, 200)) < 0.3).astype(float)
    assert isinstance(blocks_of(X), PlainBlocks)


def test_large_groups():
    """Groups too large for a common table, and pairs too large for a joint one, are still right."""
    rng = np.random.default_rng(0)
    n, levels = 20_000, (300, 400, 5)
    X = sp.hstack(
        [
            sp.csr_array((np.ones(n), (np.arange(n), rng.integers(0, k, n))), shape=(n, k))
            for k in levels
        ],
        format="csr",
    )
    blocks = blocks_of(X)
    assert isinstance(blocks, CodedBlocks)
    w = rng.random(n)
    np.testing.assert_allclose(
        blocks.block(0, n).sandwich(w),
        (X.T @ X.multiply(w[:, None])).toarray(),
        rtol=1e-11,
        atol=1e-12,
    )


# ---------------------------------------------------------------- objectives


def objectives(X, dense: np.ndarray) -> dict[str, tuple[Objective, Objective]]:
    """Objectives on X as it is and as a plain array.

    Weights, offsets, classes, two parameters on different columns.
    """
    rng = np.random.default_rng(1)
    n, p = dense.shape
    shift = dense.mean(axis=0) if np.abs(dense.mean(axis=0)).max() > 1e3 else None
    weight, offset = rng.uniform(0.5, 2.0, n), rng.normal(size=n) * 0.1
    y = rng.gamma(2.0, size=n)
    every, some, others = (
        Term(slice(None), p),
        Term(np.arange(3, 9), 6),
        Term(np.r_[0, np.arange(5, p)], p - 4, False),
    )
    models = {
        "poisson": (Poisson(), rng.poisson(1.0, n).astype(float), (every,), weight, offset),
        "gamma": (Gamma(), y, (every, Term(None, 0)), None, None),
        "normal, other columns for each": (Normal(), np.log(y), (others, some), weight, offset),
        "three classes": (Categorical(3), rng.integers(0, 3, n), (every,) * 2, weight, None),
        "six classes": (Categorical(6), rng.integers(0, 6, n), (some,) * 5, None, None),
    }
    result = {}
    for name, (family, observed, terms, w, o) in models.items():
        given = Design(terms, n, X, shift, o, blocks_of(X, shift))
        plain = Design(terms, n, dense, shift, o)
        pair = (
            Objective(family.rows, family.statistics(observed), design, w)
            for design in (given, plain)
        )
        result[name] = tuple(pair)
    return result


@pytest.mark.slow
def test_objectives(subject):
    """Value, gradient, hessian and its product with a vector against those of the plain array.

    They are bit-equal on threads.
    """
    label, X = subject
    dense = as_dense(X)
    rounding = (
        1e-8 if "far-off" in label else 1e-11
    )  # a mean of 1e6 standard deviations takes six digits of sums with it
    for name, (given, plain) in objectives(X, dense).items():
        scale = 0.05 / np.maximum(plain.design.reach(), 1.0)
        coef, vector = np.random.default_rng(2).normal(size=(2, len(scale))) * scale
        expected, found = plain(coef), given(coef)
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-12, err_msg=name)
        for part in ("gradient", "hessian"):
            a, b = getattr(found, part), getattr(expected, part)
            root = np.sqrt(np.diag(expected.hessian))
            unit = root if part == "gradient" else np.outer(root, root)
            np.testing.assert_allclose(
                a / unit, b / unit, rtol=0, atol=rounding, err_msg=f"{name}: {part}"
            )
        product = given.curvature(coef).product(vector)
        np.testing.assert_allclose(
            product / root, expected.hessian @ vector / root, rtol=1e-9, atol=rounding, err_msg=name
        )
        for threads in (2, 3) if len(given.design.terms) < 3 else ():
            given.threads = threads
            again = given(coef)
            assert again.value == found.value
            np.testing.assert_array_equal(again.hessian, found.hessian)


@pytest.mark.slow
def test_samples(subject):
    label, X = subject
    given, plain = objectives(X, as_dense(X))["poisson"]
    np.testing.assert_allclose(given.design.reach(), plain.design.reach(), rtol=1e-12)
    coef = 0.01 / np.maximum(plain.design.reach(), 1.0)
    a, b = given.sample(4096), plain.sample(4096)
    np.testing.assert_allclose(a(coef).value, b(coef).value, rtol=1e-12)
    unit = np.sqrt(np.outer(*[np.diag(b(coef).hessian)] * 2))
    rounding = 1e-8 if "far-off" in label else 1e-11
    np.testing.assert_allclose(
        a(coef).hessian / unit, b(coef).hessian / unit, rtol=0, atol=rounding
    )


# ---------------------------------------------------------------- fits


@pytest.fixture(scope="module")
def outcomes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    eta = 0.5 * rng.normal(size=N)
    return {
        "bernoulli": (eta + rng.logistic(size=N) > 0).astype(float),
        "classes": rng.integers(0, 3, N),
        "normal": eta + rng.normal(size=N),
        "weight": rng.uniform(0.5, 2.0, N),
    }


def models(y) -> list[tuple]:
    return [
        (CrossEntropyClassifier(n_jobs=1), y["bernoulli"], None),
        (CrossEntropyClassifier(n_jobs=1, alpha=1e-3), y["classes"], None),
        (
            MLERegressor("normal", features={"loc": "all", "scale": [0, 3, 4]}, n_jobs=1),
            y["normal"],
            y["weight"],
        ),
    ]


@pytest.mark.slow
def test_fits(subject, outcomes, monkeypatch):
    """The same log-likelihood as with X left as it is, and as a plain array.

    They are bit-equal on threads.
    """
    _, X = subject
    dense = as_dense(X)
    for model, y, weight in models(outcomes):
        found = model.fit(X, y, sample_weight=weight).log_likelihood_
        coef = model.coef_.copy()
        for n_jobs in (2, 3) if y is outcomes["bernoulli"] else (3,):
            again = model.set_params(n_jobs=n_jobs).fit(X, y, sample_weight=weight)
            assert again.log_likelihood_ == found
            np.testing.assert_array_equal(again.coef_, coef)
        with monkeypatch.context() as patch:
            patch.setattr(
                "skmle._engine.prepare.columns.blocks_of",
                lambda X, shift, threads: PlainBlocks(X, shift),
            )
            plain = model.fit(dense, y, sample_weight=weight)
        assert plain.status_ == "interior"
        assert found == pytest.approx(plain.log_likelihood_, rel=1e-9)


@pytest.mark.slow
def test_nothing_is_copied(tmp_path, outcomes):
    """A fit on memory-mapped rows, of float64 or float32, needs a small part of their memory."""
    for dtype, X in (
        ("float64", np.hstack([table()] * 3)),
        ("float32", np.random.default_rng(0).normal(size=(N, 200))),
    ):
        X = mapped(tmp_path, X.astype(dtype))
        tracemalloc.start()
        model = CrossEntropyClassifier(alpha=1e-3, n_jobs=1, store_information=False).fit(
            X, outcomes["bernoulli"]
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert model.converged_ and peak < 0.1 * X.nbytes + 40e6


def test_bernoulli_and_classifier_agree_on_codes(outcomes):
    X = sp.csr_array(table())
    a, b = (
        CrossEntropyClassifier().fit(X, outcomes["bernoulli"]),
        MLERegressor(Bernoulli()).fit(X, outcomes["bernoulli"]),
    )
    np.testing.assert_allclose(a.coef_.ravel(), b.coef_, rtol=1e-9, atol=1e-12)
