"""Evidence from live labels, which may be looked at whenever one likes: before a promotion and after it.

`Monitor` bets on two models row by row; `LineMonitor` on lines of challengers that keep learning, batch by batch;
`from_log` joins logged predictions with labels that arrive later. The names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incumbent.monitor._eprocess import Tally as Tally
    from incumbent.monitor._line import Line as Line
    from incumbent.monitor._line_monitor import LineMonitor as LineMonitor
    from incumbent.monitor._log import LoggedLosses as LoggedLosses
    from incumbent.monitor._log import from_log as from_log
    from incumbent.monitor._monitor import Monitor as Monitor

_HOME = {
    "Line": "_line",
    "LineMonitor": "_line_monitor",
    "LoggedLosses": "_log",
    "Monitor": "_monitor",
    "Tally": "_eprocess",
    "from_log": "_log",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
