"""A wider or a new head: the layer that makes the outputs of a net."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logit, logsumexp

from incumbent.core import Array, Batch, Floats
from incumbent.models.nets._net import HeadLayer, Net
from incumbent.models.nets._output_spec import OutputSpec
from incumbent.models.nets._outputs import in_batches

_ROWS = 2_000  # evenly spaced, whose features are read
_OF_CLASS = 50  # more of each new class


def widen_head(net: Net, spec: OutputSpec, train: Batch, unseen: Array, *, imprint: bool) -> dict[str, int]:
    """Give the head rows for new classes, in place; return the weights that were widened and their old rows.

    The outputs of the other classes stay the same to the last bit. A row starts at zero with the bias that gives its
    class its fraction of the training rows, or with `imprint` as the mean of the features of its class, as long as the
    other rows are on average (Qi et al. 2018, eq. 4).
    """
    head = net.head(train.x)
    weight, bias = head.weights()
    if spec.kind == "binary":  # one output for two classes becomes two that differ by it
        weight = np.concatenate([-weight, weight]) / 2
        bias = None if bias is None else np.concatenate([-bias, bias]) / 2
    rows, starts = _new_rows(net, head, weight, bias, train, unseen, imprint=imprint)
    head.set_weights(np.concatenate([weight, rows]), None if bias is None else np.concatenate([bias, starts]))
    return {name: len(weight) for name in head.weight_names}


def draw_head(net: Net, x: Any, width: int, seed: int) -> set[str]:
    """Draw the head again in place, with this number of outputs; return the names of its weights.

    Weights and biases are uniform between plus and minus ``1 / sqrt(inputs)`` (LeCun et al. 1998), as in PyTorch.
    """
    head, rng = net.head(x), np.random.default_rng(seed)
    weight, bias = head.weights()
    most = 1 / np.sqrt(max(1, weight[0].size))
    fresh = rng.uniform(-most, most, (width, *weight.shape[1:])).astype(weight.dtype)
    head.set_weights(fresh, None if bias is None else rng.uniform(-most, most, width).astype(bias.dtype))
    return set(head.weight_names)


def _new_rows(
    net: Net, head: HeadLayer, weight: Floats, bias: Floats | None, train: Batch, unseen: Array, *, imprint: bool
) -> tuple[Floats, Floats]:
    assert train.y is not None, "new classes are among the labels"
    some = np.unique(np.linspace(0, len(train) - 1, min(len(train), _ROWS)).astype(np.int64))
    some = np.union1d(some, np.concatenate([np.flatnonzero(train.y == label)[:_OF_CLASS] for label in unseen]))
    features, y = in_batches(net, net.rows(train.take(some).x), head.features), train.y[some]
    flat = weight.reshape(len(weight), -1)
    fits = features.shape[1] == flat.shape[1]  # a convolution that looks around reads more than a point
    made = np.zeros((len(unseen), *weight.shape[1:]), dtype=weight.dtype)
    if imprint and fits:
        length = np.linalg.norm(flat, axis=1).mean()
        for i, label in enumerate(unseen):
            mean = features[y == label].mean(axis=0)
            made[i] = (mean / max(float(np.linalg.norm(mean)), 1e-12) * length).reshape(weight.shape[1:])
        return made, np.full(len(unseen), 0.0 if bias is None else bias.mean(), dtype=weight.dtype)
    fraction = np.clip([float(np.mean(train.y == label)) for label in unseen], 1e-6, 1 - 1e-6)
    level = 0.0
    if fits:
        level = float(logsumexp(features @ flat.T + (0.0 if bias is None else bias), axis=1).mean())
    return made, (logit(fraction) + level).astype(weight.dtype)
