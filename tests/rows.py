"""Small streams for the tests of updates: the rule is known, so what the verdict should be is known too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from incumbent.core import AnchorSet, Memory
from incumbent.data import Schema
from incumbent.memory import update_memory
from incumbent.models import wrap
from incumbent.updating import LiveModel, UpdateInputs, UpdateState, anchor_set, prepare_update, with_classes

NAMES = ["a", "b", "c"]
OLD, NEW = (1.0, 0.0, 0.0), (1.0, 1.0, 0.0)
"""Weights of two rules: a row is of class 1 where the weighted sum of its columns is above 0."""


def points(rows: int, rule: tuple[float, ...] = OLD, *, seed: int = 0, noise: float = 0.1) -> pd.DataFrame:
    """Rows of three normal numbers and a label that follows the rule, but is drawn anew with probability `noise`."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    by_chance = rng.random(rows) < noise
    label = np.where(by_chance, rng.integers(2, size=rows), x @ np.array(rule) > 0).astype(int)
    return pd.DataFrame(x, columns=NAMES).assign(label=label)


def values(rows: int, rule: tuple[float, ...] = OLD, *, seed: int = 0, noise: float = 0.3) -> pd.DataFrame:
    """The same with a number as the target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return pd.DataFrame(x, columns=NAMES).assign(label=x @ np.array(rule) + noise * rng.normal(size=rows))


def fitted(model: Any, frame: pd.DataFrame, target: str = "label") -> Any:
    """The model, fitted to a table."""
    return model.fit(frame.drop(columns=target), frame[target])


def weak(rows: int = 12, *, seed: int = 3) -> Any:
    """A live model that learned from too few rows, so that a challenger can be better on old and new rows alike."""
    return fitted(LogisticRegression(), points(rows, noise=0.0, seed=seed))


def told(outcome: Any) -> dict[str, Any]:
    """What an outcome says, without how long it took."""
    found = dict(outcome.to_dict())
    del found["cost"]
    for challenger in found["challengers"]:
        del challenger["seconds"]
    return found


_OF_LIVE_MODEL = ("memory", "gate")
_OF_STATE = ("runners_up", "control", "prequential", "strategy")


def inputs(live: Any, new: pd.DataFrame, **options: Any) -> UpdateInputs:
    """The inputs of an update: `data` and `anchor` are tables, all else goes where it belongs by its name."""
    champion, data, anchor = wrap(live), options.pop("data", None), options.pop("anchor", None)
    roles = {role: options.pop(role) for role in ("time", "group") if role in options}
    state = UpdateState(**{name: options.pop(name) for name in _OF_STATE if name in options})
    known = {name: options.pop(name) for name in _OF_LIVE_MODEL if name in options}
    schema = Schema.of(new if data is None else data, target="label", task=champion.task, **roles)
    schema = with_classes(schema, champion)
    batch, check = schema.check(new)
    if data is not None:
        known["memory"] = update_memory(Memory(), schema.check(data)[0], seed=0)
    if anchor is not None:
        known["anchor"] = anchor if isinstance(anchor, AnchorSet) else anchor_set(schema, anchor)
    return prepare_update(LiveModel(champion, schema, state=state, **known), batch, check, **options)
