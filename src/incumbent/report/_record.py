"""The sections of the report page after the comparison: challengers, prequential scores, data, time and history."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from incumbent.core import ELEMENTS, Challenger, Outcome, Recipe
from incumbent.report._drawings import Axis, esc, minus, share_bar, signed_bar, stack
from incumbent.report._history import change_of, moment, result_of, versions
from incumbent.report._sentences import located
from incumbent.report._units import Unit, finite, unit_of
from incumbent.report._view import stages, total_time
from incumbent.words import as_words, clean, format_duration

_SPLITS = {"train": "c1", "select": "c5", "gate": "c2"}
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
    """Return every challenger: its gain on the select rows, its time, its recipe, or why it failed."""
    tried, unit = outcome.challengers, unit_of(outcome.metric, outcome.comparisons.get("new"))
    if not tried:
        return ""
    axis = Axis.around([0.0, *(c.gain for c in tried)], pad=0.05)
    slowest = max(c.seconds for c in tried)
    lines = "".join(_try(c, axis, slowest, unit) for c in tried)
    intro = "None of them was tested."
    if outcome.chosen is not None:
        intro = "They were ranked on select rows, new and old. Only the best one was tested, on other rows."
    return f'<h2>Challengers</h2><p class="intro">{intro}</p><div class="card"><ul>{lines}</ul></div>'


def _try(c: Challenger, axis: Axis, slowest: float, unit: Unit) -> str:
    state, style = ("tested", " blue") if c.chosen else ("failed", " bad") if c.error else ("", "")
    state = "not tried" if c.skip_reason else state
    tag = f' <span class="tag{style}">{state}</span>' if state else ""
    is_scored, cells = not (c.error or c.skip_reason), ""
    if is_scored:
        cells += f'<div class="gain">{signed_bar(c.gain, axis, unit.change(c.gain))}'
        cells += f'<span class="cell num"><span>gain</span>{minus(unit.change(c.gain))}</span></div>'
        cells += f'<p class="cell score"><span>score</span>{minus(unit.score(c.score))}</p>'
    if is_scored or c.rows:
        cells += f'<p class="cell from"><span>learned from</span>{c.rows:,}</p>'
    if is_scored or c.seconds:
        bar = share_bar(c.seconds, slowest, "compared with the slowest")
        cells += f'<div class="cell time"><span>time</span>{format_duration(c.seconds)}{bar}</div>'
    texts = ((c.error, "bad-text"), *((text, "soft") for text in (c.skip_reason, *c.notes)))
    more = "".join(f'<p class="{look}">{esc(text)}</p>' for text, look in texts if text)
    more += "" if c.recipe is None else _recipe(c.recipe)
    more = f'<div class="more">{more}</div>' if more else ""
    return f'<li class="try"><p class="what"><code>{esc(c.strategy)}</code>{tag}</p>{cells}{more}</li>'


def _recipe(recipe: Recipe) -> str:
    facts = "".join(f"<dt>{name}</dt><dd>{_element(getattr(recipe, name))}</dd>" for name in ELEMENTS)
    return (
        f'<details><summary>Recipe</summary><dl class="facts">{facts}'
        f"<dt>as code</dt><dd><code>{esc(repr(recipe))}</code></dd></dl></details>"
    )


def _element(element: Any) -> str:
    values = ((f.name, getattr(element, f.name), f.default) for f in dataclasses.fields(element))
    changed = (f"<code>{esc(name)} = {esc(repr(value))}</code>" for name, value, default in values if value != default)
    return ", ".join(changed) or '<span class="soft">default</span>'


def prequential(outcome: Outcome) -> str:
    """Return the scores on the whole batch before any model was trained on it."""
    scores = outcome.prequential
    names = list(dict.fromkeys(name for row in scores.values() for name in row))
    if not names:
        return ""
    head = "".join(f'<th scope="col">{esc(as_words(name))}</th>' for name in names)
    body = "".join(_prequential_row(model, row, names) for model, row in scores.items())
    intro = "Scores on the whole batch, taken before any model was trained on it."
    if "no change" in scores:
        intro += " “No change” repeats the last label. A model with a temporal kappa of 0 or less is no better."
    return (
        f'<h2>Before it was learned</h2><p class="intro">{intro}</p>'
        '<div class="card"><div class="scroll" role="region" tabindex="0" aria-label="Prequential scores"><table>'
        f'<thead><tr><th scope="col">Model</th>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def _prequential_row(model: str, row: Mapping[str, float], names: list[str]) -> str:
    style = {"no change": ' class="quiet"', "champion": ' class="key"'}.get(model, "")
    cells = "".join(f"<td>{minus(unit_of(name, None).score(row.get(name)))}</td>" for name in names)
    return f'<tr{style}><th scope="row">{esc(model)}</th>{cells}</tr>'


def data(outcome: Outcome) -> str:
    """Return the findings in the data, how the rows were split, and their source and digest."""
    check = outcome.check
    found = "".join(_finding(f.level, located(f.column, f.text)) for f in check.findings)
    found = f"<ul>{found}</ul>" if found else '<p class="empty">None.</p>'
    facts = {
        "Source": esc(check.source),
        "Digest": f"<code>{esc(check.digest)}</code>" if check.digest else "",
        "Size": f"{check.rows:,} rows, {check.columns:,} columns",
    }
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items() if text)
    return (
        f'<h2>Data</h2><div class="pair"><div class="card"><h3>Findings</h3>{found}</div>'
        f'<div class="card"><h3>Where each row went</h3>{_split(outcome.rows)}</div></div>'
        f'<div class="card"><dl class="facts">{listed}</dl></div>'
    )


def _finding(level: str, text: str) -> str:
    style = " warn" if level == "warning" else ""
    return f'<li class="finding"><span class="tag{style}">{esc(level)}</span><span>{esc(text)}</span></li>'


def _split(rows: Mapping[str, int]) -> str:
    parts = [(name, float(rows.get(name, 0)), style) for name, style in _SPLITS.items()]
    legend = "".join(f'<li><i class="{style}"></i>{name} <b>{n:,.0f}</b></li>' for name, n, style in parts)
    bar = f'<p class="intro"></p>{stack(parts)}<ul class="legend">{legend}</ul>' if any(n for _, n, _ in parts) else ""
    others = ((name, n, _SET_ASIDE.get(name, "") if n else "") for name, n in rows.items() if name not in _SPLITS)
    facts = "".join(f"<dt>{esc(as_words(name))}</dt><dd>{n:,} <small>{why}</small></dd>" for name, n, why in others)
    return f'{bar}<dl class="facts" style="margin-top:14px">{facts}</dl>'


def cost(outcome: Outcome) -> str:
    """Return the time of each stage."""
    if not outcome.cost:
        return ""
    each = stages(outcome.cost)
    largest = max([*finite(each.values()), 0.0])
    lines = "".join(
        f"<li><span>{esc(as_words(name))}</span>{share_bar(seconds, largest, format_duration(seconds))}"
        f'<span class="num">{format_duration(seconds)}</span></li>'
        for name, seconds in each.items()
    )
    return f'<h2>Time: {total_time(outcome.cost)}</h2><div class="card"><ul class="costs">{lines}</ul></div>'


def lineage(outcome: Outcome) -> str:
    """Return earlier events of this model, newest first."""
    if not outcome.lineage:
        return ""
    lines = "".join(_event(event) for event in outcome.lineage)
    return f'<h2>Earlier events</h2><div class="card"><ol class="line" style="list-style:none">{lines}</ol></div>'


def _event(event: Mapping[str, Any]) -> str:
    kind, word, gain = clean(event.get("kind") or "event"), result_of(event), change_of(event)
    state = _STATES.get(clean(event.get("decision") or ""), "")
    tag = f' <span class="tag {state}">{esc(word)}</span>' if word else ""
    strategy = f" <code>{esc(event['strategy'])}</code>" if event.get("strategy") else ""
    gate = event.get("gate") or ""
    gate = f"under another gate: {gate}" if gate and kind != "gate" else gate
    why = "".join(f'<br><span class="soft">{esc(text)}</span>' for text in (gate, event.get("why")) if text)
    user = f" <small>by {esc(event['user'])}</small>" if event.get("user") else ""
    return (
        f'<li class="{state}"><span class="when">{esc(moment(event.get("time")))}</span>'
        f"<span><b>{esc(kind)}</b>{tag}{strategy} {minus(gain)}{user}{why}</span>"
        f'<span class="num">{esc(versions(event))}</span></li>'
    )
