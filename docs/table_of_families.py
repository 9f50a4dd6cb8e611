"""The table of all families, from the registry: of the site's page, and of `docs/families.md`.

python docs/table_of_families.py        write docs/families.md, which a code host shows
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from skmle.families import REGISTRY, Family, all_families

COLUMNS = {1: "", 2: ", two columns", None: ", several columns"}
PAGE = Path(__file__).parent / "families.md"
HEAD = """\
# All families

What `MLEDistribution` and `MLERegressor` take by name, from the registry of `skmle.families`.
[Which model?](which_model.md) says which is for what. A parameter without a link is found
by coordinates, and takes no other link. `asymmetric_laplace` also has `quantile`, the level of the
quantile that `loc` is: `fixed={"quantile": 0.9}`.

"""


def parameters_of(cls: type[Family]) -> str:
    """Return the parameters with their links; some are found by coordinates, which have none."""
    family = cls()
    if not isinstance(cls.parameters, tuple):
        return ", ".join(family.names)
    if family.names != tuple(p.name for p in cls.parameters):
        return ", ".join(family.names)
    return ", ".join(f"{p.name} ({p.chart.name})" for p in cls.parameters)


def table(shown: Callable[[type[Family]], str]) -> str:
    """Return the table as Markdown; `shown` names a family."""
    lines = [
        "| family | one observation | parameters (link) | scipy | R |",
        "| --- | --- | --- | --- | --- |",
    ]
    for cls in all_families():
        family, text = cls(), " ".join((cls.__doc__ or "").split())
        others = [re.search(rf"\b{name}: (``.+?``)", text) for name in ("scipy", "R")]
        cells = [
            shown(cls),
            family.observations + COLUMNS[family.observation.columns],
            parameters_of(cls),
            *(law[1] if law else "" for law in others),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page that a code host shows."""
    return HEAD + table(lambda cls: f"`{REGISTRY[cls.__name__][1][0]}`").replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
