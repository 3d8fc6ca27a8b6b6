from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from incumbent.errors import LockError, RegistryError, UsageError
from incumbent.store import Store
from incumbent.store._history import run_of


def test_a_version_and_everything_recorded_with_it_come_back(store, life, holding, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>fine</p>")
    before = datetime.now(UTC) - timedelta(seconds=1)
    with store.event("fraud", "init", why="first", user="ann") as event:
        event.params({"strategy": "Retrain()", "long": "x" * 10_000})
        event.metrics({"accuracy": 0.9, "recall of <50K": 0.5, "absent": math.nan, "unbounded": math.inf})
        event.tags({"data": "abc"})
        event.file(page, "report.html")
        event.file(json.dumps({"a": 1}), "outcome.json")
        event.file(b"\x00\x01", "parts/raw.bin")
        event.folder(holding("plots"), "plots")
        version = event.add_version(holding("m1"), {"schema": "columns"})
        event.keep_state(holding("s1"))
        event.conclude(decision="init", deploy=version, info={"rows": np.int64(7), "score": np.float64(0.5)})

    assert store.names() == ["fraud"]
    assert life.live() == (1, "m1", "s1")
    [record] = store.history("fraud")
    assert (record.number, record.kind, record.user, record.why) == (1, "init", "ann", "first")
    assert (record.status, record.decision, record.error) == ("done", "init", "")
    assert (record.version_before, record.version_after) == (None, 1)
    assert record.info == {"rows": 7, "score": 0.5}
    assert before < record.time <= datetime.now(UTC) and record.seconds > 0
    assert (
        store.record("fraud", record.id) == store.record("fraud", "1") == store.record("fraud", record.id[:8]) == record
    )
    assert store.artifact("fraud", record.id, "report.html").read_text() == "<p>fine</p>"
    assert store.artifact("fraud", "1", "outcome.json").read_text() == '{"a": 1}'
    assert store.artifact("fraud", "1", "parts/raw.bin").read_bytes() == b"\x00\x01"
    assert life.content(store.artifact("fraud", "1", "plots")) == "plots"
    [info] = store.versions("fraud")
    assert (info.version, info.status, info.event) == (1, "live", record.id)
    assert info.info == {"schema": "columns"}


def test_mlflow_itself_sees_runs_versions_and_the_alias(store, life):
    from mlflow import MlflowClient

    life.init()
    with store.event("fraud", "update", why="new rows", user="bob") as event:
        event.params({"strategy": "Retrain()"})
        event.metrics({"recall of <50K": 0.5, "absent": math.nan})
        event.conclude(decision="reject", deploy=None, info={})
    client = MlflowClient(store.url, store.url)
    experiment = client.get_experiment_by_name("incumbent/fraud")
    newest, oldest = client.search_runs([experiment.experiment_id])
    assert (newest.info.run_name, oldest.info.run_name) == ("update 2", "init 1")
    assert newest.info.status == oldest.info.status == "FINISHED"
    assert newest.data.params == {"strategy": "Retrain()"} and newest.data.metrics == {"recall of _50K": 0.5}
    assert newest.data.tags["mlflow.user"] == "bob" and newest.data.tags["mlflow.note.content"] == "new rows"
    assert newest.data.tags["package.numpy"] == np.__version__ and newest.data.tags["decision"] == "reject"
    champion = client.get_model_version_by_alias("fraud", "champion")
    assert (int(champion.version), champion.run_id) == (1, oldest.info.run_id)


def test_more_entries_than_one_batch_may_hold_are_all_kept(store, life):
    from mlflow import MlflowClient

    life.init()
    with store.event("fraud", "update") as event:
        event.params({f"p{i}": i for i in range(230)})
        event.metrics({f"m{i}": i for i in range(230)})
        event.conclude(decision="reject", deploy=None, info={})
    data = MlflowClient(store.url, store.url).get_run(event.id).data
    assert len(data.params) == 230 and data.metrics["m229"] == 229


def test_info_too_long_for_a_tag_is_kept_whole(store, life):
    life.init()
    info = {"evidence": list(range(5000))}
    with store.event("fraud", "update") as event:
        event.conclude(decision="reject", deploy=None, info=info)
    assert store.history("fraud")[0].info == info


def test_rollbacks_in_a_row_go_back_one_deployment_each_and_bring_the_state_back(store, life):
    life.init()
    life.update("two", deploy=True)
    life.update("no", deploy=False)
    life.update("four", deploy=True)
    assert life.live() == (4, "m-four", "s-four")
    assert store.previous("fraud") == 2
    life.rollback(2)
    assert life.live() == (2, "m-two", "s-no")  # the refused update's state belongs to the version that was live
    assert store.previous("fraud") == 1
    life.rollback(1)
    assert life.live() == (1, "m1", "s1")
    with pytest.raises(RegistryError, match="Nothing of 'fraud' was live before version 1"):
        store.previous("fraud")
    life.update("five", deploy=True)
    assert store.previous("fraud") == 1  # and not 4, which was left behind
    assert [(r.kind, r.version_before, r.version_after) for r in store.history("fraud")] == [
        ("update", 1, 5),
        ("rollback", 2, 1),
        ("rollback", 4, 2),
        ("update", 2, 4),
        ("update", 2, 2),
        ("update", 1, 2),
        ("init", None, 1),
    ]
    assert [v.status for v in store.versions("fraud")] == ["was live", "was live", "challenger", "was live", "live"]


def test_going_back_over_several_deployments_forgets_those_between(store, life):
    life.init()
    for text in ("two", "three"):
        life.update(text, deploy=True)
    life.rollback(1)
    life.update("four", deploy=True)
    assert store.previous("fraud") == 1


def test_going_back_to_a_version_that_was_never_live_keeps_the_way_back(store, life):
    life.init()
    life.update("two", deploy=True)
    life.update("three", deploy=False)
    life.rollback(3)
    assert store.previous("fraud") == 1


def test_a_refused_update_moves_the_state_and_not_the_champion(store, life):
    life.init()
    life.update("two", deploy=False)
    assert life.live() == (1, "m1", "s-two")
    assert store.history("fraud")[0].decision == "reject"


def test_a_refused_challenger_that_is_promoted_later_has_the_state_it_was_made_with(store, life):
    life.init()
    life.update("two", deploy=False)
    life.update("three", deploy=False)
    with store.event("fraud", "promote", why="I know better") as event:
        event.conclude(decision="promote", deploy=2, info={})
    assert life.live() == (2, "m-two", "s-two")
    assert store.previous("fraud") == 1


def test_an_event_is_found_by_the_beginning_of_an_id_that_is_all_digits(monkeypatch):
    run = SimpleNamespace(info=SimpleNamespace(run_id="00538756" + 24 * "a"), data=SimpleNamespace(tags={}))
    monkeypatch.setattr("incumbent.store._history._runs", lambda client, name, asked="": [] if asked else [run])
    assert run_of(None, "fraud", "00538756") is run
    with pytest.raises(RegistryError, match="has no event '538756'"):
        run_of(None, "fraud", "538756")


def test_an_event_that_keeps_no_state_leaves_the_state_alone(store, life):
    life.init()
    with store.event("fraud", "update") as event:
        event.conclude(decision="inconclusive", deploy=None, info={})
    assert life.live() == (1, "m1", "s1")


def test_a_version_without_a_state_has_none(store, holding):
    with store.event("bare", "init") as event:
        event.conclude(decision="init", deploy=event.add_version(holding("m"), {}), info={})
    assert store.state("bare") is None


def test_several_versions_of_one_event_keep_their_own_files(store, life, holding):
    life.init()
    with store.event("fraud", "update") as event:
        first, second = (event.add_version(holding(text), {}) for text in ("a", "b"))
        event.conclude(decision="promote", deploy=second, info={})
    assert [life.content(store.folder("fraud", v)) for v in (first, second)] == ["a", "b"]
    assert [v.status for v in store.versions("fraud")] == ["was live", "challenger", "live"]


def test_an_error_inside_an_event_changes_nothing_and_is_recorded(store, life, holding):
    life.init()
    with pytest.raises(ZeroDivisionError), store.event("fraud", "update") as event:
        event.add_version(holding("m2"), {})
        event.keep_state(holding("s2"))
        raise ZeroDivisionError("division by zero")
    assert life.live() == (1, "m1", "s1")
    record = store.history("fraud")[0]
    assert (record.status, record.decision, record.error) == ("failed", "", "ZeroDivisionError: division by zero")
    assert (record.version_before, record.version_after) == (1, 1)
    assert [v.status for v in store.versions("fraud")] == ["live", "interrupted"]


def test_an_interrupt_inside_an_event_changes_nothing_and_is_recorded(store, life, holding):
    life.init()
    with pytest.raises(KeyboardInterrupt), store.event("fraud", "update") as event:
        event.keep_state(holding("s2"))
        raise KeyboardInterrupt
    assert life.live() == (1, "m1", "s1")
    assert (store.history("fraud")[0].status, store.history("fraud")[0].error) == ("interrupted", "interrupted")
    life.update("two", deploy=True)
    assert life.live() == (2, "m-two", "s-two")


def test_an_error_after_the_conclusion_does_not_undo_it(store, life, holding):
    life.init()
    with pytest.raises(ZeroDivisionError), store.event("fraud", "update") as event:
        event.conclude(decision="promote", deploy=event.add_version(holding("m2"), {}), info={})
        raise ZeroDivisionError("division by zero")
    assert store.champion("fraud") == 2 and store.history("fraud")[0].status == "done"


def test_an_event_without_a_conclusion_says_so(store, life):
    life.init()
    with pytest.raises(UsageError, match="without a conclusion"), store.event("fraud", "update"):
        pass
    assert store.history("fraud")[0].status == "failed"


def test_what_makes_no_sense_in_an_event_is_refused(store, life, holding):
    life.init()

    def attempt(act, kind="update"):
        with store.event("fraud", kind) as event:
            act(event)

    refused = {
        "already": lambda e: e.conclude(decision="x", deploy=1, info={}),
        "no version 9; it has 1": lambda e: e.conclude(decision="x", deploy=9, info={}),
        "is reserved for the store": lambda e: e.tags({"incumbent.kind": "x"}),
        "is not a file": lambda e: e.file(holding("m1"), "a.txt"),
        "is not a folder": lambda e: e.folder(holding("m1") / "content.txt", "a"),
        "no name for a file": lambda e: e.file("text", "../up.txt"),
        "is concluded": lambda e: [e.conclude(decision="x", deploy=None, info={}) for _ in range(2)],
    }
    for message, act in refused.items():
        with pytest.raises((RegistryError, UsageError), match=message):
            attempt(act)
    with pytest.raises(UsageError, match="init, update, .*; 'deploy' was given"):
        attempt(lambda e: None, "deploy")
    with pytest.raises(UsageError, match="must deploy"), store.event("new", "init") as event:
        event.conclude(decision="x", deploy=None, info={})
    assert life.live() == (1, "m1", "s1")


def test_a_version_deployed_again_cannot_be_given_another_state(store, life, holding):
    life.init()
    life.update("two", deploy=True)
    with pytest.raises(UsageError, match="keeps its own state"), store.event("fraud", "rollback") as event:
        event.keep_state(holding("s9"))
        event.conclude(decision="rollback", deploy=1, info={})
    assert life.live() == (2, "m-two", "s-two")


def test_an_unknown_name_is_answered_with_the_nearest(store, life):
    life.init()
    for ask in (store.champion, store.history, store.versions, store.previous, store.state):
        with pytest.raises(RegistryError, match="did you mean 'fraud'"):
            ask("frod")
    with pytest.raises(RegistryError, match="no model 'zzz' in .*; it has: fraud"), store.event("zzz", "update"):
        pass
    assert store.names() == ["fraud"]


def test_an_unknown_version_event_or_file_is_answered_with_what_there_is(store, life):
    life.init()
    with pytest.raises(RegistryError, match="no version 5; it has 1"):
        store.folder("fraud", 5)
    for id in ("7", "abc", "0" * 32):
        with pytest.raises(RegistryError, match="numbered 1 to 1"):
            store.record("fraud", id)
    with pytest.raises(RegistryError, match="no 'report.html'; it has model, state"):
        store.artifact("fraud", "1", "report.html")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "../a", ".a", "-a", "ü", "a'b", "a" * 101, None, 3])
def test_a_name_that_cannot_be_one_is_refused(store, name):
    with pytest.raises(RegistryError, match="is no name"):
        store.champion(name)
    with pytest.raises(RegistryError, match="is no name"), store.event(name, "init"):
        pass


@pytest.mark.parametrize("name", ["a", "7", "fraud.v2_EU-west", "a" * 100])
def test_a_name_may_be_letters_digits_dot_underscore_dash(store, life, name):
    life.init(name)
    assert store.names() == [name] and life.live(name) == (1, "m1", "s1")


def test_a_name_cannot_be_made_twice(store, life):
    life.init()
    with pytest.raises(RegistryError, match="already \\(version 1 is live\\)"):
        life.init()
    assert len(store.history("fraud")) == 1


def test_names_do_not_mix(store, life):
    life.init("a")
    life.init("b", state="s-b")
    life.update("two", deploy=True, name="a")
    assert life.live("a") == (2, "m-two", "s-two") and life.live("b") == (1, "m1", "s-b")
    assert store.names() == ["a", "b"] and len(store.history("b")) == 1


def test_models_of_others_in_the_same_mlflow_are_left_alone_until_taken_over(store, life, holding, tmp_path):
    from mlflow import MlflowClient

    life.init()
    client = MlflowClient(store.url, store.url)
    client.create_registered_model("theirs")
    client.create_model_version("theirs", str(holding("their-model")))
    client.set_registered_model_alias("theirs", "champion", "1")

    assert store.names() == ["fraud"]
    with pytest.raises(RegistryError, match="incumbent init models:/theirs@champion --name theirs"):
        store.champion("theirs")
    assert life.content(store.fetch("models:/theirs@champion", tmp_path)) == "their-model"
    assert life.content(store.fetch("models:/theirs/1", tmp_path)) == "their-model"
    run = store.history("fraud")[0].id
    assert life.content(store.fetch(f"runs:/{run}/model", tmp_path)) == "m1"
    for uri, message in {
        "models:/theirs@best": "aliases are: champion",
        "models:/nobody@champion": "aliases are: none",
        "models:/theirs/9": "no version 9; it has 1",
        "models:/theirs": "names no model",
    }.items():
        with pytest.raises(RegistryError, match=message):
            store.fetch(uri, tmp_path)

    assert life.init("theirs") == 2
    assert life.live("theirs") == (2, "m1", "s1") and store.names() == ["fraud", "theirs"]
    with pytest.raises(RegistryError, match="Nothing of 'theirs' was live before version 2"):
        store.previous("theirs")


def test_an_alias_moved_by_others_during_an_event_is_not_overwritten(store, life, holding):
    from mlflow import MlflowClient

    life.init()
    life.update("two", deploy=True)
    with pytest.raises(LockError, match="moved from version 2 to 1"), store.event("fraud", "update") as event:
        version = event.add_version(holding("m3"), {})
        MlflowClient(store.url, store.url).set_registered_model_alias("fraud", "champion", "1")
        event.conclude(decision="promote", deploy=version, info={})
    assert store.champion("fraud") == 1 and store.history("fraud")[0].status == "failed"


def test_going_back_after_others_moved_the_alias_returns_to_what_was_deployed_here(store, life):
    from mlflow import MlflowClient

    life.init()
    life.update("two", deploy=True)
    MlflowClient(store.url, store.url).set_registered_model_alias("fraud", "champion", "1")
    assert store.previous("fraud") == 2


def test_a_store_that_was_moved_can_be_read_and_says_how_to_change_it(life, own_root, tmp_path):
    life.at(Store(own_root)).init()
    moved = tmp_path / "elsewhere"
    own_root.rename(moved)
    there = life.at(Store(moved))
    assert there.live() == (1, "m1", "s1")
    with pytest.raises(RegistryError, match=f"moved from {own_root} to {moved}"):
        there.update("two", deploy=True)
    own_root.symlink_to(moved)
    there.update("two", deploy=True)
    assert there.live() == (2, "m-two", "s-two")


def test_files_that_were_deleted_are_reported_in_one_sentence(store, life):
    import shutil

    life.init()
    shutil.rmtree(store.folder("fraud", 1))
    shutil.rmtree(store.state("fraud"))
    with pytest.raises(RegistryError, match="files of version 1 of 'fraud' are gone"):
        store.folder("fraud", 1)
    with pytest.raises(RegistryError, match="state of version 1 of 'fraud' is gone"):
        store.state("fraud")


def test_making_a_store_imports_no_mlflow_and_using_one_prints_nothing(root, tmp_path):
    code = f"""
import sys
from incumbent.store import Store
from incumbent.store._history import run_of
store = Store({str(root)!r})
assert "mlflow" not in sys.modules and "sqlalchemy" not in sys.modules and "pandas" not in sys.modules
assert store.names() == []
import mlflow, os
assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
assert store.url not in (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(p.name for p in root.iterdir()) == ["locks", "mlflow.db"]
