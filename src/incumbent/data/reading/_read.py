"""Read anything that holds a table as a pandas frame, and anything that holds arrays as tensors."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
import pyarrow as pa

from incumbent.data.reading._arrays import has_arrays, has_images, read_tensors
from incumbent.data.reading._files import read_table
from incumbent.data.reading._images import Size
from incumbent.data.rows._tensors import Tensors
from incumbent.errors import DataError, UsageError
from incumbent.words import counted, listed


@overload
def read(
    source: Any, *, names: Sequence[str] | None = None, target: str = "target", tensors: Literal[False] = False
) -> pd.DataFrame: ...


@overload
def read(
    source: Any,
    *,
    names: Sequence[str] | None = None,
    target: str = "target",
    tensors: bool,
    size: Size | None = None,
    channels: int | None = None,
) -> pd.DataFrame | Tensors: ...


def read(
    source: Any,
    *,
    names: Sequence[str] | None = None,
    target: str = "target",
    tensors: bool = False,
    size: Size | None = None,
    channels: int | None = None,
) -> pd.DataFrame | Tensors:
    """Read a table, or with `tensors` arrays, from files, standard input, or an object in memory.

    Parameters
    ----------
    source : str, path, frame, array, dict or (x, y)
        - A CSV, TSV, Parquet, Feather, Arrow or JSON Lines file, plain or compressed (.gz .bz2 .zst .lz4 .xz). The
          delimiter of CSV is the one of comma, semicolon, tab and bar that the header uses most.
        - A folder of such files (hidden and other files are left out) or a glob: one table, in order of name.
        - ``"-"``: CSV from standard input.
        - A pandas frame (not copied; its index is ignored), a polars or pyarrow frame, or any object that exports Arrow
          data; a numpy array, (n, d) or structured; a dict of columns.
        - A pair ``(x, y)`` of features and labels.
        - With `tensors` also arrays (n, ...) of any dimensions, mapped or not; tensors; dicts of arrays, tensors and
          tables, one for each input; a Dataset or a list of (x, y); ``.npy`` and ``.npz`` files; folders of ``.npy``
          files; folders of images by class. Tables are still read as tables.
    names : sequence of str, optional
        Names of the columns of an (n, d) array, by default ``x0, x1, ...``. For a pair, one more name than `x` has
        columns names the labels too. A source with names of its own keeps them.
    target : str
        The name of the labels of a pair, unless `names` gives it.
    tensors : bool
        Whether arrays and dicts are inputs of a neural network as they are, instead of columns of a table.
    size : (int, int), int or str, optional
        Height and width that the images of a folder are resized to, such as (224, 320) or "224x320", or 224 for a
        square. Without it, all must have one size.
    channels : {1, 3}, optional
        Whether the images of a folder are read as grey or in colour. Without it, they are grey if all of them are.

    Returns
    -------
    pandas.DataFrame or Tensors
        A frame has unique text names and rows counted from 0. ``attrs["source"]`` names its source; for a pair,
        ``attrs["target"]`` names the column of labels. Tensors have arrays by name in `parts`; an array without a name
        is "x". What may exceed RAM (mapped arrays, large Datasets and folders of images) becomes lazy rows.

    Raises
    ------
    DataError
        The source is missing, unreadable, empty, damaged, no table, or has duplicate or nested columns.
    UsageError
        `size` or `channels` is given, but the source is not a folder of images.
    MissingDependency
        The source is a folder of images, and Pillow is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> read((np.eye(2), ["no", "yes"]))
        x0   x1 target
    0  1.0  0.0     no
    1  0.0  1.0    yes
    >>> read((np.zeros((2, 28, 28), dtype=np.uint8), ["no", "yes"]), tensors=True)
    x (2, 28, 28) uint8, target (2,) <U3
    """
    given = [name for name, value in (("size", size), ("channels", channels)) if value is not None]
    if given and not has_images(source):
        where = source if isinstance(source, str | os.PathLike) else _describe(source)
        raise UsageError(f"{' and '.join(given)} is for a folder of images, and {where} is none.")
    found = read_tensors(source, target=target, size=size, channels=channels) if tensors else None
    if found is not None:
        return found
    if not tensors and (isinstance(source, Tensors) or has_arrays(source)):
        where = source.source if isinstance(source, Tensors) else source
        raise DataError(
            f"{where} holds arrays, and a table was expected; give a frame or a file that holds a table. A network "
            "takes arrays if it was brought in with arrays."
        )
    if isinstance(source, tuple) and len(source) == 2:
        return _read_pair(source[0], source[1], names, target)
    if isinstance(source, np.ndarray) and source.dtype.names is None:
        return _label(_read_array(source, names), "numpy array")
    if isinstance(source, str | os.PathLike):
        table, where = read_table(os.fspath(source))
        return _label(_to_pandas(table, where), where)
    if isinstance(source, pd.DataFrame):
        return _label(source.copy(deep=False), str(source.attrs.get("source", "pandas frame")))
    return _label(_read_object(source), _describe(source))


# ------------------------------------------------------------------------------- objects in memory


def _describe(source: Any) -> str:
    package, name = type(source).__module__.partition(".")[0], type(source).__name__
    known = {"polars": "polars frame", "pyarrow": "pyarrow table", "dict": "dict of columns", "ndarray": "numpy array"}
    return known.get(package) or known.get(name) or (name if package == "builtins" else f"{package} {name}")


def _read_object(source: Any) -> pd.DataFrame:
    if hasattr(source, "collect") and type(source).__module__.startswith("polars."):
        source = source.collect()  # a lazy frame
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, np.ndarray):
        return _read_columns({name: source[name] for name in source.dtype.names or ()})
    if isinstance(source, Mapping):
        return _read_columns(source)
    if hasattr(source, "__arrow_c_stream__"):
        return _to_pandas(_to_arrow(source), _describe(source))
    raise DataError(
        f"A table cannot be read from {_describe(source)}. Give a path, a pandas, polars or pyarrow frame, "
        f"a numpy array (n, d), a dict of columns, or a pair (x, y); for a network also arrays, tensors, or a Dataset "
        f"with __getitem__ and __len__."
    )


def _to_arrow(source: Any) -> Any:
    try:
        return pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"A {_describe(source)} is no table with named columns ({error}); give a frame.") from error


def _read_columns(source: Mapping[Any, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(dict(source))
    except ValueError as error:
        shown = ", ".join(
            f"{str(name)!r} has {counted(len(column), 'row') if np.ndim(column) else 'no rows'}"
            for name, column in source.items()
        )
        raise DataError(f"The columns of a dict must be lists or arrays of one length, but {shown}.") from error


def _read_array(source: np.ndarray[Any, Any], names: Sequence[str] | None) -> pd.DataFrame:
    if source.ndim != 2:
        raise DataError(
            f"An array of shape {source.shape} is no table; (n, d) was expected: n rows of d features. "
            f"For one feature, use array.reshape(-1, 1)."
        )
    given = [f"x{i}" for i in range(source.shape[1])] if names is None else list(names)
    if len(given) != source.shape[1]:
        raise DataError(
            f"names has {counted(len(given), 'name')} for {counted(source.shape[1], 'column')}; give one for each."
        )
    frame = pd.DataFrame(source, columns=pd.Index(given), copy=False)
    return frame.infer_objects() if source.dtype == object else frame


def _read_pair(x: Any, y: Any, names: Sequence[str] | None, target: str) -> pd.DataFrame:
    if names is not None and np.ndim(x) == 2 and len(names) == np.shape(x)[1] + 1:
        names, target = names[:-1], names[-1]
    frame = read(x, names=names).copy(deep=False)
    labels = np.asarray(y, dtype=object) if isinstance(y, list | tuple) else y
    if getattr(labels, "ndim", 1) == 2 and labels.shape[1] == 1:
        labels = labels.iloc[:, 0] if hasattr(labels, "iloc") else labels[:, 0]
    if getattr(labels, "ndim", 1) != 1 or len(labels) != len(frame):
        raise DataError(f"y has shape {np.shape(labels)} but x has {len(frame)} rows; give one label for each row.")
    if target in frame.columns:
        raise DataError(f"x already has a column {target!r}, which is what y would be called; name y with target=...")
    column = labels.array if isinstance(labels, pd.Series) else np.asarray(labels)
    frame[target] = pd.Series(column, copy=False).infer_objects()
    frame.attrs["target"] = target
    return frame


# ---------------------------------------------------------------------------------- arrow to pandas


def _to_pandas(table: Any, where: str) -> pd.DataFrame:
    _check_names(table.column_names, where)
    columns = [_to_native(column, name, where) for name, column in zip(table.column_names, table.columns, strict=True)]
    plain = pa.table(columns, names=table.column_names)
    frame: pd.DataFrame = plain.to_pandas(ignore_metadata=True, date_as_object=False)
    return frame


def _to_native(column: Any, name: str, where: str) -> Any:
    """Cast a column to a type that pandas has natively, so that no cell becomes a Python object."""
    kind, types = column.type, pa.types
    if types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        raise DataError(
            f"Column {name!r} of {where} is nested ({kind}); each cell must be one value. "
            f"Spread it over several columns, or leave it out."
        )
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        raise DataError(f"Column {name!r} of {where} holds raw bytes; numbers or text in UTF-8 were expected.")
    if types.is_null(kind) or types.is_decimal(kind):
        return column.cast(pa.float64())
    if types.is_boolean(kind) and column.null_count:
        return column.cast(pa.uint8()).cast(pa.float64())
    return column.cast(pa.string()) if types.is_time(kind) else column


def _label(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Set text names, rows counted from 0 and the source, in place."""
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(f"{where} has column names in {frame.columns.nlevels} levels; join them into one text each.")
    if not all(isinstance(name, str) for name in frame.columns):
        frame.columns = pd.Index([str(name) for name in frame.columns])
    _check_names(list(frame.columns), where)
    if not len(frame):
        raise DataError(
            f"{where} has no rows; at least one was expected under its {counted(len(frame.columns), 'column')}."
        )
    frame.index = pd.RangeIndex(len(frame))
    frame.attrs["source"] = where
    return frame


def _check_names(names: list[str], where: str) -> None:
    if not names:
        raise DataError(f"{where} has no columns; a table with named columns was expected.")
    if "" in names:
        raise DataError(f"Column {names.index('') + 1} of {where} has no name; give each column one in the header.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{where} has more than one column called {listed(twice)}; give each column a name of its own.")
