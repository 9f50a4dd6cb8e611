"""Solvers, and the choice of one by what it needs and offers.

A solver is a function (objective, start, *, tol, max_iter) -> Solution. A new solver is one file
here and one line of `SOLVERS`; the tests try whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from skmle._engine.evaluation import Solution
from skmle._engine.solvers.conjugate import conjugate
from skmle._engine.solvers.growing import first_sample, growing
from skmle._engine.solvers.newton import newton
from skmle._engine.solvers.proximal import proximal
from skmle._engine.solvers.working import Working

_MATRIX = 1500  # coefficients beyond which no Hessian is formed
_PRODUCTS = 500  # coefficients from which products with the Hessian may cost less than it does
_SEVERAL = 4  # modelled parameters (classes) from which they do
_WIDE = 2  # rows per coefficient below which they do for any number of parameters

Need = Literal["gradient", "hessian", "products", "samples", "kinks"]


class Solver(NamedTuple):
    """A solver, and what a choice between solvers turns on."""

    solve: Callable[..., Solution]
    needs: Need
    """What the objective must offer beside value and gradient.

    "hessian": evaluations of order 2; "products": `curvature(coef)`, the Hessian as an operator;
    "samples": `sample(m)`, the objective on some of its rows, and Hessians; "kinks": absolute
    penalties, and its own restriction to some columns; "gradient": nothing else.
    """
    hessian: bool
    """Whether its solution has the Hessian of all rows, which the standard errors need."""


SOLVERS = {
    "newton": Solver(newton, needs="hessian", hessian=True),
    "growing": Solver(growing, needs="samples", hessian=True),
    "sampled": Solver(partial(growing, curvature=False), needs="samples", hessian=False),
    "conjugate": Solver(conjugate, needs="products", hessian=False),
    "proximal": Solver(proximal, needs="kinks", hessian=False),
}


class Task(NamedTuple):
    """What a solver is chosen by."""

    n: int
    """Rows."""
    d: int
    """Coefficients."""
    modelled: int = 1
    """Parameters that depend on features."""
    kinks: bool = False
    """Whether there are absolute penalties."""
    convex: bool = False
    """Whether a penalty holds all slopes, so that there surely is a maximum."""
    hessian: bool = True
    """Whether the Hessian of all rows is wanted, for standard errors."""


def choose(task: Task) -> Solver:
    """Return the solver that takes the least time."""
    if task.kinks:
        return SOLVERS["proximal"]
    if task.d > _MATRIX or (task.d > _PRODUCTS and _products_pay(task)):
        return SOLVERS["conjugate"]
    if first_sample(task.n, task.d) is None:
        return SOLVERS["newton"]
    return SOLVERS["growing" if task.hessian else "sampled"]


def _products_pay(task: Task) -> bool:
    """Return whether products with the Hessian take less time than the Hessian itself.

    They are no alternative where the answer needs the Hessian.
    Newton's own step shows best where a maximum may be missing, and samples shorten the way more
    than products do.
    """
    dear = task.modelled >= _SEVERAL or task.n < _WIDE * task.d
    return dear and task.convex and not task.hessian and first_sample(task.n, task.d) is None


__all__ = [
    "SOLVERS",
    "Solver",
    "Task",
    "Working",
    "choose",
    "conjugate",
    "first_sample",
    "growing",
    "newton",
    "proximal",
]
