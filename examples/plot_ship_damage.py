"""
Frequency of claims, with exposure
==================================

How often waves damaged cargo ships, by type and years, for months of service between 45 and 44 882
(McCullagh & Nelder, 1989, section 6.3.2, data of Lloyd's). An insurer asks for the rate per month,
and how far the counts spread beyond Poisson's law.
"""

# %%
# The table of the book.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

import skmle
from skmle import FormulaTransformer, MLERegressor
from skmle.plotting import CoefficientDisplay

ships = pd.DataFrame(
    {
        "ship": [
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            3,
            3,
            3,
            3,
            3,
            3,
            3,
            4,
            4,
            4,
            4,
            4,
            4,
            4,
            5,
            5,
            5,
            5,
            5,
            5,
        ],
        "period": [
            1,
            1,
            2,
            2,
            3,
            3,
            4,
            1,
            1,
            2,
            2,
            3,
            3,
            4,
            1,
            1,
            2,
            2,
            3,
            3,
            4,
            1,
            1,
            2,
            2,
            3,
            3,
            4,
            1,
            2,
            2,
            3,
            3,
            4,
        ],
        "late": [
            0,
            1,
            0,
            1,
            0,
            1,
            1,
            0,
            1,
            0,
            1,
            0,
            1,
            1,
            0,
            1,
            0,
            1,
            0,
            1,
            1,
            0,
            1,
            0,
            1,
            0,
            1,
            1,
            0,
            0,
            1,
            0,
            1,
            1,
        ],
        "months": [
            127,
            63,
            1095,
            1095,
            1512,
            3353,
            2244,
            44882,
            17176,
            28609,
            20370,
            7064,
            13099,
            7117,
            1179,
            552,
            781,
            676,
            783,
            1948,
            274,
            251,
            105,
            288,
            192,
            349,
            1208,
            2051,
            45,
            789,
            437,
            1157,
            2161,
            542,
        ],
        "damaged": [
            0,
            0,
            3,
            4,
            6,
            18,
            11,
            39,
            29,
            58,
            53,
            12,
            44,
            18,
            1,
            1,
            0,
            1,
            6,
            2,
            1,
            0,
            0,
            0,
            0,
            2,
            11,
            4,
            0,
            7,
            7,
            5,
            12,
            1,
        ],
    }
)
ships = ships.assign(
    type=np.array(list("ABCDE"))[ships.ship - 1],
    built=np.array(["1960-64", "1965-69", "1970-74", "1975-79"])[ships.period - 1],
)

# %%
# A formula for the columns; the exposure is handed on beside them.

columns = FormulaTransformer("damaged ~ C(type) + C(built) + late", keep="months")
pipe = make_pipeline(columns, MLERegressor("poisson", exposure="months"))
pipe.fit(ships, ships.damaged)
result = skmle.infer(pipe, ships, ships.damaged)
print(result)

# %%
# The line below the table says that the counts spread 1.69 times as wide as Poisson's: the book,
# too, widens its errors by the root of that.

print(pipe[-1].pearson_dispersion_)

# %%
# Ratios of rates with intervals that need not trust Poisson's variance.

robust = skmle.infer(pipe, ships, ships.damaged, covariance="HC1")
fig, ax = plt.subplots(layout="constrained")
models = {"by Poisson's law": result, "robust (HC1)": robust}
CoefficientDisplay.from_estimator(models, ratios=True, ax=ax)
ax.set_xlabel("ratio of damage rates, 95 % interval")
plt.show()
