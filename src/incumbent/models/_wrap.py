"""`wrap` puts the right adapter around a native model; `save` and `load` store it under the name of its adapter.

To add a framework, write its folder (a class that keeps the contract of `incumbent.core.Model`, and `handles`, which
must not import the framework) and a line in `_TABLE`; from another package, an entry point in the group
``incumbent.models`` that names such a module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from incumbent.core import Array, Model, Task
from incumbent.errors import MissingDependency, ModelError, RegistryError, UsageError

# adapter -> (module, class), asked in this order
_TABLE = {
    "blend": ("incumbent.models.finish._blend", "BlendModel"),
    "torch": ("incumbent.models.torch._model", "TorchModel"),
    "lightgbm": ("incumbent.models.boosting._lightgbm", "LightGBMModel"),
    "xgboost": ("incumbent.models.boosting._xgboost", "XGBoostModel"),
    "pipeline": ("incumbent.models.tables._pipeline", "PipelineModel"),
    "linear": ("incumbent.models.tables._linear", "LinearModel"),
    "sklearn": ("incumbent.models.tables._sklearn", "SklearnModel"),
}
_FORMAT = 1


def wrap(
    native: Any,
    *,
    classes: Array | Sequence[Any] | None = None,
    task: Task | None = None,
    factory: Any = None,
    arguments: Mapping[str, Any] | None = None,
    prepare: Any = None,
    device: str = "auto",
) -> Model:
    """Put the adapter around a fitted native model.

    Parameters
    ----------
    native : object
        A fitted scikit-learn estimator or Pipeline, a LightGBM or XGBoost model or booster, a PyTorch module, or an
        ensemble made here. An adapter comes back as it is.
    classes : (k,) array, optional
        Class names of a native booster, which only knows 0 to k - 1; or what each output of a net stands for, in order.
    task : {"classification", "regression"}, optional
        What a net does, where its outputs leave it open.
    factory : callable or "package.module:name", optional
        What makes such a net, so that it can be stored and trained from scratch.
    arguments : mapping, optional
        What the factory is called with.
    prepare : callable or "package.module:name", optional
        What makes of rows what a net sees; it is stored by name with the model.
    device : {"auto", "cpu", "cuda"}
        Where a net learns and predicts.

    Raises
    ------
    ModelError
        It is not a model, not fitted, or of a framework without an adapter.
    UsageError
        Something was said of it that only a net can be told.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = wrap(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]))
    >>> model.task, model.classes.tolist(), "gradient" in model.abilities
    ('classification', ['no', 'yes'], True)
    """
    if isinstance(native, Model):
        return native
    if isinstance(native, type):
        raise ModelError(
            f"{native.__name__} is a class, not a model; give a fitted object, such as {native.__name__}().fit(x, y)."
        )
    told = {"task": task, "factory": factory, "arguments": arguments, "prepare": prepare}
    for adapter, (module, kind) in _adapters().items():
        if adapter in _FRAMEWORK and _FRAMEWORK[adapter] not in sys.modules:
            continue  # where the framework was never imported, nothing is of it
        home = import_module(module)
        if home.handles(native):
            if adapter == "torch":
                net: Model = home.TorchModel.of(native, classes=classes, device=device, **told)
                return net
            strange = [name for name, value in told.items() if value is not None]
            if strange:
                raise UsageError(f"{strange[0]}= is for PyTorch modules; {type(native).__name__} says it by itself.")
            if adapter in ("pipeline", "linear", "sklearn"):
                _check_predictor(native)
                _check_fitted(native)
            made: Model = getattr(home, kind)(
                native, **({"classes": classes} if classes is not None and adapter in _NAMED else {})
            )
            return made
    raise ModelError(
        f"{type(native).__module__}.{type(native).__name__} is not a model that Incumbent knows. It takes fitted "
        "scikit-learn estimators and Pipelines, LightGBM and XGBoost models and boosters, and PyTorch modules."
    )


_NAMED = ("lightgbm", "xgboost")
_FRAMEWORK = {"torch": "torch"}


@cache
def _adapters() -> dict[str, tuple[str, str]]:
    """Return where each adapter lies; what others have installed is looked up once, for that reads every package."""
    from importlib.metadata import entry_points

    outside = {p.name: (p.module, p.attr) for p in entry_points(group="incumbent.models")}
    return outside | _TABLE


def _check_predictor(native: Any) -> None:
    from sklearn.base import is_clusterer, is_outlier_detector

    last = native.steps[-1][1] if hasattr(native, "steps") else native
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


def _check_fitted(native: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    last = native.steps[-1][1] if hasattr(native, "steps") else native
    try:
        check_is_fitted(last)
    except NotFittedError:
        raise ModelError(
            f"{type(native).__name__} is not fitted: a champion is a model that was trained. Call its fit(x, y) first."
        ) from None
    except TypeError:
        return  # an estimator of another library, which keeps no rule for being fitted


def save(model: Model, folder: Path) -> None:
    """Write a model into `folder` (made if absent) so that `load` brings back the same native class and predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter = next((name for name, (_, kind) in _adapters().items() if kind == type(model).__name__), None)
    assert adapter is not None, "every adapter is in the table"
    model.save(folder)
    (folder / "adapter.json").write_text(json.dumps({"format": _FORMAT, "adapter": adapter}))
    if adapter not in _TABLE:
        load(folder)  # an adapter from outside: what cannot be read back must not go live


def load(folder: Path) -> Model:
    """Read a model that `save` wrote.

    Raises
    ------
    RegistryError
        The folder holds no model, or one in a format that is newer than this program.
    MissingDependency
        Its framework is not installed.
    """
    try:
        told = json.loads((folder / "adapter.json").read_text())
    except (OSError, ValueError):
        raise RegistryError(f"{folder} holds no model of Incumbent (its adapter.json is missing or broken).") from None
    if told["format"] > _FORMAT:
        raise RegistryError(
            f"The model in {folder} was stored in format {told['format']} and this program reads up to {_FORMAT}; "
            "upgrade it: pip install -U incumbent"
        )
    if told["adapter"] not in _adapters():
        raise MissingDependency(f"The model needs the adapter {told['adapter']!r}, which no installed package brings.")
    module, kind = _adapters()[told["adapter"]]
    made: Model = getattr(_home(module, told["adapter"]), kind).load(folder)
    return made


def _home(module: str, adapter: str) -> Any:
    framework = _FRAMEWORK.get(adapter)
    if framework is not None and find_spec(framework) is None:
        raise MissingDependency(f"The model needs {framework}. Install it with: pip install 'incumbent[{framework}]'")
    return import_module(module)
