"""Entropy, cross-entropy, divergences and what follows from them: the public functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from skmle._shared.validation import weighted_mean
from skmle.information.laws import Estimate, Finite, mixture
from skmle.information.operands import (
    as_law,
    checked_probabilities,
    from_the_finer_end,
    pair,
    surprise_of_rows,
)
from skmle.information.units import in_units, nats_of, plain

__all__ = [
    "conditional_entropy",
    "cross_entropy",
    "empirical_cross_entropy",
    "entropy",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
    "perplexity",
]


def entropy(
    p: Any, *, base: float | None = None, random_state: int = 0, return_standard_error: bool = False
) -> Any:
    """Entropy H(p) = E_p[-log p(Y)]: the mean surprise of an observation.

    For a density it is the differential entropy.

    Parameters
    ----------
    p : array-like of shape (..., K), frozen scipy distribution, Distribution or fitted estimator
        The law. The entries of a vector are probabilities that sum to 1; they are not normalised.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.
    random_state : int, default=0
        Seed of Monte Carlo averages. Only multivariate scipy distributions without an entropy of
        their own need them.
    return_standard_error : bool, default=False
        Whether to return the standard error of the Monte Carlo average, too. It is 0 if the value
        is no such average.

    Returns
    -------
    float or ndarray
        One value for each row: of shape (...) for vectors, and of the shape of its parameters for a
        Distribution. With `return_standard_error`, a pair (value, standard error).

    Raises
    ------
    ValueError
        If `base` is not positive or is 1, if a vector has invalid entries or does not sum to 1
        within 1e-8.
    TypeError
        If `p` is not a law.

    Notes
    -----
    The entropy of a discrete law on K points lies between 0 and log K, where 0 log 0 = 0. The
    entropy of a density may be negative, and depends on the unit of the observation.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, sections 2.1 and 8.1.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle.information import entropy
    >>> entropy([0.5, 0.25, 0.25], base=2)
    1.5
    >>> round(entropy(stats.norm(0, 1)), 6)
    1.418939
    """
    unit = nats_of(base)
    (p,) = from_the_finer_end(p)
    return in_units(as_law(p, "p").entropy(random_state), unit, return_standard_error)


def cross_entropy(
    p: Any,
    q: Any,
    *,
    base: float | None = None,
    random_state: int = 0,
    return_standard_error: bool = False,
) -> Any:
    """Cross-entropy H(p, q) = E_p[-log q(Y)]: the mean surprise of model q at observations of p.

    Parameters
    ----------
    p, q : array-like of shape (..., K), frozen scipy distribution, Distribution or fitted estimator
        The law of the observations and the model. Both are discrete or both are continuous. Rows of
        parameters broadcast.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.
    random_state : int, default=0
        Seed of Monte Carlo averages. Only multivariate scipy distributions need them.
    return_standard_error : bool, default=False
        Whether to return the standard error of the Monte Carlo average, too. It is 0 if the value
        is no such average.

    Returns
    -------
    float or ndarray
        One value for each row; ``inf`` where something that happens under p has probability 0 under
        q. With `return_standard_error`, a pair (value, standard error).

    Raises
    ------
    ValueError
        If `base`, a vector or the parameters are invalid, or if p and q cannot have the same
        observations: one is discrete and one continuous, or vectors have different lengths, or
        laws different numbers of columns.
    TypeError
        If `p` or `q` is not a law.

    Notes
    -----
    H(p, q) = H(p) + D(p || q) >= H(p), with equality only at q = p. It is not symmetric. It is
    computed as this sum, so that the identity holds to the last digits.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, section 5.4 (the length of a code made
    for q).

    Examples
    --------
    >>> from skmle.information import cross_entropy
    >>> cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)
    1.2075187496394
    >>> cross_entropy([0.5, 0.5], [1.0, 0.0])
    inf
    """
    unit = nats_of(base)
    one, two = pair(p, q)
    plain, extra = one.entropy(random_state), one.divergence(two, random_state)
    return in_units(Estimate(plain.value + extra.value, extra.error), unit, return_standard_error)


def kl_divergence(
    p: Any,
    q: Any,
    *,
    base: float | None = None,
    random_state: int = 0,
    return_standard_error: bool = False,
) -> Any:
    """Kullback-Leibler divergence D(p || q) = E_p[log p(Y) - log q(Y)], or relative entropy.

    Parameters
    ----------
    p, q : array-like of shape (..., K), frozen scipy distribution, Distribution or fitted estimator
        Laws that are both discrete or both continuous. Rows of parameters broadcast.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.
    random_state : int, default=0
        Seed of Monte Carlo averages. Only multivariate scipy distributions need them.
    return_standard_error : bool, default=False
        Whether to return the standard error of the Monte Carlo average, too. It is 0 if the value
        is no such average.

    Returns
    -------
    float or ndarray
        One value >= 0 for each row, which is 0 only at p = q. It is ``inf`` where something that
        happens under p has probability 0 under q, or where the tails of q are too light for those
        of p. With `return_standard_error`, a pair (value, standard error).

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    Notes
    -----
    If p is the empirical law of the data, minimising D(p || q) over the laws q of a family is
    maximum likelihood. Two laws of one family have a closed form, except of Student's t, the
    logistic and the negative binomial.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, sections 2.3 and 8.5.
    Kullback & Leibler (1951), On information and sufficiency, Annals of Mathematical Statistics 22.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle.information import kl_divergence
    >>> kl_divergence(stats.norm(0, 1), stats.norm(1, 1))
    0.5
    >>> round(kl_divergence(stats.t(5), stats.norm(0, 1)), 6)
    0.124769
    """
    unit = nats_of(base)
    one, two = pair(p, q)
    return in_units(one.divergence(two, random_state), unit, return_standard_error)


def js_divergence(
    p: Any,
    q: Any,
    *,
    base: float | None = None,
    random_state: int = 0,
    return_standard_error: bool = False,
) -> Any:
    """Jensen-Shannon divergence: the mean of D(p || m) and D(q || m), where m = (p + q)/2.

    Parameters
    ----------
    p, q : array-like of shape (..., K), frozen scipy distribution, Distribution or fitted estimator
        Laws that are both discrete or both continuous. Rows of parameters broadcast.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.
    random_state : int, default=0
        Seed of Monte Carlo averages. Only laws of several columns need them.
    return_standard_error : bool, default=False
        Whether to return the standard error of the Monte Carlo average, too. It is 0 if the value
        is no such average.

    Returns
    -------
    float or ndarray
        One value for each row, between 0 (p = q) and log 2 (no observation in common). It is
        symmetric and always finite, and its square root is a metric. With `return_standard_error`,
        a pair (value, standard error).

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy, IEEE Transactions on Information
    Theory 37.

    Examples
    --------
    >>> from skmle.information import js_divergence
    >>> js_divergence([0.5, 0.5, 0.0], [0.0, 0.0, 1.0], base=2)
    1.0
    """
    unit = nats_of(base)
    one, two = pair(p, q)
    if isinstance(one, Finite) and isinstance(two, Finite):
        p, q = two.beside(one)
        half = Finite(0.5 * (p + q))
        first, second = (Finite(v).divergence(half, random_state) for v in (p, q))
    else:
        first = one.expect(two, mixture, random_state)
        second = two.expect(one, mixture, random_state)
    # Rounding may take the mean beyond its bounds.
    value = np.clip(0.5 * (first.value + second.value), 0.0, np.log(2.0))
    error = 0.5 * np.hypot(first.error, second.error)
    return in_units(Estimate(value, error), unit, return_standard_error)


def conditional_entropy(joint: ArrayLike, *, base: float | None = None) -> Any:
    """Conditional entropy H(Y|X): what is left to learn of Y once X is known.

    Parameters
    ----------
    joint : array-like of shape (..., rows, columns)
        Joint probabilities, which sum to 1: one row for each value of X and one column for each
        value of Y. For H(X|Y), give the transpose.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.

    Returns
    -------
    float or ndarray of shape (...)
        A value between 0 (Y is a function of X) and H(Y) (X and Y are independent).

    Raises
    ------
    ValueError
        If `base` is not positive or is 1, or the table has invalid entries or does not sum to 1
        within 1e-8.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, section 2.2. The table is that of example
    2.2.1, which has Y in rows and X in columns.

    Examples
    --------
    >>> from skmle.information import conditional_entropy
    >>> joint = [
    ...     [1 / 8, 1 / 16, 1 / 32, 1 / 32],
    ...     [1 / 16, 1 / 8, 1 / 32, 1 / 32],
    ...     [1 / 16, 1 / 16, 1 / 16, 1 / 16],
    ...     [1 / 4, 0, 0, 0],
    ... ]
    >>> conditional_entropy(joint, base=2)
    1.375
    """
    unit = nats_of(base)
    p = checked_probabilities(joint, "joint", axes=2)
    return plain(-rel_entr(p, p.sum(axis=-1, keepdims=True)).sum(axis=(-2, -1)) / unit + 0.0)


def mutual_information(joint: ArrayLike, *, base: float | None = None) -> Any:
    """Mutual information I(X; Y) = H(Y) - H(Y|X): what X tells of Y.

    It is the divergence from the joint law to the product of its marginal laws.

    Parameters
    ----------
    joint : array-like of shape (..., rows, columns)
        Joint probabilities, which sum to 1: one row for each value of X and one column for each
        value of Y.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.

    Returns
    -------
    float or ndarray of shape (...)
        A value >= 0, which is 0 only if X and Y are independent. It is symmetric in X and Y.

    Raises
    ------
    ValueError
        If `base` is not positive or is 1, or the table has invalid entries or does not sum to 1
        within 1e-8.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, sections 2.3 and 2.4.

    Examples
    --------
    >>> from skmle.information import mutual_information
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2)
    1.0
    """
    unit = nats_of(base)
    p = checked_probabilities(joint, "joint", axes=2)
    product = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    return plain(np.maximum(rel_entr(p, product).sum(axis=(-2, -1)), 0.0) / unit)


def perplexity(p: Any, q: Any = None, *, base: float | None = None) -> Any:
    """Perplexity exp H(p), or exp H(p, q) of a model q.

    It is the number of equally likely choices that have the same entropy.

    Parameters
    ----------
    p, q : array-like of shape (..., K), frozen scipy distribution, Distribution or fitted estimator
        The law of the observations and, optionally, the model.
    base : float, optional
        Base of the logarithm in the entropy and of the power; the result does not depend on it.

    Returns
    -------
    float or ndarray
        One value for each row. It is at least 1 for discrete laws, and K for the uniform law on K
        points.

    Raises
    ------
    ValueError, TypeError
        As `entropy` and `cross_entropy`.

    References
    ----------
    Jelinek, Mercer, Bahl & Baker (1977), Perplexity: a measure of the difficulty of speech
    recognition tasks, JASA 62.

    Examples
    --------
    >>> from skmle.information import perplexity
    >>> round(perplexity([0.25, 0.25, 0.25, 0.25]), 12)
    4.0
    """
    nats_of(base)
    with np.errstate(over="ignore"):
        return plain(np.exp(entropy(p) if q is None else cross_entropy(p, q)))


def empirical_cross_entropy(
    model: Any,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    base: float | None = None,
) -> float:
    """Cross-entropy of data and a model: minus the mean log-likelihood of the model.

    This is what maximum likelihood minimises.

    Parameters
    ----------
    model : fitted estimator, Distribution or frozen scipy distribution
        A law, or any estimator that `skmle.metrics.log_likelihood_score` can judge, of a density or
        of y given X.
    X : array-like of shape (n, p), or (n,) for a law of one column
        Features for a conditional model, observations for a density or a law.
    y : array-like of shape (n,), optional
        Targets for a conditional model.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows in the mean, >= 0.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.

    Returns
    -------
    float
        The mean over the rows; ``inf`` if a row of positive weight is impossible under the model.

    Raises
    ------
    ValueError
        If `base` or the weights are invalid, a law is given `y`, or the shapes do not fit.

    See Also
    --------
    skmle.metrics.log_likelihood_score : Minus this, in nats; there is a scorer, too.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, section 11.1 (types).

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle.information import empirical_cross_entropy
    >>> empirical_cross_entropy(stats.bernoulli(0.5), [0, 1, 1], base=2)
    1.0
    """
    unit = nats_of(base)
    if isinstance(model, (list, tuple, np.ndarray)) and not hasattr(X, "__array__"):
        raise TypeError(
            f"empirical_cross_entropy: the model is a {type(model).__name__}, and X a "
            f"{type(X).__name__}. Allowed: the model first, then the observations. Give "
            "empirical_cross_entropy(X, model), if they were swapped."
        )
    surprises = surprise_of_rows(model, X)
    if surprises is None:
        from skmle.metrics import log_likelihood_score

        return -float(log_likelihood_score(model, X, y, sample_weight)) / unit
    if y is not None:
        raise ValueError(
            "empirical_cross_entropy: y was given, but a law has no target. Allowed: y=None. Give "
            "the observations as X."
        )
    return -weighted_mean(-surprises, sample_weight) / unit
