"""How sure one can be that one model is better than another.

`gain` compares two models on the same rows and picks the test. `smallest_gain` and `rows_needed` say what those rows
could have shown. `incumbent.evidence.live` holds evidence from labels that arrive later.
"""

from incumbent._deprecated import deprecated_names
from incumbent.evidence._flips import clopper_pearson_lower, clopper_pearson_upper, negative_flip_rate
from incumbent.evidence._forgetting import change, per_class
from incumbent.evidence._paired import compare, gain, is_relative, scale, take_rows
from incumbent.evidence._power import PairedVariance, paired_variance, rows_needed, smallest_gain

__all__ = [
    "PairedVariance",
    "change",
    "compare",
    "negative_flip_rate",
    "gain",
    "is_relative",
    "per_class",
    "rows_needed",
    "scale",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "smallest_gain",
    "take_rows",
    "paired_variance",
]

__getattr__ = deprecated_names(
    __name__,
    {
        "Spread": "PairedVariance",
        "flips": "negative_flip_rate",
        "share_lower": "clopper_pearson_lower",
        "share_upper": "clopper_pearson_upper",
        "spread": "paired_variance",
    },
)
