"""
Does it fit?
============

The best of ten families may still be a bad one. Where observations lie in the fitted law shows it,
and a test counts how often samples from that law lie as far from what is fitted to them.
"""

# %%
# The area of 569 tumours, by the best of all families of positive numbers.

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from skmle import DistributionSearch, MLEDistribution, families, goodness_of_fit
from skmle.plotting import DensityDisplay, PITDisplay

area = load_breast_cancer(as_frame=True).data[["mean area"]]
search = DistributionSearch().fit(area)
best = search.best_estimator_
print(search.best_family_)
print(goodness_of_fit(best, area))

# %%
# It does not: not all tumours are of one kind. A mixture of three laws does.

mixture = MLEDistribution(families.Mixture("lognormal", components=3)).fit(area)
print(goodness_of_fit(mixture, area, resamples=199))

# %%
# The worm of the first leaves its band, that of the mixture does not.

fig, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
for (top, below), model in zip(axes.T, (best, mixture), strict=True):
    DensityDisplay.from_estimator(model, area, ax=top)
    PITDisplay.from_estimator(model, area, kind="worm", simulations=99, ax=below)
plt.show()
