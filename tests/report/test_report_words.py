"""JSON, text, notebook and terminal: the same verdict in the same words, whatever the outcome holds."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
from outcomes import EVERY, binary, failed, hostile, multiclass, regression, without_anchor
from rich.console import Console

from incumbent.core import Challenger, Interval, Reason, Verdict
from incumbent.report import (
    Line,
    agreement,
    calibration,
    confusion,
    history_lines,
    history_table,
    lines_view,
    outcome_lines,
    outcome_view,
    to_dict,
    to_html_summary,
    to_text,
    view_of,
)

KEYS = (
    "decision strategy version_before version_after reasons metrics challengers cost rows report candidate "
    "name update metric prequential advice promise promise_kind sources findings seed smallest_gain rows_needed"
).split()


def shown(renderable: object, width: int = 100, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, **options)
    console.print(renderable, soft_wrap=True)
    return console.file.getvalue()


@pytest.mark.parametrize("name", EVERY)
def test_the_dict_has_exactly_its_keys_and_survives_strict_json(name: str):
    found = EVERY[name]().to_dict()
    assert list(found) == KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_dict_holds_each_reason_with_its_interval():
    outcome = binary()
    first, *_, last = to_dict(outcome)["reasons"]
    reason = outcome.verdict.reasons[0]
    assert first["value"] == reason.value and first["limit"] == 0.0 and first["holds"] is True
    assert (first["estimate"], first["lower"], first["upper"]) == (
        reason.interval.value,
        reason.interval.lower,
        reason.interval.upper,
    )
    assert last["estimate"] is None


def test_numpy_numbers_become_plain_and_what_is_not_finite_becomes_null():
    outcome = failed(rows={"read": np.int64(3)}, cost={"fit": np.float32("inf")})
    found = to_dict(outcome)
    assert type(found["rows"]["read"]) is int
    assert found["cost"] == {"fit": None}
    assert found["smallest_gain"] is None
    assert found["metrics"]["anchor"] == {"champion": {}, "challenger": {}}


@pytest.mark.parametrize("name", EVERY)
def test_the_short_text_fits_a_screen_and_shows_the_verdict_first(name: str):
    outcome = EVERY[name]()
    lines = str(outcome).splitlines()
    assert len(lines) <= 12
    assert max(len(line) for line in lines if not line.startswith(("Report:", "Undo:"))) <= 80  # commands stay whole
    assert lines[0].startswith(f"{view_of(outcome).word}: ")
    assert all(line == line.rstrip() and line.isprintable() for line in lines)


@pytest.mark.parametrize("name", EVERY)
def test_the_long_text_begins_with_the_verdict_and_the_tests_of_the_short_one(name: str):
    outcome = EVERY[name]()
    short, long = str(outcome).splitlines(), outcome.text(verbose=True).splitlines()
    head = short.index("", 2) if len(outcome.verdict.reasons) else 1
    assert long[:head] == short[:head]
    assert len(long) > len(short)
    for challenger in outcome.challengers:
        assert challenger.strategy.split("(")[0][:20] in "\n".join(long)


def test_the_short_text_has_a_row_per_test_in_percent_and_points():
    lines = str(binary()).splitlines()
    assert lines[0] == "Promoted: electricity version 4 is live. It replaces version 3."
    assert lines[2].split() == ["accuracy", "version", "3", "version", "4", "change", "at", "least", "needed", "rows"]
    assert lines[3].split() == ["new", "rows", "91.0", "%", "97.4", "%", "+6.4", "+4.9", ">", "0", "1,243", "pass"]
    assert lines[5].split() == ["latency", "3.1", "<=", "5", "pass"]
    assert lines[-1] == "Undo:     incumbent rollback --name electricity --why TEXT"


def test_a_regression_has_its_scores_as_they_are_and_its_changes_in_percent_of_the_loss():
    row = view_of(regression()).tests[0]
    before = regression().comparisons["new"].champion["mae"]
    assert float(row.champion) == pytest.approx(before, abs=0.01)
    found = regression().verdict.reasons[0].interval
    assert row.change == f"{100 * found.value / before:+.1f} %"


def test_a_verdict_of_many_tests_stays_short_and_shows_those_that_did_not_pass():
    first, *rest = binary().verdict.reasons
    many = [Reason(f"not worse where a > {i}", 0.1, -0.01, True, False, "", first.interval) for i in range(9)]
    bad = Reason("not worse where b > 1", -0.1, -0.01, False, True, "", first.interval)
    outcome = binary().replace(verdict=Verdict("reject", (first, *many, bad)), decision="reject", version_after=3)
    lines = str(outcome).splitlines()
    assert len(lines) <= 12
    assert any(line.startswith("b > 1") and line.endswith("FAIL") for line in lines)
    assert "and 8 more tests: --verbose" in lines


def test_the_short_text_does_not_grow_with_what_was_tried_and_found():
    many = tuple(Challenger(f"Window({i})", error="It failed. " * 30) for i in range(60))
    outcome = multiclass(challengers=many)
    check = type(outcome.check)(outcome.check.findings * 20, 3, 3, "", "")
    assert len(to_text(outcome.replace(check=check)).splitlines()) <= 12
    assert "Window(59)" in to_text(outcome.replace(check=check), verbose=True)


def test_a_terminal_escape_or_a_line_break_in_a_column_name_does_nothing():
    bad = "a\x1b[2J\r\n\u202eb"
    check = binary().check
    finding = type(check.findings[0])("warning", bad, "is odd")
    outcome = binary(check=type(check)((finding,), 1, 1, bad, bad), name=bad)
    history = shown(lines_view(history_lines(bad, [{"kind": bad, "why": bad}], verbose=True)))
    for text in (to_text(outcome, verbose=True), shown(outcome_view(outcome)), history):
        assert not {"\x1b", "\r", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("make", "headline"),
    [
        (binary, "Promoted: electricity version 4 is live. It replaces version 3."),
        (without_anchor, "Promoted: chain(Replay(2000), Incremental(optimizer='adagrad')) should replace the "
         "champion."),
        (multiclass, "Kept: electricity version 3 stays live. The challenger is worse on the old rows."),
        (regression, "Inconclusive: electricity version 3 stays live. 400 test rows are too few to decide."),
        (failed, "Inconclusive: electricity version 3 stays live. Both challengers failed."),
        (lambda: binary(update="", version_after=3),
         "Dry run: chain(Replay(2000), Incremental(optimizer='adagrad')) would replace electricity version 3. "
         "Nothing was recorded."),
        (lambda: binary(candidate=4, version_after=3),
         "Waiting: electricity version 4 passed and waits for approval. Version 3 stays live."),
        (lambda: failed(challengers=()), "Inconclusive: electricity version 3 stays live. No challenger was tried."),
    ],
)  # fmt: skip
def test_the_headline_names_what_is_live_and_why(make, headline: str):
    assert view_of(make()).headline == headline


def test_a_version_that_waits_names_the_commands_that_decide():
    text = " ".join(str(binary(candidate=4, version_after=3)).split())
    assert "incumbent approve --name electricity --why TEXT" in text
    assert "incumbent refuse --name electricity --why TEXT" in text


@pytest.mark.parametrize("name", EVERY)
def test_the_notebook_display_holds_no_foreign_markup(name: str):
    html = to_html_summary(EVERY[name]())
    assert html == EVERY[name]()._repr_html_()
    assert "<script" not in html and "<img" not in html


def test_the_notebook_display_takes_its_colours_from_around_it():
    html = to_html_summary(binary())
    assert "color:inherit" in html
    assert "<style" not in html


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_terminal(name: str, width: int):
    outcome = EVERY[name]()
    lines = [line.text for line in outcome_lines(outcome, width, verbose=True)]
    assert max(len(line) for line in lines if not line.startswith(("Report:", "Undo:"))) <= width


@pytest.mark.parametrize("name", EVERY)
def test_a_terminal_and_a_pipe_show_the_same_text(name: str):
    outcome = EVERY[name]()
    assert shown(outcome_view(outcome)).rstrip("\n") == to_text(outcome)
    coloured = shown(outcome_view(outcome), force_terminal=True, color_system="standard")
    assert "\x1b[1;" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).rstrip("\n") == to_text(outcome)


RECORD = {
    "number": 7, "time": datetime(2026, 11, 20, 9, 30), "kind": "update", "source": "march.csv",
    "strategies": ["Retrain()", "chain(Replay(9), EWC(1.0))"], "strategy": "Retrain()", "metric": "accuracy",
    "decision": "promote", "gain": 0.031, "lower": 0.012, "upper": 0.05, "seconds": 9.3, "user": "maria",
    "why": "weekly [red]", "version_before": 3, "version_after": 4, "status": "done",
}  # fmt: skip


def texts(lines) -> list[str]:
    assert all(isinstance(line, Line) for line in lines)
    return [line.text for line in lines]


def test_the_history_has_one_line_an_event():
    head, blank, names, line = texts(list(history_lines("fraud", [RECORD])))
    assert (head, blank) == ("fraud: version 4 is live. 1 event.", "")
    assert names.split() == "# when event result live change data or reason".split()
    assert line.split() == "7 2026-11-20 09:30 update promoted 3 → 4 +3.1 march.csv".split()


def test_the_history_shows_the_rest_of_an_event_with_verbose():
    text = "\n".join(texts(list(history_lines("fraud", [RECORD], verbose=True))))
    for piece in ("maria", "weekly [red]", "EWC(1.0)", "between +1.2 and +5.0", "9.3 s"):
        assert piece in text


def test_the_history_shows_the_newest_nine_events_and_counts_the_others():
    records = [{**RECORD, "number": 23 - i, "source": "a long name of a file " * 9} for i in range(23)]
    lines = texts(list(history_lines("fraud", records)))
    assert lines[0] == "fraud: version 4 is live. 23 events, newest first."
    assert lines[-1] == "and 14 earlier: --all"
    assert len(lines) == 13 and max(map(len, lines)) <= 80
    assert len(texts(list(history_lines("fraud", records, most=None)))) == 26


def test_the_history_tolerates_missing_values():
    records = [{}, {"kind": "init", "version_after": 1}, {"status": "interrupted", "gain": None}]
    assert "interrupted" in "\n".join(texts(list(history_lines("fraud", records, verbose=True))))
    assert texts(list(history_lines("fraud", [])))[0] == "fraud: version 0 is live. 0 events, newest first."


def test_the_old_name_of_the_history_warns():
    with pytest.warns(DeprecationWarning, match="history_lines"):
        assert "promoted" in shown(history_table([RECORD]))


@pytest.mark.parametrize(
    ("reason", "needed"),
    [
        (Reason("not worse on the old rows", -0.1, 0.0, False, True, "", Interval(0.0, -0.1, 0.1, 0.05, "t", 9)),
         "> 0"),
        (Reason("few negative flips", 0.1, 0.2, True, False, "", Interval(0.0, -0.1, 0.1, 0.05, "t", 9)), "<= 20 %"),
        (Reason("fast enough", 3.0, 5.0, True, False, ""), "<= 5"),
        (Reason("too slow", 7.0, 5.0, False, True, ""), "<= 5"),
        (Reason("accurate enough", 0.9, 0.8, True, False, ""), "> 0.8"),
        (Reason("just fast enough", 5.0, 5.0, True, False, ""), "<= 5"),
        (Reason("better on the new rows", 0.0, 0.0, False, False, "", Interval(0.0, 0.0, 0.0, 0.05, "t", 9)), "> 0"),
        (Reason("not worse on the new rows", 0.03, -0.01, True, False, "", Interval(0.01, -0.01, 0.03, 0.05, "t", 9)),
         "> -1"),
        (Reason("not worse on the new rows", -0.03, -0.01, False, True, "",
                Interval(-0.05, -0.07, -0.03, 0.05, "t", 9)), "> -1"),
    ],
)  # fmt: skip
def test_a_test_shows_on_which_side_of_its_limit_the_value_has_to_be(reason: Reason, needed: str):
    (row,) = view_of(binary().replace(verdict=Verdict("promote", (reason,)))).tests
    assert row.needed == needed


def test_confusion_counts_what_was_predicted_and_folds_the_rest():
    paired = multiclass(40).comparisons["anchor"].paired
    counts = confusion(paired, most=5)
    assert len(counts.labels) == 6
    assert counts.champion.sum() == counts.challenger.sum() == len(paired)
    whole = confusion(paired, most=40)
    at = whole.labels.index(counts.labels[0])
    assert counts.champion[0, 0] == whole.champion[at, at]
    assert counts.champion[0].sum() == whole.champion[at].sum()


def test_agreement_counts_negative_flips():
    paired = binary().comparisons["new"].paired
    found = agreement(paired)
    was, now = paired.champion.label == paired.y, paired.challenger.label == paired.y
    assert found.lost == int((was & ~now).sum())
    assert found.both + found.gained + found.lost + found.neither == len(paired)


def test_calibration_of_a_model_that_is_right_as_often_as_it_says():
    random = np.random.default_rng(0)
    p = random.random(20_000)
    y = (random.random(20_000) < p).astype(int)
    predicted = type(binary().comparisons["new"].paired.champion)(
        (p > 0.5).astype(int), np.column_stack([1 - p, p]), np.array([0, 1])
    )
    mean, share, rows = calibration(y, predicted)
    assert np.abs(mean - share).max() < 0.04  # 2,000 rows each: four standard errors
    assert rows.tolist() == [2000] * 10


def test_the_report_loads_no_plotting_or_data_library_until_a_page_is_written():
    code = (
        "import sys, incumbent.report;"
        "heavy = {'matplotlib', 'pandas', 'sklearn', 'rich', 'scipy'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_verdict_without_reasons_still_reads():
    outcome = hostile(name="", version_before=0).replace(verdict=Verdict("reject"), decision="reject")
    assert view_of(outcome).headline == "Kept: The champion stays. No gain was shown."
    assert to_text(outcome)


@pytest.mark.parametrize("width", [44, 60, 80])
def test_a_narrow_terminal_loses_columns_but_no_result_of_a_test(width: int):
    lines = [line.text for line in outcome_lines(binary(), width)]
    results = [line for line in lines if line.startswith(("new rows", "old rows"))]
    assert len(results) == 2 and all(line.endswith(("pass", "FAIL", "unclear")) for line in results)
    assert max(map(len, results)) <= width
