"""From what a fit has stored to the parameters and the lines of the table that users see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._engine.problem import Fit
from skmle._shared.columns import Columns
from skmle.families import Distribution, Family
from skmle.families.ends import eta_at, with_end
from skmle.families.independent import stack
from skmle.families.links import LOGIT, Link, get_link
from skmle.families.ordinal import Ordinal
from skmle.inference.assemble import (
    Part,
    TableLines,
    centred_covariance,
    coefficient_lines,
    join,
    natural_lines,
    regression_lines,
)

Array = NDArray[np.float64]

# What the exponential of a slope of a probability is, by the name of its link. Under cloglog it is
# the ratio of the hazards of a time that is known by intervals.
_RATIOS = {"logit": "odds ratio", "cloglog": "hazard ratio"}

# ---------------------------------------------------------------- regressions


def coefficients_of_a_regression(
    *,
    law: Family,
    columns: Mapping[str, Columns],
    slopes: Mapping[str, Array],
    intercepts: Mapping[str, float],
    names: Sequence[Any] | None,
    covariance: Array | None,
    beyond: Sequence[Array] | None = None,
) -> TableLines:
    """Return the lines of a regression's table; `names` are those of the columns of X, if any.

    `beyond` is what is added to the coefficients, parameter by parameter, that run off.
    """
    parts = []
    for j, (name, own) in enumerate(columns.items()):
        if name not in slopes:  # it is held
            continue
        if names is None or own.columns is None:
            labels = list(own.names)
        else:
            labels = [str(names[i]) for i in own.columns]
        coefs = slopes[name]
        if own.intercept:
            labels, coefs = [*labels, "intercept"], np.append(coefs, intercepts[name])
        if beyond is not None and covariance is not None:
            coefs = coefs + beyond[j][: len(coefs)]
        if labels:
            parts.append(
                Part(
                    name=name,
                    link=law.link(j),
                    terms=labels,
                    coefs=coefs,
                    constant=own.columns is None,
                    real=law.parameters[j].chart.spans_zero,
                    ratio=ratio_name(law, j),
                    intercept=own.intercept,
                )
            )
    return regression_lines(parts, covariance)


def ratio_name(law: Family, j: int) -> str:
    """Return what the exponential of a slope of the parameter in place j is; "" if nothing."""
    link, name = law.link(j).name, law.parameters[j].name
    if isinstance(law, Ordinal):  # P(Y <= j) = F(cut_j - location): the odds of more than j
        return "odds ratio" if j == 0 and get_link(law.cumulative_link) is LOGIT else ""
    if link == "log":
        return "rate ratio" if law.support.discrete and name == "mean" else f"{name} ratio"
    return _RATIOS.get(link, "")


# ---------------------------------------------------------------- classes


def coefficients_of_classes(
    *,
    slopes: Array,
    intercepts: Array | None,
    names: Sequence[str],
    classes: NDArray[Any],
    covariance: Array | None,
    beyond: Sequence[Array] | None = None,
    link: str | Link = "logit",
) -> TableLines:
    """Return the lines of a classifier's table.

    Parameters
    ----------
    slopes : ndarray of shape (1, p) or (K, p)
    intercepts : ndarray of shape (1,) or (K,), optional
    names : sequence of str
        Those of the columns of X.
    classes : ndarray of shape (K,)
    covariance : ndarray, optional
        Of the coefficients that were fitted: for K > 2 classes, those against the last class.
    beyond : sequence of ndarray, optional
        What is added to the coefficients that run off, slopes and intercept, class by class.
    link : str or Link
    """
    k = len(slopes)
    if k > 1 and covariance is not None:
        covariance = centred_covariance(covariance, k)
    labels = [""] if k == 1 else [f"class {label!s}" for label in classes]
    terms, estimate = list(names), slopes
    ratio = _RATIOS.get(get_link(link).name, "")
    ratios = [ratio] * len(terms)
    if intercepts is not None:
        terms, estimate = [*terms, "intercept"], np.column_stack([slopes, intercepts])
    if beyond is not None and covariance is not None:
        estimate = estimate + np.array(beyond)[:, : estimate.shape[1]]
    return coefficient_lines(
        components=[label for label in labels for _ in terms],
        terms=terms * k,
        estimate=estimate.ravel(),
        covariance=covariance,
        ratio_names=(ratios + [""] * (len(terms) - len(ratios))) * k,
    )


# ---------------------------------------------------------------- densities


def fitted_laws(fit: Fit) -> tuple[Distribution, Distribution]:
    """Return the law that predictions speak of, and that of what was observed.

    Under censoring, say, less is observed than the law's own values. At a boundary both are of the
    limit law.
    """
    family = fit.family
    observed = Distribution.at(family, tuple(np.asarray(eta) for _, eta in fit.coefs))
    predicted = family.predicted(observed.theta)
    return (observed if predicted.family is family else predicted), observed


def natural_parameters(family: Family, fit: Fit, law: Distribution) -> dict[str, Array]:
    """Return all parameters of the family that was asked for, whose fitted law is `law`.

    At a boundary, this law lacks the parameter that ran to its limit, which is then added. Those on
    which nothing depends there are nan.
    """
    if fit.limit is None:
        return law.params
    ends = {name: np.asarray(end) for name, end in fit.limit.ends.items()}
    known = law.params | ends
    coordinates = family.names != tuple(param.name for param in family.parameters)
    if coordinates and not {*family.names} <= {*known}:
        own = [eta for _, eta in fit.coefs]
        eta = with_end(family, fit.limit, own, eta_at(family, fit.limit))
        if eta is not None:
            theta = family.natural(tuple(map(np.asarray, eta)))
            return dict(zip(family.names, theta, strict=True))
    theta = tuple(known.get(name, np.asarray(np.nan)) for name in family.names)
    values = family.predicted(theta).params | known
    if fit.limit.places:  # the limit law has parameters of its own
        return values
    return {name: values[name] for name in family.predicted_names}


def parameters_of_columns(
    families: Sequence[Family], fits: Sequence[Fit], laws: Sequence[Distribution]
) -> dict[str, Any]:
    """Return the parameters of fitted laws: of one as numbers or arrays, of several as columns."""
    triples = zip(families, fits, laws, strict=True)
    params = [natural_parameters(*triple) for triple in triples]
    if len(params) == 1:
        return {
            name: float(value) if value.ndim == 0 else value for name, value in params[0].items()
        }
    # A column at a limit law may lack parameters of the others, or have some of its own.
    every = dict.fromkeys(name for own in params for name in own)
    missing = np.asarray(np.nan)
    return {name: stack([own.get(name, missing) for own in params]) for name in every}


def parameters_of_densities(
    *,
    families: Sequence[Family],
    etas: Sequence[Array],
    covariances: Sequence[Array | None],
    columns: Sequence[str] | None,
) -> TableLines:
    """Return the table's lines of fitted laws, one below the other.

    `columns` are the names of the columns of X, if it had any.
    """
    components: Sequence[str] = [""]
    if len(families) > 1:
        components = columns or [f"column {j}" for j in range(len(families))]
    fits = zip(components, families, etas, covariances, strict=True)
    return join([_parameters_of_a_density(*one, columns) for one in fits])


def _parameters_of_a_density(
    component: str,
    family: Family,
    eta: Array,
    covariance: Array | None,
    names: Sequence[str] | None,
) -> TableLines:
    """Return the table's lines of one fitted law; `names` are those of the columns of X, if any."""
    entries = tuple(np.asarray(e) for e in eta)
    charts = links = family.natural_charts()
    with np.errstate(all="ignore"):  # A parameter may stand at an end of its range.
        theta = map(np.asarray, family.natural(entries))
        # Of a matrix, which is symmetric, the lower triangle tells all.
        flat = [t.ravel() if t.ndim < 2 else t[np.tril_indices(len(t))] for t in theta]
        estimate = np.concatenate([np.zeros(0), *flat])
        if covariance is None:
            jacobian = np.zeros((len(charts), len(eta)))
        else:
            jacobian = family.natural_jacobian(entries)
        if family.names == tuple(param.name for param in family.parameters):
            links = tuple(family.link(j) for j in range(len(eta)))
        else:
            pairs = zip(links, estimate, strict=True)
            eta = np.array([float(link.forward(value)) for link, value in pairs])
    return natural_lines(
        component=component,
        terms=family.natural_labels(names),
        estimate=estimate,
        real=[chart.spans_zero for chart in charts],
        links=links,
        eta=eta,
        jacobian=jacobian,
        covariance=covariance,
    )
