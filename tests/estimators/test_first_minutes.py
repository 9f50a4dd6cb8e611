"""What a newcomer types in the first minutes: it works, or the message says what to type."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, families
from skmle.exceptions import SettingWarning
from skmle.families.tools.scipy_names import in_our_words
from tests.estimators.data import counts
from tests.estimators.refusals import (
    ESTIMATORS,
    LABELS,
    X,
    Y,
    arguments,
    assert_four_parts,
    assert_refused,
    every_estimator,
)
from tests.subjects import (
    as_columns,
    every_class,
    is_conditional,
    observations,
    own_name,
    typical,
)

DOCS = Path(skmle.__file__).parents[1] / "docs"

# ---------------------------------------------------------------- names of columns

RATES = pd.DataFrame(counts()[0], columns=["a", "b"]).assign(
    years=counts()[1], city=np.array(list("ABCD"))[np.arange(400) % 4]
)
EVENTS = counts()[2]


def front(**settings):
    encoder = OneHotEncoder(drop="first", sparse_output=False)
    return make_column_transformer((encoder, ["city"]), remainder="passthrough", **settings)


def test_an_exposure_is_found_by_its_name_behind_a_column_transformer():
    features = {"mean": ["a", "b"]}
    bare = MLERegressor("poisson", exposure="years", features=features).fit(
        RATES.drop(columns="city"), EVENTS
    )
    pipe = make_pipeline(
        front().set_output(transform="pandas"),
        MLERegressor("poisson", exposure="years", features=features),
    ).fit(RATES, EVENTS)
    np.testing.assert_allclose(pipe[-1].coef_, bare.coef_, rtol=1e-12)
    np.testing.assert_allclose(
        pipe.predict(RATES), bare.predict(RATES.drop(columns="city")), rtol=1e-12
    )


def test_a_name_that_two_columns_end_with_is_none():
    frame = pd.DataFrame(X, columns=["one__age", "two__age"])
    says = "X has no column 'age'. Allowed: one__age, two__age"
    assert_refused(MLERegressor(features={"loc": ["age"]}), frame, Y, says=says)
    exact = pd.DataFrame(X, columns=["age", "two__age"])
    assert MLERegressor(features={"loc": ["age"]}).fit(exact, Y).coef_.shape == (1,)


def test_without_names_the_message_says_how_a_pipeline_keeps_them():
    pipe = make_pipeline(front(), MLERegressor("poisson", exposure="years"))
    with pytest.raises(ValueError, match=r'no names. .*set_output\(transform="pandas"\)') as caught:
        pipe.fit(RATES, EVENTS)
    assert_four_parts(str(caught.value))


@pytest.mark.parametrize("what", ["offset", "exposure"])
@pytest.mark.parametrize("values", [np.ones(30), [1.0] * 30, pd.Series(np.ones(30))], ids=type)
def test_numbers_given_to_the_constructor_belong_to_fit(what, values):
    says = rf"{what}: .* was given to the constructor.*fit\(X, y, {what}=\.\.\.\)"
    model = MLERegressor("poisson", **{what: values})
    with pytest.raises(ValueError, match=says) as caught:
        model.fit(X, np.arange(30))
    assert_four_parts(str(caught.value))


# ---------------------------------------------------------------- settings without effect


@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_a_column_that_is_feature_and_exposure_is_told(what):
    frame = pd.DataFrame(np.exp(X), columns=["age", "years"])
    both = {"mean": ["age", "years"]}
    model = MLERegressor("poisson", features=both, **{what: "years"})
    with pytest.warns(SettingWarning, match=f"'years' is the {what} and also a feature of mean"):
        model.fit(frame, np.arange(30) % 4)
    elsewhere = {"mean": ["age"], "dispersion": ["years"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", SettingWarning)
        warnings.filterwarnings("ignore", category=skmle.exceptions.FitWarning)
        model = MLERegressor("negative_binomial", features=elsewhere, **{what: "years"})
        model.fit(frame, np.arange(30) % 4)


def test_a_column_that_is_offset_and_exposure_is_told():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80), "years": rng.uniform(0.5, 2.0, 80)})
    model = MLERegressor("poisson", offset="years", exposure="years")
    with pytest.warns(SettingWarning, match="'years' is the offset and also the exposure"):
        model.fit(frame, rng.poisson(frame["years"]))


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), MLERegressor()], ids=repr)
def test_an_l1_ratio_without_penalty_is_told(model):
    args = (X, LABELS) if isinstance(model, CrossEntropyClassifier) else (X, Y)
    with pytest.warns(SettingWarning, match="l1_ratio=0.5 has no effect, as alpha=0 is no penalty"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=skmle.exceptions.FitWarning)
            type(model)(l1_ratio=0.5).fit(*args)
    type(model)(l1_ratio=0.5, alpha=0.1).fit(*args)
    skmle.path(type(model)(l1_ratio=0.5), *args, n_alphas=3)


@pytest.mark.parametrize("coverage", [95, 0.0, 1.0, -0.5, np.nan])
def test_a_coverage_out_of_range_is_named(coverage):
    model = MLERegressor().fit(X, Y)
    for ask in (model.predict_interval, lambda X, c: skmle.predict_interval(model, X, c)):
        with pytest.raises(ValueError, match=f"coverage={coverage!r} is not allowed") as caught:
            ask(X, coverage)
        assert_four_parts(str(caught.value))


# ---------------------------------------------------------------- families by scipy's names


@pytest.mark.slow
def test_all_families_fill_a_grid():
    assert families.all_families() == tuple(families.all_families())
    grid = {
        "family": [
            cls for cls in families.all_families() if cls.observation == families.Observation()
        ]
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn tells which fits failed
        search = GridSearchCV(MLEDistribution(), grid, cv=3).fit(np.exp(Y))
    assert search.best_params_["family"] in families.all_families()


def test_an_unknown_family_says_where_to_read_how_one_is_made():
    message = assert_refused(MLEDistribution("no_such_law"), X, says=r"docs/add_a_family\.md")
    assert (DOCS / "add_a_family.md").exists() and message.endswith((".", "?"))


@every_class(lambda cls: bool(cls.scipy_name) and is_conditional(cls))
def test_what_scipy_calls_a_parameter_is_told_by_our_name(cls):
    family, theta = typical(cls)
    frozen = family.to_scipy(theta)
    written = getattr(getattr(stats, cls.scipy_name), "shapes", None) or ""
    shapes = [shape.strip() for shape in written.split(",") if shape]
    theirs = dict(zip([*shapes, "loc", "scale"], frozen.args, strict=False)) | frozen.kwds
    ours = dict(zip(family.names, theta, strict=True))
    for name, value in theirs.items():
        words = in_our_words(family, name)
        called = re.fullmatch(rf"scipy's '{name}' is '(\w+)' here\. Rename the key\.", words)
        if called:
            assert ours[called.group(1)] == pytest.approx(float(value), rel=1e-12)
        else:
            assert not any(np.isclose(v, float(value), rtol=1e-12) for v in ours.values()), words
    for name in (name for name in (*shapes, "scale") if name not in family.names):
        model = MLEDistribution(cls, fixed={name: 0.5})
        data = as_columns(observations(cls))
        message = assert_refused(model, data, says=f"no parameter '{name}'")
        assert_four_parts(message)
        assert in_our_words(family, name) in message


# ---------------------------------------------------------------- tables


def fitted(kind):
    weak = {"classifier": {"alpha": 0.1}}.get(kind, {})
    return type(ESTIMATORS[kind])(**weak).fit(*arguments(kind))


@every_estimator
def test_results_are_compared_by_their_values(kind):
    model, again = fitted(kind), fitted(kind)
    other = type(model)(**model.get_params()).fit(*(part[:20] for part in arguments(kind)))
    for show in (lambda m: m.summary(), lambda m: m.inference()):
        assert show(model) == show(model) == show(again)
        assert show(model) == show(pickle.loads(pickle.dumps(model)))
        assert show(model) != show(other) and show(model) != "a text"
    assert model.summary(0.9) != model.summary(0.95)


def test_paths_are_compared_by_their_values():
    lasso = CrossEntropyClassifier(l1_ratio=1.0)
    one, same = (skmle.path(lasso, X, LABELS, n_alphas=3) for _ in range(2))
    other = skmle.path(lasso, X, LABELS, n_alphas=3, eps=0.1)
    assert one == same and one != other and one != "a text"


@every_estimator
def test_results_print_as_tables(kind):
    model = fitted(kind)
    for printed in (repr(model.inference()), str(model.inference())):
        assert printed == str(model.summary())
    assert model.inference()._repr_html_() == model.summary()._repr_html_()


def test_a_path_prints_as_a_table():
    found = skmle.path(CrossEntropyClassifier(l1_ratio=1.0), X, LABELS, n_alphas=3)
    lines = repr(found).splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines) == 3 + 3 + 1
    for i, line in enumerate(lines[3:-1]):
        cells = line.split()
        assert cells[0] == str(i) and cells[3] == str(found.n_parameters[i])
        assert float(cells[1]) == pytest.approx(found.alphas[i], rel=1e-3)
        assert cells[5] == found.statuses[i]
    assert found._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize("name", ["a\nforged  1.0", "a\x1b[31mred", "a\rb", "a\tb"])
@every_estimator
def test_a_name_forges_no_line(kind, name):
    frame = pd.DataFrame(X.copy(), columns=[name, "fine"])
    weak = {"classifier": {"alpha": 0.1}}.get(kind, {})
    model = type(ESTIMATORS[kind])(**weak).fit(*arguments(kind, frame))
    text = str(model.summary())
    assert repr(name) in text and name not in text
    assert all(line.isprintable() for line in text.splitlines())
    frame.iloc[3, 0] = np.nan
    message = assert_refused(ESTIMATORS[kind], *arguments(kind, frame), says="row 3, column 'a")
    assert message.isprintable()


def test_a_label_forges_no_line():
    labels = np.where(Y > 0, "yes\nforged", "no")
    text = str(CrossEntropyClassifier(alpha=0.1).fit(X, labels).summary())
    assert all(line.isprintable() for line in text.splitlines())


def test_columns_that_are_not_determined_are_named_with_the_next_command():
    dummies = pd.get_dummies(pd.Series(list("ABC") * 10), dtype=float)
    notes = " ".join(str(MLERegressor().fit(dummies, Y).summary()).splitlines()[-3:])
    assert "as A, B, C are linear combinations of each other or constant. Leave one" in notes
    assert "OneHotEncoder(drop='first')" in notes and "fit_intercept=False" in notes
    plain = MLERegressor(fit_intercept=False).fit(dummies, Y)
    assert "nan" not in str(plain.summary())
    one = pd.DataFrame({"age": Y**2, "Intercept": np.ones(30)})
    notes = " ".join(str(MLERegressor().fit(one, Y).summary()).split())
    assert "as Intercept is constant or a linear combination of other columns. Leave it" in notes


@pytest.mark.parametrize("intercept", [True, False])
def test_few_rows_of_a_normal_law_say_how_much_wider_intervals_by_t_would_be(intercept):
    few = MLERegressor(fit_intercept=intercept).fit(X[:12], Y[:12])
    k = 2 + intercept
    wider = stats.t(12 - k).ppf(0.975) / stats.norm.ppf(0.975) * np.sqrt(12 / (12 - k)) - 1
    notes = " ".join(str(few.summary()).split())
    assert f"divisor n = 12): by t and the divisor n - {k}," in notes
    assert f"95 % intervals would be {100 * wider:.0f} % wider." in notes
    assert "inference given the rows, distribution='t' and correction='n/(n-k)'." in notes
    by_t = few.inference(X[:12], Y[:12], distribution="t", correction="n/(n-k)")
    ours, plain = (np.diff(r.confidence_intervals()[:2]) for r in (by_t, few.inference()))
    np.testing.assert_allclose(ours, (1 + wider) * plain, rtol=1e-6)


def test_columns_that_say_the_same_are_counted_once_there():
    twice = MLERegressor().fit(np.column_stack([X[:12], X[:12], np.ones(12)]), Y[:12])
    once = MLERegressor().fit(X[:12], Y[:12])
    note = re.search(r"by t and the divisor.*wider", " ".join(str(once.summary()).split()))
    assert note.group(0) in " ".join(str(twice.summary()).split())


def test_only_least_squares_of_few_rows_says_so():
    many = np.tile(X, (9, 1)), np.tile(Y, 9)
    for model, args in (
        (MLERegressor(), many),
        (MLERegressor(alpha=0.1), (X[:12], Y[:12])),
        (MLERegressor(features={"scale": [0]}), (X, Y)),
        (MLERegressor(fixed={"scale": 1.0}), (X[:12], Y[:12])),
        (MLERegressor("logistic"), (X[:12], Y[:12])),
        (MLEDistribution(), (many[1],)),
    ):
        assert "divisor n" not in str(model.fit(*args).summary())
    assert "divisor n = 12" in str(MLEDistribution().fit(Y[:12]).summary())


# ---------------------------------------------------------------- the box of the notebook


@pytest.mark.parametrize("cls", [MLEDistribution, CrossEntropyClassifier, MLERegressor])
def test_the_link_of_the_box_is_a_page_that_the_documentation_makes(cls):
    link = re.search(r'href="(https://skmle\.[^"#]*)', estimator_html_repr(cls())).group(1)
    page = link.removeprefix("https://skmle.readthedocs.io/en/latest/").removesuffix(".html")
    made = set()
    for block in re.findall(r"autosummary::\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL):
        folder = re.search(r":toctree: (\S+)", block).group(1)
        names = re.findall(r"^\s+~?(skmle[\w.]*)$", block, re.MULTILINE)
        made |= {f"{folder}/{name}" for name in names}
    assert page in made


@every_class(is_conditional)
def test_names_of_families_are_told_in_the_box(cls):
    assert own_name(cls) in estimator_html_repr(MLERegressor(own_name(cls)))


def test_scaled_columns_keep_their_names_in_the_summary():
    frame = pd.DataFrame(X, columns=["age", "years"])
    pipe = make_pipeline(StandardScaler(), MLERegressor()).fit(frame, Y)
    assert "age" in str(skmle.summary(pipe))


# ---------------------------------------------------------------- where to look next

TIMES = np.array([[1.0, 1.0], [2.0, np.inf], [0.5, 0.5], [1.5, 1.5]])


@pytest.mark.parametrize(
    ("model", "data", "says"),
    [
        (MLEDistribution("weibull"), (TIMES,), r"families.Censored\(...\)"),
        (MLERegressor("weibull"), (X[:4], TIMES), r"families.Censored\(...\)"),
        (MLEDistribution(families.Censored("weibull")), (TIMES[:, :1],), "skmle.censored"),
        (MLERegressor(families.Censored("weibull")), (X[:4], TIMES[:, 0]), "skmle.censored"),
    ],
    ids=["density", "regression", "density of numbers", "regression of numbers"],
)
def test_messages_name_the_family_or_function_that_is_wanted(model, data, says):
    assert_four_parts(assert_refused(model, *data, says=says).replace("; ", ". "))


def test_intervals_are_no_scores_of_a_law_of_numbers():
    model = MLERegressor("weibull").fit(X, np.exp(Y))
    with pytest.raises(ValueError, match=r"Choose a column; .* families.Censored\(...\)"):
        model.score(X[:4], TIMES)


def test_families_that_are_not_ours_are_sent_to_their_makers():
    with pytest.raises(TypeError, match=r"functions go into families.FromLogProb"):
        MLEDistribution(np.log).fit(X)
    own = families.FromLogProb(lambda y, loc: -((y - loc) ** 2), params=["loc"])
    with pytest.raises(ValueError, match=r"\['loc'\] is a list. Allowed: a mapping .* Give each"):
        MLEDistribution(own).fit(X)
