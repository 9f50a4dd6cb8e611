"""
Soft labels
===========

A label may be a share: three of five readers saw a tumour. The cross-entropy of shares is that of
the labels counted one by one, and a fit to it recovers what one noisy label each would hide.
"""

# %%
# Five readers of each of 300 cases, whose probability of seeing something depends on one feature.

import matplotlib.pyplot as plt
import numpy as np

from skmle import CrossEntropyClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 1))
truth = 1 / (1 + np.exp(-1.5 * X[:, 0]))
seen = rng.binomial(5, truth)
shares = np.column_stack([5 - seen, seen]) / 5

# %%
# Three fits: to the shares; to each reader's label; to the majority, which throws most away.

soft = CrossEntropyClassifier().fit(X, shares)
labels = np.concatenate([[0] * (5 - k) + [1] * k for k in seen])
each = CrossEntropyClassifier().fit(np.repeat(X, 5, axis=0), labels)
majority = CrossEntropyClassifier().fit(X, (seen >= 3).astype(int))
for name, model in {"shares": soft, "each label": each, "majority": majority}.items():
    print(f"{name:10s} slope {model.coef_[0, 0]:.4f} (the true one is 1.5)")

# %%
# The majority makes the classes look easier to tell than they are.

order = np.argsort(X[:, 0])
fig, ax = plt.subplots(layout="constrained")
ax.plot(X, shares[:, 1] + rng.uniform(-0.02, 0.02, 300), ".", color="0.6")
ax.plot(X[order], truth[order], color="black", label="truth")
ax.plot(X[order], soft.predict_proba(X)[order, 1], color="#0072B2", label="shares")
ax.plot(X[order], majority.predict_proba(X)[order, 1], "--", color="#D55E00", label="majority")
ax.set(xlabel="feature", ylabel="share of readers who saw it")
ax.legend(frameon=False)
plt.show()
