"""How far skmle's numbers are from those of other programs: ``python -m tests.estimators.parity``.

Writes docs/parity.md from the cases of tests/reference. `test_parity.py` computes it again.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from skmle import CrossEntropyClassifier
from skmle.exceptions import SeparationWarning
from tests.estimators.cases import ESTIMATED, SEPARATED, SPECS, Case
from tests.estimators.test_every_reference_number import COMPARED, ENTRIES, Fitted, fitted
from tests.estimators.test_peers import VALUES
from tests.estimators.test_reference import carried

PAGE = Path(__file__).parents[2] / "docs/parity.md"
LEAST = 1e-10  # relative; the references have about twelve digits

_TOP = """\
# Parity with other programs

Does skmle give the numbers that R, Stata, SAS and NIST give? This page says how far apart they are,
for every case of the folder `tests/reference`: real data, a model, and what
another program has published about it. The tests compute the page again.

## The optimum

Published numbers have five to ten digits. Each optimum was therefore solved again to about twelve,
by a separate program that shares no code with skmle. skmle's estimates, at default settings, differ
from it by this many standard errors, the other numbers by this share of themselves.

"""
_PRINTED = """\
## What the programs print

Each number that a source has, beside skmle's. A difference is a share of the number, and of the
largest one for lists of rows. Most are the rounding of what is printed: a number with five digits
is up to 5e-06 away from itself. Of single cases, whose programs stop early or round more, the tests
say [how far their digits hold](../tests/estimators/test_every_reference_number.py).

"""
_SEPARATED = """\
## No maximum

Where columns separate the classes, the likelihood rises for ever. skmle says so, and stops with the
log-likelihood at its supremum.

"""
_PEERS = """\
## Log-likelihoods of Python libraries

On data that ship with them, at their default settings: skmle's log-likelihood less theirs, in nats.
Positive means that the other one stopped before the maximum. Where it is run on, until it moves no
more, the two agree to 1e-08 nats.

"""
# What several entries of a case are called in one line, by the start of their names.
_GROUPS = {
    "margeff_": "marginal effects",
    "average_marginal_effects": "average marginal effects",
    "bse_": "standard errors, robust or of another kind",
    "loglik": "log-likelihood",
}
_NAMES = {
    "bse": "standard errors",
    "params": "estimates",
    "lr_chi2": "likelihood ratio",
    "lr_pvalue": "its p-value",
    "aic": "AIC",
    "bic": "BIC",
    "mcfadden_r2": "McFadden's R²",
    "r_squared": "R²",
    "nu": "degrees of freedom",
    "nu_se_hett": "their standard error",
    "cov_params": "covariance of the estimates",
}


def apart(found: Any, known: Any) -> tuple[float, int]:
    """Return the largest relative difference, and of how many numbers it is."""
    if isinstance(known, dict):
        pairs = [apart(found[name], value) for name, value in known.items()]
        return max(d for d, _ in pairs), sum(n for _, n in pairs)
    found, known = np.asarray(found, float), np.asarray(known, float)
    size = np.abs(known).max()
    return float(np.abs(found - known).max() / (size or 1.0)), known.size


def share(difference: float) -> str:
    """Return a difference with one digit."""
    return f"< {LEAST:.0e}" if difference < LEAST else f"{difference:.0e}"


def program_of(spec: dict[str, Any]) -> str:
    """Return the program from the case's source, without where its output is kept."""
    kept = r"[;,] (?=stored|read|data|loglik|reference output)|(?: 5-digit)? output| with their"
    return re.split(kept, spec["source"])[0]


def title_of(name: str) -> str:
    """Return a case's title, with its family if it is one of several of the same data."""
    spec = SPECS[name]
    several = [other for other in SPECS.values() if other["title"] == spec["title"]]
    family = spec["model"]["family"].removeprefix("aft_")
    return (spec["title"] + f": {family}" * (len(several) > 1)).replace("|", "\\|")


def optimum(name: str) -> list[str]:
    """Return a line of the first table."""
    case = Case(SPECS[name])
    own = carried(case, fitted(name).model, fitted(name).model.inference())
    errors = case.array("bse_observed")
    differences = (
        float((np.abs(own.params - case.array("params")) / errors).max()),
        apart(own.errors, errors)[0],
        apart(own.model.log_likelihood_, case.polished["loglik"])[0],
    )
    return [title_of(name), program_of(case.spec), *map(share, differences)]


def beside(known: Fitted, section: str, key: str) -> Iterator[tuple[float, int]]:
    """Yield the differences from one entry of a case, and of how many numbers they are."""
    case = known.case
    expected = case.spec[section][key]
    own = carried(case, known.model, known.result())
    if (section, key) == ("reference", "params"):
        yield apart(dict(zip(case.names, own.params, strict=True)), expected)
    elif (section, key) == ("reference", "loglik"):
        yield apart(known.model.log_likelihood_, expected)
    elif (section, key) == ("reference", "bse"):
        kind = case.reference["bse_matches"]
        yield apart(COMPARED["polished", kind][0].find(known), expected)
    else:
        of_all = COMPARED.get((section, key), [])
        for comparison in [c for c in of_all if c.case == case.spec["name"]] or [
            c for c in of_all if not c.case
        ]:
            found = comparison.find(known)
            if isinstance(found, np.ndarray) and isinstance(expected, dict):
                found = dict(zip(expected, found, strict=True))
            yield apart(found, expected)


def called(key: str) -> str:
    """Return what an entry is called in the second table."""
    if key in _NAMES:
        return _NAMES[key]
    errors = key.endswith("_se")
    for start, text in _GROUPS.items():
        if key.startswith(start):
            return f"standard errors of {text}" if errors else text
    return key.replace("_", " ")


def printed(name: str) -> list[list[str]]:
    """Return the lines of a case in the second table."""
    known, lines = fitted(name), {}
    for case, section, key in ENTRIES:
        if case != name or section == "polished" or not known.case.spec[section][key]:
            continue
        for difference, numbers in beside(known, section, key):
            most, count = lines.get(called(key), (0.0, 0))
            lines[called(key)] = max(most, difference), count + numbers
    return [
        [title_of(name) if i == 0 else "", text, str(count), share(difference)]
        for i, (text, (difference, count)) in enumerate(lines.items())
    ]


def separated(name: str) -> list[str]:
    """Return a line of the table of fits without a maximum."""
    case = Case(SPECS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeparationWarning)
        model = CrossEntropyClassifier().fit(case.X, case.y)
    below = abs(model.log_likelihood_ - case.reference["loglik_supremum"])
    return [title_of(name), f"`{model.status_}`", share(float(below))]


def peer(name: str) -> list[str]:
    """Return a line of the table of Python libraries."""
    values = VALUES[name]  # `test_peers.py` shows that ours is the refined one
    if values["default"] is None:
        return [name, "it gives up"]
    more = values["refined"] - values["default"]
    return [name, "< 1e-06" if more < 1e-6 else f"{more:.1g}" if more < 10 else f"{more:.0f}"]


def table(head: str, right: str, lines: list[list[str]]) -> str:
    """Return a table in Markdown; `right` has an r for each column of numbers."""
    names = head.split(" | ")
    rule = ["---:" if side == "r" else "---" for side in right]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [names, rule, *lines]) + "\n"


@cache
def page() -> str:
    """Return the page."""
    return (
        "".join(
            [
                _TOP,
                table(
                    "case | program | estimates, s.e. | standard errors | log-likelihood",
                    "llrrr",
                    [optimum(name) for name in ESTIMATED],
                ),
                _PRINTED,
                table(
                    "case | statistic | numbers | largest difference",
                    "llrr",
                    [line for name in ESTIMATED for line in printed(name)],
                ),
                _SEPARATED,
                table("case | status | below, nats", "llr", [separated(n) for n in SEPARATED]),
                _PEERS,
                table("model | nats above", "lr", [peer(name) for name in VALUES]),
            ]
        ).rstrip("\n")
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE}")
