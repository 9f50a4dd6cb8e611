"""Objectives and designs at random, and the dense matrices that they are compared with."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.families import Categorical, Gamma, Normal, Poisson

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
    """One to four parameters.

    Constants, all columns or some, with or without an intercept; or all alike.
    """

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


EVERYTHING = slice(None)
