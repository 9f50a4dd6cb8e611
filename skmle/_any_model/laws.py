"""The law of y for each row under any fitted model: the protocol, and who is known to tell one.

A model tells its law by a method ``predict_dist(X)``, or by a function that is registered for its
class. Classes of other packages are known by name, so that none is imported. A law is a
`Distribution`, or has the names of scipy's methods.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor

from skmle._shared.elsewhere import INTERVALS_OF_PROBABILITIES
from skmle._shared.estimator import LikelihoodEstimator
from skmle.families import Distribution, get_family
from skmle.families.categorical import Categorical

Array = NDArray[np.float64]
Adapter = Callable[[Any, Any], Any]

_REGISTERED: dict[str, Adapter] = {}


def register_law(kind: type | str, law: Adapter) -> None:
    """Let a class of models tell the law of y, in place of what is known of it.

    `skmle.predict_dist`, `predict_interval`, `predict_quantile`, `log_prob`, `augment`, `compare`
    and `information.information_gain` then take models of this class, and of those derived from it.
    A class of one's own needs no registration: a method ``predict_dist(X)`` does the same.

    Parameters
    ----------
    kind : type or str
        A class, or its full name, such as "sklearn.linear_model.LinearRegression", as Python
        shows it (``cls.__module__ + "." + cls.__qualname__``): then it need not be imported.
    law : callable
        (model, X) -> the law of each row: a `Distribution` with parameters of shape (n,), or a
        frozen law of ``scipy.stats``, or an object with `logpdf` or `logpmf`.

    Raises
    ------
    TypeError
        If `kind` is no class or name, or `law` cannot be called.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import GammaRegressor
    >>> class Progression(GammaRegressor):
    ...     pass
    >>> def law(model, X):
    ...     return skmle.predict_dist(model, X, dispersion=0.15)
    >>> skmle.register_law(Progression, law)
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = Progression(alpha=0.0).fit(X, y)
    >>> print(skmle.log_prob(model, X, y).mean().round(3))
    -5.362
    """
    if not isinstance(kind, (type, str)) or not callable(law):
        wrong = f"law={law!r}" if isinstance(kind, (type, str)) else f"kind={kind!r}"
        raise TypeError(
            f"register_law: {wrong} is not allowed. Allowed: a class or its full name, and a "
            "function of a model and X. Give these."
        )
    _REGISTERED[kind if isinstance(kind, str) else _name(kind)] = law


def registered(model: Any) -> Adapter | None:
    """Return the function that is registered for a model's class or the nearest it derives from."""
    for cls in type(model).__mro__:
        if (law := _REGISTERED.get(_name(cls))) is not None:
            return law
    return None


def law_of(model: Any, X: Any, dispersion: Any = None, **offset_or_exposure: Any) -> Any:
    """Return the law of y for each row under a fitted model.

    Parameters
    ----------
    model : fitted estimator or results
        Bare: what holds it was taken off by `skmle._any_model.unwrap.unwrap`.
    X : array-like
    dispersion : float or array-like of shape (n,), optional
        Of a regressor that predicts a mean alone: its variance is that times a function of the
        mean.
    **offset_or_exposure : array-like of shape (n,)
        For models that take them: `check_beside` has refused them for all others.

    Raises
    ------
    TypeError
        If the model tells no law.
    """
    if isinstance(model, TransformedTargetRegressor):
        raise TypeError(
            "TransformedTargetRegressor: the law of y would need the Jacobian of the "
            "transformation, which it does not know. Allowed: models of y itself. Use MLERegressor "
            "with a family on the scale of y, such as 'lognormal' for normal logarithms."
        )
    if dispersion is not None:
        return _of_mean(model, X, dispersion)
    if (law := registered(model)) is not None:
        return as_law(law(model, X))
    if hasattr(model, "predict_dist"):
        return model.predict_dist(X, **offset_or_exposure)
    for tells, told in _KNOWN:
        if tells(model):
            return as_law(told(model, X))
    raise TypeError(
        f"predict_dist: {type(model).__name__} gives no law of y. Allowed: MLERegressor, "
        "classifiers with predict_proba, regressors with predict(X, return_std=True) or pred_dist, "
        "PoissonRegressor, results of statsmodels; any regressor with dispersion=, the variance of "
        "y (of a gamma law, over its squared mean). Put one in its place, or use "
        "skmle.register_law."
    )


def as_law(law: Any) -> Any:
    """Return a law as a `Distribution`, where it is one of scipy's that we know; else as it is."""
    # statsmodels has classes of scipy's kind of its own.
    if not type(getattr(law, "dist", None)).__module__.startswith("scipy."):
        return law
    try:
        found = Distribution.from_scipy(law)
    except (TypeError, ValueError):
        return law
    if found.family.observation.columns == 1:
        return found
    # A number of successes is a row of two numbers here, but for a single trial.
    one = law.dist.name == "binom" and np.all(np.asarray([*law.args, *law.kwds.values()][0]) == 1)
    return Distribution("bernoulli", {"probability": law.mean()}) if one else law


def log_prob_of_law(model: Any, law: Any, y: Any) -> Array:
    """Return log q of each row under the law that a model has told.

    Raises
    ------
    TypeError
        If the law has no log-density.
    """
    for name in ("log_prob", "logpmf", "logpdf"):
        # Laws of scipy that are masses have no logpdf, and ngboost's names may be None.
        if callable(method := getattr(law, name, None)):
            return np.asarray(method(np.asarray(y)), float)
    raise TypeError(
        f"{type(model).__name__} gives a {type(law).__name__}, which has no log-density. "
        "Allowed: laws with log_prob, logpmf or logpdf. Add one of these methods."
    )


def log_rounded(model: Any, X: Any, y: Any, **offset_or_exposure: Any) -> Array:
    """Return the log-probability of each row that a value of the law rounds to the whole number y.

    Parameters
    ----------
    model : fitted estimator
        Bare, of densities.
    X, y : array-like
        y is None for densities of X.
    **offset_or_exposure : array-like of shape (n,)
        As `law_of` takes them.

    Raises
    ------
    TypeError
        If the model tells no law that has probabilities of intervals.
    """
    law: Any
    if y is None:
        law, y = getattr(model, "distribution_", None), np.asarray(X, float)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    else:
        law = law_of(model, X, **offset_or_exposure)
        y = np.asarray(y, float)
    if not (hasattr(law, "cdf") and hasattr(law, "sf")) or y.ndim > 1:
        raise TypeError(
            f"{type(model).__name__} gives densities of whole numbers, and not the probability of "
            "an interval, which probabilities of other models could be compared with. Allowed: "
            "laws of one number that have cdf and sf. Compare it with other densities alone."
        )
    low, high = y - 0.5, y + 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.asarray(law.cdf(low), float)
        below, above = law.cdf(high) - first, np.asarray(law.sf(low), float) - law.sf(high)
        return np.log(np.where(first < 0.5, below, above))


def predicts_normal(model: Any) -> bool:
    """Return whether a model predicts a mean and a standard deviation, and so a normal law."""
    return hasattr(model, "predict") and "return_std" in signature(model.predict).parameters


def is_discrete(law: Any) -> bool:
    """Return whether a law gives single points positive probability."""
    if isinstance(law, Distribution):
        return law.discrete
    return callable(getattr(law, "logpmf", None)) and not callable(getattr(law, "logpdf", None))


# ---------------------------------------------------------------- scikit-learn


def _of_classes(model: Any, X: Any) -> Distribution:
    proba = np.asarray(model.predict_proba(X), float)
    classes = np.asarray(getattr(model, "classes_", np.arange(proba.shape[1])))
    # The labels of an ordinal model stand in an order of their own.
    order = np.argsort(classes, kind="stable")
    return Distribution.of(Categorical(classes[order]), (proba[:, order],))


def _normal(model: Any, X: Any) -> Distribution:
    loc, scale = map(np.asarray, model.predict(X, return_std=True))
    return Distribution("normal", {"loc": loc.astype(float), "scale": scale.astype(float)})


def _poisson(model: Any, X: Any) -> Distribution:
    return Distribution("poisson", {"mean": np.asarray(model.predict(X), float)})


def _boosted(model: Any, X: Any) -> Any:
    law = model.pred_dist(X)
    # ngboost's laws hold one of scipy's.
    frozen = getattr(law, "dist", None)
    return frozen if hasattr(frozen, "dist") else law


_POWERS = {0: "normal", 1: "poisson", 2: "gamma", 3: "inverse_gaussian"}


def _of_mean(model: Any, X: Any, dispersion: Any) -> Distribution:
    """Return the law of a predicted mean and a dispersion that is told."""
    if not is_regressor(model):
        raise TypeError(
            f"predict_dist: dispersion was given, but {type(model).__name__} predicts no mean. "
            "Allowed: for regressors. Drop the argument."
        )
    phi = np.asarray(dispersion, float)
    if not ((phi > 0.0) & np.isfinite(phi)).all():
        raise ValueError(
            f"predict_dist: dispersion={dispersion!r} is not allowed. Allowed: finite numbers > 0. "
            "Give such."
        )
    power: Any = 0
    if isinstance(model, (PoissonRegressor, GammaRegressor, TweedieRegressor)):
        own = 1 if isinstance(model, PoissonRegressor) else 2
        power = getattr(model, "power", own)
    law = _POWERS.get(power)
    if law is None or (law == "poisson" and (phi != 1.0).any()):
        what = f"power {power}" if law is None else f"a Poisson law of dispersion {dispersion!r}"
        raise ValueError(
            f"predict_dist: {type(model).__name__} with {what} has no law that is known. Allowed: "
            "powers 0, 2 and 3, and 1 with dispersion 1. Use MLERegressor('negative_binomial') for "
            "counts that spread wider."
        )
    mean = np.asarray(model.predict(X), float)
    if law == "normal":
        return Distribution(law, {"loc": mean, "scale": np.sqrt(phi) * np.ones(len(mean))})
    if law == "poisson":
        return Distribution(law, {"mean": mean})
    (_, second) = get_family(law).names
    return Distribution(law, {"mean": mean, second: 1.0 / phi * np.ones(len(mean))})


# ---------------------------------------------------------------- statsmodels


def _of_statsmodels(model: Any, X: Any) -> Any:
    """Return the law of results of statsmodels; X is as their `predict` takes it."""
    results = getattr(model, "_results", model)
    kind = type(results).__name__
    if kind in ("MultinomialResults", "OrderedResults"):
        proba = np.asarray(results.predict(X), float)
        return Distribution.of(Categorical(proba.shape[1]), (proba,))
    if kind in ("OLSResults", "RegressionResults"):
        loc = np.asarray(results.predict(X), float)
        return Distribution("normal", {"loc": loc, "scale": np.sqrt(results.scale) + 0.0 * loc})
    if not hasattr(results, "get_distribution"):
        raise TypeError(
            f"predict_dist: {kind} of statsmodels gives no law of y. Allowed: results of least "
            "squares, and those with get_distribution, of GLM, Logit, Poisson, NegativeBinomial "
            "and their like. Use skmle.register_law."
        )
    transformed = results._transform_predict_exog(X)[0]
    return results.get_distribution(exog=np.asarray(transformed, float))


def is_results(model: Any) -> bool:
    """Return whether a model is results of statsmodels."""
    names = {_name(cls) for cls in type(model).__mro__}
    return bool(
        names & {"statsmodels.base.wrapper.ResultsWrapper", "statsmodels.base.model.Results"}
    )


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


# Pairs of (is the model of this kind?, how it tells its law); the first kind that fits counts.
_KNOWN: tuple[tuple[Callable[[Any], bool], Adapter], ...] = (
    (is_results, _of_statsmodels),
    (lambda model: isinstance(model, PoissonRegressor), _poisson),
    (lambda model: is_classifier(model) and hasattr(model, "predict_proba"), _of_classes),
    (lambda model: hasattr(model, "pred_dist"), _boosted),
    (predicts_normal, _normal),
)


def check_quantiles(method: str, model: Any) -> None:
    """Raise TypeError if a method that needs quantiles is asked of a classifier of skmle."""
    if isinstance(model, LikelihoodEstimator) and is_classifier(model):
        raise no_quantiles(method, model)


def no_quantiles(method: str, model: Any) -> TypeError:
    """Return the error of a model that gives a law of labels."""
    advice = "Use predict_proba."
    if method == "predict_interval" and isinstance(model, LikelihoodEstimator):
        advice = f"Intervals of probabilities are {INTERVALS_OF_PROBABILITIES}."
    return TypeError(
        f"{method}: {type(model).__name__} gives a law of labels, which have no quantiles. "
        f"Allowed: laws of numbers. {advice}"
    )
