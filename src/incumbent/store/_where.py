"""Find which store a text names, and which local folders belong to it. Nothing here touches the disk."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from incumbent.errors import RegistryError

_ACCEPTED = "give a folder, sqlite:///FILE, or http(s)://SERVER"
_SQLITE = "sqlite:///"
_WORDS = ("databricks", "databricks-uc", "uc")  # services that MLFLOW_TRACKING_URI may name


@dataclass(frozen=True)
class Place:
    """A store that may or may not exist yet.

    Parameters
    ----------
    url : str
        The URL for MLflow.
    database : Path, optional
        The sqlite file; None for a server.
    """

    url: str
    database: Path | None = None

    @property
    def root(self) -> Path | None:
        """The folder that holds database, artifacts and locks; None for a server."""
        return None if self.database is None else self.database.parent

    @property
    def cache(self) -> Path:
        """Folder for the locks and downloads of a server, for each user and server."""
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        key = hashlib.sha256(self.url.encode()).hexdigest()[:16]
        return (Path(base) if base else Path.home() / ".cache") / "incumbent" / key

    @property
    def locks(self) -> Path:
        """Folder of the lock files."""
        return (self.root or self.cache) / "locks"

    def artifacts(self, name: str) -> Path | None:
        """Folder of the files of one name; None for a server, which chooses it."""
        return None if self.root is None else self.root / "artifacts" / name

    def __str__(self) -> str:
        """Format the place for messages, without a password."""
        if self.root is not None and self.database is not None:
            return str(self.root if self.database.name == "mlflow.db" else self.database)
        return _hide_password(self.url)


def resolve(url: str | Path | None) -> Place:
    """Return the place that `url` names, else INCUMBENT_STORE, else MLFLOW_TRACKING_URI, else ``.incumbent``."""
    if isinstance(url, Path):
        return _folder(str(url), "")
    if url and url.strip():
        return _parse(url.strip(), "")
    for variable in ("INCUMBENT_STORE", "MLFLOW_TRACKING_URI"):
        if text := os.environ.get(variable, "").strip():
            return _parse(text, f" (from {variable})")
    return _parse(".incumbent", "")


def _parse(text: str, source: str) -> Place:
    if text.lower().startswith(("http://", "https://")):
        if not urlparse(text).hostname:
            raise RegistryError(f"The store {text!r}{source} names no server; write it as http://HOST:PORT.")
        return Place(text.rstrip("/"))
    if text.startswith(_SQLITE):
        return _sqlite(text, source)
    if "://" in text or text.startswith(("sqlite:", "file:")) or (source and text in _WORDS):
        raise RegistryError(
            f"The store {_hide_password(text)!r}{source} is of a kind that cannot be used; {_ACCEPTED}. "
            "A team's database is reached through `mlflow server`."
        )
    return _folder(text, source)


def _sqlite(text: str, source: str) -> Place:
    path, mark, query = text.removeprefix(_SQLITE).partition("?")
    if path in ("", ":memory:"):
        raise RegistryError(
            f"The store {text!r}{source} lives in memory and would be lost when the process ends; {_ACCEPTED}."
        )
    database = Path(os.path.abspath(path))
    return Place(f"{_SQLITE}{database}{mark}{query}", database)


def _folder(text: str, source: str) -> Place:
    folder = Path(os.path.abspath(os.path.expanduser(text)))
    if re.search(r"\?|%[0-9a-fA-F]{2}", str(folder)):  # SQLAlchemy would parse them
        raise RegistryError(f"The store {str(folder)!r}{source} has a '?' or '%' in its path; use another folder.")
    database = folder / "mlflow.db"
    return Place(f"{_SQLITE}{database}", database)


def _hide_password(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", text)


def local_path(uri: str) -> Path | None:
    """Return the local path of an artifact URI, or None if it is not on this machine."""
    if uri.startswith("file:"):
        return Path(url2pathname(urlparse(uri).path) if os.name == "nt" else unquote(urlparse(uri).path))
    return None if re.match(r"[a-zA-Z][\w+.-]+:", uri) else Path(uri)
