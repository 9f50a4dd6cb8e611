"""Whether rows may have come from the law that was fitted to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.unwrap import unwrap
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._shared.estimator import family_if_known
from skmle._shared.offset import check_beside
from skmle._shared.redrawn import Distance, Observing, redrawn
from skmle._spelling import SaysWhatIsMeant
from skmle.distribution import MLEDistribution
from skmle.families.tools.generators import generator_of
from skmle.inference.distances import STATISTICS
from skmle.inference.elsewhere import OF_TESTS
from skmle.inference.numbers import p_value as shown_p
from skmle.inference.show import as_frame, html_table, text_table
from skmle.regressor import MLERegressor

__all__ = ["GoodnessOfFit", "goodness_of_fit"]

Array = NDArray[np.float64]

_TITLES = {
    "anderson_darling": "Anderson-Darling",
    "cramer_von_mises": "Cramér-von Mises",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    "chi_squared": "Pearson's chi-squared",
}


@dataclass(frozen=True, eq=False, repr=False)
class GoodnessOfFit(SaysWhatIsMeant):
    """A test of whether rows have come from the law that was fitted to them.

    Attributes
    ----------
    kind : str
        Which statistic.
    title : str
        The law.
    statistic : float
        How far the rows are from it; larger is farther.
    p_value : float
        The share of samples from the law that are as far from the law fitted to them, and one more.
    samples : ndarray of shape (resamples,)
        Their statistics.
    lost : int
        How many samples had no fit; they do not count.
    cells : int
        Of chi-squared, how many cells.
    """

    kind: str
    title: str
    statistic: float
    p_value: float
    samples: Array = field(repr=False)
    lost: int = 0
    cells: int = 0
    _elsewhere = OF_TESTS

    def tidy(self) -> Any:
        """Return the test as a frame of one line; a dict of arrays without pandas."""
        return as_frame(
            {
                "test": np.array([self.kind], object),
                "statistic": np.array([self.statistic]),
                "p_value": np.array([self.p_value]),
                "resamples": np.array([len(self.samples)]),
                "lost": np.array([self.lost]),
            }
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        head = ["", STATISTICS[self.kind], "p", "resamples"]
        name = _TITLES[self.kind] + (f", {self.cells} cells" if self.cells else "")
        line = [name, f"{self.statistic:.4g}", shown_p(self.p_value), f"{len(self.samples)}"]
        return head, [line]

    @property
    def _caption(self) -> str:
        lost = f"; {self.lost} samples had no fit" if self.lost else ""
        return f"Goodness of fit: {self.title}, fitted anew to each sample from it{lost}"

    def __repr__(self) -> str:
        return f"{self._caption}\n{text_table(*self._cells())}"

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=self._caption)


def goodness_of_fit(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    statistic: str = "auto",
    resamples: int = 999,
    random_state: Any = 0,
    **offset_or_exposure: ArrayLike,
) -> GoodnessOfFit:
    """Test whether rows may have come from the law that was fitted to them.

    The tables of such tests hold for a law that is known. Here its parameters have been estimated
    from the same rows, which brings it nearer to them. So samples of as many rows are drawn from
    the fitted law, the law is fitted anew to each, and the statistic of the rows is compared with
    theirs (a parametric bootstrap).

    Parameters
    ----------
    model : MLEDistribution, MLERegressor or Pipeline of one
        Fitted. Of a regression, u = P(Y <= y) given X is compared with a uniform law, and X stays
        as it is in the samples.
    X, y, sample_weight : array-like
        The rows of the fit. A weight is a number of equal rows.
    statistic : str, default="auto"
        "anderson_darling", which sees the tails, "cramer_von_mises", "kolmogorov_smirnov", or
        "chi_squared", for counts and rounded values, whose cells expect five rows or more. "auto"
        is the first of continuous laws and the last of the others.
    resamples : int, default=999
        Number of samples. 199 are enough for a first look.
    random_state : int, Generator or None, default=0
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of a regression, if fit was given them beside X.

    Returns
    -------
    GoodnessOfFit

    Raises
    ------
    ValueError
        If the model is at no maximum, these are not the rows of its fit, the rows are not numbers
        of one column, rows like these cannot be drawn from the law, or a setting has no meaning.

    Notes
    -----
    Right-censored rows are compared by Kaplan and Meier's estimate, up to the last row. Where rows
    of a sample cease to be seen is drawn from that of their ends.

    It takes about as long as `resamples` fits: some tenths of a second for laws whose fits to all
    samples are found at once, such as the gamma or the Weibull, one to three seconds for those
    whose probabilities take long, and one to ten milliseconds a sample for laws that are fitted one
    by one (with cusps or moving ends). 199 resamples take a fifth of that; p then has a standard
    error of 0.035 at most, and is not below 0.005. `n_jobs` of the model shares the samples between
    threads.

    A large p does not show that the law is right. A small one of very many rows may tell of a
    difference that does not matter: look at it.

    References
    ----------
    Stephens (1974), EDF statistics for goodness of fit and some comparisons, J. American
    Statistical Association 69.
    Stute, Gonzáles Manteiga & Presedo Quindimil (1993), Bootstrap based goodness-of-fit-tests,
    Metrika 40.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution, goodness_of_fit
    >>> x = np.random.default_rng(0).weibull(1.5, size=(200, 1))
    >>> print(goodness_of_fit(MLEDistribution("weibull").fit(x), x))
    Goodness of fit: Weibull, fitted anew to each sample from it
    ------------------------------------------
                          A2      p  resamples
    ------------------------------------------
    Anderson-Darling  0.4016  0.366        999
    ------------------------------------------
    >>> print(goodness_of_fit(MLEDistribution("exponential").fit(x), x).p_value)
    0.001
    """
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 1:
        raise ValueError(
            f"goodness_of_fit: resamples={resamples!r} is not allowed. Allowed: a number of "
            "samples above 0. Give for example 999."
        )
    beside = dict(offset_or_exposure)
    problem, fit = fit_of_rows("goodness_of_fit", model, X, y, sample_weight, beside)
    family = fit.family
    kind = _kind(statistic, family)

    def measure_of(problem: Problem, coefs: Coefs, observing: Observing) -> Distance:
        return Distance.of(kind, problem, coefs, observing)

    rng = generator_of(random_state)
    found = redrawn(problem, fit, measure_of, int(resamples), rng, "goodness_of_fit")
    if not len(found.samples):
        raise ValueError(
            f"goodness_of_fit: none of {resamples} samples from the law has a fit. Allowed: laws "
            "that can be fitted to as many rows. Give more rows, or a law of fewer parameters."
        )
    statistic_of_rows = float(found.rows)
    # Statistics that agree but for rounding, as those of counts often do, are ties.
    as_far = found.samples >= statistic_of_rows * (1.0 - 1e-9)
    p = (1.0 + float(as_far.sum())) / (len(as_far) + 1.0)
    assert isinstance(found.measure, Distance)
    cells = 0 if found.measure.ends is None else len(found.measure.ends)
    return GoodnessOfFit(kind, family.title, statistic_of_rows, p, found.samples, found.lost, cells)


def fit_of_rows(
    asked: str,
    model: Any,
    X: Any,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    beside: dict[str, Any],
    or_else: str = "",
) -> tuple[Problem, Fit]:
    """Return the problem and the fit of one column of numbers, of which samples can be drawn.

    `or_else` says, for the error, what else can be done with rows that are not those of the fit.

    Raises
    ------
    ValueError
        If the model has no law of one number a row, its fit is at no maximum of it, or these are
        not its rows.
    """
    inner, seen = unwrap(model, X)
    if not isinstance(inner, (MLEDistribution, MLERegressor)):
        raise ValueError(
            f"{asked}: {type(inner).__name__} has no law of numbers here. Allowed: "
            "MLEDistribution and MLERegressor, alone or in a Pipeline. Give one that was fitted to "
            f"these rows, such as MLEDistribution({_family_of(model)!r}).fit(X)."
        )
    check_is_fitted(inner)
    check_beside(asked, inner, beside)
    if not inner.converged_:
        raise ValueError(
            f"{asked}: status_ is {inner.status_!r}, so there is no law to draw from. "
            "Allowed: fits at a maximum. See the warning of the fit."
        )
    problems, _ = inner._problems(seen, y, sample_weight, beside)
    (problem, *others), (fit, *_) = problems, inner._fits
    family = fit.family
    if others or not family.predicted(family.natural(_zeros(family))).family.univariate:
        raise ValueError(
            f"{asked}: the rows are not numbers of one column. Allowed: laws of one number "
            "a row. Fit each column by itself."
        )
    if fit.limit is not None:
        raise ValueError(
            f"{asked}: the fit stands at a limit law, {family.title}, of which samples are "
            f"to be fitted. Allowed: fits of that law. Fit it itself."
        )
    evidence = Evidence.of(problem, fit)
    assert evidence is not None  # as a limit law alone may forbid rows
    inner._check_total(evidence.log_likelihood, asked, or_else)
    return problem, fit


def _zeros(family: Any) -> tuple[Array, ...]:
    return tuple(np.zeros(()) for _ in family.parameters)


def _kind(statistic: str, family: Any) -> str:
    cells = family.support.discrete or family.repeats
    if statistic == "auto":
        return "chi_squared" if cells else "anderson_darling"
    if statistic not in STATISTICS:
        raise ValueError(
            f"goodness_of_fit: statistic={statistic!r} is not allowed. Allowed: 'auto', "
            f"{', '.join(map(repr, STATISTICS))}. Give one of them."
        )
    if cells != (statistic == "chi_squared"):
        kind, others = (
            ("counts or rounded values", "'chi_squared'")
            if cells
            else ("a continuous law", "'anderson_darling', 'cramer_von_mises' and the like")
        )
        raise ValueError(
            f"goodness_of_fit: statistic={statistic!r} is not for {kind}. Allowed: {others}. "
            "Leave statistic out."
        )
    return statistic


def _family_of(given: Any) -> str:
    """Return the name of the family that was given in place of a model; some other if none was."""
    name = given if isinstance(given, str) else getattr(getattr(given, "dist", None), "name", "")
    return name if name and family_if_known(name) is not None else "gamma"
