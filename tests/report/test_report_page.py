"""The page: complete, self-contained, safe against what comes from data, and written in one step."""

from __future__ import annotations

import json
import math
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from outcomes import EVERY, binary, failed, hostile, multiclass, regressed, regression, without_anchor

from incumbent.core import Comparison, Interval, Outcome, PairedPredictions, Prediction, Reason
from incumbent.errors import UsageError
from incumbent.report import page, to_dict, to_html_summary, to_text, write

VOID = {"meta", "br", "link", "img", "input", "hr"}
BLOCKS = {"div", "p", "ul", "ol", "dl", "table", "section", "h1", "h2", "h3", "details", "li"}


class Reader(HTMLParser):
    """Reads a page as strictly as HTML5 asks: every tag closed in order, no attribute or id twice."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        assert tag not in BLOCKS or self.open[-1] not in ("p", "span", "h1", "h2", "h3", "code", "b"), (
            f"<{tag}> in line"
        )
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.open or tag in VOID, f"<{tag}/> cannot be closed on the spot in HTML"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [], f"never closed: {reader.open}"
    return reader


@pytest.fixture(scope="module", params=EVERY)
def html(request: pytest.FixtureRequest) -> str:
    return page(EVERY[request.param]())


def test_every_page_is_well_formed_with_each_id_once(html: str):
    reader = read(html)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert html.startswith("<!DOCTYPE html>")
    assert len(ids) == len(set(ids))


def test_every_page_needs_nothing_from_outside_and_no_script(html: str):
    reader = read(html)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form"}
    for tag, attributes in reader.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag}> would run {name}"
            assert name not in ("src", "srcset", "xlink:href", "action"), f"<{tag}> would load {value}"
            if name == "href":
                assert value.startswith("#")
    assert not re.search(r"url\((?!#)|@import", html)
    assert len(html.encode()) < 1_000_000


def test_every_link_and_reference_of_a_page_has_its_target(html: str):
    reader = read(html)
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    wanted = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html))
    assert {a or b for a, b in wanted} <= ids


def test_every_drawing_says_what_it_shows(html: str):
    for tag, attributes in read(html).tags:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or (attributes["role"] == "img" and attributes["aria-label"])


@pytest.mark.parametrize(
    ("make", "verdict"),
    [(binary, "Promoted"), (multiclass, "Kept"), (regression, "Inconclusive"), (failed, "Inconclusive")],
)
def test_the_page_leads_with_the_verdict(make, verdict: str):
    text = read(page(make())).text
    assert text.index(verdict) < text.index("Why" if make is not failed else "Challengers")


def test_each_reason_shows_its_value_its_limit_and_its_sentence():
    outcome = binary()
    text = read(page(outcome)).text
    for reason in outcome.verdict.reasons:
        assert reason.name in text
        assert reason.text in text
    assert "needed > -2" in text
    assert "needed <= 5" in text
    assert f"{100 * outcome.verdict.reasons[0].value:+.1f}" in text


def test_the_gain_on_old_rows_is_shown_at_the_level_of_the_gate():
    outcome = binary()
    old = outcome.comparisons["anchor"]
    stricter = Interval(old.interval.value, old.interval.value - 0.03, 0.05, 0.01, "McNemar", old.interval.rows)
    reason = Reason("not worse on the old rows", stricter.lower, -0.1, True, False, "It holds.", stricter)
    text = read(page(outcome.replace(verdict=type(outcome.verdict)("promote", (reason,))))).text
    assert f"at least −{abs(100 * stricter.lower):.1f}" in text
    assert f"at least {100 * old.interval.lower:+.1f}".replace("-", "−") not in text


def test_text_from_data_stays_text():
    reader = read(page(hostile()))
    assert "<script>alert('x')</script>" in reader.text  # shown as it is, and nothing of it became a tag
    assert "evil.example" not in {value for _, attributes in reader.tags for value in attributes.values()}


def test_a_dollar_sign_or_a_foreign_script_in_a_class_name_is_harmless():
    classes = {"$x^2$": "価格", "0": "1"}
    new = binary().comparisons["new"]
    swap = dict(zip(("DOWN", "UP"), classes, strict=True))
    renamed = np.array([swap[str(c)] for c in new.paired.y])
    predicted = Prediction(renamed, new.paired.champion.proba, np.array(["$x^2$", "価格"]))
    made = Comparison(
        "new", {}, {}, new.interval, {"$x^2$": (0.5, 0.6, 3)}, PairedPredictions(renamed, predicted, predicted)
    )
    assert "価格" in read(page(binary(comparisons={"new": made}))).text


def test_lineage_cost_data_and_recipes_are_on_the_page():
    text = read(page(binary())).text
    for piece in (
        "Complaints from the night shift", "promoted", "4 → 3", "Time: 9.3 s", "elec2_batch_07.parquet",
        "sha256:5bb1a1d2", "replay = ReplayRows(2000)", "Optimizer('adagrad', epochs=3)",
        "RandomForestClassifier lacks ['gradient']",
        "no change", "temporal kappa", "nswdemand",
    ):  # fmt: skip
        assert piece in text


def test_of_forty_classes_the_fifteen_that_changed_most_are_shown():
    outcome = multiclass(40)
    per_class = outcome.comparisons["anchor"].per_class
    order = sorted(per_class, key=lambda name: -abs(per_class[name][1] - per_class[name][0]))
    part = page(outcome).split('<section id="classes">')[1].split("</section>")[0].split("What was")[0]
    old = part.split("New rows: what was learned")[0]
    assert old.count("<li>") == 15
    assert f'title="{order[0]}"' in old
    assert f'title="{order[-1]}"' not in old
    assert "The 15 classes of 40 that changed most" in old


def test_a_class_that_the_champion_did_not_know_is_marked():
    outcome = binary()
    seen = EVERY["binary"]().champion
    outcome = outcome.replace(champion=type(seen)("classification", np.array(["DOWN"])))
    assert "new class" in read(page(outcome)).text


def test_without_old_rows_the_page_says_so():
    assert "There were no old rows to test on." in read(page(without_anchor())).text


def test_when_every_try_failed_the_page_says_why_and_what_to_do():
    text = read(page(failed())).text
    assert "Both challengers failed" in text
    assert "Input X contains NaN." in text
    assert "What to do next" in text
    assert "Champion and challenger" not in text


def test_missing_numbers_and_open_intervals_are_drawn_without_them():
    outcome, nan = binary(), math.nan
    open_ended = Interval(nan, -math.inf, math.inf, 0.05, "paired t", 1)
    new = outcome.comparisons["new"]
    broken = Comparison("new", {"accuracy": nan}, {}, open_ended, {"UP": (nan, nan, 0)}, new.paired)
    reason = Reason("better on the new rows", -math.inf, 0.0, False, False, "One row shows nothing.", open_ended)
    unknown = Reason("not worse on the old rows", nan, -0.005, False, False, "No old rows were given.")
    endless = Reason("latency", nan, nan, False, False, "latency could not be measured")
    verdict = outcome.verdict
    made = outcome.replace(
        comparisons={"new": broken},
        verdict=type(verdict)("inconclusive", (reason, unknown, endless), smallest_gain=math.inf),
        decision="inconclusive",
        prequential={"champion": {"accuracy": nan}},
        cost={"fit": nan},
    )
    html = page(made)
    read(html)
    assert not re.search(r'(?:x|x1|x2|cx|width)="(?:nan|inf|-inf)', html)
    assert "nan" not in read(html).text + to_html_summary(made) + to_text(made)
    json.dumps(to_dict(made), allow_nan=False)


def test_predictions_that_are_nan_are_left_out_of_the_plots():
    c = regressed("new", 50, (30.0, 20.0), 1)
    predicted = Prediction(np.where(np.arange(50) % 7 == 0, np.nan, c.paired.challenger.label))
    made = Comparison(
        "new", c.champion, c.challenger, c.interval, {}, PairedPredictions(c.paired.y, c.paired.champion, predicted)
    )
    html = page(regression(comparisons={"new": made}))
    assert "Errors of both" in read(html).text
    none = Comparison(
        "new", {}, {}, c.interval, {}, PairedPredictions(c.paired.y, predicted, Prediction(np.full(50, np.nan)))
    )
    assert "Errors of both" not in read(page(regression(comparisons={"new": none}))).text


def test_a_classifier_without_probabilities_gets_no_calibration_plot():
    new = binary().comparisons["new"]
    paired = PairedPredictions(
        new.paired.y, Prediction(new.paired.champion.label), Prediction(new.paired.challenger.label)
    )
    bare = Comparison("new", new.champion, new.challenger, new.interval, new.per_class, paired)
    text = read(page(binary(comparisons={"new": bare}))).text
    assert "Challenger: confusion" in text
    assert "Calibration" not in text


def test_a_hundred_thousand_rows_still_make_a_small_page():
    big = {name: regressed(name, 100_000, (40.0, 39.0), 3) for name in ("new", "anchor")}
    assert len(page(regression(comparisons=big)).encode()) < 400_000


def test_the_same_outcome_gives_the_same_page_byte_for_byte():
    assert page(multiclass()) == page(multiclass())


def test_drawing_leaves_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    page(binary())
    assert dict(mpl.rcParams) == before


def test_write_returns_the_path_and_replaces_what_was_there(tmp_path: Path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write(failed(), path) == path
    assert "Both challengers failed" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_outcome_report_takes_a_path_as_text(tmp_path: Path):
    outcome: Outcome = failed()
    assert outcome.report(str(tmp_path / "r.html")) == tmp_path / "r.html"


def test_a_crash_while_writing_leaves_the_old_page_and_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(UsageError, match="No space left on device"):
        write(failed(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_is_missing_or_a_file_is_refused_in_one_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="does not exist. Create it first"):
        write(failed(), tmp_path / "nowhere" / "report.html")
    with pytest.raises(UsageError, match="is a folder; give the report a file name"):
        write(failed(), tmp_path)


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)  # root may write anywhere, so the refusal is simulated
    with pytest.raises(UsageError, match="Permission denied. Choose another path"):
        write(failed(), tmp_path / "report.html")
