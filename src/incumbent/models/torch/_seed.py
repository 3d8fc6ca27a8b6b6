"""The random numbers of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw from this seed; afterwards it goes on as if nothing had been drawn."""
    before = torch.get_rng_state()
    draw_from(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def draw_from(seed: int) -> None:
    """Let torch draw from this seed from here on.

    It is `torch.manual_seed` without the millisecond that this takes to note the seed, with a stack trace each, for
    kinds of devices that the process does not use.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.cuda.manual_seed_all(seed)
