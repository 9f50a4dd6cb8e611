"""Maximum likelihood is the least cross-entropy.

The equations of docs/from_likelihood_to_cross_entropy.md.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import entr, expit, rel_entr

from skmle import CrossEntropyClassifier, MLEDistribution
from skmle._shared.classes import _LINKS
from skmle.exceptions import NonRegularWarning
from skmle.families import Distribution
from tests.estimators.data import every_family, parameters
from tests.subjects import as_columns, every_class, has_supremum, observations

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@every_class(lambda cls: cls.support.discrete and cls.observation.columns == 1)
def test_minimal_divergence_from_the_empirical_distribution_is_maximum_likelihood(cls):
    """KL(empirical || model), minimised by another program over the parameters, is smallest at the
    fit.
    """
    y = observations(cls)
    model = MLEDistribution(cls).fit(y[:, None])
    values, counts = np.unique(y, return_counts=True)
    empirical = counts / counts.sum()
    family = model.distribution_.family

    def divergence(eta: np.ndarray) -> float:
        return float(rel_entr(empirical, np.exp(family.log_prob(values, tuple(eta)))).sum())

    fitted = np.array(family.eta(model.distribution_.theta))
    best = optimize.minimize(
        divergence,
        np.full(len(fitted), 0.1),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 4000},
    )
    np.testing.assert_allclose(fitted, best.x, atol=1e-6)
    assert divergence(fitted) <= best.fun + 1e-14
    # and D(p || q) = H(p, q) - H(p)
    assert divergence(fitted) == pytest.approx(
        -model.score(y[:, None]) - entr(empirical).sum(), abs=1e-12
    )


def test_information_measures_the_divergence_that_the_fit_minimised():
    from skmle.information import cross_entropy, entropy, kl_divergence

    y = np.array(list("aabbbc"))[:, None]
    model = MLEDistribution("categorical").fit(y)
    empirical = np.array([2, 3, 1]) / 6
    assert kl_divergence(empirical, model.params_["probabilities"]) == pytest.approx(0.0, abs=1e-12)
    assert -model.score(y) == pytest.approx(
        cross_entropy(empirical, model.params_["probabilities"]), rel=1e-12
    )
    assert -model.score(y) == pytest.approx(entropy(empirical), rel=1e-12)


@every_family
@pytest.mark.filterwarnings("ignore::skmle.exceptions.BoundaryWarning")
def test_the_fit_is_where_product_sum_and_mean_are_largest(cls):
    """Neither the logarithm nor 1/n moves the argmax.

    No nearby law has a larger product, sum or mean of logs. A parameter at an end of its range
    stays there.
    """
    # Odd: the median of the Laplace law is a single point. Of few rows some laws have no maximum.
    X = as_columns(observations(cls, n=141 if has_supremum(cls) else 41))
    model = MLEDistribution(cls).fit(X)
    law = model.distribution_
    y = X[:, 0] if law.family.observation.columns == 1 else X
    eta = law.family.eta(law.theta)
    here = law.family.log_prob(y, eta)
    assert np.prod(np.exp(here)) > 0.0
    for j in np.flatnonzero(np.isfinite([np.min(e) for e in eta])):
        for step in (-0.05, 0.05):
            there = law.family.log_prob(y, (*eta[:j], eta[j] + step, *eta[j + 1 :]))
            assert np.prod(np.exp(there)) < np.prod(np.exp(here))
            assert there.sum() < here.sum()
            assert there.mean() < here.mean()


@every_family
def test_weighing_each_row_by_one_over_n_does_not_move_the_argmax(cls):
    X = as_columns(observations(cls))
    total = MLEDistribution(cls).fit(X)
    mean = MLEDistribution(cls).fit(X, sample_weight=np.full(len(X), 1.0 / len(X)))
    np.testing.assert_allclose(parameters(mean), parameters(total), rtol=1e-9)
    assert mean.log_likelihood_ * len(X) == pytest.approx(total.log_likelihood_, rel=1e-9)


def test_the_product_underflows_where_the_sum_of_logs_does_not():
    y = np.random.default_rng(0).normal(size=(2000, 1))
    model = MLEDistribution().fit(y)
    assert np.prod(model.predict(y[:100])) > 0.0
    assert np.prod(model.predict(y)) == 0.0
    assert model.score_samples(y).sum() == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert -3000.0 < model.log_likelihood_ < -2000.0


# Laws p and q with Var_p[log q(X)], by hand: equation (3) of
# docs/from_likelihood_to_cross_entropy.md.
LIMITS = {
    "gamma, exponential": (stats.gamma(2.0, scale=3.0), stats.expon(scale=6.0), 18.0 / 36.0),
    "normal, normal": (stats.norm(0.0, 1.0), stats.norm(1.0, 2.0), 6.0 / 64.0),
    "bernoulli, bernoulli": (stats.bernoulli(0.3), stats.bernoulli(0.6), 0.21 * np.log(1.5) ** 2),
    "poisson, geometric": (stats.poisson(4.0), stats.geom(0.2, loc=-1), 4.0 * np.log(0.8) ** 2),
}


@pytest.mark.parametrize(("p", "q", "variance"), LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("n", [100, 10_000])
def test_the_empirical_cross_entropy_tends_to_the_cross_entropy(p, q, variance, n):
    """Its error is that of a mean of n independent terms.

    Of variance 1/n times that of one, so of rate 1/sqrt(n).
    """
    from skmle.information import cross_entropy, empirical_cross_entropy

    limit = cross_entropy(p, q)
    samples = p.rvs(size=(200, n), random_state=0)
    z = np.array([empirical_cross_entropy(q, sample) - limit for sample in samples])
    z /= np.sqrt(variance / n)
    assert np.abs(z).max() < 5.0
    assert abs(z.mean()) < 5.0 / np.sqrt(len(z))
    assert abs((z**2).mean() - 1.0) < 5.0 * np.sqrt(2.0 / len(z))


# Equations (7)-(9): a world of three x and two y in which all is known, and laws of x that a model
# of y given x may be joined with.
P_X, P_Y1 = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.8])

P_XY = P_X[:, None] * np.column_stack([1.0 - P_Y1, P_Y1])

FIXED_LAWS = {"true": P_X, "uniform": np.full(3, 1.0 / 3.0), "another": np.array([0.01, 0.19, 0.8])}


def joint_law(theta: np.ndarray, law_of_x: np.ndarray) -> np.ndarray:
    """Return q(x, y) = q(x) q(y|x), (3, 2), of a logistic slope and intercept theta."""
    one = expit(theta[0] * np.arange(3) + theta[1])
    return law_of_x[:, None] * np.column_stack([1.0 - one, one])


@pytest.mark.parametrize("law_of_x", FIXED_LAWS.values(), ids=FIXED_LAWS)
def test_a_fixed_law_of_the_features_does_not_move_the_argmin(law_of_x):
    """With -log p(x) added, the conditional objective is the empirical cross-entropy of the joint
    law; its argmin stays.
    """
    from skmle.families import Categorical
    from skmle.information import cross_entropy, empirical_cross_entropy

    x, y = np.divmod(np.random.default_rng(3).choice(6, size=2000, p=P_XY.ravel()), 2)
    model = CrossEntropyClassifier().fit(x[:, None], y)

    def of_pairs(theta: np.ndarray) -> float:
        law = Distribution(Categorical(6), {"probabilities": joint_law(theta, law_of_x).ravel()})
        return empirical_cross_entropy(law, 2 * x + y)

    def conditional(theta: np.ndarray) -> float:
        eta = theta[0] * x + theta[1]
        return float(np.mean(np.logaddexp(0.0, eta) - y * eta))

    of_x = empirical_cross_entropy(Distribution(Categorical(3), {"probabilities": law_of_x}), x)
    fitted = np.array([model.coef_[0, 0], model.intercept_[0]])
    for theta in (fitted, np.zeros(2), np.array([1.0, -3.0])):
        assert of_pairs(theta) == pytest.approx(conditional(theta) + of_x, rel=1e-12)
    assert of_pairs(fitted) == pytest.approx(
        empirical_cross_entropy(model, x[:, None], y) + of_x, rel=1e-12
    )
    empirical = np.bincount(2 * x + y, minlength=6) / len(x)
    assert of_pairs(fitted) == pytest.approx(
        cross_entropy(empirical, joint_law(fitted, law_of_x).ravel()), rel=1e-12
    )
    best = optimize.minimize(
        of_pairs, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}
    )
    np.testing.assert_allclose(best.x, fitted, atol=1e-6)


def test_the_limit_of_a_conditional_fit_minimises_the_cross_entropy_of_the_joint_laws():
    from skmle.information import cross_entropy, entropy

    def of_laws(theta: np.ndarray) -> float:
        return cross_entropy(P_XY.ravel(), joint_law(theta, P_X).ravel())

    limit = optimize.minimize(
        of_laws, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}
    ).x
    x, y = np.divmod(np.arange(6), 2)
    exact = CrossEntropyClassifier().fit(
        x[:, None], y, sample_weight=P_XY.ravel()
    )  # infinitely many rows
    np.testing.assert_allclose([exact.coef_[0, 0], exact.intercept_[0]], limit, atol=1e-6)
    assert of_laws(limit) - entropy(P_X) == pytest.approx(
        -exact.score(x[:, None], y, P_XY.ravel()), rel=1e-9
    )
    for n in (1000, 100_000):
        x, y = np.divmod(np.random.default_rng(4).choice(6, size=n, p=P_XY.ravel()), 2)
        model = CrossEntropyClassifier().fit(x[:, None], y)
        error = np.array([model.coef_[0, 0], model.intercept_[0]]) - limit
        assert (np.abs(error) < 5.0 * model.inference().standard_errors).all()


@pytest.mark.parametrize("link", _LINKS)
@pytest.mark.parametrize("far", [3.0, 50.0, 1e3, 1e6])
def test_log_probabilities_are_logs_of_probabilities_and_scores_stay_finite(link, far):
    """`predict_log_proba` is -inf where the probability is no double; `log_prob` is not."""
    model = CrossEntropyClassifier(link=link, alpha=0.1)
    model.fit([[-1.0], [0.5], [-0.5], [1.0]], [0, 0, 1, 1])
    X = np.array([[-far], [far]])
    proba, log_proba = model.predict_proba(X), model.predict_log_proba(X)
    np.testing.assert_array_equal(np.isneginf(log_proba), proba == 0.0)
    with np.errstate(divide="ignore"):
        expected = np.log(proba)
    # Below 1e-300 the probabilities themselves lose digits; near one their logs do.
    there = proba > 1e-300
    np.testing.assert_allclose(log_proba[there], expected[there], rtol=1e-9, atol=1e-15)
    for label in (0, 1):
        exact = model.log_prob(X, [label, label])
        seen = proba[:, label] > 0.0
        np.testing.assert_array_equal(exact[seen], log_proba[seen, label])
        if not np.isinf(exact).any():  # exp(eta) may itself be too large
            assert model.score(X, [label, label]) == pytest.approx(exact.mean(), rel=1e-12)
        assert np.isfinite(exact).all() or link in ("cloglog", "loglog")
