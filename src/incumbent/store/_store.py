"""The store: names, their versions and champions, and their history."""

from __future__ import annotations

import difflib
import getpass
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from incumbent.errors import IncumbentError, RegistryError, UsageError
from incumbent.store import _files, _lock
from incumbent.store._candidate import candidate_of, late_state
from incumbent.store._client import Client, connect
from incumbent.store._event import KINDS, Event, begin
from incumbent.store._history import read, records, run_of
from incumbent.store._lookup import (
    alias_of,
    champion_of,
    describe_purge,
    experiment_of,
    fetch,
    gate_of,
    own_champion,
    registered,
    version_numbers,
    version_of,
)
from incumbent.store._record import (
    EVENT,
    GATE_FILE,
    NUMBER,
    OURS,
    PATH,
    PURGED,
    STATE,
    Record,
    VersionInfo,
    deployments,
    moment,
    standing,
)
from incumbent.store._where import resolve

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Store:
    """Versions, champions and events, kept in MLflow.

    Parameters
    ----------
    url : str or Path, optional
        A folder (with ``mlflow.db`` as its database and the files in ``artifacts``), ``sqlite:///FILE``, or the
        ``http(s)://`` address of an MLflow server; by default INCUMBENT_STORE, then MLFLOW_TRACKING_URI, then the
        folder ``.incumbent``.

    Raises
    ------
    RegistryError
        The store is of a kind that cannot be used. Every method raises it if the store is unusable.

    Notes
    -----
    A `Store` costs nothing to make; MLflow is imported on first use. A store that does not exist yet reads as empty,
    and reading does not create it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     model = Path(folder, "model")
    ...     model.mkdir()
    ...     written = (model / "weights.txt").write_text("0.5")
    ...     with store.event("fraud", "init", why="first", user="ann") as event:
    ...         version = event.add_version(model, {"rows": "100"})
    ...         event.conclude(decision="promote", deploy=version, info={})
    ...     store.champion("fraud"), store.history("fraud")[0].status
    (1, 'done')
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self._place = resolve(url)
        self._known: Client | None = None
        self._seen: set[str] = set()

    @property
    def url(self) -> str:
        """What to give to MLflow to see the same store."""
        return self._place.url

    def __repr__(self) -> str:
        return f"Store({str(self._place)!r})"

    # ------------------------------------------------------------------------------------------ reading

    def names(self) -> list[str]:
        """Return the names that have a champion."""
        client = self._client()
        if client is None:
            return []
        found = client.pages("search_registered_models", filter_string=f"tags.`{OURS}name` = 'true'", max_results=100)
        return sorted(model.name for model in found if own_champion(client, model.name) is not None)

    def champion(self, name: str) -> int:
        """Return the version that is live; a `RegistryError` lists the names if there is no such name."""
        client = self._client()
        found = None if client is None else champion_of(client, _checked(name))
        if found is not None and EVENT in found.tags:
            return int(found.version)
        if found is not None:
            raise RegistryError(
                f"The champion of {name!r} is version {found.version}, which Incumbent did not register; "
                f"take it over with: incumbent init models:/{name}@champion --name {name} --data FILE --target COL"
            )
        raise self._unknown(name)

    def candidate(self, name: str) -> int | None:
        """Return the version that passed the gate against the champion and waits for approval, or None."""
        client = self._reading(name)
        found = candidate_of(client, name, alias_of(client, name))
        return None if found is None else int(found.version)

    def versions(self, name: str) -> list[VersionInfo]:
        """Return all versions, oldest first."""
        client, history = self._reading(name), self.history(name)
        champion, by_id = alias_of(client, name), {record.id: record for record in history}
        waiting = self.candidate(name) if champion is not None else None
        was_live = {record.deployed for record in history if record.deployed is not None}
        found = client.pages("search_model_versions", filter_string=f"name='{name}'", max_results=1000)
        infos = [
            VersionInfo(
                version=int(v.version),
                created=moment(v.creation_timestamp),
                status="purged"
                if PURGED in v.tags
                else standing(int(v.version), champion, waiting, was_live, by_id.get(v.tags.get(EVENT, ""))),
                event=v.tags.get(EVENT, ""),
                info={key: value for key, value in v.tags.items() if not key.startswith((OURS, "mlflow."))},
            )
            for v in found
        ]
        return sorted(infos, key=lambda info: info.version)

    def folder(self, name: str, version: int) -> Path:
        """Return a local folder with the files of a version; do not change them."""
        client = self._reading(name)
        found = version_of(client, name, version)
        if PATH not in found.tags:
            raise RegistryError(f"Version {version} of {name!r} was not registered by Incumbent, which cannot use it.")
        self._check_there(client, name, found)
        path = _files.find(client, self._place, name, client.get_run(found.run_id), found.tags[PATH])
        if path is None:
            raise RegistryError(f"The files of version {version} of {name!r} are gone from {found.source}.")
        return path

    def state(self, name: str, version: int | None = None) -> Path | None:
        """Return a local folder with the state of a version (default: the champion), or None."""
        client = self._reading(name)
        found = version_of(client, name, self.champion(name) if version is None else version)
        self._check_there(client, name, found)
        made_by = late_state(client, name, found) or found.tags.get(STATE)
        if made_by is None:
            return None
        path = _files.find(client, self._place, name, client.get_run(made_by), "state")
        if path is None:
            raise RegistryError(f"The state of version {found.version} of {name!r} is gone from {self._place}.")
        return path

    def gate(self, name: str) -> Path | None:
        """Return a local path of the gate that an event has set for the name, or None."""
        client = self._reading(name)
        set_by = gate_of(client, name)
        return None if set_by is None else self.artifact(name, set_by, GATE_FILE)

    def fetch(self, uri: str, into: Path) -> Path:
        """Copy a model of this MLflow, logged by any program, into an existing folder, and return its path there.

        `uri` is ``models:/NAME/VERSION``, ``models:/NAME@ALIAS`` or ``runs:/ID/PATH``.
        """
        client = self._client()
        if client is None:
            raise RegistryError(f"There is no {uri!r}, as the store {self._place} does not exist.")
        return fetch(client, uri, into)

    def history(self, name: str) -> list[Record]:
        """Return all events of a name, newest first."""
        return records(self._reading(name), self._place, name)

    def record(self, name: str, id: str) -> Record:
        """Return one event, by its id, the beginning of its id (6 letters or more), or its number."""
        client = self._reading(name)
        return read(client, self._place, name, run_of(client, name, id))

    def artifact(self, name: str, id: str, path: str) -> Path:
        """Return a local path of a file that an event stored, such as ``"report.html"``."""
        client = self._reading(name)
        run = run_of(client, name, id)
        found = _files.find(client, self._place, name, run, path)
        if found is None:
            if PURGED in run.data.tags:
                gone = describe_purge(client, name, run.data.tags[PURGED])
                raise RegistryError(
                    f"{path!r} of event {run.data.tags[NUMBER]} of {name!r} is gone: deleted for good in {gone}."
                )
            held = ", ".join(_files.listing(client, run)) or "nothing"
            raise RegistryError(f"Event {id} of {name!r} has no {path!r}; it has {held}.")
        return found

    def previous(self, name: str) -> int:
        """Return the version that was live before the present one; going back twice goes two versions back."""
        champion = self.champion(name)
        there = set(version_numbers(self._reading(name), name))
        stack = [version for version in deployments(reversed(self.history(name))) if version in there]
        if stack and stack[-1] == champion:
            stack.pop()
        if not stack:
            raise RegistryError(f"Nothing of {name!r} was live before version {champion}, so it cannot go back.")
        return stack[-1]

    def check_there(self, name: str, version: int) -> None:
        """Raise an error if the files of a version were deleted for good, or there is no such version."""
        client = self._reading(name)
        self._check_there(client, name, version_of(client, name, version))

    def _check_there(self, client: Client, name: str, found: Any) -> None:
        if PURGED in found.tags:
            gone = describe_purge(client, name, found.tags[PURGED])
            raise RegistryError(
                f"Version {found.version} of {name!r} is gone for good: its files were deleted in {gone}."
            )

    # ----------------------------------------------------------------------------------------- changing

    def erase(self, event: Event, id: str, *, keep: Collection[str] = ()) -> bool:
        """Delete the files of an earlier event for good, and return whether there were any.

        Parameters
        ----------
        event : Event
            The event that deletes them, for the error of later readers.
        id : str
            The event whose files they are.
        keep : collection of str
            Names at the top of its folder that stay.
        """
        client = self._reading(event.name)
        return _files.erase(client, self._place, run_of(client, event.name, id), event.id, keep)

    @contextmanager
    def event(
        self, name: str, kind: str, *, why: str = "", user: str | None = None, timeout: float = 60.0
    ) -> Iterator[Event]:
        """Change a name, with its lock held for the whole block.

        An error inside the block marks the event as failed and changes nothing else. A killed process changes nothing
        either, and the history shows it as interrupted.

        Parameters
        ----------
        name : str
            Letters, digits, ``. _ -``.
        kind : {"init", "update", "approve", "refuse", "promote", "rollback", "gate", "shadow", "forget", "purge"}
            The kind of event; ``init`` makes the name and the store, the others need it.
        why : str
            The reason, for the record.
        user : str, optional
            Who does it; by default the user of this process.
        timeout : float
            Seconds to wait for another process that is changing the same name.

        Raises
        ------
        RegistryError
            There is no such name, or ``init`` finds that it exists.
        LockError
            Another process changed the name for longer than `timeout`.
        """
        if kind not in KINDS:
            raise UsageError(f"An event is one of {', '.join(KINDS)}; {kind!r} was given.")
        if kind != "init":
            self.champion(name)  # an unknown name leaves no trace
        _checked(name)
        client = self._client(create=True)
        assert client is not None
        user = user or _user()
        with _lock.hold(self._place, name, what=kind, user=user, timeout=timeout):
            self._check_kind(client, name, kind)
            event = begin(client, self._place, name, kind, user=user, why=why)
            try:
                yield event
            except BaseException as error:
                with suppress(IncumbentError):  # the first error counts; the next event tidies up
                    event._end(error)
                raise
            event._end(None)
            if not event._concluded:
                raise UsageError(f"{event!r} ended without a conclusion, so nothing was changed.")

    def _check_kind(self, client: Client, name: str, kind: str) -> None:
        version = own_champion(client, name)
        if kind == "init" and version is not None:
            raise RegistryError(
                f"There is a model {name!r} in {self._place} already (version {version} is live); "
                f"choose another name, or update it with: incumbent update FILE --name {name}"
            )
        if kind != "init" and version is None:
            raise self._unknown(name)

    # ------------------------------------------------------------------------------------------ details

    def _client(self, *, create: bool = False) -> Client | None:
        if self._known is None:
            self._known = connect(self._place, create=create)
        return self._known

    def _reading(self, name: str) -> Client:
        """Return the client for a name that the store knows, even if its init was interrupted."""
        client = self._client()
        if client is not None and name in self._seen:
            return client
        if client is None or (experiment_of(client, _checked(name)) is None and registered(client, name) is None):
            raise self._unknown(name)
        self._seen.add(name)
        return client

    def _unknown(self, name: str) -> RegistryError:
        names = self.names()
        if not names:
            return RegistryError(
                f"There is no model {name!r}, as the store {self._place} holds none yet; "
                f"make it with: incumbent init MODEL --name {name} --data FILE --target COL"
            )
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? It has" if near else "it has"
        return RegistryError(f"There is no model {name!r} in {self._place}; {hint}: {', '.join(names)}.")


def _checked(name: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RegistryError(
            f"{name!r} is no name: expected up to 100 letters, digits, '.', '_' or '-', a letter or digit first."
        )
    return name


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in containers
        return "unknown"
