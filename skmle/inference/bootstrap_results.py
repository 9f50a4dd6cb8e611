"""What a bootstrap has found: errors, bias and intervals, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.interval_table import IntervalTable

Array = NDArray[np.float64]

_IN_WORDS = {"bca": "BCa", "percentile": "percentile", "basic": "basic"}
_DRAWN = {
    "pairs": "resamples of the rows",
    "parametric": "samples from the fitted law",
    "cluster": "resamples of groups of rows",
}


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapIntervals(IntervalTable):
    """Bootstrap errors and intervals of some estimates of a fit.

    Parameters
    ----------
    components, terms : sequence of str
        As of the `Inference`.
    estimates : ndarray of shape (m,)
    standard_errors : ndarray of shape (m,)
        The standard deviations over the resamples; inf where some estimates are infinite.
    bias : ndarray of shape (m,)
        The means over the resamples, less the estimates.
    intervals : ndarray of shape (m, 2)
    replicates : ndarray of shape (n_resamples, m)
        The estimates in each resample; nan where the fit has none.
    acceleration : ndarray of shape (m,)
        That of BCa; nan for other methods.
    ends : mapping of str to int
        How many resamples have no regular maximum, by what they do instead. None is left out.
    notes : sequence of str
        Lines below the table.
    kind, method : str
    confidence_level : float
    """

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    standard_errors: Array
    bias: Array
    intervals: Array
    replicates: Array = field(repr=False)
    acceleration: Array
    ends: Mapping[str, int]
    notes: Sequence[str]
    kind: str
    method: str
    confidence_level: float = 0.95

    def tidy(self) -> Any:
        """Return the table as a DataFrame if pandas (or polars) is installed, else as a dict.

        Columns: component, term, estimate, std_error, bias, conf_low, conf_high.
        """
        return self._frame()

    @property
    def _title(self) -> str:
        count = len(self.replicates)
        return f"Bootstrap, {_IN_WORDS[self.method]} intervals, {count} {_DRAWN[self.kind]}"

    def _numbers(self) -> Mapping[str, Array]:
        return {"estimate": self.estimates, "std_error": self.standard_errors, "bias": self.bias}

    def _notes(self) -> Sequence[str]:
        return self.notes
