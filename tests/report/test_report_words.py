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
from incumbent.report import history_table, outcome_view, to_dict, to_html_summary, to_text
from incumbent.report._counts import agreement, calibration, confusion
from incumbent.report._words import duration, headline, number, sentence, side

KEYS = (
    "decision strategy version_before version_after reasons metrics challengers cost rows report candidate "
    "name update metric prequential advice promise promise_kind sources findings seed smallest_gain rows_needed"
).split()


def shown(renderable: object, width: int = 100, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, **options)
    console.print(renderable)
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
def test_the_text_fits_a_log_and_says_the_verdict_first(name: str):
    outcome = EVERY[name]()
    lines = str(outcome).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith(headline(outcome).split(": ")[0] + ": ")
    assert all(line == line.rstrip() and line.isprintable() for line in lines)


def test_the_text_stays_short_however_much_was_tried_and_found():
    many = tuple(Challenger(f"Window({i})", error="It failed. " * 30) for i in range(60))
    outcome = multiclass(challengers=many)
    check = type(outcome.check)(outcome.check.findings * 20, 3, 3, "", "")
    text = to_text(outcome.replace(check=check))
    assert len(text.splitlines()) <= 45
    assert "and 53 more in the report" in text
    assert "and 56 more findings in the report" in text


def test_a_terminal_escape_or_a_line_break_in_a_column_name_does_nothing():
    bad = "a\x1b[2J\r\n\u202eb"
    check = binary().check
    finding = type(check.findings[0])("warning", bad, "is odd")
    outcome = binary(check=type(check)((finding,), 1, 1, bad, bad), name=bad)
    for text in (to_text(outcome), shown(outcome_view(outcome)), shown(history_table([{"kind": bad, "why": bad}]))):
        assert not {"\x1b", "\r", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (binary, "Promoted: chain(Replay(2000), Incremental(optimizer='adagrad')) becomes version 4 and replaces "
                 "version 3 of electricity; all 3 conditions hold."),
        (without_anchor, "Promoted: chain(Replay(2000), Incremental(optimizer='adagrad')) should replace the champion; "
                         "all 2 conditions hold."),
        (multiclass, "Rejected: version 3 of electricity stays live, because chain(Replay(2000), "
                     "Incremental(optimizer='adagrad')) fails \"not worse on the old rows\"."),
        (regression, "Inconclusive: version 3 of electricity stays live, because \"better on the new rows\" is not "
                     "shown for chain(Replay(2000), Incremental(optimizer='adagrad'))."),
        (failed, "Inconclusive: version 3 of electricity stays live, because both challengers failed."),
    ],
)  # fmt: skip
def test_the_headline_names_what_is_live_and_why(make, said: str):
    assert headline(make()) == said


def test_the_headline_of_an_update_that_tried_nothing():
    assert sentence(failed(challengers=())) == "Version 3 of electricity stays live: no challenger was tried."


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
@pytest.mark.parametrize("width", [60, 100])
def test_the_terminal_view_holds_the_verdict_at_any_width(name: str, width: int):
    outcome = EVERY[name]()
    text = shown(outcome_view(outcome), width)
    assert text.split(":")[0] == headline(outcome).split(":")[0]
    assert "\x1b" not in text  # no colour where nobody can see it
    assert "\x1b[1;" in shown(outcome_view(outcome), force_terminal=True, color_system="standard")


@pytest.mark.parametrize("name", EVERY)
def test_a_terminal_and_a_pipe_show_the_same_text(name: str):
    outcome = EVERY[name]()
    assert shown(outcome_view(outcome)).rstrip("\n") == to_text(outcome)
    coloured = shown(outcome_view(outcome), force_terminal=True, color_system="standard")
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).rstrip("\n") == to_text(outcome)


@pytest.mark.parametrize("name", EVERY)
def test_a_narrow_terminal_gets_all_facts(name: str):
    text = " ".join(shown(outcome_view(EVERY[name]()), 70).split())
    assert all(word in text for word in re.findall(r"^(?:data|rows|cost|power|next)\b", to_text(EVERY[name]()), re.M))
    assert max(map(len, shown(outcome_view(EVERY[name]()), 70).splitlines())) <= 70


def test_the_history_shows_when_what_verdict_gain_cost_and_who():
    record = {
        "time": datetime(2026, 11, 20, 9, 30), "kind": "update", "source": "march.csv",
        "strategies": ["Retrain()", "chain(Replay(9), EWC(1.0))"], "strategy": "Retrain()",
        "decision": "promote", "gain": 0.031, "lower": 0.012, "upper": 0.05, "seconds": 9.3, "user": "maria",
        "why": "weekly [red]", "version_before": 3, "version_after": 4, "status": "done",
    }  # fmt: skip
    text = shown(history_table([record]))
    for piece in (
        "2026-11-20", "09:30", "update", "march.csv", "Retrain()", "Replay+EWC", "promoted",
        "+0.0310", "+0.0120, +0.0500", "9.3 s",
        "by maria", "weekly [red]", "3 → 4",
    ):  # fmt: skip
        assert piece in text


def test_the_history_tolerates_what_is_missing():
    table = history_table([{}, {"kind": "init", "version_after": 1}, {"status": "interrupted", "gain": None}])
    assert table.row_count == 3
    assert "interrupted" in shown(table)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason("lower bound", -0.1, 0.0, False, True, "", Interval(0.0, -0.1, 0.1, 0.05, "t", 9)), "above"),
        (Reason("upper bound", 0.1, 0.2, True, False, "", Interval(0.0, -0.1, 0.1, 0.05, "t", 9)), "below"),
        (Reason("fast enough", 3.0, 5.0, True, False, ""), "below"),
        (Reason("too slow", 7.0, 5.0, False, True, ""), "below"),
        (Reason("accurate enough", 0.9, 0.8, True, False, ""), "above"),
        (Reason("just fast enough", 5.0, 5.0, True, False, ""), "below"),
        (Reason("identical copy", 0.0, 0.0, False, False, "", Interval(0.0, 0.0, 0.0, 0.05, "t", 9)), "above"),
    ],
)
def test_the_allowed_side_of_a_limit_is_told_from_the_reason(reason: Reason, expected: str):
    assert side(reason) == expected


def test_numbers_read_as_a_person_writes_them():
    assert [number(x) for x in (0.5, -0.00001, 99.123, 1e12, float("inf"))] == [
        "0.5000", "-1.0e-05", "99.12", "1.0e+12", "inf",
    ]  # fmt: skip
    assert [duration(s) for s in (0.9999, 59.96, 3600, float("nan"))] == ["1.0 s", "1 min 0 s", "1 h 0 min", "n/a"]


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
    said = type(binary().comparisons["new"].paired.champion)(
        (p > 0.5).astype(int), np.column_stack([1 - p, p]), np.array([0, 1])
    )
    mean, share, rows = calibration(y, said)
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
    assert sentence(outcome) == "The champion stays live: “a gain” fails."
    assert to_text(outcome)


@pytest.mark.parametrize(
    ("upper", "limit", "holds", "text"),
    [(0.03, -0.01, True, "> -0.01"), (-0.03, -0.01, False, "> -0.01"), (0.01, 0.02, True, "<= 0.02")],
    ids=["a refresh that holds", "a refresh that fails", "few flips"],
)
def test_an_upper_bound_is_held_against_a_floor_by_a_refresh_and_against_a_ceiling_by_flips(upper, limit, holds, text):
    from incumbent.core import Interval, Reason
    from incumbent.report._words import needed

    found = Interval(upper - 0.02, upper - 0.04, upper, 0.05, "exact", 100)
    assert needed(Reason("a", upper, limit, holds, not holds, "", found)) == text
