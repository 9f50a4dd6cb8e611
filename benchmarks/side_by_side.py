"""Models beyond linear predictors beside the program that people use for each today.

Censored, zero-inflated and ordered observations, and many fits at once. `distance` has no formulas
for these, so both programs are compared by their time and by their log-likelihood.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np


class Run(NamedTuple):
    """One fit, which is timed, and how its log-likelihood is read, which is not."""

    fit: Callable[[], Any]
    log_likelihood: Callable[[Any], float]
    share: float = 1.0
    """The share of the task that is run; the time of all of it follows."""


class Comparison(NamedTuple):
    """One task, solved by skmle and by another program.

    `make` returns both runs from sizes by name. The requirement is on the time of the other program
    over that of skmle, or on the seconds of skmle on one thread.
    """

    name: str
    title: str
    other: str
    make: Callable[..., tuple[Run, Run]]
    size: dict[str, int]
    quick: dict[str, int]
    ratio: float
    seconds: float = np.inf


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _own(fitted: Any) -> float:
    return float(fitted.log_likelihood_)


def _weibull(n: int) -> tuple[Run, Run]:
    from lifelines import WeibullFitter

    from skmle import MLEDistribution, censored, families

    rng = _rng()
    life, end = 2.0 * rng.weibull(1.5, n), 3.0 * rng.random(n)
    time_, event = np.minimum(life, end), life <= end
    rows = censored(time_, event=event)
    return (
        Run(lambda: MLEDistribution(families.Censored("weibull")).fit(rows), _own),
        Run(lambda: WeibullFitter().fit(time_, event), lambda m: float(m.log_likelihood_)),
    )


def _tobit(n: int, p: int) -> tuple[Run, Run]:
    from skmle import MLERegressor, censored, families

    rng = _rng()
    X = rng.standard_normal((n, p))
    y = X @ rng.standard_normal(p) / np.sqrt(p) + rng.standard_normal(n)
    rows = censored(np.maximum(y, -0.5), lower=-0.5)
    return (
        Run(lambda: MLERegressor(families.Censored("normal")).fit(X, rows), _own),
        Run(lambda: MLERegressor("normal").fit(X, y), lambda m: np.nan),
    )


def _zero_inflated(n: int, p: int) -> tuple[Run, Run]:
    from statsmodels.discrete.count_model import ZeroInflatedPoisson

    from skmle import MLERegressor, families

    rng = _rng()
    X = rng.standard_normal((n, p))
    y = rng.poisson(np.exp(0.5 + X @ rng.standard_normal(p) * 0.3 / np.sqrt(p)))
    y = np.where(rng.random(n) < 0.3, 0, y).astype(float)
    ones = np.column_stack([X, np.ones(n)])
    return (
        Run(lambda: MLERegressor(families.ZeroInflated("poisson")).fit(X, y), _own),
        Run(
            lambda: ZeroInflatedPoisson(y, ones).fit(disp=0, maxiter=500),
            lambda m: float(m.llf),
        ),
    )


def _ordered(n: int, p: int) -> tuple[Run, Run]:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    from skmle import OrdinalClassifier

    rng = _rng()
    X = rng.standard_normal((n, p))
    latent = X @ rng.standard_normal(p) / np.sqrt(p) + rng.logistic(size=n)
    y = np.digitize(latent, [-1.0, 0.5, 2.0])
    return (
        Run(lambda: OrdinalClassifier().fit(X, y), _own),
        Run(
            lambda: OrderedModel(y, X, distr="logit").fit(method="bfgs", disp=0, maxiter=500),
            lambda m: float(m.llf),
        ),
    )


def _many_logistic(groups: int, rows: int, p: int) -> tuple[Run, Run]:
    from sklearn.linear_model import LogisticRegression

    from skmle import CrossEntropyClassifier, fit_groups

    rng = _rng()
    n = groups * rows
    X, group = rng.standard_normal((n, p)), np.repeat(np.arange(groups), rows)
    eta = np.einsum("ij,ij->i", X, np.repeat(rng.standard_normal((groups, p)) * 0.5, rows, axis=0))
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)

    def loop() -> float:
        total = 0.0
        for g in range(groups):
            block = slice(g * rows, (g + 1) * rows)
            model = LogisticRegression(C=np.inf, solver="lbfgs").fit(X[block], y[block])
            log_p = model.predict_log_proba(X[block])
            total += log_p[np.arange(rows), y[block]].sum()
        return total

    return (
        Run(
            lambda: fit_groups(CrossEntropyClassifier(), X, y, groups=group),
            lambda m: float(np.sum(m.log_likelihood_)),
        ),
        Run(loop, float),
    )


def _many_weibull(groups: int, rows: int, few: int) -> tuple[Run, Run]:
    from scipy import stats

    from skmle import MLEDistribution, fit_groups

    rng = _rng()
    shapes = np.repeat(rng.uniform(0.7, 3.0, groups), rows)
    y, group = rng.weibull(shapes), np.repeat(np.arange(groups), rows)
    each = y.reshape(groups, rows)[:few]

    def loop() -> float:
        found = [stats.weibull_min.fit(one, floc=0.0) for one in each]
        pairs = zip(each, found, strict=True)
        return float(sum(stats.weibull_min.logpdf(one, *theta).sum() for one, theta in pairs))

    return (
        Run(
            lambda: fit_groups(MLEDistribution("weibull"), y[:, None], groups=group),
            lambda m: float(np.sum(m.log_likelihood_[:few])),
        ),
        Run(loop, float, share=few / groups),
    )


COMPARISONS = (
    Comparison(
        "censored-weibull",
        "Right-censored Weibull, n = 10⁵",
        "lifelines",
        _weibull,
        {"n": 100_000},
        {"n": 5_000},
        20.0,
    ),
    Comparison(
        "censored-normal",
        "Left-censored normal regression, n = 10⁶, p = 20",
        "skmle without censoring",
        _tobit,
        {"n": 1_000_000, "p": 20},
        {"n": 5_000, "p": 5},
        0.25,
    ),
    Comparison(
        "zero-inflated-poisson",
        "Zero-inflated Poisson regression, n = 10⁵, p = 10",
        "statsmodels",
        _zero_inflated,
        {"n": 100_000, "p": 10},
        {"n": 2_000, "p": 3},
        20.0,
    ),
    Comparison(
        "ordered-logit",
        "Ordered logit of four levels, n = 10⁵, p = 10",
        "statsmodels",
        _ordered,
        {"n": 100_000, "p": 10},
        {"n": 2_000, "p": 3},
        20.0,
    ),
    Comparison(
        "groups-logistic",
        "2 000 logistic fits of 200 × 5 with covariance",
        "a loop of scikit-learn's, without covariance",
        _many_logistic,
        {"groups": 2_000, "rows": 200, "p": 5},
        {"groups": 20, "rows": 100, "p": 2},
        0.0,
        0.5,
    ),
    Comparison(
        "groups-weibull",
        "10 000 Weibull fits of 100 rows",
        "a loop of scipy's, of which 200 are run",
        _many_weibull,
        {"groups": 10_000, "rows": 100, "few": 200},
        {"groups": 50, "rows": 100, "few": 5},
        100.0,
    ),
)


def compare(comparison: Comparison, quick: bool, rounds: int) -> dict[str, Any]:
    """Return the record of a comparison: both times, their ratio, and what both found."""
    size = comparison.quick if quick else comparison.size
    runs = comparison.make(**size)
    seconds: list[list[float]] = [[], []]
    found: list[float] = [np.nan, np.nan]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for run in comparison.make(**comparison.quick):  # imports and caches are not timed
            run.fit()
        for _ in range(rounds):  # in turns, so that a busy moment does not hit one alone
            for i, run in enumerate(runs):
                with _one_thread() if np.isfinite(comparison.seconds) else nullcontext():
                    start = time.perf_counter()
                    fitted = run.fit()
                    seconds[i].append((time.perf_counter() - start) / run.share)
                found[i] = run.log_likelihood(fitted)
    ours, theirs = (median(times) for times in seconds)
    return {
        "title": comparison.title,
        "other": comparison.other,
        "seconds": ours,
        "other seconds": theirs,
        "ratio": theirs / ours,
        "nats above": found[0] - found[1],
        "required": _required(comparison),
        "met": bool(theirs / ours >= comparison.ratio and ours <= comparison.seconds),
        "quick": quick,
    }


def _required(comparison: Comparison) -> str:
    if np.isfinite(comparison.seconds):
        return f"≤ {comparison.seconds:g} s on one thread"
    least = comparison.ratio
    return f"≥ {least:g} ×" if least >= 1.0 else f"≤ {1.0 / least:g} × the time of the other"


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def write(records: dict[str, dict[str, Any]], output: Path) -> None:
    """Write the records and their page into a folder."""
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(records, indent=1, ensure_ascii=False)
    (output / "side_by_side.json").write_text(text + "\n", encoding="utf-8")
    lines = [
        "# Beyond linear predictors",
        "",
        "Medians of rounds in turns. *Nats above* is the log-likelihood of skmle's answer less "
        "that of the other one.",
        "",
        "| task | beside | skmle, s | other, s | × | nats above |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for record in records.values():
        above = record["nats above"]
        cells = [
            record["title"] + (" (small sizes)" if record["quick"] else ""),
            record["other"],
            f"{record['seconds']:.3g}",
            f"{record['other seconds']:.3g}",
            f"{record['ratio']:.3g}",
            f"{above:.2g}" if np.isfinite(above) else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "`python -m benchmarks --only 'groups-*'` measures some of these again.", ""]
    (output / "side_by_side.md").write_text("\n".join(lines), encoding="utf-8")


def load(output: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a folder; none if there are none."""
    path = output / "side_by_side.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
