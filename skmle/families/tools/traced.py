"""Exact derivatives of functions that JAX can trace, where JAX has been imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np

from skmle.families.links import Link
from skmle.families.records import Array, Arrays, Rows, triangle

Jets = Callable[[Any, Any], tuple[Any, Any, Any]]


def _is_there() -> bool:
    """Return whether JAX has been imported, as by whoever writes a function with it."""
    return "jax" in sys.modules


def double_precision() -> AbstractContextManager[Any]:
    """Return a context in which functions written with JAX compute with doubles.

    Elsewhere they would round to seven digits.
    """
    if not _is_there():
        return nullcontext()
    import jax

    return jax.enable_x64(True) if callable(getattr(jax, "enable_x64", None)) else _older()


def _older() -> AbstractContextManager[Any]:
    from jax.experimental import enable_x64

    return enable_x64()


def rows_by_jax(
    log_prob: Callable[..., Any], charts: tuple[Link, ...], y: Array, eta: Arrays, order: int
) -> Rows | None:
    """Return the rows of -log q at chart eta with exact derivatives, by the chain rule.

    None is returned if JAX is not there or cannot trace the function, or if a derivative is no
    number where the value is one.
    """
    if not (_is_there() and isinstance(log_prob, Hashable)):
        return None
    if (known := _jets(log_prob, len(charts))) is None:
        return None
    pairs = zip(charts, eta, strict=True)
    jets = [chart.inverse(np.asarray(e, float)) for chart, e in pairs]
    shape = np.broadcast_shapes(np.shape(y), *(np.shape(jet[0]) for jet in jets))
    theta = tuple(np.broadcast_to(jet[0], shape) for jet in jets)
    with double_precision():
        value, slopes, bends = (_as_numpy(found) for found in known(y, theta))
    value = np.where(np.isnan(value), np.inf, value)
    gradient = tuple(slope * jet[1] for slope, jet in zip(slopes, jets, strict=True))
    curvature = tuple(
        bends[a][b] * jets[a][1] * jets[b][1] + (slopes[a] * jets[a][2] if a == b else 0.0)
        for a, b in triangle(len(jets))
    )
    finite = np.isfinite(value)
    if not all(np.isfinite(entry[finite]).all() for entry in (*gradient, *curvature)):
        return None
    return Rows(value, gradient, curvature).upto(order)


def _as_numpy(found: Any) -> Any:
    return (
        [_as_numpy(one) for one in found] if isinstance(found, (tuple, list)) else np.array(found)
    )


@lru_cache(maxsize=64)
def _jets(log_prob: Callable[..., Any], k: int) -> Jets | None:
    """Return a function of (y, theta) with the value, slopes and bends of -log q, a row each."""
    import jax
    import jax.numpy as jnp

    def slopes(y: Any, theta: Any) -> tuple[Any, Any]:
        def total(moved: Any) -> tuple[Any, Any]:
            values = -log_prob(y, *moved)
            return values.sum(), values

        (_, values), found = jax.value_and_grad(total, has_aux=True)(theta)
        return values, found

    @jax.jit  # type: ignore[untyped-decorator]
    def jets(y: Any, theta: Any) -> tuple[Any, Any, Any]:
        bends = []
        for j in range(k):
            unit = tuple(jnp.full_like(t, float(i == j)) for i, t in enumerate(theta))
            (values, found), (_, moved) = jax.jvp(lambda t: slopes(y, t), (theta,), (unit,))
            bends.append(moved)
        return values, found, bends

    try:
        with double_precision():
            jets(np.ones(1), (np.full(1, 0.5),) * k)
    except Exception:  # written with NumPy, say: JAX has an error of its own for each such case
        return None
    return jets
