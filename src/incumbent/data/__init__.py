"""Read rows, check them against a schema, compare and split them.

The names are loaded on first use: reading data needs pandas and pyarrow, and most of a program does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand
from incumbent.core import DataCheck, Finding

if TYPE_CHECKING:
    from incumbent.data.reading._pixels import normalize_imagenet, scale_0_1, scale_minus1_1
    from incumbent.data.reading._read import read
    from incumbent.data.rows._flags import RowFlags, flag_rows
    from incumbent.data.rows._keys import row_keys
    from incumbent.data.rows._lazy import LazyRows, as_lazy, blocks, materialize, row_bytes
    from incumbent.data.rows._split import Split, split
    from incumbent.data.schema._column import Column
    from incumbent.data.schema._input import Input
    from incumbent.data.schema._schema import Schema

_NAMES = {
    "reading._pixels": ("normalize_imagenet", "scale_0_1", "scale_minus1_1"),
    "reading._read": ("read",),
    "rows._flags": ("RowFlags", "flag_rows"),
    "rows._keys": ("row_keys",),
    "rows._lazy": ("LazyRows", "as_lazy", "blocks", "materialize", "row_bytes"),
    "rows._split": ("Split", "split"),
    "schema._column": ("Column",),
    "schema._input": ("Input",),
    "schema._schema": ("Schema",),
}

RENAMED_PREPARE = {
    "incumbent.data:centred": "incumbent.data:scale_minus1_1",
    "incumbent.data:imagenet": "incumbent.data:normalize_imagenet",
    "incumbent.data:unit": "incumbent.data:scale_0_1",
}
"""The new name of each function that versions of 0.1 store as the `prepare` of a network."""

__all__ = [
    "RENAMED_PREPARE",
    "Column",
    "DataCheck",
    "Finding",
    "Input",
    "LazyRows",
    "RowFlags",
    "Schema",
    "Split",
    "as_lazy",
    "blocks",
    "flag_rows",
    "materialize",
    "normalize_imagenet",
    "read",
    "row_bytes",
    "row_keys",
    "scale_0_1",
    "scale_minus1_1",
    "split",
]

_get, __dir__ = on_demand(__name__, {name: home for home, names in _NAMES.items() for name in names}, __all__)

_RENAMED = {"Quality": "RowFlags", "examine": "flag_rows", "in_memory": "materialize"}
_RENAMED |= {old.partition(":")[2]: new.partition(":")[2] for old, new in RENAMED_PREPARE.items()}
_MOVED = {name: name for name in "anchor_split assemble load_anchor load_memory nbytes save_anchor save_memory".split()}
_MOVED |= {
    "admit": "add_to_anchor_set",
    "carry_uses": "merge_use_counts",
    "draw": "sample_memory",
    "emphasised": "scale_weights",
    "remember": "update_memory",
    "spend": "record_use",
}
__getattr__ = deprecated_names(
    __name__, {**_RENAMED, **{old: f"incumbent.memory.{new}" for old, new in _MOVED.items()}}, _get
)
