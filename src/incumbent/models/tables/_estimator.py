"""The base of the adapters of single scikit-learn estimators."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from incumbent.core import Array, BaseModel, Exact, Model, Prediction, Recipe, Task
from incumbent.models.exact._fit import fit_exact_head
from incumbent.models.exact._head import Head
from incumbent.models.tables._native import as_input, classes_of, predict_native, task_of
from incumbent.models.tables._pipeline import PipelineModel
from incumbent.models.tables._stored import load_estimator, save_estimator
from incumbent.models.tables._tune import fit_from_scratch, space_of


@dataclass(frozen=True, eq=False)
class EstimatorModel(BaseModel):
    """A fitted scikit-learn estimator. A subclass says what it can do and how it learns from where it is."""

    native: Any
    notes: tuple[str, ...] = ()

    has_raw_features: ClassVar[bool] = True
    head: ClassVar[Head | None] = None

    @functools.cached_property
    def task(self) -> Task:
        """Classification or regression."""
        return task_of(self.native)

    @functools.cached_property
    def classes(self) -> Array | None:
        """The classes that the estimator can predict."""
        return classes_of(self.native)

    @property
    @abstractmethod
    def abilities(self) -> frozenset[str]:
        """What this estimator can do."""

    @property
    def search_space(self) -> Mapping[str, Any]:
        """What a search for hyper-parameters tries."""
        return space_of(self.native)

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return predict_native(self.native, as_input(self.native, x), self.classes)

    def fit(self, recipe: Recipe) -> Model:
        """Solve an exact head, fit from scratch, or learn from where the estimator is, as the recipe says."""
        head = recipe.structure.head
        if isinstance(head, Exact):
            return fit_exact_head(self, recipe, head)
        if recipe.structure.start == "scratch":
            return type(self)(fit_from_scratch(self.native, recipe, self.search_space))
        return self.learn_from_here(recipe)

    @abstractmethod
    def learn_from_here(self, recipe: Recipe) -> Model:
        """Return the model after it learned the rows of a recipe that starts from it."""

    def features(self, x: Any) -> Any:
        """Return the columns unchanged, since the estimator takes them directly."""
        return as_input(self.native, x)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Model:
        """Return a Pipeline of the head's projection and its layer, which replaces this estimator."""
        return PipelineModel.under_head([], head, notes, name="head")

    def save(self, folder: Path) -> None:
        """Write the estimator as a skops file, which runs no code when it is read."""
        save_estimator(self.native, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(load_estimator(folder))
