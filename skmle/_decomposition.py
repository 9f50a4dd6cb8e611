"""The cross-entropy of a classifier as uncertainty - resolution + calibration, in nats."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, xlogy
from sklearn.isotonic import IsotonicRegression

from skmle._shared.labels import label_columns
from skmle._shared.validation import positive_weights, weighted_mean
from skmle.classifier import CrossEntropyClassifier
from skmle.exceptions import FitWarning
from skmle.inference.show import as_frame, html_table, text_table

__all__ = ["CrossEntropyDecomposition", "cross_entropy_decomposition"]

Array = NDArray[np.float64]

METHODS = ("auto", "isotonic", "logistic")
# Probabilities whose logarithm is a feature of a recalibration are kept from 0 by so much.
_LEAST = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class CrossEntropyDecomposition:
    """A cross-entropy in its parts, in nats per row.

    Attributes
    ----------
    cross_entropy : float
        Minus the mean log-likelihood: uncertainty - resolution + calibration.
    uncertainty : float
        The entropy of the labels: what the shares of the classes alone would have.
    resolution : float
        What the probabilities tell of the labels, once recalibrated: >= 0, more is better.
    calibration : float
        What is lost because they are not calibrated: >= 0, less is better.
    method : str
        How they were recalibrated.
    """

    cross_entropy: float
    uncertainty: float
    resolution: float
    calibration: float
    method: str

    def tidy(self) -> Any:
        """Return the parts as a frame of one line; a dict of arrays without pandas."""
        names = ("cross_entropy", "uncertainty", "resolution", "calibration")
        return as_frame({name: np.array([getattr(self, name)]) for name in names})

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        parts = [
            ("uncertainty", self.uncertainty),
            ("- resolution", self.resolution),
            ("+ calibration", self.calibration),
            ("= cross-entropy", self.cross_entropy),
        ]
        return ["", "nats per row"], [[name, f"{value:.4f}"] for name, value in parts]

    def __repr__(self) -> str:
        return f"Recalibrated: {self.method}\n{text_table(*self._cells())}"

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=f"Recalibrated: {self.method}")


def cross_entropy_decomposition(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    method: str = "auto",
) -> CrossEntropyDecomposition:
    """Return a classifier's cross-entropy as uncertainty - resolution + calibration.

    The probabilities are recalibrated on the rows themselves, by the best function of them of a
    kind that holds the identity and all constants. What that gains over the probabilities as they
    are is the loss by calibration; what it gains over the shares of the classes is the resolution.
    So neither part is negative, whatever the classifier.

    Parameters
    ----------
    estimator : fitted classifier
        Any with `predict_proba`, in a pipeline or not.
    X : array-like of shape (n, p)
        Rows that the fit has not seen, if they are to say how it does on new ones.
    y : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    method : {"auto", "isotonic", "logistic"}, default="auto"
        "isotonic", of two classes: the most likely rising function of the probability. "logistic":
        a multinomial logistic regression on the logarithms of the probabilities. "auto" is the
        first of two classes, and else the second.

    Returns
    -------
    CrossEntropyDecomposition

    Raises
    ------
    TypeError
        If the estimator has no `predict_proba`.
    ValueError
        If y has a label that the fit has not seen, or a setting has no meaning.

    References
    ----------
    Murphy (1973), A new vector partition of the probability score, J. Applied Meteorology 12.
    Bröcker (2009), Reliability, sufficiency, and the decomposition of proper scores, Quarterly
    Journal of the Royal Meteorological Society 135.
    Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic
    classifiers, PNAS 118. (isotonic)
    Kull et al. (2019), Beyond temperature scaling, NeurIPS. (logistic)

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmle.metrics import cross_entropy_decomposition
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X, X_new, y, y_new = train_test_split(X, y, random_state=0)
    >>> cross_entropy_decomposition(GaussianNB().fit(X, y), X_new, y_new)
    Recalibrated: isotonic
    -----------------------------
                     nats per row
    -----------------------------
    uncertainty            0.6593
    - resolution           0.5678
    + calibration          0.3159
    = cross-entropy        0.4074
    -----------------------------
    """
    proba, codes = probabilities(estimator, X, y)
    n, k = proba.shape
    weight, counts = positive_weights(sample_weight, proba)
    if counts is not None:
        proba, codes = proba[counts], codes[counts]
        n = len(codes)
    weight = np.ones(n) if weight is None else weight
    if method not in METHODS or (method == "isotonic" and k != 2):
        allowed = METHODS if k == 2 else ("auto", "logistic")
        raise ValueError(
            f"cross_entropy_decomposition: method={method!r} is not allowed with {k} classes. "
            f"Allowed: {', '.join(map(repr, allowed))}. Give one of them."
        )
    if method == "auto":
        method = "isotonic" if k == 2 else "logistic"
    own = proba[np.arange(n), codes]
    with np.errstate(divide="ignore"):
        cross_entropy = -weighted_mean(np.log(own), weight)
    shares = np.bincount(codes, weight, minlength=k) / weight.sum()
    uncertainty = float(entr(shares).sum())
    if method == "isotonic":
        best = recalibrated(proba[:, 1], codes, weight)
        left = -weighted_mean(xlogy(codes, best) + xlogy(1 - codes, 1.0 - best), weight)
    else:
        left = _by_logistic(proba, codes, weight)
    # Both are among the functions that were searched; a difference below is rounding.
    left = min(left, cross_entropy, uncertainty)
    return CrossEntropyDecomposition(
        cross_entropy, uncertainty, uncertainty - left, cross_entropy - left, method
    )


def probabilities(
    estimator: Any, X: Any, y: ArrayLike, asked: str = "cross_entropy_decomposition"
) -> tuple[Array, NDArray[np.intp]]:
    """Return a classifier's probabilities, (n, k), and the place of each label among its classes.

    Raises
    ------
    TypeError
        If the estimator has no `predict_proba`.
    ValueError
        If y has a label that the fit has not seen.
    """
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{asked}: {type(estimator).__name__} has no predict_proba. Allowed: fitted "
            "classifiers that tell probabilities. Give one."
        )
    proba = np.asarray(estimator.predict_proba(X), float)
    codes = label_columns(estimator.classes_, y)
    unseen = codes < 0
    if np.any(unseen):
        row = int(np.flatnonzero(unseen)[0])
        label = np.asarray(y).tolist()[row]
        raise ValueError(
            f"{asked}: y has the label {label!r} in row {row}, which the fit has not seen. "
            f"Allowed: {', '.join(map(repr, np.asarray(estimator.classes_)[:8].tolist()))}. "
            "Leave such rows out."
        )
    return proba, codes


def recalibrated(probability: Array, codes: NDArray[np.intp], weight: Array) -> Array:
    """Return the most likely rising function of probabilities of two classes, (n,)."""
    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    return np.asarray(fit.fit(probability, codes, weight).predict(probability), float)


def _by_logistic(proba: Array, codes: NDArray[np.intp], weight: Array) -> float:
    """Return the least cross-entropy of logistic regressions on logarithms of probabilities."""
    logs = np.log(np.maximum(proba, _LEAST))
    contrasts = logs[:, 1:] - logs[:, :1]
    with warnings.catch_warnings():
        # Where probabilities tell the classes without fail, or two of them always agree, the
        # likelihood has no single maximum. What it tends to is all that is asked.
        warnings.simplefilter("ignore", FitWarning)
        fit = CrossEntropyClassifier().fit(contrasts, codes, sample_weight=weight)
    return -float(fit.log_likelihood_) / float(weight.sum())
