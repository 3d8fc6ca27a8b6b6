"""Which strategies to try, in which order, and whether this model can follow them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from incumbent._deprecated import deprecated_names
from incumbent.core import (
    ABILITIES,
    Batch,
    Challenger,
    Exact,
    HasFeatures,
    Memory,
    Model,
    Recipe,
    Strategy,
    has_features,
    is_net,
)
from incumbent.errors import AbilityError, UsageError
from incumbent.strategies import (
    EWC,
    Analytic,
    AppendTrees,
    DERpp,
    Incremental,
    Interpolate,
    LwF,
    Recency,
    Replay,
    Retrain,
    Window,
    chain,
    parse,
)

Choice: TypeAlias = str | Strategy | Sequence[str | Strategy]

_WIDTH, _WIDEST = 1000, 2000  # limits of the width of a first exact head: 1.5 times the width of the last layer
_FEW = 4096  # most numbers in a row; with more, features of the rows themselves cost as much as training


def select_strategies(
    given: Choice, model: Model, memory: Memory, *, rows: int, unseen: int = 0
) -> list[tuple[Strategy, Recipe]]:
    """Return the given strategies, each with its recipe for this model.

    Parameters
    ----------
    given : "auto", str, Strategy, or a sequence of those
        Expressions, presets and values; "auto" means all `default_strategies`.
    model : Model
        The champion.
    memory : Memory
        What is kept of old rows.
    rows : int
        Number of new rows.
    unseen : int
        Number of their classes that no row in memory has.

    Raises
    ------
    UsageError
        The list is empty, or has something that is no strategy.
    AbilityError
        The model lacks what a named strategy needs, or no default strategy fits it.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from incumbent.models import wrap
    >>> model = wrap(GaussianNB().fit([[0.0], [1.0]], [0, 1]))
    >>> [strategy for strategy, _ in select_strategies("auto", model, Memory(), rows=1000)]
    [Incremental(), Recency(2000), Retrain()]
    """
    names = [given] if isinstance(given, str | Strategy) else list(given)
    if not names:
        raise UsageError("No strategy was given; strategies='auto' tries all that fit this model.")
    strategies: list[Strategy] = []
    for name in names:
        strategies += default_strategies(model, memory, rows=rows, unseen=unseen) if name == "auto" else [parse(name)]
    if not strategies:
        raise AbilityError(f"No known strategy fits {type(model.native).__name__}; it has {sorted(model.abilities)}.")
    unique = list(dict.fromkeys(strategies))
    return [(strategy, recipe_for(strategy, model, memory)) for strategy in unique]


def default_strategies(model: Model, memory: Memory, *, rows: int, unseen: int = 0) -> list[Strategy]:
    """Return the strategies that fit this model, cheapest first.

    Ensembles, searches and, except for nets, a first exact head must be named: they change the kind of the live model,
    or its settings.
    """
    if is_net(model):
        wanted = _for_nets(model, memory, rows=rows, unseen=unseen)
        fitting = [strategy for strategy in wanted if _prepare(strategy, model, memory).needs <= model.abilities]
        if fitting:
            return fitting
    return _for_others(model, memory, rows=rows)


def _for_others(model: Model, memory: Memory, *, rows: int) -> list[Strategy]:
    """Return the strategies that fit the abilities of a model."""
    able, remembers, recent = model.abilities, len(memory) > 0, max(500, 2 * rows)
    replay = [Replay(2000)] if remembers else []
    fisher = remembers and model.task == "classification" and "proba" in able
    fitting: list[tuple[bool, Strategy]] = [
        (bool(memory.statistics) and "features" in able, Analytic()),  # the live model was solved from them
        ("incremental" in able, chain(*replay, Incremental())),
        ("gradient" in able, chain(*replay, Incremental("adam", epochs=3), Interpolate("auto"))),
        ("gradient" in able and fisher, chain(EWC(1.0), Incremental("adam", epochs=3))),
        ("add_trees" in able, chain(*replay, AppendTrees(20))),
        ("retrain" in able and remembers, Window(recent)),
        ({"retrain", "weight"} <= able, Recency(recent)),
        ("retrain" in able, Retrain()),
    ]
    return [strategy for fits, strategy in fitting if fits]


def made_redundant_by(recipe: Recipe, tried: Sequence[Challenger]) -> Challenger | None:
    """Return the challenger that makes this recipe redundant, or None.

    Gradient steps on a net cost many times as much as an exact head. They are left out if an exact head is better than
    the champion on the new select rows and no worse on old ones: it forgets nothing from then on.
    """
    if isinstance(recipe.structure.head, Exact):
        return None
    nets = [c for c in tried if c.model is not None and is_net(c.model)]
    exact = [c for c in nets if c.recipe is not None and isinstance(c.recipe.structure.head, Exact)]
    return next((c for c in exact if c.gains.get("new", 0.0) > 0.0 and c.gains.get("old", -1.0) >= 0.0), None)


def _for_nets(model: Model, memory: Memory, *, rows: int, unseen: int) -> list[Strategy]:
    """Return the strategies for a net: an exact head, which costs next to nothing, then gradient steps.

    If the live head is exact, only that is continued: gradient steps would change the features that its sums belong to,
    and begin to forget. Layers that were never trained on a class may not separate it, so new classes also get a head
    on the rows themselves. Training from scratch costs many times as much as all of these, so it must be named. So must
    methods whose strength has to be chosen.
    """
    classifies = model.task == "classification"
    weight = 1.0 if unseen else _weight(memory.seen, rows)  # a new class has enough rows of its own
    if classifies and has_features(model) and memory.statistics:
        return [*([Analytic(weight=weight)] if weight > 1 else []), Analytic()]
    if memory.rows is None or not len(memory):
        return [chain(LwF(1.0), Incremental()), chain(Incremental(), Interpolate("auto"))]
    steps = chain(DERpp(1000), Incremental())
    if not (classifies and has_features(model)):
        return [steps]
    x = memory.rows.x
    few_inputs = isinstance(x, np.ndarray) and math.prod(x.shape[1:]) <= _FEW
    on_rows = [Analytic(reads="input")] if unseen and few_inputs else []
    return [Analytic(_width(model, memory.rows), weight=weight), *on_rows, steps]


def _width(model: HasFeatures, rows: Batch) -> int:
    """Return the number of features to compute from the input of the last layer."""
    inputs = int(model.features(rows.take([0]).x).shape[1])
    return min(max(_WIDTH, inputs * 3 // 2), _WIDEST)


def _weight(seen: int, rows: int) -> float:
    """Return the weight of a new row if they are few: together half the weight of all old ones, as a power of two."""
    ratio = seen / (2 * max(rows, 1))
    return 1.0 if ratio < 2 else min(64.0, 2.0 ** round(math.log2(ratio)))


def recipe_for(strategy: Strategy, model: Model, memory: Memory) -> Recipe:
    """Return the recipe of one strategy for this model, with its starting point.

    Raises
    ------
    AbilityError
        Names the missing ability, the strategy that needs it, what the model has, and what works instead.
    """
    recipe = _prepare(strategy, model, memory)
    lacking = recipe.needs - model.abilities
    if lacking:
        word = sorted(lacking)[0]
        raise AbilityError(
            f"{type(model.native).__name__} lacks [{word!r}] ({ABILITIES[word]}), which {strategy!r} needs; "
            f"it has {sorted(model.abilities)}. "
            + ("Retrain() works with every model." if "retrain" in model.abilities else "It can only be replaced.")
        )
    return recipe


def _prepare(strategy: Strategy, model: Model, memory: Memory) -> Recipe:
    """Return the recipe of a strategy with a starting point, whether the model can follow it or not."""
    return strategy.prepare(Recipe(), memory).resolve_start(model.abilities)


__getattr__ = deprecated_names(
    __name__,
    {"choose": "select_strategies", "auto": "default_strategies", "spared_by": "made_redundant_by"},
)
