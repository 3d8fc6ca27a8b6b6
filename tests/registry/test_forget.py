"""Deleting rows: out of what is live in one step, equal to never having had them; then out of what was before."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from incumbent import Gate
from incumbent.core import Batch, Memory, Recipe
from incumbent.data import Schema, row_keys
from incumbent.errors import DataError, ModelError, RegistryError, UsageError
from incumbent.models import fit_challenger, wrap
from incumbent.registry import State, find_rows
from incumbent.store._client import Client
from incumbent.strategies import Analytic
from kills import Killed, kill_after
from rows import OLD, fitted, points, values

EASY = Gate(min_gain=-1e6, tolerance=None)
NEVER = Gate(min_gain=1e6, tolerance=None)
HEAD = Analytic(0, ridge=1.0)


def analytic_champion(frame):
    """A live model whose head was solved exactly on scaled columns."""
    rows, _ = Schema.of(frame, target="label", task="regression").check(frame)
    body = make_pipeline(StandardScaler(), LinearRegression()).fit(rows.x, rows.y)
    return fit_challenger(wrap(body), HEAD.prepare(Recipe(), Memory()).bind(train=rows)).native


def keys_of(registry, name, frame):
    schema = registry.version(name).schema
    return row_keys(schema.check(schema.read(frame))[0])


def held(registry, name, version=None):
    """Keys of all rows that a version's memory and anchor set hold."""
    state = registry.state(name) if version is None else State.load(registry.store.state(name, version))
    parts = [part.rows for part in (state.memory, state.anchor) if part.rows is not None]
    return np.concatenate([row_keys(rows) for rows in parts])


def layer(registry, name):
    last = registry.load(name).steps[-1][1]
    return np.append(last.coef_, last.intercept_)


@pytest.fixture
def learned(registry, name):
    """An analytic champion that was updated once, by name, and its rows: those to delete are among both."""
    past, new = values(400, seed=1), values(300, seed=2)
    registry.init(name, analytic_champion(past), past, target="label", gate=EASY)
    assert registry.update(name, new, strategies=[HEAD]).decision == "promote"
    return name, past, new


# ----------------------------------------------------------------------------------------- exactly


def test_a_registry_that_forgot_equals_its_twin_that_never_had_the_rows(registry, name):
    past, other, new, later = values(400, seed=1), values(60, seed=9), values(300, seed=2), values(300, seed=4)
    champion, twin = analytic_champion(past), f"{name}-twin"
    registry.init(name, champion, pd.concat([past[:200], other, past[200:]]), target="label", gate=EASY)
    registry.init(twin, champion, past, target="label", gate=EASY)
    for each in (name, twin):
        registry.update(each, new, strategies=[HEAD])
    assert np.abs(layer(registry, name) - layer(registry, twin)).max() > 1e-4
    done = registry.forget(name, other, why="request 17")
    assert (done.how, done.rows, done.learned, done.anchored) == ("exact", 60, 60, 0)
    mine, its = registry.state(name), registry.state(twin)
    assert sorted(row_keys(mine.memory.rows)) == sorted(row_keys(its.memory.rows))
    assert sorted(row_keys(mine.anchor.rows)) == sorted(row_keys(its.anchor.rows))
    assert mine.memory.seen == its.memory.seen
    for each in ("gram", "cross", "total", "count", "square", "rows"):
        assert np.allclose(mine.memory.statistics[each], its.memory.statistics[each], rtol=1e-10, atol=1e-8)
    for each in (name, twin):  # both heads are now solved from the sums and the same rows
        assert registry.update(each, later, strategies=[HEAD]).decision == "promote"
    assert np.abs(layer(registry, name) - layer(registry, twin)).max() < 1e-8


def test_the_head_equals_a_ridge_fitted_to_what_is_left(registry, learned):
    name, past, new = learned
    registry.forget(name, pd.concat([past[:25], new[:25]]), why="request 17")
    rows = registry.state(name).memory.rows
    body = registry.load(name).steps[0][1]
    joint = Ridge(alpha=1.0).fit(body.transform(rows.x), rows.y)
    assert np.abs(layer(registry, name) - np.append(joint.coef_, joint.intercept_)).max() < 1e-8


def test_what_is_live_holds_none_of_the_rows_and_what_was_live_holds_all(registry, learned):
    name, past, new = learned
    gone = pd.concat([past[:25], new[:25]])
    done = registry.forget(name, gone, why="request 17")
    assert registry.champion(name) == done.version == 3
    assert not np.isin(keys_of(registry, name, gone), held(registry, name)).any()
    assert np.isin(keys_of(registry, name, gone), held(registry, name, 2)).all()
    assert done.learned + done.anchored == 50 and done.anchored > 0
    assert done.still_held == (1, 2)
    assert float(registry.state(name).memory.statistics["rows"]) == registry.state(name).memory.seen


def test_every_copy_of_a_row_goes(registry, name):
    past = values(300, seed=1)
    registry.init(name, analytic_champion(past), pd.concat([past, past[:10], past[:10]]), target="label", gate=EASY)
    registry.update(name, values(200, seed=2), strategies=[HEAD])
    done = registry.forget(name, past[:10], why="request 17")
    assert (done.rows, done.learned) == (10, 30)
    assert float(registry.state(name).memory.statistics["rows"]) == len(registry.state(name).memory)


def test_rows_learned_with_their_own_weights_are_forgotten_with_them(registry, name):
    past, new = values(300, seed=1), values(300, seed=2)
    registry.init(name, analytic_champion(past), past, target="label", gate=EASY)
    weighed = new.assign(w=np.linspace(0.5, 2.0, 300))
    registry.update(name, weighed, strategies=[HEAD], weight="w")
    assert registry.forget(name, new[:40], why="request 17").how == "exact"
    rows = registry.state(name).memory.rows
    joint = Ridge(alpha=1.0).fit(registry.load(name).steps[0][1].transform(rows.x), rows.y, sample_weight=rows.weight)
    assert np.abs(layer(registry, name) - np.append(joint.coef_, joint.intercept_)).max() < 1e-8


def test_where_rows_counted_more_the_sums_are_made_anew_from_what_is_left(registry, name):
    past, new = values(300, seed=1), values(300, seed=2)
    registry.init(name, analytic_champion(past), past, target="label", gate=EASY)
    registry.update(name, new, strategies=[HEAD.replace(weight=4.0)])
    assert registry.forget(name, new[:40], why="request 17").how == "exact"
    rows = registry.state(name).memory.rows
    joint = Ridge(alpha=1.0).fit(registry.load(name).steps[0][1].transform(rows.x), rows.y)
    assert np.abs(layer(registry, name) - np.append(joint.coef_, joint.intercept_)).max() < 1e-8


def test_a_class_whose_last_row_goes_is_gone_and_updates_go_on(registry, name):
    past = points(300, OLD, seed=3)
    third = points(12, OLD, seed=8).assign(label=2)
    native = fitted(LogisticRegression(), pd.concat([past, third]))
    registry.init(name, native, pd.concat([past, third]), target="label", gate=EASY)
    registry.update(name, points(300, seed=4), strategies=[Analytic(64)])
    registry.forget(name, third, why="request 17")
    stored = registry.version(name)
    assert stored.model.classes.tolist() == [0, 1] == list(stored.schema.classes)
    assert registry.update(name, points(300, seed=5), strategies=[Analytic()]).decision == "promote"


def test_a_classifier_is_not_left_with_one_class_nor_a_model_with_no_row(registry, name):
    past = points(300, OLD, seed=3)
    registry.init(name, fitted(LogisticRegression(), past), past, target="label", gate=EASY)
    registry.update(name, points(300, seed=4), strategies=[Analytic(64)])
    rows = registry.state(name).memory.rows
    frame = rows.x.assign(label=rows.y)
    with pytest.raises(ModelError, match="Rows of one class alone would be left"):
        registry.forget(name, frame[frame.label == 1], why="request 17")
    with pytest.raises(ModelError, match="all rows that the model has learned"):
        registry.forget(name, frame, why="request 17")
    with pytest.raises(ModelError, match="No row .* would be left to train on"):
        registry.forget(name, frame, retrain=True, why="request 17")
    assert registry.champion(name) == 2


# ------------------------------------------------------------------------------- what cannot forget


@pytest.fixture
def forest(registry, name):
    past = points(300, OLD, seed=3)
    native = fitted(RandomForestClassifier(10, random_state=0), past)
    registry.init(name, native, past, target="label", gate=NEVER)
    registry.update(name, points(300, seed=4), strategies="retrain")
    return name, past


def test_a_model_that_cannot_forget_refuses_and_offers_what_works(registry, forest):
    name, past = forest
    events = len(registry.history(name))
    with pytest.raises(ModelError) as raised:
        registry.forget(name, past[:9], why="request 17")
    said = str(raised.value)
    assert "may have learned 9 of these rows, and a RandomForestClassifier cannot forget exactly" in said
    assert "--retrain" in said and "--keep-model" in said and "(all that it has seen)" in said
    assert len(registry.history(name)) == events


def test_training_anew_meets_what_is_left_and_nothing_else(registry, forest):
    name, past = forest
    done = registry.forget(name, past[:9], retrain=True, why="request 17")
    state = registry.state(name)
    assert (done.how, done.learned, done.complete, done.version) == ("retrain", 9, True, 3)
    rows = state.memory.rows
    same = RandomForestClassifier(10, random_state=0).fit(rows.x, rows.y)
    probe = points(50, seed=77).drop(columns="label")
    assert (registry.load(name).predict_proba(probe) == same.predict_proba(probe)).all()
    assert done.metric == "accuracy" and done.scores is not None and done.anchor_rows == len(state.anchor)
    assert registry.version(name).strategy == "Retrain()"


def test_a_model_that_is_kept_says_the_same_and_its_memory_forgets(registry, forest):
    name, past = forest
    probe = points(50, seed=77).drop(columns="label")
    before = registry.load(name).predict_proba(probe)
    done = registry.forget(name, past[:9], keep_model=True, why="request 17")
    assert (done.how, registry.champion(name), done.scores) == ("keep", 3, None)
    assert (registry.load(name).predict_proba(probe) == before).all()
    assert not np.isin(keys_of(registry, name, past[:9]), held(registry, name)).any()
    assert "may have learned them" in str(done)


def test_challengers_lines_and_importances_that_met_the_rows_go_too(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, source="prequential", min_gain=-1.0))
    assert registry.update(name, points(300, seed=4), strategies=["ewc"]).decision == "promote"
    before = registry.state(name)
    assert before.prequential.models and before.memory.importance
    registry.forget(name, points(200, OLD, seed=3)[:5], retrain=True, why="request 17")
    after = registry.state(name)
    assert not after.prequential.models and not after.standing and not after.memory.importance
    assert after.control == before.control  # a deletion gives no error budget back


def test_who_waits_for_approval_waits_no_more(registry, brought_in):
    name = brought_in()
    assert registry.update(name, points(600, seed=4), strategies="retrain", approve=True).candidate == 2
    registry.forget(name, points(200, OLD, seed=3)[:5], retrain=True, why="request 17")
    with pytest.raises(RegistryError, match="no longer waits"):
        registry.approve(name, why="too late")


def test_rows_of_the_anchor_set_alone_leave_the_model_as_it_is(registry, name):
    past, kept = points(300, OLD, seed=3), points(100, OLD, seed=5)
    registry.init(name, fitted(RandomForestClassifier(10), past), past, target="label", anchor=kept)
    done = registry.forget(name, kept[:30], why="request 17")
    assert (done.how, done.learned, done.anchored, done.anchor_rows) == ("unlearned", 0, 30, 70)
    assert len(registry.state(name).anchor.use_counts) == 70 and len(registry.state(name).memory) == 300
    assert "never learned them" in str(done)


# ------------------------------------------------------------------------------------- what is asked


def test_rows_that_were_never_learned_change_nothing_and_are_shown(registry, learned):
    name, past, _ = learned
    events = len(registry.history(name))
    mixed = pd.concat([past[:4], values(2, seed=99)])
    with pytest.raises(DataError, match=r"Of the 6 rows, 2 were not learned by version 2 .* row 5: a=-?\d.*label"):
        registry.forget(name, mixed, why="request 17")
    with pytest.raises(DataError, match="None of the 2 rows was learned"):
        registry.forget(name, mixed[4:], why="request 17")
    with pytest.raises(DataError, match="^The row .* was not learned by"):
        registry.forget(name, mixed[4:5], why="request 17")
    with pytest.raises(DataError, match="not learned"):  # memory holds all rows, so nobody's word is needed
        registry.forget(name, mixed, learned=True, why="request 17")
    assert (registry.champion(name), len(registry.history(name))) == (2, events)


def test_a_wrong_label_is_told_from_an_unknown_row(registry, forest):
    name, past = forest
    wrong = past[:1].assign(label=1 - past.label[:1])
    with pytest.raises(DataError, match=f"Its features are known with the label {past.label[0]}"):
        registry.forget(name, wrong, keep_model=True, why="request 17")


def test_rows_come_through_the_same_door_as_those_of_an_update(registry, learned, tmp_path):
    name, past, _ = learned
    past[:3].to_csv(tmp_path / "gone.csv", index=False)
    with pytest.raises(DataError, match="label"):
        registry.forget(name, past[:3].drop(columns="label"), why="request 17")
    assert registry.forget(name, tmp_path / "gone.csv", why="request 17").learned == 3


def test_numbers_that_lost_their_last_digits_on_the_way_are_known_all_the_same(registry, learned):
    name, past, new = learned
    gone = pd.concat([past[:30], new[:30]])
    near = gone * (1 + np.random.default_rng(0).uniform(-4e-16, 4e-16, gone.shape))
    assert not np.isin(keys_of(registry, name, near), held(registry, name)).all()
    done = registry.forget(name, near, why="request 17")
    assert done.learned + done.anchored == 60
    assert not np.isin(keys_of(registry, name, gone), held(registry, name)).any()
    with pytest.raises(DataError, match="was not learned"):
        registry.forget(name, past[30:31] * (1 + 1e-6), why="request 17")


def test_options_that_do_not_go_together_are_named(registry, learned):
    name, past, _ = learned
    with pytest.raises(UsageError, match="give one of them"):
        registry.forget(name, past[:3], retrain=True, keep_model=True, why="request 17")
    with pytest.raises(UsageError, match="forgets exactly, without training; leave --keep-model out"):
        registry.forget(name, past[:3], keep_model=True, why="request 17")
    with pytest.raises(UsageError, match="recorded with its reason"):
        registry.forget(name, past[:3], why=" ")


# --------------------------------------------------------------------- more rows than memory keeps


@pytest.fixture
def large(registry, name):
    """A memory that has let rows go: its sums hold all of them."""
    past = values(900, seed=1)
    registry.init(name, analytic_champion(past), past, target="label", gate=EASY)
    registry.update(name, values(4500, seed=2), strategies=[HEAD])
    registry.update(name, values(3000, seed=3), strategies=[HEAD])
    memory = registry.state(name).memory
    assert memory.threshold < 1.0 and len(memory) < memory.seen == float(memory.statistics["rows"])
    return name, past


def test_rows_that_memory_let_go_need_a_word_and_then_leave_the_sums(registry, large):
    name, past = large
    before = registry.state(name).memory
    known = np.isin(keys_of(registry, name, past), row_keys(before.rows))
    gone = pd.concat([past[~known][:20], past[known][:5]])
    with pytest.raises(DataError, match=r"Of the 25 rows, 20 were not found .* of the 7,\d+ rows .* --learned"):
        registry.forget(name, gone, why="request 17")
    done = registry.forget(name, gone, learned=True, why="request 17")
    after = registry.state(name).memory
    assert (done.how, done.learned, done.unremembered, done.complete) == ("exact", 5, 20, False)
    assert float(after.statistics["rows"]) == after.seen == before.seen - 25
    x = registry.load(name).steps[0][1].transform(gone.drop(columns="label"))
    left = before.statistics["cross"][:, 0] - x.T @ gone.label.to_numpy()
    assert np.allclose(after.statistics["cross"][:, 0], left)


def test_a_row_given_more_often_than_it_is_remembered_needs_a_word_too():
    rows = Batch(np.arange(6.0)[:, None], np.arange(6.0))
    state = State(Memory(rows, np.full(6, 0.1), 0.5, 12))
    twice = rows.take([0, 0, 1])
    with pytest.raises(DataError, match="Of the 3 rows, 1 was not found"):
        find_rows(twice, state, trusted=False, who="version 1")
    found = find_rows(twice, state, trusted=True, who="version 1")
    assert (found.learned.sum(), len(found.unremembered)) == (2, 1)
    whole = State(Memory(rows, np.full(6, 0.1), 1.0, 6))
    assert len(find_rows(twice, whole, trusted=False, who="version 1").unremembered) == 0


def test_sums_whose_weights_nobody_knows_are_not_guessed_at(registry, large):
    name, past = large
    registry.update(name, values(600, seed=4), strategies=[HEAD.replace(weight=8.0)])
    known = past[np.isin(keys_of(registry, name, past), row_keys(registry.state(name).memory.rows))]
    with pytest.raises(ModelError, match="cannot forget these rows exactly: how often its statistics contain them"):
        registry.forget(name, known[:5], why="request 17")
    gone = pd.concat([known[:5], values(3, seed=99)])  # nobody can tell that the three were not learned and let go
    done = registry.forget(name, gone, retrain=True, learned=True, why="request 17")
    assert (done.how, done.learned, done.unremembered, done.complete) == ("retrain", 5, 3, False)
    assert "Learned, as you say, and dropped from memory before: 3 rows." in str(done)


# -------------------------------------------------------------------------------- history, going back


def test_the_history_tells_of_it_and_nothing_of_the_rows(registry, learned):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17", user="ann")
    event = registry.history(name)[0]
    assert (event["kind"], event["decision"], event["user"], event["why"]) == ("forget", "forgot", "ann", "request 17")
    assert (event["version_before"], event["version_after"], event["rows"]["forgotten"]) == (2, 3, 3)
    assert event["strategy"] == "3 rows: head solved without them" and event["source"] == ""
    assert registry.show(name)["came_live"]["how"] == "forgot"


def test_going_back_to_before_a_deletion_must_be_asked_for(registry, learned):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17")
    for step in (
        lambda **more: registry.rollback(name, why="oops", **more),
        lambda **more: registry.rollback(name, to=1, why="oops", **more),
        lambda **more: registry.promote(name, 2, why="oops", **more),
    ):
        with pytest.raises(RegistryError, match=r"is from before event 3, where 3 rows were deleted.*--bring-back"):
            step()
    with pytest.raises(RegistryError, match="is from before event 3"):
        registry.shadow_start(name, 2)
    assert registry.rollback(name, why="oops", bring_back=True) == 2
    assert registry.history(name)[0]["strategy"] == "brings back the rows of event 3"
    assert registry.promote(name, 3, why="on again") == 3  # that deletes them again, so nobody is asked


def test_going_back_among_versions_from_after_a_deletion_asks_for_nothing(registry, learned):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17")
    registry.update(name, values(300, seed=4), strategies=[HEAD])
    assert registry.rollback(name, why="worse") == 3
    registry.forget(name, past[3:6], why="request 18")
    with pytest.raises(RegistryError, match="from before event 6,"):
        registry.rollback(name, to=4, why="oops")
    with pytest.raises(RegistryError, match="from before events 3 and 6, where 6 rows"):
        registry.rollback(name, to=2, why="oops")


# ------------------------------------------------------------------------------------------- purging


def holding_files(root, name, numbers):
    """Tables of a name that hold any of these numbers."""
    found = []
    for path in sorted((root / "artifacts" / name).rglob("*")):
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            found += [path] if np.isin(frame.select_dtypes("float").to_numpy(), numbers).any() else []
    return found


def test_a_purge_leaves_no_file_with_the_rows_and_says_so_to_whoever_asks(registry, shared_store, learned):
    name, past, new = learned
    gone = pd.concat([past[:3], new[:3]])
    registry.forget(name, gone, why="request 17")
    numbers = gone.to_numpy().ravel()
    assert holding_files(shared_store, name, numbers)
    done = registry.purge(name, why="request 17", user="ann")
    assert not holding_files(shared_store, name, numbers)
    assert not list((shared_store / "artifacts" / name).rglob("*.html"))
    assert (done.versions, done.events, done.live) == ((1, 2), (1, 2), 3)
    for ask in (
        lambda: registry.rollback(name, why="oops", bring_back=True),
        lambda: registry.promote(name, 1, why="oops", bring_back=True),
        lambda: registry.predict(name, past.drop(columns="label"), version=2),
        lambda: registry.show(name, 2),
    ):
        with pytest.raises(
            RegistryError, match=r"is gone for good: its files were deleted in purge 4 \(by ann: request"
        ):
            ask()
    with pytest.raises(RegistryError, match=r"'report.html' of event 2 .* deleted for good in purge 4"):
        registry.report(name, shared_store / "page.html")
    assert [v.status for v in registry.store.versions(name)] == ["purged", "purged", "live"]
    assert registry.update(name, values(300, seed=4), strategies=[HEAD]).decision == "promote"
    assert registry.rollback(name, why="worse") == 3


def test_a_purge_needs_a_deletion_that_the_live_version_knows_of(registry, learned):
    name, past, _ = learned
    with pytest.raises(RegistryError, match="No row of .* was deleted, so there is nothing to purge"):
        registry.purge(name, why="request 17")
    registry.forget(name, past[:3], why="request 17")
    registry.rollback(name, why="oops", bring_back=True)
    with pytest.raises(RegistryError, match=r"which is live, is from before event 3, .*--version 3"):
        registry.purge(name, why="request 17")


def test_a_purge_keeps_what_came_after_and_takes_what_brought_rows_back(registry, learned):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17")
    registry.rollback(name, why="oops", bring_back=True)
    registry.update(name, values(300, seed=4), strategies=[HEAD])  # version 4 learned them again
    registry.promote(name, 3, why="on again")
    registry.update(name, values(300, seed=5), strategies=[HEAD])  # version 5 did not
    spent = registry.state(name).control
    done = registry.purge(name, why="request 17")
    assert (done.versions, done.live) == ((1, 2, 4), 5)
    assert registry.rollback(name, why="still there") == 3
    assert registry.state(name).control == spent


def test_an_interrupted_purge_is_ended_by_another(registry, learned, monkeypatch):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17")
    with monkeypatch.context() as patch:
        patch.setattr(Client, "delete_artifacts", broken)
        with pytest.raises(RegistryError, match="disk"):
            registry.purge(name, why="request 17")
    with pytest.raises(RegistryError, match="which was interrupted; end it with: incumbent purge"):
        registry.rollback(name, why="oops", bring_back=True)
    done = registry.purge(name, why="request 17")
    assert done.events == (1, 2) and registry.champion(name) == 3
    assert [event["status"] for event in registry.history(name)[:2]] == ["done", "failed"]


def broken(self, uri, path):
    raise RegistryError("The disk broke.")


# ------------------------------------------------------------------------------------------- crashes


@pytest.mark.slow
def test_a_kill_at_any_write_leaves_the_old_champion_whole_or_the_new_one(registry, learned, monkeypatch):
    name, past, _ = learned
    gone, seen = past[:7], []
    keys = keys_of(registry, name, gone)
    for writes in itertools.count():
        events = len(registry.history(name))
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            try:
                registry.forget(name, gone, why="request 17")
                ended = True
            except Killed:
                ended = False
        there = np.isin(keys, held(registry, name))
        live = registry.champion(name)
        assert there.all() if live == 2 else not there.any(), writes
        newest = registry.history(name)[0]
        if len(registry.history(name)) > events:
            assert newest["status"] == ("interrupted" if live == 2 else "done")
        seen.append(live != 2)
        if live != 2:
            break
        assert not ended
    assert seen.count(False) > 5 and seen[-1]
    assert registry.forget(name, past[7:9], why="request 18").how == "exact"  # and life goes on


@pytest.mark.slow
def test_a_purge_that_is_killed_at_any_write_leaves_what_is_live_alone(registry, learned, monkeypatch):
    name, past, _ = learned
    registry.forget(name, past[:3], why="request 17")
    before, memory = layer(registry, name), held(registry, name)
    for writes in itertools.count():
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            try:
                registry.purge(name, why="request 17")
                ended = True
            except Killed:
                ended = False
        assert registry.champion(name) == 3 and (layer(registry, name) == before).all(), writes
        assert sorted(held(registry, name)) == sorted(memory)
        if ended:
            break
    assert writes > 5
    assert [v.status for v in registry.store.versions(name)] == ["purged", "purged", "live"]
    assert registry.history(name)[0]["status"] == "done"


def test_a_deletion_that_fails_on_the_way_changes_nothing(registry, forest, monkeypatch):
    name, past = forest
    monkeypatch.setattr(RandomForestClassifier, "fit", lambda *rest, **more: 1 / 0)
    with pytest.raises(
        ModelError, match=r"could not be trained again on the \d+ rows that are left: ZeroDivisionError"
    ):
        registry.forget(name, past[:9], retrain=True, why="request 17")
    assert registry.champion(name) == 1 and registry.history(name)[0]["status"] == "failed"
    assert np.isin(keys_of(registry, name, past[:9]), held(registry, name)).all()


# ---------------------------------------------------------------------------------------------- nets


def test_a_net_forgets_by_its_head_or_from_the_ground_up(registry, name):
    torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(700, 4)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    registry.init(name, net, (x[:400], y[:400]), gate=EASY)
    gone = (x[:20], y[:20])
    with pytest.raises(ModelError, match="cannot forget exactly"):
        registry.forget(name, gone, why="request 17")
    assert registry.update(name, (x[400:], y[400:]), strategies=[Analytic(32)]).decision == "promote"
    before = registry.load(name)[0].weight.detach().numpy().copy()
    assert registry.forget(name, gone, why="request 17").how == "exact"
    assert (registry.load(name)[0].weight.detach().numpy() == before).all()  # what lies below the head stays
    done = registry.forget(name, (x[20:40], y[20:40]), retrain=True, why="request 18")
    assert (done.how, done.learned) == ("retrain", 20)
    assert (registry.load(name)[0].weight.detach().numpy() != before).any()
    late = rng.normal(size=(300, 4)).astype(np.float32)
    outcome = registry.update(name, (late, (late[:, 0] * late[:, 1] > 0).astype(int)), strategies=[Analytic(32)])
    assert outcome.decision == "promote", outcome.challengers[0].error
