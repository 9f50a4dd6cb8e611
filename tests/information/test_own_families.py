"""What a user's own family says of its information measures is used at once."""

import numpy as np
import pytest
from scipy import stats

from skmle.families import Distribution, Family, Param, Rows, Support, get_link
from skmle.information import entropy, kl_divergence


class Rayleigh(Family):
    """A user's family that knows its own information measures, and says when it is asked."""

    parameters = (Param("scale", get_link("log")),)
    support = Support(0.0)
    scipy_name = "rayleigh"

    def __init__(self, power=1.0, *, links=None):
        super().__init__(links=links)
        self.power = power

    def statistics(self, y):
        return (y * y,)

    def base(self, statistics):
        return -0.5 * np.log(statistics[0])

    def evaluate(self, statistics, eta, order=2):
        s = 0.5 * statistics[0] * np.exp(-2.0 * eta[0])
        return Rows(
            2.0 * eta[0] + s,
            (2.0 - 2.0 * s,) if order else None,
            (4.0 * s,) if order > 1 else None,
        )

    def starts(self, statistics, weight):
        return [(0.5 * np.log(0.5 * np.average(statistics[0], weights=weight)),)]

    def to_scipy(self, theta):
        return stats.rayleigh(scale=theta[0])


ASKED = []


class KnownRayleigh(Rayleigh):
    def known_entropy(self, theta):
        ASKED.append("entropy")
        return 1.0 + np.log(theta[0] / np.sqrt(2.0)) + 0.5 * np.euler_gamma

    def divergence(self, p, q):
        ASKED.append("divergence")
        ratio = (p[0] / q[0]) ** 2
        return ratio - 1.0 - np.log(ratio)

    @classmethod
    def from_scipy(cls, loc, scale):
        ASKED.append("from_scipy")
        return None if np.any(loc) else (cls(), (scale,))


def test_a_familys_own_closed_forms_are_used_at_once():
    p, q = (Distribution(KnownRayleigh(), {"scale": scale}) for scale in (1.0, 3.0))
    plain = [Distribution(Rayleigh(), {"scale": scale}) for scale in (1.0, 3.0)]
    ASKED.clear()
    assert entropy(p) == pytest.approx(entropy(plain[0]), rel=1e-11)
    assert float(p.entropy()) == entropy(p)
    assert set(ASKED) == {"entropy"}
    ASKED.clear()
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(*plain), rel=1e-11)
    assert ASKED == ["divergence"]


def test_a_familys_own_scipy_name_is_used_at_once():
    p = Distribution(KnownRayleigh(), {"scale": 2.0})
    ASKED.clear()
    assert kl_divergence(p, stats.rayleigh(scale=2.0)) == 0.0
    assert kl_divergence(stats.rayleigh(scale=2.0), p) == 0.0
    assert ASKED == ["from_scipy", "divergence"] * 2
    shifted = stats.rayleigh(loc=1.0, scale=2.0)  # no law of the family
    assert kl_divergence(shifted, p) == pytest.approx(
        kl_divergence(shifted, stats.rayleigh(scale=2.0)), rel=1e-11
    )
    assert kl_divergence(p, stats.norm(0, 1)) == pytest.approx(
        kl_divergence(stats.rayleigh(scale=2.0), stats.norm(0, 1)), rel=1e-11
    )


def test_families_of_other_settings_are_not_compared_by_one_closed_form():
    p = Distribution(KnownRayleigh(), {"scale": 1.0})
    linked = Distribution(KnownRayleigh(links={"scale": "identity"}), {"scale": 3.0})
    other = Distribution(KnownRayleigh(power=2.0), {"scale": 3.0})
    ASKED.clear()
    kl_divergence(p, linked)
    assert ASKED == ["divergence"]
    kl_divergence(p, other)
    assert ASKED == ["divergence"]


class CdfRayleigh(Rayleigh):
    """The same law where scipy has none."""

    def to_scipy(self, theta):
        return None

    def cdf(self, y, theta):
        return -np.expm1(-0.5 * (np.maximum(y, 0.0) / theta[0]) ** 2)


def test_laws_that_scipy_does_not_have():
    p, q = (Distribution(CdfRayleigh(), {"scale": scale}) for scale in ([1.0, 2.0], 3.0))
    one, two = (Distribution(Rayleigh(), law.params) for law in (p, q))
    np.testing.assert_allclose(entropy(p), entropy(one), rtol=1e-11)
    np.testing.assert_allclose(kl_divergence(p, q), kl_divergence(one, two), rtol=1e-11)
    other = stats.norm(0, 1)
    np.testing.assert_allclose(kl_divergence(p, other), kl_divergence(one, other), rtol=1e-11)
    assert kl_divergence(other, q) == np.inf
