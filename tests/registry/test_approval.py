"""A challenger that passed waits until a person approves or refuses it, and the record says who, when and why."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from incumbent import Gate, Limit
from incumbent.data import row_keys
from incumbent.errors import RegistryError, UsageError
from rows import NAMES, NEW, fitted, points

NEVER = Gate(tolerance=None, limits=(Limit("accuracy", min=2.0),))


def passed(registry, name, seed=4, **options):
    outcome = registry.update(
        name, points(600, seed=seed), strategies="retrain", approve=True, seed=seed, user="ann", **options
    )
    assert outcome.decision == "promote"
    return outcome


def failed(registry, name, seed=70):
    outcome = registry.update(name, points(300, seed=seed), strategies="Window(100)", gate=NEVER, seed=seed)
    assert outcome.decision == "reject"
    return outcome


def keys(batch):
    return set() if batch is None else set(row_keys(batch).tolist())


# ----------------------------------------------------------------------------------------- waiting


def test_a_challenger_that_passes_waits_and_the_champion_stays_live(registry, brought_in):
    name = brought_in()
    live = registry.load(name)
    dry = registry.update(name, points(600, seed=4), strategies="retrain", approve=True, dry_run=True)
    assert (dry.decision, dry.candidate, registry.store.candidate(name)) == ("promote", 0, None)
    outcome = passed(registry, name)
    assert (outcome.version_before, outcome.version_after, outcome.candidate) == (1, 1, 2)
    assert registry.champion(name) == 1
    rows = points(50, seed=9)[NAMES]
    assert np.array_equal(outcome.model.predict(rows), live.predict(rows))
    assert np.array_equal(outcome.winner.predict(rows).label, live.predict(rows))
    told = outcome.to_dict()
    assert (told["decision"], told["candidate"], told["version_after"]) == ("promote", 2, 1)
    assert str(outcome).startswith("Waiting: ")
    assert f"incumbent approve --name {name} --why TEXT" in " ".join(str(outcome).split())
    assert next(m for m in registry.models() if m["name"] == name)["candidate"] == 2
    assert registry.show(name)["candidate"] == 2 and registry.show(name, 2)["status"] == "candidate"
    event = registry.history(name)[0]
    assert (event["decision"], event["candidate"], event["waits"]) == ("candidate", 2, True)
    assert (event["version_before"], event["version_after"]) == (1, 1)


def test_the_rows_of_a_waiting_update_are_remembered_and_its_uses_are_spent(registry, brought_in):
    name = brought_in(anchor=points(200, seed=11))
    before = registry.state(name)
    passed(registry, name)
    state = registry.state(name)
    assert len(state.memory) > len(before.memory) and state.anchor.next_use == before.anchor.next_use + 1
    assert state.standing == (2,)


def test_a_challenger_that_fails_leaves_the_candidate_and_one_that_passes_replaces_it(registry, brought_in):
    name = brought_in()
    passed(registry, name)
    failed(registry, name)
    assert registry.store.candidate(name) == 2
    assert passed(registry, name, seed=5).candidate == 4
    assert registry.store.candidate(name) == 4
    assert [e["waits"] for e in registry.history(name)] == [True, False, False, False]
    assert registry.approve(name, why="the better one") == 4


def test_a_candidate_is_scored_on_the_next_batch_and_may_pass_again(registry, brought_in):
    name = brought_in()
    passed(registry, name)
    outcome = registry.update(name, points(400, seed=6), strategies="auto", gate=NEVER, seed=6)
    assert "standing v2" in outcome.prequential


# -------------------------------------------------------------------------------- approving, refusing


def test_an_approval_makes_the_candidate_live_with_its_evidence_on_record(registry, brought_in):
    name = brought_in()
    outcome = passed(registry, name)
    made = registry.version(name, 2).model
    assert registry.approve(name, why="looked at the flips", user="bob") == 2
    assert registry.champion(name) == 2 and registry.store.candidate(name) is None
    rows = points(50, seed=9)[NAMES]
    assert np.array_equal(registry.load(name).predict(rows), made.predict(rows).label)
    event = registry.history(name)[0]
    assert (event["kind"], event["decision"], event["user"], event["why"]) == (
        "approve", "approved", "bob", "looked at the flips",
    )  # fmt: skip
    assert (event["version_before"], event["version_after"], event["passed_in"]) == (1, 2, 2)
    assert event["gain"] == outcome.comparisons["new"].interval.value and event["strategy"] == "Retrain()"
    came = registry.show(name)["came_live"]
    assert (came["how"], came["by"], came["why"]) == ("approved", "bob", "looked at the flips")
    assert registry.rollback(name, why="not so good") == 1


def test_after_an_approval_all_rows_seen_meanwhile_are_known(registry, brought_in):
    name = brought_in(anchor=points(200, seed=11))
    passed(registry, name)
    failed(registry, name)
    waiting = registry.state(name)
    registry.approve(name, why="good")
    state = registry.state(name)
    assert keys(state.memory.rows) == keys(waiting.memory.rows) and keys(state.anchor.rows) == keys(waiting.anchor.rows)
    assert np.array_equal(state.anchor.use_counts, waiting.anchor.use_counts)
    assert state.standing == (3,)
    assert registry.update(name, points(300, seed=8), strategies="retrain", gate=NEVER).decision == "reject"


def test_what_is_remembered_of_weights_is_that_of_the_version_that_is_live(registry, brought_in):
    live = fitted(SGDClassifier(loss="log_loss", random_state=0), points(200, seed=3)[:12])
    name = brought_in(live)
    outcome = registry.update(
        name, points(600, seed=4), strategies="chain(Incremental('adam', epochs=5), EWC(0.01))", approve=True
    )
    assert outcome.candidate == 2
    assert registry.state(name).memory.importance == {}
    registry.approve(name, why="good")
    importance = registry.state(name).memory.importance
    assert set(importance) == set(registry.version(name).model.weights())


def test_a_refusal_needs_a_reason_ends_the_wait_and_gives_no_alpha_back(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, error_control="fdr"))
    passed(registry, name)
    spent = registry.state(name).control
    for act in (registry.approve, registry.refuse):
        with pytest.raises(UsageError, match="is recorded with its reason"):
            act(name, why=" ")
    with pytest.raises(RegistryError, match="was never live"):
        registry.rollback(name, to=2, why="x")
    assert registry.store.candidate(name) == 2
    assert registry.refuse(name, why="the flips hit our best customers", user="cleo") == 2
    assert registry.champion(name) == 1 and registry.store.candidate(name) is None
    assert registry.state(name).standing == ()
    event = registry.history(name)[0]
    assert (event["kind"], event["decision"], event["user"], event["why"]) == (
        "refuse", "refused", "cleo", "the flips hit our best customers",
    )  # fmt: skip
    assert registry.show(name, 2)["status"] == "challenger"
    assert registry.state(name).control == spent != {}
    with pytest.raises(RegistryError, match=r"version 2 was refused in event 3 \(refused by cleo: the flips"):
        registry.approve(name, why="yes")


# ------------------------------------------------------------------------------- what cannot be approved


def test_if_nothing_ever_waited_the_error_says_how_to_let_one_wait(registry, brought_in):
    name = brought_in()
    for act in (registry.approve, registry.refuse):
        with pytest.raises(RegistryError, match=f"No version of '{name}' waits.*--name {name} --approve"):
            act(name, why="x")
    assert len(registry.history(name)) == 1


def test_evidence_against_another_champion_approves_nothing(registry, brought_in):
    name = brought_in()
    first = registry.update(name, points(600, seed=4), strategies="retrain")
    assert (first.candidate, registry.store.candidate(name), registry.champion(name)) == (0, None, 2)
    passed_again = registry.update(
        name, points(900, NEW, seed=5), strategies="Window(900)", gate=Gate(tolerance=None), approve=True
    )
    assert passed_again.candidate == 3
    registry.rollback(name, why="wrong labels", user="dan")
    with pytest.raises(
        RegistryError,
        match=rf"Version 3 of '{name}' no longer waits: it passed the gate against version 2, and event 4 "
        rf"\(rollback by dan: wrong labels\) has made version 1 live since.*"
        rf"incumbent promote --name {name} --version 3",
    ):
        registry.approve(name, why="good")
    assert registry.champion(name) == 1
    assert registry.promote(name, 3, why="all the same", user="dan") == 3
    assert registry.show(name)["came_live"]["how"] == "override"


# ---------------------------------------------------------------------------------------- the gate


def test_a_gate_is_set_on_record_and_holds_for_whichever_version_is_live(registry, brought_in):
    name = brought_in()
    passed(registry, name)
    strict = Gate(tolerance=None, min_gain=0.9)
    assert registry.set_gate(name, strict, why="audit", user="ann") == strict
    assert registry.version(name).gate == strict and registry.version(name, 2).gate == strict
    registry.approve(name, why="good")
    assert registry.version(name).gate == strict
    assert registry.update(name, points(300, seed=8), strategies="retrain").decision != "promote"
    event = next(e for e in registry.history(name) if e["kind"] == "gate")
    assert (event["decision"], event["user"], event["why"], event["gate"]) == ("set", "ann", "audit", repr(strict))
    assert event["version_before"] == event["version_after"] == 1


def test_a_gate_that_is_set_does_not_bring_back_a_budget_that_a_rollback_keeps_spent(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, error_control="fwer"))
    registry.update(name, points(600, seed=4), strategies="retrain", gate=Gate(tolerance=None))
    spent = registry.state(name).control
    registry.rollback(name, why="x")
    registry.set_gate(name, Gate(tolerance=None, error_control="fwer", min_gain=0.001), why="y")
    assert registry.state(name).control == spent


def test_slices_of_a_gate_that_is_set_are_fixed_on_remembered_rows(registry, brought_in):
    from incumbent import Slice

    name = brought_in()
    kept = registry.set_gate(name, Gate(slices=(Slice("a"),)), why="audit")
    assert len(kept.slices) == 4 and all("a" in part.where for part in kept.slices)
    assert registry.version(name).gate == kept


def test_a_gate_that_cannot_be_set_changes_nothing(registry, brought_in):
    from incumbent import Slice

    name = brought_in()
    for gate, said in ((Gate(slices=(Slice("nowhere"),)), "nowhere"), (Gate(tolerance=None), "has this gate already")):
        with pytest.raises(UsageError, match=said):
            registry.set_gate(name, gate, why="x")
    with pytest.raises(UsageError, match="recorded with its reason"):
        registry.set_gate(name, Gate(alpha=0.1), why="")
    assert len(registry.history(name)) == 1


def test_a_gate_for_this_time_only_neither_stays_nor_renews_a_budget_and_is_on_record(registry, brought_in):
    own = Gate(tolerance=None, error_control="fwer")
    name, other = brought_in(gate=own), Gate(tolerance=None, min_gain=0.5)
    registry.update(name, points(600, seed=4), strategies="retrain", gate=other)
    assert registry.version(name).gate == own
    assert registry.history(name)[0]["gate"] == repr(other)
    control = registry.state(name).control
    assert control["control"] == "fwer"
    registry.update(name, points(600, seed=5), strategies="retrain")
    assert registry.history(name)[0]["gate"] == "" and registry.state(name).control != control


@pytest.mark.slow
def test_a_killed_change_of_the_gate_changes_it_whole_or_not_at_all(registry, brought_in, monkeypatch):
    from incumbent.store._client import Client

    class Killed(BaseException):
        """Stands for SIGKILL."""

    call = Client.__getattr__

    def act(name, writes):
        left = [writes]

        def guarded(self, method):
            inner = call(self, method)

            def ask(*args, **options):
                left[0] -= method.startswith(("create_", "set_", "log_", "delete_"))
                if left[0] < 0:
                    raise Killed
                return inner(*args, **options)

            return ask

        with monkeypatch.context() as patch:
            patch.setattr(Client, "__getattr__", guarded)
            try:
                registry.set_gate(name, Gate(alpha=0.2), why="x")
            except Killed:
                return False
            return True

    name = brought_in()
    old, seen = registry.version(name).gate, []
    for writes in range(20):
        ended = act(name, writes)
        now = registry.version(name).gate
        assert now in (old, Gate(alpha=0.2))
        newest = registry.history(name)[0]
        assert now == old or (newest["kind"], newest["status"]) == ("gate", "done")
        assert now != old or newest["status"] == "interrupted" or newest["kind"] == "init"
        seen.append(now != old)
        if ended or now != old:
            break
    assert seen[-1] and not seen[0]


def test_what_lines_have_shown_of_one_champion_is_not_held_against_the_next(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, source="prequential"))
    passed(registry, name)
    never = Gate(tolerance=None, source="prequential", limits=(Limit("accuracy", min=2.0),))
    assert registry.update(name, points(300, seed=70), strategies="retrain", gate=never).decision == "reject"
    assert registry.state(name).prequential.monitor is not None
    registry.approve(name, why="good")
    lines = registry.state(name).prequential
    assert lines.monitor is None and list(lines.models) == ["Retrain"]
