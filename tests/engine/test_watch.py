"""Looking on while a fit runs.

Lines it prints, scikit-learn's callbacks, and what Ctrl-C leaves.
"""

from __future__ import annotations

import builtins
import importlib.util
import runpy
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle._shared.callbacks as callbacks_module
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, path
from skmle._engine.likelihood.objective import Objective
from skmle.exceptions import InterruptedWarning, NotConvergedWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
LABELS = (X[:, 0] + RNG.logistic(size=400) > 0).astype(int)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0])).astype(float)
LONG = RNG.normal(size=(40_000, 3))
WIDE = RNG.normal(size=(40, 60))

FITS = {
    "classifier": (CrossEntropyClassifier(), (X, LABELS)),
    "multinomial": (CrossEntropyClassifier(), (X, COUNTS.clip(0, 2).astype(int))),
    "regressor": (MLERegressor("poisson"), (X, COUNTS)),
    "median": (MLERegressor("laplace"), (X, COUNTS + RNG.laplace(size=400))),
    "density": (MLEDistribution("t"), (RNG.standard_t(4.0, size=(400, 1)),)),
    "row space": (CrossEntropyClassifier(alpha=0.1), (WIDE, (WIDE[:, 0] > 0).astype(int))),
    "samples": (
        CrossEntropyClassifier(),
        (LONG, (LONG[:, 0] + RNG.logistic(size=40_000) > 0).astype(int)),
    ),
}


def fresh(kind: str) -> tuple[BaseEstimator, tuple]:
    model, data = FITS[kind]
    return clone(model), data


@pytest.fixture
def interrupt(monkeypatch):
    """Make the keyboard interrupt the evaluation of the objective of that number."""

    def at(number: int) -> None:
        calls = iter(range(10**6))
        plain = Objective.__call__

        def call(self, coef, order=2):
            if next(calls) == number:
                raise KeyboardInterrupt
            return plain(self, coef, order)

        monkeypatch.setattr(Objective, "__call__", call)

    return at


class Listener:
    """A callback that remembers, and may stop at an iterate."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.seen, self.scores = stop_at, [], []

    def setup(self, estimator, context):
        self.seen.append("setup")

    def teardown(self, estimator, context):
        self.seen.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.seen.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.seen.append(f"end {context.task_name}")
        self.scores.append(fitted_estimator.score(X, y))
        return context.task_name == "iterate" and len(self.scores) == self.stop_at


# ---------------------------------------------------------------- verbose


@pytest.mark.parametrize("kind", FITS)
def test_a_verbose_fit_prints_each_iterate_and_changes_nothing(kind, capsys):
    model, data = fresh(kind)
    quiet = model.fit(*data).log_likelihood_
    assert capsys.readouterr().out == ""
    loud = clone(model).set_params(verbose=True).fit(*data)
    lines = capsys.readouterr().out.splitlines()
    assert loud.log_likelihood_ == quiet and lines
    assert all(
        line.startswith("[skmle] iterate ") and "standard errors to go" in line for line in lines
    )
    assert [int(line.split()[2].rstrip(":")) for line in lines] == list(range(1, len(lines) + 1))


def test_samples_are_told_from_all_rows(capsys):
    model, data = fresh("samples")
    model.set_params(verbose=1).fit(*data)
    rows = [int(line.split(": ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert min(rows) < len(data[0]) and rows[-1] == len(data[0]) and rows == sorted(rows)


# ---------------------------------------------------------------- the keyboard


@pytest.mark.parametrize("kind", FITS)
def test_an_interrupt_keeps_the_last_iterate(kind, interrupt):
    """Whatever evaluation it hits, the fit is as good as the iterate before, says so, and can be
    used.
    """
    model, data = fresh(kind)
    best = model.fit(*data).log_likelihood_
    hit = 0
    for number in (2, 3, 5, 8):
        interrupt(number)
        stopped = clone(model)
        try:
            with pytest.warns(InterruptedWarning, match="the fit was stopped after"):
                stopped.fit(*data)
        except KeyboardInterrupt:  # before the first iterate there is nothing to keep
            assert not hasattr(stopped, "status_")
            continue
        except pytest.fail.Exception:
            break  # the fit had ended by then
        hit += 1
        assert stopped.status_ == "interrupted" and not stopped.converged_
        assert np.isfinite(stopped.score(*data)) and stopped.log_likelihood_ <= best + 1e-9 * abs(
            best
        )
        assert stopped.score(*data) * len(data[0]) == pytest.approx(
            stopped.log_likelihood_, rel=1e-9
        )
        assert "interrupted" in str(stopped.summary())
        with pytest.raises(ValueError, match="the fit was stopped before the optimum"):
            stopped.inference()
    assert hit


def test_independent_columns_are_fitted_all_or_none(interrupt):
    interrupt(3)
    model = MLEDistribution("t")
    with pytest.raises(KeyboardInterrupt):
        model.fit(RNG.standard_t(4.0, size=(200, 2)))
    assert not hasattr(model, "params_")


class Pressed:
    """It presses the key in each fit, at the third evaluation of the objective."""

    def __init__(self, monkeypatch) -> None:
        self.fits = 0
        plain, fit = Objective.__call__, CrossEntropyClassifier._prepare

        def call(objective, coef, order=2):
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return plain(objective, coef, order)

        def prepare(model, *args):
            self.fits, self.calls = self.fits + 1, 0
            return fit(model, *args)

        monkeypatch.setattr(Objective, "__call__", call)
        monkeypatch.setattr(CrossEntropyClassifier, "_prepare", prepare)


@pytest.mark.parametrize(
    "around",
    [
        lambda model: GridSearchCV(model, {"alpha": [0.1, 1.0]}),
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: BaggingClassifier(model, n_estimators=3, random_state=0),
    ],
    ids=["search", "pipeline", "bagging"],
)
def test_an_interrupt_ends_whatever_the_fit_is_a_part_of(around, monkeypatch):
    pressed, model = Pressed(monkeypatch), around(CrossEntropyClassifier())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, LABELS)
    assert pressed.fits == 1


def test_an_interrupt_ends_a_cross_validation(monkeypatch):
    pressed = Pressed(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(CrossEntropyClassifier(), X, LABELS)
    assert pressed.fits == 1


def test_an_interrupt_ends_one_fit_of_a_loop_or_the_loop(monkeypatch):
    """Whoever makes an error of the warning leaves the loop; the model has its last iterate."""
    pressed, models = Pressed(monkeypatch), [CrossEntropyClassifier() for _ in range(6)]
    with pytest.warns(InterruptedWarning):
        for model in models[:3]:
            model.fit(X, LABELS)
    assert pressed.fits == 3
    with pytest.raises(InterruptedWarning), warnings.catch_warnings():
        warnings.simplefilter("error", InterruptedWarning)
        for model in models[3:]:
            model.fit(X, LABELS)
    assert pressed.fits == 4 and models[3].status_ == "interrupted"


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_an_interrupt_ends_a_path(l1_ratio, interrupt):
    interrupt(9)
    with pytest.raises(KeyboardInterrupt):
        path(CrossEntropyClassifier(l1_ratio=l1_ratio), X, LABELS, alphas=[0.1, 0.01, 0.001])


def test_a_warm_start_goes_on_from_an_interrupted_fit(interrupt, monkeypatch):
    model, data = fresh("classifier")
    model.set_params(warm_start=True)
    with monkeypatch.context():
        interrupt(4)
        with pytest.warns(InterruptedWarning):
            model.fit(*data)
    assert model.fit(*data).status_ == "interior"


# ---------------------------------------------------------------- scikit-learn's callbacks


has_callbacks = pytest.mark.skipif(
    importlib.util.find_spec("sklearn.callback") is None,
    reason="scikit-learn has callbacks from 1.9 on",
)


@has_callbacks
@pytest.mark.parametrize("kind", FITS)
def test_callbacks_see_each_iterate(kind):
    model, data = fresh(kind)
    plain = clone(model).fit(*data)
    listener = Listener()
    model.set_callbacks(listener).fit(*data)
    assert model.log_likelihood_ == plain.log_likelihood_
    inside = listener.seen[2:-2]
    assert listener.seen[:2] == ["setup", "begin fit"] and listener.seen[-2:] == [
        "end fit",
        "teardown",
    ]
    assert inside and inside == ["begin iterate", "end iterate"] * (len(inside) // 2)
    assert listener.scores[-1] == pytest.approx(model.score(*data), rel=1e-12)
    assert listener.scores[0] <= listener.scores[-1] + 1e-12


# All solvers, with and without penalties; and a fit that runs to infinity.
MANY = RNG.normal(size=(2000, 60))
LONGER = {
    "lasso": (CrossEntropyClassifier(alpha=0.02, l1_ratio=1.0), (X, LABELS)),
    "ridge": (CrossEntropyClassifier(alpha=0.1), (X, LABELS)),
    "elastic net": (MLERegressor("poisson", alpha=0.02, l1_ratio=0.5), (X, COUNTS)),
    "median lasso": (
        MLERegressor("laplace", alpha=0.02, l1_ratio=1.0),
        (X, COUNTS + RNG.laplace(size=400)),
    ),
    "conjugate": (
        CrossEntropyClassifier(alpha=1e-3, store_information=False),
        (MANY, (MANY[:, :12] + RNG.gumbel(size=(2000, 12))).argmax(axis=1)),
    ),
    "closed form": (MLEDistribution("normal"), (X[:, :1],)),
    "separated": (CrossEntropyClassifier(), (X, (X[:, 0] > 0).astype(int))),
}


class Iterates(Listener):
    """A callback that keeps the iterates, and those from which they come."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(stop_at)
        self.before, self.after = [], []

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iterate":
            self.before.append(fitted_estimator)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iterate":
            self.after.append(fitted_estimator)
        return len(self.after) == self.stop_at


def parameters(model) -> np.ndarray:
    if hasattr(model, "params_") and not hasattr(model, "coefs_"):
        return np.concatenate([np.ravel(value) for value in model.params_.values()])
    coefs = getattr(model, "coefs_", {"": getattr(model, "coef_", None)})
    intercepts = getattr(model, "intercepts_", {"": getattr(model, "intercept_", None)})
    return np.concatenate([np.ravel(part) for d in (coefs, intercepts) for part in d.values()])


@has_callbacks
@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
@pytest.mark.parametrize("kind", [*FITS, *LONGER])
def test_an_iterate_is_the_fit_with_as_many_steps(kind):
    """scikit-learn's test_logistic_regression_callback_fitted_estimator, for every solver."""
    model, data = (FITS | LONGER)[kind]
    listener = Iterates()
    fitted = clone(model).set_callbacks(listener).fit(*data)
    assert len(listener.after) == fitted.n_iter_ == len(listener.before)
    for i, iterate in enumerate(listener.after):
        shorter = clone(model).set_params(max_iter=i + 1).fit(*data)
        assert shorter.n_iter_ == i + 1
        # Equal to the last bit: they come from the same steps.
        np.testing.assert_array_equal(parameters(iterate), parameters(shorter))
        if i > 0:
            np.testing.assert_array_equal(
                parameters(listener.before[i]), parameters(listener.after[i - 1])
            )
    np.testing.assert_array_equal(parameters(iterate), parameters(fitted))


@has_callbacks
@pytest.mark.parametrize("kind", [kind for kind in [*FITS, *LONGER] if kind != "closed form"])
def test_a_callback_may_stop_the_fit(kind):
    model, data = (FITS | LONGER)[kind]
    listener = Iterates(stop_at=2)
    with pytest.warns(InterruptedWarning, match="stopped after 2 iterates"):
        stopped = clone(model).set_callbacks(listener).fit(*data)
    assert stopped.status_ == "interrupted" and stopped.n_iter_ == 2 == len(listener.after)
    np.testing.assert_array_equal(parameters(stopped), parameters(listener.after[1]))


@pytest.mark.parametrize("kind", [kind for kind in [*FITS, *LONGER] if kind != "closed form"])
def test_no_iteration_gives_the_start(kind):
    model, data = (FITS | LONGER)[kind]
    with pytest.warns(NotConvergedWarning, match="the solver stopped after 0 iterations"):
        start = clone(model).set_params(max_iter=0).fit(*data)
    assert start.status_ == "not_converged" and start.n_iter_ == 0 and not start.converged_
    assert start.score(*data) * start.weight_sum_ == pytest.approx(start.log_likelihood_, rel=1e-9)


@has_callbacks
def test_callbacks_are_passed_on_by_a_pipeline():
    listener = Listener()
    model = CrossEntropyClassifier().set_callbacks(listener)
    make_pipeline(StandardScaler(), model).fit(X, LABELS)
    assert "end iterate" in listener.seen


def test_without_callbacks_in_scikit_learn(monkeypatch):
    """Before 1.9 it had none: the fit is the same, and nothing is told."""
    plain = builtins.__import__

    def old(name, *args, **kwargs):
        if name == "sklearn.callback":
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", old)
    module = runpy.run_path(callbacks_module.__file__)
    task = module["FitTask"](CrossEntropyClassifier(), X, LABELS, None, None)
    assert task.tell is None and task.done() is None
    assert module["with_callbacks"](fresh) is fresh
    assert not hasattr(module["CallbackSupportMixin"], "set_callbacks")
