"""Which strategies to try, in which order, and whether this model can follow them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from incumbent.core import ABILITIES, Memory, Model, Recipe, Strategy
from incumbent.errors import AbilityError, UsageError
from incumbent.strategies import (
    EWC,
    Analytic,
    Continue,
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


def choose(given: Choice, model: Model, memory: Memory, *, rows: int) -> list[tuple[Strategy, Recipe]]:
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
    >>> [strategy for strategy, _ in choose("auto", model, Memory(), rows=1000)]
    [Incremental(), Recency(2000), Retrain()]
    """
    names = [given] if isinstance(given, str | Strategy) else list(given)
    if not names:
        raise UsageError("No strategy was given; strategies='auto' tries all that fit this model.")
    strategies: list[Strategy] = []
    for name in names:
        strategies += auto(model, memory, rows=rows) if name == "auto" else [parse(name)]
    if not strategies:
        raise AbilityError(
            f"{type(model.native).__name__} can learn in no way that is known here; it has {sorted(model.abilities)}."
        )
    unique = list(dict.fromkeys(strategies))
    return [(strategy, recipe_for(strategy, model, memory)) for strategy in unique]


def auto(model: Model, memory: Memory, *, rows: int) -> list[Strategy]:
    """Return the strategies that fit this model, cheapest first.

    Ensembles, searches and a first analytic head are left to be asked for by name: they change what kind of model is
    live, or its settings.
    """
    able, remembers = model.abilities, len(memory) > 0
    replay = [Replay(2000)] if remembers else []
    tried: list[Strategy] = []
    if memory.statistics and "features" in able:  # the live model was solved from them
        tried.append(Analytic())
    if {"layers", "soft", "draw"} <= able:
        return tried + _for_nets(model, remembers=remembers)
    if "incremental" in able:
        tried.append(chain(*replay, Incremental()))
    if "gradient" in able:
        tried.append(chain(*replay, Incremental("adam", epochs=3), Interpolate("auto")))
    if "gradient" in able and remembers and model.task == "classification" and "proba" in able:
        tried.append(chain(EWC(1.0), Incremental("adam", epochs=3)))
    if "append" in able:
        tried.append(chain(*replay, Continue(20)))
    if remembers and "retrain" in able:
        tried.append(Window(max(500, 2 * rows)))
    if {"retrain", "weight"} <= able:
        tried.append(Recency(max(500, 2 * rows)))
    return [*tried, Retrain()] if "retrain" in able else tried


def _for_nets(model: Model, *, remembers: bool) -> list[Strategy]:
    """Return what a net is tried with: ways that keep the old, from the champion; then learning anew."""
    if remembers:
        tried = [
            chain(Replay(2000, beside=True), Incremental()),
            chain(DERpp(2000), Incremental()),
            chain(Replay(2000), Incremental(), Interpolate("auto")),
        ]
    else:
        tried = [chain(LwF(1.0), Incremental()), chain(Incremental(), Interpolate("auto"))]
    return [*tried, Retrain()] if "retrain" in model.abilities else tried


def recipe_for(strategy: Strategy, model: Model, memory: Memory) -> Recipe:
    """Return the settled recipe of one strategy for this model.

    Raises
    ------
    AbilityError
        Names the ability, who needs it, what the model has, and what works instead.
    """
    recipe = strategy.prepare(Recipe(), memory).settle(model.abilities)
    lacking = recipe.needs - model.abilities
    if lacking:
        word = sorted(lacking)[0]
        raise AbilityError(
            f"{type(model.native).__name__} lacks [{word!r}] ({ABILITIES[word]}), which {strategy!r} needs; "
            f"it has {sorted(model.abilities)}. "
            + ("Retrain() works with every model." if "retrain" in model.abilities else "It can only be replaced.")
        )
    return recipe
