"""What other programs call the arguments of an estimator's constructor."""

from __future__ import annotations

# An argument as other programs have it: what to give here in its place.
_RIDGE = "alpha, which is 1/(C n) in scikit-learn's terms"
_FAMILY = "a family, such as 'gamma', as the first argument"
_KNOWN = "fixed={...} with the parameters that are known; laws of positive numbers begin at 0"
_FIT = "sample_weight to fit"
OF_ESTIMATORS = {
    "C": _RIDGE,
    "lam": _RIDGE,
    "lambda_": _RIDGE,
    "reg_lambda": _RIDGE,
    "l1_wt": "l1_ratio",
    "L1_wt": "l1_ratio",
    "link": "the link to the family, such as families.Gamma(links={'mean': 'identity'})",
    "floc": _KNOWN,
    "fscale": _KNOWN,
    "loc": _KNOWN,
    "scale": _KNOWN,
    "shape": _KNOWN,
    "dist": _FAMILY,
    "distribution": _FAMILY,
    "formula": "FormulaTransformer(formula) in front, in a pipeline",
    "sample_weight": _FIT,
    "weights": _FIT,
    "freq_weights": _FIT,
    "cov_type": "covariance to inference(X, y)",
    "covariance": "covariance to inference(X, y)",
    "solver": "none, as the fit chooses its own",
    "multi_class": "none, as the classes tell",
}
