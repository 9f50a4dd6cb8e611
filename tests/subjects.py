"""The families of the registry, as the subjects of the tests of all rooms.

Here they are made for use and drawn from at typical parameters. A family is discovered here and
nowhere else, and what a test needs to know of it is asked of the family itself, so that a new
family needs no edit of a test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from sklearn.base import clone

from skmle.families import REGISTRY, Distribution, Family, Observation, all_families
from skmle.families.ends import place, places, with_end
from skmle.families.links import IDENTITY, allowed_links
from skmle.families.wrappers.base import Wrapper

WIDTH = 3  # columns of a family of any number of columns
LABELS = np.array([2, 3, 7])
TRIALS = 6  # whatever a constructor's whole number counts
SHARE = 0.8  # a constructor's fraction
FEW = 0.9  # standard deviation below which counts may have two values alone

# ---------------------------------------------------------------- classes


def own_name(cls: type[Family]) -> str:
    """Return the name under which estimators know a family; the first of its names is its own."""
    return REGISTRY[cls.__name__][1][0]


def is_conditional(cls: type[Family]) -> bool:
    """Whether its parameters may depend on features.

    They may if the law has derivatives and each row is one observation, but for an angle.
    """
    one = cls.observation.columns is not None and not cls.observation.circular
    return cls.support.smooth and one


def is_smooth(cls: type[Family]) -> bool:
    """Whether a regression of numbers on features is found by derivatives alone."""
    return (
        cls.observation.columns == 1
        and is_conditional(cls)
        and cls.observation.numeric
        and cls.shortcuts.starts != "final"
    )


def every_class(keep: Callable[[type[Family]], bool] = lambda cls: True) -> pytest.MarkDecorator:
    """Run a test once for every family of the registry that is to be kept."""
    chosen = [cls for cls in FAMILIES if keep(cls)]
    assert chosen or ASKED
    return pytest.mark.parametrize("cls", chosen, ids=own_name)


def seen_by_wrappers(cls: type[Family]) -> tuple[object, ...]:
    """Return what a wrapper can tell of the law inside, beside its formulas."""
    support = cls.support
    ends = support.low, support.high, support.closed, support.fixed, support.discrete
    # Those of several columns name parameters once they know how many.
    parameters = len(cls.parameters) if isinstance(cls.parameters, tuple) else None
    beside = isinstance(cls.breaks, tuple) and bool(cls.breaks)  # a mass beside a density
    return cls.observation, ends, parameters, cls.cusps, beside


def first_of_each(families: Iterable[type[Family]]) -> list[type[Family]]:
    """Return the first family of each kind that a wrapper can tell from others."""
    return list({seen_by_wrappers(cls): cls for cls in reversed([*families])}.values())[::-1]


def representatives() -> list[type[Family]]:
    """Return the first of each kind among the families that are tested."""
    return first_of_each(FAMILIES)


def asked(names: str) -> list[type[Family]]:
    """Return the families that the tests take, from the variable SKMLE_FAMILIES.

    It has the names of some, by commas, for who works on these, or is "representatives"; without
    it, all are tested.
    """
    if names == "representatives":
        return first_of_each(all_families())
    chosen = set(names.split(","))
    return [cls for cls in all_families() if not names or chosen & {*REGISTRY[cls.__name__][1]}]


ASKED = os.environ.get("SKMLE_FAMILIES", "")
FAMILIES = asked(ASKED)


# ---------------------------------------------------------------- instances


def data_for(family: Family) -> np.ndarray:
    """Data of the right shape and type, to learn a dimension, categories or a last rank from."""
    if not family.observation.numeric:
        return np.repeat(LABELS, 4)
    rng = np.random.default_rng(0)
    if family.support.discrete and family.observation.columns == 1:
        return np.repeat(np.arange(1.0, TRIALS + 1.0), 2)
    return (
        rng.normal(size=12)
        if family.observation.columns == 1
        else rng.normal(size=(12, family.observation.columns or WIDTH))
    )


def counts_of(cls: type[Family]) -> list[str]:
    """Return the whole numbers that a family is made with."""
    return [name for name, value in cls().get_params().items() if type(value) is int]


def shares_of(cls: type[Family]) -> list[str]:
    """Return the fractions that a family is made with."""
    return [name for name, value in cls().get_params().items() if type(value) is float]


# One instance of every family, by the name of its class.
ONE_EACH: dict[str, Family] = {cls.__name__: cls().adapt(data_for(cls())) for cls in FAMILIES}

# And one more for every number that a family is made with.
SUBJECTS: dict[str, Family] = ONE_EACH | {
    f"{cls.__name__}-{name}": clone(ONE_EACH[cls.__name__]).set_params(**{name: other})
    for cls in FAMILIES
    for names, other in ((counts_of(cls), TRIALS), (shares_of(cls), SHARE))
    for name in names
}
STEPS_TOWARDS = {
    f"{name}-smooth{i}": law
    for name, family in SUBJECTS.items()
    for i, law in enumerate(family.smoothings()[:2])
}


def every(
    table: dict[str, Family], keep: Callable[[Family], bool] = lambda family: True
) -> pytest.MarkDecorator:
    """Run a test once for every family of a table that is to be kept."""
    chosen = {name: family for name, family in table.items() if keep(family)}
    assert chosen or ASKED
    return pytest.mark.parametrize("family", chosen.values(), ids=chosen)


def taken_in_turn(values: Sequence[Any], count: int, subject: str) -> Sequence[Any]:
    """Return one in `count` of the values, which ones by the subject's name.

    Where a test of every family takes many samples of each, over all families each has its turn.
    """
    return values[crc32(subject.encode()) % count :: count]


# ---------------------------------------------------------------- links


def links_of(chart):
    """Return the links that a parameter of this chart may have, two powers among them."""
    names = allowed_links(chart)
    return [name for name in names if name != "power(p)"] + (
        ["power(1.5)", "power(-2)"] if "power(p)" in names else []
    )


def has_links(family: Family) -> bool:
    """Whether the parameters are those that the user names, and not coordinates of them."""
    return family.names == tuple(p.name for p in family.parameters)


def relinked() -> dict[str, Family]:
    """Return every family with other links.

    Each parameter in turn has every link that is allowed; then all parameters have other ones.
    """
    found = {}
    for name, family in SUBJECTS.items():
        if not has_links(family):
            continue
        for p in family.parameters:
            for link in links_of(p.chart):
                found[f"{name}-{p.name}-{link}"] = clone(family).set_params(links={p.name: link})
        several = [links_of(p.chart) for p in family.parameters]  # a chart of its own has few
        links = {
            p.name: names[(3 + j) % len(names)]
            for j, (p, names) in enumerate(zip(family.parameters, several, strict=True))
            if names
        }
        found[f"{name}-all"] = clone(family).set_params(links=links)
    return found


RELINKED = relinked()

# ---------------------------------------------------------------- typical laws and their data


def typical(cls: type[Family]) -> tuple[Family, tuple[np.ndarray, ...]]:
    """Return a family, counting `TRIALS` where it counts, and parameters of a law of it."""
    family = cls(**dict.fromkeys(counts_of(cls), TRIALS)).adapt(data_for(cls()))
    return family, family.natural(tuple(map(np.asarray, typical_eta(family))))


def typical_eta(family: Family) -> list[float]:
    """Return different numbers for different parameters, none of them special on any chart.

    Counts that hardly differ are made larger: two neighbouring ones may have no most likely law.
    """
    eta = calm(family, [0.2 + 0.5 * j for j in range(len(family.parameters))])
    while hardly_differ(family, family.natural(family.linked(tuple(map(np.asarray, eta))))):
        eta[0] += 0.5
    return eta


def narrows(family: Family) -> bool:
    """Whether two neighbouring counts alone have no most likely law, as they have no shape."""
    law = family
    while isinstance(law, Wrapper):
        law = law.inner
    return law.may_be_unbounded and law.support.discrete


def hardly_differ(family: Family, theta) -> bool:
    """Whether samples of laws may have two neighbouring counts alone, where these tell no shape."""
    return narrows(family) and bool(np.median(family.std(theta)) < FEW)


def calm(family: Family, eta: list) -> list:
    """Return eta with shapes that may have either sign made small: at 1 there is no mean.

    Those between two finite ends, as a skewness, stay away from zero, where the law may change like
    a root of them.
    """
    if family.observation.columns != 1 or not family.support.smooth:
        return eta
    result = list(eta)
    for j, param in enumerate(family.parameters):
        bounded = param.chart.bounded and param.chart.spans_zero
        if j and not param.unit and (bounded or param.chart is IDENTITY):
            result[j] = 0.2 * eta[j] + np.copysign(0.4 if bounded else 0.0, eta[j])
    return result


def observations(cls: type[Family], n: int = 200) -> np.ndarray:
    """Draw from the typical law."""
    family, theta = typical(cls)
    return family.sample(theta, (n,), np.random.default_rng(3))


def as_columns(y: np.ndarray) -> np.ndarray:
    """Return observations as the X of a density."""
    return y[:, None] if y.ndim == 1 else y


def respond(cls: type[Family], shift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an observation a row from typical laws whose first eta is shifted, row by row."""
    family, _ = typical(cls)
    eta = [np.full(len(shift), value) for value in typical_eta(family)]
    eta[0] = eta[0] + shift
    return family.sample(family.natural(tuple(eta)), (len(shift),), rng)


def ordinary_value(cls: type[Family]) -> float:
    """Return an observation in the middle of the typical law.

    It is away from the ends of the support if the law has values there.
    """
    family, theta = typical(cls)
    ends = (family.support.low, family.support.high)
    candidates = [float(family.quantile(q, theta)) for q in (0.5, 0.75, 0.9, 0.99)]
    return next((y for y in candidates if y not in ends), candidates[0])


def has_order(family: Family | type[Family]) -> bool:
    """Whether an observation is one number of which there are intervals; an angle has none."""
    return family.observation == Observation()


def has_units(family: Family | type[Family]) -> bool:
    """Whether y measured in another unit has a law of the family, too."""
    told = family.stretch is not None or bool(family.unit_moves)
    return told or any(p.unit for p in family.parameters) or not family.support.fixed


def middle_of(law) -> np.ndarray:
    """Return what `predict` says of a law: its mean, or its median if it has none."""
    mean = np.asarray(law.mean(), float)
    return np.where(np.isnan(mean), law.median(), mean) if np.isnan(mean).any() else mean


def law_at_limit(family: Family, limit, eta) -> tuple[Family, tuple]:
    """Return a limit law and its linked eta, from those of the family.

    A law whose support ends at a location has another chart of it than the family.
    """
    law, index = limit.family, places(family, limit)
    if not limit.constant:
        return law, tuple(eta[j] for j in index)
    theta = family.natural(eta)
    rest = tuple(theta[j] for j in index)
    law = law.for_parameters(dict(zip(law.names, rest, strict=True)))
    return law, law.eta(rest)


def beside_limit(family: Family, limit, law: Distribution, value: float) -> Distribution:
    """Return the law whose parameters are those of a limit law and a value of the one beside."""
    if family.names == tuple(p.name for p in family.parameters):
        return Distribution(family, law.params | {limit.parameter: value})
    end = family.link(place(family, limit.parameter)).eta(np.asarray(value))
    eta = with_end(family, limit, limit.family.eta(law.theta), end)
    return Distribution.of(family, family.natural(eta))


def ends_move(family: Family | type[Family]) -> bool:
    """Whether the support of a smooth law, or of its limit law, ends where the parameters say.

    Its likelihood has no bound as an end comes near to an observation, and may have a local maximum
    where the usual errors do not hold, or none.
    """
    law = family() if isinstance(family, type) else family
    limits = (limit.family for limit in law.limits)
    return law.support.smooth and not all(f.support.fixed for f in (law, *limits))


def ends_at_rows(family: Family | type[Family]) -> bool:
    """Whether a limit law begins at its location, which the least observation then is.

    A regression whose location depends on features has no such limit law, and may have no maximum.
    """
    law = family() if isinstance(family, type) else family
    return any(limit.constant for limit in law.limits)


def may_be_singular(family: Family) -> bool:
    """Whether the law has places next to which no curvature tells the errors."""
    return type(family).near_singular is not Family.near_singular


def states_a_way(family: Family) -> bool:
    """Whether the law knows ways to suprema far out, on which there is no maximum."""
    return type(family).without_bound is not Family.without_bound


def is_unbounded(family: Family | type[Family]) -> bool:
    """Whether equal observations make the density grow without bound.

    They do if the law has a scale, or a parameter that serves as one, and can shrink to a point.
    """
    cls = family if isinstance(family, type) else type(family)
    shrinks = cls.saturated is not Family.saturated
    smooth = family.support.smooth and not family.support.discrete
    return smooth and len(family.parameters) > 1 and shrinks
