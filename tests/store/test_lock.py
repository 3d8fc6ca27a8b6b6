from __future__ import annotations

import os
import time

import pytest

from incumbent.errors import LockError, RegistryError
from incumbent.store import Store


def test_a_second_change_waits_and_then_names_who_holds_the_lock(life, store, root):
    life.init()
    with store.event("fraud", "update", user="ann") as event:
        start = time.monotonic()
        with (
            pytest.raises(LockError, match=rf"process {os.getpid()} of ann on .* \(update, since 20.*waited 0.3 s"),
            Store(root).event("fraud", "rollback", timeout=0.3),
        ):
            pass
        assert 0.3 <= time.monotonic() - start < 5
        event.conclude(decision="reject", deploy=None, info={})
    assert len(store.history("fraud")) == 2


def test_another_name_is_not_held_up(life, store, root):
    life.init("a")
    life.init("b")
    with store.event("a", "update") as event:
        life.at(Store(root)).update("two", deploy=True, name="b")
        event.conclude(decision="reject", deploy=None, info={})
    assert store.champion("b") == 2


def test_a_lock_is_free_again_after_an_error(life, store, root):
    life.init()
    with pytest.raises(ZeroDivisionError), store.event("fraud", "update"):
        raise ZeroDivisionError("division by zero")
    life.at(Store(root)).update("two", deploy=True)
    assert not list((root / "locks").glob("*.json"))


def test_an_event_inside_an_event_of_the_same_name_is_refused(life, store):
    life.init()
    with pytest.raises(LockError), store.event("fraud", "update"), store.event("fraud", "update", timeout=0):
        pass


def test_a_lock_without_its_note_is_still_a_lock(life, store, root):
    life.init()
    with store.event("fraud", "update") as event:
        (root / "locks" / "fraud.json").write_text("{")
        with (
            pytest.raises(LockError, match="being changed by another process"),
            Store(root).event("fraud", "update", timeout=0),
        ):
            pass
        event.conclude(decision="reject", deploy=None, info={})


def test_asking_for_a_name_that_is_not_there_leaves_no_lock(store, root):
    with pytest.raises(RegistryError), store.event("nobody", "update"):
        pass
    assert [p.name for p in (root / "locks").iterdir()] == ["_store.lock"]
