"""Champion and challenger on rows from several sources, as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from incumbent.core import Array, Batch, Floats, Paired, Prediction

FOLDS = 3


def paired(rows: Batch, champion: Prediction, challenger: Prediction, source: str) -> Paired:
    """Return what both said of these rows."""
    block = None if rows.group is None else np.unique(rows.group, return_inverse=True)[1]
    return Paired(rows.labels, champion, challenger, source, rows.weight, block, x=rows.x)


def folds_of(rows: Batch, count: int, seed: int) -> Array:
    """Return the fold of each row, 0 to `count` - 1; rows of one group share theirs."""
    rng = np.random.default_rng(seed)
    if rows.group is None:
        return rng.permutation(np.arange(len(rows)) % count)
    names, at = np.unique(rows.group, return_inverse=True)
    folds: Array = rng.permutation(np.arange(len(names)) % count)[at]
    return folds


def joined(parts: Sequence[Paired], clip: float, *, with_x: bool, ordered: bool = False) -> Paired:
    """Return all pairs as one, with the sources of each named and losses cut off at `clip`."""
    source = "+".join(dict.fromkeys(p.source for p in parts))
    weights = [np.ones(len(p)) if p.weight is None else p.weight for p in parts]
    return Paired(
        np.concatenate([p.y for p in parts]),
        _together([p.champion for p in parts]),
        _together([p.challenger for p in parts]),
        source,
        np.concatenate(weights) if any(p.weight is not None for p in parts) else None,
        _blocks([p.block for p in parts]),
        ordered=ordered,
        clip=clip,
        x=Batch.join([Batch(p.x) for p in parts]).x if with_x else None,
    )


def _together(parts: Sequence[Prediction]) -> Prediction:
    """Join predictions of models that may know different classes."""
    label = np.concatenate([p.label for p in parts])
    if any(p.proba is None or p.classes is None for p in parts):
        return Prediction(label, None, parts[0].classes)
    if label.ndim == 2:  # several labels at once are the same ones, in the same order, for every model
        return Prediction(label, np.vstack([p.proba for p in parts if p.proba is not None]), parts[0].classes)
    classes = np.unique(np.concatenate([p.classes for p in parts if p.classes is not None]))
    return Prediction(label, np.vstack([_spread(p, classes) for p in parts]), classes)


def _spread(part: Prediction, classes: Array) -> Floats:
    assert part.proba is not None and part.classes is not None, "checked by the caller"
    proba = np.zeros((len(part), len(classes)))
    proba[:, np.searchsorted(classes, part.classes)] = part.proba
    return proba


def _blocks(parts: Sequence[Array | None]) -> Array | None:
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    start = np.cumsum([0, *(int(p.max(initial=-1)) + 1 for p in known[:-1])])
    return np.concatenate([p + s for p, s in zip(known, start, strict=True)])
