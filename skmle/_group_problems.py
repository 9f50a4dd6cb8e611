"""What the fits of many groups ask of the engine: groups of one law make one problem."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.batch import covers
from skmle._engine.data.observed import Observed, observe
from skmle._engine.likelihood.design import Term
from skmle._engine.maxima import Many
from skmle._engine.problem import Problem
from skmle._shared.estimator import check_settings
from skmle._shared.grouping import RowsByGroup
from skmle._shared.samples import as_table, samples_of
from skmle._shared.validation import adapted, check_support, positive_weights
from skmle.classifier import CrossEntropyClassifier
from skmle.distribution import MLEDistribution
from skmle.families import Family, get_family
from skmle.families.wrappers.fixed import fix
from skmle.regressor import MLERegressor

Codes = NDArray[np.intp]


class Posed(NamedTuple):
    """Groups whose fits are one problem of the engine."""

    problem: Problem
    """Of all their rows that count."""
    codes: Codes
    """The number of each row's group."""
    prepared: dict[int, Any]
    """What the estimator has made of the data of each group; of densities there is nothing."""


class _Stated(NamedTuple):
    """What an estimator asks of the engine for some data."""

    problem: Problem | None
    """None if it asks for several fits."""
    counting: NDArray[np.bool_] | None
    """Which rows count; None: all."""
    prepared: Any
    """What it has made of its data; None: it is a density."""
    plain: bool
    """Whether it learns nothing from the data as a whole, so that each group asks the same."""


def posed_by_group(blank: Any, rows: RowsByGroup, codes: Codes | None, count: int) -> list[Posed]:
    """Return the groups whose fits can be found together, after a check of all data.

    Parameters
    ----------
    blank : LikelihoodEstimator
        It learns the columns of X.
    rows : RowsByGroup
    codes : ndarray of int of shape (n,), optional
        The group of each row; None: the groups are columns.
    count : int
        Number of groups; those that are columns are counted here.
    """
    whole = _stated(blank, rows.X, rows.y, rows.rest, codes is None)
    count = blank.n_features_in_ if codes is None else count
    if whole.problem is None or not whole.plain:
        return _posed_apart(blank, rows, codes is None, count)
    if codes is None:  # columns, one below the other
        codes = np.repeat(np.arange(count), whole.problem.observed.n // count)
    elif whole.counting is not None:
        codes = codes[whole.counting]
    kept = {} if whole.prepared is None else dict.fromkeys(range(count), whole.prepared)
    return [Posed(whole.problem, codes, kept)]


def _posed_apart(blank: Any, rows: RowsByGroup, by_column: bool, count: int) -> list[Posed]:
    """Return the groups that ask for the same law, where each learns from its data by itself.

    A group that is refused is left out: its fit by itself says why.
    """
    alike: dict[Hashable, dict[int, _Stated]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # All data together have been warned of.
        for g in range(count):
            if rows.is_empty(g):
                continue
            X, y, rest = rows.of(g)
            try:
                one = _stated(copy.copy(blank), X, y, rest, by_column)
            except ValueError:
                continue
            if one.problem is not None and covers(one.problem):
                alike.setdefault(_form_of(one.problem), {})[g] = one
    return [_joined(members) for members in alike.values() if len(members) > 1]


def _joined(members: dict[int, _Stated]) -> Posed:
    """Return the problems of some groups, which have one form, as one."""
    problems = [one.problem for one in members.values() if one.problem is not None]
    first = problems[0]
    observed = [problem.observed for problem in problems]
    weight = None
    if any(part.weight is not None for part in observed):
        weight = np.concatenate([part.weights for part in observed])
    squares = None
    if all(part.squares is not None for part in observed):
        squares = np.concatenate([np.asarray(part.squares) for part in observed])
    factors = None
    if all(part.factors is not None for part in observed):
        own = [part.factors for part in observed if part.factors is not None]
        weights = np.ones((max(members) + 1, len(own[0].weights)))
        weights[[*members]] = [each.weights for each in own]
        factors = own[0]._replace(weights=weights)
    statistics = tuple(
        np.concatenate(parts) for parts in zip(*(part.statistics for part in observed), strict=True)
    )
    X = None if first.X is None else np.concatenate([problem.X for problem in problems])
    offset = None if first.offset is None else np.concatenate([p.offset for p in problems])  # type: ignore[misc]
    base = sum(part.base for part in observed)
    every = Observed(statistics, weight, base, False, squares=squares, factors=factors)
    joined = replace(first, observed=every, X=X, offset=offset)
    kept = {g: one.prepared for g, one in members.items() if one.prepared is not None}
    return Posed(joined, np.repeat([*members], [part.n for part in observed]), kept)


def _form_of(problem: Problem) -> Hashable:
    """Return what is equal for problems that differ in their rows alone."""
    terms = tuple((_key(t.columns), t.size, t.intercept) for t in problem.terms)
    return _key(problem.family), terms, problem.offset is None


def _key(part: Any) -> Hashable:
    """Return what is equal for equal settings, families with all they have learnt among them."""
    if isinstance(part, Family):
        return type(part), _key(vars(part))
    if isinstance(part, dict):
        return tuple((name, _key(value)) for name, value in sorted(part.items()))
    if isinstance(part, (list, tuple)):
        return tuple(map(_key, part))
    if isinstance(part, np.ndarray):
        return _key(part.tolist()) if part.dtype.kind == "O" else (part.shape, part.tobytes())
    if isinstance(part, slice):
        return part.start, part.stop, part.step
    return part if isinstance(part, Hashable) else id(part)


# ---------------------------------------------------------------- what is kept of the fits


@dataclass(frozen=True)
class Together:
    """Fits that were found together, from which the estimator of each group is made when asked for.

    Parameters
    ----------
    blank : LikelihoodEstimator
        With its settings, and what it knows of the columns of X.
    many : Many
    problem : Problem
        That of these groups.
    prepared : dict of int
        What the estimator has made of the data of each group; empty for densities.
    """

    blank: Any
    many: Many
    problem: Problem
    prepared: dict[int, Any]

    @classmethod
    def of(cls, blank: Any, many: Many, posed: Posed) -> Together:
        """Return the record without any rows of the data."""
        empty = without_rows(posed.problem)
        emptied = {
            id(one): one._replace(problem=empty, y=one.y[:0], mask=None)
            for one in posed.prepared.values()
        }
        kept = {g: emptied[id(one)] for g, one in posed.prepared.items()}
        return cls(blank, many, empty, kept)

    def estimator(self, group: int) -> Any:
        """Return the fitted estimator of a group that is clear."""
        model, fit = copy.copy(self.blank), self.many.fit(self.problem, group)
        problem = without_rows(self.problem, int(self.many.sizes[group]))
        if self.prepared:
            model._store(fit, self.prepared[group]._replace(problem=problem))
        else:
            counted = problem.observed.n, problem.observed.weight is not None
            model._store([fit.family], [fit], counted)
        return model


def without_rows(problem: Problem, n: int = 0) -> Problem:
    """Return a problem that knows the number of its rows, but holds none."""
    none = np.broadcast_to(np.zeros(()), (n,))
    weight = None if problem.observed.weight is None else none
    X = None if problem.X is None else problem.X[:0]
    observed = Observed((none,), weight, 0.0, False)
    return replace(problem, observed=observed, X=X, offset=None)


# ---------------------------------------------------------------- what one estimator asks


def _stated(model: Any, X: Any, y: Any, rest: dict[str, Any], by_column: bool) -> _Stated:
    """Return what an estimator asks for some data, after a check of settings and data."""
    if isinstance(model, MLEDistribution):
        return _stated_density(model, X, y, rest.get("sample_weight"), by_column)
    prepared: Any = model._prepare(X, y, **{"sample_weight": None, **rest})
    problem, plain = prepared.problem, False
    if isinstance(model, MLERegressor):
        family = get_family(model.family)
        plain = family.adapt(np.asarray(prepared.y, np.float64)) is family
    elif isinstance(model, CrossEntropyClassifier):
        two = len(prepared.classes) == 2 and bool(prepared.present.all())
        plain = two and model.class_weight is None
    return _Stated(problem, prepared.mask, prepared, plain)


def _stated_density(model: Any, X: Any, y: Any, weight: Any, by_column: bool) -> _Stated:
    family = get_family(model.family)
    check_settings(model)
    X = model._rows(X if by_column else as_table(X, y, family), family, reset=True)
    weight, counting = positive_weights(weight, X)
    rows = X if counting is None else X[counting]
    samples = samples_of(rows, family, getattr(model, "feature_names_in_", None))
    learnt = [adapted(family, sample, f"MLEDistribution, {name}") for sample, name in samples]
    laws = [fix(law, model.fixed) if model.fixed else law for law in learnt]
    for law, (sample, name) in zip(laws, samples, strict=True):
        check_support(law, sample, name, counting)
    if len(samples) > 1 and not by_column:
        return _Stated(None, counting, None, False)
    observed: Sequence[Any] = [sample for sample, _ in samples]
    problem = model._problem(
        laws[0],
        observe(
            laws[0],
            observed[0] if len(samples) == 1 else np.concatenate(observed),
            weight if weight is None else np.tile(weight, len(samples)),
        ),
        (Term(None, 0),) * len(laws[0].parameters),
    )
    return _Stated(problem, counting, None, all(law is family for law in learnt))
