"""Every number of every reference case is compared, or stands in a list with the reason why not.

The numbers are discovered in the files: an entry of `reference`, `polished` or `extras` that no
function below speaks of makes `test_every_entry_is_compared_or_listed` fail. Estimates, their
covariances and log-likelihoods are compared by `test_reference.py` as well, at other settings.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLERegressor
from tests.estimators.cases import SPECS, Case
from tests.estimators.test_reference import carried, model_of

# What is no number, or is compared elsewhere as a whole.
WORDS = {
    ("reference", "bse_kind"): "words",
    ("reference", "bse_robust_kind"): "words",
    ("reference", "bse_cluster_kind"): "words",
    ("reference", "bse_matches"): "the name of an entry, which `bse` follows below",
    ("polished", "how"): "words",
    ("polished", "newton_decrement_sq"): "how close the reference itself is to its optimum",
    ("reference", "infinite"): "test_reference.test_separation",
    ("reference", "finite_limits"): "test_reference.test_separation",
    ("reference", "loglik_supremum"): "test_reference.test_separation",
}
# Single entries that are not compared, with the reason.
NOT_COMPARED: dict[tuple[str, str, str], str] = {}


class Fitted:
    """A case with its fit, made once."""

    def __init__(self, name: str) -> None:
        self.case = Case(SPECS[name])

    @cached_property
    def model(self) -> Any:
        case = self.case
        return model_of(case).fit(case.X, case.y, sample_weight=case.weight)

    @cached_property
    def classifier(self) -> CrossEntropyClassifier:
        case = self.case
        model = CrossEntropyClassifier(alpha=case.alpha, penalty=case.penalty, tol=1e-10)
        return model.fit(case.X, case.y, sample_weight=case.weight)

    @cached_property
    def null(self) -> Any:
        """The model without features in its first parameter, but with its exposure."""
        model = clone(self.model)
        first = next(iter(model.features))
        model.set_params(features={**model.features, first: "none"})
        return model.fit(self.case.X, self.case.y, sample_weight=self.case.weight)

    def result(self, **settings: Any) -> Any:
        case = self.case
        return self.model.inference(case.X, case.y, case.weight, **settings)

    def errors(self, **settings: Any) -> dict[str, float]:
        own = carried(self.case, self.model, self.result(**settings)).errors
        return dict(zip(self.case.names, own, strict=True))

    @cached_property
    def rows(self) -> pd.DataFrame:
        return self.model.inference().augment(self.case.X, self.case.y, self.case.weight)

    @cached_property
    def pearson_dispersion(self) -> float:
        """Pearson's statistic over n - k, of a gamma law: without its scale, 1/shape."""
        slopes = len(next(iter(self.case.model["parameters"].values()))["terms"])
        squares = (self.rows["pearson_residual"] ** 2).sum() / self.model.params_["shape"]
        return float(squares / (len(self.case.y) - slopes))


fitted = lru_cache(maxsize=None)(Fitted)


class Comparison(NamedTuple):
    find: Callable[[Fitted], Any]
    rtol: float
    atol: float
    case: str
    """The only one that it is for; "" if it is for all that have none of their own."""


COMPARED: dict[tuple[str, str], list[Comparison]] = {}


def compares(
    section: str, *keys: str, rtol: float = 1e-6, atol: float = 0.0, case: str = ""
) -> Callable[[Callable[[Fitted], Any]], Callable[[Fitted], Any]]:
    """Say that a function finds the entries of these names; of one case, or of all."""

    def register(find: Callable[[Fitted], Any]) -> Callable[[Fitted], Any]:
        for key in keys:
            COMPARED.setdefault((section, key), []).append(Comparison(find, rtol, atol, case))
        return find

    return register


# ---------------------------------------------------------------- estimates and their errors

OBSERVED = {"covariance": "observed"}
KINDS = {
    "bse_observed": OBSERVED,
    "bse_expected": {"covariance": "expected"},
    "bse_fisher": {"covariance": "expected"},
    "bse_fisher_augmented": {"covariance": "augmented"},
    "bse_opg": {"covariance": "outer"},
    "bse_sandwich": {"covariance": "HC0"},
    "bse_stata_robust": {"covariance": "HC0", "correction": "n/(n-1)"},
}


def errors_of_kind(kind: str) -> Callable[[Fitted], Any]:
    return lambda known: known.errors(**KINDS[kind])


for _kind in KINDS:
    compares("polished", _kind)(errors_of_kind(_kind))
compares("extras", "bse_fweight_robust_stata")(errors_of_kind("bse_stata_robust"))
compares("reference", "bse_robust")(errors_of_kind("bse_stata_robust"))


@compares("polished", "bse_stata_cluster")
@compares("reference", "bse_cluster")
def by_groups(known: Fitted) -> Any:
    groups = known.case.columns[known.case.model["cluster"]]
    return known.errors(covariance="cluster", groups=groups)


@compares("polished", "bse_ols_df_corrected", rtol=1e-9)
def of_least_squares(known: Fitted) -> Any:
    """NIST divides the sum of squares by n - p."""
    n, p = len(known.case.y), known.case.X.shape[1] + 1
    return {k: e * np.sqrt(n / (n - p)) for k, e in known.errors(**OBSERVED).items()}


@compares("polished", "bse_expected_pearson")
def with_pearson_dispersion(known: Fitted) -> Any:
    """R's and Stata's dispersion of a GLM takes the place of the most likely one."""
    factor = np.sqrt(known.pearson_dispersion * known.model.params_["shape"])
    return {k: e * factor for k, e in known.errors(covariance="expected").items()}


@compares("polished", "cov_observed")
def covariance(known: Fitted) -> Any:
    own, errors = carried(known.case, known.model, known.result()), known.case.array("bse_observed")
    expected = np.array(known.case.polished["cov_observed"])
    assert (np.abs(own.covariance - expected) <= 1e-6 * np.outer(errors, errors)).all()
    return expected


@compares("polished", "params", rtol=0.0)
def estimates(known: Fitted) -> Any:
    own = carried(known.case, known.model, known.result()).params
    expected, errors = known.case.array("params"), known.case.array("bse_observed")
    assert (np.abs(own - expected) <= 1e-6 * errors).all()
    return dict(zip(known.case.names, expected, strict=True))


@compares("polished", "loglik", rtol=1e-9)
def log_likelihood(known: Fitted) -> Any:
    return known.model.log_likelihood_


@compares("polished", "penalized_loglik", rtol=1e-9)
def penalised(known: Fitted) -> Any:
    if known.case.penalty:
        return (
            known.model.log_likelihood_
            - 0.5 * np.linalg.slogdet(known.result(covariance="expected").covariance)[1]
        )
    slopes = known.model.coef_
    return known.model.log_likelihood_ - 0.5 * known.case.alpha * len(known.case.y) * (
        slopes @ slopes
    )


@compares("polished", "pearson_dispersion")
@compares("extras", "pearson_dispersion", rtol=5e-6)
def dispersion(known: Fitted) -> Any:
    return known.pearson_dispersion


@compares("reference", "params", "bse", "loglik")
def published(known: Fitted) -> Any:
    """To the digits that hold, which the case names; errors by the kind that it says."""
    case = known.case
    if case.spec.get("expect") == "separation":
        return None
    own = carried(case, known.model, known.result())
    tolerance, kind = case.spec["tolerance"], case.reference["bse_matches"]
    for name, value in (case.reference["params"] or {}).items():
        close = {"rtol": tolerance["params_rtol"], "atol": tolerance["params_atol"]}
        np.testing.assert_allclose(own.params[case.names.index(name)], value, **close)
    assert (kind is None) == (not case.reference["bse"])
    if kind is not None:
        found = COMPARED["polished", kind][0].find(known)
        for name, value in case.reference["bse"].items():
            close = {"rtol": tolerance["bse_rtol"], "atol": tolerance["bse_atol"]}
            np.testing.assert_allclose(found[name], value, **close)
    if case.reference["loglik"] is not None:
        np.testing.assert_allclose(
            known.model.log_likelihood_,
            case.reference["loglik"],
            rtol=0,
            atol=tolerance["loglik_atol"],
        )
    return None


@compares("reference", "firth_params", rtol=1e-8)
def of_firth(known: Fitted) -> Any:
    model = CrossEntropyClassifier(penalty="jeffreys", tol=1e-10).fit(known.case.X, known.case.y)
    return {"p:const": model.intercept_[0], "p:x": model.coef_[0, 0]}


@compares("reference", "bse_expected_hett", rtol=1e-4)
def of_hett(known: Fitted) -> Any:
    """By the information that is expected, at estimates of five digits."""
    return known.errors(covariance="expected")


@compares("extras", "nu_se_hett", rtol=5e-5)
def error_of_degrees_of_freedom(known: Fitted) -> Any:
    result = known.result(covariance="expected")
    return result.standard_errors[list(result.terms).index("df")]


@compares("extras", "profile_penalized_likelihood_ci_95", atol=1e-7)
def profiles(known: Fitted) -> Any:
    found = known.result().profile()
    names = ["const" if t == "intercept" else t for t in found.terms]
    return {f"p:{t}": list(ends) for t, ends in zip(names, found.intervals, strict=True)}


# ---------------------------------------------------------------- how well the model fits


@compares("extras", "loglik_null", rtol=2e-8)
@compares("extras", "loglik_null", rtol=0.0, atol=0.05, case="ovarian_weibull_aft")
def log_likelihood_without_features(known: Fitted) -> Any:
    return known.null.log_likelihood_


@compares("extras", "lr_chi2", rtol=2e-7)
@compares("extras", "lr_chi2", rtol=0.0, atol=0.005, case="ovarian_weibull_aft")
def likelihood_ratio(known: Fitted) -> Any:
    return 2.0 * (known.model.log_likelihood_ - known.null.log_likelihood_)


@compares("extras", "lr_pvalue", rtol=1e-6)
def p_of_the_ratio(known: Fitted) -> Any:
    return float(chi2.sf(likelihood_ratio(known), known.case.X.shape[1]))


@compares("extras", "mcfadden_r2", rtol=1e-6)
def mcfadden(known: Fitted) -> Any:
    return 1.0 - known.model.log_likelihood_ / known.null.log_likelihood_


@compares("extras", "aic", rtol=1e-6)
def aic(known: Fitted) -> Any:
    return known.model.aic()


@compares("extras", "bic", rtol=1e-6)
def bic(known: Fitted) -> Any:
    return known.model.bic()


@compares("extras", "residual_sum_of_squares", rtol=1e-11)
def sum_of_squares(known: Fitted) -> Any:
    return float(((known.case.y - known.model.predict(known.case.X)) ** 2).sum())


@compares("extras", "residual_variance_df_corrected", rtol=1e-11)
def variance(known: Fitted) -> Any:
    return sum_of_squares(known) / (len(known.case.y) - known.case.X.shape[1] - 1)


@compares("extras", "r_squared", rtol=1e-12)
def r_squared(known: Fitted) -> Any:
    return 1.0 - sum_of_squares(known) / float(((known.case.y - known.case.y.mean()) ** 2).sum())


def deviance_of(model: Any, case: Case) -> float:
    rows = model.inference().augment(case.X, case.y, influence=False)
    return float((rows["deviance_residual"] ** 2).sum() / model.params_["shape"])


@compares("extras", "deviance")
def deviance(known: Fitted) -> Any:
    return deviance_of(known.model, known.case)


@compares("extras", "null_deviance")
def null_deviance(known: Fitted) -> Any:
    return deviance_of(known.null, known.case)


@compares("extras", "loglik_at_phi_equal_1", rtol=1e-8)
def with_known_shape(known: Fitted) -> Any:
    model = MLERegressor("gamma", fixed={"shape": 1.0}).fit(known.case.X, known.case.y)
    return model.log_likelihood_


@compares("extras", "nu", rtol=2e-5)
def degrees_of_freedom(known: Fitted) -> Any:
    return known.model.params_["df"]


@compares("extras", "n_left_censored")
def censored_rows(known: Fitted) -> Any:
    return int((known.case.y[:, 0] != known.case.y[:, 1]).sum())


@compares("extras", "n_uncensored")
def exact_rows(known: Fitted) -> Any:
    return int((known.case.y[:, 0] == known.case.y[:, 1]).sum())


# ---------------------------------------------------------------- row by row


@compares("extras", "fitted", rtol=5e-5)
def fitted_means(known: Fitted) -> Any:
    return known.rows["fitted"]


@compares("extras", "predicted_p", rtol=2e-6)
def probabilities(known: Fitted) -> Any:
    return known.classifier.predict_proba(known.case.X)[:, 1]


@compares("extras", "deviance_residuals", rtol=2e-6, atol=6e-8)
def deviance_residuals(known: Fitted) -> Any:
    return known.rows["deviance_residual"]


@compares("extras", "pearson_residuals", rtol=2e-6, atol=6e-8)
def pearson_residuals(known: Fitted) -> Any:
    return known.rows["pearson_residual"]


@compares("extras", "generalized_residuals_gretl", atol=6e-7)
def generalized_residuals(known: Fitted) -> Any:
    """Of a logit, the derivative of log q in the intercept."""
    return known.case.y - probabilities(known)


@compares("extras", "first_7_predicted_probabilities", rtol=0.0, atol=2e-4)
def first_probabilities(known: Fitted) -> Any:
    return known.model.predict_proba(known.case.X)[:7]


@compares("extras", "resid_prob_first20", rtol=0.0, atol=3e-4)
def probability_residuals(known: Fitted) -> Any:
    """P(Y < y) - P(Y > y), twice the middle place less one."""
    rows = known.model.inference().augment(known.case.X, known.case.y, pit="mid")
    return 2.0 * rows["pit"][:20] - 1.0


# ---------------------------------------------------------------- effects


@compares("extras", "cov_params", rtol=2e-6)
def covariance_in_single_precision(known: Fitted) -> Any:
    return carried(known.case, known.model, known.result()).covariance


def of_stata(key: str) -> Callable[[Fitted], Any]:
    """Return what finds the marginal effects of an entry of spector_logit, or their errors."""
    name = key.removesuffix("_se").removeprefix("margeff_")
    by_level = "nodummy" not in name and "dummy" in name
    by_count = "count" in name
    for word in ("no", "dummy_", "count_"):
        name = name.replace(word, "")
    method, place = name[:4], name[4:].lstrip("_").replace("overall", "")

    def find(known: Fitted) -> Any:
        X = known.case.X
        change: dict[str, Any] = {} if by_level else {"psi": "slope"}
        settings: dict[str, Any] = {"slope": method}
        if place == "zero":
            settings["at"] = dict.fromkeys(X.columns, 0.0)
        elif name == "atexog1":
            settings = {"at": {"gpa": 2.0, "psi": 1.0}}
            change = {"psi": (0, 1) if by_level else "slope"}
        elif name == "atexog2":
            X, settings = pd.DataFrame([X.mean()]).assign(tuce=21.0, psi=0.0), {}
            change = {"psi": (0, 1) if by_level else "slope"}
        elif place:
            settings["at"] = place
        result = known.classifier.inference()
        found = result.effects(X, change=change, **settings)
        own = found.standard_errors if key.endswith("_se") else found.estimates
        if by_count:  # half the change from one less to one more
            row = pd.DataFrame([getattr(X, place)()]) if place else X
            ends = row.assign(tuce=row["tuce"] + 1), row.assign(tuce=row["tuce"] - 1)
            half = result.estimate(
                lambda m: 0.5 * np.diff([m.predict_proba(e)[:, 1].mean() for e in ends[::-1]])
            )
            own = np.array(own)
            own[1] = (half.standard_errors if key.endswith("_se") else half.estimates)[0]
        return own

    return find


for _key in SPECS["spector_logit"]["extras"]:
    if _key.startswith("margeff_"):
        # A program of a user's for counts takes coarse differences of the other columns, too.
        compares("extras", _key, rtol=1e-4 if "count" in _key else 2e-6, atol=6e-8)(of_stata(_key))


def average_effects(known: Fitted, dummies: bool) -> Any:
    names = list(known.case.X.columns)
    binary = [name for name in names if known.case.X[name].isin([0.0, 1.0]).all()]
    change = None if dummies else dict.fromkeys(binary, "slope")
    return known.result().effects(known.case.X, names, change=change)


for _dummies in (False, True):
    _name = "average_marginal_effects" + "_dummies_discrete" * _dummies

    @compares("extras", _name, rtol=2e-6)
    def _effects(known: Fitted, dummies: bool = _dummies) -> Any:
        found = average_effects(known, dummies)
        return dict(zip(found.terms, found.estimates, strict=True))

    @compares("extras", f"{_name}_se", rtol=2e-6)
    def _errors(known: Fitted, dummies: bool = _dummies) -> Any:
        found = average_effects(known, dummies)
        return dict(zip(found.terms, found.standard_errors, strict=True))


# ---------------------------------------------------------------- the tests

ENTRIES = [
    (name, section, key)
    for name, spec in SPECS.items()
    for section in ("reference", "polished", "extras")
    for key in spec.get(section, {})
]


def test_every_entry_is_compared_or_listed():
    left = [
        entry
        for entry in ENTRIES
        if entry[1:] not in COMPARED and entry[1:] not in WORDS and entry not in NOT_COMPARED
    ]
    assert not left
    assert len(ENTRIES) > 200
    known = {entry[1:] for entry in ENTRIES}
    assert set(COMPARED) <= known and set(WORDS) <= known and set(NOT_COMPARED) <= set(ENTRIES)


@pytest.mark.parametrize(
    "entry",
    [e for e in ENTRIES if e[1:] in COMPARED and e not in NOT_COMPARED],
    ids="-".join,
)
def test_every_number(entry):
    name, section, key = entry
    expected = SPECS[name][section][key]
    own = [c for c in COMPARED[section, key] if c.case == name]
    for comparison in own or [c for c in COMPARED[section, key] if not c.case]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = comparison.find(fitted(name))
        if found is None:  # compared inside
            continue
        known = expected
        if isinstance(expected, dict):
            assert set(expected) <= set(found)
            found, known = [found[k] for k in expected], [*expected.values()]
        np.testing.assert_allclose(found, known, rtol=comparison.rtol, atol=comparison.atol)
