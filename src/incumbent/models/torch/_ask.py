"""Ask a net about rows: for its outputs, for what its last layer reads of them, and for what that layer says of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Floats, Prediction
from incumbent.models.torch._analytic import AnalyticLayer, analytic_layer
from incumbent.models.torch._head import Speech, at_rest, features_of
from incumbent.models.torch._input import Inputs, Reader, Rows, apply
from incumbent.models.torch._structure import widen_tables

_BYTES = 1 << 25  # of inputs in a batch
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Asked:
    """A net where it predicts, and how it is asked.

    Parameters
    ----------
    net : nn.Module
        The net, on the device where it predicts.
    reader : Reader
        How rows become its inputs.
    speech : Speech
        How its outputs are read.
    """

    net: nn.Module
    reader: Reader
    speech: Speech

    @property
    def home(self) -> torch.device:
        """Where the net is."""
        return next((p.device for p in self.net.parameters()), torch.device("cpu"))

    def outputs(self, x: Any) -> Tensor:
        """Return the outputs (n, k) of rows, as logits."""
        rows = self.reader.rows(x, self.home)
        if not len(rows):
            return torch.zeros((0, self.speech.width or 1))
        try:
            return self._in_batches(rows, self.net)
        except IndexError:  # ids beyond a table: read as its mean row, as they would be when the table grows
            wider = copy.deepcopy(self.net)
            if not widen_tables(wider, self.reader, x):
                raise
            return self._in_batches(rows, wider)

    def _in_batches(self, rows: Rows, net: nn.Module) -> Tensor:
        with at_rest(net), torch.inference_mode():
            return in_batches(rows, self.home, lambda inputs: self.speech.logits(apply(net, inputs, rows.call)))

    def features(self, name: str, x: Any) -> Floats:
        """Return what the layer of that name reads of each row, (n, d)."""
        return self._read(self.net.get_submodule(name), x)

    def read(self, name: str, x: Any) -> Floats:
        """Return the same, of an analytic layer what lies behind its projection, (n, m)."""
        return self._read(self._linear(name), x)

    def _read(self, layer: nn.Module, x: Any) -> Floats:
        rows = self.reader.rows(x, self.home)
        made = in_batches(rows, self.home, lambda inputs: features_of(self.net, layer, inputs, rows.call))
        return made.numpy()

    def lifted(self, features: Floats) -> Floats:
        """Return the projection of an analytic layer, if there is one, of what it reads."""
        found = analytic_layer(self.net)
        lift = None if found is None else found[1].lift
        if lift is None:
            return features
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(features), 1024)
            return np.concatenate([lift(part.to(self.home)).cpu().numpy() for part in parts])

    def answer(self, name: str, read: Floats) -> Prediction:
        """Return what the layer of that name says of what it reads."""
        say = self._linear(name)
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(read), _ROWS)
            return self.speech.said(torch.cat([self.speech.logits(say(part.to(self.home))).cpu() for part in parts]))

    def _linear(self, name: str) -> nn.Module:
        layer = self.net.get_submodule(name)
        return layer.layer if isinstance(layer, AnalyticLayer) else layer


def in_batches(rows: Rows, home: torch.device, ask: Callable[[Inputs], Tensor]) -> Tensor:
    """Ask about rows in batches that fit, smaller ones where the memory ends; the answers are on the CPU."""
    first = rows.at(torch.zeros(1, dtype=torch.long, device=home))
    each = sum(t.numel() * t.element_size() for t in first.values())
    size = int(np.clip(_BYTES // max(1, each), 16, _ROWS))
    while True:
        try:
            return torch.cat([ask(rows.at(at)).cpu() for at in torch.split(torch.arange(len(rows), device=home), size)])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or size == 1:
                raise
            size //= 2


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the device has ended."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "not enough memory" in str(error)
