"""
When columns tell the classes without fail
==========================================

If a line separates the classes, the likelihood rises for ever as the slope grows, and any finite
number that a program prints is where it stopped. skmle says so and names the columns. Firth's
penalty, Jeffreys' prior, has a finite maximum.
"""

# %%
# Petals tell setosa from the other irises without fail.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from skmle import CrossEntropyClassifier
from skmle.plotting import ProfileDisplay

iris = load_iris(as_frame=True)
X, y = iris.data[["petal length (cm)"]], (iris.target == 0).astype(int)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    plain = CrossEntropyClassifier().fit(X, y)
print(plain.status_)
print(told[0].message)

# %%
# Firth's estimate, with a profile interval: how steep the curve may be is open upwards.

firth = CrossEntropyClassifier(penalty="jeffreys").fit(X, y)
interval = firth.inference(X, y).profile("petal length (cm)")
print(interval)

# %%
# The profile is far from Wald's parabola.

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
grid = np.linspace(1, 7, 200)[:, None]
for scale in (1, 3, 9):
    middle = 2.45
    curve = 1 / (1 + np.exp(scale * 6 * (grid[:, 0] - middle)))
    left.plot(grid, curve, color="0.7", label="ever likelier" if scale == 1 else None)
frame = X.iloc[:1].loc[np.zeros(200, int)].assign(**{"petal length (cm)": grid[:, 0]})
left.plot(grid, firth.predict_proba(frame)[:, 1], color="#0072B2", label="Firth")
left.plot(X, y, "|", color="#D55E00")
left.set(xlabel="petal length in cm", ylabel="probability of setosa")
left.legend(frameon=False)
ProfileDisplay.from_estimator(firth, X, y, term="petal length (cm)", ax=right)
plt.show()
