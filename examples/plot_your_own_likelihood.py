"""
A likelihood of your own
========================

A law that no package has takes the function that you would write down anyway: log q(y) at the
natural parameters. Derivatives, starting values, standard errors and scores follow.

Here it is a zero-inflated Poisson regression: with probability pi a count is zero in any case, and
else it has a Poisson law with mean mu. Both depend on a covariate.
"""

# %%
# The function gets the observations and the parameters, as arrays, and returns a value a row.

import numpy as np
from scipy import special
from sklearn.model_selection import cross_val_score

from skmle import MLERegressor, families


def zero_inflated_poisson(y, pi, mu):
    zero = np.log(pi + (1.0 - pi) * np.exp(-mu))
    return np.where(
        y == 0, zero, np.log1p(-pi) + special.xlogy(y, mu) - mu - special.gammaln(y + 1)
    )


# %%
# Data from known parameters: -1 and 0.5 on the logit of pi, 0.5 and 0.4 on the log of mu.

rng = np.random.default_rng(0)
x = rng.normal(size=3000)
pi, mu = special.expit(-1 + 0.5 * x), np.exp(0.5 + 0.4 * x)
y = np.where(rng.uniform(size=3000) < pi, 0, rng.poisson(mu)).astype(float)
X = x[:, None]

# %%
# Two lines: the law, with the range of each parameter, and a regression of both parameters.

law = families.FromLogProb(zero_inflated_poisson, {"pi": "logit", "mu": "log"}, support="counts")
model = MLERegressor(law, features={"pi": "all", "mu": "all"}).fit(X, y)

# %%
# The table has standard errors of all coefficients.

print(model.summary())

# %%
# The score is the mean log-likelihood of a row, so the model is compared with others by
# cross-validation as it is.

print(cross_val_score(model, X, y).round(4))
print(cross_val_score(MLERegressor("poisson"), X, y).round(4))

# %%
# This law is a built-in one as well, with exact derivatives. Both fits agree.

known = MLERegressor(
    families.ZeroInflated("poisson"), features={"zeros": "all", "mean": "all"}
).fit(X, y)
print(model.log_likelihood_ - known.log_likelihood_)
print(np.abs(model.coefs_["mu"] - known.coefs_["mean"]).max())
