"""Put a head that is solved exactly on frozen features: one pass over the new rows, none over the old."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from incumbent.core import Batch, Floats, Model, Recipe
from incumbent.errors import AbilityError, ModelError, UsageError
from incumbent.models._features import read_once
from incumbent.models._head import Featured, Head, headed, votes_of
from incumbent.models._learned import statistics_of, token_in
from incumbent.models._native import new_classes, trained_on
from incumbent.models._neighbours import EACH, Neighbours, Votes, each_of, mixed
from incumbent.models._ridge import Solution, mean_eigenvalue, solve
from incumbent.models._statistics import Statistics
from incumbent.models._summed import checked, features_of, gathered, lifted

if TYPE_CHECKING:
    from incumbent.models._projection import Projection

SAMPLE = 5_000
"""Rows that a new projection is fitted to."""
_LEAST, _MOST, _GROWN = 256, 1_500, 2_000  # features that "auto" begins with, and grows to
_MANY = 128  # inputs from which on their principal components are taken to say most of what they do
_WIDEST = 20_000  # features of a head without a projection: the matrix of their products takes 3 GB
_CLEARLY = 0.95  # of the log loss is left where votes are heard
_SPEED = 2e10  # floating-point operations a second that the width for a budget counts on


def analytic(champion: Featured, recipe: Recipe) -> Model:
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
    if recipe.data.replay != 0:
        raise UsageError(
            "Analytic keeps every row it learned in its statistics, so remembered rows mixed into the new ones would "
            "count twice; leave the Replay out of the chain."
        )
    return solved(champion, recipe)


def solved(champion: Featured, recipe: Recipe) -> Model:
    """Return what `analytic` does of rows that the statistics do not hold yet."""
    train, head = trained_on(recipe), _continued(champion, recipe)
    each = kept_by(recipe)
    if np.ndim(train.labels) > 1:
        raise AbilityError(
            f"Analytic() solves for one class or value of each row, and these rows have {train.labels.shape[1]} at "
            "once; a net learns them by gradient steps, such as Replay(2000) or EWC(1.0)."
        )
    if head is None:
        lift, old = _begun(champion, recipe, each)
    else:
        lift, old = head.lift, _with_neighbours(champion, recipe, statistics_of(recipe.memory), each)
    statistics = gathered(champion, lift, train, each=each, deadline=recipe.deadline)
    if old is not None:
        statistics += old
    start = _start_anew(champion, recipe, statistics) if head is None else head.ridge
    solution = solve(statistics, recipe.loss.l2, start=start)
    token = head.token if head is not None else _token_of(statistics)
    temperature, votes = _calibrated(champion, lift, solution, recipe)
    made = headed(solution, lift, temperature, token, train, votes)
    return champion.with_head(made, _notes(champion, recipe, made))


def kept_by(recipe: Recipe) -> int:
    """Return how many rows of each class are kept beside the sums."""
    asked, memory = recipe.structure.neighbours, recipe.memory
    if asked != "auto":
        return asked
    if not memory.statistics:
        return EACH if len(memory) else 0
    return each_of(Neighbours.from_arrays(memory.statistics))


def _with_neighbours(champion: Featured, recipe: Recipe, old: Statistics, each: int) -> Statistics:
    """Return sums with neighbours or without, as is asked for; where none were kept so far, of the remembered rows."""
    if not each:
        return replace(old, neighbours=None)
    rows, head = recipe.memory.rows, champion.head
    if old.neighbours is not None or rows is None or head is None:
        return old
    return replace(old, neighbours=gathered(champion, head.lift, rows, each=each).neighbours)


def _start_anew(champion: Featured, recipe: Recipe, statistics: Statistics) -> float | None:
    """Return where the search starts for a head on other features: at the same share of their mean eigenvalue."""
    head = champion.head
    if head is None or token_in(recipe.memory) != head.token:
        return None
    before = mean_eigenvalue(statistics_of(recipe.memory))
    return head.ridge / before * mean_eigenvalue(statistics) if before > 0 else None


def _continued(champion: Featured, recipe: Recipe) -> Head | None:
    """Return the champion's head where its statistics are at hand and the recipe asks for no other width."""
    head, width = champion.head, recipe.structure.analytic
    if head is None or token_in(recipe.memory) != head.token or _outgrown(head, recipe):
        return None
    if recipe.structure.projection not in ("auto", getattr(head.lift, "kind", recipe.structure.projection)):
        return None
    return head if width in ("auto", getattr(head.lift, "width", 0)) else None


def _outgrown(head: Head, recipe: Recipe) -> bool:
    """Whether rows are twice as many as the features of an automatic width, and all of them are at hand still."""
    width, old = getattr(head.lift, "width", 0), recipe.memory.rows
    if recipe.structure.analytic != "auto" or old is None or not 0 < width < _GROWN:
        return False
    learned, kept = float(recipe.memory.statistics["rows"]), len(old) if old.weight is None else float(old.weight.sum())
    return abs(learned - kept) < 0.5 and learned + len(trained_on(recipe)) >= 2 * width


def _begun(champion: Featured, recipe: Recipe, each: int) -> tuple[Any, Statistics | None]:
    """Return a new lift, fitted to old and new rows, and the statistics of what is remembered under it."""
    train, old = trained_on(recipe), recipe.memory.rows
    parts = [train] if old is None or not len(old) else [read_once(champion, old), train]
    count = sum(map(len, parts))
    some = [part.take(np.arange(0, len(part), -(-count // SAMPLE))) for part in parts]
    features = checked(Batch.join([Batch(features_of(champion, part)) for part in some]).x)
    lift = _fitted_lift(features, _width(champion, recipe, count, features.shape[1]), champion.raw, recipe)
    known = len(parts) > 1 and parts[0].y is not None
    return lift, gathered(champion, lift, parts[0], each=each, deadline=recipe.deadline) if known else None


def _fitted_lift(features: Any, width: int, raw: bool, recipe: Recipe) -> Any:
    if width:
        return _projection(features, width, raw, recipe).fit(features)
    if features.shape[1] > _WIDEST:
        raise ModelError(
            f"A head on {features.shape[1]:,} features needs all products of two of them; at most {_WIDEST:,} are "
            "taken. Analytic(2000) projects them first."
        )
    if not raw:
        return None
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(features)


def _projection(features: Any, width: int, raw: bool, recipe: Recipe) -> Projection:
    """Return the projection asked for, or the one that features as many and as alike as these do best with."""
    from incumbent.models._projection import RandomReLU
    from incumbent.models._quadratic import QuadraticFeatures

    asked, (rows, inputs) = recipe.structure.projection, features.shape
    if asked == "auto":
        many = inputs >= _MANY and not raw and not hasattr(features, "tocsr")
        asked = "quadratic" if many and QuadraticFeatures.suits(rows, inputs, width) else "relu"
    kind = QuadraticFeatures if asked == "quadratic" else RandomReLU
    return kind(width, raw, recipe.seed)


def _width(champion: Featured, recipe: Recipe, rows: int, features: int) -> int:
    """Return the width asked for, or the champion's, or the number of rows up to 1,500, halved to fit the budget.

    Few rows ask for few features; when they have become twice as many, the head is begun anew with more.
    """
    asked = recipe.structure.analytic
    if isinstance(asked, int):
        return asked
    head, width = champion.head, int(np.clip(rows, _LEAST, _MOST))
    if head is not None:
        if token_in(recipe.memory) != head.token or not _outgrown(head, recipe):
            return int(getattr(head.lift, "width", 0))
        width = min(rows * 2 // 3, _GROWN)
    left = recipe.deadline - time.monotonic()
    while width > 128 and (rows * width * (2 * features + width) + width**3) / _SPEED > left / 4:
        width //= 2
    return width


def _calibrated(champion: Featured, lift: Any, solution: Solution, recipe: Recipe) -> tuple[float, Votes | None]:
    """Return the factor of the scores under which the select rows are likeliest, and the votes that shall be heard.

    ``argmin_T -mean log softmax(T * scores)[y]``: one number, convex in it, after Guo et al. (2017), On Calibration of
    Modern Neural Networks, ICML. Where there are no select rows the training rows tell it; of votes they tell nothing,
    for each of them is its own nearest neighbour. Votes take time, and may be right less often where they are only more
    careful: they are heard where they lower the log loss clearly.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    classes = solution.statistics.classes
    if classes is None or len(classes) < 2:
        return 1.0, None
    apart = recipe.select is not None and len(recipe.select) >= 10
    judges = recipe.select if recipe.select is not None and apart else trained_on(recipe)
    known = np.flatnonzero(np.isin(judges.labels, classes))[:SAMPLE]
    if not len(known):
        return 1.0, None
    rows = judges.take(known)
    read = lifted(champion, lift, rows)
    scores, true = solution.scores(read), (np.arange(len(rows)), np.searchsorted(classes, rows.labels))
    right = scores[true]

    def surprise(log: float) -> Floats:
        factor = np.exp(log)
        found: Floats = logsumexp(factor * scores, axis=1) - factor * right
        return found

    log = float(minimize_scalar(lambda log: surprise(log).mean(), bounds=(-2.0, 6.0), method="bounded").x)
    votes = votes_of(solution, lift) if apart else None
    if votes is not None:
        alone = surprise(log)
        together = -np.log(np.maximum(mixed(np.exp(-alone), votes.shares(read, len(classes))[true]), 1e-300))
        votes = votes if together.mean() < _CLEARLY * alone.mean() else None
    return float(np.exp(log)), votes


def _notes(champion: Featured, recipe: Recipe, head: Head) -> tuple[str, ...]:
    assert head.solution is not None, "it was just solved"
    width = getattr(head.lift, "width", 0)
    where = f"{width} {head.lift.word} features" if width else f"{head.coef.shape[1]} features"
    chosen = "" if recipe.loss.l2 is not None else ", chosen by generalised cross-validation"
    told = f"solved from {head.solution.statistics.rows:,.0f} rows on {where}, ridge {head.ridge:.3g}{chosen}"
    if head.votes is not None:
        told += f"; the nearest of {len(head.votes.of):,} kept rows vote too"
    unseen = new_classes(recipe, champion.classes)
    if not len(unseen):
        return (told,)
    return told, f"grew by {len(unseen)} new class{'es' * (len(unseen) > 1)}: {', '.join(map(str, unseen[:5]))}"


def _token_of(statistics: Statistics) -> str:
    from hashlib import blake2b

    # sums of these features over these rows: what other features would have to equal to be taken for them
    return blake2b(statistics.total.tobytes() + statistics.cross.tobytes(), digest_size=16).hexdigest()
