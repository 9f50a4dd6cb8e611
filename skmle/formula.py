"""Columns by a formula, as R and statsmodels have them: a step of a pipeline."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skmle._shared.estimator import LikelihoodEstimator
from skmle.inference.show import offered

__all__ = ["FormulaTransformer"]

_COLOURS = re.compile(r"\x1b\[[\d;]*m")  # by which formulaic marks where a formula is wrong
_OFFSET = re.compile(r"\boffset\(\s*([^()]+?)\s*\)")  # R's term, which formulaic does not know


class FormulaTransformer(TransformerMixin, BaseEstimator):
    """Columns by a formula: text and categories become indicators, terms become columns.

    The formula is one of formulaic (``pip install "skmle[formula]"``), which reads them as R does:
    ``age + C(city)``, ``age * sex``, ``poly(age, 3)``, ``bs(age, df=4)``, ``np.log(income)``. What
    a term learns from data, such as the categories of a column, it learns in `fit`, so that rows of
    a cross-validation that are held out tell it nothing.

    Parameters
    ----------
    formula : str, default="."
        The right side, or both: ``"y ~ age + C(city)"``. The left side is for the reader: y is what
        `fit` of the pipeline is given. "." stands for all columns.
    keep : str or sequence of str, optional
        Columns that are handed on as they are, behind those of the formula, such as an exposure
        that the regressor names.

    Attributes
    ----------
    model_spec_ : formulaic.ModelSpec
        What the terms have learnt.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        The columns of the frame. Those of an array are called x0, x1 and so on.

    Notes
    -----
    There is no column for the intercept, as skmle's estimators, and scikit-learn's, have their own.
    A formula with ``0 +`` gives indicators of all categories; the estimator then needs
    ``fit_intercept=False``.

    A formula is evaluated as Python: take none from strangers.

    Examples
    --------
    >>> import pandas as pd
    >>> import skmle
    >>> from sklearn.pipeline import make_pipeline
    >>> frame = pd.DataFrame(
    ...     {
    ...         "age": [23, 35, 41, 52, 60, 33, 47, 28],
    ...         "city": ["Bern", "Rome", "Bern", "Oslo", "Rome", "Oslo", "Rome", "Bern"],
    ...         "visits": [1, 4, 2, 6, 9, 2, 5, 2],
    ...     }
    ... )
    >>> columns = skmle.FormulaTransformer("visits ~ age + C(city)")
    >>> pipe = make_pipeline(columns, skmle.MLERegressor("poisson")).fit(frame, frame.visits)
    >>> print(skmle.infer(pipe).terms)
    ['age', 'C(city)[T.Oslo]', 'C(city)[T.Rome]', 'intercept']
    """

    _doc_link_module = LikelihoodEstimator._doc_link_module
    _doc_link_template = LikelihoodEstimator._doc_link_template

    def __init__(self, formula: str = ".", *, keep: str | Sequence[str] | None = None) -> None:
        self.formula = formula
        self.keep = keep

    def fit(self, X: Any, y: ArrayLike | None = None) -> FormulaTransformer:
        """Learn what the terms need of the data.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, p)
        y : ignored

        Returns
        -------
        FormulaTransformer

        Raises
        ------
        ImportError
            If formulaic is not installed.
        ValueError
            If the formula cannot be read, names a column that X has not, or a value is missing.
        """
        try:
            from formulaic import Formula
        except ImportError as error:
            raise ImportError(
                "FormulaTransformer reads formulas by formulaic, which is not installed. Allowed: "
                'an environment with it. Run pip install "skmle[formula]".'
            ) from error
        frame = self._frame(X, reset=True)
        try:
            known = {"__formulaic_variables_available__": list(frame.columns)}  # for "."
            formula = Formula.from_spec(self.formula, context=known)
        except Exception as error:
            raise self._refused(str(error)) from error
        right = getattr(formula, "rhs", formula)
        left = str(getattr(formula, "lhs", "y"))
        if not left.isidentifier():
            raise self._refused(
                f"its left side {left!r} is not the name of y, and a step of a pipeline cannot "
                "change y (a family can: 'lognormal' is normal for log(y))"
            )
        self._kept(frame)
        self.model_spec_ = self._matrix(right, frame).model_spec
        return self

    def transform(self, X: Any) -> Any:
        """Return the columns of the formula, and those that are kept.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, p)

        Returns
        -------
        DataFrame
            Of pandas, or of polars if X is.

        Raises
        ------
        ValueError
            If a value is missing, or a category that `fit` has not seen.
        """
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        matrix = self._matrix(self.model_spec_, frame)
        names = [name for name in self.model_spec_.column_names if name != "Intercept"]
        kept = self._kept(frame)
        if hasattr(frame, "with_columns"):
            import polars

            return polars.concat([matrix[names], frame[kept]], how="horizontal")
        import pandas

        return pandas.concat([pandas.DataFrame(matrix)[names], frame[kept]], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that `transform` gives."""
        check_is_fitted(self)
        names = [name for name in self.model_spec_.column_names if name != "Intercept"]
        return np.array([*names, *self._names_kept()], object)

    def _frame(self, X: Any, reset: bool) -> Any:
        """Return X as a frame; the columns of an array are called x0, x1 and so on."""
        if hasattr(X, "columns") and hasattr(X, "shape"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        import pandas

        array = check_array(X, dtype=None, ensure_all_finite=True, estimator=self)
        validate_data(self, X, reset=reset, skip_check_array=True)
        return pandas.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])

    def _matrix(self, of: Any, frame: Any) -> Any:
        """Return the matrix of a formula, or of what was learnt of one.

        Raises
        ------
        ValueError
            If it cannot be made of these rows.
        """
        with warnings.catch_warnings():
            # A category that was not seen would be a row of zeros, that is, the first category.
            warnings.filterwarnings("error", message="Data has categories outside")
            try:
                return of.get_model_matrix(frame, context={"np": np}, na_action="raise")
            except Exception as error:
                raise self._refused(str(error)) from error

    def _names_kept(self) -> list[str]:
        return [self.keep] if isinstance(self.keep, str) else list(self.keep or [])

    def _kept(self, frame: Any) -> list[str]:
        """Return the names of the columns that are handed on.

        Raises
        ------
        ValueError
            If the frame has no such column.
        """
        for name in self._names_kept():
            if name not in frame.columns:
                raise ValueError(
                    f"FormulaTransformer: keep names the column {name!r}, which X has not. "
                    f"Allowed: {offered(str(name), list(map(str, frame.columns)))}"
                )
        return self._names_kept()

    def _refused(self, why: str) -> ValueError:
        why = " ".join(_COLOURS.sub("", why).split()).rstrip(".")
        advice = "Mend the formula or the rows."
        if offset := _OFFSET.search(self.formula):
            advice = (
                f"An offset is a setting of the model: FormulaTransformer(..., keep={offset[1]!r}) "
                f"and MLERegressor(..., offset={offset[1]!r})."
            )
        return ValueError(
            f"FormulaTransformer: formula={self.formula!r} is refused for these rows: {why}. "
            "Allowed: formulas of the columns of X, without missing values and with categories "
            f"that fit has seen, such as 'y ~ age + C(city)'. {advice}"
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # a frame has a type a column
        return tags
