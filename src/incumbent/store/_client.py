"""Open MLflow's client for one place quietly and safely, with our errors."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import getproxies

from incumbent.errors import IncumbentError, RegistryError
from incumbent.store._lock import opening
from incumbent.store._where import Place

_MAGIC = b"SQLite format 3\x00"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # --json must have stdout to itself
}
_LOG_LEVELS = {
    "mlflow.store.db.utils": logging.CRITICAL,  # our errors have its messages
    "mlflow.store.model_registry.abstract_store": logging.WARNING,  # claims to wait
    "alembic": logging.WARNING,  # logs each step of making the tables
}


class Client:
    """Every method of MlflowClient; any error becomes a `RegistryError` of one sentence."""

    def __init__(self, client: Any, place: Place) -> None:
        self._client, self._place = client, place

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._client, method)

        def call(*args: Any, **options: Any) -> Any:
            with translated(self._place):
                return inner(*args, **options)

        return call

    def download(self, uri: str, into: Path) -> Path:
        """Copy what an MLflow URI names into a folder, and return its path there."""
        with translated(self._place), _quiet():
            from mlflow.artifacts import download_artifacts

            return Path(download_artifacts(uri, dst_path=str(into), tracking_uri=self._place.url))

    def delete_artifacts(self, uri: str, path: str) -> None:
        """Delete a file or a folder below an artifact URI for good."""
        with translated(self._place):
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            get_artifact_repository(uri, tracking_uri=self._place.url).delete_artifacts(path)

    def pages(self, method: str, **options: Any) -> Iterator[Any]:
        """Yield every result of a search, page after page."""
        token = None
        while True:
            page = getattr(self, method)(page_token=token, **options)
            yield from page
            token = page.token
            if not token:
                return


def connect(place: Place, *, create: bool) -> Client | None:
    """Return a client, or None if the store does not exist and may not be created."""
    if place.database is None:
        _check_server(place)
        return _open(place)
    _check_folder(place, create)
    if not create and not _present(place.database):
        return None
    writable = place.root is not None and os.access(place.root, os.W_OK)
    with opening(place) if create or writable else nullcontext(), translated(place):
        if not _present(place.database):
            _make(place, place.database)
        _check_database(place, place.database)
        return _open(place)


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Turn any error of MLflow, its database or the file system into a `RegistryError`."""
    try:
        yield
    except IncumbentError:
        raise
    except Exception as error:  # MLflow does not wrap those of its database and files
        text = " ".join(str(error).split()).rstrip(".")
        if "database schema" in text or "locate revision" in text:
            text = f"its tables are of another version of MLflow; run `mlflow db upgrade {place.url}`, or update MLflow"
        elif "sqlalche.me" in text:  # the cause, without the SQL statement
            text = text.split("[SQL")[0].strip().removeprefix("(sqlite3.OperationalError)").strip()
        raise RegistryError(f"The store {place} could not do this: {text[:500]}.") from error


def _open(place: Place) -> Client:
    with _quiet():
        from mlflow.tracking import MlflowClient

        client = Client(MlflowClient(tracking_uri=place.url, registry_uri=place.url), place)
        if place.database is not None:  # opens the tables of both halves, under our lock
            client.search_experiments(max_results=1)
            client.search_registered_models(max_results=1)
    return client


def _make(place: Place, database: Path) -> None:
    """Make the database in a folder next to its place and move it there whole: a kill leaves no half-made tables."""
    for left in database.parent.glob(".making-*"):  # by a process that was killed here
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".making-", ignore_cleanup_errors=True) as folder:
        made = Path(folder, "mlflow.db")
        _open(Place(f"sqlite:///{made}", made))
        shutil.copyfile(made, Path(folder, "done.db"))  # MLflow keeps the first file open
        os.replace(Path(folder, "done.db"), database)


@contextmanager
def _quiet() -> Iterator[None]:
    """Import and open MLflow without telemetry, progress bars and log messages."""
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    for name, level in _LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    with warnings.catch_warnings():
        # MLflow uses a loader that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message=".*``noload`` loader strategy.*")
        yield


def _present(database: Path) -> bool:
    with suppress(OSError):
        return database.stat().st_size > 0
    return False


def _check_folder(place: Place, create: bool) -> None:
    root, database = place.root, place.database
    assert root is not None and database is not None
    blocking = next((p for p in (root, *root.parents) if p.exists() and not p.is_dir()), None)
    if blocking is not None:
        raise RegistryError(f"The store {place} cannot be used: {blocking} is a file where a folder is expected.")
    if database.is_dir():
        raise RegistryError(f"The store {place} cannot be used: {database} is a folder where a database is expected.")
    if create:
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryError(f"The store {place} cannot be made: {error.strerror or error}.") from error
        if not os.access(root, os.W_OK):
            raise RegistryError(f"The store {place} cannot be written to: no permission.")


def _check_database(place: Place, database: Path) -> None:
    with database.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise RegistryError(f"The store {place} cannot be used: {database} is not an sqlite database.")
    with closing(sqlite3.connect(database)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "experiments" not in tables:
        found = f"it holds {', '.join(sorted(tables)[:3])}" if tables else "it is empty"
        raise RegistryError(f"The store {place} cannot be used: {database} is not a database of MLflow ({found}).")


def _check_server(place: Place) -> None:
    """Connect once, as MLflow would try an absent server for minutes."""
    address = urlparse(place.url)
    if getproxies().get(address.scheme):
        return  # only the proxy can tell whether the server answers
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=5).close()
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"The server {place} does not answer ({error}); is `mlflow server` running there?"
        ) from error
