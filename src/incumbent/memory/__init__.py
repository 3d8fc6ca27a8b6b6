"""What an update keeps for the next one: a reservoir of rows, the anchor set, importances and stored outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.memory._anchor_set import add_to_anchor_set as add_to_anchor_set
    from incumbent.memory._anchor_set import anchor_split as anchor_split
    from incumbent.memory._anchor_set import merge_use_counts as merge_use_counts
    from incumbent.memory._anchor_set import record_use as record_use
    from incumbent.memory._assemble import assemble as assemble
    from incumbent.memory._assemble import scale_weights as scale_weights
    from incumbent.memory._files import load_anchor as load_anchor
    from incumbent.memory._files import load_memory as load_memory
    from incumbent.memory._files import save_anchor as save_anchor
    from incumbent.memory._files import save_memory as save_memory
    from incumbent.memory._old_models import accumulate_importance as accumulate_importance
    from incumbent.memory._old_models import get_importance as get_importance
    from incumbent.memory._old_models import normalize_importance as normalize_importance
    from incumbent.memory._old_models import stored_logits as stored_logits
    from incumbent.memory._reservoir import nbytes as nbytes
    from incumbent.memory._reservoir import reservoir_size as reservoir_size
    from incumbent.memory._reservoir import sample_memory as sample_memory
    from incumbent.memory._reservoir import update_memory as update_memory

_HOME = {
    "accumulate_importance": "_old_models",
    "add_to_anchor_set": "_anchor_set",
    "anchor_split": "_anchor_set",
    "assemble": "_assemble",
    "get_importance": "_old_models",
    "load_anchor": "_files",
    "load_memory": "_files",
    "merge_use_counts": "_anchor_set",
    "nbytes": "_reservoir",
    "normalize_importance": "_old_models",
    "record_use": "_anchor_set",
    "reservoir_size": "_reservoir",
    "sample_memory": "_reservoir",
    "save_anchor": "_files",
    "save_memory": "_files",
    "scale_weights": "_assemble",
    "stored_logits": "_old_models",
    "update_memory": "_reservoir",
}

__all__ = [
    "accumulate_importance",
    "add_to_anchor_set",
    "anchor_split",
    "assemble",
    "get_importance",
    "load_anchor",
    "load_memory",
    "merge_use_counts",
    "nbytes",
    "normalize_importance",
    "record_use",
    "reservoir_size",
    "sample_memory",
    "save_anchor",
    "save_memory",
    "scale_weights",
    "stored_logits",
    "update_memory",
]

__getattr__, __dir__ = on_demand(__name__, _HOME)
