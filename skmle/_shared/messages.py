"""Verdicts in words: the warning of a fit that did not end at an interior maximum."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence

import numpy as np

from skmle._engine.problem import Fit
from skmle._engine.verdict import BOUNDARY, INTERRUPTED, NO_MAXIMUM, NON_REGULAR
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


def warn_verdict(fit: Fit, what: str, names: Sequence[Sequence[str]]) -> None:
    """Warn, in four parts, that a fit is not at an interior maximum.

    Parameters
    ----------
    fit : Fit
        Of any status but interior.
    what : str
        The estimator and family, for the message.
    names : sequence of sequences of str
        For each parameter, the names of its slopes.
    """
    category, text = _in_words(fit, names)
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


def _in_words(fit: Fit, names: Sequence[Sequence[str]]) -> tuple[type[FitWarning], str]:
    """Return the class of the warning, and what happened, what is returned and what to do."""
    status, reason = fit.verdict.status, fit.verdict.reason
    if status == BOUNDARY:
        return BoundaryWarning, (
            f"the maximum is at the boundary: {reason}. The limit law's parameters are returned, "
            "with its standard errors where it has any. Fit that law to silence this."
        )
    if status == NON_REGULAR:
        return NonRegularWarning, (
            "the estimate is the maximum, but the support depends on the parameters, so no "
            "standard errors are given. Use the bootstrap if you need them."
        )
    if status == NO_MAXIMUM and reason == "separation":
        return SeparationWarning, (
            f"the likelihood has no maximum: {_separated(_moving_columns(fit, names))}. The last "
            "iterate is returned, without standard errors. Set alpha > 0, or drop or merge columns."
        )
    if status == NO_MAXIMUM:
        return NoMaximumWarning, (
            f"the likelihood has no maximum: {reason}. Parameters on the way there are returned, "
            "without standard errors. Use fewer columns or more rows, hold a parameter with "
            "fixed=..., or choose another family."
        )
    if status == INTERRUPTED:
        return InterruptedWarning, (
            f"the fit was stopped after {fit.n_iter} iterates, {_how_far(fit)}. The last iterate "
            "is returned, without standard errors. Fit again, with warm_start=True if the "
            "estimator has it, to go on from here."
        )
    stop = f"the solver stopped after {fit.n_iter} iterations, {_how_far(fit)}"
    if reason:  # Another iteration would change nothing, so that max_iter need not be raised.
        return NotConvergedWarning, (
            f"{stop}: {reason}. The last iterate is returned. Rescale extreme columns, drop "
            "columns that others nearly determine, penalise them (alpha > 0), or choose a simpler "
            "model."
        )
    return NotConvergedWarning, (
        f"{stop}. The last iterate is returned. Raise max_iter, rescale extreme columns, or choose "
        "a simpler model."
    )


def _how_far(fit: Fit) -> str:
    if not np.isfinite(fit.distance):
        return "where the information matrix is singular"
    return f"{fit.distance:.2g} standard errors from the optimum"


def _separated(moving: Sequence[str]) -> str:
    """Return which columns separate the outcomes."""
    if not moving:
        return "all outcomes stand at an end of the law's range, so the intercept runs to infinity"
    shown = ", ".join(map(repr, moving[:_SHOWN]))
    if len(moving) > _SHOWN:
        shown += f", ... ({len(moving)} in all)"
    columns = f"column {shown} separates" if len(moving) == 1 else f"columns {shown} separate"
    return f"the {columns} the outcomes, so the coefficients run to infinity"


def _moving_columns(fit: Fit, names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the columns along which a separated fit runs to infinity."""
    moving = [
        label
        for slopes, labels in zip(fit.moving or (), names, strict=False)
        for label, moves in zip(labels, slopes, strict=True)
        if moves
    ]
    return list(dict.fromkeys(moving))
