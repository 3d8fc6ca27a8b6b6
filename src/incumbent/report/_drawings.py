"""Small drawings of a page: an interval with its limit, a change, a share, and the signs for pass and fail.

They are SVG. Horizontal positions are in percent, so drawings stretch with the page and text keeps its width. Colours
are those of the page, light or dark.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from incumbent.core import Interval, Reason
from incumbent.report._units import Unit, finite
from incumbent.report._view import TestRow, side
from incumbent.words import clean


def esc(text: object) -> str:
    """Return text from outside, escaped for a page: between tags or in a quoted attribute."""
    return escape(clean(text), quote=True)


def minus(text: str) -> str:
    """Return a number with a true minus sign, which is as wide as the plus."""
    return text.replace("-", "\N{MINUS SIGN}") if text[:1] == "-" else text


@dataclass(frozen=True)
class Axis:
    """From `low` at the left edge to `high` at the right one."""

    low: float
    high: float

    def at(self, x: float) -> float:
        """Return the position of `x` in percent; values outside the axis are at its edge."""
        if math.isnan(x):
            return 0.0
        share = (x - self.low) / (self.high - self.low) if math.isfinite(x) else (1.0 if x > 0 else 0.0)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    @staticmethod
    def around(values: Iterable[float], pad: float = 0.14) -> Axis:
        """Return an axis on which all finite `values` have room on both sides.

        Examples
        --------
        >>> Axis.around([0.0, 1.0, float("inf")], pad=0.5).at(0.5)
        50.0
        """
        seen = finite(values) or [0.0]
        low, high = min(seen), max(seen)
        room = (high - low) * pad or abs(low) or 1.0
        return Axis(low - room, high + room)


def reason_bar(reason: Reason, row: TestRow, unit: Unit, visible: float = math.nan) -> str:
    """Return one condition: its interval or value, the limit, and the allowed side of the limit.

    A triangle marks `visible`, the smallest gain that these rows can confirm, if it is known.
    """
    state = "good" if reason.holds else "bad" if reason.violated else "warn"
    axis = _reason_axis(reason, visible)
    drawn = [] if math.isnan(reason.limit) else _limit(axis, reason, row.needed)
    if math.isfinite(visible):
        drawn += _visible(axis, visible, reason.limit, unit)
    if not math.isnan(reason.value):
        drawn += _value(axis, reason, state, row.bound)
    elif reason.interval is None or math.isnan(reason.interval.value):
        drawn.append(_label(50, 39, "not known", "mark"))
    return _svg(f"{reason.name}: {row.bound}, needed {row.needed}", drawn, 72)


def _reason_axis(reason: Reason, visible: float) -> Axis:
    i = reason.interval
    if i is not None and abs(visible - reason.limit) < 4 * (i.upper - i.lower):  # beyond, it would squeeze the interval
        i = dataclasses.replace(i, lower=min(i.lower, visible), upper=max(i.upper, visible))
    axis = Axis.around([reason.value, reason.limit, *([0.0] if i is None else [i.value, i.lower, i.upper])])
    # A measured quantity is drawn as a bar, and a bar starts at nothing.
    return Axis(0.0, axis.high) if i is None and min(reason.value, reason.limit) >= 0 else axis


def _limit(axis: Axis, reason: Reason, needed: str) -> list[str]:
    at = axis.at(reason.limit)
    left, width = (at, 100 - at) if side(reason) == "above" else (0.0, at)
    return [
        f'<rect class="zone" x="{left}%" y="18" width="{width:.2f}%" height="32" rx="3"/>',
        f'<line class="limit" x1="{at}%" x2="{at}%" y1="14" y2="54"/>',
        _label(at, 66, f"needed {needed}", "mark"),
    ]


def _visible(axis: Axis, visible: float, limit: float, unit: Unit) -> list[str]:
    at = axis.at(visible)
    place = f'aria-hidden="true" x="{at}%" y="52" width="1" height="6" overflow="visible"'
    mark = f'<svg {place}><path class="visible" d="M0 0l4 6h-8z"/></svg>'
    far = math.isnan(limit) or abs(at - axis.at(limit)) > 30  # the label of the limit must stay readable
    return [mark, _label(at, 70, f"can confirm {minus(unit.change(visible))}", "mark")] if far else [mark]


def _value(axis: Axis, reason: Reason, state: str, bound: str) -> list[str]:
    value = axis.at(reason.value)
    if reason.interval is None:
        start, end = sorted((axis.at(0.0), value))
        drawn = f'<rect class="fill {state}" x="{start}%" y="28" width="{end - start:.2f}%" height="12" rx="2"/>'
    else:
        drawn = _whisker(axis, reason.interval, state)
    stroke = f'<line class="bound {state}" x1="{value}%" x2="{value}%" y1="25" y2="43"/>'
    return [drawn, stroke, _label(value, 11, minus(bound), f"value {state}")]


def dumbbell(before: float, after: float, axis: Axis) -> str:
    """Return two shares and the line from one to the other."""
    if not finite([before]) or not finite([after]):
        return "<span></span>"
    a, b = axis.at(before), axis.at(after)
    state = "same" if abs(after - before) < 5e-4 else "good" if after > before else "bad"
    drawn = [
        '<line class="base" x1="0%" x2="100%" y1="11" y2="11"/>',
        f'<line class="move {state}" x1="{a}%" x2="{b}%" y1="11" y2="11"/>',
        f'<circle class="was" cx="{a}%" cy="11" r="5"/><circle class="now" cx="{b}%" cy="11" r="5.5"/>',
    ]
    return _svg(f"from {before:.1%} to {after:.1%}", drawn, 22)


def signed_bar(value: float, axis: Axis, text: str) -> str:
    """Return a bar from zero to `value`."""
    if not finite([value]):
        return "<span></span>"
    zero, end = axis.at(0.0), axis.at(value)
    width, state = abs(end - zero), "good" if value > 0 else "bad"
    drawn = [
        f'<rect class="fill {state}" x="{min(zero, end)}%" y="4" width="{width:.2f}%" height="12" rx="2"/>',
        f'<line class="limit" x1="{zero}%" x2="{zero}%" y1="0" y2="20"/>',
    ]
    return _svg(f"gain {text}", drawn, 20)


def share_bar(value: float, largest: float, text: str) -> str:
    """Return a bar whose full length means `largest`."""
    width = Axis(0.0, largest).at(value) if largest > 0 else 0.0
    base = '<rect class="rail" x="0" y="0" width="100%" height="6" rx="3"/>'
    return _svg(text, [base, f'<rect class="share" x="0" y="0" width="{width}%" height="6" rx="3"/>'], 6)


def stack(parts: Sequence[tuple[str, float, str]]) -> str:
    """Return shares of a whole side by side: (name, size, CSS class) each."""
    whole = sum(size for _, size, _ in parts) or 1.0
    drawn, at = [], 0.0
    for _, size, style in parts:
        width = 100 * size / whole
        drawn.append(f'<rect class="{style}" x="{at:.2f}%" y="0" width="{width:.2f}%" height="22"/>')
        at += width
    return _svg(", ".join(f"{name} {size:,.0f}" for name, size, _ in parts), drawn, 22)


def _whisker(axis: Axis, i: Interval, state: str) -> str:
    y = 34
    if math.isnan(i.lower) or math.isnan(i.upper):
        return ""
    low, high, mid = axis.at(i.lower), axis.at(i.upper), axis.at(i.value)
    ends = "".join(
        f'<line class="whisker {state}" x1="{x}%" x2="{x}%" y1="{y - 6}" y2="{y + 6}"/>'
        for x, bound in ((low, i.lower), (high, i.upper))
        if math.isfinite(bound)  # an open end has no cap: the line runs to the edge
    )
    line = f'<line class="whisker {state}" x1="{low}%" x2="{high}%" y1="{y}" y2="{y}"/>'
    if math.isnan(i.value):
        return line + ends
    return line + ends + f'<circle class="dot {state}" cx="{mid}%" cy="{y}" r="5.5"/>'


def _label(at: float, y: int, text: str, style: str) -> str:
    anchor = "start" if at < 12 else "end" if at > 88 else "middle"
    return f'<text class="{style}" x="{at}%" y="{y}" text-anchor="{anchor}">{esc(text)}</text>'


def _svg(label: str, drawn: Sequence[str], height: int) -> str:
    name = esc(label)
    return f'<svg class="bar" role="img" aria-label="{name}" width="100%" height="{height}">{"".join(drawn)}</svg>'


_SIGNS = {
    "good": '<path d="M7 12.4l3.3 3.3L17 9" fill="none" stroke-width="2.4"/>',
    "bad": '<path d="M8.4 8.4l7.2 7.2M15.6 8.4l-7.2 7.2" fill="none" stroke-width="2.4"/>',
    "warn": '<path d="M8 12h8" fill="none" stroke-width="2.6"/>',
}


def state_sign(state: str) -> str:
    """Return a check mark, a cross or a dash in a circle for "good", "bad" or "warn"."""
    ring = '<circle cx="12" cy="12" r="10" fill="none" stroke-width="1.8"/>'
    style = 'stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
    return f'<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {style}>{ring}{_SIGNS[state]}</svg>'


def brand() -> str:
    """Return the mark of the project: the bar of the champion, the one of the challenger, and the line between."""
    bars = (
        '<rect x="3" y="9" width="7" height="12" rx="1.8" fill="var(--champion)"/>'
        '<rect x="14" y="4" width="7" height="17" rx="1.8" fill="var(--challenger)"/>'
        '<path d="M1 9h22" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.4 2"/>'
    )
    return f'<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">{bars}</svg>'
