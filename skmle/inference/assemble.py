"""Rows of the table: from coefficients and links to estimates with names, covariance and the scale of their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmle.inference.wald import Inverse, delta_method, standard_errors

Array = NDArray[np.float64]

CONSTANT = "constant parameters"


class LinkLike(Protocol):
    """A monotone map between a parameter and the real line."""

    @property
    def name(self) -> str:
        """Its name; "identity" if it is none."""

    def theta(self, eta: Array) -> Array:
        """Return the parameter."""

    def slope(self, eta: Array) -> Array:
        """Return the parameter's derivative in eta."""


@dataclass(frozen=True)
class Block:
    """Rows of a table, m of them.

    Parameters
    ----------
    components, terms : sequence of str
        As in `Inference`.
    estimate : ndarray of shape (m,)
    covariance : ndarray of shape (m, m)
        Filled with nan where there is none.
    testable : ndarray of bool of shape (m,)
        Where zero is a value of meaning.
    eta, eta_errors : ndarray of shape (m,)
        Estimates on the scale on which the interval is symmetric, and their standard errors.
    inverses : sequence of (callable or None)
        The way back from that scale; None: it is the estimate's own.
    links : frozenset of str
        Names of the links through which intervals go.
    """

    components: Sequence[str]
    terms: Sequence[str]
    estimate: Array
    covariance: Array
    testable: NDArray[np.bool_]
    eta: Array
    eta_errors: Array
    inverses: Sequence[Inverse | None]
    links: frozenset[str] = frozenset()


class Part(NamedTuple):
    """One parameter of a regression, with its coefficients on the scale of its link."""

    name: str
    link: LinkLike
    terms: Sequence[str]
    """Names of the coefficients, the intercept last; of a constant parameter, there is one, with whatever name."""
    coefs: Array
    constant: bool
    """Whether it depends on no feature: it is shown on its own scale."""
    real: bool
    """Whether its range is the whole real line, so that zero is a value like any other."""


def unknown(m: int) -> Array:
    """Return the covariance of m estimates about which nothing is known."""
    return np.full((m, m), np.nan)


def coefficient_rows(
    components: Sequence[str], terms: Sequence[str], estimate: Array, covariance: Array | None
) -> Block:
    """Return rows of coefficients, for all of which zero has a meaning: no effect."""
    m = len(estimate)
    covariance = unknown(m) if covariance is None else covariance
    return Block(
        components,
        terms,
        estimate,
        covariance,
        np.ones(m, bool),
        estimate,
        standard_errors(covariance),
        [None] * m,
    )


def centred_covariance(covariance: Array, k: int) -> Array:
    """Return the covariance of the rows of k classes that sum to zero, given that of k - 1 logits against the last class."""
    q = len(covariance) // (k - 1)
    centring = np.kron(np.vstack([np.eye(k - 1), np.zeros(k - 1)]) - 1.0 / k, np.eye(q))
    lost = np.tile(
        np.isnan(np.diag(covariance))[:q], k
    )  # the data do not determine them, in any class
    result = centring @ np.where(np.isnan(covariance), 0.0, covariance) @ centring.T
    result[lost], result[:, lost] = np.nan, np.nan
    return result


def regression_rows(parts: Sequence[Part], covariance: Array | None) -> Block:
    """Return the rows of a regression: coefficients of the modelled parameters, then constant ones on their own scale.

    Parameters
    ----------
    parts : sequence of Part
        In the order of `covariance`.
    covariance : ndarray of shape (m, m), optional
        Of all coefficients, part by part.
    """
    ends = np.cumsum([len(part.coefs) for part in parts])
    spans = [range(end - len(part.coefs), end) for part, end in zip(parts, ends, strict=True)]
    order = [i for part, span in zip(parts, spans, strict=True) if not part.constant for i in span]
    modelled = [part for part in parts if not part.constant]
    constant = [part for part in parts if part.constant]
    order += [span[0] for part, span in zip(parts, spans, strict=True) if part.constant]
    eta = np.concatenate([np.zeros(0), *(part.coefs for part in parts)])[order]
    first = len(order) - len(constant)
    inverses = [*(None for _ in range(first)), *(_inverse(part.link) for part in constant)]
    estimate, slope = eta.copy(), np.ones(len(eta))
    with np.errstate(over="ignore", under="ignore"):
        for i, part in enumerate(constant, first):
            estimate[i], slope[i] = float(part.link.theta(eta[i])), float(part.link.slope(eta[i]))
    chosen = unknown(len(eta)) if covariance is None else covariance[np.ix_(order, order)]
    return Block(
        [f"{p.name} (link {p.link.name})" for p in modelled for _ in p.terms] + [CONSTANT] * len(constant),
        [term for p in modelled for term in p.terms] + [p.name for p in constant],
        estimate, chosen * np.outer(slope, slope), np.array([True] * first + [p.real for p in constant], bool),
        eta, standard_errors(chosen), inverses, _names(p.link for p in constant),
    )  # fmt: skip


def natural_rows(
    component: str, terms: Sequence[str], estimate: Array, real: Sequence[bool], links: Sequence[LinkLike], eta: Array,
    jacobian: Array, covariance: Array | None,
) -> Block:  # fmt: skip
    """Return rows of natural parameters, by the delta method.

    Parameters
    ----------
    real : sequence of bool
        Whether a parameter's range is the whole real line.
    links : sequence of LinkLike
        For each row, through which its interval goes.
    eta : ndarray of shape (m,)
        The estimates on the scale of these links.
    jacobian : ndarray of shape (m, k)
        Derivative of the estimates in the k coordinates of which `covariance` is that.
    """
    natural = unknown(len(estimate)) if covariance is None else delta_method(covariance, jacobian)
    with np.errstate(all="ignore"):
        slope = np.array(
            [float(link.slope(np.asarray(e))) for link, e in zip(links, eta, strict=True)]
        )
        errors = standard_errors(natural) / np.abs(slope)
    inverses = [_inverse(link) for link in links]
    return Block(
        [component] * len(terms),
        terms,
        estimate,
        natural,
        np.array(real, bool),
        eta,
        errors,
        inverses,
        _names(links),
    )


def join(blocks: Sequence[Block]) -> Block:
    """Return the rows of independent blocks, one below the other."""
    m = sum(len(block.terms) for block in blocks)
    covariance, at = np.zeros((m, m)), 0
    for block in blocks:
        end = at + len(block.terms)
        covariance[at:end, at:end] = block.covariance
        at = end
    return Block(
        [name for block in blocks for name in block.components], [term for block in blocks for term in block.terms],
        np.concatenate([block.estimate for block in blocks]), covariance, np.concatenate([block.testable for block in blocks]),
        np.concatenate([block.eta for block in blocks]), np.concatenate([block.eta_errors for block in blocks]),
        [inverse for block in blocks for inverse in block.inverses], frozenset().union(*(block.links for block in blocks)),
    )  # fmt: skip


def _inverse(link: LinkLike) -> Inverse | None:
    return None if link.name == "identity" else link.theta


def _names(links: Iterable[LinkLike]) -> frozenset[str]:
    return frozenset(link.name for link in links if link.name != "identity")
