"""Write values.json: awkward samples of every family, and their maxima in 50 digits by mpmath.

    PYTHONPATH=. python tests/reference/limits/make.py                 every family
    PYTHONPATH=. python tests/reference/limits/make.py gumbel cauchy   these alone

Run it with mpmath installed. The formulas are those below and those of ``../laws``. The library
and its tests do not need mpmath. The log-likelihood is written down here once more, apart from the
library. Newton's method in 120 digits starts at the library's answer and goes on to the maximum;
there the gradient is zero to 50 digits of a standard error and the Hessian is definite. Where there
is no maximum inside, the limit law's own maximum is given. Samples of which neither is found are
left out.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np

from skmle import MLEDistribution
from skmle.families import get_family
from skmle.families.com_poisson import GeometricFromZero
from skmle.families.johnson_su import JohnsonSL
from skmle.families.normal_inverse_gaussian import InverseGaussianFromEnd
from skmle.families.skellam import FirstCount
from skmle.families.skew_normal import MOST_SKEWED
from skmle.families.skew_t import InverseNakagamiFromEnd
from skmle.families.tools.atoms import atoms_of

HERE = Path(__file__).parent
mp.mp.dps = 120
WIDE = 700  # digits for numbers of 1e-300 that have no unit, as shares: a precision is 1e300
SOME = 80  # digits for laws that are sums of many terms, of which each takes long
STEP = mp.mpf(10) ** -20  # of differences, in standard errors or so
FLAT = 1e3  # standard error from which rows tell nothing of a coordinate, and Newton's end no place
SCORES = np.array([-1.4, -0.9, -0.45, -0.1, 0.2, 0.55, 0.8, 1.3])
NORMAL = np.array([-1.53, -0.89, -0.49, -0.16, 0.16, 0.49, 0.89, 1.53])  # quantiles

# ---------------------------------------------------------------- laws: log q(y) by parameters


def logistic(z):
    return -abs(z) - 2 * mp.log1p(mp.exp(-abs(z)))


def student(y, loc, scale, df):
    z = (y - loc) / scale
    c = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    return c - (df + 1) / 2 * mp.log1p(z * z / df) - mp.log(scale)


def normal(y, loc, scale):
    return -(((y - loc) / scale) ** 2) / 2 - mp.log(scale) - mp.log(2 * mp.pi) / 2


def gamma(y, mean, shape):
    rate = shape / mean
    return shape * mp.log(rate) + (shape - 1) * mp.log(y) - rate * y - mp.loggamma(shape)


def beta(y, mean, precision):
    a, b = mean * precision, (1 - mean) * precision
    c = mp.loggamma(precision) - mp.loggamma(a) - mp.loggamma(b)
    return c + (a - 1) * mp.log(y) + (b - 1) * mp.log1p(-y)


def inverse_gaussian(y, mean, shape):
    return (mp.log(shape / (2 * mp.pi * y**3)) - shape * (y - mean) ** 2 / (mean**2 * y)) / 2


def weibull(y, scale, shape):
    z = y / scale
    return mp.log(shape / scale) + (shape - 1) * mp.log(z) - z**shape


def negative_binomial(y, mean, dispersion):
    size = 1 / dispersion
    c = mp.loggamma(y + size) - mp.loggamma(size) - mp.loggamma(y + 1)
    return c - size * mp.log1p(mean / size) + y * (mp.log(mean) - mp.log(size + mean))


def poisson(y, mean):
    return y * mp.log(mean) - mean - mp.loggamma(y + 1)


def johnson_sl(y, loc, scale, skew):
    z = (y - loc) / scale
    n, away = (mp.log1p(skew * z) / skew, 1 + skew * z) if skew != 0 else (z, mp.mpf(1))
    return normal(n, 0, 1) - mp.log(scale * away)


def inverse_nakagami(y, loc, scale, skew):
    if skew == 0:
        return normal(y, loc, scale)
    a, side = 1 / skew**2, mp.sign(skew)
    reach = scale * mp.sqrt(2 + 4 * a)  # from the end to the mode
    v = side * (y - loc) + reach
    x = (a + mp.mpf(1) / 2) * (reach / v) ** 2  # of a gamma law
    return a * mp.log(x) - x - mp.loggamma(a) + mp.log(2 / v)


def from_end(y, loc, scale, skew):
    k = skew / 3
    x = (y - loc) / scale
    c, s, j = (1 + k * x) * (1 + 3 * k * k / 2), x - 3 * k / 2, 1 + 3 * k * k / 2
    return (
        2 * mp.log(j) - 3 * mp.log(c) / 2 - s * s / (2 * c) - mp.log(2 * mp.pi) / 2 - mp.log(scale)
    )


LAWS = {
    "inverse_nakagami": inverse_nakagami,
    "inverse_gaussian_from_end": from_end,
    "johnson_sl": johnson_sl,
    "first_count": lambda y, mu1: poisson(y, mu1),
    "geometric_from_zero": lambda y, mean: y * mp.log(mean) - (y + 1) * mp.log1p(mean),
    "normal": normal,
    "laplace": lambda y, loc, scale: -abs(y - loc) / scale - mp.log(2 * scale),
    "logistic": lambda y, loc, scale: logistic((y - loc) / scale) - mp.log(scale),
    "student_t": student,
    "lognormal": lambda y, loc, scale: normal(mp.log(y), loc, scale) - mp.log(y),
    "log_logistic": lambda y, scale, shape: (
        logistic(shape * mp.log(y / scale)) + mp.log(shape) - mp.log(y)
    ),
    "exponential": lambda y, mean: -y / mean - mp.log(mean),
    "gamma": gamma,
    "inverse_gaussian": inverse_gaussian,
    "weibull": weibull,
    "beta": beta,
    "poisson": poisson,
    "negative_binomial": negative_binomial,
    "geometric": lambda y, probability: (y - 1) * mp.log1p(-probability) + mp.log(probability),
    "bernoulli": lambda y, probability: mp.log(probability) if y == 1 else mp.log1p(-probability),
}
LAPLACE = "asymmetric_laplace"  # of level 1/2, in units of its own


def of_formulas():
    """Return the formulas of ../laws by their names, of one column.

    Those that are fitted by their ends are left out.
    """
    sys.path.insert(0, str(HERE.parent / "laws"))
    found = {}
    for path in sorted((HERE.parent / "laws").glob("formulas_*.py")):
        for formula in importlib.import_module(path.stem).LAWS:
            family = get_family(formula.family)
            regular = family.observation.columns == 1 and family.support.smooth
            if regular:
                found[formula.family] = formula
    mp.mp.dps = 120  # the modules have set their own
    return found


LAWS |= {LAPLACE: lambda y, loc, scale: -abs(y - loc) / (2 * scale) - mp.log(4 * scale)}
FORMULAS = {name: law for name, law in of_formulas().items() if name not in LAWS}
LAWS |= {name: law.log_density for name, law in FORMULAS.items()}
# With shapes below -1/2 the usual standard errors do not hold (Smith, 1985).
MOVING_ENDS = ("generalized_extreme_value", "generalized_pareto")
WITH_CUSPS = ("laplace", LAPLACE)  # its location is the median, which the rows have as they are
LIMITS = {
    "student_t": ("df", "normal"),
    "negative_binomial": ("dispersion", "poisson"),
    "rice": ("shape", "rayleigh"),
    "exponentially_modified_normal": ("tail", "normal"),
    "johnson_su": ("shape", "johnson_sl"),
    "skew_t": ("df", "inverse_nakagami"),
    "normal_inverse_gaussian": ("tail", "inverse_gaussian_from_end"),
    "com_poisson": ("nu", "geometric_from_zero"),
    "skellam": ("mu2", "first_count"),
}
UNREGISTERED = {
    "inverse_nakagami": InverseNakagamiFromEnd(),
    "johnson_sl": JohnsonSL(),
    "inverse_gaussian_from_end": InverseGaussianFromEnd(),
    "geometric_from_zero": GeometricFromZero(),
    "first_count": FirstCount(),
}
# No double is so near to 1 as the probability; terms are too many to be summed one by one; and two
# neighbouring counts have no maximum, however long it is sought.
LEFT_OUT = {
    ("logarithmic_series", "precise"),
    ("com_poisson", "precise"),
    ("com_poisson", "sentinels"),
    ("com_poisson", "near-constant"),
    ("com_poisson", "few"),
}
# Laws that are exponential from their location on as the scale vanishes: the name of the mean.
FROM_LOCATION = {"exponentially_modified_normal": "tail"}
# Parameters of either sign, the first with the unit of y.
REAL = ("loc", "skew", "skewness", "exponent")

# ---------------------------------------------------------------- samples


def positive(unit):
    return unit * np.exp(0.5 * SCORES)


LINE = {
    "near-constant": 3.0 + 1e-9 * SCORES,
    "clusters": np.concatenate([0.1 * SCORES, 10.0 + 0.1 * SCORES]),
    "sentinels": np.concatenate([SCORES, [-9999.0]]),
    "near the limit": np.concatenate([NORMAL, [-2.2, 2.2]]),
    "precise": 1e6 + 0.01 * SCORES,
    "tiny": 1e-300 * SCORES,
    "huge": 1e300 * SCORES,
}
POSITIVE = {
    "near-constant": 3.0 + 1e-6 * SCORES,
    "clusters": np.concatenate([positive(1.0), positive(100.0)]),
    "sentinels": np.concatenate([positive(1.0), [9999.0]]),
    "precise": 1e6 + 0.01 * SCORES,
    "tiny": positive(1e-300),
    "huge": positive(1e300),
}
SHARES = {
    "near-constant": 0.3 + 1e-7 * SCORES,
    "clusters": np.concatenate([0.1 + 0.01 * SCORES, 0.9 + 0.01 * SCORES]),
    "sentinels": np.concatenate([0.5 + 0.1 * SCORES, [1e-12]]),
    "precise": 0.5 + 1e-6 * SCORES,
    "tiny": positive(1e-300),
}
ANGLES = {
    "near-constant": 3.0 + 1e-7 * SCORES,
    "clusters": np.concatenate([0.1 * SCORES, 2.0 + 0.1 * SCORES]),
    "sentinels": np.concatenate([0.3 * SCORES, [-9999.0]]),
    "across the turn": np.mod(np.pi + 0.3 * SCORES, 2.0 * np.pi),
    "nearly uniform": np.pi * (NORMAL + 0.25 * SCORES),
    "precise": 1e6 + 0.01 * SCORES,
}
COUNTS = {
    "near-constant": [3.0, 3, 3, 4, 3, 3],
    "clusters": [0.0, 1, 0, 1, 100, 101, 99, 102],
    "sentinels": [2.0, 3, 1, 0, 2, 4, 9999],
    "near the limit": [3.0, 1, 4, 1, 5, 2, 0, 6, 2, 5],
    "precise": np.round(1e12 + 1e7 * SCORES),
    "few": [0.0, 0, 0, 0, 0, 0, 0, 1],
}
AMOUNTS = np.array([0.0, 0.0, 0.4, 1.1, 2.7, 0.0, 5.2, 0.9])
SUMS = {
    "few": AMOUNTS,
    "clusters": [0.0, 0.11, 0.13, 0.16, 9.0, 11.2, 12.7],
    "sentinels": np.append(AMOUNTS[1:], 999.0),
    "tiny": 1e-60 * AMOUNTS,
    "huge": 1e60 * AMOUNTS,
}
DIFFERENCES = {
    "near-constant": [3.0, 3, 3, 4, 3, 3],
    "clusters": [-50.0, -51, -49, 50, 51, 52],
    "sentinels": [2.0, -3, 1, 0, -2, 4, 9999],
    "near the limit": [3.0, 1, 4, 1, 5, 2, 0, 6, 2, 5],
    "few": [0.0, 0, 0, 0, 0, 0, 0, 1],
}
COINS = {"few": [0.0, 0, 0, 0, 0, 0, 0, 1], "clusters": [0.0, 1, 0, 1]}
UNITS = {"line": [1.0, 1e-300, 1e300], "positive": [1.0, 1e-300, 1e300]}
EQUAL = {
    "line": 2.0,
    "positive": 2.0,
    "shares": 0.3,
    "odds": 0.3,
    "counts": 4.0,
    "differences": 4.0,
    "coins": 1.0,
}
ODDS = {name: rows / (1.0 - rows) for name, rows in SHARES.items()}
KINDS = {
    "line": LINE,
    "positive": POSITIVE,
    "shares": SHARES,
    "odds": ODDS,
    "angles": ANGLES,
    "counts": COUNTS,
    "sums": SUMS,
    "differences": DIFFERENCES,
    "coins": COINS,
}


def kind_of(family):
    """Return which samples a family has; positive numbers without a unit are odds of shares.

    Those of laws with a mass at zero are sums of a few values, or of none.
    """
    law = get_family(family)
    support = law.support
    if atoms_of(law):
        return "sums"
    if law.observation.circular:
        return "angles"
    if support.discrete and support.low == -np.inf:
        return "differences"
    if support.discrete:
        return "coins" if support.high == 1.0 else "counts"
    if support.high == 1.0:
        return "shares"
    if support.low == -np.inf:
        return "line"
    units = law.stretch is not None or any(parameter.unit for parameter in law.parameters)
    return "positive" if units else "odds"


# ---------------------------------------------------------------- the maximum


class Maximum:
    """Newton's method on the log-likelihood, in log(parameter), logit, or (loc - start)/scale."""

    def __init__(self, family, rows, held, start):
        self.rows, self.held = [mp.mpf(float(v)) for v in rows], held
        # Settings are what the family learns from the rows.
        settings = FORMULAS[family].settings if family in FORMULAS else ()
        learnt = get_family(family).adapt(np.asarray(rows, float)).get_params() if settings else {}
        self.settings = {name: mp.mpf(learnt[name]) for name in settings}
        self.law = LAWS[family]
        self.start = {name: mp.mpf(float(v)) for name, v in start.items()}
        cusp = family in WITH_CUSPS
        self.free = [n for n in self.start if n not in held and not (cusp and n == "loc")]
        self.unit = self.start.get("scale", self.start.get("std", mp.mpf(1)))

    def params(self, at):
        found = dict(self.start) | {name: mp.mpf(float(v)) for name, v in self.held.items()}
        for name, t in zip(self.free, at, strict=True):
            if name in REAL or (name == "mean" and "skewness" in found):
                found[name] = self.start[name] + (1 if name in REAL[1:] else self.unit) * t
            elif name == "power":
                odds = (self.start[name] - 1) / (2 - self.start[name]) * mp.exp(t)
                found[name] = 1 + odds / (1 + odds)
            elif name == "probability" or (name == "mean" and self.law is beta):
                odds = self.start[name] / (1 - self.start[name]) * mp.exp(t)
                found[name] = odds / (1 + odds)
            else:
                found[name] = self.start[name] * mp.exp(t)
        return found

    def value(self, at):
        params = self.params(at)
        return mp.fsum(self.law(y, **params, **self.settings) for y in self.rows)

    def find(self):
        """Return the parameters and the log-likelihood at the maximum; None if none is near."""
        k = len(self.free)
        at, units = [mp.mpf(0)] * k, self._units([mp.mpf(0)] * k)
        for _ in range(60):
            gradient, hessian = self._slopes(at, units)
            if k == 0:
                break
            if any(hessian[j, j] >= 0 for j in range(k)):
                return None
            step = mp.lu_solve(-hessian, gradient)
            length = mp.norm(step)
            share = min(mp.mpf(1), 1 / length) if length > 0 else mp.mpf(1)
            at = [a + share * s * u for a, s, u in zip(at, step, units, strict=True)]
            if length < mp.mpf(10) ** -18:
                break
        else:
            return None
        if k and max(mp.eigsy(hessian, eigvals_only=True)) >= 0:
            return None
        spread = mp.inverse(-hessian) if k else hessian
        if any(unit**2 * spread[j, j] > FLAT**2 for j, unit in enumerate(units)):
            return None
        return {n: float(v) for n, v in self.params(at).items()}, float(self.value(at))

    def _units(self, at):
        """Return about a standard error of each coordinate."""
        units = []
        for j in range(len(at)):
            h = mp.mpf(10) ** -30

            def along(t, j=j):
                return self.value([a + t * (i == j) for i, a in enumerate(at)])

            bend = (along(h) - 2 * along(0) + along(-h)) / h**2
            units.append(1 / mp.sqrt(abs(bend)) if bend != 0 else mp.mpf(1))
        return units

    def _slopes(self, at, units):
        k, h = len(at), STEP

        def value(*moves):
            moved = list(at)
            for j, sign in moves:
                moved[j] += sign * h * units[j]
            return self.value(moved)

        here = value()
        gradient, hessian = mp.matrix(k, 1), mp.matrix(k, k)
        for a in range(k):
            up, down = value((a, 1)), value((a, -1))
            gradient[a] = (up - down) / (2 * h)
            hessian[a, a] = (up - 2 * here + down) / h**2
            for b in range(a):
                cross = value((a, 1), (b, 1)) - value((a, 1), (b, -1))
                cross += value((a, -1), (b, -1)) - value((a, -1), (b, 1))
                hessian[a, b] = hessian[b, a] = cross / (4 * h * h)
        return gradient, hessian


def fitted(family, rows, held):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLEDistribution(UNREGISTERED.get(family, family), fixed=held or None)
        return model.fit(np.asarray(rows, float)[:, None])


def from_location(rows, held, mean):
    """Return the most likely exponential law from a location on, which lies below all rows."""
    y = [mp.mpf(float(v)) for v in rows]
    loc = mp.mpf(float(held.get("loc", min(y))))
    away = mp.fsum(v - loc for v in y) / len(y)
    params = {"loc": float(loc), "scale": 0.0, mean: float(held.get(mean, away))}
    size = mp.mpf(held.get(mean, away))
    return "boundary", params, float(-len(y) * (mp.log(size) + away / size))


def half_normal(rows, start):
    """Return the most likely half-normal law from an end on, by its mean and deviation."""
    y = [mp.mpf(float(v)) for v in rows]
    sign = mp.sign(start["skewness"])
    end = sign * min(sign * v for v in y)
    scale = mp.sqrt(mp.fsum((v - end) ** 2 for v in y) / len(y))
    params = {
        "mean": float(end + sign * mp.sqrt(2 / mp.pi) * scale),
        "std": float(scale * mp.sqrt(1 - 2 / mp.pi)),
        "skewness": start["skewness"],
    }
    return "boundary", params, float(-len(y) * (mp.log(scale) + mp.log(mp.pi / 2) / 2 + 0.5))


def maximum(family, rows, held):
    """Return (status, parameters, log-likelihood); the status is None where none was found."""
    start = fitted(family, rows, held).params_
    if family == "skew_normal" and abs(start["skewness"]) == MOST_SKEWED:
        return (None, {}, None) if held else half_normal(rows, start)
    if all(np.isfinite(v) and v != 0.0 for n, v in start.items() if n not in REAL):
        found = Maximum(family, rows, held, start).find()
        if found is not None:
            irregular = family in MOVING_ENDS and found[0]["shape"] < -0.5
            return ("non_regular" if irregular else "interior", *found)
    if family in FROM_LOCATION and start.get("scale") == 0.0:
        return from_location(rows, held, FROM_LOCATION[family])
    name, law = LIMITS.get(family, (None, None))
    if name is None or name in held:
        return None, {}, None
    rest = {n: v for n, v in held.items() if n != name}
    _, params, value = maximum(law, rows, rest)
    return ("boundary", params, value) if value is not None else (None, {}, None)


def moved(name, value, params, up):
    """Return another value at which a parameter may be held, above or below its own."""
    if name == "loc":
        return value + (0.5 if up else -0.5) * (params["scale"] or params["tail"])
    if name == "mean" and "skewness" in params:
        return value + (0.5 if up else -0.5) * params["std"]
    if name in ("skew", "skewness"):
        step = 0.25 if up else -0.25
        return value + step if name == "skew" else 0.5 * value + step
    if name == "power":  # between 1 and 2
        return 1.0 + moved("probability", value - 1.0, params, up)
    if name in ("probability",) or (name == "mean" and "precision" in params):
        odds = (1.5 if up else 1.0 / 1.5) * value / (1.0 - value)
        return odds / (1.0 + odds)
    return (1.25 if up else 0.8) * (value or params["tail"])  # a scale that is none at a limit


def can_be_held(family):
    """Return whether a law has several parameters, by the names that its coordinates have."""
    names = get_family(family).names
    return len(names) > 1 and names == tuple(p.name for p in get_family(family).parameters)


def lines(families):
    """Yield the lines of families; the status is None where no maximum was found."""
    for family in families:
        kind = kind_of(family)
        for name, rows in KINDS[kind].items():
            if (family, name) in LEFT_OUT:
                continue
            if get_family(family).support.low == 1.0:  # it counts from 1 on
                rows = np.asarray(rows) + 1.0
            wide = kind in ("shares", "odds") and name in ("tiny", "huge")
            digits = WIDE if wide else SOME if kind == "sums" else mp.mp.dps
            with mp.workdps(digits):
                status, params, value = maximum(family, rows, {})
                yield family, {}, name, rows, status, params, value
                for parameter in params if can_be_held(family) else ():
                    for up in (True, False):
                        value = moved(parameter, params[parameter], params, up)
                        found = maximum(family, rows, {parameter: float(value)})
                        if found[0] is not None:
                            break
                    yield family, {parameter: float(value)}, name, rows, *found
        first = get_family(family).names[0]
        if not can_be_held(family) or kind not in EQUAL:
            continue
        for unit in UNITS.get(kind, [1.0]):  # there is a maximum, as nothing is interpolated
            rows = [EQUAL[kind] * unit] * 4
            at = 0.8 * EQUAL[kind]
            held = {first: at + np.log(unit) if family == "lognormal" else at * unit}
            yield family, held, "equal", rows, *maximum(family, rows, held)


def main(names):
    """Write the lines of these families, or of all, in place of those that they had."""
    path = HERE / "values.json"
    known = [name for name in LAWS if name not in UNREGISTERED]
    families = [name for name in known if not names or name in names]
    kept = [line for line in json.loads(path.read_text()) if line["family"] not in families]
    for family, held, name, rows, status, params, value in lines(families):
        print(family, held, name, status, params, value, flush=True)
        line = {"family": family, "held": held, "name": name, "rows": [float(v) for v in rows]}
        if status is not None:
            kept.append(line | {"status": status, "params": params, "log_likelihood": value})
    path.write_text("[\n" + ",\n".join(json.dumps(line) for line in kept) + "\n]\n")


if __name__ == "__main__":
    main(sys.argv[1:])
