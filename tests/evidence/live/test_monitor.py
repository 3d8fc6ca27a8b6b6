"""The monitor: known answers, the same evidence in any order and from any number of workers, and what it says."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from incumbent.core import Interval
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live import EProcess, Monitor
from incumbent.evidence.live._eprocess import SHARES

WON = Monitor().update(np.repeat([1.0, 0.0], [30, 970]), np.zeros(1000))
LOST = Monitor().update(np.zeros(1000), np.repeat([1.0, 0.0], [30, 970]))


def losses(seed, rows, champion=0.12, challenger=0.1):
    rng = np.random.default_rng(seed)
    return (rng.random(rows) < champion).astype(float), (rng.random(rows) < challenger).astype(float)


# ------------------------------------------------------------------------------------- known answers


def test_the_shares_are_those_that_stored_evidence_was_made_with():
    assert SHARES.tolist() == pytest.approx([0.97 / math.sqrt(2.0) ** j for j in range(17)], rel=1e-14)


def test_the_evidence_is_the_mean_wealth_of_the_gamblers_computed_by_hand():
    monitor = Monitor().update([1.0, 1.0, 0.0, 0.3], [0.0, 0.0, 1.0, 0.8])
    wealth = [(1 + k) * (1 + k) * (1 - k) * (1 - 0.5 * k) for k in SHARES]
    assert monitor.e_value == pytest.approx(sum(wealth) / 17, rel=1e-8)


def test_a_margin_makes_the_game_fair_at_that_mean():
    monitor = Monitor(min_gain=-0.2).update([1.0, 0.0, 0.5], [0.0, 0.0, 0.25])
    wealth = [(1 + k) * (1 + 0.25 * k) / (1 - 0.2 * k) ** 3 for k in SHARES]
    assert monitor.e_value == pytest.approx(sum(wealth) / 17, rel=1e-8)


def test_the_unit_of_the_losses_does_not_matter():
    champion, challenger = np.random.default_rng(0).random((2, 400))
    small = Monitor(min_gain=0.01).update(champion, challenger)
    large = Monitor(min_gain=10.0, bound=1000.0).update(1000 * champion, 1000 * challenger)
    assert large.e_value == pytest.approx(small.e_value, rel=1e-6)
    assert large.interval.lower == pytest.approx(1000 * small.interval.lower, rel=1e-6)


def test_seven_wins_without_a_loss_decide_and_ties_change_nothing():
    won = [Monitor().update(np.ones(n), np.zeros(n)).decision for n in range(1, 12)]
    first = won.index("promote") + 1
    assert 5 < first <= 9  # the exact fixed-size test needs 5; the price of looking every time is small
    assert Monitor().update(np.ones(500), np.ones(500)).e_value == 1.0
    padded = Monitor().update(np.ones(first), np.zeros(first)).update(np.zeros(10_000), np.zeros(10_000))
    assert padded.decision == "promote"


def test_losses_above_the_bound_are_cut_off_one_by_one():
    assert Monitor(bound=2.0).update([7.0], [1.5]) == Monitor(bound=2.0).update([2.0], [1.5])


@pytest.mark.parametrize("law", [(0.1, 0.1), (0.3, 0.3), (0.5, 0.5)])
def test_the_expected_evidence_is_one_for_equal_models(law):
    win, lose = law
    total = 0.0
    for outcome in itertools.product((1.0, 0.0, -1.0), repeat=6):
        chance = math.prod({1.0: win, 0.0: 1 - win - lose, -1.0: lose}[d] for d in outcome)
        total += chance * Monitor().add(outcome).e_value
    assert total == pytest.approx(1.0, abs=1e-7) and total <= 1.0 + 1e-12


@pytest.mark.parametrize(
    ("values", "law", "min_gain"), [((0.9, -0.1), (0.1, 0.9), 0.0), ((0.4, -0.5), (0.5, 0.5), -0.05)]
)
def test_the_expected_evidence_is_one_at_the_margin_for_skewed_losses(values, law, min_gain):
    assert np.dot(values, law) == pytest.approx(min_gain)
    total = sum(
        math.prod(law[i] for i in which) * Monitor(min_gain=min_gain).add([values[i] for i in which]).e_value
        for which in itertools.product((0, 1), repeat=8)
    )
    assert total == pytest.approx(1.0, abs=1e-7)


def test_evidence_stays_fair_when_the_odds_follow_the_past_and_one_stops_at_will():
    """Exact, over all 3**7 ways: rows swing more after a win, and one stops once the evidence is half as much again."""

    def chances(past):
        swing = 0.45 if sum(past) > 0 else 0.25
        return {1.0: swing, -1.0: swing, 0.0: 1.0 - 2.0 * swing}

    alarms = expected = 0.0
    paths = [((), 1.0)]
    for _ in range(7):
        further = []
        for past, chance in paths:
            for d, p in chances(past).items():
                now = (*past, d)
                e = Monitor().add(now).e_value
                if e >= 1.5:
                    alarms, expected = alarms + chance * p, expected + chance * p * e
                else:
                    further.append((now, chance * p))
        paths = further
    expected += sum(chance * Monitor().add(past).e_value for past, chance in paths)
    assert expected == pytest.approx(1.0, abs=1e-7)
    assert 0.1 < alarms <= 1 / 1.5


# ---------------------------------------------------------------------------- order, workers, storage


def test_one_row_at_a_time_all_at_once_and_shuffled_are_the_same_to_the_last_bit():
    champion, challenger = np.random.default_rng(3).random((2, 300))
    at_once = Monitor().update(champion, challenger)
    step = Monitor()
    for ours, theirs in zip(champion, challenger, strict=True):
        step = step.update(ours, theirs)
    order = np.random.default_rng(4).permutation(300)
    assert step == at_once == Monitor().update(champion[order], challenger[order])


def test_labels_that_come_late_leave_the_same_evidence():
    champion, challenger = losses(1, 5000)
    delay = np.random.default_rng(2).exponential(500, size=5000)
    arrival = np.argsort(np.arange(5000) + delay)
    assert not np.array_equal(arrival, np.arange(5000))
    late = Monitor()
    for part in np.array_split(arrival, 50):
        late = late.update(champion[part], challenger[part])
    assert late == Monitor().update(champion, challenger)


@pytest.mark.parametrize("workers", [2, 7])
def test_merged_workers_know_what_one_would_know(workers):
    champion, challenger = np.random.default_rng(5).random((2, 40_000))
    parts = [Monitor().update(champion[i::workers], challenger[i::workers]) for i in range(workers)]
    joint = Monitor().update(champion, challenger)
    forth, back = parts[0], parts[-1]
    for part in parts[1:]:
        forth = forth.merge(part)
    for part in parts[-2::-1]:
        back = part.merge(back)
    assert forth == back == joint and joint.rows == 40_000


def test_monitors_of_other_settings_are_not_merged():
    with pytest.raises(UsageError, match="same settings.*min_gain=0.01"):
        Monitor().merge(Monitor(min_gain=0.01))


def test_a_monitor_that_was_stored_as_json_goes_on_as_if_nothing_happened():
    champion, challenger = np.random.default_rng(6).random((2, 2000))
    monitor = Monitor(alpha=0.01, min_gain=0.002, bound=1.5, goal="rollback").update(champion, challenger)
    text = json.dumps(monitor.to_dict())
    again = Monitor.from_dict(json.loads(text))
    assert again == monitor and again.update(0.4, 0.1) == monitor.update(0.4, 0.1)
    assert len(text) < 1200  # a few numbers, whatever the number of rows
    assert monitor.to_dict()["format"] == 1


def test_what_is_printed_can_be_typed_again():
    monitor = Monitor(alpha=0.01).update([1.0, 0.2], [0.3, 0.0])
    assert eval(repr(monitor), {"Monitor": Monitor, "EProcess": EProcess}) == monitor
    assert repr(Monitor(alpha=0.01, goal="rollback")) == "Monitor(alpha=0.01, goal='rollback')"


def test_updating_leaves_the_monitor_as_it_was():
    monitor = Monitor()
    monitor.update(1.0, 0.0)
    assert monitor == Monitor() and monitor.e_value == 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        monitor.alpha = 0.5


def test_the_path_is_the_evidence_after_each_row():
    champion, challenger = losses(7, 20_000)
    start = Monitor(min_gain=0.005).update(champion[:50], challenger[:50])
    path = start.path(champion[50:], challenger[50:])
    for rows in (1, 2, 16_384, 16_385, 19_950):  # also across the parts in which it is computed
        assert path[rows - 1] == pytest.approx(start.update(champion[50 : 50 + rows], challenger[50 : 50 + rows]).log_e)
    assert len(path) == 19_950 and len(start.path([], [])) == 0


# ------------------------------------------------------------------------------------------ decisions


def test_a_better_challenger_is_promoted_and_a_worse_or_equal_one_is_not():
    assert WON.decision == "promote" and WON.e_value > 1000
    assert LOST.decision == "undecided" and LOST.e_value < 0.5
    assert Monitor().decision == "undecided" and Monitor().e_value == 1.0
    assert Monitor().update(*losses(0, 3000, 0.1, 0.1)).decision == "undecided"


def test_a_rollback_is_the_same_question_with_the_roles_swapped():
    champion, challenger = losses(11, 4000, 0.14, 0.1)
    guard = Monitor(goal="rollback").update(champion, challenger)
    assert guard.decision == "rollback"
    assert guard.tally == Monitor().update(challenger, champion).tally.mirrored()
    assert Monitor(goal="rollback").update(challenger, champion).decision == "undecided"


def test_a_gain_below_the_wanted_one_is_not_promoted_and_a_small_loss_can_be_allowed():
    champion, challenger = losses(12, 20_000, 0.12, 0.1)
    assert Monitor().update(champion, challenger).decision == "promote"
    assert Monitor(min_gain=0.03).update(champion, challenger).decision == "undecided"
    assert Monitor().update(challenger, champion).decision == "undecided"
    assert Monitor(min_gain=-0.04).update(challenger, champion).decision == "promote"


@pytest.mark.parametrize("min_gain", [-0.01, 0.0, 0.013])
def test_the_lower_bound_passes_the_wanted_gain_exactly_when_the_decision_is_made(min_gain):
    champion, challenger = losses(13, 6000, 0.15, 0.1)
    decided = set()
    for rows in range(200, 6000, 200):
        monitor = Monitor(min_gain=min_gain).update(champion[:rows], challenger[:rows])
        assert (monitor.decision == "promote") == (monitor.interval.lower >= min_gain)
        decided.add(monitor.decision)
    assert decided == {"promote", "undecided"}


def test_the_interval_holds_the_mean_and_mirrors_when_roles_are_swapped():
    champion, challenger = losses(14, 3000)
    found, swapped = (Monitor().update(*pair).interval for pair in ((champion, challenger), (challenger, champion)))
    assert isinstance(found, Interval) and found.rows == 3000 and found.alpha == 0.05
    assert found.lower < found.value < found.upper
    assert found.value == pytest.approx(champion.mean() - challenger.mean())
    assert (swapped.lower, swapped.value, swapped.upper) == (-found.upper, -found.value, -found.lower)
    wider = Monitor(alpha=0.001).update(champion, challenger).interval
    assert wider.lower < found.lower and wider.upper > found.upper


def test_before_the_first_row_the_interval_is_everything():
    found = Monitor(bound=2.0).interval
    assert math.isnan(found.value) and (found.lower, found.upper) == (-2.0, 2.0)
    assert str(Monitor()) == "UNDECIDED after 0 rows: no evidence yet"


def test_only_wins_leave_a_bound_below_one():
    found = Monitor().update(np.ones(50), np.zeros(50)).interval
    assert 0.5 < found.lower < found.value == found.upper == 1.0


def test_the_rows_to_go_decide_when_they_are_like_those_before():
    champion, challenger = np.repeat([1.0, 0.0, 0.0], [8, 5, 187]), np.repeat([0.0, 1.0, 0.0], [8, 5, 187])
    monitor = Monitor().update(champion, challenger)
    needed = monitor.rows_remaining
    times = (200 + needed) / 200
    assert monitor.decision == "undecided" and needed > 200
    more, fewer = math.ceil(times), math.floor(times) - 1
    assert Monitor().update(np.tile(champion, more), np.tile(challenger, more)).decision == "promote"
    assert Monitor().update(np.tile(champion, fewer), np.tile(challenger, fewer)).decision == "undecided"


def test_no_rows_decide_without_a_gain_and_none_are_needed_after_a_decision():
    assert LOST.rows_remaining is None and Monitor().rows_remaining is None and WON.rows_remaining == 0
    assert Monitor().add(np.tile([1.0, -0.9999999], 500)).rows_remaining is None  # a gain too small for any share


def test_evidence_beyond_what_a_float_holds_is_still_a_number():
    monitor = Monitor().update(np.ones(5000), np.zeros(5000))
    assert monitor.decision == "promote" and math.isfinite(monitor.e_value) and monitor.log_e > 3000


# ------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "chance of a false alarm"),
        ({"alpha": 0.7}, "0.7 was given"),
        ({"bound": math.inf}, "quantile of the champion's losses"),
        ({"bound": 0.0}, "above 0 and finite"),
        ({"min_gain": 1.0}, r"inside \(-1, 1\)"),
        ({"min_gain": math.nan}, "min_gain"),
        ({"goal": "demote"}, '"promote" or "rollback"'),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        Monitor(**settings)


@pytest.mark.parametrize(
    ("champion", "challenger", "message"),
    [
        ([0.1, 0.2], [0.1], "champion has 2 losses but challenger has 1"),
        ([0.1, math.nan], [0.1, 0.2], "champion has nan as the loss of row 1"),
        ([0.1], [-0.5], "challenger has -0.5 as the loss of row 0"),
        (["right"], [0.0], "champion must be numbers"),
        (np.zeros((2, 2)), [0.0], r"shape \(2, 2\)"),
    ],
)
def test_losses_that_are_none_are_refused(champion, challenger, message):
    with pytest.raises(DataError, match=message):
        Monitor().update(champion, challenger)


@pytest.mark.parametrize("difference", [1.01, -2.0, math.nan])
def test_differences_are_not_cut_off_but_refused(difference):
    with pytest.raises(DataError, match="row 1 has"):
        Monitor().add([0.0, difference])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "line monitor"}, "no stored monitor"),
        ({"format": 2}, "format 2.*pip install"),
        ({"rows": "many"}, "'rows'.*whole number"),
        ({"rows": -1}, "'rows'.*whole number"),
        ({"above": [1, 2]}, "list of 17"),
        ({"alpha": "small"}, "'alpha'.*number"),
        ({"alpha": None}, "'alpha'.*number"),
    ],
)
def test_a_damaged_store_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        Monitor.from_dict({**WON.to_dict(), **change})


@pytest.mark.parametrize("lost", ["alpha", "goal", "below", "total"])
def test_a_store_that_lacks_a_field_is_refused(lost):
    stored = WON.to_dict()
    del stored[lost]
    with pytest.raises(DataError, match=f"lacks '?{lost}"):
        Monitor.from_dict(stored)
