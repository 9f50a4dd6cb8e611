"""Links that do not map onto the whole line: starts inside their domains, maxima at the edge.

Every family that is fitted by derivatives has every link that leaves out a part of the line or of a
parameter's range. Designs are those in which a start is not at hand: no intercept, full dummies,
offsets. Answers at the edge are closed forms, or scipy's constrained optimiser.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, NoMaximumWarning
from skmle.families import (
    Bernoulli,
    Beta,
    Binomial,
    Exponential,
    Family,
    Gamma,
    Laplace,
    Normal,
    Poisson,
)
from tests.engine.verdicts import fitted
from tests.subjects import (
    RELINKED,
    ends_at_rows,
    ends_move,
    every,
    is_smooth,
    taken_in_turn,
    typical_eta,
)

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

N = 60
DUMMIES = np.eye(3)[np.arange(N) % 3]
ONES = np.ones((N, 1))


def is_restricted(family: Family) -> bool:
    """Whether the link of the first parameter leaves something out."""
    alone = {name: link for name, link in family.links.items() if name == family.names[0]}
    return (
        is_smooth(type(family)) and bool(alone) and clone(family).set_params(links=alone).restricted
    )


def inside(family: Family) -> tuple[float, float]:
    """Return an interval of the first parameter's eta in which typical laws are.

    A location that may be negative is so far from zero that the links of positive numbers suit it.
    """
    chart = typical_eta(family)
    ends = []
    located = family.parameters[0].chart.spans_zero and not family.support.discrete
    far = 12.0 if located else 0.0
    for move in (far, far + 0.5):
        eta = family.linked((np.asarray(chart[0] + move), *map(np.asarray, chart[1:])))
        ends.append(float(eta[0]))
    return min(ends), max(ends)


def draw(family: Family, eta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an observation a row from laws with these first eta."""
    linked = [
        np.full(len(eta), e) for e in family.linked(tuple(map(np.asarray, typical_eta(family))))
    ]
    linked[0] = eta
    return family.sample(family.natural(tuple(linked)), (len(eta),), rng)


def check(model, said, X, y, **known) -> None:
    """A maximum, inside or at the edge, whose numbers agree with each other."""
    if model.status_ == "no_maximum" and ends_at_rows(type(model.family)):
        return
    assert model.status_ in ("interior", "boundary", "non_regular")
    assert (said == ()) == (model.status_ == "interior")
    assert model.distance_ <= model.tol
    law = model.predict_dist(X, **known)
    assert all(np.isfinite(value).all() for value in law.params.values())
    assert (np.isfinite(model.predict(X, **known)) | np.isinf(law.mean())).all()
    total = model.score(X, y, **known) * model.weight_sum_
    # The likelihood is that of the point before a last step of up to `tol`, which a lasso has once.
    np.testing.assert_allclose(total, model.log_likelihood_, rtol=1e-8, atol=1e-8)


def same(one, other) -> None:
    """Two fits of the same law to the same data."""
    np.testing.assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-9, atol=1e-9)


RESTRICTED = {name: family for name, family in RELINKED.items() if is_restricted(family)}


@every(RESTRICTED)
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_own_column_of_ones(family, alpha):
    """A formula's matrix has a column of ones: the fit is that with an intercept.

    Under a ridge the ones are held too, so that only the maximum is compared with a start there.
    """
    rng = np.random.default_rng(3)
    low, high = inside(family)
    x = rng.uniform(size=(N, 1))
    y = draw(family, low + (high - low) * x[:, 0], rng)
    X = np.hstack([x, ONES])
    model, said = fitted(MLERegressor(family, fit_intercept=False, alpha=alpha), X, y)
    check(model, said, X, y)
    if not alpha:
        other, _ = fitted(MLERegressor(family), x, y)
        same(model, other)


@every(RESTRICTED)
def test_full_dummies(family):
    """Without an intercept, the dummies of all levels are those of all but one with it."""
    rng = np.random.default_rng(4)
    low, high = inside(family)
    y = draw(family, DUMMIES @ np.linspace(low, high, 3), rng)
    model, said = fitted(MLERegressor(family, fit_intercept=False), DUMMIES, y)
    check(model, said, DUMMIES, y)
    same(model, fitted(MLERegressor(family), DUMMIES[:, 1:], y)[0])


@every(RESTRICTED)
@pytest.mark.parametrize("intercept", [True, False])
def test_offset_that_the_constant_fit_does_not_bear(family, intercept):
    """An offset of -z beside the column z moves the slope by one and nothing else."""
    rng = np.random.default_rng(5)
    low, high = inside(family)
    z = rng.uniform(0.0, 50.0, N)
    y = draw(family, low + (high - low) * z / 50.0, rng)
    X = z[:, None] if intercept else np.column_stack([z, np.ones(N)])
    model, said = fitted(MLERegressor(family, fit_intercept=intercept), X, y, offset=-z)
    check(model, said, X, y, offset=-z)
    other, _ = fitted(MLERegressor(family, fit_intercept=intercept), X, y)
    same(model, other)
    if model.status_ == "interior" and other.status_ == "interior":
        scale = 1e-6 * (1.0 + abs(low) + abs(high))
        np.testing.assert_allclose(model.coef_[0], other.coef_[0] + 1.0, atol=scale)


@every(RESTRICTED)
def test_no_row_is_on_another_branch(family):
    """Features that say nothing of y do not lead a row out of its domain."""
    for seed in taken_in_turn(range(3), 3, repr(family)):
        rng = np.random.default_rng(seed)
        low, high = inside(family)
        X = rng.normal(size=(N, 2))
        y = draw(family, rng.uniform(low, high, N), rng)
        model, said = fitted(MLERegressor(family), X, y)
        check(model, said, X, y)
        eta = X @ model.coef_ + model.intercept_
        for e, (first, last) in zip([eta], model._law.domains, strict=False):
            assert (first < e).all() and (e < last).all()


def test_a_slope_through_the_origin():
    """The maximum of a Poisson law with mean b x is at sum(y)/sum(x)."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0.0, 1.0, (300, 1))
    y = rng.poisson(3.0 * x[:, 0])
    family = Poisson(links={"mean": "identity"})
    model = MLERegressor(family, fit_intercept=False).fit(x, y)
    np.testing.assert_allclose(model.coef_, y.sum() / x.sum(), rtol=1e-10)


def test_logarithm_of_a_mean_whose_average_is_negative():
    """From the public report mlumr 32; by scipy's Nelder-Mead from many starts, -9.44377."""
    X = [[-1.0], [0.0], [1.0], [2.0]]
    model = MLERegressor(Normal(links={"loc": "log"})).fit(X, [-5.0, 1.0, 1.0, 2.0])
    assert model.log_likelihood_ == pytest.approx(-9.44377, abs=5e-6)
    np.testing.assert_allclose([*model.coef_, model.intercept_], [1.40225, -2.06399], atol=1e-4)


def test_selection_starts_inside():
    """A lasso without intercept cannot start with all slopes at zero."""
    rng = np.random.default_rng(6)
    X = rng.uniform(size=(N, 3))
    y = rng.exponential(1.0 / (X @ [1.0, 2.0, 0.5]))
    model = MLERegressor(
        Exponential(links={"mean": "inverse"}), fit_intercept=False, alpha=0.05, l1_ratio=1.0
    )
    model, said = fitted(model, X, y)
    check(model, said, X, y)


# ---------------------------------------------------------------- where nothing is inside

NOWHERE = {
    "both signs": ([[-1.0], [1.0], [2.0]], None),
    "a row of zeros": ([[0.0], [1.0], [2.0]], None),
    "an offset": ([[1.0], [1.0], [0.0]], [1.0, 1.0, -2.0]),
}


@pytest.mark.parametrize(("X", "offset"), NOWHERE.values(), ids=NOWHERE)
@pytest.mark.parametrize("family", [Poisson, Gamma])
def test_nothing_inside_names_the_link_and_the_rows(family, X, offset):
    model = MLERegressor(family(links={"mean": "identity"}), fit_intercept=False)
    with pytest.raises(ValueError, match=r"link 'identity' in every row.*1 of 3 rows.*\(rows \d\)"):
        model.fit(X, [1.0, 2.0, 3.0], offset=offset)


def test_predictions_name_the_rows_outside():
    rng = np.random.default_rng(7)
    x = rng.uniform(size=(N, 1))
    y = rng.beta(2.0, 3.0, N)
    model = MLERegressor(Beta(links={"mean": "log"})).fit(x, y)
    low = model.intercept_ + 1.0
    with pytest.raises(ValueError, match=r"link 'log' in 2 of 3 rows \(rows 0, 2\)"):
        model.predict(np.zeros((3, 1)), offset=[low + 1.0, 0.0, 1.0 - 2.0 * model.intercept_])
    assert model.log_prob(np.zeros((1, 1)), [0.5], offset=[low + 1.0]) == -np.inf


# ---------------------------------------------------------------- the edge

RISK = np.repeat([0.0, 1.0], 10)[:, None]
ALL_OF_ONE = np.r_[np.ones(5), np.zeros(5), np.ones(10)]
RISKS = {
    "log": (Bernoulli(links={"probability": "log"}), np.log([0.5, 2.0])),
    "identity": (Bernoulli(links={"probability": "identity"}), [0.5, 0.5]),
}


@pytest.mark.parametrize(("family", "right"), RISKS.values(), ids=RISKS)
@pytest.mark.parametrize("form", ["rows", "weights", "merged", "counts", "offset", "no intercept"])
def test_risk_ratios_and_differences_with_all_of_a_group(family, right, form):
    """10 of 10 against 5 of 10: the probabilities are 1 and 0.5, log-likelihood 10 log 0.5."""
    X, y, known, copies = RISK, ALL_OF_ONE, {}, 1
    shift, intercept = 0.0, True
    if form == "weights":
        X, first = np.unique(np.column_stack([RISK[:, 0], y]), axis=0, return_index=True)
        X, y, known = X[:, :1], y[first], {"sample_weight": [5.0, 5.0, 10.0]}
    if form == "merged":
        copies = 2000
        X, y = np.repeat(X, copies, axis=0), np.repeat(y, copies)
    if form == "counts":
        family = Binomial(links=family.links)
        X, y = [[0.0], [1.0]], [[5.0, 5.0], [10.0, 0.0]]
    if form == "offset":
        shift = -0.125
        known = {"offset": np.full(len(y), shift)}
    if form == "no intercept":
        X, intercept = np.column_stack([1.0 - X[:, 0], X[:, 0]]), False
    model, said = fitted(MLERegressor(family, fit_intercept=intercept), X, y, **known)
    assert said == (BoundaryWarning,) and model.status_ == "boundary"
    assert model.distance_ <= model.tol
    first = (
        [model.intercept_, *model.coef_] if intercept else [model.coef_[0], np.diff(model.coef_)[0]]
    )
    np.testing.assert_allclose(first, [right[0] - shift, right[1]], atol=1e-10)
    base = np.log(252.0) if form == "counts" else 0.0
    assert model.log_likelihood_ == pytest.approx(10 * copies * np.log(0.5) + base, rel=1e-10)
    # Along the edge the probability of the other group is the only one that is estimated.
    if form == "rows":
        error = np.sqrt(0.25 / 10) * (2.0 if family.links["probability"] == "log" else 1.0)
        errors = model.inference().standard_errors
        np.testing.assert_allclose(errors[:2], [error, error], rtol=1e-6)


def test_a_coefficient_that_the_edge_determines_has_no_error():
    y = np.r_[np.zeros(10), 3.0 * np.ones(5), 6.0 * np.ones(5)]
    model, _ = fitted(MLERegressor(Poisson(links={"mean": "identity"})), RISK, y)
    errors = model.inference().standard_errors
    assert np.isnan(errors).sum() == 1
    np.testing.assert_allclose(errors[np.isfinite(errors)], np.sqrt(4.5 / 10), rtol=1e-6)


def test_the_message_counts_rows_and_says_what_was_fitted():
    with pytest.warns(
        BoundaryWarning, match=r"10 rows stand .* link 'log' \(fitted probability 1\)"
    ):
        MLERegressor(RISKS["log"][0]).fit(RISK, ALL_OF_ONE)


COUNTS = {
    name: family
    for name, family in RESTRICTED.items()
    if family.domains
    and family.support.discrete
    and family.support.low == 0.0
    and family.names[0] == "mean"
    and 0.0 in family.domains[0]
    and family.link(0).rising
    and all(
        family.link(j).domain[0] <= param.chart.domain[0]
        and family.link(j).domain[1] >= param.chart.domain[1]
        for j, param in enumerate(family.parameters[1:], start=1)
    )
}


@every(COUNTS)
@pytest.mark.parametrize("copies", [1, 1500])
@pytest.mark.slow
def test_a_group_of_zeros(family, copies):
    """The mean of the other group is its own, 4.5; that of zeros is 0."""
    y = np.repeat(np.r_[np.zeros(8), 1.0, 4.0, 8.0, 5.0, 0.0, 9.0, 3.0, 6.0], copies)
    g = np.repeat([0.0, 1.0], 8 * copies)[:, None]
    for X in (g, 1.0 - g):
        model, said = fitted(MLERegressor(family), X, y)
        assert said == (BoundaryWarning,) and model.status_ == "boundary"
        np.testing.assert_allclose(
            model.predict(X), np.where(g[:, 0], 4.5, 0.0), rtol=1e-7, atol=1e-7
        )
        assert model.distance_ <= model.tol
        total = model.score(X, y) * model.weight_sum_
        np.testing.assert_allclose(total, model.log_likelihood_, rtol=1e-9)


def test_a_row_at_the_edge_of_a_line():
    """By statsmodels' data of the report and 50 digits: -402.97513 at (2.92147, -3.97e-06)."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0.0, 1.0, (300, 1))
    y = rng.poisson(3.0 * x[:, 0])
    model, said = fitted(MLERegressor(Poisson(links={"mean": "identity"})), x, y)
    assert said == (BoundaryWarning,)
    assert model.log_likelihood_ == pytest.approx(-402.97513, abs=5e-6)
    np.testing.assert_allclose([*model.coef_, model.intercept_], [2.92147, -3.97e-06], atol=5e-6)


LOCATIONS = {
    name: family
    for name, family in RESTRICTED.items()
    if family.domains
    and family.parameters[0].unit == "location"
    and family.parameters[0].chart.spans_zero
    and family.link(0).rising
    and all(
        family.link(j).domain[0] <= param.chart.domain[0]
        and family.link(j).domain[1] >= param.chart.domain[1]
        for j, param in enumerate(family.parameters[1:], start=1)
    )
}


@every(LOCATIONS, lambda family: not ends_move(family))  # of those there are other maxima
@pytest.mark.parametrize("seed", range(3))
def test_densities_whose_location_would_be_negative(family, seed):
    """The best positive location is none: the edge, 0."""
    y = np.random.default_rng(seed).normal(-1.0, 1.0, 30)
    y = np.exp(y) if family.support.low == 0.0 else y
    model, said = fitted(MLEDistribution(family), y[:, None])
    own, _ = fitted(MLEDistribution(type(family)(), fixed={family.names[0]: 0.0}), y[:, None])
    assert said == (BoundaryWarning,) and model.status_ == "boundary"
    np.testing.assert_allclose(model.log_likelihood_, own.log_likelihood_, atol=1e-7)


# ---------------------------------------------------------------- random designs

CONVEX = {
    "bernoulli-log": Bernoulli(links={"probability": "log"}),
    "bernoulli-identity": Bernoulli(links={"probability": "identity"}),
    "binomial-log": Binomial(links={"probability": "log"}),
    "binomial-identity": Binomial(links={"probability": "identity"}),
    "poisson-identity": Poisson(links={"mean": "identity"}),
    "poisson-sqrt": Poisson(links={"mean": "sqrt"}),
    "gamma-inverse": Gamma(links={"mean": "inverse"}),
    "exponential-inverse": Exponential(links={"mean": "inverse"}),
}


def random_problem(family: Family, seed: int):
    """Return (X, y, weights) of a law that is not that of the fit, so that edges are met."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(10, 60)), int(rng.integers(1, 4))
    X = [
        rng.normal(size=(n, k)),
        rng.uniform(size=(n, k)),
        rng.integers(0, 3, (n, k)).astype(float),
        np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)]),
    ][seed % 4]
    lin = X @ rng.normal(size=X.shape[1])
    weight = rng.integers(1, 4, n).astype(float) if seed % 3 == 0 else None
    share = np.clip(1.0 / (1.0 + np.exp(-2.0 * lin)), 0.05, 0.95)
    if isinstance(family, Bernoulli):
        return X, (rng.random(n) < share).astype(float), weight
    if isinstance(family, Binomial):
        trials = rng.integers(1, 6, n)
        successes = rng.binomial(trials, share)
        return X, np.column_stack([successes, trials - successes]).astype(float), weight
    if isinstance(family, Poisson):
        return X, rng.poisson(np.exp(np.clip(lin, -3, 2))).astype(float), weight
    return X, rng.gamma(2.0, np.exp(np.clip(lin, -3, 2))) + 1e-3, weight


def best_by_scipy(family: Family, X, y, weight, starts) -> float:
    """Return the largest log-likelihood that scipy's SLSQP finds inside the domain."""
    n = len(X)
    A = np.column_stack([X, np.ones(n)])
    mass = np.ones(n) if weight is None else weight
    statistics = family.statistics(y)
    (low, high), d = family.domains[0], A.shape[1]
    more = len(family.parameters) - 1

    def rows(b, order):
        with np.errstate(all="ignore"):
            return family.rows(statistics, (A @ b[:d], *map(np.asarray, b[d:])), order)

    def value(b):
        found = float(np.broadcast_to(rows(b, 0).value, n) @ mass) / mass.sum()
        return found if np.isfinite(found) else 1e10

    def slope(b):
        first, *others = rows(b, 1).gradient
        found = np.r_[A.T @ (mass * first), [np.sum(mass * g) for g in others]] / mass.sum()
        return np.where(np.isfinite(found), found, 0.0)

    wide = np.hstack([A, np.zeros((n, more))])
    bounds = [(low, 1.0), (high, -1.0)]
    constraints = [
        {
            "type": "ineq",
            "fun": lambda b, e=e, s=s: s * (wide @ b - e) - 1e-11,
            "jac": lambda b, s=s: s * wide,
        }
        for e, s in bounds
        if np.isfinite(e)
    ]
    values = []
    for start in starts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = minimize(
                value,
                start,
                jac=slope,
                method="SLSQP",
                constraints=constraints,
                options={"maxiter": 500, "ftol": 1e-15},
            )
        values.append(value(found.x))
    base = np.broadcast_to(family.base(statistics), n) @ mass
    return -min(values) * mass.sum() - base


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVEX)
def test_random_designs(name):
    """No maximum is missed, and none is claimed that there is not.

    From the fit itself scipy's optimiser finds nothing better.
    """
    family, seen = CONVEX[name], set()
    for seed in range(40):
        X, y, weight = random_problem(family, seed)
        model, said = fitted(MLERegressor(family), X, y, sample_weight=weight)
        seen.add(model.status_)
        assert model.status_ in ("interior", "boundary", "no_maximum"), seed
        if model.status_ == "no_maximum":
            # All of a group failed: its probability is 0, the eta of the logarithm is infinite.
            assert "log" in name and model.predict(X).min() < 1e-6
            continue
        check_with_weights(model, said, X, y, weight)
        others = [model.intercepts_[p.name] for p in family.parameters[1:]]
        own = np.r_[model.coef_, model.intercept_, others]
        middle = np.r_[0.0 * model.coef_, (X @ model.coef_).mean() + model.intercept_, others]
        best = best_by_scipy(family, X, y, weight, [own, 0.5 * (own + middle)])
        assert best - model.log_likelihood_ <= 1e-6, seed
    assert {"interior", "boundary"} <= seen or name.endswith("inverse")


def check_with_weights(model, said, X, y, weight) -> None:
    assert (said == ()) == (model.status_ == "interior")
    assert model.distance_ <= model.tol
    total = model.score(X, y, sample_weight=weight) * model.weight_sum_
    np.testing.assert_allclose(total, model.log_likelihood_, rtol=1e-9, atol=1e-9)
    assert np.isfinite(model.predict(X)).all()


def test_a_selection_starts_with_the_slopes_of_its_own_start():
    """Each start has a working set of its own: the slopes of another are not left behind."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 1)), rng.exponential(3.0, 60)
    law = Exponential(links={"mean": "sqrt"})
    for tol in (1e-6, 1e-3):
        model = MLERegressor(law, alpha=100.0, l1_ratio=1.0, tol=tol).fit(X, y)
        assert model.coef_[0] == 0.0
        np.testing.assert_allclose(model.intercept_, np.sqrt(y.mean()), rtol=1e-6)
        np.testing.assert_allclose(60.0 * model.score(X, y), model.log_likelihood_, rtol=1e-9)


@pytest.mark.parametrize("link", ["identity", "inverse", "sqrt"])
def test_a_held_value_is_one_of_the_parameter_whatever_the_link(link):
    law = Poisson(links={"mean": link})
    for value in (-1.0, 0.0):
        with pytest.raises(ValueError, match=r"fixed: mean=.* is outside the range of Poisson's"):
            MLEDistribution(law, fixed={"mean": value}).fit([[1.0], [2.0]])


@pytest.mark.parametrize("link", ["log", "inverse"])
@pytest.mark.parametrize("scale", ["none", "all"])
def test_a_median_that_no_link_reaches(link, scale):
    """The location is positive, but the median is not: the likelihood rises as it falls to zero."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50) - 0.3
    features = {"loc": "none", "scale": scale}
    with pytest.warns(NoMaximumWarning, match="loc"):
        model = MLERegressor(Laplace(links={"loc": link}), features=features).fit(X, y)
    right = MLERegressor("laplace", fixed={"loc": 0.0}, features={"scale": scale}).fit(X, y)
    assert model.status_ == "no_maximum"
    np.testing.assert_allclose(model.log_likelihood_, right.log_likelihood_, atol=1e-6)
