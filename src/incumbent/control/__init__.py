"""What alpha means over a lifetime of updates: for each update, for ever, or as a share of all promotions.

An error control is a value: `level` says at which level the next update is judged, `record` returns the control that
follows once it was. `control("share", 0.05)` makes one by name; `restore` reads one back from what `to_dict` wrote.
"""

from incumbent.control._control import CONTROLS, ErrorControl, PerUpdate, control, restore
from incumbent.control._online_fdr import Share
from incumbent.control._p_value import intersection, p_value
from incumbent.control._spending import Spending

__all__ = [
    "CONTROLS",
    "ErrorControl",
    "PerUpdate",
    "Share",
    "Spending",
    "control",
    "intersection",
    "p_value",
    "restore",
]
