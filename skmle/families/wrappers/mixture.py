"""A law that is one of several laws, with a share each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import beside, constant_at, mix
from skmle.families.base import (
    LOGIT,
    Array,
    Arrays,
    Family,
    Limit,
    Observation,
    Param,
    Rows,
    Support,
)
from skmle.families.links import Link
from skmle.families.tools.location_scale import SPREAD_SIGNS
from skmle.families.tools.shares import by_rounds, first_guesses, share, sticks, weights_of
from skmle.families.wrappers.parts import SeveralParts, number_of_statistics

_MOST_ROWS = 4096  # rows on which starts are looked for
_KEPT = 3  # starts that are kept
# Log-odds of the part that a row most likely comes from, above which the row may be of this part as
# well: a thousandth. Chosen, not measured.
_MEMBER = -7.0
# Absolute eta of a start of few rows, of which a scale or a mean may be zero. Chosen, not measured.
_FARTHEST = 30.0
_FEWEST = 3.0  # rows that a part needs beside those that its parameters take up


class Mixture(SeveralParts):
    """The law of observations each of which comes from one of several laws, and nobody says which.

    q(y) = sum of share_c q_c(y). The parameters of part c are those of its family with ``_c`` at
    their ends, from 1 on. ``share_c`` is the share of part c among what the parts before it leave,
    so that of two parts ``share_1`` is the share of the first. Parts are in the order of y.

    Starts come from several runs of expectation and maximisation. Where a part shrinks to a single
    value the likelihood has no bound; so the maximum is a local one, the best that was found. The
    status is ``"no_maximum"``, and names the part, only where all runs end at a single value.

    Parameters
    ----------
    family : str, Family class, Family, or sequence of these, default="normal"
        The family of all parts, or one for each.
    components : int, default=2
        The number of parts, if one family is given.
    links : dict of str to str or Link, optional
        Links for ``"share_1"`` and so on; by default the logit.

    References
    ----------
    McLachlan & Peel (2000), Finite Mixture Models.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution, families
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(-2, 0.5, 300), rng.normal(1, 1, 700)])[:, None]
    >>> model = MLEDistribution(families.Mixture("normal")).fit(X)
    >>> {name: round(value, 1) for name, value in model.params_.items()}
    {'loc_1': -2.0, 'scale_1': 0.5, 'loc_2': 1.0, 'scale_2': 1.0, 'share_1': 0.3}
    """

    def __init__(
        self,
        family: Any = "normal",
        components: int = 2,
        *,
        links: Mapping[str, str | Link] | None = None,
    ) -> None:
        super().__init__(family, links=links)
        self.components = components

    @property
    def parts(self) -> tuple[Family, ...]:
        """The families of all parts, as objects."""
        from skmle.families import get_family  # it imports all families, wrappers among them

        if isinstance(self.family, Sequence) and not isinstance(self.family, str):
            return tuple(get_family(part) for part in self.family)
        return (get_family(self.family),) * self.components

    def of_parts(self, parts: Sequence[Family]) -> Mixture:
        return Mixture(tuple(parts), links=self.links)

    @property
    def title(self) -> str:
        names = [part.title for part in self.parts]
        same = len(set(names)) == 1
        return f"Mixture of {f'{len(names)} x {names[0]}' if same else ', '.join(names)}"

    # ---------------------------------------------------------------- parameters

    @property
    def added(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(Param(f"share_{c}", LOGIT) for c in range(1, len(self.parts)))

    # ---------------------------------------------------------------- what is observed

    def adapt(self, y: Array) -> Family:
        parts = self.parts
        wrong = [p for p in parts if p.observation != Observation() or not p.support.fixed]
        mixed = len({part.support.discrete for part in parts}) > 1
        if wrong or mixed or len(parts) < 2:
            raise ValueError(
                f"Mixture: {', '.join(p.title for p in parts)} cannot be mixed. Allowed: at least "
                "two families of one column of numbers whose support is fixed, all continuous or "
                "all of counts. Choose such families."
            )
        return self.of_parts(tuple(part.adapt(y) for part in parts))

    @property
    def support(self) -> Support:  # type: ignore[override]
        supports = [part.support for part in self.parts]
        low, high = min(s.low for s in supports), max(s.high for s in supports)
        closed = (
            any(s.closed[0] for s in supports if s.low == low),
            any(s.closed[1] for s in supports if s.high == high),
        )
        return replace(supports[0], low=low, high=high, closed=closed, rates=False)

    observations = Family.observations

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.any([part.contains(y) for part in self.parts], axis=0)

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        """Return y, and for each part its base, infinite outside its support, and statistics."""
        found: list[Array] = [y]
        for part in self.parts:
            inside = part.contains(y)
            own = part.statistics(y if inside.all() else np.where(inside, y, y[inside][:1]))
            base = np.where(inside, part.base(own), np.inf) + np.zeros(len(y))
            found += [base, *own]
        return tuple(found)

    def _of_parts(self, statistics: Arrays) -> list[tuple[Family, Array, Arrays]]:
        """Return each part with its base and its statistics."""
        found, start = [], 1
        for part in self.parts:
            count = number_of_statistics(part)
            own = statistics[start + 1 : start + 1 + count]
            found.append((part, statistics[start], own))
            start += 1 + count
        return found

    def base(self, statistics: Arrays) -> Array:
        return np.zeros(())  # those of the parts differ, and are inside the sum

    def restore(self, statistics: Arrays) -> Array:
        return statistics[0]

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        each, logits = self.split(eta)
        pairs = zip(self._of_parts(statistics), each, strict=True)
        rows = []
        for (part, base, own), entries in pairs:
            row = part.evaluate(own, entries, order)
            rows.append(row._replace(value=row.value + base))
        return self._mixed(rows, logits, order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        each, logits = self.split(eta)
        y, rows = statistics[0], []
        for (part, base, own), entries in zip(self._of_parts(statistics), each, strict=True):
            row = part.tail(own, entries, upper, order)
            # Beyond the ends of its support a part has all of its probability on one side.
            certain = np.where((y <= part.support.low) == upper, 0.0, np.inf)
            rows.append(constant_at(np.isinf(base), certain, row))
        return self._mixed(rows, logits, order)

    def _mixed(self, rows: Sequence[Rows], logits: Arrays, order: int) -> Rows:
        """Return the rows of the mixture of parts whose logits of shares are given."""
        count, k = len(rows), sum(len(p.parameters) for p in self.parts) + len(logits)
        first, parts = k - len(logits), []
        start = 0
        for c, (part, row) in enumerate(zip(self.parts, rows, strict=True)):
            shares = [share(logit, j == c, order) for j, logit in enumerate(logits[: c + 1])]
            index = [*range(start, start + len(part.parameters))]
            index += [first + j for j in range(min(c + 1, count - 1))]
            parts.append((reduce(beside, shares, row), index))
            start += len(part.parameters)
        return mix(parts, k, order=order)

    # ---------------------------------------------------------------- starts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the ends of the best runs of expectation and maximisation, the best first."""
        n = len(statistics[0])
        some = slice(None, None, -(-n // _MOST_ROWS))
        rows = tuple(entry[some] for entry in statistics)
        share_of = np.ones(len(rows[0])) if weight is None else weight[some]
        parts = self._of_parts(rows)

        def maximise(weighted: Array) -> list[tuple[float, ...]] | None:
            found = []
            for (part, base, own), column in zip(parts, weighted.T, strict=True):
                at = np.flatnonzero((column > 0.0) & np.isfinite(base))
                share = column[at]
                alone = share.sum() ** 2 < (_FEWEST + len(part.parameters)) * (share**2).sum()
                if not len(at) or alone:
                    return None
                start = part.starts(tuple(entry[at] for entry in own), share)[0]
                if not np.isfinite(start).all():
                    return None
                found.append(start)
            return found

        def logs(eta: list[tuple[float, ...]]) -> Array:
            return -np.column_stack(
                [
                    part.evaluate(own, tuple(map(np.asarray, entries)), 0).value + base
                    for (part, base, own), entries in zip(parts, eta, strict=True)
                ]
            )

        with np.errstate(all="ignore"):
            guesses = first_guesses(rows[0], share_of, len(parts))
            runs = [by_rounds(guess, share_of, maximise, logs) for guess in guesses]
        found = sorted((run for run in runs if run is not None), key=lambda run: -run[0])[:_KEPT]
        if not found:
            return [self._start_of_few(parts, rows[0], share_of)]
        return [
            tuple(e for entries in eta for e in entries) + sticks(shares)
            for _, eta, shares in found
        ]

    def _start_of_few(
        self, parts: list[tuple[Family, Array, Arrays]], y: Array, weight: Array
    ) -> tuple[float, ...]:
        """Return a start where rows are too few, or too much alike, for a part each.

        Each part starts from a stretch of the rows in their order, or from all. What comes of it is
        told by the verdict: parts shrink to single values, or are the same.
        """
        count = max(len(y), int(weight.sum()))
        if count < len(parts):
            raise ValueError(
                f"{self.title}: {count} sample{'s are' if count > 1 else ' is'} too few for "
                f"{len(parts)} parts. Allowed: a row a part at least. Choose fewer parts."
            )
        found: list[float] = []
        places = np.argsort(y, kind="stable")
        for (part, base, own), stretch in zip(
            parts, np.array_split(places, len(parts)), strict=True
        ):
            for at in (stretch, places):
                at = at[np.isfinite(base[at]) & (weight[at] > 0.0)]
                start: tuple[float, ...] = (np.nan,)
                if len(at):
                    with np.errstate(all="ignore"):
                        start = part.starts(tuple(entry[at] for entry in own), weight[at])[0]
                if not np.isnan(start).any():
                    break
            else:
                raise ValueError(
                    f"{self.title}: {len(y)} rows are too few, or too much alike, for {len(parts)} "
                    "parts. Allowed: several different rows a part. Choose fewer parts."
                )
            found += np.clip(start, -_FARTHEST, _FARTHEST).tolist()
        return (*found, *sticks(np.full(len(parts), 1.0 / len(parts))))

    # ---------------------------------------------------------------- verdicts, limits and units

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        """Return the part that has shrunk to a single value, whose density has no bound there."""
        if self.support.discrete:
            return None
        each, logits = self.split(eta)
        weights = weights_of(tuple(LOGIT.theta(logit) for logit in logits))
        logs = [
            np.log(w) - part.evaluate(own, entries, 0).value - base
            for (part, base, own), entries, w in zip(
                self._of_parts(statistics), each, weights, strict=True
            )
        ]
        logs = list(np.broadcast_arrays(*logs))
        top = np.maximum.reduce(logs)
        for c, (part, log) in enumerate(zip(self.parts, logs, strict=True), 1):
            at = statistics[0][log - top > _MEMBER]
            shape = [param.name for param in part.parameters if param.unit in SPREAD_SIGNS]
            if shape and len(at) and np.all(at == at[0]):
                why = (
                    f"part {c} shrinks to one value, that of {len(at)} of the "
                    f"{len(statistics[0])} rows, where its density grows without bound"
                )
                return f"{shape[0]}_{c}", why
        return None

    def observe_part(self, c: int, limit: Limit, statistics: Arrays) -> Arrays:
        found: list[Array] = [statistics[0]]
        for j, (_, base, own) in enumerate(self._of_parts(statistics)):
            if j == c:
                own = limit.observe(own)
                base = np.where(np.isinf(base), base, limit.family.base(own))
            found += [base, *own]
        return tuple(found)

    @property
    def movable(self) -> bool:  # type: ignore[override]
        return all(part.movable for part in self.parts)

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        part, _, own = self._of_parts(statistics)[0]
        return part.centre_and_spread(own, weight)

    def standardise(self, statistics: Arrays, origin: float, unit: float) -> Arrays:
        found: list[Array] = [(statistics[0] - origin) / unit]
        for part, base, own in self._of_parts(statistics):
            found += [base, *part.standardise(own, origin, unit)]
        return tuple(found)

    # ---------------------------------------------------------------- the law

    def _sum(self, method: str, theta: Arrays, *arguments: Array) -> Array:
        each, taken = self.split(theta)
        terms = zip(self.parts, each, weights_of(taken), strict=True)
        return sum(
            (w * getattr(part, method)(*arguments, own) for part, own, w in terms), np.zeros(())
        )

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self._sum("cdf", theta, y)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self._sum("sf", theta, y)

    def mean(self, theta: Arrays) -> Array:
        return self._sum("mean", theta)

    def variance(self, theta: Arrays) -> Array:
        each, taken = self.split(theta)
        mean, away = self.mean(theta), np.zeros(())
        for part, own, w in zip(self.parts, each, weights_of(taken), strict=True):
            away = away + w * (part.mean(own) - mean) ** 2
        return self._sum("variance", theta) + away

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        each, taken = self.split(theta)
        draw, drawn, below = rng.random(size), np.zeros(size), np.zeros(())
        for part, own, w in zip(self.parts, each, weights_of(taken), strict=True):
            here = (draw >= below) & (draw < below + w)
            drawn = np.where(here, part.sample(own, size, rng), drawn)
            below = below + w
        return drawn
