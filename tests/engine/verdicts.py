"""No silent non-optimum.

What has no maximum says so, once, and returns the limit; what has one raises no false alarm. The
tests of each kind of verdict share what stands here. They draw hundreds of random problems a kind
and judge each by something else than the fit: score tests at the limit law, the linear program of
separation, differences of the log-likelihood around the answer.
"""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
from scipy.optimize import minimize

from skmle import MLEDistribution, MLERegressor
from skmle._engine.judge.limits import UNTOLD
from skmle.exceptions import (
    BoundaryWarning,
    NoMaximumWarning,
    NonRegularWarning,
    NotConvergedWarning,
    SeparationWarning,
)
from skmle.families import Family, Limit
from skmle.families.base import IDENTITY, LOG
from tests.subjects import (
    ONE_EACH,
    as_columns,
    beside_limit,
    calm,
    ends_at_rows,
    ends_move,
    hardly_differ,
    has_curvature,
    has_links,
    has_supremum,
    is_conditional,
    may_be_singular,
)

RUNS = 200
# Samples of each family: many families share what is of all of them, and need fewer each.
OF_EACH = min(RUNS, 4000 // len(ONE_EACH))

SAYS = {
    "interior": (),
    "boundary": (BoundaryWarning,),
    "non_regular": (NonRegularWarning,),
    "no_maximum": (NoMaximumWarning,),
    "separation": (SeparationWarning,),
    "not_converged": (NotConvergedWarning,),
}


def fitted(model, *data, **options):
    """Fit and return the model with the classes of the warnings it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **options)
    return model, tuple(w.category for w in caught)


def verdict(model, warned) -> str:
    """Return what the fit says.

    Its status, or "separation"; fail if status and warnings do not say the same.
    """
    said = "separation" if warned == (SeparationWarning,) else model.status_
    assert warned == SAYS[said], f"{model.status_} with {warned}"
    assert model.converged_ == (model.status_ in ("interior", "boundary", "non_regular"))
    assert (said == "separation") <= (model.status_ == "no_maximum")
    return said


def judge(model, *data, **options):
    """Return the fitted model and what it says."""
    model, warned = fitted(model, *data, **options)
    return model, verdict(model, warned)


# ---------------------------------------------------------------- draws from all families

CHARTS = defaultdict(lambda: (0.0, 0.7), {IDENTITY: (0.0, 1.0), LOG: (0.7, 0.5)})

SLOPE = defaultdict(lambda: 0.4, {IDENTITY: 0.5, LOG: 0.2})

CONTINUOUS = {
    name: family
    for name, family in ONE_EACH.items()
    if not family.support.discrete and family.observation.columns == 1 and has_links(family)
}


def draw(family: Family, n: int, rng: np.random.Generator, p: int = 0):
    """Return (X, y) of the law at moderate parameters; the first depends on X if p > 0."""
    while True:
        drawn = [rng.normal(*CHARTS[q.chart]) for q in family.parameters]
        eta = calm(family, [np.asarray(e) for e in drawn])
        theta = family.natural(family.linked(tuple(eta)))
        ordered = family.support.smooth or bool(np.all(np.diff(theta) > 0.0))  # low < high
        hardly = hardly_differ(family, theta)
        if ordered and not hardly and not family.nonregular(tuple(eta)):
            break
    X = rng.normal(size=(n, p))
    if p:
        eta = [np.full(n, e) for e in eta]
        eta[0] = eta[0] + X @ rng.normal(0.0, SLOPE[family.parameters[0].chart], p)
        theta = family.natural(family.linked(tuple(eta)))
    y = family.sample(theta, (n,), rng)
    inside = family.contains(y)  # a beta law has mass within rounding of 1
    return X[inside], y[inside]


def expected_verdict(
    family: Family, y: np.ndarray, limit: MLEDistribution | MLERegressor | None, *X: np.ndarray
) -> str:
    """Return what a fit has to say of these data.

    For a family with a limit law, the score test at the fitted limit law tells.
    """
    if not family.support.smooth:
        return "non_regular"
    if not family.observation.numeric:
        return "interior" if set(y) == set(family.labels) else "boundary"
    several = family.observation.columns is None
    if several and family.support.discrete and not y.any(axis=0).all():
        return "boundary"  # a column without counts
    if family.observation.columns == 2 and runs_off(family, y):
        return "separation"
    if ends_at_rows(family):  # no slope at one limit law tells where the other one wins
        laws = [end.family for end in family.limits if not (X and end.constant)]
        model = MLERegressor if X else MLEDistribution
        ends = [fitted(model(law), *X, y if X else y[:, None])[0].log_likelihood_ for law in laws]
        inside = best_inside(family, y, *X) > max(ends, default=-np.inf) + UNTOLD
        return "interior" if inside else "boundary"
    if limit is None:
        # Least counts alone: they are sure at an end of the parameter's range.
        least = family.support.discrete and bool((y == family.support.low).all())
        return ("separation" if X else "boundary") if least else "interior"
    return "interior" if score_at_limit(family, y, limit, *X) > 0.0 else "boundary"


def runs_off(family: Family, y: np.ndarray) -> bool:
    """Return whether the trials of each row end alike, as under infinite dispersion."""
    beside_limit = len(family.parameters) > 1
    return beside_limit and bool((y == 0).any(axis=1).all())


def suits(family: Family, said: str, expected: str) -> bool:
    """Return whether a fit says what is expected.

    That of a law whose ends move may also say that the maximum has not the usual errors, or that
    there is none, as happens on few rows; as regressions say where a law ends at rows; and as does
    that of a law with a supremum far out. One with a singular information somewhere may be near it.
    """
    irregular = ("non_regular", "no_maximum") if ends_move(family) else ()
    if ends_at_rows(family) or has_supremum(family):
        irregular = ("no_maximum",)
    if may_be_singular(family):
        irregular = (*irregular, "non_regular")
    return said == expected or said in irregular


def is_elsewhere(family: Family, model, limit: MLEDistribution | MLERegressor | None) -> bool:
    """Return whether a maximum inside, likelier than the limit law's, may lie away from it.

    So it may be where there are several, or where the limit law has cusps, at which the score of
    the parameter beside them jumps.
    """
    several = family.several_modes or any(end.family.kinked for end in family.limits)
    return several and limit is not None and model.log_likelihood_ > limit.log_likelihood_


def limit_of(family: Family, y: np.ndarray) -> Family | None:
    """Return the limit law of `end_of`, if there is one."""
    end = end_of(family, y)
    return end and end.family


def end_of(family: Family, y: np.ndarray) -> Limit | None:
    """Return the first end that features may tell, too, whose limit law allows all rows."""
    statistics = family.adapt(y).statistics(y)
    ends = (end for end in family.limits if not end.constant)
    return next((end for end in ends if end.observe(statistics) is not None), None)


def best_inside(family: Family, y: np.ndarray, *X: np.ndarray) -> float:
    """Return the best log-likelihood that scipy finds from the family's starts, in all rows."""
    x = np.column_stack([*X, np.ones(len(y))])
    line = np.linalg.lstsq(x, y)[0] if X else np.zeros(1)
    statistics, k = family.statistics(y), x.shape[1]

    def mean(coef: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient, _ = family.evaluate(statistics, (x @ coef[:k], *coef[k:]), 1)
        rows = np.column_stack([x * gradient[0][:, None], *gradient[1:]])
        return float(value.mean()), rows.mean(axis=0)

    found = []
    for first, *others in family.starts(family.statistics(y - x @ line), None):
        start = np.append(line, others)
        start[k - 1] += first
        with np.errstate(all="ignore"):
            found.append(minimize(mean, start, jac=True, options={"gtol": 1e-9}).fun)
    return -len(y) * min(found) - float(np.sum(family.base(statistics) + np.zeros(len(y))))


# Two steps away from the limit, in the parameter or one over it. The likelihood is smooth at the
# limit: differences over such steps hold six digits, and two of them cancel the square of the step.
STEPS = np.array([1e-4, 2e-4])
# Nats a row of such a step that are rounding, and the step at which to look then. A law whose
# second moment tells scale and shape alike leaves its limit with the fourth power of the shape.
FLAT, FURTHER = 1e-11, 0.02


def next_to(end: float, step: float) -> float:
    """Return a parameter inside, next to the end of its range, which may be above or infinite."""
    if np.isinf(end):
        return 1.0 / step
    return step if end == 0.0 else end - step


def score_at_limit(family: Family, y: np.ndarray, limit, *X: np.ndarray) -> float:
    """Return the slope of the log-likelihood where a parameter leaves its limit.

    All other parameters stay those of the fitted limit law. Where there is no slope, what a fit
    gains by the parameter held next to its limit is returned.
    """
    end = end_of(family, y)
    law = limit.predict_dist(*X) if X else limit.distribution_
    at_limit = law.log_prob(y).sum()

    def gain(step: float) -> float:
        return float(
            beside_limit(family, end, law, next_to(end.value, step)).log_prob(y).sum() - at_limit
        )

    near, far = map(gain, STEPS)
    if max(abs(near), abs(far)) < FLAT * len(y):
        held = {end.parameter: next_to(end.value, FURTHER)}
        model = MLERegressor(family, fixed=held) if X else MLEDistribution(family, fixed=held)
        return model.fit(*X, y if X else as_columns(y)).log_likelihood_ - limit.log_likelihood_
    return (4.0 * near - far) / (2.0 * STEPS[0])


# ---------------------------------------------------------------- is it the optimum?


SLOPE_STEP, BEND_STEP = 5e-4, 1e-2  # standard errors


def check_optimum(total, at: np.ndarray, covariance: np.ndarray, smooth: bool) -> None:
    """Show that no small move improves `total`, and that `covariance` is its inverse curvature, in
    standard errors.
    """
    root = np.linalg.cholesky(covariance)
    here = total(at)
    assert np.isfinite(here)
    if not smooth:
        rng = np.random.default_rng(0)
        directions = np.concatenate([np.eye(len(at)), rng.normal(size=(10, len(at)))])
        for size in (1e-4, 1e-2, 0.1, 1.0):
            for direction in directions:
                for sign in (-size, size):
                    assert total(at + root @ direction * sign) <= here + 1e-9
        return
    for column in root.T:
        unit = min(
            1.0, 1.0 / np.abs(column).max()
        )  # a parameter that is hardly determined bends within a standard error
        slope, bend = (
            np.array([total(at + k * h * unit * column) for k in (-2, -1, 0, 1, 2)])
            for h in (SLOPE_STEP, BEND_STEP)
        )
        slope = (slope @ [1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * SLOPE_STEP * unit)
        bend = (bend @ [-1.0, 16.0, -30.0, 16.0, -1.0]) / (12.0 * (BEND_STEP * unit) ** 2)
        assert abs(slope) <= 2e-6, f"the slope is {slope:.3g} a standard error"
        rounding = 64.0 * np.finfo(float).eps * abs(here) / (BEND_STEP * unit) ** 2
        np.testing.assert_allclose(bend, -1.0, rtol=0, atol=1e-4 + rounding)


def check_density(model: MLEDistribution, family: Family, y: np.ndarray) -> None:
    law, covariance = model.distribution_.family, model._covariances[0]
    eta = np.array([e for _, e in model._fits[0].coefs])

    def total(e):
        return float(law.log_prob(y, tuple(np.asarray(v) for v in e)).sum())

    np.testing.assert_allclose(model.log_likelihood_, total(eta), rtol=1e-10, atol=1e-10)
    check_optimum(total, eta, covariance, has_curvature(family))


def check_regression(
    model: MLERegressor, family: Family, X: np.ndarray, y: np.ndarray, modelled: int = 1
) -> None:
    """The first `modelled` parameters depend on all columns of X, the others are constant."""
    p = X.shape[1]

    def total(c):
        slopes, constants = (
            c[: modelled * (p + 1)].reshape(modelled, p + 1),
            c[modelled * (p + 1) :],
        )
        eta = (*(X @ b[:p] + b[p] for b in slopes), *(np.asarray(v) for v in constants))
        return float(model._law.log_prob(y, eta).sum())

    estimate = np.concatenate(
        [[*slopes, model.intercepts_[name]] for name, slopes in model.coefs_.items()]
    )
    np.testing.assert_allclose(model.log_likelihood_, total(estimate), rtol=1e-10, atol=1e-10)
    check_optimum(total, estimate, model._covariances[0], has_curvature(family))


REGRESSED = {
    name: f for name, f in ONE_EACH.items() if f.observation.numeric and is_conditional(type(f))
}


DISTRIBUTIONAL = {name: f for name, f in REGRESSED.items() if len(f.parameters) > 1}


def draw_rows(family: Family, n: int, p: int, rng: np.random.Generator):
    """Return (X, y) of laws whose first two parameters depend on all columns."""
    while True:
        X = rng.normal(size=(n, p))
        drawn = [rng.normal(*CHARTS[q.chart]) for q in family.parameters]
        eta = calm(family, [np.full(n, e) for e in drawn])
        for j in range(2):
            eta[j] = eta[j] + X @ rng.normal(0.0, 0.3 * SLOPE[family.parameters[j].chart], p)
        theta = family.natural(family.linked(tuple(eta)))
        if not hardly_differ(family, theta):
            break
    y = family.sample(theta, (n,), rng)
    inside = family.contains(y)
    return X[inside], y[inside]


def both(family: Family) -> dict[str, str]:
    return {q.name: "all" for q in family.parameters[:2]}
