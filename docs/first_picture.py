"""The picture of the first page: a density, a classifier and a regression of real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from sklearn.datasets import load_breast_cancer, load_diabetes

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "0.75"
COVERAGES = (0.95, 0.8, 0.5)


def draw_density(axes: Axes) -> None:
    """Draw two laws over the histogram of a sample."""
    area = load_breast_cancer(as_frame=True).data[["mean area"]]
    axes.hist(area.to_numpy()[:, 0], bins=40, density=True, color=GREY)
    at = np.linspace(120.0, 2600.0, 400)
    for family, colour, style in (("inverse_gaussian", ORANGE, "-"), ("gamma", BLUE, "--")):
        model = MLEDistribution(family).fit(area)
        text = f"{family.replace('_', ' ')}: {model.score(area):.3f}"
        axes.plot(at, model.distribution_.pdf(at), style, color=colour, label=text)
    axes.legend(title="score, nats a row", frameon=False, loc="upper right")
    axes.set(title="a density", xlabel="area of a tumour", xlim=(0.0, 2600.0), yticks=[])


def draw_classifier(axes: Axes) -> None:
    """Draw the odds ratios of a logistic regression, with their intervals."""
    data = load_breast_cancer(as_frame=True)
    X = data.data[["mean texture", "mean smoothness", "mean area"]]
    X = (X - X.mean()) / X.std()
    result = CrossEntropyClassifier().fit(X, 1 - data.target).inference()
    low, high = np.exp(np.asarray(result.confidence_intervals(0.95))[: X.shape[1]].T)
    middle = np.exp(result.estimates[: X.shape[1]])
    height = np.arange(X.shape[1])
    axes.errorbar(middle, height, xerr=(middle - low, high - middle), fmt="o", color=BLUE)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_yticks(height, X.columns)
    axes.set(
        xscale="log", xlabel="odds ratio of one deviation, 95 % interval", title="a classifier"
    )
    axes.set_ylim(-0.6, X.shape[1] - 0.4)


def draw_regression(axes: Axes) -> None:
    """Draw a fan of intervals, whose width is modelled too."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X = X[["bmi"]]
    model = MLERegressor("normal", features={"loc": "all", "scale": "all"}).fit(X, y)
    at = np.linspace(X["bmi"].min(), X["bmi"].max(), 200)
    grid = X.iloc[[0] * 200].assign(bmi=at)
    axes.plot(X["bmi"], y, ".", color="0.5", markersize=3)
    for coverage in COVERAGES:
        low, high = model.predict_interval(grid, coverage=coverage)
        axes.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(at, model.predict(grid), color=BLUE)
    axes.set(title="a regression", xlabel="body mass index", ylabel="progression")


def draw_first(path: Path) -> None:
    """Draw the picture into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.2), layout="constrained")
    for draw, one in zip((draw_density, draw_classifier, draw_regression), axes, strict=True):
        draw(one)
        one.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
