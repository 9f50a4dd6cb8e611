"""The records at both ends of a fit: what is asked, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._engine.design import Term
from skmle._engine.evaluation import Array
from skmle._engine.verdict import Verdict
from skmle.families._base import Family, Limit


@dataclass(frozen=True)
class Problem:
    """What is to be fitted to what.

    Parameters
    ----------
    family : Family
        Adapted to the data.
    y : ndarray of shape (n,) or (n, m)
        Inside the support.
    terms : tuple of Term
        One per parameter.
    X : ndarray or CSR array of shape (n, p), optional
    weight : ndarray of shape (n,), optional
        Positive.
    offset : ndarray of shape (n,), optional
        Added to the first eta.
    alpha : float
        Ridge penalty on the slopes, per row.
    symmetric : bool
        Whether the terms are classes against a reference class, to be penalised alike.
    """

    family: Family
    y: Any
    terms: tuple[Term, ...]
    X: Any = None
    weight: Array | None = None
    offset: Array | None = None
    alpha: float = 0.0
    symmetric: bool = False
    tol: float = 1e-6
    max_iter: int = 100
    threads: int = 1
    covariance: bool | str = "auto"
    """Whether the covariance is wanted; "auto": where it costs little beside the fit."""
    start: tuple[tuple[Array, float], ...] | None = None
    """Coefficients to start from, on the user's scale, term by term."""
    copies: NDArray[np.intp] | None = None
    """How many of the user's rows each row stands for; None: one."""

    @property
    def features(self) -> bool:
        """Whether any parameter depends on the row."""
        return self.offset is not None or any(t.columns is not None for t in self.terms)

    @property
    def n(self) -> int:
        """Number of the user's rows."""
        return len(self.y) if self.copies is None else int(self.copies.sum())


@dataclass(frozen=True)
class Fit:
    """A fitted law: coefficients on the user's scale and how sure they are."""

    family: Family
    """The law fitted; at a boundary, the limit law."""
    coefs: tuple[tuple[Array, float], ...]
    """(slopes, intercept) of each parameter of `family`."""
    covariance: Array | None
    """Of all coefficients, term by term, slopes then intercept: inverse observed information; None where there is none."""
    log_likelihood: float
    """Total, in nats, constants included, without the penalty."""
    mass: float
    """Total weight."""
    verdict: Verdict
    n_iter: int = 1
    distance: float = 0.0
    limit: Limit | None = None
    estimable: tuple[NDArray[np.bool_], ...] | None = None
    """Of each term, which slopes the data determine; None: all."""
    moving: tuple[NDArray[np.bool_], ...] | None = None
    """Of each term, which slopes run to infinity where there is no maximum."""
    n_parameters: int = 0
    """How many parameters were estimated: collinear columns count once."""
