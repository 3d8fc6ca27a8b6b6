"""The files of a stored version and of its state."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incumbent import models
from incumbent._deprecated import present_keys, renamed_members, stored_keys
from incumbent.core import AnchorSet, Memory, Model
from incumbent.data import Schema
from incumbent.errors import RegistryError
from incumbent.evidence.live import PrequentialMonitor
from incumbent.gate import Gate, Limit
from incumbent.gate.budget import OLD_WORDS
from incumbent.gate.slices import Slice
from incumbent.memory import load_anchor, load_memory, save_anchor, save_memory
from incumbent.updating import PrequentialModels

_FORMAT = 1


@renamed_members({"told": "made_by"})
@dataclass(frozen=True, eq=False)
class Version:
    """A stored version: the model, the schema of its data, its gate, and how it was made.

    Parameters
    ----------
    model : Model
        The model.
    schema : Schema
        What its data look like.
    gate : Gate
        The rule of promotion.
    made_by : mapping
        Strategy, recipe and seed that made it, as text.
    """

    model: Model
    schema: Schema
    gate: Gate
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the version into an empty folder."""
        folder.mkdir(exist_ok=True)
        models.save(self.model, folder / "model")
        gate = stored_keys(Gate, dataclasses.asdict(self.gate))
        gate["limits"] = [stored_keys(Limit, limit) for limit in gate["limits"]]
        text = {"format": _FORMAT, "schema": self.schema.to_dict(), "gate": gate, "told": dict(self.made_by)}
        (folder / "version.json").write_text(json.dumps(text, indent=1))

    @property
    def strategy(self) -> str:
        """The strategy that made it. A model that was brought in counts as retrained."""
        strategy = str(self.made_by.get("strategy", "init"))
        return "Retrain()" if strategy == "init" else strategy

    @staticmethod
    def load(folder: Path) -> Version:
        """Read what `save` wrote."""
        text = _read(folder / "version.json")
        gate = present_keys(Gate, text["gate"])
        gate["error_control"] = OLD_WORDS.get(gate["error_control"], gate["error_control"])  # stored by 0.1
        gate["limits"] = tuple(Limit(**present_keys(Limit, limit)) for limit in gate["limits"])
        gate["slices"] = tuple(Slice(**part) for part in gate["slices"])
        return Version(models.load(folder / "model"), Schema.from_dict(text["schema"]), Gate(**gate), text["told"])


@renamed_members({"lines": "prequential"})
@dataclass(frozen=True, eq=False)
class State:
    """What one update leaves to the next.

    Parameters
    ----------
    memory : Memory
        Rows and statistics kept from earlier data.
    anchor : AnchorSet
        Old rows that no version was trained on.
    standing : tuple of int
        The runners-up: versions that were tried and not promoted, and are tested again.
    control : mapping
        The state of the error control: how much of alpha is spent over the lifetime of the model.
    prequential : PrequentialModels
        One model per strategy, if the gate takes its evidence from them.
    """

    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    standing: tuple[int, ...] = ()
    control: Mapping[str, Any] = field(default_factory=dict)
    prequential: PrequentialModels = field(default_factory=PrequentialModels)

    def save(self, folder: Path) -> None:
        """Write the state into an empty folder."""
        folder.mkdir(exist_ok=True)
        save_memory(self.memory, folder / "memory")
        save_anchor(self.anchor, folder / "anchor")
        for number, model in enumerate(self.prequential.models.values()):
            models.save(model, folder / f"line{number}")
        monitor = self.prequential.monitor
        text = {
            "format": _FORMAT,
            "standing": list(self.standing),
            "control": dict(self.control),
            "lines": list(self.prequential.models),
            "monitor": None if monitor is None else monitor.to_dict(),
        }
        (folder / "state.json").write_text(json.dumps(text))

    @staticmethod
    def load(folder: Path | None) -> State:
        """Read what `save` wrote. Without a folder the state is empty."""
        if folder is None:
            return State()
        text = _read(folder / "state.json")
        kept = {name: models.load(folder / f"line{number}") for number, name in enumerate(text.get("lines", ()))}
        monitor = text.get("monitor")
        return State(
            load_memory(folder / "memory"),
            load_anchor(folder / "anchor"),
            tuple(text["standing"]),
            text["control"],
            PrequentialModels(kept, None if monitor is None else PrequentialMonitor.from_dict(monitor)),
        )


@contextmanager
def written(version: Version, state: State) -> Iterator[tuple[Path, Path]]:
    """Write a version and its state into two folders that last as long as the block."""
    with tempfile.TemporaryDirectory() as scratch:
        made, kept = Path(scratch) / "version", Path(scratch) / "state"
        version.save(made)
        state.save(kept)
        yield made, kept


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
