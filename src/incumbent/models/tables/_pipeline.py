"""A scikit-learn Pipeline: its last step learns by its own adapter, from the output of the steps before it."""

from __future__ import annotations

import copy
import functools
import json
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
    HasWeights,
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
from incumbent.models.tables._layer import make_layer, read_head
from incumbent.models.tables._native import as_input, classes_of, refit
from incumbent.models.tables._stored import load_estimator, save_estimator
from incumbent.models.tables._tune import fit_from_scratch, has_search_space

_FORMAT = 1


def handles(native: Any) -> bool:
    """Return whether `native` is a Pipeline."""
    return type(native).__name__ == "Pipeline" and hasattr(native, "steps")


@dataclass(frozen=True, eq=False)
class _Steps:
    """Fitted steps. They equal these very objects and no others."""

    steps: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Steps) or len(self.steps) != len(other.steps):
            return False
        return all(one is two for one, two in zip(self.steps, other.steps, strict=True))

    __hash__ = None  # type: ignore[assignment]  # nothing looks them up


@final
@dataclass(frozen=True, eq=False)
class PipelineModel(BaseModel):
    """A fitted Pipeline. A fit from scratch fits every step; otherwise only the last step learns.

    `head` is the exact head whose layer is the last step, if there is one. `last_step` is the adapter of the last step,
    by default the one that `wrap` chooses.

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
    head: Head | None = field(default=None, repr=False)
    last_step: Model | None = field(default=None, repr=False)

    @staticmethod
    def under_head(body: Sequence[tuple[str, Any]], head: Head, notes: tuple[str, ...], *, name: str) -> PipelineModel:
        """Return a Pipeline of fitted steps, which it shares, the head's projection, and its layer under a name."""
        from sklearn.pipeline import Pipeline

        taken = {step for step, _ in body} | {name}
        lift = [] if head.lift is None else [("lift" if "lift" not in taken else f"lift{len(taken)}", head.lift)]
        return PipelineModel(Pipeline([*body, *lift, (name, make_layer(head))]), notes, head)

    @functools.cached_property
    def last(self) -> Model:
        """The adapter of the last step."""
        return self.last_step or wrap(self.native.steps[-1][1])

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.last.task

    @property
    def classes(self) -> Array | None:
        """The classes that the pipeline can predict."""
        return self.last.classes

    @property
    def abilities(self) -> frozenset[str]:
        """What its last step can do; any Pipeline has features."""
        return self.last.abilities | {"features", "retrain"}

    @property
    def search_space(self) -> dict[str, Any]:
        """The search space of its last step, under the Pipeline's names for the parameters."""
        name = self.native.steps[-1][0]
        space = self.last.search_space if has_search_space(self.last) else {}
        return {f"{name}__{key}": values for key, values in space.items()}

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""
        return self.predict_from(self.head_input(x))

    # ---------------------------------------------------------------------------------------- frozen steps

    @property
    def _body(self) -> list[tuple[str, Any]]:
        """The steps before the last and before the projection of an exact head."""
        return list(self.native.steps[: -1 if self.head is None or self.head.lift is None else -2])

    @property
    def body(self) -> object:
        """The steps before the last and before the projection of an exact head."""
        return _Steps(tuple(step for _, step in self._body))

    @property
    def frozen(self) -> object:
        """The steps before the last, which every model that learns on from this one shares."""
        return _Steps(tuple(step for _, step in self.native.steps[:-1]))

    @property
    def grid(self) -> Grid | None:
        """That of the projection before an exact head."""
        return None if self.head is None else self.head.grid

    def head_input(self, x: Any) -> Any:
        """Return the input of the last step."""
        return self._transform(x, self.native.steps[:-1])

    def features(self, x: Any) -> Any:
        """Return the input of the last step, or of the projection of an exact head before it."""
        return self._transform(x, self._body)

    def project(self, features: Any) -> Any:
        """Return the input of the last step, computed from `features`."""
        return features if self.head is None or self.head.lift is None else self.head.lift.transform(features)

    def predict_from(self, head_input: Any) -> Prediction:
        """Predict from the input of the last step."""
        return self.last.predict(head_input)

    def can_split(self, x: Any) -> bool:
        """Return whether there is a step before the last, and its output has rows."""
        return len(self.native.steps) > 1 and hasattr(self.head_input(x), "shape")

    def _transform(self, x: Any, steps: Sequence[tuple[str, Any]]) -> Any:
        data = as_input(self.native, x)
        for _, step in steps:
            if hasattr(step, "transform"):  # "passthrough" has none
                data = step.transform(data)
        return data

    # ------------------------------------------------------------------------------------------- learning

    def fit(self, recipe: Recipe) -> Model:
        """Fit all steps from scratch, or let the last step follow the recipe on preprocessed rows."""
        structure = recipe.structure
        if isinstance(structure.head, Exact):
            return fit_exact_head(self, recipe, structure.head)
        is_scratch = structure.start == "scratch"
        if is_scratch and self.head is not None and structure.search is None:
            return self._solve_from_scratch(recipe, self.head)
        if is_scratch and "preprocess" not in structure.freeze:
            return PipelineModel(fit_from_scratch(self.native, recipe, self.search_space))
        memory, select = recipe.memory, recipe.select
        fitted = self.last.fit(
            recipe.bind(
                train=self._preprocess(training_rows(recipe)),
                select=None if select is None else self._preprocess(select),
                memory=memory if memory.rows is None else memory.replace(rows=self._preprocess(memory.rows)),
            )
        )
        return self._with_last(fitted, fitted.notes, keeps_head=not is_scratch)

    def _solve_from_scratch(self, recipe: Recipe, head: Head) -> Model:
        """Return the Pipeline with its steps fitted to the recipe's rows and an exact head of the same width."""
        from sklearn.pipeline import Pipeline

        body = self._body
        if body:
            body = list(refit(Pipeline(body), training_rows(recipe), seed=recipe.seed).steps)
        blank = PipelineModel.under_head(body, head, (), name=self.native.steps[-1][0])
        return fit_exact_head(blank, recipe.replace(replay=None).bind(memory=Memory()), Exact())

    def _preprocess(self, batch: Batch) -> Batch:
        features = cached_features(batch, self.frozen)
        features = self.head_input(batch.x) if features is None else features
        if np.shape(features)[0] != len(batch):
            raise ModelError("A step of the Pipeline changes the number of rows, so its last step cannot learn on.")
        return batch.replace(x=features, features=None)

    def _with_last(self, last: Model, notes: tuple[str, ...], *, keeps_head: bool = True) -> PipelineModel:
        # the preprocessing objects are shared with the champion: neither Pipeline ever fits them again
        made, head = copy.copy(self.native), self.head if keeps_head else None
        made.steps = [*self.native.steps[:-1], (self.native.steps[-1][0], last.native)]
        if head is not None:
            head = read_head(last.native, head.lift, **_about(head))
        return PipelineModel(made, notes, head, last)

    # --------------------------------------------------------------------------------------- exact head

    @property
    def has_raw_features(self) -> bool:
        """Whether nothing was done to the columns before an exact head."""
        return self.head is not None and not self._body

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return the sums that its exact head is solved from, with these rows."""
        return head_statistics(self, memory, batch)

    def with_head(self, head: Head, notes: tuple[str, ...]) -> PipelineModel:
        """Return a Pipeline of the same frozen steps, the head's projection and its layer."""
        return PipelineModel.under_head(self._body, head, notes, name=self.native.steps[-1][0])

    # ------------------------------------------------------------------------------------------- weights

    @property
    def _weighted(self) -> HasWeights:
        assert has_weights(self.last), "only called for models with the ability 'gradient'"
        return self.last

    def weights(self) -> dict[str, Floats]:
        """Return the weights of the last step."""
        return self._weighted.weights()

    def with_weights(self, weights: Mapping[str, Floats]) -> PipelineModel:
        """Return the same Pipeline with these weights in its last step."""
        return self._with_last(self._weighted.with_weights(weights), self.notes)

    def weight_importance(self, batch: Batch, kind: Importance = "fisher") -> dict[str, Floats]:
        """Return how much the last step's weights matter, by default their Fisher information."""
        return self._weighted.weight_importance(self._preprocess(batch), kind)

    # --------------------------------------------------------------------------------------------- files

    def save(self, folder: Path) -> None:
        """Write the Pipeline as a skops file, and what it does not hold as JSON."""
        save_estimator(self.native, folder)
        own = self.classes is not None and not np.array_equal(self.classes, classes_of(self.native))  # type: ignore[arg-type]
        about = {
            "format": _FORMAT,
            "head": None if self.head is None else _about(self.head) | {"is_lifted": self.head.lift is not None},
            "classes": self.classes.tolist() if own and self.classes is not None else None,
        }
        (folder / "pipeline.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, folder: Path) -> PipelineModel:
        """Read what `save` wrote, or version 0.1."""
        native = load_estimator(folder)
        last = native.steps[-1][1]
        note = vars(last).pop("_incumbent_note", None)  # 0.1: see `incumbent.models._voting`
        old_head = vars(last).pop("_incumbent_head", None)
        notes = () if note is None else (note,)
        if not (folder / "pipeline.json").exists():
            if old_head is None:
                return cls(native, notes)
            stored = {**old_head, "is_lifted": bool(old_head["lift"])}
            return cls(native, notes, _stored_head(native, stored))
        about = json.loads((folder / "pipeline.json").read_text())
        if about["format"] > _FORMAT:
            raise ModelError(f"{folder} was written by a newer version of Incumbent: pip install --upgrade incumbent")
        head = None if about["head"] is None else _stored_head(native, about["head"])
        classes = about["classes"]
        return cls(native, notes, head, None if classes is None else wrap(last, classes=np.array(classes)))


def _about(head: Head) -> dict[str, Any]:
    return {"token": head.token, "ridge": head.ridge, "temperature": head.temperature}


def _stored_head(native: Any, stored: Mapping[str, Any]) -> Head:
    lift = native.steps[-2][1] if stored["is_lifted"] else None
    about = {name: stored[name] for name in ("token", "ridge", "temperature")}
    return read_head(native.steps[-1][1], lift, **about)
