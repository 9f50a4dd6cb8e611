"""A user's own link, as a link of the library's families and as the chart of a user's family."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.families import Bernoulli, Distribution, Family, Gamma, Link, Param, Rows, Support
from skmle.families.links import IDENTITY, LOG, LOGIT, fits, get_link, transition
from skmle.families.tools.special import logistic_kernel, logistic_recession

pytestmark = pytest.mark.filterwarnings("error")


def complement_forward(theta):
    return np.log1p(-theta)


def complement_inverse(eta):
    rest = np.exp(eta)
    return -np.expm1(eta), -rest, -rest


def z_inverse(eta):
    rho = np.tanh(eta)
    slope = 1.0 / np.cosh(eta) ** 2
    return rho, slope, -2.0 * rho * slope


def sine_forward(rho):
    return np.arcsin(rho)


def sine_inverse(eta):
    eta = np.where(np.abs(eta) <= 0.5 * np.pi, eta, np.nan)
    return np.sin(eta), np.cos(eta), -np.sin(eta)


LOG_COMPLEMENT = Link("log-of-the-other", complement_forward, complement_inverse, domain=(0.0, 1.0))
FISHER_Z = Link("fisher_z", np.arctanh, z_inverse, domain=(-1.0, 1.0))
ARCSINE = Link("arcsine", sine_forward, sine_inverse, domain=(-1.0, 1.0))
OWN = [LOG_COMPLEMENT, FISHER_Z, ARCSINE]


class Agreement(Family):
    """Law of y in {0, 1} with `rho` = P(1) - P(0) = 2p - 1: eta = arctanh(rho) = logit(p)/2."""

    parameters = (Param("rho", FISHER_Z),)
    support = Support(0.0, 1.0, closed=(True, True), discrete=True, whole=True)
    collapsible = True

    def evaluate(self, statistics, eta, order=2):
        rows = logistic_kernel(statistics[0], None, 2.0 * eta[0], order)
        return Rows(
            rows.value,
            None if order < 1 else (2.0 * rows.gradient[0],),
            None if order < 2 else (4.0 * rows.curvature[0],),
        )

    def starts(self, statistics, weight):
        share = np.average(statistics[0], weights=weight)
        with np.errstate(divide="ignore"):
            return [(np.arctanh(2.0 * share - 1.0),)]

    def recession(self, statistics, delta):
        return logistic_recession(statistics[0], np.ones(()), 2.0 * delta[0])

    def to_scipy(self, theta):
        return stats.bernoulli(0.5 * (1.0 + theta[0]))


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.0, 1.0, (400, 2))
    y = (rng.random(400) < -np.expm1(-0.2 - 0.8 * X[:, 0])).astype(float)
    return X, y


# ---------------------------------------------------------------- as a link


def test_log_complement_is_the_log_of_the_other_outcome(data):
    """1 - p = exp(eta) under both, so the coefficients are the same."""
    X, y = data
    own = MLERegressor(Bernoulli(links={"probability": LOG_COMPLEMENT})).fit(X, y)
    other = MLERegressor(Bernoulli(links={"probability": "log"})).fit(X, 1.0 - y)
    assert own.converged_ and own.status_ == other.status_
    np.testing.assert_allclose(own.coef_, other.coef_, rtol=1e-6)
    np.testing.assert_allclose(own.intercept_, other.intercept_, rtol=1e-6)
    assert own.score(X, y) == pytest.approx(other.score(X, 1.0 - y), rel=1e-12)
    one, two = own.inference().tidy(), other.inference().tidy()
    for column in ("std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-5)
    assert "link log-of-the-other" in str(own.summary())
    np.testing.assert_allclose(own.predict(X[:5]), 1.0 - other.predict(X[:5]), rtol=1e-6)


def test_density_through_an_own_link():
    y = np.array([[1.0], [0.0], [1.0], [1.0]])
    model = MLEDistribution(Bernoulli(links={"probability": LOG_COMPLEMENT})).fit(y)
    assert float(model.params_["probability"]) == pytest.approx(0.75, rel=1e-9)
    low, high = (float(model.inference().tidy()[end][0]) for end in ("conf_low", "conf_high"))
    se = np.sqrt(0.75 * 0.25 / 4) / 0.25  # of log(1 - p), on which the interval is symmetric
    ends = 1.0 - 0.25 * np.exp(stats.norm.ppf(0.975) * se * np.array([1.0, -1.0]))
    np.testing.assert_allclose([low, high], ends, rtol=1e-6)


def test_classifier_with_an_own_link(data):
    X, y = data
    own = CrossEntropyClassifier(link=LOG_COMPLEMENT).fit(X, y.astype(int))
    other = MLERegressor(Bernoulli(links={"probability": LOG_COMPLEMENT})).fit(X, y)
    np.testing.assert_allclose(own.coef_[0], other.coef_, rtol=1e-6)
    np.testing.assert_allclose(own.predict_proba(X)[:, 1], other.predict(X), rtol=1e-6)
    np.testing.assert_array_equal(own.predict(X), own.predict_proba(X)[:, 1] > 0.5)
    assert "log-of-the-other of class 1" in str(own.summary())
    with pytest.raises(ValueError, match="does not map onto the range of 'probability'"):
        CrossEntropyClassifier(link=FISHER_Z).fit(X, y.astype(int))
    with pytest.raises(ValueError, match="more than two classes"):
        CrossEntropyClassifier(link=LOG_COMPLEMENT).fit(X, np.arange(400) % 3)


# ---------------------------------------------------------------- as a chart


def test_own_chart_fits():
    y = (np.arange(40) < 31).astype(float)[:, None]
    model = MLEDistribution(Agreement()).fit(y)
    assert model.status_ == "interior"
    assert float(model.params_["rho"]) == pytest.approx(2.0 * 31 / 40 - 1.0, rel=1e-9)
    bernoulli = MLEDistribution("bernoulli").fit(y)
    assert model.log_likelihood_ == pytest.approx(bernoulli.log_likelihood_, rel=1e-12)
    table, reference = model.inference().tidy(), bernoulli.inference().tidy()
    for end in ("conf_low", "conf_high"):
        assert float(table[end][0]) == pytest.approx(2.0 * float(reference[end][0]) - 1.0, rel=1e-9)
    assert np.isfinite(table["p_value"]).all(), "rho = 0 lies inside the range"
    assert "intervals through the link (fisher_z)" in str(model.summary())


@pytest.mark.parametrize("link", ["identity", IDENTITY, ARCSINE, FISHER_Z])
def test_links_on_an_own_chart(link, data):
    y = data[1][:, None]
    plain = MLEDistribution(Agreement()).fit(y)
    model = MLEDistribution(Agreement(links={"rho": link})).fit(y)
    assert model.converged_
    assert float(model.params_["rho"]) == pytest.approx(float(plain.params_["rho"]), rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)


def test_own_chart_in_a_regression(data):
    X, y = data
    own = MLERegressor(Agreement()).fit(X, y)
    logit = MLERegressor("bernoulli").fit(X, y)
    np.testing.assert_allclose(2.0 * own.coef_, logit.coef_, rtol=1e-6)
    assert own.score(X, y) == pytest.approx(logit.score(X, y), rel=1e-12)


def test_an_end_of_the_range_is_seen_through_an_own_chart():
    model = MLEDistribution(Agreement())
    with pytest.warns(UserWarning, match="stand at an end of the law's range"):
        model.fit(np.ones((10, 1)))
    assert model.status_ == "boundary" and float(model.params_["rho"]) == 1.0


@pytest.mark.parametrize("value", [2.0, -1.5, [0.0, 1.0 + 1e-9]])
def test_values_out_of_range(value):
    with pytest.raises(ValueError) as caught:
        Distribution(Agreement(), {"rho": value})
    for part in ["Distribution(Agreement)", "rho=", "out of range", "-1 <= rho <= 1", "Give"]:
        assert part in str(caught.value)


def test_values_at_the_ends_are_allowed():
    law = Distribution(Agreement(), {"rho": [-1.0, 1.0, np.nan]})
    np.testing.assert_array_equal(law.log_prob([0.0, 1.0, 1.0])[:2], 0.0)
    np.testing.assert_array_equal(law.log_prob([1.0, 0.0, 1.0])[:2], -np.inf)


# ---------------------------------------------------------------- the chain rule


PAIRS = [
    (link, chart)
    for chart in (*OWN, LOGIT)
    for link in (*OWN, IDENTITY, LOG, LOGIT)
    if fits(link, chart)
]


@pytest.mark.parametrize(("link", "chart"), PAIRS, ids=lambda link: link.name)
def test_transition_between_any_two(link, chart, assert_derivative):
    low, high = max(link.domain[0], chart.domain[0]), min(link.domain[1], chart.domain[1])
    eta = np.asarray(link.forward(low + (high - low) * np.array([0.02, 0.2, 0.5, 0.7, 0.97])))
    jet = transition(link, chart)
    value, slope, curve = jet(eta)
    np.testing.assert_allclose(value, chart.forward(link.theta(eta)), rtol=1e-12, atol=1e-15)
    assert_derivative(lambda e: jet(e)[0], eta, slope, atol=1e-11)
    assert_derivative(lambda e: jet(e)[1], eta, curve, atol=1e-11)


def test_outside_the_range_is_nan_and_silent():
    assert np.isnan(transition(IDENTITY, FISHER_Z)(np.asarray(1.5))[0])
    assert np.isnan(transition(IDENTITY, LOG_COMPLEMENT)(np.asarray(-0.5))[0])


# ---------------------------------------------------------------- which fits which


HALF = (0.5, 1.0)  # what is never below chance


@pytest.mark.parametrize(
    ("link", "chart", "expected"),
    [
        ((0.0, 1.0), (0.0, 1.0), True),
        (HALF, (0.0, 1.0), True),  # a restriction
        ((-1.0, 1.0), (0.0, 1.0), True),  # a wider one
        ((0.0, 1.0), (0.0, np.inf), False),  # bounded, where the range has a unit
        ((-1.0, 1.0), (-np.inf, np.inf), False),
        ((1.0, np.inf), (0.0, np.inf), True),
        ((-np.inf, 0.0), (0.0, np.inf), False),  # nothing in common
        ((0.0, np.inf), (-1.0, 1.0), False),  # neither in the other
        ((-np.inf, np.inf), (-1.0, 1.0), True),
    ],
)
def test_links_fit_by_their_domains(link, chart, expected):
    two = Link("chart", abs, z_inverse, domain=chart)
    assert fits(Link("own", abs, z_inverse, domain=link, partial=True), two) == expected
    wider = link != chart and link[0] <= chart[0] and chart[1] <= link[1]
    assert fits(Link("own", abs, z_inverse, domain=link), two) == (expected and not wider)


@pytest.mark.parametrize(
    ("family", "parts"),
    [
        (Gamma(links={"mean": LOG_COMPLEMENT}), ["'log-of-the-other'", "'mean'", "log, inverse"]),
        (
            Agreement(links={"rho": "log"}),
            ["'log'", "'rho'", "Allowed: identity", "domain (-1, 1)"],
        ),
    ],
)
def test_links_that_do_not_fit(family, parts):
    with pytest.raises(ValueError) as caught:
        family.check_links()
    for part in ["links=...", "does not map onto the range", *parts, "Choose"]:
        assert part in str(caught.value)


def test_names_of_the_library_are_taken():
    other = Link("log", complement_forward, complement_inverse, domain=(0.0, np.inf))
    for use in (get_link, lambda link: Gamma(links={"mean": link}).check_links()):
        with pytest.raises(ValueError, match=r"'log'.*Allowed: any name but identity.*Rename"):
            use(other)


@pytest.mark.parametrize("domain", [(1.0, 0.0), (0.0, 0.0), (np.nan, 1.0)])
def test_domains_that_are_no_intervals(domain):
    with pytest.raises(ValueError, match=r"'own'.*no interval.*Allowed.*Give"):
        Link("own", abs, z_inverse, domain=domain)


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize("link", OWN, ids=lambda link: link.name)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(link, again):
    other = again(link)
    assert other == link and hash(other) == hash(link)
    assert other.domain == link.domain and other.dimensionless == link.dimensionless
    assert repr(other) == f"Link(name={link.name!r})"


def test_links_of_one_name_and_other_functions_differ():
    assert Link("fisher_z", np.arcsin, z_inverse, domain=(-1.0, 1.0)) != FISHER_Z


def test_functions_without_a_name_are_not_pickled():
    link = Link("mine", lambda theta: theta, z_inverse)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(link)


@pytest.mark.parametrize(
    "family",
    [Agreement(), Agreement(links={"rho": ARCSINE}), Agreement(links={"rho": FISHER_Z})],
    ids=["chart", "link", "chart as link"],
)
def test_families_and_models_are_copied(family, data):
    X, y = data
    other = clone(family)
    assert repr(other) == repr(family) and other.get_params() == family.get_params()
    assert other.relinked == family.relinked
    model = MLERegressor(family).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert str(again.summary()) == str(model.summary())
    np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)


def test_links_in_a_grid_search(data):
    X, y = data
    families = [Bernoulli(links={"probability": link}) for link in (LOG_COMPLEMENT, "logit")]
    search = GridSearchCV(MLERegressor(), {"family": families}, cv=3).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
