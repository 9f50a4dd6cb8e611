"""The benchmarks, without taking any time: the judge is right, and every problem is well formed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from benchmarks import coverage, goodness_of_fit, laws, random_designs, report, scipy_fits
from benchmarks.candidates import constants, one, per_class
from benchmarks.coverage_cases import every_case
from benchmarks.data import few_matter, logistic, softmax
from benchmarks.distance import Penalty, Solution, distance
from benchmarks.figures import COLOURS
from benchmarks.problems import PROBLEMS, SERIES
from benchmarks.requirements import Faster, fastest
from benchmarks.worker import counted_passes
from skmle import CrossEntropyClassifier
from skmle._engine import solvers

LAWS = {
    "poisson": (laws.POISSON, lambda a: stats.poisson(np.exp(a)), (0.3,)),
    "normal": (laws.NORMAL, lambda a, b: stats.norm(a, np.exp(b)), (0.3, -0.2)),
    "lognormal": (
        laws.LOGNORMAL,
        lambda a, b: stats.lognorm(np.exp(b), scale=np.exp(a)),
        (0.3, -0.2),
    ),
    "gamma": (laws.GAMMA, lambda a, b: stats.gamma(np.exp(b), scale=np.exp(a - b)), (0.3, 0.8)),
    "negative binomial": (
        laws.NEGATIVE_BINOMIAL,
        lambda a, b: stats.nbinom(np.exp(-b), 1.0 / (1.0 + np.exp(a + b))),
        (0.9, -0.5),
    ),
    "beta": (
        laws.BETA,
        lambda a, b: stats.beta(np.exp(b) / (1.0 + np.exp(-a)), np.exp(b) / (1.0 + np.exp(a))),
        (0.4, 1.5),
    ),
    "inverse gaussian": (
        laws.INVERSE_GAUSSIAN,
        lambda a, b: stats.invgauss(np.exp(a - b), scale=np.exp(b)),
        (0.3, 0.8),
    ),
    "student t": (
        laws.STUDENT_T,
        lambda a, b, c: stats.t(np.exp(c), a, np.exp(b)),
        (0.3, -0.2, 1.1),
    ),
    "weibull": (
        laws.WEIBULL,
        lambda a, b: stats.weibull_min(np.exp(b), scale=np.exp(a)),
        (0.3, 0.5),
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_that_of_scipy_and_its_derivatives_are_those_of_the_law(name):
    law, frozen, eta = LAWS[name]
    y = frozen(*eta).rvs(50, random_state=0).astype(float)
    discrete = isinstance(frozen(*eta).dist, stats.rv_discrete)

    def scipy(*at):
        return (frozen(*at).logpmf if discrete else frozen(*at).logpdf)(y)

    np.testing.assert_allclose(law.log_prob(y, *eta), scipy(*eta), rtol=1e-11, atol=1e-11)
    found = law.derivatives(y, [np.asarray(e) for e in eta])
    for a in range(len(eta)):
        unit = np.eye(len(eta))[a]
        up, down = (scipy(*(np.array(eta) + s * 1e-4 * unit)) for s in (1.0, -1.0))
        # Central differences: h^2 times the third derivative, and rounding / h.
        np.testing.assert_allclose(found.gradient[a], -(up - down) / 2e-4, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(
            found.product(list(unit))[a],
            -(up + down - 2.0 * scipy(*eta)) / 1e-8,
            atol=1e-5,
            rtol=1e-4,
        )


def test_distance_is_zero_at_the_optimum_and_right_beside_it():
    data = logistic(2000, 5)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(data.X, data.y)
    w = np.append(model.coef_, model.intercept_)
    assert distance(laws.BERNOULLI, data.X, data.y, one(w[:-1], w[-1])) < 1e-8
    X = np.column_stack([data.X, np.ones(2000)])
    q = 1.0 / (1.0 + np.exp(-X @ w))
    standard_errors = np.sqrt(np.diag(np.linalg.inv((X * (q * (1.0 - q))[:, None]).T @ X)))
    for j in range(6):
        moved = w + 1e-3 * standard_errors * np.eye(6)[j]
        gradient = X.T @ (1.0 / (1.0 + np.exp(-X @ moved)) - data.y)
        q = 1.0 / (1.0 + np.exp(-X @ moved))
        expected = np.sqrt(
            gradient @ np.linalg.solve((X * (q * (1.0 - q))[:, None]).T @ X, gradient)
        )
        assert distance(
            laws.BERNOULLI, data.X, data.y, one(moved[:-1], moved[-1])
        ) == pytest.approx(expected, rel=1e-6)
        assert expected >= 1e-3 * (
            1.0 - 1e-3
        )  # a step of one coefficient is at least that many standard errors of it


def test_distance_does_not_depend_on_units():
    data = logistic(500, 4)
    units = np.array([1e-4, 1.0, 1e4, 10.0])
    w = np.array([0.1, 0.2, -0.3, 0.0])
    plain = distance(laws.BERNOULLI, data.X, data.y, one(w, 0.1))
    assert distance(laws.BERNOULLI, data.X * units, data.y, one(w / units, 0.1)) == pytest.approx(
        plain, rel=1e-9
    )


def test_distance_of_classes_agrees_with_the_dense_hessian():
    data = softmax(300, 3, 4)
    rng = np.random.default_rng(1)
    coef, intercept = 0.3 * rng.standard_normal((4, 3)), np.zeros(4)
    X = np.column_stack([data.X, np.ones(300)])
    eta = X @ np.column_stack([coef, intercept]).T
    p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    gradient = ((p - np.eye(4)[data.y.astype(int)]).T @ X)[:-1].ravel()
    w = p[:, :, None] * (np.eye(4) - p[:, None, :])
    hessian = np.einsum("nab,ni,nj->aibj", w, X, X)[:-1, :, :-1].reshape(12, 12)
    expected = np.sqrt(gradient @ np.linalg.solve(hessian, gradient))
    # Conjugate gradients stop at a relative error of 1e-4 in the length's square.
    assert distance(laws.CATEGORICAL, data.X, data.y, per_class(coef, intercept)) == pytest.approx(
        expected, rel=1e-4
    )


def test_distance_of_an_elastic_net_is_zero_at_its_optimum_alone(saga):
    data = few_matter(300, 10, 3)
    penalty = Penalty(0.02, 0.5)
    model = saga(C=1.0 / (300 * 0.02), l1_ratio=0.5, tol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = model.fit(data.X, data.y)
    assert 0 < (w.coef_ == 0.0).sum() < 10
    assert distance(laws.BERNOULLI, data.X, data.y, one(w.coef_, w.intercept_), penalty) < 1e-8
    assert distance(laws.BERNOULLI, data.X, data.y, one(0.0 * w.coef_, w.intercept_), penalty) > 1.0


def test_distance_is_infinite_where_nothing_can_be_said():
    y = np.array([1.0, 2.0, 3.0])
    assert distance(laws.NORMAL, None, y, constants(np.nan, 0.0)) == np.inf
    assert (
        distance(laws.STUDENT_T, None, y, Solution((np.zeros(0),) * 3, (100.0, 0.0, 0.0))) == np.inf
    )  # the hessian is indefinite


def test_a_comparison_takes_the_fastest_that_is_near_enough_or_else_the_nearest():
    rows = [
        {"status": "ok", "seconds": s, "distance": d}
        for s, d in [(1.0, 1e-1), (2.0, 1e-4), (3.0, 1e-9)]
    ] + [{"status": "> 300 s"}]
    assert fastest(rows, 1e-3) == (rows[1], True)
    assert fastest(rows, 1e-12) == (rows[2], False)
    assert fastest(rows[3:], 1e-3) is None


def test_a_peer_that_was_stopped_bounds_the_ratio_from_below():
    mine = {"name": "skmle", "status": "ok", "seconds": 2.0, "distance": 1e-9}
    results = {"x": {"candidates": [mine, {"name": "scipy fit", "status": "> 300 s"}]}}
    assert [Faster(ratio).verdict("x", results).met for ratio in (100.0, 200.0)] == [True, None]


def test_names_are_unique():
    names = [problem.name for problem in PROBLEMS]
    assert len(set(names)) == len(names)
    assert set(SERIES) <= set(names)
    for problem in PROBLEMS:
        labels = [candidate.label for candidate in problem.candidates]
        assert len(set(labels)) == len(labels), problem.name
        assert labels[0] == "skmle", problem.name
        assert {candidate.package for candidate in problem.candidates} <= set(COLOURS), problem.name


@pytest.mark.parametrize(
    "problem",
    [p for p in PROBLEMS if p.needs == "numpy" and p.name != "elastic-net"],
    ids=lambda p: p.name,
)
def test_skmle_solves_every_problem_at_tiny_size(problem):
    data = problem.make(**problem.sizes("tiny"))
    assert problem.law is not None and len(problem.penalties) == 1
    job = problem.candidates[0].prepare(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few rows may have no interior maximum
        model = job.fit()
    if model.status_ == "interior":
        assert distance(problem.law, data.X, data.y, job.read(model), problem.penalties[0]) < 1e-5


@pytest.mark.parametrize(
    ("most", "kinds"), [(1500, {"value", "hessian"}), (5, {"gradient", "product", "curvature"})]
)
def test_passes_are_counted_whatever_the_solver(most, kinds, monkeypatch):
    monkeypatch.setattr(solvers, "_MATRIX", most)
    data = logistic(n=500, p=10)
    with counted_passes() as passes:
        CrossEntropyClassifier().fit(data.X, data.y)
    assert set(passes()) == kinds and min(passes().values()) >= 1


def test_a_fit_below_the_truth_is_a_loss_and_silent_if_nothing_is_said():
    case = scipy_fits.Case("norm", (), seed=0, n=50, unit=1.0)
    _, truth = case.draw()
    ends = [(1.0, "interior"), (-1.0, "interior"), (-1.0, "not_converged")]
    records = [
        scipy_fits.judged(
            "skmle",
            case,
            truth,
            {"value": truth + gain, "status": status, "message": "", "seconds": 0.1},
        )
        for gain, status in ends
    ]
    assert [record["failed"] for record in records] == [False, True, True]
    assert [record["silent"] for record in records] == [False, True, False]
    text = scipy_fits.page(records)
    assert "| 3 | 66.7 % | 33.3 % |" in text and text.count("| norm | 0 | 1 | -1 |") == 2


COVERED = every_case()


@pytest.mark.parametrize("name", COVERED)
def test_the_truth_is_told_of_estimates_that_a_table_has(name):
    case = COVERED[name]
    (sample,) = coverage.samples_of(case, 200, 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the support of some laws depends on the parameters
        terms = clone(case.model).fit(*sample).summary().inference.terms
    assert set(case.truth(sample)) <= set(terms)


@pytest.mark.parametrize("name", ["gamma", "binomial", "balanced class weights, 20 % ones"])
def test_samples_fitted_together_have_the_intervals_of_each(name):
    case = COVERED[name]
    samples = coverage.samples_of(case, 60, 0, 3)
    for sample, found in zip(samples, coverage.together(case, samples), strict=True):
        own = coverage.alone(case, "Wald", {}, sample)
        assert found.keys() == own.keys()
        for term, ends in own.items():
            assert found[term] == pytest.approx(ends, rel=1e-4)


def test_coverage_goes_on_where_it_has_stopped():
    case = COVERED["exponential"]._replace(kinds={"Wald": {}, "profile": {}})
    cases, sizes, records = {"exponential": case}, (30,), {}
    for samples in (2, 2, 5):
        list(coverage.measure(records, cases, sizes, samples, seconds=60.0))
    once = dict(records)
    again = {}
    list(coverage.measure(again, cases, sizes, 5, seconds=60.0))
    assert once == again and {r["samples"] for r in once.values()} == {5}
    stopped = {}
    assert not list(coverage.measure(stopped, cases, sizes, 5, seconds=-1.0)) and not stopped


def test_the_page_has_the_share_that_is_covered_and_the_share_without_interval():
    record = {"case": "exponential", "kind": "Wald", "n": 300, "samples": 200}
    for counts, text in [
        ([200, 4, 4], "96.0"),
        ([200, 10, 10], "90.0"),  # two standard errors of 200 samples below 93 are 89.4
        ([200, 11, 11], "**89.0**"),
        ([100, 2, 3], "95.0 (50.0 % none)"),
        ([0, 0, 0], "none"),
    ]:
        assert coverage.cell(record | {"counts": {"mean": counts}}, "mean") == text
    whole = coverage.page(
        {("exponential", "Wald", 300): record | {"counts": {"mean": [200, 4, 4]}}}
    )
    assert "| exponential | mean | 1.22 | 96.0 |" in whole
    assert coverage.counted(
        COVERED["uniform"], "Wald", coverage.samples_of(COVERED["uniform"], 30, 0, 2)
    ) == {"low": [0, 0, 0], "high": [0, 0, 0]}


def test_sizes_of_goodness_of_fit_go_on_where_they_have_stopped():
    records, again = {}, {}
    for samples in (2, 4):
        list(goodness_of_fit.measure(records, ["exponential"], samples, seconds=60.0))
    list(goodness_of_fit.measure(again, ["exponential"], 4, seconds=60.0))
    assert records == again and {r["samples"] for r in again.values()} == {4}
    assert not list(goodness_of_fit.measure({}, ["exponential"], 4, seconds=-1.0))


def test_the_page_tells_sizes_that_are_not_their_level():
    record = {"law": "gamma", "n": 30, "samples": 2000, "tested": 2000, "rejected": [110, 250]}
    text = goodness_of_fit.page({("gamma", 30): record})
    assert "| `gamma` | 5.5 |  | **12.5** |  |" in text
    assert "Samples of each law and size: 2000" in text


@pytest.mark.slow
def test_random_designs_go_on_where_they_have_stopped():
    records, again = {}, {}
    for last in (2, 4):
        list(random_designs.measure(records, range(last), starts=2, seconds=60.0))
    list(random_designs.measure(again, range(4), starts=2, seconds=60.0))
    assert records == again and set(again) == set(range(4))
    assert not list(random_designs.measure({}, range(4), starts=2, seconds=-1.0))


def test_the_page_counts_false_verdicts():
    said = [("interior", ""), ("interior", "there is no maximum"), ("boundary", "")]
    records = {
        i: {"seed": i, "name": "", "status": status, "false": false}
        for i, (status, false) in enumerate(said)
    }
    text = random_designs.page(records)
    assert "| `interior` | 2 | 0 | 1 | 0 |" in text and "| `boundary` | 1 | 0 | 0 | 0 |" in text


def test_the_pages_say_who_is_faster_and_the_targets_stand_apart(tmp_path, monkeypatch):
    def row(package, seconds, distance):
        return {
            "name": package,
            "label": package,
            "package": package,
            "status": "ok",
            "seconds": seconds,
            "distance": distance,
            "memory": 5.0,
            "passes": {"gradient": 3},
        }

    monkeypatch.setattr(report, "draw", lambda measured, folder: {"": [("ratios.png", "Times")]})
    first, second, third = PROBLEMS[:3]
    assert any(isinstance(r, Faster) for r in second.requires)
    peers = [
        (first, row("scikit-learn", 2.0, 1e-9)),
        (second, row("scikit-learn", 0.5, 1e-9)),
        (third, row("scikit-learn", 0.1, 1.0)),  # fast, but nowhere near
    ]
    measured = {
        problem.name: {"candidates": [row("skmle", 1.0, 1e-12), peer], "rows": 10, "bytes": 1e6}
        for problem, peer in peers
    }
    report.write({"problems": measured}, tmp_path, tmp_path / "targets.md")
    index, tables, targets = (
        (tmp_path / f"{page}.md").read_text(encoding="utf-8")
        for page in ("index", "tables", "targets")
    )
    assert index.startswith("# Benchmarks\n\n![Times](ratios.png)")
    assert "On 1 of 2 problems, skmle is faster" in index
    assert f"| {second.title} | 1 | 0.5 | scikit-learn |" in index and first.title not in index
    assert all(f"### {p.title}" in tables for p in (first, second, third))
    assert "[All numbers of the benchmarks](tables.md)" in index
    assert "not met" in targets and "not met" not in index + tables
