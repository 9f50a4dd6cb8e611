"""
Survival with censoring
=======================

Of 69 patients who were given a new heart at Stanford, 24 were still alive when the study ended:
their survival is known to be longer than it was followed. Such rows are observations as others are,
and any family takes them.
"""

# %%
# The rows, as ends between which each survival lies.

import matplotlib.pyplot as plt
import statsmodels.api as sm

import skmle
from skmle import MLERegressor, families
from skmle.plotting import PITDisplay

heart = sm.datasets.heart.load_pandas().data
y = skmle.censored(heart.survival, event=heart.censors == 1)
X = heart[["age"]]
print(y[:3])

# %%
# Which law? Each is fitted to the same rows, so that the log-likelihoods are on one scale.

for name in ("exponential", "weibull", "lognormal", "log_logistic"):
    model = MLERegressor(families.Censored(name)).fit(X, y)
    print(f"{name:12s} AIC {model.aic(X, y):.1f}")

# %%
# With age the survival falls: per year of age by the factor exp of its coefficient.

model = MLERegressor(families.Censored("lognormal")).fit(X, y)
print(model.summary())

# %%
# Do the residuals follow the law? A worm that stays in the band says so. The place of a censored
# row is drawn from where it may be.

fig, ax = plt.subplots(layout="constrained")
PITDisplay.from_estimator(model, X, y, kind="worm", ax=ax)
plt.show()
