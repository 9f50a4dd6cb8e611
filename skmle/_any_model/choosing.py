"""Choosing among fitted families: criteria, the order they give, and the table of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skmle._any_model.criteria import RULES, Whole
from skmle._any_model.held_out import Fold, HeldOut
from skmle._engine.verdict import MAXIMUM
from skmle.families import Family
from skmle.families.wrappers.base import Wrapper
from skmle.inference.show import as_frame

Array = NDArray[np.float64]

CRITERIA = ("bic", "aic", "aicc", "held_out")
# A mean square of differences, over their mean square in nats, that is rounding.
_SAME = 1e-20
# By how much two fits of one law may differ in a row, in nats, as each ends near the maximum.
_ALIKE = 1e-5


class Tried(NamedTuple):
    """A family that was fitted."""

    name: str
    status: str
    """That of its fit, or "refused"."""
    remark: str
    """Why it is not ranked, or what it is; "" if there is nothing to say."""
    seconds: float
    model: Any = None
    log_probs: Array | None = None
    """Of each row that counts."""
    held_out: Array | None = None
    """The same of the rows that folds held out, value by value; None without folds."""
    same_as: str = ""
    """The name of the family that it is at this maximum; "" if it is its own."""

    @property
    def ranked(self) -> bool:
        """Whether it may be the best."""
        return self.model is not None and self.status in MAXIMUM and not self.same_as


class Choice(NamedTuple):
    """All families that were fitted, the best first."""

    lines: Sequence[Tried]
    criteria: Sequence[Mapping[str, float]]
    differences: Array
    errors: Array

    @property
    def best(self) -> Tried | None:
        """The best one; None if none is ranked."""
        return self.lines[0] if self.lines and self.lines[0].ranked else None


def criteria_of(tried: Tried, mass: float, held: HeldOut | None) -> dict[str, float]:
    """Return all criteria of a fit to rows of some total weight; nan where it has none."""
    if tried.model is None or tried.log_probs is None:
        return dict.fromkeys(("log_likelihood", "n_parameters", *CRITERIA), np.nan)
    k, total = float(tried.model.n_parameters_), float(tried.model.log_likelihood_)
    whole = Whole(2.0 * k - 2.0 * total, total, mass)
    out = np.nan if held is None or tried.held_out is None else held.mean(tried.held_out)
    return {
        "log_likelihood": total,
        "n_parameters": k,
        **{name: RULES[name](whole) for name in CRITERIA if name in RULES},
        "held_out": out,
    }


def chosen(
    tried: Sequence[Tried], weight: Array, folds: Sequence[Fold] | None, criterion: str
) -> Choice:
    """Return the families in the order of a criterion, those that are not ranked last.

    Their differences are of rows held out where there are folds, and else of all rows.
    """
    every = np.arange(len(weight))
    held = None if folds is None else HeldOut(folds, None, weight)
    criteria = [criteria_of(one, float(weight.sum()), held) for one in tried]
    sign = -1.0 if criterion == "held_out" else 1.0

    def place(i: int) -> tuple[bool, bool, float]:
        value = sign * criteria[i][criterion]
        return not tried[i].ranked, bool(np.isnan(value)), value

    order = sorted(range(len(tried)), key=place)
    lines = [tried[i] for i in order]
    means = HeldOut([Fold(every, every)], None, weight) if held is None else held
    values = [one.log_probs if held is None else one.held_out for one in lines]
    best = values[0] if values else None
    pairs = [_paired(best, other, means) for other in values]
    found = np.array(pairs, float).reshape(-1, 2)
    return Choice(lines, [criteria[i] for i in order], found[:, 0], found[:, 1])


def _paired(best: Array | None, other: Array | None, means: HeldOut) -> tuple[float, float]:
    """Return the mean of the differences, row by row, and its standard error."""
    if best is None or other is None:
        return np.nan, np.nan
    with np.errstate(invalid="ignore"):
        gaps = np.where(best == other, 0.0, best - other)
    return means.mean(gaps), means.spread(gaps, "rows").error


def weights_of(choice: Choice, criterion: str, n: float) -> Array:
    """Return exp(-criterion/2) in shares of the ranked families; nan of all others."""
    values = np.array([line[criterion] for line in choice.criteria])
    if criterion == "held_out":
        values = -2.0 * n * values
    ranked = np.array([one.ranked for one in choice.lines], bool) & ~np.isnan(values)
    share = np.full(len(values), np.nan)
    if ranked.any():
        share[ranked] = np.exp(-0.5 * (values[ranked] - values[ranked].min()))
    return share / np.nansum(share)


def tidied(choice: Choice, refused: Mapping[str, str], criterion: str, n: float) -> Any:
    """Return the table of all families, also of those that do not suit the sample."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(choice.differences / choice.errors)
    vuong = np.where(choice.errors**2 > _SAME, 2.0 * ndtr(-z), np.nan)
    more = len(refused)

    def column(values: Any) -> Array:
        return np.concatenate([np.asarray(values, float), np.full(more, np.nan)])

    return as_frame(
        {
            "family": np.array([*(one.name for one in choice.lines), *refused], object),
            "status": np.array(
                [*(one.status for one in choice.lines), *["refused"] * more], object
            ),
            **{
                name: column([line[name] for line in choice.criteria])
                for name in ("log_likelihood", "n_parameters", "aic", "aicc", "bic")
            },
            "weight": column(weights_of(choice, criterion, n)),
            "difference": column(choice.differences),
            "std_error": column(choice.errors),
            "vuong_p": column(vuong),
            "held_out": column([line["held_out"] for line in choice.criteria]),
            "seconds": column([one.seconds for one in choice.lines]),
            "remark": np.array([*(one.remark for one in choice.lines), *refused.values()], object),
        }
    )


def without_equals(tried: list[Tried]) -> list[Tried]:
    """Return the fits, with a remark at those that stand where they are the law of another one."""
    result: list[Tried] = []
    for one in tried:
        limit = None if one.model is None else one.model._fits[0].limit
        if limit is None:
            other = next((o.name for o in result if _same_here(o, one)), "")
        else:
            other = next((o.name for o in tried if _is_law(o, limit.family)), "")
        result.append(one._replace(same_as=other, remark=f"is {other} here") if other else one)
    return result


def _is_law(tried: Tried, family: Family) -> bool:
    if tried.model is None:
        return False
    fit = tried.model._fits[0]
    return fit.limit is None and _same_kind(family, fit.family)


def _same_here(one: Tried, other: Tried) -> bool:
    """Return whether two fits of as many parameters say the same of every row.

    So do the two negative binomial laws, which differ only in regressions.
    """
    if one.log_probs is None or other.log_probs is None or one.same_as:
        return False
    alike = one.model.n_parameters_ == other.model.n_parameters_
    return alike and np.allclose(one.log_probs, other.log_probs, rtol=0.0, atol=_ALIKE)


def _same_kind(one: Family, other: Family) -> bool:
    """Return whether two families have the same laws, as a limit law and a family of that name.

    A limit law may be of a class that is derived from the family's, with another start.
    """
    if isinstance(one, Wrapper) and isinstance(other, Wrapper) and type(one) is type(other):
        return _same_kind(one.inner, other.inner)
    return isinstance(one, type(other)) or isinstance(other, type(one))
