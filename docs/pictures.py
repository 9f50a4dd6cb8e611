"""A picture of every family, for its page: some of its laws, by the family's own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

import skmle.families
from skmle.families import Distribution, Family, all_families

TRIALS = 6  # whatever a family counts
WIDTH = 3  # columns of a family of any number of columns, of which two are drawn
STEPS = (-1.0, 0.0, 1.0)  # of eta of the last parameter, which tells the laws of a picture apart
DRAWS = 400
LEFT_OUT = 0.01  # probability beyond each end of a picture, and more
WIDEST = 4.0  # distances of the quartiles from the median of the middle law to an end
HIGHEST = 3.0  # of densities, in units of the one at the median: some are infinite at an end


def blank(cls: type[Family]) -> Family:
    """Return a family that has learnt no more than how many columns, labels or ranks there are."""
    counts = [name for name, value in cls().get_params().items() if type(value) is int]
    family = cls(**dict.fromkeys(counts, TRIALS))
    if not family.observation.numeric:
        return family.adapt(np.array(["a", "b", "c"]))
    if family.observation.columns is None:
        return family.adapt(np.eye(WIDTH))
    if family.observation.columns == 1 and family.support.discrete:
        return family.adapt(np.arange(1.0, TRIALS + 1.0))
    return family


def laws_of(family: Family) -> list[Distribution]:
    """Return laws that differ in their last parameter; one if they have several columns."""
    eta = [0.2 + 0.5 * j for j in range(len(family.parameters))]
    one = family.observation.columns != 1 or not family.observation.numeric
    etas = [(*eta[:-1], eta[-1] + step) for step in ((0.0,) if one else STEPS)]
    if family.observation.circular:  # one direction, and a vector of three lengths
        etas = [tuple(e * np.exp(step) for e in eta) for step in STEPS]
    laws = [Distribution.of(family, family.natural(tuple(map(np.asarray, e)))) for e in etas]
    return laws if one else [law for law in laws if law.ppf(0.25) < law.ppf(0.75) or law.discrete]


def label_of(law: Distribution) -> str:
    """Return the values of the parameters."""
    return ", ".join(f"{name} = {float(value):.2g}" for name, value in law.params.items())


def window(laws: list[Distribution]) -> tuple[float, float]:
    """Return the ends of a picture: most of each law, but not all of a long tail."""
    if laws[0].family.observation.circular:
        return -np.pi, np.pi
    low, high = (np.array([law.interval(1 - 2 * LEFT_OUT)[k] for law in laws]) for k in (0, 1))
    middle = laws[len(laws) // 2]
    reach = WIDEST * float(middle.ppf(0.75) - middle.ppf(0.25))
    if middle.discrete:
        return float(low.min()), float(high.max())
    centre = float(middle.median())
    return max(low.min(), centre - reach), min(high.max(), centre + reach)


def draw_line(axes: Axes, laws: list[Distribution]) -> None:
    """Draw the densities or the masses of laws of one number."""
    low, high = window(laws)
    tallest = 0.0
    for law in laws:
        if law.discrete:
            y = np.arange(low, high + 1.0)
            q = law.pmf(y)
            axes.plot(y, q, "o-", linewidth=0.6, markersize=4, label=label_of(law))
        else:
            y = np.linspace(low, high, 801)
            q = np.where(np.isfinite(law.pdf(y)), law.pdf(y), np.nan)
            axes.plot(y, q, label=label_of(law))
        tallest = max(
            tallest, min(np.nanmax(q), HIGHEST * float(np.exp(law.log_prob(law.median()))))
        )
    axes.set(xlabel="y", ylabel="q(y)", ylim=(0.0, 1.08 * tallest))
    axes.legend(frameon=False)
    if laws[0].discrete:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_labels(axes: Axes, law: Distribution) -> None:
    """Draw the probabilities of labels."""
    axes.bar(["a", "b", "c"], np.ravel(law.theta[0]), width=0.6)
    axes.set(xlabel="y", ylabel="q(y)")


def draw_plane(axes: Axes, law: Distribution) -> None:
    """Draw two columns of observations of a law of several."""
    rng = np.random.default_rng(0)
    y = np.asarray(law.rvs(DRAWS, random_state=rng), float)
    if law.discrete:  # equal rows lie on each other
        y = y + rng.uniform(-0.25, 0.25, y.shape)
    axes.scatter(y[:, 0], y[:, 1], s=8, alpha=0.5)
    names = ("successes", "failures") if law.family.observation.columns == 2 else ("y[0]", "y[1]")
    axes.set(xlabel=names[0], ylabel=names[1])


def draw(cls: type[Family], path: Path) -> None:
    """Draw some laws of a family."""
    laws = laws_of(blank(cls))
    figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    if not laws[0].family.observation.numeric:
        draw_labels(axes, laws[0])
    elif laws[0].family.observation.columns == 1:
        draw_line(axes, laws)
    else:
        draw_plane(axes, laws[0])
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def changed() -> float:
    """Return when what a picture depends on was last changed."""
    sources = [Path(__file__), *Path(skmle.families.__file__).parent.rglob("*.py")]
    return max(path.stat().st_mtime for path in sources)


def draw_families(folder: Path) -> dict[str, str]:
    """Draw all families whose picture is not there yet, and return the file of each class."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {cls.__name__: f"{cls.__name__}.png" for cls in all_families()}
    newest = changed()
    for cls in all_families():
        path = folder / files[cls.__name__]
        if not path.exists() or path.stat().st_mtime < newest:
            draw(cls, path)
    return files


if __name__ == "__main__":
    draw_families(Path(__file__).parent / "generated" / "pictures")
