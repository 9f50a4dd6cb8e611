"""The unit of an information measure, the base of its logarithm, and the form of its answer."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from skmle.families.tools.expectation import Array
from skmle.information.laws import Estimate


def nats_of(base: float | None) -> float:
    """Return how many nats make one unit."""
    if base is None:
        return 1.0
    if not isinstance(base, Real) or not 0 < base < np.inf or base == 1:
        raise ValueError(
            f"base={base!r} is no base of a logarithm. Allowed: None for nats, or a number > 0 "
            "other than 1. Give 2 for bits."
        )
    return math.log(base)  # of a whole number of any size


def plain(value: Array) -> Any:
    """Return a single value as a float."""
    return float(value) if np.ndim(value) == 0 else value


def in_units(estimate: Estimate, unit: float, with_error: bool) -> Any:
    """Return an estimate in units of so many nats, with its standard error if that is asked for."""
    value, error = (plain(part / unit) for part in estimate)
    return (value, error) if with_error else value
