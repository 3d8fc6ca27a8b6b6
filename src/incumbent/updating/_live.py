"""The live model, with everything that an update of it starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incumbent.core import AnchorSet, Batch, DataCheck, Finding, Memory, Model, Task
from incumbent.data import Schema, flag_rows, read
from incumbent.data.reading._arrays import has_images
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl, control
from incumbent.memory import update_memory
from incumbent.updating._outputs import infer_outputs, match_classes, task_of
from incumbent.updating._prequential import PrequentialModels, kind_of


@dataclass(frozen=True, eq=False)
class UpdateState:
    """What one update of a model leaves to the next, besides rows.

    Parameters
    ----------
    runners_up : mapping of str to Model
        Challengers that earlier updates kept without a promotion. They are tested again.
    control : ErrorControl, optional
        The error control after the last update; None before the first one.
    prequential : PrequentialModels
        One model per strategy and the evidence about them, if the gate takes its evidence from them.
    strategy : str
        The strategy that made the live model. A model that was brought in counts as retrained.
    """

    runners_up: Mapping[str, Model] = field(default_factory=dict)
    control: ErrorControl | None = None
    prequential: PrequentialModels = field(default_factory=PrequentialModels)
    strategy: str = "Retrain()"


@dataclass(frozen=True, eq=False)
class LiveModel:
    """A model in production, and what is known for its next update.

    `LiveModel.from_rows` makes it for `incumbent.update` and `Registry.init`; a registry also reads it from a stored
    version.

    Parameters
    ----------
    model : Model
        The champion.
    schema : Schema
        What its data look like.
    memory : Memory
        Rows and statistics kept from earlier data.
    anchor : AnchorSet
        Old rows that no version was trained on.
    gate : Gate
        The rule of promotion.
    state : UpdateState
        What earlier updates left.
    notes : tuple of Finding
        What had to be assumed when the model was brought in.
    """

    model: Model
    schema: Schema
    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    gate: Gate = field(default_factory=Gate)
    state: UpdateState = field(default_factory=UpdateState)
    notes: tuple[Finding, ...] = ()

    @classmethod
    def from_rows(
        cls,
        model: Model,
        source: Any,
        *,
        target: str,
        trained_on: bool = True,
        anchor: Any = None,
        time: str | None = None,
        group: str | None = None,
        task: Task | None = None,
        gate: Gate | None = None,
        size: int | str | tuple[int, int] | None = None,
        seed: int = 0,
    ) -> tuple[LiveModel, Batch, DataCheck]:
        """Return a live model made from first rows, those rows, and what was found in them.

        Parameters
        ----------
        model : Model
            The champion.
        source : frame, array, (x, y) pair, or path
            The first rows. They give the schema.
        trained_on : bool
            Whether the model was trained on these rows. Then they also give the memory.
        target, anchor, time, group, task, gate, size, seed
            As in `Registry.init`.
        """
        names, tensors = model.feature_names, model.takes == "tensors"
        channels = model.image_channels if has_images(source) else None
        frame = read(source, names=names, target=target, tensors=tensors, size=size, channels=channels)
        model = infer_outputs(model, frame, target, task)
        schema = Schema.of(frame, target=target, time=time, group=group, task=task_of(model, task), features=names)
        model, schema, notes = match_classes(model, schema)
        rows, check = schema.check(frame)
        old = AnchorSet() if anchor is None else anchor_set(schema, schema.read(anchor))
        live = cls(model, schema, Memory(), old, gate or Gate(), notes=notes)
        return (live._with_trained(rows, seed) if trained_on else live), rows, check

    def _with_trained(self, rows: Batch, seed: int) -> LiveModel:
        """Return the live model with rows it was trained on in its memory, and none of them in its anchor set."""
        memory = update_memory(self.memory, rows, seed=seed, rare=self.rare_rows)
        anchor, notes = drop_trained_rows(self.anchor, rows, task=self.model.task)
        return self.replace(memory=memory, anchor=anchor, notes=(*self.notes, *notes))

    @property
    def rare_rows(self) -> int:
        """How many rows of each class the memory always keeps; 0 for a regression, which has no classes."""
        return 50 if self.model.task == "classification" else 0

    @property
    def error_control(self) -> ErrorControl:
        """The error control before the next update."""
        return self.state.control or control(self.gate.error_control, self.gate.alpha)

    def is_routine(self, strategy: str) -> bool:
        """Whether the gate treats this strategy as routine: the live strategy under a refresh."""
        return self.gate.rule == "refresh" and kind_of(strategy) == kind_of(self.state.strategy)

    def replace(self, **changes: Any) -> LiveModel:
        """Return the same live model with some parts changed."""
        return dataclasses.replace(self, **changes)


def anchor_set(schema: Schema, frame: Any) -> AnchorSet:
    """Return an anchor set of rows that have served in no decision yet."""
    rows, _ = schema.check(frame)
    return AnchorSet(rows, np.zeros(len(rows), dtype=np.int64), len(rows))


def drop_trained_rows(anchor: AnchorSet, trained: Batch, *, task: Task) -> tuple[AnchorSet, tuple[Finding, ...]]:
    """Return the anchor set without the rows that the model was trained on, and a warning if there were any."""
    if anchor.rows is None or anchor.use_counts is None:
        return anchor, ()
    seen = flag_rows(anchor.rows, memory=Memory(trained), anchor=AnchorSet(), task=task).known
    if not seen.any():
        return anchor, ()
    text = f"{seen.sum():,} of {len(anchor):,} old rows are also in the training data and were left out."
    kept = AnchorSet(anchor.rows.take(~seen), anchor.use_counts[~seen], int((~seen).sum()))
    return kept, (Finding("warning", "", text),)
