"""A small net for digits of 8 x 8 pixels: an ordinary module, in a file that can be imported again."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    """One hidden layer and a head."""

    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.outputs = outputs
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, outputs)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logits of each class."""
        return self.head(self.body(pixels / 16.0))


def fit_net(pixels: np.ndarray, labels: np.ndarray, epochs: int = 200) -> Net:
    """Train a net on pixels (n, 64) and labels (n,)."""
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    x, y = torch.tensor(pixels, dtype=torch.float32), torch.tensor(labels)
    for _ in range(epochs):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net.eval()
