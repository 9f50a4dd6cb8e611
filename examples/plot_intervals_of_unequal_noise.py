"""
Intervals under unequal noise
=============================

Where the noise depends on the features, an interval of one width is too wide for some rows and too
narrow for others. Here location and scale of a normal law both depend on all features.
"""

# %%
# Data whose noise grows with the first feature, half of them held out.

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import MLERegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 3))
noise = np.exp(-0.5 + 0.8 * X[:, 0])
y = X @ [1.0, -1.0, 0.5] + noise * rng.normal(size=2000)
X, X_new, y, y_new = train_test_split(X, y, random_state=0)
both = {"loc": "all", "scale": "all"}

# %%
# Three lines: the model behind a scaler, its mean log-likelihood on new rows, and intervals for
# these.

pipe = make_pipeline(StandardScaler(), MLERegressor(features=both)).fit(X, y)
score = pipe.score(X_new, y_new)
low, high = skmle.predict_interval(pipe, X_new, coverage=0.9)

# %%
# They hold about nine of ten rows, where it is quiet and where it is loud.

inside, loud = (low < y_new) & (y_new < high), X_new[:, 0] > 0
print(round(score, 4), inside[~loud].mean().round(3), inside[loud].mean().round(3))

# %%
# Standard errors of all coefficients, by the information that is expected under the law.

regression = MLERegressor(features=both).fit(X, y)
print(regression.inference(X, y, covariance="expected"))
