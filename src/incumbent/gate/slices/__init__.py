"""Parts of the data that are judged by themselves: named by a column, by a condition, or found.

`Slice` names rows. `judge` holds each slice to its own tolerance. `find` searches for subgroups on which the challenger
is worse, `confirm` tests those on rows that the search has not seen, and `unharmed` makes a reason of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand
from incumbent.gate.slices._slice import Slice

if TYPE_CHECKING:
    from incumbent.gate.slices._fdr import Confirmed as Confirmed
    from incumbent.gate.slices._fdr import confirm as confirm
    from incumbent.gate.slices._fdr import step_up as step_up
    from incumbent.gate.slices._find import find as find
    from incumbent.gate.slices._judge import judge as judge
    from incumbent.gate.slices._judge import losses as losses
    from incumbent.gate.slices._judge import unharmed as unharmed

# these need pandas or scipy, and are loaded when they are used
_HOME = {
    "Confirmed": "_fdr",
    "confirm": "_fdr",
    "find": "_find",
    "judge": "_judge",
    "losses": "_judge",
    "step_up": "_fdr",
    "unharmed": "_judge",
}

__all__ = ["Confirmed", "Slice", "confirm", "find", "judge", "losses", "step_up", "unharmed"]

__getattr__, __dir__ = on_demand(__name__, _HOME, ["Slice"])
