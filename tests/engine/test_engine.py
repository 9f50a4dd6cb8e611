"""The engine below the solver: rows and their sum, designs, the survey of X, coordinates, penalties, against plain formulas."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.data import sums as sums_module
from skmle._engine.data.sums import block_size, chunks, strata, thread_count, total
from skmle._engine.data.survey import find_basis, survey
from skmle._engine.evaluation import Evaluation
from skmle._engine.likelihood import design as design_module
from skmle._engine.likelihood.coordinates import Coordinates
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Ridge
from skmle._engine.solvers import conjugate, first_sample, growing, newton
from skmle._engine.solvers.growing import _less_noisy
from skmle.families import Bernoulli, Categorical, Gamma, Normal, Poisson
from skmle.families.base import Rows, Softmax
from skmle.families.categorical import SymmetricCategorical

pytestmark = pytest.mark.filterwarnings("error")

# ---------------------------------------------------------------- blocks and their sum


@pytest.mark.parametrize(
    ("n", "p", "size"),
    [
        (1, 0, 1),
        (4096, 5, 6),
        (100_000, 1, 2),
        (123_457, 40, 41),
        (3_000_000, 500, 501**2),
        (50_000, 10, 20_000**2),
    ],
)
def test_blocks_cover_the_rows_in_order(n, p, size):
    parts = chunks(n, p, size)
    bounds = [b for part in parts for b in part]
    assert bounds[0][0] == 0 and bounds[-1][1] == n
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))
    assert all(0 < high - low <= block_size(p) for low, high in bounds)
    assert 1 <= len(parts) <= 16 and all(parts)


@pytest.mark.parametrize("p", [0, 1, 20, 100, 10_000])
def test_blocks_fit_the_cache(p):
    rows = block_size(p)
    assert rows % 1024 == 0 and 4096 <= rows <= 32768
    assert rows == 4096 or rows * p * 8 <= 4 << 20


@pytest.mark.parametrize(("n", "p"), [(10, 3), (70_000, 3), (70_000, 40)])
def test_total_is_the_sum_over_all_rows(n, p):
    values = np.random.default_rng(0).normal(size=n)

    def block(low: int, high: int) -> Evaluation:
        part = values[low:high]
        return Evaluation(part.sum(), np.array([part.sum(), len(part)]), np.array([[part @ part]]))

    for threads in (1, 2, 3):
        result = total(block, n, p, 2, threads)
        np.testing.assert_allclose(result.value, values.sum(), rtol=1e-12)
        np.testing.assert_allclose(result.gradient, [values.sum(), n], rtol=1e-12)
        np.testing.assert_allclose(result.hessian, [[values @ values]], rtol=1e-12)


def test_errors_in_a_block_are_raised():
    def block(low: int, high: int) -> Evaluation:
        raise RuntimeError("in a block")

    for threads in (1, 3):
        with pytest.raises(RuntimeError, match="in a block"):
            total(block, 200_000, 40, 1, threads)


LONG, WIDE = 40_000, 40  # enough rows for several blocks, enough columns for threads


def long_objectives(sparse: bool = False, n: int = LONG) -> dict[str, Objective]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, WIDE))
    if sparse:
        X = sp.random_array((n, WIDE), density=0.05, format="csr", rng=rng, data_sampler=rng.normal)
    eta = np.asarray(X @ rng.normal(size=WIDE)) * 0.1
    weight = rng.uniform(0.5, 2.0, n)
    every = Term(slice(None), WIDE)

    def objective(family, y, terms):
        return Objective(family.rows, family.statistics(y), Design(terms, n, X), weight)

    return {
        "poisson": objective(Poisson(), rng.poisson(np.exp(eta)).astype(float), (every,)),
        "gamma": objective(Gamma(), rng.gamma(2.0, np.exp(eta)), (every, Term(None, 0))),
        "normal, both modelled": objective(Normal(), eta + rng.normal(size=n), (every, every)),
        "3 classes": objective(Categorical(3), rng.integers(0, 3, n), (every,) * 2),
        "7 classes": objective(Categorical(7), rng.integers(0, 7, n), (every,) * 6),
    }


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_sums_are_bit_equal_for_any_number_of_threads(sparse):
    n = 2 * LONG if sparse else LONG  # sparse blocks are longer
    for name, objective in long_objectives(sparse, n).items():
        assert (
            len(
                [
                    b
                    for part in chunks(n, objective.design.width, objective.design.d**2)
                    for b in part
                ]
            )
            >= 4
        )
        coef = np.random.default_rng(1).normal(size=objective.design.d) * 0.05
        results = []
        for objective.threads in (1, 2, 3):
            results += [objective(coef) for _ in range(2)]
        for other in results[1:]:
            assert other.value == results[0].value, name
            np.testing.assert_array_equal(other.gradient, results[0].gradient, err_msg=name)
            np.testing.assert_array_equal(other.hessian, results[0].hessian, err_msg=name)


def test_fits_are_bit_equal_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(LONG, WIDE))
    y = (rng.random(LONG) < 1.0 / (1.0 + np.exp(-0.3 * X[:, 0]))).astype(int)
    fits = [CrossEntropyClassifier(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3, -1)]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.coef_, fits[0].coef_)
        np.testing.assert_array_equal(fit.inference().covariance, fits[0].inference().covariance)
        assert fit.log_likelihood_ == fits[0].log_likelihood_


def test_thread_count(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = thread_count(None)
    assert (
        cores >= 1
        and thread_count(-1) == cores
        and thread_count(3) == 3
        and thread_count(-1000) == 1
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count(None) == 1
    with pytest.raises(ValueError, match="n_jobs=0"):
        thread_count(0)


PAGE_FAULTS = """
import resource
import numpy as np
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.families import Beta, StudentT

rng = np.random.default_rng(0)
n, y = 120_000, rng.random(120_000)
for p in (0, 3, 20):
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    for family in (StudentT(), Beta()):
        terms = tuple(Term(slice(None), p) if p else Term(None, 0) for _ in family.parameters)
        objective = Objective(family.rows, family.statistics(y), Design(terms, n, X if p else None))
        coef = np.full(objective.design.d, 0.01)
        for order in (1, 2):
            for _ in range(2):
                objective(coef, order)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(2):
                objective(coef, order)
            print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 2)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="counts what glibc's allocator does"
)
def test_page_faults():
    """Temporaries of a pass stay in the heap; given back after each block they fault in again, 2,000 to 17,000 pages a pass."""
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMPY_MADVISE_HUGEPAGE": "0"
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", PAGE_FAULTS],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    faults = [float(line) for line in run.stdout.split()]
    assert len(faults) == 12 and max(faults) <= 50


# ---------------------------------------------------------------- strata


@pytest.mark.parametrize(("n", "m"), [(10, 10), (1000, 7), (12_345, 4096), (10**6, 999_999)])
def test_strata(n, m):
    index = strata(n, m)
    assert len(index) == m and index[0] >= 0 and index[-1] < n
    assert (np.diff(index) >= 0).all()
    assert (np.abs(index - np.arange(m) * (n / m)) <= n / m + 1).all()  # one of each stretch
    np.testing.assert_array_equal(index, strata(n, m))
    assert (strata(n, m, seed=1) != index).any() or n == m


# ---------------------------------------------------------------- designs against a dense Jacobian


def as_dense(X) -> np.ndarray:
    return np.asarray(X.toarray() if sp.issparse(X) else X, float)


def jacobian(design: Design, j: int) -> np.ndarray:
    """d eta_j / d coef on all rows, (n, d)."""
    result = np.zeros((design.n, design.d))
    s, term = design.slices[j], design.terms[j]
    if term.columns is not None:
        X = as_dense(design.X) - (0.0 if design.shift is None else design.shift)
        result[:, s] = X[:, term.columns]
    if term.intercept:
        result[:, s.stop] = 1.0
    return result


def random_terms(rng: np.random.Generator, p: int, mixed: bool) -> tuple[Term, ...]:
    """One to four parameters: constants, all columns or some, with or without an intercept; or all alike."""

    def term() -> Term:
        kind = rng.integers(3)
        if kind == 0:
            return Term(None, 0)
        intercept = bool(rng.random() < 0.7)
        if kind == 1:
            return Term(slice(None), p, intercept)
        columns = np.sort(rng.choice(p, rng.integers(1, p + 1), replace=False))
        return Term(columns, len(columns), intercept)

    k = int(rng.integers(1, 5))
    return tuple(term() for _ in range(k)) if mixed else (term(),) * k


def random_design(rng: np.random.Generator, mixed: bool = True) -> Design:
    n, p = int(rng.integers(1, 40)), int(rng.integers(1, 6))
    X = rng.normal(size=(n, p)) + 3.0
    kind = rng.integers(4)
    if kind == 1:
        X = np.asfortranarray(X)
    if kind == 2:
        X = X.astype(np.float32)
    if kind == 3:
        density = rng.choice([0.05, 0.5])  # a block of more than a tenth is made dense
        X = sp.random_array((n, p), density=density, format="csr", rng=rng, data_sampler=rng.normal)
    shift = as_dense(X).mean(axis=0) if rng.random() < 0.5 else None
    offset = rng.normal(size=n) if rng.random() < 0.4 else None
    return Design(random_terms(rng, p, mixed), n, X, shift, offset)


def some(rng: np.random.Generator, n: int, constant: bool, positive: bool = False) -> np.ndarray:
    values = np.asarray(rng.normal()) if constant else rng.normal(size=n)
    return np.abs(values) if positive else values


LAYOUTS = range(300)


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "alike"])
def test_eta(mixed):
    for seed in LAYOUTS:
        rng = np.random.default_rng(seed)
        design = random_design(rng, mixed)
        coef = rng.normal(size=design.d)
        eta = design.eta(design.block(0, design.n), 0, design.n, coef)
        assert len(eta) == len(design.terms)
        for j, entry in enumerate(eta):
            offset = design.offset if j == 0 and design.offset is not None else 0.0
            np.testing.assert_allclose(
                np.broadcast_to(entry, design.n),
                jacobian(design, j) @ coef + offset,
                rtol=1e-10,
                atol=1e-12,
            )
            assert np.ndim(entry) == (
                design.terms[j].columns is not None or (j == 0 and design.offset is not None)
            )


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "alike"])
def test_pull(mixed):
    """Values, gradients and curvatures of any pattern: constants, rows, exact zeros."""
    for seed in LAYOUTS:
        rng = np.random.default_rng(seed)
        design = random_design(rng, mixed)
        n, k = design.n, len(design.terms)
        weight = rng.uniform(0.1, 3.0, n) if rng.random() < 0.5 else None
        w = np.ones(n) if weight is None else weight
        flat = rng.random() < 0.3
        gradient = tuple(some(rng, n, flat and rng.random() < 0.5) for _ in range(k))
        pairs = list(itertools.combinations_with_replacement(range(k), 2))
        curvature = tuple(
            None
            if rng.random() < 0.2
            else some(rng, n, rng.random() < 0.3, a == b and rng.random() < 0.7)
            for a, b in pairs
        )
        value = some(rng, n, flat)
        found = design.pull(design.block(0, n), Rows(value, gradient, curvature), weight, n, 2)
        jacobians = [jacobian(design, j) for j in range(k)]
        hessian = np.zeros((design.d, design.d))
        for (a, b), entry in zip(pairs, curvature, strict=True):
            if entry is not None:
                part = jacobians[a].T @ (jacobians[b] * (w * entry)[:, None])
                hessian += part if a == b else part + part.T
        np.testing.assert_allclose(found.value, (w * value).sum(), rtol=1e-10, atol=1e-12)
        expected = sum(
            (J.T @ (w * g) for J, g in zip(jacobians, gradient, strict=True)), np.zeros(design.d)
        )
        np.testing.assert_allclose(found.gradient, expected, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(found.hessian, hessian, rtol=1e-9, atol=1e-9)
        less = design.pull(design.block(0, n), Rows(value, gradient, curvature), weight, n, 1)
        np.testing.assert_array_equal(less.gradient, found.gradient)
        assert less.hessian is None


@pytest.mark.parametrize("k", [2, 3, 6, 8])
@pytest.mark.parametrize("layout", ["dense", "sparse", "constants"])
def test_softmax(k, layout, monkeypatch):
    """diag(P) - P P' by all pairs together, one by one, and by definition."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(2, 30)), 3
        intercept = bool(seed % 3)
        X = rng.normal(size=(n, p)) + 2.0
        X = sp.csr_array(np.where(np.abs(X) > 4.0, X, 0.0)) if layout == "sparse" else X
        shift = as_dense(X).mean(axis=0) if seed % 2 else None
        terms = (Term(None, 0) if layout == "constants" else Term(slice(None), p, intercept),) * k
        design = Design(terms, n, X, shift)
        weight = rng.uniform(0.1, 3.0, n) if seed % 4 else None
        w = np.ones(n) if weight is None else weight
        logits = rng.normal(size=(k, 1 if layout == "constants" else n))
        P = np.exp(logits) / (1.0 + np.exp(logits).sum(axis=0))
        rows = Rows(np.zeros(()), tuple(P), Softmax(P))
        jacobians = [jacobian(design, j) for j in range(k)]
        full = np.broadcast_to(P, (k, n))
        expected = sum(
            jacobians[a].T @ (jacobians[b] * (w * full[a] * ((a == b) - full[b]))[:, None])
            for a, b in itertools.product(range(k), repeat=2)
        )
        for threshold in (1, 100):
            monkeypatch.setattr(design_module, "_MANY_CLASSES", threshold)
            found = design.pull(design.block(0, n), rows, weight, n, 2).hessian
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("k", [2, 9])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_blocks_of_terms_alone(k, sparse):
    """Those of k terms and one more on the same columns, by definition."""
    rng = np.random.default_rng(0)
    n, p = 700, 24
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < (0.05 if sparse else 1.0))
    design = Design(
        (Term(slice(None), p),) * k, n, sp.csr_array(X) if sparse else X, X.mean(axis=0)
    )
    varied, x = rng.random((k + 1, n)), jacobian(design, 0)[:, : p + 1]
    constant = np.repeat(varied[:, :1], n, axis=1)
    for w, weight in itertools.product((varied, constant), (None, rng.random(n))):
        found = design.own_blocks(design.block(0, n), list(w), weight, n)
        for block, row in zip(found, w if weight is None else w * weight, strict=True):
            np.testing.assert_allclose(block, x.T @ (row[:, None] * x), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_softmax_far_out(scale, order):
    """Values and gradients by logarithms, as exponentials overflow."""
    rng = np.random.default_rng(0)
    eta = np.asarray(rng.normal(size=(4, 50)) * scale, order=order)
    codes = rng.integers(5, size=50)
    for family, full in (
        (Categorical(5), np.vstack([eta, np.zeros(50)])),
        (SymmetricCategorical(4), eta),
    ):
        codes = np.minimum(codes, len(full) - 1)
        log_p = full - logsumexp(full, axis=0)
        rows = family.evaluate((codes,), eta, 1)
        np.testing.assert_allclose(
            rows.value, -log_p[codes, np.arange(50)], rtol=1e-12, atol=1e-12 * scale
        )
        expected = np.exp(log_p) - (codes == np.arange(len(full))[:, None])
        np.testing.assert_allclose(rows.gradient, expected[: len(eta)], rtol=1e-9, atol=1e-12)


def test_few_passes_with_many_classes(monkeypatch):
    """No hessian is formed, and yet it takes few gradients to come from nothing to the tolerance."""
    rng = np.random.default_rng(0)
    n, p, k = 10_000, 30, 30
    X = rng.normal(size=(n, p))
    codes = (X @ (1.5 * rng.normal(size=(p, k)) / np.sqrt(p)) + rng.gumbel(size=(n, k))).argmax(
        axis=1
    )
    family, passes = Categorical(k), [0]
    call = Objective.__call__

    def counted(self, coef, order=2):
        passes[0] += 1
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", counted)
    objective = Objective(family.rows, (codes,), Design((Term(slice(None), p),) * (k - 1), n, X))
    solution = conjugate(objective, np.zeros(objective.design.d), tol=1e-6)
    assert solution.converged and passes[0] <= 30


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_many_blocks_are_one(sparse, monkeypatch):
    """The sum over blocks against all rows in one."""
    for name, objective in long_objectives(sparse, n=5000).items():
        coef = np.random.default_rng(2).normal(size=objective.design.d) * 0.05
        whole = objective(coef)
        monkeypatch.setattr(sums_module, "block_size", lambda p: 700)
        found = objective(coef)
        monkeypatch.undo()
        for part in ("value", "gradient", "hessian"):
            expected = getattr(whole, part)
            np.testing.assert_allclose(
                getattr(found, part),
                expected,
                rtol=1e-9,
                atol=1e-12 * np.abs(expected).max(),
                err_msg=name,
            )


def test_a_first_parameter_without_intercept_beside_one_with():
    """y = b x + noise whose scale depends on x as well: the same columns, but only one intercept."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) + 1.0
    y = X @ [1.0, 2.0] + np.exp(0.3 * X[:, 0]) * rng.normal(size=400)
    features = {"loc": "all", "scale": "all"}
    model = MLERegressor("normal", features=features, fit_intercept=False).fit(X, y)
    assert model.status_ == "interior" and model.intercepts_["loc"] == 0.0
    assert len(model.inference().estimate) == 5
    larger = MLERegressor("normal", features=features).fit(X, y)
    assert -10.0 < model.log_likelihood_ - larger.log_likelihood_ <= 0.0


def test_direction_ignores_offsets():
    rng = np.random.default_rng(0)
    for seed in range(30):
        design = random_design(np.random.default_rng(seed))
        objective = Objective(Poisson().rows, (np.zeros(design.n),), design)
        step = rng.normal(size=design.d)
        for j, change in enumerate(objective.direction(step)):
            np.testing.assert_allclose(
                np.broadcast_to(change, design.n),
                jacobian(design, j) @ step,
                rtol=1e-10,
                atol=1e-12,
            )


# ---------------------------------------------------------------- the objective


def test_the_objective_is_the_mean(assert_derivative):
    rng = np.random.default_rng(0)
    X, y, weight = (
        rng.normal(size=(50, 2)),
        rng.poisson(2.0, 50).astype(float),
        rng.uniform(0.5, 2.0, 50),
    )
    family = Poisson()
    design = Design((Term(slice(None), 2),), 50, X)
    coef = np.array([0.1, -0.2, 0.7])
    objective = Objective(family.rows, family.statistics(y), design, weight)
    eta = X @ coef[:2] + coef[2]
    np.testing.assert_allclose(
        objective(coef).value, np.average(np.exp(eta) - y * eta, weights=weight), rtol=1e-13
    )
    twice = Objective(
        family.rows,
        family.statistics(np.r_[y, y]),
        Design(design.terms, 100, np.vstack([X, X])),
        np.r_[weight, weight],
    )
    np.testing.assert_allclose(twice(coef).hessian, objective(coef).hessian, rtol=1e-12)
    assert twice.mass == 2 * objective.mass
    for j, unit in enumerate(np.eye(3)):
        assert_derivative(
            lambda t, u=unit: np.array(
                [objective(coef + float(v) * u, 0).value for v in np.ravel(t)]
            ),
            np.zeros(1),
            objective(coef).gradient[j],
        )


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_ridge(classes):
    """Value, gradient and hessian; for classes, the centred coefficients of all of them, whichever is the reference."""
    rng = np.random.default_rng(0)
    q = 3
    k = classes - 1 if classes else 1
    strength = np.tile([0.7, 0.7, 0.0], k)
    ridge = Ridge(strength, classes)
    coef = rng.normal(size=k * q)
    found = ridge.add(Evaluation(0.0, np.zeros(k * q), np.zeros((k * q, k * q))), coef)
    np.testing.assert_allclose(found.hessian, found.hessian.T)
    np.testing.assert_allclose(found.hessian @ coef, found.gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(0.5 * coef @ found.gradient, found.value, rtol=1e-12)
    table = coef.reshape(k, q)
    if classes:
        table = np.vstack([table, np.zeros(q)])
        table = table - table.mean(axis=0)
    np.testing.assert_allclose(found.value, 0.5 * 0.7 * (table[:, :2] ** 2).sum(), rtol=1e-12)
    np.testing.assert_allclose(ridge.value(coef), found.value)


# ---------------------------------------------------------------- the survey of X: what is collinear


def independent_cases() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    t = np.linspace(0.0, 1.0, 500)
    near = X.copy()
    near[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    return {
        "regular": X,
        "correlation .999": np.column_stack([X, X[:, 0] + 0.04 * rng.normal(size=500)]),
        "polynomial of degree 8": t[:, None] ** np.arange(1, 9),
        "a pair of condition 1e6": near,
        "mean/sd 1e7": X + 1e7,
        "units": X * 10.0 ** np.array([-6, -3, 0, 3, 6]),
        "rare dummy": np.column_stack([X, np.arange(500) < 2]),
        "one row more than columns": X[:6],
    }


def collinear_cases() -> dict[str, tuple[np.ndarray, int]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    group = rng.integers(0, 3, 500)
    onehot = (group[:, None] == np.arange(3)).astype(float)
    unit = 10.0 ** np.array([6, -6, 3, -3, 0, 6])
    return {
        "duplicate": (np.column_stack([X, X[:, 1]]), 5),
        "sum": (np.column_stack([X, X.sum(axis=1)]), 5),
        "sum in other units": (np.column_stack([X, X.sum(axis=1)]) * unit, 5),
        "one-hot with intercept": (np.column_stack([X, onehot]), 7),
        "constant column": (np.column_stack([X, np.full(500, 3.7)]), 5),
        "large constant column": (np.column_stack([X, np.full(500, 1e9 / 3)]), 5),
        "far columns, one twice": (np.column_stack([X, X[:, 0]]) + 1e6, 5),
        "more columns than rows": (rng.normal(size=(15, 30)), 14),
        "all constant": (np.ones((20, 3)), 0),
    }


EVERYTHING = slice(None)


@pytest.mark.parametrize("X", independent_cases().values(), ids=independent_cases())
def test_independent_columns_are_left_alone(X):
    assert find_basis(X, EVERYTHING, None, True) is None
    assert find_basis(sp.csr_array(X), EVERYTHING, None, True) is None
    assert (
        find_basis(X, EVERYTHING, np.random.default_rng(0).uniform(0.1, 3.0, len(X)), True) is None
    )


@pytest.mark.parametrize(("X", "rank"), collinear_cases().values(), ids=collinear_cases())
@pytest.mark.parametrize("weighted", [False, True])
def test_collinear_columns_are_found(X, rank, weighted):
    weight = np.random.default_rng(1).integers(1, 4, len(X)).astype(float) if weighted else None
    assert not survey(X, weight).full_rank
    basis = find_basis(X, EVERYTHING, weight, True)
    assert len(basis.kept) == rank and basis.expand.shape == (X.shape[1], rank)
    sparse = find_basis(sp.csr_array(X), EVERYTHING, weight, True)
    np.testing.assert_array_equal(sparse.kept, basis.kept)
    np.testing.assert_allclose(sparse.expand, basis.expand, rtol=1e-9, atol=1e-12)
    centre = np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weight))
    spread[spread <= 1e-12 * np.abs(centre)] = 0.0
    z = (X - centre) * np.where(spread > 0.0, 1.0 / np.where(spread > 0.0, spread, 1.0), 0.0)
    # What the kept columns predict, all columns predict with the expanded slopes, up to a constant.
    slopes = np.random.default_rng(2).normal(size=rank) / np.where(
        spread[basis.kept] > 0, spread[basis.kept], 1.0
    )
    ours, theirs = (X - centre) @ (basis.expand @ slopes), (X - centre)[:, basis.kept] @ slopes
    np.testing.assert_allclose(ours, theirs, atol=1e-7 * (np.abs(theirs).max(initial=0.0) + 1e-300))
    # Of least norm in standardised columns: no part in their null space; and a slope is known if that space spares it.
    null = np.eye(X.shape[1]) - np.linalg.pinv(z, rcond=1e-9) @ z
    standard = basis.expand @ slopes * np.where(spread > 0.0, spread, 1.0)
    np.testing.assert_allclose(
        null @ standard, 0.0, atol=1e-7 * (np.abs(standard).max(initial=0.0) + 1e-300)
    )
    np.testing.assert_array_equal(basis.estimable, np.abs(np.diag(null)) < 1e-6)


def test_a_basis_does_not_depend_on_units_or_on_repeating_rows():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(30, 4))
        X = np.column_stack([X, X[:, 0] - X[:, 1], np.ones(30)])
        weight, unit = rng.integers(1, 4, 30), 10.0 ** rng.integers(-6, 7, 6)
        basis = find_basis(X, EVERYTHING, weight.astype(float), True)
        other = find_basis(np.repeat(X * unit, weight, axis=0), EVERYTHING, None, True)
        np.testing.assert_array_equal(other.kept, basis.kept)
        np.testing.assert_array_equal(other.estimable, basis.estimable)
        np.testing.assert_allclose(
            other.expand * unit[:, None] / unit[basis.kept], basis.expand, atol=1e-9
        )


def test_without_an_intercept_a_constant_column_is_one():
    X = np.column_stack([np.random.default_rng(0).normal(size=50), np.ones(50)])
    assert find_basis(X, EVERYTHING, None, False) is None
    assert find_basis(X, EVERYTHING, None, True) is not None
    assert find_basis(X, np.array([0]), None, True) is None


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("weighted", [False, True])
def test_survey(sparse, weighted):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [rng.normal(5.0, 2.0, 300), rng.random(300) < 0.05, rng.normal(100.0, 1.0, 300)]
    ).astype(float)
    weight = rng.uniform(0.1, 2.0, 300) if weighted else None
    found = survey(sp.csr_array(X) if sparse else X, weight)
    np.testing.assert_allclose(found.centre, np.average(X, axis=0, weights=weight), rtol=1e-12)
    np.testing.assert_allclose(
        found.scale**2, np.average((X - found.centre) ** 2, axis=0, weights=weight), rtol=1e-10
    )
    assert found.full_rank and found.far
    assert not survey(X[:, :2], weight).far


def test_a_survey_of_many_rows_looks_at_a_sample():
    X = np.random.default_rng(0).normal(size=(100_000, 2)) * [1.0, 1e6]
    found = survey(X, None)
    np.testing.assert_allclose(found.scale, [1.0, 1e6], rtol=0.1)
    assert found.full_rank


# ---------------------------------------------------------------- coordinates: back to the user's scale


def random_coordinates(rng: np.random.Generator):
    """Terms on collinear or independent columns, shifted or not, of a standardised y or not."""
    n = 30
    X = rng.normal(size=(n, 3)) + rng.choice([0.0, 100.0])
    X = np.column_stack([X, X[:, 0] + X[:, 1] + 7.0]) if rng.random() < 0.6 else X
    p = X.shape[1]
    terms = tuple(Term(EVERYTHING, p) if rng.random() < 0.6 else Term(None, 0) for _ in range(2))
    bases = tuple(
        None if t.columns is None else find_basis(X, t.columns, None, True) for t in terms
    )
    fitted = tuple(
        t if b is None else Term(np.arange(p)[b.kept], len(b.kept))
        for t, b in zip(terms, bases, strict=True)
    )
    X = sp.csr_array(X) if rng.random() < 0.3 else X
    shift = as_dense(X).mean(axis=0) if rng.random() < 0.5 else None
    design = Design(fitted, n, X, shift)
    if rng.random() < 0.5:
        return Coordinates(terms, design, bases)
    moves = ("location", str(rng.choice(["scale", "rate"])))
    return Coordinates(terms, design, bases, rng.normal(), float(np.exp(rng.normal())), moves)


def flat(raw) -> np.ndarray:
    return np.concatenate([np.r_[slopes, intercept] for slopes, intercept in raw])


def test_coordinates_give_the_same_predictors():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        design, coef = coordinates.design, rng.normal(size=coordinates.design.d)
        eta = design.eta(design.block(0, design.n), 0, design.n, coef)
        expected = [np.broadcast_to(e, design.n) for e in eta]
        if coordinates.moves:
            sign = {"scale": 1.0, "rate": -1.0}[coordinates.moves[1]]
            expected[0] = expected[0] * coordinates.unit + coordinates.origin
            expected[1] = expected[1] + sign * np.log(coordinates.unit)
        for (slopes, intercept), term, e in zip(
            coordinates.raw(coef), coordinates.terms, expected, strict=True
        ):
            X = as_dense(design.X) if term.columns is not None else np.zeros((design.n, 0))
            np.testing.assert_allclose(X @ slopes + intercept, e, rtol=1e-9, atol=1e-9)


def test_the_matrix_of_coordinates():
    """raw = matrix @ coef + constant: exactly, as the map is affine."""
    seen = {True: 0, False: 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        d = coordinates.design.d
        matrix = coordinates.matrix()
        seen[matrix is None] += 1
        here, there = rng.normal(size=(2, d))
        moved = flat(coordinates.raw(there)) - flat(coordinates.raw(here))
        np.testing.assert_allclose(
            (np.eye(d) if matrix is None else matrix) @ (there - here), moved, rtol=1e-9, atol=1e-9
        )
    assert all(seen.values())


def test_coordinates_round_trip():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        if all(basis is None for basis in coordinates.bases):
            coef = rng.normal(size=coordinates.design.d)
            np.testing.assert_allclose(
                coordinates.fitted(coordinates.raw(coef)), coef, rtol=1e-9, atol=1e-9
            )


# ---------------------------------------------------------------- the other solvers agree with Newton's method


@pytest.fixture(scope="module")
def long_logistic():
    rng = np.random.default_rng(0)
    n, p = 60_000, 4
    X = rng.normal(size=(n, p)) * [1.0, 1e3, 1e-3, 1.0]
    y = (
        rng.random(n) < 1.0 / (1.0 + np.exp(-(X / [1.0, 1e3, 1e-3, 1.0]) @ [0.5, -0.5, 0.2, 0.0]))
    ).astype(float)
    family = Bernoulli()
    return Objective(family.rows, family.statistics(y), Design((Term(slice(None), p),), n, X))


def distance(objective: Objective, coef: np.ndarray, optimum: np.ndarray) -> float:
    gap = coef - optimum
    return float(np.sqrt(objective.size * gap @ objective(optimum).hessian @ gap))


@pytest.mark.parametrize("solver", [growing, conjugate])
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_solvers_agree(solver, start, long_logistic):
    assert first_sample(long_logistic.n, 5) is not None
    initial = np.full(5, start) / [1.0, 1e3, 1e-3, 1.0, 1.0]
    optimum = newton(long_logistic, np.zeros(5), tol=1e-10).coef
    solution = solver(long_logistic, initial, tol=1e-6)
    assert solution.converged and solution.distance <= 1e-6
    assert distance(long_logistic, solution.coef, optimum) <= 1e-6


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5])
def test_what_is_noise_in_a_samples_hessian_is_taken_out(correlation):
    d, m = 60, 1200
    rng = np.random.default_rng(0)
    units = np.outer(scale := 10.0 ** rng.uniform(-4, 4, d), scale)
    truth = np.full((d, d), correlation) + (1.0 - correlation) * np.eye(d)
    z = rng.multivariate_normal(np.zeros(d), truth, m)
    seen = z.T @ z / m
    found = _less_noisy(seen * units, m) / units
    np.testing.assert_allclose(np.diag(found), np.diag(seen), rtol=1e-14)

    def spread(hessian):
        values = np.linalg.eigvals(np.linalg.solve(hessian, truth)).real
        return values.max() / values.min()

    assert spread(found) <= 1.05 * spread(seen)
    if correlation == 0.0:
        assert spread(found) < 0.6 * spread(seen)


def test_a_hessian_without_noise_stays():
    np.testing.assert_array_equal(
        _less_noisy(np.diag([1.0, 2.0, 3.0]), 100), np.diag([1.0, 2.0, 3.0])
    )


def test_curvature_as_an_operator(long_logistic):
    rng = np.random.default_rng(0)
    for objective in [long_logistic, *long_objectives().values()]:
        coef, vector = rng.normal(size=(2, objective.design.d)) * 0.05
        expected = objective(coef).hessian @ vector
        elsewhere = objective.curvature(np.zeros_like(coef))
        for curvature in (objective.curvature(coef), elsewhere.moved(coef)):
            np.testing.assert_allclose(
                curvature.product(vector), expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max()
            )
        np.testing.assert_array_equal(
            elsewhere.moved(coef).precondition(vector), elsewhere.precondition(vector)
        )
