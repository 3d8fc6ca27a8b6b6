"""How good a model is, and how sure one can be that another is better.

Metrics are values: `metric("f1", task="classification")`. `gain` compares two models on the same rows and picks the
test by itself; `smallest_gain` and `rows_needed` say what those rows could have shown.
"""

from incumbent.evaluation._baseline import kappa, kappa_temporal, no_change
from incumbent.evaluation._calibration import CalibrationError
from incumbent.evaluation._cost import CostMatrix, read_costs
from incumbent.evaluation._custom import Custom
from incumbent.evaluation._flips import flips
from incumbent.evaluation._forgetting import change, per_class
from incumbent.evaluation._labels import wrong
from incumbent.evaluation._metrics import METRICS, labels_of, metric, scores, standard
from incumbent.evaluation._paired import compare, gain, scale
from incumbent.evaluation._pairs import share_lower, share_upper
from incumbent.evaluation._power import rows_needed, smallest_gain
from incumbent.evaluation._rank import AUC
from incumbent.evaluation._rows import MAE, RMSE, Accuracy, Brier, HammingLoss, LogLoss
from incumbent.evaluation._spread import Spread, spread
from incumbent.evaluation._table import F1, BalancedAccuracy, MicroF1, Precision, Recall
from incumbent.evaluation._variance import R2

__all__ = [
    "AUC",
    "F1",
    "MAE",
    "METRICS",
    "R2",
    "RMSE",
    "Accuracy",
    "BalancedAccuracy",
    "Brier",
    "CalibrationError",
    "CostMatrix",
    "Custom",
    "HammingLoss",
    "LogLoss",
    "MicroF1",
    "Precision",
    "Recall",
    "Spread",
    "change",
    "compare",
    "flips",
    "gain",
    "kappa",
    "kappa_temporal",
    "labels_of",
    "metric",
    "no_change",
    "per_class",
    "rows_needed",
    "scale",
    "scores",
    "share_lower",
    "share_upper",
    "smallest_gain",
    "spread",
    "standard",
    "wrong",
    "read_costs",
]
