"""Tests that need the rows of a fit: the score test, the information-matrix test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from skmle.inference.hypotheses import HypothesisTest, Linear, wald_test_of
from skmle.inference.profile import Profiler
from skmle.inference.resamples import Resampler
from skmle.inference.show import printable

Array = NDArray[np.float64]

_NAMED = 6  # columns that the result spells out, at most; chosen for reading


class Further(NamedTuple):
    """Further columns for the linear predictor of a parameter."""

    columns: Array
    """Of shape (n, q)."""
    parameter: str | None = None
    """None: the first, or all classes."""


class ScoreStep(NamedTuple):
    """Newton's step to the coefficients of further columns."""

    moves: Array
    covariance: Array
    dof: float


class KnownRowsLike(Protocol):
    """What knows the rows of a fit, as `skmle._shared.rows_tests.KnownRows` does."""

    def score_step(self, further: Further) -> ScoreStep:
        """Return Newton's step to further columns from the fit without them."""

    def information_gap(self) -> tuple[float, int]:
        """Return the statistic of the information equality, and its degrees of freedom."""

    def redrawn_gaps(self, count: int, rng: np.random.Generator) -> list[tuple[float, int]]:
        """Return the same of samples from the fitted law, those that have a regular maximum."""


class RowsOfFit(NamedTuple):
    """What the rows of a fit are asked for, once they are given again."""

    resampler: Resampler
    profiler: Profiler | None
    """None under a sandwich, where the deviance is no chi-square."""
    tester: KnownRowsLike | None
    """None where coefficients run to infinity."""


def asked_rows(rows: RowsOfFit | None, what: str) -> KnownRowsLike:
    """Return what tests by the rows; ValueError if nothing does."""
    if rows is None or rows.tester is None:
        raise ValueError(
            f"{what}: these results do not know the rows of the fit, or its coefficients run to "
            "infinity. Allowed: results of inference(X, y) of a fit with a maximum. Ask that."
        )
    return rows.tester


def score_test(
    known: KnownRowsLike, extra: Any, parameter: str | None, names: Sequence[str] | None
) -> HypothesisTest:
    """Return the score test of further columns."""
    labels = getattr(extra, "columns", None)
    if labels is None and getattr(extra, "name", None) is not None:
        labels = [extra.name]
    try:
        columns = np.asarray(extra, float)
    except (TypeError, ValueError):
        columns = np.full(np.shape(extra), np.nan)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or columns.shape[1] == 0 or not np.isfinite(columns).all():
        raise ValueError(
            f"score_test: the further columns have shape {columns.shape}, or entries that are no "
            "finite numbers. Allowed: finite numbers of shape (n,) or (n, q). Give such."
        )
    if names is None:
        names = [str(c) for c in (range(columns.shape[1]) if labels is None else labels)]
        names = names if labels is not None else [f"extra{name}" for name in names]
    if len(names) != columns.shape[1]:
        raise ValueError(
            f"score_test: {len(names)} names for {columns.shape[1]} columns. Allowed: one a "
            "column. Give as many, or none."
        )
    step = known.score_step(Further(columns, parameter))
    prefix = "" if parameter is None else f"{parameter}:"
    words = ", ".join(f"{prefix}{printable(name)} = 0" for name in names)
    if len(names) > _NAMED:
        words = f"{len(step.moves)} further coefficients = 0"
    equations = Linear(np.eye(len(step.moves)), np.zeros(len(step.moves)))
    found = wald_test_of(equations, step.moves, step.covariance, words, step.dof)
    return replace(found, kind="Score")


def information_matrix_test(
    known: KnownRowsLike, replications: int, random_state: Any
) -> HypothesisTest:
    """Return White's test of the information equality."""
    if isinstance(replications, bool) or not isinstance(replications, (int, np.integer)):
        replications = -1
    if replications < 0:
        raise ValueError(
            "information_matrix_test: replications is no whole number >= 0. Allowed: 0 for the "
            "chi-square, else a number of samples such as 199. Give one."
        )
    statistic, df = known.information_gap()
    if df == 0:
        raise ValueError(
            "information_matrix_test: all gaps of the information follow from the gradients, as of "
            "a law that fits every sample. Allowed: laws that say something beyond their "
            "parameters. Use another test."
        )
    p = float(chdtrc(df, statistic))
    words = "the fitted law"
    if replications:
        rng = np.random.default_rng(random_state)
        # By p-values: degrees of freedom may differ between samples.
        drawn = known.redrawn_gaps(int(replications), rng)
        found = np.array([chdtrc(rank, value) for value, rank in drawn if rank])
        p = (1.0 + float((found <= p).sum())) / (1.0 + len(found))
        words += f", p by {len(found)} samples of it"
    return HypothesisTest("Information-matrix", words, statistic, float(df), p)
