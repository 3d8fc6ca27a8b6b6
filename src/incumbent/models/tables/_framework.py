"""What scikit-learn brings: adapters for its estimators and Pipelines, and a check that they can be updated."""

from __future__ import annotations

from typing import Any

from incumbent.core import Model
from incumbent.errors import ModelError
from incumbent.models._framework import Framework


def _wrap(adapter: Any, native: Any) -> Model:
    last = native.steps[-1][1] if hasattr(native, "steps") else native
    _check_predictor(last)
    _check_fitted(last, type(native).__name__)
    made: Model = adapter(native)
    return made


def _check_predictor(last: Any) -> None:
    from sklearn.base import is_clusterer, is_outlier_detector

    try:
        aimless = not hasattr(last, "predict") or is_clusterer(last) or is_outlier_detector(last)
    except AttributeError:
        raise ModelError(
            f"{type(last).__name__} looks like a scikit-learn estimator but is none: derive it from ClassifierMixin "
            "or RegressorMixin and, after that, BaseEstimator of sklearn.base."
        ) from None
    if aimless:
        raise ModelError(
            f"{type(last).__name__} predicts no target column; Incumbent updates classifiers and regressors, "
            "and Pipelines that end in one."
        )
    wide = getattr(last, "n_outputs_", 1) if not hasattr(last, "classes_") else 1
    if wide > 1 or (not hasattr(last, "classes_") and getattr(getattr(last, "coef_", None), "shape", ())[:-1] > (1,)):
        raise ModelError(f"{type(last).__name__} predicts several targets at once; Incumbent updates models with one.")


def _check_fitted(last: Any, name: str) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(last)
    except NotFittedError:
        raise ModelError(f"{name} is not fitted; a champion is a trained model. Call its fit(x, y) first.") from None
    except TypeError:
        return  # an estimator of another library that has no rule for being fitted


FRAMEWORK = Framework(
    adapters={
        "pipeline": "incumbent.models.tables._pipeline:PipelineModel",
        "linear": "incumbent.models.tables._linear:LinearModel",
        "sklearn": "incumbent.models.tables._sklearn:SklearnModel",
    },
    models="scikit-learn estimators and Pipelines",
    wrap=_wrap,
    mlflow=("sklearn", "pickled_model"),
)
