"""The first screen of the page: the verdict, the tests behind it, their power, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator

from incumbent.core import Comparison, Interval, Outcome, Reason
from incumbent.report._bars import esc, gain_bar, minus, reason_bar
from incumbent.report._icons import sign
from incumbent.report._units import unit_of
from incumbent.report._view import test_row, view_of
from incumbent.report._words import (
    PROMISE,
    SOURCE,
    clean,
    count,
    detail,
    digits,
    duration,
    gained_in,
    judged,
    roughly,
    total_cost,
    wording,
)

SIGNS = {"promote": "yes", "reject": "no", "inconclusive": "open"}


def hero(outcome: Outcome) -> str:
    """Return the verdict in a sentence and the numbers it rests on."""
    view, tiles = view_of(outcome), "".join(_tiles(outcome))
    return (
        f'<section class="hero" id="verdict" aria-label="Verdict"><div class="wide">'
        f'<p class="chip">{sign("open" if outcome.candidate else SIGNS[outcome.decision])}{view.word}</p>'
        f"<h1>{esc(view.sentence)}</h1>"
        f'<p class="lead">{lead(outcome)}</p><div class="board">{tiles}</div></div></section>'
    )


def lead(outcome: Outcome) -> str:
    """Return the challenger and its gains on new and old rows."""
    if outcome.chosen is None:
        return "There was nothing to compare. The live model did not change."
    who = f"The challenger <code>{esc(clean(outcome.chosen.strategy, 160))}</code>"
    gains = []
    for name, words in (("new", "new rows that it was not trained on"), ("anchor", "old rows")):
        if name in outcome.comparisons:
            i = judged(outcome, outcome.comparisons[name])
            unit = unit_of(outcome.metric, outcome.comparisons[name])
            gain, least = minus(unit.sentence(i.value)), minus(unit.change(i.lower))
            gains.append(f"{gain} on {count(i.rows)} {words} (at least {least})")
    if not gains:
        return f"{who} was not compared with the champion."
    return f"{who} gains {' and '.join(gains)}. A gain is the champion’s loss minus the challenger’s."


def _tiles(outcome: Outcome) -> Iterator[str]:
    for name, title in (("new", "New rows"), ("anchor", "Old rows")):
        if name in outcome.comparisons:
            c = outcome.comparisons[name]
            yield _score_tile(c, judged(outcome, c), title, outcome.metric)
    failed, spared = (
        sum(bool(c.error) for c in outcome.challengers),
        sum(bool(c.skip_reason) for c in outcome.challengers),
    )
    tried = len(outcome.challengers) - spared
    trained = "it was trained" if tried == 1 else "all of them were trained" if tried else ""
    trained = f"{failed} failed" if failed else trained
    yield _tile(
        "Tried",
        f"{tried} challenger{'s' * (tried != 1)}",
        f"{trained}; {spared} more {'was' if spared == 1 else 'were'} not needed" if spared else trained,
        f"{duration(total_cost(outcome.cost))} in all" if outcome.cost else "",
    )
    if digits([outcome.verdict.smallest_gain]):
        needed = outcome.verdict.rows_needed
        yield _tile(
            "Smallest gain these rows can confirm",
            unit_of(outcome.metric, outcome.comparisons.get("new")).change(outcome.verdict.smallest_gain),
            "with a probability of 80 %",
            "" if needed is None else f"the gain measured here takes about {roughly(needed)} rows",
        )


def _score_tile(c: Comparison, i: Interval, title: str, metric: str) -> str:
    unit = unit_of(metric, c)
    before, after = unit.score(c.champion.get(metric)), unit.score(c.challenger.get(metric))
    pair = f'<span class="from">{minus(before)}</span><span class="to">→</span>{minus(after)}'
    style = "good" if i.lower > 0 else "bad" if i.upper < 0 else "plain"
    delta = f'<span class="{style}-text">gain {minus(unit.change(i.value))}</span> {esc(gained_in(c, metric))}'
    bounds = f"between {minus(unit.change(i.lower))} and {minus(unit.change(i.upper))}"
    return (
        f'<div class="tile"><h3>{title}: champion → challenger</h3><p class="big num">{pair}</p>'
        f'<p class="delta">{delta}</p>{gain_bar(i, unit)}'
        f"<small>{bounds}, {count(i.rows)} rows</small></div>"
    )


def _tile(title: str, big: str, text: str, small: str) -> str:
    return (
        f'<div class="tile"><h3>{esc(title)}</h3><p class="big num">{esc(big)}</p>'
        f'<p class="delta soft">{esc(text)}</p><small>{esc(small)}</small></div>'
    )


def reasons(outcome: Outcome) -> str:
    """Return each test as a bar with its limit."""
    held = outcome.verdict.reasons
    if not held:
        return ""
    n = sum(r.holds for r in held)
    return (
        f"<h2>Why: {n} of {len(held)} tests pass</h2>"
        '<p class="intro">A challenger is promoted only if all of them hold. The line is what was measured with its '
        "interval; the thick stroke is the bound that counts, and it has to lie in the tinted region, past the dashed "
        "limit. The triangle is the smallest gain that these rows show 8 times in 10.</p>"
        f'<div class="card">{"".join(_reason(outcome, r) for r in held)}</div>'
    )


def _reason(outcome: Outcome, reason: Reason) -> str:
    row, smallest = test_row(outcome, reason), outcome.verdict.smallest_gain
    unit = unit_of(outcome.metric, outcome.comparisons.get("new"))
    state, shape = ("good", "yes") if reason.holds else ("bad", "no") if reason.violated else ("warn", "open")
    word = {"good": "pass", "bad": "fail", "warn": "unclear"}[state]
    said = f'<p class="said">{esc(detail(reason))}</p>' if reason.text else ""
    untold = reason.interval is not None and reason.interval.test not in reason.text
    test = (
        "" if reason.interval is None or not untold else f'<small class="soft"> · {esc(reason.interval.test)}</small>'
    )
    visible = smallest if reason.interval is not None and reason.name.endswith("on the new rows") else math.nan
    return (
        f'<div class="reason"><div><h3 class="{state}">{sign(shape)}<span>{esc(reason.name)}</span></h3>{said}'
        f'<p class="margin"><span class="{state}-text">{word}</span>{test}</p></div>'
        f'<div class="drawn">{reason_bar(reason, row, unit, visible)}</div></div>'
    )


def next_steps(outcome: Outcome) -> str:
    """Return what to do next; empty if there is no advice."""
    view = view_of(outcome)
    commands = [f"{label}: {text}" for label, text in view.commands if label != "Report"]
    steps = "".join(f"<li><span>{esc(text)}</span></li>" for text in (*view.advice, *commands))
    return f'<h2>What to do next</h2><div class="card"><ol class="steps">{steps}</ol></div>' if steps else ""


def promise(outcome: Outcome) -> str:
    """Return what the verdict guarantees and how it was reached."""
    verdict = outcome.verdict
    alphas = sorted({r.interval.alpha for r in verdict.reasons if r.interval is not None})
    facts = {
        "Promise": PROMISE[verdict.rule],
        "A promotion guarantees": verdict.guarantee,
        "New rows judged on": SOURCE.get(verdict.new_source, verdict.new_source) if verdict.reasons else "",
        "Old rows judged on": SOURCE.get(verdict.source, verdict.source),
        "Decided by": wording(outcome.metric),
        "Error allowed": " and ".join(f"{a:.3g}" for a in alphas) + " per condition" if alphas else "",
    }
    shown = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in facts.items() if text)
    intro = '<p class="intro">What the verdict guarantees, and on which rows.</p>'
    return f'<h2>How sure is this?</h2>{intro}<div class="card"><dl class="facts long">{shown}</dl></div>'
