"""Print tables, pairs and JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_PIPE = 120


def wide_console() -> Console:
    """Return a console on standard output for tables. In a pipe, which has no width, it is wide enough."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # the reader has closed the pipe; Rich would exit with an error code

    console = Quiet(highlight=False)
    return console if console.is_terminal else Quiet(highlight=False, width=max(console.width, _PIPE))


def print_pairs(pairs: dict[str, Any]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, pairs))
    for key, value in pairs.items():
        parts = [f"{name} {part}" for name, part in value.items()] if isinstance(value, dict) else value
        text = ", ".join(map(str, parts)) if isinstance(parts, list) else "" if parts is None else str(parts)
        print(f"{key.replace('_', ' '):{width}}  {text}")


def to_json(value: Any) -> str:
    """Return JSON; NaN and infinity, which JSON lacks, become null."""
    return json.dumps(_plain(value))


def _plain(item: Any) -> Any:
    if isinstance(item, dict):
        return {str(key): _plain(part) for key, part in item.items()}
    if isinstance(item, list | tuple):
        return [_plain(part) for part in item]
    if isinstance(item, float) and not math.isfinite(item):
        return None
    return item.item() if hasattr(item, "item") else item
