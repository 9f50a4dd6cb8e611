"""Linear hypotheses about estimates, as people write them, and Wald's test of them.

"age = 0, bmi = 2 * age" is two equations. Each is a row r of numbers and a number q, r'b = q.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from skmle.inference.numbers import p_value, statistic
from skmle.inference.show import printable

Array = NDArray[np.float64]

# Size of a direction of the estimates' covariance, relative to the largest, that is rounding.
_RANK = 1e-10


@dataclass(frozen=True)
class HypothesisTest:
    """The result of a test of a hypothesis.

    Parameters
    ----------
    kind : str
        Its name.
    hypothesis : str
        What is tested, in words.
    statistic : float
    df : float
        Degrees of freedom: the number of equations; nan where the law of the statistic is a sum of
        weighted chi-squares.
    p_value : float
    df_error : float
        Degrees of freedom of the errors; inf where the statistic is a chi-square, else it is an F.
    at_end : bool
        Whether the hypothesis is at an end of a parameter's range. The law of the statistic is then
        a mixture, half and half, of chi-squares of df - 1 and df degrees of freedom.
    """

    kind: str
    hypothesis: str
    statistic: float
    df: float
    p_value: float
    df_error: float = np.inf
    at_end: bool = False

    def __str__(self) -> str:
        if np.isnan(self.df):
            law = "weighted chi2"
        elif self.at_end:
            law = f"(chi2({self.df - 1:g}) + chi2({self.df:g}))/2"
        elif self.df_error == np.inf:
            law = f"chi2({self.df:g})"
        else:
            law = f"F({self.df:g}, {self.df_error:g})"
        number, p = statistic(self.statistic), p_value(self.p_value)
        equals = "" if p.startswith("<") else "= "
        return f"{self.kind} test of {self.hypothesis}: {law} = {number}, p {equals}{p}"

    __repr__ = __str__


class Linear(NamedTuple):
    """Equations weights @ b = value, (m, k) and (m,)."""

    weights: Array
    value: Array


def parsed(hypotheses: str | Sequence[str], places: Mapping[str, Sequence[int]], k: int) -> Linear:
    """Return the equations that are written about k estimates.

    Parameters
    ----------
    hypotheses : str or sequence of str
        Equations, separated by commas if in one string. A name alone is one that equals zero.
    places : mapping of str to sequence of int
        For each name of an estimate, its places among the k.

    Raises
    ------
    ValueError
        If an equation is none, or not linear, or names no estimate, or one of several.
    """
    parts = hypotheses.split(",") if isinstance(hypotheses, str) else list(hypotheses)
    rows, values = [], []
    for part in parts:
        left, equals, right = part.partition("=")
        one = _expression(left, places, k)
        other = _expression(right, places, k) if equals else np.zeros(k + 1)
        row = one - other
        if not row[:k].any():
            raise ValueError(
                f"test: {part.strip()!r} says nothing of an estimate. Allowed: linear equations "
                "such as 'age = 0' or 'bmi = 2 * age'. Name an estimate in it."
            )
        rows.append(row[:k])
        values.append(-row[k])
    return Linear(np.array(rows), np.array(values))


def _expression(text: str, places: Mapping[str, Sequence[int]], k: int) -> Array:
    """Return k weights and a constant, (k + 1,), of one side of an equation."""
    names = sorted(places, key=len, reverse=True)  # the longest first: one may be part of another
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        found.append(match.group())
        return f"_{len(found) - 1}_"

    pattern = "|".join(rf"(?<![\w.]){re.escape(name)}(?![\w])" for name in names)
    marked = re.sub(pattern, mark, text.strip())
    try:
        tree = ast.parse(marked, mode="eval").body
    except SyntaxError:
        raise _unknown(text, marked, names) from None

    def value(node: ast.expr) -> Array:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return np.append(np.zeros(k), float(node.value))
        if isinstance(node, ast.Name):
            if not re.fullmatch(r"_\d+_", node.id):
                raise _unknown(text, node.id, names)
            name = found[int(node.id[1:-1])]
            if len(places[name]) > 1:
                full = [n for n in names if n.endswith(f":{name}")]
                raise ValueError(
                    f"test: {name!r} is the name of {len(places[name])} estimates. Allowed: "
                    f"{', '.join(map(repr, sorted(full)))}. Name one of them."
                )
            return np.eye(k + 1)[places[name][0]]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return value(node.operand) * (-1.0 if isinstance(node.op, ast.USub) else 1.0)
        if isinstance(node, ast.BinOp):
            one, other = value(node.left), value(node.right)
            if isinstance(node.op, ast.Add):
                return one + other
            if isinstance(node.op, ast.Sub):
                return one - other
            if isinstance(node.op, ast.Mult) and not (one[:k].any() and other[:k].any()):
                return one * other[k] if one[:k].any() else other * one[k]
            if isinstance(node.op, ast.Div) and not other[:k].any() and other[k] != 0.0:
                return one / other[k]
        raise ValueError(
            f"test: {text.strip()!r} is not linear. Allowed: sums, differences and multiples of "
            "estimates. For other functions use estimate(function)."
        )

    return value(tree)


def _unknown(text: str, name: str, names: Sequence[str]) -> ValueError:
    shorts = [own for own in names if ":" not in own] or list(names)
    near = difflib.get_close_matches(name, names, n=3) or shorts[:8]
    return ValueError(
        f"test: {text.strip()!r} names no estimate. Allowed: linear equations of "
        f"{', '.join(map(repr, near))}{', ...' if len(near) < len(names) else ''}. Mend the name."
    )


def wald_test_of(
    linear: Linear, estimates: Array, covariance: Array, words: str, dof: float
) -> HypothesisTest:
    """Return Wald's test of linear equations about estimates.

    Raises
    ------
    ValueError
        If the data do not determine what an equation names, or one follows from the others.
    """
    used = linear.weights.any(axis=0)
    if not np.isfinite(covariance[np.ix_(used, used)]).all():
        raise ValueError(
            f"test: {words} names an estimate that has no standard error. Allowed: those that the "
            "data determine. Leave it out; the notes below the table say why it has none."
        )
    weights = linear.weights[:, used]
    away = weights @ estimates[used] - linear.value
    spread = weights @ covariance[np.ix_(used, used)] @ weights.T
    scale = np.sqrt(np.diag(spread))
    sizes, axes = np.linalg.eigh(spread / np.outer(scale, scale))
    if not sizes[0] > _RANK * sizes[-1]:
        raise ValueError(
            f"test: of the {len(away)} equations {words}, one follows from the others or has no "
            "spread. Allowed: equations that say something each. Leave one out."
        )
    chi2, m = float((((axes.T @ (away / scale)) ** 2) / sizes).sum()), float(len(away))
    if dof == np.inf:
        return HypothesisTest("Wald", words, chi2, m, float(chdtrc(m, chi2)))
    return HypothesisTest("Wald", words, chi2 / m, m, float(fdtrc(m, dof, chi2 / m)), dof)


def in_words(hypotheses: str | Sequence[str]) -> str:
    """Return hypotheses as text in one line."""
    if isinstance(hypotheses, str):
        return printable(hypotheses.strip())
    return printable(", ".join(h if "=" in h else f"{h} = 0" for h in hypotheses))
