"""The law of a family that is nearest to a given law: what maximum likelihood tends to.

The mean log-likelihood of n draws tends to minus the cross-entropy H(p, q_theta), so the estimates
tend to the theta at which that is least, also where p is no law of the family.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skmle._shared.messages import level_outside
from skmle.distribution import MLEDistribution
from skmle.exceptions import FitWarning, NonRegularWarning, NotConvergedWarning
from skmle.families import Distribution, Family, get_family
from skmle.families.tools.expectation import Array
from skmle.information.laws import Finite, Law, Line, same_family
from skmle.information.lines import FamilyLine
from skmle.information.nodes import Nodes, nodes_of
from skmle.information.operands import as_law, pair

__all__ = ["Projection", "project"]

# Divergences of two rounds agree to this. The error of the last is far smaller: next to its minimum
# a divergence moves by the square of what the parameters move.
_AGREEMENT = 1e-10
_ROUNDS = 12  # at most; nearly all pairs of laws need two
# The weight of all nodes together, as of so many rows: a fit that stops at a distance of 1e-6
# standard errors has a mean log-likelihood that is right to 1e-12/(2 rows).
_ROWS, _TOLERANCE = 1e4, 1e-6
# Share of the entropy of the farthest nodes of the first round: of a density that falls like the
# inverse of y, a fit then still has finite squares of its rows.
_FARTHEST = 1e-100
_MISSED = 1e-8  # mass of which the place is not known, as much as the answer may err
_ITERATIONS = 500  # of a fit; a projection is made once, so that none shall stop early


class Projection(Distribution):
    """A law of a family, with what it leaves out of the law that it stands for.

    It is a `skmle.Distribution` with these attributes besides.

    Attributes
    ----------
    cross_entropy : float
        H(p, q) in nats; minus it is the mean log-likelihood that fits of the family tend to.
    divergence : float
        D(p || q) in nats: what no law of the family can tell of p.
    status : str
        Where the minimum is, as `MLEDistribution.status_` says: "interior", or "boundary" where it
        is a limit law of the family.
    """

    cross_entropy: float
    divergence: float
    status: str

    @classmethod
    def beside(cls, law: Distribution, p: Any, status: str) -> Projection:
        """Return a law with its cross-entropy and its divergence from p."""
        found = cls.__new__(cls)
        found.__dict__.update(law.__dict__)
        one, two = pair(p, law)
        found.divergence = float(one.divergence(two, 0).value)
        found.cross_entropy = float(one.entropy(0).value) + found.divergence
        found.status = status
        return found

    def __repr__(self) -> str:
        return f"{super().__repr__()}, {self.divergence:.6g} nats from what it stands for"


def project(
    family: str | type[Family] | Family, law: Any, *, fixed: Mapping[str, float] | None = None
) -> Projection:
    """Return the law of a family that has the least cross-entropy to a given law.

    It is the law to which a maximum-likelihood fit of the family tends as rows of `law` are added,
    whether `law` is in the family or not: the projection of `law` on the family.

    Parameters
    ----------
    family : str, Family class or Family
        As `MLEDistribution` takes it, for observations of one column.
    law : frozen scipy distribution, Distribution, fitted estimator or array-like of shape (K,)
        One law of one number or label. The entries of a vector are the probabilities of
        0, 1, ..., K - 1.
    fixed : dict of str to float, optional
        Parameters of the family that are known.

    Returns
    -------
    Projection
        A `skmle.Distribution` with the attributes `cross_entropy`, `divergence` and `status`.

    Raises
    ------
    ValueError
        If every law of the family has an infinite cross-entropy: because `law` has mass where the
        family has none, or because moments that the family needs do not exist. If `law` is a law of
        several columns, or several laws, or is discrete where the family is continuous.
    TypeError
        If `law` is not a law.

    Warns
    -----
    FitWarning
        If the minimum is not in the interior, or was not found, as `MLEDistribution` warns.

    See Also
    --------
    kl_divergence : The divergence that is least here.
    skmle.MLEDistribution : The same for the empirical law of data.

    Notes
    -----
    The family is fitted to the nodes and weights of a rule of quadrature as if they were data, by
    the same objective, the same solver and the same verdict. Where the family has sufficient
    statistics this matches their expectations, in closed form if the family has one. The nodes are
    refined around the law that was found until the divergence moves by less than 1e-10. Masses are
    summed. A law that is in the family is returned as it is.

    References
    ----------
    White (1982), Maximum likelihood estimation of misspecified models, Econometrica 50.
    Csiszár & Shields (2004), Information theory and statistics: a tutorial, section 3.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle.information import project
    >>> nearest = project("normal", stats.gamma(2.0))  # the normal law of equal mean and variance
    >>> nearest.params["loc"].round(6), nearest.params["scale"].round(6)
    (np.float64(2.0), np.float64(1.414214))
    >>> print(round(nearest.divergence, 4), round(nearest.cross_entropy, 4))
    0.1883 1.7655
    >>> for family in ("lognormal", "weibull"):
    ...     print(family, round(project(family, stats.gamma(2.0)).divergence, 4))
    lognormal 0.0452
    weibull 0.0068
    """
    whole = get_family(family)
    p = as_law(law, "law")
    _check(whole, p)
    own = p.distribution
    if not fixed and own is not None and same_family(own.family, whole):
        return Projection.beside(own, law, "interior")
    found, told = _nearest(whole, fixed, p, law)
    for category, message in told:
        warnings.warn(message, category, stacklevel=level_outside())
    return found


Told = list[tuple[type[Warning], str]]


def _nearest(
    family: Family, fixed: Mapping[str, float] | None, p: Law, given: Any
) -> tuple[Projection, Told]:
    """Return the projection, and what its fit warns of."""
    exact = isinstance(p, Finite)
    nodes = _labels(family, p) if isinstance(p, Finite) else _first_nodes(_line(p))
    before, moved = np.inf, np.inf
    medians: list[float] = []
    for _ in range(_ROUNDS):
        model, told = _fitted(family, fixed, _inside(family, p, nodes))
        law = model.distribution_
        assert isinstance(law, Distribution)  # as there is one column
        found = Projection.beside(law, given, model.status_)
        _check_finite(family, found, given)
        moved = abs(found.divergence - before)
        if exact or moved <= _AGREEMENT * max(1.0, found.divergence):
            return found, [*told, *_missed(found, p, nodes)]
        before = found.divergence
        # Of a law with a cusp, the minimum is between the last places of it.
        medians.append(float(found.median()))
        nodes = nodes_of(_line(p), _bends(found), FamilyLine(found), cuts=medians[-3:])
    why = (
        f"project({family.title}): after {_ROUNDS} rounds of finer nodes the divergence still "
        f"moves by {moved:.3g}. Allowed: {_AGREEMENT:g}. The last law is returned; compare its "
        "divergence with that of laws near it."
    )
    return found, [*told, (NotConvergedWarning, why)]


def _missed(found: Projection, p: Law, nodes: Nodes) -> Told:
    """Return a warning if the law found bends where floats are too coarse to tell how much of p is.

    That is next to an end of the support other than 0, where p is infinite and log q is, too.
    """
    if nodes.at_ends <= _MISSED or not isinstance(p, Line):
        return []
    ends = np.array([end[0] for end in p.support() if np.isfinite(end[0])])
    log_q = found.log_prob(found.family.observation_of(np.append(ends, nodes.y)))
    near = np.array([log_q[len(ends) + np.abs(nodes.y - end).argmin()] for end in ends])
    if (np.abs(log_q[: len(ends)] - near) < 1.0).all():  # less than a nat: none of it counts
        return []
    why = (
        f"project({found.family.title}): the mass {nodes.at_ends:.2g} of {p} is so near to an end "
        f"of its support that no floating-point number tells how near. Allowed: {_MISSED:g}. The "
        "law returned is near the nearest; project the law of the distance from that end."
    )
    return [(NotConvergedWarning, why)]


# ---------------------------------------------------------------- the nodes


def _line(p: Law) -> Line:
    assert isinstance(p, Line)
    return p


def _labels(family: Family, p: Finite) -> Nodes:
    labels: Any = np.arange(len(p.probabilities)) if p.labels is None else p.labels
    y, seen = p.points if family.observation.numeric else labels, p.probabilities > 0.0
    return Nodes(y[seen], p.probabilities[seen])


def _first_nodes(p: Line) -> Nodes:
    """Return nodes that reach far out, as it is not known yet what is to be averaged."""

    def surprise(y: Array) -> Array:
        return p.take(np.zeros(len(y), int)).log_prob(y)[None]

    return nodes_of(p, surprise, least=_FARTHEST)


def _bends(law: Distribution) -> Callable[[Array], Array]:
    """Return what nodes have to average: log q, and its derivatives in eta where it has any."""
    family = law.family
    eta = tuple(map(np.asarray, family.eta(law.theta)))
    smooth = all(np.isfinite(e).all() for e in eta)

    def values(y: Array) -> Array:
        observed = family.observation_of(y)
        rows = [law.log_prob(observed)]
        if smooth:
            rows += family.rows(family.statistics(observed), eta, 1).gradient or ()
        return np.stack([np.broadcast_to(row, y.shape) for row in rows])

    return values


def _inside(family: Family, p: Law, nodes: Nodes) -> Nodes:
    """Return the nodes of a law whose support is inside the family's; ValueError if it is not."""
    if not family.observation.numeric:
        return nodes  # The family learns the labels.
    if not family.support.smooth:
        return _with_ends(p, nodes)
    outside = ~family.contains(family.observation_of(nodes.y))
    low, high = (nodes.y.min(), nodes.y.max()) if isinstance(p, Finite) else _line(p).support()
    support = family.support
    # Of a density the ends decide: no node may be where it is too small for a number.
    beyond = not p.discrete and bool((low < support.low) | (high > support.high))
    if not beyond and not outside.any():
        return nodes
    where = f"a tail beyond {support},"
    if outside.any():
        mass, first = nodes.weight[outside].sum(), nodes.y[outside][0]
        where = f"the mass {mass:.3g}, such as at {first:.6g},"
    raise ValueError(
        f"project({family.title}): every law of the family has an infinite cross-entropy, as {p} "
        f"has {where} where the family has none. Allowed: laws of {family.observations}. Take a "
        "family of a wider support, or a truncated law."
    )


def _with_ends(p: Law, nodes: Nodes) -> Nodes:
    """Return the nodes with the finite ends of the support, where no rule has any."""
    if not isinstance(p, Line):
        return nodes
    ends = np.array([end[0] for end in p.support() if np.isfinite(end[0])])
    least = np.full(len(ends), np.finfo(float).tiny)
    return Nodes(np.append(nodes.y, ends), np.append(nodes.weight, least))


# ---------------------------------------------------------------- the fit


def _fitted(
    family: Family, fixed: Mapping[str, float] | None, nodes: Nodes
) -> tuple[MLEDistribution, Told]:
    """Return the family fitted to the nodes, and what the fit warns of."""
    model = MLEDistribution(
        family, fixed=fixed, tol=_TOLERANCE, max_iter=_ITERATIONS, store_information=False, n_jobs=1
    )
    observed = family.observation_of(nodes.y) if family.observation.numeric else nodes.y
    rows = observed[:, None] if observed.ndim == 1 else observed
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(rows, sample_weight=nodes.weight * _ROWS)
    told: Told = []
    for warning in caught:
        if issubclass(warning.category, NonRegularWarning):
            continue  # It is of standard errors, which a projection has none of.
        if not issubclass(warning.category, FitWarning):
            warnings.warn(warning.message, warning.category, stacklevel=level_outside())
            continue
        told.append((warning.category, str(warning.message).replace("MLEDistribution", "project")))
    return model, told


# ---------------------------------------------------------------- what cannot be


def _check(family: Family, p: Law) -> None:
    shape = p.probabilities.shape[:-1] if isinstance(p, Finite) else getattr(p, "shape", ())
    if shape:
        raise ValueError(
            f"project({family.title}): {p} is {int(np.prod(shape))} laws, of shape {shape}. "
            "Allowed: one law. Project them one by one."
        )
    if p.columns != 1 or not _of_one_number(family):
        columns = p.columns if p.columns != 1 else family.observation.widths
        which = str(p) if p.columns != 1 else "the family"
        raise ValueError(
            f"project({family.title}): an observation of {which} has {columns} columns. Allowed: "
            "laws and families of one number or label. Project the marginal laws of the columns "
            "one by one."
        )
    if p.discrete != family.support.discrete and family.observation.numeric:
        kinds = ["discrete" if kind else "continuous" for kind in (p.discrete, not p.discrete)]
        raise ValueError(
            f"project({family.title}): {p} is {kinds[0]} and the family is {kinds[1]}: masses and "
            f"densities have no common measure. Allowed: a {kinds[0]} family. Take one, or bin the "
            "continuous law."
        )


def _of_one_number(family: Family) -> bool:
    """Return whether one number or label tells all of an observation."""
    if family.observation.columns == 1:
        return True
    whole = family.observation_of(np.zeros(2))  # of two observations, one a row
    return family.univariate and whole.shape == (2, family.observation.columns)


def _check_finite(family: Family, found: Projection, given: Any) -> None:
    if np.isfinite(found.cross_entropy):
        return
    raise ValueError(
        f"project({family.title}): the cross-entropy is infinite at {Distribution.__repr__(found)},"
        f" the law that comes nearest to {as_law(given, 'law')}, because moments that the family "
        "needs do not exist or its support does not hold the whole law. Allowed: laws for which "
        "some law of the family has a finite cross-entropy. Take a family of heavier tails, or "
        "truncate the law."
    )
