"""Evidence on the new rows: the test rows, and with cross-fitting also the rows that were learned from."""

from __future__ import annotations

import time
import warnings

from incumbent.core import Model, PairedPredictions, Recipe
from incumbent.engine import TrainingRows, time_limit
from incumbent.models import fit_challenger, predict
from incumbent.updating._inputs import UpdateInputs
from incumbent.updating._pairs import FOLDS, assign_folds, join_pairs


def new_evidence(inputs: UpdateInputs, start: Model, challenger: Model, recipe: Recipe | None) -> PairedPredictions:
    """Return the predictions of champion and challenger on new rows that neither has learned.

    The test rows always count. A runner-up of an earlier update has not seen the train rows either, so they count too.
    With the source "crossfit" they also count for a challenger trained now. Each row is then predicted by a fold model,
    which has the same recipe and was fitted without the row's fold. The intervals are those of cross-validation. They
    hold for learners that a few rows more or less change little (Bayle et al. 2020). Fold models have learned fewer
    rows than the challenger, so the result errs towards rejection. Rows in order of time are not cross-fitted: a fold
    model would have learned rows from the future of its fold.

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
    if recipe is None:
        found = _never_learned(inputs, challenger)
    elif inputs.live.gate.source == "crossfit" and not tested.ordered:
        found = _cross_fit(inputs, start, recipe)
    else:
        found = []
    return join_pairs([tested, *found], tested.clip, with_x=True, ordered=tested.ordered) if found else tested


def _never_learned(inputs: UpdateInputs, challenger: Model) -> list[PairedPredictions]:
    """Return the pairs of the train rows for a challenger that has not learned them."""
    train = inputs.train.take(inputs.train.can_hold_out)
    return [train.pair(predict(challenger, train.rows))] if len(train) else []


def _cross_fit(inputs: UpdateInputs, start: Model, recipe: Recipe) -> list[PairedPredictions]:
    train = inputs.train
    fold = assign_folds(train.rows, FOLDS, inputs.seed)
    found: list[PairedPredictions] = []
    began = time.monotonic()
    for k in range(FOLDS):
        each = (time.monotonic() - began) / max(k, 1)
        held = train.take((fold == k) & train.can_hold_out)
        if time.monotonic() + each > inputs.deadline or not len(held):
            continue
        try:
            with time_limit(inputs.deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same warnings as in training
                rest = train.rows.take(fold != k)
                rows = TrainingRows(rest, inputs.select.rows, inputs.live.memory, inputs.seed)
                made = fit_challenger(start, rows.bind(recipe, deadline=inputs.deadline))
                found.append(held.pair(predict(made, held.rows), "crossfit"))
        except Exception:  # out of time, or a fold that the estimator cannot fit; the test rows are enough
            break
    return found
