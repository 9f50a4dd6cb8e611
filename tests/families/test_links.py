"""Every link, every property a link promises."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from skmle.families import Gamma
from skmle.families.links import (
    IDENTITY,
    LINKS,
    LOG,
    LOGIT,
    SQRT,
    Link,
    allowed_links,
    fits,
    get_link,
    power,
    transition,
)

pytestmark = pytest.mark.filterwarnings("error")

POWERS = [power(p) for p in (2.0, -2.0, 1.5, 1 / 3)]
ALL = [*LINKS.values(), *POWERS]
CHARTS = [IDENTITY, LOG, LOGIT]

every_link = pytest.mark.parametrize("link", ALL, ids=lambda link: link.name)


PAIRS = [
    (link, chart) for chart in CHARTS for link in ALL if link is not chart and fits(link, chart)
]
every_pair = pytest.mark.parametrize(
    ("link", "chart"), PAIRS, ids=[f"{link.name}-on-{chart.name}" for link, chart in PAIRS]
)


def thetas(chart: Link) -> np.ndarray:
    """Parameters from all of a chart's range on which every allowed link is defined (positive ones,
    where it is the real line).
    """
    if chart is LOGIT:
        return np.array([1e-12, 1e-5, 0.03, 0.3, 0.5, 0.6, 0.95, 1.0 - 1e-5])
    return np.array([1e-6, 0.01, 0.4, 1.0, 2.5, 11.0, 400.0])


def own_thetas(link: Link) -> np.ndarray:
    """Parameters on which `link` is defined."""
    return thetas(next(chart for chart in (LOGIT, LOG) if fits(link, chart)))


@every_link
def test_inverse_undoes_forward(link):
    theta = own_thetas(link)
    np.testing.assert_allclose(link.theta(link.forward(theta)), theta, rtol=1e-12)


@every_link
def test_forward_undoes_inverse(link):
    eta = link.forward(own_thetas(link))
    # logit(theta) near theta = 1 - 1e-5 carries the rounding of theta times 1e5.
    np.testing.assert_allclose(link.forward(link.theta(eta)), eta, rtol=1e-10)


@every_link
def test_derivatives(link, assert_derivative):
    eta = link.forward(own_thetas(link))
    theta, slope, curve = link.inverse(eta)
    assert_derivative(link.theta, eta, slope, atol=1e-12)
    assert_derivative(link.slope, eta, curve, atol=1e-12)
    assert np.all(slope > 0) or np.all(slope < 0), "a link is monotone"
    np.testing.assert_array_equal(link.slope(eta), slope)
    np.testing.assert_array_equal(link.theta(eta), theta)


@every_link
def test_zero_dimensional(link):
    eta = link.forward(own_thetas(link))
    rows = link.inverse(eta)
    for i, one in enumerate(eta):
        for alone, among in zip(link.inverse(np.asarray(one)), rows, strict=True):
            assert np.ndim(alone) == 0
            np.testing.assert_allclose(alone, among[i], rtol=1e-15)


@every_link
def test_pickle(link):
    again = pickle.loads(pickle.dumps(link))
    assert again == link and hash(again) == hash(link)
    assert link.name in LINKS or again is not link
    eta = link.forward(own_thetas(link))
    for a, b in zip(again.inverse(eta), link.inverse(eta), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", LINKS)
def test_named_links_are_single(name):
    assert (
        pickle.loads(pickle.dumps(LINKS[name]))
        is LINKS[name]
        is get_link(name)
        is get_link(LINKS[name])
    )


@every_link
def test_name_resolves_and_shows(link):
    assert get_link(link.name) == link
    assert repr(link) == f"Link(name={link.name!r})"


def test_unequal_links_differ():
    assert len(set(ALL)) == len(ALL)


def test_clone_keeps_the_exponent():
    family = Gamma(links={"mean": power(1 / 3)})
    theta = np.array(0.7)
    assert clone(family).link(0).theta(theta) == family.link(0).theta(theta)


# ---------------------------------------------------------------- composition with charts


@every_pair
def test_transition(link, chart, assert_derivative):
    """eta(chart) as a function of eta(link).

    The value through theta, the derivatives by differences.
    """
    theta = thetas(chart)
    eta = link.forward(theta)
    jet = transition(link, chart)
    value, slope, curve = jet(eta)
    np.testing.assert_allclose(value, chart.forward(theta), rtol=1e-10, atol=1e-10)
    assert_derivative(lambda e: jet(e)[0], eta, slope, atol=1e-11)
    assert_derivative(lambda e: jet(e)[1], eta, curve, atol=1e-11)


@pytest.mark.parametrize("link", [link for link in ALL if link.logit], ids=lambda link: link.name)
def test_logit_jet_equals_the_generic_composition(link):
    """Where the generic composition through theta is accurate, both agree."""
    generic = transition(replace(link, logit=None), LOGIT)
    low, high = link.etas(LOGIT)
    eta = np.linspace(-1.5, 1.5, 14)
    eta = eta[(low < eta) & (eta < high)]
    for special, composed in zip(link.logit(eta), generic(eta), strict=True):
        np.testing.assert_allclose(special, composed, rtol=1e-12, atol=1e-14)


# link, eta, logit(theta), its first and second derivative in eta. By mpmath 1.3 with 120 digits:
# mp.dps = 120; theta, co = ncdf(eta), ncdf(-eta)                              # probit theta, co =
# -expm1(-exp(eta)), exp(-exp(eta))                                # cloglog; loglog is its mirror
# theta, co = atan2(1, -eta)/pi, atan2(1, eta)/pi                              # cauchit f =
# log(theta) - log(co); derivatives by central differences of step 1e-30
# theta, co = exp(eta), -expm1(eta)                                           # log, below zero
LOGITS = [
    ("probit", -30.0, -454.3212439563432, 30.033259667433677, -0.99889622848810991),
    ("probit", -8.0, -35.013437159914549, 8.1213681122361177, -0.98567511655661867),
    ("probit", -0.5, -0.80696534630496222, 1.650238204205098, -0.21769502854048816),
    ("probit", 0.7, 1.1419438192544003, 1.7024240898774572, 0.30400968221974922),
    ("probit", 8.0, 35.013437159914549, 8.1213681122361177, 0.98567511655661867),
    ("probit", 30.0, 454.3212439563432, 30.033259667433677, 0.99889622848810991),
    ("cloglog", -30.0, -29.999999999999953, 1.0000000000000468, 4.6788114844202332e-14),
    ("cloglog", -8.0, -7.9998322639970831, 1.0001677406918825, 0.00016775006981363877),
    ("cloglog", -0.5, -0.18145307899181523, 1.33373561567801, 0.36383646600942837),
    ("cloglog", 0.7, 1.8704747750834968, 2.3239723292200925, 1.6030305122928612),
    ("cloglog", 8.0, 2980.9579870417283, 2980.9579870417283, 2980.9579870417283),
    ("cloglog", 30.0, 10686474581524.462, 10686474581524.462, 10686474581524.462),
    ("loglog", -30.0, -10686474581524.462, 10686474581524.462, -10686474581524.462),
    ("loglog", -8.0, -2980.9579870417283, 2980.9579870417283, -2980.9579870417283),
    ("loglog", -0.5, -1.435162085326694, 2.0412435089800376, -1.2400100379608568),
    ("loglog", 0.7, 0.44145350694447015, 1.2687584333178254, -0.28905726324976771),
    ("loglog", 8.0, 7.9998322639970831, 1.0001677406918825, -0.00016775006981363877),
    ("loglog", 30.0, 29.999999999999953, 1.0000000000000468, -4.6788114844202332e-14),
    ("cauchit", -30.0, -4.5356344084692234, 0.033665738093405621, 0.001132551837051146),
    ("cauchit", -8.0, -3.1889566746794738, 0.12881420680498666, 0.016428635990472039),
    ("cauchit", -0.5, -0.60843454354430353, 1.1158046629232805, 0.52515460552528593),
    ("cauchit", 0.7, 0.82077163484575214, 1.0067018949737363, -0.55186531387756341),
    ("cauchit", 8.0, 3.1889566746794738, 0.12881420680498666, -0.016428635990472039),
    ("cauchit", 30.0, 4.5356344084692234, 0.033665738093405621, -0.001132551837051146),
    ("log", -30.0, -29.999999999999906, 1.0000000000000936, 9.3576229688419259e-14),
    ("log", -8.0, -7.9996644810919232, 1.0003355752008412, 0.0003356878115566646),
    ("log", -0.5, 0.43275212956718857, 2.5414940825367983, 3.9176980890327638),
    ("log", -1e-12, 27.631021115928048, 1000000000000.5, 1.0e24),
]


@pytest.mark.parametrize(("name", "eta", "value", "slope", "curve"), LOGITS)
def test_logit_jet_in_the_tails(name, eta, value, slope, curve):
    jet = get_link(name).logit(np.asarray(eta))
    np.testing.assert_allclose(jet, (value, slope, curve), rtol=1e-12)


def test_every_logit_jet_has_reference_values():
    assert {name for name, *_ in LOGITS} == {link.name for link in ALL if link.logit}


UNIT = [link for link in ALL if link.domain == LOGIT.domain]
WHOLE = [link for link in UNIT if link.onto]


@pytest.mark.parametrize("link", WHOLE, ids=lambda link: link.name)
def test_unit_links_far_out(link):
    """No warning, no nan, theta in [0, 1] and rising, at any eta.

    The jets on the logit stay finite where |eta| <= 30.
    """
    far = np.array([-1e4, -800.0, -100.0, -30.0, -1.0, 0.0, 1.0, 30.0, 100.0, 800.0, 1e4])
    theta, slope, curve = link.inverse(far)
    assert np.all((theta >= 0) & (theta <= 1)) and np.all(np.diff(theta) >= 0)
    assert np.isfinite(slope).all() and np.all(slope >= 0) and np.isfinite(curve).all()
    jet = transition(link, LOGIT)(far[np.abs(far) <= 30.0])
    assert np.isfinite(jet).all() and np.all(np.diff(jet[0]) > 0)


@pytest.mark.parametrize("theta", [1e-150, 1e-20, 1e-9])
@pytest.mark.parametrize("link", UNIT, ids=lambda link: link.name)
def test_small_probabilities_keep_their_digits(link, theta):
    np.testing.assert_allclose(link.theta(link.forward(np.asarray(theta))), theta, rtol=1e-12)


def image(link: Link, chart: Link) -> tuple[float, float]:
    """The ends of what eta can be, theta being in the chart's range and in the link's domain."""
    low, high = max(link.domain[0], chart.domain[0]), min(link.domain[1], chart.domain[1])
    with np.errstate(all="ignore"):
        first, last = sorted(float(link.forward(np.asarray(end))) for end in (low, high))
    return first, last


@pytest.mark.parametrize(
    ("link", "chart"),
    [pair for pair in PAIRS if pair[1] is not IDENTITY and not np.isinf(image(*pair)).all()],
    ids=lambda link: link.name,
)
def test_outside_the_domain_is_not_finite_and_silent(link, chart):
    """A step of the solver may leave a link's domain: it sees that the value is not finite."""
    first, last = image(link, chart)
    beyond = [end for end in (first, last) if np.isfinite(end)]
    if link is not SQRT:  # its inverse, a square, has a mirror image beyond zero
        beyond += [first - 1.0] if np.isfinite(first) else []
    beyond += [last + 1.0] if np.isfinite(last) else []
    for eta in beyond:
        assert not np.isfinite(transition(link, chart)(np.asarray(eta))[0])


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("link", "parts"),
    [
        ("logt", ["'logt'", "Allowed: identity, log, logit", "did you mean 'logit' or 'log'"]),
        ("quux", ["'quux'", "Allowed: identity", "hoose one"]),
        (3, ["3", "Allowed: identity", "hoose one"]),
        (None, ["None", "Allowed: identity", "hoose one"]),
        ("power(two)", ["'power(two)'", "Allowed: power(p)", "ive "]),
        ("power()", ["'power()'", "Allowed: power(p)", "ive "]),
        ("power(0)", ["0.0", "finite number other than 0", "give "]),
        ("power(inf)", ["inf", "finite number other than 0", "give "]),
    ],
)
def test_errors_have_four_parts(link, parts):
    with pytest.raises(ValueError) as caught:
        get_link(link)
    for part in ["link", *parts]:
        assert part in str(caught.value)


# ---------------------------------------------------------------- which link fits which parameter

POSITIVE_LINKS = ("log", "inverse", "sqrt", "softplus", "power(p)")
UNIT_LINKS = ("logit", "probit", "cloglog", "loglog", "cauchit")
ALLOWED = {
    "identity": ("identity", *POSITIVE_LINKS),
    "log": (*POSITIVE_LINKS, "identity"),
    "logit": (*UNIT_LINKS, "identity", "log"),
}


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_links_of_the_library_that_fit(chart):
    """The table of 2026, of the links of that time: rules by domains leave it as it was."""
    then = {name for names in ALLOWED.values() for name in names}
    assert tuple(n for n in allowed_links(chart) if n in then) == ALLOWED[chart.name]
    assert set(allowed_links(chart)) <= {*LINKS, "power(p)"}


@every_link
def test_every_link_fits_its_own_domain(link):
    assert fits(link, link)
    chart = next(chart for chart in CHARTS if chart.domain == link.domain)
    assert fits(link, chart) and (
        link.name.startswith("power") or link.name in allowed_links(chart)
    )


PURE = ("log", *UNIT_LINKS)


@every_link
def test_only_eta_without_a_unit_are_pure(link):
    """A change of the unit multiplies theta: it shifts a pure eta, by the same for all theta."""
    theta = np.array([0.5, 1.0, 7.0])
    if link.bounded:
        assert link.dimensionless, "nothing within bounds has a unit"
    else:
        shift = link.forward(3.0 * theta) - link.forward(theta)
        assert link.dimensionless == bool(np.allclose(shift, shift[0], rtol=1e-12))
    assert link.name not in PURE or link.dimensionless


@every_link
def test_links_rise_or_fall(link):
    eta = link.forward(np.sort(own_thetas(link)))
    assert np.all(np.diff(eta) > 0) if link.rising else np.all(np.diff(eta) < 0)


@every_link
def test_ends_of_the_domain(link):
    low, high = link.domain
    inside = own_thetas(link)
    assert not link.outside(inside).any() and not link.outside(np.array([low, high])).any()
    with np.errstate(all="ignore"):
        beyond = [np.asarray(end + step) for end, step in ((low, -1.0), (high, 1.0))]
        for theta in beyond:
            assert link.outside(theta) == np.isfinite(theta)


def test_domains_in_words():
    assert IDENTITY.bounds("a") == "any number"
    assert LOG.bounds("a") == "a >= 0"
    assert LOGIT.bounds("a") == "0 <= a <= 1"
    assert replace(LOG, name="below", domain=(-np.inf, 3.0)).bounds("a") == "a <= 3"
    assert LOG.interval == "(0, inf)"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_charts_own_composition_equals_the_derived_one(chart):
    """What follows from the inverse, without `push`, agrees with the formula written out."""
    theta, slope, curve = thetas(chart), np.full(8, 0.7), np.full(8, -0.3)
    slope, curve = slope[: len(theta)], curve[: len(theta)]
    derived = replace(chart, push=None).of(theta, slope, curve)
    for one, other in zip(derived, chart.of(theta, slope, curve), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)
