"""Where rows lie in the law that was fitted to them, and rows drawn from it in theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import in_order, one_blas_thread
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._engine.resampled import Refits, refit_observed
from skmle._engine.verdict import MAXIMUM
from skmle._shared.drawing import Asked, drawable, drawn, etas_of
from skmle.families import Distribution
from skmle.families.tools.known import ABOVE, EXACT, groups_of, known_and_window
from skmle.families.wrappers.censored import Censored
from skmle.families.wrappers.rounded import Rounded
from skmle.inference.distances import chi_squared, distances, pooled, survival

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Numbers that a block of samples has, so that it stays in the cache. Chosen, not measured.
_BLOCK = 1 << 18
# Values of a law of counts that may have a cell; all above are in the last one.
_MOST_CELLS = 10_000


class Observing(NamedTuple):
    """How values became what was observed."""

    values: Array
    """(n,): the values; of censored rows, where they ceased to be seen."""
    event: Bools | None = None
    """(n,): whether a value was seen; None: all were."""
    resolution: float | None = None
    """Distance between rounded values; None: they were not rounded."""

    @classmethod
    def of(cls, problem: Problem, asked: str) -> Observing:
        """Return how the rows of a problem were observed; `asked` says for whom, in errors.

        Raises
        ------
        ValueError
            If it is not known how rows drawn from the law would be.
        """
        family, statistics = problem.family, problem.observed.statistics
        if not isinstance(family, Censored):
            return cls(family.restore(statistics))
        if isinstance(family, Rounded):
            return cls(family.restore(statistics), resolution=family.resolution)
        _, window = known_and_window(statistics)
        some, _, _, kind = groups_of(statistics)
        if window or not np.isin(kind, (EXACT, ABOVE)).all():
            raise ValueError(
                f"{asked}: some rows are intervals, or were seen only from an entry on, and "
                "it is not known by which rule. Allowed: exact and right-censored rows, and "
                "Rounded ones. Leave out the others, or fit them apart."
            )
        return cls(family.inner.restore(some), kind == EXACT)

    def observed(self, y: Array, rng: np.random.Generator) -> Array:
        """Return what would have been observed of values, (G, n)."""
        if self.resolution is not None:
            return np.asarray(np.round(y / self.resolution) * self.resolution)
        if self.event is None:
            return y
        ends = self._ends(len(y), rng)
        return np.stack([np.minimum(y, ends), np.where(y <= ends, y, np.inf)], axis=-1)

    def _ends(self, count: int, rng: np.random.Generator) -> Array:
        """Draw where rows cease to be seen, (count, n).

        Those that did keep their end. The others have one beyond their value, which is drawn from
        Kaplan and Meier's estimate of the law of ends (Davison & Hinkley, 1997, Bootstrap Methods
        and their Application, algorithm 3.4).
        """
        assert self.event is not None
        ends = np.tile(self.values, (count, 1))
        order = np.lexsort((~self.event, self.values))
        ended = ~self.event[order]
        left = survival(ended)
        at, share = self.values[order][ended], left[ended]
        seen = np.flatnonzero(self.event)
        # The share of rows whose end lies beyond the value of each row that was seen.
        place = np.searchsorted(at, self.values[seen], side="right")
        beyond = np.concatenate([np.ones(1), share])[place]
        level = beyond * rng.random((count, len(seen)))
        found = np.searchsorted(-share, -level, side="left")
        ends[:, seen] = np.concatenate([at, [np.inf]])[found]
        return ends

    def split(self, y: Array) -> tuple[Array, Bools | None]:
        """Return the values of rows that were observed, (G, n), and whether each was seen."""
        if self.event is None:
            return y, None
        return y[..., 0], np.isfinite(y[..., 1])


class Measure(Protocol):
    """What is asked of rows and of samples alike."""

    def of_rows(
        self, law: Distribution, y: Array, event: Bools | None, rng: np.random.Generator
    ) -> Array:
        """Return the numbers of samples under a law each, (G,) or (G, n)."""


class Distance(NamedTuple):
    """A statistic of how far rows are from a law."""

    kind: str
    step: float | None = None
    """Distance between neighbouring values of a law that is told by cells; None: it is not."""
    ends: Array | None = None
    """The last value of each cell."""

    @classmethod
    def of(cls, kind: str, problem: Problem, coefs: Coefs, observing: Observing) -> Distance:
        """Return a statistic for the rows of a fit, whose cells expect five rows or more."""
        if kind != "chi_squared":
            return cls(kind)
        step = observing.resolution or 1.0
        low, high = observing.values.min(), observing.values.max()
        values = low + step * np.arange(min((high - low) / step, _MOST_CELLS) + 1.0)
        law = law_of(problem, [np.reshape(e, (1, -1)) for e in etas_of(problem, coefs)])
        below = _below(law, values, step)
        expected = np.diff(below.mean(axis=(0, 1)), prepend=0.0) * problem.observed.n
        expected[-1] += problem.observed.n - expected.sum()
        return cls(kind, step, values[pooled(expected)])

    def of_rows(
        self, law: Distribution, y: Array, event: Bools | None, rng: np.random.Generator
    ) -> Array:
        """Return the statistic of samples under a law each, (G,)."""
        if self.ends is None:
            return distances(self.kind, np.array(law.cdf(y), float), event)
        assert self.step is not None
        n = y.shape[1]
        below = _below(law, self.ends[:-1], self.step)
        share = np.broadcast_to(below, (len(y), below.shape[1], below.shape[2])).mean(axis=1)
        expected = np.diff(share, prepend=0.0, append=1.0) * n
        # A value lies in the first cell whose last value is not below it, but for rounding.
        cells = np.searchsorted(self.ends[:-1] + 0.5 * self.step, y)
        count = len(self.ends)
        codes = (cells + count * np.arange(len(y))[:, None]).ravel()
        observed = np.bincount(codes, minlength=count * len(y)).reshape(len(y), count)
        return chi_squared(observed.astype(float), expected)


class Places(NamedTuple):
    """Where rows lie in their law: P(Y <= y), in rising order.

    That of a mass, or of a value that ceased to be seen, is drawn between its ends, so that it is
    uniform where the law holds (Dunn & Smyth, 1996).
    """

    step: float | None = None
    """Distance between neighbouring values of counts or rounded values; None: of neither."""
    above: float = 0.0
    """How far a value reaches up: half a step of rounded ones."""

    @classmethod
    def of(cls, problem: Problem, observing: Observing) -> Places:
        """Return what tells the places of the rows of a problem."""
        if observing.resolution is not None:
            return cls(observing.resolution, 0.5 * observing.resolution)
        return cls(1.0) if problem.family.support.discrete else cls()

    def of_rows(
        self, law: Distribution, y: Array, event: Bools | None, rng: np.random.Generator
    ) -> Array:
        """Return the places of the rows of samples under a law each, (G, n)."""
        high = np.broadcast_to(np.asarray(law.cdf(y + self.above), float), y.shape)
        low = high
        if self.step is not None:
            low = np.broadcast_to(np.asarray(law.cdf(y + self.above - self.step), float), y.shape)
        if event is not None:
            high = np.where(event, high, 1.0)
        return np.sort(low + rng.random(y.shape) * (high - low), axis=1)


def _below(law: Distribution, values: Array, step: float) -> Array:
    """Return P(Y <= value) of each law and row, (G, n or 1, values).

    Of rounded values it is that of all up to half a step above.
    """
    above = 0.0 if law.family.support.discrete else 0.5 * step
    theta = tuple(np.asarray(t)[..., None] for t in law.theta)
    return np.asarray(Distribution.of(law.family, theta).cdf(values + above), float)


def law_of(problem: Problem, etas: list[Array]) -> Distribution:
    """Return the law of the values of the rows, before they are rounded or censored."""
    return problem.family.predicted(problem.family.natural(tuple(etas)))


class Redrawn(NamedTuple):
    """A measure of the rows of a fit, and of samples from the fitted law."""

    rows: Array
    """Of the rows: a number, or (n,)."""
    samples: Array
    """Of the samples of which a fit was found, (R, ...)."""
    lost: int
    """How many samples had none."""
    measure: Measure


def redrawn(
    problem: Problem,
    fit: Fit,
    measure_of: Callable[[Problem, Coefs, Observing], Measure],
    count: int,
    rng: np.random.Generator,
    asked: str,
) -> Redrawn:
    """Return a measure of a fit, and of samples from its law, to each of which it is fitted anew.

    Parameters
    ----------
    problem : Problem
    fit : Fit
    measure_of : callable
        From the problem, the coefficients and how rows were observed to the measure.
    count : int
        Number of samples.
    rng : Generator
    asked : str
        Who asks, for errors.

    Raises
    ------
    ValueError
        If rows like these cannot be drawn from the law.
    """
    instead = Asked(asked, "rows without weights, or with whole ones")
    (problem,) = drawable([problem], instead, observed_less=True)
    problem, threads = replace(problem, threads=1), problem.threads
    observing = Observing.of(problem, asked)
    coefs = fit.coefs
    measure = measure_of(problem, coefs, observing)
    values = observing.values[None]
    event = None if observing.event is None else observing.event[None]
    law = law_of(problem, [np.reshape(e, (1, -1)) for e in etas_of(problem, coefs)])
    lines = max(2, _BLOCK // problem.observed.n)
    sizes = [min(lines, count - low) for low in range(0, count, lines)]
    *others, last = rng.spawn(len(sizes) + 1)
    with np.errstate(all="ignore"):
        of_rows = measure.of_rows(law, values, event, last)[0]

    def block(item: tuple[int, np.random.Generator]) -> Array:
        size, own = item
        with np.errstate(all="ignore"):
            return _of_samples(problem, coefs, observing, measure, size, own)

    with one_blas_thread():
        parts = in_order(block, list(zip(sizes, others, strict=True)), threads)
    found = np.concatenate(parts)
    known = ~np.isnan(found.reshape(len(found), -1)).any(axis=1)
    return Redrawn(of_rows, found[known], int((~known).sum()), measure)


def _of_samples(
    problem: Problem,
    coefs: Coefs,
    observing: Observing,
    measure: Measure,
    count: int,
    rng: np.random.Generator,
) -> Array:
    """Return the measure of some samples from a law, nan where no fit was found."""
    y = observing.observed(drawn(problem, coefs, count, rng), rng)
    refits = refit_observed(problem, y, coefs)
    values, event = observing.split(y)
    law = law_of(problem, _etas_of_all(problem, refits, coefs))
    result = measure.of_rows(law, values.copy(), event, rng)
    for line, fit in refits.apart.items():
        result[line] = np.nan
        if fit.verdict.status in MAXIMUM:
            own = replace(problem, family=fit.family)
            if fit.limit is not None and (at_limit := problem.at(fit.limit)) is not None:
                own = at_limit
            at = law_of(own, [np.reshape(e, (1, -1)) for e in etas_of(own, fit.coefs)])
            one = slice(line, line + 1)
            seen = None if event is None else event[one]
            result[line] = measure.of_rows(at, values[one].copy(), seen, rng)[0]
    return result


def _etas_of_all(problem: Problem, refits: Refits, known: Coefs) -> list[Array]:
    """Return the linear predictors of all samples, (G, n), or (G, 1) where rows share them."""
    etas, low = [], 0
    for j, (term, (_, constant)) in enumerate(zip(problem.terms, known, strict=True)):
        high = low + term.size
        eta = np.full((len(refits.coefs), 1), float(constant))
        if term.intercept:
            eta = refits.coefs[:, high : high + 1]
        if term.size:
            eta = eta + np.asarray(problem.X[:, term.columns] @ refits.coefs[:, low:high].T).T
        if j == 0 and problem.offset is not None:
            eta = eta + problem.offset
        etas.append(eta)
        low = high + term.intercept
    return etas
