"""What `pytest -m quick` runs is chosen by conftest.py: it leaves out no fast function, no family.

Both tests look at what the present run has collected, so a run of all tests shows it for all.
"""

from __future__ import annotations

import re

import pytest

from skmle.families import REGISTRY, all_families


def marked(items: list[pytest.Item], name: str) -> list[pytest.Item]:
    return [item for item in items if item.get_closest_marker(name) is not None]


def functions(items: list[pytest.Item]) -> set[str]:
    return {item.nodeid.partition("[")[0] for item in items}


def test_every_function_is_quick_or_slow(request):
    items = request.session.items
    quick, slow = marked(items, "quick"), marked(items, "slow")
    assert functions(quick) | functions(slow) == functions(items)
    assert not set(quick) & set(slow)


@pytest.mark.parametrize("cls", list(all_families()), ids=lambda cls: cls.__name__)
def test_every_family_is_among_the_quick(request, cls):
    names = {cls.__name__.lower(), *REGISTRY[cls.__name__][1]}
    items = request.session.items
    cases = [item for item in items if names & set(re.findall(r"\w+", item.nodeid.lower()))]
    # Where all tests are run, more than a hundred cases have each family's name.
    assert len(marked(cases, "quick")) >= 2 or len(cases) < 80
