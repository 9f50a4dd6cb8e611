"""Robust errors on five data sets of statsmodels, by every kind that it has, to 1e-8."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLERegressor

sm = pytest.importorskip("statsmodels.api")

R = "G/(G-1)*(n-1)/(n-k)"  # what statsmodels and R call the usual correction


def columns(name: str) -> pd.DataFrame:
    return getattr(sm.datasets, name).load_pandas().data.reset_index(drop=True)


def grunfeld():
    data = columns("grunfeld")
    return "squares", data[["value", "capital"]], data["invest"], data["firm"]


def stackloss():
    data = columns("stackloss")
    return "squares", data[["AIRFLOW", "WATERTEMP"]], data["STACKLOSS"], np.arange(len(data)) // 3


def spector():
    data = columns("spector")
    return "logit", data[["GPA", "TUCE", "PSI"]], data["GRADE"], np.arange(len(data)) // 4


def fair():
    data = columns("fair")
    named = data[["rate_marriage", "age", "yrs_married", "religious"]]
    return "probit", named, (data["affairs"] > 0).astype(int), data["occupation_husb"].astype(int)


def cancer_counts():
    data = columns("cancer")
    X = np.log(data[["population"]])
    return "poisson", X, data["cancer"], np.arange(len(data)) // 10


DATA = {make.__name__: make for make in (grunfeld, stackloss, spector, fair, cancer_counts)}
OURS = {
    "squares": MLERegressor(tol=1e-12),
    "logit": CrossEntropyClassifier(tol=1e-12),
    "probit": CrossEntropyClassifier(link="probit", tol=1e-12),
    "poisson": MLERegressor("poisson", tol=1e-12),
}
THEIRS = {"squares": sm.OLS, "logit": sm.Logit, "probit": sm.Probit, "poisson": sm.Poisson}
# Of a likelihood statsmodels' HC0 to HC3 are all the first.
KINDS = ["HC0", "cluster", "two-way", "HAC"]
CASES = [
    (name, kind)
    for name, make in DATA.items()
    for kind in [*KINDS, *(["HC1", "HC2", "HC3"] if make()[0] == "squares" else [])]
]


def settings_of(kind, groups):
    n = len(groups)
    both = np.column_stack([np.unique(groups, return_inverse=True)[1], np.arange(n) % 5])
    if kind == "cluster":
        return {"groups": groups, "correction": R}, {"groups": np.asarray(groups)}
    if kind == "two-way":
        return {"groups": both, "correction": R}, {"groups": both}
    if kind == "HAC":
        return {"covariance": "HAC", "lags": 3}, {"maxlags": 3}
    return {"covariance": kind}, {}


@pytest.mark.parametrize(("name", "kind"), CASES, ids=str)
def test_robust_errors_are_those_of_statsmodels(name, kind):
    which, X, y, groups = DATA[name]()
    ours, theirs = settings_of(kind, groups)
    model = OURS[which].fit(X, y)
    found = model.inference(X, y, **ours)
    peer = THEIRS[which](np.asarray(y, float), sm.add_constant(X, prepend=False))
    if theirs:
        theirs = {"cov_kwds": theirs}
    way = {} if which == "squares" else {"disp": 0, "method": "newton", "tol": 1e-14}
    type_of = "cluster" if kind == "two-way" else kind
    expected = peer.fit(cov_type=type_of, **theirs, **way)
    count = X.shape[1] + 1
    np.testing.assert_allclose(found.standard_errors[:count], np.asarray(expected.bse), rtol=1e-8)
