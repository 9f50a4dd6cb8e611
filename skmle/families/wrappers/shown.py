"""What a law around a law prints: the law inside, whatever it is."""

from __future__ import annotations

from inspect import signature
from typing import Any

from skmle.families.base import Family


class ShowsInside(Family):
    """The base of families whose setting `family` is printed also where it is the default.

    scikit-learn leaves defaults out, but of the best of a grid the law inside is the point.
    """

    family: Any

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        text = super().__repr__(N_CHAR_MAX)
        setting = signature(type(self)).parameters.get("family")
        if setting is None or repr(self.family) != repr(setting.default):
            return text  # scikit-learn prints it
        name, _, others = text.partition("(")
        return f"{name}(family={self.family!r}{'' if others == ')' else ', '}{others}"
