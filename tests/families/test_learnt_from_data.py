"""What a family learns from data: labels, dimensions."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skmle import families
from skmle.families import Distribution, get_family
from tests.families.laws import jets
from tests.subjects import SUBJECTS, data_for, every

pytestmark = pytest.mark.filterwarnings("error")


@every(SUBJECTS)
def test_adapt_is_idempotent(family):
    again = family.adapt(data_for(family))
    assert repr(again) == repr(family)


def test_labels_may_be_words():
    family = families.Categorical(["a", "b", "c"])
    law = Distribution(family, {"probabilities": [0.2, 0.3, 0.5]})
    np.testing.assert_allclose(law.pmf(["c", "a", "z"]), [0.5, 0.2, 0.0])
    np.testing.assert_allclose(law.pmf(["z", "y"]), [0.0, 0.0])
    np.testing.assert_allclose(law.pmf("b"), 0.3)
    np.testing.assert_allclose(law.cdf(["a", "b", "c"]), [0.2, 0.5, 1.0])
    np.testing.assert_array_equal(law.ppf([0.1, 0.5, 0.51]), ["a", "b", "c"])
    assert set(law.rvs(100, random_state=0)) == {"a", "b", "c"}
    with pytest.raises(ValueError, match=r"mean: .*labels.*Allowed: .*numbers"):
        law.mean()
    with pytest.raises(ValueError, match=r"variance: .*labels.*Allowed: .*numbers"):
        law.var()
    assert (
        repr(pickle.loads(pickle.dumps(family)))
        == repr(family)
        == "Categorical(categories=['a', 'b', 'c'])"
    )


@pytest.mark.parametrize("labels", [["b", "a"], [1, 2, 2], [3, 1]])
def test_labels_out_of_order(labels):
    """They would be taken for one another."""
    first, second = labels[-2:]
    with pytest.raises(
        ValueError, match=rf"categories=.*{first!r}.* before .*{second!r}.*Allowed: rising .*Sort"
    ):
        families.Categorical(labels).labels  # noqa: B018


def test_dimension_of_the_data():
    with pytest.raises(
        ValueError,
        match=r"MultivariateNormal\(dimension=3\): the data have 2 columns. Allowed: .*Give",
    ):
        families.MultivariateNormal(3).adapt(np.zeros((4, 2)))


def test_columns_that_depend_on_each_other(rng):
    """The normal law of several columns is unbounded on the space in which they lie, in whatever
    units.
    """
    y = rng.normal(size=(20, 2))
    y = np.column_stack([y, y @ [1.0, -2.0]]) * [1.0, 1e6, 1e-6]
    family = families.MultivariateNormal(3)
    eta, reason = family.unbounded(family.statistics(y), np.ones(20))
    assert "a space of 2 dimensions" in reason and "3 columns" in reason
    best = family.log_prob(y[:, [0, 1, 2]], tuple(map(np.asarray, eta))).mean()
    independent = tuple(map(np.asarray, family.eta((y.mean(axis=0), np.diag(y.var(axis=0))))))
    assert best > family.log_prob(y, independent).mean() + 5.0


def test_a_single_label(rng):
    """Data of one label have a law without parameters."""
    family = families.Categorical().adapt(np.array(["a", "a"]))
    statistics = family.statistics(np.array(["a", "a"]))
    assert family.parameters == () and family.starts(statistics, np.ones(2)) == [()]
    for order in (0, 1, 2):
        np.testing.assert_array_equal(
            jets(family.evaluate(statistics, (), order), 0, 2)[0], np.zeros(2)
        )
    np.testing.assert_array_equal(family.recession(statistics, ()), 0.0)
    assert family.natural(()) == (np.ones(1),)
    law = Distribution(family, {"probabilities": [1.0]})
    np.testing.assert_array_equal(law.log_prob(["a", "b"]), [0.0, -np.inf])
    assert law.rvs(3, random_state=0).tolist() == ["a", "a", "a"]


def test_unadapted_families_say_what_they_lack():
    for name in SUBJECTS:
        family = (
            get_family(name.split("-")[0].lower())
            if name.lower() in families._BY_NAME
            else getattr(families, name.split("-")[0])()
        )
        try:
            family.parameters  # noqa: B018
        except ValueError as error:
            assert "learnt from data by fit. Allowed: " in str(error) and "give " in str(error)
            assert get_family(family) is family
