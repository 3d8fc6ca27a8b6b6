"""How sure one can be that one model is better than another.

`gain` compares two models on the same rows and picks the test. `smallest_gain` and `rows_needed` say what those rows
could have shown. `incumbent.evidence.live` holds evidence from labels that arrive later.
"""

from incumbent.evidence._flips import flips
from incumbent.evidence._forgetting import change, per_class
from incumbent.evidence._paired import compare, gain, scale
from incumbent.evidence._pairs import share_lower, share_upper
from incumbent.evidence._power import rows_needed, smallest_gain
from incumbent.evidence._spread import Spread, spread

__all__ = [
    "Spread",
    "change",
    "compare",
    "flips",
    "gain",
    "per_class",
    "rows_needed",
    "scale",
    "share_lower",
    "share_upper",
    "smallest_gain",
    "spread",
]
