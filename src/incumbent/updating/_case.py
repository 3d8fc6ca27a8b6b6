"""What an update starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from incumbent.core import AnchorSet, Batch, Event, Memory, Metric, Model, Progress
from incumbent.data import DataCheck
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl
from incumbent.policy import Choice
from incumbent.updating._followed import Followed
from incumbent.updating._lines import Lines


def silent(event: Event) -> None:
    """Show no progress."""


def rare_rows(champion: Model) -> int:
    """Return how many rows of every class the memory keeps however rare it is; values have no classes."""
    return 50 if champion.task == "classification" else 0


@dataclass(frozen=True, eq=False)
class Case:
    """A live model, new rows that passed the check, and what is known of the old ones.

    Parameters
    ----------
    champion : Model
        The model that is live.
    batch : Batch
        New labelled rows.
    check : DataCheck
        What the check found in them.
    memory : Memory
        What is remembered of the rows that were learned from.
    anchor : AnchorSet
        The old holdout.
    standing : mapping of str to Model
        Challengers that earlier updates made and did not promote; they stand again.
    strategies : "auto", str, Strategy, or a sequence of those
        What to try.
    budget : float
        Seconds for training challengers.
    metric : str or Metric, optional
        What decides; None is accuracy, or RMSE for a regression.
    gate : Gate
        The rule of promotion.
    control : ErrorControl, optional
        The error control as earlier updates left it; None is the gate's, at its beginning.
    live : str
        The strategy that made the champion: what routine re-learning is. A model that was brought in was retrained.
    lines : Lines
        Standing challengers that keep learning, and the evidence about them.
    followed : Followed
        Whether today's rows or history's have been the better guide.
    seed : int
        Where all randomness comes from.
    progress : callable
        Told of every step.
    checkpoints : Path, optional
        Where trainings that take long are kept while they last.
    """

    champion: Model
    batch: Batch
    check: DataCheck
    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    standing: Mapping[str, Model] = field(default_factory=dict)
    strategies: Choice = "auto"
    budget: float = 300.0
    metric: str | Metric | None = None
    gate: Gate = field(default_factory=Gate)
    control: ErrorControl | None = None
    live: str = "Retrain()"
    lines: Lines = field(default_factory=Lines)
    followed: Followed = field(default_factory=Followed)
    seed: int = 0
    progress: Progress = silent
    checkpoints: Path | None = None
