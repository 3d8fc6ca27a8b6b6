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
        self._made: tuple[Tensor, Tensor] | None = None

    def forward(self, read: Tensor, scores: Tensor) -> Tensor:
        """Return the logarithms of the mixed probabilities (n, c), from what the head reads (n, m) and its scores."""
        shares = torch.cat([self._shares(part, scores.shape[1]) for part in torch.split(read.detach(), ROWS)])
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

    def _shares(self, read: Tensor, classes: int) -> Tensor:
        directions, ballots = self._known(classes)
        asked = _unit(read[:, : len(self.centre)].to(directions.dtype), self.centre)
        found = (asked @ directions.T).sub_(1.0).mul_(SHARPNESS).exp_() @ ballots
        shares: Tensor = found / found.sum(dim=1, keepdim=True)
        return shares

    def _known(self, classes: int) -> tuple[Tensor, Tensor]:
        """Return the kept rows about the mean, of length 1, and their weights by class, (n, classes); made once."""
        made, centre = self._made, self.centre
        if made is None or (made[0].device, made[0].dtype, made[1].shape[1]) != (centre.device, centre.dtype, classes):
            ballots = self.weight.new_zeros((len(self.of), classes))
            ballots[torch.arange(len(self.of), device=centre.device), self.of.long()] = self.weight
            self._made = made = _unit(self.codes * self.step, centre), ballots
        return made

    def _load_from_state_dict(self, *given: Any) -> None:
        super()._load_from_state_dict(*given)
        self._made = None  # it was of the rows that were there before


def _unit(features: Tensor, centre: Tensor) -> Tensor:
    about = features - centre
    made: Tensor = about / torch.linalg.vector_norm(about, dim=1, keepdim=True).clamp_min(1e-30)
    return made
