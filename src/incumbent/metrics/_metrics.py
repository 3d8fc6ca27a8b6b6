"""The metrics by name, and the scores of all standard metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from incumbent.core import Array, Floats, Metric, Prediction, Task
from incumbent.errors import UsageError
from incumbent.metrics._calibration import CalibrationError
from incumbent.metrics._cost import CostMatrix, read_costs
from incumbent.metrics._custom import Custom
from incumbent.metrics._labels import encode, encode_truth, several
from incumbent.metrics._rank import AUC
from incumbent.metrics._rows import Accuracy, Brier, HammingLoss, LogLoss
from incumbent.metrics._table import F1, BalancedAccuracy, MicroF1, Precision, Recall
from incumbent.metrics._values import MAE, R2, RMSE
from incumbent.words import nearest

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
"""The standard metrics of each task; the first is the default."""

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
    """Return the standard metrics of a task by name, for rows with this number of labels or values each.

    Examples
    --------
    >>> list(standard("classification", labels=4))[:4]
    ['accuracy', 'hamming_loss', 'f1', 'f1_micro']
    """
    return _OF_LABELS if labels > 1 and task == "classification" else METRICS[task]


def labels_of(y: Array) -> int:
    """Return the number of labels or values of each row: m for (n, m), and 1 for (n,)."""
    return int(np.shape(y)[1]) if several(y) else 1


def metric(
    spec: str | Metric | None, *, task: Task, classes: Sequence[Any] | Array | None = None, labels: int = 1
) -> Metric:
    """Return the metric with this name.

    Parameters
    ----------
    spec : str, Metric or None
        A name of `METRICS`, ``cost:FILE`` for a cost matrix, ``module:function`` for your own function, or a metric,
        which is returned. None is accuracy, or RMSE for a regression.
    task : {"classification", "regression"}
        What the model predicts.
    classes : (k,) sequence, optional
        The model's classes, so that the positive class and the mean over classes do not depend on the rows.
    labels : int
        Number of labels, each on or off, or values of a row. With several, "f1" (or "f1_macro"), "precision" and
        "recall" are means over the labels, "f1_micro" counts all decisions together, and "accuracy" counts rows with
        every label right.

    Raises
    ------
    UsageError
        There is no such metric for this task, or it needs rows of one class each.

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
            f"{name} needs rows of one class each, and these have {labels} labels. Choose from "
            f"{', '.join(_OF_LABELS)}, module:function."
        )
    if not isinstance(spec, str):
        return spec
    known = standard(task, labels)
    names = tuple(np.asarray(classes).tolist()) if classes is not None else None
    spec = "f1" if many and spec == "f1_macro" else spec
    if spec in known:
        kind = known[spec]
        chosen: Metric = kind(classes=names) if names and hasattr(kind, "classes") else kind()
        return chosen
    if spec.startswith("cost:"):
        if task == "regression":
            raise UsageError(
                "A cost matrix needs classes; this is a regression. Use your own metric instead: module:function."
            )
        return read_costs(spec.removeprefix("cost:"), classes=names)
    if ":" in spec:
        return Custom(spec)
    raise UsageError(_unknown(spec, task, labels))


def _unknown(spec: str, task: Task, labels: int) -> str:
    names = list(standard(task, labels))
    near = nearest(spec.replace("-", "_").replace(" ", "_"), names)
    hint = ""
    if spec in _OF_LABELS and task == "classification":
        hint = "That is a metric of several labels, and these rows have one each. "
    elif near:
        hint = f"Did you mean {near}? "
    elif any(spec in other for name, other in METRICS.items() if name != task):
        hint = f"This is a {task}. "
    others = "module:function" if task == "regression" or labels > 1 else "cost:FILE or module:function"
    return f"There is no {task} metric {spec!r}. {hint}Choose from {', '.join(names)}, {others}."


def scores(y: Array, prediction: Prediction, *, task: Task, weight: Floats | None = None) -> dict[str, float]:
    """Return the score of every standard metric; those of probabilities only if the model predicts them.

    Parameters
    ----------
    y : (n,) array, or (n, m) for several labels or values
        True labels or values.
    prediction : Prediction
        Predictions of the same rows.
    task : {"classification", "regression"}
        What is predicted.
    weight : (n,) array, optional
        Row weights.

    Returns
    -------
    dict of str to float
        The score by name; nan if the rows do not define it, such as the AUC of one class.

    Examples
    --------
    >>> scores(np.array([1.0, 2.0]), Prediction(np.array([1.0, 4.0])), task="regression")
    {'rmse': 1.4142135623730951, 'mae': 1.0, 'r2': -7.0}
    """
    if task == "classification" and not several(y):  # turn labels into numbers once, for all metrics
        classes, truth = encode_truth(None, y, prediction)
        known = None if prediction.classes is None else encode(prediction.classes, classes)
        y, prediction = truth, Prediction(encode(prediction.label, classes), prediction.proba, known)
    kinds = standard(task, labels_of(y)).items()
    return {name: kind().score(y, prediction, weight) for name, kind in kinds if can_score(kind, prediction)}


def can_score(kind: Any, prediction: Prediction) -> bool:
    """Return whether a metric can use this prediction: it has probabilities if the metric needs them."""
    return prediction.proba is not None or not getattr(kind, "needs_proba", False)
