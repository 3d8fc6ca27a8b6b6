"""SIGKILL while a candidate is left waiting, approved or refused: what serves and what waits agree with history."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from forks import ended_well, warm
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry
from kills import forked
from rows import fitted, points

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]

KILLS = 15
ALWAYS = Gate(tolerance=None, min_gain=-1.0)


def wait(registry: Registry, number: int) -> None:
    new = points(120, seed=1000 + number)
    outcome = registry.update("fraud", new, strategies="retrain", gate=ALWAYS, approve=True)
    assert outcome.candidate


def check(registry: Registry) -> None:
    """Hold what serves and what waits against the history."""
    history = list(reversed(registry.history("fraud")))
    assert [event["number"] for event in history] == list(range(1, len(history) + 1))
    assert {event["status"] for event in history} <= {"done", "interrupted"}
    champion, waiting = 0, None
    for event in history:
        assert event["version_before"] == champion, event
        if event["status"] != "done":
            assert event["decision"] == "" and event["version_after"] == champion
            continue
        if event["decision"] in ("approved", "refused"):
            assert event["challenger"] == waiting
        champion = event["version_after"]
        waiting = event["candidate"] or None if event["kind"] == "update" else None
    assert (registry.champion("fraud"), registry.store.candidate("fraud")) == (champion, waiting)
    updates = sum(event["kind"] == "update" and event["status"] == "done" for event in history)
    state = registry.state("fraud")
    assert state.memory.seen + state.anchor.seen >= 200 + 100 * updates  # no update's rows are forgotten
    assert registry.predict("fraud", points(5, seed=1).drop(columns="label")).shape[0] == 5


def one_round(store: Path, number: int, ready: int) -> None:
    """See what the kill before has left, let one wait, and decide on it: somewhere here the kill comes."""
    registry = Registry(store)
    check(registry)
    os.write(ready, b".")
    wait(registry, number)
    (registry.refuse if number % 3 == 0 else registry.approve)("fraud", why="round")


def begin(store: Path) -> None:
    past = points(200, seed=3)
    Registry(store).init("fraud", fitted(LogisticRegression(), past), past, target="label")


def test_approvals_can_be_killed_at_any_moment(tmp_path):
    warm(tmp_path / "warm")
    store, dice, killed = tmp_path / "store", random.Random(5), 0
    assert ended_well(forked(lambda: begin(store)))
    _, ready = os.pipe()
    started = time.monotonic()
    assert ended_well(forked(lambda: one_round(store, 1, ready)))
    life = time.monotonic() - started
    for number in range(2, 3 * KILLS):
        if killed == KILLS:
            break
        hears, ready = os.pipe()
        child = forked(lambda number=number, ready=ready: one_round(store, number, ready))
        os.close(ready)
        assert os.read(hears, 1) == b".", f"round {number} found the store in disorder, as it said above"
        os.close(hears)
        time.sleep(dice.uniform(0, life))
        os.kill(child, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert ended in (0, -signal.SIGKILL)
        killed += ended == -signal.SIGKILL
    assert killed == KILLS

    def last() -> None:
        registry = Registry(store)
        check(registry)
        wait(registry, 100_000)
        assert registry.approve("fraud", why="the end") == registry.champion("fraud")
        check(registry)
        assert [event["status"] for event in registry.history("fraud")].count("interrupted") >= 3

    assert ended_well(forked(last))
