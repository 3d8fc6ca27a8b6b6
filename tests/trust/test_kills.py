"""SIGKILL at any moment of an update: the champion serves on, history is consistent, and the next update works."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from forks import ended_well, warm
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Limit, Registry
from incumbent.data import row_keys
from kills import forked
from rows import NAMES, fitted, points

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]

KILLS = 25
ASKED = points(40, seed=77)[NAMES]
ALWAYS = Gate(tolerance=None, min_gain=-1.0)
NEVER = Gate(tolerance=None, limits=(Limit("accuracy", min=2.0),))


def said(registry: Registry, version: int | None = None) -> str:
    """What a version predicts, in short."""
    return hashlib.sha256(registry.predict("fraud", ASKED, version=version).to_numpy().tobytes()).hexdigest()


def update(registry: Registry, number: int) -> str:
    """Update with rows of that number; even ones promote, odd ones are refused."""
    gate = NEVER if number % 2 else ALWAYS
    return registry.update("fraud", points(120, seed=1000 + number), strategies="retrain", gate=gate).decision


def check(registry: Registry, known: dict[str, str]) -> None:
    """Hold the store against what was known before the kill, and add what is new."""
    live, history = registry.champion("fraud"), list(reversed(registry.history("fraud")))
    assert [event["number"] for event in history] == list(range(1, len(history) + 1))
    assert {event["status"] for event in history} <= {"done", "interrupted"}
    champion = 0
    for event in history:
        assert event["version_before"] == champion, event
        if event["status"] == "done":
            champion = event["version_after"]
        else:
            assert event["version_after"] == champion and event["decision"] == ""
    assert champion == live
    for version, digest in known.items():
        if int(version) in (1, live):
            assert said(registry, int(version)) == digest, version
    known.setdefault(str(live), said(registry))
    state = registry.state("fraud")
    assert len(state.memory) >= 200
    assert not set(row_keys(state.memory.rows)) & (
        set() if state.anchor.rows is None else set(row_keys(state.anchor.rows))
    )


def begin(store: Path, notes: Path) -> None:
    past = points(200, seed=3)
    registry = Registry(store)
    registry.init("fraud", fitted(LogisticRegression(), past), past, target="label")
    update(registry, 0)
    started = time.monotonic()
    update(registry, 1)
    known: dict[str, str] = {}
    check(registry, known)
    notes.write_text(json.dumps({"known": known, "life": time.monotonic() - started}))


def one_round(store: Path, notes: Path, number: int, ready: int) -> None:
    """See what the kill before has left, update, and start another update that will be killed."""
    told = json.loads(notes.read_text())
    registry = Registry(store)
    check(registry, told["known"])
    assert update(registry, 2 * number) == "promote"
    told["known"][str(registry.champion("fraud"))] = said(registry)
    notes.write_text(json.dumps(told))
    os.write(ready, b".")
    update(registry, 2 * number + 1 if number % 3 else 100_000 + 2 * number)


def test_an_update_can_be_killed_at_any_moment(tmp_path):
    warm(tmp_path / "warm")
    store, notes = tmp_path / "store", tmp_path / "notes.json"
    assert ended_well(forked(lambda: begin(store, notes)))
    life, dice, killed = json.loads(notes.read_text())["life"], random.Random(11), 0
    for number in range(1, 3 * KILLS):
        if killed == KILLS:
            break
        hears, ready = os.pipe()
        child = forked(lambda number=number, ready=ready: one_round(store, notes, number, ready))
        os.close(ready)
        assert os.read(hears, 1) == b".", f"round {number} found the store in disorder, as it said above"
        os.close(hears)
        time.sleep(dice.uniform(0, life))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert killed == KILLS  # where fewer were, too many rounds had ended before their kill

    def last():
        registry, told = Registry(store), json.loads(notes.read_text())
        check(registry, told["known"])
        assert update(registry, 200_000) == "promote"
        check(registry, told["known"])
        statuses = [event["status"] for event in registry.history("fraud")]
        assert statuses.count("interrupted") >= 3  # the other kills came before the event began, or after it was done
        assert registry.rollback("fraud", why="the end") == registry.champion("fraud")

    assert ended_well(forked(last))
