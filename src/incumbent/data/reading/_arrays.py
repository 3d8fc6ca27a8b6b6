"""Arrays in files: .npy, .npz, and folders of .npy files or of images. None of them can run code when it is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from incumbent.core import Array
from incumbent.data.reading._files import tables_in
from incumbent.data.reading._images import Size, image_files, read_images
from incumbent.data.rows._tensors import Tensors, pair_parts
from incumbent.errors import DataError

ENDINGS = (".npy", ".npz")


def has_arrays(path: Path) -> bool:
    """Whether a path names arrays or images rather than a table."""
    try:
        if path.is_dir():  # pictures beside tables, such as plots, are no data
            return not tables_in(path) and bool(_members(path) or image_files(path))
        return path.suffix.lower() in ENDINGS and path.exists()
    except OSError:  # who may not look into it, or whose name is too long, is told so where tables are read
        return False


def has_images(source: Any) -> bool:
    """Whether a source, or the inputs of a pair (x, y), is a folder of images."""
    given = source[0] if isinstance(source, tuple) and len(source) == 2 else source
    if not isinstance(given, str | os.PathLike):
        return False
    path = Path(given).expanduser()
    return has_arrays(path) and path.is_dir() and not _members(path)


def read_arrays(path: Path, *, target: str, size: Size | None = None, channels: int | None = None) -> Tensors:
    """Return what a file or folder of arrays holds.

    An ``.npy`` file is mapped, not read: one input without labels. In an ``.npz`` file and in a folder of ``.npy``
    files (mapped, so that they may be larger than memory) each array has its name. A folder of images holds them by
    class.

    Raises
    ------
    DataError
        A file is damaged, or holds objects that only a pickle could bring back.
    """
    if path.is_dir():
        members = _members(path)
        if not members:
            return read_images(path, target=target, size=size, channels=channels)
        return pair_parts({file.stem: _mapped(file) for file in members}, path.name)
    if path.suffix.lower() == ".npy":
        return pair_parts({"x": _mapped(path)}, path.name)
    return pair_parts(_unpacked(path), path.name)


def _members(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.npy") if not file.name.startswith((".", "_")))


def _mapped(file: Path) -> Array:
    try:
        # which, unlike np.load, closes the file when it is damaged, and never unpickles
        found: Array = np.lib.format.open_memmap(file, mode="r")
    except (ValueError, OSError, EOFError) as error:
        raise _damaged(file, error) from error
    return found


def _unpacked(file: Path) -> dict[str, Any]:
    try:
        # Opened here, because np.load leaves the file open when it is damaged.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, BadZipFile, KeyError, AttributeError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> DataError:
    if any(word in str(error).lower() for word in ("pickle", "object array", "python objects")):
        return DataError(
            f"{file} holds Python objects, or is no file of arrays: only a pickle could bring it back, which can run "
            "any code. Save arrays of numbers or text, with numpy.save or numpy.savez."
        )
    text = (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
    return DataError(f"{file} cannot be read as {file.suffix} ({text}); copy or write it again.")
