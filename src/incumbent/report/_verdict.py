"""The first screen of the page: the verdict, what to do next, the tests behind it, and the guarantee."""

from __future__ import annotations

from collections.abc import Iterator

from incumbent.core import Outcome, Reason
from incumbent.report._drawings import esc, minus, reason_bar, state_sign
from incumbent.report._sentences import about
from incumbent.report._units import finite, unit_of
from incumbent.report._view import TestRow, View, test_row, view_of
from incumbent.words import as_words

SOURCE = {
    "anchor": "the anchor set: old rows that no version was trained on",
    "anchor+crossfit": "the anchor set, and rows in memory predicted by models that were fitted without them",
    "crossfit": "old rows predicted by models that were fitted without them",
    "train": "rows the champion was trained on, so it scores too high on them",
    "holdout": "rows of this batch that no challenger was trained on",
    "holdout+crossfit": "rows of this batch, each predicted by a challenger that was fitted without it",
    "prequential": "whole batches, each predicted by a prequential model before it learned them",
}
RULE = {
    "prove": "prove: a challenger is promoted only if it is shown to be better",
    "refresh": "refresh: routine retraining is promoted unless it is shown to be worse",
}
_STATES = {"promote": "good", "reject": "bad", "inconclusive": "warn"}
_STYLES = {"pass": "good", "FAIL": "bad", "unclear": "warn"}


def hero(outcome: Outcome) -> str:
    """Return the verdict in a sentence and the numbers it rests on."""
    view = view_of(outcome)
    sign = state_sign("warn" if outcome.candidate else _STATES[outcome.decision])
    tiles = "".join((*(_score_tile(view, row) for row in view.tests if row.champion), *_power_tile(outcome)))
    return (
        f'<section class="hero" id="verdict" aria-label="Verdict"><div class="wide">'
        f'<p class="chip">{sign}{view.word}</p><h1>{esc(view.sentence)}</h1>'
        f'<p class="lead">{esc(view.strategy)}</p><div class="board">{tiles}</div></div></section>'
    )


def _score_tile(view: View, row: TestRow) -> str:
    metric, champion, challenger, change, bound, *_ = view.heads
    gain = f'<span class="{_STYLES[row.state]}-text">{change} {minus(row.change)}</span>, {bound} {minus(row.bound)}'
    return (
        f'<div class="tile"><h3>{esc(metric)} on {row.rows} {esc(row.label)}</h3><p class="big num">'
        f'<span class="from">{minus(row.champion)}</span><span class="to">→</span>{minus(row.challenger)}</p>'
        f'<p class="delta">{gain}</p>'
        f"<small>from {champion} to {challenger}</small></div>"
    )


def _power_tile(outcome: Outcome) -> Iterator[str]:
    smallest, needed = outcome.verdict.smallest_gain, outcome.verdict.rows_needed
    if finite([smallest]):
        gain = unit_of(outcome.metric, outcome.comparisons.get("new")).change(smallest)
        more = "" if needed is None else f"<small>Confirming the measured gain takes {about(needed)} rows.</small>"
        yield (
            f'<div class="tile"><h3>Smallest gain these rows can confirm</h3><p class="big num">{gain}</p>'
            f'<p class="delta soft">power 80 %</p>{more}</div>'
        )


def next_steps(outcome: Outcome) -> str:
    """Return what to do next; empty if there is no advice."""
    view = view_of(outcome)
    commands = [f"{label}: {text}" for label, text in view.commands if label != "Report"]
    steps = "".join(f"<li><span>{esc(text)}</span></li>" for text in (*view.advice, *commands))
    return f'<h2>What to do next</h2><div class="card"><ol class="steps">{steps}</ol></div>' if steps else ""


def reasons(outcome: Outcome) -> str:
    """Return each test as a bar with its limit."""
    tests = outcome.verdict.reasons
    if not tests:
        return ""
    return (
        f"<h2>Why: {sum(r.holds for r in tests)} of {len(tests)} tests pass</h2>"
        '<p class="intro">A challenger is promoted only if all pass. The line is the measured value with its interval. '
        "The thick stroke is the bound that counts. It has to be in the tinted region, beyond the dashed limit. The "
        "triangle is the smallest gain that these rows can confirm with power 80 %.</p>"
        f'<div class="card">{"".join(_reason(outcome, reason) for reason in tests)}</div>'
    )


def _reason(outcome: Outcome, reason: Reason) -> str:
    row, unit = test_row(outcome, reason), unit_of(outcome.metric, outcome.comparisons.get("new"))
    state, found = _STYLES[row.state], reason.interval
    detail = reason.text.removeprefix(f"{reason.name}: ")
    test = "" if found is None or found.test in reason.text else f'<small class="soft"> · {esc(found.test)}</small>'
    is_new = found is not None and reason.name.endswith("on the new rows")
    bar = reason_bar(reason, row, unit, outcome.verdict.smallest_gain if is_new else float("nan"))
    return (
        f'<div class="reason"><div><h3 class="{state}">{state_sign(state)}<span>{esc(reason.name)}</span></h3>'
        f'<p class="detail">{esc(detail[:1].upper() + detail[1:])}</p>'
        f'<p class="margin"><span class="{state}-text">{row.state.lower()}</span>{test}</p></div>'
        f'<div class="drawn">{bar}</div></div>'
    )


def guarantee(outcome: Outcome) -> str:
    """Return what a promotion guarantees and on which rows the challenger was tested."""
    verdict = outcome.verdict
    alphas = sorted({r.interval.alpha for r in verdict.reasons if r.interval is not None})
    facts = {
        "Rule": RULE[verdict.rule],
        "A promotion guarantees": verdict.guarantee,
        "New rows": SOURCE.get(verdict.new_source, verdict.new_source) if verdict.reasons else "",
        "Old rows": SOURCE.get(verdict.source, verdict.source),
        "Deciding metric": as_words(outcome.metric),
        "Level of each test": " and ".join(f"{100 * alpha:.3g} %" for alpha in alphas),
    }
    shown = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in facts.items() if text)
    return f'<h2>How sure is this?</h2><div class="card"><dl class="facts long">{shown}</dl></div>'
