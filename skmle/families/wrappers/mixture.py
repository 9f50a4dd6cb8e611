"""A law that is one of several laws, with a share each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import constant_at
from skmle.families.base import (
    LOGIT,
    Array,
    Arrays,
    Family,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Support,
)
from skmle.families.links import Link
from skmle.families.tools.mixing import best_runs, mixed, shrunk_part, start_of_few
from skmle.families.tools.shares import sticks, weights_of
from skmle.families.wrappers.mixed_law import MixedLaw


class Mixture(MixedLaw):
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
        The number of parts, if one family is given. One part is the law itself.
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
            if all(isinstance(part, Family) for part in self.family):  # each fit asks thousands
                return tuple(self.family)
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
        if len(parts) == 1:  # The law itself, so that a grid of components begins with it.
            return parts[0].adapt(y)
        wrong = [p for p in parts if p.observation != Observation() or not p.support.fixed]
        mixed = len({part.support.discrete for part in parts}) > 1
        if wrong or mixed or not parts:
            those = ", ".join(p.title for p in parts) or "no families"
            raise ValueError(
                f"Mixture: {those} cannot be mixed. Allowed: one component, which is the law "
                "itself, or more, of families of one column of numbers whose support is fixed, "
                "all continuous or all of counts. Choose such families."
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

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        each, logits = self.split(eta)
        pairs = zip(self.each_of(statistics), each, strict=True)
        rows = []
        for (part, base, own), entries in pairs:
            row = part.evaluate(own, entries, order)
            rows.append(row._replace(value=row.value + base))
        return mixed(rows, logits, order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        each, logits = self.split(eta)
        y, rows = statistics[0], []
        for (part, base, own), entries in zip(self.each_of(statistics), each, strict=True):
            row = part.tail(own, entries, upper, order)
            # Beyond the ends of its support a part has all of its probability on one side.
            certain = np.where((y <= part.support.low) == upper, 0.0, np.inf)
            rows.append(constant_at(np.isinf(base), certain, row))
        return mixed(rows, logits, order)

    # ---------------------------------------------------------------- starts

    shortcuts = Shortcuts(searched=True)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the ends of the best runs of expectation and maximisation, the best first."""
        found = best_runs(self.each_of(statistics), statistics[0], weight)
        if not found:
            each, y = self.each_of(statistics), statistics[0]
            return [start_of_few(each, y, weight, self.title)]
        return [
            tuple(e for entries in eta for e in entries) + sticks(shares)
            for _, eta, shares in found
        ]

    # ---------------------------------------------------------------- verdicts

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        """Return the part that has shrunk to a single value, whose density has no bound there."""
        if self.support.discrete:
            return None
        each, logits = self.split(eta)
        weights = weights_of(tuple(LOGIT.theta(logit) for logit in logits))
        return shrunk_part(self.each_of(statistics), statistics[0], each, weights)
