"""
Quantiles of food expenditure
=============================

Engel asked in 1857 what 235 Belgian households spent on food. Rich ones spend more, and differ
more. A quantile regression is maximum likelihood under an asymmetric Laplace law whose quantile is
held, so each line below is one fit.
"""

# %%
# Three lines of code a quantile.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm

from skmle import MLERegressor

engel = sm.datasets.engel.load_pandas().data
X, y = engel[["income"]], engel["foodexp"]
fits = {
    q: MLERegressor("asymmetric_laplace", fixed={"quantile": q}).fit(X, y)
    for q in (0.1, 0.25, 0.5, 0.75, 0.9)
}

# %%
# The slopes rise with the quantile. Their errors trust no law.

for q, fit in fits.items():
    result = fit.inference(X, y)
    print(f"{q:4}: {result.estimates[0]:.3f} ({result.standard_errors[0]:.3f}) francs per franc")

# %%
# The lines over the households.

grid = np.linspace(X.income.min(), X.income.max(), 50)
fig, ax = plt.subplots(layout="constrained")
ax.plot(X.income, y, ".", color="0.5", markersize=4)
for (q, fit), colour in zip(fits.items(), plt.cm.viridis(np.linspace(0, 0.85, 5)), strict=True):
    ax.plot(grid, fit.coef_[0] * grid + fit.intercept_, color=colour, label=f"{100 * q:.0f} %")
ax.set(xlabel="income in francs a year", ylabel="food expenditure in francs a year")
ax.legend(title="spend less", frameon=False)
plt.show()
