"""The likelihood-ratio test of a fitted model within a larger one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from skmle._any_model.unwrap import named_model, see_through, unwrap
from skmle._engine.verdict import BOUNDARY, INTERIOR
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.nesting import Apart, Law, Nested, nested
from skmle._shared.offset import check_beside
from skmle.inference.hypotheses import HypothesisTest
from skmle.inference.show import printable

__all__ = ["likelihood_ratio_test"]

_WHAT = "likelihood_ratio_test"
_OTHER_COLUMNS = "; other columns of the smaller model are given as X_smaller"
# Share of the log-likelihood, and of a nat a row, by which that of the larger model may be less:
# what the last step of a fit that ended at a loose `tol` leaves.
_LESS = 1e-8
_NAMED = 6  # equations that the result spells out, at most; chosen for reading


def likelihood_ratio_test(
    smaller: Any,
    larger: Any,
    X: Any = None,
    y: Any = None,
    sample_weight: ArrayLike | None = None,
    *,
    X_smaller: Any = None,
    **offset_or_exposure: ArrayLike,
) -> HypothesisTest:
    """Test a fitted model against a larger one of which it is a special case.

    The statistic is twice the difference of the log-likelihoods. Under the smaller model it is
    nearly a chi-square, with as many degrees of freedom as the larger one has more coefficients
    that the data determine. Where the smaller model stands at an end of a parameter's range, as
    Poisson's law within the negative binomial one, half of the samples have the end as estimate,
    and the law is a mixture, half and half, with a chi-square of one degree less.

    Parameters
    ----------
    smaller, larger : fitted estimator
        Two of skmle's of one kind, alone, at the end of a Pipeline or in a search, fitted to the
        same rows. That the smaller one is a special case is checked: its law is the other's, with
        parameters held if need be, or one that it tends to (Poisson's of the negative binomial,
        the normal of Student's t, a law without zeros added), or the exponential law of the gamma
        or Weibull one; and its columns are among those of the larger, under the same links.
    X, y, sample_weight : array-like, optional
        The rows of both fits. Without them columns are compared by name; with them by what they
        span, and both log-likelihoods are checked to be those of these rows. They are needed where
        columns have no names, pass transformers, or where there are offsets beside X.
    X_smaller : array-like, optional
        X as the smaller model takes it, if not as the larger one does.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure`, if both fits were given them beside X.

    Returns
    -------
    skmle.inference.HypothesisTest
        With `statistic`, `df`, `p_value`.

    Raises
    ------
    ValueError
        If the models are not nested, were fitted to different rows, or do not maximise a likelihood
        that can be trusted: under a penalty, class weights, soft labels or cusps. If a fit has not
        come to its supremum. (Where columns separate rows, it has, though there is no maximum.)
    TypeError
        If a model is not one of skmle's.

    See Also
    --------
    skmle.inference.Inference.test : Wald's test, also with errors that do not trust the model.
    skmle.inference.Inference.score_test : Needs the smaller model alone.
    skmle.vuong_test : Models that are not nested.

    References
    ----------
    Wilks (1938), The large-sample distribution of the likelihood ratio for testing composite
    hypotheses, Annals of Mathematical Statistics 9.
    Self & Liang (1987), Asymptotic properties of maximum likelihood estimators and likelihood ratio
    tests under nonstandard conditions, Journal of the American Statistical Association 82.

    Examples
    --------
    >>> import numpy as np
    >>> import skmle
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = rng.poisson(np.exp(0.5 * X[:, 0]))
    >>> larger = skmle.MLERegressor("poisson").fit(X, y)
    >>> smaller = skmle.MLERegressor("poisson", features={"mean": [0]}).fit(X, y)
    >>> skmle.likelihood_ratio_test(smaller, larger)
    Likelihood-ratio test of x1 = 0: chi2(1) = 1.23, p = 0.267
    """
    small, large = _checked(smaller, "smaller"), _checked(larger, "larger")
    _check_pair(small, large)
    check_beside("likelihood_ratio_test", large, offset_or_exposure, ("sample_weight", "X_smaller"))
    if X is None:
        _check_names_tell(smaller, larger, small, large)
        pairs = list(zip(_stored(small), _stored(large), strict=True))
    else:
        own = X if X_smaller is None else X_smaller
        rest = y, sample_weight, offset_or_exposure
        pairs = list(
            zip(
                _posed(small, unwrap(smaller, own)[1], *rest),
                _posed(large, unwrap(larger, X)[1], *rest),
                strict=True,
            )
        )
    try:
        every = [nested(one, other) for one, other in pairs]
    except Apart as why:
        raise ValueError(
            f"{_WHAT}: the smaller model is no special case of the larger, as {why}. Allowed: "
            "nested models. Use vuong_test or compare for others."
        ) from None
    return _result(small, large, every)


def _result(small: Any, large: Any, every: list[Nested]) -> HypothesisTest:
    """Return the test of models that are nested."""
    df = _size(large) - _size(small)
    ends = sum(one.at_end for one in every)
    if df < 1 or ends > 1:
        what = f"{df} degrees of freedom" if df < 1 else f"{ends} parameters at their ends"
        raise ValueError(
            f"{_WHAT}: {what} between the models. Allowed: a larger model that has more "
            "coefficients which the data determine, of which one may be at an end of its range. "
            "Compare them by compare, or by a bootstrap."
        )
    gain = large.log_likelihood_ - small.log_likelihood_
    least = _LESS * (abs(small.log_likelihood_) + small.weight_sum_)
    if not gain >= -least:
        raise ValueError(
            f"{_WHAT}: the larger model is less likely, by {-gain:.6g} nats. Allowed: fits of the "
            "same rows at their maxima, of which the larger is at least as likely. Fit both to the "
            "same rows, and give X and y so that this is checked."
        )
    chi2, at_end = max(2.0 * gain, 0.0), ends == 1
    p = float(chdtrc(df, chi2))
    if at_end:
        below = float(chdtrc(df - 1, chi2)) if df > 1 else float(chi2 <= 2.0 * least)
        p = 0.5 * p + 0.5 * below
    named = [equation for one in every for equation in one.left_out]
    words = ", ".join(dict.fromkeys(map(printable, named[:_NAMED])))
    if not named or len(named) > _NAMED:
        words = f"{df} restrictions"
    return HypothesisTest("Likelihood-ratio", words, chi2, float(df), p, at_end=at_end)


def _size(model: Any) -> int:
    """Return how many coefficients the data determine, with those that ran to an end."""
    return int(model.n_parameters_) + len(model._at_limit)


# ---------------------------------------------------------------- what can be tested


def _checked(estimator: Any, role: str) -> Any:
    """Return the model at the end, if it maximises a likelihood that can be trusted."""
    model = named_model(estimator)
    what = f"{_WHAT}: the {role} model"
    if not isinstance(model, LikelihoodEstimator):
        raise TypeError(
            f"{what} is a {type(model).__name__}, whose likelihood is not known. Allowed: skmle's "
            "estimators, alone or at the end of a Pipeline. Put one in its place."
        )
    if model._prior:
        raise ValueError(
            f"{what} has {model._prior}, so that it does not maximise its likelihood, and the "
            "statistic is no chi-square. Allowed: fits without a penalty. Set alpha=0 and "
            "penalty=None; under penalty='jeffreys' use the intervals of profile()."
        )
    if model._sandwiched:
        raise ValueError(
            f"{what} has errors of a sandwich, as {model._sandwiched}, so that the statistic is no "
            "chi-square. Allowed: fits whose law is trusted. Use Wald's test with robust errors: "
            "inference(X, y, covariance='HC1').test(...)."
        )
    reached = model.status_ in (INTERIOR, BOUNDARY) or model._runs_off
    if not (reached and np.isfinite(model.log_likelihood_)):
        raise ValueError(
            f"{what} has status_ = {model.status_!r}, so that its likelihood is no maximum with a "
            "chi-square. Allowed: 'interior', 'boundary', and separated rows. Mend the fit first: "
            "its warning says how."
        )
    return model


def _check_pair(small: Any, large: Any) -> None:
    """Raise ValueError if two models are of different kinds, rows or classes."""
    if type(small) is not type(large):
        kinds = f"{type(small).__name__} and {type(large).__name__}"
        raise ValueError(
            f"{_WHAT}: the models are {kinds}. Allowed: two of one kind. Fit both by one "
            "estimator; a regression without columns is features={'mean': 'none'}."
        )
    rows = [(m._counted[0], m.weight_sum_) for m in (small, large)]
    if rows[0][0] != rows[1][0] or not np.isclose(rows[0][1], rows[1][1], rtol=1e-10):
        counts = " and ".join(f"{n} rows of weight {w:.10g}" for n, w in rows)
        raise ValueError(
            f"{_WHAT}: the models were fitted to {counts}. Allowed: the same rows with the same "
            "weights. Fit both to the rows that are complete in all columns."
        )
    one, other = (np.asarray(getattr(m, "classes_", ())) for m in (small, large))
    if not np.array_equal(one, other) or len(small._fits) != len(large._fits):
        raise ValueError(
            f"{_WHAT}: the models are of different classes or columns of observations. Allowed: "
            "the same y. Fit both to it."
        )


# ---------------------------------------------------------------- laws and columns


def _stored(model: Any) -> list[Law]:
    """Return the laws of a fit, whose columns are known by name."""
    names = model._feature_names()
    pairs = zip(model._fits, model._terms, strict=True)
    return [Law(fit.family, terms, names) for fit, terms in pairs]


def _posed(model: Any, X: Any, y: Any, sample_weight: Any, beside: dict[str, Any]) -> list[Law]:
    """Return the laws of a fit with their columns; ValueError if these are not its rows."""
    every, _ = model._evidences(X, y, sample_weight, "repeats", beside, _WHAT, _OTHER_COLUMNS)
    problems = [(one.inside or one.likelihood).problem for one in every]
    names = model._feature_names()
    return [Law(p.family, p.terms, names, p.observed.n, p.X, p.offset) for p in problems]


def _check_names_tell(smaller: Any, larger: Any, small: Any, large: Any) -> None:
    """Raise ValueError unless names of columns tell whether models are nested."""
    why = ""
    if see_through(smaller)[0] or see_through(larger)[0]:
        why = "their columns have passed transformers"
    elif BOUNDARY in (small.status_, large.status_):
        why = "one of them stands at an end of its range"
    elif any(any(getattr(m, "_beside", ())) for m in (small, large)):
        why = "offsets were given beside X"
    elif (
        len({(getattr(m, "offset", None), getattr(m, "exposure", None)) for m in (small, large)})
        > 1
    ):
        why = "their offsets differ"
    elif not all(hasattr(m, "feature_names_in_") for m in (small, large)):
        sizes = {m.n_features_in_ for m in (small, large)}
        modelled = any(t.columns is not None for own in small._terms for t in own)
        if len(sizes) > 1 and modelled:
            why = "their columns have no names"
    if why:
        raise ValueError(
            f"{_WHAT}: the models alone do not tell whether they are nested, as {why}. Allowed: "
            "models of frames or of one array, or X and y. Give X and y of the fits, and X_smaller "
            "if the smaller model takes other columns."
        )
