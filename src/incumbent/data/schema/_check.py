"""What was found in the data at the door: findings in words, and the digest that names the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd

from incumbent.core import Batch
from incumbent.data.rows._keys import column_keys, row_keys
from incumbent.words import counted, listed, nearest


def digest(batch: Batch) -> str:
    """Return the SHA-256 (hex, 64 characters) of a batch.

    Each row is first hashed, those of a data frame by pandas, column by column, so that the layout in memory does not
    matter; arrays are read a block at a time, and their hashes are what the rows are told apart by later.
    """
    content = hashlib.sha256()
    if isinstance(batch.x, pd.DataFrame):
        content.update(repr(list(batch.x.columns)).encode())
        content.update(pd.util.hash_pandas_object(batch.x, index=False).to_numpy().tobytes())
    else:
        content.update(repr(_form(batch.x)).encode())
        content.update(row_keys(batch, labels=False).tobytes())
    for name in ("y", "time", "group"):
        column = getattr(batch, name)
        if column is not None:
            content.update(name.encode())
            content.update((pd.util.hash_array(column) if column.ndim == 1 else column_keys(column)).tobytes())
    return content.hexdigest()


def _form(x: Any) -> Any:
    if isinstance(x, dict):
        return [(name, _form(x[name])) for name in sorted(x)]
    return list(x.columns) if isinstance(x, pd.DataFrame) else (x.shape, str(x.dtype))


def absent(what: str, names: Sequence[str], there: Sequence[str], source: str) -> str:
    """Return the sentence that says which names a source lacks, and which were probably meant."""
    meant = {name: nearest(name, there) for name in names}
    shown = [f"{name!r} (is it {near!r}?)" if near else repr(name) for name, near in list(meant.items())[:8]]
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    count = f"the {what}" if len(names) == 1 else counted(len(names), what)
    return f"{source} lacks {count} {', '.join(shown)}{more}; it has {listed(there, 12)}."
