"""The line monitor: evidence over batches, rows that cling together, several lines at once."""

import itertools
import json
import math

import numpy as np
import pytest

from incumbent.errors import DataError, UsageError
from incumbent.evidence.live import EProcess, Monitor, PrequentialMonitor, PrequentialTally
from incumbent.evidence.live._prequential import _adjusted as adjusted
from incumbent.evidence.live._tally import Autocorrelation, means


def batch(rng, rows, champion, **lines):
    return (rng.random(rows) < champion) * 1.0, {name: (rng.random(rows) < p) * 1.0 for name, p in lines.items()}


def after(monitor, seed, batches, rows=500, champion=0.12, **lines):
    rng = np.random.default_rng(seed)
    for _ in range(batches):
        monitor = monitor.update(*batch(rng, rows, champion, **lines))
    return monitor


def spells(rng, rows, switch, share):
    """Differences in spells: the one model is better for a while, then the other; equal in the long run."""
    sign = np.where(np.cumsum(rng.random(rows) < switch) % 2 == 0, 1.0, -1.0) * rng.choice([-1.0, 1.0])
    return sign * (rng.random(rows) < share)


def run(differences, rows, **settings):
    """Whether a line is ever promoted, looking after every batch."""
    monitor = PrequentialMonitor(["line"], **settings)
    for at in range(0, len(differences), rows):
        part = differences[at : at + rows]
        monitor = monitor.update(np.maximum(part, 0.0), {"line": np.maximum(-part, 0.0)})
        if monitor.decision == "promote":
            return True
    return False


# ------------------------------------------------------------------------------------------- evidence


def test_evidence_adds_up_over_batches_though_each_alone_is_too_small():
    rng, monitor, alone = np.random.default_rng(0), PrequentialMonitor(["new"], block=1), []
    for _ in range(12):
        champion, lines = batch(rng, 250, 0.12, new=0.08)
        monitor = monitor.update(champion, lines)
        alone.append(PrequentialMonitor(["new"], block=1).update(champion, lines).decision)
    assert alone.count("promote") <= 1 and monitor.decision == "promote" and monitor.best == "new"


def test_independent_rows_are_worth_what_they_are_worth_to_a_monitor():
    rng, monitor, plain = np.random.default_rng(1), PrequentialMonitor(["new"], block=1), Monitor()
    for _ in range(5):
        champion, lines = batch(rng, 300, 0.12, new=0.1)
        monitor, plain = monitor.update(champion, lines), plain.update(champion, lines["new"])
    assert monitor.log_e["new"] == plain.log_e and monitor.intervals["new"] == plain.interval
    assert monitor.e_values["new"] == pytest.approx(plain.e_value)


def test_the_line_may_change_and_so_may_the_champion():
    rng, monitor = np.random.default_rng(2), PrequentialMonitor(["new"], block=1)
    for at in range(10):
        monitor = monitor.update(*batch(rng, 500, 0.2 - 0.01 * at, new=0.15 - 0.01 * at))
    assert monitor.decision == "promote"


def test_a_block_is_one_unit_of_evidence():
    differences = np.repeat([1.0, -1.0, 1.0], 10)
    monitor = PrequentialMonitor(["a"], block=10).update(np.maximum(differences, 0), {"a": np.maximum(-differences, 0)})
    assert monitor.evidence[0].blocks == EProcess().add(np.array([1.0, -1.0, 1.0]))
    assert monitor.log_e["a"] == monitor.evidence[0].blocks.log_e(0.0)
    assert monitor.intervals["a"].rows == 30 and monitor.intervals["a"].test.endswith("by row and by block")


def test_blocks_are_as_good_as_equal_and_none_is_left_over():
    found = means(np.arange(23.0), 5)
    assert len(found) == 4 and found.mean() == pytest.approx(11.0, abs=0.5)
    assert means(np.arange(3.0), 50).tolist() == [1.0]
    assert means(np.empty(0), 4).tolist() == []


def test_a_collapse_of_the_line_counts_with_all_its_rows():
    """Ten batches slightly better, one in which the line fails on every row: in blocks alone that were one unit."""
    rng, monitor = np.random.default_rng(3), PrequentialMonitor(["a"], block=None)
    for _ in range(10):
        monitor = monitor.update(*batch(rng, 500, 0.05, a=0.03))
    assert monitor.decision == "promote"
    monitor = monitor.update(np.zeros(500), {"a": np.ones(500)})
    assert monitor.decision == "undecided" and monitor.intervals["a"].value < 0
    assert monitor.evidence[0].blocks.log_e(0.0) > monitor.evidence[0].rows.log_e(0.0)


def test_repeated_rows_are_seen_over_batches_and_independent_ones_are_left_alone():
    rng, single, repeated = np.random.default_rng(5), Autocorrelation(), Autocorrelation()
    for _ in range(10):
        signs = rng.choice([-1.0, 0.0, 1.0], size=400)
        single, repeated = single.add(signs), repeated.add(np.repeat(signs[:80], 5))
    assert single.block(400) == 1 and 20 <= repeated.block(400)


def test_one_spell_as_long_as_the_batch_is_seen_at_once():
    assert Autocorrelation().add(np.ones(300)).block(300) == 300


# ---------------------------------------------------------------------------------- level under spells


@pytest.mark.parametrize(("rows", "batches", "switch"), [(200, 15, 1.0), (200, 15, 0.05), (100, 25, 0.02)])
def test_equal_lines_that_lead_in_spells_are_promoted_at_most_alpha_of_the_time(rows, batches, switch):
    rng = np.random.default_rng(6)
    alarms = sum(run(spells(rng, rows * batches, switch, 0.2), rows) for _ in range(60))
    assert alarms <= 8  # binomial(60, 0.05) is above with probability 0.003


def test_rows_in_spells_taken_one_by_one_would_break_the_level():
    rng = np.random.default_rng(6)
    assert sum(run(spells(rng, 3000, 0.02, 0.2), 100, block=1) for _ in range(60)) > 20


def test_seeing_the_blocks_costs_little_where_there_are_none():
    def shown(**settings):
        rng, found = np.random.default_rng(7), 0
        for _ in range(40):
            draw = rng.random(500 * 12)
            found += run((draw < 0.07) * 1.0 - (draw > 0.96), 500, **settings)
        return found

    assert shown(block=1) >= 36 and shown() >= shown(block=1) - 6


# -------------------------------------------------------------------------------------- several lines


def closed(log_e):
    """Closed testing by trying every set."""
    e, found = np.exp(log_e), []
    for i in range(len(e)):
        others = [j for j in range(len(e)) if j != i]
        sets = itertools.chain.from_iterable(itertools.combinations(others, size) for size in range(len(e)))
        found.append(min(np.mean([e[i], *e[list(some)]]) for some in sets))
    return np.log(found)


def test_adjusting_is_closed_testing_with_means():
    rng = np.random.default_rng(8)
    for lines in (1, 2, 3, 6):
        for _ in range(20):
            log_e = rng.normal(0, 4, size=lines)
            assert np.allclose(adjusted(log_e), closed(log_e))


def test_adjusting_works_far_beyond_what_a_float_holds():
    assert adjusted(np.array([5000.0, 1000.0])) == pytest.approx([5000 - math.log(2), 1000.0])


def test_one_line_needs_no_adjustment_and_more_never_cost_more_than_their_number():
    assert adjusted(np.array([2.0])).tolist() == [2.0]
    log_e = np.array([3.0, -2.0, 0.5, 1.0])
    assert (adjusted(log_e) <= log_e).all() and (adjusted(log_e) >= log_e - math.log(4)).all()


def test_the_better_line_is_found_among_equals():
    monitor = after(PrequentialMonitor(["a", "b", "c"]), 9, 20, a=0.12, b=0.08, c=0.12)
    assert monitor.decision == "promote" and monitor.promoted == ("b",) and monitor.best == "b"
    assert monitor.log_e["b"] - math.log(3) <= math.log(monitor.e_values["b"]) <= monitor.log_e["b"]


def test_of_several_better_lines_the_one_with_the_strongest_evidence_comes_first():
    monitor = after(PrequentialMonitor(["a", "b"]), 10, 30, a=0.08, b=0.05)
    assert monitor.promoted == ("b", "a")


def test_any_of_ten_equal_lines_is_promoted_at_most_alpha_of_the_time():
    rng, alarms, names = np.random.default_rng(11), 0, [f"line {i}" for i in range(10)]
    for _ in range(60):
        monitor = PrequentialMonitor(names, block=1)
        for _ in range(6):
            draw = rng.random((10, 200))
            found = (draw < 0.1) * 1.0 - (draw > 0.9)
            # the champion's losses are shared: take them as 1 wherever a line wins, in one batch per line
            for name, d in zip(names, found, strict=True):
                monitor = monitor.update(np.maximum(d, 0), {name: np.maximum(-d, 0)})
            if monitor.decision == "promote":
                alarms += 1
                break
    assert alarms <= 8


def test_a_line_that_is_left_out_is_not_judged_on_that_batch():
    monitor = PrequentialMonitor(["a", "b"]).update(np.ones(50), {"a": np.zeros(50)})
    assert [line.batches for line in monitor.evidence] == [1, 0] and monitor.log_e["b"] == 0.0


# ----------------------------------------------------------------------------------- merging, storing


def test_a_line_monitor_that_was_stored_as_json_goes_on_as_if_nothing_happened():
    monitor = after(PrequentialMonitor(["a", "b"], alpha=0.01, min_gain=0.001), 13, 4, a=0.1, b=0.12)
    again = PrequentialMonitor.from_dict(json.loads(json.dumps(monitor.to_dict())))
    assert again == monitor and str(again) == str(monitor)
    assert after(again, 14, 2, a=0.1, b=0.1) == after(monitor, 14, 2, a=0.1, b=0.1)
    names = {
        "PrequentialMonitor": PrequentialMonitor,
        "PrequentialTally": PrequentialTally,
        "EProcess": EProcess,
        "Autocorrelation": Autocorrelation,
    }
    assert eval(repr(monitor), names) == monitor


def test_it_says_in_a_line_for_each_how_things_stand():
    monitor = PrequentialMonitor(["a", "b"], block=1).update(np.ones(40), {"a": np.zeros(40)})
    first, a, b = str(monitor).splitlines()
    assert first == "PROMOTE (decides at e = 20)"
    assert a.startswith("  a: e = ") and a.endswith("1 batch, 40 rows") and "gain +1, at least +0." in a
    assert b == "  b: e = 1; 0 batches, 0 rows"


# ------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("lines", "settings", "message"),
    [
        ([], {}, "names are one or more"),
        (["a", "a"], {}, "each once"),
        ("linear", {}, "got 'linear'"),
        ([3], {}, "names are one or more"),
        (["a"], {"block": 0}, "1 or more, or None"),
        (["a"], {"alpha": 2.0}, "false alarm"),
        (["a"], {"evidence": (PrequentialTally(), PrequentialTally())}, "1 names but evidence for 2"),
    ],
)
def test_lines_and_settings_that_mean_nothing_are_refused(lines, settings, message):
    with pytest.raises(UsageError, match=message):
        PrequentialMonitor(lines, **settings)


def test_a_line_that_was_not_named_is_refused_with_those_that_were():
    with pytest.raises(UsageError, match="no strategy 'c'; this monitor was made for a, b"):
        PrequentialMonitor(["a", "b"]).update([0.0], {"c": [1.0]})


def test_losses_of_another_length_are_refused():
    with pytest.raises(DataError, match="champion has 2 losses but challenger has 1"):
        PrequentialMonitor(["a"]).update([0.0, 1.0], {"a": [1.0]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "monitor"}, "no stored line monitor"),
        ({"lines": ["a"]}, "objects by name"),
        ({"lines": {"a": {"rows": 3}}}, "lacks 'alike'"),
        ({"format": 9}, "format 9"),
    ],
)
def test_a_damaged_store_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        PrequentialMonitor.from_dict({**PrequentialMonitor(["a"]).to_dict(), **change})
