"""Lines as a terminal prints them, in colour if it has colour."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incumbent.core import Outcome
from incumbent.report._history import history_lines
from incumbent.report._text import WIDTH, Line, outcome_lines

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable
    from rich.text import Text


@dataclass(frozen=True)
class _Lines:
    lines: tuple[Line, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        for line in self.lines:
            text = Text(line.text, overflow="ignore", no_wrap=True)
            if line.style:
                text.stylize(line.style, line.start, line.end)
            yield text


def lines_view(lines: Iterable[Line]) -> ConsoleRenderable:
    """Return what Rich prints for the lines of `outcome_lines` or `history_lines`."""
    return _Lines(tuple(lines))


def outcome_view(outcome: Outcome, width: int = WIDTH) -> ConsoleRenderable:
    """Return what Rich prints for an outcome: the lines of `to_text`, at most `width` characters long."""
    return lines_view(outcome_lines(outcome, width))


def history_table(records: Iterable[Mapping[str, Any]]) -> ConsoleRenderable:
    """Return what Rich prints for the history of a model; `history_lines` is the new name."""
    message = "history_table is now history_lines. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return lines_view(history_lines("model", list(records), most=None))
