"""
Many zeros
==========

Of 20190 person-years in the RAND health insurance experiment, 31 % had no visit to a doctor. Do
they ask for a law with extra zeros? Not if the law of counts is wide enough: ask on one scale.
"""

# %%
# Five laws of counts, by rows that they have not seen.

import matplotlib.pyplot as plt
import statsmodels.api as sm

import skmle
from skmle import MLEDistribution, MLERegressor, families
from skmle.plotting import ComparisonDisplay

rand = sm.datasets.randhie.load_pandas().data[::4]
y, X = rand["mdvis"].to_numpy(float), rand[["lncoins", "physlm", "disea"]]
models = {
    "Poisson": MLERegressor("poisson"),
    "Poisson, extra zeros": MLERegressor(families.ZeroInflated("poisson")),
    "Poisson, hurdle": MLERegressor(families.Hurdle("poisson")),
    "negative binomial": MLERegressor("negative_binomial"),
    "negative binomial, extra zeros": MLERegressor(families.ZeroInflated("negative_binomial")),
}
found = skmle.compare(models, X, y, cv=5)
print(found)

# %%
# Extra zeros mend most of what is wrong with Poisson, and nothing of a negative binomial law.

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
ComparisonDisplay.from_comparison(found, ax=left)
for name, colour in (("poisson", "#D55E00"), ("negative_binomial", "#0072B2")):
    law = MLEDistribution(name).fit(y[:, None]).distribution_
    counts = range(16)
    right.plot(counts, law.pmf(counts), "o-", color=colour, markersize=4, label=law.family.title)
right.bar(range(16), [(y == k).mean() for k in range(16)], color="0.75", label="data")
right.set(xlabel="visits a year", ylabel="probability")
right.legend(frameon=False)
plt.show()
