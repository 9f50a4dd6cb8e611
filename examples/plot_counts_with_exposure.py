"""
Counts with exposure
====================

Events are counted over times of different length. A Poisson regression with ``exposure`` models the
rate; the column travels through the pipeline with the rows, so that every split, score and
prediction has its own.
"""

# %%
# Counts of 2000 rows, three features, and for how long each was watched.

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import MLERegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 3))
time = rng.uniform(0.1, 3, 2000)
counts = rng.poisson(time * np.exp(X @ [0.5, -0.3, 0] - 0.5))
frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(time=time)
scaler = make_column_transformer((StandardScaler(), ["a", "b", "c"]), remainder="passthrough")
pipe = make_pipeline(
    scaler.set_output(transform="pandas"), MLERegressor("poisson", exposure="time")
)
alphas = [0, 1e-3, 1e-2, 0.1, 1.0]

# %%
# Three lines: the strength of a ridge by held-out log-likelihood, the counts to be expected in two
# units of time, and standard errors.

search = GridSearchCV(pipe, {"mleregressor__alpha": alphas}, cv=5).fit(frame, counts)
print(search.predict(frame[:3].assign(time=2.0)).round(3))
print(MLERegressor("poisson", exposure="time").fit(frame, counts).summary())

# %%
# The best strength and its score, a mean log-likelihood of counts.

print(search.best_params_, search.best_score_.round(5))
