"""How good a model is: scores over all rows, and losses of single rows.

A metric is a value: ``metric("f1", task="classification")``.
"""

from incumbent._deprecated import deprecated_names
from incumbent.metrics._baseline import kappa, kappa_temporal, persistence_baseline
from incumbent.metrics._calibration import CalibrationError
from incumbent.metrics._cost import CostMatrix, read_costs
from incumbent.metrics._custom import Custom
from incumbent.metrics._labels import wrong
from incumbent.metrics._metrics import METRICS, can_score, labels_of, metric, scores, standard
from incumbent.metrics._rank import AUC
from incumbent.metrics._rows import Accuracy, Brier, HammingLoss, LogLoss
from incumbent.metrics._table import F1, BalancedAccuracy, MicroF1, Precision, Recall
from incumbent.metrics._values import MAE, R2, RMSE

__all__ = [
    "AUC",
    "Accuracy",
    "BalancedAccuracy",
    "Brier",
    "CalibrationError",
    "CostMatrix",
    "Custom",
    "F1",
    "HammingLoss",
    "LogLoss",
    "MAE",
    "METRICS",
    "MicroF1",
    "Precision",
    "R2",
    "RMSE",
    "Recall",
    "can_score",
    "kappa",
    "kappa_temporal",
    "labels_of",
    "metric",
    "persistence_baseline",
    "read_costs",
    "scores",
    "standard",
    "wrong",
]

__getattr__ = deprecated_names(__name__, {"no_change": "persistence_baseline"})
