"""Run an update from its inputs to its outcome: update records, train, judge, remember."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from incumbent.core import Challenger, Comparison, Event, Metric, Outcome, Verdict
from incumbent.evidence import compare
from incumbent.report import ReportRenderer
from incumbent.updating._challengers import choose, train_challengers
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._judge import Judgement, judge_challengers
from incumbent.updating._records import predict_batch, score_before_learning, update_records
from incumbent.updating._remember import count_rows, remember_rows


@contextmanager
def _timed(cost: dict[str, float], stage: str) -> Iterator[None]:
    """Record the seconds of the block as those of a stage."""
    begun = time.monotonic()
    yield
    cost[stage] = time.monotonic() - begun


def run(inputs: UpdateInputs) -> Outcome:
    """Return the outcome of one update. Nothing outside of the outcome changes."""
    cost = dict(inputs.cost)
    with _timed(cost, "prequential"):
        runners_up = predict_batch(inputs.live.state.runners_up, inputs)
        prequential = score_before_learning(inputs, runners_up)
        inputs = inputs.start(update_records(inputs))
    with _timed(cost, "train"):
        challengers = choose(train_challengers(inputs))
    with _timed(cost, "judge"):
        found = judge_challengers(inputs, challengers)
        comparisons = _comparisons(inputs, found)
    with _timed(cost, "remember"):
        memory, anchor = remember_rows(inputs, found)
    live = inputs.live
    verdict, chosen = found.verdict or _no_verdict(found.challengers, inputs.metric), found.chosen
    winner = chosen.model if found.promoted and chosen is not None and chosen.model is not None else live.model
    models = live.state.prequential.with_challengers(found.challengers, promoted=found.promoted)
    outcome = Outcome(
        verdict.decision,
        winner.native,
        verdict,
        found.challengers,
        live.model,
        inputs.metric.name,
        comparisons,
        prequential,
        inputs.check,
        count_rows(inputs, memory, anchor),
        {**cost, "total": sum(cost.values())},
        memory,
        anchor,
        inputs.seed,
        found.control.to_dict(),
        models if inputs.is_prequential else None,
        renderer=ReportRenderer(),
    )
    inputs.progress(Event("done", verdict.decision))
    return outcome


def _comparisons(inputs: UpdateInputs, found: Judgement) -> dict[str, Comparison]:
    """Return champion and challenger in the numbers that people read, on new and on old rows."""
    evidence = found.evidence
    if evidence is None:
        return {}
    alpha, task = inputs.live.gate.alpha, inputs.live.model.task
    holdouts = {"new": evidence.new} | ({} if evidence.old is None else {"anchor": evidence.old})
    return {name: compare(name, paired, evidence.metric, alpha=alpha, task=task) for name, paired in holdouts.items()}


def _no_verdict(challengers: tuple[Challenger, ...], metric: Metric) -> Verdict:
    """Return why the gate had no challenger to judge."""
    if not all(c.error for c in challengers):
        why = f"{metric.name} cannot be computed on the rows held out for the choice"
        advice = "Decide by another metric, or collect rows of every class."
    elif all("budget" in c.error for c in challengers):
        why, advice = "the budget was spent before a challenger was trained", "Give a longer budget (--budget)."
    else:
        why, advice = "no challenger could be made", "See why each failed; Retrain() works with every model."
    return Verdict("inconclusive", guarantee=f"The champion stays: {why}.", advice=(advice,))
