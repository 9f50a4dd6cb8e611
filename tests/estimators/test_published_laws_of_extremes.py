"""Published fits of laws of extremes: Coles (2001), An Introduction to Statistical Modeling of
Extreme Values, and the R package ismev, which has its data.
"""

from __future__ import annotations

import numpy as np

from skmle import MLEDistribution

# Coles (2001), section 3.4.1: the highest sea level of each year at Port Pirie, 1923 to 1987.
PORT_PIRIE = np.array(
    """4.03 3.83 3.65 3.88 4.01 4.08 4.18 3.80 4.36 3.96 3.98 4.69 3.85 3.96 3.85 3.93 3.75 3.63
    3.57 4.25 3.97 4.05 4.24 4.22 3.73 4.37 4.06 3.71 3.96 4.06 4.55 3.79 3.89 4.11 3.85 3.86 3.86
    4.21 4.01 4.11 4.24 3.96 4.21 3.74 3.85 3.88 3.66 4.11 3.71 4.18 3.90 3.78 3.91 3.72 4.00 3.66
    3.62 4.33 4.55 3.75 4.08 3.90 3.88 3.94 4.33""".split(),
    float,
)[:, None]


def is_printed(values, printed: str) -> bool:
    """Return whether values are those that were printed, to half a unit of their last digits."""
    shown = [len(number.partition(".")[2]) for number in printed.split()]
    pairs = zip(np.ravel(values), printed.split(), shown, strict=True)
    return all(abs(value - float(number)) <= 0.5 * 10.0**-k for value, number, k in pairs)


def test_gumbel_at_port_pirie():
    """Coles (2001), section 3.4.1: 3.87 (0.03) and 0.195 (0.019), log-likelihood 4.22."""
    model = MLEDistribution("gumbel").fit(PORT_PIRIE)
    result = model.inference()
    assert is_printed(result.estimates, "3.87 0.195")
    assert is_printed(result.standard_errors, "0.03 0.019")
    assert is_printed(model.log_likelihood_, "4.22")
