"""What users of other programs look for on results: a name, and what it is here, as typed."""

from __future__ import annotations

from skmle._spelling import named

OF_RESULTS = {
    **named(("bse", "std_err", "std_error", "stderr", "se"), "standard_errors"),
    **named(("pvalue", "pvalues", "p_values", "pval"), "p_value"),
    **named(("tvalues", "zvalues", "t_values", "z_values"), "statistic"),
    **named(("params", "coef", "coef_", "coefs", "estimates_"), "estimates"),
    **named(("conf_int", "confint", "ci", "intervals"), "confidence_intervals()"),
    **named(("cov_params", "vcov", "cov", "covariance_"), "covariance"),
    **named(("to_frame", "to_pandas", "to_dataframe", "summary_frame", "table"), "tidy()"),
    **named(("summary2",), "summary()"),
    **named(("llf", "log_likelihood", "nobs", "n", "aic", "bic", "aicc", "status"), "glance()"),
    **named(("t_test", "wald_test", "f_test", "linear_hypothesis"), "test('a = b')"),
    **named(("wald_test_terms", "anova"), "test('name of a column')"),
    **named(("get_margeff", "margeff", "margins", "marginal_effects"), "effects(X)"),
    **named(("odds_ratio", "odds_ratios", "hazard_ratios", "exp_coef"), "ratios()"),
    **named(("get_prediction", "predict"), "predict_interval(X)"),
    **named(("resid", "residuals", "get_influence", "cooks_distance"), "augment(X, y)"),
    **named(("as_latex",), "to_latex()"),
}

OF_TABLES = {
    **named(("tidy", "tables", "to_pandas", "to_dataframe", "to_frame"), "inference.tidy()"),
    **named(("as_latex",), "to_latex()"),
    **named(("as_text",), "str(summary)"),
}

OF_TESTS = named(("pvalue", "pval", "p"), "p_value")
