r"""
The entropy of a coin
=====================

A coin that shows heads with probability :math:`\theta` has the entropy
:math:`H = \theta \log_2 \frac{1}{\theta} + (1 - \theta) \log_2 \frac{1}{1 - \theta}` bits.
It is largest for a fair coin, whose next toss is worth exactly one yes-or-no question, and zero for
a coin that always falls the same way. At the ends the formula reads :math:`0 \log 0`, which counts
as 0, its limit.
"""

import matplotlib.pyplot as plt
import numpy as np

from skmle import information

theta = np.linspace(0, 1, 501)
bits = information.entropy(np.column_stack([1 - theta, theta]), base=2)

fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.plot(theta, bits, color="#0072B2", linewidth=2)
ax.plot([0, 0.5, 1], [0, 1, 0], "o", color="#D55E00", clip_on=False, zorder=3)
ax.annotate("fair coin: 1 bit", (0.5, 1), (0, 8), textcoords="offset points", ha="center")
ax.annotate("always tails: 0 bits", (0, 0), (16, 9), textcoords="offset points", va="center")
ax.annotate(
    "always heads: 0 bits", (1, 0), (-16, 9), textcoords="offset points", va="center", ha="right"
)
ax.set(
    xlim=(0, 1),
    ylim=(-0.05, 1.12),
    xlabel=r"probability of heads, $\theta$",
    ylabel=r"entropy $H(\theta)$ in bits",
)
ax.set_title("Most uncertain in the middle, certain at the ends")
nats = ax.secondary_yaxis("right", functions=(lambda b: b * np.log(2), lambda n: n / np.log(2)))
nats.set_ylabel("in nats")
ax.grid(alpha=0.3)
plt.show()
