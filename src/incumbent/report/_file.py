"""Writing a file so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from incumbent.errors import UsageError


def write_whole(text: str, path: Path) -> Path:
    """Write `text` to `path` in one step and return the path.

    Raises
    ------
    UsageError
        The folder is missing or may not be written to, or the path is a folder.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the report a file name, such as {path / 'report.html'}.")
    if not path.parent.is_dir():
        raise UsageError(
            f"The report cannot be written to {path}: the folder {path.parent} does not exist. Create it first."
        )
    part = path.with_name(f".{uuid.uuid4().hex}.part")  # the same folder: a rename across disks is not one step
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {path}: {error.strerror or error}. Choose another path."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path
