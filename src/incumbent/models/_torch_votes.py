"""The votes of rows that are kept beside an exact head, as a layer of a net."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.models._neighbours import PARTS, ROWS, SHARPNESS, Votes, mixed


class VotesLayer(nn.Module):
    """What `Votes` says, mixed with the probabilities of a head.

    Parameters
    ----------
    votes : Votes
        The kept rows.
    """

    codes: Tensor
    of: Tensor
    weight: Tensor
    step: Tensor
    centre: Tensor

    def __init__(self, votes: Votes) -> None:
        super().__init__()
        for name in PARTS:
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(getattr(votes, name))))
        self._directions: Tensor | None = None

    def forward(self, read: Tensor, scores: Tensor) -> Tensor:
        """Return the logarithms of the mixed probabilities (n, c), from what the head reads (n, m) and its scores."""
        votes = self._votes(scores.shape[1])
        shares = torch.cat([self._shares(part, votes) for part in torch.split(read.detach(), ROWS)])
        tiny = torch.finfo(scores.dtype).tiny
        return torch.log(mixed(scores.softmax(dim=1), shares.to(scores.dtype)).clamp_min(tiny))

    def as_kept(self) -> Votes:
        """Return the votes as the head knows them."""
        return Votes(*(getattr(self, name).cpu().numpy() for name in PARTS))

    @property
    def told(self) -> dict[str, Any]:
        """What makes the layer again, beside its buffers."""
        return {"rows": len(self.codes), "features": self.codes.shape[1], "signed": self.codes.dtype == torch.int8}

    @staticmethod
    def blank(told: dict[str, Any]) -> VotesLayer:
        """Return the layer that `told` describes, its buffers still to be read from a file."""
        rows, features = told["rows"], told["features"]
        codes = np.zeros((rows, features), dtype=np.int8 if told["signed"] else np.uint8)
        one, each = np.zeros(rows, dtype=np.float32), np.zeros(features, dtype=np.float32)
        return VotesLayer(Votes(codes, one.astype(np.int32), one, each, each.copy()))

    def _shares(self, read: Tensor, votes: Tensor) -> Tensor:
        asked = _unit(read[:, : len(self.centre)].to(self.centre.dtype), self.centre)
        near = (asked @ self._known().T).sub_(1.0).mul_(SHARPNESS).exp_()
        found = near @ votes
        shares: Tensor = found / found.sum(dim=1, keepdim=True)
        return shares

    def _known(self) -> Tensor:
        """Return the kept rows about the mean, of length 1."""
        found = self._directions
        if found is None or (found.device, found.dtype) != (self.centre.device, self.centre.dtype):
            self._directions = found = _unit(self.codes * self.step, self.centre)
        return found

    def _load_from_state_dict(self, *given: Any) -> None:
        super()._load_from_state_dict(*given)
        self._directions = None  # of the rows that were there before

    def _votes(self, classes: int) -> Tensor:
        made = self.weight.new_zeros((len(self.of), classes))
        made[torch.arange(len(self.of), device=made.device), self.of.long()] = self.weight
        return made


def _unit(features: Tensor, centre: Tensor) -> Tensor:
    about = features - centre
    made: Tensor = about / torch.linalg.vector_norm(about, dim=1, keepdim=True).clamp_min(1e-30)
    return made
