"""Rows that stay in a mapped file or a Dataset until they are needed."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent._deprecated import renamed_members
from incumbent.core import Array, Batch
from incumbent.data.rows._array_keys import Keys, array_keys

_BLOCK = 1 << 22  # bytes to read at a time: large enough for a disk, small enough for any RAM


@renamed_members({"pick": "take"})
@dataclass(frozen=True, eq=False)
class LazyRows:
    """An array (n, ...) that reads only the rows that are needed, for data that does not fit in RAM.

    It is used like an array: ``shape``, ``dtype``, ``len(x)``, ``x[10:20]``, ``x[positions]``, ``np.asarray(x)``. Each
    access returns a new array, which may be changed. `Batch.take` and `Batch.join` return lazy rows again.

    Parameters
    ----------
    sources : tuple
        Where the rows are, in order: arrays, mapped or not, or any object with a `shape` and a `dtype` that returns the
        rows at an array of positions.
    at : (n,) array of int
        Positions of these rows in all sources together.
    dtype : numpy.dtype
        The type to read them as.
    known_keys : (n,) array of uint64, optional
        Their hashes, if they are known, so that the rows need not be read again for them.

    Examples
    --------
    >>> rows = LazyRows.of(np.arange(10).reshape(5, 2))
    >>> some = Batch(rows).take([4, 0])
    >>> some.x.shape, some.x[1].tolist(), np.asarray(some.x).tolist()
    ((2, 2), [0, 1], [[8, 9], [0, 1]])
    """

    sources: tuple[Any, ...]
    at: NDArray[np.intp]
    dtype: np.dtype[Any]
    known_keys: Keys | None = field(default=None, repr=False)

    @staticmethod
    def of(source: Any) -> LazyRows:
        """Return all rows of one source."""
        return LazyRows((source,), np.arange(len(source), dtype=np.intp), np.dtype(source.dtype))

    def __len__(self) -> int:
        return len(self.at)

    def __repr__(self) -> str:
        return f"LazyRows(shape={self.shape}, dtype={self.dtype})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, as of an array."""
        return (len(self.at), *(int(length) for length in self.sources[0].shape[1:]))

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes that the rows would take in RAM."""
        return row_bytes(self) * len(self)

    def __getitem__(self, index: Any) -> Array:
        if isinstance(index, tuple):
            if not index or index[0] is None or index[0] is Ellipsis:
                return np.asarray(self)[index]
            rows = self[index[0]]
            one = not isinstance(index[0], slice) and np.ndim(index[0]) == 0
            return np.asarray(rows[index[1:] if one else (slice(None), *index[1:])])
        if isinstance(index, slice):
            return self._read(self.at[index])
        wanted = np.asarray(index)
        if wanted.ndim == 0:
            return np.asarray(self._read(self.at[wanted[None]])[0])
        return self._read(self.at[wanted if len(wanted) else wanted.astype(np.intp)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("Lazy rows are not in RAM, so an array of them is always a copy; leave out copy=False.")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def _read(self, at: NDArray[np.intp]) -> Array:
        if len(self.sources) == 1:
            return self._from(self.sources[0], at)
        starts = np.cumsum([0, *map(len, self.sources)])
        place = np.searchsorted(starts, at, side="right") - 1
        found = np.empty((len(at), *self.shape[1:]), dtype=self.dtype)
        for number, source in enumerate(self.sources):
            here = place == number
            if here.any():
                found[here] = self._from(source, at[here] - starts[number])
        return found

    def _from(self, source: Any, at: NDArray[np.intp]) -> Array:
        if not isinstance(source, np.ndarray):
            return np.asarray(source[at]).astype(self.dtype, copy=False)
        if len(at) and at[-1] - at[0] == len(at) - 1 and (np.diff(at) == 1).all():
            return np.array(source[at[0] : at[-1] + 1], dtype=self.dtype)  # consecutive rows: one read
        return np.asarray(source[at]).astype(self.dtype, copy=False)

    def take(self, at: Array) -> LazyRows:
        """Return the rows at these positions, without reading them."""
        keys = None if self.known_keys is None else self.known_keys[at]
        return LazyRows(self.sources, self.at[at], self.dtype, keys)

    @staticmethod
    def join(parts: Sequence[Any]) -> LazyRows:
        """Return the rows of several parts, lazy or arrays, in order and without reading them."""
        lazy = [part if isinstance(part, LazyRows) else LazyRows.of(part) for part in parts]
        sources = tuple(source for part in lazy for source in part.sources)
        lengths = [sum(map(len, part.sources)) for part in lazy]
        at = [part.at + start for part, start in zip(lazy, np.cumsum([0, *lengths]), strict=False)]
        return LazyRows(sources, np.concatenate(at), np.result_type(*(part.dtype for part in lazy)))

    def cast(self, dtype: Any) -> LazyRows:
        """Return the same rows with another dtype to read them as."""
        return LazyRows(self.sources, self.at, np.dtype(dtype))

    @cached_property
    def extent(self) -> tuple[float, float]:
        """The smallest and the largest value; NaN or infinity if the rows hold one. Reads all rows, once."""
        found = [(float(block.min()), float(block.max())) for block in blocks(self)]
        return float(np.min([low for low, _ in found])), float(np.max([high for _, high in found]))

    @cached_property
    def keys(self) -> Keys:
        """The hash of each row (n,), equal to that of an array with the same content. Reads all rows unless known."""
        return array_keys(self) if self.known_keys is None else self.known_keys

    def with_keys(self) -> LazyRows:
        """Return the same rows with their hashes known; `take` keeps them."""
        return replace(self, known_keys=self.keys)


def row_bytes(x: Any) -> int:
    """Return the number of bytes of a row, from shapes and types alone; a text counts as 64.

    Examples
    --------
    >>> row_bytes({"image": np.zeros((5, 28, 28), dtype=np.uint8), "age": np.zeros(5)})
    792
    """
    if isinstance(x, dict):
        return sum(row_bytes(part) for part in x.values())
    if hasattr(x, "iloc"):
        return sum(_cell_bytes(kind) for kind in x.dtypes)
    return 64 if isinstance(x, list) else int(np.prod(x.shape[1:], dtype=np.int64)) * int(x.dtype.itemsize)


def _cell_bytes(kind: Any) -> int:
    if hasattr(kind, "categories"):
        return 4  # a code; the table of categories is shared
    return int(kind.itemsize) if getattr(kind, "kind", "O") in "biufcmM" else 64


def blocks(x: Any, size: int = _BLOCK) -> Iterator[Array]:
    """Yield an array or lazy rows in order, about `size` bytes at a time."""
    step = max(1, size // max(1, row_bytes(x)))
    for start in range(0, len(x), step):
        yield x[start : start + step]


def materialize(batch: Batch) -> Batch:
    """Return the batch with its lazy rows read into RAM and without cached features, to be kept."""
    return batch.replace(x=_map_lazy(np.asarray, batch.x), features=None)


def hash_lazy_rows(x: Any) -> Any:
    """Return x with the hashes of all its lazy rows known, so that the rows are read for them only once."""
    return _map_lazy(LazyRows.with_keys, x)


def _map_lazy(change: Callable[[LazyRows], Any], x: Any) -> Any:
    if isinstance(x, dict):
        return {name: _map_lazy(change, part) for name, part in x.items()}
    return change(x) if isinstance(x, LazyRows) else x


def as_lazy(array: Array) -> Any:
    """Return an array in a mapped file as lazy rows, and any other array as it is."""
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap | mmap.mmap):
            return LazyRows.of(array)
        base = getattr(base, "base", None)
    return array
