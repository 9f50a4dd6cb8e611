"""
A gamma law with its intervals
==============================

500 positive numbers, a gamma law, and how sure its parameters are. The location is fixed at zero:
scipy's ``gamma.fit`` frees it unless told otherwise, and gives no standard errors.
"""

# %%
# The data.

import numpy as np

from skmle import MLEDistribution

x = np.random.default_rng(0).gamma(shape=2.0, scale=3.0, size=500)[:, None]

# %%
# Two lines: the fit, and its table. The mean is the parameter of the gamma laws here.

model = MLEDistribution("gamma").fit(x)
print(model.summary())

# %%
# Anything else that the law says has a standard error, too: the scale, for one, which is the mean
# over the shape. Its interval is symmetric on the logarithm.

scale = model.inference().estimate(lambda m: m.params_["mean"] / m.params_["shape"], link="log")
print(scale)

# %%
# Intervals by the likelihood itself, which need the rows again.

print(model.inference(x).profile())
