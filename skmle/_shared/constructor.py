"""Constructors that say what an argument of another program is called here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from skmle._spelling import did_you_mean

# An argument as other programs have it: what to give here in its place.
_RIDGE = "alpha, which is 1/(C n) in scikit-learn's terms"
_FAMILY = "a family, such as 'gamma', as the first argument"
_KNOWN = "fixed={...} with the parameters that are known; laws of positive numbers begin at 0"
_FIT = "sample_weight to fit"
_ELSEWHERE = {
    "C": _RIDGE,
    "lam": _RIDGE,
    "lambda_": _RIDGE,
    "reg_lambda": _RIDGE,
    "l1_wt": "l1_ratio",
    "L1_wt": "l1_ratio",
    "link": "the link to the family, such as families.Gamma(links={'mean': 'identity'})",
    "floc": _KNOWN,
    "fscale": _KNOWN,
    "loc": _KNOWN,
    "scale": _KNOWN,
    "shape": _KNOWN,
    "dist": _FAMILY,
    "distribution": _FAMILY,
    "formula": "FormulaTransformer(formula) in front, in a pipeline",
    "sample_weight": _FIT,
    "weights": _FIT,
    "freq_weights": _FIT,
    "cov_type": "covariance to inference(X, y)",
    "covariance": "covariance to inference(X, y)",
    "solver": "none, as the fit chooses its own",
    "multi_class": "none, as the classes tell",
}
_SHOWN = 20  # arguments that a message names, at most; chosen for reading


def saying_what_is_meant(init: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that says of an unknown argument what to give in its place.

    Its signature stays, by which scikit-learn finds the settings.
    """
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @wraps(init)
    def checked(self: Any, *args: Any, **settings: Any) -> None:
        for name in settings:
            if name not in known:
                raise _unknown(type(self).__name__, name, known)
        init(self, *args, **settings)

    return checked


def _unknown(what: str, name: str, known: list[str]) -> TypeError:
    advice = did_you_mean(name, known, "Leave it out.")
    if name in _ELSEWHERE:
        advice = f"In its place give {_ELSEWHERE[name]}."
    return TypeError(
        f"{what}() got an unexpected keyword argument {name!r}. Allowed: "
        f"{', '.join(known[:_SHOWN])}. {advice}"
    )
