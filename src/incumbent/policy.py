"""Which strategies to try, in which order, and whether this model can follow them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from incumbent._deprecated import deprecated_names
from incumbent.core import (
    ABILITIES,
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

_WIDTH, _WIDEST = 1000, 2000  # features of what a trained layer gives: half as many again as that, within these
_FEW = 4096  # numbers of a row: of more, features of the rows themselves would cost what training does


def select_strategies(
    given: Choice, model: Model, memory: Memory, *, rows: int, unseen: int = 0
) -> list[tuple[Strategy, Recipe]]:
    """Return the strategies that `given` means for this model, each with its recipe.

    "auto" gives them cheapest first, otherwise they keep the order given.

    Parameters
    ----------
    given : "auto", str, Strategy, or a sequence of those
        Expressions, presets and values may be mixed.
    model : Model
        The champion.
    memory : Memory
        What is remembered of the old rows.
    rows : int
        How many new rows there are.
    unseen : int
        How many of their classes no remembered row has.

    Raises
    ------
    UsageError
        Nothing was given, or it is no strategy.
    AbilityError
        The model lacks what a named strategy needs; "auto" only names what fits, and fails where nothing does.

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
        raise AbilityError(
            f"{type(model.native).__name__} can learn in no way that is known here; it has {sorted(model.abilities)}."
        )
    unique = list(dict.fromkeys(strategies))
    return [(strategy, recipe_for(strategy, model, memory)) for strategy in unique]


def default_strategies(model: Model, memory: Memory, *, rows: int, unseen: int = 0) -> list[Strategy]:
    """Return the strategies that fit this model, cheapest first.

    Ensembles, searches and, but for nets, a first analytic head are left to be asked for by name: they change what kind
    of model is live, or its settings.
    """
    able, remembers = model.abilities, len(memory) > 0
    replay = [Replay(2000)] if remembers else []
    tried: list[Strategy] = []
    if is_net(model):
        return _for_nets(model, memory, rows=rows, unseen=unseen)
    if memory.statistics and "features" in able:  # the live model was solved from them
        tried.append(Analytic())
    if "incremental" in able:
        tried.append(chain(*replay, Incremental()))
    if "gradient" in able:
        tried.append(chain(*replay, Incremental("adam", epochs=3), Interpolate("auto")))
    if "gradient" in able and remembers and model.task == "classification" and "proba" in able:
        tried.append(chain(EWC(1.0), Incremental("adam", epochs=3)))
    if "add_trees" in able:
        tried.append(chain(*replay, AppendTrees(20)))
    if remembers and "retrain" in able:
        tried.append(Window(max(500, 2 * rows)))
    if {"retrain", "weight"} <= able:
        tried.append(Recency(max(500, 2 * rows)))
    return [*tried, Retrain()] if "retrain" in able else tried


def made_redundant_by(recipe: Recipe, tried: Sequence[Challenger]) -> Challenger | None:
    """Return the challenger that makes this recipe superfluous, where "auto" has the choice; None where it is tried.

    Gradient steps on a net cost many times what an exact head does. They are left out where one is better on the new
    select rows and no worse on those of the anchor set: it has learned what there was to learn, and from then on its
    sums forget nothing.
    """
    if isinstance(recipe.structure.head, Exact):
        return None
    nets = [c for c in tried if c.model is not None and is_net(c.model)]
    exact = [c for c in nets if c.recipe is not None and isinstance(c.recipe.structure.head, Exact)]
    return next((c for c in exact if c.gains.get("new", 0.0) > 0.0 and c.gains.get("old", -1.0) >= 0.0), None)


def _for_nets(model: Model, memory: Memory, *, rows: int, unseen: int) -> list[Strategy]:
    """Return what a net is tried with: its head solved exactly, which costs next to nothing; then gradient steps.

    Where the live head was solved already, only that goes on: gradient steps would move the features that its sums
    stand for, and begin to forget. Layers that never saw a class may not tell it apart, so where classes join, features
    of the rows themselves are tried too. Training anew costs many times as much as all of these; it is left to
    be asked for by name, as are methods whose strength has to be chosen.
    """
    remembers = len(memory) > 0
    solvable = model.task == "classification" and has_features(model)
    weight = 1.0 if unseen else _weight(memory.seen, rows)  # a class that joins has rows enough of its own
    if solvable and memory.statistics:
        return [*([Analytic(weight=weight)] if weight > 1 else []), Analytic()]
    tried: list[Strategy] = []
    if model.task == "classification" and has_features(model) and remembers:
        tried.append(Analytic(_width(model, memory), weight=weight))
    if tried and unseen and _few_inputs(memory):
        tried.append(Analytic(reads="input"))
    if remembers:
        return [*tried, chain(DERpp(1000), Incremental())]
    return [*tried, chain(LwF(1.0), Incremental()), chain(Incremental(), Interpolate("auto"))]


def _width(model: HasFeatures, memory: Memory) -> int:
    """Return how many features to make of what the last layer reads."""
    assert memory.rows is not None, "asked only where rows are remembered"
    inputs = int(model.features(memory.rows.take([0]).x).shape[1])
    return min(max(_WIDTH, inputs * 3 // 2), _WIDEST)


def _weight(seen: int, rows: int) -> float:
    """Return how much a new row counts where few meet many: together half as much as all old ones, in powers of two."""
    share = seen / (2 * max(rows, 1))
    return 1.0 if share < 2 else min(64.0, 2.0 ** round(math.log2(share)))


def _few_inputs(memory: Memory) -> bool:
    """Whether a row is one array of so few numbers that features of it are cheap."""
    x = None if memory.rows is None else memory.rows.x
    return isinstance(x, np.ndarray) and math.prod(x.shape[1:]) <= _FEW


def recipe_for(strategy: Strategy, model: Model, memory: Memory) -> Recipe:
    """Return the settled recipe of one strategy for this model.

    Raises
    ------
    AbilityError
        Names the ability, who needs it, what the model has, and what works instead.
    """
    recipe = strategy.prepare(Recipe(), memory).resolve_start(model.abilities)
    lacking = recipe.needs - model.abilities
    if lacking:
        word = sorted(lacking)[0]
        raise AbilityError(
            f"{type(model.native).__name__} lacks [{word!r}] ({ABILITIES[word]}), which {strategy!r} needs; "
            f"it has {sorted(model.abilities)}. "
            + ("Retrain() works with every model." if "retrain" in model.abilities else "It can only be replaced.")
        )
    return recipe


__getattr__ = deprecated_names(
    __name__,
    {"choose": "select_strategies", "auto": "default_strategies", "spared_by": "made_redundant_by"},
)
