r"""
The product that a computer cannot form
=======================================

The likelihood is a product of densities, one for each row. A 64-bit float holds numbers from about
:math:`10^{-324}` to :math:`10^{308}`, and a product of a few hundred densities leaves that range.
Whether it becomes 0 or infinite depends on the unit of the data alone: the same lengths in metres
and in millimetres have densities that differ by a factor of 1000 a row. The sum of logarithms goes
on as if nothing had happened, and its maximum is where that of the product would be.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

law = stats.gamma(2, scale=0.05)  # of lengths in metres
metres = law.rvs(size=600, random_state=0)
density = {"in metres": law.pdf(metres), "in millimetres": law.pdf(metres) / 1000}

n = np.arange(1, 601)
fig, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
for (unit, q), colour, beside in zip(
    density.items(), ["#0072B2", "#D55E00"], [(0, -18), (72, 6)], strict=True
):
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        product = np.cumprod(q)
        as_product = np.log10(product)
    as_sum = np.cumsum(np.log10(q))
    lost = int(np.argmin(np.isfinite(as_product)))
    ax.plot(n, as_sum, color=colour, linestyle="--", label=f"sum of logarithms, {unit}")
    ax.plot(
        n[:lost],
        as_product[:lost],
        color=colour,
        linewidth=3.5,
        alpha=0.6,
        label=f"product, {unit}",
    )
    last = (n[lost - 1], as_product[lost - 1])
    ax.plot(*last, "X", color=colour, markersize=9)
    ax.annotate(
        f"from row {n[lost]} on: {product[lost]:g}",
        last,
        beside,
        textcoords="offset points",
        ha="center",
    )

ax.axhspan(-324, 308, color="black", alpha=0.06, zorder=0)
ax.text(595, -100, "range of 64-bit floats", ha="right", va="center")
ax.set(xlim=(0, 600), xlabel="rows $n$", ylabel=r"$\log_{10}$ of the likelihood")
ax.set_title("Products leave the range of numbers, sums do not")
ax.legend(loc="lower left")
plt.show()
