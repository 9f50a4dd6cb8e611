"""Why a fit has no covariance, in words, and what to do about it."""

from __future__ import annotations

_BY_STATUS = {
    "non_regular": (
        "status_ = 'non_regular': the support, or a corner of the density, depends on the "
        "parameters, so the usual standard errors do not hold",
        "Draw samples of the fit by sample() and fit to each: a parametric bootstrap.",
    ),
    "no_maximum": (
        "status_ = 'no_maximum': the likelihood has no maximum, and these are values on the way "
        "to infinity",
        "Mend the fit first: its warning says how.",
    ),
    "interrupted": (
        "status_ = 'interrupted': the fit was stopped before the optimum",
        "Fit again and let it end.",
    ),
    "not_converged": (
        "status_ = 'not_converged': the solver stopped before the optimum",
        "Mend the fit first: its warning says how.",
    ),
}


def why_missing(
    status: str,
    store_information: bool | str,
    l1_ratio: float = 0.0,
) -> tuple[str, str]:
    """Return (why there is no covariance, what to do) for a fit that has none.

    Parameters
    ----------
    status : str
        The fit's `status_`.
    store_information : bool or "auto"
        As in the estimator.
    l1_ratio : float
        Share of the absolute part of the fit's penalty; 0 if there was none.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if l1_ratio > 0.0:
        return (
            f"l1_ratio={l1_ratio:g} with alpha > 0 chose which coefficients are zero, and no "
            "information matrix knows of that choice",
            "Set l1_ratio=0 or alpha=0 and fit again, on rows that had no part in a choice of "
            "columns.",
        )
    if store_information is False:
        return "store_information=False", "Set store_information=True and fit again."
    if status == "boundary":
        return (
            "status_ = 'boundary': the law at the end of the parameter's range has none",
            "Fit that law, or draw samples of it by sample() and fit to each.",
        )
    if store_information == "auto":
        return (
            "store_information='auto' keeps none where it would cost much beside the fit",
            "Set store_information=True and fit again.",
        )
    return (
        "the information matrix is too large or singular",
        "Draw rows again, with replacement, and fit to each such sample: the bootstrap.",
    )


def why_no_criteria(weighs_classes: bool, effective: float) -> tuple[str, str] | None:
    """Return (why there are no AIC and BIC, what to do); None if there are.

    Parameters
    ----------
    weighs_classes : bool
        Whether the classes have weights.
    effective : float
        The effective number of parameters; nan if it is not known.
    """
    if weighs_classes:
        return (
            "class_weight makes the estimate maximise another sum than the log-likelihood",
            "Fit without class_weight, or compare by cross-validation.",
        )
    if effective != effective:
        return (
            "the Hessian that counts the effective number of parameters under the penalty was not "
            "computed, or has no meaning",
            "Set store_information=True and fit again, or compare by cross-validation.",
        )
    return None
