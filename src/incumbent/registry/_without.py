"""A model and what it remembers, made into those of one that never had certain rows, as far as that can be done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from incumbent import models
from incumbent.core import AnchorSet, Batch, Memory, Model, has_features, is_net
from incumbent.engine import TrainingPlan, TrainingRows, run
from incumbent.errors import AbilityError, ModelError, UsageError
from incumbent.policy import recipe_for
from incumbent.registry._folders import State, Version
from incumbent.registry._found import Found, complete
from incumbent.strategies import Retrain
from incumbent.updating import Followed, Lines

if TYPE_CHECKING:
    pass

How: TypeAlias = Literal["exact", "retrain", "keep", "unlearned"]
"""The head is solved without the rows; the model is fitted anew; it stays as it is; it had never learned them."""


@dataclass(frozen=True, eq=False)
class Ways:
    """What may be done with a live model.

    Parameters
    ----------
    name : str
        Whose.
    number : int
        Its version.
    version : Version
        The live version.
    state : State
        What it remembers.
    found : Found
        Where the rows are.
    weighed : bool
        Some version learned rows with a weight that memory does not tell, as by ``Analytic(weight=8)``.
    """

    name: str
    number: int
    version: Version
    state: State
    found: Found
    weighed: bool

    @property
    def exact(self) -> bool:
        """Whether the rows can be taken out of the sums that the live head was solved from."""
        model, statistics = self.version.model, self.state.memory.statistics
        head = model.head if has_features(model) else None
        return head is not None and "token" in statistics and str(statistics["token"]) == head.token

    def choose(self, *, retrain: bool, keep_model: bool) -> How:
        """Return the way to go.

        Raises
        ------
        ModelError
            The model cannot forget exactly, and nobody said what else to do.
        UsageError
            What was asked for is not what these rows need.
        """
        if not self.found.known_to_model:
            return "unlearned"
        if retrain:
            self._check_fits_anew()
            return "retrain"
        if not self.exact:
            if keep_model:
                return "keep"
            raise ModelError(self._refused())
        if keep_model:
            raise UsageError(
                f"Version {self.number} of {self.name!r} forgets exactly, without training; leave --keep-model out."
            )
        self._check_sums()
        return "exact"

    def _check_fits_anew(self) -> None:
        kept = int((~self.found.learned).sum())
        if not kept:
            raise ModelError(f"No row that {self.name!r} remembers would be left to train on; give fewer rows.")
        try:
            recipe_for(Retrain(), self.version.model, Memory())
        except AbilityError as error:
            raise AbilityError(f"{error} To take the rows out of memory and anchor set alone: --keep-model") from None

    def _check_sums(self) -> None:
        """Say so where the sums hold rows in a way that nothing tells any more."""
        memory, loose = self.state.memory, len(self.found.unremembered)
        if complete(memory):
            return
        all_there = math.isclose(float(memory.statistics["rows"]), memory.seen, rel_tol=1e-9)
        assert memory.rows is not None, "a memory that let rows go has some"
        if self.weighed or (loose and (not all_there or memory.rows.weight is not None)):
            why = "rows were learned with weights, and memory has let some of them go"
            if not self.weighed and not all_there:
                why = "they began with the rows that were remembered then, so they may not hold those let go before"
            raise ModelError(
                f"Version {self.number} of {self.name!r} cannot forget these rows exactly: how often its sums hold "
                f"them is not known, as {why}. {self._offers()}"
            )

    def _refused(self) -> str:
        kind = type(self.version.model.native).__name__
        rows = int(self.found.learned.sum()) + len(self.found.unremembered)
        return (
            f"Version {self.number} of {self.name!r} may have learned {rows:,} of these rows, and a {kind} cannot "
            "forget exactly: it carries no sums that rows could be taken out of, as one made by Analytic() does. "
            f"Nothing was changed. {self._offers()}"
        )

    def _offers(self) -> str:
        memory, left = self.state.memory, int((~self.found.learned).sum())
        there = "all that it has seen" if complete(memory) else f"of {memory.seen:,} that it has seen"
        fits = (
            f"--retrain fits its settings anew without them, to the {left:,} other rows that are remembered ({there}); "
            if "retrain" in self.version.model.abilities
            else ""
        )
        return (
            f"Choose: {fits}--keep-model takes them out of memory and anchor set, so that no later training meets "
            "them, and leaves the model as it is."
        )


# ------------------------------------------------------------------------------------------- doing it


def without(ways: Ways, how: How, *, seed: int) -> tuple[Version, State]:
    """Return the version and the state that take the place of the live ones.

    What learned from the rows and cannot forget them goes: importances of weights and lines. So do standing challengers
    in any case, as they are versions of before.
    """
    version, state, found = ways.version, ways.state, ways.found
    model, told, memory = version.model, dict(version.told), _without_rows(state.memory, found)
    if how == "exact":
        model, memory = _exactly(model, state.memory, found)
    elif how == "retrain":
        model, recipe, memory = _anew(ways, memory, seed)
        told = {"strategy": repr(Retrain()), "recipe": repr(recipe), "seed": seed}
    anchor = _without_anchors(state.anchor, found)
    if how == "unlearned":  # nor had the lines
        kept = State(memory, anchor, (), state.control, state.lines, state.followed)
    else:
        kept = State(memory.replace(importance={}), anchor, (), state.control, Lines(), _tally(state))
    schema = version.schema
    if model.classes is not None and schema.labels == 1:
        schema = schema.replace(classes=tuple(model.classes.tolist()))
    return Version(model, schema, version.gate, told), kept


def _tally(state: State) -> dict[str, Any]:
    return dict(Followed.from_dict(state.followed).saying({}).to_dict())


def _without_rows(memory: Memory, found: Found) -> Memory:
    """Return the memory without the rows, and without sums that hold them."""
    if memory.rows is None:
        return memory
    keep = ~found.learned
    seen = max(memory.seen - int(found.learned.sum()) - len(found.unremembered), int(keep.sum()))
    key = None if memory.key is None else memory.key[keep]
    left = memory.replace(rows=memory.rows.take(keep), key=key, seen=seen)
    return left.replace(statistics={}) if found.known_to_model else left


def _without_anchors(anchor: AnchorSet, found: Found) -> AnchorSet:
    if anchor.rows is None or not found.anchored.any():
        return anchor
    keep = ~found.anchored
    used = None if anchor.used is None else anchor.used[keep]
    return AnchorSet(anchor.rows.take(keep), used, max(anchor.seen - int(found.anchored.sum()), int(keep.sum())))


def _exactly(model: Model, memory: Memory, found: Found) -> tuple[Model, Memory]:
    """Return model and memory with the rows taken out of the sums, each as often as it is remembered."""
    assert memory.rows is not None, "the model carries sums, so it has learned rows"
    gone = Batch.join([memory.rows.take(found.learned), found.unremembered])
    weight = memory.rows.weight
    total = float(len(memory)) if weight is None else float(weight.sum())
    if complete(memory) and not math.isclose(float(memory.statistics["rows"]), total, rel_tol=1e-9):
        # rows were learned with weights that memory does not tell: the sums are made anew, each row with its own
        memory = models.absorb(memory.replace(statistics={}), model, memory.rows.take([]))
    _check_left(memory, gone)
    return models.forget(model, memory, gone)


def _check_left(memory: Memory, gone: Batch) -> None:
    """Say so where too little would be left to predict anything else."""
    total = float(len(gone)) if gone.weight is None else float(gone.weight.sum())
    if total > float(memory.statistics["rows"]) * (1 - 1e-9):
        raise ModelError("These are all rows that the model has learned; nothing would be left. Give fewer rows.")
    if "classes" not in memory.statistics:
        return
    classes, counts = memory.statistics["classes"], memory.statistics["count"]
    weight = np.ones(len(gone)) if gone.weight is None else gone.weight
    left = [count - weight[gone.labels == label].sum() for label, count in zip(classes, counts, strict=True)]
    if sum(count > 1e-9 for count in left) < 2:
        raise ModelError(
            "Rows of one class alone would be left, and a classifier needs two. Give fewer rows, or bring in another "
            "model: incumbent init"
        )


def _anew(ways: Ways, memory: Memory, seed: int) -> tuple[Model, Any, Memory]:
    """Return the live model's settings fitted to what is remembered; of a net's rows a tenth decides when to stop."""
    model, rows = ways.version.model, memory.rows
    assert rows is not None, "it was checked that rows are left"
    recipe = recipe_for(Retrain(), model, Memory())
    chooses = np.zeros(len(rows), dtype=bool)
    if is_net(model):
        chooses = np.random.default_rng([seed, len(rows)]).random(len(rows)) < 0.1
    learn, select = rows.take(~chooses), rows.take(chooses)
    (tried,) = run([TrainingPlan(Retrain(), recipe, model)], TrainingRows(learn, select, seed=seed))
    if tried.model is None:
        raise ModelError(
            f"{type(model.native).__name__} could not be trained anew on the {len(rows):,} rows that are left: "
            f"{tried.error.rstrip('.')}. Nothing was changed."
        )
    return tried.model, recipe, models.absorb(memory, tried.model, Batch.join([learn, select]))
