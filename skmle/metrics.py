"""Log-likelihood as a score: one scale, nats per row, for skmle's models and scikit-learn's.

A density, a classifier and a regressor that tell the law of what they predict are judged by the
same number, the mean of log q over rows that the fit has not seen. It is minus the empirical
cross-entropy: higher is better, and the difference of two models is the information per row by
which one beats the other.

References
----------
Good (1952), Rational decisions, J. R. Stat. Soc. B 14.
Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation,
J. Am. Stat. Assoc. 102.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import UNUSED

from skmle._any_model.log_prob import row_log_prob
from skmle._any_model.unwrap import unwrap
from skmle._decomposition import CrossEntropyDecomposition, cross_entropy_decomposition
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.offset import check_beside
from skmle._shared.validation import positive_weights, weighted_mean

__all__ = [
    "CrossEntropyDecomposition",
    "LogLikelihoodScorer",
    "cross_entropy_decomposition",
    "log_likelihood_score",
    "log_likelihood_scorer",
]


def log_likelihood_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    sample_weight: ArrayLike | None = None,
    *,
    offset: ArrayLike | None = None,
    exposure: ArrayLike | None = None,
) -> float:
    """Return the (weighted) mean log-likelihood of a fitted model, in nats per row.

    Parameters
    ----------
    estimator : fitted estimator
        One of those below, alone, at the end of a Pipeline, in a search such as GridSearchCV or in
        a FrozenEstimator.

        - skmle's estimators: their `score`;
        - classifiers with `predict_log_proba` or `predict_proba`;
        - densities with `score_samples`: those marked by scikit-learn's `DensityMixin`, such as
          GaussianMixture, and KernelDensity, PCA, FactorAnalysis;
        - scikit-learn's covariance estimators, such as LedoitWolf or GraphicalLasso, as normal
          laws;
        - regressors with ``predict(X, return_std=True)``, such as BayesianRidge, as normal laws;
        - PoissonRegressor;
        - models whose ``pred_dist(X)`` gives a law, such as ngboost's.
    X : array-like or sparse matrix of shape (n, p)
    y : array-like of shape (n,), optional
        Labels or observations; densities ignore it.
    sample_weight : array-like of shape (n,), optional
        Weights; an integer weight is that many equal rows. Rows of weight zero do not count,
        impossible ones included.
    offset, exposure : array-like of shape (n,), optional
        Given to `MLERegressor.score`.

    Returns
    -------
    float
        -inf if a row of positive weight is impossible under the model, such as a label that its fit
        has not seen.

    Raises
    ------
    TypeError
        If the model does not tell the law of what it predicts, or takes no offset or exposure.
    ValueError
        If y is missing or of a wrong shape, a weight is negative or all are zero, or a predicted
        standard deviation is zero.

    Warns
    -----
    ScoreWarning
        If a row of positive weight has a label that the fit has not seen, or fit was given an
        offset or exposure and this is not.

    See Also
    --------
    log_likelihood_scorer : The same as ``scoring=``.
    skmle.log_prob : The log-likelihood of each row.
    skmle.information.empirical_cross_entropy : Minus this, in any unit.

    Notes
    -----
    No probability is clipped. `sklearn.metrics.log_loss` replaces probabilities of zero by 2.2e-16,
    about -36 nats; here they count as what they are. A forest or a nearest-neighbour classifier
    whose frequencies contain zeros gets -inf as soon as one of them is wrong; calibrate it, or ask
    for larger leaves.

    A log-density depends on the unit of y, a log-probability does not. So compare models of the
    same y: densities with densities, and probabilities with probabilities. (Counts come in steps of
    one, so a density of counts may be compared with their probabilities.)

    A density behind transformers is that of the transformed rows: two pipelines are comparable if
    they transform alike.

    BayesianGaussianMixture averages logarithms over its posterior, so what it gives lies a little
    below a log-density.

    The standard deviation that BayesianRidge and ARDRegression predict contains the noise of an
    observation. That of GaussianProcessRegressor contains the noise only if its kernel has a
    WhiteKernel; its parameter `alpha` is left out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.metrics import log_loss
    >>> from skmle.metrics import log_likelihood_score
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(min_samples_leaf=5, random_state=0).fit(X, y)
    >>> loss = log_loss(y, forest.predict_proba(X))
    >>> round(log_likelihood_score(forest, X, y), 12) == round(-loss, 12)
    True
    """
    model, X = unwrap(estimator, X)
    both = {"offset": offset, "exposure": exposure}
    offset_or_exposure = {name: values for name, values in both.items() if values is not None}
    check_beside("log_likelihood_score", model, offset_or_exposure)
    if isinstance(model, LikelihoodEstimator):
        # Its own `score` also warns if fit had an exposure and none is given here.
        return model.score(X, y, sample_weight=sample_weight, **offset_or_exposure)
    weight, counting = positive_weights(sample_weight, X)
    if counting is not None:
        rows = np.flatnonzero(counting)
        X, y = _safe_indexing(X, rows), None if y is None else _safe_indexing(y, rows)
    return weighted_mean(row_log_prob(model, X, y, **offset_or_exposure), weight)


class LogLikelihoodScorer(BaseEstimator):
    """The type of `log_likelihood_scorer`, which is `log_likelihood_score` for ``scoring=``.

    With metadata routing on, the scorer requests `sample_weight`, `offset` and `exposure` by
    itself. `set_score_request` changes that; call it on a `sklearn.base.clone` if other code uses
    the scorer too.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmle import CrossEntropyClassifier
    >>> from skmle.metrics import log_likelihood_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(min_samples_leaf=5, random_state=0)
    >>> for model in (CrossEntropyClassifier(alpha=0.01), forest):
    ...     scores = cross_val_score(model, X, y, scoring=log_likelihood_scorer)
    ...     print(type(model).__name__, scores.mean().round(2))
    CrossEntropyClassifier -0.15
    RandomForestClassifier -0.12
    """

    # Metadata routing reads the signature of `score`: all its arguments but X and y are metadata,
    # requested if True here. `estimator` is no metadata.
    __metadata_request__score: ClassVar = {
        "estimator": UNUSED,
        "sample_weight": True,
        "offset": True,
        "exposure": True,
    }

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> float:
        return self.score(estimator, X, y, sample_weight, **offset_or_exposure)

    def score(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return `log_likelihood_score` of a fitted estimator."""
        return log_likelihood_score(
            estimator, X, y, sample_weight, offset=offset, exposure=exposure
        )

    def _accept_sample_weight(self) -> bool:
        return True  # scikit-learn's searches ask this while metadata routing is off


log_likelihood_scorer = LogLikelihoodScorer()
"""Scorer for cross_validate, GridSearchCV, permutation_importance and others with ``scoring=``."""
