"""Allow one change at a time for each name: a file lock, and a note that names its holder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incumbent.errors import LockError, RegistryError
from incumbent.store._where import Place


def owner(place: Place) -> str:
    """Return a text that two processes share if and only if they use the same lock.

    The lock of a local store lies in the store and binds everyone. That of a server binds one user on one machine.
    """
    return "store" if place.root is not None else f"{socket.gethostname()}:{place.cache}"


@contextmanager
def hold(place: Place, name: str, *, what: str, user: str, timeout: float) -> Iterator[None]:
    """Hold the lock of `name`, waiting up to `timeout` seconds; a `LockError` says who holds it, since when and why."""
    note = place.locks / f"{name}.json"
    with _hold(place, name, max(0.0, timeout), lambda: _busy(name, note, what, timeout)):
        try:
            _write(note, {"pid": os.getpid(), "host": socket.gethostname(), "user": user, "what": what})
            yield
        finally:
            with suppress(OSError):  # the next holder overwrites a note that stays
                note.unlink()


@contextmanager
def opening(place: Place) -> Iterator[None]:
    """Hold the lock of the store while its database is made or first opened; two at once would crash."""
    busy = f"Another process has been making the store {place} for two minutes; try again."
    with _hold(place, "_store", 120, lambda: busy):  # no name starts with an underscore
        yield


@contextmanager
def _hold(place: Place, name: str, timeout: float, busy: Callable[[], str]) -> Iterator[None]:
    from filelock import Timeout

    lock = _lock(place, name)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise LockError(busy()) from None
    except OSError as error:
        raise RegistryError(f"The store {place} cannot be written to: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()


def held(place: Place, name: str) -> bool:
    """Return whether a process is changing `name` at this moment."""
    from filelock import Timeout

    if not (place.locks / f"{name}.lock").exists():
        return False
    lock = _lock(place, name)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a store that may only be read
        return False
    lock.release()
    return False


def _lock(place: Place, name: str) -> Any:
    from filelock import FileLock

    with suppress(OSError):  # acquiring the lock raises the error
        place.locks.mkdir(parents=True, exist_ok=True)
    return FileLock(place.locks / f"{name}.lock")


def _write(note: Path, holder: dict[str, object]) -> None:
    with suppress(OSError):  # the note only improves a message
        note.write_text(json.dumps({**holder, "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")}))


def _busy(name: str, note: Path, what: str, timeout: float) -> str:
    try:
        h = json.loads(note.read_text())
        holder = f"process {h['pid']} of {h['user']} on {h['host']} ({h['what']}, since {h['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # just taken or just released
        holder = "another process"
    return f"{name!r} is being changed by {holder}; this {what} waited {timeout:g} s. Try again when that has ended."
