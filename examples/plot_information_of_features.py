"""
What each feature tells of the label
====================================

The information gain of a feature is by how much the cross-entropy of the labels falls, on rows that
the fit has not seen, once the feature is known. It is in nats, has an error, and feature by feature
it may be asked given the others.
"""

# %%
# Each feature of a tumour alone, by a logistic regression on its splines.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from skmle import CrossEntropyClassifier
from skmle.information import information_gain

data = load_breast_cancer(as_frame=True)
X, y = data.data[[name for name in data.data if name.startswith("mean")]], data.target
model = make_pipeline(
    StandardScaler(), SplineTransformer(5), StandardScaler(), CrossEntropyClassifier(alpha=1e-3)
)
gains = {name: information_gain(model, X[[name]], y) for name in X}
whole = information_gain(model, X, y)
print(whole)

# %%
# No feature can tell more than the entropy of the labels, 0.66 nats.

share = y.mean()
entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
names = sorted(gains, key=lambda name: float(gains[name]))
values = [float(gains[name]) for name in names]
low, high = np.array([gains[name].confidence_intervals()[0] for name in names]).T
fig, ax = plt.subplots(layout="constrained")
ax.hlines(names, low, high, color="#0072B2")
ax.plot(values, names, "o", color="#0072B2", label="one feature")
ax.axvline(float(whole), color="#D55E00", label="all ten")
ax.axvline(entropy, color="0.5", linestyle="--", label="entropy of the labels")
ax.set_xlabel("information gain in nats a row, held out")
ax.legend(frameon=False)
plt.show()
