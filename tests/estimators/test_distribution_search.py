"""Choosing among families: on one scale, by a criterion, with reasons for what is not ranked."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmle import DistributionSearch, MLEDistribution, goodness_of_fit
from skmle.exceptions import ScaleWarning
from skmle.families import Rounded, all_families, get_family
from skmle.families.candidates import candidates, scale_of
from tests.subjects import own_name

RNG = np.random.default_rng
N = 300


def with_zeros(seed: int) -> np.ndarray:
    rng = RNG(seed)
    return np.where(rng.random(N) < 0.4, 0.0, rng.gamma(2.0, 1.0, N))


# Samples of every kind, with what their log-likelihoods are of.
SAMPLES = {
    "zeros and ones": (lambda: (RNG(0).random(N) < 0.3).astype(float), "whole numbers"),
    "counts": (lambda: RNG(1).poisson(3.0, N), "whole numbers"),
    "large counts": (lambda: RNG(2).poisson(1e6, N), "whole numbers"),
    "negative whole numbers": (lambda: -RNG(3).poisson(4.0, N), "whole numbers"),
    "heights in centimetres": (lambda: RNG(4).normal(170.0, 8.0, N).round(), "whole numbers"),
    "codes of categories": (lambda: RNG(5).integers(0, 400, N), "whole numbers"),
    "heights in millimetres": (lambda: RNG(6).normal(1.7, 0.08, N).round(3), "densities"),
    "one decimal place": (lambda: RNG(7).normal(size=N).round(1), "rounded to 0.1"),
    "tens": (lambda: RNG(8).normal(500.0, 100.0, N).round(-1), "rounded to 10"),
    "amounts in cents": (lambda: RNG(9).gamma(2.0, 500.0, N).round(2), "densities"),
    "rain": (lambda: with_zeros(10), "a probability of zero, and densities"),
    "shares": (lambda: RNG(11).beta(2.0, 3.0, N), "densities"),
    "labels": (lambda: RNG(12).choice(["a", "b", "c"], N), "probabilities of labels"),
}

every_sample = pytest.mark.parametrize("name", SAMPLES)


@every_sample
def test_the_scale_of_a_sample_is_named(name):
    draw, words = SAMPLES[name]
    assert words in str(scale_of(draw()))


@every_sample
def test_all_candidates_are_on_it(name):
    """Each says of the same rows that it gives a density, and of the same that it gives a mass."""
    x = SAMPLES[name][0]()
    found = candidates(x)
    assert found.families
    given = []
    for family in found.families.values():
        law = family.adapt(x)
        assert law.contains(x).all()
        given.append(np.broadcast_to(law.densities(law.statistics(x)), len(x)))
    assert all(np.array_equal(given[0], other) for other in given)
    assert all(reason for reason in found.refused.values())


@pytest.mark.slow
@every_sample
def test_every_kind_of_sample_has_a_best_law(name):
    draw, words = SAMPLES[name]
    x = draw()
    search = DistributionSearch().fit(x)
    assert words in search.scale_
    table = search.results_
    ranked = table[table["weight"].notna()]
    assert ranked["family"].iloc[0] == search.best_family_
    assert ranked["bic"].is_monotonic_increasing
    assert ranked["weight"].sum() == pytest.approx(1.0)
    assert np.isfinite(search.score(x.reshape(-1, 1)))
    # What is not ranked says why.
    assert (table[table["weight"].isna()]["remark"] != "").all()


def test_a_column_of_zeros_and_ones_is_no_uniform_law():
    """By densities uniform would have 0.000 and Bernoulli -0.683."""
    x = (RNG(0).random(200) < 0.43).astype(float)
    search = DistributionSearch().fit(x)
    assert search.best_family_ == "bernoulli"
    refused = search.results_.set_index("family").loc["uniform"]
    assert refused["status"] == "refused" and "support" in refused["remark"]


POPULAR = {
    "normal": lambda rng: rng.normal(2.0, 3.0, 1000),
    "exponential": lambda rng: rng.exponential(2.0, 1000),
    "gamma": lambda rng: rng.gamma(2.0, 3.0, 1000),
    "lognormal": lambda rng: rng.lognormal(0.5, 0.9, 1000),
    "weibull": lambda rng: 2.0 * rng.weibull(1.8, 1000),
    "student_t": lambda rng: 1.0 + 2.0 * rng.standard_t(4.0, 1000),
    "beta": lambda rng: rng.beta(2.3, 0.63, 1000),
    "uniform": lambda rng: rng.uniform(1.0, 4.0, 1000),
    "laplace": lambda rng: rng.laplace(1.0, 2.0, 1000),
    "log_logistic": lambda rng: stats.fisk(3.0, scale=2.0).rvs(1000, random_state=rng),
}


@pytest.mark.slow
def test_the_right_one_of_ten_families_is_chosen():
    """In 49 of 50 samples or more; ranking by squared distances from histograms finds 32."""
    right = 0
    for name, draw in POPULAR.items():
        for seed in range(5):
            x = draw(RNG([seed, len(name)]))
            right += DistributionSearch(list(POPULAR)).fit(x).best_family_ == name
    assert right >= 49


def test_a_limit_law_is_not_ranked_beside_itself():
    x = RNG(1).uniform(-1.0, 1.0, 200)  # lighter tails than any law of Student's
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = DistributionSearch(["student_t", "normal"]).fit(x).results_.set_index("family")
    assert table.loc["student_t", "remark"] == "is normal here"
    assert np.isnan(table.loc["student_t", "weight"]) and table.loc["normal", "weight"] == 1.0


@pytest.mark.parametrize("criterion", ["bic", "aic", "aicc", "held_out"])
def test_criteria(criterion):
    x = RNG(2).gamma(2.0, 1.0, 150)
    search = DistributionSearch(["gamma", "normal", "lognormal"], criterion=criterion).fit(x)
    table = search.results_
    sign = -1.0 if criterion == "held_out" else 1.0
    assert (sign * table[criterion]).is_monotonic_increasing
    model = MLEDistribution(search.best_family_).fit(x[:, None])
    assert search.log_likelihood_ == model.log_likelihood_
    assert table["aic"].iloc[0] == pytest.approx(model.aic())
    assert table["bic"].iloc[0] == pytest.approx(model.bic())
    assert table["difference"].iloc[0] == 0.0 and np.isnan(table["vuong_p"].iloc[0])


def test_held_out_values_are_those_of_compare():
    from skmle import compare

    x = RNG(3).gamma(2.0, 1.0, (120, 1))
    table = DistributionSearch(["gamma", "normal"], cv=4).fit(x).results_.set_index("family")
    models = {name: MLEDistribution(name) for name in table.index}
    other = compare(models, x, cv=4).tidy().set_index("model")
    np.testing.assert_allclose(table["held_out"], other["log_likelihood"].loc[table.index])
    np.testing.assert_allclose(table["std_error"].iloc[1], other["std_error"].iloc[1])


def test_weights_are_repeated_rows():
    rng = RNG(4)
    x, times = rng.gamma(2.0, 1.0, (60, 1)), rng.integers(0, 4, 60)
    names = ["gamma", "normal", "lognormal"]
    one = DistributionSearch(names, resolution=None).fit(x, sample_weight=times)
    other = DistributionSearch(names, resolution=None).fit(np.repeat(x, times, axis=0))
    numbers = ["log_likelihood", "aicc", "bic", "weight", "difference", "std_error"]
    np.testing.assert_allclose(one.results_[numbers], other.results_[numbers], rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_it_delegates_to_the_best(rng):
    x = RNG(5).poisson(4.0, (200, 1)).astype(float)
    search = DistributionSearch().fit(x)
    best = search.best_estimator_
    np.testing.assert_array_equal(search.score_samples(x), best.score_samples(x))
    assert search.score(x) == best.score(x) and search.params_ == best.params_
    np.testing.assert_array_equal(search.predict(x), best.predict(x))
    assert search.sample(3, random_state=0).shape == (3, 1)
    assert repr(search.summary()) == repr(best.summary())
    assert search.status_ == "interior" and search.distribution_ is best.distribution_
    assert list(search.inference().terms) == list(best.inference().terms)


def test_families_by_name_class_instance_and_scipys():
    x = RNG(6).gamma(2.0, 1.0, 200)
    found = DistributionSearch(
        {"one": "gamma", "two": type(get_family("normal")), "three": "gumbel_r"}
    ).fit(x)
    assert set(found.results_["family"]) == {"one", "two", "three"}
    rounded = DistributionSearch(["normal"], resolution=0.5).fit((2.0 * x).round() / 2.0)
    assert rounded.best_family_ == "normal (rounded)"
    assert rounded.best_estimator_.family.get_params()["resolution"] == 0.5
    assert isinstance(rounded.best_estimator_.family, Rounded)


def test_a_slow_family_is_given_up():
    x = RNG(7).standard_cauchy(500)
    search = DistributionSearch(["normal", "student_t", "norminvgauss"], time_limit=0.02).fit(x)
    table = search.results_.set_index("family")
    late = table[table["remark"].str.contains("time")]
    assert (late["status"] == "not_converged").all()
    assert search.best_family_ in ("normal", "student_t")


@pytest.mark.slow
def test_threads_change_nothing():
    x = RNG(8).gamma(2.0, 1.0, 200)
    one, two = (DistributionSearch(n_jobs=n).fit(x).results_ for n in (1, 2))
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"))


def test_values_that_were_cut_off_are_told():
    x = np.minimum(RNG(9).exponential(1.0, 200), 1.0)
    with pytest.warns(ScaleWarning, match=r"rows are 1, the largest value.*Censored.*Give"):
        DistributionSearch(["exponential"]).fit(x)


WRONG = {
    "criterion": (dict(criterion="rss"), r"criterion='rss'.*Allowed: 'bic'.*Give"),
    "limit": (dict(time_limit=0), r"time_limit=0.*Allowed.*Give"),
    "resolution": (dict(resolution=-1.0), r"resolution=-1.0.*Allowed.*Give"),
    "families": (dict(families=["gamma"]), r"no family describes X.*y > 0.*Allowed.*Give"),
    "unknown": (dict(families=["gama"]), r"Unknown family 'gama'.*Did you mean"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_settings(name):
    settings, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        DistributionSearch(**settings).fit(RNG(0).normal(size=50))


def test_in_grids_and_pipelines():
    x = RNG(10).gamma(2.0, 1.0, (150, 1))
    names = ["gamma", "normal"]
    pipe = make_pipeline(FunctionTransformer(), DistributionSearch(names)).fit(x)
    assert pipe.score(x) == DistributionSearch(names).fit(x).score(x)
    grid = GridSearchCV(DistributionSearch(names), {"criterion": ["bic", "aic"]}).fit(x)
    assert grid.best_estimator_.best_family_ == "gamma"
    assert clone(grid.best_estimator_).get_params()["families"] == names


def test_tables_of_densities_say_when_most_values_repeat():
    rng = RNG(11)
    smooth, rounded = rng.normal(size=(200, 1)), rng.normal(size=(200, 1)).round(1)
    for family, x, told in [
        ("normal", rounded, True),
        ("normal", smooth, False),
        (Rounded("normal", 0.1), rounded, False),
        ("poisson", rng.poisson(3.0, (200, 1)), False),
    ]:
        table = repr(MLEDistribution(family).fit(x).summary())
        assert ("different values in 200 rows" in table) == told
        assert ("resolution=0.1) gives" in table.replace("\n", " ")) == told


def test_a_law_at_its_limit_is_not_ranked_beside_that_law():
    x = abs(np.random.default_rng(0).normal(size=300)) + 1.0
    table = DistributionSearch(["exponential", "lomax"]).fit(x).results_
    assert [*table["weight"]][:1] == [1.0]
    assert [*table["remark"]][1:] == ["is exponential here"]


def test_rounded_laws_are_told_apart_by_the_law_inside():
    """The limit of Burr's rounded law is Weibull's, and not the first rounded one of the list."""
    x = np.ceil(10.0 * np.random.default_rng(0).weibull(2.0, 100))
    table = DistributionSearch(["normal", "weibull", "burr_xii"], resolution=1.0).fit(x).results_
    remarks = dict(zip(table["family"], table["remark"], strict=True))
    assert remarks["burr_xii (rounded)"] == "is weibull (rounded) here"


def test_the_best_knows_the_names_of_the_columns():
    frame = pd.DataFrame({"time": np.random.default_rng(0).gamma(2.0, size=100)})
    search = DistributionSearch(["gamma", "weibull"]).fit(frame)
    assert list(search.best_estimator_.feature_names_in_) == ["time"]
    goodness_of_fit(search.best_estimator_, frame, resamples=9)


# ---------------------------------------------------------------- one law, one line


def test_a_law_of_two_names_has_the_weight_of_one():
    x = np.random.default_rng(0).negative_binomial(2, 0.3, 500).astype(float)
    names = ["negative_binomial", "negative_binomial_1", "poisson"]
    found = DistributionSearch(names).fit(x).results_.set_index("family")
    assert found.loc["negative_binomial_1", "remark"] == "is negative_binomial here"
    assert found.loc["negative_binomial", "weight"] > 0.99


@pytest.mark.slow
def test_families_that_are_not_tried_unasked_have_a_line_that_says_why():
    rng = np.random.default_rng(0)
    untried = [cls for cls in all_families() if cls.not_tried]
    assert len(untried) >= 4
    for x, counts in ((rng.vonmises(1.0, 2.0, 100), False), (rng.geometric(0.3, 100), True)):
        found = DistributionSearch().fit(x).results_.set_index("family")["remark"]
        for cls in (cls for cls in untried if cls.support.discrete == counts):
            name = own_name(cls)
            assert found[name] == cls.not_tried
            some = DistributionSearch([name, "normal"]).fit(x).results_["family"]
            assert some.isin([name]).any()


# ---------------------------------------------------------------- what is no density's to describe


@pytest.mark.parametrize("family", ["von_mises", "wrapped_cauchy"])
def test_numbers_that_are_no_angles_in_radians_are_told(family):
    degrees = np.array([180.0, 90.0, 270.0, 10.0])
    with pytest.warns(ScaleWarning, match=r"angles run from 10 to 270, .* Give degrees as"):
        MLEDistribution(family).fit(degrees)
    MLEDistribution(family).fit(np.radians(degrees))


@pytest.mark.parametrize("family", ["uniform", "exponential", "normal"])
def test_a_density_of_two_values_says_that_it_means_nothing(family):
    x = np.repeat([0.0, 1.0], [20, 10])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        MLEDistribution(family).fit(x)
    (scale,) = (str(w.message) for w in told if w.category is ScaleWarning)
    assert "two values, 0 and 1" in scale and "'bernoulli'" in scale
    MLEDistribution("bernoulli").fit(x)
