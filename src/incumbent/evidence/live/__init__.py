"""Evidence from live labels that you can look at any time, before a promotion and after it.

`Monitor` compares two models row by row. `PrequentialMonitor` compares the champion with models that keep learning,
batch by batch. `from_log` joins logged predictions with labels that arrive later. The names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.evidence.live._eprocess import EProcess as EProcess
    from incumbent.evidence.live._log import LoggedLosses as LoggedLosses
    from incumbent.evidence.live._log import from_log as from_log
    from incumbent.evidence.live._monitor import Monitor as Monitor
    from incumbent.evidence.live._prequential import PrequentialMonitor as PrequentialMonitor
    from incumbent.evidence.live._tally import PrequentialTally as PrequentialTally

_HOME = {
    "PrequentialTally": "_tally",
    "PrequentialMonitor": "_prequential",
    "LoggedLosses": "_log",
    "Monitor": "_monitor",
    "EProcess": "_eprocess",
    "from_log": "_log",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
__getattr__ = deprecated_names(
    __name__, {"Line": "PrequentialTally", "LineMonitor": "PrequentialMonitor", "Tally": "EProcess"}, __getattr__
)
