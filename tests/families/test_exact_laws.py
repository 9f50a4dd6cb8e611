"""Laws at about 30 points each, far tails included, against 40 digits of mpmath.

The numbers are tests/reference/laws/*.json, one file a family, found by their names; `make.py`
there writes them. Each y is a double, and so is each parameter, so that what a value may be off by
is what rounding y, a parameter or the logarithm of one does to it: that is measured, by moving each
by a few units of its last digit.
"""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from skmle import Distribution
from skmle.families import Family, get_family

FOLDER = Path(__file__).parents[1] / "reference" / "laws"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
RELATIVE = 1e-12
# What a formula may do to its arguments before the function whose condition counts, in units of
# their last digit: a quotient, a logarithm, a power.
ROUNDINGS = 8.0
METHODS = {"log_density": "log_prob", "log_cdf": "logcdf", "log_sf": "logsf"}

every_law = pytest.mark.parametrize("name", NAMES)


@cache
def laws_of(name: str) -> list[dict]:
    return json.loads((FOLDER / f"{name}.json").read_text())["laws"]


def family_of(name: str, law: dict) -> Family:
    """Return the family, made with the settings of a law."""
    return get_family(name).set_params(**law.get("settings", {}))


def rounded(theta: dict[str, float]) -> list[dict[str, float]]:
    """Return the laws with each parameter in turn moved by some units of its last digit."""
    step = ROUNDINGS * np.finfo(float).eps
    return [theta | {k: v * (1.0 + s * step)} for k, v in theta.items() for s in (-1.0, 1.0)]


def condition(evaluate, theta, *at):
    """Return by how much a value may be off because its arguments are doubles."""
    middle = evaluate(Distribution(*theta), *at)
    step = ROUNDINGS * np.finfo(float).eps
    family, params = theta
    moved = [evaluate(Distribution(family, other), *at) for other in rounded(params)]
    moved += [
        evaluate(Distribution(*theta), *(a * (1.0 + s * step) for a in at))
        for s in ((-1.0, 1.0) if at else ())
    ]
    with np.errstate(invalid="ignore"):
        gaps = [np.nan_to_num(np.abs(value - middle), nan=0.0, posinf=0.0) for value in moved]
    return np.max(gaps, axis=0)


def check(found, expected, allowed):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    same = found == expected  # infinite ones, too
    with np.errstate(invalid="ignore"):
        off = np.where(same, 0.0, np.abs(found - expected))
    assert np.all(off <= RELATIVE * np.abs(expected) + allowed), (found, expected, allowed)


@every_law
@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.filterwarnings("error")
def test_log_density_and_log_tails(name, kind):
    for law in laws_of(name):
        y, expected = np.array(law["y"]), law[kind]
        if None in expected:
            continue

        def evaluate(d, y):
            return np.asarray(getattr(d, METHODS[kind])(y), float)

        theta = (family_of(name, law), law["theta"])
        allowed = condition(evaluate, theta, y)
        check(evaluate(Distribution(*theta), y), expected, allowed)


@every_law
@pytest.mark.filterwarnings("error")
def test_tails_and_quantiles(name):
    """The tails themselves, and the quantiles at the levels of these tails."""
    for law, upper in itertools.product(laws_of(name), (False, True)):
        logs = law["log_sf" if upper else "log_cdf"]
        if None in logs:
            continue
        theta, y, level = (family_of(name, law), law["theta"]), np.array(law["y"]), np.exp(logs)

        def tail(d, y, upper=upper):
            return np.asarray((d.sf if upper else d.cdf)(y), float)

        check(tail(Distribution(*theta), y), level, condition(tail, theta, y))

        def quantile(d, q, upper=upper):
            return np.asarray((d.isf if upper else d.ppf)(q), float)

        # Levels that are told from 0 and from 1.
        known = (level > 1e-300) & (level < 0.9)
        if Distribution(*theta).discrete or not known.any():
            continue
        at = level[known]
        allowed = condition(quantile, theta, at)
        check(quantile(Distribution(*theta), at), y[known], allowed)


@every_law
@pytest.mark.parametrize("kind", ["mean", "variance", "entropy"])
@pytest.mark.filterwarnings("error")
def test_moments_and_entropy(name, kind):
    for law in laws_of(name):
        if law[kind] is None:
            continue

        def evaluate(d):
            return np.asarray(getattr(d, {"variance": "var"}.get(kind, kind))(), float)

        theta = (family_of(name, law), law["theta"])
        size = 1.0 if kind == "entropy" else 0.0  # it may pass through zero
        allowed = condition(evaluate, theta) + RELATIVE * size
        check(evaluate(Distribution(*theta)), law[kind], allowed)
