"""
What miscalibration costs
=========================

The cross-entropy of any classifier is uncertainty - resolution + calibration, in nats. Naive Bayes
resolves the classes well and loses most of it, as it believes its features to be independent.
"""

# %%
# Four classifiers, on rows that they have not seen.

import matplotlib.pyplot as plt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier
from skmle.metrics import cross_entropy_decomposition
from skmle.plotting import CrossEntropyDecompositionDisplay, ReliabilityDisplay

data = load_breast_cancer(as_frame=True)
X = data.data[[name for name in data.data if name.startswith("mean")]]
X, X_new, y, y_new = train_test_split(X, data.target, test_size=0.5, random_state=0)
models = {
    "naive Bayes": GaussianNB(),
    "recalibrated": CalibratedClassifierCV(GaussianNB(), method="sigmoid"),
    "forest": RandomForestClassifier(200, min_samples_leaf=3, random_state=0),
    "logistic": make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=0.01)),
}
models = {name: model.fit(X, y) for name, model in models.items()}
print(cross_entropy_decomposition(models["naive Bayes"], X_new, y_new))

# %%
# Bars end at the cross-entropy; the red part is what calibration costs.

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
CrossEntropyDecompositionDisplay.from_estimator(models, X_new, y_new, ax=left)
ReliabilityDisplay.from_estimator(models["naive Bayes"], X_new, y_new, ax=right)
right.set_title("naive Bayes")
plt.show()
