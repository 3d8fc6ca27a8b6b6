"""The promotion rule: a challenger takes over only when the evidence holds on every condition.

`Gate` turns `Evidence` into a `Verdict`; `Limit` bounds something that was measured.
"""

from incumbent.gate._gate import Gate
from incumbent.gate._limit import Limit

__all__ = ["Gate", "Limit"]
