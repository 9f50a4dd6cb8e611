"""
Ordered answers
===============

944 voters placed themselves between strong Democrat and strong Republican, in seven steps (American
National Election Study, 1996). The steps have an order but no distances: a cumulative-link model
uses the order alone.
"""

# %%
# The model, and its thresholds between the seven answers.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm

from skmle import CrossEntropyClassifier, OrdinalClassifier

anes = sm.datasets.anes96.load_pandas().data
X, y = anes[["selfLR", "age", "educ", "income"]], anes["PID"].astype(int)
ordinal = OrdinalClassifier().fit(X, y)
print(ordinal.summary())

# %%
# Without the order there are 24 slopes, not 4, and held out they say a little more: the step from
# weak to strong Democrat does not follow the same line as the others.

from sklearn.model_selection import cross_val_score

for model in (OrdinalClassifier(), CrossEntropyClassifier()):
    score = cross_val_score(model, X, y, cv=10).mean()
    print(f"{type(model).__name__}: {score:.4f} nats a row held out")

# %%
# From left to right, all else as it is in the middle.

rows = X.median().to_frame().T.loc[np.zeros(61, int)].assign(selfLR=np.linspace(1, 7, 61))
shares = ordinal.predict_proba(rows)
answers = ["strong Dem.", "weak Dem.", "leans Dem.", "independent"]
answers += ["leans Rep.", "weak Rep.", "strong Rep."]
fig, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
colours = plt.cm.RdBu_r(np.linspace(0.08, 0.92, 7))
ax.stackplot(rows.selfLR, shares.T, labels=answers, colors=colours)
ax.set(xlabel="own place, from left (1) to right (7)", ylabel="probability", xlim=(1, 7))
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)
plt.show()
