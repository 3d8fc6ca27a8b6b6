"""Inputs for projections: columns of unlike units, and columns that go together."""

import numpy as np

UNLIKE = np.random.default_rng(0).normal(size=(700, 9)) * np.array([1, 10, 100, 1, 1, 1, 1, 1, 1]) + 3
_TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 40)))[0] * np.arange(1, 41)[:, None] ** -0.7
ALIKE = np.random.default_rng(0).normal(size=(900, 40)) @ _TURN + 3
