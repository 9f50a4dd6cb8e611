"""Ctrl-C during a fit: it ends that fit, or all of which the fit is a part.

A fit that the user has called keeps its last iterate. Where another estimator, a search or joblib
has called it, the interrupt is meant for them, and a fit that was cut short must not count among
theirs.
"""

from __future__ import annotations

import inspect

# scikit-learn's frames around a `fit` of its own, whoever has called it.
_AROUND_FIT = ("sklearn.callback", "sklearn.base", "sklearn.utils")


def pass_on_interrupt() -> None:
    """Raise KeyboardInterrupt if scikit-learn or joblib has called the fit that it has ended."""
    frame = inspect.currentframe()
    names = []
    while frame is not None:
        names.append(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    own = [name.split(".")[0] == "skmle" or name.startswith(_AROUND_FIT) for name in names]
    outside = names[own.index(False) :] if False in own else []
    if any(name.split(".")[0] in ("sklearn", "joblib") for name in outside):
        raise KeyboardInterrupt
