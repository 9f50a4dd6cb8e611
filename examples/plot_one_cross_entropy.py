"""
One cross-entropy, three models
===============================

A network for classes minimises the cross-entropy that logistic regression does. On the same digits:
skmle, scikit-learn's network without a hidden layer, and one with. On one scale, in nats a row held
out, with their times.
"""

# %%
# Half of the digits for the fits, half to judge them.

import time
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skmle import CrossEntropyClassifier
from skmle.metrics import log_likelihood_score

X, y = load_digits(return_X_y=True)
X_fit, X_new, y_fit, y_new = train_test_split(X / 16.0, y, test_size=0.5, random_state=0)

# %%
# The network divides its penalty by the rows of a batch, 200 here, so that its alpha is 200 times
# that of skmle, which is per row. Without a hidden layer it is the same model, and comes near to
# the same minimum.

alpha = 1e-3
network = {"alpha": 200 * alpha, "batch_size": 200, "max_iter": 500, "random_state": 0}
models = {
    "skmle": CrossEntropyClassifier(alpha=alpha),
    "network, no hidden layer": MLPClassifier((), learning_rate_init=0.01, **network),
    "network, 64 hidden units": MLPClassifier((64,), **network),
}
lines = {}
for name, model in models.items():
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_fit, y_fit)
    seconds = time.perf_counter() - start
    lines[name] = -log_likelihood_score(model, X_new, y_new), seconds
    own = -log_likelihood_score(model, X_fit, y_fit)
    print(f"{name:25s} {own:.4f} on its rows, {lines[name][0]:.4f} on new ones, {seconds:.2f} s")

# %%
# PyTorch is no dependency, so that it is not run here. ``examples/cross_entropy_in_torch.py`` fits
# the same objective by a linear layer and prints
#
# .. code-block:: text
#
#    skmle: 0.117144 on its rows, 0.194825 on new ones, 0.17 s
#    torch, 200 steps of Adam: 0.120654 on its rows, 0.196965 on new ones, 0.32 s
#    torch, then LBFGS: 0.117144 on its rows, 0.194825 on new ones, 0.32 s
#
# Two hundred steps of Adam, the usual way of networks, are near; at the minimum both are the same
# model, to every digit.

# %%
# Time and cross-entropy on one picture.

fig, ax = plt.subplots(layout="constrained")
for name, (entropy, seconds) in lines.items():
    ax.plot(seconds, entropy, "o", color="#0072B2")
    ax.annotate(name, (seconds, entropy), xytext=(6, 6), textcoords="offset points")
ax.set(xscale="log", xlabel="seconds of the fit", ylabel="cross-entropy, nats a row held out")
ax.margins(x=0.35, y=0.2)
plt.show()
