"""From the solver's coefficients back to the user's: collinear columns, shifted columns, units of y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmle._engine.data.survey import Basis
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.slopes import Slopes

LOG_UNITS = {"scale": 1.0, "rate": -1.0, "": 0.0}
"""How many times log unit is added to an eta that is not a location (`Param.unit`)."""


@dataclass(frozen=True)
class Coordinates:
    """The affine map raw = matrix @ coef + constant, term by term.

    Parameters
    ----------
    terms : tuple of Term
        As the user stated them; `design` has those of the fit, without dependent columns.
    design : Design
    bases : tuple of Basis or None
    origin, unit : float
        A location-scale y was fitted as (y - origin)/unit.
    moves : tuple of str
        How each eta moves with them (`Param.unit`); () where y was fitted as it is.
    """

    terms: tuple[Term, ...]
    design: Design
    bases: tuple[Basis | None, ...]
    origin: float = 0.0
    unit: float = 1.0
    moves: tuple[str, ...] = ()

    def slopes(self) -> Slopes:
        """Return the user's slopes, term by term, as a map of the solver's coefficients: what penalties are stated on."""
        own = [(j, self.design.slices[j]) for j in self.design.modelled]
        located = [bool(self.moves) and self.moves[j] == "location" for j, _ in own]
        units = np.where(located, self.unit, 1.0)
        sizes = [s.stop - s.start for _, s in own]
        expand = None
        if any(basis is not None for basis in self.bases):
            known = [(self.bases[j], size) for (j, _), size in zip(own, sizes, strict=True)]
            expand = block_diag(*(np.eye(n) if b is None else b.expand for b, n in known))
        index = [np.arange(s.start, s.stop) for _, s in own]
        return Slopes(
            np.concatenate([*index, np.zeros(0, np.intp)]), np.repeat(units, sizes), expand
        )

    def raw(self, coef: Array) -> tuple[tuple[Array, float], ...]:
        """Return (slopes, intercept) of each parameter on the user's scale."""
        result = []
        for j, (term, basis, s) in enumerate(
            zip(self.terms, self.bases, self.design.slices, strict=True)
        ):
            fitted = coef[s]
            intercept = float(coef[s.stop]) if term.intercept else 0.0
            centre = self.design.centre(j) if term.columns is not None else None
            if centre is not None:
                intercept -= float(centre @ fitted)
            slopes = fitted if basis is None else basis.expand @ fitted
            if basis is not None and term.intercept:
                intercept -= self._spread(j, basis, coef)
            slopes, intercept = self._in_units_of_y(j, slopes, intercept)
            result.append((slopes, intercept))
        return tuple(result)

    def fitted(self, raw: tuple[tuple[Array, float], ...]) -> Array:
        """Return the solver's coefficients of raw ones (of a fit without dependent columns)."""
        coef = np.zeros(self.design.d)
        for j, (s, term, (slopes, intercept)) in enumerate(
            zip(self.design.slices, self.terms, raw, strict=True)
        ):
            slopes, intercept = self._in_units_of_fit(j, slopes, intercept)
            coef[s] = slopes
            centre = self.design.centre(j) if term.columns is not None else None
            if term.intercept:
                coef[s.stop] = intercept + (0.0 if centre is None else float(centre @ slopes))
        return coef

    def _in_units_of_y(self, j: int, slopes: Array, intercept: float) -> tuple[Array, float]:
        """Return a term's coefficients for y as the user measures it."""
        if not self.moves:
            return slopes, intercept
        if self.moves[j] == "location":
            origin = self.origin if self.terms[j].intercept else 0.0
            return slopes * self.unit, intercept * self.unit + origin
        return slopes, intercept + LOG_UNITS[self.moves[j]] * float(np.log(self.unit))

    def _in_units_of_fit(self, j: int, slopes: Array, intercept: float) -> tuple[Array, float]:
        """Return a term's coefficients for y as the fit measures it: the inverse of `_in_units_of_y`."""
        if not self.moves:
            return slopes, intercept
        if self.moves[j] == "location":
            origin = self.origin if self.terms[j].intercept else 0.0
            return slopes / self.unit, (intercept - origin) / self.unit
        return slopes, intercept - LOG_UNITS[self.moves[j]] * float(np.log(self.unit))

    def _spread(self, j: int, basis: Basis, coef: Array) -> float:
        # The kept columns' predictor equals that of all columns up to a constant, which one row of X fixes.
        fitted = coef[self.design.slices[j]]
        row = _first_row(self.design, self.terms[j])
        return float(row @ (basis.expand @ fitted) - row[basis.kept] @ fitted)

    def covariance(self, fitted: Array, estimable: tuple[NDArray[np.bool_], ...] | None) -> Array:
        """Return the covariance of raw coefficients from that of the fitted ones; nan for those the data do not determine.

        Parameters
        ----------
        estimable : tuple of ndarray of bool, optional
            Of each term, which slopes the data determine; None: all.
        """
        matrix = self.matrix()
        result = fitted if matrix is None else matrix @ fitted @ matrix.T
        if estimable is not None:
            # An intercept is that of all columns zero, which leaves the rows' space with the first undetermined slope.
            pairs = zip(estimable, self.terms, strict=True)
            unknown = ~np.concatenate(
                [np.r_[e, [bool(e.all())] * t.intercept].astype(bool) for e, t in pairs]
            )
            result[unknown] = np.nan
            result[:, unknown] = np.nan
        return result

    def matrix(self) -> Array | None:
        """Return d raw / d coef, of shape (d_raw, d); None where raw coefficients are the solver's."""
        d = self.design.d
        if (
            self.design.shift is None
            and not self.moves
            and all(basis is None for basis in self.bases)
        ):
            return None
        zero = self.raw(np.zeros(d))
        base = np.concatenate([np.r_[slopes, intercept] for slopes, intercept in zero])
        columns = [
            np.concatenate([np.r_[slopes, intercept] for slopes, intercept in self.raw(unit)])
            - base
            for unit in np.eye(d)
        ]
        rows = np.concatenate([np.r_[np.ones(t.size, bool), t.intercept] for t in self.terms])
        return np.array(columns).reshape(d, -1).T[rows]


def _first_row(design: Design, term: Term) -> Array:
    block = design.X[:1]
    row = np.asarray(block.toarray() if hasattr(block, "toarray") else block, float)[0]
    return row[term.columns]
