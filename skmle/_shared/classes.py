"""The family of K classes, and its coefficients.

Users see one row of coefficients a class; fitted are those against a reference class.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import Factors, Observed, observe
from skmle._engine.problem import Problem
from skmle._shared.labels import check_labels, class_weights, sorted_labels
from skmle._shared.shares import Shares
from skmle._shared.validation import positive_weights
from skmle._spelling import did_you_mean
from skmle.families import Family
from skmle.families.bernoulli import Bernoulli
from skmle.families.categorical import Categorical, SymmetricCategorical
from skmle.families.links import LINKS, LOGIT, Link, get_link
from skmle.families.soft import SoftCategorical, SoftSymmetricCategorical
from skmle.inference.show import printable

Array = NDArray[np.float64]

# Why errors are those of a sandwich.
OF_CLASS_WEIGHTS = "class weights are no repeated rows"
OF_SOFT_LABELS = "soft labels are no draws of the law"

# The links of a probability whose eta may be any number.
_LINKS = tuple(name for name, link in LINKS.items() if link.domain == LOGIT.domain and link.onto)


def check_link(link: str | Link, what: str = "CrossEntropyClassifier") -> None:
    """Raise ValueError if no classifier has that link; `what` is the classifier's name."""
    if isinstance(link, Link):
        Bernoulli(links={"probability": link}).check_links()
    elif link not in _LINKS:
        hint = did_you_mean(link, _LINKS, "Choose one of them.", most=2)
        raise ValueError(
            f"{what}: unknown link {link!r}. Allowed: {', '.join(map(repr, _LINKS))}. {hint}"
        )


def family_of_classes(k: int, link: str | Link, absolute: bool = False) -> Family:
    """Return the family of k classes; `absolute` says whether there is an absolute penalty.

    Raises
    ------
    ValueError
        If more than two classes are to have another link than the logit.
    """
    plain = get_link(link) is LOGIT
    if k == 2:
        return Bernoulli(links=None if plain else {"probability": link})
    if not plain:
        raise ValueError(
            f"CrossEntropyClassifier(link={link!r}): y has {k} classes. Only binary classification "
            "is supported. Allowed: link='logit' for more than two classes. Set it, or fit two "
            "classes."
        )
    # A ridge measures log-odds against a reference by a metric in which all classes are alike. For
    # absolute penalties there is no such metric, so that all k rows are fitted.
    return SymmetricCategorical(k) if absolute else Categorical(k)


class Classes(NamedTuple):
    """The classes of some labels, and the rows that count."""

    classes: NDArray[Any]
    present: NDArray[np.bool_]
    """Which classes have rows of positive weight."""
    codes: NDArray[np.intp]
    """Of each row of positive weight, the position of its class among those present."""
    weight: Array | None
    """Of these rows; None if all count alike."""
    mask: NDArray[np.bool_] | None
    """Which rows of X they are; None if all."""
    squares: Array | None = None
    """As in `Observed`: class weights are factors, sample weights repeat rows."""
    factors: Array | None = None
    """The weight of each class that is present, if classes have weights."""


class Prepared(NamedTuple):
    """Checked data of a classifier, ready to be fitted."""

    problem: Problem
    classes: NDArray[Any]
    present: NDArray[np.bool_]
    """Which classes have rows of positive weight."""
    y: NDArray[Any]
    mask: NDArray[np.bool_] | None
    """Which of the user's rows are fitted; None: all."""
    sandwiched: str = ""
    """Why the information tells nothing of how sure the estimates are; "" if it does."""


def classes_that_count(
    y: NDArray[Any],
    X: Any,
    sample_weight: Any,
    class_weight: Any,
    what: str = "CrossEntropyClassifier",
) -> Classes:
    """Return the classes of the labels y, and the rows of X that count under both weights.

    `what` is the name of the classifier in messages.

    Raises
    ------
    ValueError
        If the labels are no classes, or are all the same, or a weight is not allowed.
    """
    check_labels(y, what)
    classes, codes = sorted_labels(y, what)
    if len(classes) < 2:
        raise ValueError(
            f"{what}: y has only one class, {str(classes[0])!r}, in its {len(y)} rows. Allowed: at "
            "least two classes. Give rows of another class too."
        )
    weight, mask = positive_weights(sample_weight, X)
    squares = of_class = None
    if class_weight is not None:
        counted = slice(None) if mask is None else mask
        seen, of_class = np.unique(codes[counted]), np.zeros(len(classes))
        of_class[seen] = class_weights(class_weight, classes[seen], y[counted], weight)
        weight, mask = positive_weights(sample_weight, X, of_class[codes])
        if weight is not None:
            squares = weight * of_class[codes if mask is None else codes[mask]]
    codes = codes if mask is None else codes[mask]
    present = np.bincount(codes, minlength=len(classes)) > 0
    if not present.all():
        codes = (np.cumsum(present) - 1)[codes]
    factors = None if of_class is None else of_class[present]
    return Classes(classes, present, codes, weight, mask, squares, factors)


def observed_classes(family: Family, observations: NDArray[Any], found: Classes) -> Observed:
    """Return what a family needs of observed classes, with what their weights are made of."""
    factors = None
    if found.factors is not None:
        labels = np.arange(len(found.factors)).astype(observations.dtype)
        factors = Factors(family.statistics(labels), found.factors)
    observed = observe(family, observations, found.weight)
    return replace(observed, squares=found.squares, factors=factors)


def family_of_present(k: int, present: int, link: str | Link, absolute: bool = False) -> Family:
    """Return the family of those of k classes that have rows of positive weight.

    Of more than two classes it is the limit of that of all k where the others become impossible:
    the penalty still treats those present alike. One class alone is certain.

    Raises
    ------
    ValueError
        As `family_of_classes`.
    """
    family = family_of_classes(k, link, absolute)
    if present == k:
        return family
    return SymmetricCategorical(present) if absolute and present > 1 else Categorical(present)


def soft_classes(
    found: Shares, X: Any, sample_weight: Any, class_weight: Any
) -> tuple[Classes, Array]:
    """Return the classes of soft labels, and the shares of the rows that count.

    The codes are those of the largest shares.

    Raises
    ------
    ValueError
        If classes are to be weighted, or a weight is not allowed.
    """
    if class_weight is not None:
        raise ValueError(
            "CrossEntropyClassifier: class_weight was given with soft labels, which have no class. "
            "Allowed: class_weight=None. Weigh the rows by sample_weight."
        )
    weight, mask = positive_weights(sample_weight, X)
    shares = found.shares if mask is None else found.shares[mask]
    present = shares.sum(axis=0) > 0.0
    codes = shares[:, present].argmax(axis=1)
    return Classes(found.classes, present, codes, weight, mask), shares[:, present]


def soft_family(k: int, present: int, link: str | Link, absolute: bool = False) -> Family:
    """Return the family of shares of those of k classes that have some, as `family_of_present`."""
    family = family_of_present(k, present, link, absolute)
    if isinstance(family, SymmetricCategorical):
        return SoftSymmetricCategorical(present)
    return SoftCategorical(present) if isinstance(family, Categorical) else family


def with_absent(
    slopes: Array, intercepts: Array, present: NDArray[np.bool_], link: str | Link
) -> tuple[Array, Array]:
    """Return the coefficients of all classes from those of the classes present.

    A class that is absent has probability zero: its slopes are zero, and its intercept is at that
    end of the link.
    """
    shape = len(present) if len(present) > 2 else 1, slopes.shape[1]
    all_slopes, all_intercepts = np.zeros(shape), np.full(shape[0], -np.inf)
    if len(present) > 2:
        all_slopes[present], all_intercepts[present] = slopes, intercepts
    else:
        with np.errstate(divide="ignore"):
            certain = family_of_classes(2, link).eta((np.asarray(float(present[1])),))
        all_intercepts[0] = float(certain[0])
    return all_slopes, all_intercepts


def title_of_classes(classes: NDArray[Any], link: str | Link, absolute: bool) -> str:
    """Return the header of the table of a classifier."""
    if len(classes) > 2:
        what = "one row a class" if absolute else "log-odds that sum to zero over classes"
        return f"Multinomial cross-entropy classifier, {what}"
    label = classes[1]
    name = printable(label) if isinstance(label, str) else f"class {label!s}"
    resolved = get_link(link)
    scale = "log-odds" if resolved is LOGIT else resolved.name
    return f"Binary cross-entropy classifier, {scale} of {name}"


def from_each_class(slopes: Array, intercepts: Array) -> tuple[Array, Array]:
    """Return the coefficients against the last class from those of one row a class."""
    return slopes[:-1] - slopes[-1], intercepts[:-1] - intercepts[-1]


def to_each_class(
    slopes: Array, intercepts: Array, redundant: bool, absolute: bool
) -> tuple[Array, Array]:
    """Return the coefficients of one row a class from those fitted to K > 2 classes.

    Parameters
    ----------
    slopes : ndarray of shape (K - 1, p) or (K, p)
        Against the last class; or of each class, if they are `redundant`.
    intercepts : ndarray of shape (K - 1,) or (K,)
    redundant : bool
        Whether each class has a row of its own.
    absolute : bool
        Whether the penalty is the absolute one alone.
    """
    if not redundant:
        slopes = np.vstack([slopes, np.zeros(slopes.shape[1])])
        intercepts = np.append(intercepts, 0.0)
        slopes = slopes - slopes.mean(axis=0)
    elif absolute:
        slopes = _least_shift(slopes)
    return slopes, intercepts - intercepts.mean()


def _least_shift(slopes: Array) -> Array:
    """Return the (K, p) slopes of least squares among those that fit and cost the same.

    They have the same probabilities and the same sum of absolute values. These have a median of
    zero, which an even number of classes leaves open between two of them; the one returned is the
    limit of l1_ratio -> 1.
    """
    k = len(slopes)
    ordered = np.sort(slopes, axis=0)
    low, high = ordered[(k - 1) // 2], ordered[k // 2]
    return slopes - np.clip(slopes.mean(axis=0), low, high)
