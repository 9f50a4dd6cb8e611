"""Divergences of laws next to an end of their support, and of those that end far away."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from skmle.families import Distribution, Uniform
from skmle.information import js_divergence
from skmle.information.nodes import nodes_of
from skmle.information.operands import as_law
from tests.information.laws import LOG_2, mixture

SHAPES = [
    (1.0, 1.0),
    (0.5, 0.5),
    (2.0, 2.0),
    (0.1, 0.05),
    (0.05, 1.0),
    (5.0, 1e3),
    (300.0, 700.0),
    (1e6, 1e7),
    (1.0, 1e8),
    (3.0, 1e10),
    (1.0, 1e18),
    (2.0, 1e18),
    (1.0, 3e18),
    (2.0, 1e100),
]


def by_logits(one, two):
    """The divergence by Gauss's rule in the logit of y, whose ends are infinitely far.

    The laws are told relative to their modes there, and their masses are made one: no beta
    function, and nothing that cancels.
    """
    centres = [np.log(a) - np.log(b) for a, b in (one, two)]
    spreads = [np.sqrt(1.0 / a + 1.0 / b) for a, b in (one, two)]
    reach = 45.0 / min(1.0, *one, *two)
    whole = np.linspace(min(centres) - reach, max(centres) + reach, 1001)
    around = [c + s * np.linspace(-40.0, 40.0, 121) for c, s in zip(centres, spreads, strict=True)]
    edges = np.unique(np.concatenate([whole, *around]))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    half = 0.5 * np.diff(edges)[:, None]
    s = (edges[:-1, None] + half * (1.0 + nodes)).ravel()
    width = (half * weights).ravel()

    def moved(centre, sign):
        """The logarithm of y (sign 1) or of 1 - y (sign -1), less that at the centre."""
        near = np.clip(s, centre - 1.0, centre + 1.0)
        next_to = -np.log1p(expit(-sign * centre) * np.expm1(sign * (centre - near)))
        far = np.logaddexp(0.0, -sign * centre) - np.logaddexp(0.0, -sign * s)
        return np.where(s == near, next_to, far)

    def log_density(shapes, centre):
        a, b = shapes
        return a * moved(centre, 1.0) + b * moved(centre, -1.0)

    logs = [log_density(*pair) for pair in zip((one, two), centres, strict=True)]
    logs = [log - np.log((width * np.exp(log)).sum()) for log in logs]
    p, q = logs
    return 0.5 * (width * (np.exp(p) * mixture(p, q) + np.exp(q) * mixture(q, p))).sum()


@pytest.mark.parametrize("one, two", list(combinations(SHAPES, 2)))
def test_beta_laws_wherever_they_lie(one, two):
    expected = pytest.approx(by_logits(one, two), rel=1e-11)
    for turn in (1, -1):
        p, q = (stats.beta(*shapes[::turn]) for shapes in (one, two))
        assert js_divergence(p, q) == expected


@pytest.mark.parametrize("shapes", SHAPES)
def test_beta_laws_beside_uniform_ones(shapes):
    uniform = Distribution(Uniform(), {"low": 0.0, "high": 1.0})
    expected = by_logits(shapes, (1.0, 1.0))
    assert js_divergence(stats.beta(*shapes), uniform) == pytest.approx(
        expected, rel=1e-11, abs=1e-15
    )
    beyond = Distribution(Uniform(), {"low": 1.0, "high": 2.0})
    assert js_divergence(stats.beta(*shapes), beyond) == pytest.approx(LOG_2, rel=1e-12)


ENDING = {
    "exponential": lambda end: (stats.truncexpon(end), stats.truncexpon(end / 3.0, scale=3.0)),
    "beta": lambda end: (stats.beta(1.0, end), stats.beta(1.0, end / 3.0)),
    "uniform": lambda end: (stats.uniform(0.0, 1.0), stats.truncexpon(end)),
    "normal": lambda end: (stats.truncnorm(-end, end), stats.truncnorm(-end, end, loc=1.0)),
}
ENDLESS = {
    "exponential": (stats.expon(), stats.expon(scale=3.0)),
    "beta": (stats.expon(), stats.expon(scale=3.0)),
    "uniform": (stats.uniform(0.0, 1.0), stats.expon()),
    "normal": (stats.norm(), stats.norm(1.0)),
}


@pytest.mark.parametrize("end", [1e16, 1e18, 1e60])
@pytest.mark.parametrize("name", ENDING)
def test_an_end_far_away_is_none(name, end):
    """Laws that end so far away that nothing is there are as if they had no end."""
    got = js_divergence(*ENDING[name](end))
    assert got == pytest.approx(js_divergence(*ENDLESS[name]), rel=1e-13)


@pytest.mark.parametrize("end", [1e3, 1e8, 1e18])
def test_nodes_of_laws_that_end_far_away(end):
    law = as_law(stats.truncexpon(end), "law")
    nodes = nodes_of(law, lambda y: np.stack([y, y * y]))
    moments = [(nodes.weight * nodes.y**power).sum() for power in range(3)]
    np.testing.assert_allclose(moments, [1.0, 1.0, 2.0], rtol=1e-13)
