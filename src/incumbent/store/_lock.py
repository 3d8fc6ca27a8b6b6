"""One change at a time for each name: a file lock, and a note beside it that says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incumbent.errors import LockError, RegistryError
from incumbent.store._where import Place


def owner(place: Place) -> str:
    """Return what two processes share if and only if they meet at the same lock.

    The lock of a local store lies in the store and binds everyone; a server's lock binds one user on one machine.
    """
    return "store" if place.root is not None else f"{socket.gethostname()}:{place.cache}"


@contextmanager
def hold(place: Place, name: str, *, what: str, user: str, timeout: float) -> Iterator[None]:
    """Hold the lock of `name`, waiting up to `timeout` seconds.

    Raises
    ------
    LockError
        Who holds it, since when and for what.
    """
    from filelock import Timeout

    lock = _lock(place, name)
    note = place.locks / f"{name}.json"
    try:
        lock.acquire(timeout=max(0.0, timeout))
    except Timeout:
        raise LockError(_busy(name, note, what, timeout)) from None
    except OSError as error:
        raise RegistryError(_unwritable(place, error)) from error
    try:
        _write(note, {"pid": os.getpid(), "host": socket.gethostname(), "user": user, "what": what})
        yield
    finally:
        with suppress(OSError):  # a note left behind is overwritten by the next holder
            note.unlink()
        lock.release()


def held(place: Place, name: str) -> bool:
    """Whether somebody is changing `name` at this moment."""
    from filelock import Timeout

    if not (place.locks / f"{name}.lock").exists():
        return False
    lock = _lock(place, name)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a store that may only be read: nobody writes to it from here
        return False
    lock.release()
    return False


@contextmanager
def opening(place: Place) -> Iterator[None]:
    """Hold the store's own lock while its database is made or first opened: two at once would crash."""
    from filelock import Timeout

    lock = _lock(place, "_store")  # no name starts with an underscore
    try:
        lock.acquire(timeout=120)
    except Timeout:
        raise LockError(f"Another process has been making the store {place} for two minutes; try again.") from None
    except OSError as error:
        raise RegistryError(_unwritable(place, error)) from error
    try:
        yield
    finally:
        lock.release()


def _lock(place: Place, name: str) -> Any:
    from filelock import FileLock

    with suppress(OSError):  # acquiring says what is wrong
        place.locks.mkdir(parents=True, exist_ok=True)
    return FileLock(place.locks / f"{name}.lock")


def _write(note: Path, holder: dict[str, object]) -> None:
    with suppress(OSError):  # the lock is what counts; the note only makes a message better
        note.write_text(json.dumps({**holder, "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")}))


def _busy(name: str, note: Path, what: str, timeout: float) -> str:
    try:
        h = json.loads(note.read_text())
        holder = f"process {h['pid']} of {h['user']} on {h['host']} ({h['what']}, since {h['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # just taken or just released
        holder = "another process"
    return f"{name!r} is being changed by {holder}; this {what} waited {timeout:g} s. Try again when that has ended."


def _unwritable(place: Place, error: OSError) -> str:
    return f"The store {place} cannot be written to: {error.strerror or error}."
