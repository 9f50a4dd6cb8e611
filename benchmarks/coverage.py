"""How often 95 % intervals hold the true parameters: what their name promises, beside what they do.

Samples are drawn from a known law, a model of it is fitted to each, and the intervals that hold the
true value are counted. Laws of densities have the parameters that the table names. Regressions
have columns of normal features, two with the slopes 0.5 and -0.5 unless the table says otherwise.
Class weights move the intercept by the logarithm of their ratio, which is added to the true one.
Wider counts have the variance mean + mean^2 / 3, far wider ones mean + mean^2. Bold is what is
outside of 93 to 97 % of at least 300 rows by more than two standard errors of the simulation.

A fit without an interval counts for nothing: where a parameter stands at an end of its range, where
columns separate the classes, and where the support depends on the parameters, there are none. The
table has their share in brackets. Profiles at an end of the range do have an interval. No profile
is known of functions of several coefficients, and of the law of a median.

    python -m benchmarks.coverage                           measure what is missing, write the page
    python -m benchmarks.coverage --only 'gamma*' --again   these from anew; the others are kept
    python -m benchmarks.coverage --seconds 500             stop then; the next run goes on there
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skmle import fit_groups
from skmle.inference import Inference

from .coverage_cases import SECTIONS, Case, Sample, Settings, every_case

SIZES = (30, 100, 300, 1000)
# Samples by kind of interval: a profile takes up to ten fits, a bootstrap a thousand. The standard
# error of 95 % is 0.5 % with 2000 samples and 1 % with 500.
SAMPLES = {"Wald": 2000, "profile": 500, "bootstrap": 500}
OTHERS = 2000
BLOCK = 250  # samples between two writes of the results
PROMISED = 0.93, 0.97  # from `FROM` rows on
FROM = 300

Interval = tuple[float, float]

READING = """\
## What to take from it

- Of 300 rows or more, 95 % intervals are that. Wald's are on the scale of a link, such as the
  logarithm of a scale or the logit of a probability.
- Of 30 rows, those of scales and shapes are too narrow, as their most likely values are too small
  or too large. For the slopes of a normal law, `distribution="t"` makes up for a part of it.
- Where rows may not follow the law, `"HC3"` covers more on few rows than `"HC1"`. Counts that
  spread far wider than Poisson's need many rows, or a law that spreads as they do.
- Under class weights the default trusts the law of the classes, as it does without weights. `"HC1"`
  and `"HC3"` do not, but rest on the few rows of a rare class, and come out too small.
"""


# ---------------------------------------------------------------- intervals of samples


def samples_of(case: Case, n: int, first: int, last: int) -> list[Sample]:
    """Return some of the samples of a case; each has a seed of its own."""
    return [case.draw(np.random.default_rng([0, n, i]), n) for i in range(first, last)]


def together(case: Case, samples: list[Sample]) -> list[dict[str, Interval]]:
    """Return the Wald intervals of each sample by the names of estimates, fitted all at once."""
    codes = np.repeat(np.arange(len(samples)), [len(sample[0]) for sample in samples])
    data = [np.concatenate(parts) for parts in zip(*samples, strict=True)]
    table = fit_groups(case.model, *data, groups=codes).tidy()
    found: list[dict[str, Interval]] = [{} for _ in samples]
    names = ("group", "term", "conf_low", "conf_high")
    for group, term, low, high in zip(*(np.asarray(table[c]) for c in names), strict=True):
        found[group][term] = low, high
    return found


def alone(case: Case, kind: str, settings: Settings, sample: Sample) -> dict[str, Interval]:
    """Return the intervals of one sample by the names of estimates; none where there are none."""
    found: dict[str, Interval] = {}
    with suppress(ValueError):  # no covariance, or data that are refused: the reason is told
        result = clone(case.model).fit(*sample).inference(*sample, **settings)
        if kind == "profile":
            for term in case.truth(sample):
                with suppress(ValueError):
                    ((low, high),) = result.profile(term).intervals
                    found[term] = low, high
            return found
        if kind == "bootstrap":
            booted = result.bootstrap(random_state=0)
            return dict(zip(booted.terms, map(tuple, booted.intervals), strict=True))
        ends = result.confidence_intervals()
        found = {term: tuple(pair) for term, pair in zip(result.terms, ends, strict=True)}
    return found


def intervals_of(case: Case, kind: str, samples: list[Sample]) -> list[dict[str, Interval]]:
    """Return the intervals of each sample by the names of estimates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the status of each fit tells why it has no interval
        if kind == "Wald":
            return together(case, samples)
        return [alone(case, kind, case.kinds[kind], sample) for sample in samples]


def counted(case: Case, kind: str, samples: list[Sample]) -> dict[str, list[int]]:
    """Return for each estimate how many samples have an interval, one below and one above it."""
    counts = {term: [0, 0, 0] for term in case.truth(samples[0])}
    for sample, found in zip(samples, intervals_of(case, kind, samples), strict=True):
        for term, true in case.truth(sample).items():
            low, high = found.get(term, (np.nan, np.nan))
            if not (np.isnan(low) or np.isnan(high)):
                for place, here in enumerate((True, high < true, true < low)):
                    counts[term][place] += here
    return counts


# ---------------------------------------------------------------- records


def measurable(kind: str) -> bool:
    """Return whether there is such an interval: the bootstrap is measured once it exists."""
    return kind != "bootstrap" or hasattr(Inference, "bootstrap")


def wanted(cases: dict[str, Case], sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Return records of what is to be measured, still empty."""
    for name, case in cases.items():
        for kind in filter(measurable, case.kinds):
            for n in sizes:
                yield {"case": name, "kind": kind, "n": n, "samples": 0, "counts": {}}


def key(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is measured, so that results of other runs are kept."""
    return record["case"], record["kind"], record["n"]


def extended(record: dict[str, Any], case: Case, count: int) -> dict[str, Any]:
    """Return a record with some more samples."""
    first, last = record["samples"], record["samples"] + count
    more = counted(case, record["kind"], samples_of(case, record["n"], first, last))
    old = record["counts"]
    sums = {t: np.add(old.get(t, 0), own).tolist() for t, own in more.items()}
    return record | {"samples": last, "counts": sums}


def measure(
    records: dict[tuple[Any, ...], dict[str, Any]],
    cases: dict[str, Case],
    sizes: tuple[int, ...],
    samples: int | None,
    seconds: float,
) -> Iterator[dict[str, Any]]:
    """Extend records to the number of samples that their kind of interval has, block by block."""
    end = time.monotonic() + seconds
    for empty in wanted(cases, sizes):
        record = records.get(key(empty), empty)
        enough = samples or SAMPLES.get(record["kind"], OTHERS)
        while record["samples"] < enough:
            if time.monotonic() > end:
                return
            block = min(BLOCK, enough - record["samples"])
            record = records[key(record)] = extended(record, cases[record["case"]], block)
            yield record


# ---------------------------------------------------------------- the page


def cell(record: dict[str, Any] | None, term: str) -> str:
    """Return the coverage of an estimate in per cent, and the share of fits without interval."""
    if record is None:
        return ""
    known, below, above = record["counts"][term]
    none = 1.0 - known / record["samples"]
    if not known:
        return "none"
    covered = 1.0 - (below + above) / known
    text = f"{100 * covered:.1f}"
    low, high = PROMISED
    room = 2.0 * np.sqrt(low * (1.0 - low) / known)
    if record["n"] >= FROM and not low - room <= covered <= high + room:
        text = f"**{text}**"
    return text if none < 5e-4 else f"{text} ({100 * none:.1f} % none)"


def table(cases: dict[str, Case], records: dict[tuple[Any, ...], dict[str, Any]]) -> list[str]:
    """Return the lines of a section: an estimate a line, a size a column, by kind of interval."""
    kinds = dict.fromkeys(kind for case in cases.values() for kind in case.kinds)
    columns = [
        (kind, n)
        for kind in kinds
        for n in SIZES
        if any((name, kind, n) in records for name in cases)
    ]
    head = ["model", "estimate", "true", *(f"{kind}, {n}" for kind, n in columns)]
    lines = ["| " + " | ".join(head) + " |", "| --- | --- |" + " ---: |" * (len(columns) + 1)]
    for name, case in cases.items():
        sample = case.draw(np.random.default_rng(0), 1000)
        for place, (term, true) in enumerate(case.truth(sample).items()):
            found = [cell(records.get((name, kind, n)), term) for kind, n in columns]
            title = "" if place else name.replace("_", " ")
            lines.append("| " + " | ".join([title, term, f"{true:.3g}", *found]) + " |")
    return lines


def page(records: dict[tuple[Any, ...], dict[str, Any]]) -> str:
    """Return the page of the documentation."""
    lines = ["# Coverage of intervals", ""]
    lines += "\n\n".join((__doc__ or "").split("\n\n")[1:3]).splitlines()
    for title, section in SECTIONS.items():
        lines += ["", f"## {title}", "", *table(dict(section()), records)]
    fewest: dict[str, int] = {}
    for record in records.values():
        kind, samples = record["kind"], record["samples"]
        fewest[kind] = min(fewest.get(kind, samples), samples)
    numbers = ", ".join(f"{count} ({kind})" for kind, count in fewest.items())
    lines += ["", f"Samples of each law and size, at least: {numbers}.", ""]
    lines += [*READING.splitlines(), ""]
    lines += ["## How to run it again", "", "```bash", "python -m benchmarks.coverage", "```", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser("python -m benchmarks.coverage")
    parser.add_argument("--only", default="*", help="a pattern of names")
    parser.add_argument("--kinds", default="*", help="a pattern of kinds of intervals")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--samples", type=int, help="instead of those of the page")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop then")
    parser.add_argument("--again", action="store_true", help="forget what was measured of these")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    sizes = tuple(int(n) for n in options.sizes.split(","))
    options.output.mkdir(parents=True, exist_ok=True)
    stored = options.output / "coverage.json"
    records = {key(r): r for r in json.loads(stored.read_text())} if stored.exists() else {}
    cases = {
        name: case._replace(
            kinds={k: s for k, s in case.kinds.items() if fnmatch(k, options.kinds)}
        )
        for name, case in every_case().items()
        if fnmatch(name, options.only)
    }
    if options.again:
        for record in wanted(cases, sizes):
            records.pop(key(record), None)
    with threadpool_limits(1):
        for record in measure(records, cases, sizes, options.samples, options.seconds):
            lines = ",\n".join(json.dumps(each) for each in records.values())
            stored.write_text(f"[\n{lines}\n]\n")
            print(*key(record), record["samples"], record["counts"], flush=True)
    (options.output / "coverage.md").write_text(page(records))


if __name__ == "__main__":
    main()
