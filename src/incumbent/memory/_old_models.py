"""What a memory keeps of older models: how much their weights matter, and their logits for rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from incumbent.core import Batch, Floats, HasLogits, Importance, Memory


def get_importance(memory: Memory, kind: Importance, *, normalise: bool = False) -> dict[str, Floats]:
    """Return the importances of one kind in a memory, by weight name; empty if there are none.

    Examples
    --------
    >>> memory = Memory(importance={"coef": np.ones(2), "output:coef": np.zeros(2)})
    >>> get_importance(memory, "output")
    {'coef': array([0., 0.])}
    """
    start = _prefix(kind, normalise)
    found = {name: value for name, value in memory.importance.items() if name.startswith(start)}
    return {name.removeprefix(start): value for name, value in found.items() if ":" not in name.removeprefix(start)}


def accumulate_importance(
    memory: Memory, new: Mapping[str, Floats], kind: Importance, *, gamma: float, normalise: bool = False
) -> Memory:
    """Return the memory with ``gamma * old + new`` for each weight and without importances of other kinds.

    Those belong to the weights of an older model, so nothing may be added to them later. If the shape of a weight has
    changed because a class was added, its old importance is dropped too.
    """
    old, start = get_importance(memory, kind, normalise=normalise), _prefix(kind, normalise)
    scaled = normalize_importance(new) if normalise else new
    return memory.replace(
        importance={start + name: _accumulate(old.get(name), value, gamma) for name, value in scaled.items()}
    )


def normalize_importance(values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the same importances scaled so that their mean over all weights is one; all zero stays so."""
    total, count = sum(float(v.sum()) for v in values.values()), sum(v.size for v in values.values())
    scale = count / total if total > 0 and np.isfinite(total) else 1.0
    return {name: value * scale for name, value in values.items()}


def _prefix(kind: Importance, normalise: bool) -> str:
    return "" if kind == "fisher" and not normalise else f"{kind}{'*' * normalise}:"


def _accumulate(old: Floats | None, new: Floats, gamma: float) -> Floats:
    return new if old is None or old.shape != new.shape else gamma * old + new


def stored_logits(model: HasLogits, rows: Batch) -> Floats:
    """Return the outputs (n, k) that are stored with rows; missing ones are computed with `model`."""
    stored = rows.soft
    if stored is None:
        return model.logits(rows.x)
    missing = np.flatnonzero(np.isnan(stored).all(axis=1))
    if not len(missing):
        return stored
    computed = model.logits(rows.take(missing).x)
    outputs = np.full((len(rows), max(stored.shape[1], computed.shape[1])), np.nan)
    outputs[:, : stored.shape[1]] = stored
    outputs[missing, : computed.shape[1]] = computed
    return outputs
