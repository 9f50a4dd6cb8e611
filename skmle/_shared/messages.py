"""Verdicts in words: the warning of a fit that did not end at an interior maximum."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence

import numpy as np

from skmle._engine.problem import Fit
from skmle._engine.verdict import (
    BOUNDARY,
    INTERRUPTED,
    KEYBOARD,
    NO_MAXIMUM,
    NON_REGULAR,
    SEPARATION,
)
from skmle._shared.interrupts import pass_on_interrupt
from skmle.exceptions import (
    BoundaryWarning,
    FitWarning,
    InterruptedWarning,
    NoMaximumWarning,
    NonRegularWarning,
    NotConvergedWarning,
    SeparationWarning,
)

_SHOWN = 5  # columns that a message names, at most; chosen for reading


def warn_verdict(
    fit: Fit,
    what: str,
    names: Sequence[Sequence[str]],
    rows: str = "",
    penalised: bool = False,
) -> None:
    """Warn, in four parts, that a fit is not at an interior maximum.

    Parameters
    ----------
    fit : Fit
        Of any status but interior.
    what : str
        The estimator and family, for the message.
    names : sequence of sequences of str
        For each parameter, the names of its slopes.
    rows : str
        Which rows are predicted perfectly, in words, where some columns separate them.
    penalised : bool
        Whether the slopes are penalised.

    Raises
    ------
    KeyboardInterrupt
        If the keyboard has stopped the fit, but is to stop more.
    """
    if fit.verdict.reason == KEYBOARD:
        pass_on_interrupt()
    category, text = _in_words(fit, names, rows, penalised)
    message = f"{what}: {text} (status_ = {fit.verdict.status!r})"
    warnings.warn(message, category, stacklevel=level_outside())


def level_outside() -> int:
    """Return the stacklevel, for the function that asks, of the line outside that led to it.

    scikit-learn wraps `fit` into frames of its own, and how many depends on its version.
    """
    frame, level = inspect.currentframe(), 0
    while frame is not None:
        package = frame.f_globals.get("__name__", "").split(".")[0]
        if package not in ("skmle", "sklearn"):
            break
        frame, level = frame.f_back, level + 1
    return level


def _in_words(
    fit: Fit, names: Sequence[Sequence[str]], rows: str, penalised: bool
) -> tuple[type[FitWarning], str]:
    """Return the class of the warning, and what happened, what is returned and what to do."""
    status, reason = fit.verdict.status, fit.verdict.reason
    if status == BOUNDARY:
        return BoundaryWarning, _boundary(fit, names, rows)
    if status == NON_REGULAR:
        why = reason or "the support depends on the parameters"
        return NonRegularWarning, (
            f"the estimate is the maximum, but {why}, so no standard errors are given. "
            "If you need them, draw samples of the fit by sample() and fit to each."
        )
    if status == NO_MAXIMUM and reason == SEPARATION:
        return SeparationWarning, _separation(fit, _moving_columns(fit, names), rows, penalised)
    if status == NO_MAXIMUM:
        moving = _moving_columns(fit, names)
        along = f" along the columns {_listed(moving)}" if moving else ""
        rest = "Parameters on the way there are returned, without standard errors."
        if fit.covariance is not None:
            rest = "All other parameters are returned with their standard errors."
        return NoMaximumWarning, (
            f"the likelihood has no maximum: {reason}{along}. {rest} Use "
            "fewer columns or more rows, hold a parameter with fixed=..., or choose another family."
        )
    if status == INTERRUPTED:
        return InterruptedWarning, (
            f"the fit was stopped after {fit.n_iter} iterates, {_how_far(fit)}. The last iterate "
            "is returned, without standard errors. Fit again, with warm_start=True if the "
            "estimator has it, to go on from here."
        )
    return NotConvergedWarning, _not_converged(fit, names, penalised)


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def _boundary(fit: Fit, names: Sequence[Sequence[str]], rows: str) -> str:
    """Return what a maximum at an end of the parameters' range, or of a link's domain, is."""
    what = f"the maximum is at the boundary: {fit.verdict.reason}"
    if fit.separated is not None:
        return (
            f"{what} {_where(fit, _moving_columns(fit, names))}, in {rows}. All other coefficients "
            "are returned with their standard errors. Fit these rows apart to silence this."
        )
    if fit.rows_at_edge:
        return (
            f"{what}. The estimates are right; standard errors are those along the edge, nan for "
            "coefficients that it determines. Choose a link that maps onto the whole line to "
            "silence this."
        )
    return (
        f"{what}. The limit law's parameters are returned, with its standard errors where it has "
        "any. Fit that law to silence this."
    )


def _not_converged(fit: Fit, names: Sequence[Sequence[str]], penalised: bool) -> str:
    """Return how far a fit has come that has not arrived, and what may help."""
    reason = f": {fit.verdict.reason}" if fit.verdict.reason else ""
    stop = f"the solver stopped after {fit.n_iter} iterations, {_how_far(fit)}{reason}"
    if dependent := _dependent_columns(fit, names):
        shown = ", ".join(map(repr, dependent[:_SHOWN]))
        shown += f", ... ({len(dependent)} in all)" if len(dependent) > _SHOWN else ""
        return (
            f"{stop}. The columns {shown} are nearly combinations of others (condition "
            f"{fit.condition:.0e}). The last iterate is returned. Drop one of them, give X as a "
            "dense array, or for powers of a column take orthogonal polynomials, "
            "SplineTransformer, or powers of the standardised column."
        )
    if not reason:
        return (
            f"{stop}. The last iterate is returned. Raise max_iter, rescale extreme columns, or "
            "choose a simpler model."
        )
    # Another iteration would change nothing, so that max_iter need not be raised.
    penalise = "" if penalised else "penalise them (alpha > 0), "
    return (
        f"{stop}. The last iterate is returned. Rescale extreme columns, drop columns that others "
        f"nearly determine, {penalise}or choose a simpler model."
    )


def _how_far(fit: Fit) -> str:
    if not np.isfinite(fit.distance):
        return "where the information matrix is singular"
    return f"{fit.distance:.2g} standard errors from the optimum"


def _separation(fit: Fit, moving: Sequence[str], rows: str, penalised: bool) -> str:
    """Return what separates the outcomes, what is known all the same, and what to do."""
    known = fit.covariance is not None and bool(np.isfinite(np.diag(fit.covariance)).any())
    rest = "The last iterate is returned, without standard errors."
    if known:
        rest = "All other coefficients are returned with their standard errors."
    advice = "Set alpha > 0, or drop or merge columns."
    if not moving or penalised:
        # The intercept has no penalty.
        advice = "Give rows of other outcomes, too, or leave these rows out."
    return f"the likelihood has no maximum: {_separated(fit, moving, rows)}. {rest} {advice}"


def _where(fit: Fit, moving: Sequence[str]) -> str:
    """Return in which rows a parameter runs to its limit."""
    assert fit.separated is not None
    if not moving:
        return "in all rows"
    shown = ", ".join(map(repr, moving[:_SHOWN]))
    shown += f", ... ({len(moving)} in all)" if len(moving) > _SHOWN else ""
    if len(moving) == 1:
        zero = "zero" if fit.separated.apart else "not zero"
        return f"where the column {shown} is {zero}"
    if fit.separated.apart:
        return f"where the columns {shown} are all zero"
    return f"along the columns {shown}"


def _separated(fit: Fit, moving: Sequence[str], rows: str) -> str:
    """Return which columns separate the outcomes, and of which rows."""
    of_rows = f"; {rows}" if rows else ""
    if not moving:
        return (
            "all outcomes stand at an end of the law's range, so the intercept runs to infinity"
            + of_rows
        )
    shown = ", ".join(map(repr, moving[:_SHOWN]))
    if len(moving) > _SHOWN:
        shown += f", ... ({len(moving)} in all)"
    columns = f"column {shown} separates" if len(moving) == 1 else f"columns {shown} separate"
    if fit.separated is not None and fit.separated.apart and len(moving) > 1:
        columns = f"rows in which the columns {shown} are all zero separate"
        return f"the {columns} from the others, so the coefficients run to infinity{of_rows}"
    return f"the {columns} the outcomes, so the coefficients run to infinity{of_rows}"


def _dependent_columns(fit: Fit, names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the columns that are nearly combinations of others."""
    pairs = zip(fit.dependent or (), names, strict=False)
    named = [label for own, labels in pairs for label in np.array(labels, object)[own]]
    return list(dict.fromkeys(named))


def _moving_columns(fit: Fit, names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the columns along which a separated fit runs to infinity."""
    way = () if fit.separated is None else fit.separated.way
    moving = [
        label
        for (slopes, _), labels in zip(way, names, strict=False)
        for label, change in zip(labels, slopes, strict=True)
        if change != 0.0
    ]
    return list(dict.fromkeys(moving))
