"""How sure a fit is: standard errors, intervals and tests from a covariance, and their table.

Everything here is a function of arrays; nothing knows of families or of the engine.
"""

from skmle.inference.bootstrap_results import BootstrapIntervals
from skmle.inference.hypotheses import HypothesisTest
from skmle.inference.profile import ProfileIntervals
from skmle.inference.results import Inference
from skmle.inference.table import Summary

__all__ = ["BootstrapIntervals", "HypothesisTest", "Inference", "ProfileIntervals", "Summary"]
