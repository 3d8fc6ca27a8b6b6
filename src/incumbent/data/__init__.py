"""What is known of rows: how they are read, checked against a schema and split.

The names are loaded on first use: reading data needs pandas and pyarrow, and most of a program does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand
from incumbent.core import DataCheck as DataCheck
from incumbent.core import Finding as Finding

if TYPE_CHECKING:
    from incumbent.data.reading._pixels import centred as centred
    from incumbent.data.reading._pixels import imagenet as imagenet
    from incumbent.data.reading._pixels import unit as unit
    from incumbent.data.reading._read import read as read
    from incumbent.data.rows._keys import row_keys as row_keys
    from incumbent.data.rows._lazy import LazyRows as LazyRows
    from incumbent.data.rows._lazy import in_memory as in_memory
    from incumbent.data.rows._quality import Quality as Quality
    from incumbent.data.rows._quality import examine as examine
    from incumbent.data.rows._split import Split as Split
    from incumbent.data.rows._split import split as split
    from incumbent.data.schema._column import Column as Column
    from incumbent.data.schema._schema import Schema as Schema

_HOME = {
    "Column": "schema._column",
    "LazyRows": "rows._lazy",
    "Quality": "rows._quality",
    "Schema": "schema._schema",
    "Split": "rows._split",
    "centred": "reading._pixels",
    "examine": "rows._quality",
    "imagenet": "reading._pixels",
    "in_memory": "rows._lazy",
    "read": "reading._read",
    "row_keys": "rows._keys",
    "split": "rows._split",
    "unit": "reading._pixels",
}

__all__ = [
    "Column",
    "DataCheck",
    "Finding",
    "LazyRows",
    "Quality",
    "Schema",
    "Split",
    "centred",
    "examine",
    "imagenet",
    "in_memory",
    "read",
    "row_keys",
    "split",
    "unit",
]

_get, __dir__ = on_demand(__name__, _HOME, __all__)

_MOVED = (
    "admit anchor_split assemble carry_uses draw emphasised load_anchor load_memory nbytes remember save_anchor "
    "save_memory spend"
)
__getattr__ = deprecated_names(__name__, {name: f"incumbent.memory.{name}" for name in _MOVED.split()}, _get)
