"""What users of other programs type, or type first: the message says how it is said here."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
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
    "an end of a truncated law": (
        lambda: families.Truncated("normal", lower=0),
        r"unexpected keyword argument 'lower'\. Allowed: .*In its place give low\.",
    ),
    "parts of a mixture": (
        lambda: families.Mixture("normal", n_components=2),
        r"'n_components'\. Allowed: family, .*In its place give components\.",
    ),
    "a link of a family": (
        lambda: families.Gamma(link="identity"),
        r"'link'\. Allowed: links\. In its place give links, such as links=",
    ),
    "a misspelt parameter that is held": (
        lambda: MLEDistribution("gamma", fixed={"shap": 2}).fit(TIMES),
        r"no parameter 'shap'\. Allowed: mean, shape\. Did you mean 'shape'\?",
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
    "a parameter of a law by place": (
        lambda: Distribution("gamma", 6),
        r"got 6 without names\. Allowed: its parameters by name, mean, shape\. "
        r"Write mean=\.\.\.",
    ),
    "parameters of a law by place": (
        lambda: Distribution("gamma", 6, 2),
        r"got 6, 2 without names\. Allowed: its parameters by name, mean, shape\. "
        r"Write mean=\.\.\.",
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


# Laws around a frozen one, and what holds the last of its numbers.
FROZEN_INSIDE = {
    "truncated": (families.Truncated(stats.gamma(2.0), low=0.0), "'shape': 2.0"),
    "rounded": (families.Rounded(stats.gamma(2.0), resolution=0.01), "'shape': 2.0"),
    "transformed": (families.Transformed(stats.norm(0, 1.5), "log"), "'scale': 1.5"),
    "shifted": (families.Shifted(stats.gamma(2.0)), "'shape': 2.0"),
    "two deep": (families.Truncated(families.Transformed(stats.norm(0, 1), "log")), "'scale': 1.0"),
    "equal parts": (families.Mixture(stats.gamma(2.0), components=2), "'shape_1': 2.0"),
    "the second part": (families.Mixture(["gamma", stats.gamma(2.0)]), "'shape_2': 2.0"),
    "hurdle": (families.Hurdle(stats.gamma(2.0)), "'shape': 2.0"),
}


@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
@pytest.mark.parametrize("family, held", FROZEN_INSIDE.values(), ids=FROZEN_INSIDE)
def test_numbers_of_a_frozen_law_inside_another_are_said_to_be_fitted(family, held):
    model = MLEDistribution(family, max_iter=30)
    says = f"\\(...\\) inside {type(family).__name__} is frozen, but its numbers are not held"
    with pytest.warns(SettingWarning, match=says) as caught:
        model.fit(TIMES)
    messages = [str(w.message) for w in caught if w.category is SettingWarning]
    assert len(messages) == 1 and f"as fixed={{{held}}} does." in messages[0]
    assert_four_parts(messages[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", SettingWarning)
        model.set_params(fixed=ast.literal_eval(f"{{{held}}}")).fit(TIMES)


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


@pytest.mark.slow
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


# ---------------------------------------------------------------- attributes of others

DENSITY = MLEDistribution("gamma").fit(TIMES)
REGRESSION = MLERegressor().fit(FRAME, Y)
CLASSIFIER = CrossEntropyClassifier().fit(X[:, 1:], LABELS)
ORDERED = OrdinalClassifier().fit(X[:, 1:], COUNTS)
SEARCH = DistributionSearch(["gamma", "lognormal"]).fit(TIMES)
RESULTS = REGRESSION.inference()

# What is looked for: (on what, what to take in its place).
ATTRIBUTES = {
    "predict_interval": (CLASSIFIER, r"skmle\.infer\(model\)\.predict_interval\(X\) for the prob"),
    "predict_quantile": (ORDERED, r"predict_proba\(X\), as labels have no quantiles"),
    "predict_dist": (CLASSIFIER, r"skmle\.predict_dist\(model, X\)"),
    "sample": (ORDERED, r"skmle\.predict_dist\(model, X\)\.rvs\(\)"),
    "intercept_": (ORDERED, "cut_points_"),
    "log_prob": (DENSITY, r"score_samples\(X\)"),
    "ppf": (DENSITY, r"distribution_\.ppf"),
    "return_level": (DENSITY, r"inference\(\)\.return_level"),
    "coef_": (DENSITY, "params_"),
    "predict_proba": (REGRESSION, "CrossEntropyClassifier for labels; .*predict"),
    "score_samples": (REGRESSION, r"log_prob\(X, y\)"),
    "distribution_": (REGRESSION, r"predict_dist\(X\)"),
    "cdf": (REGRESSION, r"predict_dist\(X\)\.cdf"),
    "residuals_": (REGRESSION, r"skmle\.augment\(model, X, y\)"),
    "loo": (REGRESSION, r"skmle\.loo\(model, X, y\)"),
    "effects": (REGRESSION, r"inference\(\)\.effects"),
    "bse": (REGRESSION, r"inference\(\)\.standard_errors"),
    "best_params_": (SEARCH, "best_family_"),
    "aic": (SEARCH, r"best_estimator_\.aic"),
    "mean": (SEARCH, r"distribution_\.mean"),
    "pvalues": (SEARCH, r"inference\(\)\.p_value"),
    "conf_int": (RESULTS, r"confidence_intervals\(\)"),
    "params": (RESULTS, "estimates"),
    "to_frame": (RESULTS, r"tidy\(\)"),
    "tidy": (RESULTS.summary(), r"inference\.tidy\(\)"),
    "quantile": (DENSITY, r"distribution_\.ppf\(q\)"),
    "pvalue": (RESULTS.test("age"), "p_value"),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_of_others_leads_to_the_one_here(name):
    holder, here = ATTRIBUTES[name]
    kind = type(holder).__name__
    with pytest.raises(
        AttributeError, match=f"^{kind} has no attribute '{name}'. In its place take {here}.*\\.$"
    ):
        getattr(holder, name)
    assert not hasattr(holder, name)


@pytest.mark.parametrize("holder", [DENSITY, REGRESSION, CLASSIFIER, ORDERED, SEARCH, RESULTS])
def test_what_is_to_be_taken_is_there_and_what_is_there_is_not_in_a_table(holder):
    tables = [vars(base).get("_elsewhere", {}) for base in type(holder).__mro__]
    for name, here in {name: here for table in tables for name, here in table.items()}.items():
        assert not hasattr(holder, name), name
        first = re.match(r"[a-z_]+", here)
        if first and first[0] not in ("skmle", "sklearn", "one", "str"):
            assert hasattr(holder, first[0]), here


def test_attributes_of_no_one_and_of_a_fit_to_come():
    for holder in (DENSITY, RESULTS):
        with pytest.raises(AttributeError, match="^'.*' object has no attribute 'nonsense'$"):
            holder.nonsense  # noqa: B018
    for blank in (MLERegressor(), DistributionSearch()):
        with pytest.raises(AttributeError, match="as it is not fitted. Call fit first"):
            blank.n_features_in_  # noqa: B018
    with pytest.raises(AttributeError, match="'coef_', as it is not fitted. Call fit first"):
        MLERegressor().coef_  # noqa: B018


def test_a_property_says_itself_why_it_is_not_there():
    with pytest.raises(AttributeError) as caught:
        MLEDistribution("student_t").partial_fit  # noqa: B018
    assert "no sum of fixed size" in str(caught.value.__cause__)
    for given in (DENSITY, RESULTS, SEARCH):
        assert pickle.loads(pickle.dumps(given)) is not None
        assert copy.deepcopy(copy.copy(given)) is not None
