"""Make a version live without the gate: a rollback to one that was live, or an override."""

from __future__ import annotations

from incumbent.errors import RegistryError
from incumbent.registry._lineage import check_deletions, events
from incumbent.registry._record import require_reason
from incumbent.registry._stored import RegistryBase, StoredModels
from incumbent.store import Record


class DeployVerbs(RegistryBase):
    """Make a version live without the gate."""

    def rollback(
        self, name: str, *, to: int | None = None, why: str, bring_back: bool = False, user: str | None = None
    ) -> int:
        """Make an earlier version live again, with the memory it had; return its number.

        Parameters
        ----------
        to : int, optional
            A version that was live once; the default is the one before the present.
        bring_back : bool
            Allow a version from before rows were deleted (`forget`), which brings them back with its memory.

        Raises
        ------
        RegistryError
            There is no such version, it was never live, its files were purged, or it is from before a deletion and
            `bring_back` was not given.
        UsageError
            No reason was given.
        """
        require_reason(why, "A rollback")
        if to is not None:
            self._models.check_was_live(name, to)
        return _deploy(self._models, name, "rollback", to, why, user, bring_back)

    def promote(self, name: str, version: int, *, why: str, bring_back: bool = False, user: str | None = None) -> int:
        """Make a version live without the gate, and record it as an override.

        Raises
        ------
        RegistryError
            There is no such version, its files were purged, it is live already, or it is from before a deletion and
            `bring_back` was not given.
        UsageError
            No reason was given.
        """
        require_reason(why, "A promotion without the gate")
        return _deploy(self._models, name, "promote", version, why, user, bring_back)


def _deploy(
    models: StoredModels, name: str, kind: str, version: int | None, why: str, user: str | None, bring_back: bool
) -> int:
    store = models.store

    def checked() -> tuple[int, list[Record]]:
        live = store.champion(name)
        number = store.previous(name) if version is None else version
        if number == live:
            raise RegistryError(f"Version {number} of {name!r} is live already.")
        models.check_exists(name, number)
        store.check_there(name, number)
        hint = _hint(name, kind, number)
        return number, check_deletions(store, name, live, number, bring_back=bring_back, hint=hint)

    checked()  # a deployment that is not possible leaves no trace
    with store.event(name, kind, why=why, user=user) as event:
        number, undone = checked()
        decision = "rollback" if kind == "rollback" else "override"
        info = {"strategy": f"brings back the rows of {events(undone)}"} if undone else {}
        event.conclude(decision=decision, deploy=number, info={"why": why, **info})
    return number


def _hint(name: str, kind: str, version: int) -> str:
    """Return the command that makes a version from before a deletion live anyway."""
    to = f"--to {version}" if kind == "rollback" else f"--version {version}"
    typed = f"incumbent {kind} --name {name} {to} --why TEXT --bring-back"
    return f"To make it live anyway: {typed}; then delete the rows again with incumbent forget."
