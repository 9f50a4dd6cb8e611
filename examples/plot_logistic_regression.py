r"""
Logistic regression is conditional maximum likelihood
=====================================================

The model :math:`q(\text{malignant} \mid x) = 1/(1 + e^{-(wx + b)})` of 569 tumours, given the
radius of their cell nuclei. Left: the curve that makes the labels most likely. Middle: what each
row contributes, :math:`-\log q(y_i \mid x_i)`; a tumour on the wrong side costs most. Right: the
mean of these contributions, the *cross-entropy loss*, for other slopes, each with its own best
intercept. The fit is the minimum. One standard error away from it, the sum over all rows is about
half a nat higher.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

from skmle import CrossEntropyClassifier, MLERegressor

data = load_breast_cancer()
X, y = data.data[:, :1], data.target_names[data.target]
radius, malignant = X[:, 0], y == "malignant"
model = CrossEntropyClassifier().fit(X, y)
(w,), b, error = model.coef_[0], model.intercept_[0], model.inference().standard_errors[0]
colours = {"benign": "#0072B2", "malignant": "#D55E00"}

fig, (curve, rows, mean) = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
grid = np.linspace(radius.min(), radius.max(), 300)
jitter = np.random.default_rng(0).uniform(-0.03, 0.03, len(y))
for label, colour in colours.items():
    at = y == label
    curve.plot(radius[at], malignant[at] + jitter[at], "o", color=colour, markersize=3, alpha=0.4)
    rows.plot(
        radius[at],
        -model.log_prob(X[at], y[at]),
        "o",
        color=colour,
        markersize=4,
        alpha=0.5,
        label=label,
    )
curve.plot(grid, 1 / (1 + np.exp(-(w * grid + b))), color="black", linewidth=2)
curve.set(xlabel="mean radius of the nuclei, x", ylabel="q(malignant | x)", title="The curve")
rows.set(xlabel="mean radius of the nuclei, x", ylabel="−log q(y | x) in nats", title="The rows")
rows.legend()

slopes = np.linspace(w - 6 * error, w + 6 * error, 60)
# The slope is given: its column, w * radius, enters as an offset, and only the intercept is fitted.
intercept_only = MLERegressor("bernoulli", offset=0)
lines = [slope * X for slope in slopes]
mean.plot(
    slopes,
    [-intercept_only.fit(line, malignant).score(line, malignant) for line in lines],
    color="black",
    linewidth=2,
)
mean.axvspan(w - error, w + error, color="#009E73", alpha=0.25, label="± 1 standard error")
mean.plot(w, -model.score(X, y), "o", color="#009E73", markersize=8, label=f"fit: w = {w:.2f}")
mean.set(xlabel="slope w", ylabel="mean of −log q(y | x) in nats", title="Their mean")
mean.legend()
plt.show()
