"""The gain: the right test for the rows, sound where there is nothing to see, and level kept."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from incumbent.core import PairedPredictions, Prediction
from incumbent.evidence import (
    clopper_pearson_upper,
    compare,
    gain,
    negative_flip_rate,
    rows_needed,
    scale,
    smallest_gain,
)
from incumbent.evidence._bootstrap import _sorted, _weights
from incumbent.evidence._mean import mean_bounds
from incumbent.metrics import (
    AUC,
    F1,
    MAE,
    R2,
    RMSE,
    Accuracy,
    BalancedAccuracy,
    Brier,
    CalibrationError,
    CostMatrix,
    LogLoss,
)

ALL = [Accuracy(), LogLoss(), Brier(), AUC(), F1(), BalancedAccuracy(), CostMatrix(((0, 1), (3, 0)))]


def equals(rows, rng, rate=0.3, noise=1.0):
    """Two models that are equally good and differ by chance."""
    y = (rng.random(rows) < rate).astype(int)
    base = rng.normal(size=rows) + 1.5 * y - 1.2

    def one():
        proba = 1 / (1 + np.exp(-(base + noise * rng.normal(size=rows))))
        return Prediction((proba > 0.5).astype(int), np.column_stack([1 - proba, proba]), np.array([0, 1]))

    return PairedPredictions(y, one(), one())


def counted(rows, wins, losses):
    """A pair of models with this many rows won and lost."""
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return PairedPredictions(y, Prediction(champion), Prediction(challenger))


def swapped(paired):
    return dataclasses.replace(paired, champion=paired.challenger, challenger=paired.champion)


def ceiling(runs, alpha=0.05):
    """The most false promotions that chance explains at level alpha."""
    return stats.binom.ppf(0.999, runs, alpha) / runs


# ---------------------------------------------------------------------------------------- which test


def test_right_or_wrong_is_mcnemar_and_with_a_margin_a_mean():
    paired = counted(1000, 30, 20)
    found = gain(paired, Accuracy(), alpha=0.05)
    assert (found.value, found.rows, found.alpha, found.test) == (0.01, 1000, 0.05, "exact McNemar")
    assert gain(paired, Accuracy(), alpha=0.05, margin=-0.01).test == "paired mean"


def test_other_losses_are_means_and_scores_are_bootstrapped():
    paired = equals(400, np.random.default_rng(0))
    assert gain(paired, LogLoss(), alpha=0.05).test == "paired mean"
    assert gain(paired, F1(), alpha=0.05).test == "paired bootstrap"
    clustered = dataclasses.replace(paired, block=np.arange(400) // 8)
    assert gain(clustered, Accuracy(), alpha=0.05).test == "paired mean by cluster"
    assert gain(clustered, AUC(), alpha=0.05).test == "paired bootstrap by cluster"


@pytest.mark.parametrize("metric", ALL, ids=lambda m: m.name)
def test_the_value_is_the_difference_of_the_scores(metric):
    paired = equals(300, np.random.default_rng(1))
    before, after = (metric.score(paired.y, said) for said in (paired.champion, paired.challenger))
    found = gain(paired, metric, alpha=0.05)
    assert found.value == pytest.approx((after - before) * (1 if metric.greater_is_better else -1))
    assert found.lower < found.value < found.upper


@pytest.mark.parametrize("metric", ALL, ids=lambda m: m.name)
def test_swapping_the_models_mirrors_the_gain(metric):
    paired = equals(500, np.random.default_rng(2))
    there, back = gain(paired, metric, alpha=0.05), gain(swapped(paired), metric, alpha=0.05)
    width = there.upper - there.lower
    assert back.value == pytest.approx(-there.value)
    assert (back.lower, back.upper) == pytest.approx((-there.upper, -there.lower), abs=0.08 * width)


@pytest.mark.parametrize("metric", ALL, ids=lambda m: m.name)
def test_an_identical_copy_is_never_better_and_more_rows_show_it_is_no_worse(metric):
    widths = []
    for rows in (50, 500, 5000):
        paired = equals(rows, np.random.default_rng(rows))
        found = gain(dataclasses.replace(paired, challenger=paired.champion), metric, alpha=0.05)
        assert found.value == 0.0 and found.lower < 0.0 < found.upper
        widths.append(-found.lower)
    assert widths[0] > 5 * widths[1] > 25 * widths[2]


def test_without_rows_or_with_one_row_nothing_is_known():
    for metric in (Accuracy(), F1()):
        none = gain(counted(0, 0, 0), metric, alpha=0.05)
        assert none.rows == 0 and (none.lower, none.upper) == (-math.inf, math.inf)
    one = gain(counted(1, 1, 0), Accuracy(), alpha=0.05)
    assert one.lower < 0 and one.value == 1.0
    y = np.array([1.0])
    reg = gain(PairedPredictions(y, Prediction(y + 1), Prediction(y), clip=2.0), RMSE(), alpha=0.05)
    assert reg.lower < 0 < reg.upper


def test_one_class_leaves_auc_unknown():
    said = Prediction(np.array([1, 1]), np.array([[0.2, 0.8], [0.4, 0.6]]), np.array([0, 1]))
    found = gain(PairedPredictions(np.array([1, 1]), said, said), AUC(), alpha=0.05)
    assert math.isnan(found.value) and found.lower == -math.inf


def test_a_constant_gain_is_not_taken_for_certain():
    y = np.zeros(200)
    found = gain(PairedPredictions(y, Prediction(y + 1.0), Prediction(y + 0.99), clip=9.0), MAE(), alpha=0.05)
    assert found.value == pytest.approx(0.01) and found.lower < 0


def test_a_prediction_that_is_no_number_is_never_better():
    y = np.random.default_rng(0).normal(size=300)
    broken = y.copy()
    broken[7] = np.nan
    for clip in (math.inf, 4.0):
        found = gain(PairedPredictions(y, Prediction(y + 0.1), Prediction(broken), clip=clip), RMSE(), alpha=0.05)
        assert found.lower < 0


def test_the_clip_bounds_what_one_row_can_do():
    rng = np.random.default_rng(0)
    y = rng.normal(size=2000)
    champion, challenger = Prediction(y + rng.normal(size=2000)), y + 0.8 * rng.normal(size=2000)
    challenger[0] += 1e4
    free = gain(PairedPredictions(y, champion, Prediction(challenger)), RMSE(), alpha=0.05)
    clipped = gain(PairedPredictions(y, champion, Prediction(challenger), clip=9.0), RMSE(), alpha=0.05)
    assert free.lower < 0 < clipped.lower


def test_scale_is_the_champions_mean_loss_where_the_loss_has_no_scale():
    y = np.array([0.0, 0.0, 0.0])
    paired = PairedPredictions(y, Prediction(np.array([1.0, 2.0, 30.0])), Prediction(y), clip=4.0)
    assert scale(paired, RMSE()) == pytest.approx((1 + 4 + 4) / 3)
    assert scale(paired, R2()) == 1.0
    assert scale(counted(4, 2, 0), Accuracy()) == 1.0
    assert scale(counted(4, 2, 0), CostMatrix(((0, 6), (3, 0)))) == 3.0


def test_a_relative_margin_carries_the_error_of_the_scale():
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    loud = PairedPredictions(y, Prediction(y + rng.normal(size=500)), Prediction(y + rng.normal(size=500)), clip=8.0)
    margin = -1.0 * scale(loud, RMSE())
    shifted = gain(loud, RMSE(), alpha=0.05, margin=margin)
    plain = gain(loud, RMSE(), alpha=0.05)
    d = np.minimum(np.square(loud.champion.label - y), 8), np.minimum(np.square(loud.challenger.label - y), 8)
    assert (shifted.value - shifted.lower) / (plain.value - plain.lower) == pytest.approx(
        np.std(2.0 * d[0] - d[1]) / np.std(d[0] - d[1]), rel=0.1
    )


# ---------------------------------------------------------------------------- weights, clusters, order


@pytest.mark.parametrize("metric", [Accuracy(), LogLoss(), F1(), AUC()], ids=lambda m: m.name)
def test_weights_are_respected(metric):
    paired = dataclasses.replace(equals(600, np.random.default_rng(3)), clip=5.0)
    weight = np.where(np.arange(600) < 300, 1.0, 0.0)
    first = np.arange(300)
    half = PairedPredictions(paired.y[first], paired.champion.take(first), paired.challenger.take(first), clip=5.0)
    weighted = gain(dataclasses.replace(paired, weight=weight), metric, alpha=0.05)
    expected = gain(half, metric, alpha=0.05)
    assert dataclasses.astuple(weighted) == pytest.approx(dataclasses.astuple(expected))
    same = gain(dataclasses.replace(paired, weight=np.full(600, 7.0)), metric, alpha=0.05)
    assert dataclasses.astuple(same) == dataclasses.astuple(gain(paired, metric, alpha=0.05))
    uneven = gain(dataclasses.replace(paired, weight=1.0 + 9.0 * (np.arange(600) % 2)), metric, alpha=0.05)
    assert uneven.upper - uneven.lower > 1.1 * (same.upper - same.lower)


@pytest.mark.parametrize("metric", [Accuracy(), Brier(), F1()], ids=lambda m: m.name)
def test_copies_of_a_row_in_one_cluster_are_no_new_evidence(metric):
    paired = equals(200, np.random.default_rng(4))
    at = np.repeat(np.arange(200), 10)
    copies = PairedPredictions(paired.y[at], paired.champion.take(at), paired.challenger.take(at), block=at)
    one, ten = gain(paired, metric, alpha=0.05), gain(copies, metric, alpha=0.05)
    naive = gain(dataclasses.replace(copies, block=None), metric, alpha=0.05)
    assert ten.upper - ten.lower == pytest.approx(one.upper - one.lower, rel=0.2)
    assert naive.upper - naive.lower < 0.5 * (ten.upper - ten.lower)


def test_a_cluster_more_lies_a_standard_deviation_off():
    rng = np.random.default_rng(0)
    y, block = np.zeros(300), np.repeat(np.arange(15), 20)
    d = np.repeat(rng.normal(0.05, 0.3, 15), 20)
    paired = PairedPredictions(
        y, Prediction(np.full(300, 2.0) + d), Prediction(np.full(300, 2.0)), block=block, clip=4.0
    )
    total = np.bincount(block, d)
    off = (total - total.mean()).std()
    assert off > 4.0  # more than one row can cost
    expected = mean_bounds(total, np.full(15, 20.0), worst=-off, best=off, alpha=0.05, few=True)
    found = gain(paired, MAE(), alpha=0.05)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-6)


def test_random_weights_keep_the_share_of_each_class():
    rng = np.random.default_rng(0)
    y = np.array(["b", "a", "b", "b", "c", "a"])
    paired = PairedPredictions(y, Prediction(y), Prediction(y))
    rows = _sorted(paired, AUC(), None, np.ones(6))
    (weight,) = _weights(rows, 50, rng)
    for label, size in (("a", 2), ("b", 3), ("c", 1)):
        assert weight[:, rows.y == label].sum(axis=1) == pytest.approx(size)
    assert np.ptp(weight[:, rows.y == "b"]) > 0.5


def test_a_score_of_which_less_is_better_gains_when_it_falls():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.95, 4000)
    y = (rng.random(4000) < truth).astype(int)
    sure = np.where(truth > 0.5, 0.99, 0.01)

    def said(p):
        return Prediction((p > 0.5).astype(int), np.column_stack([1 - p, p]), np.array([0, 1]))

    found = gain(PairedPredictions(y, said(sure), said(truth)), CalibrationError(), alpha=0.05)
    assert 0 < found.lower < found.value < found.upper


@pytest.mark.parametrize("metric", [Accuracy(), F1()], ids=lambda m: m.name)
def test_clusters_that_all_agree_still_leave_room_for_one_that_does_not(metric):
    paired = dataclasses.replace(equals(400, np.random.default_rng(0)), block=np.arange(400) // 10)
    found = gain(dataclasses.replace(paired, challenger=paired.champion), metric, alpha=0.05)
    assert found.lower < -1 / 400 and found.upper > 1 / 400


def test_one_cluster_proves_nothing():
    paired = dataclasses.replace(counted(500, 200, 0), block=np.zeros(500, dtype=int))
    for metric in (Accuracy(), F1()):
        assert gain(paired, metric, alpha=0.05).lower < 0


def test_ordered_rows_stay_mcnemar_unless_neighbours_are_alike():
    rng = np.random.default_rng(1)
    differ = rng.permutation(np.repeat([1, -1, 0], [40, 20, 940]))
    y = np.zeros(1000, dtype=int)

    def models(d):
        return PairedPredictions(y, Prediction((d > 0).astype(int)), Prediction((d < 0).astype(int)), ordered=True)

    mixed, runs = gain(models(differ), Accuracy(), alpha=0.05), gain(models(np.sort(differ)), Accuracy(), alpha=0.05)
    assert mixed.test == "exact McNemar" and mixed.lower > 0
    assert "in blocks of" in runs.test and runs.lower < mixed.lower


@pytest.mark.slow
@pytest.mark.parametrize("metric", [Accuracy(), MAE(), F1()], ids=lambda m: m.name)
def test_in_autocorrelated_streams_equal_models_are_seldom_promoted(metric):
    rng, rows, runs = np.random.default_rng(5), 600, 150 if metric.name != "f1" else 100
    found, naive = 0, 0
    for _ in range(runs):
        mood = np.repeat(rng.normal(size=rows // 15), 15)  # which of the two is right changes every 15 rows
        better = rng.random(rows) < 1 / (1 + np.exp(-3 * mood))
        differ = rng.random(rows) < 0.3
        y = rng.integers(0, 2, rows).astype(float if metric.name == "mae" else int)
        first, second = (np.where(differ & side, 1 - y, y) for side in (better, ~better))
        paired = PairedPredictions(y, Prediction(first), Prediction(second), ordered=True, clip=1.0)
        found += gain(paired, metric, alpha=0.05).lower > 0
        naive += gain(dataclasses.replace(paired, ordered=False), metric, alpha=0.05).lower > 0
    assert found / runs <= ceiling(runs)
    assert naive / runs > ceiling(runs)  # the streams are hard enough to tell


# ---------------------------------------------------------------------------------------------- level


@pytest.mark.parametrize("rows", [200, 2000, 20_000])
@pytest.mark.parametrize("differing", [0.01, 0.1, 0.4])
def test_equal_models_are_promoted_at_most_alpha_of_the_time(rows, differing):
    rng, runs = np.random.default_rng(rows), 4000
    counts = rng.multinomial(rows, [differing / 2, differing / 2, 1 - differing], size=runs)[:, :2]
    seen, times = np.unique(counts, axis=0, return_counts=True)
    passed = stats.binom.sf(seen[:, 0] - 1, seen.sum(axis=1), 0.5) <= 0.05
    assert float(np.average(passed, weights=times)) <= ceiling(runs)
    for at in range(0, len(seen), max(1, len(seen) // 5)):  # and the gain decides as the test does
        assert (gain(counted(rows, *seen[at]), Accuracy(), alpha=0.05).lower > 0) == passed[at]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [300, 3000])
@pytest.mark.parametrize("losing", [0.012, 0.05, 0.15])
def test_a_challenger_exactly_at_the_margin_passes_at_most_alpha_of_the_time(rows, losing):
    rng, runs, margin = np.random.default_rng(rows), 300, -0.01
    counts = rng.multinomial(rows, [losing + margin, losing, 1 - 2 * losing - margin], size=runs)[:, :2]
    seen, times = np.unique(counts, axis=0, return_counts=True)
    found = (gain(counted(rows, b, c), Accuracy(), alpha=0.05, margin=margin) for b, c in seen)
    passed = [each.lower > margin for each in found]
    assert float(np.average(passed, weights=times)) <= ceiling(runs)


@pytest.mark.parametrize("clip", [9.0, 100.0])
def test_heavy_tailed_regressions_keep_the_level(clip):
    rng, rows, runs = np.random.default_rng(0), 400, 1500
    passed = 0
    for _ in range(runs):
        y = np.zeros(rows)
        noise = rng.standard_t(3, size=(2, rows)) + rng.standard_t(3, size=rows)
        passed += (
            gain(PairedPredictions(y, Prediction(noise[0]), Prediction(noise[1]), clip=clip), RMSE(), alpha=0.05).lower
            > 0
        )
    assert passed / runs <= ceiling(runs)


def test_a_regression_exactly_at_its_relative_margin_keeps_the_level():
    rng, rows, runs, tolerance = np.random.default_rng(1), 400, 1500, 0.05
    passed = 0
    for _ in range(runs):
        y = np.zeros(rows)
        champion = rng.exponential(1.0, rows)
        paired = PairedPredictions(y, Prediction(champion), Prediction((1 + tolerance) * rng.permutation(champion)))
        margin = -tolerance * scale(paired, MAE())
        # losses are drawn afresh for the challenger, so that only their means are tied
        fresh = Prediction((1 + tolerance) * rng.exponential(1.0, rows))
        paired = dataclasses.replace(paired, challenger=fresh)
        passed += gain(paired, MAE(), alpha=0.05, margin=margin).lower > margin
    assert passed / runs <= ceiling(runs)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [150, 600])
@pytest.mark.parametrize("metric", [F1(), BalancedAccuracy(), AUC()], ids=lambda m: m.name)
def test_bootstrapped_scores_keep_the_level(metric, rows):
    rng, runs = np.random.default_rng(rows), 80 if metric.name == "auc" else 250
    passed = 0
    for _ in range(runs):
        found = gain(equals(rows, rng, rate=0.15), metric, alpha=0.05)
        passed += (found.lower > 0) + (found.upper < 0)  # both directions are the same experiment
    assert passed / (2 * runs) <= ceiling(2 * runs)


def test_a_recall_is_tested_on_its_class_as_mcnemar_would():
    from incumbent.metrics import Recall

    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [900, 40])
    champion, challenger = rng.integers(0, 2, 940), rng.integers(0, 2, 940)
    champion[900:], challenger[900:] = 1, 1
    champion[900:904] = 0  # four positives won, none lost: p = 1/16
    paired = PairedPredictions(y, Prediction(champion), Prediction(challenger))
    assert gain(paired, Recall(), alpha=0.05).lower < 0 < gain(paired, Recall(), alpha=0.08).lower


def test_the_same_seed_gives_the_same_bounds():
    paired = equals(300, np.random.default_rng(0))
    assert gain(paired, F1(), alpha=0.05, seed=1) == gain(paired, F1(), alpha=0.05, seed=1)
    assert gain(paired, F1(), alpha=0.05, seed=1) != gain(paired, F1(), alpha=0.05, seed=2)


# ------------------------------------------------------------------------------------- power, flips


@pytest.mark.parametrize(("rows", "differing"), [(500, 0.1), (2000, 0.05), (10_000, 0.2)])
def test_the_smallest_gain_is_shown_with_the_stated_probability(rows, differing):
    half = round(rows * differing / 2)
    smallest = smallest_gain(counted(rows, half, half), Accuracy(), 0.05)
    share = max(differing, smallest)
    rng = np.random.default_rng(0)
    counts = rng.multinomial(rows, [(share + smallest) / 2, (share - smallest) / 2, 1 - share], size=4000)
    power = np.mean(stats.binom.sf(counts[:, 0] - 1, counts[:, 0] + counts[:, 1], 0.5) <= 0.05)
    assert power == pytest.approx(0.8, abs=0.04)


def test_rows_needed_and_smallest_gain_are_each_others_inverse():
    paired = counted(2000, 60, 60)
    smallest = smallest_gain(paired, Accuracy(), 0.05)
    assert rows_needed(paired, Accuracy(), smallest, 0.05) == pytest.approx(2000, rel=0.01)
    assert rows_needed(paired, Accuracy(), smallest / 2, 0.05) > 3 * 2000
    assert rows_needed(paired, Accuracy(), 0.0, 0.05) is None
    other = equals(2000, np.random.default_rng(0))
    least = smallest_gain(other, LogLoss(), 0.05)
    assert rows_needed(other, LogLoss(), least, 0.05) == pytest.approx(2000, rel=0.01)


def test_the_smallest_gain_of_a_mean_is_shown_with_the_stated_probability():
    rng, rows = np.random.default_rng(0), 3000
    y = np.zeros(rows)

    def models(shift):
        return PairedPredictions(
            y, Prediction(5 + rng.normal(size=rows)), Prediction(5 - shift + rng.normal(size=rows)), clip=9.0
        )

    smallest = smallest_gain(models(0.0), MAE(), 0.05)
    power = np.mean([gain(models(smallest), MAE(), alpha=0.05).lower > 0 for _ in range(300)])
    assert power == pytest.approx(0.8, abs=0.08)


def test_where_nothing_differs_the_smallest_gain_is_what_five_wins_show():
    assert smallest_gain(counted(1000, 0, 0), Accuracy(), 0.05) >= 5 / 1000
    assert smallest_gain(counted(1000, 0, 0), Accuracy(), 0.05) < 12 / 1000
    assert smallest_gain(counted(0, 0, 0), Accuracy(), 0.05) == math.inf


def test_flips_are_bounded_by_clopper_pearson():
    found = negative_flip_rate(counted(1000, 30, 20), alpha=0.05)
    assert (found.value, found.upper) == (0.02, clopper_pearson_upper(20, 1000, alpha=0.05))
    clustered = negative_flip_rate(dataclasses.replace(counted(1000, 30, 20), block=np.arange(1000) // 20), alpha=0.05)
    assert clustered.upper > found.upper and clustered.lower <= clustered.value
    weighted = negative_flip_rate(
        dataclasses.replace(counted(1000, 30, 20), weight=np.where(np.arange(1000) < 40, 5.0, 1.0)), alpha=0.05
    )
    assert weighted.value == pytest.approx((10 * 5 + 10) / 1160) and weighted.upper > weighted.value
    assert negative_flip_rate(dataclasses.replace(counted(9, 3, 3), block=np.zeros(9)), alpha=0.05).upper == 1.0


def test_compare_puts_both_models_side_by_side():
    paired = equals(400, np.random.default_rng(0))
    found = compare("new", paired, F1(0), alpha=0.05, task="classification")
    assert found.champion["accuracy"] == Accuracy().score(paired.y, paired.champion)
    assert found.challenger["f1"] == F1(0).score(paired.y, paired.challenger)
    assert found.interval == gain(paired, F1(0), alpha=0.05)
    assert set(found.per_class) == {"0", "1"} and found.paired is paired
    y = np.arange(5.0)
    assert (
        compare(
            "anchor", PairedPredictions(y, Prediction(y), Prediction(y)), RMSE(), alpha=0.05, task="regression"
        ).per_class
        == {}
    )
