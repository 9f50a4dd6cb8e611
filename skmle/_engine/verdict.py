"""The record of what a fit is: a status, its reason, and the direction in which it runs off."""

from __future__ import annotations

from typing import NamedTuple

from skmle._engine.evaluation import Array

INTERIOR = "interior"
BOUNDARY = "boundary"
NO_MAXIMUM = "no_maximum"
NON_REGULAR = "non_regular"
NOT_CONVERGED = "not_converged"
INTERRUPTED = "interrupted"

MAXIMUM = (INTERIOR, BOUNDARY, NON_REGULAR)
"""The statuses of fits that are at the maximum."""

# A reason of NO_MAXIMUM: some rows run off to certainty.
SEPARATION = "separation"
# A reason of NOT_CONVERGED: another iteration would change nothing.
STALLED = "no step lowers the objective any further, because of rounding"
# Another: a law whose density takes long, or whoever asked for the fit waits no longer.
OUT_OF_TIME = "the time that a fit of this law may take is over"
# Another: sums of very large numbers are infinite.
BEYOND_NUMBERS = "the log-likelihood is beyond the range of floating-point numbers"

# A reason of INTERRUPTED: it was no callback.
KEYBOARD = "the keyboard"


class Verdict(NamedTuple):
    """A status with its reason, in words, and the direction in which the fit runs off."""

    status: str
    reason: str = ""
    direction: Array | None = None
