"""The bootstrap of estimates, and of any function of a model: fits to resamples of the rows."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._spelling import did_you_mean
from skmle.inference.bootstrap_results import BootstrapIntervals
from skmle.inference.estimates import (
    Model,
    OfModel,
    checked_function,
    names_of,
    of_size,
    slope_along,
    value_of,
)
from skmle.inference.resamples import (
    Resampler,
    Resamples,
    accelerations,
    interval_of,
    spread_of,
)
from skmle.inference.rows_known import RowsOfFit
from skmle.inference.wald import Inverse, checked_level

Array = NDArray[np.float64]

KINDS = ("pairs", "parametric", "cluster")
METHODS = ("bca", "percentile", "basic")


class Bootstrapped(OfModel):
    """The base of results: what other samples would have made of the estimates."""

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    confidence_level: float
    inverses: Sequence[Inverse | None] | None
    eta: Array | None
    rows: RowsOfFit | None

    def bootstrap(
        self,
        function: Callable[[Any], Any] | None = None,
        *,
        kind: str | None = None,
        n_resamples: int = 999,
        method: str = "bca",
        groups: Any = None,
        names: Sequence[str] | None = None,
        confidence_level: float | None = None,
        random_state: Any = None,
    ) -> BootstrapIntervals:
        """Return bootstrap errors and intervals: of all estimates, or of a function of the model.

        The model is fitted again to each of many samples that are like the rows of the fit.

        Parameters
        ----------
        function : callable, optional
            As `estimate` takes it; by default all estimates of the table. It is asked of the model
            of each resample, and has to be smooth for "bca" only.
        kind : {"pairs", "parametric", "cluster"}, optional
            Rows drawn with replacement; observations drawn from the fitted law, at the X of the
            rows; or groups of rows drawn with replacement. By default "cluster" if groups are
            known, here or from `inference`, else "pairs".
        n_resamples : int, default=999
        method : {"bca", "percentile", "basic"}, default="bca"
            BCa: percentiles, corrected for bias and for a spread that depends on the estimate. The
            basic interval is taken on the scale of an estimate's link; of a function, on its own.
        groups : array-like of shape (n,), optional
            For "cluster", the group of each row.
        names : sequence of str, optional
            A name for each number of the function.
        confidence_level : float, optional
            By default that of the results, 0.95.
        random_state : int, RandomState, Generator or None
            Of the draws.

        Returns
        -------
        skmle.inference.BootstrapIntervals

        Raises
        ------
        ValueError
            If the results do not know the rows of the fit, a setting has no meaning, or resamples
            are too few for the level.

        Notes
        -----
        A row of weight w is w rows, of which as many are drawn as the total weight says (rounded);
        under ``inference(..., weights="factors")`` it is one row, whose likelihood keeps its
        factor. Class weights, and the transformers of a pipeline, are those of the fit.

        No resample is left out. Where its columns separate rows, estimates are infinite, and count
        as that. Where it has no estimate, it counts as beyond both ends of the interval. The table
        says how many there are.

        References
        ----------
        Efron (1987), Better bootstrap confidence intervals, J. American Statistical Association 82.
        DiCiccio & Efron (1996), Bootstrap confidence intervals, Statistical Science 11.

        Examples
        --------
        >>> import numpy as np
        >>> from skmle import MLEDistribution
        >>> lives = [[17.9], [28.9], [33.0], [41.5], [42.1], [45.6], [48.4], [51.8], [52.0], [54.1]]
        >>> result = MLEDistribution("weibull").fit(lives).inference(lives)
        >>> b10 = result.bootstrap(lambda m: m.distribution_.ppf(0.1), random_state=0)
        >>> print(b10.estimates.round(1), b10.standard_errors.round(1), b10.intervals.round(0))
        [28.4] [6.2] [[16. 39.]]
        """
        level = checked_level(
            self.confidence_level if confidence_level is None else confidence_level
        )
        resampler = self._known_resampler()
        kind = _checked_kind(kind, groups, resampler.grouped)
        _check_settings(method, n_resamples, level)
        asked = self._asked(function, names, resampler)
        acceleration = np.full(len(asked.values), np.nan)
        if method == "bca":
            acceleration = _accelerations(asked, resampler, kind, groups)
        found = resampler.resamples(kind, groups, n_resamples, random_state)
        return _summed_up(asked, found, acceleration, kind, method, level)

    def _asked(
        self, function: Callable[[Any], Any] | None, names: Sequence[str] | None, known: Resampler
    ) -> _Asked:
        """Return what is asked for: the estimates of the table, or what a function makes."""
        model = self._known_model("bootstrap")
        if function is None and names is not None:
            raise ValueError(
                f"bootstrap: names={names!r} without a function. Allowed: names of the numbers of "
                "a function. Leave them out, or give function=..."
            )
        if function is None:
            assert self.eta is not None and self.inverses is not None
            # A function of coefficients alone.
            bare = model._replace(at=lambda coefs: coefs)
            return _Asked(
                self.components, self.terms, self.eta, self.inverses, known.eta, bare, True
            )

        checked_function(function, "bootstrap")

        def of_inner(inner: Any) -> Any:
            return function(model.around(inner))

        whole, value = value_of(of_inner, model, "bootstrap")
        labels, none = names_of(whole, names), [None] * len(value)
        return _Asked([""] * len(value), labels, value, none, of_inner, model, False)

    def _known_resampler(self) -> Resampler:
        if self.rows is None:
            raise ValueError(
                "bootstrap: these results do not know the rows of the fit, which no model keeps. "
                "Allowed: results of a model's inference(X, y). Ask that."
            )
        if self.eta is not None and np.isinf(self.eta).any():
            name = self.terms[int(np.flatnonzero(np.isinf(self.eta))[0])]
            raise ValueError(
                f"bootstrap: the estimate of {name!r} is infinite, as its column separates the "
                "rows, and so it would be in almost all resamples. Allowed: fits with a maximum. "
                "Use profile(), which has a finite bound, or penalty='jeffreys'."
            )
        return self.rows.resampler


class _Asked(NamedTuple):
    """What a bootstrap is asked for: m numbers that a model tells, each on a scale of its own."""

    components: Sequence[str]
    terms: Sequence[str]
    values: Array
    """(m,)."""
    inverses: Sequence[Inverse | None]
    """From that scale to the estimates; None where they are the same."""
    function: Callable[[Any], Any]
    model: Model
    of_table: bool
    """Whether these are the estimates of the table."""

    def replicates(self, found: Resamples) -> Array:
        """Return the numbers in each resample, (B, m); nan where there are none."""
        if self.of_table:
            return found.eta
        result = np.full((len(found.coefs), len(self.values)), np.nan)
        for line, coefs in enumerate(found.coefs):
            if np.isfinite(coefs).all():
                with np.errstate(all="ignore"):
                    value = np.asarray(self.function(self.model.at(coefs)), float)
                result[line] = of_size(len(self.values), value.ravel(), "bootstrap")
        return result

    def estimates(self, values: Array) -> Array:
        """Return the estimates, given the numbers on their scales, (..., m)."""
        result = np.array(values, float)
        with np.errstate(over="ignore"):
            for i, inverse in enumerate(self.inverses):
                if inverse is not None:
                    result[..., i] = inverse(result[..., i])
        return result


def _accelerations(asked: _Asked, resampler: Resampler, kind: str, groups: Any) -> Array:
    """Return the accelerations of BCa, (m,)."""
    try:
        influences = resampler.influences(kind, groups)
    except np.linalg.LinAlgError:
        raise ValueError(
            "bootstrap: method='bca' needs an information matrix that has an inverse, and that of "
            "these rows has none. Allowed: 'percentile' and 'basic'. Use one of them."
        ) from None
    lines, units = spread_of(influences)
    size = len(asked.values)
    slopes = [slope_along(line, asked.function, asked.model, "bootstrap", size) for line in lines.T]
    return accelerations(influences, units, np.array(slopes).reshape(-1, size))


def _summed_up(
    asked: _Asked,
    found: Resamples,
    acceleration: Array,
    kind: str,
    method: str,
    level: float,
) -> BootstrapIntervals:
    """Return errors and intervals from the numbers of all resamples."""
    drawn = asked.replicates(found)
    triples = zip(drawn.T, asked.values, acceleration, strict=True)
    ends = [interval_of(method, line, float(t), float(a), level) for line, t, a in triples]
    corners = np.array([[low, high] for low, high, _ in ends]).reshape(-1, 2)
    intervals = asked.estimates(corners.T).T
    replicates, estimates = asked.estimates(drawn), asked.estimates(asked.values)
    errors, means = _errors_and_means(replicates)
    return BootstrapIntervals(
        components=list(asked.components),
        terms=list(asked.terms),
        estimates=estimates,
        standard_errors=errors,
        bias=means - estimates,
        intervals=np.where(np.isnan(intervals), np.nan, np.sort(intervals, axis=1)),
        replicates=replicates,
        acceleration=acceleration,
        ends=found.ends,
        notes=_notes(found.ends, len(replicates), intervals, any(far for _, _, far in ends)),
        kind=kind,
        method=method,
        confidence_level=level,
    )


def _errors_and_means(replicates: Array) -> tuple[Array, Array]:
    """Return standard deviations and means over the resamples that are known."""
    infinite = np.isinf(replicates)
    finite = np.where(infinite, np.nan, replicates)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any number
        errors, means = np.nanstd(finite, axis=0, ddof=1), np.nanmean(finite, axis=0)
        sums = np.nansum(replicates, axis=0)  # infinite, or nan if they are so on both sides
    some = infinite.any(axis=0)
    return np.where(some, np.inf, errors), np.where(some, sums, means)


def _notes(ends: Mapping[str, int], count: int, intervals: Array, outermost: bool) -> list[str]:
    """Return the lines below a table."""
    notes = [f"{n} of {count} resamples {what}." for what, n in ends.items()]
    if np.isnan(intervals).any():
        notes.append("nan: no estimate, or all resamples on one side of it.")
    if outermost:
        notes.append("An end is among the outermost resamples: more of them would place it.")
    return notes


def _checked_kind(kind: str | None, groups: Any, grouped: bool) -> str:
    """Return the kind of bootstrap.

    Raises
    ------
    ValueError
        If it is not known, or groups do not go with it.
    """
    if kind is None:
        kind = "cluster" if groups is not None or grouped else "pairs"
    _check_known("kind", kind, KINDS)
    if kind == "cluster" and groups is None and not grouped:
        raise ValueError(
            "bootstrap: kind='cluster', but groups was not given. Allowed: one group a row, here "
            "or in inference(X, y, groups=...). Give them, or use kind='pairs'."
        )
    if kind != "cluster" and groups is not None:
        raise ValueError(
            f"bootstrap: kind={kind!r}, but groups was given. Allowed: groups with kind='cluster' "
            "alone. Leave out one of the two."
        )
    return kind


def _check_settings(method: str, n_resamples: int, level: float) -> None:
    """Raise ValueError if a method is not known, or resamples are too few for the level."""
    _check_known("method", method, METHODS)
    # Below, the end of an interval would be the outermost resample whatever it is. A level of
    # 0.95 is off 39 by rounding.
    least = int(np.ceil(2.0 / (1.0 - level) - 1.0 - 1e-9))
    whole = isinstance(n_resamples, numbers.Integral) and not isinstance(n_resamples, bool)
    if not whole or n_resamples < least:
        raise ValueError(
            f"bootstrap: n_resamples={n_resamples!r} is too few for intervals of "
            f"{100 * level:g} %. Allowed: a whole number from {least} on, better 999 or more. Ask "
            "for more, or for a lower confidence_level."
        )


def _check_known(name: str, value: Any, allowed: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        hint = did_you_mean(value, allowed, "Choose one of them.")
        raise ValueError(
            f"bootstrap: {name}={value!r} is not known. Allowed: "
            f"{', '.join(map(repr, allowed))}. {hint}"
        )
