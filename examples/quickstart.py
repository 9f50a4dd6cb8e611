"""A first look at skmle, on data that ships with scikit-learn: python examples/quickstart.py"""

import textwrap
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import SeparationWarning
from skmle.information import empirical_cross_entropy
from skmle.metrics import log_likelihood_scorer


def section(title: str, text: str) -> None:
    print(f"\n\n{title}\n{'=' * len(title)}\n{textwrap.fill(text, 100)}\n")


def ranking(search: GridSearchCV) -> None:
    rows = zip(
        search.cv_results_["mean_test_score"], search.cv_results_["param_family"], strict=True
    )
    for score, family in sorted(rows, reverse=True):
        print(f"  {family:<18} {score:9.4f} nats a row")


cancer = load_breast_cancer(as_frame=True)
diagnosis = cancer.target_names[cancer.target]
diabetes = load_diabetes(as_frame=True, scaled=False)
iris = load_iris(as_frame=True)
linnerud = load_linnerud(as_frame=True)

section(
    "1. A positive column: which distribution?",
    "The area of the cell nuclei of 569 tumours (breast cancer). A grid over families, judged by "
    "the mean log-likelihood of rows that the fit has not seen; then the best one, with its "
    "parameters and their intervals.",
)
area = cancer.data[["mean area"]]
families = ["normal", "exponential", "gamma", "weibull", "lognormal", "inverse_gaussian"]
search = GridSearchCV(
    MLEDistribution(), {"family": families}, cv=KFold(10, shuffle=True, random_state=0)
).fit(area)
ranking(search)
density = search.best_estimator_
print(f"\n{density.summary()}")
low, high = density.distribution_.interval(0.9)
print(f"\nNine of ten tumours lie between {low:.0f} and {high:.0f}; ", end="")
print(f"one in a hundred exceeds {density.distribution_.ppf(0.99):.0f}.")

section(
    "2. A count column",
    "The sit-ups of twenty men (Linnerud). Poisson's variance equals its mean; these counts vary "
    "far more, and the negative binomial says how much. Then the same family with a feature: each "
    "inch of waist changes the expected number by the same factor.",
)
situps, waist = linnerud.data["Situps"], linnerud.target[["Waist"]]
for family in ("poisson", "negative_binomial"):
    counts = MLEDistribution(family).fit(situps.to_frame())
    print(f"  {family:<18} AIC {counts.aic():7.2f}   {counts.distribution_}")
regression = MLERegressor("negative_binomial").fit(waist, situps)
print(f"\n{regression.summary()}")
low, high = np.exp(regression.inference().confidence_intervals()[0])
factor = np.exp(regression.coef_[0])
print(f"\nAn inch more: {factor:.2f} times the sit-ups (95 % interval {low:.2f} to {high:.2f}).")

section(
    "3. Logistic regression, with a table",
    "Malignant or benign, from three measurements, in a pipeline. The estimate is the maximum "
    "itself; the default has no penalty.",
)
X = cancer.data[["mean texture", "mean smoothness", "mean area"]]
pipe = make_pipeline(StandardScaler(), CrossEntropyClassifier()).fit(X, diagnosis)
print(skmle.summary(pipe))

section(
    "4. One number, three names",
    "The score of a classifier here is its mean log-likelihood. That is minus scikit-learn's "
    "log_loss, and minus the empirical cross-entropy between the data and the model.",
)
print(f"  score                     {pipe.score(X, diagnosis):.12f}")
print(f"  -log_loss                 {-log_loss(diagnosis, pipe.predict_proba(X)):.12f}")
print(f"  -empirical_cross_entropy  {-empirical_cross_entropy(pipe, X, diagnosis):.12f}")
print(f"  in bits a row             {-empirical_cross_entropy(pipe, X, diagnosis, base=2):.12f}")

section(
    "5. Regression: the whole law, not only its mean",
    "The progression of diabetes, from ten measurements. Gamma laws whose mean depends on all of "
    "them and whose shape, which sets the relative spread, on two. The families are compared by "
    "cross-validation.",
)
model = MLERegressor("gamma", features={"mean": "all", "shape": ["bmi", "s5"]})
for name, candidate in {
    "normal": MLERegressor(),
    "gamma": MLERegressor("gamma"),
    "gamma, shape modelled": model,
}.items():
    folds = cross_validate(
        candidate, diabetes.data, diabetes.target, cv=KFold(10, shuffle=True, random_state=0)
    )
    print(f"  {name:<22} {folds['test_score'].mean():.4f} nats a row")
model.fit(diabetes.data, diabetes.target)
print(f"\n{model.summary()}\n")
low, high = model.predict_interval(diabetes.data, coverage=0.8)
inside = (low <= diabetes.target) & (diabetes.target <= high)
expected = model.predict(diabetes.data)
for i in range(3):
    interval = f"80 % interval {low[i]:3.0f} to {high[i]:3.0f}"
    observed = diabetes.target[i]
    print(f"  patient {i}: expected {expected[i]:3.0f}, {interval}, observed {observed:3.0f}")
print(f"  of all 442 patients, {100 * inside.mean():.0f} % lie in their 80 % interval")

section(
    "6. A fit that says what is wrong",
    "In the iris data, setosa can be told from the others without an error. Then the coefficients "
    "of logistic regression run to infinity, and no maximum exists. skmle says so; this is the "
    "warning:",
)
species = iris.target_names[iris.target]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", SeparationWarning)
    CrossEntropyClassifier().fit(iris.data, species)
print(textwrap.indent(textwrap.fill(str(caught[0].message), 96), "  | "))
print(
    "\nA ridge penalty has a maximum. Beside a random forest, by the same score on the same "
    "folds:\n"
)
for candidate in (
    CrossEntropyClassifier(alpha=0.001),
    RandomForestClassifier(min_samples_leaf=5, random_state=0),
):
    folds = cross_validate(
        candidate,
        iris.data,
        species,
        cv=KFold(5, shuffle=True, random_state=0),
        scoring=log_likelihood_scorer,
    )
    print(f"  {type(candidate).__name__:<22} {folds['test_score'].mean():.4f} nats a row")
