"""Quadratic features of principal components, in exact arithmetic as those of `RandomReLU` are."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from incumbent.core import Array
from incumbent.errors import ModelError
from incumbent.models._grid import SIGNED, Grid
from incumbent.models._projection import INPUT, Projection, product

TURN = 2.0**-10  # the components' entries are rounded to multiples of this
_COMPONENTS = 1024  # at most
_SQUARE, _FOUND = 2048, 512  # of more inputs the first of them are found by random projections, which takes seconds
_SPREAD, _SOME = 16, 2000  # steps of a standard deviation, so that 127 are about eight; rows that it is taken from


class QuadraticFeatures(Projection):
    r"""Principal components of the inputs and products of two of them: those of the m that vary most.

    With b the principal components of a centred and scaled input z, the features are

    .. math:: b_i, \qquad b_i b_j / \|z\| \; (i < j), \qquad b_i^2 / (\sqrt2 \, \|z\|),

    whose inner products, were none left out, are :math:`\|x\| \|y\| (\cos\theta + \cos^2\theta / 2)`: the kernel
    :math:`\|x\| \|y\| e^{\cos\theta}` up to its constant and second order. Of those :math:`d(d + 3)/2` the m of largest
    variance are kept, :math:`\lambda_i` and :math:`\lambda_i \lambda_j / \sum_k \lambda_k` where components are
    normal, which is the best kernel of rank m then. Where inputs have many columns that go together, as pixels
    and what trained layers give do, half to two thirds as many tell classes apart as well as random features do, in a
    fraction of their time; columns of unlike meaning are better served by `RandomReLU`. Division by the length keeps
    a far row from counting squared.

    All is rounded to whole multiples of powers of two: inputs, components, and each feature to one of its own, so that
    it takes 8 bits. Projections are sums of integers that single precision holds, and what follows is elementwise. So
    the same row gives the same numbers everywhere, as `RandomReLU` explains.

    Parameters
    ----------
    width : int
        The number m of features.
    each : bool
        Scale each input by its own standard deviation; otherwise all by one.
    seed : int
        For the components of more than 2,048 inputs, which are found by random projections.

    Attributes
    ----------
    mean_, scale_ : (d,) arrays
        What inputs are centred and scaled by.
    components_ : (k, d) int16 array
        Principal axes of the rows it was fitted on, in multiples of 2**-10.
    linear_ : int
        Features that are components themselves; they come first.
    reach_ : (r,) array
        Of each component in turn, with how many from itself on it is multiplied.
    steps_ : (m,) float32 array
        The step of each feature.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86,
    section III.C ("PCA and quadratic classifier"). Cho and Saul (2009), Kernel Methods for Deep Learning, NeurIPS:
    kernels of the same form, a product of lengths and a function of the angle.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 20))
    >>> layer = QuadraticFeatures(64).fit(x)
    >>> features = layer.transform(x)
    >>> features.shape, layer.linear_, bool((features[:3] == layer.transform(x[:3])).all())
    ((100, 64), 20, True)
    """

    kind = word = "quadratic"

    def __init__(self, width: int = 1000, each: bool = False, seed: int = 0) -> None:
        self.width, self.each, self.seed = width, each, seed

    @staticmethod
    def suits(rows: int, inputs: int, width: int) -> bool:
        """Whether so many rows of so many inputs give at least this many features."""
        most = min(rows - 1, inputs, _COMPONENTS)
        return most * (most + 3) // 2 >= width

    def fit(self, x: Any, y: Any = None) -> Self:
        """Find the components of rows (n, d) and the features that vary most.

        Raises
        ------
        ModelError
            The rows are sparse, or too few for so many features.
        """
        if hasattr(x, "tocsr"):
            raise ModelError("Quadratic features have principal components, of dense rows; these are sparse.")
        rows, inputs = np.shape(x)
        if not self.suits(rows, inputs, self.width):
            raise ModelError(
                f"{rows:,} rows of {inputs:,} inputs have fewer than {self.width:,} quadratic "
                'features; take fewer, or Analytic(projection="relu").'
            )
        levels = self._levels(self._centre(x))
        axes, variance = _principal(levels * np.float32(INPUT), self.seed)
        whole = float(np.einsum("ij,ij->", levels, levels, dtype=np.float64)) * INPUT**2 / len(levels)
        self.linear_, self.reach_ = _largest(variance, max(whole, 1e-300), self.width)
        used = max([self.linear_, *(at + int(many) for at, many in enumerate(self.reach_))])
        self.components_ = np.rint(axes[:used] / TURN).astype(np.int16)
        some = levels[:: -(-len(levels) // _SOME)]
        made = np.empty((len(some), self.width), dtype=np.float32)
        self._unrounded(some, made, *self._axes(), self.units().astype(np.float32))
        spread = np.sqrt(np.einsum("ij,ij->j", made, made, dtype=np.float64) / len(made)) / _SPREAD
        finest = 2.0**-20 * max(float(spread.max(initial=0.0)), 1e-30)  # of features that hardly vary
        self.steps_ = np.exp2(np.rint(np.log2(np.maximum(spread, finest)))).astype(np.float32)
        return self

    @property
    def grid(self) -> Grid:
        """The step of each feature."""
        return Grid(self.steps_, signed=True)

    @property
    def telling(self) -> int:
        """The first components, in which rows vary most."""
        return min(self.linear_, 128)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return names for the features, as scikit-learn asks for them."""
        pairs = [f"pc{i}*pc{i + k}" for i, many in enumerate(self.reach_) for k in range(many)]
        return np.array([*(f"pc{i}" for i in range(self.linear_)), *pairs], dtype=object)

    def units(self) -> Array:
        """Return what products of whole numbers are multiplied by to be each feature, (m,)."""
        made = np.full(self.width, INPUT * TURN)
        at = self.linear_
        for many in self.reach_:
            made[at : at + many] = INPUT * TURN**2  # two projections, and one length that only has the inputs' steps
            made[at] *= np.sqrt(0.5)
            at += int(many)
        return made

    def _ready(self) -> tuple[Any, ...]:
        return *self._axes(), (self.units() / self.steps_).astype(np.float32)

    def _axes(self) -> tuple[Array, float]:
        """Return the components, and the length of the longest."""
        axes = self.components_.astype(np.float32)
        return axes, float(np.sqrt(np.einsum("ij,ij->i", axes, axes).max(initial=0.0)))

    def _write(self, levels: Any, out: Array, *ready: Any) -> None:
        self._unrounded(levels, out, *ready)
        np.rint(out, out=out)
        np.clip(out, *SIGNED, out=out)
        out *= self.steps_

    def _unrounded(self, levels: Array, out: Array, axes: Array, longest: float, factors: Array) -> None:
        """Write the features times `factors` over their units; each row by itself but for sums that are exact."""
        square = np.einsum("ij,ij->i", levels, levels, dtype=np.float64)
        turned = product(levels, axes.T, np.sqrt(square.max(initial=0.0)), longest).astype(np.float32)
        shorter = (1.0 / np.sqrt(np.maximum(square, 1.0))).astype(np.float32)[:, None]
        out[:, : self.linear_] = turned[:, : self.linear_]
        shortened, at = turned * shorter, self.linear_
        for first, many in enumerate(self.reach_):
            np.multiply(turned[:, first : first + 1], shortened[:, first : first + many], out=out[:, at : at + many])
            at += int(many)
        out *= factors


def _principal(x: Array, seed: int) -> tuple[Array, Array]:
    """Return the principal axes of centred rows (n, d), (k, d), and the variance along each."""
    rows, inputs = x.shape
    most = min(rows - 1, inputs, _COMPONENTS)
    if inputs > _SQUARE:
        from sklearn.decomposition import PCA

        found = PCA(min(most, _FOUND), svd_solver="randomized", random_state=seed).fit(x)
        return found.components_, np.asarray(found.explained_variance_, dtype=np.float64)
    from scipy.linalg import eigh

    variance, axes = eigh(x.T @ x / np.float32(rows), driver="evd", overwrite_a=True, check_finite=False)
    return axes.T[::-1][:most], np.maximum(variance[::-1][:most], 0.0).astype(np.float64)


def _largest(variance: Array, whole: float, width: int) -> tuple[int, Array]:
    """Return how many components, and of each how many products from its square on, are among the most varying."""
    one, two = np.triu_indices(len(variance))
    each = np.concatenate([variance, variance[one] * variance[two] / whole])
    taken = np.argsort(-each, kind="stable")[:width]  # of equals the first, so that each component's products are a run
    linear = int((taken < len(variance)).sum())
    reach = np.bincount(one[taken[taken >= len(variance)] - len(variance)], minlength=1)
    return linear, np.trim_zeros(reach, "b").astype(np.int64)
