"""Rows: a batch, the memory that an update carries to the next one, and the anchor set."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent._deprecated import renamed_members
from incumbent.core._values import Array, Floats, Replaceable
from incumbent.errors import DataError


@dataclass(frozen=True, eq=False)
class Batch(Replaceable):
    """Rows that belong together.

    Parameters
    ----------
    x : (n, ...) data frame, array, lazy rows, list of texts, or a dict of those for several modalities
        The input of a model. Lazy rows (`incumbent.data.LazyRows`) are read like an array, a part at a time.
    y : (n,) array, or (n, m), optional
        Labels or target values; (n, m) for several labels per row, each 1 or 0, or several values.
    weight : (n,) array, optional
        Row weights; absent means one each.
    soft : (n, k) array, optional
        Soft targets: the logits of an older model for these rows; NaN if they are not known.
    time : (n,) array, optional
        When each row was observed. Rows with a time are sorted by it.
    group : (n,) array, optional
        Rows that share a group (a customer, a device) are never split apart.
    features : object, optional
        Cached features of the frozen part of a model, kept during one update.

    Examples
    --------
    >>> rows = Batch(np.eye(3), np.array([0, 1, 0]))
    >>> len(rows.take([0, 2])), rows.take([0, 2]).y.tolist()
    (2, [0, 0])
    """

    x: Any
    y: Array | None = None
    weight: Floats | None = None
    soft: Floats | None = None
    time: Array | None = None
    group: Array | None = None
    features: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        n = len(self)
        for name in ("y", "weight", "soft", "time", "group", "features"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise DataError(f"{name} has {len(column)} rows but x has {n}; a Batch pairs them row by row.")

    def __len__(self) -> int:
        return _length(next(iter(self.x.values())) if isinstance(self.x, dict) else self.x)

    @property
    def labels(self) -> Array:
        """The labels or target values, for rows that must have them.

        Raises
        ------
        DataError
            The rows have none.
        """
        if self.y is None:
            raise DataError("These rows have no labels, and learning or scoring needs them; name the target column.")
        return self.y

    def take(self, index: Array | Sequence[int]) -> Batch:
        """Return the rows at `index` (positions or a boolean mask), in that order."""
        at = _positions(index)
        return Batch(**{f.name: _take(getattr(self, f.name), at) for f in dataclasses.fields(self)})

    @staticmethod
    def join(batches: Sequence[Batch]) -> Batch:
        """Return all rows in one batch.

        A column that some of them lack is dropped, but missing weights are one and missing soft targets NaN.
        """
        kept = [b for b in batches if len(b)] or list(batches[:1])
        if len(kept) == 1:
            return kept[0]
        if any(b.weight is not None for b in kept):
            kept = [b if b.weight is not None else b.replace(weight=np.ones(len(b))) for b in kept]
        if any(b.soft is not None for b in kept):
            kept = _with_soft(kept)
        return Batch(**{f.name: _join([getattr(b, f.name) for b in kept]) for f in dataclasses.fields(Batch)})


def _with_soft(batches: Sequence[Batch]) -> list[Batch]:
    """Give all batches soft targets of one width, NaN if not known: classes may have been added in between."""
    width = max(b.soft.shape[1] for b in batches if b.soft is not None)
    wide = []
    for batch in batches:
        soft = np.full((len(batch), width), np.nan)
        if batch.soft is not None:
            soft[:, : batch.soft.shape[1]] = batch.soft
        wide.append(batch.replace(soft=soft))
    return wide


def _positions(index: Array | Sequence[int]) -> NDArray[np.intp]:
    at = np.asarray(index)
    return np.flatnonzero(at) if at.dtype == bool else at.astype(np.intp)


def _length(x: Any) -> int:
    return int(x.shape[0]) if hasattr(x, "shape") else len(x)


def _take(x: Any, at: NDArray[np.intp]) -> Any:
    if x is None:
        return None
    if isinstance(x, dict):
        return {name: _take(part, at) for name, part in x.items()}
    if hasattr(x, "iloc"):
        return x.iloc[at]
    if hasattr(x, "join"):  # lazy rows, which stay in their file
        return x.take(at)
    return [x[i] for i in at] if isinstance(x, list) else x[at]


def _join(parts: Sequence[Any]) -> Any:
    if any(part is None for part in parts):
        return None
    first = parts[0]
    if isinstance(first, dict):
        return {name: _join([part[name] for part in parts]) for name in first}
    if hasattr(first, "iloc"):
        return _join_frames(parts)
    lazy = next((part for part in parts if hasattr(part, "join")), None)
    if lazy is not None:
        return lazy.join(parts)
    if hasattr(first, "tocsr"):
        import scipy.sparse as sp

        return sp.vstack(parts).tocsr()
    return [row for part in parts for row in part] if isinstance(first, list) else np.concatenate(parts)


def _join_frames(frames: Sequence[Any]) -> Any:
    """Join data frames; a categorical column that has gained categories stays categorical, the old ones first."""
    import pandas as pd  # the caller already holds a frame

    categorical = [name for name, kind in frames[0].dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    wider = {}
    for name in categorical:
        kinds = [frame[name].dtype for frame in frames]
        if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds) and any(kind != kinds[0] for kind in kinds):
            known = kinds[0].categories
            for kind in kinds[1:]:
                known = known.append(kind.categories[~kind.categories.isin(known)])
            wider[name] = pd.CategoricalDtype(known, all(kind.ordered for kind in kinds))
    return pd.concat([frame.astype(wider) for frame in frames] if wider else list(frames), ignore_index=True)


@dataclass(frozen=True, eq=False)
class Memory(Replaceable):
    """What an update keeps for the next one: limited in size, counted in bytes, stored with its version.

    Parameters
    ----------
    rows : Batch, optional
        A reservoir: a uniform sample of all rows ever learned from, with rare classes kept.
    key : (n,) array, optional
        A random number in (0, 1) for each remembered row, drawn when it arrived.
    threshold : float
        A row is in the reservoir if its key is at most this, or if its class is rare.
    seen : int
        Number of rows learned so far.
    importance : mapping of str to array
        Importance of each weight for the old rows, such as the diagonal Fisher information, by weight name.
    statistics : mapping of str to array
        Sums over all rows learned so far. An exact head is solved from them, and rows can be deleted exactly.
    """

    rows: Batch | None = None
    key: Floats | None = None
    threshold: float = 1.0
    seen: int = 0
    importance: Mapping[str, Floats] = field(default_factory=dict)
    statistics: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows)


@renamed_members({"used": "use_counts", "use": "next_use"})
@dataclass(frozen=True, eq=False)
class AnchorSet(Replaceable):
    """Old rows that no version was trained on. They test for forgetting.

    Parameters
    ----------
    rows : Batch, optional
        The rows.
    use_counts : (n,) array, optional
        Number of gate decisions that used each row; each use spends part of the error budget.
    seen : int
        Number of rows ever offered to the set.
    """

    rows: Batch | None = None
    use_counts: NDArray[np.int64] | None = None
    seen: int = 0

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    @property
    def next_use(self) -> int:
        """Number of the next use, counted from 1: one more than the median of `use_counts`.

        If more than half of the rows are unused, it is 1 again.
        """
        counts = self.use_counts
        return 1 if counts is None or not len(counts) else 1 + math.floor(float(np.median(counts)))
