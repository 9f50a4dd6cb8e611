"""Numbers at the edges against values of 60 and more digits, from tests/reference/edges.

Precise measurements, tiny shares, huge counts, far quantiles, narrow laws: each is a case of a kind
of rounding that a formula may or may not survive.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf, erfinv

from skmle import Distribution, MLEDistribution
from skmle.exceptions import FitWarning
from skmle.families import Bernoulli, Binomial, Mixture, ZeroInflated, get_family
from skmle.families.links import LINKS

VALUES = json.loads((Path(__file__).parents[1] / "reference" / "edges" / "values.json").read_text())
SCORES = np.array(VALUES["scores"])


def law_of(name: str, params: dict[str, float]) -> Distribution:
    kind, *trials = name.split()
    return Distribution(Binomial(int(trials[0])) if trials else kind, params)


def model_sums(name: str) -> bool:
    return get_family(name).condensable


def listed(kind: str) -> list:
    cases = VALUES[kind]
    return [pytest.param(*c, id=f"{c[0].replace(' ', '-')}-{i}") for i, c in enumerate(cases)]


@pytest.mark.parametrize(
    "case", VALUES["fits"], ids=lambda c: f"{c['family']}-{c['centre']:g}-{c['spread']:g}"
)
@pytest.mark.parametrize("batches", [1, 5])
def test_fits_of_precise_and_tiny_numbers(case, batches):
    """They are at the maximum, as far as doubles of the observations and parameters allow."""
    x = (case["centre"] * (1.0 + case["spread"] * SCORES))[:, None]
    model = MLEDistribution(case["family"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if batches > 1 else "error", FitWarning)
        for part in np.array_split(x, batches) if model_sums(case["family"]) else [x]:
            (model.fit if len(part) == len(x) else model.partial_fit)(part)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    sd = np.std(x / case["centre"]) if case["family"] != "normal" else np.std(x)
    # Rounding of an observation, or of a mean, as a share of the spread. A standard error is about
    # a fifth of the spread here, and of a shape a fifth of the shape.
    rounding = 1e-15 * np.max(np.abs(x / case["centre"] if sd < 1.0 else x)) / sd
    tolerance = max(20.0 * rounding, 1e-7 if case["family"] != "normal" else 1e-12)
    for name, value in case["params"].items():
        if name in ("mean", "loc") or (name == "scale" and case["family"] == "weibull"):
            unit = sd * abs(case["centre"]) if case["family"] != "normal" else np.std(x)
            unit = sd if case["family"] == "lognormal" else unit
            assert abs(model.params_[name] - value) < max(tolerance, 1e-13 / sd) * unit
        else:
            np.testing.assert_allclose(model.params_[name], value, rtol=tolerance)
    expected = case["log_likelihood"]
    np.testing.assert_allclose(model.log_likelihood_, expected, rtol=1e-11, atol=len(x) * rounding)
    np.testing.assert_allclose(model.score(x) * len(x), expected, rtol=1e-9, atol=1e-5)


@pytest.mark.parametrize("name, params, y, value", listed("masses"))
def test_masses_of_counts_of_any_size(name, params, y, value):
    # A rounded mean is off by a share of a standard deviation that grows like its root.
    rounding = np.finfo(float).eps * np.sqrt(np.max(y))
    found = Distribution(name, params).logpmf(y)
    np.testing.assert_allclose(found, value, rtol=1e-11, atol=max(1e-10, rounding))


@pytest.mark.parametrize("name, params, q, upper, value", listed("quantiles"))
def test_far_quantiles(name, params, q, upper, value):
    law = Distribution(name, params)
    np.testing.assert_allclose(law.isf(q) if upper else law.ppf(q), value, rtol=1e-11)


@pytest.mark.parametrize("name, params, mean, sd", listed("moments"))
def test_moments_of_narrow_and_wide_laws(name, params, mean, sd):
    law = Distribution(name, params)
    variance = sd**2 if sd < 1e154 else np.inf
    np.testing.assert_allclose([law.mean(), law.var()], [mean, variance], rtol=1e-11)


@pytest.mark.parametrize("name, params, value", listed("entropies"))
def test_entropies(name, params, value):
    law = law_of(name, params)
    np.testing.assert_allclose(law.entropy(), value, rtol=1e-11)


def is_of_all_numbers(name: str) -> bool:
    return all(0.0 < float(LINKS[name].theta(np.asarray(e))) < 1.0 for e in (-5.0, 5.0))


@pytest.mark.parametrize("name", [name for name in LINKS if is_of_all_numbers(name)])
@pytest.mark.parametrize("eta", [-1e308, -1e200, -1e154, 1e154, 1e200, 1e308])
@pytest.mark.filterwarnings("error")
def test_links_far_out(name, eta):
    """No linear predictor is so large that a link of a probability gives nan."""
    family = Bernoulli(links={"probability": name})
    y, far = np.array([0.0, 1.0]), (np.asarray(eta),)
    assert not np.isnan(family.log_prob(y, far)).any()
    rows = family.rows(family.statistics(y), far, 2)
    assert np.isfinite(family.natural(far)[0]) and not np.isnan(rows.gradient).any()


WIDE = {
    "normal": {"loc": 0.0, "scale": 1e307},
    "laplace": {"loc": 0.0, "scale": 1e307},
    "logistic": {"loc": 0.0, "scale": 1e307},
    "t": {"loc": 0.0, "scale": 1e307, "df": 3.0},
    "exponential": {"mean": 1e307},
    "gamma": {"mean": 1e307, "shape": 1.0},
    "inverse_gaussian": {"mean": 1e307, "shape": 1e307},
    "lognormal": {"loc": 0.0, "scale": 30.0},
    "geometric": {"probability": 0.0},
}


@pytest.mark.parametrize("family", WIDE)
def test_what_is_beyond_the_numbers_is_infinite_in_silence(family):
    law = Distribution(family, WIDE[family])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert law.var() == np.inf
        if family == "geometric":
            assert law.mean() == np.inf
        else:
            assert law.isf(1e-300) > 1e300


def test_a_density_beyond_the_numbers_is_infinite_in_silence():
    x = 1e-310 * np.array([[1.0], [2.0], [4.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Distribution("normal", {"loc": 0.0, "scale": 1e-310}).pdf(0.0) == np.inf
        warnings.simplefilter("ignore", FitWarning)
        assert np.isinf(MLEDistribution("uniform").fit(x).predict(x)).all()


# The standard deviation, in the unit of the law; known from its variance at unit one.
SPREADS = {
    "normal": ({"loc": 0.0, "scale": 1.0}, 1.0),
    "laplace": ({"loc": 1.0, "scale": 1.0}, 2.0**0.5),
    "logistic": ({"loc": 0.0, "scale": 1.0}, np.pi / 3.0**0.5),
    "t": ({"loc": 0.0, "scale": 1.0, "df": 5.0}, (5.0 / 3.0) ** 0.5),
    "uniform": ({"low": -1.0, "high": 1.0}, 3.0**-0.5),
    "exponential": ({"mean": 1.0}, 1.0),
    "gamma": ({"mean": 1.0, "shape": 2.0}, 2.0**-0.5),
    "inverse_gaussian": ({"mean": 1.0, "shape": 2.0}, 2.0**-0.5),
    "weibull": ({"scale": 1.0, "shape": 0.5}, 20.0**0.5),
    "log_logistic": ({"scale": 1.0, "shape": 4.0}, (0.5 * np.pi - np.pi**2 / 8.0) ** 0.5),
}


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("family", SPREADS)
@pytest.mark.filterwarnings("error")
def test_standard_deviations_whose_squares_are_no_numbers(family, unit):
    params, expected = SPREADS[family]
    moved = {n: v if n in ("shape", "df") else v * unit for n, v in params.items()}
    if family == "inverse_gaussian":
        moved["shape"] = params["shape"] * unit
    law = Distribution(family, moved)
    np.testing.assert_allclose(law.std() / unit, expected, rtol=1e-12)
    if unit == 1.0:
        np.testing.assert_allclose(law.var(), expected**2, rtol=1e-12)


@pytest.mark.parametrize(
    "family, params, expected",
    [
        ("lognormal", {"loc": 500.0, "scale": 0.5}, np.exp(500.125) * np.expm1(0.25) ** 0.5),
        ("geometric", {"probability": 1e-200}, 1e200),
        ("nbinom", {"mean": 1e200, "dispersion": 4.0}, 2e200),
        ("nbinom", {"mean": 1e200, "dispersion": 1e180}, 1e290),
        ("beta", {"mean": 1e-300, "precision": 1e300}, 1e-300),
        (
            Mixture("normal"),
            {"loc_1": -3e200, "scale_1": 4e200, "loc_2": 3e200, "scale_2": 4e200, "share_1": 0.5},
            5e200,
        ),
        (ZeroInflated("gamma"), {"mean": 1e200, "shape": 1.0, "zeros": 0.0}, 1e200),
    ],
)
@pytest.mark.filterwarnings("error")
def test_standard_deviations_of_laws_without_a_unit(family, params, expected):
    np.testing.assert_allclose(Distribution(family, params).std(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "family, params, lowest",
    [
        ("geometric", {"probability": 0.0}, 0.0),
        ("poisson", {"mean": np.inf}, -1.0),
        ("nbinom", {"mean": np.inf, "dispersion": 1.0}, -1.0),
        ("gamma", {"mean": np.inf, "shape": 2.0}, 0.0),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_law_that_has_run_to_infinity_is_there_with_all_its_mass(family, params, lowest):
    law = Distribution(family, params)
    levels = np.array([0.0, 1e-9, 0.5, 1.0])
    np.testing.assert_array_equal(law.ppf(levels), [lowest, np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(law.isf(1.0 - levels), [lowest, np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(law.cdf([1.0, 1e300, np.inf]), [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(law.sf([1.0, 1e300, np.inf]), [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(law.log_prob([1.0, 2.0]), [-np.inf, -np.inf])
    assert law.mean() == law.std() == np.inf
    # The law next to it is nearly there.
    if family == "geometric":
        assert law.entropy() == np.inf
        assert Distribution(family, {"probability": 1e-300}).ppf(0.5) > 1e299


@pytest.mark.parametrize(
    "mean, y, expected",  # of shape 1, in 300 digits
    [
        (1e20, 1e19, 2.52313252192016e-10),
        (1e20, 1e20, 7.978845607028654e-11),
        (1e20, 3e21, 1.4567312397894387e-11),
        (10000000000.0, 20000000000.0, 5.641795836558916e-06),
        (100000.0, 1000.0, 0.02521737406471621),
    ],
)
def test_tails_of_wide_inverse_gaussian_laws(mean, y, expected):
    law = Distribution("inverse_gaussian", {"mean": mean, "shape": 1.0})
    np.testing.assert_allclose([law.sf(y), law.cdf(y)], [expected, 1.0 - expected], rtol=1e-12)
    np.testing.assert_allclose(law.isf(expected), y, rtol=1e-11)


@pytest.mark.parametrize("shape", [1e-100, 1.0, 1e100])
def test_an_inverse_gaussian_law_of_an_endless_mean_is_that_of_levy(shape):
    law = Distribution("inverse_gaussian", {"mean": 1e200, "shape": shape})
    y, q = shape * 10.0 ** np.arange(-2, 60.0), 10.0 ** -np.arange(1, 30.0)
    np.testing.assert_allclose(law.sf(y), erf(np.sqrt(0.5 * shape / y)), rtol=1e-12)
    np.testing.assert_allclose(law.isf(q), 0.5 * shape / erfinv(q) ** 2, rtol=1e-11)
