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
from incumbent.registry._stored import RegistryBase, StoredModels
from incumbent.updating import safe_predict
from incumbent.words import counted, joined

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
        Rows removed from memory and from the anchor set, with every copy, and rows that were learned, according to the
        caller, although memory has dropped them.
    remembered, seen : int
        Rows in the memory now, and rows that it is a sample of.
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
        Whether memory has dropped no row.
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
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        live = f"{self.name} version {self.version} is live without {counted(self.rows, 'row')}"
        lines = [f"{live}; version {self.version_before} was."]
        if self.learned:
            left = f"{self.remembered:,} are left" + ("" if self.complete else f", of {self.seen:,} that it has seen")
            lines.append(f"Removed from memory: {counted(self.learned, 'row')}; {left}.")
        if self.unremembered:
            lines.append(f"Learned, as you say, and dropped from memory before: {counted(self.unremembered, 'row')}.")
        if self.anchored:
            lines.append(
                f"Removed from the anchor set: {counted(self.anchored, 'row')}; {self.anchor_rows:,} are left."
            )
        lines += self._model()
        if self.scores is not None:
            before, after = self.scores
            on = f"On {counted(self.anchor_rows, 'anchor row')}"
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
            return [f"The model was retrained, with its own settings, on {counted(self.remembered, 'row')} ({of})."]
        if self.how == "keep":
            return [
                "The model stays as it is: it may have learned them. No later training uses them, and an update with",
                "--strategy retrain makes a model that never did.",
            ]
        return ["The model never learned them, so it stays as it is."]

    def _elsewhere(self) -> list[str]:
        if not self.still_held:
            return []
        versions = f"Version{'' if len(self.still_held) == 1 else 's'} {joined(map(str, self.still_held))}"
        return [
            f"{versions}, and pages of earlier updates, may still contain them. To delete those for good:",
            f"incumbent purge --name {self.name} --why TEXT",
        ]


class ForgetVerb(RegistryBase):
    """Delete rows from what is live."""

    def forget(
        self,
        name: str,
        rows: Any,
        *,
        retrain: bool = False,
        keep_model: bool = False,
        learned: bool = False,
        why: str,
        seed: int = 0,
        user: str | None = None,
    ) -> Forgotten:
        """Delete rows: in one step, a version goes live whose memory, anchor set and statistics lack them.

        The head of an `incumbent.strategies.Analytic` model is solved from its statistics without the rows, and then
        equals one that never learned them. Other models cannot forget, so you have to choose. Every copy of a row goes,
        and so do runners-up, prequential models and a candidate. Earlier versions keep the rows until `purge`.

        Parameters
        ----------
        rows : frame, array, (x, y) pair, or path
            The rows with their labels, as they were learned. They are found by content.
        retrain : bool
            Retrain the model on the other remembered rows. No gate judges the result.
        keep_model : bool
            Keep a model that cannot forget as it is, and remove the rows from memory and anchor set only.
        learned : bool
            Rows that memory lacks were learned too, and memory has dropped them. They are then subtracted from the
            statistics. Give each as often as it was learned.
        why : str
            The reason, for the record. The record has the number of rows and nothing else of them.
        seed : int
            The seed of all randomness.

        Raises
        ------
        DataError
            Some of the rows were never learned, or nothing shows that they were.
        ModelError
            The model cannot forget exactly, and neither `retrain` nor `keep_model` was given.
        UsageError
            No reason was given, or the options do not go together.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from incumbent import Registry
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     registry = Registry(folder)
        ...     came = registry.init("demo", LogisticRegression().fit(x, y), (x, y))
        ...     done = registry.forget("demo", (x[:3], y[:3]), retrain=True, why="request 17")
        >>> done.how, done.learned, done.remembered, done.still_held
        ('retrain', 3, 197, (1,))
        """
        require_reason(why, "A deletion")
        if retrain and keep_model:
            raise UsageError("--retrain makes another model and --keep-model keeps this one; give one of them.")
        models = self._models
        frame = models.version(name).schema.read(rows)

        def chosen() -> tuple[DeletionOptions, How]:
            options = _options(models, name, frame, learned)
            return options, options.choose(retrain=retrain, keep_model=keep_model)

        chosen()  # a deletion that is not possible leaves no trace
        with self.store.event(name, "forget", why=why, user=user) as event:
            options, how = chosen()
            version, state = remove_rows(options, how, seed=seed)
            with written(version, state) as (made, kept):
                # only how many and how: a digest or a file name could reveal which rows they were
                tags = {key: str(value) for key, value in version.made_by.items()}
                number = event.add_version(made, tags | {"forgot": how})
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
    return {"rows": counts, "how": how, "strategy": f"{counted(found.rows, 'row')}: {_DONE[how]}"}


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
