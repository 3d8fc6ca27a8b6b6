"""What alpha bounds over a lifetime of updates: each update, all updates together, or the fraction of false promotions.

An error control is a value: `level` is the level of the test in the next update, and `record` returns the control after
it. ``control("fdr", 0.05)`` makes one by name; `restore` reads what `to_dict` wrote.
"""

from incumbent._deprecated import deprecated_names
from incumbent.gate.budget._alpha_spending import AlphaSpending
from incumbent.gate.budget._control import CONTROLS, OLD_WORDS, ErrorControl, PerUpdate, control, restore
from incumbent.gate.budget._online_fdr import OnlineFDR

__all__ = [
    "CONTROLS",
    "OLD_WORDS",
    "AlphaSpending",
    "ErrorControl",
    "OnlineFDR",
    "PerUpdate",
    "control",
    "restore",
]

__getattr__ = deprecated_names(__name__, {"Share": "OnlineFDR", "Spending": "AlphaSpending"})
