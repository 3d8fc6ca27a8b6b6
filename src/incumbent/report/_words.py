"""The words and numbers that every form of the report shares, so that no two of them disagree."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from incumbent.core import Challenger, Comparison, Interval, Outcome, Reason

SOURCE = {
    "anchor": "the anchor set: old rows that no version was trained on",
    "anchor+crossfit": "the anchor set, and rows in memory predicted by models that were fitted without them",
    "crossfit": "old rows predicted by models that were fitted without them",
    "train": "rows the champion was trained on, so it scores too high on them",
    "holdout": "rows of this batch that no challenger was trained on",
    "holdout+crossfit": "rows of this batch, each predicted by a challenger that was fitted without it",
    "prequential": "whole batches, each predicted by a prequential model before it learned them",
}
PROMISE = {
    "prove": "prove: a challenger is promoted only if it is shown to be better",
    "refresh": "refresh: routine retraining is promoted unless it is shown to be worse",
}
STAGES_IN_ALL = ("total", "all", "in all", "in_all")
_GREATER = ("accuracy", "precision", "recall", "f1", "auc", "r2", "kappa", "average_precision", "specificity", "mcc")
_SMALLER = ("loss", "brier", "error", "rmse", "mae", "mse", "mape", "ece", "cost", "latency", "bytes", "seconds")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: object, width: int = 0) -> str:
    r"""Return `text` on one line, without control characters, cut to `width` characters if that is given.

    Column names and classes come from data: a terminal escape or a right-to-left override in one of them must not
    change how the rest reads.

    Examples
    --------
    >>> clean("a\n\x1b[31mred", 6)
    'a [31…'
    """
    shown = "".join(" " if c.isspace() else c for c in str(text) if c.isspace() or not _hidden(c))
    shown = " ".join(shown.split())
    return shown if not width or len(shown) <= width else shown[: width - 1].rstrip() + "…"


def _hidden(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI


def number(x: float | None, sign: bool = False) -> str:
    """Return a number with the digits that a person compares by.

    Examples
    --------
    >>> number(0.84213), number(0.031, sign=True), number(12345.6), number(float("nan"))
    ('0.8421', '+0.0310', '12,346', 'n/a')
    """
    if x is None or math.isnan(x):
        return "n/a"
    plus = "+" if sign else ""
    if x == 0 or math.isinf(x):
        return "0" if x == 0 else format(x, plus + "f")
    size = abs(x)
    if size < 5e-5 or size >= 1e9:
        return format(x, plus + ".1e")
    return format(x, plus + (".4f" if size < 10 else ".2f" if size < 1000 else ",.0f"))


def remark(c: Challenger) -> str:
    """Return what is to be known of a challenger that did not fail: why it was not tried, or its notes."""
    return f"not tried: {c.skip_reason}" if c.skip_reason else "; ".join(c.notes)


def count(n: float) -> str:
    """Return a count of rows with thousands marked."""
    return f"{int(n):,}" if math.isfinite(n) else "n/a"


def roughly(n: int) -> str:
    """Return an estimated count with the two digits that can be meant.

    Examples
    --------
    >>> roughly(265_061), roughly(310)
    ('270,000', '310')
    """
    return f"{float(f'{n:.2g}'):,.0f}"


def duration(seconds: float) -> str:
    """Return a span of time in the unit that fits it.

    Examples
    --------
    >>> duration(0.0342), duration(7.2), duration(75), duration(4000)
    ('34 ms', '7.2 s', '1 min 15 s', '1 h 6 min')
    """
    if not math.isfinite(seconds):
        return "n/a"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def wording(name: str) -> str:
    """Return a metric's or a stage's name as prose."""
    return clean(name).replace("_", " ")


def side(reason: Reason) -> Literal["above", "below"]:
    """Return on which side of its limit the value of a reason has to lie.

    Examples
    --------
    >>> side(Reason("better", 0.01, 0.0, True, False, "")), side(Reason("flips", 0.03, 0.02, False, True, ""))
    ('above', 'below')
    """
    found = reason.interval
    if found is not None and found.lower != found.upper and reason.value == found.lower:
        return "above"  # an upper bound can be held against a ceiling, or by a refresh against a floor
    if reason.value == reason.limit:
        return "below" if reason.holds else "above"
    return "above" if (reason.value > reason.limit) == reason.holds else "below"


def improved(metric: str, change: float) -> bool | None:
    """Return whether a change of this metric is for the better; None where nobody can tell from its name.

    Examples
    --------
    >>> improved("log_loss", -0.1), improved("f1_macro", -0.1), improved("shop:profit", 5.0)
    (True, False, None)
    """
    name = metric.lower()
    if ":" in name or not math.isfinite(change) or round(change, 6) == 0:
        return None
    if any(part in name for part in _SMALLER):
        return change < 0
    return change > 0 if any(part in name for part in _GREATER) else None


def deciding(comparison: Comparison, metric: str) -> tuple[float, float]:
    """Return the deciding metric of champion and challenger, NaN where it was not taken."""
    return comparison.champion.get(metric, math.nan), comparison.challenger.get(metric, math.nan)


def judged(outcome: Outcome, comparison: Comparison) -> Interval:
    """Return the interval of the gain as the gate took it: at its own level, which differs on rows used before."""
    own = comparison.interval
    taken = (r.interval for r in outcome.verdict.reasons if r.interval is not None)
    return next((i for i in taken if i.rows == own.rows and math.isclose(i.value, own.value, abs_tol=1e-12)), own)


def detail(reason: Reason) -> str:
    """Return the sentence of a reason without its name, which stands above it already.

    Examples
    --------
    >>> detail(Reason("better", 0.1, 0.0, True, False, "not shown to be better: gain 0.2, at least 0.1"))
    'Gain 0.2, at least 0.1'
    """
    said = reason.text.split(f"{reason.name}: ", 1)[-1]
    return said[:1].upper() + said[1:]


def gained_in(comparison: Comparison, metric: str) -> str:
    """Return what the gain counts: the metric itself, or the loss behind it where they differ (as for RMSE)."""
    before, after = deciding(comparison, metric)
    alike = math.isclose(abs(after - before), abs(comparison.interval.value), rel_tol=0.02, abs_tol=1e-6)
    return f"in {wording(metric)}" if alike else f"in the loss behind {wording(metric)}"


def total_cost(cost: Mapping[str, float]) -> float:
    """Return the seconds in all: as recorded, else the sum of the stages."""
    recorded = next((cost[name] for name in STAGES_IN_ALL if name in cost), None)
    return sum(cost.values()) if recorded is None else recorded


def stages(cost: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds by stage, the total left out."""
    return {name: value for name, value in cost.items() if name not in STAGES_IN_ALL}


def advice(outcome: Outcome) -> tuple[str, ...]:
    """Return what to do next: the gate's advice, or the rows it asks for where it gave none."""
    needed = outcome.verdict.rows_needed
    if outcome.candidate:
        return ()
    if outcome.verdict.advice or outcome.decision == "promote":
        return tuple(map(_with_a_strategy(outcome), outcome.verdict.advice))
    if needed is not None:
        return (f"Collect more labelled rows: about {roughly(needed)} test rows would confirm this gain.",)
    if outcome.challengers and all(c.error for c in outcome.challengers):
        return ("Read why each challenger failed and try another strategy.",)
    return ()


def _with_a_strategy(outcome: Outcome) -> Callable[[str], str]:
    """Return a function that adds to the advice of the gate a strategy that every model can follow."""
    is_tried = any(c.strategy.startswith("Retrain(") and not c.error for c in outcome.challengers)
    example = "" if is_tried else ", such as --strategy retrain" if outcome.name else ", such as Retrain()"
    return lambda text: text.replace("that keeps the old rows", f"that keeps the old rows{example}")


def located(column: str, text: str) -> str:
    """Return a finding's text, led by its column where it does not name it itself.

    Examples
    --------
    >>> located("age", "3 rows have no 'age'."), located("age", "3 rows are empty.")
    ("3 rows have no 'age'.", 'age: 3 rows are empty.')
    """
    return text if not column or column in text else f"{column}: {text}"


def digits(values: Iterable[Any]) -> list[float]:
    """Return the finite numbers among `values`."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]
