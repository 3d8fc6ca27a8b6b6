"""The flow of an update, from checked rows to an outcome. Nothing flows back."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from incumbent import engine, metrics, policy
from incumbent.core import (
    AnchorSet,
    Array,
    Batch,
    Challenger,
    Comparison,
    Event,
    Evidence,
    Memory,
    Metric,
    Outcome,
    Prediction,
    Recipe,
    Strategy,
    Verdict,
)
from incumbent.engine import TrainingPlan, TrainingRows
from incumbent.errors import IncumbentError, UsageError
from incumbent.evidence import compare
from incumbent.gate._conditions import margin_of
from incumbent.gate._limit import judge
from incumbent.gate.budget import control
from incumbent.memory import admit, remember, spend
from incumbent.models import absorb
from incumbent.policy import Choice
from incumbent.report import ReportRenderer
from incumbent.strategies import parse
from incumbent.updating._case import Case, rare_rows
from incumbent.updating._choice import choose, scored
from incumbent.updating._contest import Contest, contest
from incumbent.updating._followed import Followed
from incumbent.updating._holdouts import Holdouts
from incumbent.updating._lines import Lines, answers, idea, losses, losses_of
from incumbent.updating._measured import MEASURED

STANDS = "standing"
"""What the one challenger that an earlier update chose is called where its advisers are held to what they said."""


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        begun = time.monotonic()
        yield
        self.stages[name] = self.stages.get(name, 0.0) + time.monotonic() - begun

    def cost(self) -> dict[str, float]:
        """Return seconds by stage, and in all."""
        return {**self.stages, "total": time.monotonic() - self.start}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case whose words all have a meaning and whose rows are enough: from here on only the training can fail."""

    case: Case
    metric: Metric
    plans: list[tuple[Strategy, Recipe]]
    holdouts: Holdouts
    clock: Clock


def prepare(case: Case) -> Prepared:
    """Return the case with its metric, strategies and holdouts. Every mistake of a user shows here.

    Raises
    ------
    DataError
        Too few rows to hold any out.
    AbilityError
        A strategy that was named needs what the champion cannot do.
    UsageError
        A strategy or a metric means nothing.
    """
    clock = Clock()
    if not 0 <= case.seed < 2**32:  # what NumPy and scikit-learn take
        raise UsageError(f"A seed is a whole number from 0 to {2**32 - 1:,}; {case.seed} was given.")
    metric = metrics.metric(case.metric, task=case.champion.task, classes=_classes(case), labels=_labels(case))
    if (case.gate.slices or case.gate.search) and not hasattr(case.batch.x, "iloc"):
        raise UsageError(
            "Slices and the search for harmed subgroups are conditions on columns, and these rows are arrays without "
            "columns; leave slices= and search= out of the gate."
        )
    unseen = _unseen(case)
    plans = policy.select_strategies(_wanted(case), case.champion, case.memory, rows=len(case.batch), unseen=unseen)
    if case.gate.slices:
        known = case.batch if case.memory.rows is None else case.memory.rows
        case = dataclasses.replace(case, gate=case.gate.fixed(known.x))
    with clock.stage("split"):
        holdouts = Holdouts.of(case)
    with clock.stage("prequential"):
        _rehearse(case, holdouts, metric)
    return Prepared(case, metric, plans, holdouts, clock)


def _unseen(case: Case) -> int:
    """Return how many classes of the new rows nobody remembers, neither as rows nor in sums."""
    memory, y = case.memory, case.batch.labels
    if case.champion.task != "classification" or y.ndim > 1:
        return 0
    known = memory.statistics.get("classes", memory.rows.labels if memory.rows is not None else None)
    return 0 if known is None or not len(known) else len(np.setdiff1d(y, known))


def _wanted(case: Case) -> Choice:
    """Return the strategies to try: under a refresh, "auto" has the one that is live among them."""
    if case.gate.promise != "refresh" or case.strategies != "auto":
        return case.strategies
    usual = policy.select_strategies("auto", case.champion, case.memory, rows=len(case.batch))
    if any(idea(strategy) == idea(case.live) for strategy, _ in usual):
        return "auto"
    with suppress(IncumbentError):  # what made the champion may be nothing that it could follow itself
        policy.select_strategies(case.live, case.champion, case.memory, rows=len(case.batch))
        return ["auto", case.live]
    return "auto"


def _rehearse(case: Case, holdouts: Holdouts, metric: Metric) -> None:
    """Let the champion, the metric and the gate show now, on the select rows, whether they fit together."""
    y, said, task = holdouts.select.labels, holdouts.said.take(holdouts.parts.select), case.champion.task
    metric.score(y, said, holdouts.select.weight)
    if case.gate.max_flips is not None and task == "regression":
        raise UsageError("max_flips counts rows that turn from right to wrong; a regression has none. Leave it out.")
    if case.gate.source == "prequential":
        losses_of(metric, y, said)
    known = {*metrics.scores(y, said, task=task), *MEASURED}
    judge(case.gate.limits, dict.fromkeys(known, (0.0, 0.0)))


def run(prepared: Prepared) -> Outcome:
    """Return the outcome of one update. Nothing outside of the outcome changes."""
    case, metric, holdouts, clock = prepared.case, prepared.metric, prepared.holdouts, prepared.clock
    with clock.stage("prequential"):
        said = answers(case.standing, holdouts)
        prequential = _prequential(case, holdouts, said)
        lines, followed = _looked_back(case, holdouts, metric, said)
    deadline, errors = time.monotonic() + case.budget, case.control or control(case.gate.error_control, case.gate.alpha)
    with clock.stage("train"):
        challengers = choose(_tries(prepared, deadline, today=followed.weight))
    with clock.stage("judge"):
        found = contest(case, holdouts, challengers, lines, errors, metric, deadline)
        comparisons = {} if found.evidence is None else _comparisons(found.evidence, case)
    verdict = found.verdict or _nobody(found.challengers, metric)
    chosen = next((c for c in found.challengers if c.chosen), None)
    with clock.stage("remember"):
        memory, anchor = _remembered(case, holdouts, chosen, verdict, found.proved)
    winner = chosen.model if found.promoted and chosen is not None else None
    outcome = Outcome(
        verdict.decision,
        case.champion.native if winner is None else winner.native,
        verdict,
        found.challengers,
        case.champion,
        metric.name,
        comparisons,
        prequential,
        case.check,
        _counts(case, holdouts, memory, anchor),
        clock.cost(),
        memory,
        anchor,
        case.seed,
        found.control.to_dict(),
        lines.learned(found.challengers, promoted=found.promoted) if case.gate.source == "prequential" else None,
        _said(case, followed, found).to_dict(),
        renderer=ReportRenderer(),
    )
    case.progress(Event("done", verdict.decision))
    return outcome


def _classes(case: Case) -> Array | None:
    known = case.champion.classes
    if known is None or _labels(case) > 1:  # several labels keep their order, and a batch brings no further one
        return known
    return np.unique(np.concatenate([known, np.unique(case.batch.labels)]))


def _labels(case: Case) -> int:
    return metrics.labels_of(case.batch.labels)


def _prequential(case: Case, holdouts: Holdouts, standing: Mapping[str, Prediction]) -> dict[str, Mapping[str, float]]:
    """Score everybody on the whole batch before anybody learns from it.

    A standing challenger that cannot predict these rows is not among them; it fails as a challenger, with the reason.
    """
    rows, task = holdouts.rows, case.champion.task
    case.progress(Event("prequential", f"scoring the champion on {len(rows):,} new rows"))
    found: dict[str, Mapping[str, float]] = {
        "champion": metrics.scores(rows.labels, holdouts.said, task=task, weight=rows.weight)
    }
    for name, said in standing.items():
        found[name] = metrics.scores(rows.labels, said, task=task, weight=rows.weight)
    if rows.time is not None:
        order = np.argsort(rows.time, kind="stable")
        y, said = rows.labels[order], holdouts.said.take(order)
        found["no change"] = metrics.scores(y, metrics.no_change(y), task=task)
        if task == "classification" and _labels(case) == 1:
            kappas = {"kappa": metrics.kappa(y, said), "kappa_temporal": metrics.kappa_temporal(y, said)}
            found["champion"] = {**found["champion"], **kappas}
    return found


def _looked_back(
    case: Case, holdouts: Holdouts, metric: Metric, standing: Mapping[str, Prediction]
) -> tuple[Lines, Followed]:
    """Return what the batch says, before anybody learns from it, of the lines and of those who advised their making."""
    lines, followed = case.lines, case.followed
    if case.gate.source == "prequential":
        champion, found = losses(holdouts, metric, answers(lines.models, holdouts))
        bound = min(metric.bound, holdouts.clip(metric))
        margin = margin_of(case.gate.min_gain, holdouts.select_paired(), metric)
        lines = lines.after(champion, found, alpha=case.gate.alpha, min_gain=margin, bound=bound)
        return lines, followed.after(champion, found)
    if len(case.standing) == len(standing) == 1 and followed.said:
        (only,) = standing.values()
        with suppress(UsageError):  # a score of rows as a whole shows no single row
            return lines, followed.after(*losses(holdouts, metric, {STANDS: only}))
    return lines, followed


def _said(case: Case, followed: Followed, found: Contest) -> Followed:
    """Return what the choice of this update says of the models that stand from now on."""
    if case.gate.source == "prequential":
        return followed.saying({idea(c.strategy): c for c in found.challengers if c.recipe is not None})
    chosen = next((c for c in found.challengers if c.chosen and c.recipe is not None), None)
    return followed.saying({STANDS: chosen} if chosen is not None and not found.promoted else {})


def _tries(prepared: Prepared, deadline: float, *, today: float) -> list[Challenger]:
    """Train and score every challenger; those that stand from earlier updates cost nothing more."""
    case, holdouts, plans, metric = prepared.case, prepared.holdouts, prepared.plans, prepared.metric
    given = [case.strategies] if isinstance(case.strategies, str | Strategy) else case.strategies
    # where strategies are named, nothing else is wanted
    standing = [] if "auto" not in given else [Challenger(name, None, model) for name, model in case.standing.items()]

    def skip(plan: TrainingPlan, done: Sequence[Challenger]) -> str:
        better = policy.made_redundant_by(plan.recipe, done) if _may_spare(case, repr(plan.strategy)) else None
        return "" if better is None else f"{better.strategy} is better on new rows, no worse on old, and costs less"

    def score(challenger: Challenger) -> Challenger:
        return scored(challenger, holdouts, metric, today=today)

    trained = engine.run(
        [TrainingPlan(*plan, case.lines.start(plan[0], case.champion)) for plan in plans],
        TrainingRows(holdouts.learn, holdouts.select, case.memory, case.seed),
        skip=skip,
        score=score,
        deadline=deadline,
        checkpoints=case.checkpoints,
        progress=case.progress,
    )
    return [*map(score, standing), *trained]


def _may_spare(case: Case, strategy: str) -> bool:
    """Whether "auto" may leave it out: no line that has to learn every batch, nor what is live under a refresh."""
    routine = case.gate.promise == "refresh" and idea(strategy) == idea(case.live)
    return case.strategies == "auto" and case.gate.source != "prequential" and not routine


def _comparisons(evidence: Evidence, case: Case) -> dict[str, Comparison]:
    holdouts = {"new": evidence.new} | ({} if evidence.old is None else {"anchor": evidence.old})
    return {
        name: compare(name, paired, evidence.metric, alpha=case.gate.alpha, task=case.champion.task)
        for name, paired in holdouts.items()
    }


def _nobody(challengers: tuple[Challenger, ...], metric: Metric) -> Verdict:
    if not all(c.error for c in challengers):
        why = f"{metric.name} cannot be computed on the rows held out for the choice"
        advice = "Decide by another metric, or collect rows of every class."
    elif all("budget" in c.error for c in challengers):
        why, advice = "the budget was spent before a challenger was trained", "Give a longer budget (--budget)."
    else:
        why, advice = "no challenger could be made", "See why each failed; Retrain() works with every model."
    return Verdict("inconclusive", promise=f"The champion stays: {why}.", advice=(advice,))


def _remembered(
    case: Case, holdouts: Holdouts, chosen: Challenger | None, verdict: Verdict, proved: bool
) -> tuple[Memory, AnchorSet]:
    """Fold the new rows into what the next update may know: each goes to the anchor set or to memory, never to both."""
    anchor = spend(case.anchor, np.arange(len(case.anchor))) if proved else case.anchor
    anchor, free = admit(anchor, holdouts.gate, seed=case.seed)
    learned = Batch.join([holdouts.learn, holdouts.select, free])
    memory, live = remember(case.memory, learned, seed=case.seed, rare=rare_rows(case.champion)), case.champion
    if verdict.decision == "promote" and chosen is not None and chosen.model is not None and chosen.recipe is not None:
        if chosen.recipe.structure.start == "scratch":
            memory = memory.replace(importance={})  # weights that were made anew mean something else
        live = chosen.model
        memory = parse(chosen.strategy).remember(memory, live, learned)
    if memory.statistics and memory.statistics is case.memory.statistics:
        memory = absorb(memory, live, learned)  # sums that stand for all rows follow every row, whoever won
    return memory, anchor


def _counts(case: Case, holdouts: Holdouts, memory: Memory, anchor: AnchorSet) -> dict[str, int]:
    return {
        "read": len(case.batch),
        "train": len(holdouts.parts.train),
        "select": len(holdouts.parts.select),
        "gate": len(holdouts.parts.gate),
        "anchor": len(anchor),
        "memory": len(memory),
        **holdouts.quality.counts,
    }
