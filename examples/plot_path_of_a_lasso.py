"""
The path of a lasso
===================

As an absolute penalty falls, columns come in one by one. The strength may be chosen by rows held
out, by a criterion, or in closed form by leaving out one.
"""

# %%
# All strengths in one call, each fit at its optimum.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV

import skmle
from skmle import MLERegressor
from skmle.plotting import PathDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True)
lasso = MLERegressor(l1_ratio=1.0)
path = skmle.path(lasso, X, y, n_alphas=60)
print(path)

# %%
# The best by ten folds.

search = GridSearchCV(lasso, {"alpha": path.alphas[::3]}, cv=10).fit(X, y)
chosen = search.best_params_["alpha"]
print(f"alpha {chosen:.2g}, {np.count_nonzero(search.best_estimator_.coef_)} of 10 columns")

fig, ax = plt.subplots(layout="constrained")
PathDisplay.from_path(path, ax=ax)
ax.axvline(chosen, color="0.5", linestyle="--")
ax.annotate("by 10 folds", (chosen, ax.get_ylim()[1]), ha="right", va="top", rotation=90)
plt.show()
