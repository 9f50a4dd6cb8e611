"""How sure a fit is: covariance, standard errors, intervals and tests, as functions of arrays; the results object."""

from skmle.inference.results import Inference
from skmle.inference.table import Summary

__all__ = ["Inference", "Summary"]
