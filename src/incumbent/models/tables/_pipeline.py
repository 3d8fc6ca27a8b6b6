"""A scikit-learn Pipeline: its last step learns by its own adapter, on what the steps before it make of the rows."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from incumbent.core import (
    Array,
    BaseModel,
    Batch,
    Exact,
    Floats,
    Importance,
    Memory,
    Model,
    Prediction,
    Recipe,
    Task,
    has_weights,
)
from incumbent.errors import ModelError
from incumbent.models._training import training_rows
from incumbent.models._wrap import wrap
from incumbent.models.exact._features import cached_features
from incumbent.models.exact._fit import fit_exact_head
from incumbent.models.exact._grid import Grid
from incumbent.models.exact._head import Head
from incumbent.models.exact._update import head_statistics
from incumbent.models.tables._headed import body_of, head_in, under_head
from incumbent.models.tables._native import answer, as_input, classes_of, refit, takes_weights, task_of
from incumbent.models.tables._tune import fit_afresh, has_search_space


def handles(native: Any) -> bool:
    """Whether `native` is a Pipeline."""
    return type(native).__name__ == "Pipeline" and hasattr(native, "steps")


@final
@dataclass(frozen=True, eq=False)
class PipelineModel(BaseModel):
    """A fitted Pipeline. Learning on keeps every step but the last as it is; a fit from scratch fits them all.

    Parameters
    ----------
    native : Pipeline
        Preprocessing steps and an estimator.
    notes : tuple of str
        How it was fitted.
    new_head : Head, optional
        The analytic head that it was just given.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> steps = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    >>> model = PipelineModel(steps.fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]))
    >>> "incremental" in model.abilities, model.predict(np.array([[9.0]])).label.tolist()
    (True, [1])
    """

    native: Any
    notes: tuple[str, ...] = ()
    new_head: Head | None = field(default=None, repr=False)

    @functools.cached_property
    def last(self) -> Model:
        """The adapter of the last step."""
        return wrap(self.native.steps[-1][1])

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
        """What its last step can do."""
        own = {"weight": takes_weights(self.native), "features": True}
        return (self.last.abilities - own.keys()) | {word for word, true in own.items() if true} | {"retrain"}

    @property
    def search_space(self) -> dict[str, Any]:
        """The search space of its last step, by the names that the Pipeline has for its parameters."""
        name = self.native.steps[-1][0]
        space = self.last.search_space if has_search_space(self.last) else {}
        return {f"{name}__{key}": values for key, values in space.items()}

    def predict(self, x: Any) -> Prediction:
        """Predict each row once: preprocess once, then ask the last step."""
        return self.predict_from(self.head_input(x))

    @property
    def body(self) -> object:
        """The steps before the last and before the projection of an analytic head."""
        return tuple(id(step) for _, step in body_of(self.native))

    @property
    def frozen(self) -> object:
        """The steps before the last, which every model that learns on from this one shares."""
        return tuple(id(step) for _, step in self.native.steps[:-1])

    @property
    def grid(self) -> Grid | None:
        """That of the projection before an analytic head."""
        return None if self.head is None else getattr(self.head.lift, "grid", None)

    def head_input(self, x: Any) -> Any:
        """Return what the last step reads of each row."""
        return self._transformed(x)

    def project(self, features: Any) -> Any:
        """Return the projection of an analytic head of what the steps before it give."""
        lift = None if self.head is None else self.head.lift
        return features if lift is None else lift.transform(features)

    def predict_from(self, head_input: Any) -> Prediction:
        """Return what the last step says of what it reads."""
        return answer(self.native.steps[-1][1], head_input, self.classes)

    def can_split(self, x: Any) -> bool:
        """Whether there is a step before the last, and it gives numbers in rows."""
        return len(self.native.steps) > 1 and hasattr(self.head_input(x), "shape")

    def fit(self, recipe: Recipe) -> Model:
        """Fit all steps afresh, or let the last step follow the recipe on preprocessed rows."""
        structure = recipe.structure
        if isinstance(structure.head, Exact):
            return fit_exact_head(self, recipe, structure.head)
        frozen = "preprocess" in structure.freeze
        if structure.start == "scratch" and self.head is not None and structure.search is None:
            return self._solve_from_scratch(recipe, self.head)
        if structure.start == "scratch" and not frozen:
            return PipelineModel(fit_afresh(self.native, recipe, self.search_space))
        inner = recipe.bind(
            train=self._features(training_rows(recipe)),
            select=None if recipe.select is None else self._features(recipe.select),
            memory=self._memory(recipe.memory),
        )
        fitted = self.last.fit(inner)
        return PipelineModel(self._with_last(fitted.native), fitted.notes)

    def _solve_from_scratch(self, recipe: Recipe, head: Head) -> Model:
        """Return the Pipeline with its steps fitted to the recipe's rows and an exact head of the same width."""
        from sklearn.pipeline import Pipeline

        body = body_of(self.native)
        if body:
            body = list(refit(Pipeline(body), training_rows(recipe), seed=recipe.seed).steps)
        blank = PipelineModel(under_head(body, head, as_fitted=self.native))
        return fit_exact_head(blank, recipe.replace(replay=None).bind(memory=Memory()), Exact())

    @property
    def has_raw_features(self) -> bool:
        """Whether nothing was done to the columns before an analytic head."""
        return self.head is not None and len(self.native.steps) == 1 + (self.head.lift is not None)

    @functools.cached_property
    def head(self) -> Head | None:
        """The analytic head, if the last step is one."""
        return self.new_head or head_in(self.native)

    def features(self, x: Any) -> Any:
        """Return what the last step reads, or the projection of an analytic head before it."""
        return self._transformed(x, through=body_of(self.native))

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return the sums that its exact head is solved from, with these rows."""
        return head_statistics(self, memory, batch)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> PipelineModel:
        """Return a Pipeline of the same frozen steps, the head's projection and its layer."""
        return PipelineModel(under_head(body_of(self.native), head, as_fitted=self.native), notes, head)

    def weights(self) -> dict[str, Floats]:
        """Return the weights of the last step."""
        assert has_weights(self.last), "asked only of models with the ability 'gradient'"
        return self.last.weights()

    def with_weights(self, weights: Mapping[str, Floats]) -> PipelineModel:
        """Return the same Pipeline with these weights in its last step."""
        assert has_weights(self.last), "asked only of models with the ability 'gradient'"
        return PipelineModel(self._with_last(self.last.with_weights(weights).native), self.notes)

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much the last step's weights matter, by default their Fisher information."""
        assert has_weights(self.last), "asked only of models with the ability 'gradient'"
        return self.last.weight_importance(self._features(batch), kind)

    def save(self, folder: Path) -> None:
        """Write the Pipeline as a skops file, which runs no code when it is read."""
        from incumbent.models.files._safe import save_native

        save_native(self.native, folder / "model.skops")

    @classmethod
    def load(cls, folder: Path) -> PipelineModel:
        """Read what `save` wrote."""
        from incumbent.models.files._safe import load_native

        native = load_native(folder / "model.skops")
        note = vars(native.steps[-1][1]).pop("_incumbent_note", None)  # see `incumbent.models._voting`
        return cls(native, () if note is None else (note,))

    def _transformed(self, x: Any, through: Sequence[tuple[str, Any]] | None = None) -> Any:
        data = as_input(self.native, x)
        for _, step in self.native.steps[:-1] if through is None else through:
            if hasattr(step, "transform"):  # "passthrough" has none
                data = step.transform(data)
        return data

    def _features(self, batch: Batch) -> Batch:
        features = cached_features(batch, self.frozen)
        features = self._transformed(batch.x) if features is None else features
        if np.shape(features)[0] != len(batch):
            raise ModelError("A step of the Pipeline changes the number of rows, so its last step cannot learn on.")
        return batch.replace(x=features, features=None)

    def _memory(self, memory: Memory) -> Memory:
        return memory if memory.rows is None else memory.replace(rows=self._features(memory.rows))

    def _with_last(self, estimator: Any) -> Any:
        # the preprocessing objects are shared with the champion: neither Pipeline ever fits them again
        made = copy.copy(self.native)
        made.steps = [*self.native.steps[:-1], (self.native.steps[-1][0], estimator)]
        return made
