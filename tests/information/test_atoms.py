"""Laws with a mass beside their density: all averages are sums of both parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import entr, rel_entr

from skmle import families
from skmle.families import Distribution
from skmle.information import entropy, js_divergence, kl_divergence, project

INSIDE = {
    "gamma": {"mean": 2.0, "shape": 1.5},
    "lognormal": {"loc": 0.3, "scale": 0.8},
    "normal": {"loc": 1.0, "scale": 1.0},
    "student_t": {"loc": -0.2, "scale": 1.0, "df": 5.0},
}
SHARES = (1e-9, 0.3, 0.5, 0.6, 1.0 - 1e-9)

every_law = pytest.mark.parametrize("name", INSIDE)
every_share = pytest.mark.parametrize("zeros", SHARES)


def with_zeros(name, zeros):
    return Distribution(families.ZeroInflated(name), {**INSIDE[name], "zeros": zeros})


def other(name):
    """Return another law of the same family."""
    return {**INSIDE[name], ("loc" if "loc" in INSIDE[name] else "mean"): 0.7}


@every_law
@every_share
def test_entropy(name, zeros):
    inside = float(entropy(Distribution(name, INSIDE[name])))
    known = entr(zeros) + entr(1.0 - zeros) + (1.0 - zeros) * inside
    law = with_zeros(name, zeros)
    np.testing.assert_allclose([entropy(law), law.entropy()], known, rtol=1e-10)


@every_law
@every_share
def test_divergences(name, zeros):
    p = with_zeros(name, zeros)
    q = Distribution(families.ZeroInflated(name), {**other(name), "zeros": 0.4})
    inside = float(kl_divergence(Distribution(name, INSIDE[name]), Distribution(name, other(name))))
    known = rel_entr(zeros, 0.4) + rel_entr(1.0 - zeros, 0.6) + (1.0 - zeros) * inside
    np.testing.assert_allclose(kl_divergence(p, q), known, rtol=1e-9, atol=1e-12)


@every_law
@every_share
def test_divergences_from_laws_without_the_mass(name, zeros):
    p, q = with_zeros(name, zeros), Distribution(name, INSIDE[name])
    assert kl_divergence(p, q) == np.inf
    np.testing.assert_allclose(kl_divergence(q, p), -np.log1p(-zeros), rtol=1e-9, atol=1e-12)
    # Half of the law between p and q is q alone, and zeros/2 of it are at zero.
    middle = 1.0 - 0.5 * zeros
    known = 0.5 * (zeros * np.log(2.0) + rel_entr(1.0 - zeros, middle) + rel_entr(1.0, middle))
    np.testing.assert_allclose(js_divergence(p, q), known, rtol=1e-8, atol=1e-12)


@every_law
@every_share
def test_averages(name, zeros):
    law, inside = with_zeros(name, zeros), Distribution(name, INSIDE[name])
    np.testing.assert_allclose(law.expect(lambda y: y == 0.0), zeros, rtol=1e-12)
    np.testing.assert_allclose(law.expect(np.ones_like), 1.0, rtol=1e-10)
    known = (1.0 - zeros) * inside.expect(np.square)
    np.testing.assert_allclose(law.expect(np.square), known, rtol=1e-9)


@every_law
def test_projection(name):
    found = project(families.ZeroInflated(name), with_zeros(name, 0.3))
    np.testing.assert_allclose(found.divergence, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.params["zeros"], 0.3, rtol=1e-6)
    with pytest.raises(ValueError, match="mass 0.3|cross-entropy is infinite"):
        project(name, with_zeros(name, 0.3))
