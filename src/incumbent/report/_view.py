"""What every format of an outcome shows: the verdict, a row per test, a warning and what to type next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from incumbent.core import Comparison, Outcome, Reason
from incumbent.report._units import Unit, unit_of
from incumbent.report._words import advice, clean, count, located, number, side

State = Literal["pass", "FAIL", "unclear"]
WORDS = {"promote": "Promoted", "reject": "Kept", "inconclusive": "Inconclusive"}
"""What people read for the decisions; ``--json`` keeps the words of the code."""


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
        The gain that was measured, in points or percent.
    bound : str
        The confidence bound, or the measured value, that is compared with `needed`.
    needed : str
        What the bound has to be, such as "> 0".
    rows : str
        On how many rows.
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
    """What every rendering of an outcome shows.

    Parameters
    ----------
    word : str
        The verdict in a word: Promoted, Kept, Inconclusive, Waiting or Dry run.
    sentence : str
        What is live now, and why.
    metric : str
        The name of the deciding metric.
    champion, challenger : str
        What the two models are called: "version 3", "challenger".
    bound : str
        What the bounds of the tests are called: "at least" if all are lower bounds.
    tests : tuple of TestRow
        A row per test.
    strategy : str
        The challenger that was tested, and out of how many.
    warning : str
        The most important finding in the data; empty if there is none.
    advice : tuple of str
        What would change the verdict.
    commands : tuple of (str, str)
        A label and what to type: the report, the way back, and the approval of a version that waits.
    """

    word: str
    sentence: str
    metric: str
    champion: str
    challenger: str
    bound: str
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
    """Return what every rendering of an outcome shows."""
    reasons = outcome.verdict.reasons
    bounds = {r.interval is not None and side(r) == "below" for r in reasons if r.interval is not None}
    return View(
        word=word_of(outcome),
        sentence=_sentence(outcome),
        metric=outcome.metric,
        champion=f"version {outcome.version_before}" if outcome.version_before else "champion",
        challenger=f"version {outcome.version_after}" if _is_deployed(outcome) else "challenger",
        bound="at least" if bounds <= {False} else "at most" if bounds == {True} else "bound",
        tests=tuple(test_row(outcome, reason) for reason in reasons),
        strategy=_strategy(outcome),
        warning=_warning(outcome),
        advice=advice(outcome),
        commands=tuple(_commands(outcome)),
    )


def word_of(outcome: Outcome) -> str:
    """Return the verdict in a word."""
    if is_dry_run(outcome):
        return "Dry run"
    return "Waiting" if outcome.candidate else WORDS[outcome.decision]


def is_dry_run(outcome: Outcome) -> bool:
    """Return whether a registry made the outcome without recording it."""
    return bool(outcome.name) and not outcome.update


def test_row(outcome: Outcome, reason: Reason) -> TestRow:
    """Return one test as texts."""
    found, comparison = reason.interval, _comparison(outcome, reason)
    unit = _unit(outcome, reason, comparison)
    before, after = ("", "") if comparison is None else _scores(comparison, outcome.metric, unit)
    is_rate = found is not None and not _is_gain(reason)
    return TestRow(
        label=_label(reason),
        champion=before,
        challenger=after,
        change="" if found is None else f"{100 * found.value:.1f} %" if is_rate else unit.change(found.value),
        bound=_bound(reason, unit),
        needed=f"{'>' if side(reason) == 'above' else '<='} {_limit(reason, unit)}",
        rows="" if found is None else count(found.rows),
        state="pass" if reason.holds else "FAIL" if reason.violated else "unclear",
    )


def _comparison(outcome: Outcome, reason: Reason) -> Comparison | None:
    for ending, name in (("new rows", "new"), ("old rows", "anchor")):
        if reason.name.endswith(ending):
            return outcome.comparisons.get(name)
    return None


def _is_gain(reason: Reason) -> bool:
    return "flips" not in reason.name


def _unit(outcome: Outcome, reason: Reason, comparison: Comparison | None) -> Unit:
    if reason.interval is None and comparison is None and not reason.name.endswith("rows"):
        return Unit()
    return unit_of(outcome.metric, comparison or outcome.comparisons.get("anchor") or outcome.comparisons.get("new"))


def _scores(comparison: Comparison, metric: str, unit: Unit) -> tuple[str, str]:
    return unit.score(comparison.champion.get(metric)), unit.score(comparison.challenger.get(metric))


def _bound(reason: Reason, unit: Unit) -> str:
    if not math.isfinite(reason.value):
        return "n/a"
    if reason.interval is None:
        return f"{reason.value:,.4g}"
    return unit.change(reason.value) if _is_gain(reason) else f"{100 * reason.value:.1f} %"


def _limit(reason: Reason, unit: Unit) -> str:
    if reason.interval is not None and not _is_gain(reason):
        return f"{100 * reason.limit:.4g} %"
    if not math.isfinite(reason.limit):
        return "n/a"
    return f"{reason.limit:,.4g}" if unit.factor == 1.0 else unit.limit(reason.limit)


def _label(reason: Reason) -> str:
    """Return what a test is about.

    Examples
    --------
    >>> _label(Reason("not worse on the old rows", 0.0, 0.0, True, False, ""))
    'old rows'
    >>> _label(Reason("not worse where amount > 100", 0.0, 0.0, True, False, ""))
    'amount > 100'
    """
    name = clean(reason.name)
    for start in ("better on the ", "not worse on the ", "not worse where ", "not worse on ", "few ", "no "):
        name = name.removeprefix(start)
    return clean(name, 30)


def _sentence(outcome: Outcome) -> str:
    live = _live(outcome)
    if outcome.chosen is None:
        return f"{live}. {_no_test(outcome)}"
    if is_dry_run(outcome):
        would = "would replace" if outcome.decision == "promote" else "would not replace"
        return f"{clean(outcome.chosen.strategy)} {would} {_model(outcome)}. Nothing was recorded."
    if outcome.candidate:
        passed = f"{clean(outcome.name, 50)} version {outcome.candidate} passed and waits for approval"
        return f"{passed}. Version {outcome.version_before} stays live."
    if outcome.decision == "promote" and _is_deployed(outcome):
        name = clean(outcome.name, 50)
        return f"{name} version {outcome.version_after} is live. It replaces version {outcome.version_before}."
    if outcome.decision == "promote":
        return f"{clean(outcome.chosen.strategy)} should replace the champion."
    return f"{live}. {_why(outcome)}"


def _is_deployed(outcome: Outcome) -> bool:
    return outcome.decision == "promote" and outcome.version_after > outcome.version_before


def _model(outcome: Outcome) -> str:
    if not outcome.version_before:
        return "the champion"
    return f"{clean(outcome.name, 50)} version {outcome.version_before}".strip()


def _live(outcome: Outcome) -> str:
    shown = f"{_model(outcome)} stays live" if outcome.version_before else "The champion stays"
    return shown[:1].upper() + shown[1:] if not outcome.name else shown


def _no_test(outcome: Outcome) -> str:
    failed = sum(bool(c.error) for c in outcome.challengers)
    if not outcome.challengers:
        return "No challenger was tried."
    if failed < len(outcome.challengers):
        return "No challenger reached the test."
    return {1: "The only challenger failed.", 2: "Both challengers failed."}.get(
        failed, f"All {failed} challengers failed."
    )


def _why(outcome: Outcome) -> str:
    """Return why the champion stays, by the first test that decides it."""
    reasons = outcome.verdict.reasons
    missed = [r for r in reasons if r.violated] or [r for r in reasons if not r.holds]
    if not missed:
        return "No gain was shown."
    reason = missed[0]
    if reason.violated:
        return _failure(reason)
    if reason.interval is None:
        return "There are no old rows to test forgetting on." if reason.name.endswith("old rows") else _failure(reason)
    rows = count(reason.interval.rows)
    if reason.name.endswith("new rows") and reason.interval.value <= reason.limit:
        return "No gain on the new rows."
    kind = f"{'old' if reason.name.endswith('old rows') else 'test'} row{'' if rows == '1' else 's'}"
    return f"{rows} {kind} {'is' if rows == '1' else 'are'} too few to decide."


def _failure(reason: Reason) -> str:
    """Return a failed test as a sentence.

    Examples
    --------
    >>> _failure(Reason("not worse on the old rows", -0.5, -0.01, False, True, ""))
    'The challenger is worse on the old rows.'
    """
    name = clean(reason.name, 60)
    if name.startswith("better "):
        return f"The challenger is not {name}."
    if name.startswith("not worse "):
        return f"The challenger is {name.removeprefix('not ')}."
    if "flips" in name:
        return "The challenger gets too many rows wrong that were right."
    if reason.interval is not None or name.startswith("no "):
        return "The challenger is worse on a part of the rows."
    return f"The challenger is not within the limit of {name}."


def _strategy(outcome: Outcome) -> str:
    if outcome.chosen is None:
        failed = next((c for c in outcome.challengers if c.error), None)
        return "" if failed is None else f"{clean(failed.strategy, 60)}: {clean(failed.error)}"
    tried = sum(not c.skip_reason for c in outcome.challengers)
    rank = "the only one tried" if tried == 1 else f"the best of {tried}"
    return f"{clean(outcome.chosen.strategy)}, {rank}"


def _warning(outcome: Outcome) -> str:
    warnings = [located(f.column, f.text) for f in outcome.check.findings if f.level == "warning"]
    return clean(warnings[0]) if warnings else ""


def _commands(outcome: Outcome) -> Iterable[tuple[str, str]]:
    name = clean(outcome.name)
    if not outcome.name:
        yield "Report", 'outcome.report("report.html")'
    elif outcome.update:
        yield "Report", f"incumbent report --name {name} -o report.html"
        if outcome.candidate:
            yield "Approve", f"incumbent approve --name {name} --why TEXT"
            yield "Refuse", f"incumbent refuse --name {name} --why TEXT"
        if _is_deployed(outcome):
            yield "Undo", f"incumbent rollback --name {name} --why TEXT"


def metric_rows(outcome: Outcome, comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """Return name, champion, challenger and change of every metric, the deciding one first."""
    names = dict.fromkeys([outcome.metric, *comparison.champion, *comparison.challenger])
    return [_metric_row(name, comparison) for name in names if name in {*comparison.champion, *comparison.challenger}]


def _metric_row(name: str, comparison: Comparison) -> tuple[str, str, str, str]:
    unit = unit_of(name, comparison)
    if not unit.is_percent:
        unit = Unit()  # the difference of two scores is in the unit of the scores
    before, after = comparison.champion.get(name, math.nan), comparison.challenger.get(name, math.nan)
    change = unit.change(after - before) if unit.is_percent else number(after - before, sign=True)
    return name, unit.score(before), unit.score(after), change
