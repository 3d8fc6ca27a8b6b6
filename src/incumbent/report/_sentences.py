"""Sentences of an outcome: what is live now and why, and what to do next."""

from __future__ import annotations

from incumbent.core import Outcome, Reason
from incumbent.words import clean


def is_dry_run(outcome: Outcome) -> bool:
    """Return whether a registry made the outcome without recording it."""
    return bool(outcome.name) and not outcome.update


def is_deployed(outcome: Outcome) -> bool:
    """Return whether the challenger is live now."""
    return outcome.decision == "promote" and outcome.version_after > outcome.version_before


def sentence(outcome: Outcome) -> str:
    """Return what is live now, and why."""
    name, before, after = clean(outcome.name, 50), outcome.version_before, outcome.version_after
    model = f"{name} version {before}".strip() if before else "the champion"
    live = f"{model} stays live" if before else "The champion stays"
    if outcome.chosen is None:
        return f"{live}. {_no_test(outcome)}"
    strategy = clean(outcome.chosen.strategy)
    if is_dry_run(outcome):
        would = "would replace" if outcome.decision == "promote" else "would not replace"
        return f"{strategy} {would} {model}. Nothing was recorded."
    if outcome.candidate:
        return f"{name} version {outcome.candidate} passed and waits for approval. Version {before} stays live."
    if is_deployed(outcome):
        return f"{name} version {after} is live. It replaces version {before}."
    if outcome.decision == "promote":
        return f"{strategy} should replace the champion."
    return f"{live}. {_why(outcome)}"


def _no_test(outcome: Outcome) -> str:
    failed = sum(bool(c.error) for c in outcome.challengers)
    if not outcome.challengers:
        return "No challenger was tried."
    if failed < len(outcome.challengers):
        return "No challenger reached the test."
    words = {1: "The only challenger", 2: "Both challengers"}
    return f"{words.get(failed, f'All {failed} challengers')} failed."


def _why(outcome: Outcome) -> str:
    """Return why the champion stays, by the first test that decides it."""
    reasons = outcome.verdict.reasons
    missed = [r for r in reasons if r.violated] or [r for r in reasons if not r.holds]
    if not missed:
        return "No gain was shown."
    reason = missed[0]
    is_old = reason.name.endswith("old rows")
    if reason.interval is None and is_old and not reason.violated:
        return "There are no old rows to test forgetting on."
    if reason.violated or reason.interval is None:
        return _failure(reason)
    if reason.name.endswith("new rows") and reason.interval.value <= reason.limit:
        return "No gain on the new rows."
    rows, kind = reason.interval.rows, "old" if is_old else "test"
    return f"{rows:,} {kind} {'row is' if rows == 1 else 'rows are'} too few to decide."


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


def advice(outcome: Outcome) -> tuple[str, ...]:
    """Return what to do next: the gate's advice, or the rows that are missing if it gave none."""
    verdict, tried = outcome.verdict, outcome.challengers
    if outcome.candidate:
        return ()
    if verdict.advice or outcome.decision == "promote":
        return tuple(_with_example(outcome, text) for text in verdict.advice)
    if verdict.rows_needed is not None:
        return (f"Collect more labelled rows: {about(verdict.rows_needed)} test rows would confirm this gain.",)
    if tried and all(c.error for c in tried):
        return ("Read why each challenger failed and try another strategy.",)
    return ()


def _with_example(outcome: Outcome, text: str) -> str:
    """Return advice of the gate, with a strategy that every model can follow unless it was tried."""
    is_tried = any(c.strategy.startswith("Retrain(") and not c.error for c in outcome.challengers)
    example = "" if is_tried else ", such as --strategy retrain" if outcome.name else ", such as Retrain()"
    return text.replace("that keeps the old rows", f"that keeps the old rows{example}")


def about(n: int) -> str:
    """Return an estimated count in two digits.

    Examples
    --------
    >>> about(265_061), about(310)
    ('about 270,000', 'about 310')
    """
    return f"about {float(f'{n:.2g}'):,.0f}"


def located(column: str, text: str) -> str:
    """Return a finding, after its column if it does not name the column itself.

    Examples
    --------
    >>> located("age", "3 rows have no 'age'."), located("age", "3 rows are empty.")
    ("3 rows have no 'age'.", 'age: 3 rows are empty.')
    """
    return text if not column or column in text else f"{column}: {text}"
