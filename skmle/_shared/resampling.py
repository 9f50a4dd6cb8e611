"""Fits of a model to resamples of its rows: drawn again, by groups, or from the fitted law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import blas_threads_harm, one_blas_thread
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._engine.resampled import Refits, refit_observed, refit_weighted
from skmle._engine.verdict import BOUNDARY, INTERIOR
from skmle._shared.drawing import Asked, drawable, drawn, lines_at_once, with_copies
from skmle._shared.functions import flat
from skmle._shared.profiling import steps_of, weights_of
from skmle._shared.rows_again import RowsAgain
from skmle.families.ends import eta_at, place, with_end
from skmle.families.tools.generators import generator_of
from skmle.inference.groups import coded_groups
from skmle.inference.resamples import Influences, Resamples
from skmle.inference.robust import Errors

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

# Eta at which functions see a parameter that is at an infinite end of its range: e^-30 of a
# dispersion tells no data from none, and laws there equal their limit laws (tested for all).
_FAR_OUT = 30.0

# Observations that are drawn to see how skew those of a law are: their skewness is then off by
# 0.017, and the acceleration of a fit to n rows by 0.003/sqrt(n).
_DRAWS = 20_000

_PARAMETRIC = Asked("bootstrap: kind='parametric'", "kind='pairs'")

# What a fit to a resample may do.
INFINITE = "have estimates that run to infinity"
AT_END = "end where a parameter is at an end of its range"
OPEN = "do not determine all estimates"
LOST = "have no maximum that was found"
_ORDER = ("", AT_END, OPEN, INFINITE, LOST)  # the worst is last


@dataclass(frozen=True)
class RowResampler:
    """What draws the rows of a fit again.

    Parameters
    ----------
    model : RowsAgain
        As it was when it was asked.
    evidences : sequence of Evidence
        Of each fit.
    mask : ndarray of bool, optional
        Which of the user's rows count; None: all.
    ways : sequence of ndarray of int
        The group of each row, for each way to group them that was given for inference.
    errors : Errors
        By which coefficients are moved to see on what the estimates depend.
    """

    model: RowsAgain
    evidences: Sequence[Evidence]
    mask: NDArray[np.bool_] | None
    ways: Sequence[Codes]
    errors: Errors

    @property
    def grouped(self) -> bool:
        """Whether groups of rows were given for inference."""
        return bool(self.ways)

    @property
    def _problems(self) -> list[Problem]:
        return [evidence.likelihood.problem for evidence in self.evidences]

    def influences(self, kind: str, groups: Any) -> Influences:
        """Return what rows, or groups of rows, add to the coefficients."""
        if kind == "parametric":
            return self._influences_by_law()
        codes = self._codes(groups) if kind == "cluster" else None
        moves = np.hstack([evidence.influences(codes) for evidence in self.evidences])
        if codes is not None:
            return Influences(moves, np.ones(len(moves)))
        repeats = _repeats(self._problems[0])[0]
        return Influences(moves / np.sqrt(repeats)[:, None], repeats)

    def _influences_by_law(self) -> Influences:
        """Return what rows add whose observations are drawn from the fitted law, many for each."""
        problems = drawable(self._problems, _PARAMETRIC)
        rng, parts = np.random.default_rng(0), []
        with np.errstate(all="ignore"):
            for posed, fit in zip(problems, self.model._fits, strict=True):
                copies = int(np.ceil(_DRAWS / posed.observed.n))
                many = with_copies(posed, drawn(posed, fit.coefs, copies, rng))
                parts.append(Evidence.at(Likelihood(many), fit.coefs).influences())
        moves = np.hstack(parts) * np.sqrt(copies)
        return Influences(moves, np.full(len(moves), 1.0 / copies))

    def eta(self, coefs: Array) -> Array:
        """Return the estimates of the table at other coefficients, (m,)."""
        return self._eta(coefs, None)

    def _eta(self, coefs: Array, beyond: list[Array] | None) -> Array:
        moved = self.model._at(coefs)
        moved._beyond = beyond
        sizes = [sum(term.length for term in problem.terms) for problem in self._problems]
        # What runs off is shown in a table with errors alone.
        none = tuple(None if beyond is None else np.zeros((size, size)) for size in sizes)
        found = moved._results_under(Errors(none, wholes=none)).eta
        return np.asarray(found, float)

    # ---------------------------------------------------------------- resamples

    def resamples(self, kind: str, groups: Any, count: int, random_state: Any) -> Resamples:
        """Return fits to resamples of the rows."""
        rng = generator_of(random_state)
        starts = [fit.coefs for fit in self.model._fits]
        refits: list[list[Refits]] = []
        problems, codes = self._problems, self._codes(groups) if kind == "cluster" else None
        if kind == "parametric":
            problems = drawable(problems, _PARAMETRIC)
        size = lines_at_once(problems[0])
        widths = [0 if problem.X is None else problem.X.shape[1] for problem in problems]
        with (
            np.errstate(all="ignore"),
            one_blas_thread(blas_threads_harm(problems[0].observed.n, max(widths))),
        ):
            for low in range(0, count, size):
                lines = min(size, count - low)
                refits.append(_refits(problems, starts, kind, codes, lines, rng))
            return self._gathered(refits)

    def _codes(self, groups: Any) -> Codes:
        """Return the group of each row that counts, by numbers from 0 on."""
        if groups is None:
            if len(self.ways) > 1:
                raise ValueError(
                    "bootstrap: groups of inference group the rows in two ways, which cannot be "
                    "drawn together. Allowed: one way to group them. Give it here as groups=..., "
                    "or use kind='pairs'."
                )
            return self.ways[0]
        n, instead = self.evidences[0].n, "kind='pairs'"
        return coded_groups(groups, n, self.mask, "bootstrap", instead, ways_allowed=1)[0]

    def _gathered(self, refits: Sequence[Sequence[Refits]]) -> Resamples:
        """Return the coefficients and estimates of all resamples, block by block."""
        entries = [
            [
                self._entry(refit, line, problem)
                for refit, problem in zip(block, self._problems, strict=True)
            ]
            for block in refits
            for line in range(len(block[0].coefs))
        ]
        coefs = np.array([np.concatenate([v for v, _, _ in entry]) for entry in entries])
        eta = self._etas(coefs, [entry[0][1] for entry in entries])
        ends = Counter(max((end for _, _, end in entry), key=_ORDER.index) for entry in entries)
        del ends[""]
        infinite = np.isinf(coefs)
        coefs[infinite] = np.sign(coefs[infinite]) * _FAR_OUT
        return Resamples(coefs, eta, dict(ends))

    def _etas(self, coefs: Array, beyond: Sequence[list[Array] | None]) -> Array:
        """Return the estimates of the table in all resamples, (B, m); nan: not found."""
        at = self.model._vector()
        here = self.eta(at)
        weights = weights_of(self.eta, at, steps_of(self.model, self.errors))
        result = here + (coefs - at) @ weights.T  # nan where an estimate is no linear function
        bent = not np.isfinite(weights).all()
        at_end = np.asarray(np.isinf(coefs).any(axis=1))
        for line in map(int, np.flatnonzero(~np.isnan(coefs).any(axis=1))):
            if bent or at_end[line] or beyond[line] is not None:
                result[line] = self._eta(coefs[line], beyond[line])
        return result

    def _entry(
        self, refits: Refits, line: int, problem: Problem
    ) -> tuple[Array, list[Array] | None, str]:
        """Return coefficients of a resample, what to add to them in the table, and how it ended."""
        if line not in refits.apart:
            return refits.coefs[line], None, ""
        fit = refits.apart[line]
        coefs = _inside(problem, fit)
        ended = fit.verdict.status in (INTERIOR, BOUNDARY) or fit.separated is not None
        if coefs is None or not ended:
            return np.full(refits.coefs.shape[1], np.nan), None, LOST
        vector = flat(coefs, problem.terms)
        if fit.limit is not None:
            return vector, None, AT_END
        beyond = self.model._runs_to(fit)
        if fit.separated is not None:
            return vector, beyond, INFINITE
        if fit.estimable is not None:
            return vector, beyond, OPEN
        return vector, None, AT_END if fit.verdict.status == BOUNDARY else ""


def _refits(
    problems: Sequence[Problem],
    starts: Sequence[Coefs],
    kind: str,
    codes: Codes | None,
    count: int,
    rng: np.random.Generator,
) -> list[Refits]:
    """Return fits to some resamples, one a problem."""
    pairs = list(zip(problems, starts, strict=True))
    if kind == "parametric":
        return [refit_observed(one, drawn(one, start, count, rng), start) for one, start in pairs]
    weights = _weights(problems[0], codes, count, rng)
    return [refit_weighted(one, weights, start) for one, start in pairs]


def _weights(problem: Problem, codes: Codes | None, count: int, rng: np.random.Generator) -> Array:
    """Return the weights of the rows in some resamples, (count, n)."""
    if codes is not None:
        return _counts(int(codes.max()) + 1, count, rng)[:, codes] * problem.observed.weights
    repeats, factors = _repeats(problem)
    total = float(repeats.sum())
    if (repeats == 1.0).all():
        return _counts(len(repeats), count, rng) * factors
    draws, d = round(total), sum(term.length for term in problem.terms)
    if draws <= d:
        raise ValueError(
            f"bootstrap: sample_weight adds up to {total:.6g}, which stands for as many rows, too "
            f"few for {d} coefficients. Allowed: weights that are numbers of rows. Use "
            "inference(X, y, sample_weight, weights='factors') if they are factors."
        )
    times = rng.multinomial(draws, repeats / total, size=count).astype(float)
    return times * (factors * (total / draws))


def _counts(n: int, count: int, rng: np.random.Generator) -> Array:
    """Return how often each of n units is among n draws, (count, n)."""
    places = rng.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
    return np.bincount(places.ravel(), minlength=count * n).reshape(count, n).astype(float)


def _repeats(problem: Problem) -> tuple[Array, Array]:
    """Return how many rows each row stands for, and the factor of each one's likelihood."""
    observed = problem.observed
    weight = observed.weights
    if observed.squares is None:
        return weight, np.ones(len(weight))
    factors = observed.squares / weight
    return weight / factors, factors


def _inside(problem: Problem, fit: Fit) -> Coefs | None:
    """Return the coefficients of a fit as those of the law that was asked for.

    Those of a limit law are completed by a parameter at its end. None is returned where limit
    laws have parameters of their own.
    """
    limit, family = fit.limit, problem.family
    if limit is None:
        return fit.coefs if len(fit.coefs) == len(problem.terms) else None
    term = problem.terms[place(family, limit.parameter)]
    if limit.then is not None or limit.places or not term.intercept:
        return None
    return with_end(family, limit, fit.coefs, (np.zeros(term.size), eta_at(family, limit)))
