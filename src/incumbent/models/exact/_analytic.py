"""Put a head that is solved exactly on frozen features: one pass over the new rows, none over the old."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from incumbent.core import Batch, Exact, HasFeatures, Model, Recipe
from incumbent.errors import AbilityError, ModelError, UsageError
from incumbent.models._training import new_classes, note_new_classes, training_rows
from incumbent.models.exact._features import read_once
from incumbent.models.exact._head import Head, headed
from incumbent.models.exact._learned import statistics_of, token_in
from incumbent.models.exact._ridge import Solution, mean_eigenvalue, solve
from incumbent.models.exact._statistics import Statistics
from incumbent.models.exact._summed import checked, features_of, gathered, lifted

SAMPLE = 5_000
"""Rows that a new projection is fitted to."""
_LEAST, _MOST, _GROWN = 256, 1_500, 2_000  # features that "auto" begins with, and grows to
_WIDEST = 20_000  # features of a head without a projection: the matrix of their products takes 3 GB
_SPEED = 2e10  # floating-point operations a second that the width for a budget counts on


def analytic(champion: HasFeatures, recipe: Recipe, asked: Exact) -> Model:
    """Return the champion's features under a ridge head, equal to one solved jointly on all rows ever learned.

    Where the memory carries statistics of these very features, only the new rows are passed through; otherwise the
    remembered rows are, too.

    Raises
    ------
    UsageError
        The recipe replays rows that the statistics hold already.
    ModelError
        The features are no finite numbers.
    BudgetSpent
        The deadline came first.
    """
    if recipe.data.replay is not None:
        raise UsageError(
            "Analytic keeps every row it learned in its statistics, so remembered rows mixed into the new ones would "
            "count twice; leave the Replay out of the chain."
        )
    return solved(champion, recipe, asked)


def solved(champion: HasFeatures, recipe: Recipe, asked: Exact) -> Model:
    """Return what `analytic` does of rows that the statistics do not hold yet."""
    train, head = training_rows(recipe), _continued(champion, recipe, asked)
    if np.ndim(train.labels) > 1:
        raise AbilityError(
            f"Analytic() solves for one class or value of each row, and these rows have {train.labels.shape[1]} at "
            "once; a net learns them by gradient steps, such as Replay(2000) or EWC(1.0)."
        )
    if head is None:
        lift, old = _begun(champion, recipe, asked)
    else:
        lift, old = head.lift, statistics_of(recipe.memory)
    statistics = gathered(champion, lift, train, deadline=recipe.deadline)
    if old is not None:
        statistics += old
    start = _start_anew(champion, recipe, statistics) if head is None else head.ridge
    solution = solve(statistics, asked.l2, start=start)
    token = head.token if head is not None else _token_of(statistics)
    made = headed(solution, lift, _calibrated(champion, lift, solution, recipe), token, train)
    return champion.with_head(made, _notes(champion, recipe, made, asked))


def _start_anew(champion: HasFeatures, recipe: Recipe, statistics: Statistics) -> float | None:
    """Return where the search starts for a head on other features: at the same share of their mean eigenvalue."""
    head = champion.head
    if head is None or token_in(recipe.memory) != head.token:
        return None
    before = mean_eigenvalue(statistics_of(recipe.memory))
    return head.ridge / before * mean_eigenvalue(statistics) if before > 0 else None


def _continued(champion: HasFeatures, recipe: Recipe, asked: Exact) -> Head | None:
    """Return the champion's head if its statistics are at hand and neither width nor projection changes."""
    head: Head | None = champion.head
    if (
        head is None
        or token_in(recipe.memory) != head.token
        or _outgrown(head, recipe, asked)
        or _has_old_features(head, recipe)
    ):
        return None
    return head if asked.width in ("auto", getattr(head.lift, "width", 0)) else None


def _has_old_features(head: Head, recipe: Recipe) -> bool:
    """Return whether a head of version 0.1 lies on quadratic features, and remembered rows can take it to others."""
    from incumbent.models.exact._projection import RandomReLU

    old, is_projected = recipe.memory.rows, getattr(head.lift, "width", 0) > 0
    is_old = is_projected and not isinstance(head.lift, RandomReLU)
    return is_old and old is not None and len(old) > 0 and old.y is not None


def _outgrown(head: Head, recipe: Recipe, asked: Exact) -> bool:
    """Whether rows are twice as many as the features of an automatic width, and all of them are at hand still."""
    width, old = getattr(head.lift, "width", 0), recipe.memory.rows
    if asked.width != "auto" or old is None or not 0 < width < _GROWN:
        return False
    learned, kept = float(recipe.memory.statistics["rows"]), len(old) if old.weight is None else float(old.weight.sum())
    return abs(learned - kept) < 0.5 and learned + len(training_rows(recipe)) >= 2 * width


def _begun(champion: HasFeatures, recipe: Recipe, asked: Exact) -> tuple[Any, Statistics | None]:
    """Return a new lift, fitted to old and new rows, and the statistics of what is remembered under it."""
    train, old = training_rows(recipe), recipe.memory.rows
    parts = [train] if old is None or not len(old) else [read_once(champion, old), train]
    count = sum(map(len, parts))
    some = [part.take(np.arange(0, len(part), -(-count // SAMPLE))) for part in parts]
    features = checked(Batch.join([Batch(features_of(champion, part)) for part in some]).x)
    lift = _fitted_lift(
        features, _width(champion, recipe, asked, count, features.shape[1]), champion.has_raw_features, recipe
    )
    known = len(parts) > 1 and parts[0].y is not None
    return lift, gathered(champion, lift, parts[0], deadline=recipe.deadline) if known else None


def _fitted_lift(features: Any, width: int, raw: bool, recipe: Recipe) -> Any:
    if width:
        from incumbent.models.exact._projection import RandomReLU

        return RandomReLU(width, raw, recipe.seed).fit(features)
    if features.shape[1] > _WIDEST:
        raise ModelError(
            f"A head on {features.shape[1]:,} features needs all products of two of them; at most {_WIDEST:,} are "
            "taken. Analytic(2000) projects them first."
        )
    if not raw:
        return None
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(features)


def _width(champion: HasFeatures, recipe: Recipe, asked: Exact, rows: int, features: int) -> int:
    """Return the width asked for, or the champion's, or the number of rows up to 1,500, halved to fit the budget.

    Few rows ask for few features; when they have become twice as many, the head is begun anew with more.
    """
    if isinstance(asked.width, int):
        return asked.width
    head, width = champion.head, int(np.clip(rows, _LEAST, _MOST))
    if head is not None:
        if token_in(recipe.memory) != head.token or not _outgrown(head, recipe, asked):
            return int(getattr(head.lift, "width", 0))
        width = min(rows * 2 // 3, _GROWN)
    left = recipe.deadline - time.monotonic()
    while width > 128 and (rows * width * (2 * features + width) + width**3) / _SPEED > left / 4:
        width //= 2
    return width


def _calibrated(champion: HasFeatures, lift: Any, solution: Solution, recipe: Recipe) -> float:
    """Return the factor of the scores under which the select rows are likeliest.

    ``argmin_T -mean log softmax(T * scores)[y]``: one number, convex in it, after Guo et al. (2017), On Calibration of
    Modern Neural Networks, ICML. If there are fewer than ten select rows, the training rows are taken.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    classes = solution.statistics.classes
    if classes is None or len(classes) < 2:
        return 1.0
    enough = recipe.select is not None and len(recipe.select) >= 10
    judges = recipe.select if recipe.select is not None and enough else training_rows(recipe)
    known = np.flatnonzero(np.isin(judges.labels, classes))[:SAMPLE]
    if not len(known):
        return 1.0
    rows = judges.take(known)
    scores = solution.scores(lifted(champion, lift, rows))
    right = scores[np.arange(len(rows)), np.searchsorted(classes, rows.labels)]

    def log_loss(log: float) -> float:
        factor = np.exp(log)
        return float((logsumexp(factor * scores, axis=1) - factor * right).mean())

    return float(np.exp(minimize_scalar(log_loss, bounds=(-2.0, 6.0), method="bounded").x))


def _notes(champion: HasFeatures, recipe: Recipe, head: Head, asked: Exact) -> tuple[str, ...]:
    assert head.solution is not None, "it was just solved"
    width = getattr(head.lift, "width", 0)
    kind = "random" if hasattr(head.lift, "grid") else "quadratic"
    where = f"{width} {kind} features" if width else f"{head.coef.shape[1]} features"
    chosen = "" if asked.l2 is not None else ", chosen by generalised cross-validation"
    told = f"solved from {head.solution.statistics.rows:,.0f} rows on {where}, ridge {head.ridge:.3g}{chosen}"
    unseen = new_classes(recipe, champion.classes)
    if not len(unseen):
        return (told,)
    return told, note_new_classes(unseen)


def _token_of(statistics: Statistics) -> str:
    from hashlib import blake2b

    # sums of these features over these rows: what other features would have to equal to be taken for them
    return blake2b(statistics.total.tobytes() + statistics.cross.tobytes(), digest_size=16).hexdigest()
