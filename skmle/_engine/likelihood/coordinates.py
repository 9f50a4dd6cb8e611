"""From the solver's coefficients to the user's, and back.

They differ where columns of X depend on each other, where columns are shifted, and where y is
fitted in units of its own spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag

from skmle._engine.data.basis import Basis
from skmle._engine.data.observed import Observed
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.slopes import Slopes
from skmle.families.base import Family

# How many times the logarithm of the unit of y is added to an eta that is no location, by
# `Param.unit`.
LOG_UNITS = {"scale": 1.0, "rate": -1.0, "": 0.0}
_BY_MOVE = {times: unit for unit, times in LOG_UNITS.items()}


class Units(NamedTuple):
    """The units in which y is fitted: as (y - origin)/unit."""

    origin: float = 0.0
    unit: float = 1.0
    moves: tuple[str, ...] = ()
    """How each eta changes with the units (`Param.unit`); () where y is fitted as it is."""
    by_a_factor: bool = False
    """Whether the unit is one of a law of positive numbers (`Family.unit_moves`)."""

    @classmethod
    def of(cls, family: Family, terms: Sequence[Term], observed: Observed) -> Units:
        """Return the units for some observations.

        They are the centre and the spread of y, if each scale of a movable law has an intercept.
        """
        if not family.movable:
            return cls._by_a_factor(family, terms, observed)
        pairs = list(zip(family.parameters, terms, strict=True))
        scales = [term.intercept for param, term in pairs if param.unit in ("scale", "rate")]
        if not all(scales):
            return cls()
        origin, unit = family.centre_and_spread(observed.statistics, observed.weight)
        free = all(term.intercept for param, term in pairs if param.unit == "location")
        return cls(origin if free else 0.0, unit, tuple(p.unit for p in family.parameters))

    @classmethod
    def _by_a_factor(cls, family: Family, terms: Sequence[Term], observed: Observed) -> Units:
        """Return the geometric mean of y as its unit, of a regression by a law that says so."""
        modelled = any(term.columns is not None for term in terms)
        if not family.unit_moves or family.relinked or not modelled:
            return cls()
        pairs = zip(family.unit_moves, terms, strict=True)
        if not all(term.intercept for move, term in pairs if move):
            return cls()
        _, unit = family.centre_and_spread(observed.statistics, observed.weight)
        moves = tuple(_BY_MOVE[move] for move in family.unit_moves)
        return cls(0.0, unit, moves, by_a_factor=True)

    @property
    def standardised(self) -> bool:
        """Whether y is fitted in units of its own spread."""
        return bool(self.moves) and not self.by_a_factor

    def located(self, j: int) -> bool:
        """Return whether a parameter is a location, in units of the spread of y."""
        return bool(self.moves) and self.moves[j] == "location"

    def log_volume(self, family: Family, observed: Observed) -> float:
        """Return the difference that the unit of y makes to the log-likelihood.

        It is the logarithm of the unit for each row whose probability is a density.
        """
        densities, log_unit = family.densities(observed.statistics), float(np.log(self.unit))
        if densities.ndim == 0:
            return log_unit * float(densities) * observed.mass
        weight = observed.weight
        return log_unit * float(densities.sum() if weight is None else densities @ weight)


@dataclass(frozen=True)
class Coordinates:
    """The affine map raw = matrix @ coef + constant, term by term.

    Parameters
    ----------
    terms : tuple of Term
        As the user stated them.
    design : Design
        Its terms are those of the fit, without dependent columns.
    bases : tuple of Basis or None
        How the slopes of each term follow from those fitted; None: they are the same.
    units : Units
    unit : ndarray of shape (p,), optional
        What the columns of X were multiplied with.
    carried : bool
        Whether the constants of all other terms are an intercept of the first (`Problem.carried`).
    """

    terms: tuple[Term, ...]
    design: Design
    bases: tuple[Basis | None, ...]
    units: Units
    unit: Array | None = None
    carried: bool = False

    def slopes(self) -> Slopes:
        """Return the user's slopes, term by term, as a map of the solver's coefficients.

        Penalties are stated on them.
        """
        own = [(j, self.design.slices[j]) for j in self.design.modelled]
        units = np.where([self.units.located(j) for j, _ in own], self.units.unit, 1.0)
        sizes = [s.stop - s.start for _, s in own]
        expand = None
        if any(basis is not None for basis in self.bases):
            known = [(self.bases[j], size) for (j, _), size in zip(own, sizes, strict=True)]
            expand = block_diag(*(np.eye(n) if b is None else b.expand for b, n in known))
        units = np.repeat(units, sizes)
        if self.unit is not None:
            of_columns = np.concatenate([self.unit[self.terms[j].columns] for j, _ in own])
            if expand is None:
                units = units * of_columns
            else:
                expand = of_columns[:, None] * expand
        index = [np.arange(s.start, s.stop) for _, s in own]
        return Slopes(np.concatenate([*index, np.zeros(0, np.intp)]), units, expand)

    def raw(self, coef: Array) -> tuple[tuple[Array, float], ...]:
        """Return (slopes, intercept) of each parameter on the user's scale."""
        result, carried = [], 0.0
        for j, (term, basis, s) in enumerate(
            zip(self.terms, self.bases, self.design.slices, strict=True)
        ):
            fitted = coef[s]
            intercept = float(coef[s.stop]) if term.intercept else 0.0
            if basis is None:
                slopes, level = fitted, self._shifted(j, fitted)
            else:
                slopes, level = basis.expand @ fitted, float(basis.level @ fitted)
            intercept += carried - level if term.intercept else 0.0
            carried += level if self.carried and j == 0 else 0.0
            if self.unit is not None and term.columns is not None:
                slopes = slopes * self.unit[term.columns]
            if self.units.moves:
                slopes, intercept = self._in_units_of_y(j, slopes, intercept)
            result.append((slopes, intercept))
        return tuple(result)

    def fitted(self, raw: tuple[tuple[Array, float], ...]) -> Array:
        """Return the solver's coefficients of raw ones.

        Of columns that depend on each other, the raw slopes are taken to be such as `raw` returns.
        """
        if any(basis is not None for basis in self.bases):
            return self._solved(raw)
        coef, carried = np.zeros(self.design.d), 0.0
        for j, (s, term, (slopes, intercept)) in enumerate(
            zip(self.design.slices, self.terms, raw, strict=True)
        ):
            if self.units.moves:
                slopes, intercept = self._in_units_of_fit(j, slopes, intercept)
            if self.unit is not None and term.columns is not None:
                slopes = slopes / self.unit[term.columns]
            coef[s] = slopes
            level = self._shifted(j, slopes)
            if term.intercept:
                coef[s.stop] = intercept + level - carried
            carried += level if self.carried and j == 0 else 0.0
        return coef

    def _solved(self, raw: tuple[tuple[Array, float], ...]) -> Array:
        """Return the coefficients whose image under the affine map `raw` is nearest."""
        matrix = self.matrix()
        assert matrix is not None
        away = self._joined(raw) - self._joined(self.raw(np.zeros(self.design.d)))
        return np.asarray(np.linalg.lstsq(matrix, away, rcond=None)[0], np.float64)

    def _joined(self, raw: tuple[tuple[Array, float], ...]) -> Array:
        """Return raw coefficients as one vector, in the order of the rows of `matrix`."""
        pairs = zip(raw, self.terms, strict=True)
        return np.concatenate(
            [part for (slopes, b), term in pairs for part in (slopes, [b] * term.intercept)]
        )

    def _shifted(self, j: int, slopes: Array) -> float:
        """Return what term j's predictor gains with the shift of its columns."""
        shift, columns = self.design.shift, self.design.terms[j].columns
        return 0.0 if shift is None or columns is None else float(shift[columns] @ slopes)

    def _in_units_of_y(self, j: int, slopes: Array, intercept: float) -> tuple[Array, float]:
        """Return a term's coefficients for y as the user measures it."""
        if self.units.moves[j] == "location":
            origin = self.units.origin if self.terms[j].intercept else 0.0
            return slopes * self.units.unit, intercept * self.units.unit + origin
        return slopes, intercept + LOG_UNITS[self.units.moves[j]] * float(np.log(self.units.unit))

    def _in_units_of_fit(self, j: int, slopes: Array, intercept: float) -> tuple[Array, float]:
        """Return a term's coefficients for y as the fit measures it.

        It is the inverse of `_in_units_of_y`.
        """
        if self.units.moves[j] == "location":
            origin = self.units.origin if self.terms[j].intercept else 0.0
            return slopes / self.units.unit, (intercept - origin) / self.units.unit
        return slopes, intercept - LOG_UNITS[self.units.moves[j]] * float(np.log(self.units.unit))

    def covariance(self, fitted: Array) -> Array:
        """Return the covariance of raw coefficients from that of the fitted ones.

        Where the data do not determine all, they are those of least norm.
        """
        matrix = self.matrix()
        if matrix is not None and self.unit is not None:
            # The variance of a slope of 1e200 is beyond the doubles, though its error is not.
            matrix = matrix.astype(np.longdouble)
        with np.errstate(over="ignore"):  # a variance beyond the numbers is infinite
            return fitted if matrix is None else matrix @ fitted @ matrix.T

    def moved(self, steps: Array) -> Array:
        """Return steps of the raw coefficients, (..., d_raw), from those of the fitted ones."""
        matrix = self.matrix()
        return steps if matrix is None else steps @ matrix.T

    def idle(self) -> Array | None:
        """Return a change of the raw coefficients that changes no prediction; None: none does."""
        if all(basis is None or basis.idle is None for basis in self.bases):
            return None
        parts, carried = [], 0.0
        for j, (term, basis) in enumerate(zip(self.terms, self.bases, strict=True)):
            slopes, level = np.zeros(term.size), 0.0
            if basis is not None and basis.idle is not None:
                # Not as much as another term: what each class gains alike may be no change at all.
                much = np.sqrt(j + 1.0)
                slopes, level = much * basis.idle, much * basis.idle_level
                if self.unit is not None:
                    slopes = self.unit[term.columns] * slopes
            parts.append(np.append(slopes, [carried - level] * term.intercept))
            carried += level if self.carried and j == 0 else 0.0
        return np.concatenate(parts)

    def matrix(self) -> Array | None:
        """Return d raw / d coef, of shape (d_raw, d).

        It is None where the raw coefficients are those of the solver.
        """
        d = self.design.d
        if (
            self.design.shift is None
            and self.unit is None
            and not self.units.moves
            and all(basis is None for basis in self.bases)
        ):
            return None
        result, row = np.zeros((sum(t.length for t in self.terms), d)), 0
        first = self.design.slices[0]
        carried = self._expanded(0)[1] if self.carried and self.terms[0].size else None
        for j, (term, s) in enumerate(zip(self.terms, self.design.slices, strict=True)):
            high, right = row + term.size, s.stop + term.intercept
            if term.size:
                result[row:high, s], level = self._expanded(j)
                result[high : row + term.length, s] = -level
            if term.intercept:
                result[high, s.stop] = 1.0
                if carried is not None:
                    result[high, first] += carried
            if self.units.located(j):
                result[row : row + term.length, s.start : right] *= self.units.unit
            row += term.length
        return result

    def _expanded(self, j: int) -> tuple[Array, Array]:
        """Return what the slopes of term j, and the level of its predictor, gain with those fitted.

        They are those of y in the units of the fit.
        """
        basis, columns = self.bases[j], self.design.terms[j].columns
        if basis is None:
            shift = self.design.shift
            expand = np.eye(self.terms[j].size)
            level = np.zeros(len(expand)) if shift is None else shift[columns]
        else:
            expand, level = basis.expand, basis.level
        if self.unit is not None:
            expand = self.unit[self.terms[j].columns][:, None] * expand
        return expand, level
