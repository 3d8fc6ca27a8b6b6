"""How a version and the state that belongs to it lie in folders."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incumbent import models
from incumbent.core import AnchorSet, Memory, Model
from incumbent.data import Schema
from incumbent.errors import RegistryError
from incumbent.evidence.live import LineMonitor
from incumbent.gate import Gate, Limit
from incumbent.gate.budget import OLD_WORDS
from incumbent.gate.slices import Slice
from incumbent.memory import load_anchor, load_memory, save_anchor, save_memory
from incumbent.updating import Lines

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Version:
    """A stored version: the model, the schema of its data, the gate it lives under, and how it was made.

    Parameters
    ----------
    model : Model
        The model.
    schema : Schema
        What its data look like.
    gate : Gate
        The rule of promotion.
    told : mapping
        Strategy, recipe and seed that made it, as text.
    """

    model: Model
    schema: Schema
    gate: Gate
    told: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the version into an existing empty folder."""
        models.save(self.model, folder / "model")
        gate = dataclasses.asdict(self.gate)
        text = {"format": _FORMAT, "schema": self.schema.to_dict(), "gate": gate, "told": dict(self.told)}
        (folder / "version.json").write_text(json.dumps(text, indent=1))

    @property
    def strategy(self) -> str:
        """The strategy that made it; a model that was brought in was fitted, so it is a retraining."""
        told = str(self.told.get("strategy", "init"))
        return "Retrain()" if told == "init" else told

    @staticmethod
    def load(folder: Path) -> Version:
        """Read what `save` wrote."""
        text = _read(folder / "version.json")
        gate = dict(text["gate"])
        gate["limits"] = tuple(Limit(**limit) for limit in gate["limits"])
        gate["slices"] = tuple(Slice(**part) for part in gate["slices"])
        gate["error_control"] = OLD_WORDS.get(gate["error_control"], gate["error_control"])  # stored by 0.1
        return Version(models.load(folder / "model"), Schema.from_dict(text["schema"]), Gate(**gate), text["told"])


@dataclass(frozen=True, eq=False)
class State:
    """What goes on from one update to the next.

    Parameters
    ----------
    memory : Memory
        What is remembered of the rows that were learned from.
    anchor : AnchorSet
        The old holdout.
    standing : tuple of int
        Versions that were tried and not promoted, and stand again at the next update.
    control : mapping
        The state of the error control: how much of alpha is spent over the lifetime of the model.
    lines : Lines
        Standing challengers that keep learning, where the gate takes its evidence from them.
    followed : mapping
        Whether today's rows or history's have been the better guide.
    """

    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    standing: tuple[int, ...] = ()
    control: Mapping[str, Any] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    followed: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the state into an existing empty folder."""
        save_memory(self.memory, folder / "memory")
        save_anchor(self.anchor, folder / "anchor")
        for number, model in enumerate(self.lines.models.values()):
            models.save(model, folder / f"line{number}")
        told = {
            "format": _FORMAT,
            "standing": list(self.standing),
            "control": dict(self.control),
            "lines": list(self.lines.models),
            "monitor": None if self.lines.monitor is None else self.lines.monitor.to_dict(),
            "followed": dict(self.followed),
        }
        (folder / "state.json").write_text(json.dumps(told))

    @staticmethod
    def load(folder: Path | None) -> State:
        """Read what `save` wrote; no folder is an empty state."""
        if folder is None:
            return State()
        text = _read(folder / "state.json")
        lines = {name: models.load(folder / f"line{number}") for number, name in enumerate(text.get("lines", ()))}
        monitor = text.get("monitor")
        return State(
            load_memory(folder / "memory"),
            load_anchor(folder / "anchor"),
            tuple(text["standing"]),
            text["control"],
            Lines(lines, None if monitor is None else LineMonitor.from_dict(monitor)),
            text.get("followed", {}),
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        text: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise RegistryError(f"{path} is missing or broken, so this version cannot be read.") from None
    if text["format"] > _FORMAT:
        raise RegistryError(
            f"{path} has format {text['format']} and this program reads up to {_FORMAT}; pip install -U incumbent"
        )
    return text
