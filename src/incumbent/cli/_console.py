"""Print lines, pairs and JSON."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incumbent.report import Line

_WIDTH = 80


def screen_width() -> int:
    """Return the longest line to print: 80 columns, or fewer in a narrow terminal."""
    return min(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines: in colour in a terminal, the same text in a pipe."""
    from rich.console import Console

    from incumbent.report import lines_view

    console = Console(highlight=False)
    if console.is_terminal:
        console.print(lines_view(lines), soft_wrap=True)
    else:
        print("\n".join(line.text for line in lines))


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
