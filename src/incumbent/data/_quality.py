"""Which rows may be held out: content hashes, and the rows that would make a holdout lie."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import AnchorSet, Array, Batch, Floats, Memory, Task
from incumbent.errors import DataError

Keys: TypeAlias = NDArray[np.uint64]
Mask: TypeAlias = NDArray[np.bool_]

# Stands for every kind of missing value, so that NaN, None and NaT are the same content.
MISSING = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Quality:
    """Which rows of a batch may not be held out, and why.

    Parameters
    ----------
    duplicate : (n,) bool
        Rows whose x and y equal another row's, every copy of them: one copy in training and one in a holdout would
        be a leak, and which of them comes first means nothing.
    contradictory : (n,) bool
        Rows whose x equals another row's while y differs (classification only: two values of a regression target
        for the same x are noise, not a contradiction).
    known : (n,) bool
        Rows whose x and y equal a row in memory: they have been learned from.
    leaked : (n,) bool
        Rows whose x and y equal a row in the anchor set. An update drops them altogether, so that the anchor set
        stays unseen; the other kinds are learned from but never held out.
    """

    duplicate: Mask
    contradictory: Mask
    known: Mask
    leaked: Mask

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind; a row can be of several."""
        kinds = ("duplicate", "contradictory", "known", "leaked")
        return {kind: int(np.count_nonzero(getattr(self, kind))) for kind in kinds}

    @property
    def holdable(self) -> Mask:
        """Rows that may enter a holdout: those of none of the four kinds."""
        return ~(self.duplicate | self.contradictory | self.known | self.leaked)


def examine(batch: Batch, *, memory: Memory, anchor: AnchorSet, task: Task) -> Quality:
    """Find the rows that would make a holdout lie.

    Parameters
    ----------
    batch : Batch
        The new rows, n of them.
    memory : Memory
        What earlier updates remember of the rows they learned from.
    anchor : AnchorSet
        The rows that no version may learn from.
    task : {"classification", "regression"}
        Only classes can contradict each other.

    Returns
    -------
    Quality
        Four masks of length n, and `holdable`.

    Examples
    --------
    >>> rows = Batch(pd.DataFrame({"a": [1, 1, 2, 2, 3]}), np.array(["no", "no", "no", "yes", "no"]))
    >>> found = examine(rows, memory=Memory(), anchor=AnchorSet(), task="classification")
    >>> found.counts
    {'duplicate': 2, 'contradictory': 2, 'known': 0, 'leaked': 0}
    >>> found.holdable.tolist()
    [False, False, False, False, True]
    """
    seen = row_keys(batch, labels=False)
    keys = _labelled(seen, batch.y)
    classes = task == "classification" and batch.y is not None
    return Quality(
        duplicate=pd.Series(keys).duplicated(keep=False).to_numpy(),
        contradictory=_contradictory(seen, keys) if classes else np.zeros(len(batch), dtype=bool),
        known=_among(keys, memory.rows),
        leaked=_among(keys, anchor.rows),
    )


def _contradictory(seen: Keys, keys: Keys) -> Mask:
    once = pd.Series(seen[~pd.Series(keys).duplicated().to_numpy()])
    return among(seen, once[once.duplicated()].to_numpy())


def _among(keys: Keys, rows: Batch | None) -> Mask:
    return np.zeros(len(keys), dtype=bool) if rows is None else among(keys, row_keys(rows))


def among(keys: Keys, others: Keys) -> Mask:
    """Return which keys are found among the others (n,)."""
    return pd.Series(keys).isin(others).to_numpy()


# ------------------------------------------------------------------------------------------------ keys


def row_keys(batch: Batch, *, labels: bool = True) -> Keys:
    """Hash the content of every row.

    Equal content has an equal key whatever the row order, the index, the order of the columns, or the type that holds
    it: 1 is 1.0 is True, a category is its text, and every kind of missing value is the same.

    Parameters
    ----------
    batch : Batch
        x may be a data frame, an array, a list of texts, or a dict of those.
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
    keys = _mix(_content(batch.x))
    return _labelled(keys, batch.y) if labels else keys


def column_keys(values: Any) -> Keys:
    """Hash the content of every value of one column (n,)."""
    return _mix(_bits(pd.Series(values)) ^ _salt("column"))


def scramble(keys: Keys, seed: int, purpose: str) -> Keys:
    """Draw a random number for each key (n,), the same one whenever key, seed and purpose are the same.

    Different purposes draw independently: without that, the rows with small numbers in a split would have small
    numbers in every later choice too.
    """
    return _mix(keys ^ _salt(f"{purpose}:{seed}"))


def uniform(keys: Keys, seed: int, purpose: str) -> Floats:
    """Draw a number in [0, 1) for each key (n,), as `scramble` does."""
    return (scramble(keys, seed, purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _labelled(keys: Keys, y: Array | None) -> Keys:
    return keys if y is None else _mix(keys + column_keys(y))


def _content(x: Any) -> Keys:
    if isinstance(x, dict):
        # A sum, so that the order of the parts (and below, of the columns) does not matter.
        parts = [_mix(_content(part) ^ _salt(f"part:{name}")) for name, part in x.items()]
        return np.asarray(np.sum(parts, axis=0, dtype=np.uint64))
    frame = _frame(x)
    total = np.zeros(len(frame), dtype=np.uint64)
    for position, name in enumerate(frame.columns):
        total += _mix(_bits(frame.iloc[:, position]) ^ _salt(str(name)))
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
    bits = np.where(np.isnan(values), MISSING, values.view(np.uint64))
    whole = column.to_numpy()
    if whole.dtype.kind in "iu" and len(values) and np.abs(values).max() > 2.0**53:
        # What float64 rounds off of long integers, such as identifiers; 0 (no change) where it holds them exactly.
        lost = (whole >> 32) * 2.0**32 - values + (whole & 0xFFFFFFFF)
        bits = bits ^ _mix((lost + 0.0).view(np.uint64))
    return bits


def _object_bits(found: Array) -> Keys:
    kind = pd.api.types.infer_dtype(found, skipna=True)
    if kind in {"integer", "floating", "mixed-integer-float", "boolean", "decimal"}:
        return _number_bits(pd.Series(found.astype(np.float64)))
    texts = found if kind == "string" else np.array([str(value) for value in found], dtype=object)
    return np.asarray(pd.util.hash_array(texts, categorize=False), dtype=np.uint64)


def _salt(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


def _mix(keys: Keys) -> Keys:
    """Spread every input bit over all output bits: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    mixed = keys ^ (keys >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
