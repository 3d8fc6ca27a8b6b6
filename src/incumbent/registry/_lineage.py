"""Which version came from which: what was deleted stays deleted in all that came from there, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incumbent.errors import RegistryError
from incumbent.store import Record

if TYPE_CHECKING:
    from incumbent.registry._registry import Registry


@dataclass(frozen=True)
class Lineage:
    """What a name's versions came from, and where in it rows were deleted.

    Parameters
    ----------
    name : str
        Whose.
    records : tuple of Record
        Its history, newest first.
    parents : mapping of int to int or None
        By version the one that was live when it was made.
    purged : frozenset of int
        Versions whose files are gone.
    """

    name: str
    records: tuple[Record, ...]
    parents: dict[int, int | None]
    purged: frozenset[int]

    @staticmethod
    def of(registry: Registry, name: str) -> Lineage:
        """Read it from the store."""
        records = tuple(registry.store.history(name))
        by_id = {record.id: record for record in records}
        versions = registry.store.versions(name)
        made = {v.version: by_id[v.event].version_before for v in versions if v.event in by_id}
        # a version that was deleted in MLflow still has children
        there = {r.deployed: r.version_before for r in records if r.deployed and r.kind in ("init", "update", "forget")}
        gone = frozenset(v.version for v in versions if v.status == "purged")
        return Lineage(name, records, {**there, **made}, gone)

    def line(self, version: int | None) -> list[int]:
        """Return a version and those that it came from, newest first."""
        found: list[int] = []
        while version is not None and version not in found:
            found.append(version)
            version = self.parents.get(version)
        return found

    def deletions(self, version: int | None) -> list[Record]:
        """Return the deletions that a version knows of, newest first."""
        line = set(self.line(version))
        return [r for r in self.records if r.kind == "forget" and r.deployed in line]

    def brought_back(self, live: int, to: int) -> list[Record]:
        """Return the deletions that the live version knows of and another does not, newest first."""
        known = {record.id for record in self.deletions(to)}
        return [record for record in self.deletions(live) if record.id not in known]

    def holding(self, last: Record) -> list[int]:
        """Return the versions that do not come from a deletion, and whose files are there."""
        return sorted(v for v in self.parents if v not in self.purged and last.deployed not in self.line(v))


def check_deletions(registry: Registry, name: str, live: int, to: int, *, bring_back: bool, again: str) -> list[Record]:
    """Return the deletions that a step to another version undoes, or say so where nobody asked for that.

    Raises
    ------
    RegistryError
        The version is from before a deletion, and `bring_back` was not given.
    """
    undone = Lineage.of(registry, name).brought_back(live, to)
    if not undone or bring_back:
        return undone
    rows = sum(int(record.info.get("rows", {}).get("forgotten", 0)) for record in undone)
    were = "row was" if rows == 1 else "rows were"
    raise RegistryError(
        f"Version {to} of {name!r} is from before {events(undone)}, where {rows:,} {were} deleted: it may have learned "
        f"them, and its memory may hold them. {again}"
    )


def events(records: Sequence[Record]) -> str:
    """Return how deletions are called in a message."""
    numbers = [str(record.number) for record in reversed(records)]
    if len(numbers) == 1:
        return f"event {numbers[0]}"
    return f"events {', '.join(numbers[:-1])} and {numbers[-1]}"
