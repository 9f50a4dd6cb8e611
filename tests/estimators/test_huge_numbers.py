"""Whole numbers that no float can hold: labels like any others, and refused where they measure."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skmle import CrossEntropyClassifier, Distribution, MLEDistribution, MLERegressor, information
from skmle.metrics import log_likelihood_score
from tests.estimators.refusals import assert_four_parts, assert_refused

HUGE = 10**400
X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
CODE = np.array([0, 1, 0, 1, 1, 0])
COUNTS = [1, 2, 3, 1, 2, 3]
LABELS = {
    "huge": [HUGE, 2 * HUGE, 3 * HUGE],
    "small and huge": [1, 2, HUGE],
    "of both signs": [-HUGE, 0, HUGE],
    "beyond 64 bits": [-(2**70), 2**64, 2**70],
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("make", [list, lambda y: np.array(y, object)], ids=["list", "array"])
def test_huge_labels_are_labels(kind, classes, make):
    code = (CODE + (np.arange(6) == 3)) if classes == 3 else CODE
    labels = LABELS[kind][:classes]
    y = make([labels[c] for c in code])
    model = CrossEntropyClassifier(alpha=0.1, class_weight={labels[0]: 2.0}).fit(X, y)
    plain = CrossEntropyClassifier(alpha=0.1, class_weight={0: 2.0}).fit(X, code)
    assert model.classes_.tolist() == labels
    assert model.predict(X).tolist() == [labels[c] for c in plain.predict(X)]
    np.testing.assert_array_equal(model.log_prob(X, y), plain.log_prob(X, code))
    assert model.score(X, y) == plain.score(X, code) == log_likelihood_score(model, X, y)
    assert str(model.summary())
    density = MLEDistribution("categorical").fit(np.array(y, object)[:, None])
    assert density.score(np.array(y, object)[:, None]) == pytest.approx(
        MLEDistribution("categorical").fit(code[:, None]).score(code[:, None])
    )


FITS = {
    "density": (MLEDistribution(), (X,)),
    "regressor": (MLERegressor("poisson", alpha=0.1), (X, COUNTS)),
    "classifier": (CrossEntropyClassifier(alpha=0.1), (X, CODE)),
}
every_kind = pytest.mark.parametrize("kind", FITS)
SAYS = "holds a whole number that is too large for a float"
MANY = np.array([[HUGE]] * 6, object)


@every_kind
@pytest.mark.parametrize("make", [lambda x: x, lambda x: x.tolist()], ids=["array", "list"])
def test_a_huge_number_in_a_column_is_refused(kind, make):
    model, (_, *y) = FITS[kind]
    assert_four_parts(assert_refused(clone(model), make(MANY), *y, says=SAYS))
    fitted = clone(model).fit(*FITS[kind][1])
    with pytest.raises(ValueError, match=SAYS):
        fitted.score(make(MANY), *y)


@every_kind
def test_a_huge_number_beside_the_columns_is_refused(kind):
    model, data = FITS[kind]
    assert_refused(clone(model), *data, sample_weight=[HUGE] * 6, says=SAYS)
    if kind == "regressor":
        assert_refused(clone(model), X, [HUGE] * 6, says=SAYS)
        for name in ("offset", "exposure"):
            for value in (HUGE, [HUGE] * 6):
                assert_refused(clone(model), *data, **{name: value}, says=SAYS)
    if kind == "classifier":
        assert_refused(clone(model).set_params(class_weight={0: HUGE}), *data, says=SAYS)


@every_kind
@pytest.mark.parametrize("setting", ["alpha", "l1_ratio", "tol", "max_iter", "n_jobs", "fixed"])
def test_a_huge_number_as_setting_is_refused(kind, setting):
    model, data = FITS[kind]
    if setting in model.get_params():
        value = {"mean": HUGE} if setting == "fixed" else HUGE
        model = clone(model).set_params(**{setting: value})
        assert_refused(model, *data, says=f"{setting}=.* is not allowed; give ")


POISSON = Distribution("poisson", {"mean": 2.0})
WRONG = {"huge": (HUGE, SAYS), "text": ("a", "is no array of real"), "complex": (1j, "is no array")}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("method", ["pmf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf"])
def test_a_known_law_refuses_what_is_no_number(method, kind):
    value, says = WRONG[kind]
    for given in (value, [value]):
        with pytest.raises(ValueError, match=says) as caught:
            getattr(POISSON, method)(given)
        assert_four_parts(str(caught.value))
        with pytest.raises(ValueError, match=says) as caught:
            Distribution("gamma", {"mean": given, "shape": 1.0})
        assert_four_parts(str(caught.value))


def test_information_takes_no_huge_number_for_a_probability():
    with pytest.raises(TypeError, match="which is no array of numbers"):
        information.entropy([HUGE, 1])
    right = np.log(2.0) / (400.0 * np.log(10.0))
    assert information.entropy([0.5, 0.5], base=HUGE) == pytest.approx(right)
    with pytest.raises(ValueError, match=r"the first -0\.1 at \(0,\)"):
        information.entropy([-0.1, 1.1])
