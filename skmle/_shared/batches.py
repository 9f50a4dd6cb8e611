"""Observations in batches: what is kept of a law's data, and how more are joined to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import Observed, condense, count_whole, joined
from skmle._shared.validation import adapted, check_support
from skmle.families import Family
from skmle.families.wrappers.fixed import fix

Array = NDArray[np.float64]

# Different numbers up to which a density of labels takes measurements for labels: scikit-learn's
# checks give it some hundred.
_FEW_LABELS = 200


# Distinct counts up to which a fitted model keeps them for `partial_fit`: 64 kB. More would be the
# data themselves, which a fitted model does not keep. Chosen, not measured.
_MOST_COUNTS = 4096


class Seen(NamedTuple):
    """What is kept of the data of one law: all that more data need to be joined to them."""

    family: Family
    observed: Observed | None
    """None where there is nothing of a size that does not grow with the data."""


def kept(family: Family, condensed: Observed | None) -> Seen:
    """Return what is kept of data: the row that stands for all, or a small table of counts."""
    keeps = condensed is not None and condensed.n <= _MOST_COUNTS
    return Seen(family, condensed if keeps else None)


def joined_with(
    before: Seen | None,
    *,
    family: Family,
    held: Mapping[str, float],
    sample: Any,
    label: str,
    weight: Array | None,
    mask: NDArray[np.bool_] | None,
) -> tuple[Family, Observed]:
    """Return a family that has learnt from all observations, and these together.

    Parameters
    ----------
    before : Seen, optional
        What was seen before the sample.
    held : mapping of str to float
        Parameters of the family that are known.
    sample : ndarray of shape (n,) or (n, m)
        New observations of positive weight.
    label : str
        What the sample is called in messages.
    weight, mask : ndarray, optional
        As `positive_weights` returns them.

    Raises
    ------
    ValueError
        If an observation lies outside the support, or the parameters cannot be held.
    """
    learnt = _learnt(family, held, sample, label)
    counted = None
    if learnt.observation.numeric and learnt.support.discrete and learnt.observation.columns == 1:
        # Of whole numbers all that follows needs the distinct ones alone.
        counted = count_whole(sample, weight)
    if counted is None or not learnt.contains(counted[0]).all():
        check_support(learnt, sample, label, mask)  # To say where one is amiss takes the rows.
    sample, weight = counted or (sample, weight)
    if before is None:
        return learnt, condense(learnt, sample, weight)
    if before.observed is None:
        raise ValueError(
            f"MLEDistribution({family.title}).partial_fit, {label}: what was seen before has more "
            f"than {_MOST_COUNTS} distinct counts, and these were not kept. Allowed: at most as "
            "many. Use fit on all rows."
        )
    if learnt.shortcuts.sums != "rows":
        observed = joined([before.observed, condense(learnt, sample, weight)])
        if learnt.observation.columns == 1:  # the rows that stand for all tell what they tell
            learnt = _learnt(family, held, learnt.restore(observed.statistics), label)
        return learnt, observed
    # Values that were counted are observations with a weight. There may be labels among them that
    # this sample lacks, so that the family learns again.
    new = np.ones(len(sample)) if weight is None else weight
    weight = np.concatenate([before.observed.weights, new])
    sample = np.concatenate([before.family.restore(before.observed.statistics), sample])
    learnt = _learnt(family, held, sample, label)
    return learnt, condense(learnt, sample, weight)


def laws_of_samples(
    family: Family, held: Mapping[str, float], samples: Sequence[tuple[Any, str]]
) -> list[tuple[Family, Any]]:
    """Return for each sample, given with its name, the law that has learnt from it, and itself."""
    return [(_learnt(family, held, sample, label), sample) for sample, label in samples]


def _learnt(family: Family, held: Mapping[str, float], sample: Any, label: str) -> Family:
    what = f"MLEDistribution({family.title}), {label}"
    learnt = adapted(family, sample, what, few=_FEW_LABELS)
    return fix(learnt, held) if held else learnt
