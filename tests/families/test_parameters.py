"""The parameters of every family.

Eta, chart and natural scale, under every link that is allowed.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skmle import families
from skmle.families import get_family
from skmle.families.base import LOGIT
from skmle.families.links import get_link
from tests.families.laws import check_derivatives, draw, formula_of, has_gradient, natural, points
from tests.subjects import ONE_EACH, RELINKED, SUBJECTS, every, has_links

pytestmark = pytest.mark.filterwarnings("error")


@every(RELINKED)
def test_links_round_trip(family):
    for chart_eta in points(family):
        eta = family.linked(chart_eta)
        theta = family.natural(eta)
        np.testing.assert_allclose(family.chart(eta), chart_eta, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(family.natural(family.eta(theta)), theta, rtol=1e-11)
        for j, p in enumerate(family.parameters):
            np.testing.assert_allclose(theta[j], p.chart.theta(chart_eta[j]), rtol=1e-11)


@every(RELINKED, lambda family: has_gradient(ONE_EACH[type(family).__name__]))
def test_derivatives_through_links(family, rng, assert_derivative):
    for chart_eta in points(family, 2):
        y = draw(family, chart_eta, 8, rng)
        check_derivatives(
            formula_of(family, y, family.rows),
            family.linked(chart_eta),
            family.shortcuts.starts != "final",
            len(y),
            assert_derivative,
        )


@every(RELINKED)
def test_links_do_not_change_the_law(family, rng):
    plain = clone(family).set_params(links=None)
    for chart_eta in points(family, 2):
        y = draw(plain, chart_eta, 8, rng)
        expected = plain.log_prob(y, chart_eta)
        np.testing.assert_allclose(
            family.log_prob(y, family.linked(chart_eta)), expected, rtol=1e-10, atol=1e-10
        )
        full = tuple(np.full(len(y), e) for e in family.linked(chart_eta))
        np.testing.assert_allclose(family.log_prob(y, full), expected, rtol=1e-10, atol=1e-10)


@every(SUBJECTS)
def test_natural_parameters_round_trip(family):
    for eta in points(family):
        theta = natural(family, eta)
        assert len(theta) == len(family.names)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-11)


@every(SUBJECTS | RELINKED)
def test_natural_jacobian(family, assert_derivative):
    def flat(eta):
        values = np.concatenate([np.ravel(t) for t in family.natural(eta)])
        if len(values) == len(family.natural_labels()):
            return values
        return np.concatenate(
            [
                t[np.tril_indices(len(t))] if t.ndim == 2 else np.ravel(t)
                for t in family.natural(eta)
            ]
        )

    for chart_eta in points(family, 2):
        eta = family.linked(chart_eta)
        jacobian = family.natural_jacobian(eta)
        assert jacobian.shape == (len(family.natural_labels()), len(eta))
        for j in range(len(eta)):
            assert_derivative(
                lambda e, j=j, eta=eta: flat((*eta[:j], np.asarray(e), *eta[j + 1 :])),
                eta[j],
                jacobian[:, j],
                atol=1e-11,
            )


def test_families_without_links():
    for family in SUBJECTS.values():
        if has_links(family):
            continue
        with pytest.raises(ValueError, match=r"links=.*Allowed: None.*"):
            get_family(clone(family).set_params(links={family.names[0]: "log"}))
        with pytest.raises(ValueError, match=r"links=.*Allowed: None.*"):
            get_family(type(family)(links={family.names[0]: "log"}))


@every(SUBJECTS, has_links)
def test_link_errors_have_four_parts(family):
    name, first = type(family).__name__, family.parameters[0]
    with pytest.raises(
        ValueError,
        match=rf"{name}\(links=.*unknown parameter 'nope'.*Allowed: .*{first.name}.*Rename",
    ):
        get_family(clone(family).set_params(links={"nope": "log"}))
    with pytest.raises(ValueError, match=r"Unknown link 'nope'.*Allowed: .*choose one"):
        get_family(clone(family).set_params(links={first.name: "nope"}))
    foreign = (
        "identity" if first.chart is None else "probit" if first.chart is not LOGIT else "sqrt"
    )
    with pytest.raises(
        ValueError,
        match=rf"{name}\(links=.*'{foreign}'.*'{first.name}'"
        rf".*Allowed: .*{first.chart.name}.*Choose",
    ):
        get_family(clone(family).set_params(links={first.name: foreign}))


def test_relinked_by_a_link_itself():
    family = families.Gamma(links={"mean": get_link("log"), "shape": "log"})
    assert not family.relinked and get_family(family) is family
    assert families.Gamma(links={"mean": get_link("sqrt")}).relinked
