"""Ensembles of champion and challengers, as one native model with `predict` and `predict_proba`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from incumbent.core import Array, BaseModel, Batch, Floats, Memory, Model, Prediction, Recipe, Task, has_logits
from incumbent.errors import AbilityError

_TINY = 1e-6


class Blend:
    """Several fitted models that predict as one: a weighted mean of probabilities, votes or values.

    If rows have several labels, each applies if its mean probability is above one half.

    Parameters
    ----------
    members : sequence of Model
        The members, oldest first.
    weights : (m,) array or (m * k + 1, k) array
        One weight per member; for a stacked classifier, the coefficients of a softmax over the members'
        log-probabilities, intercepts last.
    how : {"vote", "weighted", "stack"}
        How the weights were found.
    """

    def __init__(self, members: Sequence[Model], weights: Floats, how: str) -> None:
        self.members, self.weights, self.how = tuple(members), np.asarray(weights, dtype=np.float64), how
        if members[0].task == "classification":
            self.classes_ = np.unique(np.concatenate([m.classes for m in members if m.classes is not None]))

    def __repr__(self) -> str:
        kinds = ", ".join(type(m.native).__name__ for m in self.members)
        return f"Blend({self.how} of {kinds})"

    def predict(self, x: Any) -> Array:
        """Return the class or value of each row, (n,), or its several labels or values, (n, m)."""
        if self.members[0].task == "regression":
            values: Array = np.tensordot(self.weights, np.stack([m.predict(x).label for m in self.members]), axes=1)
            return values
        return self.predict_both(x).label

    def predict_proba(self, x: Any) -> Floats:
        """Return the class probabilities of each row, (n, k)."""
        proba = self.predict_both(x).proba
        assert proba is not None, "classes are blended by their probabilities"
        return proba

    def predict_both(self, x: Any) -> Prediction:
        """Predict labels and probabilities together, each member once."""
        each = [m.predict(x) for m in self.members]
        parts = [_aligned(p, self.classes_) for p in each]
        mean = self.weights.ndim == 1
        proba: Floats = np.tensordot(self.weights, np.stack(parts), axes=1) if mean else _stacked(parts, self.weights)
        if each[0].label.ndim > 1:  # several labels, the same for every member
            return Prediction((proba > 0.5).astype(np.int64), proba, each[0].classes)
        return Prediction(self.classes_[proba.argmax(axis=1)], proba, self.classes_)


def _aligned(prediction: Prediction, classes: Array) -> Floats:
    """Return probabilities over `classes`; without any, the predicted label has probability 1."""
    if prediction.label.ndim > 1:
        return np.asarray(prediction.label if prediction.proba is None else prediction.proba, dtype=np.float64)
    if prediction.proba is None or prediction.classes is None:
        votes: Floats = (prediction.label[:, None] == classes[None, :]).astype(np.float64)
        return votes
    out = np.zeros((len(prediction), len(classes)))
    out[:, np.searchsorted(classes, prediction.classes)] = prediction.proba
    return out


def _logs(parts: Sequence[Floats]) -> Floats:
    return np.log(np.clip(np.hstack(parts), _TINY, 1.0))


def _stacked(parts: Sequence[Floats], weights: Floats) -> Floats:
    from scipy.special import softmax

    made: Floats = softmax(_logs(parts) @ weights[:-1] + weights[-1], axis=1)
    return made


def blended(champion: Model, challenger: Model, recipe: Recipe) -> Model:
    """Return the ensemble of champion and challenger that a recipe finishes with.

    A champion that is an ensemble contributes its members. If there are too many, the oldest leaves a vote or a stack,
    and the one of least weight leaves a weighted mean. Raise `AbilityError` if the select rows cannot give weights.
    """
    ensemble, select = recipe.finish.ensemble, recipe.select
    assert ensemble is not None, "called only for a recipe that finishes with an ensemble"
    old = champion.native.members if isinstance(champion.native, Blend) else (champion,)
    members = (*old, challenger)
    newest = members[-ensemble.members :]
    if ensemble.combine == "vote":
        return BlendModel(Blend(newest, np.full(len(newest), 1 / len(newest)), "vote"))
    if select is None or not len(select):
        raise AbilityError(
            f"{ensemble.combine} weighs its members on select rows, and there are none. Use Vote(), which needs none."
        )
    if ensemble.combine == "stack":
        return BlendModel(Blend(newest, _stack(newest, select, recipe.seed), "stack"))
    weights = _merits(members, select)
    kept = np.sort(np.argsort(-weights, kind="stable")[: ensemble.members])
    weights = weights[kept] if weights[kept].any() else np.ones(len(kept))
    return BlendModel(Blend([members[i] for i in kept], weights / weights.sum(), "weighted"))


def _merits(members: Sequence[Model], select: Batch) -> Floats:
    """Return ``max(0, mse_r - mse_i)`` for classes (Wang et al. 2003, eq. 8), ``1 / mse_i`` for values."""
    if members[0].task == "regression":
        errors = [np.mean((m.predict(select.x).label - select.labels) ** 2) for m in members]
        return 1 / np.maximum(errors, _TINY)
    if select.labels.ndim > 1:  # each label is a choice of two classes; errors are means over labels
        frequency = select.labels.mean(axis=0)
        errors = [np.mean((_aligned(m.predict(select.x), frequency) - select.labels) ** 2) for m in members]
        return np.maximum(0.0, float((frequency * (1 - frequency)).mean()) - np.asarray(errors))
    classes = np.unique(
        np.concatenate([np.unique(select.labels), *(m.classes for m in members if m.classes is not None)])
    )
    at = np.searchsorted(classes, select.labels), np.arange(len(select))
    share = np.bincount(at[0], minlength=len(classes)) / len(select)
    random_error = float((share * (1 - share) ** 2).sum())
    errors = [np.mean((1 - _aligned(m.predict(select.x), classes)[at[1], at[0]]) ** 2) for m in members]
    return np.maximum(0.0, random_error - np.asarray(errors))


def _stack(members: Sequence[Model], select: Batch, seed: int) -> Floats:
    if members[0].task == "regression":
        from scipy.optimize import nnls

        values = np.stack([m.predict(select.x).label.ravel() for m in members], axis=1)
        found: Floats = nnls(values, select.labels.ravel())[0]
        return found if found.any() else np.full(len(members), 1 / len(members))
    if select.labels.ndim > 1:
        raise AbilityError(
            "Stack() needs rows with one class each, and these have several labels. Use Weighted() or Vote()."
        )
    from sklearn.linear_model import LogisticRegression

    classes = np.unique(np.concatenate([m.classes for m in members if m.classes is not None]))
    select = select.take(np.isin(select.labels, classes))  # drop rows of classes that no member can predict
    if len(np.unique(select.labels)) < 2:
        raise AbilityError("Stack() needs select rows of two known classes, and there are fewer. Use Vote().")
    inputs = _logs([_aligned(m.predict(select.x), classes) for m in members])
    meta = LogisticRegression(C=1.0, max_iter=1000, random_state=seed).fit(inputs, select.labels)
    weights = np.zeros((inputs.shape[1] + 1, len(classes)))
    if len(meta.classes_) == 2:
        coef, intercept = np.vstack([-meta.coef_, meta.coef_]) / 2, np.array([-0.5, 0.5]) * meta.intercept_
    else:
        coef, intercept = meta.coef_, meta.intercept_
    weights[-1] = np.log(_TINY)  # a class without select rows is never predicted
    at = np.searchsorted(classes, meta.classes_)
    weights[:-1, at], weights[-1, at] = coef.T, intercept
    return weights


def handles(native: Any) -> bool:
    """Return whether `native` is a `Blend`."""
    return isinstance(native, Blend)


@final
@dataclass(frozen=True, eq=False)
class BlendModel(BaseModel):
    """The adapter of a `Blend`. Its newest member learns, and replaces it unless the recipe makes an ensemble again."""

    native: Blend
    notes: tuple[str, ...] = ()

    @property
    def outputs(self) -> Array | None:
        """The classes of the newest member, in the order of its logits."""
        return self.newest.outputs

    @property
    def newest(self) -> Model:
        """The member that the next update starts from."""
        return self.native.members[-1]

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.newest.task

    @property
    def classes(self) -> Array | None:
        """The classes that at least one member can predict."""
        return None if self.task == "regression" else self.native.classes_

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """What its members take."""
        return self.newest.takes

    @property
    def abilities(self) -> frozenset[str]:
        """Those of the newest member, except for weights to read and set."""
        return (self.newest.abilities - {"gradient"}) | ({"proba"} if self.task == "classification" else set())

    def predict(self, x: Any) -> Prediction:
        """Predict each row once by every member."""
        if self.classes is None:
            return Prediction(self.native.predict(x))
        return self.native.predict_both(x)

    def logits(self, x: Any) -> Floats:
        """Return the raw outputs of the newest member, which the next update starts from."""
        assert has_logits(self.newest), "called only if it has the ability 'soft_targets'"
        return self.newest.logits(x)

    def fit(self, recipe: Recipe) -> Model:
        """Return what the newest member learned."""
        return self.newest.fit(recipe)

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return those of the newest member, which the next update starts from."""
        return self.newest.updated_statistics(memory, batch)

    def save(self, folder: Path) -> None:
        """Write the members, each in its own format, and the weights."""
        from incumbent.models import save

        for i, member in enumerate(self.native.members):
            save(member, folder / str(i))
        about = {"how": self.native.how, "weights": self.native.weights.tolist(), "members": len(self.native.members)}
        (folder / "blend.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, folder: Path) -> BlendModel:
        """Read what `save` wrote."""
        from incumbent.models import load

        about = json.loads((folder / "blend.json").read_text())
        members = [load(folder / str(i)) for i in range(about["members"])]
        return cls(Blend(members, np.asarray(about["weights"]), about["how"]))
