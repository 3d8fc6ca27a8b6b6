"""What an update may still know of old rows: a reservoir, drawing from it, and its files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array, Batch, Floats, Memory
from incumbent.data.rows._lazy import in_memory, row_bytes
from incumbent.errors import UsageError
from incumbent.memory._parquet import FIELDS, FORMAT, damaged, read_about, read_rows, write_rows

MAX_BYTES = 1 << 28

# ----------------------------------------------------------------------------------------- remembering


def bound(seen: int, low: int = 5_000, high: int = 20_000) -> int:
    """Return how many rows to remember of `seen`: all up to `low`, then growing as the square root, up to `high`.

    Examples
    --------
    >>> [bound(seen) for seen in (0, 5_000, 20_000, 80_000, 1_000_000)]
    [5000, 5000, 10000, 20000, 20000]
    """
    return int(np.clip(low * np.sqrt(seen / low), low, high))


def remember(
    memory: Memory,
    batch: Batch,
    *,
    seed: int,
    low: int = 5_000,
    high: int = 20_000,
    rare: int = 50,
    max_bytes: int = MAX_BYTES,
) -> Memory:
    r"""Return the memory after learning from a batch: a uniform sample of all rows ever seen, with rare classes kept.

    Every row draws a key :math:`u_i \sim U(0, 1)` when it arrives, and after n rows the reservoir holds those with

    .. math:: u_i \le \tau_n, \qquad \tau_n = \min(\tau_{n'}, \, \mathrm{bound}(n) / n)

    where n' is the count before the batch. *Every row seen has the same probability of being in it, the first and the
    last included:* the threshold depends on counts alone, never on keys, and never rises. So a row with
    :math:`u_i \le \tau_n` was below every earlier threshold as well and was never let go, whenever it arrived; row i
    is in the reservoir exactly if :math:`u_i \le \tau_n`, and that has probability :math:`\tau_n` for every i,
    independently of the other rows.

    This is the threshold view of reservoir sampling [1]_ and of bottom-k sampling [2]_, with a fixed threshold where
    bottom-k takes the k-th smallest key. The difference matters because the bound grows: a k-th smallest key depends
    on the early rows more than on the late ones, and then inclusion is no longer equal; a reservoir of exact size
    cannot grow and stay uniform [3]_. The price is that the bound is met on average, not exactly: the size is
    binomial, with a standard deviation below its square root (71 rows at 5,000).

    Beyond that, the `rare` rows with the smallest keys of each class are kept, or where rows have several labels at
    once, of those with each label on. They are over-represented on purpose: a class that is one row in ten thousand
    would vanish from a uniform sample. Together they are at most half of `low`, so with many classes it is fewer of
    each.

    Parameters
    ----------
    memory : Memory
        The memory before.
    batch : Batch
        The rows that were learned from, each for the first time.
    seed : int
        Where randomness enters; the same history and seed give the same memory.
    low, high : int
        Limits of `bound`, in rows: enough for old and rare situations to be met again, few enough to replay quickly.
    rare : int
        Rows kept of each class whatever the threshold says. Numbers with fractions have no classes; for a regression
        on whole numbers, pass 0.
    max_bytes : int
        What all rows together may take, rare ones included: large rows, such as images, lower both limits. It follows
        from shapes and types alone, so that rows are still kept with equal probability; a text counts as 64 bytes.
        256 MiB, because it is stored with every update.

    Returns
    -------
    Memory
        With rows in order of arrival. Lazy rows that are kept are read.

    Raises
    ------
    UsageError
        If the limits are not ``1 <= low <= high``, ``rare >= 0`` and ``max_bytes >= 1``.

    References
    ----------
    .. [1] J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985) 37-57.
    .. [2] E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007, 225-234.
    .. [3] M. Al-Kateb, B. S. Lee and X. S. Wang, "Adaptive-size reservoir sampling over data streams", SSDBM 2007.

    Examples
    --------
    >>> memory = Memory()
    >>> for day in range(30):
    ...     memory = remember(memory, Batch(np.full((1_000, 1), day)), seed=day)
    >>> memory.seen, bound(memory.seen), len(memory)
    (30000, 12247, 12478)
    """
    if not 1 <= low <= high or rare < 0 or max_bytes < 1:
        raise UsageError(
            f"remember needs 1 <= low <= high, rare >= 0 and max_bytes >= 1; got low={low}, high={high}, rare={rare}, "
            f"max_bytes={max_bytes}."
        )
    if memory.rows is not None and memory.key is None:
        raise UsageError("This memory has rows without keys; make memories with remember(Memory(), batch, seed=0).")
    low, high = (fitting(batch.x, limit, max_bytes, rare=bool(rare)) for limit in (low, high))
    fresh = _rng(seed, memory.seen).random(len(batch))
    seen = memory.seen + len(batch)
    threshold = min(memory.threshold, bound(seen, low, high) / max(seen, 1))
    key = fresh if memory.key is None else np.concatenate([memory.key, fresh])
    keep = key <= threshold
    keep |= _rare(_labels(memory.rows, batch), key, rare, low)
    old = len(key) - len(batch)
    kept = [] if memory.rows is None else [memory.rows.take(keep[:old])]
    rows = in_memory(Batch.join([*kept, batch.take(keep[old:])]))
    return memory.replace(rows=rows, key=key[keep], threshold=threshold, seen=seen)


def fitting(x: Any, rows: int, max_bytes: int = MAX_BYTES, *, rare: bool = False) -> int:
    """Return how many rows such as these may be kept: `rows`, or as many as fit, with half as many `rare` ones beside.

    Examples
    --------
    >>> fitting(np.zeros((1, 224, 224, 3), dtype=np.uint8), 5_000)
    1783
    """
    room = max_bytes * 2 // 3 if rare else max_bytes
    return min(rows, max(1, room // max(1, row_bytes(x))))


def draw(memory: Memory, rows: int | None, *, sample: Literal["reservoir", "balanced"], seed: int) -> Batch:
    """Draw remembered rows to replay, in order of arrival.

    Parameters
    ----------
    memory : Memory
        What is remembered.
    rows : int or None
        How many, never more than there are; None means all.
    sample : {"reservoir", "balanced"}
        Uniformly over the remembered rows; or the same number of each class, as GDumb [1]_ does, where what a small
        class cannot fill goes to the others.
    seed : int
        Where randomness enters.

    Returns
    -------
    Batch
        The rows; an empty batch, which joins with any other, where nothing is remembered.

    Raises
    ------
    UsageError
        If `rows` is negative, or classes are to be balanced and there are none.

    References
    ----------
    .. [1] A. Prabhu, P. H. S. Torr and P. K. Dokania, "GDumb: A simple approach that questions our progress in
       continual learning", ECCV 2020.

    Examples
    --------
    >>> memory = remember(Memory(), Batch(np.arange(100)[:, None], np.repeat([0, 1], [90, 10])), seed=0)
    >>> np.bincount(draw(memory, 30, sample="balanced", seed=0).y).tolist()
    [20, 10]
    """
    if memory.rows is None:
        return Batch([])
    return sampled(memory.rows, rows, sample=sample, rng=_rng(seed, memory.seen, 1))


def sampled(
    rows: Batch, count: int | None, *, sample: Literal["reservoir", "balanced"], rng: np.random.Generator
) -> Batch:
    """Return `count` of the rows in their own order, drawn uniformly or balanced by class; all where it is None."""
    if count is not None and count < 0:
        raise UsageError(f"The number of rows to draw must not be negative; got {count}.")
    if sample not in ("reservoir", "balanced"):
        raise UsageError(f'sample must be "reservoir" or "balanced"; got {sample!r}.')
    if count is None or count >= len(rows):
        return rows
    chance = rng.random(len(rows))
    if sample == "reservoir":
        return rows.take(np.sort(np.argsort(chance, kind="stable")[:count]))
    classes = _classes(rows.y)
    if classes is None:
        why = "several labels at once" if rows.y is not None and rows.y.ndim == 2 else "none"
        raise UsageError(f'sample="balanced" needs classes, and these rows have {why}; use sample="reservoir".')
    # The first of every class, then the second of every class, and so on: what small classes lack goes to the others.
    return rows.take(np.sort(np.lexsort((chance, _rank(classes, chance)))[:count]))


def _rng(seed: int, *more: int) -> np.random.Generator:
    return np.random.default_rng([seed % 2**63, *more])


def _labels(old: Batch | None, new: Batch) -> Array | None:
    if old is None or not len(old):
        return new.y
    return None if old.y is None or new.y is None else np.concatenate([old.y, new.y])


def _classes(y: Array | None) -> NDArray[np.intp] | None:
    """Return the number of each row's class (n,); None where there are numbers with fractions, or several labels."""
    if y is None or y.ndim > 1 or (y.dtype.kind == "f" and not np.array_equal(y, np.floor(y), equal_nan=True)):
        return None
    return pd.factorize(y, use_na_sentinel=False)[0]


def _rare(y: Array | None, key: Floats, rare: int, low: int) -> NDArray[np.bool_]:
    """Mark the rows (n,) with the smallest keys of each class, or of each of several labels that are on or off."""
    kept, classes = np.zeros(len(key), dtype=bool), _classes(y)
    if classes is not None and len(key):
        return _rank(classes, key) < min(rare, low // (2 * (int(classes.max()) + 1)))
    if rare and y is not None and y.ndim == 2 and y.dtype.kind in "biu":
        for label in y.T:
            on = np.flatnonzero(label == 1)
            kept[on[np.argsort(key[on], kind="stable")[: min(rare, low // (2 * y.shape[1]))]]] = True
    return kept


def _rank(classes: NDArray[np.intp], key: Floats) -> NDArray[np.intp]:
    """Return the place of each row among its class, by key, from 0 (n,)."""
    order = np.lexsort((key, classes))
    lined = classes[order]
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order)) - np.searchsorted(lined, lined)
    return rank


def nbytes(memory: Memory) -> int:
    """Return how many bytes a memory holds: its rows, keys, importances and statistics.

    Examples
    --------
    >>> nbytes(Memory(rows=Batch(np.zeros((10, 2))), key=np.zeros(10)))
    240
    """
    columns = [] if memory.rows is None else [getattr(memory.rows, field) for field in FIELDS]
    return sum(_size(part) for part in (*columns, memory.key, *memory.importance.values(), *memory.statistics.values()))


def _size(part: Any) -> int:
    if part is None:
        return 0
    if isinstance(part, dict):
        return sum(_size(inner) for inner in part.values())
    if isinstance(part, pd.DataFrame):
        return int(part.memory_usage(index=False, deep=True).sum())
    return sum(sys.getsizeof(row) for row in part) if isinstance(part, list) else int(part.nbytes)


# ---------------------------------------------------------------------------------------------- files


def save_memory(memory: Memory, folder: Path) -> None:
    """Write a memory into a folder, made if need be; `load_memory` gives back exactly the same.

    ``memory.parquet`` holds the rows (those of an array as bytes), ``importance.npz`` arrays only, ``memory.json`` the
    rest. None of them can hold code.

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
        "rows": write_rows(folder / "memory.parquet", memory.rows, key=memory.key),
    }
    # Numbered, because a weight may have any name, "file" included, which numpy keeps for itself.
    arrays = {f"importance_{place}": memory.importance[name] for place, name in enumerate(names)}
    np.savez(folder / "importance.npz", allow_pickle=False, **arrays)
    if memory.statistics:
        np.savez(folder / "statistics.npz", allow_pickle=False, **memory.statistics)
    (folder / "memory.json").write_text(json.dumps(about), encoding="utf-8")


def load_memory(folder: Path) -> Memory:
    """Read the memory that `save_memory` wrote.

    Raises
    ------
    DataError
        If the files are missing, damaged, or of a format that this version does not read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> memory = remember(Memory(), Batch(pd.DataFrame({"a": ["x", None]}), np.array([0, 1])), seed=0)
    >>> with TemporaryDirectory() as folder:
    ...     save_memory(memory, Path(folder))
    ...     again = load_memory(Path(folder))
    >>> again.rows.x.equals(memory.rows.x), again.seen
    (True, 2)
    """
    about = read_about(folder / "memory.json")
    try:
        rows, extra = read_rows(folder / "memory.parquet", about["rows"])
        # Opened here, because np.load leaves the file open when it is damaged.
        with (folder / "importance.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            importance = {name: arrays[f"importance_{place}"] for place, name in enumerate(about["importance"])}
        statistics = _arrays(folder / "statistics.npz")
        return Memory(rows, extra.get("key"), about["threshold"], about["seen"], importance, statistics)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise damaged(folder / "memory.json", error) from error


def _arrays(path: Path) -> dict[str, Array]:
    if not path.exists():
        return {}
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
