"""The life of a model in a registry: brought in, updated, looked at, taken back."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import incumbent
from incumbent import Gate, Registry
from incumbent.core import AnchorSet
from incumbent.data import row_keys
from incumbent.errors import AbilityError, DataError, RegistryError, UsageError
from incumbent.strategies import Analytic
from rows import NAMES, NEW, fitted, points, values
from stores import digest


def keys(rows) -> set[int]:
    return set() if rows is None else set(row_keys(rows).tolist())


def refused(registry, name, seed=50):
    """An update that is rejected: its labels are turned."""
    new = points(300, seed=seed)
    new["label"] = 1 - new.label
    outcome = registry.update(name, new, strategies="Window(100)", gate=Gate(limits=(NEVER,)), seed=seed)
    assert outcome.decision == "reject"
    return outcome


NEVER = incumbent.Limit("accuracy", min=2.0)


# ------------------------------------------------------------------------------------------------ init


def test_init_keeps_the_model_its_schema_its_rows_and_its_gate(registry, name):
    past, old = points(200, seed=3), points(100, seed=10)
    live = fitted(LogisticRegression(), past)
    gate = Gate(tolerance=0.02, limits=(incumbent.Limit("bytes", max_ratio=3.0),))
    came = registry.init(name, live, past, target="label", anchor=old, gate=gate)
    assert (came.name, came.version, came.remembered, came.anchored) == (name, 1, 200, 100)
    version = registry.version(name)
    assert version.gate == gate
    assert version.schema.features == tuple(NAMES) and version.schema.classes == (0, 1)
    again = registry.load(name)
    assert type(again) is LogisticRegression
    assert np.array_equal(again.predict_proba(old[NAMES]), live.predict_proba(old[NAMES]))
    state = registry.state(name)
    assert (len(state.memory), len(state.anchor), state.standing) == (200, 100, ())


def test_anchor_rows_that_were_trained_on_are_left_out_with_a_warning(registry, name):
    past = points(200, seed=3)
    came = registry.init(
        name,
        fitted(LogisticRegression(), past),
        past,
        target="label",
        anchor=pd.concat([points(100, seed=10), past[:30]]),
    )
    assert came.anchored == 100
    assert any("30 of 130 old rows" in finding.text for finding in came.check.warnings)


def test_a_name_that_is_taken_is_refused_and_nothing_changes(registry, brought_in):
    name = brought_in()
    with pytest.raises(RegistryError, match=f"There is a model '{name}'.*incumbent update FILE --name {name}"):
        brought_in()
    assert len(registry.history(name)) == 1


def test_a_model_that_cannot_be_stored_leaves_no_trace(registry, name):
    past = points(200, seed=3)
    live = fitted(LogisticRegression(), past)
    live.extra = lambda: 0
    with pytest.raises(incumbent.IncumbentError):
        registry.init(name, live, past, target="label")
    with pytest.raises(RegistryError, match="no model"):
        registry.history(name)


def test_a_model_that_does_not_fit_its_rows_leaves_no_trace(registry, name):
    past = points(200, seed=3)
    live = fitted(LogisticRegression(), past)
    past.loc[0, "a"] = np.nan
    with pytest.raises(DataError, match="cannot predict the rows of --data"):
        registry.init(name, live, past, target="label")
    assert name not in [model["name"] for model in registry.models()]


def test_a_model_of_arrays_is_brought_in_updated_and_asked(registry, name):
    past, new = points(200, seed=3).to_numpy(), points(300, seed=4).to_numpy()
    live = LogisticRegression().fit(past[:12, :3], past[:12, 3].astype(int))
    registry.init(name, live, (past[:, :3], past[:, 3].astype(int)), gate=Gate(tolerance=None))
    outcome = registry.update(name, (new[:, :3], new[:, 3].astype(int)), strategies="retrain")
    assert outcome.decision in ("promote", "inconclusive")
    assert len(registry.predict(name, new[:, :3])) == 300
    assert registry.evaluate(name, (new[:, :3], new[:, 3].astype(int)))["accuracy"] > 0.8


# ---------------------------------------------------------------------------------------------- update


def test_a_promotion_makes_a_version_that_is_live_with_a_new_memory(registry, brought_in):
    name = brought_in()
    before = registry.load(name)
    new = points(600, seed=4)
    outcome = registry.update(name, new, strategies="retrain", why="monthly", user="ann")
    assert outcome.decision == "promote"
    assert (outcome.name, outcome.version_before, outcome.version_after) == (name, 1, 2)
    assert registry.champion(name) == 2
    rows = new[NAMES]
    live = registry.load(name)
    assert np.array_equal(live.predict_proba(rows), outcome.model.predict_proba(rows))
    assert not np.array_equal(live.predict_proba(rows), before.predict_proba(rows))
    state = registry.state(name)
    assert keys(state.memory.rows) == keys(outcome.memory.rows) and len(state.memory) > 600
    assert keys(state.anchor.rows) == keys(outcome.anchor.rows)
    event = registry.history(name)[0]
    assert (event["why"], event["user"], event["decision"], event["status"]) == ("monthly", "ann", "promote", "done")
    assert event["gain"] == outcome.comparisons["new"].interval.value


def test_a_refusal_keeps_the_champion_and_its_challenger_stands(registry, brought_in):
    name = brought_in()
    outcome = refused(registry, name)
    assert (outcome.version_before, outcome.version_after) == (1, 1)
    assert registry.champion(name) == 1
    state = registry.state(name)
    assert state.standing == (2,)
    assert len(state.anchor) > 20 and len(state.memory) > 400  # the rows were learned from all the same
    assert registry.show(name, 2)["status"] == "challenger"
    again = registry.update(name, points(300, seed=51), gate=Gate(limits=(NEVER,)))
    assert again.challengers[0].strategy == "standing v2"
    assert "standing v2" in again.prequential
    named = registry.update(name, points(300, seed=52), strategies="retrain", dry_run=True)
    assert [c.strategy for c in named.challengers] == ["Retrain()"]  # what is asked for by name, and nothing else


def test_a_challenger_that_stands_on_is_not_stored_twice(registry, brought_in):
    name = brought_in()
    good = registry.update(name, points(900, seed=4), strategies="retrain", gate=Gate(limits=(NEVER,)))
    assert good.decision == "reject"
    for seed in (5, 6):
        outcome = registry.update(name, points(200, seed=seed), budget=1e-9, gate=Gate(limits=(NEVER,)))
        assert outcome.chosen.strategy == "standing v2"
    assert registry.state(name).standing == (2,)
    assert [event["challenger"] for event in registry.history(name)] == [2, 2, 2, 0]
    promoted = registry.update(name, points(600, seed=7), budget=1e-9)
    assert (promoted.decision, promoted.version_after) == ("promote", 3)
    rows = points(50, seed=8)[NAMES]
    assert np.array_equal(registry.load(name, 2).predict_proba(rows), registry.load(name).predict_proba(rows))
    assert registry.state(name).standing == ()


def test_the_gate_that_is_stored_with_the_model_decides_and_one_given_holds_once(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, limits=(NEVER,)))
    assert registry.update(name, points(600, seed=4), strategies="retrain").decision == "reject"
    once = registry.update(name, points(600, seed=5), strategies="retrain", gate=Gate(tolerance=None))
    assert once.decision == "promote"
    assert registry.version(name).gate == Gate(tolerance=None, limits=(NEVER,))
    assert registry.update(name, points(600, seed=6), strategies="retrain").decision == "reject"


def test_outcome_and_page_of_each_update_are_kept(registry, brought_in, tmp_path):
    name = brought_in()
    with pytest.raises(RegistryError, match="has no update yet"):
        registry.report(name, tmp_path / "page.html")
    outcome = registry.update(name, points(300, seed=4), strategies="retrain")
    printed = json.loads(json.dumps(outcome.to_dict()))
    assert registry.outcome(name, outcome.update) == printed
    assert registry.outcome(name, "2") == printed
    registry.update(name, points(300, seed=5), strategies="retrain")
    pages = [
        registry.report(name, tmp_path / "latest.html").read_text(),
        registry.report(name, tmp_path / "first.html", update=outcome.update).read_text(),
    ]
    assert pages[0] != pages[1] and all(name in page for page in pages)
    with pytest.raises(RegistryError, match="no event '99'"):
        registry.report(name, tmp_path / "page.html", update="99")
    with pytest.raises(UsageError, match="no folder"):
        registry.report(name, tmp_path / "nowhere" / "page.html")


def test_a_dry_run_writes_nothing(registry, brought_in, shared_store):
    name = brought_in()
    before = digest(shared_store)
    outcome = registry.update(name, points(600, seed=4), strategies="retrain", dry_run=True)
    assert outcome.decision == "promote"
    assert (outcome.version_before, outcome.version_after, outcome.update) == (1, 1, "")
    assert digest(shared_store) == before
    assert registry.champion(name) == 1


MISTAKES = {
    "few": (points(5), {}, DataError),
    "column": (points(100).drop(columns="a"), {}, DataError),
    "gaps": (points(100).assign(a=np.nan), {}, DataError),
    "ability": (points(100), {"strategies": "AppendTrees(3)"}, AbilityError),
    "strategy": (points(100), {"strategies": "nothing"}, UsageError),
    "metric": (points(100), {"metric": "nothing"}, UsageError),
    "budget": (points(100), {"budget": "soon"}, UsageError),
    "limit": (points(100), {"gate": Gate(limits=(incumbent.Limit("bites", max=1),))}, UsageError),
    "known": (points(200, seed=3), {}, DataError),
}


def test_a_mistake_leaves_no_event(registry, brought_in, shared_store):
    name = brought_in()
    before = digest(shared_store)
    for what, (new, options, kind) in MISTAKES.items():
        with pytest.raises(kind):
            registry.update(name, new, **options)
        assert digest(shared_store) == before, what


def test_a_regression_lives_too(registry, name):
    past = values(200, seed=3)
    registry.init(name, fitted(Ridge(), past[:8]), past, target="label", gate=Gate(tolerance=None))
    outcome = registry.update(name, values(600, NEW, seed=4), strategies="retrain")
    assert outcome.decision == "promote"
    assert list(registry.predict(name, values(5)[NAMES]).columns) == ["prediction"]
    assert set(registry.evaluate(name, values(50))) == {"rows", "rmse", "mae", "r2"}
    assert registry.show(name)["classes"] == []


# -------------------------------------------------------------------------------- rollback and promote


def test_rollback_restores_the_model_and_its_memory(registry, brought_in):
    name = brought_in(anchor=points(300, seed=10))
    before, rows = registry.state(name), points(50, seed=9)[NAMES]
    said = registry.predict(name, rows)
    assert registry.update(name, points(600, seed=4), strategies="retrain").decision == "promote"
    assert registry.rollback(name, why="complaints", user="bob") == 1
    after = registry.state(name)
    assert registry.champion(name) == 1
    assert registry.predict(name, rows).equals(said)
    assert keys(after.memory.rows) == keys(before.memory.rows)
    assert keys(after.anchor.rows) == keys(before.anchor.rows)
    event = registry.history(name)[0]
    assert (event["kind"], event["decision"], event["why"], event["user"]) == (
        "rollback",
        "rollback",
        "complaints",
        "bob",
    )
    assert (event["version_before"], event["version_after"]) == (2, 1)


def uses(anchor: AnchorSet) -> int:
    return int(anchor.use_counts.max())


def test_a_rollback_gives_no_error_budget_back(registry, brought_in):
    name = brought_in(anchor=points(300, seed=10))
    for seed in (4, 5):
        outcome = registry.update(
            name, points(400, NEW, seed=seed), strategies="retrain", gate=Gate(alpha=0.5, tolerance=None)
        )
        assert outcome.decision == "promote" or seed == 5
        if outcome.decision != "promote":
            registry.promote(name, outcome.version_before + 1, why="for the test")
    assert registry.champion(name) == 3
    assert uses(registry.state(name).anchor) == 2
    registry.rollback(name, why="first")
    assert uses(registry.state(name).anchor) == 2
    registry.rollback(name, why="second")
    state = registry.state(name)
    assert registry.champion(name) == 1
    assert uses(state.anchor) == 2 and len(state.anchor) == 300
    registry.update(name, points(400, seed=6), strategies="retrain")
    assert uses(registry.state(name).anchor) == 3


def test_going_back_twice_goes_two_back_and_to_names_any_that_was_live(registry, brought_in):
    name = brought_in()
    for seed in (4, 5):
        outcome = registry.update(name, points(300, seed=seed), strategies="retrain", gate=Gate(limits=(NEVER,)))
        registry.promote(name, outcome.version_before + 1, why="for the test")
    assert registry.champion(name) == 3
    assert registry.rollback(name, why="one") == 2
    assert registry.rollback(name, why="two") == 1
    with pytest.raises(RegistryError, match="cannot go back"):
        registry.rollback(name, why="three")
    assert registry.rollback(name, to=3, why="forward") == 3
    assert registry.champion(name) == 3


def test_only_an_override_makes_a_version_live_that_never_was(registry, brought_in):
    name = brought_in()
    refused(registry, name)
    with pytest.raises(RegistryError, match=f"never live.*incumbent promote --name {name} --version 2"):
        registry.rollback(name, to=2, why="x")
    with pytest.raises(RegistryError, match="has no version 7; it has 1, 2"):
        registry.rollback(name, to=7, why="x")
    with pytest.raises(RegistryError, match="cannot go back"):
        registry.rollback(name, why="x")
    with pytest.raises(RegistryError, match="is live already"):
        registry.rollback(name, to=1, why="x")
    with pytest.raises(UsageError, match="--why"):
        registry.rollback(name, why=" ")
    assert [event["kind"] for event in registry.history(name)] == ["update", "init"]
    assert registry.promote(name, 2, why="I know better", user="cleo") == 2
    assert registry.champion(name) == 2
    event = registry.history(name)[0]
    assert (event["kind"], event["decision"], event["why"], event["user"]) == (
        "promote",
        "override",
        "I know better",
        "cleo",
    )
    # it stood; now it is the champion, and does not stand against itself
    outcome = registry.update(name, points(300, seed=5), strategies="retrain")
    assert [challenger.strategy for challenger in outcome.challengers] == ["Retrain()"]
    with pytest.raises(RegistryError, match="live already"):
        registry.promote(name, registry.champion(name), why="again")
    with pytest.raises(UsageError, match="--why"):
        registry.promote(name, 1, why="")
    with pytest.raises(RegistryError, match="has no version 9"):
        registry.promote(name, 9, why="x")


# --------------------------------------------------------------------------------------------- reading


def test_evaluate_and_predict_of_an_older_version(registry, brought_in):
    name = brought_in()
    registry.update(name, points(600, seed=4), strategies="retrain")
    test = points(300, seed=9)
    now, before = registry.evaluate(name, test), registry.evaluate(name, test, version=1)
    assert now["rows"] == 300 and now["accuracy"] > before["accuracy"]
    said = registry.predict(name, test[NAMES], version=1)
    assert list(said.columns) == ["prediction", "proba_0", "proba_1"]
    assert np.allclose(said[["proba_0", "proba_1"]].sum(axis=1), 1)
    assert said.prediction.tolist() == registry.load(name, 1).predict(test[NAMES]).tolist()
    with pytest.raises(RegistryError, match="no version 8"):
        registry.predict(name, test, version=8)


def test_history_show_and_models_list_who_did_what_and_why(registry, brought_in, tmp_path):
    name = brought_in()
    points(600, seed=4).to_csv(tmp_path / "march.csv", index=False)
    registry.update(name, tmp_path / "march.csv", strategies="retrain", why="monthly")
    newest, first = registry.history(name)
    assert (newest["kind"], first["kind"]) == ("update", "init")
    assert newest["source"].endswith("march.csv")
    assert newest["strategies"] == ["Retrain()"]
    assert newest["lower"] <= newest["gain"] <= newest["upper"]
    assert newest["seconds"] > 0 and newest["rows"]["read"] == 600 and newest["user"]
    assert newest["time"] > first["time"]
    shown = registry.show(name)
    assert (shown["version"], shown["status"], shown["task"]) == (2, "live", "classification")
    assert shown["made_by"]["strategy"] == "Retrain()"
    assert shown["features"] == NAMES and shown["target"] == "label" and shown["classes"] == [0, 1]
    assert registry.show(name, 1)["status"] == "was live"
    assert shown["memory_rows"] > registry.show(name, 1)["memory_rows"] == 200
    line = next(line for line in registry.models() if line["name"] == name)
    assert (line["version"], line["versions"], line["last"], line["decision"]) == (2, 2, "update", "promote")
    with pytest.raises(RegistryError, match="has no version 5"):
        registry.show(name, 5)


def test_a_registry_that_is_not_there_is_empty_and_is_not_made_by_looking(tmp_path):
    registry = Registry(tmp_path / "none")
    assert registry.models() == []
    with pytest.raises(RegistryError, match="holds none yet.*incumbent init"):
        registry.champion("fraud")
    with pytest.raises(RegistryError, match="holds none yet"):
        registry.update("fraud", points(100))
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_misspelt_is_recognised(registry, brought_in):
    name = brought_in()
    with pytest.raises(RegistryError, match=f"did you mean '{name}'"):
        registry.update(name[:-1] + "x", points(100))


# ---------------------------------------------------------------------------------------------- MLflow


@pytest.fixture
def in_mlflow(tmp_path):
    """A model that a team has registered in its MLflow, without Incumbent."""
    import mlflow.sklearn
    from mlflow import MlflowClient

    url, live = f"sqlite:///{tmp_path}/team.db", fitted(LogisticRegression(), points(200, seed=3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow says of its own type hints, and of its tables
        mlflow.sklearn.save_model(live, tmp_path / "kept", pip_requirements=[], serialization_format="cloudpickle")
        client = MlflowClient(url, url)
        client.create_registered_model("team-model")
        client.create_model_version("team-model", (tmp_path / "kept").as_uri())
        client.set_registered_model_alias("team-model", "production", "1")
    return url, live


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["models:/team-model@production", "models:/team-model/1"])
def test_a_model_of_the_same_mlflow_is_brought_in_by_its_address(in_mlflow, uri):
    url, live = in_mlflow
    registry = Registry(url)
    came = registry.init("ours", uri, points(200, seed=3), target="label", trust_pickle=True)
    assert came.version == 1
    rows = points(20, seed=9)[NAMES]
    assert np.array_equal(registry.load("ours").predict_proba(rows), live.predict_proba(rows))
    with pytest.raises(incumbent.IncumbentError, match="alias 'staging'"):
        registry.init("other", "models:/team-model@staging", points(200, seed=3), target="label")


@pytest.mark.slow
def test_a_model_of_another_mlflow_is_found_by_its_tracking_uri(in_mlflow, registry, name, monkeypatch):
    url, live = in_mlflow
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    registry.init(name, "models:/team-model@production", points(200, seed=3), target="label", trust_pickle=True)
    rows = points(20, seed=9)[NAMES]
    assert np.array_equal(registry.load(name).predict_proba(rows), live.predict_proba(rows))


def test_an_exact_head_is_updated_from_its_statistics_and_goes_back_with_them(registry, brought_in):
    name, frame = brought_in(gate=Gate(min_gain=-1.0, tolerance=None)), points(1200)
    outcomes = [registry.update(name, frame[at : at + 600], strategies=[Analytic(64)]) for at in (0, 600)]
    assert [outcome.decision for outcome in outcomes] == ["promote", "promote"]
    memory = registry.state(name).memory
    assert memory.statistics["rows"] == memory.seen > 1000
    assert [type(step).__name__ for _, step in registry.load(name).steps] == ["RandomReLU", "LogisticRegression"]
    registry.rollback(name, why="to see the statistics come back")
    back = registry.state(name).memory
    assert back.statistics["rows"] == back.seen < memory.seen
