"""Which columns of X are meant: by names, indices, slices, masks or selectors."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Coefs, Fit
from skmle._shared.messages import level_outside
from skmle._spelling import did_you_mean
from skmle.exceptions import SettingWarning
from skmle.families import Family
from skmle.families.wrappers.fixed import fix, with_lead

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SHOWN = 10  # column names that a message lists, at most; chosen for reading


class Columns(NamedTuple):
    """The linear predictor of one parameter: its columns of X, and whether it has an intercept."""

    columns: Indices | None
    """Indices into the columns of X; None if the parameter is a constant."""
    names: list[str]
    all: bool
    """Whether they are all columns of X, in order."""
    intercept: bool = True

    @property
    def term(self) -> Term:
        """The same for the engine; a slice stands for all columns, so that nothing is copied."""
        selection = slice(None) if self.all else self.columns
        return Term(selection, len(self.names), self.intercept)


KNOWN = Columns(columns=None, names=[], all=False, intercept=False)
"""Those of a parameter that is held: its linear predictor has no coefficients."""


def resolve_column(
    column: str | int, what: str, names: Sequence[str] | None, n_columns: int
) -> int:
    """Return the index of one column, by name or index.

    A ColumnTransformer writes the name of its step before that of a column: "remainder__years" is
    found as "years", if no other column ends so.

    Raises
    ------
    ValueError
        If X has no such column.
    """
    span = f"0 to {n_columns - 1}"
    if isinstance(column, str):
        known = [] if names is None else [str(n) for n in names]
        if column in known:
            return known.index(column)
        behind = [j for j, name in enumerate(known) if name.endswith(f"__{column}")]
        if len(behind) == 1:
            return behind[0]
        if not known:
            raise ValueError(
                f"{what}: X has no column {column!r}, as it has no names. Allowed: {span}. Give "
                'an index, or a DataFrame; of a pipeline, set_output(transform="pandas") keeps '
                "the names."
            )
        hint = did_you_mean(column, known, "Give one of these names, or an index.", most=3)
        have = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        raise ValueError(f"{what}: X has no column {column!r}. Allowed: {have}. {hint}")
    if np.ndim(column) > 0:
        raise ValueError(
            f"{what}: {type(column).__name__} of shape {np.shape(column)} was given to the "
            "constructor. Allowed: the name or index of a column of X; numbers go to fit, predict "
            f"and score. Give them there: fit(X, y, {what}=...)."
        )
    if not isinstance(column, numbers.Integral):
        raise ValueError(
            f"{what}: {column!r} names no column. Allowed: names, and indices from {span}. Give "
            "one of them."
        )
    index = int(column)
    if not -n_columns <= index < n_columns:
        raise ValueError(
            f"{what}: X has no column {column!r}. Allowed: {span}. Give an index in this range."
        )
    return index % n_columns


def own_column(estimator: Any, what: str, column: str | int) -> int:
    """Return the index of the column that an estimator names for `what`, as `resolve_column`."""
    return resolve_column(
        column, what, getattr(estimator, "feature_names_in_", None), estimator.n_features_in_
    )


def check_conditional(family: Family) -> None:
    """Raise ValueError if the family's parameters cannot depend on features."""
    cure = "Use MLEDistribution."
    if family.observation.circular:
        why = "its observations are angles"
        cure += " Regress the columns cos(y) and sin(y), by von_mises_fisher."
    elif not family.support.smooth:
        why = "it is fitted by the ends of its support"
    elif family.observation.columns is None and not family.observation.rowwise:
        why = "its observations are rows of several columns"
    else:
        return
    raise ValueError(
        f"MLERegressor: {family.title} cannot be regressed, because {why}. Allowed: regular "
        f"families of one response. {cure}"
    )


def with_held(estimator: Any, family: Family) -> Family:
    """Return the family of a regression with the parameters held that its setting `fixed` names.

    Raises
    ------
    ValueError
        As `fix`, and if a name is that of a column of X, whose coefficient cannot be held.
    """
    columns = getattr(estimator, "feature_names_in_", ())
    for name in estimator.fixed or {}:
        if name in columns and name not in family.names:
            raise ValueError(
                f"fixed: {name!r} is a column of X, and fixed holds parameters of the law, no "
                f"coefficients. Allowed: {', '.join(family.names)}. Hold the coefficient by an "
                f"offset: fit(X, y, offset=b * X[{name!r}]), with {name!r} out of the features."
            )
    return fix(family, estimator.fixed) if estimator.fixed else family


def resolve_features(estimator: Any, family: Family, frame: Any) -> dict[str, Columns]:
    """Return the columns of each parameter of the family, by its name.

    Parameters
    ----------
    estimator : MLERegressor
        Its settings say which columns; it knows number and names of the columns of X.
    family : Family
    frame : array-like
        X as the user gave it, for column selectors.

    Raises
    ------
    ValueError
        If `features` names an unknown parameter or column, or a column twice.
    """
    features, modelled = estimator.features or {}, family.modelled
    parameters = [param.name for param in family.parameters]
    unknown = [name for name in features if name not in parameters]
    if unknown:
        held = estimator.fixed is not None and unknown[0] in estimator.fixed
        why = "is held by fixed" if held else "is no parameter of the law"
        advice = "Leave it out of one of them." if held else "Rename the key."
        raise ValueError(
            f"features: {unknown[0]!r} {why}. Allowed: "
            f"{', '.join(parameters) or 'none, as all are held'}. {advice}"
        )
    names, n = getattr(estimator, "feature_names_in_", None), estimator.n_features_in_
    labels = [f"x{j}" for j in range(n)] if names is None else [str(name) for name in names]
    # Offset and exposure are no features.
    given = {"offset": estimator.offset, "exposure": estimator.exposure}
    apart = [own_column(estimator, what, c) for what, c in given.items() if c is not None]
    result = {}
    for j, param in enumerate(family.parameters):
        spec = features.get(param.name, "all" if param.name in modelled else "none")
        index = _indices(spec, param.name, names, n, apart, frame)
        if j == 0 and index is not None:
            _warn_of_double_use(given, apart, index, param.name)
        # `fit_intercept` speaks of the first parameter, and a constant is nothing but an intercept.
        free = estimator.fit_intercept or j > 0 or index is None
        result[param.name] = Columns(
            columns=index,
            names=[] if index is None else [labels[i] for i in index],
            all=index is not None and np.array_equal(index, np.arange(n)),
            intercept=param.intercept and free,
        )
    return result


def _warn_of_double_use(
    given: Mapping[str, Any], apart: Sequence[int], features: Indices, parameter: str
) -> None:
    """Warn if a column is two of offset, exposure and a feature of the first parameter."""
    named = [(what, column) for what, column in given.items() if column is not None]
    if len(set(apart)) < len(apart):
        warnings.warn(
            f"MLERegressor: column {named[0][1]!r} is the offset and also the exposure, so that it "
            "enters as it is and by its logarithm. Allowed: one of both. Of times set offset=None, "
            "of what is on the scale of the link exposure=None.",
            SettingWarning,
            stacklevel=level_outside(),
        )
    for (what, column), index in zip(named, apart, strict=True):
        if index in features:
            warnings.warn(
                f"MLERegressor: column {column!r} is the {what} and also a feature of {parameter}, "
                f"so that its coefficient takes the {what} back. Allowed: one of both. Leave it "
                f"out of features[{parameter!r}], or set {what}=None.",
                SettingWarning,
                stacklevel=level_outside(),
            )


def _indices(
    spec: Any,
    parameter: str,
    names: Sequence[str] | None,
    n_columns: int,
    apart: Sequence[int],
    frame: Any,
) -> Indices | None:
    """Return the columns that a specification of features names; None for no column.

    `apart` are the columns that "all" leaves out, as they are offset or exposure.
    """
    what = f"features[{parameter!r}]"
    if callable(spec):
        spec = list(spec(frame))
    if spec is None or (isinstance(spec, str) and spec == "none"):
        return None
    if isinstance(spec, str) and spec == "all":
        return np.delete(np.arange(n_columns), apart)
    if isinstance(spec, slice):
        picked = np.arange(n_columns)[spec].astype(np.intp)
        if not len(picked):
            raise ValueError(
                f"{what}: {spec!r} picks none of the {n_columns} columns of X. Allowed: some "
                "column. Mend it, or say 'none'."
            )
        return picked
    if isinstance(spec, str) or not isinstance(spec, Iterable):
        spec = [spec]
    spec = list(spec)
    if spec and all(isinstance(s, (bool, np.bool_)) for s in spec):
        if len(spec) != n_columns:
            raise ValueError(
                f"{what}: the mask has {len(spec)} entries, but X has {n_columns} columns. "
                "Allowed: one entry a column. Mend its length."
            )
        return np.flatnonzero(spec).astype(np.intp) if any(spec) else None
    index = np.array([resolve_column(s, what, names, n_columns) for s in spec], np.intp)
    if len(set(index.tolist())) < len(index):
        raise ValueError(
            f"{what}: {spec!r} names a column twice. Allowed: each column once. Drop the "
            "repetition."
        )
    return index if len(index) else None


# ---------------------------------------------------------------- a first parameter that is held


class Led(NamedTuple):
    """A law with its parameters' columns, also of a first parameter that is held."""

    family: Family
    """The law to be fitted: its first parameter is free, with no coefficients, to be led."""
    columns: dict[str, Columns]
    known: Array | None
    """The known part of the first linear predictor."""
    lead: float | None
    """The eta at which the first parameter is held; None if it is free."""


def led_by(family: Family, columns: dict[str, Columns], known: Array | None) -> Led:
    """Return a law to whose first parameter `known` is added, whether it is held or not."""
    free, lead = with_lead(family)
    if lead is None:
        return Led(family, columns, known, None)
    columns = {free.names[0]: KNOWN, **columns}
    if known is None:
        return Led(family, columns, None, lead)
    return Led(free, columns, known + lead, lead)


def start_again(estimator: Any, family: Family, columns: Mapping[str, Columns]) -> Coefs | None:
    """Return the coefficients of the fit before, if they are of the same columns and finite."""
    free = [name for name, own in columns.items() if own is not KNOWN]
    sizes = {name: len(columns[name].names) for name in free}
    slopes, intercepts = getattr(estimator, "coefs_", None), getattr(estimator, "intercepts_", {})
    if slopes is None or sizes != {name: len(w) for name, w in slopes.items()}:
        return None
    if not np.isfinite([*intercepts.values()]).all():
        return None
    before = {name: (slopes[name], float(intercepts[name])) for name in free}
    return tuple(before.get(param.name, (np.zeros(0), 0.0)) for param in family.parameters)


# ---------------------------------------------------------------- what was fitted


def linear_predictors(
    X: Any,
    columns: Mapping[str, Columns],
    slopes: Mapping[str, Array],
    intercepts: Mapping[str, float],
    offset: Array | None,
) -> tuple[Array, ...]:
    """Return eta of each parameter, (n,) each; the offset is added to the first."""
    if sp.issparse(X):
        X = X.tocsr()
    result = []
    for name, own in columns.items():
        eta = np.full(X.shape[0], intercepts[name])
        if own.columns is not None:
            part = X if own.all else X[:, own.columns]
            eta = eta + np.asarray(part @ slopes[name], np.float64)
        result.append(eta)
    if offset is not None and result:
        result[0] = result[0] + offset
    return tuple(result)


def columns_of_law(columns: Mapping[str, Columns], fit: Fit) -> dict[str, Columns]:
    """Return the columns of the parameters of the fitted law, which may be a limit law."""
    names = [param.name for param in fit.family.parameters]
    places = names if fit.limit is None else fit.limit.places or names
    return {name: columns[place] for name, place in zip(names, places, strict=True)}


def natural_constants(
    fit: Fit, columns: Mapping[str, Columns], held: Mapping[str, float]
) -> dict[str, float]:
    """Return the natural values of the parameters that are the same for all rows.

    They are those without features, those `held`, and the one that ran to its limit.
    """
    values = {}
    for j, (name, (_, intercept)) in enumerate(zip(columns, fit.coefs, strict=True)):
        if columns[name].columns is None:
            values[name] = float(fit.family.link(j).theta(np.asarray(intercept)))
    values |= {name: float(value) for name, value in held.items()}
    if fit.limit is not None:
        values |= fit.limit.ends
    return values


def undetermined(
    estimable: Sequence[NDArray[np.bool_]] | None, names: Sequence[Sequence[str]]
) -> list[str]:
    """Return the names of the columns whose slopes the data do not determine, each once.

    Parameters
    ----------
    estimable : sequence of ndarrays of bool, optional
        For each parameter, which slopes the data determine, and last whether its constant; None if
        they determine all.
    names : sequence of sequences of str
        For each parameter, the names of its columns.
    """
    if estimable is None:
        return []
    return list(
        dict.fromkeys(
            label
            for known, labels in zip(estimable, names, strict=True)
            for determined, label in zip(known[:-1], labels, strict=True)
            if not determined
        )
    )
