"""Files of an event or a version: put there under the right name, and found or fetched again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from incumbent.errors import RegistryError, UsageError
from incumbent.store._client import Client
from incumbent.store._where import Place, local_path


def inside(path: str) -> str:
    """Return a path below an event's own folder, or say why it is none."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or str(pure) == ".":
        raise UsageError(f"{path!r} is no name for a file of an event; expected one like 'report.html' or 'a/b.json'.")
    return str(pure)


def put(client: Client, run_id: str, content: Path | bytes | str, as_name: str) -> None:
    """Store a file, or bytes or text as one, under `as_name`."""
    name = PurePosixPath(inside(as_name))
    with _named(content, name.name) as file:
        client.log_artifact(run_id, str(file), None if str(name.parent) == "." else str(name.parent))


def put_folder(client: Client, run_id: str, folder: Path, as_name: str) -> None:
    """Store all files of a folder under `as_name`."""
    if not Path(folder).is_dir():
        raise UsageError(f"{folder} is not a folder, so it cannot be stored as {as_name!r}.")
    client.log_artifacts(run_id, str(folder), inside(as_name))


def find(client: Client, place: Place, name: str, run: Any, path: str) -> Path | None:
    """Return a local path of what an event stored at `path`, fetched from a server if need be; None if it is absent."""
    path = inside(path)
    for folder in _folders(place, name, run):
        if (folder / path).exists():
            return folder / path
    if place.root is not None:
        return None
    return _fetch(client, place, run.info.run_id, path)


def listing(client: Client, run: Any) -> list[str]:
    """Return the names at the top of an event's folder, for messages."""
    return sorted(item.path for item in client.list_artifacts(run.info.run_id))


def _folders(place: Place, name: str, run: Any) -> Iterator[Path]:
    """Give where an event's files may lie: first below the store itself, as MLflow's paths are wrong once it moves."""
    own = place.artifacts(name)
    if own is not None:
        yield own / run.info.run_id / "artifacts"
    there = local_path(run.info.artifact_uri)
    if there is not None:
        yield there


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
    """Give a file of that very name with that content."""
    if isinstance(content, Path) and not content.is_file():
        raise UsageError(f"{content} is not a file, so it cannot be stored as {name!r}.")
    if isinstance(content, Path) and content.name == name:
        yield content
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        if isinstance(content, Path):
            try:
                os.link(content, file)
            except OSError:  # another disk, or no links there
                shutil.copyfile(content, file)
        else:
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        yield file
