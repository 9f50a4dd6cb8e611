"""
A probit model, and what it says
================================

Coefficients of a probit model are on a scale that nobody thinks in. What a year of marriage does to
the probability of an affair, on average over 6366 women (Fair, 1978), is an average effect, and has
an error as a coefficient has one.
"""

# %%
# The model, behind a formula.

import matplotlib.pyplot as plt
import statsmodels.api as sm
from sklearn.pipeline import make_pipeline

import skmle
from skmle import CrossEntropyClassifier, FormulaTransformer
from skmle.plotting import CoefficientDisplay

fair = sm.datasets.fair.load_pandas().data
any_affair = (fair.affairs > 0).astype(int)
X = fair[["rate_marriage", "age", "yrs_married", "religious"]]
columns = FormulaTransformer("affair ~ rate_marriage + age + yrs_married + religious")
pipe = make_pipeline(columns, CrossEntropyClassifier(link="probit")).fit(X, any_affair)
result = skmle.infer(pipe, X, any_affair, covariance="HC1")
print(result)

# %%
# Effects: by how much the probability rises with one more of each, on average.

effects = result.effects(X)
print(effects)

# %%
# The coefficients with their intervals, robust and by the model, which agree here.

models = {"robust (HC1)": result, "by the model": skmle.infer(pipe, X, any_affair)}
fig, ax = plt.subplots(layout="constrained")
CoefficientDisplay.from_estimator(models, ax=ax)
ax.set_xlabel("coefficient of the probit, 95 % interval")
plt.show()
