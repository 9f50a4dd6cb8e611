"""The subjects of the tests of all rooms: every family of the registry, made for use, and how to parametrize a test by them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skmle.families import Family, all_families
from skmle.families.links import allowed_links

WIDTH = 3  # columns of a family of any number of columns

LABELS = np.array([2, 3, 7])

TRIALS = 6  # whatever a constructor's whole number counts


def data_for(family: Family) -> np.ndarray:
    """Data of the right shape and type, to learn a dimension or categories from."""
    if not family.observation.numeric:
        return np.repeat(LABELS, 4)
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=12)
        if family.observation.columns == 1
        else rng.normal(size=(12, family.observation.columns or WIDTH))
    )


def subjects() -> dict[str, Family]:
    """Return one instance of every family of the registry, and one more for every whole number that it is made with."""
    found = {}
    for cls in all_families():
        family = found[cls.__name__] = cls().adapt(data_for(cls()))
        counts = [name for name, value in cls().get_params().items() if type(value) is int]
        found |= {
            f"{cls.__name__}-{name}": clone(family).set_params(**{name: TRIALS}) for name in counts
        }
    return found


SUBJECTS = subjects()

STEPS_TOWARDS = {
    f"{name}-smooth{i}": law
    for name, family in SUBJECTS.items()
    for i, law in enumerate(family.smoothings()[:2])
}


def every(table, keep=lambda family: True):
    chosen = {name: family for name, family in table.items() if keep(family)}
    assert chosen
    return pytest.mark.parametrize("family", chosen.values(), ids=chosen)


# ---------------------------------------------------------------- links


def links_of(chart):
    names = allowed_links(chart)
    return [name for name in names if name != "power(p)"] + (
        ["power(1.5)", "power(-2)"] if "power(p)" in names else []
    )


def relinked():
    """Every family with every allowed link of each parameter in turn, and with other links for all parameters at once."""
    found = {}
    for name, family in SUBJECTS.items():
        if family.names != tuple(p.name for p in family.parameters):
            continue  # coordinates, not parameters: no links (test_families_without_links)
        for p in family.parameters:
            for link in links_of(p.chart):
                found[f"{name}-{p.name}-{link}"] = clone(family).set_params(links={p.name: link})
        links = {p.name: links_of(p.chart)[3 + j] for j, p in enumerate(family.parameters)}
        found[f"{name}-all"] = clone(family).set_params(links=links)
    return found


RELINKED = relinked()
