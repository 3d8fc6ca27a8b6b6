"""What every scikit-learn adapter shares: the input of a native model, its prediction, and a fit from scratch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats, Prediction, Task
from incumbent.errors import ModelError

# Their `predict` is the class of largest `predict_proba`. For others (SVC, tuned thresholds, searches) both are called.
_LABEL_FOLLOWS = (
    "LogisticRegression",
    "RandomForest",
    "ExtraTree",
    "DecisionTree",
    "HistGradientBoosting",
    "Bagging",
    "KNeighbors",
    "MLP",
    "GaussianNB",
    "MultinomialNB",
    "BernoulliNB",
    "CalibratedClassifierCV",
)


def task_of(native: Any) -> Task:
    """Return whether a fitted estimator predicts classes or values."""
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(native) or (hasattr(native, "classes_") and not is_regressor(native)):
        return "classification"
    return "regression"


def classes_of(native: Any) -> Array | None:
    """Return the classes that a fitted classifier knows; None for a regressor."""
    if task_of(native) == "regression":
        return None
    classes = getattr(native, "classes_", None)
    if classes is None or isinstance(classes, list) or np.ndim(classes) != 1:
        raise ModelError(
            f"{type(native).__name__} predicts several targets at once or names no classes_; "
            "Incumbent updates models with one target column."
        )
    return np.asarray(classes)


def as_input(native: Any, x: Any) -> Any:
    """Return `x` in the form that `native` was trained on: a frame with its names, an array, or a list of texts."""
    if not hasattr(x, "iloc"):
        return x
    first = _first(native)
    if hasattr(first, "build_analyzer"):  # a vectoriser of texts
        if x.shape[1] != 1:
            raise ModelError(
                f"{type(first).__name__} reads one column of texts but the data have {x.shape[1]} "
                "feature columns; name the others as time or group, leave them out, or use a ColumnTransformer."
            )
        return x.iloc[:, 0]
    names = getattr(native, "feature_names_in_", getattr(first, "feature_names_in_", None))
    if names is not None:
        return x if list(x.columns) == list(names) else x[list(names)]
    # a custom step that keeps no record of its input may look for names, and takes a frame in any case
    return x.to_numpy() if any(hasattr(part, "n_features_in_") for part in (native, first)) else x


def reads_columns(native: Any) -> bool:
    """Return whether `native` computes with the columns as they come, and does not transform them first."""
    first = _first(native)
    return first is native or not (hasattr(first, "transform") or hasattr(first, "build_analyzer"))


def _first(native: Any) -> Any:
    """Return what reads the rows first: the first step of a Pipeline, the inner model of a search or a wrapper."""
    if hasattr(native, "steps"):
        return _first(next(step for _, step in native.steps if step not in (None, "passthrough")))
    if hasattr(native, "transformer_list"):
        return _first(native.transformer_list[0][1])
    for name in ("best_estimator_", "estimator_", "regressor_", "estimator"):
        if hasattr(getattr(native, name, None), "fit"):
            return _first(getattr(native, name))
    return native


def predict_native(native: Any, data: Any, classes: Array | None) -> Prediction:
    """Predict each row once (labels and probabilities separately only if the labels do not follow from the others)."""
    if classes is None:
        values = np.asarray(native.predict(data), dtype=np.float64)
        if values.ndim > 1 and values.shape[1] > 1:
            raise ModelError(
                f"{type(native).__name__} predicts {values.shape[1]} targets at once; "
                "Incumbent updates models with one target column."
            )
        return Prediction(values.reshape(-1))
    if not hasattr(native, "predict_proba"):
        return Prediction(np.asarray(native.predict(data)), None, classes)
    proba = np.asarray(native.predict_proba(data), dtype=np.float64)
    kind = type(native)
    follows = kind.__module__.startswith(("sklearn.", "incumbent.")) and kind.__name__.startswith(_LABEL_FOLLOWS)
    return Prediction(classes[proba.argmax(axis=1)] if follows else np.asarray(native.predict(data)), proba, classes)


def refit(native: Any, batch: Batch, *, seed: int, settings: Mapping[str, Any] | None = None) -> Any:
    """Return a fresh copy of `native` fitted to `batch`, some settings changed; open random states are the seed."""
    from sklearn.base import clone

    fresh = clone(native).set_params(**(settings or {}))
    free = free_random_states(fresh)
    fresh.set_params(**dict.fromkeys(free, seed))
    fresh.fit(as_input(native, batch.x), batch.y, **weights_for(fresh, batch.weight))
    return fresh.set_params(**dict.fromkeys(free))


def free_random_states(native: Any) -> list[str]:
    """Return the random states among the settings that the user left open."""
    settings = native.get_params().items()
    return [name for name, value in settings if name.rsplit("__", 1)[-1] == "random_state" and value is None]


def takes_weights(native: Any) -> bool:
    """Return whether the `fit` of an estimator (the last step of a Pipeline) takes row weights."""
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(native.steps[-1][1] if hasattr(native, "steps") else native, "sample_weight"))


def weights_for(native: Any, weight: Floats | None) -> dict[str, Floats]:
    """Return the keyword argument for row weights in the `fit` of `native`; empty if it takes none."""
    if weight is None or not takes_weights(native):
        return {}
    return {f"{native.steps[-1][0]}__sample_weight" if hasattr(native, "steps") else "sample_weight": weight}


def slices(n: int, size: int) -> Iterator[slice]:
    """Yield mini-batches of `size` as slices of range(n)."""
    return (slice(start, start + size) for start in range(0, n, size))
