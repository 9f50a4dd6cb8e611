"""The pages of results, written from the measurements."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .figures import Figures, draw
from .problems import PROBLEMS, Problem
from .requirements import NEAR, Results, Verdict, fastest, find
from .side_by_side import load

_FIRST = """\
# Benchmarks

"""

_READING = """\
Each line is a problem, each dot a program: its time as a multiple of skmle's. A program runs at
several tolerances, and the fastest run counts whose answer is within {near:.0e} standard errors of
the optimum: a fast answer that is far from it is no answer. A hollow dot is a program of which no
run comes so near, an arrow one that was stopped.

"""

_HOW = """\
## How it was measured

One machine, wins and losses alike. Every fit has a process of its own that has loaded the data and
has fitted a few rows before, so that imports, compilers and thread pools are warm. The programs
take turns, and times are medians; as others use the machine, too, they may differ by half from one
run to the next. How far an answer is from the optimum is judged by one function for all programs,
by formulas that are not skmle's.

"""

_INTRODUCTION = """\
# All numbers of the benchmarks

The tables behind [the picture](index.md), a line for each program and setting.

A fit that takes longer than {limit:g} s is stopped; a candidate that has used {patience:g} s in all
takes part in no further round. If a program needs the data in another form (with a column of ones,
as categories, as CSR), they are converted beforehand, which is not timed. All programs choose their
number of threads themselves, except where a line says otherwise.

**s.e.** is the distance from the optimum in standard errors, $\\sqrt{{g^\\top H^{{-1}} g}}$ with
the gradient $g$ and the Hessian $H$ of the total penalised log-likelihood at the answer, in
float64. Under an absolute penalty $g$ is the least subgradient; for a path its worst point counts.
**Memory** is the rise of the peak of the resident set during the first fit, beyond the loaded data.
**Passes** counts what skmle evaluated on all rows: v value, g with gradient, h with Hessian,
c curvature of all rows, p product with it. A **bold** line is the fastest setting that comes within
{near:.0e} s.e.

"""

_SMOKE = """\
**These are not the results**: sizes are small and each peer ran once, at one setting, to see that
everything runs.

"""

_TARGETS = """\
# Targets of the benchmarks

What those who work on skmle aim at, and what was measured. `python -m benchmarks report` writes
this page from the results; [the results themselves](../docs/benchmarks/index.md) are for everyone.

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


_PAGES = {
    "tables": "time, memory and distance from the optimum of every run",
    "side_by_side": "censored rows, extra zeros, ordered classes, thousands of groups",
    "where_the_time_goes": "what a fit does, by the shape of the data",
    "scipy_fits": "every law of scipy, fitted by skmle and by scipy",
    "coverage": "how often an interval holds the true value",
    "random_designs": "whether a fit says the truth about how it ended",
}
_OWN = ("tables", "side_by_side", "where_the_time_goes")  # index.md of docs lists the others


def write(results: dict[str, Any], folder: Path, targets: Path) -> None:
    """Write index.md, tables.md and the figures into a folder, and the targets into a file."""
    folder.mkdir(parents=True, exist_ok=True)
    measured: Results = results["problems"]
    figures = draw(measured, folder)
    settings = {"limit": 0.0, "patience": 0.0, "near": NEAR} | results.get("settings", {})
    smoke = _SMOKE * _is_quick(results)
    environment = ", ".join(
        f"{key} {value}" for key, value in results.get("environment", {}).items()
    )
    tables = [_INTRODUCTION.format(**settings), smoke, *_tables(measured, figures)]
    (folder / "tables.md").write_text("".join(tables), encoding="utf-8")
    index = [
        _FIRST,
        smoke,
        *(f"![{text}]({name})\n\n" for name, text in figures.get("", [])),
        _READING.format(**settings),
        _won_and_lost(measured),
        _HOW.format(**settings),
        _more(folder),
        _RERUN.format(environment=environment),
    ]
    (folder / "index.md").write_text("".join(index), encoding="utf-8")
    targets.write_text(_TARGETS + smoke + _requirements(measured, load(folder)), encoding="utf-8")


def _tables(measured: Results, figures: Figures) -> list[str]:
    parts = []
    groups = list(dict.fromkeys(problem.group for problem in PROBLEMS if problem.name in measured))
    for group in groups:
        parts.append(f"## {group}\n\n")
        parts += [f"![{text}]({name})\n\n" for name, text in figures.get(group, [])]
        parts += [
            _table(problem, measured)
            for problem in PROBLEMS
            if problem.group == group and problem.name in measured
        ]
    return parts


def _more(folder: Path) -> str:
    """Return links to the pages that are there, and the list by which the site finds them."""
    there = [page for page in _PAGES if (folder / f"{page}.md").exists()]
    lines = [f"- {_title(folder / f'{page}.md')}: {_PAGES[page]}." for page in there]
    own = "\n".join(page for page in there if page in _OWN)
    return "## More\n\n" + "\n".join(lines) + f"\n\n```{{toctree}}\n:hidden:\n\n{own}\n```\n\n"


def _title(page: Path) -> str:
    """Return a link to a page by its own title."""
    first = page.read_text(encoding="utf-8").splitlines()[0]
    return f"[{first.removeprefix('# ')}]({page.name})"


def _won_and_lost(measured: Results) -> str:
    """Say of how many problems skmle is the fastest, and list the others."""
    ratios = []
    for problem in PROBLEMS:
        mine = find(measured, problem.name, "skmle")
        rows = measured.get(problem.name, {}).get("candidates", [])
        found = fastest([row for row in rows if row["package"] != "skmle"], NEAR)
        if mine and found and found[1]:
            ratios.append((found[0]["seconds"] / mine["seconds"], found[0], mine, problem))
    lost = sorted((r for r in ratios if r[0] < 1.0), key=lambda r: r[0])
    text = (
        f"On {len(ratios) - len(lost)} of {len(ratios)} problems, skmle is faster than every "
        "program that comes as near to the optimum"
    )
    if not lost:
        return f"{text}.\n\n"
    lines = ["| problem | skmle, s | other, s | program |", "| --- | ---: | ---: | --- |"]
    lines += [
        f"| {problem.title} | {seconds(mine['seconds'])} | {seconds(row['seconds'])} "
        f"| {row['name']} |"
        for _, row, mine, problem in lost
    ]
    return f"{text}. On the others it is not:\n\n" + "\n".join(lines) + "\n\n"


def _is_quick(results: dict[str, Any]) -> bool:
    return results.get("environment", {}).get("scale") == "quick"


def _requirements(measured: Results, beside: dict[str, dict[str, Any]]) -> str:
    verdicts = [
        (p.title, r.verdict(p.name, measured))
        for p in PROBLEMS
        if p.name in measured
        for r in p.requires
    ]
    verdicts += [
        (f"{r['title']}, beside {r['other']}", Verdict(r["required"], _times(r), r["met"]))
        for r in beside.values()
        if not r["quick"]
    ]
    if not verdicts:
        return "Not measured yet.\n"
    lines = ["| problem | target | measured | |", "| --- | --- | --- | --- |"]
    lines += [f"| {title} | {v.required} | {v.measured} | {_mark(v)} |" for title, v in verdicts]
    met, missed = (sum(v.met is state for _, v in verdicts) for state in (True, False))
    return (
        f"{met} met, {missed} not met, {len(verdicts) - met - missed} not measured.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def _times(record: dict[str, Any]) -> str:
    return f"{record['ratio']:.3g}×, {record['seconds']:.3g} s"


def _mark(verdict: Verdict) -> str:
    return {True: "met", False: "**not met**", None: "–"}[verdict.met]


def _table(problem: Problem, measured: Results) -> str:
    record = measured[problem.name]
    lines = [
        f"### {problem.title}\n",
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
