"""Read arrays: from objects in memory, .npy and .npz files, folders of .npy files and folders of images.

No file can run code when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from incumbent.core import Array
from incumbent.data.reading._dataset import is_dataset, read_dataset
from incumbent.data.reading._files import tables_in
from incumbent.data.reading._images import Size, image_files, read_images
from incumbent.data.rows._lazy import LazyRows
from incumbent.data.rows._tensors import Tensors, as_array, pair_parts
from incumbent.errors import DataError


def has_arrays(source: Any) -> bool:
    """Return whether a source is a path of arrays or images rather than of a table."""
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source).expanduser()
    try:
        if path.is_dir():  # pictures next to tables, such as plots, are not data
            return not tables_in(path) and bool(_members(path) or image_files(path))
        return path.suffix.lower() in (".npy", ".npz") and path.exists()
    except OSError:  # reading it as a table raises the error about permissions or a name that is too long
        return False


def has_images(source: Any) -> bool:
    """Return whether a source, or x of a pair (x, y), is a folder of images."""
    given = source[0] if isinstance(source, tuple) and len(source) == 2 else source
    return has_arrays(given) and Path(given).expanduser().is_dir() and not _members(Path(given).expanduser())


def read_tensors(source: Any, *, target: str, size: Size | None = None, channels: int | None = None) -> Tensors | None:
    """Return a source as tensors, or None if it is a table or holds no arrays."""
    if isinstance(source, Tensors):
        return source
    if isinstance(source, tuple) and len(source) == 2:
        return _read_pair(source[0], source[1], target, size, channels)
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source).expanduser(), target, size, channels) if has_arrays(source) else None
    if isinstance(source, Mapping):
        return pair_parts(source, "dict of arrays", named=True)
    if _is_array(source):
        mapped = isinstance(source, np.memmap | LazyRows)
        return pair_parts({"x": source}, f"{'mapped' if mapped else type(source).__module__.partition('.')[0]} array")
    return read_dataset(source, target=target) if is_dataset(source) else None


def _is_array(source: Any) -> bool:
    if isinstance(source, LazyRows):
        return True
    table = isinstance(source, pd.DataFrame | pd.Series) or hasattr(source, "__arrow_c_stream__")
    structured = getattr(getattr(source, "dtype", None), "names", None) is not None
    return not table and not structured and (hasattr(source, "detach") or hasattr(source, "__array__"))


def _read_pair(x: Any, y: Any, target: str, size: Size | None, channels: int | None) -> Tensors | None:
    """Return inputs with their labels under the name of the target; None if the inputs are a table."""
    inputs = read_tensors(as_array(x, "x") if isinstance(x, list) else x, target=target, size=size, channels=channels)
    if inputs is None:
        return None
    if target in inputs.parts:
        raise DataError(f"x already has an array {target!r}, which is what y would be called; name y with target=...")
    if isinstance(y, str | os.PathLike):
        found = read_tensors(y, target=target)
        if found is None or len(found.parts) != 1:
            raise DataError(f"{y} holds no single array of labels; give an .npy file or an array.")
        y = next(iter(found.parts.values()))
    labels = np.asarray(as_array(y, target))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.ndim or len(labels) != len(inputs):
        raise DataError(f"y has shape {labels.shape} but x has {len(inputs)} rows; give one label for each row.")
    return Tensors({**inputs.parts, target: labels}, inputs.source, inputs.named, inputs.notes)


def _read_path(path: Path, target: str, size: Size | None, channels: int | None) -> Tensors:
    """Read a file or folder of arrays. An .npy file is mapped, so it may be larger than RAM."""
    if not path.is_dir():
        return pair_parts({"x": _mapped(path)} if path.suffix.lower() == ".npy" else _unpacked(path), path.name)
    if members := _members(path):
        return pair_parts({file.stem: _mapped(file) for file in members}, path.name)
    return read_images(path, target=target, size=size, channels=channels)


def _members(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.npy") if not file.name.startswith((".", "_")))


def _mapped(file: Path) -> Array:
    try:
        # Unlike np.load, this closes a damaged file, and never unpickles.
        found: Array = np.lib.format.open_memmap(file, mode="r")
    except (ValueError, OSError, EOFError) as error:
        raise _damaged(file, error) from error
    return found


def _unpacked(file: Path) -> dict[str, Any]:
    try:
        # np.load would leave a damaged file open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, BadZipFile, KeyError, AttributeError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> DataError:
    if any(word in str(error).lower() for word in ("pickle", "object array", "python objects")):
        return DataError(
            f"{file} holds Python objects, or is no file of arrays: only a pickle could restore it, which can run any "
            "code. Save arrays of numbers or text, with numpy.save or numpy.savez."
        )
    text = (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
    return DataError(f"{file} cannot be read as {file.suffix} ({text}); copy or write it again.")
