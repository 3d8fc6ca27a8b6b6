"""The old place of `incumbent.metrics` and `incumbent.evidence`, kept for one release."""

from incumbent._deprecated import deprecated_names

_EVIDENCE = "Spread change compare flips gain per_class rows_needed scale share_lower share_upper smallest_gain spread"
_METRICS = (
    "AUC Accuracy BalancedAccuracy Brier CalibrationError CostMatrix Custom F1 HammingLoss LogLoss MAE METRICS MicroF1 "
    "Precision R2 RMSE Recall kappa kappa_temporal labels_of metric no_change read_costs scores standard "
    "wrong"
)
_HOME = {name: f"incumbent.evidence.{name}" for name in _EVIDENCE.split()}
_HOME |= {name: f"incumbent.metrics.{name}" for name in _METRICS.split()}

__getattr__ = deprecated_names(__name__, _HOME)
