"""What people use today for logistic, Poisson and softmax regression.

Each program runs at its default tolerance and at tighter ones. If it needs the data in another form
(with a column of ones, as a table with categories, as CSR), they are converted beforehand, which is
not timed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize

from .candidates import Candidate, Job, one, per_class
from .data import Data
from .distance import Array, Penalty, Solution

_MOST_ITERATIONS = 10_000  # so many that tolerances and the time limit decide, not this


def _read_linear(model: Any) -> Solution:
    several = np.ndim(model.coef_) == 2 and len(model.coef_) > 1
    return (per_class if several else one)(model.coef_, model.intercept_)


def _read_with_ones(parameters: Any) -> Solution:
    """Return the solution of a model whose last column of X is one."""
    return one(parameters[:-1], parameters[-1])


def _with_ones(data: Data) -> Array:
    return np.column_stack([data.X, np.ones(data.n)])


# ---------------------------------------------------------------- scikit-learn


def _sklearn_logistic(
    data: Data, solver: str, tol: float, alpha: float = 0.0, as_sparse: bool = False
) -> Job:
    from sklearn.linear_model import LogisticRegression

    C = 1.0 / (alpha * data.n) if alpha else np.inf
    model = LogisticRegression(C=C, solver=solver, tol=tol, max_iter=_MOST_ITERATIONS)
    X = sp.csr_matrix(data.X) if as_sparse else data.X
    y = data.y.astype(int)
    return Job(lambda: model.fit(X, y), _read_linear)


def _sklearn_poisson(data: Data, solver: str, tol: float) -> Job:
    from sklearn.linear_model import PoissonRegressor

    model = PoissonRegressor(alpha=0.0, solver=solver, tol=tol, max_iter=_MOST_ITERATIONS)
    return Job(lambda: model.fit(data.X, data.y), _read_linear)


def _ladder(
    name: str, prepare: Any, tolerances: tuple[float, ...], **settings: Any
) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(name, partial(prepare, tol=tol, **settings), f"tol={tol:.0e}")
        for tol in tolerances
    )


def sklearn_logistic(
    *solvers: str,
    name: str = "",
    tolerances: tuple[float, ...] = (1e-4, 1e-6, 1e-8),
    **settings: Any,
) -> tuple[Candidate, ...]:
    """Return LogisticRegression with some solvers, at its default tolerance and tighter ones."""
    parts = [
        _ladder(f"scikit-learn {s}{name}", _sklearn_logistic, tolerances, solver=s, **settings)
        for s in solvers
    ]
    return sum(parts, ())


def sklearn_poisson(*solvers: str) -> tuple[Candidate, ...]:
    """Return PoissonRegressor with some solvers."""
    tolerances = (1e-4, 1e-6, 1e-8)
    parts = [_ladder(f"scikit-learn {s}", _sklearn_poisson, tolerances, solver=s) for s in solvers]
    return sum(parts, ())


# ---------------------------------------------------------------- glum


def _glum(
    data: Data, family: str, tol: float, alpha: float = 0.0, categorical: bool = False
) -> Job:
    from glum import GeneralizedLinearRegressor

    model = GeneralizedLinearRegressor(
        family=family,
        alpha=alpha,
        gradient_tol=tol,
        max_iter=_MOST_ITERATIONS,
        drop_first=categorical,
    )
    X = data.frame if categorical else data.X
    return Job(lambda: model.fit(X, data.y), _read_linear)


def glum(family: str, name: str = "glum", **settings: Any) -> tuple[Candidate, ...]:
    """Return glum at its default tolerance and tighter ones."""
    return _ladder(name, _glum, (1e-4, 1e-6, 1e-8), family=family, **settings)


# ---------------------------------------------------------------- statsmodels


def _statsmodels_glm(data: Data, family: str) -> Job:
    import statsmodels.api as sm

    X = _with_ones(data)
    law = getattr(sm.families, family)()
    return Job(
        lambda: sm.GLM(data.y, X, family=law).fit(), lambda result: _read_with_ones(result.params)
    )


def _statsmodels_discrete(data: Data, model: str) -> Job:
    import statsmodels.api as sm

    X = _with_ones(data)
    return Job(
        lambda: getattr(sm, model)(data.y, X).fit(disp=0),
        lambda result: _read_with_ones(result.params),
    )


def statsmodels(family: str, model: str) -> tuple[Candidate, ...]:
    """Return statsmodels' GLM (iterated least squares) and discrete model (Newton's method)."""
    return (
        Candidate("statsmodels GLM", partial(_statsmodels_glm, family=family)),
        Candidate(f"statsmodels {model}", partial(_statsmodels_discrete, model=model)),
    )


# ---------------------------------------------------------------- skglm


def _skglm(data: Data, datafit: str, tol: float) -> Job:
    from skglm import GeneralizedLinearEstimator, datafits, penalties, solvers

    X = _with_ones(data)  # this solver has no intercept
    solver = solvers.LBFGS(max_iter=_MOST_ITERATIONS, tol=tol)
    solver.fit_intercept = solver.warm_start = False  # the estimator asks for them
    model = GeneralizedLinearEstimator(getattr(datafits, datafit)(), penalties.L2(0.0), solver)
    return Job(lambda: model.fit(X, data.y), lambda fitted: _read_with_ones(np.ravel(fitted.coef_)))


def _skglm_elastic_net(data: Data, tol: float, alpha: float, l1_ratio: float) -> Job:
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import Logistic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import ProxNewton

    solver = ProxNewton(max_iter=200, tol=tol, fit_intercept=True)
    model = GeneralizedLinearEstimator(Logistic(), L1_plus_L2(alpha, l1_ratio), solver)
    X = sp.csc_matrix(data.X) if sp.issparse(data.X) else np.asfortranarray(data.X)
    return Job(lambda: model.fit(X, data.y), _read_linear)


def skglm(datafit: str) -> tuple[Candidate, ...]:
    """Return skglm's smooth solver, at its default tolerance and a tight one."""
    return _ladder("skglm LBFGS", _skglm, (1e-4, 1e-8), datafit=datafit)


def skglm_ridge(alpha: float) -> tuple[Candidate, ...]:
    """Return skglm's proximal Newton method under a ridge."""
    return _ladder("skglm ProxNewton", _skglm_elastic_net, (1e-4, 1e-8), alpha=alpha, l1_ratio=0.0)


# ---------------------------------------------------------------- scipy


def _scipy(data: Data, family: str, tol: float) -> Job:
    X, y, n = data.X, data.y, data.n

    def objective(w: Array) -> tuple[float, Array]:
        eta = X @ w[:-1] + w[-1]
        if family == "poisson":
            mean = np.exp(eta)
            value = mean
        else:
            mean = 1.0 / (1.0 + np.exp(-eta))
            value = np.logaddexp(0.0, eta)
        residual = (mean - y) / n
        return float((value - y * eta).mean()), np.append(X.T @ residual, residual.sum())

    options = {"gtol": tol, "ftol": 0.0, "maxiter": _MOST_ITERATIONS, "maxfun": _MOST_ITERATIONS}
    return Job(
        lambda: minimize(
            objective, np.zeros(X.shape[1] + 1), jac=True, method="L-BFGS-B", options=options
        ),
        lambda result: _read_with_ones(result.x),
    )


def scipy_lbfgs(family: str) -> tuple[Candidate, ...]:
    """Return the objective written down by hand and given to scipy.optimize."""
    return _ladder("scipy L-BFGS-B", _scipy, (1e-5, 1e-8), family=family)


# ---------------------------------------------------------------- paths of penalties


def _glum_path(data: Data, penalties: tuple[Penalty, ...], tol: float) -> Job:
    from glum import GeneralizedLinearRegressor

    alphas = np.array([penalty.alpha for penalty in penalties])
    model = GeneralizedLinearRegressor(
        family="binomial",
        alpha_search=True,
        alphas=alphas,
        l1_ratio=penalties[0].l1_ratio,
        gradient_tol=tol,
        max_iter=_MOST_ITERATIONS,
    )

    def read(fitted: Any) -> list[Solution]:
        return [one(w, b) for w, b in zip(fitted.coef_path_, fitted.intercept_path_, strict=True)]

    return Job(lambda: model.fit(data.X, data.y), read)


def _skglm_path(data: Data, penalties: tuple[Penalty, ...], tol: float) -> Job:
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import Logistic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import ProxNewton

    X = np.asfortranarray(data.X)

    def fit() -> list[Solution]:
        solver = ProxNewton(max_iter=200, tol=tol, fit_intercept=True, warm_start=True)
        model = GeneralizedLinearEstimator(Logistic(), L1_plus_L2(1.0, 1.0), solver)
        solutions = []
        for penalty in penalties:
            model.penalty = L1_plus_L2(penalty.alpha, penalty.l1_ratio)
            solutions.append(_read_linear(model.fit(X, data.y)))
        return solutions

    return Job(fit, lambda solutions: solutions)


def _sklearn_path(data: Data, penalties: tuple[Penalty, ...], tol: float) -> Job:
    from sklearn.linear_model import LogisticRegression

    y = data.y.astype(int)

    def fit() -> list[Solution]:
        model = LogisticRegression(
            solver="saga",
            l1_ratio=penalties[0].l1_ratio,
            tol=tol,
            max_iter=_MOST_ITERATIONS,
            warm_start=True,
        )
        return [
            _read_linear(model.set_params(C=1.0 / (data.n * penalty.alpha)).fit(data.X, y))
            for penalty in penalties
        ]

    return Job(fit, lambda solutions: solutions)


def paths(penalties: tuple[Penalty, ...]) -> tuple[Candidate, ...]:
    """Return the programs that fit elastic nets for a sequence of penalties.

    Each fit starts at the solution of the one before.
    """
    return (
        *_ladder("glum path", _glum_path, (1e-4, 1e-6, 1e-8), penalties=penalties),
        *_ladder("skglm path", _skglm_path, (1e-4, 1e-6, 1e-8), penalties=penalties),
        *_ladder("scikit-learn saga path", _sklearn_path, (1e-4,), penalties=penalties),
    )
