"""Any scikit-learn estimator that is neither linear nor a Pipeline."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from incumbent.core import Array, BaseModel, Exact, Model, Prediction, Recipe, Task, Trees
from incumbent.errors import ModelError
from incumbent.models._training import new_classes, note_new_classes, training_rows, with_memory, with_missing_classes
from incumbent.models.exact._fit import fit_exact_head
from incumbent.models.exact._head import Head
from incumbent.models.tables._grow import grown_bayes
from incumbent.models.tables._native import (
    answer,
    as_input,
    classes_of,
    reads_columns,
    takes_weights,
    task_of,
)
from incumbent.models.tables._partial import learn_on, learns_on
from incumbent.models.tables._tune import fit_afresh, space_of
from incumbent.models.tables._warm import appendable, appended, outgrown


def handles(native: Any) -> bool:
    """Whether `native` predicts at all: this adapter is the one that is asked last."""
    return hasattr(native, "predict") and hasattr(native, "fit") and hasattr(native, "get_params")


@final
@dataclass(frozen=True, eq=False)
class SklearnModel(BaseModel):
    """A scikit-learn estimator: fitted anew, learned on by `partial_fit`, or grown by trees, as it is able to.

    Parameters
    ----------
    native : estimator
        A fitted classifier or regressor.
    notes : tuple of str
        How it was fitted.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> model = SklearnModel(GaussianNB().fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"]))
    >>> sorted(model.abilities)
    ['add_classes', 'features', 'incremental', 'proba', 'retrain', 'weight']
    """

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
        """The classes it knows."""
        return classes_of(self.native)

    @functools.cached_property
    def abilities(self) -> frozenset[str]:
        """What this estimator can do, asked of its own methods."""
        native = self.native
        claims = {
            "weight": takes_weights(native),
            "incremental": learns_on(native),
            "add_trees": appendable(native),
            "proba": self.task == "classification" and hasattr(native, "predict_proba"),
            "add_classes": type(native).__module__.startswith("sklearn.naive_bayes"),
            "hyperparameter_search": bool(self.search_space),
            "features": reads_columns(native),
        }
        return frozenset({"retrain"} | {word for word, true in claims.items() if true})

    @property
    def search_space(self) -> dict[str, Any]:
        """What a search for hyper-parameters tries."""
        return space_of(self.native)

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return answer(self.native, as_input(self.native, x), self.classes)

    def fit(self, recipe: Recipe) -> Model:
        """Follow the recipe; where the estimator cannot take in a new class or more trees, fit afresh and say so."""
        structure = recipe.structure
        if isinstance(structure.head, Exact):
            return fit_exact_head(self, recipe, structure.head)
        if recipe.structure.start == "scratch":
            return SklearnModel(fit_afresh(self.native, recipe, self.search_space))
        unseen = new_classes(recipe, self.classes)
        if isinstance(structure.trees, Trees):
            return self._append(with_missing_classes(recipe, self.classes), structure.trees, len(unseen))
        if not len(unseen):
            return SklearnModel(learn_on(self.native, recipe))
        grown = grown_bayes(self.native, unseen)
        if grown is None:
            return self._afresh(recipe, f"cannot take in {len(unseen)} new class(es) as it stands")
        return SklearnModel(learn_on(grown, recipe), (note_new_classes(unseen),))

    def features(self, x: Any) -> Any:
        """Return the columns as they come: nothing lies between them and the model."""
        return as_input(self.native, x)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Model:
        """Return a Pipeline of the head's projection and its layer, which takes the place of this model."""
        from incumbent.models.tables._headed import under_head
        from incumbent.models.tables._pipeline import PipelineModel

        return PipelineModel(under_head([], head, as_fitted=self.native), notes, head)

    def save(self, folder: Path) -> None:
        """Write the estimator as a skops file, which runs no code when it is read."""
        from incumbent.models.files._safe import save_native

        save_native(self.native, folder / "model.skops")

    @classmethod
    def load(cls, folder: Path) -> SklearnModel:
        """Read what `save` wrote."""
        from incumbent.models.files._safe import load_native

        return cls(load_native(folder / "model.skops"))

    def _append(self, recipe: Recipe, trees: Trees, unseen: int) -> SklearnModel:
        if unseen:
            return self._afresh(recipe, f"cannot take in {unseen} new class(es) by appending trees")
        if outgrown(self.native, trees.rounds):
            return self._afresh(recipe, "has grown to its cap, and prediction slows with every tree")
        if self.classes is not None:
            lacking = np.setdiff1d(self.classes, training_rows(recipe).labels)
            if len(lacking):  # scikit-learn would count the classes anew and mix up the old trees' answers
                raise ModelError(
                    f"{type(self.native).__name__} appends trees only on rows of every class it knows, and neither "
                    f"the new nor the remembered rows show {', '.join(map(str, lacking[:5]))}; try Retrain()."
                )
        return SklearnModel(appended(self.native, recipe))

    def _afresh(self, recipe: Recipe, why: str) -> SklearnModel:
        fitted = fit_afresh(self.native, recipe.bind(train=with_memory(recipe)), self.search_space)
        return SklearnModel(fitted, (f"{type(self.native).__name__} {why}; fitted from scratch instead",))
