r"""
Cross-entropy = entropy + relative entropy
==========================================

Observations come from :math:`p`, a Poisson law of mean 4. A model :math:`q_\theta` of mean
:math:`\theta` is surprised by them, on average, by the cross-entropy
:math:`H(p, q_\theta) = H(p) + D(p \,\|\, q_\theta)`. The first part is the entropy of :math:`p`,
which no model can avoid. The second is the price of the wrong :math:`\theta`.

In the right family the price falls to zero. In a wrong one, here the geometric laws, it keeps a
remainder. Both minima are at the same place, so minimising the cross-entropy finds the best mean in
either family.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from skmle import information

p = stats.poisson(4)
means = np.linspace(1.2, 9, 200)
right = np.array([information.cross_entropy(p, stats.poisson(mean)) for mean in means])
wrong = np.array(
    [information.cross_entropy(p, stats.geom(1 / (1 + mean), loc=-1)) for mean in means]
)
entropy = information.entropy(p)

fig, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
ax.axhline(entropy, color="black", linestyle=":", linewidth=1.5)
ax.fill_between(means, entropy, right, color="#0072B2", alpha=0.2, linewidth=0)
ax.plot(means, right, color="#0072B2", linewidth=2, label=r"$q_\theta$ Poisson, the family of $p$")
ax.plot(
    means,
    wrong,
    color="#D55E00",
    linewidth=2,
    linestyle="--",
    label=r"$q_\theta$ geometric, a wrong family",
)
ax.plot([4, 4], [right.min(), wrong.min()], "o", color="black", zorder=3)
ax.text(8.95, entropy - 0.03, r"entropy $H(p)$", ha="right", va="top")
ax.text(1.4, 2.28, r"$D(p\,\|\,q_\theta)$", color="#004B76", ha="left")
ax.annotate(
    "",
    (4, entropy),
    (4, wrong.min()),
    arrowprops={"arrowstyle": "<->", "color": "#D55E00", "shrinkA": 6, "shrinkB": 6},
)
ax.text(
    4,
    2.59,
    r"this much of $D(p\,\|\,q_\theta)$ remains" "\nin the wrong family",
    color="#A34700",
    ha="center",
)
ax.set(
    xlim=(1.2, 9),
    ylim=(1.9, 3.7),
    xlabel=r"mean $\theta$ of the model",
    ylabel=r"cross-entropy $H(p, q_\theta)$ in nats",
)
ax.set_title(r"No model has a cross-entropy below $H(p)$")
ax.legend(loc="upper center")
plt.show()
