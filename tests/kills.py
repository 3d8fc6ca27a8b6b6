"""Processes that end before their time: killed at a write to the store, or copies of this one to be killed for good."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable

from incumbent.store._client import Client

WRITES = ("create_", "set_", "log_", "delete_")


class Killed(BaseException):
    """Stands for SIGKILL: after it, nothing that the process still tries reaches the store."""


def kill_after(monkeypatch, writes: int) -> None:
    """Let `writes` more writes through, and nothing at all after them."""
    call, left = Client.__getattr__, [writes]

    def guarded(self, method):
        inner = call(self, method)

        def ask(*args, **options):
            if method.startswith(WRITES):
                left[0] -= 1
            if left[0] < 0:
                raise Killed
            return inner(*args, **options)

        return ask

    monkeypatch.setattr(Client, "__getattr__", guarded)


def forked(act: Callable[[], None]) -> int:
    """Run `act` in a process of its own and return its id. What it raises goes to standard error."""
    with warnings.catch_warnings():
        # Python 3.12 and JAX warn of forks beside threads; the copies use no thread of this process, and no JAX
        warnings.filterwarnings("ignore", message=".*use of fork.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*os.fork.*", category=RuntimeWarning)
        child = os.fork()
    if child:
        return child
    try:
        act()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
