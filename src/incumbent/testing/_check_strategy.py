"""Test whether a strategy keeps the promises of `incumbent.core.Strategy`."""

from __future__ import annotations

import copy
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
    """Raise unless a strategy keeps every promise that the program relies on.

    It is a frozen, hashable value. It prints as the expression that makes it, and `incumbent.strategies.parse` reads
    that if the class is in the catalogue. `prepare` is pure and returns the edited recipe. `remember` returns a memory
    and does not change the given one. If a model lacks abilities, the error names the strategy and the abilities.

    Parameters
    ----------
    strategy : Strategy
        A value, such as ``Replay(100)``.
    natives : sequence of fitted models, optional
        Models to test its needs with; by default two linear models and a decision tree.

    Raises
    ------
    AssertionError
        A promise is broken. The message says which.

    Examples
    --------
    >>> from incumbent.strategies import EWC, Replay, chain
    >>> check_strategy(chain(Replay(100), EWC(2.0)))

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


def _check_value(strategy: Any) -> None:
    name = repr(strategy)
    assert not isinstance(strategy, type), f"{name} is a class; a strategy is a value, such as {name}()."
    assert isinstance(strategy, Strategy), f"{name} is no Strategy: it needs the methods prepare and remember."
    params: Any = getattr(strategy, "__dataclass_params__", None)  # which every dataclass keeps
    assert params is not None, f"{name} is no dataclass; write @dataclass(frozen=True, repr=False)."
    assert params.frozen, f"{name} can be changed after it is made; write @dataclass(frozen=True)."
    twin = copy.deepcopy(strategy)
    assert twin == strategy, f"{name} does not equal its own copy; a value is equal where its fields are."
    try:
        same = hash(twin) == hash(strategy)
    except TypeError as error:
        raise AssertionError(f"{name} cannot be hashed ({error}); its fields must be plain values or tuples.") from None
    assert same, f"{name} and its equal copy have different hashes."


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
    assert again == strategy, f"eval({text!r}) gives {again!r}, another value; every field must be printed."
    if all(known.get(type(step).__name__) is type(step) for step in steps):
        try:
            read = parse(text)
        except UsageError as error:
            raise AssertionError(f"parse({text!r}) fails: {error}") from error
        assert read == strategy, f"parse({text!r}) gives {read!r}, another value."


def _check_prepare(strategy: Strategy, memory: Memory) -> None:
    name, marked = repr(strategy), Recipe().bind(seed=7, deadline=1e9)
    before = joblib.hash(memory)
    made, again = strategy.prepare(marked, memory), strategy.prepare(marked, memory)
    assert isinstance(made, Recipe), f"{name}.prepare returns {type(made).__name__}; it must return the edited Recipe."
    assert made == again, f"{name}.prepare is not pure: the same recipe and memory gave {made} and then {again}."
    assert marked == Recipe(), f"{name}.prepare changed the recipe it was given; return recipe.replace(...) instead."
    assert joblib.hash(memory) == before, f"{name}.prepare changed the memory; what it remembers belongs into remember."
    assert (made.seed, made.deadline) == (7, 1e9), (
        f"{name}.prepare made a new Recipe and lost the fields that were set before; return recipe.replace(...)."
    )
    assert read_recipe(repr(made)) == made, f"{name}.prepare gives {made}, which cannot be stored and read back."
    unknown = made.needs - ABILITIES.keys()
    assert not unknown, f"{name} needs {sorted(unknown)}, which no model can have; abilities are {sorted(ABILITIES)}."


def _check_needs(strategy: Strategy, model: Model) -> None:
    name, settled = repr(strategy), strategy.prepare(Recipe(), Memory()).resolve_start(model.abilities)
    lacking = settled.needs - model.abilities
    try:
        recipe = recipe_for(strategy, model, Memory())
    except AbilityError as error:
        assert lacking, f"{name} was refused for {type(model.native).__name__}, which can do all it needs: {error}"
        assert name in str(error), f"The error for an unmet ability does not name {name}: {error}"
        assert any(word in str(error) for word in lacking), f"The error does not name any of {sorted(lacking)}: {error}"
        return
    assert not lacking, f"{name} needs {sorted(lacking)} of {type(model.native).__name__}, but raises no AbilityError."
    starts = recipe.structure.start is not None or recipe.structure.trees is not None
    assert starts, f"{name} leaves open where it starts."


def _check_remember(strategy: Strategy, model: Model) -> None:
    name, batch = repr(strategy), _rows(classification=model.task == "classification")
    memory = Memory(batch, key=np.linspace(0.01, 0.99, _COUNT), seen=_COUNT)
    before, model_before = joblib.hash(memory), joblib.hash(model.native)
    made = strategy.remember(memory, model, batch)
    assert isinstance(made, Memory), f"{name}.remember returns {type(made).__name__}; it must return a Memory."
    assert joblib.hash(memory) == before, f"{name}.remember changed the memory; return memory.replace(...)."
    assert joblib.hash(model.native) == model_before, f"{name}.remember changed the model."
    again = strategy.remember(memory, model, batch)
    assert joblib.hash(made) == joblib.hash(again), f"{name}.remember is not pure: the same input gave two memories."


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
