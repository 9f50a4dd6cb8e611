r"""
The mean of −log q tends to the cross-entropy
=============================================

Maximum likelihood minimises the mean of :math:`-\log q(x_i)` over the data. Each line below follows
that mean while rows of one sample arrive. By the law of large numbers all lines end at the same
place, the cross-entropy :math:`H(p, q)` between the law :math:`p` of the data and the model
:math:`q`. On the way they keep to a funnel of width :math:`1/\sqrt{n}`.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from skmle import information

p = stats.gamma(2, scale=3)  # the law of the data
q = stats.expon(scale=6)  # the model
limit = information.cross_entropy(p, q)

n = np.unique(np.geomspace(10, 100_000, 120).astype(int))
samples = p.rvs(size=(25, n[-1]), random_state=0)
fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for x in samples:
    ax.plot(
        n,
        [information.empirical_cross_entropy(q, x[:rows]) for rows in n],
        color="#0072B2",
        alpha=0.35,
        linewidth=0.8,
    )

spread = -q.logpdf(samples).std()  # of -log q for one row
ax.plot([], [], color="#0072B2", linewidth=0.8, label="empirical cross-entropy, 25 samples")
ax.plot(
    n,
    limit - 1.96 * spread / np.sqrt(n),
    color="#D55E00",
    linestyle="--",
    label="95 % of samples lie between",
)
ax.plot(n, limit + 1.96 * spread / np.sqrt(n), color="#D55E00", linestyle="--")
ax.axhline(
    limit, color="black", linewidth=1.5, label=rf"cross-entropy $H(p, q)$ = {limit:.3f} nats"
)
ax.set(
    xscale="log", xlim=(n[0], n[-1]), xlabel="rows $n$", ylabel=r"mean of $-\log q(x_i)$ in nats"
)
ax.set_title(r"From data to the limit, at the rate $1/\sqrt{n}$")
ax.legend(loc="upper right")
ax.grid(alpha=0.3)
plt.show()
