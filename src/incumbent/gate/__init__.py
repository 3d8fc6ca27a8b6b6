"""The promotion rule: a challenger takes over only when the evidence holds on every condition.

`Gate` turns `Evidence` into a `Verdict`; `Limit` bounds something that was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.gate._gate import Gate as Gate
    from incumbent.gate._limit import Limit as Limit

_HOME = {
    "Gate": "_gate",
    "Limit": "_limit",
}

__all__ = [
    "Gate",
    "Limit",
]

__getattr__, __dir__ = on_demand(__name__, _HOME)
