"""Every display: it draws, is legible on light and dark pages, and shows what was computed."""

from __future__ import annotations

import inspect
import io
import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, families, plotting
from tests.plotting.drawn import (
    AREA,
    CANCER,
    COUNTS,
    DIABETES,
    DRAWN,
    lognormal,
    of_censored_rows,
    of_coefficients,
    of_contour,
    of_counts,
    of_density,
    of_fan,
    of_infinite_density,
    of_mass_at_zero,
    of_places,
    regression,
    separated,
    survival,
)

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

every_display = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


def png(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    return buffer.getvalue()


def luminance(colour) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


# ---------------------------------------------------------------- properties of all


@pytest.mark.slow
def test_every_display_is_drawn_here():
    drawn = set()
    for draw in DRAWN.values():
        drawn.add(type(draw(None)).__name__)
        plt.close("all")
    assert drawn == set(plotting.__all__)


@every_display
def test_it_draws_on_given_axes_and_says_where(draw):
    figure, ax = plt.subplots()
    display = draw(ax)
    assert display.ax_ is ax and display.figure_ is figure
    again = display.plot()
    assert again is display and display.ax_ is not ax
    assert len(png(display.figure_)) > 2000


@every_display
def test_axes_have_labels_and_the_text_is_inside_and_apart(draw):
    display = draw(None)
    ax, figure = display.ax_, display.figure_
    assert ax.get_xlabel()
    assert ax.get_ylabel() or any(label.get_text() for label in ax.get_yticklabels())
    figure.canvas.draw()
    whole = figure.bbox
    bottom, top = sorted(ax.get_ylim())
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    texts = [ax.xaxis.label, ax.yaxis.label, ax.title]
    texts += [label for place, label in ticks if bottom <= place <= top]
    legend = ax.get_legend()
    texts += [] if legend is None else legend.get_texts()
    shown = [text for text in texts if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in shown]
    for text, box in zip(shown, boxes, strict=True):
        assert box.x0 >= whole.x0 - 1 and box.x1 <= whole.x1 + 1, text.get_text()
        assert box.y0 >= whole.y0 - 1 and box.y1 <= whole.y1 + 1, text.get_text()
    for (one, a), (other, b) in itertools.combinations(zip(shown, boxes, strict=True), 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, (one.get_text(), other.get_text())


@every_display
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_lines_stand_out_from_light_and_dark_pages(draw, style):
    with plt.style.context(style):
        display = draw(None)
        page = display.figure_.get_facecolor()
        lines = [line for line in display.ax_.get_lines() if line.get_alpha() is None]
        assert lines or display.ax_.patches
        for line in lines:
            assert contrast(line.get_color(), page) >= 3.0, line.get_color()


@every_display
@pytest.mark.slow
def test_two_drawings_are_the_same_picture(draw):
    assert png(draw(None).figure_) == png(draw(None).figure_)


@pytest.mark.parametrize("name", plotting.__all__)
def test_makers_and_constructors_are_documented(name):
    cls = getattr(plotting, name)
    makers = [member for member in vars(cls) if member.startswith("from_")]
    assert makers
    for member in [cls, cls.plot, *(getattr(cls, maker) for maker in makers)]:
        text = inspect.getdoc(member)
        for parameter in inspect.signature(member).parameters:
            assert parameter in ("self", "cls") or parameter in text, (name, parameter)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"DensityDisplay draws with .* pip install .*plot"):
        plotting.DensityDisplay.from_estimator(lognormal(), AREA)


# ---------------------------------------------------------------- numbers


def test_the_steps_of_a_histogram_have_the_area_of_their_rows():
    display = of_density(None)
    area = display.heights @ np.diff(display.edges)
    assert area == pytest.approx(1.0 - display.beyond / len(AREA), abs=1e-12)


def test_bars_of_counts_are_shares():
    display = of_counts(None)
    values = display.edges[:-1] + 0.5
    shares = [(COUNTS[:, 0] == value).mean() for value in values]
    np.testing.assert_allclose(display.heights, shares, atol=1e-15)


def test_steps_of_censored_rows_are_kaplan_meiers():
    from statsmodels.duration.survfunc import SurvfuncRight

    rows = survival()
    seen = rows[:, 0] == rows[:, 1]
    display = of_censored_rows(None)
    expected = SurvfuncRight(rows[:, 0], seen.astype(int))
    below = [1.0 - expected.surv_prob[expected.surv_times <= end][-1:] for end in display.edges[1:]]
    found = np.cumsum(display.heights * np.diff(display.edges))
    first = [float(np.ravel(value)[0]) if np.size(value) else 0.0 for value in below]
    np.testing.assert_allclose(found, first, atol=1e-12)


def test_intervals_are_ticks_alone():
    rows = np.array([[1.0, 2.0], [0.5, 0.5], [2.0, np.inf], [1.5, 3.0]] * 5)
    model = MLEDistribution(families.Censored("weibull")).fit(rows)
    display = plotting.DensityDisplay.from_estimator(model, rows)
    assert len(display.heights) == 0
    assert {*display.ticks} == {0.5, 1.0, 1.5, 2.0, 3.0}


def test_one_of_several_columns_is_drawn():
    X = np.random.default_rng(0).normal(size=(50, 2)) * [1.0, 100.0]
    model = MLEDistribution().fit(X)
    display = plotting.DensityDisplay.from_estimator(model, X, column=1)
    assert display.law.params["scale"] == pytest.approx(X[:, 1].std())


@pytest.mark.slow
def test_envelopes_of_a_fitted_law_hold_nineteen_of_twenty_points():
    """The parameters were estimated: the band of a known law would hold nearly all."""
    shares = []
    for seed in range(12):
        x = np.random.default_rng(seed).normal(size=(100, 1))
        model = MLEDistribution().fit(x)
        display = plotting.PITDisplay.from_estimator(model, x, random_state=seed)
        inside = (display.low <= display.places) & (display.places <= display.high)
        shares.append(inside.mean())
    assert 0.88 < np.mean(shares) < 0.99


def test_places_of_others_models_have_the_band_of_known_laws():
    X, y = DIABETES
    with pytest.raises(TypeError, match="gives no law"):
        plotting.PITDisplay.from_estimator(LinearRegression().fit(X, y), X, y)
    model = make_pipeline(StandardScaler(), MLERegressor()).fit(X[::2], y[::2])
    display = plotting.PITDisplay.from_estimator(model, X[1::2], y[1::2], simulations=0)
    assert display.simulated == 0
    rows = skmle.augment(model, X[1::2], y[1::2])
    np.testing.assert_allclose(display.places, np.sort(rows["pit"]))


def test_the_quantile_plot_of_a_density_has_the_data():
    display = of_places("qq")(None)
    drawn = np.concatenate([line.get_ydata() for line in display.ax_.get_lines()[1:]])
    np.testing.assert_allclose(np.sort(drawn), np.sort(AREA.to_numpy()[:, 0]), rtol=1e-9)


def test_the_profile_is_that_of_fits_with_the_estimate_held():
    x = np.random.default_rng(0).gamma(2.0, size=(40, 1))
    model = MLEDistribution("gamma").fit(x)
    display = plotting.ProfileDisplay.from_estimator(model, x, term="shape", points=7)
    for value, deviance in zip(display.values, display.deviances, strict=True):
        held = MLEDistribution("gamma", fixed={"shape": value}).fit(x)
        expected = 2.0 * (model.log_likelihood_ - held.log_likelihood_)
        assert deviance == pytest.approx(expected, abs=1e-8)
    assert display.values.min() < display.interval[0] < display.interval[1] < display.values.max()


def test_the_contour_is_the_fall_of_the_likelihood():
    display = of_contour(None)
    x = np.random.default_rng(0).weibull(1.5, size=(30, 1))
    model = MLEDistribution("weibull").fit(x)
    law = families.Distribution("weibull", {"scale": display.first[2], "shape": display.second[6]})
    expected = 2.0 * (model.log_likelihood_ - law.log_prob(x[:, 0]).sum())
    assert display.deviances[2, 6] == pytest.approx(expected, abs=1e-9)
    assert display.deviances.min() == pytest.approx(0.0, abs=1e-9)


def test_coefficients_are_those_of_the_table():
    display = of_coefficients(None)
    result = regression().inference()
    assert display.terms[0] == "mean: age" and "shape: bmi" in display.terms
    place = display.terms.index("mean: s5")
    line = list(result.terms).index("s5")
    assert display.estimates[""][place] == result.estimates[line]
    np.testing.assert_array_equal(display.intervals[""][place], result.confidence_intervals()[line])


def test_ratios_are_exponentials():
    X, y = CANCER
    model = CrossEntropyClassifier(alpha=0.01).fit(X[:, :2], y)
    plain, ratios = (
        plotting.CoefficientDisplay.from_estimator({"m": model}, ratios=r) for r in (False, True)
    )
    np.testing.assert_allclose(ratios.intervals["m"], np.exp(plain.intervals["m"]))
    assert ratios.ax_.get_xscale() == "log"


def test_the_fan_is_what_is_predicted():
    display = of_fan(None)
    X, _ = DIABETES
    row = X.median().to_frame().T.assign(bmi=display.values[40])
    expected = regression().predict_quantile(row, [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
    np.testing.assert_allclose(display.quantiles[40], expected[0])


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars"])
def test_a_fan_takes_any_table(kind):
    polars = pytest.importorskip("polars")
    X, y = DIABETES
    X = X[["age", "bmi"]]
    table = {"numpy": X.to_numpy(), "pandas": X, "polars": polars.from_pandas(X)}[kind]
    model = MLERegressor().fit(table, y)
    display = plotting.FanDisplay.from_estimator(
        model, table, feature=1 if kind == "numpy" else "bmi"
    )
    assert display.feature == ("x1" if kind == "numpy" else "bmi")
    assert np.isfinite(display.quantiles).all()


def test_frequencies_rise_and_probabilities_that_hold_are_inside():
    X, y = CANCER
    X, y = np.random.default_rng(0).normal(size=(2000, 1)), None
    p = 1.0 / (1.0 + np.exp(-X[:, 0]))
    y = (np.random.default_rng(1).random(2000) < p).astype(int)
    model = CrossEntropyClassifier().fit(X, y)
    display = plotting.ReliabilityDisplay.from_estimator(model, X, y)
    assert (np.diff(display.frequency) >= 0.0).all()
    inside = (display.low <= display.frequency) & (display.frequency <= display.high)
    assert inside.mean() > 0.8


def test_a_path_may_show_any_class():
    X, y = load_iris(return_X_y=True)
    path = skmle.path(CrossEntropyClassifier(l1_ratio=1.0), X, y, n_alphas=5)
    display = plotting.PathDisplay.from_path(path, label=2)
    np.testing.assert_array_equal(display.coefs, path.coefs[:, 2])


def curve_of(display):
    return display.ax_.get_lines()[0].get_ydata()


def test_a_mass_beside_a_density_is_told_in_words():
    display = of_mass_at_zero(None)
    ((value, mass, share),) = display.masses
    assert (value, mass) == (0.0, pytest.approx(display.law.params["zeros"]))
    area = display.heights @ np.diff(display.edges)
    assert area + share == pytest.approx(1.0 - display.beyond / 200, abs=1e-12)
    assert curve_of(display)[0] < 0.01  # not the mass, which is no density
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"P(x = 0): {mass:.3g}, of the data {share:.3g}" in texts


def test_an_infinite_density_leaves_room_for_the_data():
    display = of_infinite_density(None)
    top = display.ax_.get_ylim()[1]
    assert display.heights.max() < top < min(2.0 * display.heights.max(), curve_of(display).max())


def test_a_curve_begins_where_its_law_does():
    x = np.random.default_rng(0).gamma(2.0, 3.0, 400)
    display = plotting.DensityDisplay.from_estimator(MLEDistribution("gamma").fit(x), x)
    assert display.edges[0] > 0.0
    assert display.ax_.get_lines()[0].get_xdata()[0] == 0.0


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_ticks_of_counts_are_whole_numbers(family):
    x = (COUNTS > 2.0).astype(float) if family == "bernoulli" else COUNTS
    ax = plotting.DensityDisplay.from_estimator(MLEDistribution(family).fit(x), x).ax_
    np.testing.assert_array_equal(ax.get_xticks() % 1.0, 0.0)


def test_points_outside_of_the_envelope_are_in_the_legend():
    X, y = DIABETES
    model = MLERegressor().fit(X, np.exp(y / 60.0))
    display = plotting.PITDisplay.from_estimator(model, X, np.exp(y / 60.0), simulations=20)
    assert "outside" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_places_of_two_labels_say_their_order():
    X, y = DIABETES
    model = CrossEntropyClassifier().fit(X, np.where(y > 140, "high", "low"))
    display = plotting.PITDisplay.from_estimator(model, X, np.where(y > 140, "high", "low"))
    assert display.name == "CrossEntropyClassifier, high below low"


MARKS = {
    "all run off": "hollow: no interval, as status_ = 'no_maximum'",
    "one runs off": "arrow: the estimate runs to infinity",
    "two are aliased": "hollow: no interval, as the data do not determine it",
}


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("ratios", [False, True])
def test_estimates_without_interval_have_marks_of_their_own(name, ratios):
    display = plotting.CoefficientDisplay.from_estimator(separated()[name], ratios=ratios)
    said = display.ax_.get_xlabel().replace("\n", " ")
    assert MARKS[name] in said and ("hollow" in said) == ("hollow" in MARKS[name])


def test_lines_of_classes_stand_below_headings():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    display = plotting.CoefficientDisplay.from_estimator(model)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels.count(X.columns[0]) == 3 and {"class 0", "class 1", "class 2"} <= {*labels}


@pytest.mark.parametrize("term", ["shape: bmi", "shape:bmi"])
def test_terms_may_name_their_parameter(term):
    display = plotting.CoefficientDisplay.from_estimator(regression(), terms=["s5", term])
    assert display.terms == ["mean: s5", "shape: bmi"]


LAWS = {
    "a law": lambda: families.Distribution("gamma", mean=600.0, shape=4.0),
    "a law of scipy": lambda: stats.gamma(4.0, scale=150.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_drawn_as_a_fitted_one(name):
    display = plotting.DensityDisplay.from_estimator(LAWS[name](), AREA)
    assert display.law.params["mean"] == pytest.approx(600.0)


@pytest.mark.parametrize("column", ["b", 1, -1])
def test_a_column_is_named_or_counted(column):
    X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [10.0, 30.0, 20.0]})
    display = plotting.DensityDisplay.from_estimator(MLEDistribution().fit(X), X, column=column)
    assert display.label == "b" and display.law.params["loc"] == pytest.approx(20.0)


def test_one_coverage_is_a_number():
    X, y = DIABETES
    display = plotting.FanDisplay.from_estimator(regression(), X, y, feature="bmi", coverages=0.9)
    assert display.coverages == [0.9]
