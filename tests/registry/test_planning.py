"""Plans of a registered model, from what its updates recorded or from the champion alone; labels that feed it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from incumbent import Gate
from incumbent.errors import RegistryError, SchemaError, UsageError
from rows import NAMES, NEW, fitted, points, values


def test_before_any_update_the_champion_alone_is_what_is_known(registry, brought_in):
    name = brought_in(anchor=points(300, seed=9), gate=Gate(tolerance=0.02))
    plan = registry.plan(name, gain=0.02)
    errors = 1.0 - registry.evaluate(name, points(300, seed=9))["accuracy"]
    assert plan.assumed and plan.last_batch == 0
    assert plan.new.known.differences.differing == pytest.approx(
        2 * errors, rel=0.1
    )  # the check dropped a few rows at most
    assert "not trained on" in str(plan) and plan.old.have > 0


def test_after_an_update_a_plan_rests_on_what_was_seen(registry, brought_in):
    name = brought_in(anchor=points(300, seed=9), gate=Gate(tolerance=0.02))
    outcome = registry.update(name, points(400, seed=4), strategies="retrain")
    plan = registry.plan(name, gain=0.02, power=0.9)
    new = outcome.comparisons["new"].paired
    differ = np.mean((new.champion.label == new.y) != (new.challenger.label == new.y))
    assert not plan.assumed and plan.last_batch == 400
    assert plan.new.known.differences.differing == pytest.approx(differ, abs=1.5 / len(new))
    assert plan.old.known.updates == 1 and plan.old.use == registry.state(name).anchor.next_use
    assert registry.plan(name, metric="brier").new.known.updates == 1


def test_a_plan_is_made_at_the_level_that_the_next_update_has(registry, brought_in):
    name = brought_in(gate=Gate(tolerance=None, error_control="fwer"))
    first = registry.plan(name).new.alpha
    registry.update(name, points(400, seed=4), strategies="retrain")
    assert registry.plan(name).new.alpha < first < 0.01


def test_a_dry_run_records_nothing_to_plan_from(registry, brought_in):
    name = brought_in()
    registry.update(name, points(400, seed=4), strategies="retrain", dry_run=True)
    assert registry.plan(name).assumed


def test_a_regression_is_planned_in_shares_of_its_loss(registry, brought_in):
    past = values(300, seed=3)
    name = brought_in(fitted(Ridge(), past[:10]), task="regression")
    registry.update(name, values(400, seed=4), strategies="retrain")
    plan = registry.plan(name, gain=0.05)
    assert plan.metric == "rmse" and plan.new.known.differences.scale > 0 and "of the champion's mean loss" in str(plan)


def test_of_a_score_without_losses_nothing_can_be_guessed(registry, brought_in):
    name = brought_in()
    with pytest.raises(UsageError, match="No update of this model recorded"):
        registry.plan(name, metric="f1")
    registry.update(name, points(400, seed=4), strategies="retrain", metric="f1")
    assert not registry.plan(name, metric="f1").assumed


def test_a_gate_that_refreshes_is_told_apart(registry, brought_in):
    assert "routine retraining needs none of these rows" in str(registry.plan(brought_in(gate=Gate.refresh())))


# ------------------------------------------------------------------------------------------ labels


@pytest.fixture
def with_challenger(registry, brought_in):
    """A model with a challenger that was not promoted and stands."""
    name = brought_in(gate=Gate(tolerance=None, min_gain=0.5))
    registry.update(name, points(400, NEW, seed=4), strategies="retrain")
    return name


def test_rows_to_label_are_those_on_which_the_standing_challenger_differs(registry, with_challenger):
    pool = points(2000, NEW, seed=6)[NAMES]
    chosen = registry.label(with_challenger, pool, budget=100, uniform=0.0)
    first, second = (registry.predict(with_challenger, chosen.frame, version=v)["prediction"] for v in (1, 2))
    assert (chosen.champion, chosen.challenger) == (1, 2) and (first != second).all()
    assert list(chosen.frame.columns) == [*NAMES, "weight"] and len(chosen.frame) == 100
    assert chosen.labels.labels_saved > 0


def test_the_challenger_can_be_named_and_there_must_be_one(registry, with_challenger, brought_in):
    pool = points(500, seed=6)[NAMES]
    assert registry.label(with_challenger, pool, budget=50, version=2).challenger == 2
    with pytest.raises(RegistryError, match="is the champion"):
        registry.label(with_challenger, pool, budget=50, version=1)
    registry.promote(with_challenger, 2, why="so that none stands")
    with pytest.raises(RegistryError, match="Name the version"):
        registry.label(with_challenger, pool, budget=50)


def test_columns_of_weights_do_not_overwrite_others(registry, with_challenger):
    pool = points(500, seed=6)[NAMES].assign(weight=1.0)
    with pytest.raises(UsageError, match="a column 'weight' already"):
        registry.label(with_challenger, pool, budget=50)
    assert "share" in registry.label(with_challenger, pool, budget=50, weight="share").frame


def test_an_update_reads_the_weights_and_its_gain_is_that_of_all_rows(registry, with_challenger):
    pool = points(6000, NEW, seed=6)
    chosen = registry.label(with_challenger, pool[NAMES], budget=1500, seed=1)
    labelled = chosen.frame.assign(label=pool["label"].to_numpy()[chosen.labels.at])
    told = registry.update(with_challenger, labelled, strategies="retrain", weight="weight", dry_run=True)
    plain = registry.update(with_challenger, labelled, strategies="retrain", dry_run=True)
    truth = registry.evaluate(with_challenger, pool)["accuracy"]
    right, wrong = (outcome.comparisons["new"].champion["accuracy"] for outcome in (told, plain))
    assert abs(right - truth) < 0.05 < abs(wrong - truth)
    assert any("weights the rows" in finding.text for finding in told.check.findings)


def test_weights_are_scaled_to_a_mean_of_one_so_that_old_rows_keep_theirs(registry, brought_in):
    name = brought_in()
    heavy = points(300, seed=4).assign(counts=np.where(np.arange(300) % 2, 30.0, 10.0))
    registry.update(name, heavy, strategies="retrain", weight="counts")
    weight = registry.state(name).memory.rows.weight
    assert set(np.round(weight, 6)) == {0.5, 1.0, 1.5}


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ([-1.0, 2.0], "a weight of 0 or more"),
        ([np.nan, 2.0], "a weight of 0 or more"),
        (["heavy", "light"], "a weight of 0 or more"),
        ([0.0, 0.0], "no row counts"),
    ],
)
def test_weights_that_are_none_are_refused(registry, brought_in, column, says):
    rows = points(40, seed=4).assign(counts=column * 20)
    with pytest.raises(SchemaError, match=says):
        registry.update(brought_in(), rows, weight="counts")


def test_a_column_of_weights_that_is_not_there_or_is_something_else_is_refused(registry, brought_in):
    name, rows = brought_in(), points(40, seed=4)
    with pytest.raises(SchemaError, match="lacks the weight column 'wieght'"):
        registry.update(name, rows.assign(weight=1.0), weight="wieght")
    with pytest.raises(SchemaError, match="has another role"):
        registry.update(name, rows, weight="label")


def test_a_model_whose_updates_are_older_than_the_record_is_planned_from_the_champion(
    registry, brought_in, monkeypatch
):
    name = brought_in()
    with monkeypatch.context() as older:
        older.setattr("incumbent.registry._update.keep_differences", lambda *_: None)
        registry.update(name, points(400, seed=4), strategies="retrain")
    plan = registry.plan(name)
    assert plan.assumed and plan.last_batch == 400
