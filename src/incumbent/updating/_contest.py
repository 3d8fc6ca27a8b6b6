"""Let the chosen challenger meet the gate; under a refresh, the one of the live strategy after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from incumbent.core import Challenger, Event, Evidence, Metric, Paired, Verdict
from incumbent.evidence import gain
from incumbent.gate import Gate
from incumbent.gate.budget import ErrorControl
from incumbent.gate.slices import Slice, find, losses
from incumbent.memory import emphasised
from incumbent.models import extended, predict
from incumbent.updating._case import Case
from incumbent.updating._choice import failed
from incumbent.updating._holdouts import Holdouts
from incumbent.updating._lines import Lines, idea
from incumbent.updating._measured import measured
from incumbent.updating._new import new_evidence
from incumbent.updating._old import old_evidence
from incumbent.updating._pairs import FOLDS


@dataclass(frozen=True, eq=False)
class Contest:
    """What came of it: the challengers with the last one judged marked as chosen, its evidence, and the verdict."""

    challengers: tuple[Challenger, ...]
    control: ErrorControl
    evidence: Evidence | None = None
    verdict: Verdict | None = None
    proved: bool = False

    @property
    def promoted(self) -> bool:
        """Whether a challenger takes over."""
        return self.verdict is not None and self.verdict.decision == "promote"


def contest(
    case: Case,
    holdouts: Holdouts,
    challengers: tuple[Challenger, ...],
    lines: Lines,
    errors: ErrorControl,
    metric: Metric,
    deadline: float,
) -> Contest:
    """Judge the contenders in turn until one is promoted.

    The chosen challenger has to be proven, unless it re-learned by the strategy that is live and the gate's promise is
    "refresh". A second contender, the one of the live strategy, is only ever judged by the refresh, whose promise is
    about refusals: so the chance of promoting a change of strategy wrongly stays that of one test.
    """
    kept = Contest(challengers, errors)
    passed: list[str] = []
    for contender in _contenders(case, challengers, lines):
        try:
            suspects = _suspects(case, holdouts, contender, metric)
            contender = _completed(contender, holdouts)
            evidence = _evidence(case, holdouts, contender, lines, metric, deadline, suspects)
        except Exception as error:  # an estimator may raise anything, here on rows that it sees for the first time
            lost = tuple(failed(c, error) if c.strategy == contender.strategy else c for c in kept.challengers)
            kept = dataclasses.replace(kept, challengers=lost)
            continue
        evidence = dataclasses.replace(evidence, level=errors.level())
        case.progress(
            Event(
                "gate",
                f"judging on {len(evidence.new):,} new and {len(evidence.old) if evidence.old else 0:,} old rows",
            )
        )
        verdict = case.gate(evidence)
        proving = verdict.kind == "prove"
        if proving:
            kept = dataclasses.replace(kept, control=errors.record(verdict.decision == "promote"), proved=True)
        chosen = dataclasses.replace(contender, chosen=True)
        marked = tuple(
            chosen if c.strategy == chosen.strategy else dataclasses.replace(c, chosen=False) for c in kept.challengers
        )
        verdict = dataclasses.replace(verdict, advice=(*passed, *verdict.advice))
        kept = dataclasses.replace(kept, challengers=marked, evidence=evidence, verdict=verdict)
        if kept.promoted:
            break
        why = next((reason.text for reason in verdict.reasons if not reason.holds), "")
        passed.append(f"{contender.strategy} had the larger gain on the select rows but was not proven: {why}.")
    return kept


def _contenders(case: Case, challengers: Sequence[Challenger], lines: Lines) -> list[Challenger]:
    best = next((c for c in challengers if c.chosen), None)
    if case.gate.source == "prequential":
        best = lines.strongest(challengers) or best
    routine = next((c for c in challengers if c.model is not None and _routine(case.gate, case.live, c)), None)
    return [c for c in dict.fromkeys([best, routine]) if c is not None]


def _routine(gate: Gate, live: str, challenger: Challenger) -> bool:
    return gate.promise == "refresh" and challenger.recipe is not None and idea(challenger.strategy) == idea(live)


def _evidence(
    case: Case,
    holdouts: Holdouts,
    chosen: Challenger,
    lines: Lines,
    metric: Metric,
    deadline: float,
    suspects: tuple[Slice, ...],
) -> Evidence:
    case.progress(Event("compare", f"comparing {chosen.strategy} with the champion"))
    assert chosen.model is not None, "only challengers that were made are contenders"
    routine = case.live if _routine(case.gate, case.live, chosen) else ""
    line = lines.evidence(idea(chosen.strategy)) if case.gate.source == "prequential" else None
    start = lines.start(chosen.strategy, case.champion)
    new = new_evidence(holdouts, start, chosen.model, chosen.recipe, metric, deadline=deadline)
    folds = 1 if not routine and _hopeless(case.gate, new, line is not None and line.shown, metric) else FOLDS
    old = old_evidence(holdouts, chosen.model, chosen.recipe, clip=new.clip, deadline=deadline, folds=folds)
    return Evidence(
        metric,
        new,
        old,
        case.anchor.use,
        measured(case, holdouts, chosen.model, new),
        suspects=suspects,
        routine=routine,
        line=line,
    )


def _hopeless(gate: Gate, new: Paired, shown: bool, metric: Metric) -> bool:
    """Whether nothing will be promoted whatever the old rows say; each fold of stand-ins for them costs two fits."""
    return gate.min_gain >= 0.0 and not shown and not gain(new, metric, alpha=gate.alpha).lower > 0.0


def _completed(chosen: Challenger, holdouts: Holdouts) -> Challenger:
    """Let a head that is solved exactly learn the select rows too, now that they have chosen it; it costs one solution.

    The gate rows are still unseen by it, and it is this head that they judge and that is promoted.
    """
    if chosen.recipe is None or chosen.model is None:
        return chosen
    rows = emphasised(holdouts.select, chosen.recipe.data.new_row_weight)
    return dataclasses.replace(chosen, model=extended(chosen.model, rows))


def _suspects(case: Case, holdouts: Holdouts, chosen: Challenger, metric: Metric) -> tuple[Slice, ...]:
    """Search the select rows for subgroups where the challenger is worse; the gate rows will confirm or clear them."""
    if not case.gate.search or chosen.model is None:
        return ()
    rows, at = holdouts.select, holdouts.parts.select
    before, after = losses(Paired(rows.labels, holdouts.said.take(at), predict(chosen.model, rows)), metric)
    return find(rows.x, before, after, seed=case.seed)
