"""What is judged on was never learned from: select, gate and anchor rows, and rows that would make them lie."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier

import incumbent
from incumbent.core import AnchorSet, Memory
from incumbent.data import row_keys
from incumbent.memory import update_memory
from incumbent.updating import run
from rows import NAMES, fitted, inputs, points, values


class Recording(LogisticRegression):
    """Writes down what it learns from and what it is asked."""

    learned: ClassVar[list[pd.DataFrame]] = []
    asked: ClassVar[list[tuple[int, int]]] = []

    def fit(self, X, y, sample_weight=None):
        Recording.learned.append(X.copy())
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        Recording.asked.append((id(self), len(X)))
        return super().predict_proba(X)


class RecordingSGD(SGDClassifier):
    """The same for one that learns on."""

    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        Recording.learned.append(X.copy())
        return super().fit(X, y, sample_weight=sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        Recording.learned.append(X.copy() if hasattr(X, "columns") else pd.DataFrame(X, columns=NAMES))
        return super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)


@pytest.fixture(autouse=True)
def nothing_recorded():
    Recording.learned.clear()
    Recording.asked.clear()


def contents(frame: pd.DataFrame) -> set[tuple[float, ...]]:
    return set(frame[NAMES].itertuples(index=False, name=None))


def learned() -> set[tuple[float, ...]]:
    return set().union(*map(contents, Recording.learned))


KINDS = {
    "logistic": Recording,
    "sgd": lambda: RecordingSGD(loss="log_loss", random_state=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_select_gate_or_anchor_row_is_ever_learned_from(kind):
    past, old = points(300, seed=1), points(200, seed=10)
    live = fitted(KINDS[kind](), past)
    Recording.learned.clear()
    ready = inputs(live, points(600, seed=2), data=past, anchor=old)
    outcome = run(ready)
    assert outcome.verdict.source == "anchor+crossfit"
    assert sum(challenger.model is not None for challenger in outcome.challengers) >= 3
    assert len(Recording.learned) > len(outcome.challengers)  # stand-ins learned too
    assert learned() >= contents(ready.train.rows.x)
    assert not learned() & contents(ready.select.rows.x)
    assert not learned() & contents(ready.test.rows.x)
    assert not learned() & contents(old)
    assert learned() <= contents(ready.train.rows.x) | contents(past)


def test_the_choice_does_not_look_at_the_gate_rows():
    live = fitted(LogisticRegression(), points(300, seed=1))
    new = points(600, seed=2)
    ready = inputs(live, new, anchor=points(200, seed=10), strategies=["retrain", "Window(100)"])
    turned = ready.test.rows.replace(y=1 - ready.test.rows.y)
    other = dataclasses.replace(ready, test=dataclasses.replace(ready.test, rows=turned))
    outcomes = [run(each) for each in (ready, other)]
    first, second = ([(c.gain, c.score, c.chosen) for c in outcome.challengers] for outcome in outcomes)
    assert first == second
    assert outcomes[0].comparisons["new"].challenger["accuracy"] > 0.8
    assert outcomes[1].comparisons["new"].challenger["accuracy"] < 0.2


def test_each_row_is_asked_of_the_champion_once():
    live = fitted(Recording(), points(300, seed=1))
    run(inputs(live, points(600, seed=2), anchor=points(2000, seed=10)))
    asked = sorted(rows for who, rows in Recording.asked if who == id(live))
    assert asked == [600, 2000]


# --------------------------------------------------------------------------- rows that make holdouts lie


def test_rows_of_the_anchor_set_are_dropped_and_counted():
    old, fresh = points(200, seed=10), points(500, seed=2)
    live = fitted(Recording(), points(300, seed=1))
    Recording.learned.clear()
    outcome = incumbent.update(live, pd.concat([fresh, old[:50]]), target="label", anchor=old, strategies="retrain")
    rows = outcome.rows
    assert (rows["read"], rows["leaked"]) == (550, 50)
    assert rows["train"] + rows["select"] + rows["gate"] == 500
    assert not learned() & contents(old)
    assert not set(row_keys(outcome.memory.rows)) & set(row_keys(outcome.anchor.rows))


def marked() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """New rows of which some repeat, contradict each other, or are known, and those rows."""
    rng = np.random.default_rng(0)
    fresh, past = points(500, seed=2), points(300, seed=1)
    twice = fresh[:40]
    against = fresh[40:60].assign(label=lambda rows: 1 - rows.label)
    new = pd.concat([fresh, twice, against, past[:30]]).iloc[rng.permutation(590)].reset_index(drop=True)
    return new, {"duplicate": twice, "contradictory": against, "known": past[:30], "past": past}


def test_repeated_contradictory_and_known_rows_are_counted_and_only_learned_from():
    new, odd = marked()
    live = fitted(LogisticRegression(), odd["past"])
    ready = inputs(live, new, data=odd["past"], strategies="retrain")
    held = contents(ready.select.rows.x) | contents(ready.test.rows.x)
    for kind in ("duplicate", "contradictory", "known"):
        assert not held & contents(odd[kind]), kind
        assert contents(odd[kind]) <= contents(ready.train.rows.x), kind
    rows = run(ready).rows
    assert (rows["duplicate"], rows["contradictory"], rows["known"], rows["leaked"]) == (80, 40, 30, 0)
    assert rows["train"] + rows["select"] + rows["gate"] == rows["read"] == 590


def test_two_values_of_a_regression_for_the_same_row_do_not_contradict_each_other():

    past, new = values(100, seed=1), values(300, seed=2)
    again = new[:20].assign(label=0.5)
    outcome = incumbent.update(
        fitted(Ridge(), past), pd.concat([new, again]), target="label", data=past, strategies="retrain"
    )
    assert (outcome.rows["contradictory"], outcome.rows["duplicate"]) == (0, 0)


# ------------------------------------------------------------------------------------- time and groups


def test_with_a_time_column_the_newest_rows_are_the_gate():
    new = points(600, seed=2).assign(when=np.arange(600)).sample(frac=1, random_state=0)
    live = fitted(LogisticRegression(), points(200, seed=1))
    ready = inputs(live, new, time="when")
    train, select, test = (part.rows for part in (ready.train, ready.select, ready.test))
    assert train.time.max() < select.time.min()
    assert select.time.max() < test.time.min()
    assert test.time.tolist() == list(range(450, 600))
    assert NAMES == list(test.x.columns)


def test_dates_in_text_order_the_rows_too():
    days = pd.date_range("2026-01-01", periods=300).astype(str)
    new = points(300, seed=2).assign(day=days).sample(frac=1, random_state=0)
    live = fitted(LogisticRegression(), points(200, seed=1))
    ready = inputs(live, new, time="day")
    assert ready.test.rows.time.min() > ready.select.rows.time.max() > ready.train.rows.time.max()


@pytest.mark.parametrize("roles", [{"group": "who"}, {"group": "who", "time": "when"}], ids=["group", "group-time"])
def test_a_group_is_never_split(roles):
    rng = np.random.default_rng(0)
    new = points(600, seed=2).assign(who=rng.integers(60, size=600).astype(str), when=np.arange(600))
    ready = inputs(fitted(LogisticRegression(), points(200, seed=1)), new[[*NAMES, "label", *roles.values()]], **roles)
    parts = [set(part.rows.group) for part in (ready.train, ready.select, ready.test)]
    assert all(parts)
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    outcome = run(ready)
    assert outcome.comparisons["new"].paired.block is not None
    assert len(np.unique(outcome.comparisons["new"].paired.block)) == len(parts[2])


# -------------------------------------------------------------------------------- from update to update


def test_over_many_updates_no_row_is_in_memory_and_in_the_anchor_set():
    past = points(300, seed=1)
    live = fitted(Recording(), past)
    memory, anchor = update_memory(Memory(), inputs(live, past).batch, seed=0), AnchorSet()
    sizes = []
    for number in range(4):
        Recording.learned.clear()
        new = points(200, seed=20 + number)
        outcome = run(inputs(live, new, memory=memory, anchor=anchor, strategies="retrain"))
        if anchor.rows is not None:
            assert not learned() & contents(anchor.rows.x)
        memory, anchor = outcome.memory, outcome.anchor
        assert not set(row_keys(memory.rows)) & set(row_keys(anchor.rows))
        assert (outcome.rows["memory"], outcome.rows["anchor"]) == (len(memory), len(anchor))
        sizes.append((len(memory), len(anchor)))
    assert sizes == sorted(sizes)
    assert len(memory) + len(anchor) == 300 + 4 * 200


def test_each_decision_spends_a_use_of_every_anchor_row_for_all_had_a_part_in_it():
    live, old = fitted(LogisticRegression(), points(300, seed=1)), points(200, seed=10)
    ready = inputs(live, points(300, seed=2), anchor=old, strategies="retrain")
    outcome = run(ready)
    assert (
        outcome.anchor.use_counts[:200].tolist() == [1] * 200
    )  # those that chose the challenger and those that judged it
    assert outcome.anchor.use_counts[200:].sum() == 0


def test_a_memory_is_a_memory_after_an_update_that_trained_nobody():
    live = fitted(LogisticRegression(), points(300, seed=1))
    outcome = incumbent.update(live, points(300, seed=2), target="label", anchor=points(100, seed=10), budget=1e-9)
    assert isinstance(outcome.memory, Memory) and len(outcome.memory) > 200
    assert outcome.anchor.use_counts.sum() == 0
