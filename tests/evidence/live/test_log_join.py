"""The join of logged predictions with late labels."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from incumbent.errors import DataError, UsageError
from incumbent.evidence.live import Monitor, from_log
from incumbent.metrics import AUC, MAE, Accuracy, Brier, LogLoss

LOG = pd.DataFrame({"row": ["a", "b", "c", "d"], "live": [0, 0, 1, 1], "shadow": [0, 1, 1, 0], "hour": [1, 2, 3, 4]})
LABELS = pd.DataFrame({"row": ["d", "b", "x"], "truth": [1, 1, 0]})
NAMES = {"id": "row", "champion": "live", "challenger": "shadow", "label": "truth"}


def join(log=LOG, labels=LABELS, **changes):
    return from_log(log, labels, **{**NAMES, **changes})


def test_labels_are_found_by_id_and_the_others_wait():
    found = join()
    assert found.ids.tolist() == ["b", "d"] and len(found) == 2
    assert found.champion.tolist() == [1.0, 0.0] and found.challenger.tolist() == [0.0, 1.0]
    assert (found.waiting, found.overdue, found.unknown) == (2, 0, 1)


def test_a_label_that_is_null_waits_as_one_that_is_absent():
    labels = pd.DataFrame({"row": ["a", "b"], "truth": [None, 1]})
    assert (join(labels=labels).ids.tolist(), join(labels=labels).waiting) == (["b"], 3)
    assert len(join(labels=labels.assign(truth=pd.array([None, 1], dtype="Int64")))) == 1


@pytest.mark.parametrize("labels", [None, LABELS.iloc[:0], {"row": [], "truth": []}])
def test_before_any_label_came_everything_waits(labels):
    found = join(labels=labels)
    assert (len(found), found.waiting) == (0, 4)
    assert Monitor().update(found.champion, found.challenger) == Monitor()


def test_the_order_in_which_labels_came_makes_no_difference():
    rng = np.random.default_rng(0)
    log = pd.DataFrame({"row": np.arange(3000), "live": rng.integers(0, 2, 3000), "shadow": rng.integers(0, 2, 3000)})
    labels = pd.DataFrame({"row": log.row, "truth": rng.integers(0, 2, 3000)})
    first, second = join(log, labels), join(log, labels.sample(frac=1.0, random_state=1))
    assert np.array_equal(first.champion, second.champion) and np.array_equal(first.challenger, second.challenger)


def test_labels_in_parts_give_the_evidence_of_all_at_once():
    rng = np.random.default_rng(1)
    log = pd.DataFrame({"row": np.arange(900), "live": rng.integers(0, 2, 900), "shadow": rng.integers(0, 2, 900)})
    labels = pd.DataFrame({"row": log.row, "truth": rng.integers(0, 2, 900)}).sample(frac=1.0, random_state=2)
    monitor = Monitor()
    for day in range(3):
        found = join(log, labels.iloc[day * 300 : (day + 1) * 300])
        monitor = monitor.update(found.champion, found.challenger)
    whole = join(log, labels)
    assert monitor == Monitor().update(whole.champion, whole.challenger)


def test_only_rows_old_enough_count_and_missing_labels_among_them_are_overdue():
    found = join(time="hour", before=4)
    assert found.ids.tolist() == ["b"] and (found.waiting, found.overdue) == (3, 2)
    dated = LOG.assign(hour=pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]))
    assert join(dated, time="hour", before=pd.Timestamp("2026-01-04")).ids.tolist() == ["b"]


def test_wrong_before_right_labels_would_deceive_and_before_prevents_it():
    """Fraud is reported at once, honesty is known after 1000 rows: equal models, but the first labels favour one."""
    rng = np.random.default_rng(2)
    truth = (rng.random(4000) < 0.2).astype(int)
    caught, cleared = truth * (rng.random(4000) < 0.5), (1 - truth) * (rng.random(4000) < 0.125)
    log = pd.DataFrame({"row": np.arange(4000), "live": 0, "shadow": caught + cleared, "hour": np.arange(4000)})
    labels = pd.DataFrame({"row": log.row, "truth": truth})
    there = labels[(truth == 1) | (labels.row < 3000)]
    early = join(log, there[there.row >= 3000])
    assert Monitor().update(early.champion, early.challenger).decision == "promote"
    old = join(log, there, time="hour", before=3000)
    assert Monitor().update(old.champion, old.challenger).decision == "undecided" and len(old) == 3000


def test_numbers_are_compared_as_numbers_whatever_their_type():
    log, labels = LOG.assign(live=LOG.live.astype(bool)), LABELS.assign(truth=LABELS.truth.astype(float))
    assert np.array_equal(join(log, labels).champion, join().champion)


def test_probabilities_are_columns_by_class_in_any_order():
    log = pd.DataFrame({"row": [1, 2], "no": [0.9, 0.2], "yes": [0.1, 0.8], "n2": [0.5, 0.5], "y2": [0.5, 0.5]})
    labels = {"row": [2, 1], "truth": ["yes", "no"]}
    two = {"champion": {"yes": "yes", "no": "no"}, "challenger": {"no": "n2", "yes": "y2"}}
    found = from_log(log, labels, id="row", label="truth", metric=LogLoss(), **two)
    assert found.champion == pytest.approx([-math.log(0.9), -math.log(0.8)])
    assert found.challenger == pytest.approx([math.log(2)] * 2)
    assert from_log(log, labels, id="row", label="truth", metric=Brier(), **two).champion == pytest.approx([0.01, 0.04])
    assert from_log(log, labels, id="row", label="truth", metric=Accuracy(), **two).champion.tolist() == [0.0, 0.0]


def test_a_regression_has_its_absolute_errors():
    found = join(metric=MAE(), labels={"row": ["a", "b"], "truth": [2.5, -1.0]})
    assert found.champion.tolist() == [2.5, 1.0] and found.challenger.tolist() == [2.5, 2.0]


def test_files_are_read_as_everywhere_else(tmp_path):
    LOG.to_csv(tmp_path / "log.csv", index=False)
    LABELS.to_parquet(tmp_path / "labels.parquet")
    assert join(tmp_path / "log.csv", str(tmp_path / "labels.parquet")).ids.tolist() == ["b", "d"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"champion": "life"}, "predictions have no column 'life'. Did you mean 'live'"),
        ({"label": "target"}, "labels have no column 'target'.*row, truth"),
        ({"log": LOG.assign(row=["a", "b", "b", "d"])}, "1 ids occur more than once in the predictions .such as 'b'"),
        ({"labels": pd.concat([LABELS, LABELS])}, "3 ids occur more than once in the labels .such as 'd'"),
        ({"log": LOG.assign(row=["a", None, "c", "d"])}, "1 rows of the predictions have no 'row'"),
        ({"log": LOG.assign(row=[1, 2, 3, 4])}, "int64 in the predictions.*same way in both"),
        ({"log": LOG.assign(shadow=[0, None, 1, 0])}, "1 labelled rows have no prediction by the challenger"),
        ({"labels": LABELS.assign(truth=["1", "1", "0"])}, "no row would ever be right"),
        ({"time": "hour", "before": pd.Timestamp("2026-01-01")}, "cannot be compared"),
    ],
)
def test_tables_that_cannot_be_joined_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        join(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": "hour"}, "time and before go together"),
        ({"before": 3}, "time and before go together"),
        ({"metric": AUC(), **{who: {0: "live", 1: "shadow"} for who in ("champion", "challenger")}}, "no loss for a"),
    ],
)
def test_questions_that_mean_nothing_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        join(**changes)


def test_a_prediction_missing_on_a_row_without_a_label_is_no_matter_yet():
    assert len(join(LOG.assign(live=[None, 0, 1, 1]))) == 2


def test_a_monitor_costs_no_pandas():
    code = "import sys, incumbent.evidence.live as m; m.Monitor().update(1.0, 0.0); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
