"""Print lines, pairs and JSON, and write tables of predictions."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from incumbent.report import Line

_WIDTH = 80
_Writer = Callable[["pd.DataFrame", Path], None]
_WRITERS: dict[str, _Writer] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".feather": lambda frame, path: frame.to_feather(path),
    ".arrow": lambda frame, path: frame.to_feather(path),
    ".jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
}


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


def writer_of(output: str) -> _Writer | None:
    """Return what writes to `output`; None for standard output. A wrong ending or folder is an error."""
    if output == "-":
        return None
    path = Path(output)
    if path.suffix not in _WRITERS:
        raise UsageError(
            f"Predictions are written as {', '.join(_WRITERS)} or - for CSV on stdout, not as {path.name!r}."
        )
    if not path.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} to write {path.name} into; make it first.")
    return _WRITERS[path.suffix]


def write_frame(frame: pd.DataFrame, output: str) -> None:
    """Write the table so that a reader sees all of it or none."""
    writer = writer_of(output)
    if writer is None:
        frame.to_csv(sys.stdout, index=False)
        return
    path = Path(output)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        writer(frame, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
