"""What the estimators share: their settings, fitted state, and inference on the fitted law."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skmle._engine.data.observed import Observed
from skmle._engine.data.sums import thread_count
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import MAXIMUM
from skmle._shared.callbacks import CallbackSupportMixin
from skmle._shared.constructor import OF_ESTIMATORS
from skmle._shared.elsewhere import OF_ALL
from skmle._shared.inferring import Inferring
from skmle._shared.messages import level_outside
from skmle._shared.penalties import (
    JEFFREYS,
    LOO,
    check_chosen,
    check_jeffreys,
    is_jeffreys,
)
from skmle._shared.pickles import Versioned
from skmle._shared.separated import beyond, separated_of
from skmle._spelling import SaysWhatIsMeant
from skmle.exceptions import SettingWarning
from skmle.families import Distribution, Family, get_family
from skmle.families.tools.constructors import saying_what_is_meant
from skmle.families.tools.scipy_laws import arguments_given, is_frozen
from skmle.inference import Inference

Array = NDArray[np.float64]
_BOOLS = (bool, np.bool_)


class LikelihoodEstimator(
    Inferring, Versioned, CallbackSupportMixin, SaysWhatIsMeant, BaseEstimator
):
    """Settings, fitted state and inference that all estimators have."""

    _elsewhere: ClassVar[Mapping[str, str]] = OF_ALL
    _within: ClassVar[Sequence[tuple[str, type]]] = (("inference()", Inference),)
    _doc_link_module = "skmle"
    # The page that docs/api.md makes of each estimator.
    _doc_link_template = (
        "https://skmle.readthedocs.io/en/latest/generated/skmle.{estimator_name}.html"
    )

    tol: float
    max_iter: int
    store_information: bool | str
    n_jobs: int | None
    verbose: bool | int

    status_: str
    log_likelihood_: float
    n_parameters_: int
    effective_parameters_: float
    weight_sum_: float
    _counted: tuple[int, bool]
    """Rows of positive weight, and whether they were given weights."""
    _at_limit: dict[str, float]
    """The parameter that ran to an end of its range, with that end; empty if none did."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):  # A class without settings of its own has those of its base.
            checked = saying_what_is_meant(cls.__init__, OF_ESTIMATORS)
            cls.__init__ = checked  # type: ignore[method-assign]

    # ---------------------------------------------------------------- for the fits

    _notes: Sequence[str] = ()
    """What the rows say of the law, for tables."""
    _until = math.inf
    """The processor time of the thread at which a fit ends at the latest."""

    def _problem(
        self, family: Family, observed: Observed, terms: tuple[Term, ...], **rest: Any
    ) -> Problem:
        """Return the problem under the estimator's settings; `rest` are more of its fields."""
        # A class that is certain has no parameters, and no penalty on them.
        if jeffreys := is_jeffreys(self) and bool(family.parameters):
            check_jeffreys(self, family, observed, terms)
        return Problem(
            family=family,
            observed=observed,
            terms=terms,
            tol=self.tol,
            max_iter=self.max_iter,
            threads=thread_count(self.n_jobs),
            covariance=self.store_information,
            until=self._until,
            verbose=bool(self.verbose),
            jeffreys=jeffreys,
            **rest,
        )

    def _record(self, fit: Fit, counted: tuple[int, bool]) -> None:
        """Store what every fit finds."""
        self.status_ = fit.verdict.status
        self.converged_ = fit.verdict.status in MAXIMUM
        self.n_iter_ = fit.n_iter
        self.distance_ = fit.distance
        self.log_likelihood_ = fit.log_likelihood + 0.0  # A zero shall have no sign.
        self.n_parameters_ = fit.n_parameters
        shrunk = np.nan if fit.shrunk is None else fit.shrunk
        self.effective_parameters_ = float(fit.n_parameters - shrunk)
        self.weight_sum_ = fit.mass
        self._counted = counted
        end = fit.limit
        self._at_limit = {} if end is None else end.ends

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether a fit has ended: one that failed may have stored what it saw."""
        return hasattr(self, "status_")

    def _feature_names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return [f"x{j}" for j in range(self.n_features_in_)]
        return [str(name) for name in names]

    def _store_separated(
        self,
        fit: Fit,
        parameters: Sequence[Hashable],
        names: Sequence[Sequence[str]],
        mask: NDArray[np.bool_] | None,
    ) -> None:
        """Store what runs off to infinity: by names for the user, by numbers for the table."""
        self.separated_ = separated_of(fit, parameters, names, mask)
        self._beyond = beyond(fit, len(parameters))


# ---------------------------------------------------------------- settings


def family_if_known(family: Any) -> Family | None:
    """Return the family that a setting names; None if it names none.

    Tags and methods are asked for before settings are checked; `fit` explains what is wrong.
    """
    try:
        return get_family(family)
    except (TypeError, ValueError):
        return None


def check_settings(estimator: BaseEstimator) -> None:
    """Raise ValueError if a constructor argument of the estimator has a value of no meaning.

    Warns
    -----
    SettingWarning
        If one has no effect: an `l1_ratio` without penalty, or the numbers of a frozen law.
    """
    arguments = vars(estimator)
    for name, (allowed, what) in _ALLOWED.items():
        if name in arguments and not allowed(arguments[name]):
            raise ValueError(
                f"{type(estimator).__name__}: {name}={arguments[name]!r} is not allowed; give "
                f"{what}."
            )
    check_chosen(estimator)
    if arguments.get("l1_ratio", 0) > 0 and arguments["alpha"] == 0:
        warnings.warn(
            f"{type(estimator).__name__}: l1_ratio={arguments['l1_ratio']!r} has no effect, as "
            "alpha=0 is no penalty. Allowed: alpha > 0 beside it. Set alpha, or l1_ratio=0.",
            SettingWarning,
            stacklevel=level_outside(),
        )
    family = arguments.get("family")
    for law, ending in _frozen_in(family) if not arguments.get("fixed") else ():
        _warn_of_frozen(type(estimator).__name__, family, law, ending)


def _frozen_in(family: Any, ending: str = "") -> Iterator[tuple[Any, str]]:
    """Yield the frozen laws of scipy that a family is or is made of, and how their names end in it.

    A parameter of one of several parts has the number of the part behind its name.
    """
    if is_frozen(family) and (family.args or family.kwds):
        yield family, ending
    elif isinstance(family, (list, tuple)):
        for number, part in enumerate(family, 1):
            yield from _frozen_in(part, f"_{number}{ending}")
    elif isinstance(family, Family):
        yield from _frozen_in(getattr(family, "family", None), ending)


def _warn_of_frozen(name: str, family: Any, law: Any, ending: str) -> None:
    """Warn that the numbers of a frozen law of scipy are fitted, where a user may hold them known.

    Those that its family holds, as whole numbers, are not. `family` is the law, or around it.
    """
    free, start = get_family(law).names, Distribution.from_scipy(law)
    if type(start.family).__name__ == "ScipyFamily":  # whose parameters have scipy's names
        free = tuple(key for key in free if key in arguments_given(law))
    if free:
        last = free[-1]
        names = [n for n in get_family(family).names if n == last or n.startswith(f"{last}_")]
        known = f"{last}{ending}" if f"{last}{ending}" in names else names[0]
        held = {known: float(f"{float(start.params[last]):.4g}")}
        around = "" if law is family else f" inside {type(family).__name__}"
        warnings.warn(
            f"{name}: family={law.dist.name}(...){around} is frozen, but its numbers are not held: "
            f"the fit finds {', '.join(free)}. Allowed: a family, and in fixed what is known of "
            f"it. Give {law.dist.name!r} in its place, or hold a number, as fixed={held} does.",
            SettingWarning,
            stacklevel=level_outside(),
        )


def _is_number(value: Any, kind: Any = numbers.Real) -> bool:
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _are_numbers_by_name(values: Any) -> bool:
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and _is_number(value) for name, value in values.items()
    )


# Argument: (whether a value is allowed, what is allowed, in words).
_ALLOWED = {
    "alpha": (
        lambda v: (_is_number(v) and v >= 0) or (isinstance(v, str) and v == LOO),
        "a finite number >= 0 (0: no penalty, the maximum-likelihood estimate), or 'loo'",
    ),
    "l1_ratio": (
        lambda v: _is_number(v) and 0 <= v <= 1,
        "a number from 0 (ridge) to 1 (lasso)",
    ),
    "penalty": (
        lambda v: v is None or isinstance(v, Penalty) or (isinstance(v, str) and v == JEFFREYS),
        "None, 'jeffreys', or an object with the methods value, add, product, curvature and "
        "restrict. A ridge (l2) is alpha > 0, which is 1/(C n) in scikit-learn's terms; a lasso "
        "(l1) is l1_ratio=1 beside it, an elastic net any l1_ratio between",
    ),
    "tol": (
        lambda v: _is_number(v) and v > 0,
        "a positive number of standard errors, such as 1e-6",
    ),
    "max_iter": (
        lambda v: _is_number(v, numbers.Integral) and v >= 0,
        "a whole number >= 0 (0: the start)",
    ),
    "n_jobs": (
        lambda v: v is None or (_is_number(v, numbers.Integral) and v != 0),
        "None, a positive number of threads, or -1 for all cores",
    ),
    "store_information": (
        lambda v: isinstance(v, _BOOLS) or v == "auto",
        "'auto', True or False",
    ),
    "fit_intercept": (lambda v: isinstance(v, _BOOLS), "True or False"),
    "warm_start": (lambda v: isinstance(v, _BOOLS), "True or False"),
    "verbose": (
        lambda v: isinstance(v, _BOOLS) or (_is_number(v, numbers.Integral) and v >= 0),
        "True, False or a whole number >= 0",
    ),
    "fixed": (
        lambda v: v is None or _are_numbers_by_name(v),
        "None or a dict of parameter to finite number, such as {'scale': 1.0}",
    ),
    "features": (
        lambda v: v is None or isinstance(v, Mapping),
        "None or a dict of parameter to columns, such as {'scale': ['age']}",
    ),
}
