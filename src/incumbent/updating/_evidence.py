"""Evidence for the gate: predictions of champion and challenger on new and old rows that neither was trained on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence

from incumbent.core import Model, PairedPredictions, Recipe, is_net
from incumbent.engine import TrainingRows, time_limit
from incumbent.models import fit_challenger, predict
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._pairs import assign_folds, join_pairs, pair

FOLDS = 3
ENOUGH_OLD_ROWS = 1_000  # with this many anchor rows, no fold models are needed
ENOUGH_FOR_A_NET = 100  # fewer, because fold models of a net train from scratch, at many times the cost of the update


def new_evidence(inputs: UpdateInputs, start: Model, challenger: Model, recipe: Recipe | None) -> PairedPredictions:
    """Return the predictions of both models on new rows that neither was trained on.

    The test rows always count. A runner-up of an earlier update was not trained on the train rows either, so they count
    too. With the source "crossfit" they also count for a challenger trained now: each row is predicted by a fold model,
    which has the same recipe and was fitted without the row's fold. The intervals are those of cross-validation. They
    are valid for learners that change little if a few rows are added or removed (Bayle et al. 2020). Fold models train
    on fewer rows than the challenger, so the result errs towards rejection. Rows in order of time are not cross-fitted,
    because a fold model would be trained on the future of its fold.

    Parameters
    ----------
    inputs : UpdateInputs
        The rows, with the champion's predictions. Folds that would end after the deadline are left out.
    start : Model
        The model that the challenger was trained from.
    challenger : Model
        The chosen challenger.
    recipe : Recipe, optional
        Its recipe; None for a runner-up.

    References
    ----------
    Bayle, P., Bayle, A., Janson, L. and Mackey, L. (2020). Cross-validation confidence intervals for test error.
    NeurIPS 33. Theorem 1 and Proposition 1.
    """
    tested = inputs.test_pair(inputs.test.pair(predict(challenger, inputs.test.rows)))
    found: list[PairedPredictions] = []
    if recipe is None:
        train = inputs.train.take(inputs.train.can_hold_out)
        found = [train.pair(predict(challenger, train.rows))] if len(train) else []
    elif inputs.live.gate.source == "crossfit" and not tested.ordered:
        found = _cross_fit_new(inputs, start, recipe)
    return join_pairs([tested, *found], tested.clip, with_x=True, ordered=tested.ordered) if found else tested


def _cross_fit_new(inputs: UpdateInputs, start: Model, recipe: Recipe) -> list[PairedPredictions]:
    train = inputs.train
    fold = assign_folds(train.rows, FOLDS, inputs.seed)

    def fit_fold(k: int) -> list[PairedPredictions]:
        held = train.take((fold == k) & train.can_hold_out)
        if not len(held):
            return []
        rows = TrainingRows(train.rows.take(fold != k), inputs.select.rows, inputs.live.memory, inputs.seed)
        made = fit_challenger(start, rows.bind(recipe, deadline=inputs.deadline))
        return [held.pair(predict(made, held.rows), "crossfit")]

    return _folds_in_time(FOLDS, inputs.deadline, fit_fold)


def old_evidence(
    inputs: UpdateInputs, challenger: Model, recipe: Recipe | None, *, clip: float, folds: int = FOLDS
) -> PairedPredictions | None:
    """Return the predictions of both models on old rows; None if there are no old rows.

    Neither model was ever trained on the anchor set. While the set is small, cross-fitting on remembered rows adds to
    it: one model with the champion's settings is fitted without a fold, the challenger's recipe is applied to that
    model, also without the fold, and both predict the fold. So neither has seen the rows, as in production. The
    champion itself must not be scored there: on its own training rows it looks better than it is. Without any
    anchor row or fold model (a runner-up has no recipe, or the budget is used up), both models predict the remembered
    rows after all, and the source "train" warns of this bias.

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
        How many folds to fit. One is enough for the report if no promotion is possible.
    """
    found: list[PairedPredictions] = []
    if inputs.old_test is not None:
        found.append(inputs.old_test.pair(predict(challenger, inputs.old_test.rows), "anchor"))
    gate, champion, known = inputs.live.gate, inputs.live.model, inputs.live.memory.rows
    tested = gate.tolerance is not None or gate.slices  # otherwise old rows decide nothing
    enough = ENOUGH_FOR_A_NET if is_net(champion) else ENOUGH_OLD_ROWS
    if tested and known is not None and len(known) and sum(map(len, found)) < enough:
        found += _cross_fit_old(inputs, recipe, folds) if recipe is not None else []
        if not found:
            found = [pair(known, champion.predict(known.x), challenger.predict(known.x), "train")]
    return join_pairs(found, clip, with_x=bool(gate.slices)) if found else None


def _cross_fit_old(inputs: UpdateInputs, recipe: Recipe, folds: int) -> list[PairedPredictions]:
    memory, deadline, seed = inputs.live.memory, inputs.deadline, inputs.seed
    rows, key = memory.rows, memory.key
    assert rows is not None and key is not None, "called only if rows are remembered"
    fold = assign_folds(rows, FOLDS, seed)

    def fit_fold(k: int) -> list[PairedPredictions]:
        rest, held = memory.replace(rows=rows.take(fold != k), key=key[fold != k]), rows.take(fold == k)
        scratch = Recipe().replace(start="scratch").bind(train=rest.rows, seed=seed, deadline=deadline)
        before = inputs.live.model.fit(scratch)
        learned = TrainingRows(inputs.train.rows, inputs.select.rows, rest, seed)
        after = fit_challenger(before, learned.bind(recipe, deadline=deadline))
        return [pair(held, before.predict(held.x), after.predict(held.x), "crossfit")]

    return _folds_in_time(folds, deadline, fit_fold)


def _folds_in_time(
    count: int, deadline: float, fit_fold: Callable[[int], Sequence[PairedPredictions]]
) -> list[PairedPredictions]:
    """Return the pairs of as many folds as the budget allows. Each fold is valid evidence without the others."""
    found: list[PairedPredictions] = []
    began = time.monotonic()
    for k in range(count):
        each = (time.monotonic() - began) / max(k, 1)
        if time.monotonic() + each > deadline:
            break
        try:
            with time_limit(deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same warnings as in training
                found += fit_fold(k)
        except Exception:  # out of time, or a fold that the estimator cannot fit; earlier folds count
            break
    return found
