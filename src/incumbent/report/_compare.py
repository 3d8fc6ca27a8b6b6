"""The sections of the report page that compare champion and challenger: metrics, classes, rows and plots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Comparison, Outcome
from incumbent.report._counts import LabelCounts, agreement, confusion, count_labels, several
from incumbent.report._drawings import Axis, dumbbell, esc, minus, stack
from incumbent.report._units import finite
from incumbent.report._view import metric_rows
from incumbent.words import as_words

MOST_CLASSES = 15
_GREATER = ("accuracy", "precision", "recall", "f1", "auc", "r2", "kappa", "average_precision", "specificity", "mcc")
_SMALLER = ("loss", "brier", "error", "rmse", "mae", "mse", "mape", "ece", "cost", "latency", "bytes", "seconds")


def shown(outcome: Outcome) -> list[Comparison]:
    """Return the comparisons that were made, the new rows first."""
    return [outcome.comparisons[name] for name in ("new", "anchor") if name in outcome.comparisons]


def title(comparison: Comparison) -> str:
    """Return "New rows" or "Old rows"."""
    return "New rows" if comparison.name == "new" else "Old rows"


def metrics(outcome: Outcome) -> str:
    """Return every metric of champion and challenger, on new and on old rows."""
    found = shown(outcome)
    if not found:
        return ""
    cards = "".join(_metrics_card(outcome, c) for c in found)
    if len(found) < 2:
        cards += '<div class="card empty"><h3>Old rows</h3><p>There were no old rows to test on.</p></div>'
    return f'<h2>Champion and challenger</h2><div class="pair">{cards}</div>'


def _metrics_card(outcome: Outcome, c: Comparison) -> str:
    rows = "".join(_metric_row(c, name, cells, name == outcome.metric) for name, *cells in metric_rows(outcome, c))
    return _card(
        title(c),
        f"{c.interval.rows:,} rows, predicted by both",
        '<table class="metrics"><thead><tr><th scope="col">Metric</th><th scope="col">Champion</th>'
        f'<th scope="col">Challenger</th><th scope="col">Change</th></tr></thead><tbody>{rows}</tbody></table>',
    )


def _metric_row(c: Comparison, name: str, cells: Sequence[str], decides: bool) -> str:
    better = is_better(name, c.challenger.get(name, math.nan) - c.champion.get(name, math.nan))
    style = "" if better is None else ' class="good-text"' if better else ' class="bad-text"'
    key = ' class="key"' if decides else ""
    before, after, change = (esc(minus(cell)) for cell in cells)
    row = f"<td>{before}</td><td>{after}</td><td{style}>{change}</td>"
    return f'<tr{key}><th scope="row">{esc(as_words(name))}</th>{row}</tr>'


def is_better(metric: str, change: float) -> bool | None:
    """Return whether a change of this metric is an improvement, guessed from its name; None if the name is unknown.

    Examples
    --------
    >>> is_better("log_loss", -0.1), is_better("f1_macro", -0.1), is_better("shop:profit", 5.0)
    (True, False, None)
    """
    name = metric.lower()
    if ":" in name or not math.isfinite(change) or round(change, 6) == 0:
        return None
    if any(part in name for part in _SMALLER):
        return change < 0
    return change > 0 if any(part in name for part in _GREATER) else None


def rows(outcome: Outcome) -> str:
    """Return the numbers of rows that the challenger gained and lost (negative flips); empty for a regression."""
    found = [c for c in shown(outcome) if c.per_class]
    if not found:
        return ""
    cards = "".join(_agreement_card(c) for c in found)
    return (
        "<h2>Row by row</h2>"
        '<p class="intro">A model that is better on average can still get rows wrong that used to be right. Users '
        f'notice these negative flips first.</p><div class="pair">{cards}</div>'
    )


def _agreement_card(c: Comparison) -> str:
    a = agreement(c.paired)
    parts = (
        ("both right", a.both, "c4"),
        ("only the challenger", a.gained, "c2"),
        ("only the champion", a.lost, "c3"),
        ("both wrong", a.neither, "c5"),
    )
    whole = sum(n for _, n, _ in parts) or 1
    legend = "".join(f'<li><i class="{s}"></i>{name} <b>{n:,}</b> ({n / whole:.1%})</li>' for name, n, s in parts)
    who = "which model has every label right" if several(c.paired) else "which model is right"
    return _card(title(c), who, f'{stack(parts)}<ul class="legend">{legend}</ul>')


def classes(outcome: Outcome) -> str:
    """Return the accuracy of each class before and after: learned on the new rows, forgotten on the old."""
    found = [c for c in reversed(shown(outcome)) if c.per_class]
    if not found:
        return ""
    legend = '<ul class="legend"><li><i class="ring"></i>champion</li><li><i class="round c1"></i>challenger</li></ul>'
    lowest = min(finite(x for c in found for pair in c.per_class.values() for x in pair[:2]), default=0.0)
    axis = Axis(max(0.0, math.floor(lowest * 10 - 0.5) / 10), 1.0)  # dots, not bars: the scale need not start at 0
    cards = "".join(_classes_card(c, axis, outcome.champion.classes) for c in found)
    heading = "<h2>By class: learned and forgotten</h2>"
    what = "The fraction of each class that is predicted right, before and after."
    if several(found[0].paired):
        heading = "<h2>By label: learned and forgotten</h2>"
        what = "F1 of each label, before and after. It falls if a label is missed or predicted wrongly."
    return (
        f'{heading}<p class="intro">{what} A loss on old rows is forgetting.</p><div class="pair">{cards}</div>{legend}'
    )


def _classes_card(c: Comparison, axis: Axis, known: Iterable[object] | None) -> str:
    top, rest = _most_changed(c.per_class, "labels" if several(c.paired) else "classes")
    names = None if known is None else {str(name) for name in known}
    lines = "".join(_class_line(name, c.per_class[name], axis, names is None or name in names) for name in top)
    more = f'<p class="intro">{esc(rest)}</p>' if rest else ""
    what = "new rows: what was learned" if c.name == "new" else "old rows: what was forgotten"
    ticks = "".join(f"<span>{x:.0%}</span>" for x in (axis.low, (axis.low + axis.high) / 2, axis.high))
    scale = f'<div class="scale" aria-hidden="true"><span></span><span>{ticks}</span><span></span></div>'
    return f'<div class="card"><h3>{what.capitalize()}</h3>{more}{scale}<ul class="classes">{lines}</ul></div>'


def _most_changed(per_class: Mapping[str, tuple[float, float, int]], what: str) -> tuple[list[str], str]:
    def change(name: str) -> float:
        before, after, _ = per_class[name]
        return max(finite([abs(after - before)]), default=0.0)

    if len(per_class) <= MOST_CLASSES:
        return list(per_class), ""
    order = sorted(per_class, key=lambda name: -change(name))
    left = 100 * change(order[MOST_CLASSES])
    return order[:MOST_CLASSES], (
        f"The {MOST_CLASSES} {what} of {len(order)} that changed most; the others by at most {left:.1f} points."
    )


def _class_line(name: str, shares: tuple[float, float, int], axis: Axis, known: bool) -> str:
    before, after, n = shares
    points = 100 * (after - before)
    style = "soft" if not finite([points]) or abs(points) < 0.05 else "good-text" if points > 0 else "bad-text"
    change = "n/a" if not finite([points]) else minus(f"{points:+.1f}") + "<small> pt</small>"
    tag = "" if known else " · new class"
    return (
        f'<li><span class="name" title="{esc(name)}">{esc(name)}<small>{n:,} rows{tag}</small></span>'
        f'{dumbbell(before, after, axis)}<span class="num {style}">{change}</span></li>'
    )


def _card(title: str, intro: str, body: str) -> str:
    return f'<div class="card"><h3>{title}</h3><p class="intro">{intro}</p>{body}</div>'


def predictions(outcome: Outcome) -> str:
    """Return confusion and calibration of a classification, or errors of a regression, on new rows (or else on old)."""
    c = outcome.comparisons.get("new") or outcome.comparisons.get("anchor")
    if c is None or not len(c.paired):
        return ""
    body = "".join(_classified(c) if c.per_class or outcome.champion.task == "classification" else _regressed(c))
    return f'<h2>Predictions on the {title(c).lower()}</h2><div class="pair">{body}</div>' if body else ""


def _classified(c: Comparison) -> Iterator[str]:
    if several(c.paired):
        yield _labels_card(c)
        yield from _probabilities(c, "of each label of each row")
        return
    counts = confusion(c.paired)
    for model, matrix in (("Champion", counts.champion), ("Challenger", counts.challenger)):
        right = int(matrix.trace()) / max(1, int(matrix.sum()))
        axes = "rows: the true class, columns: the prediction"
        is_part = len(counts.labels) > 9 and counts.labels[-1] == "(others)"
        intro = f"{axes}; classes that changed most" if is_part else f"{axes}; {right:.1%} on the diagonal"
        yield _card(f"{model}: confusion", intro, _matrix(counts.labels, matrix, model))
    known = c.paired.challenger.classes if c.paired.challenger.classes is not None else c.paired.champion.classes
    of = f"of class {known[1]}" if known is not None and len(known) == 2 else "of the predicted class"
    yield from _probabilities(c, of)


def _probabilities(c: Comparison, of: str) -> Iterator[str]:
    from incumbent.report._plots import calibration_plot, confidence_plot

    plot = calibration_plot(c.paired)
    if plot:
        intro = f"Predicted probability {esc(of)} and observed frequency, in ten groups of equal size. "
        yield _card("Calibration", intro + "A calibrated model is on the diagonal.", plot)
    plot = confidence_plot(c.paired)
    if plot:
        yield _card("Confidence", "How often each model predicts with which confidence.", plot)


def _labels_card(c: Comparison) -> str:
    """Return the labels that changed most: how often each model found, missed or wrongly predicted them."""
    found = count_labels(c.paired)
    kept = sorted(found, key=_moved, reverse=True)[:MOST_CLASSES]
    shown = [each for each in found if each in kept]
    rest = f" The {len(shown)} of {len(found)} labels that changed most." if len(shown) < len(found) else ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Label", "On", "Champion", "Challenger"))
    body = "".join(
        f'<tr><th scope="row" title="{esc(each.name)}">{esc(each.name)}</th><td>{each.on:,}</td>'
        f"<td>{_three(each.champion)}</td><td>{_three(each.challenger)}</td></tr>"
        for each in shown
    )
    intro = f"On: rows that have the label. Both models: rows on which it was found / missed / predicted wrongly.{rest}"
    return _card(
        "Label by label",
        intro,
        '<div class="scroll" role="region" tabindex="0" aria-label="Label by label"><table class="metrics">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
    )


def _three(counts: tuple[int, int, int]) -> str:
    return " / ".join(f"{n:,}" for n in counts)


def _moved(label: LabelCounts) -> int:
    return sum(abs(after - before) for before, after in zip(label.champion, label.challenger, strict=True))


def _matrix(labels: list[str], matrix: NDArray[np.int64], model: str) -> str:
    head = "".join(f'<th scope="col" title="{esc(label)}"><span>{esc(label)}</span></th>' for label in labels)
    body = []
    for i, label in enumerate(labels):
        total = int(matrix[i].sum())
        cells = "".join(_cell(int(n), total, i == j, len(labels)) for j, n in enumerate(matrix[i]))
        body.append(f'<tr><th scope="row" title="{esc(label)}">{esc(label)}</th>{cells}</tr>')
    size = " small" if len(labels) > 6 else " mid" if len(labels) > 3 else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{model}: confusion matrix">'
        f'<table class="confusion{size}"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(n: int, total: int, hit: bool, k: int) -> str:
    share = n / total if total else 0.0
    percent = f"<small>{share:.0%}</small>" if k <= 6 else ""
    # At most 55 % opacity, so that the number stays readable in both colour schemes.
    look = f'class="{"hit" if hit else "miss"}" style="--a:{0.55 * share:.2f}"'
    return f'<td {look} title="{share:.1%}">{n:,}{percent}</td>'


def _regressed(c: Comparison) -> Iterator[str]:
    from incumbent.report._plots import predicted_plot, residual_plot

    more = "; every value of every row is one point" if several(c.paired) else ""
    for name, plot, intro in (
        ("Champion: predicted and true", predicted_plot(c.paired, "champion"), "exact on the dashed line"),
        ("Challenger: predicted and true", predicted_plot(c.paired, "challenger"), "same rows, same scale"),
        ("Errors of both", residual_plot(c.paired), "narrow and centred on zero is good"),
    ):
        if plot:
            yield _card(name, f"{intro}{more}", plot)
