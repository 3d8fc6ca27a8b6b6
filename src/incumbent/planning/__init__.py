"""Before the labels: how many an update needs, and which rows are worth labelling.

`make_plan` turns what is known of the differences between models into counts of rows; `choose` spends a budget of
labels where champion and challenger differ, with weights that keep every mean unbiased; `estimate` is that mean. The
names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.planning._allocate import allocate as allocate
    from incumbent.planning._estimate import estimate as estimate
    from incumbent.planning._known import VarianceEstimate as VarianceEstimate
    from incumbent.planning._known import bound_from_champion as bound_from_champion
    from incumbent.planning._known import pool_updates as pool_updates
    from incumbent.planning._known import record as record
    from incumbent.planning._label import Labels as Labels
    from incumbent.planning._label import Stratum as Stratum
    from incumbent.planning._label import choose as choose
    from incumbent.planning._make_plan import make_plan as make_plan
    from incumbent.planning._plan import Need as Need
    from incumbent.planning._plan import Plan as Plan

_HOME = {
    "VarianceEstimate": "_known",
    "Labels": "_label",
    "Need": "_plan",
    "Plan": "_plan",
    "Stratum": "_label",
    "allocate": "_allocate",
    "choose": "_label",
    "estimate": "_estimate",
    "bound_from_champion": "_known",
    "make_plan": "_make_plan",
    "pool_updates": "_known",
    "record": "_known",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
__getattr__ = deprecated_names(
    __name__, {"Known": "VarianceEstimate", "guess": "bound_from_champion", "pooled": "pool_updates"}, __getattr__
)
