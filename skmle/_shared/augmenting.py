"""The rows of a fit beside what it says of each: fitted values, residuals, leverage, influence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from skmle._shared.diagnostics import Columns, of_numbers
from skmle._shared.profiling import lines_in_coefficients
from skmle._shared.rows_again import RowsAgain
from skmle._shared.samples import as_table, log_prob_of_samples, samples_of
from skmle._shared.validation import positive_weights
from skmle.families import Distribution, get_family

Array = NDArray[np.float64]
PITS = ("randomised", "mid")


def check_pit(pit: Any, what: str) -> None:
    """Raise ValueError unless a place in a law of masses is asked for in a way that is known."""
    if pit not in PITS:
        raise ValueError(
            f"{what}: pit={pit!r} is not known. Allowed: {', '.join(map(repr, PITS))}. Choose one "
            "of them."
        )


class Augmenting(RowsAgain):
    """What an estimator says of each row."""

    n_features_in_: int
    _rows: Callable[..., Any]
    """Of a density: (X, family, reset) -> its rows, checked."""
    _own_errors: Callable[[], Any]
    _results: Callable[[], Any]
    _observed: tuple[Distribution, ...]
    """Of a density: the law of what is observed, for each sample."""

    def _augment(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        pit: str,
        random_state: Any,
        influence: bool | str,
        beside: Mapping[str, Any],
    ) -> Columns:
        """Return the columns of `Inference.augment`, one value a row of X."""
        what = f"{type(self).__name__}, augment"
        check_pit(pit, what)
        if influence not in (True, False, "coefficients"):
            raise ValueError(
                f"{what}: influence={influence!r} is not known. Allowed: True, False, or "
                "'coefficients' for dfbetas as well. Choose one of them."
            )
        n = _num_samples(X)
        _, counting = positive_weights(sample_weight, X)
        share = np.full(n, 0.5)
        if pit == "randomised":
            share = np.asarray(check_random_state(random_state).uniform(size=n))
        columns = self._diagnose(X, y, share, counting, beside)
        if influence:
            each = influence == "coefficients"
            columns |= self._influence(X, y, sample_weight, beside, each)
        return columns

    def _influence(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        beside: Mapping[str, Any],
        each: bool,
    ) -> Columns:
        """Return leverage and Cook's distance of each row; rows of weight zero have none.

        With `each`, dfbetas of each coefficient as well.
        """
        asked = f"{type(self).__name__}.inference().augment"
        every, mask = self._evidences(X, y, sample_weight, "repeats", dict(beside), asked)
        try:
            leverage = sum(evidence.leverages() for evidence in every)
            sizes = [evidence.n_influenced for evidence in every]
            distances = [evidence.cooks_distances() for evidence in every]
            shifts = self._dfbetas([evidence.moves() for evidence in every]) if each else {}
        except np.linalg.LinAlgError:
            raise ValueError(
                f"{type(self).__name__}, augment: leverage needs an information matrix that has "
                "an inverse, and that of these rows has none. Allowed: data that determine all "
                "coefficients. Leave out columns, or set influence=False."
            ) from None
        moves = sum(d * k for d, k in zip(distances, sizes, strict=True))
        found: Columns = {
            "leverage": np.asarray(leverage),
            "cooks_distance": np.asarray(moves / max(sum(sizes), 1)),
            **shifts,
        }
        if mask is None:
            return found
        columns: Columns = {}
        for name, values in found.items():
            columns[name] = np.zeros(len(mask))
            columns[name][mask] = values
        return columns

    def _dfbetas(self, moves: Sequence[Array]) -> Columns:
        """Return what each row does to each estimate, in standard errors."""
        result = self._results()
        vector, weights = np.hstack(moves), lines_in_coefficients(self, self._own_errors())
        errors = np.asarray(result.eta_errors)
        values = vector @ np.where(np.isnan(weights), 0.0, weights).T / errors
        values[:, np.isnan(weights).any(axis=1)] = np.nan
        names = result._unique_names()
        return {f"dfbetas[{name}]": column for name, column in zip(names, values.T, strict=True)}

    def _diagnose(
        self,
        X: Any,
        y: Any,
        share: Array,
        counting: NDArray[np.bool_] | None,
        beside: Mapping[str, Any],
    ) -> Columns:
        """Return the residuals of rows; here, of the samples of a density.

        Parameters
        ----------
        X, y : array-like
        share : ndarray of shape (n,)
            Where between its ends the PIT of a mass is.
        counting : ndarray of bool of shape (n,), optional
            The rows of positive weight.
        beside : mapping of str to array-like
            Offset and exposure.
        """
        family = get_family(self.family)  # type: ignore[attr-defined]
        table = self._rows(as_table(X, y, family, self.n_features_in_), family, reset=False)
        samples = samples_of(table, family, getattr(self, "feature_names_in_", None))
        total = log_prob_of_samples(self._observed, table, told=False)
        columns: Columns = {"log_prob": total}
        for law, (sample, name) in zip(self._observed, samples, strict=True):
            law_of = law.family
            if not (law_of.univariate and law_of.observation.numeric):
                continue
            eta = law_of.eta(law.theta) if law._eta is None else law._eta
            own = of_numbers(law_of, sample, eta, law.log_prob(sample), share)
            if len(samples) > 1:
                own = {f"{key}[{name.removeprefix('column ')}]": v for key, v in own.items()}
            columns |= own
        return columns
