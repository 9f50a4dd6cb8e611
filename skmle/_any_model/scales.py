"""On which scale the log-likelihood of a model is, so that only like is compared with like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import PoissonRegressor

from skmle._any_model.laws import is_discrete, law_of, predicts_normal, registered
from skmle._any_model.unwrap import last_step, see_through, unwrap
from skmle._shared.estimator import LikelihoodEstimator, family_if_known
from skmle.families import Distribution, get_family
from skmle.families.candidates import TURNS

LABELS, MASSES, DENSITIES = "probabilities of labels", "masses of numbers", "densities of numbers"


def is_conditional(model: Any) -> bool:
    """Return whether a model, fitted or not, is of y given X."""
    last = last_step(model)
    # ngboost's say neither, and have such a method.
    tells = hasattr(last, "pred_dist") or hasattr(last, "predict_dist")
    return bool(is_classifier(model) or is_regressor(model) or tells or registered(last))


def scale_of(model: Any, X: Any) -> str:
    """Return the scale of a fitted model's log-likelihood: labels, masses or densities."""
    inner = see_through(model)[1]
    if registered(inner) is None and is_classifier(inner):
        return LABELS
    if isinstance(inner, LikelihoodEstimator):
        family = get_family(inner.family)
        kinds = {True: MASSES, False: DENSITIES} if family.observation.numeric else {True: LABELS}
        return kinds[family.support.discrete]
    if isinstance(inner, PoissonRegressor) and registered(inner) is None:
        return MASSES
    told = registered(inner) or hasattr(inner, "predict_dist") or hasattr(inner, "pred_dist")
    if not told or (registered(inner) is None and predicts_normal(inner)):
        return DENSITIES
    law = law_of(inner, unwrap(model, X)[1])
    if isinstance(law, Distribution) and not law.family.observation.numeric:
        return LABELS
    return MASSES if is_discrete(law) else DENSITIES


_APART = (
    "models that all give probabilities, or all give densities; of whole numbers both, as a "
    "density then tells the probability of each number by rounding. A density depends on the unit "
    "of y, a probability does not. Compare them apart."
)


def check_kinds(models: Mapping[str, Any]) -> None:
    """Raise ValueError if some models, not fitted yet, are classifiers, and others are densities.

    A model whose scale its kind does not tell, as one that is registered, passes.
    """
    kinds = {}
    for name, model in models.items():
        last = last_step(model)
        if registered(last) is not None or not (is_classifier(model) or is_regressor(model)):
            continue
        family = family_if_known(getattr(last, "family", None))
        if is_classifier(model):
            kinds[name] = LABELS
        elif family is not None and family.observation.numeric and not family.support.discrete:
            kinds[name] = DENSITIES
    if kinds:
        _check_same(kinds, "gives", _APART)


def common_scale(models: Mapping[str, Any], X: Any, y: Any) -> dict[str, bool]:
    """Return of which fitted models the probability of a rounded number is to be asked.

    Some give probabilities and others densities of the same whole numbers. A density is put on the
    scale of the others by the probability that its law rounds to the number.

    Parameters
    ----------
    models : dict of str to fitted estimator
    X, y : array-like
        The rows that they are asked about; y is None for densities of X.

    Raises
    ------
    ValueError
        If their log-likelihoods are not of the same thing.
    """
    scales = {name: scale_of(model, X) for name, model in models.items()}
    observed = np.asarray(X if y is None else y)
    kinds = set(scales.values())
    rounded = kinds == {MASSES, DENSITIES} and bool(
        observed.dtype.kind in "biuf" and np.all(observed == np.floor(observed))
    )
    if DENSITIES in kinds and len(kinds) > 1 and not rounded:
        _check_same(
            scales,
            "gives",
            _APART,
        )
    if y is None:
        if observed.dtype.kind in "iuf" and np.ptp(observed) > TURNS:
            kinds_of_rows = {name: _rows_of(model) for name, model in models.items()}
            _check_same(kinds_of_rows, "is of", _WITHIN_TURNS)
        changed = {name: _transformers(model) for name, model in models.items()}
        _check_same(
            changed,
            "is of rows transformed by",
            "densities of the same rows, as that of transformed ones lacks the Jacobian. Give all "
            "the same transformers, or none.",
        )
    return {name: rounded and scale == DENSITIES for name, scale in scales.items()}


def _check_same(values: Mapping[str, str], verb: str, allowed: str) -> None:
    (first, one), *others = values.items()
    for name, other in others:
        if other != one:
            raise ValueError(
                f"compare: the log-likelihood of {first} {verb} {one}, that of {name} {verb} "
                f"{other}. Allowed: {allowed}"
            )


_ANGLES, _NUMBERS = "angles, where y and y + 2 pi are one", "numbers on a line"
_WITHIN_TURNS = (
    "models of one kind, as these rows span more than two turns. Give angles in radians, as "
    "numpy.radians(degrees) makes them, or leave out the laws of angles."
)


def _rows_of(model: Any) -> str:
    """Return what the rows are to a fitted density, in words."""
    family = family_if_known(getattr(see_through(model)[1], "family", None))
    return _ANGLES if family is not None and family.observation.circular else _NUMBERS


def _transformers(model: Any) -> str:
    return ", ".join(repr(step) for step in see_through(model)[0]) or "nothing"
