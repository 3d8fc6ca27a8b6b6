"""Inputs for projections: columns of unlike units, and rows in small groups."""

import numpy as np

UNLIKE = np.random.default_rng(0).normal(size=(700, 9)) * np.array([1, 10, 100, 1, 1, 1, 1, 1, 1]) + 3
_CENTRES = np.random.default_rng(3).normal(size=(80, 6))


def groups(n, seed=0):
    """Rows (n, 6) about 80 centres, and which centre each is about."""
    rng = np.random.default_rng(seed)
    of = rng.integers(0, 80, n)
    return _CENTRES[of] + 0.1 * rng.normal(size=(n, 6)), of
