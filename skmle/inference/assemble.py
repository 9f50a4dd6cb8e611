"""Lines of the table of a fit, made from its coefficients, their links and their covariance.

A line is one estimate: its name, its variance, and the scale on which its interval is symmetric.
"""

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
    """A monotone map between a parameter and the real line, eta."""

    @property
    def name(self) -> str:
        """Its name; "identity" where eta is the parameter itself."""

    def theta(self, eta: Array) -> Array:
        """Return the parameter."""

    def slope(self, eta: Array) -> Array:
        """Return the parameter's derivative in eta."""


@dataclass(frozen=True)
class TableLines:
    """Lines of the table of a fit, m of them.

    Parameters
    ----------
    components, terms : sequence of str
        As in `Inference`.
    estimate : ndarray of shape (m,)
    covariance : ndarray of shape (m, m)
        Of the estimates; full of nan if it is not known.
    testable : ndarray of bool of shape (m,)
        Where zero is a value like any other, so that a test against it makes sense.
    eta, eta_errors : ndarray of shape (m,)
        Estimates on the scale on which the interval is symmetric, and their standard errors.
    inverses : sequence of (callable or None)
        For each line, the map from that scale to the estimate; None where they are the same.
    links : frozenset of str
        Names of the links on whose scale intervals are taken, for the note below the table.
    coefficients : bool
        Whether some lines are coefficients of columns.
    ratio_names : sequence of str
        For each line, what its exponential is, such as "odds ratio"; "" if nothing. Empty: no line.
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
    coefficients: bool = True
    ratio_names: Sequence[str] = ()


class Part(NamedTuple):
    """One parameter of a regression, with its coefficients on the scale of its link."""

    name: str
    link: LinkLike
    terms: Sequence[str]
    """Names of the coefficients, the intercept last.

    A constant parameter has one coefficient. Its name here is not used: its line has the
    parameter's name.
    """
    coefs: Array
    constant: bool
    """Whether the parameter depends on no feature. It is then shown on its own scale."""
    real: bool
    """Whether zero lies inside the parameter's range and is a value like any other."""
    ratio: str = ""
    """What the exponential of a slope is; "" if nothing."""
    intercept: bool = False
    """Whether the last coefficient is an intercept."""


def unknown(m: int) -> Array:
    """Return the covariance of m estimates about which nothing is known."""
    return np.full((m, m), np.nan)


def coefficient_lines(
    components: Sequence[str],
    terms: Sequence[str],
    estimate: Array,
    covariance: Array | None,
    ratio_names: Sequence[str] = (),
) -> TableLines:
    """Return the lines of coefficients; zero means "no effect" for each, so all can be tested."""
    m = len(estimate)
    covariance = unknown(m) if covariance is None else covariance
    return TableLines(
        components=components,
        terms=terms,
        estimate=estimate,
        covariance=covariance,
        testable=np.ones(m, bool),
        eta=estimate,
        eta_errors=standard_errors(covariance),
        inverses=[None] * m,
        ratio_names=ratio_names,
    )


def centred_covariance(covariance: Array, k: int) -> Array:
    """Return the covariance of the symmetric coefficients of k classes.

    The engine fits k - 1 vectors of q coefficients, each class against the last, and `covariance`
    is theirs, class by class. The symmetric ones add the last class's vector, zero, and subtract
    the mean of all k, so that they sum to zero.
    """
    q = len(covariance) // (k - 1)
    centring = np.vstack([np.eye(k - 1), np.zeros(k - 1)]) - 1.0 / k
    # What the data do not determine for one class they determine for none: its column is to blame.
    undetermined = np.tile(np.isnan(np.diag(covariance)).reshape(k - 1, q).any(axis=0), k)
    known = np.where(np.isnan(covariance), 0.0, covariance).reshape(k - 1, q, k - 1, q)
    # Along the classes of one side, then of the other.
    once = np.tensordot(centring, known, axes=1)
    result = np.einsum("aibj,cb->aicj", once, centring, optimize=True).reshape(k * q, k * q)
    result[undetermined], result[:, undetermined] = np.nan, np.nan
    return result


def regression_lines(parts: Sequence[Part], covariance: Array | None) -> TableLines:
    """Return the lines of a regression.

    Coefficients of the modelled parameters come first, on the scale of their links; then come the
    constant parameters, each on its own scale, by the delta method.

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
    with np.errstate(over="ignore"):  # an error beyond the numbers is infinite
        natural = chosen * np.outer(slope, slope)
    components = [f"{p.name} (link {p.link.name})" for p in modelled for _ in p.terms]
    return TableLines(
        components=components + [CONSTANT] * len(constant),
        terms=[term for p in modelled for term in p.terms] + [p.name for p in constant],
        estimate=estimate,
        covariance=natural,
        testable=np.array([True] * first + [p.real for p in constant], bool),
        eta=eta,
        eta_errors=standard_errors(chosen),
        inverses=inverses,
        links=_names(p.link for p in constant),
        ratio_names=[
            *(
                "" if part.intercept and i == len(part.terms) - 1 else part.ratio
                for part in modelled
                for i in range(len(part.terms))
            ),
            *("" for _ in constant),
        ],
    )


def natural_lines(
    component: str,
    terms: Sequence[str],
    estimate: Array,
    real: Sequence[bool],
    links: Sequence[LinkLike],
    eta: Array,
    jacobian: Array,
    covariance: Array | None,
) -> TableLines:
    """Return the lines of natural parameters, by the delta method.

    Parameters
    ----------
    real : sequence of bool
        Whether zero lies inside a parameter's range.
    links : sequence of LinkLike
        For each line, the link on whose scale its interval is symmetric.
    eta : ndarray of shape (m,)
        The estimates on the scale of these links.
    jacobian : ndarray of shape (m, k)
        Derivatives of the estimates in the k coordinates that were fitted.
    covariance : ndarray of shape (k, k), optional
        Of these coordinates; None if it is not known.
    """
    # Without coordinates, all was found without a derivative, so that no error is known.
    if covariance is None or not covariance.size:
        natural = unknown(len(estimate))
    else:
        natural = delta_method(covariance, jacobian)
    with np.errstate(all="ignore"):
        slope = np.array(
            [float(link.slope(np.asarray(e))) for link, e in zip(links, eta, strict=True)]
        )
        own = standard_errors(natural)
        errors = np.where(own == 0.0, 0.0, own / np.abs(slope))  # sure at an end of its range
    inverses = [_inverse(link) for link in links]
    return TableLines(
        components=[component] * len(terms),
        terms=terms,
        estimate=estimate,
        covariance=natural,
        testable=np.array(real, bool),
        eta=eta,
        eta_errors=errors,
        inverses=inverses,
        links=_names(links),
        coefficients=False,
    )


def join(fits: Sequence[TableLines]) -> TableLines:
    """Return the lines of several independent fits, one below the other."""
    m = sum(len(lines.terms) for lines in fits)
    covariance, at = np.zeros((m, m), np.result_type(*(lines.covariance for lines in fits))), 0
    for lines in fits:
        end = at + len(lines.terms)
        covariance[at:end, at:end] = lines.covariance
        at = end
    return TableLines(
        components=[name for lines in fits for name in lines.components],
        terms=[term for lines in fits for term in lines.terms],
        estimate=np.concatenate([lines.estimate for lines in fits]),
        covariance=covariance,
        testable=np.concatenate([lines.testable for lines in fits]),
        eta=np.concatenate([lines.eta for lines in fits]),
        eta_errors=np.concatenate([lines.eta_errors for lines in fits]),
        inverses=[inverse for lines in fits for inverse in lines.inverses],
        links=frozenset().union(*(lines.links for lines in fits)),
        coefficients=any(lines.coefficients for lines in fits),
    )


def _inverse(link: LinkLike) -> Inverse | None:
    return None if link.name == "identity" else link.theta


def _names(links: Iterable[LinkLike]) -> frozenset[str]:
    return frozenset(link.name for link in links if link.name != "identity")
