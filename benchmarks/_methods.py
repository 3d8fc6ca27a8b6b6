"""What a team may do with a live model when new labelled rows come in: one class per way, the same two verbs.

`live` predicts the next batch; `update` learns from a batch after it was predicted, and returns what it made.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.base import clone

from incumbent import metrics
from incumbent.core import AnchorSet, Batch, Memory, Model, Prediction
from incumbent.data import Schema
from incumbent.gate import Gate
from incumbent.memory import update_memory
from incumbent.models import wrap
from incumbent.policy import Choice
from incumbent.updating import (
    LiveModel,
    PrequentialModels,
    UpdateState,
    prepare_update,
    run,
    with_classes,
)


class Predictor(Protocol):
    """Whatever predicts rows."""

    def predict(self, x: Any) -> Prediction:
        """Predict each row once."""


@dataclass(frozen=True, eq=False)
class Made:
    """What an update made: a model, whether it went live, and the strategy or the words of the verdict."""

    model: Predictor | None = None
    promoted: bool = False
    strategy: str = ""
    why: str = ""


@dataclass(frozen=True, eq=False)
class Start:
    """Where every method starts: a model fitted on the first rows, and those rows."""

    native: Any
    frame: pd.DataFrame
    target: str
    seed: int
    metric: str

    @property
    def rows(self) -> Batch:
        """The first rows as a batch."""
        return rows_of(self.frame, self.target)


def rows_of(frame: pd.DataFrame, target: str) -> Batch:
    """Return features and labels of a frame."""
    return Batch(frame.drop(columns=target), frame[target].to_numpy())


class Method(Protocol):
    """A way to keep a model up to date."""

    @property
    def live(self) -> Predictor:
        """The model that predicts."""

    def update(self, frame: pd.DataFrame) -> Made:
        """Learn from rows that were predicted already."""


class Static:
    """Fit once, never again."""

    def __init__(self, start: Start) -> None:
        self.live: Predictor = wrap(start.native)

    def update(self, frame: pd.DataFrame) -> Made:
        """Do nothing."""
        return Made()


class NoChange:
    """Say of each row what the row before it turned out to be; what a model of ordered rows must beat."""

    def __init__(self, start: Start) -> None:
        self.target = start.target
        self.last = start.frame[start.target].iloc[-1]
        self.live: Predictor = self

    def predict(self, x: Any) -> Prediction:
        """Predict a batch whose labels become known one by one; `x` is the labels here."""
        return metrics.persistence_baseline(x, before=self.last)

    def update(self, frame: pd.DataFrame) -> Made:
        """Remember the last label."""
        self.last = frame[self.target].iloc[-1]
        return Made()


class Refit:
    """Fit anew on the newest rows, on all of them where there is no limit, and deploy without asking anybody."""

    def __init__(self, start: Start, batches: int | None = None) -> None:
        self.start, self.batches = start, batches
        self.seen = [start.frame]
        self.live: Predictor = wrap(start.native)

    def update(self, frame: pd.DataFrame) -> Made:
        """Fit the same settings on the last batches."""
        self.seen = [*self.seen, frame][-self.batches if self.batches else None :]
        rows = rows_of(pd.concat(self.seen, ignore_index=True), self.start.target)
        self.live = wrap(clone(self.start.native).fit(rows.x, rows.y))
        return Made(self.live, True)


class PartialFit:
    """Let a linear Pipeline's last step learn each batch once, and deploy without asking anybody."""

    def __init__(self, start: Start) -> None:
        self.target, self.model = start.target, start.native
        self.live: Predictor = wrap(self.model)

    def update(self, frame: pd.DataFrame) -> Made:
        """One pass over the batch."""
        rows, self.model = rows_of(frame, self.target), deepcopy(self.model)
        self.model.steps[-1][1].partial_fit(self.model[:-1].transform(rows.x), rows.y)
        self.live = wrap(self.model)
        return Made(self.live, True)


class Ours:
    """Incumbent with its gate; memory, anchor set and standing challengers go on from update to update."""

    def __init__(self, start: Start, strategies: Choice | Callable[[int], Choice], gate: Gate | None = None) -> None:
        self.start, self.strategies = start, strategies
        self.live: Model = wrap(start.native)
        schema = Schema.of(start.frame, target=start.target, task=self.live.task)
        self.schema = with_classes(schema, self.live)
        rows, _ = self.schema.check(start.frame)
        rare = 50 if self.live.task == "classification" else 0
        self.memory, self.anchor = update_memory(Memory(), rows, seed=start.seed, rare=rare), AnchorSet()
        self.gate, self.state = gate or Gate(), UpdateState()

    def update(self, frame: pd.DataFrame) -> Made:
        """Run an update as the registry does it, in memory."""
        batch, check = self.schema.check(frame)
        given = self.strategies(len(batch)) if callable(self.strategies) else self.strategies
        live = LiveModel(self.live, self.schema, self.memory, self.anchor, self.gate, self.state)
        outcome = run(
            prepare_update(
                live,
                batch,
                check,
                strategies=given,
                budget=float("inf"),
                metric=self.start.metric,
                seed=self.start.seed,
            )
        )
        self.memory, self.anchor = outcome.memory, outcome.anchor
        chosen, promoted = outcome.chosen, outcome.decision == "promote"
        made = None if chosen is None else chosen.model
        new_strategy = promoted and chosen is not None and chosen.recipe is not None
        self.state = UpdateState(
            {} if promoted or made is None or outcome.lines else {"standing": made},
            None,
            outcome.lines or PrequentialModels(),
            chosen.strategy if new_strategy and chosen is not None else self.state.strategy,
        )
        self.live = outcome.winner
        broken = "+".join(r.name.split()[0] for r in outcome.verdict.reasons if not r.holds)
        return Made(made, promoted, "" if chosen is None else chosen.strategy, broken)


class RiverForest:
    """River's adaptive random forest, which learns row by row; a peer."""

    def __init__(self, start: Start, *, regression: bool) -> None:
        from river import forest

        kind = forest.ARFRegressor if regression else forest.ARFClassifier
        self.target, self.regression = start.target, regression
        self.model = kind(n_models=10, seed=start.seed)
        self.live: Predictor = self
        self.update(start.frame)

    def predict(self, x: Any) -> Prediction:
        """Predict row by row."""
        rows = x.to_dict("records")
        if self.regression:
            return Prediction(np.array([self.model.predict_one(row) for row in rows], dtype=float))
        told = [self.model.predict_proba_one(row) for row in rows]
        classes = np.unique([name for each in told for name in each])
        proba = np.array([[each.get(name, 0.0) for name in classes.tolist()] for each in told])
        proba = np.where(proba.sum(axis=1, keepdims=True) > 0, proba, 1.0)
        proba /= proba.sum(axis=1, keepdims=True)
        return Prediction(classes[proba.argmax(axis=1)], proba, classes)

    def update(self, frame: pd.DataFrame) -> Made:
        """Learn row by row."""
        labels = frame[self.target].tolist()
        for row, label in zip(frame.drop(columns=self.target).to_dict("records"), labels, strict=True):
            self.model.learn_one(row, label)
        return Made()
