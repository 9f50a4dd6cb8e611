"""The figures: ratios of times, time against distance, and time against the number of rows."""

from __future__ import annotations

import math
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from .problems import PROBLEMS, SERIES
from .requirements import NEAR, Results, fastest, find

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = {
    "skmle": "#000000",
    "scikit-learn": "#e69f00",
    "glum": "#0072b2",
    "statsmodels": "#009e73",
    "skglm": "#cc79a7",
    "scipy": "#56b4e9",
    "lifelines": "#d55e00",
}
_FLOOR = 1e-14  # smaller distances are rounding, and are drawn here
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": 150,
    "savefig.dpi": 150,
}

Figures = dict[str, list[tuple[str, str]]]


def draw(measured: Results, folder: Path) -> Figures:
    """Draw what can be drawn, into a folder.

    Return the names and captions of the figures of each group of problems; those of all are under
    "".
    """
    import matplotlib

    matplotlib.use("Agg")
    figures: Figures = {}
    with matplotlib.rc_context(_STYLE):
        done = [p for p in PROBLEMS if find(measured, p.name, "skmle")]
        shown = [p for p in done if len(measured[p.name]["candidates"]) > 1]
        if shown:
            figures[""] = [_ratios(measured, shown, folder)]
        for group in dict.fromkeys(p.group for p in shown):
            problems = [p for p in shown if p.group == group]
            figures[group] = [_scatter(measured, group, problems, folder)]
        if "Cost against n" in figures:
            figures["Cost against n"] = [_against_n(measured, folder)]
    return figures


def _save(figure: Any, folder: Path, name: str) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(folder / name, bbox_inches="tight")
    plt.close(figure)


def _handles(packages: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="", marker="o", color=c, label=name)
        for name, c in COLOURS.items()
        if name in packages
    ]


# ---------------------------------------------------------------- ratios


def _ratios(measured: Results, problems: list[Any], folder: Path) -> tuple[str, str]:
    """Draw the time of each peer as a multiple of skmle's, a line for each problem.

    Of each peer the fastest setting that comes near enough counts.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    figure, axes = plt.subplots(figsize=(8.5, 0.27 * len(problems) + 1.2))
    packages: set[str] = set()
    for height, problem in enumerate(reversed(problems)):
        mine = find(measured, problem.name, "skmle")
        assert mine is not None
        rows = measured[problem.name]["candidates"]
        for package in dict.fromkeys(row["package"] for row in rows if row["package"] != "skmle"):
            own = [row for row in rows if row["package"] == package]
            found = fastest(own, NEAR)
            if found is None:
                stopped = [float(r["status"].split()[1]) for r in own if r["status"][:1] == ">"]
                if stopped:
                    packages.add(package)
                    _arrow(axes, min(stopped) / mine["seconds"], height, COLOURS[package])
                continue
            row, enough = found
            packages.add(package)
            face = COLOURS[package] if enough else "white"
            axes.plot(
                row["seconds"] / mine["seconds"],
                height,
                "o",
                markersize=6,
                color=COLOURS[package],
                markerfacecolor=face,
                alpha=0.9,
            )
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(
        xscale="log",
        xlabel="time as a multiple of skmle's (right of the line: skmle is faster)",
        ylim=(-0.7, len(problems) - 0.3),
    )
    axes.set_yticks(range(len(problems)), [problem.title for problem in reversed(problems)])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.grid(axis="x", color="0.9")
    axes.grid(axis="y", color="0.95")
    far = Line2D(
        [],
        [],
        linestyle="",
        marker="o",
        color="0.4",
        markerfacecolor="white",
        label=f"hollow: further than {NEAR:.0e} s.e.",
    )
    handles = [*_handles(packages), far]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.35, 1.0),
        ncols=4,
        frameon=False,
        bbox_transform=axes.transAxes,
    )
    _save(figure, folder, "ratios.png")
    return (
        "ratios.png",
        "Time of each peer's fastest setting that is near enough to the optimum, as a multiple of "
        "skmle's",
    )


def _arrow(axes: Any, ratio: float, height: int, colour: str) -> None:
    """Draw that a program was stopped: its time is somewhere to the right."""
    axes.annotate(
        "",
        (1.7 * ratio, height),
        (ratio, height),
        arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.5},
    )
    axes.plot(ratio, height, "|", markersize=7, color=colour)


# ---------------------------------------------------------------- time against distance


def _scatter(measured: Results, group: str, problems: list[Any], folder: Path) -> tuple[str, str]:
    """Draw time against distance, in a panel for each problem.

    A line joins the settings of one solver.
    """
    import matplotlib.pyplot as plt

    columns = min(len(problems), 3 if len(problems) > 4 else 2)
    lines = math.ceil(len(problems) / columns)
    figure, grid = plt.subplots(
        lines, columns, figsize=(4.6 * columns if columns < 3 else 10.5, 3.1 * lines), squeeze=False
    )
    packages: set[str] = set()
    for axes, problem in zip(grid.flat, problems, strict=False):
        packages |= _panel(axes, problem.title, measured[problem.name]["candidates"])
    for axes in grid.flat[len(problems) :]:
        axes.set_visible(False)
    figure.tight_layout()
    figure.legend(
        handles=_handles(packages),
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(packages),
        frameon=False,
    )
    plain = unicodedata.normalize("NFKD", group.lower())  # superscripts become digits
    name = f"distance_{re.sub('[^a-z0-9]+', '_', plain).strip('_')}.png"
    _save(figure, folder, name)
    return name, f"{group}: time against distance from the optimum; best is the lower left corner"


def _panel(axes: Any, title: str, rows: list[dict[str, Any]]) -> set[str]:
    done = [row for row in rows if row["status"] == "ok"]
    spots = {row["label"]: (row["seconds"], min(max(row["distance"], _FLOOR), 1e6)) for row in done}
    solvers = dict.fromkeys(row["name"] for row in done)
    labels: list[tuple[float, float, str, str]] = []
    for solver in solvers:
        own = [row for row in done if row["name"] == solver]
        colour = COLOURS[own[0]["package"]]
        times, distances = zip(*sorted(spots[row["label"]] for row in own), strict=True)
        axes.plot(times, distances, "-", color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(
            times,
            distances,
            "o",
            color=colour,
            markersize=6 if own[0]["package"] == "skmle" else 4.5,
            zorder=3,
        )
        short = solver.removeprefix(own[0]["package"]).strip() or solver
        labels.append(
            (times[-1], distances[-1], short if own[0]["package"] != "skmle" else solver, colour)
        )
    axes.axhline(NEAR, color="0.6", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="seconds", ylabel="distance, standard errors")
    axes.set_title(title, fontsize=9)
    low, high = min(s for s, _ in spots.values()), max(s for s, _ in spots.values())
    # At least a decade, so that the axis has ticks.
    middle, reach = math.sqrt(low * high), max(math.sqrt(high / low), 4.0)
    axes.set_xlim(middle / reach / 1.8, middle * reach**1.7 * 1.8)  # room for the names
    axes.xaxis.set_minor_formatter(lambda *_: "")
    heights = [d for _, d in spots.values()]
    axes.set_ylim(min(heights) / 8.0, max(*heights, NEAR) * 8.0)
    axes.grid(color="0.93")
    axes.locator_params(axis="y", numticks=8)
    _annotate(axes, labels)
    return {row["package"] for row in done}


def _annotate(axes: Any, labels: list[tuple[float, float, str, str]]) -> None:
    """Write the names beside the last points; names that would overlap move upwards."""
    to_axes = axes.transData + axes.transAxes.inverted()
    taken: list[tuple[float, float, float]] = []
    for x, y, text, colour in sorted(labels, key=lambda label: label[1]):
        left, up = to_axes.transform((x, y))
        right = left + 0.024 * len(text)
        while any(abs(up - height) < 0.06 and left < b and right > a for a, b, height in taken):
            up += 0.01
        taken.append((left, right, up))
        axes.annotate(
            text,
            (x, y),
            xytext=(left + 0.02, up),
            textcoords="axes fraction",
            fontsize=6.5,
            color=colour,
            va="center",
        )


# ---------------------------------------------------------------- cost against n


def _against_n(measured: Results, folder: Path) -> tuple[str, str]:
    """Draw time against the number of rows, beside a line through the origin."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.6))
    packages = set()
    for package, prefer in [("skmle", "skmle"), ("scikit-learn", "scikit-learn lbfgs")]:
        points = []
        for name in SERIES:
            rows = [
                row for row in measured.get(name, {}).get("candidates", []) if row["name"] == prefer
            ]
            if (found := fastest(rows, NEAR)) is not None:
                points.append((measured[name]["rows"], found[0]["seconds"]))
        if points:
            packages.add(package)
            axes.plot(*np.array(points).T, "o-", color=COLOURS[package])
            if package == "skmle":
                n, seconds = (np.array(v) for v in zip(*points, strict=True))
                axes.plot(
                    n,
                    seconds[-1] * n / n[-1],
                    "--",
                    color="0.6",
                    linewidth=0.8,
                    label="in proportion to n",
                )
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds", title="Logistic, p = 10")
    axes.grid(color="0.93")
    axes.legend(handles=[*_handles(packages), *axes.get_legend_handles_labels()[0]], frameon=False)
    _save(figure, folder, "linear_in_n.png")
    return "linear_in_n.png", "Time against the number of rows"
