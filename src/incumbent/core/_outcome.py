"""What an update found: every challenger, the comparison, the outcome, and events of progress."""

from __future__ import annotations

import dataclasses
import html
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
    """One try: what it was, what it cost, how it did on the select split, or why it failed.

    Parameters
    ----------
    strategy : str
        The expression that makes the strategy.
    recipe : Recipe, optional
        The recipe it prepared (unbound); None if it could not be prepared.
    model : Model, optional
        What was made; None if it failed.
    seconds : float
        Wall time of fit and predict.
    rows : int
        Rows it learned from.
    gain : float
        Improvement of the deciding loss over the champion on the select rows; positive is better.
    gains : mapping of str to float
        The same by rows, "new" and "old"; `gain` weighs them.
    score : float
        The deciding metric on the new select rows.
    chosen : bool
        Whether this is the one that met the gate.
    notes : tuple of str
        What should be known, such as a fallback.
    error : str
        Why it failed; empty if it did not.
    skip_reason : str
        Why it was not trained; empty if it was.
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
    """Champion beside challenger on one holdout, in the numbers that people read.

    Parameters
    ----------
    name : {"new", "anchor"}
        Which rows.
    champion, challenger : mapping of str to float
        Every metric by name.
    interval : Interval
        The gain on the deciding loss.
    per_class : mapping of str to (float, float, int)
        Accuracy of champion and challenger and number of rows, by class (empty for a regression); the F1 of each where
        rows have several labels at once.
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
    """What turns an outcome into something to read. Whoever makes an outcome names its renderer."""

    def to_dict(self, outcome: Outcome) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""

    def to_text(self, outcome: Outcome, *, verbose: bool = False) -> str:
        """Return the lines that a terminal shows; with `verbose` also the details."""

    def to_html_summary(self, outcome: Outcome) -> str:
        """Return the summary that a notebook shows."""

    def write(self, outcome: Outcome, path: Path) -> Path:
        """Write one self-contained HTML page and return its path."""


class _Plain:
    """Render the verdict and nothing more, for an outcome made without a renderer."""

    def to_dict(self, outcome: Outcome) -> dict[str, Any]:
        reasons = [dataclasses.asdict(reason) for reason in outcome.verdict.reasons]
        return {"decision": outcome.decision, "metric": outcome.metric, "reasons": reasons}

    def to_text(self, outcome: Outcome, *, verbose: bool = False) -> str:
        return str(outcome.verdict)

    def to_html_summary(self, outcome: Outcome) -> str:
        return f"<pre>{html.escape(str(outcome.verdict))}</pre>"

    def write(self, outcome: Outcome, path: Path) -> Path:
        path.write_text(self.to_html_summary(outcome), encoding="utf-8")
        return path


_PLAIN = _Plain()


@dataclass(frozen=True, eq=False)
class Outcome(Replaceable):
    """Everything that an update found out.

    Parameters
    ----------
    decision : {"promote", "reject", "inconclusive"}
        The verdict's decision.
    model : object
        The native model that should be live: the challenger's after a promotion, else the champion's.
    verdict : Verdict
        Decision, reasons, advice.
    challengers : tuple of Challenger
        Every try.
    champion : Model
        The model that was live.
    metric : str
        The deciding metric.
    comparisons : mapping of str to Comparison
        Champion beside the chosen challenger on "new" and "anchor".
    prequential : mapping of str to mapping of str to float
        Metrics on the whole batch before anybody learned from it: champion, standing challengers, no-change.
    check : DataCheck
        What was found in the data.
    rows : mapping of str to int
        Row counts: read, train, select, gate, anchor, memory, duplicate, contradictory, known, leaked.
    cost : mapping of str to float
        Seconds by stage, and in all.
    memory : Memory
        What the next update may know.
    anchor : AnchorSet
        The old holdout for the next update.
    seed : int
        The seed.
    control : mapping
        The state of the error control after this update: how much of alpha is spent over a lifetime.
    lines : object, optional
        Prequential models and the evidence about them after this update (`incumbent.updating.Lines`).
    followed : mapping
        Whether today's rows or history's have been the better guide, after this update.
    name, version_before, version_after, update : str, int, int, str
        Where a registry recorded it; empty and 0 in memory.
    candidate : int
        The version that passed the gate and waits for approval, where that was asked for; 0 is none. The champion is
        live until then, so `model` and `version_after` are the champion's.
    lineage : tuple of mapping
        Earlier events of the same model, newest first, for the report.
    renderer : Renderer
        What turns the outcome into text, a page or plain data.
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
    followed: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    version_before: int = 0
    version_after: int = 0
    update: str = ""
    candidate: int = 0
    lineage: tuple[Mapping[str, Any], ...] = ()
    renderer: Renderer = field(default=_PLAIN, repr=False)

    @property
    def chosen(self) -> Challenger | None:
        """The challenger that met the gate, if any did."""
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
            Also every challenger, metric and finding, row counts, time by stage and what a promotion guarantees.
        """
        return self.renderer.to_text(self, verbose=verbose)

    def report(self, path: str | Path) -> Path:
        """Write the page that a person reads, one self-contained HTML file, and return where it lies."""
        return self.renderer.write(self, Path(path))

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.renderer.to_html_summary(self)


@dataclass(frozen=True)
class Event:
    """Something that happened during an update, for whoever shows progress.

    Parameters
    ----------
    stage : str
        "check", "split", "prequential", "fit", "fitted", "failed", "spared", "compare", "gate" or "done".
    text : str
        One line for a person.
    done, total : int
        How far the challengers are.
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
