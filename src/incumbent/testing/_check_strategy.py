"""Whether a strategy keeps the promises of `incumbent.core.Strategy`."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np

from incumbent.core import ABILITIES, Batch, Memory, Model, Recipe, Strategy, read_recipe
from incumbent.errors import AbilityError, UsageError
from incumbent.models import wrap
from incumbent.policy import recipe_for
from incumbent.strategies import catalogue, chain, parse


def check_strategy(strategy: Strategy, natives: Sequence[Any] | None = None) -> None:
    """Raise unless `strategy` keeps every promise that the rest of the program builds on.

    It is a frozen, hashable value that prints as the expression which makes it, and `incumbent.strategies.parse` reads
    that expression where the class is in the catalogue (here, or by an entry point ``incumbent.strategies``); `prepare`
    is pure, edits the recipe it is given and returns a recipe; `remember` returns a memory and leaves the one it was
    given; and for a model without the abilities it needs, the error names the strategy, the ability and what the model
    has.

    Parameters
    ----------
    strategy : Strategy
        A value, such as ``Replay(100)``.
    natives : sequence of fitted models, optional
        On which its needs are tried. By default a logistic regression (gradients), a decision tree (can only be
        refitted) and a linear regression, all of two columns.

    Raises
    ------
    AssertionError
        A promise is broken; the message says which.

    Examples
    --------
    >>> from incumbent.strategies import EWC, Replay, chain
    >>> check_strategy(chain(Replay(100), EWC(2.0)))

    A strategy of one's own is one frozen class:

    >>> from dataclasses import dataclass
    >>> from incumbent.strategies import Retrain
    >>> @dataclass
    ... class Loose:
    ...     def prepare(self, recipe, memory):
    ...         return recipe.replace(start="scratch")
    ...     def remember(self, memory, model, batch):
    ...         return memory
    >>> check_strategy(Loose())
    Traceback (most recent call last):
    ...
    AssertionError: Loose() can be changed after it is made; write @dataclass(frozen=True).
    """
    _check_value(strategy)
    _check_text(strategy)
    memory = Memory(_rows(classification=True), key=np.linspace(0.01, 0.99, _COUNT), seen=_COUNT)
    _check_prepare(strategy, Memory())
    _check_prepare(strategy, memory)
    for native in _natives() if natives is None else natives:
        model = wrap(native)
        _check_needs(strategy, model)
        if natives is None:  # rows that are known to fit the model
            _check_remember(strategy, model)


_COUNT = 40


def _must(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)


def _check_value(strategy: Strategy) -> None:
    name = repr(strategy)
    _must(not isinstance(strategy, type), f"{name} is a class; a strategy is a value, such as {name}().")
    _must(isinstance(strategy, Strategy), f"{name} is no Strategy: it needs the methods prepare and remember.")
    _must(dataclasses.is_dataclass(strategy), f"{name} is no dataclass; write @dataclass(frozen=True, repr=False).")
    frozen = strategy.__dataclass_params__.frozen  # type: ignore[attr-defined]  # kept by every dataclass, not in the stubs
    _must(frozen, f"{name} can be changed after it is made; write @dataclass(frozen=True).")
    twin = copy.deepcopy(strategy)
    _must(twin == strategy, f"{name} does not equal its own copy; a value is equal where its fields are.")
    try:
        same = hash(twin) == hash(strategy)
    except TypeError as error:
        raise AssertionError(f"{name} cannot be hashed ({error}); its fields must be plain values or tuples.") from None
    _must(same, f"{name} and its equal copy have different hashes.")


def _check_text(strategy: Strategy) -> None:
    text, known = repr(strategy), catalogue()
    steps = getattr(strategy, "steps", (strategy,))
    names: dict[str, Any] = {**known, "chain": chain, **{type(step).__name__: type(step) for step in steps}}
    try:
        again = eval(text, names)
    except Exception as error:  # the text is whatever its author prints
        raise AssertionError(
            f"eval({text!r}) fails: {error}; derive it from Value, which prints what can be typed."
        ) from error
    _must(again == strategy, f"eval({text!r}) gives {again!r}, another value; every field must be printed.")
    if all(known.get(type(step).__name__) is type(step) for step in steps):
        try:
            read = parse(text)
        except UsageError as error:
            raise AssertionError(f"parse({text!r}) fails: {error}") from error
        _must(read == strategy, f"parse({text!r}) gives {read!r}, another value.")


def _check_prepare(strategy: Strategy, memory: Memory) -> None:
    name, marked = repr(strategy), Recipe().bind(seed=7, deadline=1e9)
    before = joblib.hash(memory)
    made, again = strategy.prepare(marked, memory), strategy.prepare(marked, memory)
    _must(isinstance(made, Recipe), f"{name}.prepare returns {type(made).__name__}; it must return the edited Recipe.")
    _must(made == again, f"{name}.prepare is not pure: the same recipe and memory gave {made} and then {again}.")
    _must(marked == Recipe(), f"{name}.prepare changed the recipe it was given; return recipe.replace(...) instead.")
    _must(joblib.hash(memory) == before, f"{name}.prepare changed the memory; what it remembers belongs into remember.")
    _must(
        (made.seed, made.deadline) == (7, 1e9),
        f"{name}.prepare made a new Recipe and lost what was said before it; return recipe.replace(...) instead.",
    )
    _must(read_recipe(repr(made)) == made, f"{name}.prepare gives {made}, which cannot be stored and read back.")
    unknown = made.needs - ABILITIES.keys()
    _must(not unknown, f"{name} needs {sorted(unknown)}, which no model can have; abilities are {sorted(ABILITIES)}.")


def _check_needs(strategy: Strategy, model: Model) -> None:
    name, settled = repr(strategy), strategy.prepare(Recipe(), Memory()).resolve_start(model.abilities)
    lacking = settled.needs - model.abilities
    try:
        recipe = recipe_for(strategy, model, Memory())
    except AbilityError as error:
        _must(
            bool(lacking), f"{name} was refused for {type(model.native).__name__}, which can do all it needs: {error}"
        )
        _must(name in str(error), f"The error for an unmet ability does not name {name}: {error}")
        _must(any(word in str(error) for word in lacking), f"The error does not name any of {sorted(lacking)}: {error}")
        return
    _must(not lacking, f"{name} needs {sorted(lacking)} of {type(model.native).__name__}, and no AbilityError said so.")
    starts = recipe.structure.start is not None or recipe.structure.trees is not None
    _must(starts, f"{name} leaves open where it starts.")


def _check_remember(strategy: Strategy, model: Model) -> None:
    name, batch = repr(strategy), _rows(classification=model.task == "classification")
    memory = Memory(batch, key=np.linspace(0.01, 0.99, _COUNT), seen=_COUNT)
    before, model_before = joblib.hash(memory), joblib.hash(model.native)
    made = strategy.remember(memory, model, batch)
    _must(isinstance(made, Memory), f"{name}.remember returns {type(made).__name__}; it must return a Memory.")
    _must(joblib.hash(memory) == before, f"{name}.remember changed the memory; return memory.replace(...).")
    _must(joblib.hash(model.native) == model_before, f"{name}.remember changed the model.")
    again = strategy.remember(memory, model, batch)
    _must(joblib.hash(made) == joblib.hash(again), f"{name}.remember is not pure: the same input gave two memories.")


def _rows(*, classification: bool) -> Batch:
    x = np.random.default_rng(0).normal(size=(_COUNT, 2))
    score = x @ np.array([1.0, -0.5])
    return Batch(x, (score > 0).astype(int) if classification else score)


def _natives() -> list[Any]:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    classes, values = _rows(classification=True), _rows(classification=False)
    return [
        LogisticRegression().fit(classes.x, classes.y),
        DecisionTreeClassifier(max_depth=2, random_state=0).fit(classes.x, classes.y),
        LinearRegression().fit(values.x, values.y),
    ]
