"""Default settings against estimates published by R, Stata, SAS and NIST, re-solved to twelve
digits: `reference/*.json`.

Each case states its data, its model and, as `polished`, the exact optimum. The cases are those of
the folder; a case whose family has no model yet is named in `NOT_YET`, and the list may not name
one that has.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLERegressor, OrdinalClassifier
from skmle.exceptions import SeparationWarning
from skmle.inference import Inference
from tests.estimators.cases import (
    ESTIMATED,
    MODELLED,
    MODELS,
    NOT_YET,
    SEPARATED,
    SPECS,
    Case,
    needs,
)

pytestmark = pytest.mark.filterwarnings("error")


def test_every_case_is_fitted_or_listed():
    assert {name: needs(spec) for name, spec in SPECS.items() if name not in MODELLED} == NOT_YET
    assert len(ESTIMATED) >= 9 and len(SEPARATED) >= 2


# ---------------------------------------------------------------- fits in the case's parameters


class Estimate(NamedTuple):
    """What a fit says, in the order and on the scale of the case's parameters."""

    params: np.ndarray
    covariance: np.ndarray
    model: MLERegressor | OrdinalClassifier

    @property
    def errors(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))


def model_of(case: Case) -> MLERegressor | OrdinalClassifier:
    """Return the model of a case, with default settings."""
    ours = MODELS[case.model["family"]]
    if ours.family is OrdinalClassifier:
        return OrdinalClassifier(link=case.model["link"], classes=case.model["classes"])
    exposure = [p["exposure"] for p in case.model["parameters"].values() if "exposure" in p]
    assert all("const" in p["terms"] for p in case.model["parameters"].values())
    return MLERegressor(
        ours.family,
        features={ours.parameters[name][0]: terms or "none" for name, terms in case.terms.items()},
        exposure=exposure[0] if exposure else None,
        alpha=case.alpha,
        penalty=case.penalty,
    )


def estimate(
    case: Case,
    X: pd.DataFrame | None = None,
    y: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> Estimate:
    """Fit with default settings; carry the answer to the case's parameters."""
    X, y, weight = (case.X, case.y, case.weight) if X is None else (X, y, weight)
    model = model_of(case).fit(X, y, sample_weight=weight)
    return carried(case, model, model.inference())


def carried(case: Case, model: MLERegressor | OrdinalClassifier, inference: Inference) -> Estimate:
    """Return results on the scale of the case's parameters, by the delta method."""
    ours = MODELS[case.model["family"]]
    rows = list(zip(inference.components, inference.terms, strict=True))
    constant = {
        term for component, term in rows if component == "constant parameters"
    }  # on their own scale, the others on the link's
    keys = [
        (term, "intercept") if term in constant else (component.split(" (link ")[0], term)
        for component, term in rows
    ]
    where = {key: i for i, key in enumerate(keys)}
    links = {
        component.split(" (link ")[0]: component.split(" (link ")[1][:-1]
        for component, term in rows
        if term not in constant
    }
    params, slopes, index = [], [], []
    for full in case.names:
        theirs, term = full.split(":")
        spec = case.model["parameters"].get(theirs, {"link": "identity", "terms": ["const"]})
        name, power = ours.parameters[theirs]
        if theirs == "cut":
            name, term = f"cut_{term}", "const"
        index.append(where[name, "intercept" if term == "const" else term])
        value = inference.estimates[index[-1]]
        if name not in constant:  # on a log scale theta^power multiplies by the power
            link = "log" if theirs in ours.logarithms else spec["link"]
            assert link == links[name] and (power == 1 or link == "log")
            params.append(power * value)
            slopes.append(power)
        elif spec["link"] == "log":
            params.append(power * np.log(value))
            slopes.append(power / value)
        else:
            assert spec["link"] == "identity" and spec["terms"] == ["const"]
            params.append(value**power)
            slopes.append(power * value ** (power - 1))
    return Estimate(
        np.array(params),
        inference.covariance[np.ix_(index, index)] * np.outer(slopes, slopes),
        model,
    )


@pytest.fixture(scope="module", params=ESTIMATED)
def fitted(request):
    case = Case(MODELLED[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return case, estimate(case)


def test_estimates(fitted):
    case, found = fitted
    distance = np.abs(found.params - case.array("params")) / case.array("bse_observed")
    assert distance.max() <= 1e-6
    assert found.model.status_ == "interior"


def test_log_likelihood(fitted):
    case, found = fitted
    mass = len(case.y) if case.weight is None else case.weight.sum()
    score = found.model.score(case.X, case.y, sample_weight=case.weight)
    np.testing.assert_allclose(found.model.log_likelihood_, case.polished["loglik"], rtol=1e-9)
    np.testing.assert_allclose(score, case.polished["loglik"] / mass, rtol=1e-9)


def test_standard_errors(fitted):
    case, found = fitted
    np.testing.assert_allclose(found.errors, case.array("bse_observed"), rtol=1e-6)


def test_covariance(fitted):
    case, found = fitted
    size = np.outer(case.array("bse_observed"), case.array("bse_observed"))
    np.testing.assert_allclose(
        found.covariance / size, np.array(case.polished["cov_observed"]) / size, rtol=0, atol=1e-6
    )


def test_published_digits(fitted):
    """The numbers that R, Stata and NIST print, to the digits that hold (the README says which of
    theirs do not).
    """
    case, found = fitted
    tolerance = case.spec["tolerance"]
    for i, name in enumerate(case.names):
        if name in case.reference["params"]:
            np.testing.assert_allclose(
                found.params[i],
                case.reference["params"][name],
                rtol=tolerance["params_rtol"],
                atol=tolerance["params_atol"],
            )
        if case.reference["bse_matches"] == "bse_observed" and name in case.reference["bse"]:
            np.testing.assert_allclose(
                found.errors[i],
                case.reference["bse"][name],
                rtol=tolerance["bse_rtol"],
                atol=tolerance["bse_atol"],
            )
    if case.reference["loglik"] is not None:
        np.testing.assert_allclose(
            found.model.log_likelihood_,
            case.reference["loglik"],
            rtol=0,
            atol=tolerance["loglik_atol"],
        )


def test_units_and_order(fitted):
    """Columns in other units, rows in another order, weights on another scale.

    The same fit, without a warning.
    """
    case, found = fitted
    exposure = [p["exposure"] for p in case.model["parameters"].values() if "exposure" in p]
    factors = pd.Series(
        {
            name: 1.0 if name in exposure else 10.0 ** (6 * (-1) ** i)
            for i, name in enumerate(case.X.columns)
        }
    )
    order = np.random.default_rng(0).permutation(len(case.y))
    weight = case.weight
    if case.alpha:
        factors[:] = 1.0  # a ridge depends on units, and that is its meaning
    other = estimate(
        case, case.X.iloc[order] * factors, case.y[order], None if weight is None else weight[order]
    )
    scale = np.array(
        [factors.get(term, 1.0) for term in (name.split(":")[1] for name in case.names)]
    )
    np.testing.assert_allclose(other.model.log_likelihood_, found.model.log_likelihood_, rtol=1e-9)
    assert (np.abs(other.params * scale - found.params) <= 1e-6 * found.errors).all()
    if not (case.alpha or case.penalty):
        mass = np.ones(len(case.y)) if weight is None else weight
        heavier = estimate(case, case.X, case.y, 1e6 * mass)
        np.testing.assert_allclose(
            heavier.model.log_likelihood_, 1e6 * found.model.log_likelihood_, rtol=1e-9
        )
        assert (np.abs(heavier.params - found.params) <= 1e-6 * found.errors).all()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ESTIMATED
        if MODELLED[name]["model"].get("weights", {}).get("kind") == "frequency"
    ],
)
def test_frequency_weights_are_repeated_rows(name):
    case = Case(MODELLED[name])
    times = case.weight.astype(int)
    weighted = estimate(case)
    repeated = estimate(case, case.X.loc[case.X.index.repeat(times)], case.y.repeat(times), None)
    assert (np.abs(repeated.params - weighted.params) <= 1e-9 * weighted.errors).all()
    np.testing.assert_allclose(repeated.errors, weighted.errors, rtol=1e-9)
    np.testing.assert_allclose(
        repeated.model.log_likelihood_, weighted.model.log_likelihood_, rtol=1e-12
    )


@pytest.mark.parametrize(
    "name", [name for name in ESTIMATED if MODELLED[name]["model"]["family"] == "bernoulli"]
)
def test_classifier(name):
    case = Case(MODELLED[name])
    model = CrossEntropyClassifier(alpha=case.alpha, penalty=case.penalty).fit(case.X, case.y)
    found = model.inference()
    names = ["p:const" if term == "intercept" else f"p:{term}" for term in found.terms]
    order = [names.index(n) for n in case.names]
    assert (
        np.abs(found.estimates[order] - case.array("params")) <= 1e-6 * case.array("bse_observed")
    ).all()
    np.testing.assert_allclose(found.standard_errors[order], case.array("bse_observed"), rtol=1e-6)
    np.testing.assert_allclose(model.log_likelihood_, case.polished["loglik"], rtol=1e-9)


def digits(values: np.ndarray, certified: np.ndarray) -> float:
    """Return the number of significant digits that all values have right."""
    return float(-np.log10(np.abs(values / certified - 1.0).max()))


def test_longley_keeps_the_digits_of_nist():
    """NIST certifies 15 digits of a problem of condition 5e9.

    Normal equations of the columns as they are lose all of them.
    """
    case = Case(SPECS["longley_ols"])
    found, slopes = (
        estimate(case),
        [name for name in case.names if name in case.reference["params"]],
    )
    n, p = len(case.y), len(slopes)
    params, errors = (
        np.array([case.reference[key][name] for name in slopes]) for key in ("params", "bse")
    )
    # NIST divides the sum of squares by n - p, maximum likelihood by n.
    assert digits(found.params[:p], params) >= 11.0
    assert digits(found.errors[:p] * np.sqrt(n / (n - p)), errors) >= 11.0


# ---------------------------------------------------------------- separation: a supremum


@pytest.mark.parametrize("name", SEPARATED)
def test_separation(name):
    """The likelihood is at its supremum, what has a limit is there, and one warning names columns
    that separate the rows: some, where fewer than all do.
    """
    case = Case(SPECS[name])
    with pytest.warns(SeparationWarning) as warned:
        model = CrossEntropyClassifier().fit(case.X, case.y)
    text = str(warned[0].message)
    named = [column for column in case.X.columns if repr(column) in text]
    assert len(warned) == 1 and named and f"{model.separated_.n_rows} rows" in text
    for moving in model.separated_.columns.values():
        assert set(moving) <= {*named, "intercept"}
    apart = case.X[named].iloc[model.separated_.rows], case.X[named].drop(model.separated_.rows)
    if model.separated_.n_rows < len(case.X):
        assert any((apart[0].max() < apart[1].min()) | (apart[1].max() < apart[0].min()))
    assert model.status_ == "no_maximum" and not model.converged_
    supremum = case.reference["loglik_supremum"]
    assert supremum - 1e-9 <= model.log_likelihood_ <= supremum + 1e-11
    np.testing.assert_array_equal(model.predict(case.X)[case.y == 0], 0)
    for contrast, value in case.reference["finite_limits"].items():
        (high, low), term = (
            (c.split("_")[1] for c in contrast.split(":")[0].split(" - ")),
            contrast.split(":")[1],
        )
        values = dict(
            zip(
                [*case.X.columns, "const"],
                np.column_stack([model.coef_, model.intercept_]).T,
                strict=True,
            )
        )[term]
        np.testing.assert_allclose(values[int(high)] - values[int(low)], value, rtol=1e-9)


@pytest.mark.parametrize(
    "name", [name for name in SEPARATED if MODELLED[name]["model"]["family"] == "bernoulli"]
)
def test_separation_in_a_regressor(name):
    case = Case(SPECS[name])
    with pytest.warns(SeparationWarning) as warned:
        model = MLERegressor("bernoulli").fit(case.X, case.y)
    assert len(warned) == 1 and model.status_ == "no_maximum"
    assert case.reference["loglik_supremum"] - 1e-9 <= model.log_likelihood_ <= 0.0
    with pytest.raises(ValueError, match="no covariance"):
        model.inference()
