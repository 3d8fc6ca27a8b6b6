"""The second act of the demo: a net that learns two new digits, with and without forgetting the others."""

from __future__ import annotations

import sys
from importlib import import_module, invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "digits-net"
FILE = '''"""A small net for 8 x 8 digits: an ordinary module, in a file of its own so that it can be imported again."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.outputs = outputs
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, outputs)

    def forward(self, pixels):
        return self.head(self.body(pixels / 16.0))


def trained(pixels, labels, epochs=200):
    torch.manual_seed(0)
    net = Net()
    steps = torch.optim.Adam(net.parameters(), lr=0.01)
    x, y = torch.tensor(pixels, dtype=torch.float32), torch.tensor(labels)
    for _ in range(epochs):
        steps.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        steps.step()
    return net.eval()
'''


def has_torch() -> bool:
    """Whether nets can be used here."""
    return find_spec("torch") is not None and find_spec("safetensors") is not None


def second_act(registry: Any, folder: Path, rows: Any, console: Any, head: Any, show: Any) -> Path:
    """Let a net that reads 0 to 7 meet 8 and 9 alone: fine-tuning forgets and is refused, another way is promoted.

    Parameters
    ----------
    registry : Registry
        Where the net is brought in.
    folder : Path
        The demo's folder; `nets.py` is written there.
    rows : Digits
        The rows of the demo.
    console : Console
        Where to say it.
    head : callable
        Prints a heading.
    show : callable
        Told of every step.

    Returns
    -------
    Path
        The page of the update.
    """
    from incumbent.gate import Gate

    head(console, "5. The same with a neural network, in PyTorch: it, too, reads 0 to 7")
    net = _live(folder, rows.trained)
    came = registry.init(NAME, net, rows.trained, target="digit", anchor=rows.held_out, gate=Gate(tolerance=0.03))
    console.print(f"{NAME} version {came.version}, a {type(net).__name__} of {folder / 'nets.py'}")
    unknown = rows.month[rows.month["digit"] >= 8]
    head(console, f"6. {len(unknown)} rows come in, all of them 8 or 9. Plain fine-tuning, tried without deciding:")
    naive = registry.update(NAME, unknown, strategies="Incremental('adam', epochs=20)", dry_run=True, progress=show)
    print(naive)
    head(console, "7. Ways that keep the old digits in mind: an exact new last layer, replay, dark experience replay")
    ways = [
        "analytic",
        "chain(Replay(500), Incremental('adam', epochs=20))",
        "chain(DERpp(500), Incremental('adam', epochs=20))",
    ]
    better = registry.update(NAME, unknown, strategies=ways, seed=0, progress=show)
    print(better)
    page: Path = better.report(folder / "net.html")
    return page


def _live(folder: Path, rows: Any) -> Any:
    (folder / "nets.py").write_text(FILE, encoding="utf-8")
    sys.path.insert(0, str(folder.resolve()))
    invalidate_caches()
    nets = import_module("nets")
    return nets.trained(rows.drop(columns="digit").to_numpy(), rows["digit"].to_numpy())
