"""The base of the adapters of LightGBM and XGBoost."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from incumbent.core import Array, BaseModel, Batch, Recipe, RefitLeaves, Task, Trees
from incumbent.errors import ModelError
from incumbent.models.boosting._columns import Columns, Vocabulary
from incumbent.models.boosting._shared import (
    all_classes,
    check_classes,
    check_time,
    choose_way,
    codes_of,
    named_classes,
    new_among,
    read_manifest,
    rows_of,
    write_manifest,
)
from incumbent.models.files._safe import load_native, save_native

Notes = tuple[str, ...]


class BoostedModel(BaseModel):
    """A boosted model: a booster, or an estimator around one. The native model is never changed.

    `classes` are what the codes 0 to k - 1 stand for, if the model does not know. `origin` is the number of rounds of
    the last fit from scratch, which limits how many are appended.
    """

    framework: ClassVar[str]

    @property
    @abstractmethod
    def abilities(self) -> frozenset[str]:
        """What this model can do."""

    def __init__(
        self,
        native: Any,
        task: Task | None = None,
        classes: Array | None = None,
        *,
        notes: Notes = (),
        origin: int = 0,
    ):
        self.native, self.notes = native, notes
        self.is_estimator = hasattr(native, "get_params")
        self.booster = self._checked_booster()
        self.task: Task
        self.task, count, self.best_rounds, rounds = self._describe(task)
        self.classes = self._name_classes(max(2, count), classes) if self.task == "classification" else None
        self.rounds = self.best_rounds or rounds
        self.origin = origin or self.rounds
        if not origin and self.is_estimator and not self.best_rounds:
            self.origin = int(native.get_params()["n_estimators"] or 100)

    def _checked_booster(self) -> Any:
        native, module = self.native, self.framework.lower()
        if not hasattr(native, "predict"):
            raise ModelError(f"{module}.{type(native).__name__} is not a model; give a Booster or an estimator.")
        if not self.is_estimator:
            return native
        if not native.__sklearn_is_fitted__():
            raise ModelError(f"This {type(native).__name__} is not fitted; call its fit(x, y) first.")
        return native.get_booster() if hasattr(native, "get_booster") else native.booster_

    def _name_classes(self, count: int, hint: Array | None) -> Array:
        return named_classes(count, hint)

    @property
    def search_space(self) -> dict[str, Any]:
        """Settings that a search tries, under the names of both scikit-learn interfaces."""
        from scipy.stats import loguniform, uniform

        return {
            "learning_rate": loguniform(0.02, 0.3),
            "n_estimators": [50, 100, 200, 400],
            "reg_lambda": loguniform(1e-2, 30.0),
            "colsample_bytree": uniform(0.5, 0.5),
        }

    # ----------------------------------------------------------------------------------------- what differs

    @abstractmethod
    def _describe(self, hint: Task | None) -> tuple[Task, int, int, int]:
        """Return the task, the number of classes, the rounds at which early stopping ended (or 0), and all rounds."""

    @abstractmethod
    def _columns(self, x: Any) -> Columns: ...

    @abstractmethod
    def _params(self, recipe: Recipe) -> dict[str, Any]:
        """Return the settings to train with, by the framework's own names."""

    @abstractmethod
    def _params_for(self, params: Mapping[str, Any], classes: int) -> dict[str, Any]:
        """Return the settings for another number of classes."""

    @abstractmethod
    def _train(
        self,
        params: Mapping[str, Any],
        batch: Batch,
        classes: Array | None,
        rounds: int,
        deadline: float,
        vocabulary: Vocabulary,
        start: Any = None,
    ) -> Any:
        """Return a booster trained on these rows, from `start` if one is given."""

    @abstractmethod
    def _fit_estimator(self, batch: Batch, recipe: Recipe) -> tuple[Any, Array | None]:
        """Return an estimator with the same settings fitted from scratch, and its classes."""

    @abstractmethod
    def _finish_booster(self, booster: Any, params: Mapping[str, Any]) -> Notes:
        """Give a booster that was fitted from scratch the settings to keep; return notes."""

    @abstractmethod
    def _append(self, batch: Batch, recipe: Recipe, trees: Trees) -> Any: ...

    @abstractmethod
    def _refit_leaves(self, batch: Batch, recipe: Recipe, leaves: RefitLeaves) -> Any:
        """Return a booster with the leaves ``decay * old + (1 - decay) * new``."""

    @abstractmethod
    def _restore_settings(self, booster: Any) -> None:
        """Give a booster that continues this one its settings: those of one update do not stay."""

    @abstractmethod
    def _reset_early_stopping(self, native: Any) -> None:
        """Take the end of an earlier early stopping out of an estimator."""

    @staticmethod
    @abstractmethod
    def _errors() -> tuple[type[Exception], ...]:
        """Return what the framework raises about rows it cannot learn."""

    @staticmethod
    @abstractmethod
    def _reason(error: Exception) -> str:
        """Return the reason in such an error, in one line."""

    # ------------------------------------------------------------------------------------------- following

    def fit(self, recipe: Recipe) -> Self:
        """Follow a bound recipe: fit from scratch with the same settings, append rounds, or refit the leaves."""
        batch = rows_of(recipe)
        check_time(recipe.deadline, 0, self.origin)
        way, notes = choose_way(
            recipe,
            name=type(self.native).__name__,
            abilities=self.abilities,
            rounds=self.rounds,
            origin=self.origin,
            new=new_among(np.asarray(batch.y), self.classes),
        )
        try:
            return self._from_scratch(batch, recipe, notes) if way == "scratch" else self._continue(batch, recipe)
        except self._errors() as error:
            raise ModelError(f"{self.framework} cannot be fitted to these rows: {self._reason(error)}") from error

    def _from_scratch(self, batch: Batch, recipe: Recipe, notes: Notes) -> Self:
        y, classes = np.asarray(batch.y), self.classes
        if classes is not None:
            check_classes(y)
        if self.best_rounds:
            notes += (f"fitted with the {self.origin} rounds at which the champion's early stopping ended",)
        if self.is_estimator:
            fitted, found = self._fit_estimator(batch, recipe)
            if classes is not None and found is not None and len(found) < len(classes):
                named = ", ".join(map(str, found))
                notes += (f"its outputs 0 to {len(found) - 1} stand for the classes {named}",)
            return type(self)(fitted, self.task, found, notes=notes)
        params = self._params(recipe)
        if classes is not None and len(new_among(y, classes)):
            classes = all_classes(classes, y)
            params = self._params_for(params, len(classes))
        made = self._train(params, batch, classes, self.origin, recipe.deadline, "present")
        notes += self._finish_booster(made, params)
        return type(self)(made, self.task, classes, notes=notes, origin=self.origin)

    def _continue(self, batch: Batch, recipe: Recipe) -> Self:
        trees = recipe.structure.trees
        if isinstance(trees, Trees):
            booster = self._append(batch, recipe, trees)
        else:
            assert isinstance(trees, RefitLeaves), "choose_way found one of the two"
            booster = self._refit_leaves(batch, recipe, trees)
        self._restore_settings(booster)
        native = booster
        if self.is_estimator:
            native = copy.copy(self.native)
            native._Booster = booster
            self._reset_early_stopping(native)
        return type(self)(native, self.task, self.classes, origin=self.origin)

    def _labels(self, batch: Batch, classes: Array | None) -> Array:
        y = np.asarray(batch.y)
        return y if classes is None else codes_of(y, classes)

    # ----------------------------------------------------------------------------------------------- files

    @abstractmethod
    def _save_booster(self, folder: Path) -> dict[str, Any]:
        """Write the booster in its own format; return what that does not keep."""

    @classmethod
    @abstractmethod
    def _load_booster(cls, folder: Path, kept: Mapping[str, Any]) -> Any:
        """Read what `_save_booster` wrote."""

    def save(self, folder: Path) -> None:
        """Write the framework's own format, and what it does not keep as JSON."""
        kept = self._save_booster(folder)
        if self.is_estimator:
            shell = copy.copy(self.native)
            shell._Booster = None
            save_native(shell, folder / "settings.skops")
        own = {"estimator": self.is_estimator, "task": self.task, "notes": list(self.notes), "origin": self.origin}
        write_manifest(folder, own | kept, self.classes)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        kept, classes = read_manifest(folder)
        native = cls._load_booster(folder, kept)
        if kept["estimator"]:
            booster, native = native, load_native(folder / "settings.skops")
            vars(native).pop("incumbent_classes_", None)  # written by 0.1; the manifest has them
            native._Booster = booster
        return cls(native, kept["task"], classes, notes=tuple(kept["notes"]), origin=kept["origin"])
