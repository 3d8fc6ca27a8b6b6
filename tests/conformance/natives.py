"""Fitted models of many kinds on small seeded data, each with the rows it is checked on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier

from incumbent.core import Batch

ROWS = 210


def one_in(count: int, names: Iterable[str]) -> list[Any]:
    """Return all names, only one in so many to be tried with the quick tests."""
    return [pytest.param(name, marks=() if at % count == 0 else pytest.mark.slow) for at, name in enumerate(names)]


def numbers(classes: int = 2, *, names: list[Any] | None = None, seed: int = 0) -> Batch:
    """Rows of four numeric columns in a frame; classes are bands of a sum."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.normal(size=(ROWS, 4)), columns=list("abcd"))
    score = x["a"] + 0.5 * x["b"] + 0.3 * rng.normal(size=ROWS)
    y = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    return Batch(x, y if names is None else np.asarray(names)[y])


def values(seed: int = 0) -> Batch:
    """The same columns with a numeric target."""
    rows = numbers(seed=seed)
    return rows.replace(
        y=(2 * rows.x["a"] - rows.x["b"]).to_numpy() + 0.1 * np.random.default_rng(seed).normal(size=ROWS)
    )


def counts(classes: int = 3) -> Batch:
    """Non-negative whole numbers in an array."""
    rows = numbers(classes)
    return Batch(np.round(np.exp(rows.x.to_numpy())).clip(0, 9), rows.y)


def mixed() -> Batch:
    """Numbers beside a column of categories."""
    rows = numbers(3, names=["low", "middle", "high"])
    return rows.replace(x=rows.x.assign(colour=np.resize(["red", "green", "blue", "grey"], ROWS)))


def texts() -> Batch:
    """One column of short texts."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=ROWS)
    words = np.array([["good", "fine", "warm", "film"], ["bad", "poor", "cold", "film"]])
    return Batch(pd.DataFrame({"text": [" ".join(rng.choice(words[c], 5)) for c in y]}), np.array(["up", "down"])[y])


def arrays(rows: Batch) -> Batch:
    return rows.replace(x=rows.x.to_numpy())


def fitted(estimator: Any, rows: Batch) -> Any:
    x = rows.x["text"] if list(getattr(rows.x, "columns", [])) == ["text"] else rows.x
    half = slice(0, ROWS // 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # half of few rows: some estimators note that they have not converged
        return estimator.fit(x[half], rows.y[half])


def _table() -> dict[str, tuple[Callable[[], Any], Callable[[], Batch]]]:
    two, three = numbers, lambda: numbers(3)
    named = lambda: numbers(3, names=["a", "b", "c"])  # noqa: E731  # the table reads better beside its uses
    tree = lambda: DecisionTreeClassifier(max_depth=3, random_state=0)  # noqa: E731  # as above
    return {
        "LogisticRegression, two classes": (LogisticRegression, two),
        "LogisticRegression, three named classes": (LogisticRegression, named),
        "LogisticRegression, L1, balanced": (
            lambda: LogisticRegression(l1_ratio=1.0, solver="saga", class_weight="balanced", max_iter=500),
            three,
        ),
        "LogisticRegression, liblinear": (lambda: LogisticRegression(solver="liblinear"), two),
        "LogisticRegression, arrays": (LogisticRegression, lambda: arrays(numbers(3))),
        "LogisticRegressionCV": (
            lambda: LogisticRegressionCV(Cs=3, cv=2, l1_ratios=(0.0,), use_legacy_attributes=False),
            two,
        ),
        "SGDClassifier, log loss": (lambda: SGDClassifier(loss="log_loss"), named),
        "SGDClassifier, hinge": (lambda: SGDClassifier(random_state=3), two),
        "SGDClassifier, hinge, three classes": (SGDClassifier, three),
        "SGDClassifier, modified Huber": (lambda: SGDClassifier(loss="modified_huber"), three),
        "SGDClassifier, squared error": (lambda: SGDClassifier(loss="squared_error", eta0=0.001), two),
        "SGDClassifier, averaged": (lambda: SGDClassifier(loss="log_loss", average=True), three),
        "SGDClassifier, balanced": (lambda: SGDClassifier(loss="log_loss", class_weight="balanced"), three),
        "Perceptron": (Perceptron, three),
        "LinearSVC": (LinearSVC, named),
        "RidgeClassifier, two classes": (RidgeClassifier, two),
        "RidgeClassifier, three classes": (RidgeClassifier, named),
        "LinearDiscriminantAnalysis": (LinearDiscriminantAnalysis, three),
        "Ridge": (Ridge, values),
        "Ridge, no intercept": (lambda: Ridge(fit_intercept=False), values),
        "LinearRegression": (LinearRegression, values),
        "Lasso": (lambda: Lasso(alpha=0.01), values),
        "ElasticNet": (lambda: ElasticNet(alpha=0.01), values),
        "SGDRegressor": (SGDRegressor, values),
        "SGDRegressor, Huber, averaged": (lambda: SGDRegressor(loss="huber", average=10), values),
        "HuberRegressor": (HuberRegressor, values),
        "LinearSVR": (LinearSVR, values),
        "SVC": (SVC, named),
        "SVR": (SVR, values),
        "KNeighborsClassifier": (KNeighborsClassifier, three),
        "KNeighborsClassifier, by distance": (lambda: KNeighborsClassifier(weights="distance"), named),
        "KNeighborsRegressor": (KNeighborsRegressor, values),
        "DecisionTreeClassifier": (DecisionTreeClassifier, named),
        "RandomForestClassifier": (lambda: RandomForestClassifier(8), named),
        "RandomForestClassifier, out of bag": (lambda: RandomForestClassifier(30, oob_score=True), two),
        "RandomForestRegressor": (lambda: RandomForestRegressor(8), values),
        "ExtraTreesClassifier": (lambda: ExtraTreesClassifier(8), three),
        "GradientBoostingClassifier, two classes": (lambda: GradientBoostingClassifier(n_estimators=8), two),
        "GradientBoostingClassifier, three classes": (lambda: GradientBoostingClassifier(n_estimators=8), named),
        "GradientBoostingRegressor": (lambda: GradientBoostingRegressor(n_estimators=8), values),
        "HistGradientBoostingClassifier": (lambda: HistGradientBoostingClassifier(max_iter=5), named),
        "HistGradientBoostingRegressor": (lambda: HistGradientBoostingRegressor(max_iter=5), values),
        "BaggingClassifier": (lambda: BaggingClassifier(tree(), n_estimators=5), three),
        "BaggingClassifier, out of bag": (lambda: BaggingClassifier(tree(), n_estimators=20, oob_score=True), two),
        "BaggingRegressor": (lambda: BaggingRegressor(n_estimators=5), values),
        "AdaBoostClassifier": (lambda: AdaBoostClassifier(n_estimators=5), three),
        "GaussianNB": (GaussianNB, named),
        "MultinomialNB": (MultinomialNB, counts),
        "BernoulliNB": (lambda: BernoulliNB(binarize=1.0), counts),
        "MLPClassifier": (lambda: MLPClassifier((6,), max_iter=10), named),
        "MLPClassifier, early stopping": (lambda: MLPClassifier((6,), max_iter=10, early_stopping=True), three),
        "MLPRegressor": (lambda: MLPRegressor(hidden_layer_sizes=(6,), max_iter=10), values),
        "CalibratedClassifierCV": (lambda: CalibratedClassifierCV(LinearSVC(), cv=2), two),
        "StackingClassifier": (lambda: StackingClassifier([("tree", tree()), ("bayes", GaussianNB())], cv=2), three),
        "StackingClassifier, ends in an SVC": (
            lambda: StackingClassifier([("tree", tree()), ("bayes", GaussianNB())], SVC(), cv=2),
            three,
        ),
        "VotingClassifier, hard": (lambda: VotingClassifier([("tree", tree()), ("bayes", GaussianNB())]), named),
        "VotingClassifier, soft": (
            lambda: VotingClassifier([("tree", tree()), ("bayes", GaussianNB())], voting="soft"),
            named,
        ),
        "VotingRegressor": (lambda: VotingRegressor([("line", Ridge()), ("near", KNeighborsRegressor())]), values),
        "GridSearchCV": (lambda: GridSearchCV(tree(), {"max_depth": [1, 3]}, cv=2), named),
        "TunedThresholdClassifierCV": (lambda: TunedThresholdClassifierCV(LogisticRegression(), cv=2), two),
        "TransformedTargetRegressor": (
            lambda: TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh),
            values,
        ),
        "Pipeline, scaler and SGDClassifier": (
            lambda: make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
            named,
        ),
        "Pipeline, columns and LogisticRegression": (lambda: make_pipeline(_columns(), LogisticRegression()), mixed),
        "Pipeline, columns and forest": (lambda: make_pipeline(_columns(), RandomForestClassifier(5)), mixed),
        "Pipeline, frames within": (
            lambda: make_pipeline(MinMaxScaler(), SGDClassifier()).set_output(transform="pandas"),
            named,
        ),
        "Pipeline, texts": (lambda: make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss")), texts),
        "Pipeline, texts and LogisticRegression": (
            lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()),
            texts,
        ),
        "Pipeline, texts, within a search": (
            lambda: GridSearchCV(
                make_pipeline(TfidfVectorizer(), MultinomialNB()), {"multinomialnb__alpha": [0.1, 1]}, cv=2
            ),
            texts,
        ),
        "Pipeline, PCA and forest": (lambda: make_pipeline(PCA(2), RandomForestClassifier(5)), three),
        "Pipeline, Ridge": (lambda: make_pipeline(StandardScaler(), Ridge()), values),
        "Pipeline, passthrough and search": (
            lambda: Pipeline([("none", "passthrough"), ("search", GridSearchCV(GaussianNB(), {}, cv=2))]),
            named,
        ),
    }


def _columns() -> ColumnTransformer:
    return ColumnTransformer([("scaled", StandardScaler(), list("abcd")), ("coded", OneHotEncoder(), ["colour"])])


MODELS = _table()


def made(name: str) -> tuple[Any, Batch]:
    make, rows = MODELS[name]
    batch = rows()
    return fitted(make(), batch), batch
