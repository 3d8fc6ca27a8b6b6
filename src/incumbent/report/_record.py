"""The rest of the page, for the record: every try, the batch before it was learned, data, cost and lineage."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from incumbent.core import ELEMENTS, Challenger, Outcome, Recipe
from incumbent.report._bars import Axis, esc, minus, share_bar, signed_bar, stack
from incumbent.report._history import change_of, moment, result_of, versions
from incumbent.report._units import Unit, unit_of
from incumbent.report._words import (
    clean,
    count,
    digits,
    duration,
    located,
    stages,
    total_cost,
    wording,
)

_SPLITS = (("train", "c1"), ("select", "c5"), ("gate", "c2"))
_STATES = {
    "promote": "good",
    "reject": "bad",
    "inconclusive": "warn",
    "candidate": "blue",
    "approved": "good",
    "refused": "bad",
    "override": "warn",
}
_SET_ASIDE = {
    "duplicate": "repeat other rows; they train, but do not test",
    "contradictory": "same values as another row, another label; they do not test",
    "known": "were learned before; they do not test",
    "leaked": "are in the anchor set; they do not train",
}


def tries(outcome: Outcome) -> str:
    """Return every challenger: what it gained on the select rows, what it cost, how it was made, or why it failed."""
    tried = outcome.challengers
    if not tried:
        return ""
    axis = Axis.around([0.0, *(c.gain for c in tried)], pad=0.05)
    slowest = max([c.seconds for c in tried] + [0.0])
    lines = "".join(_try(c, axis, slowest, unit_of(outcome.metric, outcome.comparisons.get("new"))) for c in tried)
    intro = "None of them was tested."
    if outcome.chosen is not None:
        intro = "They were ranked on select rows, new and old. Only the best one was tested, on other rows."
    return f'<h2>Challengers</h2><p class="intro">{intro}</p><div class="card"><ul>{lines}</ul></div>'


def _try(c: Challenger, axis: Axis, slowest: float, unit: Unit) -> str:
    tag = ' <span class="tag blue">tested</span>' if c.chosen else ""
    if c.error:
        tag = ' <span class="tag bad">failed</span>'
    if c.skip_reason:
        tag = ' <span class="tag">not tried</span>'
    scored, gain, cells = not (c.error or c.skip_reason), "", ""
    if scored:
        gain = f'<div class="gain">{signed_bar(c.gain, axis, unit.change(c.gain))}'
        gain += f'<span class="cell num"><span>gain</span>{minus(unit.change(c.gain))}</span></div>'
        cells = f'<p class="cell score"><span>score</span>{minus(unit.score(c.score))}</p>'
    if scored or c.rows:
        cells += f'<p class="cell from"><span>learned from</span>{count(c.rows)}</p>'
    if scored or c.seconds:
        bar = share_bar(c.seconds, slowest, "compared with the slowest")
        cells += f'<div class="cell time"><span>time</span>{duration(c.seconds)}{bar}</div>'
    said = "".join(f'<p class="bad-text">{esc(text)}</p>' for text in (c.error,) if text)
    said += "".join(f'<p class="soft">{esc(text)}</p>' for text in (c.skip_reason, *c.notes) if text)
    recipe = "" if c.recipe is None else _recipe(c.recipe)
    more = f'<div class="more">{said}{recipe}</div>' if said or recipe else ""
    return f'<li class="try"><p class="what"><code>{esc(c.strategy)}</code>{tag}</p>{gain}{cells}{more}</li>'


def _recipe(recipe: Recipe) -> str:
    facts = "".join(f"<dt>{name}</dt><dd>{_element(getattr(recipe, name))}</dd>" for name in ELEMENTS)
    return (
        f'<details><summary>Recipe</summary><dl class="facts">{facts}'
        f"<dt>as code</dt><dd><code>{esc(repr(recipe))}</code></dd></dl></details>"
    )


def _element(element: Any) -> str:
    said = []
    for f in dataclasses.fields(element):
        value = getattr(element, f.name)
        if value != f.default:
            said.append(f"<code>{esc(f.name)} = {esc(repr(value))}</code>")
    return ", ".join(said) or '<span class="soft">nothing special</span>'


def prequential(outcome: Outcome) -> str:
    """Return the scores on the whole batch before anybody learned from it."""
    scores = outcome.prequential
    names = list(dict.fromkeys(name for row in scores.values() for name in row))
    if not names:
        return ""
    head = "".join(f'<th scope="col">{esc(wording(name))}</th>' for name in names)
    body = "".join(_prequential_row(who, row, names) for who, row in scores.items())
    intro = "Scores on the whole batch, taken before any model was trained on it."
    if any(_no_change(who) for who in scores):
        intro += " “No change” repeats the last label. A model with a temporal kappa of 0 or less is no better."
    return (
        f'<h2>Before it was learned</h2><p class="intro">{intro}</p>'
        '<div class="card"><div class="scroll" role="region" tabindex="0" aria-label="Prequential scores"><table>'
        f'<thead><tr><th scope="col">Model</th>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def _no_change(who: str) -> bool:
    return who.replace("_", "-").replace(" ", "-").lower() == "no-change"


def _prequential_row(who: str, row: Mapping[str, float], names: list[str]) -> str:
    style = ' class="quiet"' if _no_change(who) else ' class="key"' if who == "champion" else ""
    cells = "".join(f"<td>{minus(unit_of(name, None).score(row.get(name)))}</td>" for name in names)
    return f'<tr{style}><th scope="row">{esc(who)}</th>{cells}</tr>'


def data(outcome: Outcome) -> str:
    """Return what was found in the data, how it was split and by which digest it is known."""
    check, rows = outcome.check, outcome.rows
    found = "".join(_finding(f.level, f.column, f.text) for f in check.findings)
    found = f"<ul>{found}</ul>" if found else '<p class="empty">Nothing out of the ordinary.</p>'
    facts = {
        "Source": esc(check.source),
        "Digest": f"<code>{esc(check.digest)}</code>" if check.digest else "",
        "Size": f"{count(check.rows)} rows, {count(check.columns)} columns",
    }
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items() if text)
    return (
        f'<h2>Data</h2><div class="pair"><div class="card"><h3>Findings</h3>{found}</div>'
        f'<div class="card"><h3>Where each row went</h3>{_split(rows)}</div></div>'
        f'<div class="card"><dl class="facts">{listed}</dl></div>'
    )


def _finding(level: str, column: str, text: str) -> str:
    style = " warn" if level == "warning" else ""
    said = esc(located(column, text))
    return f'<li class="finding"><span class="tag{style}">{esc(level)}</span><span>{said}</span></li>'


def _split(rows: Mapping[str, int]) -> str:
    parts = [(name, float(rows.get(name, 0)), style) for name, style in _SPLITS]
    legend = "".join(f'<li><i class="{style}"></i>{name} <b>{count(n)}</b></li>' for name, n, style in parts)
    bar = f'<p class="intro"></p>{stack(parts)}<ul class="legend">{legend}</ul>' if any(n for _, n, _ in parts) else ""
    split = {name for name, _ in _SPLITS}
    facts = "".join(
        f"<dt>{esc(wording(name))}</dt><dd>{count(n)}{_aside(name, n)}</dd>"
        for name, n in rows.items()
        if name not in split
    )
    return f'{bar}<dl class="facts" style="margin-top:14px">{facts}</dl>'


def _aside(name: str, n: int) -> str:
    return f" <small>{_SET_ASIDE[name]}</small>" if n and name in _SET_ASIDE else ""


def cost(outcome: Outcome) -> str:
    """Return the seconds of each stage."""
    each = stages(outcome.cost)
    if not outcome.cost:
        return ""
    largest = max([*digits(each.values()), 0.0])
    lines = "".join(
        f"<li><span>{esc(wording(name))}</span>{share_bar(s, largest, duration(s))}"
        f'<span class="num">{duration(s)}</span></li>'
        for name, s in each.items()
    )
    whole = f"{duration(total_cost(outcome.cost))} in all"
    return f'<h2>Cost: {whole}</h2><div class="card"><ul class="costs">{lines}</ul></div>'


def lineage(outcome: Outcome) -> str:
    """Return what happened to this model before, newest first."""
    if not outcome.lineage:
        return ""
    lines = "".join(_event(event) for event in outcome.lineage)
    return f'<h2>What came before</h2><div class="card"><ol class="line" style="list-style:none">{lines}</ol></div>'


def _event(event: Mapping[str, Any]) -> str:
    kind, word = clean(event.get("kind") or "event"), result_of(event)
    state = _STATES.get(clean(event.get("decision") or ""), "")
    tag = f' <span class="tag {state}">{esc(word)}</span>' if word else ""
    strategy = f" <code>{esc(event['strategy'])}</code>" if event.get("strategy") else ""
    gain = change_of(event)
    seen = f" {minus(gain)}" if gain else ""
    under = event.get("gate") or ""
    under = under if event.get("kind") == "gate" or not under else f"under another gate: {under}"
    why = "".join(f'<br><span class="soft">{esc(text)}</span>' for text in (under, event.get("why")) if text)
    who = f" <small>by {esc(event['user'])}</small>" if event.get("user") else ""
    return (
        f'<li class="{state}"><span class="when">{esc(moment(event.get("time")))}</span>'
        f"<span><b>{esc(kind)}</b>{tag}{strategy}{seen}{who}{why}</span>"
        f'<span class="num">{esc(versions(event))}</span></li>'
    )
