"""Features rounded to whole multiples of a step: each fits into a byte, and sums of products are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incumbent.core import Array

EXACT = 0.99 * 2.0**24  # whole numbers up to 2**24 are exact in single precision; the sum held against it is rounded
LIMITS = (0.0, 255.0)  # whole numbers that a byte holds


@dataclass(frozen=True)
class Grid:
    """Features are whole multiples of a step, from 0 to 255 of them. The step is a power of two, so nothing is rounded.

    Examples
    --------
    >>> grid = Grid(0.5)
    >>> codes = grid.pack(np.float32([[1.5, 4.0]]))
    >>> codes.tolist(), codes.dtype.name, grid.unpack(codes).tolist()
    ([[3, 8]], 'uint8', [[1.5, 4.0]])
    """

    step: float

    def sums_are_exact(self, features: Array) -> bool:
        """Return whether single precision sums the products of two of these float32 features (n, m) exactly.

        By Cauchy and Schwarz, no sum of products is larger than the largest sum of squares.
        """
        squares = np.einsum("ij,ij->j", features, features)
        return bool((squares <= np.float32(EXACT * self.step**2)).all())

    def pack(self, features: Array) -> Array:
        """Return float32 features (n, m) as bytes."""
        codes: Array = (features * features.dtype.type(1.0 / self.step)).astype(np.uint8)
        return codes

    def unpack(self, codes: Array) -> Array:
        """Return the features that bytes stand for, as float32."""
        made: Array = codes * np.float32(self.step)
        return made
