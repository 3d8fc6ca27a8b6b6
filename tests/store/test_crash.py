"""Whatever ends a process, and wherever: the champion is the old one or the new one, whole, and the history agrees."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import signal
import time

import pytest

from incumbent.errors import RegistryError
from incumbent.store import Store, _lock, _settle
from incumbent.store._client import Client
from kills import Killed, forked, kill_after


def survives_a_kill_after_every_write(monkeypatch, life, act, name_of, before_of, after_of):
    """Kill `act` after its first write, its second and so on, until it ends by itself; look each time, then go on."""
    outcomes = []
    for writes in itertools.count():
        name = name_of(writes)
        before, after, number = before_of(name), after_of(name, writes), len(history(life.store, name))
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            try:
                act(name, writes)
                ended = True
            except Killed:
                ended = False
        seen = life.live(name)
        assert seen in (before, after), writes
        events = history(life.store, name)
        assert len(events) in (number, number + 1)
        if len(events) > number:
            assert events[0].status == ("done" if seen == after else "interrupted"), writes
        else:
            assert seen == before
        outcomes.append(seen == after)
        if ended:
            break
        carry_on(life, name, exists=seen is not None)
        assert history(life.store, name)[1:] == events  # what reading said of the killed event is what was written
    assert outcomes == sorted(outcomes) and not outcomes[0] and outcomes[-1]  # one step, at one write
    assert outcomes.count(False) > 3


def history(store, name):
    try:
        return store.history(name)
    except RegistryError:
        return []


def carry_on(life, name, *, exists):
    if not exists:
        assert name not in life.store.names()
        life.init(name)
        return
    with life.store.event(name, "update") as event:
        event.conclude(decision="inconclusive", deploy=None, info={})


@pytest.mark.slow
def test_a_killed_init_leaves_no_name_and_can_be_repeated(monkeypatch, life):
    survives_a_kill_after_every_write(
        monkeypatch,
        life,
        act=lambda name, k: life.init(name),
        name_of=lambda k: f"model-{k}",
        before_of=lambda name: None,
        after_of=lambda name, k: (1, "m1", "s1"),
    )


@pytest.mark.slow
def test_a_killed_deployment_deploys_whole_or_not_at_all(monkeypatch, life):
    life.init()
    survives_a_kill_after_every_write(
        monkeypatch,
        life,
        act=lambda name, k: life.update(f"{k}", deploy=True),
        name_of=lambda k: "fraud",
        before_of=life.live,
        after_of=lambda name, k: (len(life.store.versions(name)) + 1, f"m-{k}", f"s-{k}"),
    )


@pytest.mark.slow
def test_a_killed_refusal_moves_the_state_whole_or_not_at_all(monkeypatch, life):
    life.init()
    survives_a_kill_after_every_write(
        monkeypatch,
        life,
        act=lambda name, k: life.update(f"{k}", deploy=False),
        name_of=lambda k: "fraud",
        before_of=life.live,
        after_of=lambda name, k: (1, "m1", f"s-{k}"),
    )


def test_a_killed_rollback_goes_back_whole_or_not_at_all(monkeypatch, life):
    life.init()
    life.update("two", deploy=True)
    outcomes = []
    for writes in range(9):  # some of them settle what the kill before left behind
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            with contextlib.suppress(Killed):
                life.rollback(1)
        back = life.live() == (1, "m1", "s1")
        assert back or life.live() == (2, "m-two", "s-two")
        assert back == (life.store.history("fraud")[0].version_after == 1)
        outcomes.append(back)
        if back:
            assert life.store.history("fraud")[0].status == "done"
            with life.store.event("fraud", "promote") as event:
                event.conclude(decision="promote", deploy=2, info={})
    assert set(outcomes) == {True, False}


def test_an_error_from_mlflow_after_the_alias_moved_is_recorded_as_done(monkeypatch, life, holding):
    life.init()
    call = Client.__getattr__

    def failing(self, method):
        inner = call(self, method)

        def ask(*args, **options):
            result = inner(*args, **options)
            if method == "set_registered_model_alias":
                raise RegistryError("The connection broke after the write.")
            return result

        return ask

    with monkeypatch.context() as patch:
        patch.setattr(Client, "__getattr__", failing)
        with pytest.raises(RegistryError, match="connection broke"):
            life.update("two", deploy=True)
    assert life.live() == (2, "m-two", "s-two")
    assert [r.status for r in life.store.history("fraud")] == ["done", "done"]


def test_a_running_event_is_shown_as_running(life, store, root):
    life.init()
    with store.event("fraud", "update") as event:
        record = Store(root).history("fraud")[0]
        assert (record.status, record.version_after, record.decision) == ("running", 1, "")
        event.conclude(decision="reject", deploy=None, info={})
    assert store.history("fraud")[0].status == "done"


def test_what_another_machine_may_still_be_doing_is_left_alone_for_a_day(monkeypatch, life):
    life.init()
    with monkeypatch.context() as patch:
        patch.setattr(_lock, "owner", lambda place: "another machine")
        kill_after(patch, 3)
        with pytest.raises(Killed):
            life.update("two", deploy=True)
    assert life.store.history("fraud")[0].status == "running"
    life.update("three", deploy=True)
    assert [r.status for r in life.store.history("fraud")] == ["done", "running", "done"]
    monkeypatch.setattr(_settle, "_A_DAY", -1)
    assert [r.status for r in life.store.history("fraud")] == ["done", "interrupted", "done"]
    life.update("four", deploy=True)
    assert life.store.record("fraud", "2").error == "interrupted"


def test_a_history_whose_version_was_deleted_can_still_be_read(monkeypatch, life):
    from mlflow import MlflowClient

    life.init()
    with monkeypatch.context() as patch:
        kill_after(patch, 7)
        with pytest.raises(Killed):
            life.update("two", deploy=False)
    client = MlflowClient(life.store.url, life.store.url)
    client.delete_model_version("fraud", "1")
    assert [r.status for r in life.store.history("fraud")] == ["interrupted", "done"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_sigkill_at_random_moments_never_breaks_the_store(life, root, tmp_path):
    life.init()
    dice, done = random.Random(7), 0
    for round in range(6):
        # A new path to the same store each time, so that no open database is shared across the fork.
        theirs, ours = tmp_path / f"theirs-{round}", tmp_path / f"ours-{round}"
        theirs.symlink_to(root)
        ours.symlink_to(root)

        def updates(store=theirs, round=round):
            there = life.at(Store(store))
            for k in range(50):
                there.update(f"{round}-{k}", deploy=k % 2 == 0)

        child = forked(updates)
        time.sleep(0.3 + dice.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store = Store(ours)
        records = store.history("fraud")
        assert {r.status for r in records} <= {"done", "interrupted"}
        live = life.at(store).live()
        deployed = next(r for r in records if r.deployed is not None)
        assert live[0] == deployed.version_after
        latest = next(r for r in records if r.status == "done" and r.kind != "rollback")
        if latest.kind == "update":
            assert live[2] == f"s-{latest.info['text']}"
        life.at(store).update(f"after-{round}", deploy=True)
        assert life.at(store).live()[1:] == (f"m-after-{round}", f"s-after-{round}")
        done += len(records)
    numbers = [r.number for r in store.history("fraud")]
    assert numbers == list(range(len(numbers), 0, -1))
    assert done > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_processes_updating_one_name_take_turns(life, root, tmp_path):
    life.init()

    def updates(which):
        link = tmp_path / f"link-{which}"
        link.symlink_to(root)
        there = life.at(Store(link))
        for k in range(4):
            there.update(f"{which}-{k}", deploy=True)

    children = [forked(lambda which=which: updates(which)) for which in "ab"]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    store = Store(root)
    records = store.history("fraud")
    assert [r.number for r in records] == list(range(9, 0, -1)) and {r.status for r in records} == {"done"}
    assert [(r.version_before, r.version_after) for r in reversed(records[:-1])] == [(k, k + 1) for k in range(1, 9)]
    assert life.live()[1] == f"m-{records[0].info['text']}"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_two_processes_on_a_fresh_store_both_work(life, tmp_path):
    fresh = tmp_path / "fresh"
    children = [forked(lambda name=name: life.at(Store(fresh)).init(name)) for name in ("a", "b", "c")]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert Store(fresh).names() == ["a", "b", "c"]
    assert sorted(p.name for p in fresh.iterdir()) == ["artifacts", "locks", "mlflow.db"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_a_process_killed_while_it_makes_the_store_leaves_nothing_in_the_way(life, tmp_path):
    fresh = tmp_path / "fresh"
    child = forked(lambda: life.at(Store(fresh)).init("a"))
    while not list(fresh.glob(".making-*/mlflow.db")):
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert Store(fresh).names() == []
    life.at(Store(fresh)).init("b")
    assert Store(fresh).names() == ["b"]
    assert sorted(p.name for p in fresh.iterdir()) == ["artifacts", "locks", "mlflow.db"]
    shutil.rmtree(fresh)
