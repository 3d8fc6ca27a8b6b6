"""Everything that is known about rows: how they come in, what is checked, how they are split and remembered.

The names are loaded on first use, because reading data needs pandas and pyarrow and most of a program does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand
from incumbent.core import DataCheck as DataCheck
from incumbent.core import Finding as Finding

if TYPE_CHECKING:
    from incumbent.data._anchor import admit as admit
    from incumbent.data._anchor import anchor_split as anchor_split
    from incumbent.data._anchor import carry_uses as carry_uses
    from incumbent.data._anchor import load_anchor as load_anchor
    from incumbent.data._anchor import save_anchor as save_anchor
    from incumbent.data._anchor import spend as spend
    from incumbent.data._assemble import assemble as assemble
    from incumbent.data._assemble import emphasised as emphasised
    from incumbent.data._column import Column as Column
    from incumbent.data._keys import row_keys as row_keys
    from incumbent.data._lazy import LazyRows as LazyRows
    from incumbent.data._lazy import in_memory as in_memory
    from incumbent.data._memory import draw as draw
    from incumbent.data._memory import load_memory as load_memory
    from incumbent.data._memory import nbytes as nbytes
    from incumbent.data._memory import remember as remember
    from incumbent.data._memory import save_memory as save_memory
    from incumbent.data._pixels import centred as centred
    from incumbent.data._pixels import imagenet as imagenet
    from incumbent.data._pixels import unit as unit
    from incumbent.data._quality import Quality as Quality
    from incumbent.data._quality import examine as examine
    from incumbent.data._read import read as read
    from incumbent.data._schema import Schema as Schema
    from incumbent.data._split import Split as Split
    from incumbent.data._split import split as split

_HOME = {
    "Column": "_column",
    "LazyRows": "_lazy",
    "Quality": "_quality",
    "Schema": "_schema",
    "Split": "_split",
    "admit": "_anchor",
    "anchor_split": "_anchor",
    "assemble": "_assemble",
    "carry_uses": "_anchor",
    "centred": "_pixels",
    "draw": "_memory",
    "emphasised": "_assemble",
    "examine": "_quality",
    "imagenet": "_pixels",
    "in_memory": "_lazy",
    "load_anchor": "_anchor",
    "load_memory": "_memory",
    "nbytes": "_memory",
    "read": "_read",
    "remember": "_memory",
    "row_keys": "_keys",
    "save_anchor": "_anchor",
    "save_memory": "_memory",
    "spend": "_anchor",
    "split": "_split",
    "unit": "_pixels",
}

__all__ = sorted({*_HOME, "DataCheck", "Finding"})

__getattr__, __dir__ = on_demand(__name__, _HOME, __all__)
