"""Pickles of estimators: they hold the version of skmle, as scikit-learn's hold its own."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning

_KEY = "_skmle_version"


def _version() -> str:
    # The package is on the floor above, and has been imported by whoever has an estimator.
    return str(sys.modules["skmle"].__version__)


class Versioned:
    """A part of estimators, before scikit-learn's base: another version of skmle warns on loading.

    Fitted models have private attributes, whose form may change from one version to the next.
    """

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        assert isinstance(state, dict)
        ours = type(self).__module__.split(".")[0] == "skmle"
        return {**state, _KEY: _version()} if ours else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        written = state.get(_KEY, _version())
        if written != _version():
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=f"{_version()} of skmle",
                    original_sklearn_version=f"{written} of skmle",
                ),
                stacklevel=2,
            )
        rest = {name: value for name, value in state.items() if name != _KEY}
        super().__setstate__(rest)  # type: ignore[misc]
