"""Fit an exact head on frozen features: one pass over the new rows, none over the old."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Exact, HasFeatures, Model, Recipe
from incumbent.errors import AbilityError, ModelError, UsageError
from incumbent.models._training import new_classes, note_new_classes, training_rows
from incumbent.models.exact._features import cache_features
from incumbent.models.exact._head import Head
from incumbent.models.exact._inputs import check_features, compute_features, compute_head_input, compute_statistics
from incumbent.models.exact._ridge import mean_eigenvalue, solve
from incumbent.models.exact._statistics import Statistics
from incumbent.models.exact._update import read_statistics, token_of

SAMPLE = 5_000
"""Rows that a new projection is fitted to."""
_LEAST, _MOST, _GROWN = 256, 1_500, 2_000  # features that "auto" begins with, and grows to
_WIDEST = 20_000  # features of a head without a projection: their Gram matrix takes 3 GB
_SPEED = 2e10  # floating-point operations a second that the width for a budget counts on


def fit_exact_head(champion: HasFeatures, recipe: Recipe, option: Exact) -> Model:
    """Return the champion's features under a ridge head that equals one solved on all rows ever learned.

    If the memory carries statistics of these very features, only the new rows pass through them. Otherwise the
    remembered rows do, too.

    Parameters
    ----------
    champion : HasFeatures
        The model whose last layer is replaced.
    recipe : Recipe
        A bound recipe: training rows, select rows, memory, seed and deadline.
    option : Exact
        The head that the recipe asks for, ``recipe.structure.head``.

    Returns
    -------
    Model
        What `champion.with_head` makes of the new `Head`.

    Raises
    ------
    UsageError
        The recipe replays rows that the statistics hold already.
    AbilityError
        A row has several labels.
    ModelError
        The features are not finite numbers.
    BudgetSpent
        The deadline passed.
    """
    if recipe.data.replay is not None:
        raise UsageError(
            "Analytic keeps every row it learned in its statistics, so remembered rows mixed into the new ones would "
            "count twice; leave the Replay out of the chain."
        )
    train, head = training_rows(recipe), _reusable_head(champion, recipe, option)
    if np.ndim(train.labels) > 1:
        raise AbilityError(
            f"Analytic() solves for one class or value of each row, and these rows have {train.labels.shape[1]} at "
            "once; a net learns them by gradient steps, such as Replay(2000) or EWC(1.0)."
        )
    if head is None:
        lift, old = _begin(champion, recipe, option)
    else:
        lift, old = head.lift, read_statistics(recipe.memory)
    statistics = compute_statistics(champion, lift, train, deadline=recipe.deadline)
    statistics = statistics if old is None else statistics + old
    start = _scaled_penalty(champion, recipe, statistics) if head is None else head.ridge
    solution = solve(statistics, option.l2, start=start)
    token = _new_token(statistics) if head is None else head.token
    temperature = _fit_temperature(champion, Head.from_solution(solution, lift, 1.0, token, train), recipe)
    made = Head.from_solution(solution, lift, temperature, token, train)
    return champion.with_head(made, _notes(champion, recipe, made, statistics.rows, option))


def _scaled_penalty(champion: HasFeatures, recipe: Recipe, statistics: Statistics) -> float | None:
    """Return where the search starts for a head on other features: at the same fraction of their mean eigenvalue."""
    head = champion.head
    if head is None or token_of(recipe.memory) != head.token:
        return None
    before = mean_eigenvalue(read_statistics(recipe.memory))
    return head.ridge / before * mean_eigenvalue(statistics) if before > 0 else None


def _reusable_head(champion: HasFeatures, recipe: Recipe, option: Exact) -> Head | None:
    """Return the champion's head if its statistics are in the memory and its width and projection stay the same."""
    head: Head | None = champion.head
    if (
        head is None
        or token_of(recipe.memory) != head.token
        or _has_outgrown(head, recipe, option)
        or _has_old_projection(head, recipe)
    ):
        return None
    return head if option.width in ("auto", head.width) else None


def _has_old_projection(head: Head, recipe: Recipe) -> bool:
    """Return whether a head of version 0.1 lies on quadratic features, and remembered rows can replace its sums."""
    from incumbent.models.exact._projection import RandomReLU

    old = recipe.memory.rows
    return head.width > 0 and not isinstance(head.lift, RandomReLU) and old is not None and len(old) > 0


def _has_outgrown(head: Head, recipe: Recipe, option: Exact) -> bool:
    """Return whether rows are twice as many as the features of an automatic width, and all are still remembered."""
    old = recipe.memory.rows
    if option.width != "auto" or old is None or not 0 < head.width < _GROWN:
        return False
    learned, kept = float(recipe.memory.statistics["rows"]), len(old) if old.weight is None else float(old.weight.sum())
    return abs(learned - kept) < 0.5 and learned + len(training_rows(recipe)) >= 2 * head.width


def _begin(champion: HasFeatures, recipe: Recipe, option: Exact) -> tuple[Any, Statistics | None]:
    """Return a lift fitted to old and new rows, and the statistics of the remembered rows under it."""
    train, old = training_rows(recipe), recipe.memory.rows
    parts = [train] if old is None or not len(old) else [cache_features(champion, old), train]
    count = sum(map(len, parts))
    sample = [part.take(np.arange(0, len(part), -(-count // SAMPLE))) for part in parts]
    features = check_features(Batch.join([Batch(compute_features(champion, part)) for part in sample]).x)
    lift = _fit_lift(champion, features, _choose_width(champion, recipe, option, count, features.shape[1]), recipe.seed)
    if len(parts) == 1 or parts[0].y is None:
        return lift, None
    return lift, compute_statistics(champion, lift, parts[0], deadline=recipe.deadline)


def _fit_lift(champion: HasFeatures, features: Any, width: int, seed: int) -> Any:
    if width:
        from incumbent.models.exact._projection import RandomReLU

        return RandomReLU(width, champion.has_raw_features, seed).fit(features)
    if features.shape[1] > _WIDEST:
        raise ModelError(
            f"A head on {features.shape[1]:,} features needs all products of two of them; at most {_WIDEST:,} are "
            "taken. Analytic(2000) projects them first."
        )
    if not champion.has_raw_features:
        return None
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(features)


def _choose_width(champion: HasFeatures, recipe: Recipe, option: Exact, rows: int, features: int) -> int:
    """Return the given width, or the champion's, or the number of rows up to 1,500, halved to fit the budget.

    Few rows support few features. When the rows have become twice as many, a wider head replaces the first.
    """
    if isinstance(option.width, int):
        return option.width
    head, width = champion.head, int(np.clip(rows, _LEAST, _MOST))
    if head is not None:
        if token_of(recipe.memory) != head.token or not _has_outgrown(head, recipe, option):
            return int(head.width)
        width = min(rows * 2 // 3, _GROWN)
    left = recipe.deadline - time.monotonic()
    while width > 128 and (rows * width * (2 * features + width) + width**3) / _SPEED > left / 4:
        width //= 2
    return width


def _fit_temperature(champion: HasFeatures, head: Head, recipe: Recipe) -> float:
    """Return the factor of the scores that makes the select rows most likely.

    ``argmin_T -mean log softmax(T * scores)[y]``: one number, convex in it, after Guo et al. (2017), On Calibration of
    Modern Neural Networks, ICML. With fewer than ten select rows, the training rows are taken.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if head.classes is None or len(head.classes) < 2:
        return 1.0
    select = recipe.select
    rows = select if select is not None and len(select) >= 10 else training_rows(recipe)
    known = np.flatnonzero(np.isin(rows.labels, head.classes))[:SAMPLE]
    if not len(known):
        return 1.0
    rows = rows.take(known)
    scores = head.scores(compute_head_input(champion, head.lift, rows))
    of_label = scores[np.arange(len(rows)), np.searchsorted(head.classes, rows.labels)]

    def log_loss(log: float) -> float:
        factor = np.exp(log)
        return float((logsumexp(factor * scores, axis=1) - factor * of_label).mean())

    return float(np.exp(minimize_scalar(log_loss, bounds=(-2.0, 6.0), method="bounded").x))


def _notes(champion: HasFeatures, recipe: Recipe, head: Head, rows: float, option: Exact) -> tuple[str, ...]:
    kind = "random" if head.grid is not None else "quadratic"
    where = f"{head.width} {kind} features" if head.width else f"{head.coef.shape[1]} features"
    chosen = "" if option.l2 is not None else ", chosen by generalised cross-validation"
    note = f"solved from {rows:,.0f} rows on {where}, ridge {head.ridge:.3g}{chosen}"
    unseen: Array = new_classes(recipe, champion.classes)
    return (note, note_new_classes(unseen)) if len(unseen) else (note,)


def _new_token(statistics: Statistics) -> str:
    """Return an identity of features: a digest of their sums over these rows, which other features would not have."""
    return blake2b(statistics.total.tobytes() + statistics.cross.tobytes(), digest_size=16).hexdigest()
