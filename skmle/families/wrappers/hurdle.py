"""Zeros and what is not zero, each with a model of its own."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Family
from skmle.families.tools.atoms import atoms_of
from skmle.families.wrappers.truncated import Truncated
from skmle.families.wrappers.zero_inflated import ZeroInflated


class Hurdle(ZeroInflated):
    """The law of observations that are zero with probability `zeros`, and else of `family` above 0.

    q(0) = zeros, and q(y) = (1 - zeros) q_inside(y) / P_inside(Y > 0) for y > 0. Unlike
    `ZeroInflated`, all zeros come from one source, so that there may also be fewer of them than the
    law inside would have.

    Parameters
    ----------
    family : str, Family class or Family, default="poisson"
        A family of one column of numbers.
    links : dict of str to str or Link, optional
        A link for ``"zeros"``; by default the logit.

    References
    ----------
    Mullahy (1986), Specification and testing of some modified count data models, Journal of
    Econometrics 33.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> visits = [[0], [0], [0], [1], [3], [2], [1], [4], [1], [2]]
    >>> model = MLEDistribution(families.Hurdle("poisson")).fit(visits)
    >>> {name: round(value, 4) for name, value in model.params_.items()}
    {'mean': 1.5936, 'zeros': 0.3}
    """

    @property
    def inner(self) -> Family:
        """The law of what is not zero."""
        whole = super().inner
        if not whole.contains(np.zeros(1))[0]:
            return whole
        beside_zero = whole.dense is not whole and atoms_of(whole) == (0.0,)
        return whole.dense if beside_zero else Truncated(whole, low=0.0)
