"""The old place of `incumbent.metrics` and `incumbent.evidence`, kept for one release."""

from incumbent._deprecated import deprecated_names

_EVIDENCE = "change compare gain per_class rows_needed scale smallest_gain"
_RENAMED = {
    "Spread": "evidence.PairedVariance",
    "flips": "evidence.negative_flip_rate",
    "no_change": "metrics.persistence_baseline",
    "share_lower": "evidence.clopper_pearson_lower",
    "share_upper": "evidence.clopper_pearson_upper",
    "spread": "evidence.paired_variance",
}
_METRICS = (
    "AUC Accuracy BalancedAccuracy Brier CalibrationError CostMatrix Custom F1 HammingLoss LogLoss MAE METRICS MicroF1 "
    "Precision R2 RMSE Recall kappa kappa_temporal labels_of metric read_costs scores standard "
    "wrong"
)
_HOME = {name: f"incumbent.evidence.{name}" for name in _EVIDENCE.split()}
_HOME |= {name: f"incumbent.metrics.{name}" for name in _METRICS.split()}
_HOME |= {old: f"incumbent.{new}" for old, new in _RENAMED.items()}

__getattr__ = deprecated_names(__name__, _HOME)
