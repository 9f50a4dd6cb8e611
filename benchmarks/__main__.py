"""Command line: ``python -m benchmarks``, see --help."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from . import side_by_side
from .measure import measure, package_versions
from .problems import PROBLEMS
from .profiling import profile
from .report import write

_USAGE = """\
python -m benchmarks                    measure all problems at full size and write docs/benchmarks
python -m benchmarks --quick            a smoke test of small sizes, written into build/benchmarks
python -m benchmarks --only 'logistic*' these problems alone; the others keep their results
python -m benchmarks profile NAME       where skmle's time goes on one problem
python -m benchmarks report             write the pages again from the results
python -m benchmarks list               the problems"""


def main() -> int:
    """Run a command."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=_USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command", nargs="?", default="run", choices=["run", "report", "profile", "list"]
    )
    parser.add_argument("name", nargs="?", help="the problem to profile")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes and one setting of each peer, to see that everything runs",
    )
    parser.add_argument(
        "--only",
        default="*",
        metavar="PATTERN",
        help="problems whose name matches, with * and ?; several by commas",
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="rounds (5; quick: 1)")
    parser.add_argument(
        "--limit", type=float, metavar="S", help="seconds that a fit may take (300; quick: 10)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="S",
        help="a candidate that used so many joins no further round",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where to write (docs/benchmarks; quick: build/benchmarks)",
    )
    options = parser.parse_args()
    scale = "quick" if options.quick else "full"
    output = options.output or Path("build/benchmarks" if options.quick else "docs/benchmarks")
    if options.command == "list":
        named = (*PROBLEMS, *side_by_side.COMPARISONS)
        print("\n".join(f"{one.name:24s} {one.title}" for one in named))
    elif options.command == "profile":
        profile(options.name, scale)
    else:
        results = _load(output)
        if options.command == "run":
            _run(options, scale, output, results)
            _compare(options, output)
        targets = output / "targets.md" if options.quick else Path("benchmarks/targets.md")
        side_by_side.write(side_by_side.load(output), output)
        write(results, output, targets)
        print(f"written: {output} and {targets}")
    return 0


def _run(options: argparse.Namespace, scale: str, output: Path, results: dict[str, Any]) -> None:
    patterns = options.only.split(",")
    chosen = [
        problem
        for problem in PROBLEMS
        if any(fnmatch(problem.name, pattern) for pattern in patterns)
    ]
    repeat = options.repeat or (1 if options.quick else 5)
    limit = options.limit or (10.0 if options.quick else 300.0)
    counts_own = hasattr(os, "sched_getaffinity")
    results["environment"] = {
        "scale": scale,
        "cpu count": len(os.sched_getaffinity(0)) if counts_own else os.cpu_count(),
        "python": platform.python_version(),
        **dict(package_versions()),
    }
    results["settings"] = {"rounds": repeat, "limit": limit, "patience": options.patience}
    for problem in chosen:
        if not problem.available:
            print(f"{problem.name}: needs the package {problem.needs}", flush=True)
            continue
        print(f"{problem.name}: {problem.title}", flush=True)
        results["problems"][problem.name] = measure(problem, scale, repeat, limit, options.patience)
        _save(results, output)


def _compare(options: argparse.Namespace, output: Path) -> None:
    """Run the comparisons whose name matches, and write their page."""
    patterns, records = options.only.split(","), side_by_side.load(output)
    for comparison in side_by_side.COMPARISONS:
        if any(fnmatch(comparison.name, pattern) for pattern in patterns):
            print(f"{comparison.name}: {comparison.title}", flush=True)
            rounds = options.repeat or (1 if options.quick else 3)
            records[comparison.name] = side_by_side.compare(comparison, options.quick, rounds)
            side_by_side.write(records, output)


def _load(output: Path) -> dict[str, Any]:
    path = output / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"problems": {}}


def _save(results: dict[str, Any], output: Path) -> None:
    """Write what there is so far: a long run may be interrupted."""
    output.mkdir(parents=True, exist_ok=True)
    order = [problem.name for problem in PROBLEMS]
    results["problems"] = {
        name: results["problems"][name] for name in order if name in results["problems"]
    }
    (output / "results.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
