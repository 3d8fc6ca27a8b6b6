"""Content hashes: which rows are the same, and numbers that are drawn from what a row holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array, Batch, Floats
from incumbent.data.rows._array_keys import MISSING, Keys, array_keys, float_bits, mix, salt, with_lost
from incumbent.data.rows._lazy import LazyRows
from incumbent.errors import DataError

_HELD = "_keys"  # where a batch holds them


def row_keys(batch: Batch, *, labels: bool = True) -> Keys:
    """Hash the content of every row.

    Equal content has an equal key whatever the row order, the index, the order of the columns, or the type that holds
    it: 1 is 1.0 is True, a category is its text, and every kind of missing value is the same. Only rows of arrays must
    be of one type to be equal. A batch is hashed once, and lazy rows are read once, a block at a time.

    Parameters
    ----------
    batch : Batch
        x may be a data frame, an array, lazy rows, a list of texts, or a dict of those.
    labels : bool
        Whether y belongs to the content.

    Returns
    -------
    (n,) array of uint64
        For n rows, two different ones share a key with a probability of about ``n**2 / 2**65``.

    Raises
    ------
    DataError
        If x is of a kind whose rows cannot be told apart.

    Examples
    --------
    >>> whole = Batch(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    >>> parts = Batch(pd.DataFrame({"b": pd.Categorical(["y", "x"]), "a": [2.0, 1.0]}))
    >>> bool((row_keys(whole) == row_keys(parts)[::-1]).all())
    True
    """
    held = batch.__dict__  # an update asks for the same keys several times, and rows do not change
    if _HELD not in held:
        held[_HELD] = mix(_content(batch.x))
    keys: Keys = held[_HELD]
    return labelled(keys, batch.y) if labels else keys


def column_keys(values: Any) -> Keys:
    """Hash the content of every value of one column (n,), or of every row of labels (n, k)."""
    bits = array_keys(values) if np.ndim(values) > 1 else _bits(pd.Series(values))
    return mix(bits ^ salt("column"))


def scramble(keys: Keys, seed: int, purpose: str) -> Keys:
    """Draw a random number for each key (n,), the same one whenever key, seed and purpose are the same.

    Different purposes draw independently: without that, the rows with small numbers in a split would have small
    numbers in every later choice too.
    """
    return mix(keys ^ salt(f"{purpose}:{seed}"))


def uniform(keys: Keys, seed: int, purpose: str) -> Floats:
    """Draw a number in [0, 1) for each key (n,), as `scramble` does."""
    return (scramble(keys, seed, purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def labelled(keys: Keys, y: Array | None) -> Keys:
    """Return the keys of rows with their labels."""
    return keys if y is None else mix(keys + column_keys(y))


def _content(x: Any) -> Keys:
    if isinstance(x, dict):
        # A sum, so that the order of the parts (and below, of the columns) does not matter.
        parts = [mix(_content(part) ^ salt(f"part:{name}")) for name, part in x.items()]
        return np.asarray(np.sum(parts, axis=0, dtype=np.uint64))
    if isinstance(x, LazyRows):
        return x.keys
    if isinstance(x, np.ndarray) and x.dtype.kind in "biuf":
        return array_keys(x)
    frame = _frame(x)
    total = np.zeros(len(frame), dtype=np.uint64)
    for position, name in enumerate(frame.columns):
        total += mix(_bits(frame.iloc[:, position]) ^ salt(str(name)))
    return total


def _frame(x: Any) -> pd.DataFrame:
    if isinstance(x, pd.DataFrame):
        return x
    if isinstance(x, list):
        return pd.DataFrame({0: pd.Series(x, dtype=object)})
    if isinstance(x, pd.Series | np.ndarray):
        values = x if x.ndim == 1 else np.asarray(x).reshape(len(x), -1)
        return pd.DataFrame(values)
    raise DataError(
        f"Rows of a {type(x).__name__} cannot be told apart; give x as a data frame, an array or a list of texts."
    )


def _bits(column: pd.Series[Any]) -> Keys:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _looked_up(column.cat.codes.to_numpy(), _bits(pd.Series(dtype.categories)))
    if dtype.kind in "biuf":
        return _number_bits(column)
    if dtype.kind in "mM":
        ticks = column.to_numpy(dtype="datetime64[us]" if dtype.kind == "M" else "timedelta64[us]")
        return np.where(np.isnat(ticks), MISSING, ticks.view(np.uint64))
    try:
        codes, found = pd.factorize(column)
    except TypeError:  # values such as lists, which cannot be looked up
        codes, found = pd.factorize(column.map(repr))
    return _looked_up(codes, _object_bits(np.asarray(found, dtype=object)))


def _looked_up(codes: Array, bits: Keys) -> Keys:
    table: Keys = np.append(bits, MISSING)
    return table[codes]  # code -1, a missing value, is the last one


def _number_bits(column: pd.Series[Any]) -> Keys:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # turns -0.0 into 0.0
    return with_lost(float_bits(values), values, column.to_numpy())


def _object_bits(found: Array) -> Keys:
    kind = pd.api.types.infer_dtype(found, skipna=True)
    if kind in {"integer", "floating", "mixed-integer-float", "boolean", "decimal"}:
        return _number_bits(pd.Series(found.astype(np.float64)))
    texts = found if kind == "string" else np.array([str(value) for value in found], dtype=object)
    return np.asarray(pd.util.hash_array(texts, categorize=False), dtype=np.uint64)
