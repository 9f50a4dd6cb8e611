"""The law of a variable that comes from one of several laws."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family, Limit
from skmle.families.law import ByStd
from skmle.families.tools.shares import weights_of
from skmle.families.wrappers.parts import SeveralParts, number_of_statistics


class MixedLaw(ByStd, SeveralParts):
    """The base of laws that are one of several with a share each: statistics, and the whole law.

    The shares are those that each part takes of what the parts before it leave.
    """

    # ---------------------------------------------------------------- statistics and units

    def statistics(self, y: Array) -> Arrays:
        """Return y, and for each part its base, infinite outside its support, and statistics."""
        found: list[Array] = [y]
        for part in self.parts:
            inside = part.contains(y)
            possible = y[inside][0] if inside.any() else part.support.somewhere
            own = part.statistics(np.where(inside, y, possible))
            base = np.where(inside, part.base(own), np.inf) + np.zeros(len(y))
            found += [base, *own]
        return tuple(found)

    def each_of(self, statistics: Arrays) -> list[tuple[Family, Array, Arrays]]:
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

    def densities(self, statistics: Arrays) -> Array:
        each = self.each_of(statistics)
        own = [np.where(np.isinf(base), 0.0, part.densities(s)) for part, base, s in each]
        return np.maximum.reduce(own)

    def restore(self, statistics: Arrays) -> Array:
        return statistics[0]

    def observe_part(self, c: int, limit: Limit, statistics: Arrays) -> Arrays | None:
        found: list[Array] = [statistics[0]]
        each = self.each_of(statistics)
        if (changed := limit.observe(each[c][2])) is None:
            return None
        for j, (_, base, own) in enumerate(each):
            if j == c:
                own = changed
                base = np.where(np.isinf(base), base, limit.family.base(own))
            found += [base, *own]
        return tuple(found)

    @property
    def movable(self) -> bool:  # type: ignore[override]
        return all(part.movable for part in self.parts)

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        part, _, own = self.each_of(statistics)[0]
        return part.centre_and_spread(own, weight)

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        found: list[Array] = [(statistics[0] - origin) / unit]
        for part, base, own in self.each_of(statistics):
            found += [base, *part.standardise(own, origin, unit)]
        return tuple(found)

    # ---------------------------------------------------------------- the law

    def _sum(self, method: str, theta: Arrays, *arguments: Array) -> Array:
        each, taken = self.split(theta)
        total = np.zeros(())
        for part, own, w in zip(self.parts, each, weights_of(taken), strict=True):
            value = getattr(part, method)(*arguments, own)
            total = total + w * np.where(w > 0.0, value, 0.0)  # a mean may be infinite
        return total

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self._sum("cdf", theta, y)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self._sum("sf", theta, y)

    def mean(self, theta: Arrays) -> Array:
        return self._sum("mean", theta)

    def std(self, theta: Arrays) -> Array:
        each, taken = self.split(theta)
        mean, result = self.mean(theta), np.zeros(())
        for part, own, w in zip(self.parts, each, weights_of(taken), strict=True):
            place = np.where(w > 0.0, part.mean(own), mean)
            within = np.hypot(np.where(w > 0.0, part.std(own), 0.0), place - mean)
            result = np.hypot(result, np.sqrt(w) * within)
        return result

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        each, taken = self.split(theta)
        draw, drawn, below = rng.random(size), np.zeros(size), np.zeros(())
        for part, own, w in zip(self.parts, each, weights_of(taken), strict=True):
            here = (draw >= below) & (draw < below + w)
            drawn = np.where(here, part.sample(own, size, rng), drawn)
            below = below + w
        return drawn
