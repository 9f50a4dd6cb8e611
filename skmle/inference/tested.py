"""Values of estimates held against the data: tests of hypotheses and profile intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.inference.changes import is_slope
from skmle.inference.hypotheses import HypothesisTest, parsed, wald_test_of
from skmle.inference.profile import ProfileIntervals, profiled
from skmle.inference.rows_known import (
    RowsOfFit,
    asked_rows,
    information_matrix_test,
    score_test,
)

Array = NDArray[np.float64]


class Tested:
    """The base of results: what the data say against values of the estimates."""

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    covariance: Array
    dof: float
    confidence_level: float
    rows: RowsOfFit | None
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
            Equations, such as ``"age = 0, bmi = 2 * age"``; names alone are tested against zero,
            and the name of a factor, as ``"city"``, is all of its columns
            (``"C(city)[T.b]"``, ``"city_b"``). Where several components have a term of one name,
            write ``"loc:age"`` or ``"class b:age"``. Names may have any sign in them; one that
            reads as a number, or holds that of another, is written in backticks.

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
        linear, words = parsed(hypotheses, self._places(), len(self.terms))
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

    def score_test(
        self,
        extra: ArrayLike,
        *,
        parameter: str | None = None,
        names: Sequence[str] | None = None,
    ) -> HypothesisTest:
        """Return Rao's score test that further columns have no part in a linear predictor.

        It needs no fit with them. Under a robust covariance it is robust, too: it compares the
        gradient of the likelihood with the spread that this covariance gives it.

        Parameters
        ----------
        extra : array-like of shape (n,) or (n, q)
            The columns, for the rows that `inference(X, y)` was given, in their order.
        parameter : str, optional
            The parameter whose linear predictor would have them, such as "scale" for a spread that
            is not the same for all rows; by default the first, or all classes.
        names : sequence of str, optional
            By default those of a frame.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        ValueError
            If the results do not know the rows of the fit, it has a penalty or a law with cusps, or
            a column is a combination of others.

        References
        ----------
        Boos (1992), On generalized score tests, The American Statistician 46.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmle import MLERegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> result = MLERegressor("gamma").fit(X[["bmi", "bp"]], y).inference(X[["bmi", "bp"]], y)
        >>> result.score_test(X[["age", "sex"]])
        Score test of age = 0, sex = 0: chi2(2) = 4.26, p = 0.119
        >>> result.score_test(X[["bmi"]], parameter="shape")
        Score test of shape:bmi = 0: chi2(1) = 10.97, p = 0.000925
        """
        return score_test(asked_rows(self.rows, "score_test"), extra, parameter, names)

    def information_matrix_test(
        self, *, replications: int = 199, random_state: Any = 0
    ) -> HypothesisTest:
        """Return White's test that the law which is fitted holds: its information equality.

        If it holds, the curvature of the log-likelihood and the products of its gradients have one
        expectation, in which "observed" errors and those of sandwiches agree. The statistic is that
        of Chesher and Lancaster, for all pairs of coefficients at once. Its chi-square rejects far
        too often (at 5 % in 28 % of 300 Poisson samples of 80 rows), so that p is taken from
        samples of the fitted law, to each of which the model is fitted again (Horowitz 1994).

        Parameters
        ----------
        replications : int, default=199
            How many samples; 0 for the p of the chi-square.
        random_state : int or Generator, default=0
            Seed of the samples.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        ValueError
            If the results do not know the rows of the fit, it has a penalty, there are more pairs
            of coefficients than rows, or the law cannot be drawn from.

        References
        ----------
        White (1982), Maximum likelihood estimation of misspecified models, Econometrica 50.
        Horowitz (1994), Bootstrap-based critical values for the information matrix test, Journal of
        Econometrics 61.

        Examples
        --------
        >>> import numpy as np
        >>> from skmle import MLERegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(300, 1))
        >>> y = rng.negative_binomial(1, 1.0 / (1.0 + np.exp(X[:, 0])))
        >>> result = MLERegressor("poisson").fit(X, y).inference(X, y)
        >>> result.information_matrix_test(replications=99)
        Information-matrix test of the fitted law, p by 99 samples of it:
        chi2(3) = 30.28, p = 0.0100
        """
        known = asked_rows(self.rows, "information_matrix_test")
        return information_matrix_test(known, replications, random_state)

    def _places(self) -> dict[str, list[int]]:
        """Return the places of the estimates by the names that they may be called."""
        places: dict[str, list[int]] = {}
        for i, (component, term) in enumerate(zip(self.components, self.labels, strict=True)):
            short = str(component).partition(" (link ")[0]
            for name in dict.fromkeys([term, f"{short}:{term}" if short else term]):
                places.setdefault(name, []).append(i)
        return places
