"""A wider or a new head: the layer that makes the outputs of a net."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logit, logsumexp

from incumbent.core import Array, Batch, Floats
from incumbent.models.nets._net import HeadLayer, Net
from incumbent.models.nets._output_spec import OutputSpec

_ROWS = 2_000  # evenly spaced, that the features of a net are read of
_OF_CLASS = 50  # more of each new class
_BATCH = 256


def widen_head(net: Net, spec: OutputSpec, train: Batch, unseen: Array, *, imprint: bool) -> dict[str, int]:
    """Give the head rows for new classes, in place; the outputs of the other classes stay the same to the last bit.

    A row starts at zero with the bias that gives its class its share of the training rows, or with `imprint` as the
    mean of the features of its class, as long as the other rows are on average (Qi et al. 2018, eq. 4).

    Returns
    -------
    dict of str to int
        The weights that were widened, with the number of old rows.
    """
    head = net.head(train.x)
    weight, bias = _as_softmax(head, spec)
    rows, starts = _new_rows(net, head, weight, bias, train, unseen, imprint=imprint)
    head.set_weights(np.concatenate([weight, rows]), None if bias is None else np.concatenate([bias, starts]))
    return {name: len(weight) for name in head.weight_names}


def draw_head(net: Net, x: Any, width: int, seed: int) -> set[str]:
    """Draw the head again in place, with this number of outputs; return the names of its weights."""
    head = net.head(x)
    head.redraw(width, seed)
    return set(head.weight_names)


def _as_softmax(head: HeadLayer, spec: OutputSpec) -> tuple[Floats, Floats | None]:
    weight, bias = head.weights()
    if spec.kind != "binary":
        return weight, bias
    return np.concatenate([-weight, weight]) / 2, None if bias is None else np.concatenate([-bias, bias]) / 2


def _new_rows(
    net: Net, head: HeadLayer, weight: Floats, bias: Floats | None, train: Batch, unseen: Array, *, imprint: bool
) -> tuple[Floats, Floats]:
    assert train.y is not None, "new classes are among the labels"
    some = np.unique(np.linspace(0, len(train) - 1, min(len(train), _ROWS)).astype(np.int64))
    some = np.union1d(some, np.concatenate([np.flatnonzero(train.y == label)[:_OF_CLASS] for label in unseen]))
    features, y = _features(net, head, train.x, some), train.y[some]
    flat = weight.reshape(len(weight), -1)
    fits = features.shape[1] == flat.shape[1]  # a convolution that looks around reads more than a point
    made = np.zeros((len(unseen), *weight.shape[1:]), dtype=weight.dtype)
    if imprint and fits:
        length = np.linalg.norm(flat, axis=1).mean()
        for i, label in enumerate(unseen):
            mean = features[y == label].mean(axis=0)
            made[i] = (mean / max(float(np.linalg.norm(mean)), 1e-12) * length).reshape(weight.shape[1:])
        return made, np.full(len(unseen), 0.0 if bias is None else bias.mean(), dtype=weight.dtype)
    share = np.clip([float(np.mean(train.y == label)) for label in unseen], 1e-6, 1 - 1e-6)
    level = 0.0
    if fits:
        level = float(logsumexp(features @ flat.T + (0.0 if bias is None else bias), axis=1).mean())
    return made, (logit(share) + level).astype(weight.dtype)


def _features(net: Net, head: HeadLayer, x: Any, some: Array) -> Floats:
    rows, parts = net.rows(x), []
    with net.at_rest():
        for start in range(0, len(some), _BATCH):
            parts.append(net.ops.numpy(head.features(rows.at(net.ops.asarray(some[start : start + _BATCH])))))
    return np.concatenate(parts)
