"""Evidence on the new rows: those held out, and with cross-fitting also those that were learned from."""

from __future__ import annotations

import time
import warnings

from incumbent.core import Metric, Model, Paired, Recipe
from incumbent.engine import TrainingRows, time_limit
from incumbent.models import fit_challenger, predict
from incumbent.updating._holdouts import Holdouts
from incumbent.updating._pairs import FOLDS, folds_of, joined, paired


def new_evidence(
    holdouts: Holdouts, start: Model, challenger: Model, recipe: Recipe | None, metric: Metric, *, deadline: float
) -> Paired:
    """Return champion and challenger on new rows that neither has learned from.

    The gate rows always serve. A challenger that stands from an earlier update has not seen the rest either, so the
    rows to learn from serve too. With the source "crossfit" so they do for one made now, each judged by a challenger
    of the same recipe that was fitted without its fold. The intervals then are those of cross-validation, which hold
    for learners that a few rows more or less change little (Bayle et al. 2020); the fold challengers have learned from
    fewer rows than the one they speak for, which errs on the side of refusing. Rows in order of time are not
    cross-fitted: a fold would be judged by what learned from its future.

    Parameters
    ----------
    holdouts : Holdouts
        Rows and the champion's word on them.
    start : Model
        What the challenger was made from.
    challenger : Model
        The chosen one.
    recipe : Recipe, optional
        What it was made by; None for a standing challenger.
    metric : Metric
        What decides.
    deadline : float
        When to stop, in seconds of `time.monotonic`; folds that it cuts off are left out.

    References
    ----------
    Bayle, P., Bayle, A., Janson, L. and Mackey, L. (2020). Cross-validation confidence intervals for test error.
    NeurIPS 33. Theorem 1 and Proposition 1.
    """
    held = holdouts.paired(predict(challenger, holdouts.gate), metric)
    if recipe is None:
        found = _unseen(holdouts, challenger)
    elif holdouts.case.gate.source == "crossfit" and not held.ordered:
        found = _crossfitted(holdouts, start, recipe, deadline)
    else:
        found = []
    return joined([held, *found], held.clip, with_x=True, ordered=held.ordered) if found else held


def _unseen(holdouts: Holdouts, challenger: Model) -> list[Paired]:
    """Return the pairs of the rows to learn from, for one that has not learned from them."""
    at = holdouts.parts.train[holdouts.holdable[holdouts.parts.train]]
    if not len(at):
        return []
    rows = holdouts.rows.take(at)
    return [paired(rows, holdouts.said.take(at), predict(challenger, rows), "holdout")]


def _crossfitted(holdouts: Holdouts, start: Model, recipe: Recipe, deadline: float) -> list[Paired]:
    case, learn, train = holdouts.case, holdouts.learn, holdouts.parts.train
    fold, sound = folds_of(learn, FOLDS, case.seed), holdouts.holdable[train]
    found: list[Paired] = []
    began = time.monotonic()
    for k in range(FOLDS):
        each = (time.monotonic() - began) / max(k, 1)
        judged = (fold == k) & sound
        if time.monotonic() + each > deadline or not judged.any():
            continue
        try:
            with time_limit(deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same chatter as in training
                rest = learn.take(fold != k)
                rows_of = TrainingRows(rest, holdouts.select, case.memory, case.seed)
                plan = rows_of.bind(recipe, deadline=deadline)
                made, rows = fit_challenger(start, plan), learn.take(judged)
                found.append(paired(rows, holdouts.said.take(train[judged]), predict(made, rows), "crossfit"))
        except Exception:  # out of time, or a fold that an estimator cannot do with: the gate rows stand by themselves
            break
    return found
