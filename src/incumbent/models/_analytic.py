"""Put a head that is solved exactly on frozen features: one pass over the new rows, none over the old."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard

import numpy as np

from incumbent.core import Array, Batch, Floats, Memory, Model, Recipe
from incumbent.data import row_keys
from incumbent.errors import AbilityError, BudgetSpent, ModelError, UsageError
from incumbent.models._features import known, read_once, two_step
from incumbent.models._native import new_classes, trained_on
from incumbent.models._ridge import Solution, solve
from incumbent.models._statistics import ROWS, Statistics, gather

SAMPLE = 5_000
"""Rows that centre and scale of a new projection are taken from."""
_LEAST, _MOST = 256, 2_000  # features that "auto" takes
_WIDEST = 20_000  # features of a head without a projection: the matrix of their products takes 3 GB
_SPEED = 2e10  # floating-point operations a second that the width for a budget counts on


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer on frozen features, and where its statistics belong.

    Parameters
    ----------
    coef, intercept : (k, m) and (k,) arrays
        Weights of the scores; one row for a numeric target.
    classes : (k,) array, optional
        The classes, sorted.
    lift : transformer, optional
        What lies between the features and the layer: a `RandomReLU`, a scaler, or nothing.
    temperature : float
        Class probabilities are ``softmax(temperature * scores)``.
    ridge : float
        The penalty it was solved with.
    token : str
        Names the features, so that statistics of others are never mixed in.
    solution : Solution, optional
        What it was solved from; not stored with the model.
    train : Batch, optional
        The rows that were new then; not stored with the model.
    """

    coef: Floats
    intercept: Floats
    classes: Array | None
    lift: Any
    temperature: float
    ridge: float
    token: str
    solution: Solution | None = field(default=None, repr=False)
    train: Batch | None = field(default=None, repr=False)


class Featured(Model, Protocol):
    """A model whose last layer can be replaced by one that is solved exactly. Its features never change by that."""

    @property
    def raw(self) -> bool:
        """Whether the features are the columns as they come, of unlike units."""

    @property
    def head(self) -> Head | None:
        """The analytic head that it has, if it has one."""

    def features(self, x: Any) -> Any:
        """Return what the last layer reads (n, d), before any `Head.lift`: an array, a frame or a sparse matrix.

        A row must give the same numbers whatever rows are beside it, or it cannot be forgotten exactly.
        """

    def with_head(self, head: Head, notes: tuple[str, ...]) -> Model:
        """Return a model that predicts by these features, `head.lift` and the layer, and keeps `head`."""


def featured(model: Model) -> TypeGuard[Featured]:
    """Whether this model gives the features that its last layer reads, and takes another layer."""
    return "features" in model.abilities and hasattr(model, "with_head")


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
    if np.ndim(train.labels) > 1:
        raise AbilityError(
            f"Analytic() solves for one class or value of each row, and these rows have {train.labels.shape[1]} at "
            "once; a net learns them by gradient steps, such as Replay(2000) or EWC(1.0)."
        )
    if head is None:
        lift, old = _begun(champion, recipe)
    else:
        lift, old = head.lift, statistics_of(recipe.memory)
    fresh = gathered(champion, lift, train, deadline=recipe.deadline)
    statistics = fresh if old is None else old + fresh
    solution = solve(statistics, recipe.loss.l2, start=None if head is None else head.ridge)
    token = head.token if head is not None else _token_of(statistics)
    made = _headed(solution, lift, _temperature(champion, lift, solution, recipe), token, train)
    return champion.with_head(made, _notes(champion, recipe, made))


def absorb(memory: Memory, model: Model, batch: Batch) -> Memory:
    """Return the memory with statistics of all rows that a model learned, those of `batch` included.

    Where the model was just solved from the first rows of the batch, only the others are passed through. A model
    without an analytic head carries no statistics on.

    Parameters
    ----------
    memory : Memory
        What is remembered, the batch included.
    model : Model
        The model that goes on from here.
    batch : Batch
        The rows that were learned last.
    """
    model = getattr(model, "newest", model)  # an ensemble learns on as its newest member does
    head = model.head if featured(model) else None
    if head is None or not featured(model):
        return memory.but(statistics={}) if memory.statistics else memory
    old: Statistics | None = None
    if head.solution is not None and head.train is not None and _begins_with(batch, head.train):
        old, batch = head.solution.statistics, batch.take(np.arange(len(head.train), len(batch)))
    elif _token(memory) == head.token:
        old = statistics_of(memory)
    elif memory.rows is not None:
        unknown = ~np.isin(row_keys(batch), row_keys(memory.rows))
        batch = Batch.join([memory.rows, batch.take(unknown)])
    if len(batch):
        fresh = gathered(model, head.lift, batch)
        old = fresh if old is None else old + fresh
    assert old is not None, "a model has learned from at least one row"
    return memory.but(statistics=_carried(old, head.token))


def extended(model: Model, rows: Batch) -> Model:
    """Return a model whose head was just solved, solved from these further rows too, with the same penalty.

    One factorisation, and a pass of rows whose features are not kept. Others come back as they are.

    Parameters
    ----------
    model : Model
        A model that has just been made by a recipe.
    rows : Batch
        Rows that it did not learn.
    """
    head = model.head if featured(model) else None
    if head is None or not featured(model) or head.solution is None or head.train is None or not len(rows):
        return model
    statistics = head.solution.statistics + gathered(model, head.lift, rows)
    solution = solve(statistics, head.ridge)
    made = _headed(solution, head.lift, head.temperature, head.token, Batch.join([head.train, rows]))
    notes: tuple[str, ...] = getattr(model, "notes", ())
    return model.with_head(made, (*notes, f"learned the {len(rows):,} rows that chose it too"))


def forget(model: Model, memory: Memory, rows: Batch) -> tuple[Model, Memory]:
    """Return the model and the memory as if these rows had never been learned, exactly and without retraining.

    The penalty and the temperature stay as they are; a class whose last row goes is gone.

    Parameters
    ----------
    model : Model
        One with an analytic head.
    memory : Memory
        The memory that belongs to it.
    rows : Batch
        Rows as they were learned: features and labels (and weights, if they had any).

    Raises
    ------
    ModelError
        The model has no analytic head, or the memory holds no statistics for it: only training anew forgets.
    DataError
        The rows cannot all be among those that were learned.
    """
    head = model.head if featured(model) else None
    if head is None or not featured(model) or _token(memory) != head.token:
        raise ModelError(
            f"{type(model.native).__name__} carries no statistics that rows could be taken out of; only a version made "
            "by Analytic() forgets exactly. Others must be trained anew without the rows."
        )
    if head.solution is not None and head.solution.statistics.rows == float(memory.statistics["rows"]):
        x = _lifted(model, head.lift, rows)
        solution = head.solution.forget(_sums(model, head.lift, [(x, rows.labels, rows.weight)]), x, rows.weight)
    else:
        gone = gathered(model, head.lift, rows)
        solution = solve(statistics_of(memory).forget(gone), head.ridge)
    made = _headed(solution, head.lift, head.temperature, head.token, None)
    left = model.with_head(made, (f"forgot {len(rows):,} rows exactly",))
    return left, without(memory, rows).but(statistics=_carried(solution.statistics, head.token))


def without(memory: Memory, rows: Batch) -> Memory:
    """Return the memory without these rows in its reservoir; rows of equal content go together."""
    if memory.rows is None:
        return memory
    keep = ~np.isin(row_keys(memory.rows), row_keys(rows))
    key = None if memory.key is None else memory.key[keep]
    return memory.but(rows=memory.rows.take(keep), key=key, seen=max(memory.seen - len(rows), int(keep.sum())))


def statistics_of(memory: Memory) -> Statistics:
    """Return the statistics that a memory carries."""
    return Statistics.from_arrays(memory.statistics)


def gathered(model: Featured, lift: Any, batch: Batch, *, deadline: float = np.inf) -> Statistics:
    """Return the statistics of a batch, its rows passed through the frozen features once, block by block."""

    def blocks() -> Iterator[tuple[Array, Array, Floats | None]]:
        for start in range(0, len(batch), ROWS):
            if time.monotonic() > deadline:
                raise BudgetSpent(
                    "The budget ended while rows were passed through the features; give a longer --budget."
                )
            part = batch.take(np.arange(start, min(start + ROWS, len(batch))))
            yield _lifted(model, lift, part), part.labels, part.weight

    return _sums(model, lift, blocks())


def _sums(model: Featured, lift: Any, blocks: Iterable[tuple[Array, Array, Floats | None]]) -> Statistics:
    return gather(blocks, classification=model.task == "classification", grid=getattr(lift, "grid", 0.0))


def _continued(champion: Featured, recipe: Recipe) -> Head | None:
    """Return the champion's head where its statistics are at hand and the recipe asks for no other width."""
    head, width = champion.head, recipe.structure.analytic
    if head is None or _token(recipe.memory) != head.token or _outgrown(head, recipe):
        return None
    return head if width in ("auto", getattr(head.lift, "width", 0)) else None


def _outgrown(head: Head, recipe: Recipe) -> bool:
    """Whether the rows are twice as many as the features of an automatic width, and all of them are at hand still."""
    width, old = getattr(head.lift, "width", 0), recipe.memory.rows
    if recipe.structure.analytic != "auto" or old is None or not 0 < width < _MOST:
        return False
    learned, kept = float(recipe.memory.statistics["rows"]), len(old) if old.weight is None else float(old.weight.sum())
    return abs(learned - kept) < 0.5 and learned + len(trained_on(recipe)) >= 2 * width


def _begun(champion: Featured, recipe: Recipe) -> tuple[Any, Statistics | None]:
    """Return a new lift, centred on old and new rows, and the statistics of what is remembered under it."""
    train, old = trained_on(recipe), recipe.memory.rows
    parts = [train] if old is None or not len(old) else [read_once(champion, old), train]
    count = sum(map(len, parts))
    some = [part.take(np.arange(0, len(part), -(-count // SAMPLE))) for part in parts]
    features = _checked(Batch.join([Batch(_features(champion, part)) for part in some]).x)
    lift = _fitted_lift(features, _width(champion, recipe, count, features.shape[1]), champion.raw, recipe.seed)
    known = len(parts) > 1 and parts[0].y is not None
    return lift, gathered(champion, lift, parts[0], deadline=recipe.deadline) if known else None


def _fitted_lift(features: Any, width: int, raw: bool, seed: int) -> Any:
    if width:
        from incumbent.models._projection import RandomReLU

        return RandomReLU(width, raw, seed).fit(features)
    if features.shape[1] > _WIDEST:
        raise ModelError(
            f"A head on {features.shape[1]:,} features needs all products of two of them; at most {_WIDEST:,} are "
            "taken. Analytic(2000) projects them first."
        )
    if not raw:
        return None
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(features)


def _width(champion: Featured, recipe: Recipe, rows: int, features: int) -> int:
    """Return the width asked for, or the champion's, or the number of rows up to 2,000, halved to fit the budget.

    Few rows ask for few features; when they have become twice as many, the head is begun anew with more.
    """
    asked = recipe.structure.analytic
    if isinstance(asked, int):
        return asked
    head = champion.head
    if head is not None and not (_token(recipe.memory) == head.token and _outgrown(head, recipe)):
        return int(getattr(head.lift, "width", 0))
    width, left = int(np.clip(rows, _LEAST, _MOST)), recipe.deadline - time.monotonic()
    while width > 128 and (rows * width * (2 * features + width) + width**3) / _SPEED > left / 4:
        width //= 2
    return width


def _features(model: Featured, batch: Batch) -> Any:
    """Return `Featured.features` of rows, or what is kept of them from when the champion was asked."""
    kept = known(batch, model.body) if two_step(model) else None
    return model.features(batch.x) if kept is None else kept


def _lifted(model: Featured, lift: Any, batch: Batch) -> Array:
    if lift is not None and model.head is not None and model.head.lift is lift and two_step(model):
        kept = known(batch, model.frozen)
        if kept is not None:
            return np.asarray(kept)
    features = _features(model, batch)
    if lift is not None:
        features = lift.transform(_checked(features))
    dense = features.toarray() if hasattr(features, "toarray") else features
    return np.asarray(dense if lift is not None else _checked(dense))


def _checked(features: Any) -> Any:
    numbers = features.data if hasattr(features, "tocsr") else np.asarray(features)
    if numbers.dtype.kind not in "biuf":
        raise ModelError(
            "Analytic computes with numbers, and the features hold text or other objects. Put the model into a "
            "Pipeline whose earlier steps turn its columns into numbers."
        )
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ModelError(
            "Analytic computes with finite numbers, and a feature is missing or infinite. Put the model into a "
            "Pipeline whose earlier steps fill them in."
        )
    return features


def _headed(solution: Solution, lift: Any, temperature: float, token: str, train: Batch | None) -> Head:
    classes = solution.statistics.classes
    return Head(solution.coef.T, solution.intercept, classes, lift, temperature, solution.ridge, token, solution, train)


def _temperature(champion: Featured, lift: Any, solution: Solution, recipe: Recipe) -> float:
    """Return the factor of the scores under which the select rows are likeliest (training rows where there are none).

    ``argmin_T -mean log softmax(T * scores)[y]``: one number, convex in it, after Guo et al. (2017), On Calibration of
    Modern Neural Networks, ICML.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    classes = solution.statistics.classes
    if classes is None or len(classes) < 2:
        return 1.0
    select = recipe.select if recipe.select is not None and len(recipe.select) >= 10 else trained_on(recipe)
    known = np.flatnonzero(np.isin(select.labels, classes))[:SAMPLE]
    if not len(known):
        return 1.0
    rows = select.take(known)
    scores = solution.scores(_lifted(champion, lift, rows))
    right = scores[np.arange(len(rows)), np.searchsorted(classes, rows.labels)]

    def surprise(log: float) -> float:
        factor = np.exp(log)
        return float(np.mean(logsumexp(factor * scores, axis=1) - factor * right))

    return float(np.exp(minimize_scalar(surprise, bounds=(-2.0, 6.0), method="bounded").x))


def _notes(champion: Featured, recipe: Recipe, head: Head) -> tuple[str, ...]:
    assert head.solution is not None, "it was just solved"
    width = getattr(head.lift, "width", 0)
    where = f"{width} random features" if width else f"{head.coef.shape[1]} features"
    chosen = "" if recipe.loss.l2 is not None else ", chosen by generalised cross-validation"
    told = f"solved from {head.solution.statistics.rows:,.0f} rows on {where}, ridge {head.ridge:.3g}{chosen}"
    unseen = new_classes(recipe, champion.classes)
    if not len(unseen):
        return (told,)
    return told, f"grew by {len(unseen)} new class{'es' * (len(unseen) > 1)}: {', '.join(map(str, unseen[:5]))}"


def _carried(statistics: Statistics, token: str) -> dict[str, Array]:
    return {**statistics.to_arrays(), "token": np.array(token)}


def _token(memory: Memory) -> str:
    return str(memory.statistics["token"]) if "token" in memory.statistics else "none"


def _token_of(statistics: Statistics) -> str:
    from hashlib import blake2b

    # sums of these features over these rows: what other features would have to equal to be taken for them
    return blake2b(statistics.total.tobytes() + statistics.cross.tobytes(), digest_size=16).hexdigest()


def _begins_with(batch: Batch, first: Batch) -> bool:
    if batch is first:
        return True
    if len(batch) < len(first):
        return False
    start = batch.take(np.arange(len(first)))
    return all(_equal(getattr(start, name), getattr(first, name)) for name in ("x", "y", "weight"))


def _equal(one: Any, two: Any) -> bool:
    if one is None or two is None:
        return one is two
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_equal(one[name], two[name]) for name in one)
    if hasattr(one, "iloc"):
        return bool(one.reset_index(drop=True).equals(two.reset_index(drop=True)))
    if hasattr(one, "tocsr"):
        return bool(one.shape == two.shape and (one != two).nnz == 0)
    return bool(np.array_equal(np.asarray(one), np.asarray(two)))
