"""What every format of an outcome shows: the verdict, a row per test, a warning and what to type next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from incumbent.core import Comparison, Outcome, Reason
from incumbent.report._sentences import advice, is_deployed, is_dry_run, located, sentence
from incumbent.report._units import RATE, Unit, unit_of
from incumbent.words import as_words, clean, format_duration, format_number

State = Literal["pass", "FAIL", "unclear"]
WORDS = {"promote": "Promoted", "reject": "Kept", "inconclusive": "Inconclusive"}
"""What people read for the decisions. ``--json`` keeps the words of the code."""
_STARTS = ("better on the ", "not worse on the ", "not worse where ", "not worse on ", "few ", "no ")


@dataclass(frozen=True)
class TestRow:
    """One test of the gate, as texts.

    Parameters
    ----------
    label : str
        What was tested, such as "new rows".
    champion, challenger : str
        The deciding metric of both models, if the test compares it.
    change : str
        The measured gain, in points or percent.
    bound : str
        The confidence bound, or the measured value, that is compared with `needed`.
    needed : str
        The limit, such as "> 0".
    rows : str
        The number of rows.
    state : {"pass", "FAIL", "unclear"}
        The result.
    """

    label: str
    champion: str
    challenger: str
    change: str
    bound: str
    needed: str
    rows: str
    state: State


@dataclass(frozen=True)
class View:
    """What every format of an outcome shows.

    Parameters
    ----------
    word : str
        The verdict: Promoted, Kept, Inconclusive, Waiting or Dry run.
    sentence : str
        What is live now, and why.
    heads : tuple of str
        The headings of the tests: the deciding metric, then "version 3", "challenger", "change", "at least", …
    tests : tuple of TestRow
        A row per test.
    strategy : str
        The tested challenger, out of how many it was chosen, and the time in all; or why a challenger failed.
    warning : str
        The most important finding in the data; empty if there is none.
    advice : tuple of str
        What would change the verdict.
    commands : tuple of (str, str)
        A label and what to type: the report, the way back, the approval of a version that waits.
    """

    word: str
    sentence: str
    heads: tuple[str, ...]
    tests: tuple[TestRow, ...]
    strategy: str
    warning: str
    advice: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def headline(self) -> str:
        """The verdict and its sentence."""
        return f"{self.word}: {self.sentence}"


def view_of(outcome: Outcome) -> View:
    """Return what every format of an outcome shows."""
    warnings = [located(f.column, f.text) for f in outcome.check.findings if f.level == "warning"]
    return View(
        word=word_of(outcome),
        sentence=sentence(outcome),
        heads=_heads(outcome),
        tests=tuple(test_row(outcome, reason) for reason in outcome.verdict.reasons),
        strategy=_strategy(outcome),
        warning=clean(warnings[0]) if warnings else "",
        advice=advice(outcome),
        commands=tuple(_commands(outcome)),
    )


def word_of(outcome: Outcome) -> str:
    """Return the verdict in a word."""
    if is_dry_run(outcome):
        return "Dry run"
    return "Waiting" if outcome.candidate else WORDS[outcome.decision]


def stages(cost: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds by stage, without the total."""
    return {name: seconds for name, seconds in cost.items() if name != "total"}


def total_time(cost: Mapping[str, float]) -> str:
    """Return the time in all."""
    return format_duration(cost.get("total", sum(cost.values())))


def _heads(outcome: Outcome) -> tuple[str, ...]:
    sides = {side(r) for r in outcome.verdict.reasons if r.interval is not None}
    bound = {("above",): "at least", (): "at least", ("below",): "at most"}.get(tuple(sides), "bound")
    champion = f"version {outcome.version_before}" if outcome.version_before else "champion"
    challenger = f"version {outcome.version_after}" if is_deployed(outcome) else "challenger"
    return as_words(outcome.metric), champion, challenger, "change", bound, "needed", "rows", ""


def test_row(outcome: Outcome, reason: Reason) -> TestRow:
    """Return one test as texts."""
    found, comparison = reason.interval, _comparison(outcome, reason)
    unit = _unit(outcome, reason, comparison)
    before, after = ("", "") if comparison is None else _scores(comparison, outcome.metric, unit)
    return TestRow(
        label=_label(reason),
        champion=before,
        challenger=after,
        change="" if found is None else unit.change(found.value),
        bound=unit.limit(reason.value) if found is None else unit.change(reason.value),
        needed=f"{'>' if side(reason) == 'above' else '<='} {unit.limit(reason.limit)}",
        rows="" if found is None else f"{found.rows:,}",
        state="pass" if reason.holds else "FAIL" if reason.violated else "unclear",
    )


def side(reason: Reason) -> Literal["above", "below"]:
    """Return on which side of its limit the value of a reason has to lie.

    Examples
    --------
    >>> side(Reason("better", 0.01, 0.0, True, False, "")), side(Reason("flips", 0.03, 0.02, False, True, ""))
    ('above', 'below')
    """
    found = reason.interval
    if found is not None and found.lower != found.upper and reason.value == found.lower:
        return "above"
    if reason.value == reason.limit:
        return "below" if reason.holds else "above"
    return "above" if (reason.value > reason.limit) == reason.holds else "below"


def _comparison(outcome: Outcome, reason: Reason) -> Comparison | None:
    for ending, name in (("new rows", "new"), ("old rows", "anchor")):
        if reason.name.endswith(ending):
            return outcome.comparisons.get(name)
    return None


def _unit(outcome: Outcome, reason: Reason, comparison: Comparison | None) -> Unit:
    if reason.interval is None and comparison is None and not reason.name.endswith("rows"):
        return Unit()
    if reason.interval is not None and "flips" in reason.name:
        return RATE
    return unit_of(outcome.metric, comparison or outcome.comparisons.get("anchor") or outcome.comparisons.get("new"))


def _scores(comparison: Comparison, metric: str, unit: Unit) -> tuple[str, str]:
    return unit.score(comparison.champion.get(metric)), unit.score(comparison.challenger.get(metric))


def _label(reason: Reason) -> str:
    """Return what a test is about: "old rows" for "not worse on the old rows"."""
    name = clean(reason.name)
    for start in _STARTS:
        name = name.removeprefix(start)
    return clean(name, 30)


def _strategy(outcome: Outcome) -> str:
    time = f" Time: {total_time(outcome.cost)}." if outcome.cost else ""
    if outcome.chosen is None:
        failed = next((c for c in outcome.challengers if c.error), None)
        return "" if failed is None else f"{clean(failed.strategy, 60)}: {clean(failed.error).removesuffix('.')}.{time}"
    tried = sum(not c.skip_reason for c in outcome.challengers)
    rank = "the only one tried" if tried == 1 else f"the best of {tried}"
    return f"{clean(outcome.chosen.strategy)}, {rank}.{time}"


def _commands(outcome: Outcome) -> Iterable[tuple[str, str]]:
    name = clean(outcome.name)
    if not outcome.name:
        yield "Report", 'outcome.report("report.html")'
    elif outcome.update:
        yield "Report", f"incumbent report --name {name} -o report.html"
        if outcome.candidate:
            yield "Approve", f"incumbent approve --name {name} --why TEXT"
            yield "Refuse", f"incumbent refuse --name {name} --why TEXT"
        if is_deployed(outcome):
            yield "Undo", f"incumbent rollback --name {name} --why TEXT"


def metric_rows(outcome: Outcome, comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """Return name, champion, challenger and change of every metric, the deciding one first."""
    scores = {*comparison.champion, *comparison.challenger}
    names = dict.fromkeys([outcome.metric, *comparison.champion, *comparison.challenger])
    return [_metric_row(name, comparison) for name in names if name in scores]


def _metric_row(name: str, comparison: Comparison) -> tuple[str, str, str, str]:
    unit = unit_of(name, comparison)
    before, after = comparison.champion.get(name, math.nan), comparison.challenger.get(name, math.nan)
    # a difference of two scores is in the unit of the scores, not in percent of the champion's loss
    change = unit.change(after - before) if unit.is_percent else format_number(after - before, sign=True)
    return name, unit.score(before), unit.score(after), change
