"""Set the gate of a model."""

from __future__ import annotations

from incumbent.errors import UsageError
from incumbent.gate import Gate
from incumbent.registry._record import require_reason
from incumbent.registry._stored import RegistryBase


class GateVerb(RegistryBase):
    """Set the gate of a model."""

    def set_gate(self, name: str, gate: Gate, *, why: str, user: str | None = None) -> Gate:
        """Set the gate of a model, whichever of its versions is live; return the gate as it is kept.

        Parameters
        ----------
        gate : Gate
            The rule of promotion. Slices that are columns become conditions, by the values of remembered rows. With
            another `error_control` or `alpha`, what was spent under the old one no longer counts.

        Raises
        ------
        UsageError
            No reason was given, a slice does not fit the rows, or the model has this gate already.
        """
        require_reason(why, "A change of the gate")
        before, known = self._models.version(name).gate, self._models.state(name).memory.rows
        fixed = gate.fixed(known.x) if gate.slices and known is not None else gate
        if fixed == before:
            raise UsageError(f"{name!r} has this gate already.")
        with self.store.event(name, "gate", why=why, user=user) as event:
            event.params({"gate": repr(fixed), "gate_before": repr(before)})
            event.keep_gate(fixed.to_toml())
            event.conclude(decision="set", deploy=None, info={"why": why, "gate": repr(fixed), "before": repr(before)})
        return fixed
