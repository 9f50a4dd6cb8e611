"""The cross-entropy of `plot_one_cross_entropy.py` minimised by PyTorch, which is no dependency.

``pip install torch skmle``, then ``python examples/cross_entropy_in_torch.py``.
"""

import time

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmle import CrossEntropyClassifier
from skmle.metrics import log_likelihood_score

ALPHA = 1e-3

X, y = load_digits(return_X_y=True)
X_fit, X_new, y_fit, y_new = train_test_split(X / 16.0, y, test_size=0.5, random_state=0)
features, labels = torch.tensor(X_fit), torch.tensor(y_fit)

start = time.perf_counter()
model = CrossEntropyClassifier(alpha=ALPHA).fit(X_fit, y_fit)
seconds = time.perf_counter() - start
own, new = (-log_likelihood_score(model, *rows) for rows in [(X_fit, y_fit), (X_new, y_new)])
print(f"skmle: {own:.6f} on its rows, {new:.6f} on new ones, {seconds:.2f} s")

# The same objective: mean cross-entropy, and half the squared slopes times alpha.
torch.manual_seed(0)
network = torch.nn.Linear(64, 10, dtype=torch.float64)
entropy = torch.nn.CrossEntropyLoss()


def objective() -> torch.Tensor:
    """Return what is minimised, with its derivatives stored in the network."""
    optimizer.zero_grad()
    value = entropy(network(features), labels) + 0.5 * ALPHA * network.weight.square().sum()
    value.backward()
    return value


def tell(title: str, start: float) -> None:
    """Print the mean cross-entropies and the time since the start."""
    seconds = time.perf_counter() - start
    with torch.no_grad():
        own = entropy(network(features), labels)
        new = entropy(network(torch.tensor(X_new)), torch.tensor(y_new))
    print(f"{title}: {own:.6f} on its rows, {new:.6f} on new ones, {seconds:.2f} s")


optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
start = time.perf_counter()
for _ in range(200):
    objective()
    optimizer.step()
tell("torch, 200 steps of Adam", start)

optimizer = torch.optim.LBFGS(
    network.parameters(), max_iter=1000, tolerance_change=0.0, line_search_fn="strong_wolfe"
)
start = time.perf_counter()
optimizer.step(objective)
tell("torch, then LBFGS", start)
