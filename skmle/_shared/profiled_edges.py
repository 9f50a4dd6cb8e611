"""Profiles of parameters that stand at an end of their range, where the law is a limit law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from skmle._engine.likelihood.design import Term
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.profiled import Profile
from skmle._engine.problem import Fit
from skmle.inference.profile import Profiled, profile_end

Array = NDArray[np.float64]

# Eta at which a parameter is next to the end of its range: e^-20 of a dispersion tells no data from
# none. Chosen, not measured.
_FAR_OUT = 20.0


@dataclass(frozen=True)
class Edge:
    """A constant parameter at an end of its range, where the law is a limit law.

    Its deviance is zero for half of the samples of a law at that end, and a chi-square for the
    others (Self & Liang, 1987, Journal of the American Statistical Association 82).
    """

    name: str
    estimate: float
    inside: Likelihood
    """Of the family that has the parameter."""
    lowest: float
    """What the objective tends to."""

    def interval(self, z: float) -> Profiled:
        """Return the interval from the end of the range; z is that of a parameter inside."""
        z = float(ndtri(2.0 * ndtr(z) - 1.0))
        if not z > 0.0:  # at the end itself, where half of the samples are
            return Profiled(self.estimate, self.estimate, 0)
        family, likelihood = self.inside.problem.family, self.inside
        j = family.names.index(self.name)
        start = likelihood.starts()[0]
        here = likelihood.raw(start)[j][1]
        link = family.link(j)
        with np.errstate(divide="ignore"):
            infinity = float(np.sign(link.eta(np.asarray(self.estimate))))
        one = [np.append(np.zeros(t.size), [k == j] * t.intercept) for k, t in self._terms]
        weights = np.concatenate(one)
        matrix = likelihood.coordinates.matrix()
        direction = weights if matrix is None else weights @ matrix
        profile = Profile(likelihood.objective, start, direction, lowest=self.lowest)
        far = infinity * max(_FAR_OUT, 2.0 * infinity * here)
        size = profile_end(
            lambda move: profile(far + move - here),
            first=abs(far - here),
            sign=-infinity,
            z=z,
        )
        end = float(link.theta(np.asarray(far + size)))
        low, high = sorted([end, self.estimate])
        return Profiled(low, high, profile.fits)

    @property
    def _terms(self) -> list[tuple[int, Term]]:
        return [*enumerate(self.inside.problem.terms)]


def edges_of(evidences: Sequence[Evidence], fits: Sequence[Fit]) -> list[Edge]:
    """Return the constant parameters that stand at an infinite end of their link."""
    found = []
    for evidence, fit in zip(evidences, fits, strict=True):
        inside, limit = evidence.inside, fit.limit
        if inside is None or limit is None or limit.then is not None or inside.problem.penalised:
            continue
        family = inside.problem.family
        j = family.names.index(limit.parameter)
        with np.errstate(divide="ignore"):
            end = float(family.link(j).eta(np.asarray(limit.value, float)))
        if inside.problem.terms[j].columns is None and np.isinf(end):
            lowest = (inside.total(0.0) - fit.log_likelihood) / inside.objective.mass
            found.append(Edge(limit.parameter, limit.value, inside, lowest))
    return found
