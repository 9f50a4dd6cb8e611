"""
p-values in a pipeline
======================

Logistic regression behind a ``ColumnTransformer`` that scales numbers and encodes words: standard
errors and p-values under the names that the pipeline gives, and a cross-validated log-likelihood.
"""

# %%
# Data with a column of words and labels that are words.

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skmle
from skmle import CrossEntropyClassifier

rng = np.random.default_rng(0)
n = 800
people = pd.DataFrame(
    {
        "age": rng.normal(40, 10, n),
        "income": rng.lognormal(3, 0.5, n),
        "city": rng.choice(list("ABC"), n),
    }
)
eta = 0.08 * (people.age - 40) + 0.5 * (people.city == "B") - 0.3
bought = np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-eta)), "yes", "no")
encoder = make_column_transformer(
    (StandardScaler(), ["age", "income"]),
    (OneHotEncoder(drop="first"), ["city"]),
    verbose_feature_names_out=False,
)

# %%
# Two lines: the fit, and its table.

pipe = make_pipeline(encoder, CrossEntropyClassifier()).fit(people, bought)
print(skmle.summary(pipe))

# %%
# The score is the mean log-likelihood, so that it is compared with other models as it is.

print(cross_val_score(pipe, people, bought).mean().round(5))

# %%
# Are the cities alike? And what does a year of age do to the probability, on average?

result = skmle.infer(pipe)
print(result.test("city_B, city_C"))
print(result.effects(people))
