"""scikit-learn's callbacks, which exist from version 1.9 on; the only file that imports them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from skmle._engine.problem import Fit, Tell

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's class of that name."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


class FitTask:
    """The fit of one estimator as callbacks see it: a task with a subtask for each iterate.

    Parameters
    ----------
    estimator : LikelihoodEstimator
    X, y, sample_weight : array-like
        The data as the user gave them.
    store : callable
        (estimator, fit) -> None: stores the attributes of a fit.
    """

    def __init__(
        self, estimator: Any, X: Any, y: Any, sample_weight: Any, store: Callable[[Any, Fit], None]
    ) -> None:
        self.estimator, self.store = estimator, store
        self.data = {
            "X": X,
            "y": y,
            "metadata": None if sample_weight is None else {"sample_weight": sample_weight},
        }
        self.context: Any = None
        self.before: Callable[[], dict[str, Any]] | None = None
        """Makes the attributes of the iterate before."""
        self.tell: Tell | None = None
        """What the engine calls at each iterate; None if nobody listens."""
        if hasattr(estimator, "_skl_callbacks"):
            self.context = estimator._init_callback_context(max_subtasks=None)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)
            self.tell = self._iterate

    def _iterate(self, make: Callable[[], Fit]) -> bool:
        def attributes() -> dict[str, Any]:
            fitted = copy.copy(self.estimator)
            self.store(fitted, make())
            return dict(vars(fitted))

        return self._subtask(attributes)

    def _subtask(self, attributes: Callable[[], dict[str, Any]]) -> bool:
        iterate = self.context.subcontext(task_name="iterate")
        iterate.call_on_fit_task_begin(
            estimator=self.estimator, **self.data, reconstruction_attributes=self.before
        )
        self.before = attributes
        return bool(
            iterate.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes=attributes
            )
        )

    def done(self) -> None:
        """Say that the fit has ended and is stored."""
        if self.context is not None:
            state = dict(vars(self.estimator))
            if self.before is None:  # A fit without a step, as in closed form, is one iterate.
                self._subtask(lambda: state)
            self.context.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes=state
            )


class SearchTask:
    """The fits of many models as callbacks see them: a task with a subtask for each model.

    Parameters
    ----------
    estimator : BaseEstimator
    X, sample_weight : array-like
        The data as the user gave them.
    count : int
        Number of models.
    """

    def __init__(self, estimator: Any, X: Any, sample_weight: Any, count: int) -> None:
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"X": X, "y": None, "metadata": metadata}
        self.context: Any = None
        if hasattr(estimator, "_skl_callbacks"):
            self.context = estimator._init_callback_context(max_subtasks=count)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def around(self, make: Callable[[], Any]) -> Any:
        """Return what `make` makes, which is one of the subtasks."""
        if self.context is None:
            return make()
        one = self.context.subcontext(task_name="family")
        one.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        result = make()
        one.call_on_fit_task_end(estimator=self.estimator, **self.data)
        return result

    def done(self) -> None:
        """Say that the search has ended and is stored."""
        if self.context is not None:
            state = dict(vars(self.estimator))
            self.context.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes=state
            )
