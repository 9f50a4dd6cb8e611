"""The observations on which a search for a law of scipy looks, which may be fewer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from skmle.families.records import Array
from skmle.families.tools.climbing import Climb, Eta, Value, climb, mean_of
from skmle.families.tools.scipy_frame import Frame

_ROWS = 2000  # on which a search looks: it only has to come near
_NODES = 48  # observations between which the log density of a slow law is interpolated
# Seconds that a slow law takes for its observations, and how many times faster nodes have to be. Of
# 1000 observations, most of scipy's formulas take 0.1 to 0.3 ms, geninvgauss 1.3, levy_stable 1800.
_SLOW, _FASTER = 1.2e-3, 2.5
_LONG = 5e-3  # seconds of few observations, of which those of all follow; chosen


def seconds_of(frame: Frame, y: Array, eta: Eta) -> float:
    """Return about how long the law takes for these observations at a place."""
    few = y[:: -(-len(y) // _NODES)]
    took = _seconds(frame, few, eta)
    return took * len(y) / len(few) if took > _LONG else _seconds(frame, y, eta)


def _seconds(frame: Frame, y: Array, eta: Eta) -> float:
    start = time.thread_time()
    frame.value(y, eta)
    return time.thread_time() - start


def _nodes_of(y: Array) -> Array:
    """Return some of many observations, dense where these are few, at both ends."""
    ranks = 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, _NODES))) * (len(y) - 1)
    return np.unique(np.sort(y)[ranks.round().astype(int)])


def _spread(nodes: Array) -> CubicSpline:
    """Return the spline of values at nodes, by asinh, in which far ones are not as far."""
    return CubicSpline(np.arcsinh(nodes), np.eye(len(nodes)))


def interpolated(frame: Frame, y: Array, eta: Eta) -> Array:
    """Return -log q of many observations of a slow law as it is seen between some of them."""
    if len(y) <= 2 * _NODES or len(nodes := _nodes_of(y)) < 4:
        return frame.value(y, eta)
    return np.asarray(_spread(nodes)(np.arcsinh(y)) @ frame.value(nodes, eta))


@dataclass(frozen=True)
class Sample:
    """Observations in a frame's unit, and what stands for all of them.

    Parameters
    ----------
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,), optional
    nodes : ndarray of shape (k,), optional
        Observations at which a slow law is evaluated; None: at all.
    spread : ndarray of shape (n, k), optional
        The values of all as products with those at the nodes.
    seconds : float
        How long a law with nodes takes for all of the observations.
    """

    y: Array
    weight: Array | None
    nodes: Array | None = None
    spread: Array | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, y: Array, weight: Array | None, discrete: bool) -> Sample:
        """Return a sample of the observations; all values of whole numbers, counted."""
        if discrete:
            values, which = np.unique(y, return_inverse=True)
            return cls(values, np.bincount(which, weight).astype(float))
        step = max(1, -(-len(y) // _ROWS))
        return cls(y[::step], None if weight is None else weight[::step])

    @property
    def mass(self) -> float:
        """The number of observations, by weight."""
        return float(len(self.y) if self.weight is None else self.weight.sum())

    def quickened(self, frame: Frame, eta: Eta) -> Sample:
        """Return the sample with nodes if the law is slow, as it is at a place."""
        if frame.discrete or self.nodes is not None or len(self.y) <= 2 * _NODES:
            return self
        nodes = _nodes_of(self.y)
        seconds = seconds_of(frame, self.y, eta)
        if len(nodes) < 4 or seconds < max(_SLOW, _FASTER * _seconds(frame, nodes, eta)):
            return self
        spread = _spread(nodes)(np.arcsinh(self.y))
        return replace(self, nodes=nodes, spread=spread, seconds=seconds)

    def value(self, frame: Frame) -> Value:
        """Return -log q of the rows as a function of the frame's coordinates."""
        nodes, spread = self.nodes, self.spread
        if nodes is None or spread is None:
            return lambda eta: frame.value(self.y, eta)

        def interpolated(eta: Eta) -> Array:
            found = frame.value(nodes, eta)
            if np.isfinite(found).all():
                return np.asarray(spread @ found)
            return np.full(len(self.y), np.inf)

        return interpolated

    def mean(self, frame: Frame, eta: Eta) -> float:
        """Return the mean of -log q."""
        return mean_of(self.value(frame)(eta), self.weight)

    def climb(self, value: Value, start: Eta, steps: int, until: float) -> Climb:
        """Lower the mean of -log q from a start: see `climbing.climb`."""
        quick = self.nodes is None
        return climb(value, start, self.weight, steps, until, both_sides=quick)
