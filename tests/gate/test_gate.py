"""The gate: what it decides, what it says, and that its own self-test holds."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from incumbent.core import Evidence, PairedPredictions, Prediction
from incumbent.errors import AbilityError, UsageError
from incumbent.gate import Gate, Limit
from incumbent.metrics import AUC, F1, MAE, RMSE, Accuracy, LogLoss

CLASSES = np.array([0, 1])


def counted(rows, wins, losses, **more):
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return PairedPredictions(y, Prediction(champion, None, CLASSES), Prediction(challenger, None, CLASSES), **more)


BETTER, SAME, WORSE = counted(2000, 60, 20), counted(4000, 40, 40), counted(2000, 20, 80)


def judge(new, old=SAME, gate=None, use=1, metric=None, **measured):
    return (gate or Gate())(Evidence(metric or Accuracy(), new, old, use, measured))


def test_better_on_the_new_and_no_worse_on_the_old_is_promoted():
    verdict = judge(BETTER)
    assert verdict.decision == "promote" and verdict.advice == ()
    assert [r.holds for r in verdict.reasons] == [True, True]
    assert verdict.reasons[0].value == verdict.reasons[0].interval.lower > verdict.reasons[0].limit == 0.0
    assert verdict.reasons[1].limit == -0.01
    assert verdict.reasons[0].text == (
        "better on the new rows: gain +2 points, at least +1.2 (limit: more than 0; exact McNemar, 2,000 rows, 95 %)"
    )


def test_forgetting_the_old_is_rejected_however_good_the_new():
    verdict = judge(BETTER, counted(4000, 10, 300))
    assert verdict.decision == "reject" and verdict.reasons[1].violated
    assert "worse on the old rows: gain -7.2 points, at most -6.4" in verdict.reasons[1].text
    assert any("keeps the old rows" in text for text in verdict.advice)


def test_worse_on_the_new_is_rejected():
    verdict = judge(WORSE)
    assert verdict.decision == "reject" and verdict.reasons[0].violated and "at most -2" in verdict.reasons[0].text
    assert any("will not help" in text for text in verdict.advice)


def test_a_bound_that_only_touches_its_limit_is_not_above_it():
    bound = judge(BETTER, gate=Gate(min_gain=0.001)).reasons[0].value
    verdict = judge(BETTER, gate=Gate(min_gain=bound, tolerance=None))
    assert verdict.reasons[0].value == verdict.reasons[0].limit == bound
    assert verdict.decision == "inconclusive"


def test_too_few_rows_are_inconclusive_and_the_advice_says_how_many():
    verdict = judge(counted(400, 8, 4))
    assert verdict.decision == "inconclusive" and not verdict.reasons[0].violated
    assert verdict.rows_needed > 400
    assert any("gate rows" in text and "400" in text for text in verdict.advice)
    assert any("labels of the 12 rows" in text for text in verdict.advice)
    assert 0.01 < verdict.smallest_gain < 0.05


def test_rows_needed_keeps_its_word():
    seen = counted(400, 16, 8)
    needed = judge(seen, gate=Gate(tolerance=None)).rows_needed
    counts = np.random.default_rng(0).multinomial(needed, [0.04, 0.02, 0.94], size=4000)
    power = np.mean(stats.binom.sf(counts[:, 0] - 1, counts[:, 0] + counts[:, 1], 0.5) <= 0.05)
    assert power == pytest.approx(0.8, abs=0.04)


def test_no_gain_seen_needs_no_number_of_rows():
    verdict = judge(counted(400, 4, 4))
    assert verdict.rows_needed is None and any("another strategy" in text for text in verdict.advice)


def test_a_gain_that_must_be_exceeded():
    assert judge(BETTER, gate=Gate(min_gain=0.01)).decision == "promote"
    assert judge(BETTER, gate=Gate(min_gain=0.02)).decision == "inconclusive"
    assert judge(BETTER, gate=Gate(min_gain=0.05)).decision == "reject"
    assert judge(BETTER, gate=Gate(min_gain=0.02)).smallest_gain > 0.02


def test_without_old_rows_it_is_inconclusive_and_says_what_to_type():
    verdict = judge(BETTER, None)
    assert verdict.decision == "inconclusive" and math.isnan(verdict.reasons[1].value)
    assert "anchor=" in verdict.reasons[1].text and "data=" in verdict.reasons[1].text
    assert "none were given" in verdict.guarantee and verdict.source == ""
    assert judge(BETTER, counted(0, 0, 0)).decision == "inconclusive"


def test_the_old_condition_can_be_dropped_and_the_promise_says_so():
    verdict = judge(BETTER, None, gate=Gate(tolerance=None))
    assert verdict.decision == "promote" and len(verdict.reasons) == 1
    assert "tolerance=None" in verdict.guarantee


@pytest.mark.parametrize(("source", "word"), [("train", "biased"), ("crossfit", "other folds"), ("anchor", "points")])
def test_the_source_of_the_old_rows_is_named(source, word):
    verdict = judge(BETTER, dataclasses.replace(SAME, source=source))
    assert verdict.source == source and word in verdict.reasons[1].text
    assert ("training rows" in verdict.guarantee) == (source == "train")


def test_each_use_of_the_old_rows_spends_its_share_and_all_of_them_alpha():
    gate = Gate()
    assert gate.level(1) == pytest.approx(0.05 * 6 / math.pi**2)
    assert sum(gate.level(k) for k in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    first, tenth = judge(BETTER), judge(BETTER, use=10)
    assert tenth.reasons[1].interval.alpha == pytest.approx(gate.level(10))
    assert tenth.reasons[1].value < first.reasons[1].value
    assert "use 10 of these rows" in tenth.reasons[1].text
    assert tenth.reasons[0] == first.reasons[0]  # new rows are new


def test_tired_old_rows_ask_for_fresh_labels():
    verdict = judge(BETTER, counted(1500, 15, 15), use=12)
    assert verdict.decision == "inconclusive"
    assert any("750 fresh anchor labels" in text for text in verdict.advice)


def test_negative_flips_are_bounded():
    assert judge(BETTER, gate=Gate(max_flips=0.02)).decision == "promote"
    assert judge(BETTER, gate=Gate(max_flips=0.011)).decision == "inconclusive"
    broken = judge(BETTER, gate=Gate(max_flips=0.001))
    assert broken.decision == "reject" and "too many negative flips: 1 %" in broken.reasons[2].text
    y = np.linspace(0, 1, 50)
    with pytest.raises(UsageError, match="a regression has none"):
        judge(PairedPredictions(y, Prediction(y), Prediction(y)), metric=RMSE(), gate=Gate(max_flips=0.1), old=None)


@pytest.mark.parametrize(
    ("limit", "decision"),
    [
        (Limit("bytes", max=300), "promote"),
        (Limit("bytes", max=299), "reject"),
        (Limit("bytes", max_ratio=3.0), "promote"),
        (Limit("bytes", max_ratio=2.9), "reject"),
        (Limit("bytes", min=300), "promote"),
        (Limit("bytes", min=301), "reject"),
        (Limit("latency_us", max=5), "inconclusive"),
    ],
    ids=repr,
)
def test_limits(limit, decision):
    verdict = judge(BETTER, gate=Gate(limits=(limit,)), bytes=(100.0, 300.0), latency_us=(1.0, math.nan))
    assert verdict.decision == decision
    assert verdict.reasons[2].name == limit.name and "limit: at" in verdict.reasons[2].text


def test_a_limit_on_what_was_not_measured_lists_what_was():
    with pytest.raises(UsageError, match=r"Did you mean 'bytes'\? Measured: bytes, f1"):
        judge(BETTER, gate=Gate(limits=[Limit("byte", max=1)]), bytes=(1, 1), f1=(1, 1))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": 0.6}, "alpha"),
        ({"alpha": math.nan}, "alpha"),
        ({"tolerance": -0.01}, "tolerance=None"),
        ({"tolerance": math.nan}, "tolerance"),
        ({"min_gain": math.inf}, "min_gain"),
        ({"max_flips": 1.5}, "max_flips"),
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong, hint):
    with pytest.raises(UsageError, match=hint):
        Gate(**wrong)
    with pytest.raises(UsageError, match="limits nothing"):
        Limit("bytes")


def test_a_gate_prints_as_what_makes_it():
    gate = Gate(0.01, tolerance=None, limits=(Limit("bytes", max_ratio=2.0),))
    assert eval(repr(gate)) == gate
    assert gate.replace(alpha=0.01).alpha == 0.01


def test_free_scales_are_judged_as_shares_of_the_champions_loss():
    rng = np.random.default_rng(0)
    y = rng.normal(size=5000)
    noise = rng.normal(size=5000)
    new = PairedPredictions(y, Prediction(y + noise), Prediction(y + 0.9 * noise), clip=12.0)
    for factor in (1.0, 1000.0):
        scaled = PairedPredictions(
            y * factor,
            Prediction(new.champion.label * factor),
            Prediction(new.challenger.label * factor),
            clip=12.0 * factor**2,
        )
        verdict = judge(scaled, scaled, metric=RMSE())
        assert verdict.decision == "promote"
        assert "gain +19 % of the champion's mean loss" in verdict.reasons[0].text
        assert "(limit: more than -1 %" in verdict.reasons[1].text
    worse = PairedPredictions(y, new.champion, Prediction(y + 1.1 * noise), clip=12.0)
    assert judge(new, worse, metric=RMSE()).decision == "reject"


def test_a_metric_on_probabilities_needs_them():
    with pytest.raises(AbilityError, match="log_loss needs class probabilities"):
        judge(BETTER, metric=LogLoss())


def test_every_text_has_its_numbers_and_the_verdict_prints():
    verdict = judge(counted(400, 8, 4), counted(300, 3, 4), gate=Gate(max_flips=0.02))
    for reason in verdict.reasons:
        assert reason.text.count("(limit:") == 1 and "rows, " in reason.text
        assert "nan" not in reason.text and "inf" not in reason.text
    assert str(verdict).startswith("INCONCLUSIVE\n  no ")
    assert "at most 5 %" in verdict.guarantee and "1 point" in verdict.guarantee and "3.04 %" in verdict.guarantee


def test_empty_new_rows_are_inconclusive_not_an_error():
    verdict = judge(counted(0, 0, 0))
    assert verdict.decision == "inconclusive" and verdict.smallest_gain == math.inf


# ------------------------------------------------------------------------------------ the self-test


def learners(rows, rng, skill=1.5, other=1.5):
    y = (rng.random(rows) < 0.3).astype(int)

    def one(strength):
        proba = 1 / (1 + np.exp(-(rng.normal(size=rows) + strength * y - 1.2)))
        return Prediction((proba > 0.5).astype(int), np.column_stack([1 - proba, proba]), CLASSES)

    return PairedPredictions(y, one(skill), one(other), clip=5.0)


@pytest.mark.parametrize("rows", [1, 20, 1000])
@pytest.mark.parametrize("metric", [Accuracy(), LogLoss(), F1(), AUC()], ids=lambda m: m.name)
def test_an_identical_copy_is_never_promoted(metric, rows):
    paired = learners(rows, np.random.default_rng(rows))
    copy = dataclasses.replace(paired, challenger=paired.champion)
    assert judge(copy, copy, metric=metric).decision == "inconclusive"
    y = np.linspace(0, 1, rows)
    same = PairedPredictions(y, Prediction(y + 0.1), Prediction(y + 0.1), clip=1.0)
    assert judge(same, same, metric=MAE()).decision == "inconclusive"


@pytest.mark.parametrize("metric", [Accuracy(), LogLoss(), F1(), AUC()], ids=lambda m: m.name)
def test_swapped_arguments_never_promote_the_worse(metric):
    paired = learners(1500, np.random.default_rng(0), skill=1.0, other=2.0)
    back = dataclasses.replace(paired, champion=paired.challenger, challenger=paired.champion)
    assert judge(paired, paired, metric=metric).decision == "promote"
    assert judge(back, back, metric=metric).decision == "reject"


def test_a_challenger_trained_on_shuffled_labels_is_rejected():
    rng = np.random.default_rng(0)
    paired = learners(1500, rng)
    shuffled = dataclasses.replace(paired, challenger=paired.challenger.take(rng.permutation(1500)))
    for metric in (Accuracy(), LogLoss(), AUC()):
        assert judge(shuffled, shuffled, metric=metric).decision == "reject"


@pytest.mark.parametrize("rows", [100, 600])
def test_over_a_thousand_updates_with_equal_models_the_gate_promotes_at_most_alpha(rows):
    rng, runs, promoted = np.random.default_rng(rows), 1000, 0
    gate = Gate(tolerance=None)
    for _ in range(runs):
        promoted += judge(learners(rows, rng), None, gate=gate, metric=LogLoss()).decision == "promote"
    assert promoted / runs <= stats.binom.ppf(0.999, runs, 0.05) / runs


def test_a_lifetime_at_the_old_margin_passes_at_most_alpha_in_all():
    rng, lifetimes, uses, rows = np.random.default_rng(0), 150, 6, 500
    gate, ever = Gate(), 0
    counts = rng.multinomial(rows, [0.02, 0.03, 0.95], size=(lifetimes, uses))  # exactly one point worse
    new = counted(2000, 60, 20)
    for life in counts:
        for use, (wins, losses, _) in enumerate(life, start=1):
            if wins >= losses:  # the others cannot pass
                verdict = gate(Evidence(Accuracy(), new, counted(rows, wins, losses), use))
                if verdict.decision == "promote":
                    ever += 1
                    break
    assert ever / lifetimes <= stats.binom.ppf(0.999, lifetimes, 0.05) / lifetimes
