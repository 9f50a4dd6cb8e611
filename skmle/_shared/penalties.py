"""The penalties that an estimator's settings state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from skmle._engine.data.observed import Observed
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Centred, Penalty, elastic_net
from skmle._engine.problem import Fit
from skmle._engine.strength import choose_strength
from skmle.families import Family

JEFFREYS = "jeffreys"
LOO = "loo"
# Coefficients up to which there is Jeffreys' penalty: its Hessian takes d^3 numbers, which are 216
# MB then. Chosen, not measured.
_MOST = 300


def penalties_of(
    estimator: Any, alpha: float, classes: int = 0
) -> tuple[tuple[Penalty, ...], float]:
    """Return the penalties on the slopes under a strength, and that of the absolute one.

    Parameters
    ----------
    estimator : object
        With the settings `l1_ratio` and `penalty`.
    alpha : float
    classes : int
        As of `Ridge`.
    """
    penalties, lasso = elastic_net(alpha, float(estimator.l1_ratio), classes)
    own = estimator.penalty
    if own is None or is_jeffreys(estimator):
        return penalties, lasso
    return (*penalties, Centred(own, classes) if classes else own), lasso


def strength_of(estimator: Any) -> float:
    """Return the strength of an estimator's penalty: the setting, or what the fit has chosen.

    It is 0 of one that has none, and 1 before a fit that chooses.
    """
    alpha = getattr(estimator, "alpha", 0.0)
    return float(getattr(estimator, "alpha_", 1.0) if chooses_alpha(estimator) else alpha)


def chooses_alpha(estimator: Any) -> bool:
    """Return whether the strength of an estimator's penalty is chosen by its fit."""
    alpha = getattr(estimator, "alpha", 0.0)
    return isinstance(alpha, str) and alpha == LOO


def check_chosen(estimator: Any) -> None:
    """Raise ValueError if the strength of an estimator's penalty cannot be chosen by its fit."""
    l1_ratio = getattr(estimator, "l1_ratio", 0.0)
    if chooses_alpha(estimator) and l1_ratio > 0.0:
        raise ValueError(
            f"{type(estimator).__name__}: alpha={LOO!r} and l1_ratio={l1_ratio!r}, but "
            "leave-one-out from one fit is known for a ridge only. Allowed: l1_ratio=0. Set that, "
            "or choose alpha by GridSearchCV, or by the criteria of skmle.path."
        )


def check_given(estimator: Any, what: str) -> None:
    """Raise ValueError if a function needs a strength that is given, and it is not."""
    if chooses_alpha(estimator):
        raise ValueError(
            f"{what}: {type(estimator).__name__}(alpha={LOO!r}) would choose a strength for each "
            "fit. Allowed: a number. Fit one model to all rows, and give its alpha_."
        )


def with_chosen(estimator: Any, prepared: Any) -> Any:
    """Return what was prepared under the strength that the fit chooses; as it is, if it is given.

    The strength is stored as `alpha_`.
    """
    vars(estimator).pop("alpha_", None)  # of a fit before
    if not chooses_alpha(estimator):
        return prepared
    problem = prepared.problem
    under = partial(estimator._penalties, family=problem.family)
    slopes = any(term.size for term in problem.terms)
    # Without slopes there is nothing to choose, nor under a law without parameters.
    estimator.alpha_ = choose_strength(problem, under) if slopes else 0.0
    return prepared._replace(problem=problem.under(*under(estimator.alpha_), problem.start))


def is_jeffreys(estimator: Any) -> bool:
    """Return whether an estimator's penalty is that of Jeffreys."""
    penalty = getattr(estimator, "penalty", None)
    return isinstance(penalty, str) and penalty == JEFFREYS


def check_jeffreys(
    estimator: Any, family: Family, observed: Observed, terms: tuple[Term, ...]
) -> None:
    """Raise ValueError if an estimator's settings or family do not go with Jeffreys' penalty."""
    what = f"{type(estimator).__name__}: penalty={JEFFREYS!r}"
    alpha = getattr(estimator, "alpha", 0.0)
    if strength_of(estimator) > 0.0:
        raise ValueError(
            f"{what} and alpha={alpha!r} are two penalties. Allowed: one of them. Set alpha=0, or "
            "penalty=None."
        )
    if len(family.parameters) > 1 and family.observation.numeric:
        others = family.names[1:]
        raise ValueError(
            f"{what} is for laws of one free parameter, and the {family.title} law has "
            f"{len(family.parameters)}: {', '.join(family.names)}. Allowed: poisson, binomial, "
            "exponential, geometric, classes, and others whose further parameters are known. Give "
            f"fixed={{{others[0]!r}: ...}}, or another penalty."
        )
    columns = sum(term.length for term in terms)
    if columns > _MOST:
        raise ValueError(
            f"{what} is for few coefficients, and there are {columns}. Allowed: up to {_MOST}. "
            "Leave out columns, or use alpha > 0."
        )
    known = not family.kinked and family.regular
    if known:
        # As a solver asks for it: at some eta of the first row.
        first_row = tuple(s[:1] for s in observed.statistics)
        eta = tuple(np.zeros(1) for _ in family.parameters)
        known = family.expected_curvature(first_row, eta) is not None
    if not known:
        raise ValueError(
            f"{what} needs the expected information, and that of the {family.title} law is not "
            "known. Allowed: families whose law of y is the law that is observed, without cusps. "
            "Use another family, or alpha > 0."
        )


def check_augmented(estimator: Any, fits: Sequence[Fit]) -> None:
    """Raise ValueError if an estimator's fits have no errors of rows that the penalty adds to."""
    if not is_jeffreys(estimator) or any(len(f.family.parameters) > 1 for f in fits):
        raise ValueError(
            f"{type(estimator).__name__}.inference: covariance='augmented' is that of the rows to "
            "which penalty='jeffreys' adds. Allowed: that penalty, and one parameter (two "
            "classes). Use covariance='observed' or 'expected'."
        )
