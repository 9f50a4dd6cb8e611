"""What follows from each row's linear predictors: its classes' probabilities, and their use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._shared.arrays import like
from skmle._shared.classes import family_of_classes
from skmle._shared.diagnostics import of_classes
from skmle._shared.elsewhere import OF_CLASSIFIERS
from skmle._shared.labels import label_columns, of_labels, one_label_a_row
from skmle._shared.shares import log_prob_of_shares, shares_of
from skmle._shared.validation import checked_features, positive_weights, weighted_mean
from skmle.families.links import Link, get_link

Array = NDArray[np.float64]


class ClassProbabilities:
    """The base of estimators that have a log-probability of each class for each row."""

    classes_: NDArray[Any]
    _elsewhere: ClassVar[Mapping[str, str]] = OF_CLASSIFIERS
    _ordered = False
    """Whether the classes have an order, so that a label has a place in its law."""

    def _log_probabilities(self, X: Any) -> Array:
        """Return the log-probability of each class in nats, (n, K)."""
        raise NotImplementedError

    def predict_log_proba(self, X: Any) -> Array:
        """Return the log of `predict_proba`, (n, K), in nats and accurate in the tails.

        As in scikit-learn it is -inf where the probability is too small for a double, below
        exp(-745). `log_prob` and `score` keep the finite log-probability of such a label.
        """
        values = self._log_probabilities(X)
        return like(X, np.where(np.exp(values) > 0.0, values, -np.inf))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (n, K), in the order of `classes_`."""
        return like(X, np.exp(self._log_probabilities(X)))

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the (weighted) mean log-likelihood of the labels in nats; not the accuracy.

        It is ``-sklearn.metrics.log_loss``. A label that the fit has not seen has probability zero:
        the score is then -inf.

        Warns
        -----
        ScoreWarning
            If fit has not seen a label of a row of positive weight.
        """
        _, counting = positive_weights(sample_weight, X)
        return weighted_mean(self._log_prob(X, y, counting), sample_weight)

    def log_prob(self, X: Any, y: Any) -> Array:
        """Return the log-probability of each row's label in nats, (n,); -inf for an unknown one.

        It is finite also where the probability is too small for a double.
        """
        return like(X, self._log_prob(X, y))

    def _log_prob(self, X: Any, y: Any, counting: NDArray[np.bool_] | None = None) -> Array:
        what, log_proba = type(self).__name__, self._log_probabilities(X)
        y = one_label_a_row(y, len(log_proba), what)
        return of_labels(what, log_proba, self.classes_, y, counting)

    def _diagnose(
        self,
        X: Any,
        y: Any,
        share: Array,
        counting: NDArray[np.bool_] | None,
        beside: Mapping[str, Any],
    ) -> dict[str, NDArray[Any]]:
        what, log_proba = type(self).__name__, self._log_probabilities(X)
        log_prob = self._log_prob(X, y, counting)
        found = shares_of(y, what) if np.ndim(y) != 1 or not self._ordered else None
        if found is None:
            place = label_columns(self.classes_, one_label_a_row(y, len(log_proba), what))
            shares = np.where(place[:, None] == np.arange(len(self.classes_)), 1.0, 0.0)
            shares[place < 0] = np.nan
        else:
            shares = found.shares
        labels = self.classes_[log_proba.argmax(axis=1)]
        ordered = self._ordered or len(self.classes_) == 2
        return of_classes(log_proba, shares, labels, log_prob, ordered, share)


class Probabilities(ClassProbabilities):
    """The base of estimators whose probabilities follow from linear predictors."""

    link: str | Link
    coef_: Array
    intercept_: Array
    _rounded_off: tuple[Array, Array]
    """What `coef_` and `intercept_` lack of double precision; zeros where X had it."""
    _present: NDArray[np.bool_]
    """Which classes had rows of positive weight."""

    def _eta(self, X: Any) -> Array:
        """Return the linear predictors: (n,) for two classes, (n, K) for more."""
        check_is_fitted(self)
        X = checked_features(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        slopes, intercepts = self._coefs()
        eta = np.asarray(X @ slopes.T, np.float64) + intercepts
        return eta[:, 0] if len(self.classes_) == 2 else eta

    def _coefs(self) -> tuple[Array, Array]:
        """Return slopes and intercepts in double precision, whatever that of X was."""
        slopes, intercepts = self._rounded_off
        return self.coef_ + slopes, self.intercept_ + intercepts

    def decision_function(self, X: Any) -> Array:
        """Return the linear predictors: (n,) for two classes, (n, K) for more; the largest decides.

        Of two classes the second is predicted where the value is positive: the links cloglog and
        loglog, which give probability 1/2 elsewhere than at zero, have that point subtracted. The
        sign is turned where a link falls as the probability rises.
        """
        return like(X, self._decisions(X))

    def _decisions(self, X: Any) -> Array:
        eta = self._eta(X)
        if eta.ndim == 2:
            return eta
        even = float(family_of_classes(2, self.link).eta((np.asarray(0.5),))[0])
        return eta - even if get_link(self.link).rising else even - eta

    def _moving(
        self, X: Any, beside: Mapping[str, Any]
    ) -> Callable[[Sequence[float]], Array] | None:
        """Return the probabilities as a function of what is added to the linear predictors.

        None is returned where some classes had no rows, and have no predictors.
        """
        if not self._present.all():
            return None
        eta = self._eta(X)

        def probabilities(shifts: Sequence[float]) -> Array:
            moved = eta + shifts[0] if eta.ndim == 1 else eta.copy()
            if eta.ndim == 2:  # the last class has none, unless all have
                moved[:, : len(shifts)] += shifts
            return np.exp(self._log_probabilities_at(moved))

        return probabilities

    def _log_probabilities(self, X: Any) -> Array:
        return self._log_probabilities_at(self._eta(X))

    def _log_probabilities_at(self, eta: Array) -> Array:
        if eta.ndim == 2:
            eta = eta - eta.max(axis=1, keepdims=True)
            return eta - np.log(np.exp(eta).sum(axis=1, keepdims=True))
        family = family_of_classes(2, self.link)
        labels = [(np.full(len(eta), value),) for value in (0.0, 1.0)]
        if not self._present.all():
            return np.tile(np.where(self._present, 0.0, -np.inf), (len(eta), 1))
        with np.errstate(over="ignore"):
            columns = [-family.rows(label, (eta,), 0).value for label in labels]
        return np.column_stack(columns)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, (n,)."""
        scores = self._decisions(X)
        index = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.0).astype(np.intp)
        return like(X, self.classes_[index])

    def _log_prob(self, X: Any, y: Any, counting: NDArray[np.bool_] | None = None) -> Array:
        if (soft := shares_of(y, "CrossEntropyClassifier, y")) is None:
            return super()._log_prob(X, y, counting)
        log_proba = self._log_probabilities(X)
        return log_prob_of_shares(soft, log_proba, self.classes_, "CrossEntropyClassifier")
