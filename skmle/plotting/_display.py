"""What all displays share: where they draw, and what they keep of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from skmle.plotting._style import axes_for


class Display(ABC):
    """The base of displays, which keep the arrays that they draw."""

    ax_: Any
    figure_: Any

    @property
    def _size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""
        return 6.4, 4.0

    @abstractmethod
    def _draw(self, ax: Any) -> None:
        """Draw on axes."""

    def plot(self, *, ax: Any = None) -> Self:
        """Draw what was computed.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            By default those of a new figure.

        Returns
        -------
        Display
            Itself.
        """
        return self._on(ax, self._draw)

    def _on(self, ax: Any, draw: Callable[[Any], None]) -> Self:
        """Draw on axes, or on those of a new figure, and keep them."""
        ax = axes_for(type(self).__name__, ax, self._size)
        draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def shares_between(display: str, name: str, given: Any, default: tuple[float, ...]) -> list[float]:
    """Return probabilities that are drawn, one or several, in rising order.

    Raises
    ------
    ValueError
        If they are not between 0 and 1.
    """
    try:
        shares = sorted(np.ravel(given).astype(float).tolist())
    except (TypeError, ValueError):
        shares = []
    if not shares or not all(0.0 < share < 1.0 for share in shares):
        raise ValueError(
            f"{display}: {name}={given!r} are not allowed. Allowed: numbers between 0 and 1. Give "
            f"for example {default!r}."
        )
    return shares
