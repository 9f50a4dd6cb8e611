"""The warning of a fit points at the line of the user that started the fit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import FitWarning

X = np.arange(10.0)[:, None]
FITS = {
    "density": lambda: MLEDistribution("uniform").fit(X),
    "batch": lambda: MLEDistribution("normal").partial_fit(np.ones((10, 1))),
    "classifier": lambda: CrossEntropyClassifier().fit(X, X[:, 0] > 4.0),
    "regressor": lambda: MLERegressor("normal").fit(X, np.ones(10)),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_warning_points_at_the_line_that_fits(fit):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    assert [(w.filename, issubclass(w.category, FitWarning)) for w in caught] == [(__file__, True)]
