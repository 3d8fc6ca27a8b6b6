"""The flow of an update, from checked rows to an outcome. Nothing flows back."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from incumbent import evaluation, policy
from incumbent.control import control
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
    Model,
    Outcome,
    Paired,
    Recipe,
    Strategy,
    Verdict,
)
from incumbent.data import admit, remember, spend
from incumbent.engine import train
from incumbent.errors import DataError, UsageError
from incumbent.gate._limit import judge
from incumbent.models import save
from incumbent.slices import Slice, find, losses
from incumbent.strategies import parse
from incumbent.updating._ask import ask
from incumbent.updating._case import Case, rare_rows
from incumbent.updating._choice import choose, failed, scored
from incumbent.updating._holdouts import Holdouts
from incumbent.updating._old import FOLDS, old_evidence

MEASURED = ("latency_us", "bytes")
"""What a limit may name beyond metrics."""


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
    metric = evaluation.metric(case.metric, task=case.champion.task, classes=_classes(case))
    plans = policy.choose(case.strategies, case.champion, case.memory, rows=len(case.batch))
    if case.gate.slices:
        known = case.batch if case.memory.rows is None else case.memory.rows
        case = dataclasses.replace(case, gate=case.gate.fixed(known.x))
    with clock.stage("split"):
        holdouts = Holdouts.of(case)
    with clock.stage("prequential"):
        _rehearse(case, holdouts, metric)
    return Prepared(case, metric, plans, holdouts, clock)


def _rehearse(case: Case, holdouts: Holdouts, metric: Metric) -> None:
    """Let the champion, the metric and the gate show now, on the select rows, whether they fit together."""
    y, said, task = holdouts.select.labels, holdouts.said.take(holdouts.parts.select), case.champion.task
    metric.score(y, said, holdouts.select.weight)
    if case.gate.max_flips is not None and task == "regression":
        raise UsageError("max_flips counts rows that turn from right to wrong; a regression has none. Leave it out.")
    known = {*evaluation.scores(y, said, task=task), *MEASURED}
    judge(case.gate.limits, dict.fromkeys(known, (0.0, 0.0)))


def run(prepared: Prepared) -> Outcome:
    """Return the outcome of one update. Nothing outside of the outcome changes."""
    case, metric, holdouts, clock = prepared.case, prepared.metric, prepared.holdouts, prepared.clock
    with clock.stage("prequential"):
        prequential = _prequential(case, holdouts)
    deadline, errors = time.monotonic() + case.budget, case.control or control(case.gate.error_control, case.gate.alpha)
    with clock.stage("train"):
        challengers = choose(_tries(case, holdouts, prepared.plans, metric, deadline))
    chosen = next((c for c in challengers if c.chosen), None)
    evidence: Evidence | None = None
    if chosen is not None and chosen.model is not None:
        with clock.stage("compare"):
            try:
                evidence = _evidence(case, holdouts, chosen, chosen.model, metric, deadline)
                evidence = dataclasses.replace(evidence, level=errors.level())
            except Exception as error:  # an estimator may raise anything, here on rows that it sees for the first time
                challengers = tuple(failed(c, error) if c is chosen else c for c in challengers)
    if evidence is None:
        verdict, comparisons, decision_rows = _nobody(challengers, metric), {}, np.empty(0, dtype=np.intp)
    else:
        with clock.stage("gate"):
            verdict = case.gate(evidence)
            comparisons = _comparisons(evidence, case)
        decision_rows, errors = np.arange(len(case.anchor)), errors.record(verdict.decision == "promote")
    with clock.stage("remember"):
        memory, anchor = _remembered(case, holdouts, chosen, verdict, decision_rows)
    promoted = verdict.decision == "promote" and chosen is not None and chosen.model is not None
    outcome = Outcome(
        verdict.decision,
        chosen.model.native if promoted and chosen is not None and chosen.model is not None else case.champion.native,
        verdict,
        challengers,
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
        errors.to_dict(),
    )
    case.progress(Event("done", verdict.decision))
    return outcome


def _classes(case: Case) -> Array | None:
    known = case.champion.classes
    return None if known is None else np.unique(np.concatenate([known, np.unique(case.batch.labels)]))


def _prequential(case: Case, holdouts: Holdouts) -> dict[str, Mapping[str, float]]:
    """Score everybody on the whole batch before anybody learns from it."""
    rows, task = holdouts.rows, case.champion.task
    case.progress(Event("prequential", f"scoring the champion on {len(rows):,} new rows"))
    found: dict[str, Mapping[str, float]] = {
        "champion": evaluation.scores(rows.labels, holdouts.said, task=task, weight=rows.weight)
    }
    for name, model in case.standing.items():
        with suppress(DataError):  # one that cannot predict these rows fails as a challenger, with the reason
            found[name] = evaluation.scores(rows.labels, ask(model, rows.x), task=task, weight=rows.weight)
    if rows.time is not None:
        order = np.argsort(rows.time, kind="stable")
        y, said = rows.labels[order], holdouts.said.take(order)
        found["no change"] = evaluation.scores(y, evaluation.no_change(y), task=task)
        if task == "classification":
            kappas = {"kappa": evaluation.kappa(y, said), "kappa_temporal": evaluation.kappa_temporal(y, said)}
            found["champion"] = {**found["champion"], **kappas}
    return found


def _tries(
    case: Case, holdouts: Holdouts, plans: list[tuple[Strategy, Recipe]], metric: Metric, deadline: float
) -> list[Challenger]:
    """Train and score every challenger; those that stand from earlier updates cost nothing more."""
    given = [case.strategies] if isinstance(case.strategies, str | Strategy) else case.strategies
    # where strategies are named, nothing else is wanted
    standing = [] if "auto" not in given else [Challenger(name, None, model) for name, model in case.standing.items()]
    tried = [scored(c, holdouts, metric) for c in standing]
    total = len(plans)
    if plans:
        case.progress(_event("fit", repr(plans[0][0]), 0, total, deadline))
    made = train(case.champion, plans, holdouts.learn, holdouts.select, case.memory, seed=case.seed, deadline=deadline)
    for done, challenger in enumerate(made, start=1):
        tried.append(scored(challenger, holdouts, metric))
        case.progress(_event("failed" if challenger.error else "fitted", challenger.strategy, done, total, deadline))
        if done < total:
            case.progress(_event("fit", repr(plans[done][0]), done, total, deadline))
    return tried


def _event(stage: str, text: str, done: int, total: int, deadline: float) -> Event:
    return Event(stage, text, done, total, max(0.0, deadline - time.monotonic()))


def _evidence(
    case: Case, holdouts: Holdouts, chosen: Challenger, model: Model, metric: Metric, deadline: float
) -> Evidence:
    case.progress(Event("compare", f"comparing {chosen.strategy} with the champion"))
    new = holdouts.paired(model.predict(holdouts.gate.x), metric)
    # without a gain nothing is promoted whatever the old rows say, and each fold of stand-ins costs two fits
    hopeless = case.gate.min_gain >= 0.0 and not evaluation.gain(new, metric, alpha=case.gate.alpha).lower > 0.0
    folds = 1 if hopeless else FOLDS
    old = old_evidence(holdouts, model, chosen.recipe, clip=new.clip, deadline=deadline, folds=folds)
    case.progress(Event("gate", f"judging on {len(new):,} new and {len(old) if old is not None else 0:,} old rows"))
    measured, suspects = _measured(case, holdouts, model, new), _suspects(case, holdouts, model, metric)
    return Evidence(metric, new, old, case.anchor.use, measured, suspects=suspects)


def _suspects(case: Case, holdouts: Holdouts, model: Model, metric: Metric) -> tuple[Slice, ...]:
    """Search the select rows for subgroups where the challenger is worse; the gate rows will confirm or clear them."""
    if not case.gate.search:
        return ()
    rows, at = holdouts.select, holdouts.parts.select
    before, after = losses(Paired(rows.labels, holdouts.said.take(at), model.predict(rows.x)), metric)
    return find(rows.x, before, after, seed=case.seed)


def _measured(case: Case, holdouts: Holdouts, model: Model, new: Paired) -> dict[str, tuple[float, float]]:
    """Measure what the gate's limits name, and nothing else."""
    names = {limit.name for limit in case.gate.limits}
    if not names:
        return {}
    task = case.champion.task
    before = evaluation.scores(new.y, new.champion, task=task, weight=new.weight)
    after = evaluation.scores(new.y, new.challenger, task=task, weight=new.weight)
    found = {name: (before[name], after[name]) for name in before if name in after}
    if "latency_us" in names:
        found["latency_us"] = _latencies(case.champion, model, holdouts.gate)
    if "bytes" in names:
        found["bytes"] = (float(_size(case.champion)), float(_size(model)))
    return found


def _latencies(champion: Model, challenger: Model, rows: Batch, *, turns: int = 5) -> tuple[float, float]:
    """Microseconds a row of both models on the same rows, measured in turns so that a busy machine slows both."""
    some = rows.take(np.arange(min(len(rows), 256)))
    spent: list[list[float]] = [[], []]
    for _ in range(turns):
        for times, model in zip(spent, (champion, challenger), strict=True):
            begun = time.perf_counter()
            model.predict(some.x)
            times.append((time.perf_counter() - begun) / len(some) * 1e6)
    return float(np.median(spent[0])), float(np.median(spent[1]))


def _size(model: Model) -> int:
    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder))
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def _comparisons(evidence: Evidence, case: Case) -> dict[str, Comparison]:
    holdouts = {"new": evidence.new} | ({} if evidence.old is None else {"anchor": evidence.old})
    return {
        name: evaluation.compare(name, paired, evidence.metric, alpha=case.gate.alpha, task=case.champion.task)
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
    case: Case, holdouts: Holdouts, chosen: Challenger | None, verdict: Verdict, used: np.ndarray
) -> tuple[Memory, AnchorSet]:
    """Fold the new rows into what the next update may know: each goes to the anchor set or to memory, never to both."""
    anchor = spend(case.anchor, used) if len(used) else case.anchor
    anchor, free = admit(anchor, holdouts.gate, seed=case.seed)
    learned = Batch.join([holdouts.learn, holdouts.select, free])
    memory = remember(case.memory, learned, seed=case.seed, rare=rare_rows(case.champion))
    if verdict.decision == "promote" and chosen is not None and chosen.model is not None and chosen.recipe is not None:
        if chosen.recipe.structure.start == "scratch":
            memory = memory.but(importance={})  # weights that were made anew mean something else
        memory = parse(chosen.strategy).remember(memory, chosen.model, holdouts.learn)
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
