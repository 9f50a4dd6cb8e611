"""Solvers: functions (objective, start, tol, max_iter) -> Solution."""

from skmle._engine.solvers.conjugate import conjugate
from skmle._engine.solvers.growing import first_sample, growing
from skmle._engine.solvers.newton import newton
from skmle._engine.solvers.proximal import Working, proximal

__all__ = ["Working", "conjugate", "first_sample", "growing", "newton", "proximal"]
