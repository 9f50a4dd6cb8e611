"""The settings of a covariance: what they may be, and what they need."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

BY_LAW = ("observed", "expected", "augmented", "outer", "law")
KINDS = (*BY_LAW, "HC0", "HC1", "HC2", "HC3", "cluster", "HAC")
CORRECTIONS = ("none", "n/(n-1)", "n/(n-k)", "G/(G-1)", "G/(G-1)*(n-1)/(n-k)")
# What other programs call some of these kinds, or users do.
_ELSEWHERE = {
    "robust": "HC1",
    "white": "HC0",
    "sandwich": "HC0",
    "nonrobust": "observed",
    "hessian": "observed",
    "opg": "outer",
    "clustered": "cluster",
    "newey-west": "HAC",
}


def check_choice(
    kind: str,
    groups: Any,
    lags: Any,
    correction: str | None,
    distribution: str,
    weights: str,
) -> None:
    """Raise ValueError if a setting has no meaning."""
    for name, value, allowed in (
        ("covariance", kind, KINDS),
        ("correction", correction, (None, *CORRECTIONS)),
        ("distribution", distribution, ("normal", "t")),
        ("weights", weights, ("repeats", "factors")),
    ):
        if not (value is None or isinstance(value, str)) or value not in allowed:
            by_lower = {own.lower(): own for own in allowed if own} | _ELSEWHERE
            near = difflib.get_close_matches(str(value).lower(), by_lower, n=1)
            hint = f"Did you mean {by_lower[near[0]]!r}?" if near else "Choose one of them."
            raise ValueError(
                f"inference: {name}={value!r} is not known. Allowed: "
                f"{', '.join(map(repr, allowed))}. {hint}"
            )
    if (groups is not None) != (kind == "cluster"):
        what = "groups was not given" if kind == "cluster" else "groups was given"
        raise ValueError(
            f"inference: covariance={kind!r}, but {what}. Allowed: groups with "
            "covariance='cluster' alone. Give both, or neither."
        )
    if lags is not None and (
        kind != "HAC"
        or isinstance(lags, bool)
        or not isinstance(lags, (int, np.integer))
        or lags < 0
    ):
        raise ValueError(
            f"inference: lags={lags!r} with covariance={kind!r} is not allowed. Allowed: a whole "
            "number >= 0 with covariance='HAC'. Leave it out, or set both."
        )
    if correction is not None and correction.startswith("G") and kind != "cluster":
        raise ValueError(
            f"inference: correction={correction!r} counts groups, but covariance={kind!r} has "
            "none. Allowed: 'none', 'n/(n-1)', 'n/(n-k)'. Choose one of them, or "
            "covariance='cluster'."
        )


def check_rows_left(n: float, k: int, asked: str) -> None:
    """Raise ValueError if n rows leave nothing over beside k coefficients for what is asked."""
    if n > k:
        return
    raise ValueError(
        f"inference: {asked} of {n:g} rows and {k} coefficients, which leave nothing over to tell "
        "errors by. Allowed: more rows than coefficients. Use covariance='observed' and "
        "distribution='normal', or fewer columns."
    )
