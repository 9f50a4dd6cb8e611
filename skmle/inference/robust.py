"""Covariances of the estimates: from the information, or from the rows whatever their law is.

With A the Hessian of -log-likelihood (the bread is its inverse) and g the gradients of the rows:

========== =================================== =====================================================
observed   A^-1                                 the law that is fitted holds
expected   E[A]^-1                              the same, without the accidents of this sample
augmented  E[A]^-1, rows as often as 1 + their   under Jeffreys' penalty, as R's logistf has it
           leverage
outer      (sum g g')^-1                        the same; Berndt, Hall, Hall & Hausman (1974)
law        A^-1 E[sum g g'] A^-1               the same, of rows whose classes have weights
HC0        A^-1 (sum g g') A^-1                 rows are independent, whatever their law
HC1        HC0 n/(n - k)                        the same, less biased on few rows
HC2, HC3   as HC0; g as if the row were left    the same, for few rows or rows of high leverage
           out, on average (2) or exactly (3)
cluster    g summed by group                    groups are independent; rows within may not be
HAC        products of g up to some lags apart  rows depend on those shortly before, in time order
========== =================================== =====================================================

A weight is a repeated row, unless `weights="factors"` says that it multiplies a row's
log-likelihood, as the weights of a survey do.

References
----------
White (1982), Maximum likelihood estimation of misspecified models, Econometrica 50.
Zeileis (2006), Object-oriented computation of sandwich estimators, J. Statistical Software 16.
Cameron, Gelbach & Miller (2011), Robust inference with multiway clustering, JBES 29.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmle.inference.covariance_settings import BY_LAW, check_rows_left

Array = NDArray[np.float64]

# The kinds that are no sandwich.
_INFORMATION = {
    "observed": "observed information",
    "expected": "expected information",
    "augmented": "expected information of the rows that the penalty adds to",
    "outer": "outer product of the gradients",
}

# The factor of each kind where no other is asked for: that of its definition; of clusters that of
# Stata.
_USUAL = {"HC1": "n/(n-k)", "cluster": "G/(G-1)"}
# Powers of (1 - leverage) by which the gradients of rows are divided.
_POWERS = {"HC2": 0.5, "HC3": 1.0}
# Variance by a sandwich, relative to that by the information, that is rounding: gradients of 1e-16
# give 1e-32. Chosen, not measured.
_CERTAIN = 1e-20
# Groups below which the table says that errors by groups come out too small. From Cameron & Miller
# (2015), A practitioner's guide to cluster-robust inference, J. Human Resources 50, who name 20 to
# 50.
_FEW_GROUPS = 30


class EvidenceLike(Protocol):
    """A likelihood at its maximum, as `skmle._engine.prepare.evidence.Evidence` is one."""

    @property
    def n(self) -> int:
        """Number of rows."""

    @property
    def mass(self) -> float:
        """Total weight."""

    @property
    def observations(self) -> float:
        """Number of independent rows: repeats count, factors do not."""

    @property
    def n_modelled(self) -> int:
        """Number of coefficients of the parameters that depend on features, and of the first."""

    @property
    def inverse(self) -> Array:
        """The inverse Hessian of the mean of -log q."""

    @property
    def expected_inverse(self) -> Array:
        """Its expectation's."""

    @property
    def augmented_inverse(self) -> Array:
        """The same of the rows to which Jeffreys' penalty adds."""

    def outer(self, entries: Any = None) -> Array:
        """Return the sum of the products of the rows' gradients."""

    def outer_by_group(self, groups: NDArray[np.intp]) -> Array:
        """Return the sum of the products of the groups' summed gradients."""

    def outer_by_law(self) -> Array:
        """Return what the law expects of this sum, of rows whose classes have weights."""

    def adjusted(self, power: float, reproduced: float | None = None) -> Any:
        """Return what finds the rows' gradients over a power of what the others leave of each.

        `reproduced` stands for those of rows of which the others leave nothing.
        """

    def lagged(self, lags: int) -> Array:
        """Return the sum of the products of gradients up to some lags apart."""

    def covariance(self, inverse: Array, meat: Array | None = None) -> Array:
        """Return the covariance of the user's coefficients, those of least norm."""

    def masked(self, covariance: Array) -> Array:
        """Return a covariance whose entries are nan for what the data do not determine."""


class Errors(NamedTuple):
    """Covariances of the estimates, one a fit, and where they come from."""

    covariances: tuple[Array | None, ...]
    """None: there is none."""
    origin: str = "observed information"
    """In words, for the line below a table."""
    dof: float = np.inf
    """Degrees of freedom of the t distribution by which intervals are taken; inf: the normal."""
    notes: tuple[str, ...] = ()
    """More lines below the table."""
    wholes: tuple[Array | None, ...] = ()
    """The covariances of the coefficients of least norm; of those in `covariances`, what the data
    do not determine is nan."""

    @property
    def known(self) -> bool:
        """Whether all covariances are there."""
        return all(covariance is not None for covariance in self.covariances)


class Choice(NamedTuple):
    """Which covariance is wanted."""

    kind: str
    groups: tuple[NDArray[np.intp], ...] = ()
    """For each way to group the rows, the group of each row, from 0 on."""
    lags: int | None = None
    correction: str | None = None
    distribution: str = "normal"


def errors_of(every: Sequence[EvidenceLike], choice: Choice) -> Errors:
    """Return the covariances that are wanted, one for each likelihood.

    Raises
    ------
    ValueError
        If an information matrix is singular, or the rows are too few or too regular to tell errors.
    """
    for evidence in every:
        _check_rows_left(evidence, choice)
    try:
        covariances = tuple(_covariance(evidence, choice) for evidence in every)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"inference: covariance={choice.kind!r} needs an information matrix that has an "
            "inverse, and that of these rows has none. Allowed: data that determine all "
            "coefficients. Leave out columns, or use covariance='observed'."
        ) from None
    notes: list[str] = []
    fixed = [_positive(c) for c in covariances]
    if any(was for _, was in fixed):
        notes.append(
            "The covariance by two ways of grouping had negative variances, which were set to zero."
        )
    first = every[0]
    dof = np.inf
    if choice.distribution == "t":
        count = min((int(codes.max()) for codes in choice.groups), default=0)
        dof = float(count) if count else first.observations - first.n_modelled
    if choice.groups and (fewest := min(int(c.max()) + 1 for c in choice.groups)) < _FEW_GROUPS:
        notes.append(
            f"Of only {fewest} groups such errors come out too small; distribution='t' helps."
        )
    origin = _in_words(choice, first)
    wholes = tuple(c for c, _ in fixed)
    shown = tuple(one.masked(whole) for one, whole in zip(every, wholes, strict=True))
    return Errors(shown, origin, dof, tuple(notes), wholes)


def _check_rows_left(evidence: EvidenceLike, choice: Choice) -> None:
    """Raise ValueError if no rows are left that tell of errors."""
    n, k = evidence.observations, evidence.n_modelled
    if n > k or (choice.kind in BY_LAW and choice.distribution != "t"):
        return
    asked = "distribution='t'" if choice.kind in BY_LAW else f"covariance={choice.kind!r}"
    check_rows_left(n, k, asked)


def _check_spread(evidence: EvidenceLike, covariance: Array, kind: str) -> Array:
    """Return a sandwich, unless it says of a coefficient that it is certain."""
    own = np.diag(evidence.covariance(evidence.inverse))
    none = np.diag(covariance) <= _CERTAIN * own
    if none.any():
        raise ValueError(
            f"inference: covariance={kind!r} gives {int(none.sum())} of {len(own)} coefficients no "
            "error at all, as the fit reproduces all rows that bear on them, or each group of them "
            "as a whole. Allowed: rows that differ from what is predicted. Use "
            "covariance='observed', or other groups."
        )
    return covariance


def _covariance(evidence: EvidenceLike, choice: Choice) -> Array:
    kind = choice.kind
    if kind in _INFORMATION:
        return _factor(evidence, choice) * _by_information(evidence, kind)
    sandwich = evidence.covariance(evidence.inverse, _meat(evidence, choice))
    # That of two ways of grouping is a difference, and may be negative.
    return sandwich if len(choice.groups) > 1 else _check_spread(evidence, sandwich, kind)


def _by_information(evidence: EvidenceLike, kind: str) -> Array:
    """Return the covariance that holds if the law does."""
    if kind == "outer":
        inverse = np.asarray(np.linalg.inv(evidence.outer() / evidence.mass), np.float64)
    elif kind == "augmented":
        inverse = evidence.augmented_inverse
    else:
        inverse = evidence.expected_inverse if kind == "expected" else evidence.inverse
    return evidence.covariance(inverse)


def _meat(evidence: EvidenceLike, choice: Choice) -> Array:
    """Return the covariance of the summed gradients, by the rows."""
    kind = choice.kind
    if kind == "cluster":
        total = np.zeros(())
        for codes, sign in zip(choice.groups, (1.0, 1.0, -1.0), strict=False):
            factor = _factor(evidence, choice, int(codes.max()) + 1)
            total = total + sign * factor * evidence.outer_by_group(codes)
        return total
    factor = _factor(evidence, choice)
    if kind == "HAC":
        return factor * evidence.lagged(_lags(evidence, choice))
    if kind == "law":
        return factor * evidence.outer_by_law()
    if kind in _POWERS:
        entries = evidence.adjusted(_POWERS[kind], reproduced=np.nan)
        meat = evidence.outer(entries)
        if not np.isfinite(meat).all():
            _check_leverages(entries(0, evidence.n), kind)
        return factor * meat
    return factor * evidence.outer()


def _check_leverages(gradients: Sequence[Array], kind: str) -> None:
    """Raise ValueError if the fit reproduces some rows whatever they are."""
    rows = np.flatnonzero(~np.isfinite(np.array(gradients)).all(axis=0))
    if len(rows):
        first = ", ".join(map(str, rows[:3])) + (", ..." if len(rows) > 3 else "")
        raise ValueError(
            f"inference: covariance={kind!r} divides by 1 - leverage, and {len(rows)} rows "
            f"have leverage one, as a column of their own gives it (of the rows that count, "
            f"{first}). Allowed: rows that others help to predict. Leave out these rows with the "
            "columns that are theirs alone, which changes no other estimate, or use "
            "covariance='observed'."
        )


def _lags(evidence: EvidenceLike, choice: Choice) -> int:
    """Return how many lags count: by default those of Newey & West (1994)."""
    if choice.lags is not None:
        if choice.lags >= evidence.n:
            raise ValueError(
                f"inference: lags={choice.lags} of {evidence.n} rows. Allowed: fewer than there "
                "are rows. Give a smaller number, or none for the usual one."
            )
        return int(choice.lags)
    return int(4.0 * (evidence.n / 100.0) ** (2.0 / 9.0))


def _factor(evidence: EvidenceLike, choice: Choice, groups: int = 0) -> float:
    """Return the factor for small samples."""
    correction = choice.correction or _USUAL.get(choice.kind, "none")
    n, k = evidence.observations, evidence.n_modelled
    result = 1.0
    if correction.startswith("G"):
        result = groups / (groups - 1.0)
    if correction.endswith("n/(n-1)"):
        result *= n / (n - 1.0)
    elif correction.endswith("(n-1)/(n-k)"):
        result *= (n - 1.0) / (n - k)
    elif correction.endswith("n/(n-k)"):
        result *= n / (n - k)
    return result


def _positive(covariance: Array) -> tuple[Array, bool]:
    """Return a covariance without negative variances, and whether it had some."""
    variances = np.diag(covariance)
    if not (variances < 0.0).any():
        return covariance, False
    known = np.isfinite(variances)
    part = covariance[np.ix_(known, known)]
    scale = np.sqrt(np.abs(np.diag(part)))
    scale[scale == 0.0] = 1.0
    sizes, axes = np.linalg.eigh(part / np.outer(scale, scale))
    result = covariance.copy()
    lifted = (axes * np.maximum(sizes, 0.0)) @ axes.T * np.outer(scale, scale)
    result[np.ix_(known, known)] = lifted
    return result, True


def _in_words(choice: Choice, evidence: EvidenceLike) -> str:
    """Return where standard errors come from, for the line below a table."""
    correction = choice.correction or _USUAL.get(choice.kind, "none")
    factor = "" if correction == "none" else f", {correction}"
    if choice.kind in _INFORMATION:
        words = _INFORMATION[choice.kind] + factor
    elif choice.kind == "cluster":
        counts = " and ".join(str(int(codes.max()) + 1) for codes in choice.groups[:2])
        words = f"sandwich by {counts} groups{factor}"
    elif choice.kind == "HAC":
        words = f"HAC sandwich of {_lags(evidence, choice)} lags{factor}"
    elif choice.kind == "law":
        words = f"sandwich by the law{factor}"
    else:
        words = f"{choice.kind} sandwich{factor if choice.kind != 'HC1' else ''}"
    return words + (", t distribution" if choice.distribution == "t" else "")
