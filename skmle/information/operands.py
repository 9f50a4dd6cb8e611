"""From what users give to a law: probability vectors, scipy's laws, ours and fitted models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils import check_array

from skmle import families
from skmle.families import Distribution, Family
from skmle.families.independent import IndependentColumns
from skmle.families.tools.expectation import Array, expectation
from skmle.families.tools.scipy_laws import arguments_of, is_frozen
from skmle.information.laws import Finite, Law, Many
from skmle.information.lines import FamilyLine, ScipyLine

_SUM = 1e-8  # by how much probabilities may miss one: rounding, not percentages or counts
_MASS = 1e-6  # by how much scipy's densities may
_ALLOWED = (
    "Allowed: probability vectors, frozen scipy distributions such as scipy.stats.norm(0, 1), "
    "skmle Distributions and fitted skmle estimators of a density"
)


def as_law(value: Any, name: str) -> Law:
    """Return the law that `value` stands for; TypeError if none, ValueError if it is not one."""
    fitted = getattr(value, "distribution_", None)
    if isinstance(fitted, (Distribution, IndependentColumns)):
        value = fitted
    if isinstance(value, Distribution):
        return _from_distribution(value)
    if isinstance(value, IndependentColumns):
        parts = tuple(_from_distribution(law) for law in value.laws)
        return Many(
            value,
            len(parts),
            lambda x: value.log_prob(x).sum(axis=-1),
            parts[0].discrete,
            _joint_normal(value),
            parts,
        )
    if isinstance(value, (stats.rv_continuous, stats.rv_discrete)):
        if value.numargs:
            raise TypeError(
                f"{name}: scipy.stats.{value.name} without its {value.shapes}. {_ALLOWED}. Freeze "
                "it: call it with them."
            )
        value = value()
    if isinstance(getattr(value, "dist", None), (stats.rv_continuous, stats.rv_discrete)):
        return _from_scipy(value, name)
    if isinstance(value, (list, tuple, np.ndarray)) or hasattr(value, "__array__"):
        return Finite(checked_probabilities(value, name))
    if any(callable(getattr(value, method, None)) for method in ("logpdf", "logpmf")) and callable(
        getattr(value, "rvs", None)
    ):
        return _from_columns(value, name)
    fits = callable(getattr(value, "fit", None))
    hint = (
        "Fit it first; of a conditional model take empirical_cross_entropy"
        if fits
        else "Give one of them"
    )
    raise TypeError(
        f"{name}: got {value!r} of type {type(value).__name__}, which is no law. {_ALLOWED}. "
        f"{hint}."
    )


def from_the_finer_end(*laws: Any) -> tuple[Any, ...]:
    """Return laws of scipy as those of 1 - Y, if the one next to an end is next to 1.

    No measure changes. But doubles are coarse next to 1, where the mean of a law may round to 1.
    """
    turned = [found for law in laws if (found := _turned(law)) is not None]
    if len(turned) < len(laws):
        return laws
    logits = np.concatenate([logit for _, logit in turned])
    nearer_to_1 = logits.max(initial=-np.inf) > -logits.min(initial=np.inf)
    return tuple(law for law, _ in turned) if nearer_to_1 else laws


def _turned(value: Any) -> tuple[Any, Array] | None:
    """Return a law of scipy on (0, 1) as that of 1 - Y, and the logits of its means.

    None is returned for all other laws.
    """
    dist = getattr(value, "dist", None)
    if not isinstance(dist, stats.rv_continuous):
        return None
    family = families.native_family(dist.name)
    if family is None or family.turned is None:
        return None
    given, (one, other) = arguments_of(value), family.turned
    if np.any(given["loc"]) or np.any(np.not_equal(given["scale"], 1.0)):
        return None
    with np.errstate(all="ignore"):  # of laws that there are not, which are refused
        logits = np.log(np.ravel(given[one])) - np.log(np.ravel(given[other]))
    return dist(**{**given, one: given[other], other: given[one]}), logits


def _joint_normal(columns: IndependentColumns) -> Distribution | None:
    """Return independent normal columns as one normal law, which has a divergence from others."""
    if not all(type(law.family) is families.Normal and law.shape == () for law in columns.laws):
        return None
    loc, scale = (np.array(values) for values in zip(*(q.theta for q in columns.laws), strict=True))
    if not (scale > 0.0).all():
        return None
    theta = {"mean": loc, "covariance": np.diag(scale**2)}
    return Distribution(families.MultivariateNormal(len(loc)), theta)


def pair(p: Any, q: Any) -> tuple[Law, Law]:
    """Return the two laws, of the same kind of observation."""
    p, q = from_the_finer_end(p, q)
    try:
        one = as_law(p, "p")
    except ValueError as error:
        if not isinstance(p, (list, tuple, np.ndarray)) and not hasattr(p, "__array__"):
            raise
        hint = "If p holds observations, take empirical_cross_entropy(q, p)."
        raise ValueError(f"{error} {hint}") from None
    two = as_law(q, "q")
    one, two = _beside(p, one, two), _beside(q, two, one)
    check_comparable(one, two)
    return one, two


def surprise_of_rows(model: Any, X: Any) -> Array | None:
    """Return -log q of each row of X in nats; None if `model` is not a law."""
    law = _log_prob(model)
    if law is None:
        return None
    log_prob, one_column = law
    rows = check_array(X, ensure_2d=False, allow_nd=True, dtype=None, input_name="X")
    try:
        nats = -np.asarray(
            log_prob(rows[:, 0] if one_column and rows.ndim == 2 and rows.shape[1] == 1 else rows),
            float,
        )
        fits = nats.shape == rows.shape[:1]
    except (ValueError, IndexError, TypeError):
        fits = False
    if not fits:
        raise ValueError(
            f"empirical_cross_entropy: X of shape {rows.shape} does not hold observations of "
            f"{model!r}. Allowed: an observation in each row, shape (n,) or (n, columns), and "
            "parameters for one law or for n. Reshape X."
        )
    return nats


def _log_prob(model: Any) -> tuple[Callable[[Any], Any], bool] | None:
    """Return log q and whether q is of one column; None if `model` is not a law."""
    if isinstance(model, Distribution):
        return model.log_prob, model.family.observation.columns == 1
    if isinstance(model, IndependentColumns):
        return lambda rows: model.log_prob(rows).sum(axis=-1), False
    dist = getattr(model, "dist", None)
    if isinstance(dist, (stats.rv_continuous, stats.rv_discrete)):
        return (model.logpmf if isinstance(dist, stats.rv_discrete) else model.logpdf), True
    method = getattr(model, "logpdf", getattr(model, "logpmf", None))
    return (
        None
        if method is None
        else (method, isinstance(model, (stats.rv_continuous, stats.rv_discrete)))
    )


def checked_probabilities(value: Any, name: str, axes: int = 1) -> Array:
    """Return `value` as floats whose last `axes` axes hold probabilities that sum to one.

    Raises
    ------
    TypeError, ValueError
        If it is no array of numbers, or they are no such probabilities.
    """
    try:
        p = np.asarray(value, float)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{name}: got {value!r:.100}, which is no array of numbers. {_ALLOWED}. Give an array "
            "of probabilities."
        ) from None
    table = "vector" if axes == 1 else "table"
    if p.ndim < axes or 0 in p.shape:
        raise ValueError(
            f"{name}: an array of shape {p.shape} holds no probability {table}. Allowed: {axes} or "
            "more axes, none of length 0. Reshape it."
        )
    bad = ~(np.isfinite(p) & (p >= 0.0))
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name}: {int(bad.sum())} of {p.size} entries are no probabilities, the first "
            f"{float(p[first])!r} at {first}. Allowed: finite numbers >= 0. Correct the entries."
        )
    sums = p.sum(axis=tuple(range(-axes, 0)), keepdims=True)
    coarse = _coarse(value)
    allowed = max(_SUM, coarse)
    off = np.abs(sums - 1.0) > allowed
    if off.any():
        worst = float(np.atleast_1d(sums)[np.atleast_1d(off)][0])
        raise ValueError(
            f"{name}: {int(off.sum())} of {sums.size} probability {table}s do not sum to 1; the "
            f"first sums to {worst:.10g}. Allowed: a sum within {allowed:.2g} of 1. Normalise: "
            "divide by the sum, in double precision. For observations instead of probabilities "
            "take empirical_cross_entropy(model, X)."
        )
    return p / sums if coarse else p


def _coarse(value: Any) -> float:
    """Return by how much sums of numbers in less than double precision may miss one; else 0.

    It is the square root of their relative spacing, as in scikit-learn's log_loss.
    """
    kind = getattr(value, "dtype", None)
    if not isinstance(kind, np.dtype) or kind.kind != "f" or kind.itemsize >= 8:
        return 0.0
    return float(np.sqrt(np.finfo(kind).eps))


def _from_distribution(law: Distribution) -> Law:
    law = law.family.predicted(law.theta)  # without parameters held fixed
    for limit in law.family.limits:
        if np.all(law.params[limit.parameter] == limit.value):
            shape = law.shape
            rest = {
                name: np.broadcast_to(law.params[place], shape)
                for name, place in zip(
                    limit.family.names, limit.places or limit.family.names, strict=True
                )
            }
            law = Distribution(limit.family, rest)
            break
    family = law.family
    finite = family.probabilities(law.theta)
    if finite is not None:
        return Finite(*finite)
    if family.univariate:
        return FamilyLine(law)
    return Many(law, np.shape(law.mean())[-1], law.log_prob, law.discrete, law)


def _recognised(family: type[Family], name: str, parameters: Mapping[str, Any]) -> Law | None:
    """Return scipy's law `name` as one of the family; None if it is none."""
    if family.scipy_name != name:
        return None
    values = {key: np.asarray(value, float) for key, value in parameters.items()}
    known = family.from_scipy(**values)
    if known is None:
        return None
    own, theta = known
    return _from_distribution(Distribution(own, dict(zip(own.names, theta, strict=True))))


def _registered(name: str, parameters: Mapping[str, Any]) -> Law | None:
    """Return scipy's law `name` as one of the families of the library; None if it is none."""
    family = families.native_family(name)
    return None if family is None else _recognised(family, name, parameters)


def _beside(given: Any, law: Law, other: Law) -> Law:
    """Return a law of scipy as one of the other's family, which may be a user's own, if it is."""
    if not is_frozen(given) or other.distribution is None:
        return law
    family = type(other.distribution.family)
    return _recognised(family, given.dist.name, arguments_of(given)) or law


def _from_scipy(frozen: Any, name: str) -> Law:
    dist = frozen.dist
    parameters = arguments_of(frozen)
    if np.isnan(frozen.support()).any():
        given = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
        raise ValueError(
            f"{name}: scipy.stats.{dist.name} has no law with {given}. Allowed: see its "
            "documentation. Correct them."
        )
    if getattr(dist, "xk", None) is not None:
        order = np.argsort(dist.xk)
        return Finite(
            np.asarray(dist.pk, float)[order], np.asarray(dist.xk)[order] + parameters["loc"]
        )
    known = _registered(dist.name, parameters)
    return _checked_line(ScipyLine(dist, parameters), name) if known is None else known


def _checked_line(law: ScipyLine, name: str) -> ScipyLine:
    """Return `law` if it is one on the line.

    Some of scipy's are periodic, or take a vector for one law.
    """
    mass = expectation(
        law.rows(law.shape), law.rows(law.shape), lambda log_p, log_q: np.ones_like(log_p)
    )
    off = ~(np.abs(mass - 1.0) < _MASS)
    if off.any():
        raise ValueError(
            f"{name}: {law} has the mass {mass[off][0]:.6g} over its support. Allowed: laws whose "
            "masses or densities, as scipy computes them, sum to 1. Take a law on the line, such "
            "as vonmises_line for vonmises, or the probability vector."
        )
    return law


def _from_columns(frozen: Any, name: str) -> Law:
    kind = type(frozen).__name__.removesuffix("_frozen")
    if kind == "multivariate_normal":
        known = _registered(kind, {"mean": frozen.mean, "cov": frozen.cov})
        assert known is not None
        return known
    discrete = callable(getattr(frozen, "logpmf", None))
    log_prob = frozen.logpmf if discrete else frozen.logpdf
    if kind == "dirichlet":  # scipy's only law whose observations are columns
        log_prob = lambda x: frozen.logpdf(x.T)  # noqa: E731
    draws = np.asarray(frozen.rvs(size=5, random_state=0), float)
    if draws.ndim != 2 or np.shape(log_prob(draws)) != (5,):
        raise TypeError(
            f"{name}: an observation of {kind} has the shape {draws.shape[1:]}. {_ALLOWED}. Give a "
            "law of vectors."
        )
    return Many(frozen, draws.shape[1], log_prob, discrete)


def check_comparable(p: Law, q: Law) -> None:
    """Raise ValueError unless p and q are laws of the same kind of observation."""
    if p.discrete != q.discrete:
        kinds = ["discrete" if law.discrete else "continuous" for law in (p, q)]
        raise ValueError(
            f"p is {kinds[0]} ({p}) and q is {kinds[1]} ({q}): masses and densities have no common "
            "measure. Allowed: both discrete or both continuous. Compare it with a law of its own "
            "kind, or bin the continuous one."
        )
    if p.columns != q.columns or isinstance(p, Many) != isinstance(q, Many):
        raise ValueError(
            f"p is a law of {p.columns} columns ({p}) and q of {q.columns} ({q}). Allowed: as many "
            "columns of both. Take the marginal law of the columns in common."
        )
    if isinstance(p, Finite) and isinstance(q, Finite) and (p.labels is None or q.labels is None):
        sizes = p.probabilities.shape[-1], q.probabilities.shape[-1]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"p has {sizes[0]} entries and q has {sizes[1]}. Allowed: one probability of each "
                "for every category. Give categories that never occur the probability 0."
            )
    _check_rows(p, q)


def _check_rows(p: Law, q: Law) -> None:
    shapes = [
        law.probabilities.shape[:-1] if isinstance(law, Finite) else getattr(law, "shape", ())
        for law in (p, q)
    ]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"p has rows of shape {shapes[0]} and q of shape {shapes[1]}. Allowed: shapes that "
            "broadcast, such as (n,) with (n,) or (). Select the rows in common."
        ) from None
