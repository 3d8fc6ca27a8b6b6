"""A console for tables: as wide as the terminal, and wide enough in a pipe, which has no width."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPE = 120


def wide_console() -> Console:
    """Return a console on standard output."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # whoever read has seen enough: Rich would leave with an error code

    console = Quiet(highlight=False)
    return console if console.is_terminal else Quiet(highlight=False, width=max(console.width, _PIPE))
