"""The categorical law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.families.base import (
    IDENTITY,
    LOGIT,
    Array,
    Arrays,
    Family,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Softmax,
    Support,
)
from skmle.families.links import Link
from skmle.families.tools.odds import odds_of, odds_of_counts, shares_of, slopes_of_shares

_SAFE = 600.0  # eta whose exponentials can be added up as they are
_SHOWN = 10  # labels that a message lists, at most; chosen for reading


class Categorical(Family):
    """Law of one of K labels with the given `probabilities`.

    As a conditional law it is multinomial logistic regression. eta are the K - 1 log-odds against
    the last label.

    Parameters
    ----------
    categories : array-like of labels, int or None, default=None
        The sorted labels; an int K stands for the codes 0, ..., K - 1; None: learnt from the data.
    links : None
        Log-odds are the only link.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 5.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("categorical").fit([["a"], ["b"], ["a"], ["c"]])
    >>> model.params_["probabilities"].round(2)
    array([0.5 , 0.25, 0.25])
    """

    knows_curvature = True
    observation = Observation(numeric=False)
    shortcuts = Shortcuts(starts="maximum")
    support = Support(discrete=True)
    concave = True

    def __init__(self, categories: ArrayLike | int | None = None, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.categories = categories

    def adapt(self, y: Array) -> Family:
        return self if self.categories is not None else Categorical(np.unique(y))

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        p = np.asarray(params["probabilities"], float)
        count = p.shape[-1] if p.ndim else 0
        if not count or (self.categories is not None and len(self.labels) != count):
            known = "" if self.categories is None else f" of length {len(self.labels)}"
            raise ValueError(
                f"Categorical: probabilities of shape {p.shape}. Allowed: one for each category on "
                f"the last axis{known}. Give them so."
            )
        return self if self.categories is not None else Categorical(count)

    def check_links(self) -> None:
        if self.links:
            raise ValueError(
                f"Categorical(links={self.links!r}): log-odds are the only link. Allowed: None. "
                "Leave links out."
            )

    @property
    def labels(self) -> NDArray[Any]:
        """The K labels in order."""
        if self.categories is None:
            raise ValueError(
                "Categorical(): categories=None is learnt from data by fit. Allowed: labels or a "
                "number; give them to use it."
            )
        if isinstance(self.categories, (int, np.integer)):
            return np.arange(self.categories)
        labels = np.asarray(self.categories)
        if np.any(labels[1:] <= labels[:-1]):
            at = int(np.argmax(labels[1:] <= labels[:-1]))
            found = f"{labels[at]!r} stands before {labels[at + 1]!r}"
            raise ValueError(
                f"Categorical(categories=...): {found}. Allowed: rising labels, each once. Sort "
                "them by np.unique(labels)."
            )
        return labels

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(
            Param(f"logit[{label}]", IDENTITY, modelled=True) for label in self.labels[:-1]
        )

    @property
    def names(self) -> tuple[str, ...]:
        return ("probabilities",)

    def dimensionless(self, index: int) -> bool:
        return True

    @property
    def observations(self) -> str:
        if self.categories is None:
            return "any labels"
        labels = np.asarray(self.labels).tolist()
        more = f", ... ({len(labels)} in all)" if len(labels) > _SHOWN else ""
        return f"the labels {', '.join(map(repr, labels[:_SHOWN]))}{more}"

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.isin(y, self.labels)

    def statistics(self, y: Array) -> Arrays:
        if isinstance(self.categories, (int, np.integer)):
            return (np.asarray(y).astype(np.intp),)
        return (np.searchsorted(self.labels, y),)  # type: ignore[return-value]

    def restore(self, statistics: Arrays) -> Array:
        return self.labels[statistics[0]]

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return self._softmax(statistics[0], eta, order, 1.0)

    def _softmax(self, codes: Array, eta: Arrays, order: int, reference: float) -> Rows:
        """Return the rows where e^eta are the odds against a last label, whose eta is zero.

        `reference` is its share.
        """
        if len({np.shape(entry) for entry in eta}) > 1:
            eta = np.broadcast_arrays(*eta)
        e = np.asarray(eta, float, order="C").reshape(
            len(eta), -1 if len(eta) else 1
        )  # (k, n), or (k, 1) without features
        # Arrays of all classes and rows are what takes the time, so none is made that need not be.
        safe = not e.size or (e.max() < _SAFE and (reference or e.min() > -_SAFE))
        top = 0.0 if safe else e.max(axis=0, initial=0.0 if reference else -np.inf)
        p = np.exp(e if safe else e - top)
        total = p.sum(axis=0) + (reference * np.exp(-top) if reference else 0.0)
        value = np.log(total)
        if e.shape[1] != len(codes):  # one law for all rows
            chosen = codes == np.arange(len(e))[:, None]
            value = value + top - np.where(chosen, e, 0.0).sum(axis=0)
            p /= total
            if order < 1:
                return Rows(value)
            curvature = Softmax(p) if order > 1 else None
            return Rows(value, p - chosen, curvature)  # type: ignore[arg-type]
        rows = np.flatnonzero(codes < len(e))
        at: NDArray[np.intp] = np.asarray(codes[rows] * len(codes) + rows, np.intp)
        # Far out the largest eta and that of y may be the same: their difference is taken first.
        lead = np.zeros(len(codes)) if safe else np.asarray(top)
        lead[rows] -= e.ravel().take(at)
        value += lead
        if order < 1:
            return Rows(value)
        p /= total  # exactly 1 where all else vanishes, which a product with 1 / total need not be
        gradient = p.copy() if order > 1 else p
        gradient.ravel()[at] -= 1.0
        return Rows(value, gradient, Softmax(p) if order > 1 else None)  # type: ignore[arg-type]

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        counts = np.bincount(statistics[0], weight, minlength=len(self.labels)).astype(float)
        return [odds_of_counts(counts)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        codes = statistics[0]
        d = np.stack(np.broadcast_arrays(*delta, np.zeros(len(codes))))
        return d.max(axis=0) - d[codes, np.arange(len(codes))]

    def natural(self, eta: Arrays) -> Arrays:
        return (shares_of(eta),)

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        return slopes_of_shares(shares_of(eta))

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        return tuple(f"probabilities[{label}]" for label in self.labels)

    def natural_charts(self) -> tuple[Link, ...]:
        return (LOGIT,) * len(self.labels)

    def eta(self, theta: Arrays) -> Arrays:
        return odds_of(theta[0])

    # The law itself is that of the label's position in the order of the labels; `quantile` and
    # `sample` return labels.

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import rv_discrete

        (p,) = theta
        if np.ndim(p) != 1:
            rows = f"a categorical law with {np.shape(p)[:-1]} rows"
            raise ValueError(
                f"to_scipy: {rows} has no scipy counterpart. Allowed: a single law. Take one row "
                "first."
            )
        return rv_discrete(name="categorical", values=(np.arange(len(p)), p))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        with np.errstate(divide="ignore"):
            log_p = np.log(theta[0])
        return np.where(self.labels == np.asarray(y)[..., None], log_p, -np.inf).max(axis=-1)

    def mean(self, theta: Arrays) -> Array:
        return np.asarray(theta[0] @ self._numbers("mean"))

    def variance(self, theta: Arrays) -> Array:
        distance = self._numbers("variance") - self.mean(theta)[..., None]
        return np.asarray((theta[0] * distance**2).sum(axis=-1))

    def _numbers(self, method: str) -> Array:
        try:
            return np.asarray(self.labels, float)
        except ValueError:
            found = f"{method}: the labels are not numbers, as {self.labels[0]!r}"
            raise ValueError(f"{found}. Allowed: numbers. Ask for the probabilities.") from None

    def cdf(self, y: Array, theta: Arrays) -> Array:
        below = self.labels <= np.asarray(y)[..., None]
        return np.asarray((theta[0] * below).sum(axis=-1))

    def sf(self, y: Array, theta: Arrays) -> Array:
        above = self.labels > np.asarray(y)[..., None]
        return np.asarray((theta[0] * above).sum(axis=-1))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        steps = np.cumsum(theta[0], axis=-1)[..., :-1]
        return self.labels[(steps < np.asarray(q)[..., None] - 1e-15).sum(axis=-1)]

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self.quantile(1.0 - q, theta)

    def probabilities(self, theta: Arrays) -> tuple[Array, NDArray[Any] | None]:
        coded = isinstance(self.categories, (int, np.integer))
        return theta[0], None if coded else self.labels

    def known_entropy(self, theta: Arrays) -> Array:
        from scipy.special import entr

        return np.asarray(entr(theta[0]).sum(axis=-1))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.quantile(rng.random(size), theta)


class SymmetricCategorical(Categorical):
    """The same law with an eta for every label, for penalties that have no reference label.

    A constant added to all eta changes nothing: what penalises them chooses it.
    """

    redundant = True

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(Param(f"eta[{label}]", IDENTITY, modelled=True) for label in self.labels)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return self._softmax(statistics[0], eta, order, 0.0)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [(*start, 0.0) for start in super().starts(statistics, weight)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        return super().recession(statistics, self._odds(delta))

    def natural(self, eta: Arrays) -> Arrays:
        return super().natural(self._odds(eta))

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        (p,) = self.natural(eta)
        return np.diag(p) - np.outer(p, p)

    def eta(self, theta: Arrays) -> Arrays:
        odds = super().eta(theta)
        return (*odds, np.zeros_like(odds[0]))

    def _odds(self, eta: Arrays) -> Arrays:
        """Return the log-odds against the last label."""
        return tuple(np.asarray(e) - eta[-1] for e in eta[:-1])
