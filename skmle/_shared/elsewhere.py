"""What users of other programs, or of our other estimators, look for on an estimator.

Each table is of one kind of estimator: a name, and what is to be typed in its place.
`SaysWhatIsMeant` makes an error of them.
"""

from __future__ import annotations

from skmle._spelling import named

INTERVALS_OF_PROBABILITIES = "skmle.infer(model).predict_interval(X)"


OF_ALL = {
    **named(("llf", "loglik", "logLik", "loglike", "log_likelihood"), "log_likelihood_"),
    **named(("nobs", "n_obs"), "weight_sum_"),
    **named(("fittedvalues", "fitted_values"), "predict(X)"),
    **named(
        ("resid", "residuals", "residuals_", "resid_pearson", "resid_deviance", "get_influence"),
        "skmle.augment(model, X, y), which has residuals of all kinds",
    ),
    **named(
        ("nll", "loss", "loss_", "log_loss", "cross_entropy"),
        "score, whose negative is the cross-entropy in nats",
    ),
    **named(
        ("feature_importances_", "feature_importance"),
        "inference().tidy(), or sklearn.inspection.permutation_importance(model, X, y)",
    ),
    **{name: f"skmle.{name}(model, X, y)" for name in ("loo", "goodness_of_fit")},
    **named(("compare", "vuong_test"), "skmle.compare([model, other], X, y)"),
    **named(("plot", "plot_diagnostics", "plot_fit"), "one of the displays of skmle.plotting"),
}

OF_DENSITIES = {
    "log_prob": "score_samples(X)",
    **named(("predict_dist", "law_", "dist_"), "distribution_"),
    "predict_interval": "distribution_.interval(0.95)",
    **named(("predict_quantile", "quantile"), "distribution_.ppf(q)"),
    **named(("predict_proba", "density", "likelihood"), "predict(X)"),
    **named(("params", "coef_", "coefs_", "intercept_", "parameters_"), "params_"),
}

OF_REGRESSIONS = {
    "score_samples": "log_prob(X, y)",
    "distribution_": "predict_dist(X)",
    "params": "coefs_, intercepts_ and params_, or inference().estimates",
    **named(("predict_std", "predict_var"), "predict_dist(X).std()"),
    "get_prediction": "predict_interval(X, interval='mean')",
    **named(("quantile", "ppf"), "predict_quantile(X, q)"),
    **named(
        ("predict_proba", "predict_log_proba", "classes_", "decision_function"),
        "CrossEntropyClassifier for labels; of the family 'bernoulli', predict(X) is the "
        "probability of 1",
    ),
    **named(("rsquared", "r2_score"), "sklearn.metrics.r2_score(y, model.predict(X))"),
}

OF_CLASSIFIERS = {
    "predict_interval": f"{INTERVALS_OF_PROBABILITIES} for the probabilities of the classes; "
    "labels have no quantiles",
    "predict_quantile": "predict_proba(X), as labels have no quantiles",
    **named(("predict_dist", "distribution_"), "skmle.predict_dist(model, X)"),
    **named(("sample", "rvs"), "skmle.predict_dist(model, X).rvs()"),
    "score_samples": "log_prob(X, y)",
    **named(("params_", "params", "coefs_"), "coef_ and intercept_, or inference().estimates"),
    "get_prediction": INTERVALS_OF_PROBABILITIES,
}

OF_ORDERED = {
    **named(("intercept_", "thresholds_", "theta_", "cutpoints_"), "cut_points_"),
    **named(("params_", "params", "coefs_"), "coef_ and cut_points_, or inference().estimates"),
    "decision_function": "predict_proba(X)",
}

OF_SEARCHES = {
    **named(("best_params_", "best_name_", "best_distribution_"), "best_family_"),
    **named(("best_model_", "model_"), "best_estimator_"),
    **named(("cv_results_", "best_score_", "ranking_", "table_"), "results_"),
}
