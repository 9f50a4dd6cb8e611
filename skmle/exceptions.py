"""Warnings of a fit that is not at an interior maximum, and of scores that do not fit the fit.

Each message says what, where, why and what to do.
"""

from sklearn.exceptions import ConvergenceWarning


class FitWarning(ConvergenceWarning):
    """A fit did not end at an interior maximum of the likelihood."""


class BoundaryWarning(FitWarning):
    """The maximum is a limit law of the family (status ``"boundary"``)."""


class NoMaximumWarning(FitWarning):
    """The likelihood has no maximum (status ``"no_maximum"``).

    It grows towards infinite parameters or towards a scale of zero.
    """


class SeparationWarning(NoMaximumWarning):
    """A combination of columns separates the outcomes (status ``"no_maximum"``).

    Its coefficient is infinite.
    """


class NonRegularWarning(FitWarning):
    """The usual standard errors do not hold at the maximum (status ``"non_regular"``)."""


class NotConvergedWarning(FitWarning):
    """The solver stopped before it reached `tol` (status ``"not_converged"``)."""


class InterruptedWarning(FitWarning):
    """The fit was stopped by the keyboard or by a callback (status ``"interrupted"``)."""


class ScoreWarning(UserWarning):
    """A fitted model was asked under other conditions than those of its fit.

    Such as without the exposure that fit was given, or about a label that fit has not seen.
    """


class SettingWarning(UserWarning):
    """Settings have no effect, contradict each other, or leave open what only the user knows."""


class ScaleWarning(UserWarning):
    """Log-likelihoods are of something that cannot be compared as it is.

    Such as densities of values that repeat.
    """
