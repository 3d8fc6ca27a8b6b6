"""Evidence that the old is not forgotten: on the anchor set, else by stand-ins that have not seen the rows."""

from __future__ import annotations

import time
import warnings

from incumbent.core import Model, Paired, Recipe, is_net
from incumbent.engine import TrainingRows, time_limit
from incumbent.models import fit_challenger, predict
from incumbent.updating._holdouts import Holdouts
from incumbent.updating._pairs import FOLDS, folds_of, joined, paired

ENOUGH = 1_000  # anchor rows from which no stand-in is needed
ENOUGH_FOR_A_NET = 100  # fewer, where each stand-in is a training from scratch that costs many times the update itself


def old_evidence(
    holdouts: Holdouts, challenger: Model, recipe: Recipe | None, *, clip: float, deadline: float, folds: int = FOLDS
) -> Paired | None:
    """Return champion and challenger on rows of the past, or None where nothing is known of it.

    The anchor set is what neither was ever trained on. While it is small it is filled up by cross-fitting on remembered
    rows: the champion's settings are fitted without a fold, the challenger's recipe is applied to that stand-in without
    the fold too, and both predict it. So both have not seen the rows, as in life. The champion itself must not be
    scored there: on the rows it was trained on it looks better than it is. If the budget leaves no time even for that,
    those rows are taken with the bias said aloud (source "train").

    Parameters
    ----------
    holdouts : Holdouts
        Rows and the champion's word on them.
    challenger : Model
        The chosen one.
    recipe : Recipe, optional
        What it was made by; None for a standing challenger.
    clip : float
        Where losses are cut off.
    deadline : float
        When to stop, in seconds of `time.monotonic`.
    folds : int
        How many of the folds to judge: one is enough to tell a reader where no promotion is in sight.
    """
    found: list[Paired] = []
    if holdouts.said_old is not None and len(holdouts.old_gate):
        rows = holdouts.old(holdouts.old_gate)
        said = predict(challenger, rows)
        found.append(paired(rows, holdouts.said_old.take(holdouts.old_gate), said, "anchor"))
    gate = holdouts.case.gate
    asked = gate.tolerance is not None or gate.slices  # stand-ins cost fits, and nobody would look at them
    enough = ENOUGH_FOR_A_NET if is_net(holdouts.case.champion) else ENOUGH
    if asked and len(holdouts.case.memory) and sum(map(len, found)) < enough:
        found += _crossfitted(holdouts, recipe, deadline, folds) if recipe is not None else []
        if not found:
            found.append(_on_training_rows(holdouts, challenger))
    return joined(found, clip, with_x=bool(holdouts.case.gate.slices)) if found else None


def _crossfitted(holdouts: Holdouts, recipe: Recipe, deadline: float, folds: int) -> list[Paired]:
    """Pair stand-ins fold by fold, for as many folds as the budget allows; every fold is sound evidence on its own."""
    case, rows = holdouts.case, holdouts.case.memory.rows
    assert rows is not None and case.memory.key is not None, "asked only where rows are remembered"
    fold = folds_of(rows, FOLDS, case.seed)
    found: list[Paired] = []
    started = time.monotonic()
    for k in range(folds):
        each = (time.monotonic() - started) / max(k, 1)
        if time.monotonic() + each > deadline:
            break
        rest = case.memory.replace(rows=rows.take(fold != k), key=case.memory.key[fold != k])
        held = rows.take(fold == k)
        try:
            with time_limit(deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same chatter as in training
                afresh = Recipe().replace(start="scratch").bind(train=rest.rows, seed=case.seed, deadline=deadline)
                stand_in = case.champion.fit(afresh)
                rows_of = TrainingRows(holdouts.learn, holdouts.select, rest, case.seed)
                follower = rows_of.bind(recipe, deadline=deadline)
                made = fit_challenger(stand_in, follower)
                found.append(paired(held, stand_in.predict(held.x), made.predict(held.x), "crossfit"))
        except Exception:  # out of time, or a fold that an estimator cannot do with: what was found so far stands
            break
    return found


def _on_training_rows(holdouts: Holdouts, challenger: Model) -> Paired:
    rows = holdouts.case.memory.rows
    assert rows is not None, "asked only where rows are remembered"
    return paired(rows, holdouts.case.champion.predict(rows.x), challenger.predict(rows.x), "train")
