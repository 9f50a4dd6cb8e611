"""How a fit is computed.

Rows of data are at the bottom, then the likelihood, the solvers and the judge; `fit` has the steps
in order.
"""
