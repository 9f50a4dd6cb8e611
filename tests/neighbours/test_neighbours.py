"""Models in the hands of other packages; a package that is not installed is skipped."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle.metrics import log_likelihood_score

TUMOURS, MALIGNANT = load_breast_cancer(return_X_y=True)
TUMOURS = StandardScaler().fit_transform(TUMOURS[:, :5])
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)

MODELS = {
    "classifier": (CrossEntropyClassifier(alpha=1e-3), TUMOURS, MALIGNANT),
    "pipeline": (
        make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=1e-3)),
        TUMOURS,
        MALIGNANT,
    ),
    "regressor": (MLERegressor("gamma"), PATIENTS, PROGRESS),
    "ordinal": (OrdinalClassifier(), PATIENTS, np.digitize(PROGRESS, [100.0, 200.0])),
    "density": (MLEDistribution("gamma"), PROGRESS[:, None], None),
}


@pytest.fixture(params=MODELS)
def fitted(request):
    model, X, y = MODELS[request.param]
    return model.fit(X, y), X, y


def test_skops_saves_what_it_loads(fitted):
    """Without pickle: a file names the types that whoever loads it has to trust."""
    skops = pytest.importorskip("skops.io")
    model, X, y = fitted
    file = skops.dumps(model)
    types = skops.get_untrusted_types(data=file)
    assert all(name.startswith(("skmle.", "sklearn.")) for name in types)
    again = skops.loads(file, trusted=types)
    assert again.score(X, y) == model.score(X, y)
    if hasattr(model, "summary"):
        assert str(again.summary()) == str(model.summary())


def test_shap_explains_the_linear_predictor():
    """The sum of a row's values is its log odds less that of the mean row."""
    shap = pytest.importorskip("shap")
    model = CrossEntropyClassifier().fit(TUMOURS, MALIGNANT)
    values = shap.LinearExplainer(model, TUMOURS)(TUMOURS[:20])
    found = values.values.sum(axis=1) + values.base_values
    np.testing.assert_allclose(found, model.decision_function(TUMOURS[:20]), rtol=1e-9)


def test_mapie_makes_intervals_that_cover():
    """Conformal intervals around the mean of any law cover 90 % of rows held out, or nearly."""
    regression = pytest.importorskip("mapie.regression")
    model = regression.SplitConformalRegressor(
        MLERegressor("gamma"), confidence_level=0.9, prefit=False
    )
    model.fit(PATIENTS[:200], PROGRESS[:200])
    model.conformalize(PATIENTS[200:350], PROGRESS[200:350])
    _, intervals = model.predict_interval(PATIENTS[350:])
    below, above = intervals[:, 0, 0], intervals[:, 1, 0]
    covered = np.mean((below <= PROGRESS[350:]) & (PROGRESS[350:] <= above))
    assert 0.8 < covered <= 1.0


def test_mapie_makes_sets_of_classes():
    classification = pytest.importorskip("mapie.classification")
    fitted = CrossEntropyClassifier(alpha=1e-3).fit(TUMOURS[:300], MALIGNANT[:300])
    model = classification.SplitConformalClassifier(fitted, confidence_level=0.95, prefit=True)
    model.conformalize(TUMOURS[300:450], MALIGNANT[300:450])
    labels, sets = model.predict_set(TUMOURS[450:])
    np.testing.assert_array_equal(labels, fitted.predict(TUMOURS[450:]))
    covered = sets[np.arange(len(labels)), MALIGNANT[450:], 0]
    assert covered.mean() > 0.85


def test_imbalanced_learn_resamples_before_a_fit():
    sampling = pytest.importorskip("imblearn.over_sampling")
    pipeline = pytest.importorskip("imblearn.pipeline")
    sampler = sampling.RandomOverSampler(random_state=0)
    model = pipeline.make_pipeline(sampler, CrossEntropyClassifier(alpha=1e-3))
    model.fit(TUMOURS, MALIGNANT)
    direct = CrossEntropyClassifier(alpha=1e-3).fit(*sampler.fit_resample(TUMOURS, MALIGNANT))
    np.testing.assert_array_equal(model.predict_proba(TUMOURS), direct.predict_proba(TUMOURS))


def test_calibration_of_a_classifier():
    model = CalibratedClassifierCV(CrossEntropyClassifier(alpha=1e-3)).fit(TUMOURS, MALIGNANT)
    direct = CrossEntropyClassifier(alpha=1e-3).fit(TUMOURS, MALIGNANT)
    found = log_likelihood_score(model, TUMOURS, MALIGNANT)
    # A logistic law is calibrated where it is true: nothing is to be gained here, nor lost.
    assert abs(found - direct.score(TUMOURS, MALIGNANT)) < 0.02


def test_maketables_puts_models_side_by_side():
    tables = pytest.importorskip("maketables")
    gamma = MLERegressor("gamma").fit(PATIENTS, PROGRESS).inference()
    normal = MLERegressor("normal").fit(PATIENTS, PROGRESS).inference()
    table = tables.ETable([gamma, normal])
    assert f"{normal.estimates[-2]:.3f}" in table.make(type="tex")


def test_great_tables_shows_estimates():
    tables = pytest.importorskip("great_tables")
    frame = MLERegressor("gamma").fit(PATIENTS, PROGRESS).inference().tidy()
    page = tables.GT(frame).fmt_number(columns="estimate", decimals=2).as_raw_html()
    assert f"{frame['estimate'].iloc[-1]:.2f}" in page


def test_nbconvert_keeps_the_table_of_a_notebook():
    """A notebook whose cell ends in a summary shows the table, and its text for who has no HTML."""
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    table = MLERegressor("gamma").fit(PATIENTS, PROGRESS).summary()
    output = nbformat.v4.new_output(
        "display_data", {"text/html": table._repr_html_(), "text/plain": repr(table)}
    )
    cell = nbformat.v4.new_code_cell("model.summary()", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert "Gamma regression" in page and "<table" in page
    text, _ = nbconvert.MarkdownExporter().from_notebook_node(notebook)
    assert "Gamma regression" in text
