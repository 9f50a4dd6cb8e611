"""Values of estimates held against the data: tests of hypotheses and profile intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmle.inference.changes import is_slope
from skmle.inference.hypotheses import HypothesisTest, in_words, parsed, wald_test_of
from skmle.inference.profile import ProfileIntervals, Profiler, profiled

Array = NDArray[np.float64]


class Tested:
    """The base of results: what the data say against values of the estimates."""

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    covariance: Array
    dof: float
    confidence_level: float
    profiler: Profiler | None
    contrasts: Sequence[str] | None

    @property
    def labels(self) -> list[str]:
        """The terms; those of changes from one level to another with the change."""
        if self.contrasts is None:
            return [str(term) for term in self.terms]
        pairs = zip(self.terms, self.contrasts, strict=True)
        return [str(t) if is_slope(c) else f"{t}: {c}" for t, c in pairs]

    def test(self, hypotheses: str | Sequence[str]) -> HypothesisTest:
        """Return Wald's test of linear hypotheses about the estimates, all at once.

        Parameters
        ----------
        hypotheses : str or sequence of str
            Equations, such as ``"age = 0, bmi = 2 * age"``; names alone, such as the columns of a
            factor, are tested against zero. Where several components have a term of one name,
            write ``"loc:age"`` or ``"class b:age"``.

        Returns
        -------
        HypothesisTest
            With `statistic`, `df`, `p_value`: chi-square, or F where the errors are by t.

        Raises
        ------
        ValueError
            If an equation is not linear, names no estimate, or one without standard error.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmle import MLERegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> result = MLERegressor().fit(X[["age", "sex", "bmi"]], y).inference()
        >>> result.test("age = 0, bmi = 7 * sex")
        Wald test of age = 0, bmi = 7 * sex: chi2(2) = 10.26, p = 0.00593
        """
        linear = parsed(hypotheses, self._places(), len(self.terms))
        words = in_words(hypotheses)
        return wald_test_of(linear, self.estimates, self.covariance, words, self.dof)

    def profile(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        confidence_level: float | None = None,
    ) -> ProfileIntervals:
        """Return profile-likelihood intervals: the values that a likelihood-ratio test accepts.

        With one estimate held, all others are fitted again. The interval ends where twice the fall
        of the log-likelihood (under a penalty, of what is maximised) is the quantile of chi-square
        of one degree of freedom. Such intervals are better than Wald's on few rows and near
        separation, and they do not depend on the scale of a parameter.

        Parameters
        ----------
        terms : str or sequence of str, optional
            Names as `test` takes them; by default all estimates.
        confidence_level : float, optional
            Asymptotic coverage; by default that of the results, 0.95.

        Returns
        -------
        skmle.inference.ProfileIntervals

        Raises
        ------
        ValueError
            If the results do not know the rows of the fit, or are those of a sandwich; if a name is
            unknown, or the data do not determine an estimate.

        Examples
        --------
        >>> import numpy as np
        >>> from skmle import CrossEntropyClassifier
        >>> X, y = np.arange(8.0)[:, None], np.array([0, 0, 0, 1, 0, 1, 1, 1])
        >>> model = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
        >>> model.inference(X, y).profile("x0")
        Profile-likelihood intervals
        ---------------------------------
            estimate  95 % low  95 % high
        ---------------------------------
        x0    0.7041     0.015      2.254
        ---------------------------------
        """
        level = self.confidence_level if confidence_level is None else confidence_level
        return profiled(self, terms, level)

    def _places(self) -> dict[str, list[int]]:
        """Return the places of the estimates by the names that they may be called."""
        places: dict[str, list[int]] = {}
        for i, (component, term) in enumerate(zip(self.components, self.labels, strict=True)):
            short = str(component).partition(" (link ")[0]
            for name in dict.fromkeys([term, f"{short}:{term}" if short else term]):
                places.setdefault(name, []).append(i)
        return places
