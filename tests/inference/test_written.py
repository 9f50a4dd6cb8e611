"""Tables for documents: Markdown, LaTeX, HTML with bars, and what maketables asks for."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.inference import Inference
from tests.inference.test_inference import Balanced

RNG = np.random.default_rng(0)
HOSTILE = ["a_b", "[c]*|<d>", "$x^2$ & \\frac{%#~}", "*e*\n| forged |"]
X = pd.DataFrame(RNG.normal(size=(200, 4)), columns=HOSTILE)
Y = RNG.negative_binomial(1, 0.3, 200)
MODEL = MLERegressor("negative_binomial", features={"dispersion": ["a_b"]}).fit(X, Y)
PLAIN = MLEDistribution("gamma").fit(RNG.gamma(2.0, size=(50, 1)))


def cells_of(line):
    """Cells of a line of Markdown, at bars that are not escaped."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_markdown_has_the_cells_of_the_table():
    summary = MODEL.summary()
    head, lines = summary._cells()
    table = [cells_of(line) for line in summary.to_markdown().splitlines() if line[:1] == "|"]
    assert {len(cells) for cells in table} == {len(head)}
    assert table[0][1].strip() == "estimate" and set(table[1][1].strip()) == {"-", ":"}
    assert sum(cells[0].strip().startswith("**") for cells in table) == 2  # the parameters' names
    assert len(table) == 2 + 2 + len(lines)
    numbers = [cells[1].strip() for cells in table[3:8]]
    assert numbers == [cells[1] for cells in lines[:5]]


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_escapes_names(name):
    text = MODEL.summary().to_markdown()
    assert "<d>" not in text and "| forged |" not in text
    plain = re.sub(r"\\(_|[^\w\s])", r"\1", text).replace("&lt;", "<").replace("&gt;", ">")
    shown = name if name.isprintable() else repr(name)
    assert shown in plain.replace("&amp;", "&")


def test_latex_has_the_cells_of_the_table():
    summary = MODEL.summary()
    head, lines = summary._cells()
    text = summary.to_latex()
    assert text.startswith(r"\begin{tabular}{lrrrrrr}") and text.endswith(r"\end{tabular}")
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    table = [re.split(r"(?<!\\)&", line.removesuffix(r" \\")) for line in body]
    assert len(table) == len(lines) + 2
    assert [len(cells) for cells in table if len(cells) > 1] == [len(head)] * len(lines)
    assert all(line.endswith(r" \\") for line in body)


def test_latex_escapes_names():
    text = MODEL.summary().to_latex()
    assert r"a\_b & " in text
    assert r"{[}c]{*}\textbar{}$<$d$>$ & " in text
    assert r"\$x\textasciicircum{}2\$ \& \textbackslash{}frac\{\%\#\textasciitilde{}\}" in text
    assert "\n| forged |" not in text
    # A bracket behind the end of a line would be its argument.
    assert not re.search(r"\\\\\s*[\[*]", text)


def test_braces_and_dollars_of_latex_are_balanced():
    text = re.sub(r"\\[\\{}$&#_%]", "", MODEL.summary().to_latex())
    assert text.count("{") == text.count("}") and text.count("$") % 2 == 0


def test_signs_of_numbers():
    result = Inference(["", ""], ["-x", "y"], np.array([-1.0, 2.0]), np.diag([0.25, 1.0]))
    text = result.to_latex()
    assert "$-$1.00 & " in text and "\n-x & " in text


def test_levels():
    for text in (MODEL.inference().to_latex(0.9), MODEL.inference().to_markdown(0.9)):
        assert "90" in text and "95" not in text


def test_of_a_fit_without_errors():
    model = CrossEntropyClassifier(alpha=0.1, l1_ratio=1.0).fit(X.to_numpy(), Y > 2)
    for text in (model.summary().to_markdown(), model.summary().to_latex()):
        assert "No standard errors" in text and "nan" not in text
    assert "<svg" not in model.summary()._repr_html_()


# ---------------------------------------------------------------- HTML


def bars_of(page):
    """Low end, high end and estimate of each bar, in pixels."""
    lines = re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)" y1="6"', page)
    points = re.findall(r'<circle cx="([\d.]+)"', page)
    return np.column_stack([np.array(lines, float), np.array(points, float)])


def test_a_line_has_a_bar():
    page = MODEL.summary()._repr_html_()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open and "<d>" not in page
    bars = bars_of(page)
    result = MODEL.inference()
    assert len(bars) == len(result.terms)
    # In standard errors from zero, the middle, so that all have one scale; those far out are cut.
    z = result.estimates / result.standard_errors
    near = np.abs(z) < 9.0
    scale = (bars[near, 2] - 48.0) / z[near]
    np.testing.assert_allclose(scale * z[near], scale.max() * z[near], atol=0.1)
    np.testing.assert_allclose(bars[near, 1] - bars[near, 0], 2 * 1.96 * scale.max(), atol=0.2)
    assert (bars >= 0.0).all() and (bars <= 96.0).all()


def test_bars_have_the_colour_of_the_text():
    page = MODEL.summary()._repr_html_()
    colours = re.findall(r'(?:stroke|fill)="([^"]+)"', page)
    assert colours and set(colours) == {"currentColor"}
    assert f'aria-label="{MODEL.summary()._cells()[1][0][1]}, from ' in page


def test_a_parameter_without_test_has_no_bar():
    assert "<svg" not in PLAIN.summary()._repr_html_()
    mixed = MLERegressor("gamma").fit(X.to_numpy(), Y + 1.0)
    assert mixed.summary()._repr_html_().count("<svg") == 5  # not the shape


# ---------------------------------------------------------------- maketables


def test_what_maketables_asks_for():
    """Its PluginExtractor (maketables 0.2.0) asks for these names."""
    result = MODEL.inference()
    table = result.__maketables_coef_table__
    assert isinstance(table, pd.DataFrame) and table.index.name == "Coefficient"
    assert [*table.columns] == ["b", "se", "t", "p", "ci95l", "ci95u"]
    np.testing.assert_array_equal(table["b"], result.estimates)
    np.testing.assert_array_equal(table["ci95u"], result.confidence_intervals(0.95)[:, 1])
    assert table.index.is_unique and "a_b (dispersion)" in table.index
    assert result.__maketables_stat__("N") == 200
    assert result.__maketables_stat__("ll") == MODEL.log_likelihood_
    assert result.__maketables_stat__("aic") == MODEL.aic()
    assert result.__maketables_stat__("r2") is None
    assert result.__maketables_stat__("se_type") == "observed information"
    assert result.__maketables_depvar__ == "Negative binomial regression"
    assert all(isinstance(key, str) for key in result.__maketables_default_stat_keys__)


def test_names_for_maketables_are_plain_where_they_can_be():
    assert [*PLAIN.inference().__maketables_coef_table__.index] == ["mean", "shape"]


# ---------------------------------------------------------------- one look for all tables

ROWS = RNG.normal(size=(60, 2))
NOISY = ROWS[:, 0] + RNG.normal(size=60)
NORMAL = MLERegressor().fit(ROWS, NOISY)
KNOWING = MLEDistribution("gamma").fit(np.exp(ROWS)).inference(np.exp(ROWS))
TABLES = {
    "summary": lambda: NORMAL.summary(),
    "profile": lambda: KNOWING.profile(),
    "bootstrap": lambda: KNOWING.bootstrap(n_resamples=39, random_state=0),
    "comparison": lambda: skmle.compare([MLERegressor()], ROWS, NOISY),
}


@pytest.mark.parametrize("name", TABLES)
def test_cells_stand_apart_and_names_are_no_headings(name):
    """A page without a style of its own, as of a report, would set numbers side by side."""
    page = TABLES[name]()._repr_html_()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    cells = re.findall(r"<td ([^>]*)>", page)
    assert cells and all("padding-left" in cell and "nowrap" in cell for cell in cells)
    names = re.findall(r'<th scope="row" ([^>]*)>', page)
    assert names and all("font-weight:normal" in cell for cell in names)
