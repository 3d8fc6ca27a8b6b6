"""Write a table of predictions in the format that the name of the file says."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from incumbent.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_Writer = Callable[["pd.DataFrame", Path], None]
_WRITERS: dict[str, _Writer] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".feather": lambda frame, path: frame.to_feather(path),
    ".arrow": lambda frame, path: frame.to_feather(path),
    ".jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
}


def writer_of(output: str) -> _Writer | None:
    """Return what writes to `output`; None for standard output.

    Raises
    ------
    UsageError
        The ending names no format that is written, or the folder is not there.
    """
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
