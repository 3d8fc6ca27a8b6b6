"""Every way to update a model. A strategy never trains: it edits a recipe that any adapter can follow.

To add one, write its file and a line in `_TABLE`; from another package, an entry point in the group
``incumbent.strategies``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from incumbent._on_demand import on_demand
from incumbent.strategies._names_0_1 import OLD_STRATEGIES, old_strategy

if TYPE_CHECKING:
    from incumbent.strategies._analytic import Analytic as Analytic
    from incumbent.strategies._append_trees import AppendTrees as AppendTrees
    from incumbent.strategies._architecture import ReplaceArchitecture as ReplaceArchitecture
    from incumbent.strategies._architecture import ShrinkPerturb as ShrinkPerturb
    from incumbent.strategies._average import EMA as EMA
    from incumbent.strategies._average import Interpolate as Interpolate
    from incumbent.strategies._average import Soup as Soup
    from incumbent.strategies._chain import Chain as Chain
    from incumbent.strategies._chain import chain as chain
    from incumbent.strategies._distil import DER as DER
    from incumbent.strategies._distil import DERpp as DERpp
    from incumbent.strategies._distil import LwF as LwF
    from incumbent.strategies._ensemble import Stack as Stack
    from incumbent.strategies._ensemble import Vote as Vote
    from incumbent.strategies._ensemble import Weighted as Weighted
    from incumbent.strategies._freeze import Freeze as Freeze
    from incumbent.strategies._freeze import LoRA as LoRA
    from incumbent.strategies._head import AddClasses as AddClasses
    from incumbent.strategies._head import NewHead as NewHead
    from incumbent.strategies._incremental import Incremental as Incremental
    from incumbent.strategies._incremental import Online as Online
    from incumbent.strategies._objective import Objective as Objective
    from incumbent.strategies._objective import Schedule as Schedule
    from incumbent.strategies._parse import PRESETS as PRESETS
    from incumbent.strategies._parse import parse as parse
    from incumbent.strategies._penalty import EWC as EWC
    from incumbent.strategies._penalty import L2SP as L2SP
    from incumbent.strategies._penalty import MAS as MAS
    from incumbent.strategies._penalty import SI as SI
    from incumbent.strategies._penalty import OnlineEWC as OnlineEWC
    from incumbent.strategies._recency import Recency as Recency
    from incumbent.strategies._recency import Window as Window
    from incumbent.strategies._replay import Replay as Replay
    from incumbent.strategies._retrain import GDumb as GDumb
    from incumbent.strategies._retrain import Retrain as Retrain
    from incumbent.strategies._retrain import Tune as Tune
    from incumbent.strategies._subset import Balance as Balance
    from incumbent.strategies._subset import SelectSubset as SelectSubset

# name -> private file, in the order in which `incumbent strategies` lists them
_TABLE = {
    "Retrain": "_retrain",
    "Window": "_recency",
    "Recency": "_recency",
    "Incremental": "_incremental",
    "Online": "_incremental",
    "AppendTrees": "_append_trees",
    "Replay": "_replay",
    "GDumb": "_retrain",
    "Vote": "_ensemble",
    "Weighted": "_ensemble",
    "Stack": "_ensemble",
    "Interpolate": "_average",
    "EWC": "_penalty",
    "L2SP": "_penalty",
    "OnlineEWC": "_penalty",
    "SI": "_penalty",
    "MAS": "_penalty",
    "LwF": "_distil",
    "DER": "_distil",
    "DERpp": "_distil",
    "Freeze": "_freeze",
    "NewHead": "_head",
    "AddClasses": "_head",
    "LoRA": "_freeze",
    "ReplaceArchitecture": "_architecture",
    "ShrinkPerturb": "_architecture",
    "SelectSubset": "_subset",
    "Balance": "_subset",
    "Soup": "_average",
    "EMA": "_average",
    "Objective": "_objective",
    "Schedule": "_objective",
    "Tune": "_retrain",
    "Analytic": "_analytic",
}
_HOME = _TABLE | {"Chain": "_chain", "chain": "_chain", "parse": "_parse", "PRESETS": "_parse"}

__all__ = sorted({*_HOME, "catalogue"} - {"Chain"})

_get, __dir__ = on_demand(__name__, _HOME, ["catalogue"])


def __getattr__(name: str) -> Any:
    return old_strategy(name, warn=True) if name in OLD_STRATEGIES else _get(name)


def catalogue() -> dict[str, type]:
    """Return every strategy by name: those here, then those of other packages, found by entry point.

    Examples
    --------
    >>> list(catalogue())[:3]
    ['Retrain', 'Window', 'Recency']
    """
    return {name: _get(name) for name in _TABLE} | _outside()


@cache
def _outside() -> dict[str, type]:
    """Return strategies of other packages. The result is cached: the look-up reads the metadata of every package."""
    from importlib.metadata import entry_points

    return {point.name: point.load() for point in entry_points(group="incumbent.strategies")}
