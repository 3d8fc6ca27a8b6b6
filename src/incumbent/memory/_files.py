"""Store a memory and an anchor set in files, with the rows in Parquet and every type preserved.

`pyarrow.Table.from_pandas` would not replace the layout: it stores neither arrays of several dimensions, nor several
inputs in one table, nor the difference between None and NaN, and stored versions must be read in any case.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from incumbent.core import AnchorSet, Array, Batch, Memory
from incumbent.data import row_bytes
from incumbent.errors import DataError

FORMAT = 2  # since 2, arrays of several dimensions are stored as bytes
FIELDS = ("x", "y", "weight", "soft", "time", "group")


def save_memory(memory: Memory, folder: Path) -> None:
    """Write a memory into a folder, which is created if necessary; `load_memory` returns exactly the same memory.

    ``memory.parquet`` holds the rows (those of an array as bytes), ``importance.npz`` holds arrays, and ``memory.json``
    holds the rest. None of the files can contain code.

    Raises
    ------
    DataError
        If a column holds values of several kinds, or of a kind that a table cannot store.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = list(memory.importance)
    about = {
        "format": FORMAT,
        "threshold": float(memory.threshold),
        "seen": int(memory.seen),
        "importance": names,
        "rows": _write_rows(folder / "memory.parquet", memory.rows, key=memory.key),
    }
    # The arrays are numbered because a weight may have any name, even "file", which is an argument of savez.
    arrays = {f"importance_{place}": memory.importance[name] for place, name in enumerate(names)}
    np.savez(folder / "importance.npz", allow_pickle=False, **arrays)
    if memory.statistics:
        np.savez(folder / "statistics.npz", allow_pickle=False, **memory.statistics)
    (folder / "memory.json").write_text(json.dumps(about), encoding="utf-8")


def load_memory(folder: Path) -> Memory:
    """Read the memory that `save_memory` wrote, or raise `DataError` if its files are damaged or too new.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from incumbent.memory import update_memory
    >>> memory = update_memory(Memory(), Batch(pd.DataFrame({"a": ["x", None]}), np.array([0, 1])), seed=0)
    >>> with TemporaryDirectory() as folder:
    ...     save_memory(memory, Path(folder))
    ...     loaded = load_memory(Path(folder))
    >>> loaded.rows.x.equals(memory.rows.x), loaded.seen
    (True, 2)
    """
    about = _read_about(folder / "memory.json")
    try:
        rows, extra = _read_rows(folder / "memory.parquet", about["rows"])
        arrays = _read_arrays(folder / "importance.npz")
        importance = {name: arrays[f"importance_{place}"] for place, name in enumerate(about["importance"])}
        stored = folder / "statistics.npz"
        statistics = _read_arrays(stored) if stored.exists() else {}
        return Memory(rows, extra.get("key"), about["threshold"], about["seen"], importance, statistics)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise _damaged(folder / "memory.json", error) from error


def save_anchor(anchor: AnchorSet, folder: Path) -> None:
    """Write an anchor set into a folder, as `save_memory` does; `load_anchor` returns exactly the same set."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = _write_rows(folder / "anchor.parquet", anchor.rows, used=anchor.use_counts)
    about = {"format": FORMAT, "seen": int(anchor.seen), "rows": rows}
    (folder / "anchor.json").write_text(json.dumps(about), encoding="utf-8")


def load_anchor(folder: Path) -> AnchorSet:
    """Read the anchor set that `save_anchor` wrote, or raise `DataError` if its files are damaged or too new."""
    about = _read_about(folder / "anchor.json")
    try:
        rows, extra = _read_rows(folder / "anchor.parquet", about["rows"])
        return AnchorSet(rows, extra.get("used"), about["seen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / "anchor.json", error) from error


def _read_about(path: Path) -> dict[str, Any]:
    """Read a JSON file that begins with its format, and check the format."""
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = about["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    if given not in range(1, FORMAT + 1):
        raise DataError(f"{path} has format {given!r}, and this version reads up to {FORMAT}; update incumbent.")
    return about


def _read_arrays(path: Path) -> dict[str, Array]:
    # Opened here, because np.load leaves a damaged file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} or another file in its folder is missing or damaged ({error}); restore it, or roll back to another "
        "version."
    )


# ------------------------------------------------------------------------------------ rows in Parquet


def _write_rows(path: Path, rows: Batch | None, **more: Array | None) -> dict[str, Any] | None:
    """Write a batch, and arrays that pair with it, as one Parquet file; return the layout that `_read_rows` needs."""
    if rows is None:
        return None
    columns: dict[str, pa.Array] = {}
    parts = {field: getattr(rows, field) for field in FIELDS} | more
    layout = {name: _put(part, name, columns) for name, part in parts.items() if part is not None}
    # Dictionaries and statistics are useless for the bytes of images.
    plain = [name for name, column in columns.items() if not pa.types.is_fixed_size_binary(column.type)]
    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=plain, write_statistics=plain)
    return layout


def _read_rows(path: Path, layout: dict[str, Any] | None) -> tuple[Batch | None, dict[str, Array]]:
    """Read what `_write_rows` wrote: the batch, and the arrays that pair with it."""
    if layout is None:
        return None, {}
    table = pq.ParquetFile(path).read()
    parts = {name: _get(how, table) for name, how in layout.items()}
    return Batch(**{name: parts.pop(name) for name in FIELDS if name in parts}), parts


def _put(part: Any, at: str, columns: dict[str, pa.Array]) -> dict[str, Any]:
    """Add the columns of a part under unique names that begin with `at`; return the layout of the part."""
    if isinstance(part, dict):
        return {"kind": "dict", "parts": {name: _put(inner, f"{at}/{name}", columns) for name, inner in part.items()}}
    if isinstance(part, pd.DataFrame):
        names = [name if isinstance(name, str) else int(name) for name in part.columns]
        frame, about = part, {"kind": "frame", "names": names}
    elif isinstance(part, list):
        frame, about = pd.DataFrame({0: pd.Series(part, dtype=object)}), {"kind": "list"}
    elif part.ndim > 1 and part.dtype.kind in "biufc" and row_bytes(part):
        columns[at] = _to_bytes(part)
        return {"kind": "bytes", "at": at, "dtype": part.dtype.str, "shape": list(part.shape[1:])}
    else:
        frame = pd.DataFrame(part if part.ndim == 1 else part.reshape(len(part), -1))
        about = {"kind": "array", "dtype": part.dtype.str, "shape": list(part.shape[1:])}
    stored = [
        _put_column(frame.iloc[:, i], f"{at}/{i}/{name}", columns) for i, name in enumerate(map(str, frame.columns))
    ]
    return about | {"columns": stored}


def _to_bytes(part: Array) -> pa.Array:
    """Return the rows of an array as values of equal size in bytes, without a copy of a contiguous array."""
    width, rows = row_bytes(part), pa.py_buffer(np.ascontiguousarray(part))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(part), [None, rows])


def _put_column(column: pd.Series[Any], at: str, columns: dict[str, pa.Array]) -> dict[str, Any]:
    dtype, about = column.dtype, dict[str, Any](at=at, dtype=str(column.dtype))
    try:
        if isinstance(dtype, pd.CategoricalDtype):
            columns[at] = pa.array(column.cat.codes.to_numpy())
            values = dtype.categories.tolist()
            json.dumps(values)
            return about | {"values": values, "of": str(dtype.categories.dtype), "ordered": bool(dtype.ordered)}
        columns[at] = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"Column {at} holds values that a table cannot store ({error}); give it one type, such as text."
        ) from error
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        # None and NaN are different categories to an encoder, so the difference is stored.
        missing = column[column.isna()]
        about["nan"] = bool(len(missing)) and isinstance(missing.iloc[0], float)
    return about


def _get(how: dict[str, Any], table: pa.Table) -> Any:
    if how["kind"] == "dict":
        return {name: _get(inner, table) for name, inner in how["parts"].items()}
    if how["kind"] == "bytes":
        return _from_bytes(table[how["at"]], how)
    found = {place: _get_column(about, table) for place, about in enumerate(how["columns"])}
    frame = pd.DataFrame(found, index=pd.RangeIndex(len(table)))
    if how["kind"] == "frame":
        frame.columns = pd.Index(how["names"])
        return frame
    if how["kind"] == "list":
        return frame[0].tolist()
    return frame.to_numpy(dtype=how["dtype"]).reshape(len(table), *how["shape"])


def _from_bytes(column: Any, how: dict[str, Any]) -> Array:
    array = np.empty((len(column), *how["shape"]), dtype=how["dtype"])
    start = 0
    for chunk in column.chunks:
        buffer, width = chunk.buffers()[1], chunk.type.byte_width
        rows = np.frombuffer(buffer, dtype=np.uint8, count=len(chunk) * width, offset=chunk.offset * width)
        array[start : start + len(chunk)] = rows.view(how["dtype"]).reshape(-1, *how["shape"])
        start += len(chunk)
    return array


def _get_column(about: dict[str, Any], table: pa.Table) -> Any:
    column = table[about["at"]]
    if "values" in about:
        categories = pd.Index(about["values"], dtype=about["of"])
        return pd.Categorical.from_codes(column.to_numpy(), dtype=pd.CategoricalDtype(categories, about["ordered"]))
    dtype = pd.api.types.pandas_dtype(about["dtype"])
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        values = np.empty(len(column), dtype=object)
        values[:] = column.to_pylist()
        if about["nan"]:
            values[pd.isna(values)] = np.nan
        return pd.Series(values, dtype=object)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and hasattr(dtype, "__from_arrow__"):
        return dtype.__from_arrow__(column)
    return column.to_pandas().astype(dtype)
