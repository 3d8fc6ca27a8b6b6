"""Pass rows through a net in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from incumbent.core import Array
from incumbent.models.nets._net import Inputs, Net, Rows
from incumbent.models.nets._ops import Tensor
from incumbent.models.nets._output_spec import OutputSpec

_BYTES = 1 << 25  # of inputs in a batch
_ROWS = 4096


def outputs(net: Net, spec: OutputSpec, x: Any) -> Array:
    """Return the outputs (n, k) of rows, as logits."""
    rows = net.rows(x)
    if not len(rows):
        return np.zeros((0, spec.width or 1), dtype=np.float32)
    try:
        return in_batches(net, rows, lambda inputs: spec.logits(net.forward(inputs), net.ops))
    except IndexError:  # ids beyond a table count as its mean row, as they will when the table grows
        wider = net.copy()
        if not wider.widen_tables(x):
            raise
        return in_batches(wider, rows, lambda inputs: spec.logits(wider.forward(inputs), wider.ops))


def in_batches(net: Net, rows: Rows, function: Callable[[Inputs], Tensor]) -> Array:
    """Return a function of all rows, computed at rest in batches that are halved if the memory is full."""
    ops = net.ops
    first = rows.at(ops.asarray(np.zeros(1, dtype=np.int64)))
    each = sum(ops.numpy(part).nbytes for part in first.values())
    size = int(np.clip(_BYTES // max(1, each), 16, _ROWS))
    with net.at_rest():
        while True:
            try:
                starts = range(0, len(rows), size)
                at = (ops.asarray(np.arange(start, min(start + size, len(rows)))) for start in starts)
                return np.concatenate([ops.numpy(function(rows.at(part))) for part in at])
            except (RuntimeError, MemoryError) as error:
                if not net.is_out_of_memory(error) or size == 1:
                    raise
                size //= 2
