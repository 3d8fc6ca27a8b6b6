"""Deletion requests: a version that no longer holds certain rows takes the place of the live one, in one step."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incumbent import metrics
from incumbent.core import AnchorSet, Model, read_recipe
from incumbent.errors import IncumbentError, UsageError
from incumbent.registry._approval import reasoned
from incumbent.registry._folders import State, Version
from incumbent.registry._found import complete, find
from incumbent.registry._lineage import Lineage
from incumbent.registry._unfinished import unfinished
from incumbent.registry._without import How, Ways, without
from incumbent.updating import ask

if TYPE_CHECKING:
    from incumbent.registry._registry import Registry

_DID: dict[How, str] = {
    "exact": "head solved without them",
    "retrain": "trained anew without them",
    "keep": "model kept as it is",
    "unlearned": "never learned, model as it is",
}


@dataclass(frozen=True)
class Forgotten:
    """What a deletion did, and what still holds the rows.

    Parameters
    ----------
    name : str
        Of which model.
    version_before, version : int
        The version that was live, and the one that is.
    how : {"exact", "retrain", "keep", "unlearned"}
        The head was solved without the rows; the model was trained anew without them; it stays as it is, though it may
        have learned them; it had never learned them.
    rows : int
        How many were given.
    learned, anchored, unremembered : int
        How many were taken out of the memory and out of the anchor set, every copy of them, and how many were learned
        on the word of whoever asked.
    remembered, seen : int
        Rows in the memory now, and rows that it stands for.
    metric : str
        The score on the anchor rows.
    scores : (float, float), optional
        That score of the version before and of this one; None where the model is the same or no anchor rows are there.
    anchor_rows : int
        Rows in the anchor set now.
    still_held : tuple of int
        Versions that may hold the rows: in the model, or in the memory that comes back with it.
    event : int
        The number of the event.
    complete : bool
        Whether memory holds every row that it stands for.
    notes : tuple of str
        What is to be known of how the model was made.
    """

    name: str
    version_before: int
    version: int
    how: How
    rows: int
    learned: int
    anchored: int
    unremembered: int
    remembered: int
    seen: int
    anchor_rows: int
    still_held: tuple[int, ...]
    event: int
    complete: bool
    metric: str = ""
    scores: tuple[float, float] | None = None
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists, ready for JSON."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        lists = {"still_held": list(self.still_held), "notes": list(self.notes)}
        return told | lists | {"scores": None if self.scores is None else list(self.scores)}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        live = f"{self.name} version {self.version} is live without {_rows(self.rows)}"
        lines = [f"{live}; version {self.version_before} was."]
        if self.learned:
            left = f"{self.remembered:,} are left" + ("" if self.complete else f", of {self.seen:,} that it has seen")
            lines.append(f"Out of memory: {_rows(self.learned)}; {left}.")
        if self.unremembered:
            lines.append(f"Learned, as you say, and let go from memory since: {_rows(self.unremembered)}.")
        if self.anchored:
            lines.append(f"Out of the anchor set: {_rows(self.anchored)}; {self.anchor_rows:,} are left.")
        lines += self._model()
        if self.scores is not None:
            before, after = self.scores
            on = f"On {_rows(self.anchor_rows, 'anchor row')}"
            lines.append(f"{on}: {self.metric} {after:.4g}, was {before:.4g}. No gate has judged it.")
        return [*lines, *(f"Note: {note}" for note in self.notes), *self._elsewhere()]

    def _model(self) -> list[str]:
        if self.how == "exact":
            return [
                "Its head was solved without them, from its sums alone: it equals one that never learned them.",
                "Below the head all stays: steps or layers, what the projection was fitted to, the penalty.",
                "If those were fitted to the rows as well, --retrain takes them out there too.",
            ]
        if self.how == "retrain":
            of = "all that it has seen" if self.complete else f"of {self.seen:,} that it has seen"
            return [f"The model was trained anew, with its own settings, on {_rows(self.remembered)} ({of})."]
        if self.how == "keep":
            return [
                "The model stays as it is: it may have learned them. No later training meets them, and an update with",
                "--strategy retrain makes a model that never did.",
            ]
        return ["The model had never learned them, so it stays as it is."]

    def _elsewhere(self) -> list[str]:
        if not self.still_held:
            return []
        versions = f"Version{'' if len(self.still_held) == 1 else 's'} {_listed(self.still_held)}"
        return [
            f"{versions}, and pages of updates before, may still hold them. To delete those for good:",
            f"incumbent purge --name {self.name} --why TEXT",
        ]


def forget(
    registry: Registry,
    name: str,
    rows: Any,
    *,
    retrain: bool,
    keep_model: bool,
    learned: bool,
    why: str,
    seed: int,
    user: str | None,
) -> Forgotten:
    """Take rows out of what is live; see `Registry.forget`."""
    reasoned(why, "A deletion")
    if retrain and keep_model:
        raise UsageError("--retrain makes another model and --keep-model keeps this one; give one of them.")
    frame = registry.version(name).schema.read(rows)

    def looked() -> tuple[Ways, How]:
        ways = _ways(registry, name, frame, learned)
        return ways, ways.choose(retrain=retrain, keep_model=keep_model)

    looked()  # what cannot be deleted leaves no trace
    with registry.store.event(name, "forget", why=why, user=user) as event, tempfile.TemporaryDirectory() as scratch:
        ways, how = looked()
        version, state = without(ways, how, seed=seed)
        made, kept = Path(scratch) / "version", Path(scratch) / "state"
        made.mkdir()
        kept.mkdir()
        version.save(made)
        state.save(kept)
        # only how many and how: a digest or a file's name could tell which rows they were
        number = event.add_version(made, {key: str(value) for key, value in version.told.items()} | {"forgot": how})
        event.keep_state(kept)
        told = _told(ways, how, state)
        event.params({"how": how, **{f"rows_{key}": count for key, count in told["rows"].items()}})
        event.conclude(decision="forgot", deploy=number, info=told)
        shutil.rmtree(unfinished(registry.store.url, name), ignore_errors=True)  # trainings begun on those rows
    return _outcome(registry, ways, how, version, state, number, event.number)


def _ways(registry: Registry, name: str, frame: Any, trusted: bool) -> Ways:
    live = registry.champion(name)
    version, state = registry.version(name, live), registry.state(name)
    batch, _ = version.schema.check(frame)
    found = find(batch, state, trusted=trusted, who=f"version {live} of {name!r}")
    weighed = any(_has_row_weight(each.info.get("recipe", "")) for each in registry.store.versions(name))
    return Ways(name, live, version, state, found, weighed)


def _has_row_weight(recipe: str) -> bool:
    """Return whether a stored recipe gave new rows another weight than old ones."""
    try:
        return read_recipe(recipe).data.new_row_weight != 1
    except UsageError:  # the first version has none
        return False


def _told(ways: Ways, how: How, state: State) -> dict[str, Any]:
    """Return what the history tells."""
    found = ways.found
    counts = {
        "forgotten": found.rows,
        "learned": int(found.learned.sum()),
        "anchored": int(found.anchored.sum()),
        "unremembered": len(found.unremembered),
        "memory": len(state.memory),
        "anchor": len(state.anchor),
    }
    return {"rows": counts, "how": how, "strategy": f"{_rows(found.rows)}: {_DID[how]}"}


def _outcome(
    registry: Registry, ways: Ways, how: How, version: Version, state: State, number: int, event: int
) -> Forgotten:
    found, memory = ways.found, state.memory
    metric, scores = _scored(ways.version.model, version.model, state.anchor)
    lineage = Lineage.of(registry, ways.name)
    return Forgotten(
        ways.name,
        ways.number,
        number,
        how,
        found.rows,
        int(found.learned.sum()),
        int(found.anchored.sum()),
        len(found.unremembered),
        len(memory),
        memory.seen,
        len(state.anchor),
        tuple(lineage.holding(next(r for r in lineage.records if r.number == event))),
        event,
        complete(memory),
        metric,
        scores,
        version.model.notes if how == "retrain" else (),
    )


def _scored(before: Model, after: Model, anchor: AnchorSet) -> tuple[str, tuple[float, float] | None]:
    """Return what both say of the old rows that neither has learned."""
    if before is after or anchor.rows is None or not len(anchor):
        return "", None
    y, x = anchor.rows.labels, anchor.rows.x
    try:
        metric = metrics.metric(None, task=after.task, classes=after.classes, labels=metrics.labels_of(y))
        was, now = (metric.score(y, ask(model, x, "the anchor rows")) for model in (before, after))
        return metric.name, (was, now)
    except IncumbentError:  # it is done either way, and these numbers are for information
        return "", None


def _rows(count: int, what: str = "row") -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(numbers: tuple[int, ...]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
