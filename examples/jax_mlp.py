"""A neural network in plain JAX, such as a team may have written for itself. `jax_adapter` brings it to Incumbent."""

from __future__ import annotations

import itertools

import jax
import numpy as np


class MLP:
    """A multilayer perceptron: relu between layers, whose weights are (outputs, inputs)."""

    def __init__(self, *widths: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.widths, self.weights, self.projection = widths, {}, None
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            self.weights[f"layer{i}.weight"] = rng.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
            self.weights[f"layer{i}.bias"] = np.zeros(outputs, np.float32)

    def __call__(self, x, weights=None, layers=None):
        """Return the logits, or the output of the first `layers` layers."""
        weights, last = weights or self.weights, len(self.widths) - 2
        for i in range(last + 1 if layers is None else layers):
            if i == last and self.projection is not None:
                shape = jax.ShapeDtypeStruct((len(x), self.projection.width), np.float32)
                x = jax.pure_callback(self.projection.transform, shape, jax.lax.stop_gradient(x))
            x = x @ weights[f"layer{i}.weight"].T + weights[f"layer{i}.bias"]
            x = jax.nn.relu(x) if i < last else x
        return x
