"""Steps that features are whole multiples of, so few that each fits into a byte and sums of products are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incumbent.core import Array

EXACT = 0.99 * 2.0**24  # whole numbers up to 2**24 are exact in single precision; the sum held against it is rounded
UNSIGNED, SIGNED = (0.0, 255.0), (-127.0, 127.0)  # whole numbers that a byte holds


@dataclass(frozen=True, eq=False)
class Grid:
    """The step of each feature, and the whole numbers of steps that it takes.

    Parameters
    ----------
    step : float or (m,) float32 array
        Powers of two: multiplying and dividing by them rounds nothing.
    signed : bool
        Whether whole numbers lie from -127 to 127 or from 0 to 255.

    Examples
    --------
    >>> grid = Grid(np.float32([0.5, 2.0]), signed=True)
    >>> codes = grid.pack(np.float32([[1.5, -4.0]]))
    >>> codes.tolist(), codes.dtype.name, grid.unpack(codes).tolist()
    ([[3, -2]], 'int8', [[1.5, -4.0]])
    """

    step: float | Array
    signed: bool

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest whole number."""
        return SIGNED if self.signed else UNSIGNED

    def first(self, many: int) -> Grid:
        """Return the grid of so many features, the first."""
        return Grid(self.step if np.ndim(self.step) == 0 else np.asarray(self.step)[:many], self.signed)

    def sums_are_exact(self, features: Array) -> bool:
        """Whether single precision adds up products of two of these float32 features (n, m) over the rows exactly.

        As steps are powers of two, only the whole numbers count: by Cauchy and Schwarz no sum of their products is
        larger than one of squares.
        """
        squares = np.einsum("ij,ij->j", features, features)
        return bool((squares <= EXACT * np.asarray(self.step, dtype=np.float32) ** 2).all())

    def pack(self, features: Array) -> Array:
        """Return float32 features (n, m) as bytes."""
        whole = features * np.reciprocal(np.asarray(self.step, dtype=features.dtype))
        codes: Array = whole.astype(np.int8 if self.signed else np.uint8)
        return codes

    def unpack(self, codes: Array) -> Array:
        """Return the features that bytes stand for, as float32."""
        made: Array = codes * np.asarray(self.step, dtype=np.float32)
        return made
