"""
Joint or conditional likelihood
===============================

Linear discriminant analysis maximises the likelihood of labels *and* features, logistic regression
that of the labels given the features. Both give the same kind of probability; the first asks more
of the data (normal features), and learns faster if that holds. If it does not, more rows do not
help it (Ng & Jordan, 2002).
"""

# %%
# Both models on growing parts of a table, judged by the labels of the rest, in nats a row.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skmle import CrossEntropyClassifier
from skmle.metrics import log_likelihood_score

names = ["mean texture", "mean area", "mean smoothness", "mean symmetry"]
data = load_breast_cancer(as_frame=True)
features, labels = data.data[names], data.target


def normal_features(n, rng):
    """Draw rows for which the joint model is true."""
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 4)) + y[:, None] * [1.0, 0.5, 0.0, 0.5], y


def tumours(n, rng):
    rows = rng.permutation(len(labels))[:n]
    return features.to_numpy()[rows] / features.std().to_numpy(), labels.to_numpy()[rows]


# %%
# Means over 20 splits.

MODELS = {
    "joint (discriminant analysis)": LinearDiscriminantAnalysis(),
    "conditional (logistic regression)": CrossEntropyClassifier(alpha=1e-3),
}
SIZES = [20, 40, 80, 160, 320]
fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, draw in zip(axes, (normal_features, tumours), strict=True):
    for (name, model), colour in zip(MODELS.items(), ("#D55E00", "#0072B2"), strict=True):
        means = []
        for n in SIZES:
            scores = []
            for seed in range(20):
                X, y = draw(n + 240, np.random.default_rng(seed))
                model.fit(X[:n], y[:n])
                scores.append(-log_likelihood_score(model, X[n:], y[n:]))
            means.append(np.mean(scores))
        ax.plot(SIZES, means, "o-", color=colour, label=name)
    ax.set(xscale="log", xlabel="rows of the fit", ylabel="cross-entropy, nats a row held out")
    ax.set_xticks(SIZES, SIZES)
    ax.minorticks_off()
axes[0].set_title("normal features: the joint model is true")
axes[1].set_title("tumours: it is not")
axes[0].legend(frameon=False)
plt.show()
