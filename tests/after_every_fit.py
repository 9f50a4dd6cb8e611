"""What holds after every fit of the tests, whatever they are about.

`conftest.py` has it checked at the end of each fit, before the fit's warning: the estimator is
complete by then, and the warning still points to the line that called `fit`.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import _num_samples

from skmle._shared.callbacks import FitTask

# Rows up to which a fit is checked: it then takes a small part of the fit's time.
MOST_ROWS = 2000
# Largest difference of two sums of log-probabilities, relative to the larger of their size and
# their number of rows: a thousand times the rounding of sums of so many rows.
SAME = 1e-9
# Times the change with the last bits of X that a prediction's rounding may make: there is one more
# rounding for each column, and one draw of bits may happen to change little.
LAST_BITS = 30.0
AT_A_MAXIMUM = ("interior", "boundary", "non_regular")

plain_done = FitTask.done


def done(task: FitTask) -> None:
    """End the task of a fit as before, and check the fit."""
    plain_done(task)
    X, y = task.data["X"], task.data["y"]
    weight = (task.data["metadata"] or {}).get("sample_weight")
    # `warnings.catch_warnings` is for the main thread alone.
    if threading.current_thread() is threading.main_thread() and _num_samples(X) <= MOST_ROWS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(task.estimator, X, y, weight)


def _of_several_columns(model: Any) -> bool:
    """Whether a regression is of several responses at once."""
    return not getattr(getattr(model, "_law", None), "univariate", True)


def _predicted(model: Any, X: Any) -> np.ndarray | None:
    """Return what is predicted; None where that cannot be asked.

    A family of one's own need not say its mean. Rows of weight zero may lack an exposure.
    """
    try:
        return np.asarray(model.predict(X))
    except NotImplementedError:
        return None
    except ValueError:
        if getattr(model, "exposure", None) is None:
            raise
        return None


def check(model: Any, X: Any, y: Any, weight: Any) -> None:
    """Assert what holds of every fitted estimator and the data that it was fitted to."""
    status = model.status_
    assert model.converged_ == (status in AT_A_MAXIMUM)
    assert not np.isnan(model.log_likelihood_), "the log-likelihood is nan"
    if status == "interior":
        assert model.distance_ <= model.tol, f"interior, but {model.distance_:g} away"
    if any(getattr(model, "_beside", ())):
        return  # Offset and exposure were given beside X, and are not at hand here.
    if (predicted := _predicted(model, X)) is not None:
        columns = predicted.shape[1:] if _of_several_columns(model) else ()
        shape = (_num_samples(X), *columns)
        assert predicted.shape == shape, f"predict has shape {predicted.shape}"
        if status in AT_A_MAXIMUM and predicted.dtype.kind == "f":
            assert not np.isnan(predicted).any(), "predict is nan"
    arguments = (X,) if y is None else (X, y)
    score = model.score(*arguments, sample_weight=weight)
    assert not np.isnan(score), "the score is nan"
    # Where there is no maximum the parameters stand where the law has no more digits, and where
    # the fit has not come to one they may be beyond the numbers.
    lost = status == "no_maximum" or (status == "not_converged" and not np.isfinite(score))
    if lost or getattr(model, "class_weight", None) is not None:
        return
    if not _goes_on(model, X):
        total = score * model.weight_sum_
        difference = abs(total - model.log_likelihood_)
        allowed = SAME * (abs(model.log_likelihood_) + model.weight_sum_)
        if difference > allowed:
            allowed += LAST_BITS * model.weight_sum_ * _last_bits(model, X, y, weight, score)
        assert difference <= allowed or total == model.log_likelihood_, (
            f"{type(model).__name__} {status}: score x weight_sum_ is {total!r}, log_likelihood_ "
            f"{model.log_likelihood_!r}"
        )


def _last_bits(model: Any, X: Any, y: Any, weight: Any, score: float) -> float:
    """Return by how much the score changes with the last bits of X and of the linear predictor.

    A prediction cannot have more digits than X times the coefficients, plus the intercept, has.
    Where columns nearly cancel, or residuals are tiny, a fit computes in other coordinates, and has
    more.
    """
    X = np.asarray(X) if isinstance(X, list) else X
    if y is None or not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        return 0.0
    rng, eps = np.random.default_rng(0), np.finfo(X.dtype).eps
    moved = X * (1.0 + rng.integers(-1, 2, X.shape) * eps)
    beside = {}
    known = any(getattr(model, name, None) is not None for name in ("offset", "exposure"))
    if is_regressor(model) and not known and np.ndim(getattr(model, "intercept_", ())) == 0:
        beside["offset"] = rng.integers(-1, 2, len(X)) * eps * abs(model.intercept_)
    return abs(model.score(moved, y, sample_weight=weight, **beside) - score)


def _goes_on(model: Any, X: Any) -> bool:
    """Return whether the model was fitted to more rows than these, batch by batch."""
    return not (is_classifier(model) or is_regressor(model)) and model._counted[0] > _num_samples(X)
