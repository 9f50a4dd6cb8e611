"""Solvers: functions (objective, start, tol, max_iter) -> Solution."""

from skmle._engine.solvers.newton import newton

SOLVERS = {"newton": newton}

__all__ = ["SOLVERS", "newton"]
