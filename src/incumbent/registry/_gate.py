"""The gate that a name is under: stored with each version, unless one was set for the name since."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent.core import Outcome
from incumbent.errors import UsageError
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl, control, restore
from incumbent.registry._approval import reasoned
from incumbent.registry._folders import Version

if TYPE_CHECKING:
    from incumbent.registry._registry import Registry


def under(version: Version, found: Path | None) -> Version:
    """Return the version under the gate that was set for its name, if one was."""
    return version if found is None else dataclasses.replace(version, gate=Gate.from_toml(found))


def set_gate(registry: Registry, name: str, gate: Gate, *, why: str, user: str | None) -> Gate:
    """Put a name under another gate, on record; return it with its slices fixed."""
    reasoned(why, "A change of the gate")
    before, known = registry.version(name).gate, registry.state(name).memory.rows
    fixed = gate.fixed(known.x) if gate.slices and known is not None else gate
    if fixed == before:
        raise UsageError(f"{name!r} is under this very gate already.")
    with registry.store.event(name, "gate", why=why, user=user) as event:
        event.params({"gate": repr(fixed), "gate_before": repr(before)})
        event.keep_gate(fixed.to_toml())
        event.conclude(decision="set", deploy=None, info={"why": why, "gate": repr(fixed), "before": repr(before)})
    return fixed


def resumed(state: Mapping[str, Any], gate: Gate) -> ErrorControl | None:
    """Return the error control where the last update left it, unless the gate has another by now."""
    if not state:
        return None
    found = restore(state)
    fresh = control(gate.error_control, gate.alpha)
    same = type(found) is type(fresh) and found.to_dict()["alpha"] == fresh.to_dict()["alpha"]
    return found if same else None


def spent(registry: Registry, outcome: Outcome, given: Gate, own: Gate) -> Mapping[str, Any]:
    """Return the state of the model's own error control after an update.

    Where another gate was given for this time with another error control, the model's own goes on nevertheless: it has
    spent a look that earned nothing, so that nobody renews a budget by the way.
    """
    if (given.error_control, given.alpha) == (own.error_control, own.alpha):
        return outcome.control
    stored = registry.state(outcome.name).control
    if not outcome.comparisons:
        return stored
    return (resumed(stored, own) or control(own.error_control, own.alpha)).record(False).to_dict()
