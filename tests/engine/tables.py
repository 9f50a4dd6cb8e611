"""Tables with one-hot columns, stored in every way."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

N = 40_000

LEVELS = (14, 3, 12, 19, 40)


def one_hot_columns(rng: np.random.Generator, n: int, levels, dropped: bool = True) -> np.ndarray:
    """Groups of one-hot columns of unequal frequencies.

    A dropped first level leaves rows without a 1.
    """
    parts = []
    for k in levels:
        code = rng.choice(k + dropped, n, p=rng.dirichlet(np.full(k + dropped, 2.0)))
        parts.append((code[:, None] == np.arange(dropped, k + dropped)).astype(float))
    return np.hstack(parts)


def table(n: int = N, far: float = 0.0) -> np.ndarray:
    """Five groups between numeric columns, one of them as far from zero as asked."""
    rng = np.random.default_rng(0)
    groups = one_hot_columns(rng, n, LEVELS)
    return np.column_stack(
        [rng.normal(size=n), groups, rng.normal(size=n), far + rng.normal(size=n)]
    )


def unruly(X: np.ndarray) -> np.ndarray:
    """Two ones in a group, a half, a two and a minus one.

    Each in one row that no small sample sees.
    """
    X = X.copy()
    X[31_007, 1:4] = 1.0
    X[12_345, 20] = 0.5
    X[12_346, 21] = 2.0
    X[39_999, 70] = -1.0
    return X


SUBJECTS = {
    "dense": lambda path: table(),
    "Fortran order": lambda path: np.asfortranarray(table()),
    "float32": lambda path: table().astype(np.float32),
    "CSR": lambda path: sp.csr_array(table()),
    "CSC": lambda path: sp.csc_array(table()),
    "CSR, stored zeros": lambda path: stored_zeros(),
    "memory map": lambda path: mapped(path, table()),
    "far-off column": lambda path: table(far=1e6),
    "far-off column, sparse": lambda path: sp.csr_array(table(far=1e6)),
    "unruly rows": lambda path: unruly(table()),
    "unruly rows, sparse": lambda path: sp.csr_array(unruly(table())),
    "one-hot only": lambda path: table()[:, 1:-2],
    "nothing one-hot": lambda path: np.random.default_rng(0).normal(size=(N, 40)),
    "sparse, nothing one-hot": lambda path: sp.random_array(
        (N, 40), density=0.05, format="csr", rng=np.random.default_rng(0)
    ),
    "read-only view of every other column": lambda path: frozen(
        np.repeat(table(), 2, axis=1)[:, ::2]
    ),
}

CODED = set(SUBJECTS) - {"nothing one-hot", "sparse, nothing one-hot"}


def stored_zeros() -> sp.csr_array:
    X = sp.csr_array(table())
    X.data[:100] = 0.0
    return X


def mapped(path, X: np.ndarray) -> np.memmap:
    np.save(path / "X.npy", X)
    return np.load(path / "X.npy", mmap_mode="r")


def frozen(X: np.ndarray) -> np.ndarray:
    X.flags.writeable = False
    return X


def as_dense(X) -> np.ndarray:
    return np.asarray(X.toarray() if sp.issparse(X) else X, np.float64)
