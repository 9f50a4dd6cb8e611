"""What users of other programs type, or type first: the message says how it is said here."""

from __future__ import annotations

import inspect
import re
import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skmle
from skmle import (
    CrossEntropyClassifier,
    Distribution,
    DistributionSearch,
    FormulaTransformer,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
    information,
)
from skmle.exceptions import FitWarning, SettingWarning
from tests.estimators.refusals import FRAME, LABELS, X, Y, assert_four_parts

TIMES = np.exp(Y)
COUNTS = np.arange(30) % 5
CENSORED = stats.CensoredData(uncensored=TIMES[:20], right=TIMES[20:])

# What was typed: (the call, what the message says).
SPELLINGS = {
    "penalty of scikit-learn": (
        lambda: CrossEntropyClassifier(penalty="l2").fit(X, LABELS),
        r"give None, 'jeffreys'.*ridge \(l2\) is alpha > 0, which is 1/\(C n\).*l1_ratio=1",
    ),
    "a coefficient that is to be held": (
        lambda: MLERegressor("poisson", fixed={"age": 0.1}).fit(FRAME, COUNTS),
        r"'age' is a column of X, and fixed.*Allowed: mean\. .*offset=b \* X\['age'\]",
    ),
    "scipy's loc": (
        lambda: MLEDistribution("gamma", fixed={"loc": 0}).fit(TIMES),
        r"always 0 here\. Leave it out\. A law that begins elsewhere is families\.Shifted",
    ),
    "features of a parameter that is held": (
        lambda: MLERegressor("t", fixed={"df": 4}, features={"df": ["age"]}).fit(FRAME, Y),
        r"'df' is held by fixed\. Allowed: loc, scale\. Leave it out of one of them",
    ),
    "a formula as family": (
        lambda: MLERegressor("y ~ age").fit(FRAME, Y),
        r"make_pipeline\(FormulaTransformer\('y ~ age'\), MLERegressor\(\)\)",
    ),
    "an offset in a formula": (
        lambda: FormulaTransformer("age + offset(time)").fit(FRAME),
        r"FormulaTransformer\(\.\.\., keep='time'\) and MLERegressor\(\.\.\., offset='time'\)",
    ),
    "known ends of a triangle": (
        lambda: MLEDistribution("triangular", fixed={"low": 0, "high": 99}).fit(TIMES),
        r"With known ends, families\.ScipyFamily\('triang', loc=low",
    ),
    "one part of a product": (
        lambda: MLEDistribution(families.Product("normal")).fit(X),
        r"family='normal' is one family\. Allowed: a list",
    ),
    "scipy's censored data": (
        lambda: MLEDistribution("weibull").fit(CENSORED),
        r"CensoredData keeps no rows.*skmle\.censored\(time, event\).*families\.Censored",
    ),
    "scipy's censored data for a censored law": (
        lambda: MLEDistribution(families.Censored("weibull")).fit(CENSORED),
        r"CensoredData keeps no rows",
    ),
    "scipy's censored data for a search": (
        lambda: DistributionSearch().fit(CENSORED),
        r"CensoredData keeps no rows",
    ),
    "times for a censored law": (
        lambda: MLEDistribution(families.Censored("weibull")).fit(TIMES),
        r"X has 1 column\. Allowed: exactly 2 or 4.*skmle\.censored",
    ),
    "successes alone": (
        lambda: MLEDistribution("binomial").fit(COUNTS),
        r"X has 1 column\. Allowed: exactly 2.*column_stack\(\[y, n - y\]\).*'bernoulli'",
    ),
    "outcomes for a binomial regression": (
        lambda: MLERegressor("binomial").fit(X, Y > 0),
        r"y has shape \(30,\)\. Allowed: \(n, 2\).*'bernoulli'",
    ),
    "labels for a density": (
        lambda: MLEDistribution("bernoulli").fit(LABELS),
        r"column 0 of X holds text.*the law of a column of labels is 'categorical'",
    ),
    "an interval by R's name": (
        lambda: MLERegressor().fit(X, Y).predict_interval(X, interval="confidence"),
        r"interval='confidence' is not known.*'law' of the model.*'observation'.*mean 'mean'\?",
    ),
    "an interval by its probability": (
        lambda: MLERegressor().fit(X, Y).predict_interval(X, interval=0.9),
        r"interval=0\.9 is not known.*predict_interval\(X, coverage=0\.9\)",
    ),
    "an interval of a classifier": (
        lambda: skmle.predict_interval(CrossEntropyClassifier(alpha=1.0).fit(X, LABELS), X),
        r"no quantiles\..*skmle\.infer\(model\)\.predict_interval\(X\)",
    ),
    "an interval of a probability": (
        lambda: skmle.predict_interval(
            CrossEntropyClassifier(alpha=1.0).fit(X, LABELS), X, interval="probability"
        ),
        r"no quantiles\..*skmle\.infer\(model\)\.predict_interval\(X\)",
    ),
    "scikit-learn's C": (
        lambda: CrossEntropyClassifier(C=1.0),
        r"argument 'C'\. Allowed: link, alpha, .*In its place give alpha, which is 1/\(C n\)",
    ),
    "a link beside the family": (
        lambda: MLERegressor("gamma", link="identity"),
        r"argument 'link'\. .*families\.Gamma\(links=\{'mean': 'identity'\}\)",
    ),
    "scipy's floc": (
        lambda: MLEDistribution("gamma", floc=0),
        r"argument 'floc'\. Allowed: family, fixed, .*fixed=\{\.\.\.\}",
    ),
    "weights in the constructor": (
        lambda: MLERegressor(sample_weight=np.ones(30)),
        r"argument 'sample_weight'\. .*In its place give sample_weight to fit",
    ),
    "a setting that is misspelt": (
        lambda: OrdinalClassifier(aplha=0.1),
        r"argument 'aplha'\. Allowed: .*Did you mean 'alpha'\?",
    ),
    "a setting that is none": (
        lambda: MLERegressor(colour="red"),
        r"argument 'colour'\. Allowed: family, .*Leave it out",
    ),
    "the null model of a formula": (
        lambda: make_pipeline(FormulaTransformer("1"), MLERegressor()).fit(FRAME, Y),
        r"0 feature\(s\).*MLERegressor\(features=\{parameter: 'none'\}\)",
    ),
    "parameters of a law by place": (
        lambda: Distribution("gamma", 6),
        r"6 is no mapping\. Allowed: its parameters by name, mean, shape\. Write mean=\.\.\.",
    ),
    "a frozen law as a family": (
        lambda: Distribution(stats.gamma(2)),
        r"Allowed: exactly mean, shape\. .*Distribution\.from_scipy\(law\)",
    ),
    "arguments that are swapped": (
        lambda: information.empirical_cross_entropy(TIMES, stats.gamma(2)),
        r"the model is a ndarray, and X a .* Allowed: the model first",
    ),
    "arguments that are swapped, of a fitted model": (
        lambda: information.empirical_cross_entropy(TIMES, MLEDistribution().fit(TIMES)),
        r"X a MLEDistribution\. Allowed: the model first.*empirical_cross_entropy\(X, model\)",
    ),
    "goodness of fit of a family": (
        lambda: skmle.goodness_of_fit("weibull", TIMES),
        r"Allowed: MLEDistribution and .*MLEDistribution\('weibull'\)\.fit\(X\)",
    ),
    "a row of a frame": (
        lambda: MLERegressor().fit(FRAME, Y).predict(FRAME.iloc[0]),
        r"Expected 2D array.*take frame\.iloc\[\[i\]\], not frame\.iloc\[i\]",
    ),
    "a column of a frame": (
        lambda: MLERegressor().fit(FRAME["age"], Y),
        r"Expected 2D array.*X\.to_frame\(\) makes a table of a column",
    ),
}


@pytest.mark.parametrize("ask, says", SPELLINGS.values(), ids=SPELLINGS)
def test_the_message_says_how_it_is_said_here(ask, says):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, TypeError)) as caught:
            ask()
    message = str(caught.value)
    assert re.search(says, message, re.DOTALL), message
    assert_four_parts(message)


def test_a_constructor_keeps_its_signature():
    for cls in (MLEDistribution, MLERegressor, CrossEntropyClassifier, OrdinalClassifier):
        names = list(inspect.signature(cls).parameters)
        assert names and set(names) == set(cls().get_params())
        assert repr(clone(cls(tol=1e-3))) == f"{cls.__name__}(tol=0.001)"


# ---------------------------------------------------------------- frozen laws of scipy

FROZEN = {
    "ours": (stats.gamma(2.0), "mean, shape", "{'shape': 2.0}"),
    "two shapes": (stats.burr12(2, 3), "scale, shape, power", "{'power': 3.0}"),
    "scipy's": (stats.moyal(1.0, 2.0), "loc, scale", "{'scale': 2.0}"),
}


@pytest.mark.parametrize("law, fitted, held", FROZEN.values(), ids=FROZEN)
def test_numbers_of_a_frozen_law_are_said_to_be_fitted(law, fitted, held):
    says = f"family={law.dist.name}(...) is frozen, but its numbers are not held: the fit finds "
    with pytest.warns(SettingWarning, match=re.escape(f"{says}{fitted}.")) as caught:
        MLEDistribution(law).fit(TIMES)
    message = next(str(w.message) for w in caught if w.category is SettingWarning)
    assert f"fixed={held} does." in message
    assert_four_parts(message)


def test_laws_that_are_not_frozen_or_held_are_not_warned_of():
    given = [
        MLEDistribution(stats.gamma),
        MLEDistribution(stats.norm()),
        MLEDistribution(stats.erlang(3)),  # a whole number, which is held
        MLEDistribution(stats.gamma(2.0), fixed={"shape": 2.0}),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SettingWarning)
        for model in given:
            model.fit(TIMES)


def test_a_transform_of_what_is_outside_is_refused_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="outside the support. Allowed: y > 0"):
            MLEDistribution(families.Transformed("normal", "log")).fit(-TIMES)


# ---------------------------------------------------------------- laws around laws

AROUND = {
    "zero_inflated_poisson": "families.ZeroInflated('poisson')",
    "ZIP": "families.ZeroInflated('poisson')",
    "zinb": "families.ZeroInflated('negative_binomial')",
    "hurdle-negbin": "families.Hurdle('negbin')",
    "truncated normal": "families.Truncated('normal')",
    "mixture of gamma": "families.Mixture('gamma')",
    "gaussian_mixture": "families.Mixture('gaussian')",
    "mixture": "families.Mixture(...)",
}


@pytest.mark.parametrize("name, made", AROUND.items())
def test_laws_around_laws_are_called_by_their_class(name, made):
    with pytest.raises(ValueError, match=re.escape(f"made by its class: {made}.")):
        families.get_family(name)
    if "..." not in made:
        eval(made, {"families": families})


@pytest.mark.parametrize("cls", [getattr(families, name) for name in families.WRAPPERS])
def test_the_law_inside_is_printed_also_where_it_is_the_default(cls):
    family = cls()
    assert f"family={family.family!r}" in repr(family)
    assert repr(eval(repr(family), {cls.__name__: cls})) == repr(family)


def test_a_grid_of_components_begins_with_the_law_itself():
    for model, args in (
        (MLEDistribution(families.Mixture("gamma")), (TIMES,)),
        (MLERegressor(families.Mixture("poisson")), (X, COUNTS)),
    ):
        family = model.family.family
        plain = type(model)(family).fit(*args)
        one = type(model)(families.Mixture(family, 1)).fit(*args)
        assert one.params_ == plain.params_
        assert one.log_likelihood_ == plain.log_likelihood_
        assert str(one.summary()) == str(plain.summary())
        assert one.score(*args) == plain.score(*args)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grid = {"family__components": [1, 2]}
            search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(*args)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# ---------------------------------------------------------------- numbers as labels


LABELLING = {
    "classifier": (CrossEntropyClassifier(max_iter=1), 1),
    "regressor": (MLERegressor("categorical", max_iter=1), 1),
    "regressor, halves": (MLERegressor("categorical", max_iter=1), 0.5),
}


@pytest.mark.parametrize("model, scale", LABELLING.values(), ids=LABELLING)
def test_numbers_that_seldom_recur_are_told_before_they_are_fitted_as_labels(model, scale):
    rows = np.random.default_rng(0).normal(size=(60, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", SettingWarning)
        with pytest.raises(SettingWarning, match=r"25 different numbers in 60 rows.*2\.4 times"):
            model.fit(rows, scale * (np.arange(60) % 25))
        warnings.simplefilter("ignore", FitWarning)
        model.fit(rows, scale * (np.arange(60) % 20))  # few of them
        model.fit(rows, scale * (np.arange(60) % 25), np.full(60, 10.0))  # a table of counts
