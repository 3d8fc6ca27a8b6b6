"""Random features in exact arithmetic: a row has the same features everywhere, to the last bit."""

from __future__ import annotations

import zlib
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from incumbent.core import Array
from incumbent.errors import ModelError
from incumbent.models.exact._grid import EXACT, LIMITS, Grid

GRID = 2.0**-5
"""Random features are multiples of this, from 0 to below 8: 8 bits, which costs no accuracy and makes sums exact."""
INPUT, WIDEST = 2.0**-6, 1023  # inputs are rounded to multiples of 1/64 of their spread, up to 16 times that
SPREAD = 4.0  # of one direction's entries: they are binomial, 64 coins each
PART = 256  # rows that stay in the cache through all steps


class RandomReLU(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """Random features ``max(0, r_j'z / sqrt(d + 1))`` of centred and scaled inputs z with a constant 1 appended.

    A ridge regression on a wide random layer is as accurate as many trained layers, and it can be solved exactly.
    Inputs, directions and features are rounded to whole multiples of powers of two, so coarsely that single precision
    holds every product and sum exactly. So a row has the same features whatever the other rows, the library, the
    threads or the machine are, and statistics from one place can be subtracted in another without a trace.

    Parameters
    ----------
    width : int
        The number m of features.
    each : bool
        Scale each input by its own standard deviation, as columns of different units need; otherwise all by one.
    seed : int
        Seed of the directions, which are not stored.

    Attributes
    ----------
    mean_, scale_ : (d,) arrays
        What inputs are centred and scaled by (sparse inputs are not centred).
    check_ : int
        Checksum of the directions.

    References
    ----------
    Rahimi and Recht (2008), Weighted Sums of Random Kitchen Sinks, NeurIPS. McDonnell et al. (2023), RanPAC: Random
    Projections and Pre-trained Models for Continual Learning, NeurIPS, eq. 4 to 6; there without the constant, and in
    plain floating point.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 5))
    >>> layer = RandomReLU(64).fit(x)
    >>> features = layer.transform(x)
    >>> features.shape, bool((features[:3] == layer.transform(x[:3])).all())
    ((100, 64), True)
    """

    grid = Grid(GRID)

    def __init__(self, width: int = 1000, each: bool = False, seed: int = 0) -> None:
        self.width, self.each, self.seed = width, each, seed

    def fit(self, x: Any, y: Any = None) -> Self:
        """Compute centre and scale from rows (n, d); nothing else is learned."""
        if hasattr(x, "columns"):
            self.feature_names_in_ = np.asarray(x.columns, dtype=object)
        x = to_numbers(x)
        self.n_features_in_ = int(x.shape[1])
        if hasattr(x, "tocsr"):
            mean, square = np.zeros(x.shape[1]), np.asarray(x.multiply(x).mean(axis=0), dtype=np.float64).ravel()
        else:
            mean = x.mean(axis=0, dtype=np.float64)
            square = np.var(x, axis=0, dtype=np.float64)
        spread = np.sqrt(square) if self.each else np.full(len(mean), np.sqrt(square.mean()))
        self.mean_, self.scale_ = mean, np.where(spread > 0, spread, 1.0)
        self.check_ = zlib.crc32(self._made().tobytes())
        return self

    def transform(self, x: Any) -> Array:
        """Return the features (n, m) of rows (n, d), as float32."""
        x, directions = to_numbers(x), self.directions()
        out = np.empty((x.shape[0], self.width), dtype=np.float32)
        for start in range(0, len(out), PART):
            levels = round_inputs(x[start : start + PART], self.mean_, self.scale_)
            self._write(levels, out[start : start + PART], directions)
        return out

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds it, as JSON values."""
        own = {"width": self.width, "each": self.each, "seed": self.seed, "check": int(self.check_)}
        return {**own, "mean": self.mean_.tolist(), "scale": self.scale_.tolist()}

    @staticmethod
    def from_description(stored: dict[str, Any]) -> RandomReLU:
        """Return the projection that `describe` described."""
        made = RandomReLU(stored["width"], stored["each"], stored["seed"])
        made.check_, made.n_features_in_ = stored["check"], len(stored["mean"])
        made.mean_, made.scale_ = np.array(stored["mean"]), np.array(stored["scale"])
        return made

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return names for the features."""
        return np.array([f"relu{j}" for j in range(self.width)], dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        kept: dict[str, Any] = {**super().__getstate__()}
        kept.pop("_directions", None)  # the seed gives them
        return kept

    def _write(self, levels: Any, out: Array, directions: Array) -> None:
        """Write the features of inputs that are whole numbers of steps."""
        if hasattr(levels, "tocsr"):
            length = float(np.asarray(levels.multiply(levels).sum(axis=1)).max(initial=0.0))
        else:
            length = float(np.einsum("ij,ij->i", levels, levels).max(initial=0.0))
        one = 1.0 / INPUT
        made = multiply_exactly(levels, directions[:-1], np.sqrt(length + one * one), 32.0 * np.sqrt(len(directions)))
        made += directions[-1] * made.dtype.type(one)
        # the only inexact step is elementwise, so it does not depend on the other rows
        made *= made.dtype.type(INPUT / (SPREAD * np.sqrt(self.n_features_in_ + 1.0) * GRID))
        np.clip(made, *LIMITS, out=made)
        np.rint(made, out=made)
        np.multiply(made, made.dtype.type(GRID), out=out, casting="same_kind")

    def directions(self) -> Array:
        """Return the directions (d + 1, m), float32, drawn from the seed; the last row is for the constant."""
        if not hasattr(self, "_directions"):
            made = self._made()
            if zlib.crc32(made.tobytes()) != self.check_:
                raise ModelError(
                    "The random directions of this model differ from those it was made with: NumPy draws other "
                    "numbers from the same seed here. Use the version of NumPy that is stored with the model."
                )
            self._directions = made
        return self._directions

    def _made(self) -> Array:
        """Return whole numbers (d + 1, m): the number of ones in 64 random bits, minus 32, which is almost normal."""
        bits = np.random.PCG64(self.seed).random_raw((self.n_features_in_ + 1) * self.width)
        made = np.bitwise_count(bits).astype(np.float32) - np.float32(32.0)
        return made.reshape(self.n_features_in_ + 1, self.width)


def to_numbers(x: Any) -> Any:
    """Return rows as an array or a sparse matrix of rows."""
    if hasattr(x, "tocsr"):
        return x.tocsr()
    return np.asarray(x) if not hasattr(x, "iloc") else x.to_numpy()


def round_inputs(x: Any, mean: Array, scale: Array) -> Any:
    """Return inputs (n, d) as whole numbers of steps, float32; sparse ones are not centred."""
    kind = np.float32 if x.dtype.itemsize <= 4 and x.dtype.kind != "i" else np.float64
    steps = (1.0 / (scale * INPUT)).astype(kind)
    if hasattr(x, "tocsr"):
        levels = x.tocsr().astype(np.float32, copy=True)
        levels.data = _round(x.data * steps[x.indices]).astype(np.float32)
        return levels
    levels = x.astype(kind)
    levels -= mean.astype(kind)
    levels *= steps
    return _round(levels).astype(np.float32, copy=False)


def multiply_exactly(levels: Any, directions: Array, length: float, longest: float) -> Array:
    """Return the exact product of whole numbers, of rows and directions of at most these lengths.

    By Cauchy and Schwarz, no sum of products exceeds the product of the lengths; single precision is exact below 2**24.
    """
    if length * longest > EXACT:
        levels, directions = levels.astype(np.float64), directions.astype(np.float64)
    return np.asarray(levels @ directions)


def _round(levels: Array) -> Array:
    np.rint(levels, out=levels)
    return np.clip(levels, -WIDEST, WIDEST, out=levels)
