"""Small nets of many kinds, each with rows that it can learn: what tests of the PyTorch adapter share."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from incumbent.core import Batch

ROWS = 210


class MLP(nn.Module):
    """A plain net with dropout."""

    def __init__(self, inputs: int = 4, hidden: int = 16, outputs: int = 3, dropout: float = 0.1):
        super().__init__()
        self.inputs, self.hidden, self.outputs, self.dropout = inputs, hidden, outputs, dropout
        self.body = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.head(self.body(x))


class CNN(nn.Module):
    """Images (n, 1, 8, 8), with batch normalisation."""

    def __init__(self, outputs: int = 3):
        super().__init__()
        self.outputs = outputs
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.second = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, outputs)

    def forward(self, image):
        return self.head(self.second(self.first(image)).mean(dim=(2, 3)))


class Encoder(nn.Module):
    """Sequences of 6 tokens out of 12, through a transformer."""

    def __init__(self, tokens: int = 12, outputs: int = 3):
        super().__init__()
        self.tokens, self.outputs = tokens, outputs
        self.embed = nn.Embedding(tokens, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(8, outputs)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x)).mean(dim=1))


class Recommender(nn.Module):
    """How much a user likes an item, from tables of both."""

    def __init__(self, users: int = 20, items: int = 15):
        super().__init__()
        self.users, self.items = users, items
        self.user, self.item = nn.Embedding(users, 4), nn.Embedding(items, 4)
        self.mix = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, user, item):
        return self.mix(torch.cat([self.user(user), self.item(item)], dim=1))[:, 0]


class TwoInputs(nn.Module):
    """An image and a table."""

    def __init__(self, outputs: int = 3):
        super().__init__()
        self.outputs = outputs
        self.look = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.read = nn.Linear(2, 4)
        self.head = nn.Linear(8, outputs)

    def forward(self, image, table):
        return self.head(torch.cat([self.look(image), self.read(table)], dim=1))


def build(hidden: int = 16, outputs: int = 3) -> MLP:
    """A factory."""
    return MLP(hidden=hidden, outputs=outputs)


def doubled(x):
    """A function that prepares rows."""
    return np.asarray(x) * 2


def huber_by_hand(outputs, target):
    """A loss of the user's own."""
    return nn.functional.huber_loss(outputs, target, reduction="none").mean(dim=1)


def table(classes: int = 3, seed: int = 0, rows: int = ROWS) -> Batch:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    score = x[:, 0] + 0.5 * x[:, 1]
    return Batch(x, np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])))


def values(seed: int = 0) -> Batch:
    rows = table(seed=seed)
    return rows.replace(y=(rows.x[:, 0] - 0.5 * rows.x[:, 2]).astype(np.float64))


def images(seed: int = 0, *, whole: bool = False) -> Batch:
    """A bright bar at the top, in the middle, or at the bottom."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=ROWS)
    x = 0.3 * rng.random((ROWS, 1, 8, 8))
    for place in range(3):
        x[y == place, :, 3 * place : 3 * place + 2] += 0.6
    return Batch((255 * x).astype(np.uint8) if whole else x.astype(np.float32), y)


def sequences(seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=ROWS)
    return Batch(4 * y[:, None] % 12 + rng.integers(6, size=(ROWS, 6)) % 6 % 4, y)


def ratings(seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    user, item = rng.integers(20, size=ROWS), rng.integers(15, size=ROWS)
    return Batch({"user": user, "item": item}, ((user % 3) - (item % 2)) + 0.1 * rng.normal(size=ROWS))


def pairs(seed: int = 0) -> Batch:
    rows, more = images(seed), table(seed=seed)
    return Batch({"image": rows.x, "table": more.x[:, :2]}, rows.y)


CASES = {
    "MLP": (MLP, table),
    "CNN": (CNN, images),
    "transformer": (Encoder, sequences),
    "recommender": (Recommender, ratings),
    "image and table": (TwoInputs, pairs),
}


def made(kind: str) -> tuple[nn.Module, Batch]:
    """A net of one kind with random weights, and its rows."""
    make, rows = CASES[kind]
    torch.manual_seed(0)
    return make(), rows()


class Tied(nn.Module):
    """The last layer shares its weights with the table."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 3)
        self.out = nn.Linear(3, 7, bias=False)
        self.out.weight = self.table.weight

    def forward(self, x):
        return self.out(self.table(x).mean(dim=1))


def flat(hidden: int = 96, outputs: int = 8) -> nn.Sequential:
    """A factory of plain layers for digits of 8 by 8, as images or as 64 columns."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class Digits(nn.Module):
    """The same as a class of its own."""

    def __init__(self):
        super().__init__()
        self.body = flat()

    def forward(self, x):
        return self.body(x)
