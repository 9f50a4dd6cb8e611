"""Write <family>.json: laws evaluated with 40 digits by mpmath, far tails included.

    python tests/reference/laws/make.py                    every family of the files formulas_*.py
    python tests/reference/laws/make.py gumbel weibull     these alone

Run it with mpmath installed; the library and its tests do not need it. Each file of formulas has
``LAWS``, a list of `Formula`: what a law is, written down from its textbook and not from the
library. Numbers that overflow or underflow doubles are kept as the doubles inf, -inf and 0.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp

HERE = Path(__file__).parent
mp.mp.dps = 40


@dataclass
class Formula:
    """A law in mpmath: theta are mpf by the names of the family's natural parameters."""

    family: str
    """The name by which `skmle.families.get_family` finds it."""
    laws: Sequence[dict[str, float]]
    """Natural parameters; a few laws, ordinary and extreme."""
    log_density: Callable[..., mp.mpf]
    """log q(y, **theta), a density or a mass."""
    points: Callable[..., Sequence[float]]
    """points(**theta): the doubles y at which the law is evaluated, about ten a law, of which some
    lie so far out that probabilities are about 1e-300."""
    log_cdf: Callable[..., mp.mpf] | None = None
    """log P(Y <= y); None: the density is integrated (summed), which needs `ends`."""
    log_sf: Callable[..., mp.mpf] | None = None
    """log P(Y > y); None as before."""
    mean: Callable[..., mp.mpf | None] | None = None
    """The mean and the variance, inf where infinite; None: not compared."""
    variance: Callable[..., mp.mpf | None] | None = None
    entropy: Callable[..., mp.mpf | None] | None = None
    """E[-log q]; None: not compared."""
    ends: Callable[..., Sequence[float]] | None = None
    """ends(**theta): places at which integrals over the density are cut, the ends of the support
    first and last (sums of counts: first the least count)."""
    counts: bool = False
    settings: Sequence[str] = ()
    """Those of the names of `laws` that the family is made with, in place of parameters of it."""

    def values(self, theta: dict[str, float]) -> dict[str, object]:
        """Return everything about one law."""
        exact = {name: mp.mpf(value) for name, value in theta.items()}
        points = [float(y) for y in self.points(**exact)]
        # Of a continuous law, those that are doubles at all.
        points = [y for y in points if self.counts or (y != 0.0 and abs(y) < float("inf"))]
        at = {
            "y": points,
            "log_density": [self.log_density(mp.mpf(y), **exact) for y in points],
            "log_cdf": [self._tail(mp.mpf(y), exact, False) for y in points],
            "log_sf": [self._tail(mp.mpf(y), exact, True) for y in points],
        }
        moments = {
            name: None if formula is None else formula(**exact)
            for name, formula in (
                ("mean", self.mean),
                ("variance", self.variance),
                ("entropy", self.entropy),
            )
        }
        settings = {name: theta[name] for name in self.settings}
        return {
            **({"settings": settings} if settings else {}),
            "theta": {name: v for name, v in theta.items() if name not in settings},
            **{k: [as_double(v) for v in values] for k, values in at.items()},
            **{k: None if v is None else as_double(v) for k, v in moments.items()},
        }

    def _tail(self, y: mp.mpf, theta: dict[str, mp.mpf], upper: bool) -> mp.mpf | None:
        own, other = (self.log_sf, self.log_cdf) if upper else (self.log_cdf, self.log_sf)
        if own is not None:
            return own(y, **theta)
        if other is not None:
            return log_complement(other(y, **theta))
        if self.ends is None:
            return None
        mass = self._summed(y, theta, upper)
        rest = self._summed(y, theta, not upper) if mass > 0.5 else 1 - mass
        return mp.log(mass) if mass < 0.5 else mp.log1p(-rest)

    def _summed(self, y: mp.mpf, theta: dict[str, mp.mpf], upper: bool) -> mp.mpf:
        cuts = [mp.mpf(end) for end in self.ends(**theta)]
        if self.counts:
            if upper:
                return self._summed_above(int(y), theta)
            return sum(self._mass(k, theta) for k in range(int(cuts[0]), int(y) + 1))
        inner = [c for c in cuts if (c > y if upper else c < y)]
        return mp.quad(lambda t: self._mass(t, theta), [y, *inner] if upper else [*inner, y])

    def _summed_above(self, y: int, theta: dict[str, mp.mpf]) -> mp.mpf:
        """Return the sum of the masses above y of a law that at last falls like a geometric one."""
        total, before = mp.mpf(0), mp.mpf(0)
        for k in itertools.count(y + 1):
            mass = self._mass(k, theta)
            total += mass
            if mass < before and mass < mp.mpf(10) ** -mp.mp.dps * total * (1 - mass / before):
                return total
            before = mass
        raise AssertionError("it counts without end")

    def _mass(self, y: mp.mpf, theta: dict[str, mp.mpf]) -> mp.mpf:
        return mp.exp(self.log_density(mp.mpf(y), **theta))


def log_complement(log_p: mp.mpf) -> mp.mpf:
    """Return log(1 - exp(log_p)) with all digits."""
    return mp.log1p(-mp.exp(log_p)) if log_p < -1 else mp.log(-mp.expm1(log_p))


def as_double(value: mp.mpf | float | None) -> float | None:
    """Return the nearest double."""
    return None if value is None else float(value)


def main(names: Sequence[str]) -> None:
    """Write the files of these families, or of all."""
    sys.path.insert(0, str(HERE))
    for path in sorted(HERE.glob("formulas_*.py")):
        for formula in importlib.import_module(path.stem).LAWS:
            if not names or formula.family in names:
                values = [formula.values(theta) for theta in formula.laws]
                text = json.dumps({"family": formula.family, "laws": values}, indent=1)
                (HERE / f"{formula.family}.json").write_text(text + "\n")
                print(formula.family)


if __name__ == "__main__":
    main(sys.argv[1:])
