"""What all displays share: axes to draw on, and colours that everyone can tell apart."""

from __future__ import annotations

from typing import Any

# Of Okabe and Ito's palette, which colour-blind readers can tell apart. Each of these has a
# contrast of 3 or more with white and with a dark page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
BLUE, VERMILION = COLOURS[:2]
# Of areas behind lines.
FAINT = 0.25
# Ratio of the ends of a logarithmic axis up to which it has ticks at 2 and 5, too.
_FEW = 100.0


def axes_for(display: str, ax: Any, size: tuple[float, float] = (6.4, 4.0)) -> Any:
    """Return axes to draw on: those that are given, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display} draws with matplotlib, which is not installed. Allowed: an environment "
            'with it. Run pip install "skmle[plot]".'
        ) from error

    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def ink() -> str:
    """Return the colour of text, for lines of reference: it goes with any background."""
    import matplotlib.pyplot as plt

    return str(plt.rcParams["text.color"])


def log_ticks(ax: Any) -> None:
    """Make the horizontal axis of what is drawn logarithmic, with ticks that are written out."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    few = high <= _FEW * low
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
