"""Hashes of the rows of an array, a block at a time, and the pieces that other hashes are made of."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats

Keys: TypeAlias = NDArray[np.uint64]

# The bits of every missing value, so that NaN, None and NaT are the same content.
MISSING = np.uint64(0x9E3779B97F4A7C15)
_BLOCK_BYTES = 1 << 18  # the hash passes over a block several times, so a block should fit in the CPU cache


def array_keys(x: Any) -> Keys:
    """Hash the content of every row of a numeric array (n, ...).

    Single numbers (n,) are hashed by value, so that 1, 1.0 and True are equal. Rows of several numbers are hashed by
    their bytes, eight at a time, which is eight times faster for images; equal rows must have equal types. -0.0 is
    always equal to 0.0.
    """
    step = max(1, _BLOCK_BYTES // max(8, int(np.prod(x.shape[1:], dtype=np.int64)) * x.dtype.itemsize))
    parts = [_block_keys(np.asarray(x[start : start + step])) for start in range(0, len(x), step)]
    return np.concatenate(parts or [np.zeros(0, dtype=np.uint64)])


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


# ---------------------------------------------------------------------------------------- pieces


def number_bits(numbers: Array) -> Keys:
    """Return each number as 64 bits, the same for equal numbers of any type."""
    values = numbers.astype(np.float64) + 0.0  # turns -0.0 into 0.0
    return add_rounding(float_bits(values), values, numbers)


def float_bits(values: Floats) -> Keys:
    """Return the bits of each number, and `MISSING` for NaN."""
    return np.where(np.isnan(values), MISSING, values.view(np.uint64))


def add_rounding(bits: Keys, values: Floats, whole: Array) -> Keys:
    """Mix in what float64 rounds off from long integers, such as identifiers."""
    if whole.dtype.kind not in "iu" or not values.size or np.abs(values).max() <= 2.0**53:
        return bits
    lost = (whole >> 32) * 2.0**32 - values + (whole & 0xFFFFFFFF)  # 0 (no change) if float64 is exact
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
