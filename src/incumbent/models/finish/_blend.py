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
    """Several fitted models that speak as one: a weighted mean of probabilities, votes or values.

    Of rows with several labels at once, each label is on where its blended probability is above one half.

    Parameters
    ----------
    members : sequence of Model
        The members, oldest first.
    weights : (m,) array or (m * k + 1, k) array
        One weight a member; or for a stacked classifier the coefficients of a softmax over the members'
        log-probabilities, intercepts last.
    how : {"vote", "weighted", "stack"}
        How the weights came to be.
    """

    def __init__(self, members: Sequence[Model], weights: Floats, how: str) -> None:
        self.members, self.weights, self.how = tuple(members), np.asarray(weights, dtype=np.float64), how
        if members[0].task == "classification":
            self.classes_ = np.unique(np.concatenate([m.classes for m in members if m.classes is not None]))

    def __repr__(self) -> str:
        kinds = ", ".join(type(m.native).__name__ for m in self.members)
        return f"Blend({self.how} of {kinds})"

    def predict(self, x: Any) -> Array:
        """Return the blended class or value of each row, (n,), or its several labels or values, (n, m)."""
        if self.members[0].task == "regression":
            values: Array = np.tensordot(self.weights, np.stack([m.predict(x).label for m in self.members]), axes=1)
            return values
        return self.said(x).label

    def predict_proba(self, x: Any) -> Floats:
        """Return the blended class probabilities of each row, (n, k)."""
        proba = self.said(x).proba
        assert proba is not None, "classes are blended by their probabilities"
        return proba

    def said(self, x: Any) -> Prediction:
        """Return what the members say together, each asked once."""
        each = [m.predict(x) for m in self.members]
        parts = [_aligned(p, self.classes_) for p in each]
        mean = self.weights.ndim == 1
        proba: Floats = np.tensordot(self.weights, np.stack(parts), axes=1) if mean else _stacked(parts, self.weights)
        if each[0].label.ndim > 1:  # several labels at once, which are the same for every member
            return Prediction((proba > 0.5).astype(np.int64), proba, each[0].classes)
        return Prediction(self.classes_[proba.argmax(axis=1)], proba, self.classes_)


def _aligned(said: Prediction, classes: Array) -> Floats:
    """Probabilities over `classes`; a model without any votes for its label with all its weight."""
    if said.label.ndim > 1:
        return np.asarray(said.label if said.proba is None else said.proba, dtype=np.float64)
    if said.proba is None or said.classes is None:
        votes: Floats = (said.label[:, None] == classes[None, :]).astype(np.float64)
        return votes
    out = np.zeros((len(said), len(classes)))
    out[:, np.searchsorted(classes, said.classes)] = said.proba
    return out


def _logs(parts: Sequence[Floats]) -> Floats:
    return np.log(np.clip(np.hstack(parts), _TINY, 1.0))


def _stacked(parts: Sequence[Floats], weights: Floats) -> Floats:
    from scipy.special import softmax

    made: Floats = softmax(_logs(parts) @ weights[:-1] + weights[-1], axis=1)
    return made


def blended(champion: Model, challenger: Model, recipe: Recipe) -> Model:
    """Return the ensemble of champion and challenger that the recipe's finish asks for.

    A champion that is an ensemble already gives its members; beyond the recipe's number the oldest leaves a vote or a
    stack, the one of least weight a weighted mean.

    Raises
    ------
    AbilityError
        Weights are to come from the select split and there is none, or it does not show two classes.
    """
    asked, select = recipe.finish.ensemble, recipe.select
    assert asked is not None, "asked only of a recipe that finishes with an ensemble"
    old = champion.native.members if isinstance(champion.native, Blend) else (champion,)
    members = (*old, challenger)
    if asked.combine in ("vote", "stack"):
        members = members[-asked.members :]
    if asked.combine == "vote":
        return BlendModel(Blend(members, np.full(len(members), 1 / len(members)), "vote"))
    if select is None or not len(select):
        raise AbilityError(f"{asked.combine} weighs its members on select rows, and there are none; Vote() needs none.")
    if asked.combine == "stack":
        return BlendModel(Blend(members, _stack(members, select, recipe.seed), "stack"))
    weights = _merits(members, select)
    kept = np.sort(np.argsort(-weights, kind="stable")[: asked.members])
    merits = weights[kept]
    even = np.full(len(kept), 1 / len(kept))
    return BlendModel(Blend([members[i] for i in kept], merits / merits.sum() if merits.sum() else even, "weighted"))


def _merits(members: Sequence[Model], select: Batch) -> Floats:
    """``max(0, mse_r - mse_i)`` for classes (Wang et al. 2003, eq. 8), ``1 / mse_i`` for values."""
    if members[0].task == "regression":
        errors = [np.mean((m.predict(select.x).label - select.labels) ** 2) for m in members]
        return 1 / np.maximum(errors, _TINY)
    if select.labels.ndim > 1:  # each label is a choice of two classes, and the error is the mean over them
        often = select.labels.mean(axis=0)
        errors = [np.mean((_aligned(m.predict(select.x), often) - select.labels) ** 2) for m in members]
        return np.maximum(0.0, float((often * (1 - often)).mean()) - np.asarray(errors))
    classes = np.unique(
        np.concatenate([np.unique(select.labels), *(m.classes for m in members if m.classes is not None)])
    )
    at = np.searchsorted(classes, select.labels), np.arange(len(select))
    share = np.bincount(at[0], minlength=len(classes)) / len(select)
    by_chance = float((share * (1 - share) ** 2).sum())
    errors = [np.mean((1 - _aligned(m.predict(select.x), classes)[at[1], at[0]]) ** 2) for m in members]
    return np.maximum(0.0, by_chance - np.asarray(errors))


def _stack(members: Sequence[Model], select: Batch, seed: int) -> Floats:
    if members[0].task == "regression":
        from scipy.optimize import nnls

        values = np.stack([m.predict(select.x).label.ravel() for m in members], axis=1)
        found: Floats = nnls(values, select.labels.ravel())[0]
        return found if found.any() else np.full(len(members), 1 / len(members))
    if select.labels.ndim > 1:
        raise AbilityError(
            "Stack() learns which one class of a row is true, and these rows have several labels at once; Weighted() "
            "and Vote() work with them."
        )
    from sklearn.linear_model import LogisticRegression

    classes = np.unique(np.concatenate([m.classes for m in members if m.classes is not None]))
    select = select.take(np.isin(select.labels, classes))  # a class that no member knows cannot be predicted by any
    if len(np.unique(select.labels)) < 2:
        raise AbilityError("Stack() learns from select rows of two known classes, and they show fewer; try Vote().")
    inputs = _logs([_aligned(m.predict(select.x), classes) for m in members])
    meta = LogisticRegression(C=1.0, max_iter=1000, random_state=seed).fit(inputs, select.labels)
    weights = np.zeros((inputs.shape[1] + 1, len(classes)))
    if len(meta.classes_) == 2:
        coef, intercept = np.vstack([-meta.coef_, meta.coef_]) / 2, np.array([-0.5, 0.5]) * meta.intercept_
    else:
        coef, intercept = meta.coef_, meta.intercept_
    weights[-1] = np.log(_TINY)  # a class that no select row shows stays out
    at = np.searchsorted(classes, meta.classes_)
    weights[:-1, at], weights[-1, at] = coef.T, intercept
    return weights


def handles(native: Any) -> bool:
    """Whether `native` is an ensemble made here."""
    return isinstance(native, Blend)


@final
@dataclass(frozen=True, eq=False)
class BlendModel(BaseModel):
    """The adapter of a `Blend`: what it is asked to learn, its newest member learns.

    Parameters
    ----------
    native : Blend
        The ensemble.
    notes : tuple of str
        How it was made.
    """

    native: Blend
    notes: tuple[str, ...] = ()

    @property
    def outputs(self) -> Array | None:
        """The classes of its newest member, in the order of that one's logits."""
        return self.newest.outputs

    @property
    def newest(self) -> Model:
        """The member that a further update starts from."""
        return self.native.members[-1]

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.newest.task

    @property
    def classes(self) -> Array | None:
        """The classes that any member knows."""
        return getattr(self.native, "classes_", None)

    @property
    def takes(self) -> Literal["frame", "tensors"]:
        """What its members take."""
        return self.newest.takes

    @property
    def abilities(self) -> frozenset[str]:
        """What its newest member can do, but for weights of its own to move."""
        return (self.newest.abilities - {"gradient"}) | ({"proba"} if self.task == "classification" else set())

    def predict(self, x: Any) -> Prediction:
        """Predict each row once by every member."""
        if self.classes is None:
            return Prediction(self.native.predict(x))
        return self.native.said(x)

    def logits(self, x: Any) -> Floats:
        """Return the raw outputs of the newest member, which a further update starts from."""
        assert has_logits(self.newest), "called only if it has the ability 'soft_targets'"
        return self.newest.logits(x)

    def fit(self, recipe: Recipe) -> Model:
        """Return what the newest member learned; without an ensemble as its finish it takes over alone."""
        return self.newest.fit(recipe)

    def updated_statistics(self, memory: Memory, batch: Batch) -> Mapping[str, Array]:
        """Return those of the newest member, which a further update starts from."""
        return self.newest.updated_statistics(memory, batch)

    def save(self, folder: Path) -> None:
        """Write the members, each in its own format, and the weights."""
        from incumbent.models import save

        for i, member in enumerate(self.native.members):
            save(member, folder / str(i))
        told = {"how": self.native.how, "weights": self.native.weights.tolist(), "members": len(self.native.members)}
        (folder / "blend.json").write_text(json.dumps(told))

    @classmethod
    def load(cls, folder: Path) -> BlendModel:
        """Read what `save` wrote."""
        from incumbent.models import load

        told = json.loads((folder / "blend.json").read_text())
        members = [load(folder / str(i)) for i in range(told["members"])]
        return cls(Blend(members, np.asarray(told["weights"]), told["how"]))
