"""Solvers: functions (objective, start, tol, max_iter) -> Solution."""

from skmle._engine.solvers.conjugate import conjugate
from skmle._engine.solvers.growing import first_sample, growing
from skmle._engine.solvers.newton import newton

__all__ = ["conjugate", "first_sample", "growing", "newton"]
