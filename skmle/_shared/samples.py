"""The samples of a density: X as a table, its columns as samples, each asked of its own law."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle._shared.kinds import as_column
from skmle._shared.labels import warn_of_unseen
from skmle._shared.messages import level_outside
from skmle._shared.validation import positive_weights
from skmle.exceptions import ScaleWarning
from skmle.families import Distribution, Family
from skmle.families.candidates import misread, note_of_repeats
from skmle.inference.show import printable

Array = NDArray[np.float64]


def as_table(X: Any, y: Any, family: Family, columns: int = 1) -> Any:
    """Return one-dimensional X as a column, unless the family or the fit may have it as a row.

    Beside a y it stays as it is: scikit-learn's contract then wants it refused.

    Parameters
    ----------
    X, y : array-like
    family : Family
    columns : int
        How many columns the fit had before; 1 without one.
    """
    # Of a law of two columns, a column is refused in words about its columns, by `samples_of`.
    one = columns == 1 and family.observation.columns is not None
    return as_column(X) if (one and y is None) or type(X).__name__ == "Series" else X


def notes_of_samples(
    title: str, families: Sequence[Family], samples: Sequence[tuple[Any, str]]
) -> list[str]:
    """Return what is to be said of densities of numbers of which most repeat.

    Warns
    -----
    ScaleWarning
        If a density takes numbers for what they are not, such as degrees for radians.
    """
    notes = []
    for law, (x, label) in zip(families, samples, strict=True):
        notes.append(note_of_repeats(law, x))
        told = misread(law, x, bool(notes[-1]))
        # Of many columns some may be indicators.
        if told and (len(samples) == 1 or law.observation.circular):
            where = f", {label}" if len(samples) > 1 else ""
            warnings.warn(f"MLEDistribution({title}){where}: {told}", ScaleWarning, level_outside())
    return [*dict.fromkeys(filter(None, notes))]


def samples_of(X: Any, family: Family, names: Sequence[Any] | None) -> list[tuple[Any, str]]:
    """Return the samples to be fitted, each with a name.

    They are the columns of X, or all of X for a law of several columns.

    Raises
    ------
    ValueError
        If the law takes another number of columns.
    """
    wanted = family.observation.columns
    if wanted == 1:
        labels = range(X.shape[1]) if names is None else names
        return [
            (np.ascontiguousarray(X[:, j]), f"column {printable(label)}")
            for j, label in enumerate(labels)
        ]
    if not family.observation.has(X.shape[1]):
        raise ValueError(
            f"{type(family).__name__}: X has {X.shape[1]} column{'s' * (X.shape[1] != 1)}. "
            f"Allowed: exactly {family.observation.widths}, as one observation takes. "
            f"{family.observation.advice} Or choose a family of one column."
        )
    return [(X, "X")]


def log_prob_of_samples(
    laws: Sequence[Distribution],
    X: Any,
    sample_weight: ArrayLike | None = None,
    told: bool = True,
) -> Array:
    """Return the log-probability of each row of X, (n,), under the laws of its samples.

    Warns
    -----
    ScoreWarning
        If a row of positive weight has a label that no fit has seen, and that is to be `told`.
    """
    if laws[0].family.observation.columns != 1:
        return laws[0].log_prob(X)
    if told and not laws[0].family.observation.numeric:
        _, counting = positive_weights(sample_weight, X)
        for law, sample in zip(laws, X.T, strict=True):
            unseen, seen = ~law.family.contains(sample), law.family.observations
            warn_of_unseen("MLEDistribution", sample, unseen, seen, counting)
    return np.sum([law.log_prob(x) for law, x in zip(laws, X.T, strict=True)], axis=0)
