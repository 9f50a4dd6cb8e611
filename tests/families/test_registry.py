"""Every family is registered, found by its names, pickled, cloned and printed."""

from __future__ import annotations

import inspect
import pickle
from collections import defaultdict
from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone

from skmle import families
from skmle.families import REGISTRY, Family, all_families, get_family
from skmle.families.base import LOG
from tests.families.laws import draw, natural, points
from tests.subjects import LABELS, RELINKED, SUBJECTS, every

pytestmark = pytest.mark.filterwarnings("error")


# ---------------------------------------------------------------- registry, parameters, pickling


def test_every_file_is_registered():
    """Whatever file of the folder has a family that needs no other to be made is in the registry,
    and nothing else is.
    """
    found = set()
    for path in Path(families.__file__).parent.glob("[a-z]*.py"):
        module = import_module(f"skmle.families.{path.stem}")
        for cls in vars(module).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, Family)
                and cls.__module__ == module.__name__
                and not inspect.isabstract(cls)
                and is_made_of_nothing(cls)
            ):
                found.add(path.stem)
    assert found == {file for file, _ in REGISTRY.values()}
    assert [cls.__name__ for cls in all_families()] == list(REGISTRY)
    assert set(REGISTRY) <= set(families.__all__) == set(dir(families))


def is_made_of_nothing(cls) -> bool:
    return all(p.default is not p.empty for p in signature(cls).parameters.values())


def test_aliases_resolve():
    seen = set()
    for name, (_, aliases) in REGISTRY.items():
        for alias in aliases:
            assert alias not in seen
            seen.add(alias)
            for spelling in (
                alias,
                alias.upper(),
                alias.replace("_", "-"),
                alias.replace("_", " "),
            ):
                assert type(get_family(spelling)).__name__ == name
        cls = getattr(families, name)
        assert type(get_family(cls)) is cls
        instance = cls()
        assert get_family(instance) is instance


def test_scipy_names_resolve():
    """A law of scipy is that of one family, or of one of those that share it."""
    having = defaultdict(set)
    for family in SUBJECTS.values():
        law = family.to_scipy(natural(family, points(family, 1)[0]))
        name = getattr(getattr(law, "dist", None), "name", None)
        if name is not None and hasattr(stats, name):
            having[name].add(type(family))
    for name, classes in having.items():
        assert type(get_family(name)) in classes
        assert sum(cls.scipy_name == name for cls in classes) == 1


def test_misspelt_family():
    for name, near in [
        ("gama", "'gamma'"),
        ("weibul", "'weibull'"),
        ("neg_binomial", "'negative_binomial'"),
        ("Guassian", "'gaussian'"),
    ]:
        with pytest.raises(
            ValueError, match=r"Unknown family .*Allowed: normal, .*Did you mean"
        ) as caught:
            get_family(name)
        assert near in str(caught.value) and repr(name) in str(caught.value)
    with pytest.raises(ValueError, match=r"Unknown family 'qqq'.*Allowed: .*Choose one of them"):
        get_family("qqq")


@pytest.mark.parametrize("wrong", [3, None, int, LOG])
def test_not_a_family(wrong):
    with pytest.raises(TypeError, match=r"family must be .*; got .*Give for example 'normal'"):
        get_family(wrong)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Gama'"):
        families.Gama  # noqa: B018


@every(SUBJECTS | RELINKED)
def test_pickle_and_clone(family, rng):
    (chart_eta,) = points(family, 1)
    eta = family.linked(chart_eta)
    y = draw(family, chart_eta, 5, rng)
    expected = family.log_prob(y, eta)
    for again in (
        pickle.loads(pickle.dumps(family)),
        clone(family),
        type(family)(**family.get_params(deep=False)),
    ):
        assert type(again) is type(family) and again is not family
        assert repr(again) == repr(family)
        assert again.relinked == family.relinked
        np.testing.assert_array_equal(again.log_prob(y, eta), expected)
        for name, value in family.get_params().items():
            np.testing.assert_array_equal(again.get_params()[name], value)


@every(SUBJECTS | RELINKED)
def test_repr_makes_the_family_again(family):
    again = eval(
        repr(family), {name: getattr(families, name) for name in REGISTRY} | {"array": np.array}
    )
    assert repr(again) == repr(family)
    assert type(again) is type(family)


# ---------------------------------------------------------------- words


def test_observations_in_words():
    for family in SUBJECTS.values():
        if family.observation.columns is None and str(family.support) != family.observations:
            assert family.observations.startswith(f"rows of {family.dimension} ")
            continue
        angles = "angles in radians, " if family.observation.circular else ""
        assert family.observations == (
            f"{angles}{family.support}"
            if family.observation.numeric
            else f"the labels {', '.join(map(repr, LABELS.tolist()))}"
        )
    assert get_family("categorical").observations == "any labels"


def test_the_table_of_all_families_is_that_of_the_registry():
    """It is written by ``python docs/table_of_families.py``."""
    from docs.table_of_families import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page()
