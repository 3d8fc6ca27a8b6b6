"""Hash the rows of an array, a block at a time."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incumbent.core import Array

Keys: TypeAlias = NDArray[np.uint64]

MISSING = np.uint64(0x9E3779B97F4A7C15)  # the bits of NaN, None and NaT, which are equal content
_BLOCK_BYTES = 1 << 18  # the hash passes over a block several times, so a block should fit in the CPU cache


def array_keys(x: Any) -> Keys:
    """Hash the content of every row of a numeric array or lazy rows (n, ...).

    Single numbers (n,) are hashed by value, so that 1, 1.0 and True are equal. Rows of several numbers are hashed by
    their bytes, eight at a time, which is eight times faster for images; equal rows must have equal types. -0.0 is
    always equal to 0.0.
    """
    step = max(1, _BLOCK_BYTES // max(8, int(np.prod(x.shape[1:], dtype=np.int64)) * x.dtype.itemsize))
    starts = range(0, max(1, len(x)), step)
    return np.concatenate([_block_keys(np.asarray(x[start : start + step])) for start in starts])


def _block_keys(block: Array) -> Keys:
    words = number_bits(block)[:, None] if block.ndim == 1 else _words(block)
    return np.asarray(mix(words ^ _salts(words.shape[1])).sum(axis=1, dtype=np.uint64))


def _words(block: Array) -> Keys:
    """Return the bytes of each row as 64-bit words (n, w), padded with zeros."""
    if block.dtype.kind in "fc":
        block = block + block.dtype.type(0)  # turns -0.0 into 0.0
    flat = np.ascontiguousarray(block).reshape(len(block), -1).view(np.uint8)
    if flat.shape[1] % 8:
        flat = np.pad(flat, ((0, 0), (0, -flat.shape[1] % 8)))
    return flat.view(np.uint64)


@lru_cache(maxsize=8)
def _salts(count: int) -> Keys:
    return mix(np.arange(count, dtype=np.uint64) ^ salt("word"))


def number_bits(values: Any) -> Keys:
    """Return each number of an array (n,) or column as 64 bits, the same for equal numbers of any type."""
    series = pd.Series(values)
    floats = series.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # turns -0.0 into 0.0
    bits = np.where(np.isnan(floats), MISSING, floats.view(np.uint64))
    whole = series.to_numpy()
    if whole.dtype.kind not in "iu" or not len(whole) or np.abs(floats).max() <= 2.0**53:
        return bits
    # Mix in what float64 rounds off from long integers, such as identifiers; 0 changes nothing.
    lost = (whole >> 32) * 2.0**32 - floats + (whole & 0xFFFFFFFF)
    return np.asarray(bits ^ mix((lost + 0.0).view(np.uint64)))


def salt(text: str) -> np.uint64:
    """Return 64 pseudo-random bits for a text."""
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


def mix(keys: Keys) -> Keys:
    """Spread every input bit over all output bits: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    mixed = keys ^ (keys >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
