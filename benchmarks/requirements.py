"""What is required of a problem, and whether the measurements meet it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import pairwise
from typing import Any, Protocol

Results = dict[str, dict[str, Any]]

# Standard errors from the optimum within which an answer counts: it then differs in no digit that
# anyone reports.
NEAR = 1e-3


@dataclass(frozen=True)
class Verdict:
    """One line of the table of requirements; `met` is None where it could not be measured."""

    required: str
    measured: str
    met: bool | None


class Requirement(Protocol):
    """A requirement of one problem."""

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Return whether it is met."""
        ...


def find(results: Results, problem: str, name: str) -> dict[str, Any] | None:
    """Return a candidate's measurements, if it was measured."""
    rows = results.get(problem, {}).get("candidates", [])
    return next((row for row in rows if row["name"] == name and row["status"] == "ok"), None)


def _unmeasured(required: str, results: Results, problem: str, name: str) -> Verdict:
    rows = [row for row in results.get(problem, {}).get("candidates", []) if row["name"] == name]
    return Verdict(required, rows[0]["status"] if rows else "not measured", None)


def fastest(rows: list[dict[str, Any]], near: float) -> tuple[dict[str, Any], bool] | None:
    """Return (the fastest answer near enough, True), or if there is none (the nearest, False)."""
    done = [row for row in rows if row["status"] == "ok"]
    if not done:
        return None
    enough = [row for row in done if row["distance"] <= near]
    if enough:
        return min(enough, key=lambda row: row["seconds"]), True
    return min(done, key=lambda row: row["distance"]), False


@dataclass(frozen=True)
class Faster:
    """At least `ratio` times as fast as the fastest peer that comes near enough.

    A ratio below 1 allows to be slower. If no peer comes near enough, the nearest one stands in.
    With `near` = inf, peers count wherever they stop.
    """

    ratio: float
    than: str = "*"
    near: float = NEAR
    name: str = "skmle"

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare medians."""
        peer = (
            "the fastest peer"
            if self.than == "*"
            else " ".join(self.than.replace("*", " ").split())
        )
        goal = (
            f"≥ {self.ratio:g}× as fast as {peer}"
            if self.ratio >= 1
            else f"at most {1 / self.ratio:.3g}× the time of {peer}"
        )
        required = goal + (f" within {self.near:.0e} s.e." if math.isfinite(self.near) else "")
        required += "" if self.name == "skmle" else f" ({self.name})"
        mine = find(results, problem, self.name)
        if mine is None:
            return _unmeasured(required, results, problem, self.name)
        peers = [
            row
            for row in results[problem]["candidates"]
            if not row["name"].startswith("skmle") and fnmatch(row["name"], self.than)
        ]
        found = fastest(peers, self.near)
        if found is None:
            return self._unfinished(required, mine, peers)
        best, enough = found
        ratio = best["seconds"] / mine["seconds"]
        measured = f"{ratio:.3g}× ({best['label']})" + (
            "" if enough else f"; no peer came as near, this one has {best['distance']:.0e} s.e."
        )
        return Verdict(required, measured, ratio >= self.ratio and mine["distance"] <= self.near)

    def _unfinished(
        self, required: str, mine: dict[str, Any], peers: list[dict[str, Any]]
    ) -> Verdict:
        """Return what can be said if no peer finished: those that were stopped give a bound."""
        limits = [
            float(row["status"].split()[1]) for row in peers if row["status"].startswith("> ")
        ]
        if not limits:
            return Verdict(
                required,
                f"no peer finished ({', '.join(sorted({row['status'] for row in peers}))})",
                None,
            )
        bound = min(limits) / mine["seconds"]
        met = True if bound >= self.ratio and mine["distance"] <= self.near else None
        return Verdict(required, f"> {bound:.3g}× (stopped after {min(limits):g} s)", met)


@dataclass(frozen=True)
class AtMostTimes:
    """At most `factor` times skmle's own time on another problem."""

    factor: float
    other: str
    text: str

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare medians."""
        required = f"≤ {self.factor:g}× {self.text}"
        mine, base = find(results, problem, "skmle"), find(results, self.other, "skmle")
        if mine is None or base is None:
            return _unmeasured(required, results, problem if mine is None else self.other, "skmle")
        ratio = mine["seconds"] / base["seconds"]
        return Verdict(required, f"{ratio:.3g}×", ratio <= self.factor)


@dataclass(frozen=True)
class AtMostMore:
    """At most so many milliseconds more than a peer, for closed forms on few rows."""

    milliseconds: float
    than: str

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare medians."""
        required = f"≤ {self.milliseconds:g} ms more than {self.than}"
        mine, peer = find(results, problem, "skmle"), find(results, problem, self.than)
        if mine is None or peer is None:
            return _unmeasured(required, results, problem, "skmle" if mine is None else self.than)
        more = 1e3 * (mine["seconds"] - peer["seconds"])
        return Verdict(required, f"{more:+.2f} ms", more <= self.milliseconds)


@dataclass(frozen=True)
class Passes:
    """At most so many passes over all rows to come within 1e-6 standard errors."""

    count: int

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Count calls of the objective on all rows."""
        required = f"≤ {self.count} passes over the full data, to 1e-6 s.e."
        mine = find(results, problem, "skmle")
        if mine is None:
            return _unmeasured(required, results, problem, "skmle")
        passes = sum(mine["passes"].values())
        return Verdict(
            required,
            f"{passes}, to {mine['distance']:.0e} s.e.",
            passes <= self.count and mine["distance"] <= 1e-6,
        )


@dataclass(frozen=True)
class Memory:
    """Extra memory of at most a share of X and a constant, in MB."""

    share: float = 0.1
    constant: float = 100.0

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare the peak of the resident set."""
        required = f"≤ {self.share:g} X + {self.constant:g} MB of extra memory"
        mine = find(results, problem, "skmle")
        if mine is None or mine["memory"] is None:
            return _unmeasured(required, results, problem, "skmle")
        limit = self.share * results[problem]["bytes"] / 1e6 + self.constant
        return Verdict(required, f"{mine['memory']:.0f} MB of {limit:.0f}", mine["memory"] <= limit)


@dataclass(frozen=True)
class Threads:
    """Two threads are `ratio` times as fast as one."""

    ratio: float = 1.6
    single: str = "skmle n_jobs=1"

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare medians."""
        required = f"two threads ≥ {self.ratio:g}× one"
        two, single = find(results, problem, "skmle"), find(results, problem, self.single)
        if two is None or single is None:
            return _unmeasured(required, results, problem, "skmle" if two is None else self.single)
        ratio = single["seconds"] / two["seconds"]
        return Verdict(required, f"{ratio:.3g}×", ratio >= self.ratio)


@dataclass(frozen=True)
class Linear:
    """Ten times the rows take at most ten times as long, but for some slack."""

    series: tuple[str, ...]
    slack: float = 1.2

    def verdict(self, problem: str, results: Results) -> Verdict:
        """Compare neighbours of the series."""
        required = f"each tenfold n costs ≤ {10 * self.slack:g}× the time"
        rows = [find(results, name, "skmle") for name in self.series]
        seconds = [row["seconds"] for row in rows if row is not None]
        if len(seconds) < len(self.series):
            return Verdict(required, "not measured", None)
        factors = [b / a for a, b in pairwise(seconds)]
        return Verdict(
            required,
            ", ".join(f"{factor:.3g}×" for factor in factors),
            max(factors) <= 10.0 * self.slack,
        )
