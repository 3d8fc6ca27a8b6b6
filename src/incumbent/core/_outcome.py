"""The result of an update: its challengers, comparisons and outcome, and events that show progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from incumbent._deprecated import renamed_members
from incumbent.core._check import DataCheck
from incumbent.core._evidence import Interval, PairedPredictions, Verdict
from incumbent.core._model import Model
from incumbent.core._recipe import Recipe
from incumbent.core._rows import AnchorSet, Memory
from incumbent.core._values import Decision, Replaceable


@renamed_members({"spared": "skip_reason"})
@dataclass(frozen=True, eq=False)
class Challenger:
    """A model trained in this update: how it was made, what it cost, how it did on the select rows, or why it failed.

    Parameters
    ----------
    strategy : str
        The expression that makes the strategy.
    recipe : Recipe, optional
        The unbound recipe; None if it could not be prepared.
    model : Model, optional
        The trained model; None if it failed or was skipped.
    seconds : float
        Wall time of fit and predict.
    rows : int
        Number of training rows.
    gain : float
        Loss of the champion minus loss of the challenger on the select rows: a weighted mean of `gains`.
    score : float
        The deciding metric on the new select rows.
    chosen : bool
        Whether the gate tested it.
    notes : tuple of str
        Remarks for the user, such as that a default was replaced.
    error : str
        Why it failed; empty if it did not.
    skip_reason : str
        Why it was not trained; empty if it was.
    gains : mapping of str to float
        The gain on "new" and on "old" select rows.
    """

    strategy: str
    recipe: Recipe | None = None
    model: Model | None = None
    seconds: float = 0.0
    rows: int = 0
    gain: float = math.nan
    score: float = math.nan
    chosen: bool = False
    notes: tuple[str, ...] = ()
    error: str = ""
    skip_reason: str = ""
    gains: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Champion and challenger on one holdout, in the numbers that people read.

    Parameters
    ----------
    name : {"new", "anchor"}
        The holdout.
    champion, challenger : mapping of str to float
        Every metric by name.
    interval : Interval
        The gain in the deciding loss.
    per_class : mapping of str to (float, float, int)
        Accuracy of champion and challenger, and number of rows, by class. F1 instead of accuracy if rows have several
        labels. Empty for a regression.
    paired : PairedPredictions
        The predictions, for plots.
    """

    name: str
    champion: Mapping[str, float]
    challenger: Mapping[str, float]
    interval: Interval
    per_class: Mapping[str, tuple[float, float, int]]
    paired: PairedPredictions


class Renderer(Protocol):
    """Formats an outcome. `incumbent.report` has the one that updates use."""

    def to_dict(self, outcome: Outcome) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""

    def to_text(self, outcome: Outcome, *, verbose: bool = False) -> str:
        """Return the lines that a terminal shows; with `verbose` also the details."""

    def to_html_summary(self, outcome: Outcome) -> str:
        """Return the summary that a notebook shows."""

    def write(self, outcome: Outcome, path: Path) -> Path:
        """Write one self-contained HTML page and return its path."""


@dataclass(frozen=True, eq=False)
class Outcome(Replaceable):
    """The result of an update.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        The decision of the verdict.
    model : object
        The native model that should be live: the challenger's after a promotion, else the champion's.
    verdict : Verdict
        Decision, reasons, advice.
    challengers : tuple of Challenger
        All challengers, also those that failed or were skipped.
    champion : Model
        The model that was live before.
    metric : str
        The deciding metric.
    comparisons : mapping of str to Comparison
        Champion and chosen challenger on "new" and "anchor".
    prequential : mapping of str to mapping of str to float
        Metrics on the whole batch before any model learned from it: of the champion, the runners-up, and no change.
    check : DataCheck
        Warnings and notes about the data.
    rows : mapping of str to int
        Row counts: read, train, select, gate, anchor, memory, duplicate, contradictory, known, leaked.
    cost : mapping of str to float
        Seconds by stage, and their sum.
    memory : Memory
        Memory for the next update.
    anchor : AnchorSet
        Anchor set for the next update.
    seed : int
        The seed.
    control : mapping
        State of the error control after this update: how much of alpha is spent.
    lines : object, optional
        Prequential models and the evidence about them (`incumbent.updating.PrequentialModels`).
    name, version_before, version_after, update : str, int, int, str
        Where a registry recorded it; empty and 0 in memory.
    candidate : int
        The version that passed the gate and waits for approval; 0 if there is none. The champion stays live until then,
        so `model` and `version_after` are the champion's.
    lineage : tuple of mapping
        Earlier events of the same model, newest first.
    renderer : Renderer
        Formats the outcome as text, page or plain data.
    """

    decision: Decision
    model: Any
    verdict: Verdict
    challengers: tuple[Challenger, ...]
    champion: Model
    metric: str
    comparisons: Mapping[str, Comparison]
    prequential: Mapping[str, Mapping[str, float]]
    check: DataCheck
    rows: Mapping[str, int]
    cost: Mapping[str, float]
    memory: Memory
    anchor: AnchorSet
    seed: int
    control: Mapping[str, Any] = field(default_factory=dict)
    lines: Any = None
    name: str = ""
    version_before: int = 0
    version_after: int = 0
    update: str = ""
    candidate: int = 0
    lineage: tuple[Mapping[str, Any], ...] = ()
    renderer: Renderer = field(kw_only=True)

    @property
    def chosen(self) -> Challenger | None:
        """The challenger that the gate tested, if any."""
        return next((c for c in self.challengers if c.chosen), None)

    @property
    def winner(self) -> Model:
        """The adapter of the model that should be live."""
        made = self.chosen.model if self.chosen is not None else None
        return made if self.decision == "promote" and made is not None and not self.candidate else self.champion

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: plain numbers, texts, lists and dicts."""
        return self.renderer.to_dict(self)

    def text(self, *, verbose: bool = False) -> str:
        """Return what `print` shows: the verdict, the tests and what to do next, in at most 12 lines.

        Parameters
        ----------
        verbose : bool
            Also every challenger, metric and finding, row counts, time by stage and the guarantee.
        """
        return self.renderer.to_text(self, verbose=verbose)

    def report(self, path: str | Path) -> Path:
        """Write a report as one self-contained HTML file, and return its path."""
        return self.renderer.write(self, Path(path))

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.renderer.to_html_summary(self)


@dataclass(frozen=True)
class Event:
    """A step of an update, to show progress.

    Parameters
    ----------
    stage : str
        "check", "split", "prequential", "fit", "fitted", "failed", "spared", "compare", "gate" or "done".
    text : str
        One line for a person.
    done, total : int
        Number of finished challengers, and of all.
    left : float
        Seconds left in the budget.
    """

    stage: str
    text: str
    done: int = 0
    total: int = 0
    left: float = math.inf


Progress: TypeAlias = Callable[[Event], None]


def silent(event: Event) -> None:
    """Show no progress."""
