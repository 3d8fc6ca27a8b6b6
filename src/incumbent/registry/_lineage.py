"""Which version came from which. Versions that came from a deletion lack the deleted rows; others may have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from incumbent.errors import RegistryError
from incumbent.store import Record, Store
from incumbent.words import joined


@dataclass(frozen=True)
class Lineage:
    """Where the versions of a model came from, and which events deleted rows."""

    records: tuple[Record, ...]  # newest first
    parents: dict[int, int | None]  # for each version, the one that was live when it was made
    purged: frozenset[int]  # versions whose files are gone

    @staticmethod
    def from_store(store: Store, name: str) -> Lineage:
        """Read the lineage of a model."""
        records = tuple(store.history(name))
        by_id = {record.id: record for record in records}
        versions = store.versions(name)
        made = {v.version: by_id[v.event].version_before for v in versions if v.event in by_id}
        # a version that was deleted in MLflow still has children
        there = {r.deployed: r.version_before for r in records if r.deployed and r.kind in ("init", "update", "forget")}
        gone = frozenset(v.version for v in versions if v.status == "purged")
        return Lineage(records, {**there, **made}, gone)

    def line(self, version: int | None) -> list[int]:
        """Return a version and the versions that it came from, newest first."""
        found: list[int] = []
        while version is not None and version not in found:
            found.append(version)
            version = self.parents.get(version)
        return found

    def deletions(self, version: int | None) -> list[Record]:
        """Return the deletions that a version came from, newest first."""
        line = set(self.line(version))
        return [r for r in self.records if r.kind == "forget" and r.deployed in line]

    def brought_back(self, live: int, to: int) -> list[Record]:
        """Return the deletions that the live version came from and another did not, newest first."""
        known = {record.id for record in self.deletions(to)}
        return [record for record in self.deletions(live) if record.id not in known]

    def holding(self, last: Record) -> list[int]:
        """Return the versions that did not come from a deletion and whose files still exist."""
        return sorted(v for v in self.parents if v not in self.purged and last.deployed not in self.line(v))


def check_deletions(store: Store, name: str, live: int, to: int, *, bring_back: bool, hint: str) -> list[Record]:
    """Return the deletions that a step from `live` to `to` undoes; unless `bring_back`, any is an error with a hint."""
    undone = Lineage.from_store(store, name).brought_back(live, to)
    if not undone or bring_back:
        return undone
    rows = sum(int(record.info.get("rows", {}).get("forgotten", 0)) for record in undone)
    were = "row was" if rows == 1 else "rows were"
    raise RegistryError(
        f"Version {to} of {name!r} is from before {events(undone)}, where {rows:,} {were} deleted: it may have learned "
        f"them, and its memory may hold them. {hint}"
    )


def events(records: Sequence[Record]) -> str:
    """Format events as "event 4" or "events 4 and 6"."""
    return f"event{'' if len(records) == 1 else 's'} {joined(str(record.number) for record in reversed(records))}"
