"""Delete for good everything from before rows were deleted: versions, memories, and pages that show rows."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incumbent.errors import RegistryError
from incumbent.registry._lineage import Lineage
from incumbent.registry._plan import FILE
from incumbent.registry._record import require_reason
from incumbent.registry._stored import RegistryBase
from incumbent.store import Record, Store

KEPT = (FILE, "shadow.json")
"""Files of an event that contain only numbers and no row."""


@dataclass(frozen=True)
class Purged:
    """What was deleted for good.

    Parameters
    ----------
    name : str
        Of which model.
    live : int
        The version that is live, which stays.
    versions : tuple of int
        Versions whose models and memories are gone.
    events : tuple of int
        Events whose files are gone: those of the versions, memories, pages and outcomes.
    event : int
        The number of the event that deleted them.
    """

    name: str
    live: int
    versions: tuple[int, ...]
    events: tuple[int, ...]
    event: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, ready for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def __str__(self) -> str:
        if not self.events:
            return f"Nothing of {self.name} was left to delete; version {self.live} stays live."
        versions = f"version{'' if len(self.versions) == 1 else 's'} {', '.join(map(str, self.versions)) or 'none'}"
        events = f"event{'' if len(self.events) == 1 else 's'} {', '.join(map(str, self.events))}"
        return (
            f"Deleted for good: {versions} of {self.name}, and the memories, pages and outcomes of {events}.\n"
            f"Version {self.live} stays live and the history stays. The deletion cannot be undone.\n"
            "Backups of the store, and files copied out of it, are not deleted."
        )


class PurgeVerb(RegistryBase):
    """Delete for good what holds deleted rows."""

    def purge(self, name: str, *, why: str, user: str | None = None) -> Purged:
        """Delete for good everything that may hold deleted rows: earlier versions, memories, pages and outcomes.

        What the live version came from since the last deletion stays, and so does the history. Nobody can go back to
        what is gone. If a purge is interrupted, another one ends it.

        Raises
        ------
        RegistryError
            No row was deleted, or the live version is from before that.
        UsageError
            No reason was given.
        """
        require_reason(why, "A purge")
        store = self.store
        _last(store, name, Lineage.from_store(store, name))  # a purge that is not possible leaves no trace
        with store.event(name, "purge", why=why, user=user) as event, tempfile.TemporaryDirectory() as scratch:
            lineage = Lineage.from_store(store, name)
            last = _last(store, name, lineage)
            # the states that are deleted hold error budget spent since, so the present state is written again
            self._models.state(name).save(Path(scratch))
            event.keep_state(Path(scratch))
            versions = lineage.holding(last)
            event.give_up(versions)
            others = [record for record in lineage.records if record.id != event.id]
            before = [record for record in others if not _comes_from(lineage, record, last)]
            erased = sorted(record.number for record in before if store.erase(event, record.id, keep=KEPT))
            shown = f"versions {', '.join(map(str, versions))}" if versions else ""
            info = {"strategy": shown, "purged": versions, "events": erased}
            event.conclude(decision="purged", deploy=None, info=info)
            shutil.rmtree(self._models.checkpoints(name), ignore_errors=True)
        return Purged(name, store.champion(name), tuple(versions), tuple(erased), event.number)


def _last(store: Store, name: str, lineage: Lineage) -> Record:
    """Return the last deletion that the live version came from."""
    live = store.champion(name)
    done = [record for record in lineage.records if record.kind == "forget" and record.deployed]
    if not done:
        raise RegistryError(
            f"No row of {name!r} was deleted, so there is nothing to purge. Delete rows first: "
            f"incumbent forget FILE --name {name} --why TEXT"
        )
    known = lineage.deletions(live)
    if done[0] not in known:
        raise RegistryError(
            f"Version {live} of {name!r}, which is live, is from before event {done[0].number}, where rows were "
            f"deleted, and would have to be purged itself. Go to a version after it: incumbent promote --name {name} "
            f"--version {done[0].deployed} --why TEXT; or delete the rows again: incumbent forget FILE --name {name} "
            "--why TEXT"
        )
    return known[0]


def _comes_from(lineage: Lineage, record: Record, last: Record) -> bool:
    """Whether what an event stored was made without the rows: it is the deletion, or began after it."""
    return record.id == last.id or last.deployed in lineage.line(record.version_before)
