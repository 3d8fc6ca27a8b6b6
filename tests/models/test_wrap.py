"""The right adapter for each model, and a plain sentence for what is none."""

import json

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from incumbent.errors import MissingDependency, ModelError, RegistryError
from incumbent.models import load, save, wrap

X, Y = np.arange(20.0).reshape(-1, 1), np.repeat([0, 1], 10)


class Duck:
    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.zeros(len(x))

    def get_params(self, deep=True):
        return {}


@pytest.mark.parametrize(
    ("native", "adapter"),
    [
        (LogisticRegression(), "LinearModel"),
        (DecisionTreeClassifier(), "SklearnModel"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "PipelineModel"),
    ],
    ids=repr,
)
def test_each_kind_has_its_adapter(native, adapter):
    model = wrap(native.fit(X, Y))
    assert type(model).__name__ == adapter and model.native is native and wrap(model) is model


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (LogisticRegression, r"LogisticRegression is a class. Pass a fitted model"),
        (LogisticRegression(), r"LogisticRegression is not fitted"),
        (make_pipeline(StandardScaler(), LogisticRegression()), r"Pipeline is not fitted"),
        ({"weights": 1}, r"builtins.dict is not a model that Incumbent can update. It takes .*PyTorch modules"),
        ("model.joblib", r"builtins.str is not a model"),
        (None, r"NoneType is not a model"),
        (StandardScaler().fit(X), r"StandardScaler is not a model"),
        (make_pipeline(StandardScaler()).fit(X), r"StandardScaler predicts no target column"),
        (KMeans(2, random_state=0).fit(X), r"KMeans predicts no target column"),
        (IsolationForest(n_estimators=2).fit(X), r"IsolationForest predicts no target column"),
        (Ridge().fit(X, np.hstack([X, X])), r"Ridge predicts several targets at once"),
        (MultiOutputClassifier(LogisticRegression()).fit(X, np.stack([Y, Y], axis=1)), r"several targets"),
        (Duck(), r"Duck looks like a scikit-learn estimator but is none: derive it"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_fitted_model_is_said_to_be_none(given, sentence):
    with pytest.raises(ModelError, match=sentence):
        wrap(given).classes  # noqa: B018  # some are only seen to be none when asked


def test_a_model_comes_back_with_its_class_and_its_answers(tmp_path):
    model = wrap(DecisionTreeClassifier().fit(X, Y))
    save(model, tmp_path / "new folder")
    loaded = load(tmp_path / "new folder")
    assert type(loaded.native) is DecisionTreeClassifier
    assert np.array_equal(loaded.predict(X).proba, model.predict(X).proba)


def test_a_folder_without_a_model_is_said_to_hold_none(tmp_path):
    with pytest.raises(RegistryError, match="holds no model of Incumbent"):
        load(tmp_path)
    (tmp_path / "adapter.json").write_text("{")
    with pytest.raises(RegistryError, match="missing or broken"):
        load(tmp_path)


def test_a_newer_format_asks_for_an_upgrade(tmp_path):
    (tmp_path / "adapter.json").write_text(json.dumps({"format": 99, "adapter": "sklearn"}))
    with pytest.raises(RegistryError, match="format 99 .* pip install -U incumbent"):
        load(tmp_path)


def test_an_adapter_that_is_not_installed_is_named(tmp_path):
    (tmp_path / "adapter.json").write_text(json.dumps({"format": 1, "adapter": "quantum"}))
    with pytest.raises(MissingDependency, match="'quantum'"):
        load(tmp_path)
