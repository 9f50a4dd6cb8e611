"""Entropy, cross-entropy and divergences of all families.

Their identities, and against independent sums.
"""

import numpy as np
import pytest
from scipy import stats

from skmle.families import Distribution, Exponential, Gamma, StudentT, Uniform
from skmle.information import cross_entropy, entropy, js_divergence, kl_divergence
from tests.information.laws import (
    DIVERGENCES,
    LOG_2,
    brute_force,
    draw,
    draw_pair,
    every_scalar,
    has_peak,
    independent,
    mixture,
    pairs,
    ratio,
    surprise,
)
from tests.subjects import every_class

every_scipy = every_class(
    lambda cls: cls.observation.columns == 1 and cls.observation.numeric and cls.scipy_name
)


@every_scalar
@pairs
def test_entropy_is_the_mean_surprise(cls, seed):
    p, _ = draw_pair(cls, seed)
    assert entropy(p) == pytest.approx(
        brute_force(independent(p), independent(p), surprise), rel=1e-9, abs=1e-10
    )


@every_scalar
@pairs
def test_kl_is_the_mean_log_ratio(cls, seed):
    p, q = draw_pair(cls, seed)
    kl, expected = kl_divergence(p, q), brute_force(independent(p), independent(q), ratio)
    if np.isinf(kl):  # the sum ends where the numbers do
        assert expected > 1e100
    else:
        assert kl == pytest.approx(expected, rel=1e-9, abs=1e-10)


@every_scalar
@pairs
def test_closed_forms_agree_with_the_sums_that_laws_without_them_need(cls, seed):
    from skmle.information.operands import as_law

    p, q = draw_pair(cls, seed)
    one, two = as_law(p, "p"), as_law(q, "q")
    assert entropy(p) == pytest.approx(
        float(one.expect(one, surprise, 0).value), rel=1e-11, abs=1e-12
    )
    assert kl_divergence(p, q) == pytest.approx(
        float(one.expect(two, ratio, 0).value), rel=1e-11, abs=1e-12
    )


@every_scalar
@pairs
def test_js_is_the_mean_of_two_divergences_from_the_mixture(cls, seed):
    p, q = draw_pair(cls, seed)
    one, two = independent(p), independent(q)
    expected = 0.5 * (brute_force(one, two, mixture) + brute_force(two, one, mixture))
    assert js_divergence(p, q) == pytest.approx(expected, rel=1e-9, abs=1e-10)


@every_scalar
@pairs
def test_identities(cls, seed):
    p, q = draw_pair(cls, seed)
    kl = kl_divergence(p, q)
    assert kl > 0.0
    assert kl_divergence(p, p) == 0.0
    assert js_divergence(p, p) == pytest.approx(0.0, abs=1e-15)
    assert cross_entropy(p, p) == pytest.approx(entropy(p), rel=1e-14)
    if np.isfinite(kl):
        assert cross_entropy(p, q) - entropy(p) == pytest.approx(kl, rel=1e-12, abs=1e-14)
    assert 0.0 < js_divergence(p, q) <= LOG_2
    assert js_divergence(p, q) == pytest.approx(js_divergence(q, p), rel=1e-12)


@every_scalar
def test_kl_keeps_its_digits_next_to_zero(cls):
    # D(theta || theta + d) = d'I d/2 + O(d^3): halving a small step divides it by 4. Sums without a
    # closed form hold 1e-16 absolutely, beside which D of a law next to a limit may be small.
    rng, name = np.random.default_rng(3), cls().names[-1]

    def kl(p, step):
        return kl_divergence(p, Distribution(p.family, p.params | {name: p.params[name] + step}))

    if cls is Uniform:  # D is linear in the step
        p = draw(cls, rng)
        assert kl(p, 2e-6) / kl(p, 1e-6) == pytest.approx(2.0, rel=1e-5)
        return
    for p in iter(lambda: draw(cls, rng), None):
        size = -1e-5 * float(p.params[name])  # so that no end of the support moves inwards
        if has_peak(p):  # it ends in a line, and D is O(d^2 log d)
            outwards = abs(size)
            assert 3.5 < kl(p, 2.0 * outwards) / kl(p, outwards) < 4.0
            return
        if (once := kl(p, size)) > 1e-12:
            break
    assert kl(p, 2.0 * size) / once == pytest.approx(4.0, rel=1e-3)


@every_scipy
def test_scipy_laws_are_recognised(cls):
    p, q = draw_pair(cls, 1)
    assert kl_divergence(p.to_scipy(), q.to_scipy()) == pytest.approx(
        kl_divergence(p, q), rel=1e-10
    )
    assert kl_divergence(p.to_scipy(), q) == pytest.approx(kl_divergence(p, q), rel=1e-10)
    assert kl_divergence(p, p.to_scipy()) == pytest.approx(0.0, abs=1e-14)


@every_scalar
@pytest.mark.parametrize("measure", DIVERGENCES)
def test_rows_of_parameters(cls, measure):
    rng = np.random.default_rng(4)
    ps, q = [draw(cls, rng) for _ in range(2)], draw(cls, rng)
    rows = {name: [law.params[name] for law in ps] for name in q.family.names}
    rows = Distribution(q.family, rows)
    one_by_one = [measure(p, q) for p in ps]
    np.testing.assert_allclose(measure(rows, q), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(measure(q, rows), [measure(q, p) for p in ps], rtol=1e-12)
    np.testing.assert_allclose(
        measure(rows, rows), [measure(p, p) for p in ps], rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(entropy(rows), [entropy(p) for p in ps], rtol=1e-12)


def test_many_rows_are_cut_into_blocks():
    df = np.linspace(2.0, 9.0, 300)
    law = Distribution(StudentT(), {"loc": 0.0, "scale": 1.0, "df": df})
    values = kl_divergence(law, stats.logistic(0, 1))
    assert values.shape == (300,)
    assert values[200] == pytest.approx(
        kl_divergence(stats.t(df[200]), stats.logistic(0, 1)), rel=1e-12
    )


def test_families_broadcast_against_each_other():
    p = Distribution(Gamma(), {"mean": np.array([[1.0], [2.0]]), "shape": 2.0})
    q = Distribution(Exponential(), {"mean": np.array([1.0, 2.0, 3.0])})
    assert kl_divergence(p, q).shape == (2, 3)
    assert kl_divergence(p, q)[1, 2] == pytest.approx(
        kl_divergence(stats.gamma(2, scale=1.0), stats.expon(scale=3.0))
    )


@every_scipy
def test_scipys_parameters_are_read(cls):
    rng = np.random.default_rng(5)
    laws = iter(lambda: draw(cls, rng), None)
    law = next(law for law in laws if law.to_scipy() is not None)  # scipy may have some of them
    frozen = law.to_scipy()
    assert cls.scipy_name == frozen.dist.name
    names = [part.strip() for part in (frozen.dist.shapes or "").split(",") if part.strip()]
    names += ["loc"] if law.discrete else ["loc", "scale"]
    given = {"loc": 0.0, "scale": 1.0} | dict(zip(names, frozen.args, strict=False)) | frozen.kwds
    arrays = {name: np.asarray(given[name], float) for name in names}
    own, theta = cls.from_scipy(**arrays)
    assert isinstance(own, cls)
    np.testing.assert_allclose(theta, law.theta, rtol=1e-12)
    if np.isfinite(cls().support.low):
        assert cls.from_scipy(**arrays | {"loc": np.asarray(1.0)}) is None


@every_scalar
@pairs
def test_a_law_and_the_measure_tell_one_entropy(cls, seed):
    """Up to what scipy's own is worth, where a family knows no better."""
    p, _ = draw_pair(cls, seed)
    known = p.family.known_entropy(p.theta)
    if known is None:
        assert float(p.entropy()) == pytest.approx(entropy(p), rel=1e-6, abs=1e-6)
    else:
        assert float(p.entropy()) == entropy(p) == known
