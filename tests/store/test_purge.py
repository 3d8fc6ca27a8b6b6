"""Files that are deleted for good: who asks for them is told so, and the rest of the store goes on."""

from __future__ import annotations

import pytest

from incumbent.errors import RegistryError


@pytest.fixture
def purged(life):
    """Version 1 and the files of its event are gone; version 2 is live."""
    life.init()
    life.update("two", deploy=True)
    with life.store.event("fraud", "purge", why="request 17", user="ann") as event:
        event.keep_state(life.holding("s-three"))
        event.give_up([1])
        assert life.store.erase(event, "1")
        assert not life.store.erase(event, "1")
        event.conclude(decision="purged", deploy=None, info={})
    return life


def test_a_purged_version_cannot_be_opened_and_says_why(purged):
    for ask in (purged.store.folder, purged.store.state, purged.store.check_there):
        with pytest.raises(RegistryError, match=r"Version 1 .* is gone for good: .* in purge 3 \(by ann: request 17\)"):
            ask("fraud", 1)
    with pytest.raises(RegistryError, match="'state' of event 1 .* deleted for good in purge 3"):
        purged.store.artifact("fraud", "1", "state")


def test_what_is_live_stays_with_the_state_that_the_purge_kept(purged):
    assert purged.live() == (2, "m-two", "s-three")
    assert [v.status for v in purged.store.versions("fraud")] == ["purged", "live"]
    assert [r.status for r in purged.store.history("fraud")] == ["done"] * 3
    purged.update("four", deploy=True)
    assert purged.live() == (3, "m-four", "s-four")


def test_files_without_rows_stay(life):
    life.init()
    with life.store.event("fraud", "gate", why="stricter") as event:
        event.keep_gate("alpha = 0.01\n")
        event.file("{}", "numbers.json")
        event.file("<html>", "report.html")
        event.conclude(decision="set", deploy=None, info={"text": "x" * 6000})
    with life.store.event("fraud", "purge") as event:
        assert life.store.erase(event, "2", keep=["numbers.json"])
        event.conclude(decision="purged", deploy=None, info={})
    assert life.store.gate("fraud").read_text() == "alpha = 0.01\n"
    assert life.store.artifact("fraud", "2", "numbers.json").read_text() == "{}"
    assert len(life.store.record("fraud", "2").info["text"]) == 6000
    with pytest.raises(RegistryError, match=r"'report.html' of event 2 .* is gone"):
        life.store.artifact("fraud", "2", "report.html")
