"""Read quadratic features of version 0.1: they transform rows as they did, and are not fitted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from incumbent.core import Array
from incumbent.models.exact._projection import INPUT, PART, RandomReLU, multiply_exactly, round_inputs, to_numbers

TURN = 2.0**-10  # entries of components are multiples of this
SIGNED = (-127.0, 127.0)


class QuadraticFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    r"""Principal components b of the inputs z, and products of two of them over their length.

    .. math:: b_i, \qquad b_i b_j / \|z\| \; (i < j), \qquad b_i^2 / (\sqrt2 \, \|z\|)

    Each feature is rounded to a multiple of a power of two. The next head is solved on `RandomReLU` instead.

    `components_` (k, d) are principal axes in multiples of 2**-10. The first `linear_` features are components. Each
    of the first is then multiplied with the next `reach_` ones, itself included. `steps_` (m,) are their steps.
    """

    def __init__(self, width: int = 1000, each: bool = False, seed: int = 0) -> None:
        self.width, self.each, self.seed = width, each, seed

    def fit(self, x: Any, y: Any = None) -> RandomReLU:
        """Become a `RandomReLU` of the same width and fit that: a Pipeline that is fitted again leaves these behind."""
        self.__class__ = RandomReLU  # another class, on purpose
        return RandomReLU.fit(self, x)

    def transform(self, x: Any) -> Array:
        """Return the features (n, m) of rows (n, d), as float32."""
        x, axes = to_numbers(x), self.components_.astype(np.float32)
        factors = (self.units() / self.steps_).astype(np.float32)
        longest = float(np.sqrt(np.einsum("ij,ij->i", axes, axes).max(initial=0.0)))
        out = np.empty((x.shape[0], self.width), dtype=np.float32)
        for start in range(0, len(out), PART):
            levels = round_inputs(x[start : start + PART], self.mean_, self.scale_)
            square = np.einsum("ij,ij->i", levels, levels, dtype=np.float64)
            turned = multiply_exactly(levels, axes.T, np.sqrt(square.max(initial=0.0)), longest).astype(np.float32)
            shorter = (1.0 / np.sqrt(np.maximum(square, 1.0))).astype(np.float32)[:, None]
            made = multiply_pairs(turned, shorter, self.linear_, self.reach_, np.hstack) * factors
            out[start : start + PART] = np.clip(np.rint(made), *SIGNED) * self.steps_
        return out

    def units(self) -> Array:
        """Return what products of whole numbers are multiplied by to be each feature, (m,)."""
        made = np.full(self.width, INPUT * TURN)
        at = self.linear_
        for many in self.reach_:
            made[at : at + many] = INPUT * TURN**2  # two projections, and one length that only has the inputs' steps
            made[at] *= np.sqrt(0.5)
            at += int(many)
        return made


def multiply_pairs(turned: Any, shorter: Any, linear: int, reach: Sequence[int], join: Callable[[Any], Any]) -> Any:
    """Return components and their products, arrays or tensors: some as they are, then each with those from it on."""
    shortened = turned * shorter
    runs = [turned[:, i : i + 1] * shortened[:, i : i + int(many)] for i, many in enumerate(reach)]
    return join([turned[:, :linear], *runs])
