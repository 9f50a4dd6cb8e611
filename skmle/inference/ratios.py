"""Coefficients as they are published: as ratios, and against a class of reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.wald import standard_errors

if TYPE_CHECKING:
    from skmle.inference.results import Inference

Array = NDArray[np.float64]

CLASS = "class "
"""With which the components of a table of classes begin."""


def ratios_of(result: Inference) -> Inference:
    """Return the exponentials of the coefficients that have a name as ratios.

    Raises
    ------
    ValueError
        If there are none.
    """
    kept = [i for i, name in enumerate(result.ratio_names) if name]
    if not kept:
        raise ValueError(
            "ratios: no coefficient of these results is the logarithm of a ratio. Allowed: slopes "
            "of a regression with the link log, logit or cloglog, or of a classifier. For others "
            "use estimate(function)."
        )
    eta = result.estimates[kept]
    covariance = result.covariance[np.ix_(kept, kept)]
    with np.errstate(over="ignore", invalid="ignore"):  # of a coefficient that runs to infinity
        value = np.exp(eta)
        scaled = covariance * np.outer(value, value)
    names = [result.ratio_names[i] for i in kept]
    where = [str(result.components[i]) for i in kept]
    components = [f"{name}, {own}" if own else name for name, own in zip(names, where, strict=True)]
    footer = [
        "Ratios are exponentials of coefficients, and so are the ends of their intervals; z and p "
        "test a ratio of one.",
        *result.footer,
    ]
    return replace(
        result,
        components=components,
        terms=[result.terms[i] for i in kept],
        estimates=value,
        covariance=scaled,
        footer=footer,
        testable=None,
        eta=eta,
        eta_errors=standard_errors(covariance),
        inverses=[np.exp] * len(kept),
        ratio_names=(),
        on_links=True,
    )


def against_class(result: Inference, reference: Any) -> Inference:
    """Return the log-odds of each class against one of them.

    Raises
    ------
    ValueError
        If the results are not of three classes or more, or the reference is none of them.
    """
    components = [str(name) for name in result.components]
    classes = list(dict.fromkeys(components))
    if len(classes) < 3 or not all(name.startswith(CLASS) for name in classes):
        raise ValueError(
            "against: these results are not of log-odds of three classes or more. Allowed: results "
            "of a CrossEntropyClassifier of such. Of two classes, coefficients are against the "
            "first already."
        )
    chosen = f"{CLASS}{reference!s}"
    if chosen not in classes:
        known = ", ".join(name.removeprefix(CLASS) for name in classes[:8])
        raise ValueError(
            f"against: {reference!r} is no class. Allowed: {known}"
            f"{', ...' if len(classes) > 8 else ''}. Give one of them."
        )
    places = {(c, str(t)): i for i, (c, t) in enumerate(zip(components, result.terms, strict=True))}
    kept = [i for i, name in enumerate(components) if name != chosen]
    base = [places[chosen, str(result.terms[i])] for i in kept]
    # Entry by entry: a product with zeros would spread the nan of a column that is aliased.
    C = result.covariance
    with np.errstate(invalid="ignore"):
        eta = result.estimates[kept] - result.estimates[base]
        covariance = (
            C[np.ix_(kept, kept)]
            - C[np.ix_(kept, base)]
            - C[np.ix_(base, kept)]
            + C[np.ix_(base, base)]
        )
    title = result.header[0].partition(",")[0] if result.header else ""
    names = [result.ratio_names[i] for i in kept] if len(result.ratio_names) else ()
    return replace(
        result,
        components=[components[i] for i in kept],
        terms=[result.terms[i] for i in kept],
        estimates=eta,
        covariance=covariance,
        header=[f"{title}, log-odds against {chosen}", *result.header[1:]],
        testable=None,
        eta=eta,
        eta_errors=standard_errors(covariance),
        inverses=[None] * len(kept),
        ratio_names=names,
    )
