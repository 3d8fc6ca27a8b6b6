"""Delete rows: a version without them replaces the live one, in one step."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import Any

from incumbent import metrics
from incumbent.core import AnchorSet, Model, read_recipe
from incumbent.errors import IncumbentError, UsageError
from incumbent.registry._deletion import DeletionOptions, How
from incumbent.registry._folders import State, Version, written
from incumbent.registry._lineage import Lineage
from incumbent.registry._record import require_reason
from incumbent.registry._remove_rows import remove_rows
from incumbent.registry._row_matches import find_rows, is_complete
from incumbent.registry._stored import StoredModels
from incumbent.updating import safe_predict

_DONE: dict[How, str] = {
    "exact": "head solved without them",
    "retrain": "retrained without them",
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
        "exact": the head was solved without the rows. "retrain": the model was trained again without them. "keep": the
        model stays as it is, although it may have learned them. "unlearned": it never learned them.
    rows : int
        How many were given.
    learned, anchored, unremembered : int
        How many were removed from memory and from the anchor set, with every copy, and how many the caller says were
        learned although memory has dropped them.
    remembered, seen : int
        Rows in the memory now, and rows that it stands for.
    metric : str
        The score on the anchor rows.
    scores : (float, float), optional
        That score of the version before and of this one; None if the model is the same or there are no anchor rows.
    anchor_rows : int
        Rows in the anchor set now.
    still_held : tuple of int
        Versions that may still contain the rows, in the model or in its memory.
    event : int
        The number of the event.
    complete : bool
        Whether memory has every row that it stands for.
    notes : tuple of str
        Notes on how the model was trained.
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
            lines.append(f"Removed from memory: {_rows(self.learned)}; {left}.")
        if self.unremembered:
            lines.append(f"Learned, as you say, and dropped from memory before: {_rows(self.unremembered)}.")
        if self.anchored:
            lines.append(f"Removed from the anchor set: {_rows(self.anchored)}; {self.anchor_rows:,} are left.")
        lines += self._model()
        if self.scores is not None:
            before, after = self.scores
            on = f"On {_rows(self.anchor_rows, 'anchor row')}"
            lines.append(f"{on}: {self.metric} {after:.4g}, was {before:.4g}. No gate has judged it.")
        return [*lines, *(f"Note: {note}" for note in self.notes), *self._elsewhere()]

    def _model(self) -> list[str]:
        if self.how == "exact":
            return [
                "Its head was solved without them, from its statistics: it equals a head that never learned them.",
                "Everything below the head stays: frozen layers, the scale of the projection, the penalty.",
                "If those were fitted to the rows too, --retrain removes them there as well.",
            ]
        if self.how == "retrain":
            of = "all that it has seen" if self.complete else f"of {self.seen:,} that it has seen"
            return [f"The model was retrained, with its own settings, on {_rows(self.remembered)} ({of})."]
        if self.how == "keep":
            return [
                "The model stays as it is: it may have learned them. No later training uses them, and an update with",
                "--strategy retrain makes a model that never did.",
            ]
        return ["The model never learned them, so it stays as it is."]

    def _elsewhere(self) -> list[str]:
        if not self.still_held:
            return []
        versions = f"Version{'' if len(self.still_held) == 1 else 's'} {_listed(self.still_held)}"
        return [
            f"{versions}, and pages of earlier updates, may still contain them. To delete those for good:",
            f"incumbent purge --name {self.name} --why TEXT",
        ]


def forget(
    models: StoredModels,
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
    """Remove rows from what is live; see `Registry.forget`."""
    require_reason(why, "A deletion")
    if retrain and keep_model:
        raise UsageError("--retrain makes another model and --keep-model keeps this one; give one of them.")
    store = models.store
    frame = models.version(name).schema.read(rows)

    def chosen() -> tuple[DeletionOptions, How]:
        options = _options(models, name, frame, learned)
        return options, options.choose(retrain=retrain, keep_model=keep_model)

    chosen()  # a deletion that is not possible leaves no trace
    with store.event(name, "forget", why=why, user=user) as event:
        options, how = chosen()
        version, state = remove_rows(options, how, seed=seed)
        with written(version, state) as (made, kept):
            # only how many and how: a digest or a file name could reveal which rows they were
            number = event.add_version(made, {key: str(value) for key, value in version.told.items()} | {"forgot": how})
            event.keep_state(kept)
        info = _info(options, how, state)
        event.params({"how": how, **{f"rows_{key}": count for key, count in info["rows"].items()}})
        event.conclude(decision="forgot", deploy=number, info=info)
        shutil.rmtree(models.checkpoints(name), ignore_errors=True)  # of trainings that began with those rows
    return _outcome(models, options, how, version, state, number, event.number)


def _options(models: StoredModels, name: str, frame: Any, trusted: bool) -> DeletionOptions:
    live = models.store.champion(name)
    version, state = models.version(name, live), models.state(name)
    batch, _ = version.schema.check(frame)
    found = find_rows(batch, state, trusted=trusted, who=f"version {live} of {name!r}")
    recipes = [each.info.get("recipe", "") for each in models.store.versions(name)]
    return DeletionOptions(name, live, version, state, found, any(_has_weight(recipe) for recipe in recipes))


def _has_weight(recipe: str) -> bool:
    """Whether a printed recipe gives new rows another weight than old ones."""
    try:
        return read_recipe(recipe).data.new_row_weight != 1
    except UsageError:  # the first version has none
        return False


def _info(options: DeletionOptions, how: How, state: State) -> dict[str, Any]:
    """Return what the history shows of a deletion."""
    found = options.found
    counts = {
        "forgotten": found.rows,
        "learned": int(found.learned.sum()),
        "anchored": int(found.anchored.sum()),
        "unremembered": len(found.unremembered),
        "memory": len(state.memory),
        "anchor": len(state.anchor),
    }
    return {"rows": counts, "how": how, "strategy": f"{_rows(found.rows)}: {_DONE[how]}"}


def _outcome(
    models: StoredModels, options: DeletionOptions, how: How, version: Version, state: State, number: int, event: int
) -> Forgotten:
    found, memory = options.found, state.memory
    metric, scores = _scored(options.version.model, version.model, state.anchor)
    lineage = Lineage.from_store(models.store, options.name)
    return Forgotten(
        options.name,
        options.number,
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
        is_complete(memory),
        metric,
        scores,
        version.model.notes if how == "retrain" else (),
    )


def _scored(before: Model, after: Model, anchor: AnchorSet) -> tuple[str, tuple[float, float] | None]:
    """Return the metric and the scores of both models on the anchor rows."""
    if before is after or anchor.rows is None or not len(anchor):
        return "", None
    y, x = anchor.rows.labels, anchor.rows.x
    try:
        metric = metrics.metric(None, task=after.task, classes=after.classes, labels=metrics.labels_of(y))
        was, now = (metric.score(y, safe_predict(model, x, "the anchor rows")) for model in (before, after))
        return metric.name, (was, now)
    except IncumbentError:  # the deletion is done either way; the scores only inform
        return "", None


def _rows(count: int, what: str = "row") -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(numbers: tuple[int, ...]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
