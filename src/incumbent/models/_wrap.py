"""Put the right adapter around a native model, and store it under the key of its adapter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from incumbent.core import Array, Model, Task, complete_adapter, is_model
from incumbent.errors import MissingDependency, ModelError, RegistryError, UsageError
from incumbent.models._framework import frameworks, is_built_in
from incumbent.words import joined

_FORMAT = 1


def wrap(
    native: Any,
    *,
    classes: Array | Sequence[Any] | None = None,
    task: Task | None = None,
    factory: Any = None,
    arguments: Mapping[str, Any] | None = None,
    prepare: Any = None,
    device: str = "auto",
) -> Model:
    """Put the adapter around a fitted native model.

    Parameters
    ----------
    native : object
        A fitted model of a framework that is installed, such as a scikit-learn Pipeline, or a `Blend`. An adapter is
        returned as it is.
    classes : (k,) array, optional
        Class names, in order, for a booster or a net whose outputs are only numbered.
    task : {"classification", "regression"}, optional
        What a net predicts, if its outputs leave it open.
    factory : callable or "package.module:name", optional
        Builds such a net, so that it can be stored and trained from scratch.
    arguments : mapping, optional
        What the factory is called with.
    prepare : callable or "package.module:name", optional
        Turns rows into the input of a net. It is stored by name with the model.
    device : {"auto", "cpu", "cuda"}
        Device on which a net trains and predicts.

    Raises
    ------
    ModelError
        It is not a model, it is not fitted, or its framework has no adapter.
    UsageError
        An option does not apply to this kind of model.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = wrap(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]))
    >>> model.task, model.classes.tolist(), "gradient" in model.abilities
    ('classification', ['no', 'yes'], True)
    """
    if isinstance(native, type):
        raise ModelError(f"{native.__name__} is a class. Pass a fitted model, such as {native.__name__}().fit(x, y).")
    if is_model(native):
        return complete_adapter(native)
    named = {"task": task, "factory": factory, "arguments": arguments, "prepare": prepare}
    given = {name: value for name, value in named.items() if value is not None}
    general = {"device": device, **({} if classes is None else {"classes": classes})}  # ignored if they do not apply
    for framework in frameworks():
        adapter = framework.find_adapter(native)
        if adapter is None:
            continue
        for name in [name for name in given if name not in framework.options]:
            takers = [other.models for other in frameworks() if name in other.options]
            raise UsageError(
                f"{name}= is for {joined(takers)}. {type(native).__name__} does not take it; leave it out."
            )
        options = {name: value for name, value in (general | given).items() if name in framework.options}
        return complete_adapter(framework.wrap(adapter, native, **options))
    raise ModelError(
        f"{type(native).__module__}.{type(native).__name__} is not a model that Incumbent can update. "
        f"It takes {joined([framework.models for framework in frameworks()])}."
    )


def save(model: Model, folder: Path) -> None:
    """Write a model into a folder, from which `load` returns the same native class with the same predictions.

    Raise `ModelError` if no entry point names its adapter, so that `load` could not find it.
    """
    key = _key_of(type(model))
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    (folder / "adapter.json").write_text(json.dumps({"format": _FORMAT, "adapter": key}))
    if not is_built_in(key):
        load(folder)  # of another package: a model that cannot be loaded must not be deployed


def _key_of(kind: type) -> str:
    """Return the key of this very class; another adapter may have the same name."""
    for framework in frameworks():
        for key, path in framework.adapters.items():
            if path.rpartition(":")[2] == kind.__name__ and framework.load_adapter(key) is kind:
                return key
    raise ModelError(
        f"Cannot save a model with the adapter {kind.__module__}.{kind.__name__}: no entry point names it, so it could "
        f'not be loaded. Add {kind.__name__.lower()} = "{kind.__module__}:{kind.__name__}" to the entry points '
        '"incumbent.models" of your package.'
    )


def load(folder: Path) -> Model:
    """Read a model that `save` wrote.

    Raises
    ------
    RegistryError
        The folder holds no model, or one in a format that is newer than this program.
    MissingDependency
        Its framework is not installed.
    """
    try:
        stored = json.loads((folder / "adapter.json").read_text())
    except (OSError, ValueError):
        raise RegistryError(f"{folder} holds no model of Incumbent (its adapter.json is missing or broken).") from None
    if stored["format"] > _FORMAT:
        raise RegistryError(
            f"The model in {folder} was stored in format {stored['format']} and this program reads up to {_FORMAT}; "
            "upgrade it: pip install -U incumbent"
        )
    key = stored["adapter"]
    framework = next((one for one in frameworks() if key in one.adapters), None)
    if framework is None:
        raise MissingDependency(f"The model needs the adapter {key!r}, and no installed package has it.")
    made: Model = framework.load_adapter(key).load(folder)
    return complete_adapter(made)
