"""Rows: how they are read, checked against a schema, compared and split.

The names are loaded on first use: reading data needs pandas and pyarrow, and most of a program does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand
from incumbent.core import DataCheck as DataCheck
from incumbent.core import Finding as Finding

if TYPE_CHECKING:
    from incumbent.data.reading._pixels import normalize_imagenet as normalize_imagenet
    from incumbent.data.reading._pixels import scale_0_1 as scale_0_1
    from incumbent.data.reading._pixels import scale_minus1_1 as scale_minus1_1
    from incumbent.data.reading._read import read as read
    from incumbent.data.rows._flags import RowFlags as RowFlags
    from incumbent.data.rows._flags import flag_rows as flag_rows
    from incumbent.data.rows._keys import row_keys as row_keys
    from incumbent.data.rows._lazy import LazyRows as LazyRows
    from incumbent.data.rows._lazy import as_lazy as as_lazy
    from incumbent.data.rows._lazy import blocks as blocks
    from incumbent.data.rows._lazy import materialize as materialize
    from incumbent.data.rows._lazy import row_bytes as row_bytes
    from incumbent.data.rows._split import Split as Split
    from incumbent.data.rows._split import split as split
    from incumbent.data.schema._column import Column as Column
    from incumbent.data.schema._input import Input as Input
    from incumbent.data.schema._schema import Schema as Schema

_HOME = {
    "Column": "schema._column",
    "Input": "schema._input",
    "LazyRows": "rows._lazy",
    "RowFlags": "rows._flags",
    "Schema": "schema._schema",
    "Split": "rows._split",
    "as_lazy": "rows._lazy",
    "blocks": "rows._lazy",
    "flag_rows": "rows._flags",
    "materialize": "rows._lazy",
    "normalize_imagenet": "reading._pixels",
    "read": "reading._read",
    "row_bytes": "rows._lazy",
    "row_keys": "rows._keys",
    "scale_0_1": "reading._pixels",
    "scale_minus1_1": "reading._pixels",
    "split": "rows._split",
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

_get, __dir__ = on_demand(__name__, _HOME, __all__)

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
