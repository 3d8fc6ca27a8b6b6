"""Put, find and delete the files of an event or a version."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from incumbent.errors import RegistryError, UsageError
from incumbent.store._client import Client
from incumbent.store._record import GATE_FILE, INFO_FILE, PURGED
from incumbent.store._where import Place, local_path


def _inside(path: str) -> str:
    """Return a path below the folder of an event, or raise an error."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or str(pure) == ".":
        raise UsageError(f"{path!r} is no name for a file of an event; expected one like 'report.html' or 'a/b.json'.")
    return str(pure)


def put(client: Client, run_id: str, content: Path | bytes | str, as_name: str) -> None:
    """Store a file, or bytes or text as one, under `as_name`."""
    name = PurePosixPath(_inside(as_name))
    with _named(content, name.name) as file:
        client.log_artifact(run_id, str(file), None if str(name.parent) == "." else str(name.parent))


def put_folder(client: Client, run_id: str, folder: Path, as_name: str) -> None:
    """Store all files of a folder under `as_name`."""
    if not Path(folder).is_dir():
        raise UsageError(f"{folder} is not a folder, so it cannot be stored as {as_name!r}.")
    client.log_artifacts(run_id, str(folder), _inside(as_name))


def find(client: Client, place: Place, name: str, run: Any, path: str) -> Path | None:
    """Return a local path of what an event stored at `path`, downloaded if necessary; None if it is absent."""
    path = _inside(path)
    own = place.artifacts(name)  # first, as the paths in MLflow are wrong once a store is moved
    folders = [None if own is None else own / run.info.run_id / "artifacts", local_path(run.info.artifact_uri)]
    for folder in folders:
        if folder is not None and (folder / path).exists():
            return folder / path
    return _fetch(client, place, run.info.run_id, path) if place.root is None else None


def listing(client: Client, run: Any) -> list[str]:
    """Return the names at the top of an event's folder, for messages."""
    return sorted(item.path for item in client.list_artifacts(run.info.run_id))


def erase(client: Client, place: Place, run: Any, by: str, keep: Collection[str]) -> bool:
    """Delete the files of an event except those named, and return whether there were any.

    The event is marked first, so that a killed process leaves no doubt; the next call ends its work.
    """
    there = [name for name in listing(client, run) if name not in {*keep, GATE_FILE, INFO_FILE}]
    if not there:
        return False
    client.set_tag(run.info.run_id, PURGED, by)
    for name in there:
        client.delete_artifacts(run.info.artifact_uri, name)
    if place.root is None:
        shutil.rmtree(place.cache / "files" / run.info.run_id, ignore_errors=True)  # copies on this machine
    return True


def _fetch(client: Client, place: Place, run_id: str, path: str) -> Path | None:
    kept = place.cache / "files" / run_id / path
    if kept.exists():
        return kept  # what an event has stored never changes
    parent = str(PurePosixPath(path).parent)
    if path not in {item.path for item in client.list_artifacts(run_id, None if parent == "." else parent)}:
        return None
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".fetching-") as folder:
        fetched = client.download_artifacts(run_id, path, folder)
        try:
            os.replace(fetched, kept)  # whole or not at all
        except OSError as error:  # another process was quicker
            if not kept.exists():
                raise RegistryError(f"{kept} cannot be written: {error.strerror or error}.") from error
    return kept


@contextmanager
def _named(content: Path | bytes | str, name: str) -> Iterator[Path]:
    """Yield a file of this name with this content."""
    if isinstance(content, Path) and not content.is_file():
        raise UsageError(f"{content} is not a file, so it cannot be stored as {name!r}.")
    if isinstance(content, Path) and content.name == name:
        yield content
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        if isinstance(content, Path):
            shutil.copyfile(content, file)
        else:
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        yield file
