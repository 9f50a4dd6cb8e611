"""ONNX: fitted models for programs that do not run Python, by skl2onnx."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from skmle.classifier import CrossEntropyClassifier
from skmle.families.links import Link
from skmle.regressor import MLERegressor

__all__ = ["register_converters"]

# Links, and the operators of ONNX that undo them.
_INVERSES = {"identity": "OnnxIdentity", "log": "OnnxExp", "logit": "OnnxSigmoid"}

# Three values of eta by which a mean shows that it is a parameter itself.
_ETAS = np.array([-0.3, 0.2, 0.7])


def register_converters() -> None:
    """Teach skl2onnx to convert `CrossEntropyClassifier` and `MLERegressor`.

    Call it once, before ``skl2onnx.to_onnx(model, X[:1])`` of a model or of a pipeline that ends
    in one (``pip install skl2onnx``). A graph computes what `predict` and `predict_proba` do,
    without an offset or an exposure.

    A classifier converts if its link is the logit, which is the default. A regressor converts if
    its law's mean is the first parameter of the family, as in the normal, Poisson, negative
    binomial, gamma or beta family, under the link identity, log or logit. Others are refused by
    name.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmle import CrossEntropyClassifier
    >>> from skmle.onnx import register_converters
    >>> X, y = load_iris(return_X_y=True)
    >>> model = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    >>> register_converters()  # doctest: +SKIP
    >>> from skl2onnx import to_onnx  # doctest: +SKIP
    >>> graph = to_onnx(model, X[:1].astype("float32"))  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
        from skl2onnx.common.shape_calculator import (
            calculate_linear_classifier_output_shapes,
            calculate_linear_regressor_output_shapes,
        )
    except ImportError as error:
        raise ImportError("conversion to ONNX is skl2onnx's work: pip install skl2onnx") from error

    update_registered_converter(
        CrossEntropyClassifier,
        "SkmleCrossEntropyClassifier",
        calculate_linear_classifier_output_shapes,
        _convert_classifier,
        options={
            "zipmap": [True, False, "columns"],
            "nocl": [True, False],
            "output_class_labels": [False, True],
        },
    )
    update_registered_converter(
        MLERegressor,
        "SkmleMLERegressor",
        calculate_linear_regressor_output_shapes,
        _convert_regressor,
    )


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier

    model = operator.raw_operator
    link = getattr(model.link, "name", model.link)
    if link != "logit":
        raise NotImplementedError(
            f"CrossEntropyClassifier converts to ONNX with the link 'logit', got {link!r}."
        )
    # The graph is that of scikit-learn's model of the same coefficients.
    twin = LogisticRegression()
    twin.coef_, twin.intercept_, twin.classes_ = model.coef_, model.intercept_, model.classes_
    operator.raw_operator = twin
    convert_sklearn_linear_classifier(scope, operator, container)


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.algebra import onnx_ops
    from skl2onnx.common.data_types import guess_numpy_type

    model = operator.raw_operator
    inverse = getattr(onnx_ops, _INVERSES[_link_of_mean(model).name])

    # Inputs that are no numbers of double precision are read in single precision, as all are by
    # skl2onnx.
    dtype = np.float64 if guess_numpy_type(operator.inputs[0].type) is np.float64 else np.float32
    slopes = model.coef_.astype(dtype).reshape(-1, 1)
    intercept = np.array([model.intercept_], dtype)
    version = {"op_version": container.target_opset}
    product = onnx_ops.OnnxMatMul(operator.inputs[0], slopes, **version)
    eta = onnx_ops.OnnxAdd(product, intercept, **version)
    predicted = operator.outputs[0].full_name
    inverse(eta, output_names=[predicted], **version).add_to(scope, container)


def _link_of_mean(model: MLERegressor) -> Link:
    """Return the link of the parameter that `predict` gives, or say why there is none."""
    settings = [name for name in ("features", "offset", "exposure") if getattr(model, name)]
    if settings:
        raise NotImplementedError(
            f"MLERegressor({settings[0]}={getattr(model, settings[0])!r}) does not convert to "
            "ONNX; a model whose first parameter is linear in all columns does."
        )
    law = model._law
    first, link = law.names[0], law.link(0)
    # The mean is the parameter itself if it is so whatever the others are.
    thetas = tuple(p.chart.theta(_ETAS + 0.1 * j) for j, p in enumerate(law.parameters))
    found = first in model.coefs_ and np.array_equal(law.mean(thetas), thetas[0])
    if not found or link.name not in _INVERSES:
        raise NotImplementedError(
            f"MLERegressor converts to ONNX where predict gives the first parameter of its law, "
            f"under one of the links {', '.join(_INVERSES)}; that of the {law.title} law, "
            f"{first!r} under the link {link.name!r}, is none. Compute its law from coefs_ and "
            "intercepts_."
        )
    return link
