"""Parts of the data that are judged by themselves: named by a column, by a condition, or found.

`Slice` names rows. `check_slices` tests each slice at its own tolerance. `find_slices` searches for subgroups on which
the challenger is worse, `confirm_slices` tests those on rows that the search has not seen, and `no_slice_worse` makes a
condition of it. The functions need pandas or scipy, and are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand
from incumbent.gate.slices._slice import Slice

if TYPE_CHECKING:
    from incumbent.gate.slices._confirm import Confirmed as Confirmed
    from incumbent.gate.slices._confirm import GivenLoss as GivenLoss
    from incumbent.gate.slices._confirm import confirm_slices as confirm_slices
    from incumbent.gate.slices._confirm import pairs_with_gains as pairs_with_gains
    from incumbent.gate.slices._find import find_slices as find_slices
    from incumbent.gate.slices._judge import check_slices as check_slices
    from incumbent.gate.slices._judge import losses as losses
    from incumbent.gate.slices._judge import no_slice_worse as no_slice_worse

_HOME = {
    "Confirmed": "_confirm",
    "GivenLoss": "_confirm",
    "check_slices": "_judge",
    "confirm_slices": "_confirm",
    "find_slices": "_find",
    "losses": "_judge",
    "no_slice_worse": "_judge",
    "pairs_with_gains": "_confirm",
}

__all__ = [
    "Confirmed",
    "GivenLoss",
    "Slice",
    "check_slices",
    "confirm_slices",
    "find_slices",
    "losses",
    "no_slice_worse",
    "pairs_with_gains",
]

__getattr__, __dir__ = on_demand(__name__, _HOME, ["Slice"])
__getattr__ = deprecated_names(
    __name__,
    {"confirm": "confirm_slices", "find": "find_slices", "judge": "check_slices", "unharmed": "no_slice_worse"},
    __getattr__,
)
