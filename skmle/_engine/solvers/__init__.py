"""Solvers, and the choice of one by what it needs and offers.

A solver is a function (objective, start, *, tol, max_iter) -> Solution. A new solver is one file
here and one line of `SOLVERS`; the tests try all solvers there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from skmle._engine.evaluation import Solution
from skmle._engine.solvers.conjugate import approach, conjugate
from skmle._engine.solvers.growing import first_sample, growing
from skmle._engine.solvers.newton import newton
from skmle._engine.solvers.proximal import proximal
from skmle._engine.solvers.working import Working

# These values were chosen, not measured one by one.
_MATRIX = 1500  # coefficients up to which a Hessian is formed
# Coefficients from which products of the Hessian with vectors may take less time than the Hessian.
_PRODUCTS = 500
# They do for at least this many modelled parameters (classes): at 10 classes of 50 columns a
# Hessian took as long as 30 to 40 products, at 3 classes as long as 5.
_SEVERAL = 4
# Coefficients from which a fit of few rows first looks, by gradients, whether outcomes separate:
# with fewer, Hessians take no longer. Few rows are less than so many for each coefficient. Where
# outcomes did not separate, the way to the maximum took 0.5 to 1.0 of the time of Hessians alone,
# with up to 45 rows for each of 110 to 400 coefficients.
_SEPARATED, _FEW_ROWS = 100, 20
# These steps, at most and for each coefficient: together they take about as long as one Hessian.
# Chosen, not measured.
_LOOKING, _LOOKING_EACH = 100, 0.1
# They do for any number of parameters if there are fewer rows than this for each coefficient.
_WIDE = 2

Need = Literal["gradient", "hessian", "products", "samples", "kinks"]


class Solver(NamedTuple):
    """A solver, and what decides between solvers."""

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
    whole: bool = False
    """Whether a penalty depends on all rows, so that samples of them save nothing."""
    hessian: bool = True
    """Whether the Hessian of all rows is wanted, for standard errors."""


def choose(task: Task) -> Solver:
    """Return the solver that takes the least time."""
    if task.kinks:
        return SOLVERS["proximal"]
    if task.whole:
        return SOLVERS["newton"]
    if task.d > _MATRIX or (task.d > _PRODUCTS and _products_pay(task)):
        return SOLVERS["conjugate"]
    if first_sample(task.n, task.d) is None:
        return SOLVERS["newton"]
    return SOLVERS["growing" if task.hessian else "sampled"]


def looking_steps(n: int, d: int) -> int:
    """Return how many steps may look first for a separation of n rows, of d coefficients.

    It is 0 where there are not so many coefficients that outcomes are likely to separate. Gradients
    show that in less time than the Hessians that a solver takes. Of random labels of two classes,
    half of the samples separate at two rows for each coefficient; of other labels, more.

    References
    ----------
    Cover (1965), Geometrical and statistical properties of systems of linear inequalities with
    applications in pattern recognition, IEEE Transactions on Electronic Computers 14.
    """
    wide = d > _SEPARATED and n < _FEW_ROWS * d
    return min(_LOOKING, int(_LOOKING_EACH * d)) if wide else 0


def _products_pay(task: Task) -> bool:
    """Return whether products with the Hessian take less time than the Hessian itself.

    Even where they do, Newton's method is chosen if the Hessian is wanted, or if a maximum may be
    missing, because its step shows that best; and samples are chosen for many rows, because they
    save more than products do.
    """
    expensive = task.modelled >= _SEVERAL or task.n < _WIDE * task.d
    return expensive and task.convex and not task.hessian and first_sample(task.n, task.d) is None


__all__ = [
    "SOLVERS",
    "Solver",
    "Task",
    "Working",
    "approach",
    "choose",
    "conjugate",
    "first_sample",
    "growing",
    "looking_steps",
    "newton",
    "proximal",
]
