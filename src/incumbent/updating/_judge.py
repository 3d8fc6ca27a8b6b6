"""Let the gate judge the chosen challenger, and under a refresh the routine one after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from incumbent.core import Challenger, Event, Evidence, PairedPredictions, Verdict
from incumbent.evidence import gain
from incumbent.gate.budget import ErrorControl
from incumbent.gate.slices import Slice, find_slices, losses
from incumbent.memory import scale_weights
from incumbent.models import add_rows, predict
from incumbent.updating._challengers import failed
from incumbent.updating._evidence import FOLDS, new_evidence, old_evidence
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._measure import measure
from incumbent.updating._prequential import kind_of


@dataclass(frozen=True, eq=False)
class Judgement:
    """The result of the gate; without evidence and verdict if no challenger was judged."""

    challengers: tuple[Challenger, ...]  # the last one judged is marked as chosen
    control: ErrorControl  # after this update
    evidence: Evidence | None = None
    verdict: Verdict | None = None
    proved: bool = False  # a challenger had to be shown better, which spends error budget and a use of the old rows

    @property
    def chosen(self) -> Challenger | None:
        """The challenger that was judged last, or else the one that was chosen on the select rows."""
        return next((c for c in self.challengers if c.chosen), None)

    @property
    def promoted(self) -> bool:
        """Whether a challenger takes over."""
        return self.verdict is not None and self.verdict.decision == "promote"


def judge_challengers(inputs: UpdateInputs, challengers: tuple[Challenger, ...]) -> Judgement:
    """Judge the contenders in turn until one is promoted.

    The chosen challenger has to be shown better, unless it is the routine of a refresh. Under a refresh the routine is
    the second contender. The refresh limits wrong refusals, not wrong promotions, so the chance that a change of
    strategy is wrongly promoted stays that of one test.
    """
    control = inputs.live.error_control
    found = Judgement(challengers, control)
    passed_over: list[str] = []
    for contender in _contenders(inputs, challengers):
        try:
            suspects = _suspects(inputs, contender)
            contender = _with_select_rows(contender, inputs)
            evidence = _evidence(inputs, contender, suspects)
        except Exception as error:  # an estimator may raise anything, here on rows it sees for the first time
            lost = tuple(failed(c, error) if c.strategy == contender.strategy else c for c in found.challengers)
            found = dataclasses.replace(found, challengers=lost)
            continue
        found = _decide(inputs, found, contender, dataclasses.replace(evidence, level=control.level()), passed_over)
        if found.promoted:
            break
        assert found.verdict is not None, "it was just decided"
        why = next((reason.text for reason in found.verdict.reasons if not reason.holds), "")
        passed_over.append(f"{contender.strategy} had the larger gain on the select rows but was not proven: {why}.")
    return found


def _decide(
    inputs: UpdateInputs, found: Judgement, contender: Challenger, evidence: Evidence, passed_over: Sequence[str]
) -> Judgement:
    """Return the judgement with the gate's verdict on one contender."""
    counts = f"{len(evidence.new):,} new and {len(evidence.old) if evidence.old else 0:,} old rows"
    inputs.progress(Event("gate", f"judging on {counts}"))
    verdict, control, proved = inputs.live.gate(evidence), found.control, found.proved
    if verdict.rule == "prove":
        control, proved = inputs.live.error_control.record(verdict.decision == "promote"), True
    chosen = dataclasses.replace(contender, chosen=True)
    marked = tuple(
        chosen if c.strategy == chosen.strategy else dataclasses.replace(c, chosen=False) for c in found.challengers
    )
    verdict = dataclasses.replace(verdict, advice=(*passed_over, *verdict.advice))
    return Judgement(marked, control, evidence, verdict, proved)


def _contenders(inputs: UpdateInputs, challengers: Sequence[Challenger]) -> list[Challenger]:
    best = next((c for c in challengers if c.chosen), None)
    if inputs.is_prequential:
        best = inputs.live.state.prequential.strongest(challengers) or best
    routine = next((c for c in challengers if c.model is not None and _is_routine(inputs, c)), None)
    return [c for c in dict.fromkeys((best, routine)) if c is not None]


def _is_routine(inputs: UpdateInputs, challenger: Challenger) -> bool:
    return challenger.recipe is not None and inputs.live.is_routine(challenger.strategy)


def _evidence(inputs: UpdateInputs, chosen: Challenger, suspects: tuple[Slice, ...]) -> Evidence:
    inputs.progress(Event("compare", f"comparing {chosen.strategy} with the champion"))
    assert chosen.model is not None, "only challengers that were trained are contenders"
    live, models = inputs.live, inputs.live.state.prequential
    routine = live.state.strategy if _is_routine(inputs, chosen) else ""
    line = models.evidence(kind_of(chosen.strategy)) if inputs.is_prequential else None
    start = models.starting_model(chosen.strategy, live.model)
    new = new_evidence(inputs, start, chosen.model, chosen.recipe)
    hopeless = not routine and _is_hopeless(inputs, new, line is not None and line.shown)
    old = old_evidence(inputs, chosen.model, chosen.recipe, clip=new.clip, folds=1 if hopeless else FOLDS)
    return Evidence(
        inputs.metric,
        new,
        old,
        live.anchor.next_use,
        measure(live, chosen.model, inputs.test.rows, new),
        suspects=suspects,
        routine=routine,
        prequential=line,
    )


def _is_hopeless(inputs: UpdateInputs, new: PairedPredictions, shown: bool) -> bool:
    """Whether nothing will be promoted, whatever the old rows show. Each fold on old rows costs two fits."""
    gate = inputs.live.gate
    return gate.min_gain >= 0.0 and not shown and not gain(new, inputs.metric, alpha=gate.alpha).lower > 0.0


def _with_select_rows(chosen: Challenger, inputs: UpdateInputs) -> Challenger:
    """Let an exact head learn the select rows too, now that the choice is made; this costs one solution.

    The head has still not seen the test rows. They judge this head, and this head is promoted.
    """
    if chosen.recipe is None or chosen.model is None:
        return chosen
    rows = scale_weights(inputs.select.rows, chosen.recipe.data.new_row_weight)
    return dataclasses.replace(chosen, model=add_rows(chosen.model, rows))


def _suspects(inputs: UpdateInputs, chosen: Challenger) -> tuple[Slice, ...]:
    """Search the select rows for subgroups where the challenger is worse; the test rows confirm or clear them."""
    if not inputs.live.gate.search or chosen.model is None:
        return ()
    rows, before = inputs.select.rows, inputs.select.champion
    both = PairedPredictions(rows.labels, before, predict(chosen.model, rows))
    return find_slices(rows.x, *losses(both, inputs.metric), seed=inputs.seed)
