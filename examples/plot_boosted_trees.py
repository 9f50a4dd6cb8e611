"""
Trees that predict a law
========================

A family has a value, a gradient and a curvature on a scale where anything is allowed. That is all
that gradient boosting asks for, so LightGBM can grow trees for each parameter of any family.
"""

# %%
# The bridge: the rows of a family are the objective of LightGBM, one tree a parameter and round.

import lightgbm
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

import skmle
from skmle import MLEDistribution, MLERegressor
from skmle.families import Distribution


class BoostedLaw(RegressorMixin, BaseEstimator):
    """Trees for each parameter of a family."""

    def __init__(self, family="normal", rounds=20, learning_rate=0.05):
        self.family = family
        self.rounds = rounds
        self.learning_rate = learning_rate

    def fit(self, X, y):
        law = MLEDistribution(self.family).fit(np.asarray(y)[:, None]).distribution_
        family, statistics = law.family, law.family.statistics(np.asarray(y, float))
        self.start_, k = np.array(family.eta(law.theta), float), len(family.parameters)
        corner = [place for j, place in enumerate(np.cumsum([0, *range(k, 1, -1)]))]

        def objective(moves, _):
            eta = (moves.reshape(len(y), k) + self.start_).T
            rows = family.evaluate(statistics, tuple(eta))
            gradient = np.stack([np.broadcast_to(g, len(y)) for g in rows.gradient], 1)
            own = [np.broadcast_to(rows.curvature[place], len(y)) for place in corner]
            # A curvature next to zero would let a leaf step far out.
            return gradient, np.maximum(np.stack(own, 1), np.abs(gradient) / 2.0 + 1e-3)

        settings = {"objective": objective, "num_class": k, "verbose": -1, "num_leaves": 8}
        settings |= {"learning_rate": self.learning_rate, "min_data_in_leaf": 15}
        table = lightgbm.Dataset(np.asarray(X, float), np.asarray(y, float), free_raw_data=False)
        self.trees_ = lightgbm.train(settings, table, self.rounds)
        self.family_ = family
        return self

    def predict_dist(self, X):
        eta = self.trees_.predict(np.asarray(X, float), raw_score=True) + self.start_
        return Distribution.of(self.family_, self.family_.natural(tuple(eta.T)))

    def predict(self, X):
        return self.predict_dist(X).mean()


# %%
# Constant, linear, splines and trees on one scale: the mean log-likelihood of new rows. With 300
# rows, trees have no advantage, and with more rounds than these 20 they are worse than a constant.
# It is good to see that.

X, y = load_diabetes(return_X_y=True, as_frame=True)
X, X_new, y, y_new = train_test_split(X, y, test_size=0.33, random_state=0)
both = {"mean": "all", "shape": "all"}
spline = make_pipeline(StandardScaler(), SplineTransformer(4), MLERegressor("gamma", alpha=0.01))
models = {
    "constant": MLERegressor("gamma", features={"mean": "none"}),
    "linear": MLERegressor("gamma", features=both),
    "splines": spline,
    "trees": BoostedLaw("gamma"),
}
scores = {}
for name, model in models.items():
    model.fit(X, y)
    scores[name] = skmle.log_prob(model, X_new, y_new).mean()
    print(f"{name:9s} {scores[name]:.4f} nats a row held out")

fig, ax = plt.subplots(layout="constrained")
ax.barh(list(scores), [value - scores["constant"] for value in scores.values()], color="#0072B2")
ax.invert_yaxis()
ax.set_xlabel("nats a row held out that are gained over a constant law")
plt.show()
