"""What the checks of an adapter run on: a model with rows in three parts, and a strategy that it follows."""

from __future__ import annotations

import hashlib
import io
import pickle
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from unittest import SkipTest

import numpy as np

from incumbent.core import Batch, Memory, Model, Prediction, Recipe, Strategy, is_model
from incumbent.engine import TrainingRows
from incumbent.errors import ModelError, UsageError
from incumbent.memory import update_memory
from incumbent.models import fit_challenger


@dataclass(frozen=True, eq=False)
class Case:
    """A model and rows in three parts that each have every class, and the model's predictions and state before."""

    model: Model
    rows: Batch
    train: Batch
    select: Batch
    memory: Memory
    before: Prediction
    state: str
    tolerance: float
    seed: int

    @staticmethod
    def from_rows(model: Model, rows: Batch, tolerance: float, seed: int) -> Case:
        grouped = model.task == "classification" and rows.labels.ndim == 1  # several labels per row are no classes
        count = np.unique(rows.labels, return_counts=True)[1].min() if grouped else 9
        if len(rows) < 60 or count < 9:
            raise UsageError(
                f"The checks need at least 60 labelled rows, and 9 of each class, to split them into three parts; got "
                f"{len(rows)}{f', and {count} of one class' if grouped else ''}."
            )
        order = np.argsort(rows.labels, kind="stable") if grouped else np.arange(len(rows))
        old, train, select = (rows.take(np.sort(order[part::3])) for part in range(3))
        before = model.predict(rows.x)  # before the state is noted: some models fill a cache
        memory = update_memory(Memory(), old, seed=seed)
        return Case(model, rows, train, select, memory, before, _digest(model), tolerance, seed)

    @property
    def name(self) -> str:
        return type(self.model.native).__name__

    @property
    def has_several_labels(self) -> bool:
        return self.rows.labels.ndim > 1

    def fit(self, recipe: Recipe, *, model: Model | None = None, train: Batch | None = None) -> Model:
        """Follow a recipe, by default from the model itself and on the rows for training."""
        rows = TrainingRows(self.train if train is None else train, self.select, self.memory, self.seed)
        return fit_challenger(self.model if model is None else model, rows.bind(recipe))

    def predicts_theis_same(self, model: Model) -> bool:
        return is_same(model.predict(self.rows.x), self.before)

    def is_unchanged(self) -> bool:
        return self.predicts_theis_same(self.model) and _digest(self.model) == self.state


@dataclass(eq=False)
class Trial:
    """A strategy that the model of a case has the abilities for, with the challenger that it makes."""

    case: Case
    strategy: Strategy
    recipe: Recipe

    @property
    def name(self) -> str:
        return f"{self.case.name} following {self.strategy!r}"

    @property
    def new_class(self) -> Any:
        """A class that the model does not know; None if it cannot get one, or not while it continues to train."""
        classes, recipe = self.case.model.classes, self.recipe
        if classes is None or classes.dtype.kind == "b" or self.case.has_several_labels:
            return None
        if recipe.structure.start == "scratch" or recipe.finish != Recipe().finish or recipe.loss.pull is not None:
            return None
        return classes.max() + 1 if classes.dtype.kind in "iuf" else "a class that is new"

    @cached_property
    def challenger(self) -> Model:
        return self.fit()

    def fit(self) -> Model:
        try:
            return self.case.fit(self.recipe)
        except ModelError as error:
            pull = self.recipe.loss.pull
            assert pull is not None and pull.importance == "fisher", (
                f"{self.name} fails, though its abilities suffice: {error}"
            )
            raise SkipTest(f"{self.case.name} has no Fisher information: {error}") from error


class _Digest(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        if hasattr(thing, "get_tree_stats"):  # scikit-learn's trees of neighbours count their queries
            return list, (thing.get_arrays(),)
        if hasattr(thing, "native") and is_model(thing):  # the adapter of an ensemble's member may keep a cache
            return list, ([thing.native],)
        return NotImplemented


def _digest(model: Model) -> str:
    held = io.BytesIO()
    _Digest(held).dump(model.native)
    return hashlib.sha256(held.getbuffer()).hexdigest()


def is_same(one: Prediction, two: Prediction) -> bool:
    """Return whether two models predict the same: labels, and probabilities if there are any."""
    if one.proba is None or two.proba is None:
        return np.array_equal(one.label, two.label) and one.proba is two.proba
    return np.array_equal(one.label, two.label) and np.array_equal(one.proba, two.proba)
