"""Inference on the fitted law: what all estimators say of how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Fit
from skmle._shared.augmenting import Augmenting
from skmle._shared.classes import OF_CLASS_WEIGHTS
from skmle._shared.offset import OF_INFERENCE, check_beside
from skmle._shared.penalties import check_augmented, chooses_alpha, strength_of
from skmle._shared.profiling import profiler_of
from skmle._shared.resampling import RowResampler
from skmle._shared.rows_tests import KnownRows
from skmle.inference import Inference
from skmle.inference.assemble import TableLines
from skmle.inference.covariance_settings import check_choice, check_rows_left
from skmle.inference.groups import coded_groups
from skmle.inference.missing import why_missing
from skmle.inference.robust import Choice, Errors, errors_of
from skmle.inference.rows_known import RowsOfFit
from skmle.inference.wald import checked_level, note_of_few_rows

Array = NDArray[np.float64]


class Inferring(Augmenting):
    """Estimates with their errors, of a fit that has been stored."""

    store_information: bool | str

    _counted: tuple[int, bool]
    """Rows of positive weight, and whether they were given weights."""
    _at_limit: dict[str, float]
    """The parameters that ran to an end of their range, with that end."""
    _sandwiched: str
    """Why the errors are those of a sandwich; "" if they are not."""

    def _keep(
        self, fits: Sequence[Fit], terms: Sequence[Sequence[Term]], sandwiched: str = ""
    ) -> None:
        """Store what inference needs of the fits, with the terms of each."""
        self._terms = tuple(map(tuple, terms))
        self._fits = tuple(
            replace(f, condensed=None, estimable=None, separated=None, dependent=None) for f in fits
        )
        cusps = "the law has cusps" if any(f.family.kinked for f in fits) else ""
        self._sandwiched = sandwiched or cusps

    # ---------------------------------------------------------------- what a user asks

    def inference(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        covariance: str | None = None,
        groups: Any = None,
        lags: int | None = None,
        weights: str = "repeats",
        correction: str | None = None,
        distribution: str = "normal",
        confidence_level: float = 0.95,
        **offset_or_exposure: ArrayLike,
    ) -> Inference:
        """Return estimates with their covariance, standard errors, intervals and tests.

        Coefficients are on the scale of their links. Parameters that depend on no feature are on
        their own scale: standard errors by the delta method, intervals through the link.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            The rows of the fit, which any covariance but that of the fit needs, as no model keeps
            rows.
        covariance : str, optional
            "observed", "expected" or "outer", which hold if the data follow the law that is fitted
            ("augmented": as R's logistf under ``penalty="jeffreys"``);
            "HC0", "HC1", "HC2", "HC3" for independent rows of any law; "cluster" for independent
            groups of rows; "HAC" for rows in the order of time. By default that of the fit:
            "observed"; where that cannot hold, "law" (class weights) or "HC0" (medians, soft
            labels).
        groups : array-like of shape (n,) or (n, 2), optional
            For "cluster", the group of each row, of one kind or of two.
        lags : int, optional
            For "HAC", up to how many rows apart rows depend on each other; by default
            4 (n/100)^(2/9), as Newey & West (1994) have it.
        weights : {"repeats", "factors"}, default="repeats"
            Whether a weight is that many rows, or a factor of one row's log-likelihood, as those of
            a survey are.
        correction : str, optional
            The factor for small samples: "none", "n/(n-1)", "n/(n-k)", "G/(G-1)" or
            "G/(G-1)*(n-1)/(n-k)". By default "n/(n-k)" for "HC1", "G/(G-1)" for "cluster", and none
            else. k counts the coefficients of the parameters that depend on features. "n/(n-k)"
            with "observed" gives a normal law the errors of least squares.
        distribution : {"normal", "t"}, default="normal"
            That of intervals and tests; t has n - k degrees of freedom, or G - 1.
        confidence_level : float, default=0.95
            Coverage of the intervals, unless a table is asked for another.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure` of a regressor's rows, if fit was given them beside X.

        Returns
        -------
        skmle.inference.Inference

        Raises
        ------
        ValueError
            If the fit has no covariance: no regular maximum, or ``store_information=False``; the
            message says why. (Where columns separate rows, there are the errors of what does not
            run to infinity.) If X and y are not the rows of the fit, or a setting has no meaning.

        Notes
        -----
        Other programs: R's ``sandwich::vcovHC(type=...)`` are "HC0" to "HC3", and ``vcovCL`` is
        "cluster" with "G/(G-1)*(n-1)/(n-k)". Stata's ``vce(robust)`` is "HC0" with "n/(n-1)", its
        ``vce(cluster)`` the default of "cluster". statsmodels' ``cov_type="HC0"`` is that of a GLM
        whatever number it has; its "cluster" is R's; its "HAC" is ours. glum's robust covariance is
        "HC1", its clustered one R's.

        Examples
        --------
        >>> import numpy as np
        >>> from skmle import MLERegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(500, 1))
        >>> y = rng.negative_binomial(1, 1 / (1 + np.exp(X[:, 0])))  # spread wider than Poisson's
        >>> model = MLERegressor("poisson").fit(X, y)
        >>> for kind in ("observed", "HC1"):
        ...     errors = model.inference(X, y, covariance=kind).standard_errors
        ...     print(kind, errors.round(3))
        observed [0.04  0.053]
        HC1 [0.094 0.079]
        """
        check_is_fitted(self)
        check_beside("inference", self, offset_or_exposure, OF_INFERENCE)
        checked_level(confidence_level)
        tester = None
        if X is None:
            unchanged = None if weights == "repeats" else weights
            self._check_without_rows(
                covariance=covariance,
                groups=groups,
                lags=lags,
                weights=unchanged,
                correction=correction,
            )
            check_choice(self._own_kind, None, None, None, distribution, weights)
            errors = self._own_errors()
            if distribution == "t":
                errors = errors._replace(dof=self._degrees_left())
        else:
            kind = covariance or ("cluster" if groups is not None else self._own_kind)
            check_choice(kind, groups, lags, correction, distribution, weights)
            self._check_kind(kind)
            every, mask = self._evidences(X, y, sample_weight, weights, offset_or_exposure)
            ways = () if groups is None else coded_groups(groups, every[0].n, mask)
            if self._runs_off:
                errors = self._errors_beside()
            else:
                choice = Choice(kind, ways, lags, correction, distribution)
                errors = errors_of(every, choice)
                tester = KnownRows(every, choice, mask)
        result = self._results_under(errors, confidence_level)
        if X is not None:
            resampler = RowResampler(self, every, mask, ways, errors)
            profiler = None
            if by_law := self._has_profiles(kind, weights):
                profiler = profiler_of(self, every, result, errors)
            result = replace(result, rows=RowsOfFit(resampler, profiler, tester))
            if by_law:
                return result
        if result.reason:
            raise ValueError(self._no_covariance())
        return result

    def summary(self, confidence_level: float = 0.95) -> Any:
        """Return the table of `inference`.

        Print it, or leave it as the last line of a notebook cell. Of a fit without covariance it
        has the estimates alone, and says why.

        Parameters
        ----------
        confidence_level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        skmle.inference.Summary
        """
        check_is_fitted(self)
        return self._results().summary(confidence_level)

    # ---------------------------------------------------------------- how it is found

    @property
    def _covariances(self) -> list[Array | None]:
        """Of each fit the covariance of its coefficients; None where there is none."""
        return [fit.covariance for fit in self._fits]

    @property
    def _own_kind(self) -> str:
        """The kind of covariance that the fit has kept."""
        if self._sandwiched == OF_CLASS_WEIGHTS:
            return "law"
        return "HC0" if self._sandwiched else "observed"

    def _check_without_rows(self, **settings: Any) -> None:
        """Raise ValueError if a setting is given (is not None) that needs the rows of the fit."""
        given = [name for name, value in settings.items() if value is not None]
        if given:
            value = settings[given[0]]
            shown = f"{given[0]}={value!r}" if isinstance(value, (str, int)) else given[0]
            raise ValueError(
                f"{type(self).__name__}.inference: {shown} needs the rows of the fit, which no "
                "model keeps. Allowed: without X, distribution and confidence_level. Give X and y "
                "(and sample_weight) as fit was given them."
            )

    def _degrees_left(self) -> float:
        """Return n - k, where k counts as `Evidence.n_modelled` does, without the rows.

        Raises
        ------
        ValueError
            If no rows are left over.
        """
        fit, others = self._fits[0], self._terms[0][1:]
        constants = sum(term.columns is None for term in others)
        k = fit.n_parameters - constants
        check_rows_left(self.weight_sum_, k, "distribution='t'")
        return float(self.weight_sum_ - k)

    def _check_kind(self, kind: str) -> None:
        """Raise ValueError if a kind of covariance has no meaning for this fit."""
        name = type(self).__name__
        if kind == "law" and self._own_kind != "law":
            raise ValueError(
                f"{name}.inference: covariance='law' takes class weights out of the law, and this "
                "fit has none. Allowed: fits with class_weight. Use covariance='observed'."
            )
        if kind == "augmented":
            check_augmented(self, self._fits)
        if self._runs_off and kind != "observed":
            raise ValueError(
                f"{name}.inference: covariance={kind!r} of a fit in which coefficients run to "
                "infinity, as columns separate rows (`separated_`). Allowed: 'observed', that of "
                "all others. Use it, or drop these columns."
            )

    def _has_profiles(self, kind: str, weights: str) -> bool:
        """Return whether the deviance is a chi-square: where the law that is fitted holds."""
        by_law = kind in ("observed", "expected", "augmented", "outer") and weights == "repeats"
        return by_law and not self._sandwiched

    def _errors_beside(self) -> Errors:
        """Return the errors of what does not run to infinity: nan if nothing stays."""
        own = self._own_errors()
        if own.known:
            return own
        sizes = [sum(term.length for term in terms) for terms in self._terms]
        unknown = tuple(np.full((size, size), np.nan) for size in sizes)
        return own._replace(covariances=unknown, wholes=unknown)

    def _own_errors(self) -> Errors:
        """Return the covariances that the fit has kept."""
        origin = "observed information"
        if self._sandwiched:
            by = "sandwich by the law" if self._own_kind == "law" else "HC0 sandwich"
            origin = f"{by}, as {self._sandwiched}"
        wholes = tuple(f.covariance if f.whole is None else f.whole for f in self._fits)
        return Errors(tuple(self._covariances), origin, wholes=wholes)

    def _no_covariance(self) -> str:
        """Return why there is no covariance, as a message in four parts."""
        why, mend = self._why_missing()
        return (
            f"{type(self).__name__}: no covariance, because {why}. Allowed: a regular maximum "
            f"without absolute penalty, with store_information on. {mend}"
        )

    def _why_missing(self) -> tuple[str, str]:
        """Return why there is no covariance, and what to do about it."""
        alpha, l1_ratio = strength_of(self), getattr(self, "l1_ratio", 0.0)
        return why_missing(
            self.status_, self.store_information, l1_ratio=l1_ratio if alpha > 0.0 else 0.0
        )

    def _results(self) -> Inference:
        """Return the results of the fit, filled with nan where it has no errors."""
        return self._results_under(self._own_errors())

    def _results_under(self, errors: Errors, confidence_level: float = 0.95) -> Inference:
        """Return the results under some errors, filled with nan where there are none."""
        raise NotImplementedError

    def _report(
        self,
        title: str,
        lines: TableLines,
        errors: Errors,
        confidence_level: float,
        squares_of: int | None = None,
        notes_of_law: Sequence[str] = (),
    ) -> Inference:
        """Return the results of a table under a header.

        Parameters
        ----------
        title : str
        lines : TableLines
        errors : Errors
        confidence_level : float
        squares_of : int, optional
            The number of coefficients whose estimate is that of least squares.
        notes_of_law : sequence of str
            What the rows say of the law that was fitted.
        """
        count, weighted = self._counted
        weight = f" of total weight {self.weight_sum_:.10g}" if weighted else ""
        at = ", ".join(f"{name} = {value:g}" for name, value in self._at_limit.items())
        missing = self._without_criteria()
        notes = [*errors.notes, *notes_of_law]
        criteria = ""
        if missing is None:
            criteria = f", AIC {self.aic():.2f}, BIC {self.bic():.2f}"
        else:
            notes.append("No AIC and BIC: {}. {}".format(*missing))
        plain = errors.known and not self._prior and not self._sandwiched and errors.dof == np.inf
        if plain and squares_of is not None:
            notes += filter(None, [note_of_few_rows(self.weight_sum_, squares_of)])
        header = [
            title,
            f"{count} observations{weight}, status {self.status_}" + (f" ({at})" if at else ""),
            f"log-likelihood {self.log_likelihood_:.4f}{criteria}",
        ]
        reason = "" if errors.known else "{}. {}".format(*self._why_missing())
        return Inference.from_lines(
            lines,
            header,
            errors,
            prior=self._prior,
            reason=reason,
            notes=notes,
            confidence_level=confidence_level,
            model=self._as_function(errors) if errors.known else None,
            facts=self._facts(title, errors),
            augmenter=self._augment,
        )

    @property
    def _prior(self) -> str:
        """The setting that penalises, in words; "" if none does."""
        if chooses_alpha(self):
            return "alpha='loo'"
        if strength_of(self) > 0.0:
            return "alpha > 0"
        penalty = getattr(self, "penalty", None)
        if isinstance(penalty, str):
            return f"penalty={penalty!r}"
        return "" if penalty is None else "penalty=..."
