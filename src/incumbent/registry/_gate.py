"""Put a name under another gate."""

from __future__ import annotations

from incumbent.errors import UsageError
from incumbent.gate import Gate
from incumbent.registry._record import require_reason
from incumbent.registry._stored import StoredModels


def set_gate(models: StoredModels, name: str, gate: Gate, *, why: str, user: str | None) -> Gate:
    """Set the gate of a name, on record; see `Registry.set_gate`."""
    require_reason(why, "A change of the gate")
    before, known = models.version(name).gate, models.state(name).memory.rows
    fixed = gate.fixed(known.x) if gate.slices and known is not None else gate
    if fixed == before:
        raise UsageError(f"{name!r} has this gate already.")
    with models.store.event(name, "gate", why=why, user=user) as event:
        event.params({"gate": repr(fixed), "gate_before": repr(before)})
        event.keep_gate(fixed.to_toml())
        event.conclude(decision="set", deploy=None, info={"why": why, "gate": repr(fixed), "before": repr(before)})
    return fixed
