"""How often a verdict is false: random designs of all families, links and modelled parameters.

Each design has 8 to 40 rows and 1 to 4 columns, normal, uniform, whole numbers or dummies, some
with weights, some with a y that the first column tells, or that is at an end of its range. It is
fitted, and what the fit says is compared with references: a linear program where the law is one of
classes or counts whose likelihood is concave, so that it shows whether there is a maximum, and else
the engine's solver and scipy's BFGS from random starts.

A verdict is false if it says `interior` or `boundary` and another maximum is better by more than
1e-6 nats in all, or there is none, or if it says `no_maximum` and there is one. Where the density
of a row has no bound, as that of a law whose scale may vanish there, a local maximum is right.

    python -m benchmarks.random_designs                         measure what is missing
    python -m benchmarks.random_designs --designs 0-99 --again  these from anew
    python -m benchmarks.random_designs --seconds 500           stop then, to go on at the next run
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog, minimize
from threadpoolctl import threadpool_limits

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.evaluation import Solution
from skmle._engine.prepare.likelihood import Likelihood
from skmle.families import Family, all_families
from skmle.families.links import allowed_links

from .coverage_cases import blank, learnt

Array = np.ndarray
Record = dict[str, Any]

BETTER = 1e-6  # nats in all by which another maximum must be better
# Starts from which scipy goes, too: it takes ten times as long as Newton's method.
BY_SCIPY = 3
FAR = 2.0  # spread of random starts, in units of eta
# Nats of one row from which a maximum is one of a density without bound: 1e6 times as dense as a
# normal law of the spread of y.
SPIKE = 14.0
STATUSES = ("interior", "boundary", "no_maximum", "not_converged", "non_regular")


# ---------------------------------------------------------------- designs


class Design(NamedTuple):
    name: str
    model: Any
    X: Array
    y: Array
    weight: Array | None


def columns(rng: np.random.Generator, n: int) -> Array:
    """Return 1 to 4 columns of one kind."""
    p = int(rng.integers(1, 5))
    kind = rng.choice(["normal", "uniform", "whole", "dummies"])
    if kind == "normal":
        return rng.normal(size=(n, p))
    if kind == "uniform":
        return rng.uniform(size=(n, p))
    if kind == "whole":
        return rng.integers(-2, 4, (n, p)).astype(float)
    return np.eye(p + 1)[rng.integers(0, p + 1, n)][:, 1:]


def conditional() -> list[type[Family]]:
    """Return the families whose parameters may depend on features."""
    every = all_families()
    return [cls for cls in every if cls.support.fixed and cls.observation.columns is not None]


def with_links(family: Family, rng: np.random.Generator) -> Family:
    """Return the family, in half of all cases with another link of one of its parameters."""
    own = tuple(p.name for p in family.parameters)
    if family.names != own or rng.random() < 0.5:
        return family
    param = family.parameters[rng.integers(len(own))]
    names = [name for name in allowed_links(param.chart) if name != "power(p)"]
    return family.set_params(links={param.name: str(rng.choice(names))})


def design(seed: int) -> Design | None:
    """Return the design of a seed; None if its y has less than two values."""
    rng = np.random.default_rng([0, seed])
    n, families = int(rng.integers(8, 41)), conditional()
    cls = families[seed % len(families)]
    X = columns(rng, n)
    family = blank(cls)
    numeric = family.observation.numeric
    law = learnt(family)
    # Laws are drawn by the coordinates that all laws have.
    eta = [np.full(n, rng.normal(0.3 + 0.4 * j, 0.5)) for j in range(len(law.parameters))]
    eta[0] = eta[0] + X @ rng.normal(0.0, rng.choice([0.0, 0.5, 2.0]), X.shape[1])
    y = law.sample(law.natural(tuple(eta)), (n,), rng)
    y = told(y, X, law, rng)
    weight = rng.integers(0, 4, n).astype(float) if rng.random() < 0.25 else None
    if weight is not None and np.count_nonzero(weight) < 4:
        weight = None
    if len(np.unique(y, axis=0)) < 2:
        return None
    intercept = bool(rng.random() < 0.85)
    if not numeric or (law.observation.columns == 1 and cls.__name__ == "Bernoulli"):
        model = CrossEntropyClassifier(fit_intercept=intercept)
        return Design(f"{cls.__name__} classes", model, X, y, weight)
    family = with_links(family, rng)
    others = [p.name for p in family.parameters[1:] if rng.random() < 0.3]
    features = dict.fromkeys([family.names[0], *others], "all")
    model = MLERegressor(family, features=features, fit_intercept=intercept)
    name = f"{family!r} of {', '.join(features)}"
    return Design(name, model, X, y, weight)


def told(y: Array, X: Array, law: Family, rng: np.random.Generator) -> Array:
    """Return y, in a quarter of all cases so that the first column tells of it, or of its end."""
    kind = rng.choice(["as drawn", "sorted", "at an end"], p=[0.75, 0.15, 0.1])
    order = np.argsort(X[:, 0], kind="stable")
    if kind == "sorted" and y.ndim == 1:
        result = y.copy()
        result[order] = np.sort(y)
        return result
    if kind == "at an end" and y.ndim == 1 and law.support.discrete:
        return np.where(X[:, 0] > np.median(X[:, 0]), y.min(), y)
    return y


# ---------------------------------------------------------------- references


def has_maximum(likelihood: Likelihood) -> bool | None:
    """Return whether a linear program says that there is a maximum; None: none can say it.

    It can for laws of one eta, or of classes, whose -log q is convex and states where it rises.
    """
    family, terms = likelihood.family, likelihood.design.terms
    n, k = likelihood.design.n, len(family.parameters)
    labelled = not family.observation.numeric
    if family.relinked or (k > 1 and not labelled):
        return None
    if family.recession(likelihood.statistics, (np.ones(n),) * k) is None:
        return None
    X = likelihood.design.block(0, n).array(terms[0].columns)
    X = np.column_stack([X, np.ones(n)]) if terms[0].intercept else X
    faces = []
    ways = np.vstack([np.eye(k), -np.ones(k)]) if labelled else np.array([[1.0], [-1.0]])
    if labelled:
        codes = likelihood.statistics[0].astype(int)
        each = np.vstack([np.eye(k), np.zeros(k)])
        for other in range(k + 1):
            change = each[codes] - each[other]
            faces.append((change[:, :, None] * X[:, None, :]).reshape(n, -1)[codes != other])
    else:
        for (sign,) in ways:
            rises = family.recession(likelihood.statistics, (np.full(n, sign),)) > 0.0
            faces.append(-sign * X[np.broadcast_to(rises, (n,))])
    A = np.vstack(faces)
    bounds = [(-1.0, 1.0)] * A.shape[1]
    found = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=bounds)
    return not -found.fun > 1e-7


def better_maximum(
    likelihood: Likelihood, seed: int, starts: int, known: float
) -> tuple[float, str] | None:
    """Return the best maximum that random starts find, if it is better, and what found it."""
    rng, best = np.random.default_rng([1, seed]), None
    objective = likelihood.objective
    centres = likelihood.starts()
    size = objective.mass

    def value(coef: Array) -> float:
        found = objective(coef, 0).value
        return found if np.isfinite(found) else 1e30

    for i in range(starts):
        centre = centres[i % len(centres)]
        start = centre + rng.normal(0.0, rng.choice([0.1, 0.5, FAR]), len(centre))
        if value(start) == 1e30:
            start = 0.5 * (start + centre)
            if value(start) == 1e30:
                continue
        found = ended(likelihood, start)
        coefs = [] if found is None else [("the solver", found.coef)]
        if i < BY_SCIPY:
            coefs.append(("BFGS", minimize(value, start, method="BFGS").x))
        for by, coef in coefs:
            here = likelihood.total(value(coef))
            better = here > known + BETTER and (best is None or here > best[0] + BETTER)
            if better and is_maximum(likelihood, coef, size):
                best = here, by
    return best


def ended(likelihood: Likelihood, start: Array) -> Solution | None:
    """Return where the engine's solver ends; None if it fails."""
    try:
        return likelihood.solve(start=start)
    except np.linalg.LinAlgError:
        return None


def is_maximum(likelihood: Likelihood, coef: Array, size: float) -> bool:
    """Return whether coefficients are a bounded maximum: near one by Newton's measure, no spike."""
    rows = likelihood.objective.rows_at(0, likelihood.design.n, coef, 0).value
    bounded = bool(-np.min(rows) < SPIKE)
    if likelihood.family.kinked:  # a maximum at a cusp has no curvature to be seen by
        return bounded
    at = likelihood.objective(coef)
    hessian, gradient = at.hessian, at.gradient
    if hessian is None or gradient is None or not np.isfinite(hessian).all():
        return False
    scale = np.sqrt(np.where(np.diag(hessian) > 0.0, np.diag(hessian), 1.0))
    try:
        factor = np.linalg.cholesky(hessian / scale / scale[:, None])
    except np.linalg.LinAlgError:
        return False
    if np.diag(factor).min() < 1e-4:
        return False
    distance = np.linalg.norm(np.linalg.solve(factor, gradient / scale)) * size**0.5
    return bool(distance < 1e-2 and bounded)


# ---------------------------------------------------------------- records


def judged(seed: int, starts: int) -> Record:
    """Return what the fit of a design says, and what is false of it."""
    posed = design(seed)
    if posed is None:
        return {"seed": seed, "name": "", "status": "", "false": ""}
    record = {"seed": seed, "name": posed.name, "false": ""}
    try:
        model = posed.model.fit(posed.X, posed.y, sample_weight=posed.weight)
        problem = posed.model._prepare(posed.X, posed.y, posed.weight).problem
    except ValueError as error:  # no coefficients are inside a link's domain, or one class
        return record | {"status": "refused", "why": str(error)[:120]}
    known, status = float(model.log_likelihood_), model.status_
    record |= {"status": status, "log_likelihood": known}
    likelihood = Likelihood(problem)
    if not np.isfinite(known) and status == "no_maximum":
        return record
    exists = has_maximum(likelihood)
    if exists is not None:
        if status in ("interior", "non_regular") and not exists:
            return record | {"false": "there is no maximum"}
        if status == "no_maximum" and exists:
            return record | {"false": "there is a maximum"}
    if problem.family.support.fixed is False or (exists is not None and status == "no_maximum"):
        return record
    best = better_maximum(likelihood, seed, starts, known)
    if best is not None:
        record |= {"false": "another maximum is better", "by": best[0] - known, "found": best[1]}
    return record


def measure(
    records: dict[int, Record], seeds: range, starts: int, seconds: float
) -> Iterator[Record]:
    """Judge the designs that no record has."""
    end = time.monotonic() + seconds
    for seed in seeds:
        if seed in records:
            continue
        if time.monotonic() > end:
            return
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            records[seed] = judged(seed, starts)
        yield records[seed]


# ---------------------------------------------------------------- the page


def page(records: dict[int, Record]) -> str:
    """Return the page of the documentation."""
    lines = ["# Verdicts on random designs", ""]
    lines += "\n\n".join((__doc__ or "").split("\n\n")[1:3]).splitlines()
    kinds = ("another maximum is better", "there is no maximum", "there is a maximum")
    counts = Counter((r["status"], r["false"]) for r in records.values() if r["status"])
    lines += ["", "| what the fit says | designs | " + " | ".join(kinds) + " |"]
    lines += ["| --- |" + " ---: |" * (1 + len(kinds))]
    for status in (*STATUSES, "refused"):
        own = {false: count for (said, false), count in counts.items() if said == status}
        if own:
            cells = [sum(own.values()), *(own.get(kind, 0) for kind in kinds)]
            lines.append(f"| `{status}` | " + " | ".join(map(str, cells)) + " |")
    lines += ["", f"Designs that were judged: {sum(counts.values())}."]
    lines += ["A fit is refused where no coefficients are inside of a link's domain. Under cusps,"]
    lines += ["as those of a Laplace law, an end that is better counts whether or not it is a"]
    lines += ["maximum, since no curvature tells.", ""]
    lines += ["## How to run it again", "", "```bash"]
    return "\n".join([*lines, "python -m benchmarks.random_designs", "```", ""])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser("python -m benchmarks.random_designs")
    parser.add_argument("--designs", default="0-999", help="the first and the last seed")
    parser.add_argument("--starts", type=int, default=40, help="random starts of a design")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop then")
    parser.add_argument("--again", action="store_true", help="forget what is known of these")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    first, last = map(int, options.designs.split("-"))
    seeds = range(first, last + 1)
    options.output.mkdir(parents=True, exist_ok=True)
    stored = options.output / "random_designs.json"
    known = json.loads(stored.read_text()) if stored.exists() else []
    records = {r["seed"]: r for r in known if not (options.again and r["seed"] in seeds)}
    with threadpool_limits(1):
        for record in measure(records, seeds, options.starts, options.seconds):
            lines = ",\n".join(json.dumps(each) for _, each in sorted(records.items()))
            stored.write_text(f"[\n{lines}\n]\n")
            if record["false"] or record["status"] == "not_converged":
                print(record, flush=True)
    (options.output / "random_designs.md").write_text(page(records))


if __name__ == "__main__":
    main()
