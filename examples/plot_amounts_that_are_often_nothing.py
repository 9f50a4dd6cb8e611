"""
Amounts that are often nothing
==============================

A claim, a day's rain, an expense: most often nothing, else any amount. The Tweedie law takes both
for one thing, the sum of a Poisson number of gamma values, so that one model says how often and how
much. Here it describes Fair's survey (1978): of 6366 women, 68 % had no affair, and the others had
more or less of them.
"""

# %%
# A regression of the mean. The power of the mean with which the variance grows is estimated, too.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import TweedieRegressor

import skmle
from skmle import MLERegressor, families
from skmle.plotting import ComparisonDisplay

fair = sm.datasets.fair.load_pandas().data
y, X = fair["affairs"], fair[["rate_marriage", "age", "yrs_married", "religious"]]
model = MLERegressor("tweedie").fit(X, y)
print(model.summary())

# %%
# With the power held, the mean is that of scikit-learn's regressor, which has no likelihood: it can
# neither find the power, nor give an error, nor the probability of nothing.

held = MLERegressor("tweedie", fixed={"power": 1.5}).fit(X, y)
glm = TweedieRegressor(power=1.5, alpha=0.0, solver="newton-cholesky", tol=1e-10).fit(X, y)
print(np.abs(held.coef_ / glm.coef_ - 1.0).max())

# %%
# How often, and how much? With a constant dispersion, the mean tells both. A dispersion with a
# regression of its own sets them apart, as a hurdle does: a logit of whether there is any, and a
# gamma law of how much. Rows that no model has seen decide.

models = {
    "Tweedie": model,
    "Tweedie, dispersion too": MLERegressor(
        "tweedie", features={"mean": "all", "dispersion": "all"}
    ),
    "hurdle": MLERegressor(families.Hurdle("gamma"), features={"mean": "all", "zeros": "all"}),
}
found = skmle.compare(models, X, y, cv=5)
print(found)

# %%
# Where marriages are rated higher, fewer have an affair, but those have no less of it. No law whose
# mean tells both can say so; the other two do.

rating = X["rate_marriage"]
ratings = np.sort(rating.unique())


def draw(ax, value, rows, *style, **label):
    ax.plot(ratings, [value[rows & (rating == r)].mean() for r in ratings], *style, **label)


fig, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
everyone, some = y >= 0.0, y > 0.0
draw(axes[0], some, everyone, "k_", markersize=16, label="data")
draw(axes[1], y, some, "k_", markersize=16)
for (name, one), colour in zip(models.items(), ("#D55E00", "#CC79A7", "#0072B2"), strict=True):
    law = one.fit(X, y).predict_dist(X)
    any_at_all = law.sf(0.0)
    draw(axes[0], any_at_all, everyone, "o-", color=colour, markersize=4, label=name)
    draw(axes[1], law.mean() / any_at_all, some, "o-", color=colour, markersize=4)
axes[0].set(xlabel="rating of the marriage", ylabel="share with any")
axes[1].set(xlabel="rating of the marriage", ylabel="mean of those with any", ylim=(0.0, 4.0))
axes[0].legend(frameon=False)
ComparisonDisplay.from_comparison(found, ax=axes[2])
plt.show()
