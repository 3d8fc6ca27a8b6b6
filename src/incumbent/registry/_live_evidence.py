"""A shadow: two versions compared on live labels, with settings fixed before the first label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from incumbent import metrics
from incumbent.core import Metric, Task
from incumbent.errors import DataError
from incumbent.evidence.live import Monitor

LiveVerdict: TypeAlias = Literal["promote", "rollback", "reject", "undecided"]


@dataclass(frozen=True)
class Shadow:
    """A comparison of a version with the champion on live labels: all that was fixed before the first label.

    Parameters
    ----------
    name : str
        Which model.
    champion, challenger : int
        The version that was live at the start, and the one that may replace it.
    monitor : Monitor
        Alpha, gain, bound and goal, without evidence.
    metric : str
        The metric of the losses.
    task : {"classification", "regression"}
        What the models predict.
    classes : mapping of str to list
        The classes of "champion" and "challenger"; empty for a regression.
    columns : mapping of str to str
        The names in the log of "id", "champion", "challenger", "label" and "time".
    bound_from, since : str
        Where the bound comes from, and when the shadow began, in words.
    """

    name: str
    champion: int
    challenger: int
    monitor: Monitor
    metric: str
    task: Task
    classes: Mapping[str, Sequence[Any]]
    columns: Mapping[str, str]
    bound_from: str = ""
    since: str = ""

    def rule(self) -> Metric:
        """Return the metric."""
        return metrics.metric(self.metric, task=self.task, classes=self.classes.get("champion") or None)

    def predicted(self, who: str) -> str | dict[Any, str]:
        """Return the column of a model's predictions, or one per class if the metric needs probabilities."""
        column = self.columns[who]
        if not getattr(self.rule(), "needs_proba", False):
            return column
        return {each: f"{column}_{each}" for each in self.classes[who]}

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts, to be stored."""
        facts = {"champion": self.champion, "challenger": self.challenger, "metric": self.metric, "task": self.task}
        lists = {"classes": {who: list(known) for who, known in self.classes.items()}, "columns": dict(self.columns)}
        return {"format": 1, **facts, **lists, "bound_from": self.bound_from, "monitor": self.monitor.to_dict()}

    @staticmethod
    def from_dict(stored: Mapping[str, Any], *, name: str, since: str) -> Shadow:
        """Return what `to_dict` wrote."""
        if stored.get("format") != 1:
            raise DataError(
                f"This shadow is stored in format {stored.get('format')!r}, and format 1 can be read; "
                "pip install -U incumbent"
            )
        fields = {key: value for key, value in stored.items() if key not in ("format", "monitor")}
        return Shadow(name, monitor=Monitor.from_dict(stored["monitor"]), since=since, **fields)


@dataclass(frozen=True)
class LiveEvidence:
    """The evidence of the labels so far.

    Parameters
    ----------
    shadow : Shadow
        What is compared, and how.
    monitor : Monitor
        The evidence of every row that has its label.
    logged, waiting, overdue, unknown : int
        Rows in the log, rows without a label, those of them whose label is overdue, and labels of no logged row.
    """

    shadow: Shadow
    monitor: Monitor
    logged: int = 0
    waiting: int = 0
    overdue: int = 0
    unknown: int = 0
    recorded: str = field(default="", compare=False)

    @property
    def decision(self) -> LiveVerdict:
        """The goal, once the e-value reaches 1 / alpha; "reject" once the gain is shown to be too small."""
        found = self.monitor.decision
        if found == "undecided" and self.monitor.rows and self.monitor.interval.upper < self.monitor.min_gain:
            return "reject"
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return everything in plain numbers and texts, ready for JSON."""
        shadow, monitor = self.shadow, self.monitor
        who = {"name": shadow.name, "champion": shadow.champion, "challenger": shadow.challenger}
        rules = {"alpha": monitor.alpha, "min_gain": monitor.min_gain, "bound": monitor.bound, "goal": monitor.goal}
        counts = {name: getattr(self, name) for name in ("logged", "waiting", "overdue", "unknown")}
        found = monitor.interval if monitor.rows else None
        gain: dict[str, float | None] = dict.fromkeys(("gain", "lower", "upper"))
        if found is not None:
            gain = {"gain": found.value, "lower": found.lower, "upper": found.upper}
        evidence = {"e_value": monitor.e_value, "decides_at": 1.0 / monitor.alpha, "rows": monitor.rows, **gain}
        ahead = {"rows_to_go": monitor.rows_remaining, "recorded": self.recorded}
        return {"decision": self.decision, **who, "metric": shadow.metric, **rules, **evidence, **counts, **ahead}

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(look: LiveEvidence) -> Iterator[str]:
    shadow, monitor = look.shadow, look.monitor
    yield look.decision.upper() + str(monitor).removeprefix(monitor.decision.upper())
    role = "the one that was live before" if monitor.goal == "rollback" else "in the shadow"
    since = f" since {shadow.since}" if shadow.since else ""
    yield (
        f"{shadow.name} version {shadow.challenger} ({role}) against version {shadow.champion} (live){since}, by "
        f"{shadow.metric}; gain to exceed {monitor.min_gain:g}, losses up to {monitor.bound:.4g}."
    )
    late = f", {look.overdue:,} of them overdue" if look.overdue else ""
    strange = f"; {look.unknown:,} labels belong to no logged row" if look.unknown else ""
    yield f"{look.logged:,} rows are logged: {monitor.rows:,} have their label, {look.waiting:,} wait{late}{strange}."
    yield _ahead(look)


def _ahead(look: LiveEvidence) -> str:
    monitor, name = look.monitor, look.shadow.name
    if look.decision == "reject":
        done = look.recorded or f"next: incumbent shadow decide --name {name} --log FILE"
        return f"The gain is shown to be below {monitor.min_gain:g}: more rows would not help.\n{done}"
    if look.decision != "undecided":
        return look.recorded or f"next: incumbent shadow decide --name {name} --log FILE"
    if monitor.rows and not any(monitor.tally.above):
        return "Both have the same loss on every one of these rows: were the predictions of both logged?"
    if monitor.rows_remaining is None:
        seen = "no gain above the required one was seen" if monitor.rows else "no row has its label yet"
        return f"How many rows it takes is not known: {seen}."
    rows = monitor.rows_remaining
    step = int(10 ** max(0, len(str(rows)) - 2))  # rounded up to two digits: a forecast is no more precise
    return f"About {-(-rows // step) * step:,} more labelled rows decide, if they are like these."
