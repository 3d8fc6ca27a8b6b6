"""Rows lost and won: drawn from all of them with equal chances, readable whatever the models saw, and harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from outcomes import binary, failed, hostile, regression
from test_report_page import read

from incumbent.core import PairedPredictions, Prediction
from incumbent.report import draw_examples, page, tabulate

SCRIPT = "<script>alert('x')</script>\"'><img src=http://evil.example/x onerror=alert(1)>"


def flipped(n: int = 300, lost: int = 60, won: int = 90) -> PairedPredictions:
    """The first rows are lost, the last ones won, and on those between both are right."""
    y = np.ones(n, dtype=int)
    champion, challenger = y.copy(), y.copy()
    challenger[:lost], champion[n - won :] = 0, 0
    return PairedPredictions(y, Prediction(champion), Prediction(challenger), x=pd.DataFrame({"a": np.arange(n) / 10}))


def seeing(outcome, x):
    """The outcome, with this as what the models saw of the new rows."""
    new = outcome.comparisons["new"]
    return outcome.replace(comparisons={**outcome.comparisons, "new": replace(new, paired=replace(new.paired, x=x))})


# ------------------------------------------------------------------------------------------- drawing


def test_twenty_rows_of_each_kind_are_drawn_and_all_are_counted():
    lost, won = draw_examples(flipped(), regression=False, seed=3)
    assert (len(lost.at), lost.of, len(won.at), won.of) == (20, 60, 20, 90)
    assert set(lost.at) <= set(range(60)) and set(won.at) <= set(range(210, 300))
    assert sorted(lost.at) == list(lost.at)


def test_where_there_are_few_all_are_shown():
    lost, won = draw_examples(flipped(lost=3, won=0), regression=False, seed=3)
    assert (lost.at.tolist(), lost.of, won.at.tolist(), won.of) == ([0, 1, 2], 3, [], 0)


def test_the_seed_decides_which_and_every_row_has_the_same_chance():
    assert draw_examples(flipped(), regression=False, seed=3)[0].at.tolist() == (
        draw_examples(flipped(), regression=False, seed=3)[0].at.tolist()
    )
    times = np.zeros(60)
    for seed in range(900):
        times[draw_examples(flipped(), regression=False, seed=seed)[0].at] += 1
    # each row is in a draw with probability 1/3: 300 times, with a standard deviation of 14.1
    assert times.sum() == 900 * 20 and np.abs(times - 300).max() < 5 * 14.2


def test_of_a_regression_those_whose_error_rose_or_fell_and_not_the_worst_of_them():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    champion, challenger = y + 1.0, y + rng.uniform(-3.0, 3.0, 400)
    challenger[:5], challenger[5:10] = np.nan, champion[5:10]
    both = Prediction(champion), Prediction(challenger)
    lost, won = draw_examples(PairedPredictions(y, *both), regression=True, seed=0)
    rose = np.abs(challenger - y) > 1.0 + 1e-12
    assert (lost.of, won.of) == (int(rose[10:].sum()), int((~rose[10:]).sum()))
    assert rose[lost.at].all() and not rose[won.at].any() and min(*lost.at, *won.at) >= 10
    worst = np.argsort(-np.abs(challenger - y)[10:])[:20] + 10
    assert set(lost.at) != set(worst)


def test_classes_of_mixed_kinds_are_told_apart():
    y = np.array([1, "b", None], dtype=object)
    lost, won = draw_examples(PairedPredictions(y, Prediction(y), Prediction(y[::-1].copy())), regression=False, seed=0)
    assert (lost.of, won.of) == (2, 0)


# ------------------------------------------------------------------------------------------- columns


def test_a_frame_shows_its_first_eight_columns_and_says_how_many_are_left():
    shown = tabulate(pd.DataFrame(np.zeros((5, 30)), columns=[f"c{i}" for i in range(30)]), np.array([1, 4]))
    assert [name for name, _, _ in shown.columns] == [f"c{i}" for i in range(8)]
    assert (shown.left_out, shown.rows) == (22, ["2", "5"])


def test_every_kind_of_value_is_readable():
    frame = pd.DataFrame(
        {
            "number": [0.123456, np.nan],
            "whole": [1_234_567, 2],
            "text": ["a" * 500, None],
            "time": [datetime(2026, 1, 31), pd.NaT],
            "yes": [True, False],
            "kind": pd.Categorical(["", "b"]),
        }
    )
    shown = {name: cells for name, cells, _ in tabulate(frame, np.array([0, 1])).columns}
    assert shown["number"] == ["0.1235", "missing"] and shown["whole"] == ["1234567", "2"]
    assert len(shown["text"][0]) == 48 and shown["text"][0].endswith("…") and shown["text"][1] == "missing"
    assert shown["time"] == ["2026-01-31", "missing"] and shown["yes"] == ["True", "False"]
    assert shown["kind"] == ["empty", "b"]


def test_texts_arrays_images_and_several_modalities_are_shown_too():
    at = np.array([1])
    assert tabulate(["one", "two words"], at).columns == [("text", ["two words"], False)]
    assert tabulate(np.eye(3), at).columns[1] == ("x1", ["1"], True)
    assert tabulate(np.ones((4, 3, 32, 32)), at).columns == [("array", ["3 x 32 x 32, mean 1"], False)]
    both = {"words": ["a", "b"], "numbers": np.eye(2)}
    assert [name for name, _, _ in tabulate(both, at).columns] == ["words", "numbers 0", "numbers 1"]
    assert tabulate(None, at).columns == [] and tabulate(np.eye(2), np.empty(0, dtype=int)).columns == []


def test_a_sparse_matrix_becomes_dense_for_the_drawn_rows_only():
    from scipy.sparse import csr_matrix

    wide = csr_matrix((np.ones(2), ([3, 100_000], [1, 2])), shape=(100_001, 50_000))
    shown = tabulate(wide, np.array([3, 100_000]))
    assert shown.columns[1][1] == ["1", "0"] and shown.left_out == 49_992


# ---------------------------------------------------------------------------------------------- page


def test_the_page_shows_features_truth_and_both_predictions_of_rows_lost_and_won():
    outcome = binary()
    n = len(outcome.comparisons["new"].paired)
    x = pd.DataFrame({"demand": np.arange(n) + 0.5, "place": [f"place {i}" for i in range(n)]})
    text = read(page(seeing(outcome, x))).text
    new = outcome.comparisons["new"].paired
    lost = int(((new.champion.label == new.y) & (new.challenger.label != new.y)).sum())
    assert f"Lost: 20 of {lost} rows" in text and "Won: 20 of" in text
    assert "demand" in text and text.count("place ") >= 40
    assert "the champion was right, the challenger is wrong" in text


def test_a_regression_shows_its_errors_beside_its_predictions():
    text = read(page(regression())).text
    assert "in brackets the error, predicted minus true" in text and "Lost: 20 of" in text


def test_without_a_comparison_there_are_no_examples():
    assert 'id="examples"' not in page(failed())


def test_no_row_lost_is_said_so():
    new = binary().comparisons["new"]
    made = replace(new, paired=flipped(lost=0))
    assert "Lost: none" in page(binary(comparisons={"new": made}))


@pytest.mark.parametrize("kind", ["frame", "texts", "dict"])
def test_features_from_outside_stay_text(kind):
    outcome = hostile()
    n = len(outcome.comparisons["new"].paired)
    cells = [f"{SCRIPT}\x1b[31m\u202e"] * n
    x = {"frame": pd.DataFrame({f"{SCRIPT}$style": cells}), "texts": cells, "dict": {f"{SCRIPT}$nav": cells}}[kind]
    html = page(seeing(outcome, x))
    reader = read(html)
    assert "<script>alert('x')</script>" in reader.text and "\x1b" not in html and "\u202e" not in html
    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") or name == "src" for _, attributes in reader.tags for name in attributes)


def test_a_page_with_wide_rows_of_long_texts_stays_small():
    outcome = binary()
    n = len(outcome.comparisons["new"].paired)
    x = pd.DataFrame({f"column {i} {'y' * 300}": ["z" * 5000] * n for i in range(40)})
    assert len(page(seeing(outcome, x)).encode()) < 400_000


def test_the_condition_on_new_rows_marks_the_smallest_gain_that_could_have_been_seen():
    outcome = regression()
    assert outcome.verdict.reasons[0].name == "better on the new rows"
    assert "can confirm +8.4 %" in page(outcome)
    assert page(outcome).count('class="visible"') == 1
    unknown = outcome.replace(verdict=replace(outcome.verdict, smallest_gain=float("inf")))
    assert 'class="visible"' not in page(unknown)
