"""The picture of README.md and of the site's first page: three models of real data.

``python docs/first_picture.py`` draws it anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from sklearn.datasets import load_breast_cancer, load_diabetes

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.plotting import CoefficientDisplay, DensityDisplay, FanDisplay

ORANGE = "#d55e00"


def draw_density(axes: Axes) -> None:
    """Draw two laws over the histogram of a sample."""
    area = load_breast_cancer(as_frame=True).data[["mean area"]]
    first, other = (MLEDistribution(family).fit(area) for family in ("inverse_gaussian", "gamma"))
    display = DensityDisplay.from_estimator(first, area, ax=axes)
    at = np.linspace(display.edges[0], display.edges[-1], 400)
    (dashed,) = axes.plot(at, other.distribution_.pdf(at), "--", color=ORANGE)
    models = {"inverse Gaussian": first, "gamma": other}
    texts = [f"{name}: {model.score(area):.3f}" for name, model in models.items()]
    lines = [axes.get_lines()[0], dashed]
    axes.legend(
        lines,
        texts,
        title="score, nats a row",
        frameon=False,
        loc="upper right",
        fontsize="small",
        title_fontsize="small",
    )
    axes.set(title="a density", xlabel="area of a tumour", yticks=[], ylabel="")


def draw_classifier(axes: Axes) -> None:
    """Draw the odds ratios of a logistic regression, with their intervals."""
    data = load_breast_cancer(as_frame=True)
    X = data.data[["mean texture", "mean smoothness", "mean area"]]
    model = CrossEntropyClassifier().fit((X - X.mean()) / X.std(), 1 - data.target)
    CoefficientDisplay.from_estimator(model, ratios=True, ax=axes)
    axes.set(title="a classifier", xlabel="odds ratio of one deviation, 95 % interval")


def draw_regression(axes: Axes) -> None:
    """Draw a fan of intervals, whose width is modelled too."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    model = MLERegressor("normal", features={"loc": "all", "scale": "all"}).fit(X[["bmi"]], y)
    FanDisplay.from_estimator(model, X[["bmi"]], y, feature="bmi", ax=axes)
    axes.set(title="a regression", xlabel="body mass index", ylabel="progression")


def draw_first(path: Path) -> None:
    """Draw the picture into a file."""
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.2), layout="constrained")
    for draw, one in zip((draw_density, draw_classifier, draw_regression), axes, strict=True):
        draw(one)
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    draw_first(Path(__file__).parent / "_static" / "first.png")
