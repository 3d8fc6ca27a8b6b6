"""Add the new rows to memory and anchor set, for the next update."""

from __future__ import annotations

import numpy as np

from incumbent.core import AnchorSet, Batch, Memory, Model
from incumbent.memory import add_to_anchor_set, record_use, update_memory
from incumbent.models import update_statistics
from incumbent.strategies import parse
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._judge import Judgement


def remember_rows(inputs: UpdateInputs, found: Judgement) -> tuple[Memory, AnchorSet]:
    """Return memory and anchor set with the new rows. Each row goes to one of the two, never to both."""
    live, seed = inputs.live, inputs.seed
    anchor = record_use(live.anchor, np.arange(len(live.anchor))) if found.proved else live.anchor
    anchor, free = add_to_anchor_set(anchor, inputs.test.rows, seed=seed)
    learned = Batch.join([inputs.train.rows, inputs.select.rows, free])
    memory = update_memory(live.memory, learned, seed=seed, rare=live.rare_rows)
    memory, model = _follow_strategy(inputs, found, memory, learned)
    if memory.statistics and memory.statistics is live.memory.statistics:
        memory = update_statistics(memory, model, learned)  # they contain every row, whichever model won
    return memory, anchor


def _follow_strategy(inputs: UpdateInputs, found: Judgement, memory: Memory, learned: Batch) -> tuple[Memory, Model]:
    """Return the memory with what the promoted strategy keeps, and the model that is live from now on."""
    chosen = found.chosen
    if not found.promoted or chosen is None or chosen.model is None or chosen.recipe is None:
        return memory, inputs.live.model
    if chosen.recipe.structure.start == "scratch":
        memory = memory.replace(importance={})  # importances of other weights
    return parse(chosen.strategy).remember(memory, chosen.model, learned), chosen.model


def count_rows(inputs: UpdateInputs, memory: Memory, anchor: AnchorSet) -> dict[str, int]:
    """Return the row counts of an outcome."""
    return {
        "read": len(inputs.batch),
        "train": len(inputs.train),
        "select": len(inputs.select),
        "gate": len(inputs.test),
        "anchor": len(anchor),
        "memory": len(memory),
        **inputs.quality.counts,
    }
