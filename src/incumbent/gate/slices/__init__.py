"""Parts of the data that are judged by themselves: named by a column, by a condition, or found.

`Slice` names rows. `check_slices` tests each slice at its own tolerance. `find_slices` searches for subgroups on which
the challenger is worse, `confirm_slices` tests those on rows that the search has not seen, and `no_slice_worse` makes a
condition of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand
from incumbent.gate.slices._slice import Slice

if TYPE_CHECKING:
    from incumbent.gate.slices._fdr import Confirmed as Confirmed
    from incumbent.gate.slices._fdr import benjamini_hochberg as benjamini_hochberg
    from incumbent.gate.slices._fdr import confirm_slices as confirm_slices
    from incumbent.gate.slices._find import find_slices as find_slices
    from incumbent.gate.slices._judge import check_slices as check_slices
    from incumbent.gate.slices._judge import losses as losses
    from incumbent.gate.slices._judge import no_slice_worse as no_slice_worse

# these need pandas or scipy, and are loaded when they are used
_HOME = {
    "Confirmed": "_fdr",
    "confirm_slices": "_fdr",
    "find_slices": "_find",
    "check_slices": "_judge",
    "losses": "_judge",
    "benjamini_hochberg": "_fdr",
    "no_slice_worse": "_judge",
}

__all__ = [
    "Confirmed",
    "Slice",
    "confirm_slices",
    "find_slices",
    "check_slices",
    "losses",
    "benjamini_hochberg",
    "no_slice_worse",
]

__getattr__, __dir__ = on_demand(__name__, _HOME, ["Slice"])
__getattr__ = deprecated_names(
    __name__,
    {
        "confirm": "confirm_slices",
        "find": "find_slices",
        "judge": "check_slices",
        "step_up": "benjamini_hochberg",
        "unharmed": "no_slice_worse",
    },
    __getattr__,
)
