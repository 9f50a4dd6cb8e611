"""Pictures of fits: one Display class each, as scikit-learn has them.

`from_estimator` computes what is drawn and draws it; the arrays are attributes, and `plot` draws
them again, on axes of one's own if these are given. Matplotlib is loaded when something is drawn
(``pip install "skmle[plot]"``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmle.plotting.calibration import ReliabilityDisplay
    from skmle.plotting.coefficients import CoefficientDisplay
    from skmle.plotting.comparison import ComparisonDisplay
    from skmle.plotting.contour import LikelihoodContourDisplay
    from skmle.plotting.decomposition import CrossEntropyDecompositionDisplay
    from skmle.plotting.density import DensityDisplay
    from skmle.plotting.fan import FanDisplay
    from skmle.plotting.path import PathDisplay
    from skmle.plotting.places import PITDisplay
    from skmle.plotting.profile import ProfileDisplay

_FILES = {
    "CoefficientDisplay": "coefficients",
    "ComparisonDisplay": "comparison",
    "CrossEntropyDecompositionDisplay": "decomposition",
    "DensityDisplay": "density",
    "FanDisplay": "fan",
    "LikelihoodContourDisplay": "contour",
    "PITDisplay": "places",
    "PathDisplay": "path",
    "ProfileDisplay": "profile",
    "ReliabilityDisplay": "calibration",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(import_module(f"skmle.plotting.{_FILES[name]}"), name)
    raise AttributeError(f"module 'skmle.plotting' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "CoefficientDisplay",
    "ComparisonDisplay",
    "CrossEntropyDecompositionDisplay",
    "DensityDisplay",
    "FanDisplay",
    "LikelihoodContourDisplay",
    "PITDisplay",
    "PathDisplay",
    "ProfileDisplay",
    "ReliabilityDisplay",
]
