"""How many rows an update needs: what is said to be enough is enough, and no more than that."""

import json

import numpy as np
import pytest

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import UsageError
from incumbent.evidence import PairedVariance, compare, gain, paired_variance, rows_needed, smallest_gain
from incumbent.metrics import AUC, MAE, RMSE, Accuracy, Brier, LogLoss
from incumbent.planning import VarianceEstimate, bound_from_champion, make_plan, pool_updates, record

SEEN = VarianceEstimate(PairedVariance(750, 0.12, 0.12), 3, "seen in 3 updates, 750 rows")


def pair(rows, wins, losses, *, seed=0, **options):
    """Right and wrong on rows that are independent: each is won or lost with these probabilities."""
    draw = np.random.default_rng(seed).random(rows)
    champion, challenger = np.where(draw < wins, 0, 1), np.where(draw > 1 - losses, 0, 1)
    return PairedPredictions(np.ones(rows, dtype=int), Prediction(champion), Prediction(challenger), **options)


def values(rows, *, seed=0, **options):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=rows)
    two = (Prediction(y + rng.normal(size=rows)), Prediction(y + 0.9 * rng.normal(size=rows)))
    return PairedPredictions(y, *two, **options)


# ------------------------------------------------------------------------------------- the spread


def test_right_and_wrong_need_the_rows_that_the_verdict_says():
    seen = pair(800, 0.06, 0.04)
    known = paired_variance(seen, Accuracy())
    for wanted in (0.005, 0.02, 0.1):
        assert known.rows_for(wanted, alpha=0.05, power=0.8) == rows_needed(seen, Accuracy(), wanted, 0.05, 0.8)
    assert known.gain_for(800, alpha=0.05, power=0.8) == smallest_gain(seen, Accuracy(), 0.05, 0.8)


@pytest.mark.parametrize("metric", [RMSE(), MAE()], ids=lambda metric: metric.name)
def test_other_losses_need_about_the_rows_that_the_verdict_says(metric):
    seen = values(2000, clip=6.0)
    wanted = 0.5 * gain(seen, metric, alpha=0.05).value
    needed = paired_variance(seen, metric).rows_for(wanted, alpha=0.05, power=0.8)
    assert needed == pytest.approx(rows_needed(seen, metric, wanted, 0.05, 0.8), rel=0.1)


def test_scores_without_a_loss_for_each_row_are_planned_from_their_bounds():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=1000)
    proba = [np.clip(0.3 + 0.4 * y + noise * rng.normal(size=1000), 0, 1) for noise in (0.4, 0.3)]
    two = [Prediction((p > 0.5).astype(int), np.column_stack([1 - p, p]), np.array([0, 1])) for p in proba]
    both = PairedPredictions(y, *two)
    found = gain(both, AUC(), alpha=0.05)
    needed = paired_variance(both, AUC(), interval=found).rows_for(0.01, alpha=0.05, power=0.8)
    assert needed == pytest.approx(rows_needed(both, AUC(), 0.01, 0.05, 0.8, interval=found), rel=0.1)


def test_rows_that_cling_together_count_as_fewer():
    seen = pair(900, 0.1, 0.1)
    groups = np.repeat(np.arange(90), 10)
    clung = PairedPredictions(seen.y, seen.champion.take(groups * 10), seen.challenger.take(groups * 10), block=groups)
    assert paired_variance(clung, Accuracy()).differing is None
    alone, together = (
        paired_variance(each, Accuracy()).rows_for(0.02, alpha=0.05, power=0.8) for each in (seen, clung)
    )
    assert together > 3 * alone


def test_a_gain_that_is_none_is_never_shown_and_no_rows_show_nothing():
    assert SEEN.differences.rows_for(0.0, alpha=0.05, power=0.8) is None
    assert SEEN.differences.gain_for(0, alpha=0.05, power=0.8) == np.inf
    assert paired_variance(pair(0, 0.1, 0.1), Accuracy()) is None


def test_a_plan_goes_back_and_forth_between_rows_and_gain():
    for known in (SEEN.differences, PairedVariance(500, 0.3, worst=2.0)):
        rows = known.rows_for(0.03, alpha=0.01, power=0.9)
        assert known.gain_for(rows, alpha=0.01, power=0.9) == pytest.approx(0.03, rel=2e-3)


# --------------------------------------------------------------------------------------- the plan


@pytest.mark.slow
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_as_many_rows_as_planned_show_the_gain_as_often_as_asked(power):
    plan = make_plan("m", "accuracy", gain=0.03, power=power, alpha=0.05, new=SEEN)
    shown = [
        gain(pair(plan.gate_rows, 0.075, 0.045, seed=seed), Accuracy(), alpha=0.05).lower > 0 for seed in range(600)
    ]
    assert np.mean(shown) == pytest.approx(power, abs=0.06)


def test_old_rows_are_counted_at_their_own_level_and_those_that_are_there_taken_off():
    settings = dict(gain=0.02, power=0.8, alpha=0.05, new=SEEN, tolerance=0.01, old=SEEN, old_rows=1000, old_room=3750)
    first = make_plan("m", "accuracy", old_alpha=0.0304, **settings)
    third = make_plan("m", "accuracy", old_alpha=0.0034, use=3, **settings)
    assert first.old.rows == SEEN.differences.rows_for(0.01, alpha=0.0304, power=0.8)
    assert third.old.rows > first.old.rows and first.old.missing == first.old.rows - 1000
    assert "use 3 of these rows" in str(third) and "1,000 are there" in str(third)


def test_min_gain_is_no_gain_and_a_tolerance_of_nothing_is_never_shown():
    plain = make_plan("m", "accuracy", gain=0.02, power=0.8, alpha=0.05, new=SEEN)
    asked = make_plan(
        "m",
        "accuracy",
        gain=0.03,
        power=0.8,
        alpha=0.05,
        new=SEEN,
        min_gain=0.01,
        tolerance=0.0,
        old=SEEN,
        old_alpha=0.03,
    )
    assert asked.gate_rows == plain.gate_rows and plain.old is None
    assert asked.old.rows is None and "nothing at all was lost" in str(asked)


def test_a_batch_is_four_times_its_gate_rows_or_less_where_learned_rows_judge_too():
    settings = dict(gain=0.02, power=0.8, alpha=0.05, new=SEEN)
    plain, folded = (make_plan("m", "accuracy", test_fraction=share, **settings) for share in (0.25, 0.85))
    assert plain.batch_rows == 4 * plain.gate_rows and folded.batch_rows == np.ceil(plain.gate_rows / 0.85)
    assert "60/15/25" in str(plain) and "crossfit" in str(folded)


def test_a_relative_loss_is_planned_in_shares_of_the_champions():
    known = VarianceEstimate(PairedVariance(500, 4.0, None, scale=10.0), 1, "seen")
    plan = make_plan("m", "rmse", gain=0.01, power=0.8, alpha=0.05, new=known)
    assert plan.gate_rows == known.differences.rows_for(0.1, alpha=0.05, power=0.8)
    assert "1 % of the champion's mean loss" in str(plan)


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"gain": 0.0}, "above its min_gain of 0"), ({"gain": np.inf}, "could show"), ({"power": 1.0}, "in \\(0, 1\\)")],
)
def test_a_gain_or_a_power_that_means_nothing_is_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        make_plan("m", "accuracy", **{"gain": 0.01, "power": 0.8, "alpha": 0.05, "new": SEEN} | changes)


def test_a_plan_is_plain_json_and_lines_that_fit():
    plan = make_plan("m", "accuracy", gain=0.01, power=0.8, alpha=0.05, new=SEEN, last_batch=400)
    told = json.loads(json.dumps(plan.to_dict()))
    assert (told["gate_rows"], told["new"]["differing"], told["old"]) == (plan.gate_rows, 0.12, None)
    assert told["smallest_gain"] == pytest.approx(SEEN.differences.gain_for(100, alpha=0.05, power=0.8))
    assert max(map(len, str(plan).splitlines())) <= 120


# ------------------------------------------------------------------------------- what it starts from


def comparisons(paired, metric, task):
    return {"new": compare("new", paired, metric, alpha=0.05, task=task)}


def test_an_update_records_every_loss_that_a_later_plan_may_ask_for():
    rng = np.random.default_rng(0)
    proba = rng.random((200, 2, 1))
    two = [
        Prediction((p > 0.5).astype(int)[:, 0], np.hstack([1 - p, p]), np.array([0, 1])) for p in proba.swapaxes(0, 1)
    ]
    told = record(
        comparisons(PairedPredictions(rng.integers(2, size=200), *two), AUC(), "classification"),
        AUC(),
        task="classification",
    )
    assert set(told["new"]) == {"auc", "accuracy", "brier", "log_loss"}
    assert json.loads(json.dumps(told)) == told
    labels = pair(200, 0.1, 0.1)
    told = record(comparisons(labels, Accuracy(), "classification"), Accuracy(), task="classification")
    assert set(told["new"]) == {"accuracy"}
    told = record(comparisons(values(200), RMSE(), "regression"), RMSE(), task="regression")
    assert set(told["new"]) == {"rmse", "mae"}


def test_updates_are_pooled_by_rows_and_of_what_nobody_recorded_nothing_is_known():
    told = [
        record(comparisons(pair(rows, share, share), Accuracy(), "classification"), Accuracy(), task="classification")
        for rows, share in ((100, 0.2), (900, 0.05))
    ]
    known = pool_updates(told, "accuracy", "new")
    shares = [each["new"]["accuracy"]["differing"] for each in told]
    assert known.differences.differing == pytest.approx(0.1 * shares[0] + 0.9 * shares[1])
    assert known.updates == 2 and "2 updates, 1,000 rows" in known.text
    assert pool_updates(told, "brier", "new") is None and pool_updates(told, "accuracy", "anchor") is None
    assert pool_updates([], "accuracy", "new") is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("metric", [Accuracy(), Brier(), LogLoss()], ids=lambda metric: metric.name)
def test_the_guess_is_no_less_than_models_as_good_as_the_champion_differ(metric, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=5000)
    said = []
    for _ in range(2):  # errors of two models that have nothing to do with each other
        p = np.clip(np.where(y == 1, 0.7, 0.3) + 0.25 * rng.normal(size=5000), 0.01, 0.99)
        said.append(Prediction((p > 0.5).astype(int), np.column_stack([1 - p, p]), np.array([0, 1])))
    known, truth = (
        bound_from_champion(PairedPredictions(y, said[0], said[0]), metric, seen=False),
        paired_variance(PairedPredictions(y, *said), metric),
    )
    assert known.differences.variance >= 0.95 * truth.variance
    assert known.differences.differing is None or known.differences.differing >= truth.differing - 0.02


def test_the_guess_says_that_it_is_one_and_what_it_rests_on():
    both = pair(400, 0.1, 0.0)
    unseen, seen = (bound_from_champion(both, Accuracy(), seen=seen) for seen in (False, True))
    assert unseen.assumed and "not trained on" in unseen.text and "too low" in seen.text
    assert "Assumed: no update is recorded" in str(
        make_plan("m", "accuracy", gain=0.01, power=0.8, alpha=0.05, new=unseen)
    )
    assert bound_from_champion(both, AUC(), seen=False) is None


def test_a_champion_that_was_never_seen_to_err_is_not_taken_for_perfect():
    assert bound_from_champion(pair(99, 0.0, 0.0), Accuracy(), seen=False).differences.differing == pytest.approx(0.02)
