"""Evidence on old rows: on the anchor set, or by fold models that have not seen the rows."""

from __future__ import annotations

import time
import warnings

from incumbent.core import Model, PairedPredictions, Recipe, is_net
from incumbent.engine import TrainingRows, time_limit
from incumbent.models import fit_challenger, predict
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._pairs import FOLDS, assign_folds, join_pairs, pair

ENOUGH_OLD_ROWS = 1_000  # anchor rows from which no fold model is needed
ENOUGH_FOR_A_NET = 100  # fewer, as each fold model is a training from scratch that costs many times the update itself


def old_evidence(
    inputs: UpdateInputs, challenger: Model, recipe: Recipe | None, *, clip: float, folds: int = FOLDS
) -> PairedPredictions | None:
    """Return the predictions of champion and challenger on old rows; None if there are no old rows.

    Neither model was ever trained on the anchor set. While the set is small, cross-fitting on remembered rows adds to
    it: one model with the champion's settings is fitted without a fold, the challenger's recipe is applied to that
    model, also without the fold, and both predict the fold. So neither has seen the rows, as in production. The
    champion itself must not be scored there: on its own training rows it looks better than it is. If the budget leaves
    no time even for that, the training rows are used, and the source "train" names the bias.

    Parameters
    ----------
    inputs : UpdateInputs
        The rows, with the champion's predictions. Folds that would end after the deadline are left out.
    challenger : Model
        The chosen challenger.
    recipe : Recipe, optional
        Its recipe; None for a runner-up.
    clip : float
        The limit of the losses.
    folds : int
        How many of the folds to judge. One is enough to inform a reader if no promotion is possible.
    """
    found: list[PairedPredictions] = []
    if inputs.old_test is not None:
        found.append(inputs.old_test.pair(predict(challenger, inputs.old_test.rows), "anchor"))
    gate, memory = inputs.live.gate, inputs.live.memory
    tested = gate.tolerance is not None or gate.slices  # otherwise nobody needs the fold models, which cost fits
    enough = ENOUGH_FOR_A_NET if is_net(inputs.live.model) else ENOUGH_OLD_ROWS
    if tested and len(memory) and sum(map(len, found)) < enough:
        found += _cross_fit(inputs, recipe, folds) if recipe is not None else []
        if not found:
            found.append(_on_training_rows(inputs, challenger))
    return join_pairs(found, clip, with_x=bool(gate.slices)) if found else None


def _cross_fit(inputs: UpdateInputs, recipe: Recipe, folds: int) -> list[PairedPredictions]:
    """Pair fold models, for as many folds as the budget allows; every fold is sound evidence on its own."""
    memory, champion, deadline, seed = inputs.live.memory, inputs.live.model, inputs.deadline, inputs.seed
    rows = memory.rows
    assert rows is not None and memory.key is not None, "called only if rows are remembered"
    fold = assign_folds(rows, FOLDS, seed)
    found: list[PairedPredictions] = []
    started = time.monotonic()
    for k in range(folds):
        each = (time.monotonic() - started) / max(k, 1)
        if time.monotonic() + each > deadline:
            break
        rest = memory.replace(rows=rows.take(fold != k), key=memory.key[fold != k])
        held = rows.take(fold == k)
        try:
            with time_limit(deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same warnings as in training
                scratch = Recipe().replace(start="scratch").bind(train=rest.rows, seed=seed, deadline=deadline)
                before = champion.fit(scratch)
                plan = TrainingRows(inputs.train.rows, inputs.select.rows, rest, seed).bind(recipe, deadline=deadline)
                after = fit_challenger(before, plan)
                found.append(pair(held, before.predict(held.x), after.predict(held.x), "crossfit"))
        except Exception:  # out of time, or a fold that the estimator cannot fit; earlier folds count
            break
    return found


def _on_training_rows(inputs: UpdateInputs, challenger: Model) -> PairedPredictions:
    rows = inputs.live.memory.rows
    assert rows is not None, "called only if rows are remembered"
    return pair(rows, inputs.live.model.predict(rows.x), challenger.predict(rows.x), "train")
