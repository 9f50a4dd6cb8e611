"""Published fits of laws of counts: Stata's and other books' numbers, and statsmodels' own fits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from skmle import MLEDistribution, MLERegressor

sm = pytest.importorskip("statsmodels.api")


@pytest.fixture(scope="module")
def doctor():
    """Visits to a doctor in the RAND health insurance experiment, 20190 people."""
    from statsmodels.datasets import randhie

    table = randhie.load_pandas().data
    X = table[["lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]]
    return X.to_numpy(float), table["mdvis"].to_numpy(float)


# Stata 11, as in statsmodels/discrete/tests/results/results_discrete.py (RandHIE): nine slopes, the
# intercept and log dispersion.
NB1 = {
    "slopes": [
        *(-0.065317260803762961, -0.296023807893893376, 0.041187021258044826),
        *(-0.032028789543547605, 0.19065933246421754, 0.031871625115758778),
        *(-0.033250849053302826, -0.04850769174426571, 0.111813637465757343),
    ],
    "intercept": 0.757277086555503409,
    "log_dispersion": 1.316716867203,
    "error": 0.0630011409376052,
    "log_likelihood": -43278.75612911823,
}


def test_negative_binomial_1(doctor):
    X, y = doctor
    model = MLERegressor("negative_binomial_1").fit(X, y)
    np.testing.assert_allclose(model.coef_, NB1["slopes"], rtol=1e-6)
    np.testing.assert_allclose(model.intercept_, NB1["intercept"], rtol=1e-6)
    found = model.intercepts_["dispersion"]
    np.testing.assert_allclose(found, NB1["log_dispersion"], rtol=1e-6)
    np.testing.assert_allclose(model.log_likelihood_, NB1["log_likelihood"], rtol=1e-9)
    errors = np.sqrt(np.diag(model.inference().covariance))
    np.testing.assert_allclose(errors[-1], NB1["error"], rtol=1e-3)


def test_generalized_poisson(doctor):
    """Consul's law as statsmodels fits it; its log-likelihood cannot be above ours."""
    from statsmodels.discrete.discrete_model import GeneralizedPoisson

    X, y = (part[:2000] for part in doctor)
    model = MLERegressor("generalized_poisson").fit(X, y)
    start = [model.intercept_, *model.coef_, np.exp(model.intercepts_["dispersion"])]
    theirs = GeneralizedPoisson(y, sm.add_constant(X), p=1).fit(start_params=start, disp=0)
    np.testing.assert_allclose(model.log_likelihood_, theirs.llf, rtol=1e-9)
    np.testing.assert_allclose([model.intercept_, *model.coef_], theirs.params[:-1], rtol=1e-4)
    np.testing.assert_allclose(start[-1], theirs.params[-1], rtol=1e-4)


def test_boys_in_families_of_twelve():
    """The 6115 families of twelve in Saxony, 1876-1885, of Geissler.

    Wikipedia's article on the beta-binomial law has alpha = 34.09558 and beta = 31.5715, short of
    the maximum in the fourth digit, and the AIC of both laws. The data are those of Lindsey &
    Altham (1998), Analysis of the human sex ratio by using overdispersion models, Applied
    Statistics 47.
    """
    families = [3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7]
    boys = np.arange(13.0)
    rows = np.column_stack([boys, 12.0 - boys])
    model = MLEDistribution("beta_binomial").fit(rows, sample_weight=families)
    p, dispersion = model.params_["probability"], model.params_["dispersion"]
    found = [p / dispersion, (1.0 - p) / dispersion]
    np.testing.assert_allclose(found, [34.09558, 31.5715], rtol=3e-4)
    theirs = betabinom(12, 34.09558, 31.5715).logpmf(boys) @ families
    assert 0.0 <= model.log_likelihood_ - theirs < 1e-5
    np.testing.assert_allclose(4.0 - 2.0 * model.log_likelihood_, 24989.74, atol=0.005)
    binomial = MLEDistribution("binomial").fit(rows, sample_weight=families)
    np.testing.assert_allclose(-2.0 * binomial.log_likelihood_ + 2.0, 25070.34, atol=0.005)


def test_com_poisson():
    """Ampules broken in ten shipments, by the number of transfers between aircraft.

    The data are those of Kutner et al., Applied Linear Regression Models, problem 1.21, after
    Sellers & Shmueli (2010), A flexible regression model for count data; nu is that of spaMM, in
    the tests of the package for ``fitme(broken ~ transfers, data=freight,
    family=COMPoisson(link="log"), method="ML")``. Its digits beyond, it says, depend on its sums.
    """
    transfers = np.array([1.0, 0, 2, 0, 3, 1, 0, 1, 2, 0])
    broken = np.array([16.0, 9, 17, 12, 22, 13, 8, 15, 19, 11])
    model = MLERegressor("com_poisson").fit(transfers[:, None], broken)
    assert model.status_ == "interior"
    nu = np.exp(model.intercepts_["nu"])
    np.testing.assert_allclose(nu, 5.733443, rtol=1e-5)
    poisson = MLERegressor("poisson").fit(transfers[:, None], broken)
    np.testing.assert_allclose(model.coefs_["mean"], poisson.coef_, atol=1e-3)
