"""Evidence from live labels, which may be looked at whenever one likes: before a promotion and after it.

`Monitor` bets on two models row by row; `LineMonitor` on lines of challengers that keep learning, batch by batch;
`from_log` joins logged predictions with labels that arrive later. The names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.evidence.live._eprocess import Tally as Tally
    from incumbent.evidence.live._line import Line as Line
    from incumbent.evidence.live._line_monitor import LineMonitor as LineMonitor
    from incumbent.evidence.live._log import LoggedLosses as LoggedLosses
    from incumbent.evidence.live._log import from_log as from_log
    from incumbent.evidence.live._monitor import Monitor as Monitor

_HOME = {
    "Line": "_line",
    "LineMonitor": "_line_monitor",
    "LoggedLosses": "_log",
    "Monitor": "_monitor",
    "Tally": "_eprocess",
    "from_log": "_log",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
