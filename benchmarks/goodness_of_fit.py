"""How often a test of goodness of fit rejects a law that is right: what its level promises.

Samples are drawn from a known law, the law is fitted to each, and `goodness_of_fit` asks by 199
samples of its own whether the rows may have come from what was fitted. The table counts how many
per cent of the samples have p of at most 5 %, and of at most 10 %. A test that takes the fitted
law for the true one, as the tables of Kolmogorov and Smirnov do, would reject far fewer. Bold is
what differs from its level by more than three standard errors of the simulation.

    python -m benchmarks.goodness_of_fit                         measure what is missing
    python -m benchmarks.goodness_of_fit --only gamma --again    this law from anew
    python -m benchmarks.goodness_of_fit --seconds 500           stop then, to go on at the next run
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skmle import goodness_of_fit

from .coverage_cases import Case, every_case

LAWS = (
    "normal",
    "exponential",
    "gamma",
    "weibull",
    "gumbel",
    "logistic",
    "inverse_gaussian",
    "beta",
    "poisson",
    "negative_binomial",
)
SIZES = (30, 100)
SAMPLES, RESAMPLES, BLOCK = 2000, 199, 250
LEVELS = (0.05, 0.10)

READING = """\
Continuous laws are tested by Anderson and Darling's statistic, counts by chi-squared. Samples whose
fit ends at a limit law, as negative binomial ones may, are not tested."""

Record = dict[str, Any]
Records = dict[tuple[str, int], Record]


def p_value(case: Case, n: int, seed: int) -> float:
    """Return p of one sample of the case's law; nan where the fit is at no law to draw from."""
    (rows,) = case.draw(np.random.default_rng([2, n, seed]), n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that end at a limit law: they count as none
        model = clone(case.model).fit(rows)
        if model.status_ != "interior":
            return np.nan
        return goodness_of_fit(model, rows, resamples=RESAMPLES, random_state=seed).p_value


def extended(record: Record, case: Case, count: int) -> Record:
    """Return a record with some more samples."""
    first, last = record["samples"], record["samples"] + count
    p = np.array([p_value(case, record["n"], seed) for seed in range(first, last)])
    rejected = [int(np.sum(p <= level)) for level in LEVELS]
    return record | {
        "samples": last,
        "tested": record["tested"] + int(np.isfinite(p).sum()),
        "rejected": np.add(record["rejected"], rejected).tolist(),
    }


def measure(records: Records, names: list[str], samples: int, seconds: float) -> Iterator[Record]:
    """Extend records to the number of samples, block by block."""
    end, cases = time.monotonic() + seconds, every_case()
    for name in names:
        for n in SIZES:
            empty = {"law": name, "n": n, "samples": 0, "tested": 0, "rejected": [0, 0]}
            record = records.get((name, n), empty)
            while record["samples"] < samples:
                if time.monotonic() > end:
                    return
                block = min(BLOCK, samples - record["samples"])
                record = records[name, n] = extended(record, cases[name], block)
                yield record


def cell(record: Record | None, place: int) -> str:
    """Return the share of samples that are rejected at a level, in per cent."""
    if record is None or not record["tested"]:
        return ""
    level, tested = LEVELS[place], record["tested"]
    share = record["rejected"][place] / tested
    text = f"{100 * share:.1f}"
    error = np.sqrt(level * (1.0 - level) / tested)
    return text if abs(share - level) <= 3.0 * error else f"**{text}**"


def page(records: Records) -> str:
    """Return the page of the documentation."""
    lines = ["# Size of the tests of goodness of fit", ""]
    lines += (__doc__ or "").split("\n\n")[1].splitlines()
    columns = [(place, n) for place in range(len(LEVELS)) for n in SIZES]
    heads = [f"{100 * LEVELS[place]:.0f} %, n = {n}" for place, n in columns]
    lines += ["", "| law | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for name in dict.fromkeys(name for name, _ in records):
        cells = [cell(records.get((name, n)), place) for place, n in columns]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    samples = min((record["samples"] for record in records.values()), default=0)
    lines += ["", f"Samples of each law and size: {samples}.", READING, ""]
    command = "python -m benchmarks.goodness_of_fit"
    lines += ["## How to run it again", "", "```bash", command, "```", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser("python -m benchmarks.goodness_of_fit")
    parser.add_argument("--only", default=",".join(LAWS), help="names of laws, by commas")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop then")
    parser.add_argument("--again", action="store_true", help="forget what was measured of these")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    stored = options.output / "goodness_of_fit.json"
    known = json.loads(stored.read_text()) if stored.exists() else []
    records: Records = {(r["law"], r["n"]): r for r in known}
    names = options.only.split(",")
    if options.again:
        for key in [key for key in records if key[0] in names]:
            del records[key]
    with threadpool_limits(1):
        for record in measure(records, names, options.samples, options.seconds):
            lines = ",\n".join(json.dumps(each) for each in records.values())
            stored.write_text(f"[\n{lines}\n]\n")
            print(record, flush=True)
    (options.output / "goodness_of_fit.md").write_text(page(records))


if __name__ == "__main__":
    main()
