"""Metrics by name, and all of them at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Metric, Prediction, Task
from incumbent.errors import UsageError
from incumbent.metrics._calibration import CalibrationError
from incumbent.metrics._cost import CostMatrix, read_costs
from incumbent.metrics._custom import Custom
from incumbent.metrics._labels import encode, settled, several, tallies
from incumbent.metrics._rank import AUC
from incumbent.metrics._rows import MAE, RMSE, Accuracy, Brier, HammingLoss, LogLoss
from incumbent.metrics._table import F1, BalancedAccuracy, MicroF1, Precision, Recall, TableMetric
from incumbent.metrics._variance import R2

METRICS: Mapping[Task, Mapping[str, type]] = {
    "classification": {
        "accuracy": Accuracy,
        "balanced_accuracy": BalancedAccuracy,
        "precision": Precision,
        "recall": Recall,
        "f1": F1,
        "log_loss": LogLoss,
        "brier": Brier,
        "auc": AUC,
        "calibration_error": CalibrationError,
    },
    "regression": {"rmse": RMSE, "mae": MAE, "r2": R2},
}
"""The standard metrics of each task; the first decides where none is named."""

_OF_LABELS: Mapping[str, type] = {
    "accuracy": Accuracy,
    "hamming_loss": HammingLoss,
    "f1": F1,
    "f1_micro": MicroF1,
    "precision": Precision,
    "recall": Recall,
    "log_loss": LogLoss,
    "brier": Brier,
    "auc": AUC,
    "calibration_error": CalibrationError,
}
_ONE_CLASS = (BalancedAccuracy, CostMatrix)


def standard(task: Task, labels: int = 1) -> Mapping[str, type]:
    """Return the standard metrics of a task whose rows have so many labels or values each, by name.

    Examples
    --------
    >>> list(standard("classification", labels=4))[:4]
    ['accuracy', 'hamming_loss', 'f1', 'f1_micro']
    """
    return _OF_LABELS if labels > 1 and task == "classification" else METRICS[task]


def labels_of(y: Array) -> int:
    """Return how many labels or values each row has: m of (n, m), and 1 of (n,)."""
    return int(np.shape(y)[1]) if several(y) else 1


def metric(
    spec: str | Metric | None, *, task: Task, classes: Sequence[Any] | Array | None = None, labels: int = 1
) -> Metric:
    """Return the metric that a name, a path or nothing stands for.

    Parameters
    ----------
    spec : str, Metric or None
        A name of `METRICS`, ``cost:FILE`` for a cost matrix, ``module:function`` for a function of yours, or a metric,
        which is given back. None is accuracy, or RMSE for a regression.
    task : {"classification", "regression"}
        What the model predicts.
    classes : (k,) sequence, optional
        The model's classes, so that the positive class and the mean over classes do not depend on the rows at hand.
    labels : int
        How many labels, each on or off, or values a row has at once. With several, "f1", "precision" and "recall" are
        means over the labels ("f1_macro" is another word for "f1"), "f1_micro" takes all decisions together, and
        "accuracy" asks for a row with every label right.

    Raises
    ------
    UsageError
        If there is no such metric, or it is one of the other task, or needs rows of one class each.

    Examples
    --------
    >>> metric(None, task="regression")
    RMSE()
    >>> metric("f1", task="classification", classes=["ham", "spam"])
    F1(classes=('ham', 'spam'))
    """
    if spec is None:
        spec = next(iter(METRICS[task]))
    many = labels > 1 and task == "classification"
    if many and (isinstance(spec, _ONE_CLASS) or str(spec).startswith(("cost:", "balanced_accuracy"))):
        name = spec if isinstance(spec, str) else spec.name
        raise UsageError(
            f"{name} needs rows of one class each, and these have {labels} labels at once; there are "
            f"{', '.join(_OF_LABELS)}, module:function."
        )
    if not isinstance(spec, str):
        return spec
    known = standard(task, labels)
    names = tuple(np.asarray(classes).tolist()) if classes is not None else None
    spec = "f1" if many and spec == "f1_macro" else spec
    if spec in known:
        kind = known[spec]
        made: Metric = kind(classes=names) if names and hasattr(kind, "classes") else kind()
        return made
    if spec.startswith("cost:"):
        if task == "regression":
            raise UsageError("A cost matrix needs classes; this is a regression. Write module:function instead.")
        return read_costs(spec.removeprefix("cost:"), classes=names)
    if ":" in spec:
        return Custom(spec)
    raise UsageError(_unknown(spec, task, labels))


def _unknown(spec: str, task: Task, labels: int) -> str:
    names = list(standard(task, labels))
    near = difflib.get_close_matches(spec.lower().replace("-", "_").replace(" ", "_"), names, n=1)
    if spec in _OF_LABELS and task == "classification":
        hint = "That is one of several labels at once, and these rows have one each. "
    elif near:
        hint = f"Did you mean {near[0]}? "
    elif any(spec in other for name, other in METRICS.items() if name != task):
        hint = f"This is a {task}. "
    else:
        hint = ""
    others = "module:function" if task == "regression" or labels > 1 else "cost:FILE or module:function"
    return f"There is no {task} metric {spec!r}. {hint}There are {', '.join(names)}, {others}."


def scores(y: Array, prediction: Prediction, *, task: Task, weight: Floats | None = None) -> dict[str, float]:
    """Return every standard metric that applies; those on probabilities only where the model gives them.

    Parameters
    ----------
    y : (n,) array, or (n, m) of several labels or values at once
        The truth.
    prediction : Prediction
        What a model said.
    task : {"classification", "regression"}
        Which metrics.
    weight : (n,) array, optional
        Row weights.

    Returns
    -------
    dict of str to float
        The score by name; nan where the rows cannot tell, as the AUC of one class.

    Examples
    --------
    >>> scores(np.array([1.0, 2.0]), Prediction(np.array([1.0, 4.0])), task="regression")
    {'rmse': 1.4142135623730951, 'mae': 1.0, 'r2': -7.0}
    """
    if not len(y):
        return {name: math.nan for name, kind in standard(task, labels_of(y)).items() if _applies(kind, prediction)}
    if task == "regression" or several(y):
        known = standard(task, labels_of(y)).items()
        return {name: kind().score(y, prediction, weight) for name, kind in known if _applies(kind, prediction)}
    rows = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    return _of_classes(np.asarray(y), prediction, rows)


def _applies(kind: type, prediction: Prediction) -> bool:
    return prediction.proba is not None or not kind.needs_proba  # type: ignore[attr-defined]  # every class of METRICS has it


def _of_classes(y: Array, prediction: Prediction, weight: Floats) -> dict[str, float]:
    """Turn labels into numbers once, and let every metric work on those."""
    classes, truth = settled(None, y, prediction)
    label = encode(prediction.label, classes)
    size, order = len(classes), tuple(range(len(classes)))
    counts = [tallies(code, size, weight[None, :]) for code in (np.where(label == truth, truth, -1), truth, label)]
    found = {"accuracy": float(counts[0].sum() / weight.sum())}
    table: dict[str, type[TableMetric]] = {
        "balanced_accuracy": BalancedAccuracy,
        "precision": Precision,
        "recall": Recall,
        "f1": F1,
    }
    found |= {name: float(kind().of_counts(classes, *counts)[0]) for name, kind in table.items()}
    if prediction.proba is None or prediction.classes is None:
        return found
    said = Prediction(label, prediction.proba, encode(prediction.classes, classes))
    found["log_loss"] = LogLoss().score(truth, said, weight)
    found["brier"] = Brier().score(truth, said, weight)
    found["auc"] = AUC(classes=order).score(truth, said, weight)
    found["calibration_error"] = CalibrationError(classes=order).score(truth, said, weight)
    return found
