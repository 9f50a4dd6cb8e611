"""The page of results, written from the measurements."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .figures import draw
from .problems import PROBLEMS, Problem
from .requirements import NEAR, Results, Verdict, find

_INTRODUCTION = """\
# Benchmarks

Time of skmle beside what people use today, measured in one run on one machine, with the distance of
every answer from the optimum: a fast answer that is far from it is no answer. This page is written
by `python -m benchmarks`; wins and losses are shown alike.

**How it was measured.** Every fit runs in a process of its own that has loaded the data and has
fitted a few rows before, so that imports, compilers and thread pools are warm. The candidates take
turns, in {rounds} rounds, so that all see the same state of the machine; times are medians in
seconds. A fit that takes longer than {limit:g} s is stopped; a candidate that has used
{patience:g} s in all takes part in no further round. If a program needs the data in another form
(with a column of ones, as categories, as CSR), they are converted beforehand, which is not timed.
All programs choose their number of threads themselves, except where a line says otherwise.

**s.e.** is the distance from the optimum in standard errors, $\\sqrt{{g^\\top H^{{-1}} g}}$ with
the gradient $g$ and the Hessian $H$ of the total penalised log-likelihood at the answer, in
float64. One function judges all programs, by its own formulas and not by skmle's. Under an absolute
penalty $g$ is the least subgradient; for a path its worst point counts.
**Memory** is the rise of the peak of the resident set during the first fit, beyond the loaded data.
**Passes** counts what skmle evaluated on all rows: v value, g with gradient, h with Hessian,
c curvature of all rows, p product with it.
Each peer runs at its default tolerance and at tighter ones. A comparison takes its fastest setting
that comes within {near:.0e} s.e. (unless it says otherwise; a **bold** line is that one). If none
does, the nearest stands in and the text says so.

"""

_SMOKE = """\
**These are not the results**: sizes are small and each peer ran once, at one setting, to see that
everything runs.

"""

_RERUN = """\
## How to run it again

```bash
pip install -e ".[bench]"
python -m benchmarks                    # everything
python -m benchmarks --only 'flights'   # one problem; the others keep their results
python -m benchmarks --quick            # small sizes, to see that everything runs
python -m benchmarks profile logistic   # where the time goes in one fit
```

All numbers are in [results.json](results.json). Measured with {environment}.
"""


def write(results: dict[str, Any], folder: Path) -> None:
    """Write index.md and the figures into a folder.

    If the folder has pages side_by_side.md and where_the_time_goes.md, index.md includes them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    measured: Results = results["problems"]
    figures = draw(measured, folder)
    settings = {"rounds": 0, "limit": 0.0, "patience": 0.0, "near": NEAR} | results.get(
        "settings", {}
    )
    parts = [
        _INTRODUCTION.format(**settings),
        _SMOKE * _is_quick(results),
        "## Requirements\n\n",
        _requirements(measured),
    ]
    parts += [f"![{text}]({name})\n\n" for name, text in figures.get("", [])]
    for page in ("side_by_side.md", "where_the_time_goes.md"):
        if (folder / page).exists():
            parts.append(f"```{{include}} {page}\n```\n\n")
    groups = list(dict.fromkeys(problem.group for problem in PROBLEMS if problem.name in measured))
    for group in groups:
        parts.append(f"## {group}\n\n")
        parts += [f"![{text}]({name})\n\n" for name, text in figures.get(group, [])]
        parts += [
            _table(problem, measured)
            for problem in PROBLEMS
            if problem.group == group and problem.name in measured
        ]
    environment = ", ".join(
        f"{key} {value}" for key, value in results.get("environment", {}).items()
    )
    parts.append(_RERUN.format(environment=environment))
    (folder / "index.md").write_text("".join(parts), encoding="utf-8")


def _is_quick(results: dict[str, Any]) -> bool:
    return results.get("environment", {}).get("scale") == "quick"


def _requirements(measured: Results) -> str:
    lines = ["| problem | required | measured | |", "| --- | --- | --- | --- |"]
    verdicts = [
        (p, r.verdict(p.name, measured)) for p in PROBLEMS if p.name in measured for r in p.requires
    ]
    lines += [f"| {p.title} | {v.required} | {v.measured} | {_mark(v)} |" for p, v in verdicts]
    if not verdicts:
        return "Not measured yet.\n\n"
    met, missed = (sum(v.met is state for _, v in verdicts) for state in (True, False))
    return (
        f"{met} met, {missed} not met, {len(verdicts) - met - missed} not measured.\n\n"
        + "\n".join(lines)
        + "\n\n"
    )


def _mark(verdict: Verdict) -> str:
    return {True: "met", False: "**not met**", None: "–"}[verdict.met]


def _table(problem: Problem, measured: Results) -> str:
    record = measured[problem.name]
    lines = [f"### {problem.title}\n"]
    lines += [
        f"- {v.required}: {v.measured}, {_mark(v)}"
        for v in (r.verdict(problem.name, measured) for r in problem.requires)
    ]
    lines += [""] * bool(problem.requires)
    lines += [
        "| program | seconds | × skmle | s.e. | memory, MB | passes |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    mine = find(measured, problem.name, "skmle")
    best = _best_near(record["candidates"])
    lines += [_line(row, mine, row["label"] in best) for row in record["candidates"]]
    return "\n".join(lines) + "\n\n"


def _best_near(rows: Iterable[dict[str, Any]]) -> set[str]:
    """Return the label of the fastest peer that is near enough, or nothing."""
    enough = [
        row
        for row in rows
        if row["status"] == "ok" and row["package"] != "skmle" and row["distance"] <= NEAR
    ]
    return {min(enough, key=lambda row: row["seconds"])["label"]} if enough else set()


def _line(row: dict[str, Any], mine: dict[str, Any] | None, strong: bool) -> str:
    label = f"**{row['label']}**" if strong else row["label"]
    if row["status"] != "ok":
        return f"| {label} | {row['status'].replace('|', '/')} | | | | |"
    ratio = f"{row['seconds'] / mine['seconds']:.3g}" if mine else ""
    memory = "" if row["memory"] is None else f"{row['memory']:.0f}"
    time, passes = seconds(row["seconds"]), _passes(row["passes"])
    return f"| {label} | {time} | {ratio} | {row['distance']:.0e} | {memory} | {passes} |"


def seconds(value: float) -> str:
    """Return a time in seconds as text with three digits."""
    return f"{value:.3g}" if value >= 1e-3 else f"{value:.2e}"


def _passes(counts: dict[str, int] | None) -> str:
    if not counts:
        return ""
    letters = {"value": "v", "gradient": "g", "hessian": "h", "curvature": "c", "product": "p"}
    parts = [f"{counts[kind]}{letter}" for kind, letter in letters.items() if kind in counts]
    return f"{sum(counts.values())} ({' '.join(parts)})"
