"""What an update keeps for the next one: a reservoir of rows, the anchor set, importances and stored outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.memory._anchor_set import admit as admit
    from incumbent.memory._anchor_set import anchor_split as anchor_split
    from incumbent.memory._anchor_set import carry_uses as carry_uses
    from incumbent.memory._anchor_set import load_anchor as load_anchor
    from incumbent.memory._anchor_set import save_anchor as save_anchor
    from incumbent.memory._anchor_set import spend as spend
    from incumbent.memory._assemble import assemble as assemble
    from incumbent.memory._assemble import emphasised as emphasised
    from incumbent.memory._importance import carried as carried
    from incumbent.memory._importance import carry as carry
    from incumbent.memory._importance import normalised as normalised
    from incumbent.memory._reservoir import draw as draw
    from incumbent.memory._reservoir import load_memory as load_memory
    from incumbent.memory._reservoir import nbytes as nbytes
    from incumbent.memory._reservoir import remember as remember
    from incumbent.memory._reservoir import save_memory as save_memory
    from incumbent.memory._stored_outputs import recalled as recalled

_HOME = {
    "admit": "_anchor_set",
    "anchor_split": "_anchor_set",
    "assemble": "_assemble",
    "carried": "_importance",
    "carry": "_importance",
    "carry_uses": "_anchor_set",
    "draw": "_reservoir",
    "emphasised": "_assemble",
    "load_anchor": "_anchor_set",
    "load_memory": "_reservoir",
    "nbytes": "_reservoir",
    "normalised": "_importance",
    "recalled": "_stored_outputs",
    "remember": "_reservoir",
    "save_anchor": "_anchor_set",
    "save_memory": "_reservoir",
    "spend": "_anchor_set",
}

__all__ = [
    "admit",
    "anchor_split",
    "assemble",
    "carried",
    "carry",
    "carry_uses",
    "draw",
    "emphasised",
    "load_anchor",
    "load_memory",
    "nbytes",
    "normalised",
    "recalled",
    "remember",
    "save_anchor",
    "save_memory",
    "spend",
]

__getattr__, __dir__ = on_demand(__name__, _HOME)
