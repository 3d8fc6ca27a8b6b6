"""A console for tables: as wide as the terminal, and wide enough in a pipe, which has no width."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPE = 120


def wide_console() -> Console:
    """Return a console on standard output."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=max(console.width, _PIPE))
