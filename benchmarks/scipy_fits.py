"""How often the fit of a law of scipy falls short: skmle's beside scipy's own.

Every law of scipy's own list of tests, with the shapes given there, is drawn from at loc 2 and
scale 3, and fitted with all its parameters free (discrete laws: loc held at 0). A fit falls short
if it raises, is not finite, or is less likely than the parameters that the data were drawn with,
which no maximum can be. It does so silently if nothing was said: no error, no warning, and a
status that says that all is well. Left out is studentized_range, of which scipy takes 10 s for one
evaluation of the likelihood.

Seconds are those of the processor, on one thread, in a process that has fitted a law before.

    python -m benchmarks.scipy_fits                     measure all and write the page
    python -m benchmarks.scipy_fits --seeds 0 --only 'g*'   these; the others keep their results
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.stats._distr_params import distcont, distdiscrete
from threadpoolctl import threadpool_limits

from skmle import MLEDistribution, families
from skmle.families import ScipyFamily
from skmle.families.tools.scipy_laws import ROUND

from .scipy_bounds import BOUNDS

LOC, SCALE = 2.0, 3.0
SLACK = 1e-9  # nats a row, for rounding
LIMIT = 20.0  # seconds of processor time that a fit may take
FINE = ("interior", "boundary", "non_regular")  # statuses that say that this is the maximum


class Case(NamedTuple):
    """A law with its shapes, drawn with a seed."""

    name: str
    shapes: tuple[float, ...]
    seed: int
    n: int
    unit: float

    @property
    def law(self) -> Any:
        return getattr(stats, self.name)

    @property
    def discrete(self) -> bool:
        return not hasattr(self.law, "logpdf")

    @property
    def drawn(self) -> Any:
        """The law that the data are drawn from."""
        if self.discrete:
            return self.law(*self.shapes)
        return self.law(*self.shapes, loc=LOC * self.unit, scale=SCALE * self.unit)

    def draw(self) -> tuple[np.ndarray, float]:
        """Return the data, and the mean log density at the parameters of the draw."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = self.drawn.rvs(size=self.n, random_state=np.random.default_rng(self.seed))
            return y, float(np.mean(self.log_density(self.drawn, y)))

    def log_density(self, law: Any, y: np.ndarray) -> np.ndarray:
        return law.logpmf(y) if self.discrete else law.logpdf(y)


def cases(seeds: list[int], n: int, unit: float, only: str) -> Iterator[Case]:
    """Return all laws of scipy's list; discrete ones in their own unit, which is one."""
    for name, shapes in [*distcont, *distdiscrete]:
        if not isinstance(name, str) or not fnmatch(name, only):
            continue
        if name in BOUNDS or hasattr(getattr(stats, name), "logpdf"):
            for seed in seeds:
                yield Case(name, tuple(shapes), seed, n, unit)


def by_skmle(case: Case, y: np.ndarray) -> tuple[float, str]:
    """Return the mean log density of skmle's fit, and its status."""
    # The scale of a law on a circle is not a parameter.
    scale = SCALE * case.unit if case.name in ROUND else "free"
    law = ScipyFamily(case.name) if case.discrete else ScipyFamily(case.name, "free", scale)
    model = MLEDistribution(law).fit(y[:, None])
    return float(np.mean(model.score_samples(y[:, None]))), model.status_


def by_native(case: Case, y: np.ndarray) -> tuple[float, str]:
    """Return the same of the family of skmle that is this law, with the location known.

    The scale is known, too, where the family has none.
    """
    family = families.native_family(case.name)
    assert family is not None
    law = family()
    has_scale = any(parameter.unit in ("scale", "rate") for parameter in law.parameters)
    loc = 0.0 if case.discrete else LOC * case.unit
    scale = 1.0 if case.discrete or has_scale else SCALE * case.unit
    rows = (y - loc) / scale
    model = MLEDistribution(law).fit(rows[:, None])
    return float(np.mean(model.score_samples(rows[:, None])) - np.log(scale)), model.status_


def is_native(name: str) -> bool:
    """Return whether skmle has this law as a family of its own, of one column."""
    family = families.native_family(name)
    return family is not None and family.observation.columns == 1


def by_scipy(case: Case, y: np.ndarray) -> tuple[float, str]:
    """Return the mean log density of scipy's fit."""
    if case.discrete:
        found = stats.fit(case.law, y, BOUNDS[case.name]).params
    else:
        found = case.law.fit(y)
    if not np.isfinite(found).all():
        return np.nan, ""
    return float(np.mean(case.log_density(case.law(*found), y))), ""


PROGRAMS = {"skmle": by_skmle, "native": by_native, "scipy": by_scipy}


def first_fits() -> None:
    """Fit ten numbers, so that no fit that is timed is the first of its process."""
    for law in ("normal", "gumbel_r"):
        MLEDistribution(law).fit(np.arange(10.0)[:, None])


def _work(pipe: Any, program: str, case: Case, y: np.ndarray) -> None:
    result: dict[str, Any] = {"status": "", "message": ""}
    spent = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (spent + int(LIMIT) + 1, spent + int(LIMIT) + 2))
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(all="ignore"),
        threadpool_limits(1),
    ):
        warnings.simplefilter("ignore")
        first_fits()
        warnings.simplefilter("always")
        start = time.process_time()
        try:
            result["value"], result["status"] = PROGRAMS[program](case, y)
        except Exception as error:
            result["message"] = f"{type(error).__name__}: {error}"[:300]
        result["seconds"] = time.process_time() - start
    result["warned"] = sorted({str(each.message)[:300] for each in caught})
    pipe.send(result)


def measured(program: str, case: Case) -> dict[str, Any]:
    """Return one fit, made in a process of its own, as a record."""
    y, truth = case.draw()
    receive, send = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.get_context("fork").Process(
        target=_work, args=(send, program, case, y)
    )
    worker.start()
    send.close()
    result: dict[str, Any] = {"seconds": LIMIT, "message": f"no answer in {LIMIT:g} s"}
    try:
        if receive.poll(10.0 * LIMIT):
            result = receive.recv()
    except EOFError:
        pass
    worker.kill()
    worker.join()
    return judged(program, case, truth, result)


def judged(program: str, case: Case, truth: float, result: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a fit's result, with whether it falls short and says nothing."""
    warned = result.pop("warned", [])
    short = result.get("value", np.nan) - truth
    said = result["message"] or warned or result.get("status") not in ("", *FINE)
    failed = not short >= -SLACK
    return {
        "program": program,
        **case._asdict(),
        **result,
        "gain": short,
        "failed": failed,
        "silent": failed and not said,
    }


def summary(records: list[dict[str, Any]]) -> str:
    """Return one line of the table."""
    count = len(records)
    seconds = [record["seconds"] for record in records]
    failed, silent = (sum(record[key] for record in records) for key in ("failed", "silent"))
    return (
        f"{count} | {100 * failed / count:.1f} % | {100 * silent / count:.1f} % | "
        f"{1000 * median(seconds):.0f} | {max(seconds):.1f} | {sum(s > 5.0 for s in seconds)}"
    )


def page(records: list[dict[str, Any]]) -> str:
    """Return the page of the documentation."""
    lines = [
        "# Laws of scipy",
        "",
        *"\n\n".join((__doc__ or "").split("\n\n")[1:3]).splitlines(),
        "",
        "| fits by | data | fits | fall short | silently | median, ms | slowest, s | over 5 s |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    titles = {
        "skmle": "skmle, `ScipyFamily`",
        "native": "skmle, its own family (location known)",
        "scipy": "scipy, `law.fit` and `stats.fit`",
    }
    for program, title in titles.items():
        own = [record for record in records if record["program"] == program]
        for unit, n in sorted({(record["unit"], record["n"]) for record in own}, reverse=True):
            some = [record for record in own if (record["unit"], record["n"]) == (unit, n)]
            lines.append(f"| {title} | n = {n}, unit {unit:g} | {summary(some)} |")
    statuses = Counter(r["status"] for r in records if r["program"] == "skmle" and r.get("status"))
    shares = ", ".join(
        f"{status} {100 * count / statuses.total():.0f} %"
        for status, count in statuses.most_common()
    )
    lines += ["", f"Of the fits by `ScipyFamily`, the statuses are {shares}."]
    losses = [r for r in records if r["program"] != "scipy" and r["failed"]]
    lines += ["", "## Where skmle falls short", ""]
    lines += [
        "| law | seed | unit | nats a row | what it says |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for r in losses:
        said = r["message"] or r.get("status", "")
        lines.append(f"| {r['name']} | {r['seed']} | {r['unit']:g} | {r['gain']:.2g} | {said} |")
    slow = sorted({r["name"] for r in records if r["program"] == "skmle" and r["seconds"] > 5.0})
    lines += ["", f"Fits of skmle's over 5 s: {', '.join(slow) or 'none'}.", ""]
    lines += ["## How to run it again", "", "```bash", "python -m benchmarks.scipy_fits", "```", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser("python -m benchmarks.scipy_fits")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--units", default="1,1e6,1e-6")
    parser.add_argument("--only", default="*", help="a pattern of names")
    parser.add_argument("--skip", default="studentized_range", help="names to leave out, by commas")
    parser.add_argument("--programs", default="skmle,native,scipy")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    # What is imported at a first fit is imported before any is timed.
    first_fits()
    families.all_families()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    options.output.mkdir(parents=True, exist_ok=True)
    stored = options.output / "scipy_fits.json"
    records = json.loads(stored.read_text()) if stored.exists() else []
    for program in options.programs.split(","):
        for unit in map(float, options.units.split(",")):
            for case in cases(seeds, options.n, unit, options.only):
                if case.name in options.skip.split(","):
                    continue
                if unit != 1.0 and (case.discrete or program != "skmle"):
                    continue
                if program == "native" and not is_native(case.name):
                    continue
                record = measured(program, case)
                records = [r for r in records if key(r) != key(record)] + [record]
                lines = ",\n".join(json.dumps(each) for each in records)
                stored.write_text(f"[\n{lines}\n]\n")
                print(
                    f"{program:6s} {case.name:18s} s{case.seed} {record['seconds']:7.3f} s "
                    f"{record['gain']:+.2e} {record.get('status', ''):14s} "
                    f"{'FAILED ' * record['failed']}{'SILENT ' * record['silent']}"
                    f"{record['message'][:100]}",
                    flush=True,
                )
    (options.output / "scipy_fits.md").write_text(page(records))
    print(page(records))


def key(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is measured, so that results of other runs are kept."""
    names = ("program", "name", "shapes", "seed", "n", "unit")
    return tuple(str(list(record[n])) if n == "shapes" else record[n] for n in names)


if __name__ == "__main__":
    main()
