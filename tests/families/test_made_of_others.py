"""Every wrapper that makes another law, around every family that it takes.

Formulas against differences, masses and densities against their sum, tails against probabilities,
draws against the cdf, and fits: at a maximum, the same in other units, with weights as repeated
rows.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from sklearn.base import clone

from skmle import MLEDistribution, MLERegressor, families
from skmle.exceptions import NoMaximumWarning
from skmle.families.differences import differences
from skmle.families.tools.atoms import atoms_of
from tests.families.whole_numbers import LAST_NUMBER, all_of
from tests.subjects import FAMILIES, observations, own_name, respond, typical

pytestmark = pytest.mark.filterwarnings(
    "error",
    "ignore::skmle.exceptions.BoundaryWarning",
    # Rows of two values are looked at on purpose.
    "ignore:.*the rows have two values:skmle.exceptions.ScaleWarning",
    # A threshold at which the density has a corner.
    "ignore::skmle.exceptions.NonRegularWarning",
)

N = 240
SHARES = [1e-9, 1e-4, 0.01, 0.3, 0.7, 0.99, 1 - 1e-4, 1 - 1e-6, 1 - 1e-8]


def plain(cls) -> bool:
    return cls.observation == families.Observation() and cls.support.fixed


def share_of_zeros(y: np.ndarray) -> np.ndarray:
    """Return observations of which every fourth is zero."""
    return np.where(np.arange(len(y)) % 4 == 0, 0.0, y)


def cut(cls) -> tuple[float, float]:
    """Return ends between which most observations of the typical law lie."""
    y = observations(cls, N)
    if cls.support.discrete:
        return 0.0, float(max(y.max() - 1.0, 1.0))
    y = y[~np.isin(y, atoms_of(cls()))]
    return float(np.quantile(y, 0.05)), float(np.quantile(y, 0.97))


def has_long_tails(cls) -> bool:
    """Whether the tails of the law fall like a power, and not like an exponential."""
    family, theta = typical(cls)
    low, middle, high = (float(family.quantile(q, theta)) for q in (0.25, 0.5, 0.75))
    return bool(family.sf(middle + 1e4 * (high - low), theta) > 0.0)


def made() -> dict[str, families.Family]:
    """Return every wrapper around every family that it takes, by name."""
    found: dict[str, families.Family] = {}
    for cls in filter(plain, FAMILIES):
        name, (low, high) = own_name(cls), cut(cls)
        counted = cls.support.discrete
        # A Bernoulli law above zero is a point.
        if name != "bernoulli":
            found[f"Truncated-{name}"] = families.Truncated(name, low=low)
            found[f"Truncated-{name}-both"] = families.Truncated(name, low - counted, high)
            found[f"ZeroInflated-{name}"] = families.ZeroInflated(name)
            if not cls.cusps:  # no more than an exponential tail may be left above zero
                found[f"Hurdle-{name}"] = families.Hurdle(name)
        if not counted:
            spread = float(np.subtract(*np.quantile(observations(cls, N), [0.75, 0.25])))
            found[f"Rounded-{name}"] = families.Rounded(name, resolution=0.5 * spread)
            if cls.stretch is not None:
                found[f"Shifted-{name}"] = families.Shifted(name)
            if cls.support.low == -np.inf:
                found[f"Folded-{name}"] = families.Folded(name)
            # The exponential of a law like Student's t has tails that no integral over y follows.
            if cls.support.low == -np.inf and not has_long_tails(cls):
                found[f"Transformed-{name}"] = families.Transformed(name, "log")
    mixtures = (("normal", "normal"), ("gamma", "weibull"), ("poisson", "negative_binomial"))
    found |= {f"Mixture-{a}-{b}": families.Mixture((a, b)) for a, b in mixtures}
    found["Mixture-poisson-3"] = families.Mixture("poisson", 3)
    found["ZeroInflated-Truncated"] = families.ZeroInflated(families.Truncated("weibull", high=9.0))
    found["Mixture-ZeroInflated"] = families.Mixture(
        (families.ZeroInflated("poisson"), "geometric")
    )
    return found


MADE = made()


@cache
def data(name: str) -> np.ndarray:
    """Return observations that the law can have."""
    family, rng = MADE[name], np.random.default_rng(4)
    kind, inner = name.split("-")[:2]
    classes = {own_name(cls): cls for cls in FAMILIES}
    if kind == "Mixture":
        if "gamma" in name:
            return np.concatenate([rng.gamma(2.0, 1.0, N), 8.0 + rng.weibull(3.0, N)])
        if "normal" in name:
            return np.concatenate([rng.normal(0.0, 1.0, N), rng.normal(5.0, 1.5, N)])
        means = (1.0, 6.0, 20.0) if name.endswith("3") else (1.0, 9.0)
        return np.concatenate([rng.poisson(mean, N) for mean in means]).astype(float)
    cls = classes.get(inner, families.Weibull)
    y = observations(cls, N)
    if kind == "Rounded":
        step = family.resolution
        y = np.round(y / step) * step
    if kind == "Transformed":
        y = np.exp(y / np.abs(y).max())
    if kind == "Folded":
        y = np.abs(y)
    if kind == "Shifted":
        y = y - 3.0
    if kind == "Hurdle" and cls.support.low == -np.inf:
        # Of a tail alone, as what lies above zero may be, more would be told by no location.
        y = y + 2.0 * float(np.subtract(*np.quantile(y, [0.75, 0.25])))
    if kind in ("ZeroInflated", "Hurdle"):
        y = share_of_zeros(y)
    return y[family.contains(y)]


EVERY = pytest.mark.parametrize("name", MADE)
REGULAR = pytest.mark.parametrize(
    "name", [name for name, family in MADE.items() if not family.kinked]
)


@cache
def fitted(name: str) -> MLEDistribution:
    return MLEDistribution(MADE[name]).fit(data(name)[:, None])


@EVERY
def test_derivatives(name):
    y, rng = data(name)[:40], np.random.default_rng(1)
    family = MADE[name].adapt(data(name))
    statistics = family.statistics(y)
    eta = tuple(
        e + 0.1 * rng.normal(size=len(y))
        for e in family.starts(family.statistics(data(name)), None)[0]
    )
    rows = family.evaluate(statistics, eta, 2)
    known = differences(lambda moved: family.evaluate(statistics, moved, 0).value, eta, 2)
    if not family.cusps:  # differences across a cusp tell nothing
        for ours, theirs in zip(rows.gradient, known.gradient, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
        for ours, theirs in zip(rows.packed, known.packed, strict=True):
            np.testing.assert_allclose(0.0 if ours is None else ours, theirs, rtol=1e-4, atol=1e-4)


def integral(law, low: float, high: float) -> float:
    """Return the integral of the density, next to zero over log y: it may be infinite there."""

    def density(y):
        return float(np.exp(law.log_prob(y))) * (y != 0.0)

    def over_log(t):
        return density(high * np.exp(t)) * high * np.exp(t)

    if low != 0.0 or high == 0.0:
        return quad(density, low, high, limit=200)[0]
    pieces = pairwise((-600.0, -60.0, -6.0, 0.0))
    return sum(quad(over_log, a, b, limit=200)[0] for a, b in pieces)


@EVERY
def test_all_of_the_law_is_there(name):
    law = fitted(name).distribution_
    support = law.family.support
    if support.discrete:
        first = 0.0 if np.isfinite(support.low) else -2000.0
        counts, weight = all_of(np.arange(first, 2000.0), LAST_NUMBER)
        inside = law.family.contains(counts)
        total = weight[inside] @ np.exp(law.log_prob(counts[inside]))
    else:
        ends = [float(law.ppf(q)) for q in SHARES]
        pieces = pairwise(ends)
        atoms = np.exp(law.log_prob(np.array(atoms_of(law.family)))).sum()
        total = atoms + sum(integral(law, a, b) for a, b in pieces)
    np.testing.assert_allclose(total, 1.0, rtol=1e-6)


@EVERY
def test_draws_and_quantiles_follow_the_cdf(name):
    law = fitted(name).distribution_
    drawn = law.rvs(4000, 0)
    levels = np.array([0.1, 0.3, 0.5, 0.8, 0.95])
    places = law.ppf(levels)
    assert (law.cdf(places) >= levels - 1e-9).all()
    np.testing.assert_allclose(law.sf(places), 1.0 - law.cdf(places), atol=1e-12)
    shares = np.array([(drawn <= place + 1e-9 * abs(place)).mean() for place in places])
    np.testing.assert_allclose(shares, law.cdf(places), atol=0.035)  # four standard errors
    if np.isfinite(law.var()):
        error = float(np.sqrt(law.var() / len(drawn)))
        np.testing.assert_allclose(drawn.mean(), law.mean(), atol=5.0 * error)


@EVERY
def test_tails_are_probabilities(name):
    y = data(name)[:20]
    law = fitted(name)._observed[0]
    eta = law.family.eta(law.theta)
    if not all(np.isfinite(e).all() for e in eta) or isinstance(MADE[name], families.Rounded):
        return  # at an end of the parameters' range, or of what lies between two numbers
    statistics = law.family.statistics(y)
    for upper, probability in ((True, law.sf(y)), (False, law.cdf(y))):
        value = law.family.tail(statistics, law.family.chart(eta), upper, 0).value
        np.testing.assert_allclose(np.exp(-value), probability, rtol=1e-9, atol=1e-12)


@EVERY
def test_no_point_around_is_more_likely(name):
    model, y = fitted(name), data(name)[:, None]
    assert model.status_ in ("interior", "boundary", "non_regular")
    best = model.log_likelihood_
    np.testing.assert_allclose(model.score(y) * len(y), best, rtol=1e-9, atol=1e-9)
    if model.status_ != "interior":
        return
    law = model._observed[0].family
    eta = law.eta(model._observed[0].theta)
    for j in range(len(eta)):
        for step in (-1e-3, 1e-3, -3e-2, 3e-2):
            moved = tuple(e + step * (i == j) for i, e in enumerate(eta))
            assert law.log_prob(y[:, 0], moved).sum() < best + 1e-9


@REGULAR
def test_weights_are_repeated_rows(name):
    y = data(name)
    times = 1 + np.arange(len(y)) % 2
    weighted = MLEDistribution(MADE[name]).fit(y[:, None], sample_weight=times)
    repeated = MLEDistribution(MADE[name]).fit(np.repeat(y, times)[:, None])
    np.testing.assert_allclose(weighted.log_likelihood_, repeated.log_likelihood_, rtol=1e-9)
    assert weighted.status_ == repeated.status_


# ---------------------------------------------------------------- regressions


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Truncated", "ZeroInflated", "Hurdle"])
@pytest.mark.parametrize("cls", [families.Poisson, families.NegativeBinomial, families.Gamma])
def test_regressions_of_every_parameter(kind, cls):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 2))
    y = respond(cls, 0.4 * X[:, 0], rng)
    if kind != "Truncated":
        y = np.where(rng.random(400) < 1.0 / (1.0 + np.exp(1.0 - X[:, 1])), 0.0, y)
    low = 0.0 if cls.support.discrete else 0.1
    family = (
        families.Truncated(cls, low=low) if kind == "Truncated" else getattr(families, kind)(cls)
    )
    keep = family.contains(y)
    X, y = X[keep], y[keep]
    model = MLERegressor(family, features=dict.fromkeys(family.names, "all")).fit(X, y)
    constant = MLERegressor(family, features=dict.fromkeys(family.names, "none")).fit(X, y)
    assert model.status_ in ("interior", "boundary")
    assert model.log_likelihood_ > constant.log_likelihood_
    np.testing.assert_allclose(model.score(X, y) * len(y), model.log_likelihood_, rtol=1e-9)
    density = MLEDistribution(family).fit(y[:, None])
    np.testing.assert_allclose(constant.log_likelihood_, density.log_likelihood_, rtol=1e-9)
    assert np.isfinite(model.predict(X)).all()


# ---------------------------------------------------------------- nested, and known identities


def test_a_censored_zero_inflated_weibull_with_modelled_scale_is_one_line():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 1))
    time = np.where(rng.random(500) < 0.3, 0.0, np.exp(0.5 * X[:, 0]) * rng.weibull(1.5, 500))
    rows = np.column_stack([time, np.where(time > 2.0, np.inf, time)])
    rows[time > 2.0, 0] = 2.0
    family = families.Censored(families.ZeroInflated("weibull"))
    model = MLERegressor(family, features={"scale": "all", "shape": "all"}).fit(X, rows)
    assert model.status_ == "interior"
    np.testing.assert_allclose(model.params_["zeros"], 0.3, atol=0.05)
    np.testing.assert_allclose(model.coefs_["scale"][0], 0.5, atol=0.1)


def test_a_hurdle_is_two_models():
    y = share_of_zeros(observations(families.Poisson, N))
    whole = MLEDistribution(families.Hurdle("poisson")).fit(y[:, None])
    zero = MLEDistribution("bernoulli").fit((y == 0.0)[:, None].astype(float))
    above = MLEDistribution(families.Truncated("poisson", low=0.0)).fit(y[y > 0.0][:, None])
    np.testing.assert_allclose(
        whole.log_likelihood_, zero.log_likelihood_ + above.log_likelihood_, rtol=1e-12
    )
    np.testing.assert_allclose(whole.params_["mean"], above.params_["mean"], rtol=1e-9)


def test_a_zero_inflated_negative_binomial_may_end_at_poisson():
    rng = np.random.default_rng(1)
    y = np.where(rng.random(2000) < 0.4, 0.0, rng.binomial(10, 0.4, 2000)).astype(float)
    model = MLEDistribution(families.ZeroInflated("negative_binomial")).fit(y[:, None])
    other = MLEDistribution(families.ZeroInflated("poisson")).fit(y[:, None])
    assert model.status_ == "boundary" and model.params_["dispersion"] == 0.0
    np.testing.assert_allclose(model.log_likelihood_, other.log_likelihood_, rtol=1e-12)


def test_no_zeros_beyond_the_law_are_a_boundary():
    y = np.array([0.0, 1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 3.0, 1.0])
    model = MLEDistribution(families.ZeroInflated("poisson")).fit(y[:, None])
    plain_fit = MLEDistribution("poisson").fit(y[:, None])
    assert model.status_ == "boundary" and model.params_["zeros"] == 0.0
    np.testing.assert_allclose(model.log_likelihood_, plain_fit.log_likelihood_, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("table", "column"), [("iris", 2), ("wine", 0), ("wine", 12)])
def test_a_mixture_is_as_likely_as_scikit_learns(table, column, count):
    from sklearn import datasets
    from sklearn.mixture import GaussianMixture

    y = getattr(datasets, f"load_{table}")().data[:, [column]]
    ours = MLEDistribution(families.Mixture("normal", count)).fit(y)
    theirs = [
        GaussianMixture(count, random_state=seed, tol=1e-12, max_iter=5000, reg_covar=0.0)
        .fit(y)
        .score(y)
        for seed in range(5)
    ]
    assert ours.status_ == "interior"
    assert ours.log_likelihood_ >= max(theirs) * len(y) - 1e-6
    assert np.isfinite(ours.inference().standard_errors).all()


HOSTILE = {
    "repeated": lambda rng: np.append(rng.normal(size=100), np.full(20, 5.0)),
    "two values": lambda rng: np.repeat([1.0, 2.0], 25),
    "an outlier": lambda rng: np.append(rng.normal(size=100), 1e6),
    "zeros": lambda rng: np.append(np.zeros(60), rng.normal(5.0, 1.0, 40)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.NoMaximumWarning")
@pytest.mark.slow
def test_a_part_on_a_single_value_is_named(name):
    y = HOSTILE[name](np.random.default_rng(0))
    with pytest.warns(NoMaximumWarning, match=r"part [12] shrinks to one value"):
        model = MLEDistribution(families.Mixture("normal")).fit(y)
    assert model.status_ == "no_maximum"


@pytest.mark.parametrize("offset", [-3.0, 100.0])
@pytest.mark.slow
def test_a_part_on_a_single_value_is_named_beside_an_offset(offset):
    y = HOSTILE["two values"](np.random.default_rng(0))
    model = MLERegressor(families.Mixture("normal"), features={})
    with pytest.warns(NoMaximumWarning, match=r"part [12] shrinks to one value"):
        model.fit(np.zeros((len(y), 1)), y, offset=np.full(len(y), offset))


@pytest.mark.parametrize("gap", [1e2, 1e4, 1e6, 1e8])
def test_groups_that_lie_far_apart_are_two_fits(gap):
    rng = np.random.default_rng(0)
    y, first = rng.normal(size=400), np.arange(400) < 150
    y[~first] = 3.0 * y[~first] + gap
    model = MLEDistribution(families.Mixture("normal")).fit(y)
    alone = [MLEDistribution("normal").fit(y[rows]) for rows in (first, ~first)]
    assert model.status_ == "interior"
    entropy = sum(rows.sum() * np.log(rows.mean()) for rows in (first, ~first))
    total = sum(one.log_likelihood_ for one in alone) + entropy
    np.testing.assert_allclose(model.log_likelihood_, total, rtol=1e-9)
    for c, one in enumerate(alone, 1):
        np.testing.assert_allclose(model.params_[f"scale_{c}"], one.params_["scale"], rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_local_maximum_is_preferred_to_a_part_on_a_single_value(seed):
    """Two parts for draws of one law: runs that end at one outlying value have no bound."""
    y = np.random.default_rng(seed).normal(size=200)
    model = MLEDistribution(families.Mixture("normal")).fit(y)
    assert model.status_ == "interior"
    assert model.log_likelihood_ > MLEDistribution("normal").fit(y).log_likelihood_


def test_shares_that_depend_on_features_in_a_pipeline():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(5)
    X = rng.normal(size=(600, 2))
    first = rng.random(600) < 1.0 / (1.0 + np.exp(-1.5 * X[:, 1]))
    y = np.where(first, -3.0 + X[:, 0], 3.0 - X[:, 0]) + 0.5 * rng.normal(size=600)
    family = families.Mixture("normal")
    model = MLERegressor(family, features={"share_1": [1], "loc_1": [0], "loc_2": [0]})
    made = make_pipeline(StandardScaler(), model).fit(X, y)
    assert model.status_ == "interior"
    found = {name: slopes[0] for name, slopes in model.coefs_.items() if len(slopes)}
    by_place = sorted(
        [
            (model.intercepts_["loc_1"], found["loc_1"], found["share_1"]),
            (model.intercepts_["loc_2"], found["loc_2"], -found["share_1"]),
        ]
    )
    np.testing.assert_allclose(by_place, [(-3.0, 1.0, 1.5), (3.0, -1.0, -1.5)], atol=0.4)
    assert made.score(X, y) > MLERegressor("normal").fit(X, y).score(X, y)


@pytest.mark.parametrize("unit", [1e6, 1e-6])
@pytest.mark.parametrize(
    "family",
    [
        families.Mixture("normal"),
        families.Mixture(("gamma", "lognormal")),
        families.ZeroInflated("weibull"),
    ],
    ids=repr,
)
def test_units_change_the_density_alone(family, unit):
    y = np.concatenate([observations(families.Gamma, N), 9.0 + observations(families.Gamma, N)])
    zeros = "ZeroInflated" in repr(family)
    y = share_of_zeros(y) if zeros else y
    one, other = (MLEDistribution(clone(family)).fit(u * y[:, None]) for u in (1.0, unit))
    moved = (y > 0.0).sum() * np.log(unit)
    np.testing.assert_allclose(other.log_likelihood_ + moved, one.log_likelihood_, rtol=1e-8)
    assert one.status_ == other.status_ == "interior"


@pytest.mark.parametrize(
    ("family", "y", "message"),
    [
        (families.Truncated("poisson", low=5.0, high=2.0), [1.0, 2.0], "no value of Poisson"),
        (families.Truncated("binomial"), [[1.0, 2.0]] * 3, "no range can be cut"),
        (families.Truncated("normal", low=0.0), [-1.0, 2.0], "outside the support"),
        (families.Rounded("normal", resolution=0.0), [1.0, 2.0], "resolution=0.0"),
        (families.Rounded("poisson"), [1.0, 2.0], "law of whole numbers"),
        (families.Transformed("poisson"), [1.0, 2.0], "continuous"),
        (families.Transformed("normal", "inverse"), [1.0, 2.0], "falls"),
        (families.Mixture(("normal", "poisson")), [1.0, 2.0], "cannot be mixed"),
        (families.ZeroInflated("categorical"), [0, 1, 1, 2], "zeros cannot be added"),
        (families.ZeroInflated("poisson", links={"mean": "sqrt"}), [0.0, 1.0], "given there"),
    ],
)
def test_what_cannot_be_is_refused(family, y, message):
    y = np.asarray(y)
    with pytest.raises(ValueError, match=message):
        MLEDistribution(family).fit(y[:, None] if y.ndim == 1 else y)


def test_a_part_without_a_share_adds_nothing_to_moments():
    """On the way to infinity a part may have neither a share nor a mean."""
    law = families.Mixture("poisson")
    theta = tuple(map(np.asarray, (np.inf, 2.0, 0.0)))
    assert law.mean(theta) == 2.0
    np.testing.assert_allclose(law.std(theta), np.sqrt(2.0), rtol=1e-15)
    several = tuple(map(np.asarray, (np.array([np.inf, 1.0]), 2.0, np.array([0.0, 0.5]))))
    np.testing.assert_allclose(law.mean(several), [2.0, 1.5], rtol=1e-15)


def test_a_law_with_zeros_learns_from_what_is_not_zero():
    """The logarithm of a zero is none of the observations of the law inside."""
    y = np.append(np.exp(observations(families.Normal, 60)), np.zeros(20))
    for make in (families.ZeroInflated, families.Hurdle):
        model = MLEDistribution(make(families.Transformed("normal"))).fit(y[:, None])
        plain = MLEDistribution("normal").fit(np.log(y[y > 0.0])[:, None])
        np.testing.assert_allclose(model.params_["zeros"], 0.25, rtol=1e-9)
        for name, value in plain.params_.items():
            np.testing.assert_allclose(model.params_[name], value, rtol=1e-7)
