"""Warnings of a fit that is not at an interior maximum. Each says what, where, why and what to do."""

from sklearn.exceptions import ConvergenceWarning


class FitWarning(ConvergenceWarning):
    """A fit did not end at an interior maximum of the likelihood."""


class BoundaryWarning(FitWarning):
    """The maximum is a limit law of the family (status ``"boundary"``)."""


class NoMaximumWarning(FitWarning):
    """The likelihood has no maximum (status ``"no_maximum"``): it grows towards infinite parameters or a zero scale."""


class SeparationWarning(NoMaximumWarning):
    """Some combination of columns separates the outcomes, so its coefficient is infinite (status ``"no_maximum"``)."""


class NonRegularWarning(FitWarning):
    """The estimate is the maximum, but the usual standard errors do not hold (status ``"non_regular"``)."""


class NotConvergedWarning(FitWarning):
    """The solver stopped before it reached `tol` (status ``"not_converged"``)."""


class InterruptedWarning(FitWarning):
    """The fit was stopped before it was done, by the keyboard or by a callback (status ``"interrupted"``)."""


class ScoreWarning(UserWarning):
    """A score was asked for under other conditions than the fit's, such as without its exposure."""
