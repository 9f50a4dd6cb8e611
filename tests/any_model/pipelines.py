"""A table with a categorical column, and pipelines that take it."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmle import CrossEntropyClassifier, MLERegressor


def prepare(**encoder: Any) -> ColumnTransformer:
    return make_column_transformer(
        (StandardScaler(), ["age", "income"]),
        (OneHotEncoder(drop="first", **encoder), ["city"]),
        verbose_feature_names_out=False,
    )


NAMES = ["age", "income", "city_B", "city_C"]


HOLDERS = {
    "pipeline": lambda prep, model: make_pipeline(prep, model),
    "nested": lambda prep, model: make_pipeline(
        prep,
        make_pipeline("passthrough", FunctionTransformer(feature_names_out="one-to-one"), model),
    ),
    "search": lambda prep, model: GridSearchCV(make_pipeline(prep, model), {}, cv=2),
    "pipeline of a search": lambda prep, model: make_pipeline(prep, GridSearchCV(model, {}, cv=2)),
    "frozen": lambda prep, model: make_pipeline(prep, model),
    "frozen transformer": lambda prep, model: make_pipeline(prep, model),
}

MODELS = {
    "classifier": (
        CrossEntropyClassifier(),
        "label",
        2 * ["age", "income", "city_B", "city_C", "intercept"],
    ),
    "regressor": (MLERegressor("gamma"), "value", [*NAMES, "intercept", "shape"]),
    "features": (
        MLERegressor("gamma", features={"mean": [3, 0], "shape": slice(1, 3)}),
        "value",
        ["city_C", "age", "intercept", "income", "city_B", "intercept"],
    ),
    "offset": (
        MLERegressor("gamma", offset=1),
        "value",
        ["age", "city_B", "city_C", "intercept", "shape"],
    ),
    "no intercept": (MLERegressor("normal", fit_intercept=False), "value", [*NAMES, "scale"]),
}
