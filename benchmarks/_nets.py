"""What the benchmark of nets learns with in plain PyTorch: the nets, and the loops that it is measured against."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from incumbent.core import Array, Batch

BUFFER = 1000


@dataclass(frozen=True)
class Steps:
    """How every method learns: the same optimiser, rate and batch for all; epochs are those of one session."""

    epochs: int = 1
    lr: float = 0.05
    batch: int = 128

    def optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        """Return SGD with momentum."""
        return torch.optim.SGD(net.parameters(), lr=self.lr, momentum=0.9)


def mlp(seed: int, outputs: int = 10) -> nn.Module:
    """Return a net of 784-400-400 and an output for each class, as it is before it has seen anything."""
    torch.manual_seed(seed)
    layers = (nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, outputs))
    return nn.Sequential(nn.Flatten(), *layers)


def tensors(rows: Batch) -> tuple[Tensor, Tensor]:
    """Return rows as a net takes them."""
    x = torch.from_numpy(np.ascontiguousarray(rows.x))
    return x.float().div_(255) if x.dtype == torch.uint8 else x, torch.from_numpy(rows.labels)


def said(net: nn.Module, x: Array) -> Array:
    """Return the classes that a net gives rows."""
    given, _ = tensors(Batch(x, np.zeros(len(x), dtype=np.int64)))
    with torch.inference_mode():
        parts = [net(part) for part in torch.split(given, 4096)]
    return torch.cat(parts).argmax(dim=1).numpy()


def trained(net: nn.Module, rows: Batch, steps: Steps, seed: int) -> nn.Module:
    """Train a net in place as one does without any library."""
    (x, y), optimizer = tensors(rows), steps.optimizer(net)
    generator = torch.Generator().manual_seed(seed)
    net.train()
    for _ in range(steps.epochs):
        for at in torch.split(torch.randperm(len(x), generator=generator), steps.batch):
            optimizer.zero_grad()
            F.cross_entropy(net(x[at]), y[at]).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
    return net.eval()


# --------------------------------------------------------------------------------------------------- methods


class Learner(Protocol):
    """A way to learn one session after the other."""

    def learn(self, rows: Batch) -> None:
        """Learn a session."""

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""

    @property
    def carried(self) -> int:
        """Bytes that it keeps for the next session, beside the model itself."""


class Naive:
    """Train on with each session's rows alone."""

    def __init__(self, net: nn.Module, steps: Steps, seed: int) -> None:
        self.net, self.steps, self.seed = net, steps, seed

    @property
    def carried(self) -> int:
        """Nothing."""
        return 0

    def learn(self, rows: Batch) -> None:
        """Fine-tune."""
        trained(self.net, rows, self.steps, self.seed)

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        return said(self.net, x)


class AlwaysRetrain(Naive):
    """Train a new net on all rows so far, whenever a session comes."""

    def __init__(self, fresh: Callable[[], nn.Module], steps: Steps, seed: int, seen: Sequence[Batch] = ()) -> None:
        super().__init__(fresh(), steps, seed)
        self.fresh, self.seen = fresh, list(seen)

    @property
    def carried(self) -> int:
        """All rows."""
        return sum(each.x.nbytes + each.labels.nbytes for each in self.seen)

    def learn(self, rows: Batch) -> None:
        """Forget the net and begin anew."""
        self.seen.append(rows)
        self.net = trained(self.fresh(), Batch.join(self.seen), self.steps, self.seed)


class PlainReplay:
    """Experience replay with a reservoir (Chaudhry et al. 2019), or DER++ (Buzzega et al. 2020), in few lines."""

    def __init__(
        self, net: nn.Module, steps: Steps, seed: int, *, alpha: float = 0.0, room: int = BUFFER, outputs: int = 10
    ) -> None:
        self.net, self.steps, self.seed, self.alpha, self.room = net, steps, seed, alpha, room
        self.rng, self.generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        self.seen, self.filled = 0, 0
        self.x, self.y, self.z = torch.zeros(0), torch.zeros(room, dtype=torch.long), torch.zeros(room, outputs)

    @property
    def carried(self) -> int:
        """The buffer; pixels as bytes, features as they are."""
        return self.x.numel() * (1 if self.x.dim() > 2 else 4) + self.y.nbytes + (self.z.nbytes if self.alpha else 0)

    def learn(self, rows: Batch) -> None:
        """Learn with as many rows of the buffer beside each mini-batch."""
        (x, y), optimizer = tensors(rows), self.steps.optimizer(self.net)
        if not len(self.x):
            self.x = torch.zeros(self.room, *x.shape[1:])
        for epoch in range(self.steps.epochs):
            for at in torch.split(torch.randperm(len(x), generator=self.generator), self.steps.batch):
                optimizer.zero_grad()
                out, loss = self._loss(x[at], y[at])
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimizer.step()
                if epoch == 0:
                    self._offer(x[at], y[at], out)

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        return said(self.net, x)

    def _loss(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if not self.filled:
            out = self.net(x)
            return out.detach(), F.cross_entropy(out, y)
        draws = [self._draw(len(x)) for _ in range(2 if self.alpha else 1)]
        out = self.net(torch.cat([x, *(self.x[at] for at in draws)]))
        mine, last = out[: len(x)], out[-len(draws[-1]) :]
        loss = F.cross_entropy(mine, y) + F.cross_entropy(last, self.y[draws[-1]])
        if self.alpha:
            loss = loss + self.alpha * F.mse_loss(out[len(x) : len(x) + len(draws[0])], self.z[draws[0]])
        return mine.detach(), loss

    def _draw(self, count: int) -> Tensor:
        return torch.randperm(self.filled, generator=self.generator)[:count]

    def _offer(self, x: Tensor, y: Tensor, out: Tensor) -> None:
        """Vitter's algorithm R, a mini-batch at a time."""
        place = self.rng.integers(0, np.arange(self.seen, self.seen + len(x)) + 1)
        first = np.arange(self.seen, self.seen + len(x))
        place = np.where(first < self.room, first, place)
        kept = place < self.room
        at, mine = torch.from_numpy(place[kept]), torch.from_numpy(kept)
        self.x[at], self.y[at], self.z[at] = x[mine], y[mine], out[mine]
        self.seen += len(x)
        self.filled = min(self.room, self.seen)


# ------------------------------------------------------------------------------------------------- MobileNetV2


class _Block(nn.Module):
    def __init__(self, wide: int, out: int, stride: int, expand: int) -> None:
        super().__init__()
        inner, parts = wide * expand, []
        if expand > 1:
            parts.append(_conv(wide, inner, 1))
        parts.append(_conv(inner, inner, 3, stride, inner))
        self.conv = nn.Sequential(*parts, nn.Conv2d(inner, out, 1))
        self.added = stride == 1 and wide == out

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's outputs."""
        made: Tensor = self.conv(x)
        return x + made if self.added else made


def _conv(wide: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(wide, out, kernel, stride, kernel // 2, groups=groups), nn.ReLU6())


class MobileNetV2(nn.Module):
    """The layers of MobileNetV2 (Sandler et al. 2018, table 2) before its classifier, normalisation folded in."""

    def __init__(self) -> None:
        super().__init__()
        layers, wide = [_conv(3, 32, 3, 2)], 32
        rows = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        for expand, out, count, stride in rows:
            for i in range(count):
                layers.append(_Block(wide, out, stride if i == 0 else 1, expand))
                wide = out
        self.features = nn.Sequential(*layers, _conv(320, 1280, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, 1280) of images (n, 3, h, w)."""
        made: Tensor = self.features(x).mean(dim=(2, 3))
        return made


def mobilenet(path: Path) -> MobileNetV2:
    """Return MobileNetV2 with the weights of a safetensors file that names them as torchvision does."""
    from safetensors.torch import load_file

    held = {name: value.float() for name, value in load_file(path).items() if name.startswith("features.")}
    net = MobileNetV2()
    net.load_state_dict(held)
    return net.eval()


def pictures(net: MobileNetV2, images: Array, side: int) -> Array:
    """Return the features of grey images (n, 28, 28), enlarged, and normalised as ImageNet is."""
    mean, spread = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), 64):
            grey = torch.from_numpy(images[start : start + 64]).float().div_(255)[:, None]
            large = F.interpolate(grey, size=(side, side), mode="bilinear", align_corners=False)
            found.append(net(((large - mean) / spread).to(memory_format=torch.channels_last)))
    return torch.cat(found).numpy()


# ---------------------------------------------------------------------------------------------------- the loop


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of some work."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
