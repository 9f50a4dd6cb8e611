"""Linear hypotheses about estimates, as people write them, and Wald's test of them.

"age = 0, bmi = 2 * age" is two equations. Each is a row r of numbers and a number q, r'b = q.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from skmle._spelling import SaysWhatIsMeant
from skmle.inference.elsewhere import OF_TESTS
from skmle.inference.numbers import p_value, statistic
from skmle.inference.show import offered, printable

Array = NDArray[np.float64]

# Size of a direction of the estimates' covariance, relative to the largest, that is rounding.
_RANK = 1e-10
_NUMBER = re.compile(r"[\d.]+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class HypothesisTest(SaysWhatIsMeant):
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
    _elsewhere = OF_TESTS

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


def parsed(
    hypotheses: str | Sequence[str], places: Mapping[str, Sequence[int]], k: int
) -> tuple[Linear, str]:
    """Return the equations that are written about k estimates, and the same in words.

    Parameters
    ----------
    hypotheses : str or sequence of str
        Equations, separated by commas. A name alone is one that equals zero.
    places : mapping of str to sequence of int
        For each name of an estimate, its places among the k.

    Raises
    ------
    ValueError
        If an equation is none, or not linear, or names no estimate, or one of several.
    """
    texts = [hypotheses] if isinstance(hypotheses, str) else hypotheses
    texts = list(texts) if isinstance(texts, Iterable) else [texts]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"test: {hypotheses!r} is no hypothesis. Allowed: a text such as 'age = 0, "
            "bmi = 2 * age', or a list of texts. Give one."
        )
    reader = _Reader(places, k)
    rows, values, words = [], [], []
    for text in texts:
        for part in [text] if text in places else reader.parts(text):
            for own in reader.levels(part) or [part]:
                row, said = reader.equation(own)
                rows.append(row[:k])
                values.append(-row[k])
                words.append(said)
    return Linear(np.array(rows), np.array(values)), printable(", ".join(words))


def _is_word(name: str) -> bool:
    """Return whether a name is found without backticks: not a number, or a sign, in "age - 1"."""
    return bool(re.search(r"[^\W\d]", name)) and not _NUMBER.fullmatch(name)


class _Reader:
    """What reads equations in which names may hold any sign, those of equations among them."""

    def __init__(self, places: Mapping[str, Sequence[int]], k: int) -> None:
        self.places, self.k = places, k
        # The longest first, as one may be part of another.
        plain = sorted(filter(_is_word, places), key=len, reverse=True)
        names = "".join(rf"(?<![\w.]){re.escape(name)}(?!\w)|" for name in plain)
        self._pattern = re.compile(rf"{names}`(?P<quoted>[^`]*)`|(?<!\w)_\d+_(?!\w)")

    def marked(self, text: str) -> tuple[str, list[str]]:
        """Return a text with marks such as _0_ in the place of names, and the names."""
        found: list[str] = []

        def mark(match: re.Match[str]) -> str:
            quoted = match.group("quoted")
            found.append(match.group() if quoted is None else quoted)
            return f"_{len(found) - 1}_"

        return self._pattern.sub(mark, text.strip()), found

    def parts(self, text: str) -> list[str]:
        """Return the equations of a text, which commas outside of names separate."""
        return [part.strip() for part in self._split(text, ",")]

    def _split(self, text: str, sign: str) -> list[str]:
        """Return what a sign outside of names separates."""
        edges = [match.span() for match in self._pattern.finditer(text)]
        inside = {i for low, high in edges for i in range(low, high)}
        cuts = [m.span() for m in re.finditer(sign, text) if m.start() not in inside]
        starts, ends = [0, *(high for _, high in cuts)], [*(low for low, _ in cuts), len(text)]
        return [text[low:high] for low, high in zip(starts, ends, strict=True)]

    def levels(self, name: str) -> list[str]:
        """Return the names of a factor's columns; [] if there is no such factor.

        They are "C(city)[T.b]" or "city[T.b]" of a formula, and "city_b" of `OneHotEncoder`.
        """
        if not name or name in self.places:
            return []
        own = re.escape(name)
        by_formula = rf"(?:C\({own}\b[^\[]*\)|{own})\[[^\]]*\]"
        found = [other for other in self.places if re.fullmatch(by_formula, other)]
        if found:
            return found
        encoded = [o for o in self.places if re.fullmatch(rf"(?:\w+__)?{own}_[^:]+", o)]
        return encoded if len(encoded) > 1 else []

    def equation(self, text: str) -> tuple[Array, str]:
        """Return the weights and the constant of left - right, (k + 1,), and the equation."""
        if text in self.places:
            return self.named(text, text), f"{text} = 0"
        sides = self._split(text, "==?")
        if len(sides) > 2:
            raise ValueError(
                f"test: {text!r} has more than one sign of equality. Allowed: one an equation, and "
                "commas between equations. Write names that have such signs in backticks."
            )
        left, right = sides if len(sides) == 2 else (text, "0")
        row = self.expression(left) - self.expression(right)
        if not row[: self.k].any():
            raise ValueError(
                f"test: {text!r} says nothing of an estimate. Allowed: linear equations such as "
                "'age = 0' or 'bmi = 2 * age'. Name an estimate in it, in backticks if its name "
                "reads as a number."
            )
        return row, text.strip() if len(sides) == 2 else f"{text.strip()} = 0"

    def expression(self, text: str) -> Array:
        """Return k weights and a constant, (k + 1,), of one side of an equation."""
        whole = text.strip()
        marked, found = self.marked(text)
        try:
            tree = ast.parse(marked, mode="eval").body
        except (SyntaxError, ValueError):  # ValueError: of null bytes
            words = [w for w in re.findall(r"\w+", marked) if not re.fullmatch(r"_?\d+_?", w)]
            if words or not whole:
                raise self.unknown(whole, whole) from None
            raise ValueError(
                f"test: {whole!r} cannot be read. Allowed: sums, differences and multiples of "
                "estimates. Mend signs and parentheses."
            ) from None
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            row = self._value(tree, whole, found)
        if not np.isfinite(row).all():
            raise ValueError(
                f"test: {whole!r} has numbers that are not finite. Allowed: finite ones. Give such."
            )
        return row

    def named(self, name: str, text: str) -> Array:
        """Return the weights of an estimate that is named."""
        if name not in self.places:
            raise self.unknown(text, name)
        check_one(name, self.places, "test")
        return np.eye(self.k + 1)[self.places[name][0]]

    def _value(self, node: ast.expr, text: str, found: Sequence[str]) -> Array:
        k = self.k
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return np.append(np.zeros(k), float(node.value))
        if isinstance(node, ast.Name):
            if not re.fullmatch(r"_\d+_", node.id):
                raise self.unknown(text, node.id)
            return self.named(found[int(node.id[1:-1])], text)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
            return self._value(node.operand, text, found) * sign
        if isinstance(node, ast.BinOp):
            one, other = (self._value(side, text, found) for side in (node.left, node.right))
            if isinstance(node.op, ast.Add):
                return one + other
            if isinstance(node.op, ast.Sub):
                return one - other
            if isinstance(node.op, ast.Mult) and not (one[:k].any() and other[:k].any()):
                return one * other[k] if one[:k].any() else other * one[k]
            if isinstance(node.op, ast.Div) and not other[:k].any() and other[k] != 0.0:
                return one / other[k]
        raise ValueError(
            f"test: {text!r} is not linear. Allowed: sums, differences and multiples of "
            "estimates. For other functions use estimate(function)."
        )

    def unknown(self, text: str, name: str) -> ValueError:
        """Return the error of a text that names no estimate."""
        return ValueError(
            f"test: {text!r} names no estimate. Allowed: linear equations of "
            f"{offered(name, list(self.places))}"
        )


def check_one(name: str, places: Mapping[str, Sequence[int]], asked: str) -> None:
    """Raise ValueError if a name is that of several estimates; `asked` says where, for it."""
    if len(places[name]) > 1:
        full = [own for own in places if own.endswith(f":{name}")]
        raise ValueError(
            f"{asked}: {name!r} is the name of {len(places[name])} estimates. Allowed: "
            f"{', '.join(map(repr, sorted(full)))}. Name one of them."
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
            "data determine. Leave it out; the notes below the table say why it has none. For what "
            "is determined of several, as a difference of levels, use estimate(function)."
        )
    weights = linear.weights[:, used]
    away = weights @ estimates[used] - linear.value
    spread = weights @ covariance[np.ix_(used, used)] @ weights.T
    scale = np.sqrt(np.diag(spread))
    scale = np.where(scale > 0.0, scale, 1.0)
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
