"""A version that waits for approval: one write makes it wait, one ends its wait, and a kill between leaves it whole."""

from __future__ import annotations

import itertools

import pytest
from mlflow import MlflowClient

from incumbent.errors import RegistryError, UsageError
from kills import Killed, kill_after


def wait(life, text, name="fraud"):
    """Add a version that holds m-TEXT and let it wait; what the champion knows from now on is s-TEXT."""
    with life.store.event(name, "update", why="new rows", user="bob") as event:
        version = event.add_version(life.holding(f"m-{text}"), {})
        event.keep_state(life.holding(f"s-{text}"))
        event.conclude(decision="candidate", deploy=None, candidate=version, info={"candidate": version})
    return version


def approve(life, text, name="fraud"):
    """Make the candidate live, with the state s-TEXT."""
    version = life.store.candidate(name)
    with life.store.event(name, "approve", why="seen and good", user="ann") as event:
        event.keep_state(life.holding(f"s-{text}"))
        event.conclude(decision="approved", deploy=version, info={})


def refuse(life, name="fraud"):
    with life.store.event(name, "refuse", why="not now", user="ann") as event:
        event.conclude(decision="refused", deploy=None, candidate=0, info={})


def view(life, name="fraud"):
    """What serves, with its files and its state, and what waits."""
    return life.live(name), life.store.candidate(name)


def aliases(life, name="fraud"):
    """What MLflow itself says."""
    model = MlflowClient(life.store.url, life.store.url).get_registered_model(name)
    return {alias: int(version) for alias, version in model.aliases.items()}


def test_a_version_that_waits_is_not_live_but_the_state_goes_on(life):
    life.init()
    assert wait(life, "two") == 2
    assert view(life) == ((1, "m1", "s-two"), 2)
    assert aliases(life) == {"champion": 1, "candidate": 2}
    assert [v.status for v in life.store.versions("fraud")] == ["live", "candidate"]
    record = life.store.history("fraud")[0]
    assert (record.decision, record.version_before, record.version_after, record.deployed) == ("candidate", 1, 1, None)


def test_an_approval_makes_it_live_with_the_state_it_is_given(life):
    life.init()
    wait(life, "two")
    life.update("three", deploy=False)
    assert view(life) == ((1, "m1", "s-three"), 2)
    approve(life, "approved")
    assert view(life) == ((2, "m-two", "s-approved"), None)
    assert aliases(life) == {"champion": 2}
    life.rollback(life.store.previous("fraud"))
    assert view(life) == ((1, "m1", "s-three"), None)


def test_a_refusal_ends_the_wait_and_changes_nothing_else(life):
    life.init()
    wait(life, "two")
    refuse(life)
    assert view(life) == ((1, "m1", "s-two"), None)
    assert aliases(life) == {"champion": 1}
    assert [v.status for v in life.store.versions("fraud")] == ["live", "challenger"]


def test_another_candidate_takes_the_place_of_the_one_that_waits(life):
    life.init()
    wait(life, "two")
    wait(life, "three")
    assert view(life) == ((1, "m1", "s-three"), 3)
    assert [v.status for v in life.store.versions("fraud")] == ["live", "challenger", "candidate"]


@pytest.mark.parametrize("how", ["update", "override of another", "override of itself"])
def test_whatever_makes_another_version_live_ends_the_wait(life, how):
    life.init()
    life.update("two", deploy=False)
    wait(life, "three")
    if how == "update":
        life.update("four", deploy=True)
    else:
        with life.store.event("fraud", "promote", why="I know better") as event:
            event.conclude(decision="override", deploy=2 if how == "override of another" else 3, info={})
    assert life.store.candidate("fraud") is None
    assert "candidate" not in aliases(life)


def test_a_champion_that_something_else_moved_ends_the_wait_too(life):
    life.init()
    life.update("two", deploy=False)
    wait(life, "three")
    MlflowClient(life.store.url, life.store.url).set_registered_model_alias("fraud", "champion", "2")
    assert life.store.candidate("fraud") is None
    life.update("four", deploy=False)
    assert "candidate" not in aliases(life)


def test_an_alias_of_somebody_else_is_left_alone(life):
    life.init()
    life.update("two", deploy=False)
    MlflowClient(life.store.url, life.store.url).set_registered_model_alias("fraud", "candidate", "2")
    assert life.store.candidate("fraud") is None
    life.update("three", deploy=True)
    assert aliases(life) == {"champion": 3, "candidate": 2}


def test_only_a_version_of_the_event_with_a_state_can_wait(life):
    life.init()
    life.update("two", deploy=False)
    with pytest.raises(UsageError, match="only leave a version waiting"), life.store.event("fraud", "update") as event:
        event.keep_state(life.holding("s"))
        event.conclude(decision="candidate", deploy=None, candidate=2, info={})
    assert life.store.candidate("fraud") is None


def test_a_name_that_is_not_there_has_no_candidate_to_ask_for(life):
    life.init()
    with pytest.raises(RegistryError, match="no model 'frod'"):
        life.store.candidate("frod")


def survives(monkeypatch, life, act, prepare, after):
    """Kill `act` after each of its writes in turn; before and after it the view is whole, and the next event works."""
    outcomes = []
    for writes in itertools.count():
        name = f"model-{writes}"
        prepare(name)
        before, number = view(life, name), len(life.store.history(name))
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            try:
                act(name)
                ended = True
            except Killed:
                ended = False
        seen, events = view(life, name), life.store.history(name)
        assert seen in (before, after), writes
        if len(events) > number:
            assert events[0].status == ("done" if seen == after else "interrupted"), writes
        outcomes.append(seen == after)
        if ended:
            break
        with life.store.event(name, "promote") as event:  # it follows what the killed process did not
            assert view(life, name) == seen
            event.conclude(decision="note", deploy=None, info={})
        assert view(life, name) == seen, writes
        assert life.store.history(name)[1:] == events
        live, waiting = seen
        assert aliases(life, name) == {"champion": live[0]} | ({} if waiting is None else {"candidate": waiting})
    assert outcomes == sorted(outcomes) and not outcomes[0] and outcomes[-1]  # one step, at one write
    assert outcomes.count(True) > 1  # at least one kill came between the write that decides and the end


@pytest.mark.slow
def test_a_killed_update_leaves_a_candidate_whole_or_not_at_all(monkeypatch, life):
    survives(
        monkeypatch,
        life,
        act=lambda name: wait(life, "two", name),
        prepare=life.init,
        after=((1, "m1", "s-two"), 2),
    )


@pytest.mark.slow
def test_a_killed_replacement_of_a_candidate_is_whole_or_not_at_all(monkeypatch, life):
    survives(
        monkeypatch,
        life,
        act=lambda name: wait(life, "three", name),
        prepare=lambda name: (life.init(name), wait(life, "two", name)),
        after=((1, "m1", "s-three"), 3),
    )


@pytest.mark.slow
def test_a_killed_approval_approves_whole_or_not_at_all(monkeypatch, life):
    survives(
        monkeypatch,
        life,
        act=lambda name: approve(life, "approved", name),
        prepare=lambda name: (life.init(name), wait(life, "two", name)),
        after=((2, "m-two", "s-approved"), None),
    )


@pytest.mark.slow
def test_a_killed_refusal_refuses_whole_or_not_at_all(monkeypatch, life):
    survives(
        monkeypatch,
        life,
        act=lambda name: refuse(life, name),
        prepare=lambda name: (life.init(name), wait(life, "two", name)),
        after=((1, "m1", "s-two"), None),
    )
