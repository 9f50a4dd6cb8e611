"""Awkward samples of every family, free and with each parameter held, against 50-digit answers.

The samples, the statuses and the maxima are in ``tests/reference/limits/values.json``, which the
script beside it writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skmle import MLEDistribution
from skmle.families import REGISTRY, get_family
from tests.subjects import ONE_EACH, has_links

pytestmark = [
    pytest.mark.numerics,
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning"),
    # Sentinels are no angles.
    pytest.mark.filterwarnings("ignore:.*the angles run from:skmle.exceptions.ScaleWarning"),
]

LINES = json.loads((Path(__file__).parents[1] / "reference/limits/values.json").read_text())
EPS = float(np.finfo(float).eps)
# Families without a line there: their maximum are counts of labels. Those of several columns have
# tests of their own; the maximum of laws that are fitted by their ends is at order statistics.
ELSEWHERE = {"Categorical"}


def title(line: dict) -> str:
    held = "-".join(f"{name}={value:.3g}" for name, value in line["held"].items())
    return f"{line['family']}-{line['name']}-{held}"


def test_every_family_has_samples_free_and_with_each_parameter_held():
    some = [cls for cls in ONE_EACH if ONE_EACH[cls].observation.columns == 1]
    names = [cls for cls in some if ONE_EACH[cls].support.smooth]
    held = {cls: set() for cls in names if cls not in ELSEWHERE}
    for line in LINES:
        cls = type(get_family(line["family"])).__name__
        if cls in held:
            held[cls] |= {tuple(line["held"])}
    for cls, found in held.items():
        family = get_family(REGISTRY[cls][1][0])
        several = len(family.names) > 1 and has_links(family)
        wanted = {()} | ({(name,) for name in family.names} if several else set())
        assert found >= wanted, cls


@pytest.mark.parametrize("line", LINES, ids=title)
def test_number_and_verdict(line):
    rows = np.array(line["rows"])[:, None]
    model = MLEDistribution(line["family"], fixed=line["held"] or None).fit(rows)
    assert model.status_ == line["status"]
    right = line["log_likelihood"]
    atol = 64.0 * EPS * (abs(right) + len(rows)) + 1e-9 + len(rows) * last_bits(line)
    np.testing.assert_allclose(model.log_likelihood_, right, rtol=0.0, atol=atol)
    total = model.score(rows) * len(rows)
    np.testing.assert_allclose(total, right, rtol=0.0, atol=atol)
    errors = standard_errors(model)
    for name, value in line["params"].items():
        # A location near zero has the digits of the scale.
        unit = model.params_.get("scale", 0.0) if name == "loc" else 0.0
        atol = max(1e-5 * unit, 1e-6 * errors.get(name, 0.0))
        np.testing.assert_allclose(model.params_[name], value, rtol=1e-5, atol=atol)
    if line["status"] == "interior":
        assert model.distance_ <= model.tol


def standard_errors(model: MLEDistribution) -> dict[str, float]:
    """Return the standard errors of the parameters by their names, where there are some."""
    try:
        result = model.inference()
    except ValueError:
        return {}
    known = zip(result.terms, result.standard_errors, strict=True)
    return {term: error for term, error in known if np.isfinite(error)}


def last_bits(line: dict) -> float:
    """Return by how much -log q of a row may change with the last bits of y and the location.

    Of y a law may see the logarithm.
    """
    params, y = line["params"], np.abs(line["rows"]).max()
    if "std" in params:
        return EPS * float(y / params["std"])
    if "odds" in params:
        return EPS * float(np.sqrt(params["precision"]))
    if "loc" not in params and "shape" not in params:
        return 0.0
    if "kappa" in params:
        return EPS * float(np.sqrt(params["kappa"])) * max(y, 1.0)
    if "concentration" in params:
        return EPS / (1.0 - params["concentration"]) * max(y, 1.0)
    logs = "shape" in params or line["family"] == "lognormal"
    size = params.get("scale", 0.0) or params.get("tail", 1.0)  # no scale: exponential from loc on
    rate = params.get("shape", 0.0) if logs and "shape" in params else 1.0 / size
    if line["family"] == "birnbaum_saunders":  # its shape is the spread of the logarithm
        rate = 1.0 / params["shape"]
    return EPS * rate * abs(np.log(y) if logs else y)
