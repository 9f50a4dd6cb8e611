"""Units: bases of the logarithm, perplexity."""

import numpy as np
import pytest
from scipy import stats

from skmle.information import (
    conditional_entropy,
    cross_entropy,
    empirical_cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
    perplexity,
)
from tests.information.laws import DIVERGENCES


@pytest.mark.parametrize("base", [2, 10, np.e, np.float32(2.0)])
@pytest.mark.parametrize(
    "p, q",
    [
        ([0.2, 0.8], [0.5, 0.5]),
        (stats.norm(0, 1), stats.norm(1, 2)),
        (stats.t(3), stats.norm(0, 1)),
    ],
)
def test_base(p, q, base):
    unit = np.log(float(base))
    for measure in DIVERGENCES:
        assert measure(p, q, base=base) == pytest.approx(measure(p, q) / unit, rel=1e-14)
    assert entropy(p, base=base) == pytest.approx(entropy(p) / unit, rel=1e-14)
    assert (
        perplexity(p, q, base=base)
        == perplexity(p, q)
        == pytest.approx(float(base) ** cross_entropy(p, q, base=base), rel=1e-13)
    )


@pytest.mark.parametrize("base", [0, 1, -2, np.nan, np.inf, "2"])
def test_no_base(base):
    table = [[0.5, 0.0], [0.0, 0.5]]
    calls = [
        lambda: entropy([1.0], base=base),
        lambda: kl_divergence([1.0], [1.0], base=base),
        lambda: cross_entropy([1.0], [1.0], base=base),
        lambda: js_divergence([1.0], [1.0], base=base),
        lambda: perplexity([1.0], base=base),
        lambda: conditional_entropy(table, base=base),
        lambda: mutual_information(table, base=base),
        lambda: empirical_cross_entropy(stats.norm(), [1.0], base=base),
    ]
    for call in calls:
        with pytest.raises(
            ValueError, match="is no base of a logarithm. Allowed: .* Give 2 for bits"
        ):
            call()


@pytest.mark.parametrize("k", [1, 2, 7, 1000])
def test_perplexity_counts_equally_likely_choices(k):
    uniform = np.full(k, 1 / k)
    assert perplexity(uniform) == pytest.approx(k, rel=1e-13)
    assert perplexity(stats.randint(0, k)) == pytest.approx(k, rel=1e-12)
    skewed = np.arange(1.0, k + 1) / np.arange(1.0, k + 1).sum()
    assert perplexity(skewed, uniform) == pytest.approx(k, rel=1e-13)
    assert perplexity(np.tile(uniform, (3, 1))).shape == (3,)
