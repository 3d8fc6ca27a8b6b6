"""Shadows: rules fixed on record, evidence from the whole log, a decision only where live labels show it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from incumbent import Gate, Monitor
from incumbent.errors import DataError, RegistryError, UsageError
from rows import NAMES, NEW, fitted, points, values


@pytest.fixture
def two(registry, brought_in):
    """A model whose second version is better on rows of the new rule, and is not live."""
    name = brought_in(gate=Gate(tolerance=None, min_gain=0.9))
    registry.update(name, points(600, NEW, seed=4), strategies="retrain")
    return name


def log_of(registry, name, rows, *, champion=1, challenger=2, classes=()):
    """What a service writes down: both models' predictions of each row, and the labels in a table of their own."""
    said = {
        who: registry.predict(name, rows[NAMES], version=v)
        for who, v in (("champion", champion), ("challenger", challenger))
    }
    log = pd.DataFrame({"id": np.arange(len(rows)), **{who: each["prediction"] for who, each in said.items()}})
    for who, each in said.items():
        log = log.assign(**{f"{who}_{c}": each[f"proba_{c}"] for c in classes})
    return log, pd.DataFrame({"id": np.arange(len(rows)), "label": rows["label"]})


def test_a_better_version_is_promoted_once_the_labels_show_it(registry, two):
    started = registry.shadow_start(two, 2, why="a trial")
    log, labels = log_of(registry, two, points(600, NEW, seed=7))
    before = len(registry.history(two))
    assert registry.shadow_decide(two, [log, labels[:5]]).decision == "undecided"
    assert len(registry.history(two)) == before and registry.champion(two) == 1
    found = registry.shadow_decide(two, [log, labels], why="live labels")
    assert found.decision == "promote" and registry.champion(two) == 2
    event = registry.history(two)[0]
    assert (event["kind"], event["decision"], event["why"]) == ("promote", "promote", "live labels")
    assert (event["version_before"], event["version_after"], event["challenger"]) == (1, 2, 2)
    assert event["gain"] == found.monitor.interval.value and "live labels, e = " in event["source"]
    stored = json.loads(registry.store.artifact(two, event["id"], "shadow.json").read_text())
    assert stored["e_value"] >= 20 and stored["rows"] == 600 and started.monitor.rows == 0


def test_the_evidence_is_that_of_a_monitor_fed_by_hand(registry, two):
    registry.shadow_start(two, 2, min_gain=0.01, alpha=0.1)
    rows = points(300, NEW, seed=7)
    log, labels = log_of(registry, two, rows)
    found = registry.shadow_status(two, [log, labels])
    wrong = [(log[who] != rows["label"]).to_numpy(dtype=float) for who in ("champion", "challenger")]
    assert found.monitor == Monitor(alpha=0.1, min_gain=0.01).update(*wrong)


@pytest.mark.parametrize("order", [1, -1])
def test_labels_come_in_files_of_their_own_in_the_log_or_in_both(registry, two, tmp_path, order):
    registry.shadow_start(two, 2)
    log, labels = log_of(registry, two, points(300, NEW, seed=7))
    whole = registry.shadow_status(two, [log, labels]).monitor
    some = log.merge(labels[:100], on="id", how="left")
    log[200:].to_csv(tmp_path / "b.csv", index=False)
    some[:200].to_parquet(tmp_path / "a.parquet")
    labels[50:].to_csv(tmp_path / "late.csv", index=False)  # 50 to 100 are told twice, and the same
    files = [tmp_path / "a.parquet", str(tmp_path / "b.csv"), tmp_path / "late.csv"][::order]
    found = registry.shadow_status(two, files)
    assert found.monitor.tally == whole.tally and (found.logged, found.waiting) == (300, 0)


def test_rows_wait_for_their_labels_and_strange_labels_are_told(registry, two):
    registry.shadow_start(two, 2)
    log, labels = log_of(registry, two, points(100, NEW, seed=7))
    found = registry.shadow_status(two, [log[:80], labels[60:]])
    assert (found.logged, found.monitor.rows, found.waiting, found.unknown) == (80, 20, 60, 20)
    assert "60 wait" in str(found) and "20 labels belong to no logged row" in str(found)
    nothing = registry.shadow_status(two, log)
    assert nothing.decision == "undecided" and nothing.monitor.rows == 0 and "no row has its label yet" in str(nothing)
    assert json.loads(json.dumps(nothing.to_dict()))["gain"] is None


def test_a_version_that_is_shown_not_to_gain_enough_ends_the_shadow(registry, two):
    registry.shadow_start(two, 2, min_gain=0.5)
    log, labels = log_of(registry, two, points(600, NEW, seed=7))
    found = registry.shadow_decide(two, [log, labels])
    assert found.decision == "reject" and registry.champion(two) == 1 and "stays live" in str(found)
    assert found.monitor.interval.upper < 0.5
    event = registry.history(two)[0]
    assert (event["kind"], event["decision"]) == ("shadow", "reject")
    with pytest.raises(RegistryError, match="ended: reject at event"):
        registry.shadow_status(two, log)


def test_rollback_is_decided_where_the_new_champion_is_shown_to_be_worse(registry, two):
    memory = registry.state(two).memory.seen
    registry.promote(two, 2, why="to see it fail")
    registry.shadow_start(two, 1, goal="rollback")
    good = log_of(registry, two, points(600, NEW, seed=7), champion=2, challenger=1)
    assert registry.shadow_status(two, list(good)).decision == "reject"  # nothing is to be undone
    bad = log_of(registry, two, points(900, (1.0, -1.0, 0.0), seed=8), champion=2, challenger=1)
    found = registry.shadow_decide(two, list(bad))
    assert found.decision == "rollback" and registry.champion(two) == 1
    assert (registry.history(two)[0]["kind"], registry.history(two)[0]["decision"]) == ("rollback", "rollback")
    assert registry.state(two).memory.seen == memory
    with pytest.raises(RegistryError, match="Nothing of .* was live before"):
        registry.rollback(two, why="the rollback went back on the stack of versions")


def test_only_what_was_live_can_come_back_and_nothing_meets_itself(registry, two):
    with pytest.raises(RegistryError, match="was never live"):
        registry.shadow_start(two, 2, goal="rollback")
    with pytest.raises(RegistryError, match="cannot be compared with itself"):
        registry.shadow_start(two, 1)
    with pytest.raises(RegistryError, match="has no version 7"):
        registry.shadow_start(two, 7)
    with pytest.raises(RegistryError, match="Nothing was ever compared"):
        registry.shadow_status(two, "log.csv")
    assert all(event["kind"] != "shadow" for event in registry.history(two))


def test_a_deployment_ends_the_shadow_even_if_the_champion_of_then_comes_back(registry, two):
    registry.shadow_start(two, 2)
    log, labels = log_of(registry, two, points(600, NEW, seed=7))
    assert registry.shadow_decide(two, [log, labels]).decision == "promote"
    registry.rollback(two, why="a person knows better")
    with pytest.raises(RegistryError, match="another version went live by rollback"):
        registry.shadow_decide(two, [log, labels])
    assert registry.champion(two) == 1


def test_a_shadow_that_is_started_anew_replaces_the_one_before(registry, two):
    registry.shadow_start(two, 2, min_gain=0.5)
    registry.shadow_start(two, 2, min_gain=0.0, alpha=0.01)
    found = registry.shadow_status(two, list(log_of(registry, two, points(50, NEW, seed=7))))
    assert (found.monitor.min_gain, found.monitor.alpha) == (0.0, 0.01)


def test_a_shadow_that_only_looks_spends_no_state_and_keeps_the_uses_of_old_rows(registry, brought_in):
    name = brought_in(anchor=points(300, seed=9), gate=Gate(tolerance=0.5))
    outcome = registry.update(name, points(600, NEW, seed=4), strategies="retrain")
    assert outcome.decision == "promote"
    used = registry.state(name).anchor.next_use
    registry.rollback(name, why="to spend a use")
    back = registry.state(name).anchor.next_use
    registry.shadow_start(name, 2)
    assert registry.state(name).anchor.next_use == back == used


def test_probabilities_are_read_from_a_column_for_each_class(registry, two):
    started = registry.shadow_start(two, 2, metric="brier")
    assert started.predicted("champion") == {0: "champion_0", 1: "champion_1"} and started.monitor.bound == 1.0
    log, labels = log_of(registry, two, points(400, NEW, seed=7), classes=(0, 1))
    found = registry.shadow_status(two, [log, labels])
    truth = registry.evaluate(two, points(400, NEW, seed=7))["brier"]
    assert found.monitor.interval.value == pytest.approx(
        truth - registry.evaluate(two, points(400, NEW, seed=7), version=2)["brier"], abs=1e-6
    )


def test_a_loss_without_a_bound_is_cut_where_the_champion_hardly_ever_goes(registry, brought_in):
    past = values(300, seed=3)
    name = brought_in(fitted(Ridge(), past[:10]), task="regression", gate=Gate(tolerance=None, min_gain=9.0))
    registry.update(name, values(300, seed=4), strategies="retrain")
    started = registry.shadow_start(name, 2)
    assert started.metric == "rmse" and "remembered rows are below" in started.bound_from
    assert 0 < started.monitor.bound < np.inf
    assert registry.shadow_start(name, 2, bound=7.5).monitor.bound == 7.5
    with pytest.raises(UsageError, match="bound is the largest loss"):
        registry.shadow_start(name, 2, bound=-1.0)


@pytest.mark.parametrize("named", ["log_loss", "brier", None])
def test_columns_may_have_other_names(registry, two, named):
    columns = {"id": "row", "champion": "live", "challenger": "next", "label": "truth"}
    registry.shadow_start(two, 2, metric=named, columns=columns)
    log, labels = log_of(registry, two, points(200, NEW, seed=7), classes=(0, 1))
    log.columns = [
        c.replace("champion", "live").replace("challenger", "next").replace("id", "row") for c in log.columns
    ]
    found = registry.shadow_status(two, [log, labels.rename(columns={"id": "row", "label": "truth"})])
    assert found.monitor.rows == 200


def test_only_rows_of_before_a_moment_count_where_it_is_asked(registry, two):
    log, labels = log_of(registry, two, points(100, NEW, seed=7))
    day = pd.Timestamp("2026-01-01")
    for when, before in (
        (np.arange(100), "40"),
        (day + pd.to_timedelta(np.arange(100), "h"), "2026-01-02 16:00"),
        ((day + pd.to_timedelta(np.arange(100), "h")).tz_localize("UTC"), "2026-01-02 16:00"),
    ):
        registry.shadow_start(two, 2, columns={"time": "when"})
        found = registry.shadow_status(two, [log.assign(when=when), labels], before=before)
        assert (found.monitor.rows, found.waiting) == (40, 60)
        with pytest.raises((UsageError, DataError), match="before is a moment|compared"):
            registry.shadow_status(two, [log.assign(when=when), labels], before="soon")
    registry.shadow_start(two, 2)
    with pytest.raises(UsageError, match="--time COL"):
        registry.shadow_status(two, [log, labels], before="40")


def test_a_log_that_is_none_is_refused_in_a_sentence(registry, two):
    registry.shadow_start(two, 2)
    log, labels = log_of(registry, two, points(50, NEW, seed=7))
    with pytest.raises(DataError, match="is no log of this shadow"):
        registry.shadow_status(two, points(10))
    with pytest.raises(DataError, match="labels only"):
        registry.shadow_status(two, labels)
    with pytest.raises(DataError, match="more than once in the predictions"):
        registry.shadow_status(two, [log, log, labels])
    with pytest.raises(DataError, match="more than once in the labels"):
        registry.shadow_status(two, [log, labels, labels.assign(label=1 - labels["label"])])
    with pytest.raises(DataError, match="no column 'challenger'"):
        registry.shadow_status(two, [log.drop(columns="challenger"), labels])


def test_a_log_of_one_model_twice_is_noticed(registry, two):
    registry.shadow_start(two, 2)
    log, labels = log_of(registry, two, points(50, NEW, seed=7), challenger=1)
    assert "were the predictions of both logged?" in str(registry.shadow_status(two, [log, labels]))


def test_scores_without_a_loss_for_a_row_cannot_be_bet_on(registry, two):
    with pytest.raises(UsageError, match="no loss for a single row"):
        registry.shadow_start(two, 2, metric="auc")
    with pytest.raises(UsageError, match="no column for 'truth'"):
        registry.shadow_start(two, 2, columns={"truth": "y"})


def test_classes_that_are_words_survive_the_record(registry, name):
    past = points(300, seed=3).assign(label=lambda rows: np.where(rows["label"] == 1, "yes", "no"))
    registry.init(
        name, fitted(LogisticRegression(), past[:12]), past, target="label", gate=Gate(tolerance=None, min_gain=0.9)
    )
    new = points(400, NEW, seed=4).assign(label=lambda rows: np.where(rows["label"] == 1, "yes", "no"))
    registry.update(name, new, strategies="retrain")
    registry.shadow_start(name, 2, metric="log_loss")
    log, labels = log_of(registry, name, new, classes=("no", "yes"))
    assert registry.shadow_status(name, [log, labels]).monitor.rows == 400
