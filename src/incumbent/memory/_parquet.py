"""Rows in a Parquet file, with every type as it was: what memories and anchor sets are stored in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from incumbent.core import Array, Batch
from incumbent.data.rows._lazy import row_bytes
from incumbent.errors import DataError

FORMAT = 2  # since 2, arrays of more than one dimension are stored as bytes
FIELDS = ("x", "y", "weight", "soft", "time", "group")


def read_about(path: Path) -> dict[str, Any]:
    """Read a JSON file that begins with its format, and check that it is ours."""
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = about["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    if given not in range(1, FORMAT + 1):
        raise DataError(f"{path} has format {given!r}, and this version reads up to {FORMAT}; update incumbent.")
    return about


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error that says that a stored file cannot be read."""
    return DataError(
        f"{path} or a file beside it is missing or damaged ({error}); restore it, or roll back to another version."
    )


def write_rows(path: Path, rows: Batch | None, **more: Array | None) -> dict[str, Any] | None:
    """Write a batch, and arrays that pair with it, as one Parquet file; return the layout that `read_rows` needs."""
    if rows is None:
        return None
    columns: dict[str, pa.Array] = {}
    parts = {field: getattr(rows, field) for field in FIELDS} | more
    layout = {name: _put(part, name, columns) for name, part in parts.items() if part is not None}
    # Bytes of images have neither a dictionary nor a smallest and largest that anybody would ask for.
    plain = [name for name, column in columns.items() if not pa.types.is_fixed_size_binary(column.type)]
    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=plain, write_statistics=plain)
    return layout


def read_rows(path: Path, layout: dict[str, Any] | None) -> tuple[Batch | None, dict[str, Array]]:
    """Read what `write_rows` wrote: the batch, and the arrays that pair with it."""
    if layout is None:
        return None, {}
    table = pq.ParquetFile(path).read()
    parts = {name: _get(how, table) for name, how in layout.items()}
    return Batch(**{name: parts.pop(name) for name in FIELDS if name in parts}), parts


def _put(part: Any, at: str, columns: dict[str, pa.Array]) -> dict[str, Any]:
    """Add a part's columns under names that begin with `at`, so that none can collide; return its layout."""
    if isinstance(part, dict):
        return {"kind": "dict", "parts": {name: _put(inner, f"{at}/{name}", columns) for name, inner in part.items()}}
    if isinstance(part, pd.DataFrame):
        names = [name if isinstance(name, str) else int(name) for name in part.columns]
        frame, about = part, {"kind": "frame", "names": names}
    elif isinstance(part, list):
        frame, about = pd.DataFrame({0: pd.Series(part, dtype=object)}), {"kind": "list"}
    elif part.ndim > 1 and part.dtype.kind in "biufc" and row_bytes(part):
        columns[at] = _bytes(part)
        return {"kind": "bytes", "at": at, "dtype": part.dtype.str, "shape": list(part.shape[1:])}
    else:
        frame = pd.DataFrame(part if part.ndim == 1 else part.reshape(len(part), -1))
        about = {"kind": "array", "dtype": part.dtype.str, "shape": list(part.shape[1:])}
    stored = [
        _put_column(frame.iloc[:, i], f"{at}/{i}/{name}", columns) for i, name in enumerate(map(str, frame.columns))
    ]
    return about | {"columns": stored}


def _bytes(part: Array) -> pa.Array:
    """Return the rows of an array as values of that many bytes each, without a copy where they lie in order."""
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
        # None and NaN are different categories to an encoder, so they come back as they were.
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
